//! Tables of catalogs: what CREATE TABLE may say about one, how an existing one differs from that, and the options that one
//! job may set by a hint.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use paimon_catalog::{NewColumn, NewTable};
use paimon_format::{CoreOptions, DataField, OptionError, TableSchema, options};
use tributary_statement::{CreateTable, Insert, MASK, OptionEntry, is_secret_key, nearest};

use crate::definition::{Column, ColumnKind, Definition, Given};
use crate::expr::bind::BindError;
use crate::settings::{self, SINK_PARALLELISM};

/// What the hint behind an INSERT's target changes for its pipeline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SinkHint {
    /// `sink.parallelism`.
    pub(crate) parallelism: Option<NonZeroUsize>,
    /// Table options that cover the table's own.
    pub(crate) options: BTreeMap<String, String>,
}

/// Options that say what a table is. Files written under another value would be another table's.
const FIXED: &[&str] = &[
    "branch",
    "bucket",
    "bucket-key",
    "data-evolution.enabled",
    "deletion-vectors.enabled",
    "file.format",
    "manifest.format",
    "partition",
    "partition.default-name",
    "partition.legacy-name",
    "path",
    "primary-key",
    "row-tracking.enabled",
    "type",
];

type Result<T, E = BindError> = std::result::Result<T, E>;

/// The table that `definition` asks for, its options checked; `statement` is where it is asked for.
pub(crate) fn new_table(statement: &CreateTable, definition: Definition) -> Result<NewTable> {
    let given = Given::with(statement);
    for entry in &statement.options {
        check_key(entry)?;
    }
    let Definition { columns, partition_keys, options, comment } = definition;
    if options.contains_key("connector") {
        return Err(BindError::new(given.otherwise, "a table of a catalog has no `connector`: it is a Paimon table")
            .help("write LIKE … (EXCLUDING OPTIONS) to take over the columns only"));
    }
    let core = check_values(&options, &given)?;
    let column = |column: Column| match column.kind {
        ColumnKind::Physical(data_type) => Ok(NewColumn { name: column.name, data_type, comment: column.comment }),
        ColumnKind::Computed(_) => {
            let own = statement.columns.iter().find(|own| own.name().value == column.name);
            let span = own.map_or(given.otherwise, |own| own.name().span);
            let error = BindError::new(span, format!("`{}` is computed: only temporary tables have that", column.name));
            Err(error.help(match own {
                Some(_) => "give it a type here, and compute it in the SELECT",
                None => "write LIKE … (EXCLUDING GENERATED) to leave it out",
            }))
        }
    };
    let columns = columns.into_iter().map(column).collect::<Result<Vec<_>>>()?;
    let field = |(column, id): (&NewColumn, i32)| DataField::new(id, &column.name, column.data_type.clone());
    check_columns(&core, &columns.iter().zip(0..).map(field).collect::<Vec<_>>(), &given)?;
    Ok(NewTable { columns, partition_keys, options, comment })
}

fn check_key(entry: &OptionEntry) -> Result<()> {
    let key = entry.key.value.as_str();
    if options::is_known(key) {
        return Ok(());
    }
    if key == "connector" {
        return Err(BindError::new(entry.key.span, "a table of a catalog has no `connector`: it is a Paimon table")
            .help("remove it, or write CREATE TEMPORARY TABLE for a source"));
    }
    let error = BindError::new(entry.key.span, format!("there is no table option `{key}`"));
    Err(match options::nearest(key) {
        Some(near) => error.help(format!("did you mean '{near}'?")),
        None => error.help("the options are those of Paimon; see the option reference"),
    })
}

fn check_values(options: &BTreeMap<String, String>, given: &Given<'_>) -> Result<CoreOptions> {
    let core = CoreOptions::parse(options).map_err(|problem| wrong_value(problem, given))?;
    // One by one, to know which it is.
    for (key, value) in options {
        if let Err(problem) = core.check_supported(&BTreeMap::from([(key.clone(), value.clone())])) {
            return Err(BindError::new(given.value_span(key), given.masked(key, problem.to_string())));
        }
    }
    Ok(core)
}

/// Whether the options of single columns name one.
fn check_columns(core: &CoreOptions, fields: &[DataField], given: &Given<'_>) -> Result<()> {
    core.parquet.check_columns(fields).map_err(|problem| wrong_value(problem, given))
}

fn wrong_value(problem: OptionError, given: &Given<'_>) -> BindError {
    let OptionError { key, value, why, .. } = problem;
    let (value, why) = (given.masked(&key, value), given.masked(&key, why));
    BindError::new(given.value_span(&key), format!("option `{key}` cannot be `{value}`: {why}"))
}

/// The options of the hint behind the target of `insert`, a table with this schema.
pub(crate) fn sink_hint(insert: &Insert, schema: &TableSchema) -> Result<SinkHint> {
    let given = Given { options: &insert.options, otherwise: insert.target.span, inherits: false };
    let mut hint = SinkHint::default();
    for entry in &insert.options {
        let (key, value) = (entry.key.value.as_str(), entry.value.expose());
        if key == SINK_PARALLELISM {
            let wrong = |why| format!("option `{key}` cannot be `{}`: {why}", entry.value);
            let parallelism = settings::parallelism(value);
            hint.parallelism =
                Some(parallelism.map_err(|why| BindError::new(entry.value.span(), given.masked(key, wrong(why))))?);
        } else if FIXED.contains(&key) {
            if schema.options.get(key).map(String::as_str) != Some(value) {
                return Err(BindError::new(
                    entry.key.span,
                    format!("option `{key}` belongs to {}: it cannot differ for one job", insert.target),
                )
                .help("set it in the WITH of CREATE TABLE"));
            }
        } else if is_followed(key) {
            hint.options.insert(key.to_owned(), value.to_owned());
        } else if options::is_known(key) {
            tracing::warn!(table = %insert.target, key, "this table option means nothing to this job and is ignored");
        } else {
            let error = BindError::new(entry.key.span, format!("there is no table option `{key}`"));
            return Err(match nearest(key, [SINK_PARALLELISM]).or_else(|| options::nearest(key)) {
                Some(near) => error.help(format!("did you mean '{near}'?")),
                None => error.help("it takes sink.parallelism and the options of Paimon; see the option reference"),
            });
        }
    }
    if !hint.options.is_empty() {
        let mut merged = schema.options.clone();
        merged.extend(hint.options.clone());
        let core = check_values(&merged, &given)?;
        check_columns(&core, &schema.fields, &given)?;
    }
    Ok(hint)
}

/// Whether the option changes what a job does.
fn is_followed(key: &str) -> bool {
    match options::definition(key) {
        Some(option) => option.honoured,
        None => options::is_of_column(key),
    }
}

/// What an existing table has that CREATE TABLE IF NOT EXISTS said otherwise, each with both values.
pub(crate) fn differences(wanted: &NewTable, existing: &TableSchema) -> Vec<String> {
    let mut found = Vec::new();
    for field in &existing.fields {
        match wanted.columns.iter().find(|column| column.name == field.name) {
            None => found.push(format!("column `{}`: {} in the table, not here", field.name, field.data_type)),
            Some(column) if !column.data_type.equals_ignoring_ids(&field.data_type) => found
                .push(format!("column `{}`: {} in the table, {} here", field.name, field.data_type, column.data_type)),
            Some(_) => {}
        }
    }
    for NewColumn { name, data_type, .. } in &wanted.columns {
        if existing.fields.iter().all(|field| field.name != *name) {
            found.push(format!("column `{name}`: {data_type} here, not in the table"));
        }
    }
    let order = |names: Vec<&str>| names.join(", ");
    let (has, says): (Vec<_>, Vec<_>) = (
        existing.fields.iter().map(|field| field.name.as_str()).collect(),
        wanted.columns.iter().map(|column| column.name.as_str()).collect(),
    );
    if found.is_empty() && has != says {
        found.push(format!("columns: {} in the table, {} here", order(has), order(says)));
    }
    if wanted.partition_keys != existing.partition_keys {
        let keys = |keys: &[String]| if keys.is_empty() { "not".to_owned() } else { format!("by {}", keys.join(", ")) };
        found.push(format!(
            "partitioned {} in the table, {} here",
            keys(&existing.partition_keys),
            keys(&wanted.partition_keys)
        ));
    }
    for (key, value) in &wanted.options {
        let shown = |value: &str| if is_secret_key(key) { MASK.to_owned() } else { format!("'{value}'") };
        match existing.options.get(key) {
            Some(has) if has == value => {}
            Some(has) => found.push(format!("option '{key}': {} in the table, {} here", shown(has), shown(value))),
            None => found.push(format!("option '{key}': not set in the table, {} here", shown(value))),
        }
    }
    found
}

/// Whether the table is the one that `wanted` would have made, told by everything but its creation time.
pub(crate) fn is_as_wanted(wanted: &NewTable, existing: &TableSchema) -> bool {
    let same = |(column, field): (&NewColumn, &DataField)| {
        column.name == field.name
            && column.comment == field.description
            && column.data_type.equals_ignoring_ids(&field.data_type)
    };
    existing.id == 0
        && wanted.columns.len() == existing.fields.len()
        && wanted.columns.iter().zip(&existing.fields).all(same)
        && existing.partition_keys == wanted.partition_keys
        && existing.options == wanted.options
        && existing.comment == wanted.comment
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use paimon_catalog::TableIdentifier;
    use paimon_format::DataType;

    use super::*;

    fn new_table(columns: &[(&str, &str)], keys: &[&str], options: &[(&str, &str)]) -> NewTable {
        NewTable {
            columns: columns
                .iter()
                .map(|(name, text)| NewColumn {
                    name: (*name).to_owned(),
                    data_type: text.parse::<DataType>().unwrap(),
                    comment: None,
                })
                .collect(),
            partition_keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            options: options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            comment: None,
        }
    }

    #[test]
    fn differences_name_both_values() {
        let existing = new_table(
            &[("a", "INT"), ("b", "STRING NOT NULL"), ("dt", "STRING"), ("r", "ROW<x INT, y ARRAY<INT>>")],
            &["dt"],
            &[("write-only", "true"), ("my.token", "hunter2")],
        );
        let schema = existing.clone().into_schema(&TableIdentifier::new("db", "t"), 7).unwrap();
        for (wanted, expected) in [
            (existing.clone(), &[][..]),
            (NewTable { options: BTreeMap::new(), ..existing.clone() }, &[]),
            (
                new_table(
                    &[("b", "STRING NOT NULL"), ("a", "INT"), ("dt", "STRING"), ("r", "ROW<x INT, y ARRAY<INT>>")],
                    &["dt"],
                    &[],
                ),
                &["columns: a, b, dt, r in the table, b, a, dt, r here"],
            ),
            (
                new_table(
                    &[("a", "BIGINT"), ("b", "STRING"), ("c", "DATE"), ("r", "ROW<x INT>")],
                    &[],
                    &[("write-only", "false")],
                ),
                &[
                    "column `a`: INT in the table, BIGINT here",
                    "column `b`: STRING NOT NULL in the table, STRING here",
                    "column `dt`: STRING in the table, not here",
                    "column `r`: ROW<`x` INT, `y` ARRAY<INT>> in the table, ROW<`x` INT> here",
                    "column `c`: DATE here, not in the table",
                    "partitioned by dt in the table, not here",
                    "option 'write-only': 'true' in the table, 'false' here",
                ],
            ),
            (
                NewTable {
                    options: [("my.token", "hunter3"), ("file.compression", "zstd")]
                        .map(|(key, value)| (key.to_owned(), value.to_owned()))
                        .into(),
                    ..existing.clone()
                },
                &[
                    "option 'file.compression': not set in the table, 'zstd' here",
                    "option 'my.token': *** in the table, *** here",
                ],
            ),
        ] {
            assert_eq!(differences(&wanted, &schema), expected);
            assert_eq!(is_as_wanted(&wanted, &schema), wanted == existing);
        }
    }
}
