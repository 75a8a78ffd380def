//! The manifests of a snapshot, with the columns of Paimon 2.0's `$manifests` (`ManifestsTable`).

use paimon_format::{BinaryRow, ManifestFileMeta};
use paimon_table::error::TableError;
use paimon_table::partition_text::row_text;
use paimon_table::scan::manifests_of;
use paimon_table::table::Table;
use serde_json::Value;

use super::Query;
use super::output::Sheet;
use crate::failure::Failure;

const COLUMNS: [&str; 9] = [
    "file_name",
    "file_size",
    "num_added_files",
    "num_deleted_files",
    "schema_id",
    "min_partition_stats",
    "max_partition_stats",
    "min_row_id",
    "max_row_id",
];

/// Oldest first. With a filter, without those whose bounds exclude the partitions.
pub(super) async fn list(query: &Query) -> Result<Sheet, Failure> {
    let mut rows = Vec::new();
    if let Some(snapshot) = query.at().await? {
        for manifest in manifests_of(&query.table, &snapshot, query.filter.as_ref()).await? {
            rows.push(row(&query.table, &manifest)?);
        }
    }
    Ok(Sheet::new(COLUMNS, rows))
}

fn row(table: &Table, manifest: &ManifestFileMeta) -> Result<Vec<Value>, Failure> {
    let (fields, types) = (table.schema().partition_fields(), table.schema().partition_types());
    let bound = |row: &BinaryRow| match row.decode(&types) {
        Ok(values) => Ok(Value::from(row_text(&fields, &values))),
        Err(source) => Err(TableError::Format { object: format!("manifest/{}", manifest.file_name), source }),
    };
    Ok(vec![
        Value::from(manifest.file_name.as_str()),
        Value::from(manifest.file_size),
        Value::from(manifest.num_added_files),
        Value::from(manifest.num_deleted_files),
        Value::from(manifest.schema_id),
        bound(&manifest.partition_stats.min_values)?,
        bound(&manifest.partition_stats.max_values)?,
        Value::from(manifest.min_row_id),
        Value::from(manifest.max_row_id),
    ])
}
