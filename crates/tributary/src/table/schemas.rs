//! Every schema of a table, with the columns of Paimon 2.0's `$schemas` (`SchemasTable`).

use std::collections::BTreeMap;

use paimon_format::TableSchema;
use paimon_table::table::Table;
use serde_json::Value;

use super::options::shown;
use super::output::Sheet;
use super::text::local_time;
use crate::failure::{CommandError, Failure};

const COLUMNS: [&str; 7] =
    ["schema_id", "fields", "partition_keys", "primary_keys", "options", "comment", "update_time"];

/// Oldest first.
pub(super) async fn list(table: &Table) -> Result<Sheet, Failure> {
    let schemas = table.schemas().await?;
    Ok(Sheet::new(COLUMNS, schemas.iter().map(|schema| row(schema)).collect::<Result<_, _>>()?))
}

/// Lists and maps are texts of JSON, as in Java.
fn row(schema: &TableSchema) -> Result<Vec<Value>, Failure> {
    let text = |json: serde_json::Result<String>| {
        json.map(Value::from)
            .map_err(|error| CommandError::Internal(format!("cannot show schema {}: {error}", schema.id)))
    };
    let options: BTreeMap<&str, &str> =
        schema.options.iter().map(|(key, value)| (key.as_str(), shown(key, value))).collect();
    Ok(vec![
        Value::from(schema.id),
        text(serde_json::to_string(&schema.fields))?,
        text(serde_json::to_string(&schema.partition_keys))?,
        text(serde_json::to_string(&schema.primary_keys))?,
        text(serde_json::to_string(&options))?,
        Value::from(schema.comment.clone()),
        Value::from(local_time(schema.time_millis)),
    ])
}
