//! The data files of a snapshot, with the columns of Paimon 2.0's `$files` (`FilesTable`).
//!
//! Values inside the statistics are spelt as in SQL, where Java shows some internal forms (a DATE as
//! its day number).

use std::collections::BTreeMap;

use paimon_format::names::bucket_dir;
use paimon_format::partition::partition_path;
use paimon_format::{ColumnStats, Datum, FileSource, FormatError, ManifestEntry, TableSchema};
use paimon_table::error::TableError;
use paimon_table::table::Table;
use serde_json::Value;

use super::output::Sheet;
use super::{Query, text};
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
    Ok(Sheet { columns: COLUMNS.map(str::to_owned).to_vec(), rows })
}

/// Where the file lies below the table.
fn path(table: &Table, entry: &ManifestEntry) -> Result<String, Failure> {
    let schema = table.schema();
    let values = partition_values(table, entry)?;
    let default_name = &table.options().partition_default_name;
    let folder = partition_path(&schema.partition_keys, &schema.partition_types(), &values, default_name)
        .map_err(|source| unreadable(entry, source))?;
    let parts = [folder, bucket_dir(entry.bucket), entry.file.file_name.clone()];
    Ok(parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/"))
}

fn unreadable(entry: &ManifestEntry, source: FormatError) -> TableError {
    TableError::Format { object: format!("the manifest entry of {}", entry.file.file_name), source }
}

fn partition_values(table: &Table, entry: &ManifestEntry) -> Result<Vec<Option<Datum>>, Failure> {
    let types = table.schema().partition_types();
    Ok(entry.partition.decode(&types).map_err(|source| unreadable(entry, source))?)
}

fn row(table: &Table, entry: &ManifestEntry, schema: &TableSchema) -> Result<Vec<Value>, Failure> {
    let file = &entry.file;
    let partition: Vec<String> = partition_values(table, entry)?.iter().map(|value| shown(value.as_ref())).collect();
    let file_path = match &file.external_path {
        Some(path) => path.clone(),
        None => format!("{}/{}", table.location(), path(table, entry)?),
    };
    let stats = statistics(entry, schema)?;
    let of = |part: &dyn Fn(&ColumnStats) -> String| {
        let parts: Vec<String> = stats.iter().map(|(name, column)| format!("{name}={}", part(column))).collect();
        Value::from(format!("{{{}}}", parts.join(", ")))
    };
    Ok(vec![
        Value::from(format!("{{{}}}", partition.join(", "))),
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

/// By column name, as Java's sorted map; a column without statistics has none of the three.
fn statistics(entry: &ManifestEntry, schema: &TableSchema) -> Result<BTreeMap<String, ColumnStats>, Failure> {
    let all: Vec<String> = schema.fields.iter().map(|field| field.name.clone()).collect();
    let named = entry.file.value_stats_cols.as_ref().unwrap_or(&all);
    let fields: Vec<_> = named.iter().filter_map(|name| schema.field(name)).collect();
    let types: Vec<_> = fields.iter().map(|field| field.data_type.root.clone()).collect();
    let columns = entry.file.value_stats.decode(&types).map_err(|source| unreadable(entry, source))?;
    let mut stats: BTreeMap<String, ColumnStats> =
        all.into_iter().map(|name| (name, ColumnStats { min: None, max: None, null_count: None })).collect();
    stats.extend(fields.iter().zip(columns).map(|(field, column)| (field.name.clone(), column)));
    Ok(stats)
}

fn shown(value: Option<&Datum>) -> String {
    value.map_or_else(|| "null".to_owned(), text::sql)
}
