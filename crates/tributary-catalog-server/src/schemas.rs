//! Definitions of tables: the first one, and one after the other (`SchemaManager`). Pure.

mod change;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};

use paimon_catalog::rest::wire::Schema;
use paimon_format::{DataField, TableSchema};

use crate::problem::Problem;

pub(crate) use change::{SchemaChange, altered};

/// Options by which a client asks for something else than a managed Paimon table.
const PATH: &str = "path";
const TYPE: &str = "type";

/// Paimon's own columns (`SpecialFields`).
const SYSTEM_COLUMNS: [&str; 5] = ["_SEQUENCE_NUMBER", "_VALUE_KIND", "_LEVEL", "rowkind", "_ROW_ID"];
const SYSTEM_PREFIX: &str = "_KEY_";

/// The first schema of a table. Columns have the ids the client gave them, as in Java.
///
/// # Errors
/// 400 for a definition that contradicts itself, 501 for a kind of table this server does not keep.
pub(crate) fn first(definition: Schema, time_millis: i64) -> Result<TableSchema, Problem> {
    let Schema { fields, partition_keys, primary_keys, options, comment } = definition;
    check_kind(&options)?;
    let schema =
        TableSchema { primary_keys, ..TableSchema::new(fields, partition_keys, options, comment, time_millis) };
    check(&schema)?;
    Ok(schema)
}

fn check_kind(options: &BTreeMap<String, String>) -> Result<(), Problem> {
    if options.contains_key(PATH) {
        return Err(Problem::left_out(
            "external tables (option path) are left out: a table of this catalog lies in its warehouse",
        ));
    }
    match options.get(TYPE).map(String::as_str) {
        None | Some("table") => Ok(()),
        Some(other) => {
            Err(Problem::left_out(format!("tables of type '{other}' are left out: only Paimon's own are kept")))
        }
    }
}

/// Whether a schema contradicts itself.
fn check(schema: &TableSchema) -> Result<(), Problem> {
    let refuse = |why: String| Err(Problem::bad(why));
    if schema.fields.is_empty() {
        return refuse("the table has no columns".to_owned());
    }
    let (mut names, mut ids) = (HashSet::new(), HashSet::new());
    for DataField { id, name, .. } in &schema.fields {
        if name.trim().is_empty() || !names.insert(name.as_str()) {
            return refuse(format!("column '{name}' has no name or is there twice"));
        }
        if *id < 0 || !ids.insert(*id) {
            return refuse(format!("column '{name}' has the id {id}, which is negative or another column's"));
        }
        if SYSTEM_COLUMNS.contains(&name.as_str()) || name.starts_with(SYSTEM_PREFIX) {
            return refuse(format!("column name '{name}' is kept for Paimon's own columns"));
        }
    }
    for (what, keys) in [("partition", &schema.partition_keys), ("primary", &schema.primary_keys)] {
        let mut seen = HashSet::new();
        if let Some(key) = keys.iter().find(|key| !names.contains(key.as_str()) || !seen.insert(key.as_str())) {
            return refuse(format!("{what} key '{key}' is no column or is there twice"));
        }
    }
    Ok(())
}
