//! The data files of a snapshot, with the columns of Paimon 2.0's `$files` (`FilesTable`).
//!
//! Partitions are spelt as in SQL, statistics in Java's own words: a DATE is its day number. Bytes, of which Java prints an
//! address, are in hexadecimal.

use std::collections::BTreeMap;

use paimon_format::names::bucket_dir;
use paimon_format::partition::{java_text, partition_path};
use paimon_format::{ColumnStats, Datum, FileSource, ManifestEntry, TableSchema};
use paimon_table::error::TableError;
use paimon_table::partition_text;
use paimon_table::scan::file_stats;
use paimon_table::table::Table;
use serde_json::Value;

use super::output::Sheet;
use super::{Query, partition_of, text};
use crate::failure::Failure;

const COLUMNS: [&str; 20] = [
    "partition",
    "bucket",
    "file_path",
    "file_format",
    "schema_id",
    "level",
    "record_count",
    "file_size_in_bytes",
    "min_key",
    "max_key",
    "null_value_counts",
    "min_value_stats",
    "max_value_stats",
    "min_sequence_number",
    "max_sequence_number",
    "creation_time",
    "deleteRowCount",
    "file_source",
    "first_row_id",
    "write_cols",
];

/// Oldest commit first.
pub(super) async fn list(query: &Query) -> Result<Sheet, Failure> {
    let plan = query.plan().await?;
    let mut rows = Vec::new();
    for entry in plan.files.iter().take(query.limit.unwrap_or(usize::MAX)) {
        let schema = query.table.schema_of(entry.file.schema_id).await?;
        rows.push(row(&query.table, entry, schema.as_ref().unwrap_or(query.table.schema()))?);
    }
    Ok(Sheet::new(COLUMNS, rows))
}

/// Where the file lies below the table.
fn path(table: &Table, entry: &ManifestEntry, partition: &[Option<Datum>]) -> Result<String, Failure> {
    let schema = table.schema();
    let default_name = &table.options().partition_default_name;
    let folder = partition_path(&schema.partition_keys, &schema.partition_types(), partition, default_name)
        .map_err(|source| TableError::Format { object: entry.file.file_name.clone(), source })?;
    let parts = [folder, bucket_dir(entry.bucket), entry.file.file_name.clone()];
    Ok(parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/"))
}

fn row(table: &Table, entry: &ManifestEntry, written: &TableSchema) -> Result<Vec<Value>, Failure> {
    let file = &entry.file;
    let partition = partition_of(table, entry)?;
    let file_path = match &file.external_path {
        Some(path) => path.clone(),
        None => format!("{}/{}", table.location(), path(table, entry, &partition)?),
    };
    // Under the columns of now, by name, as Java's sorted map.
    let names = table.schema().fields.iter().map(|field| &field.name);
    let stats: BTreeMap<_, _> = names.zip(file_stats(entry, written, table.schema())).collect();
    let of = |part: &dyn Fn(&ColumnStats) -> String| {
        let parts: Vec<String> = stats.iter().map(|(name, column)| format!("{name}={}", part(column))).collect();
        Value::from(format!("{{{}}}", parts.join(", ")))
    };
    Ok(vec![
        Value::from(partition_text::row_text(&table.schema().partition_fields(), &partition)),
        Value::from(entry.bucket),
        Value::from(file_path),
        Value::from(file.file_name.rsplit('.').next().unwrap_or_default()),
        Value::from(file.schema_id),
        Value::from(file.level),
        Value::from(file.row_count),
        Value::from(file.file_size),
        // Append tables have no keys.
        Value::Null,
        Value::Null,
        of(&|column| column.null_count.map_or_else(|| "null".to_owned(), |count| count.to_string())),
        of(&|column| shown(column.min.as_ref())),
        of(&|column| shown(column.max.as_ref())),
        Value::from(file.min_sequence_number),
        Value::from(file.max_sequence_number),
        Value::from(file.creation_time_millis.map(|millis| text::timestamp(millis, 0))),
        Value::from(file.delete_row_count),
        Value::from(file.file_source.map(|source| match source {
            FileSource::Append => "APPEND",
            FileSource::Compact => "COMPACT",
        })),
        Value::from(file.first_row_id),
        Value::from(file.write_cols.clone()),
    ])
}

fn shown(bound: Option<&Datum>) -> String {
    bound.map_or_else(|| "null".to_owned(), |value| java_text(value).unwrap_or_else(|| text::sql(value)))
}
