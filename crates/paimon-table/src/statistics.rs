//! What a commit changes in each partition: what catalogs keep statistics from (`PartitionEntry`).

use std::collections::BTreeMap;

use paimon_format::partition::partition_spec;
use paimon_format::{BinaryRow, FileKind, ManifestEntry};

use crate::error::{Result, TableError};
use crate::table::Table;

/// What a commit changes in one partition: differences, negative for what goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionStatistics {
    /// Names of the partition columns and the names of their values; empty for a table without partitions.
    pub spec: BTreeMap<String, String>,
    /// Rows.
    pub record_count: i64,
    /// Bytes of data files.
    pub file_size_in_bytes: i64,
    /// Data files.
    pub file_count: i64,
    /// When the newest of them was made, milliseconds as the files say it; 0 if none says.
    pub last_file_creation_time: i64,
    /// Buckets of the partition; -1 for a table without buckets.
    pub total_buckets: i32,
}

/// The changes that `entries` make, by partition.
///
/// # Errors
/// [`TableError::Format`] for partition values that have no name.
pub fn of(entries: &[ManifestEntry], table: &Table) -> Result<Vec<PartitionStatistics>> {
    let schema = table.schema();
    let types = schema.partition_types();
    let mut changes: BTreeMap<&[u8], (&BinaryRow, PartitionStatistics)> = BTreeMap::new();
    for entry in entries {
        let sign = match entry.kind {
            FileKind::Add => 1,
            FileKind::Delete => -1,
        };
        let empty = PartitionStatistics {
            spec: BTreeMap::new(),
            record_count: 0,
            file_size_in_bytes: 0,
            file_count: 0,
            last_file_creation_time: 0,
            total_buckets: entry.total_buckets,
        };
        let (_, change) = changes.entry(entry.partition.bytes()).or_insert((&entry.partition, empty));
        change.record_count += sign * entry.file.row_count;
        change.file_size_in_bytes += sign * entry.file.file_size;
        change.file_count += sign;
        change.last_file_creation_time =
            change.last_file_creation_time.max(entry.file.creation_time_millis.unwrap_or_default());
        change.total_buckets = entry.total_buckets;
    }
    let named = |(partition, change): (&BinaryRow, PartitionStatistics)| {
        let values = partition.decode(&types)?;
        let default_name = &table.options().partition_default_name;
        let spec = partition_spec(&schema.partition_keys, &types, &values, default_name)?;
        Ok(PartitionStatistics { spec: spec.into_iter().collect(), ..change })
    };
    changes.into_values().map(named).collect::<std::result::Result<_, _>>().map_err(TableError::format("partition"))
}
