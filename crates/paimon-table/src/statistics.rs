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
    /// When the newest of them was added, Unix milliseconds; 0 if none was.
    pub last_file_creation_time: i64,
    /// Buckets of the partition; -1 for a table without buckets.
    pub total_buckets: i32,
}

/// The changes that `entries` make, by partition. Files say when they were made in a zone that they do not name, so what counts
/// is the time of their commit, `now_millis`.
///
/// # Errors
/// [`TableError::Format`] for partition values that have no name.
pub fn of(entries: &[ManifestEntry], table: &Table, now_millis: i64) -> Result<Vec<PartitionStatistics>> {
    let schema = table.schema();
    let types = schema.partition_types();
    let mut changes: BTreeMap<&[u8], (&BinaryRow, PartitionStatistics)> = BTreeMap::new();
    for entry in entries {
        let (sign, added_at) = match entry.kind {
            FileKind::Add => (1, now_millis),
            FileKind::Delete => (-1, 0),
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
        change.last_file_creation_time = change.last_file_creation_time.max(added_at);
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::testing::{create, file, memory};

    #[tokio::test]
    async fn what_comes_and_goes_is_counted_by_partition() {
        let table = create(&memory(), &[]).await;
        let entry = |kind, name: &str, dt: &str, rows| {
            let added = file(name, dt, rows);
            ManifestEntry { kind, partition: added.partition, bucket: 0, total_buckets: -1, file: added.meta }
        };
        let entries = [
            entry(FileKind::Add, "a", "2026-01-01", 3),
            entry(FileKind::Add, "b", "", 5),
            entry(FileKind::Add, "c", "2026-01-01", 4),
            entry(FileKind::Delete, "d", "", 7),
            entry(FileKind::Delete, "e", "2026-01-02", 1),
        ];
        let mut changes = of(&entries, &table, 9).unwrap();
        changes.sort_by(|a, b| a.spec.cmp(&b.spec));
        let change = |dt: &str, rows, bytes, files, at| PartitionStatistics {
            spec: [("dt".to_owned(), dt.to_owned())].into(),
            record_count: rows,
            file_size_in_bytes: bytes,
            file_count: files,
            last_file_creation_time: at,
            total_buckets: -1,
        };
        let expected = [
            change("2026-01-01", 7, 2000, 2, 9),
            change("2026-01-02", -1, -1000, -1, 0),
            change("__DEFAULT_PARTITION__", -2, 0, 0, 9),
        ];
        assert_eq!(changes, expected);
        assert_eq!(of(&[], &table, 9).unwrap(), []);
    }
}
