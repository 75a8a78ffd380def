//! The partitions of a snapshot, with the columns of Paimon 2.0's `$partitions` (`PartitionsTable`).
//!
//! What only a catalog could know (who made a partition and when, its options, whether it is done) is what Java shows of a
//! catalog without that knowledge: null and false.

use std::collections::BTreeMap;

use paimon_format::{BinaryRow, ManifestEntry};
use paimon_table::partition_text::spec_text;
use paimon_table::table::Table;
use serde_json::Value;

use super::output::Sheet;
use super::{Query, partition_of, text};
use crate::failure::Failure;

const COLUMNS: [&str; 12] = [
    "partition",
    "record_count",
    "file_size_in_bytes",
    "file_count",
    "last_update_time",
    "created_at",
    "created_by",
    "updated_by",
    "options",
    "total_buckets",
    "done",
    "deleted_record_count",
];

/// The files of one partition, added up.
struct Partition {
    text: String,
    rows: i64,
    bytes: i64,
    files: i64,
    /// Local wall clock, as milliseconds as if it were UTC.
    last_update_millis: Option<i64>,
    total_buckets: i32,
}

/// In the order of their texts, as Java's.
pub(super) async fn list(query: &Query) -> Result<Sheet, Failure> {
    let plan = query.plan().await?;
    let mut partitions: BTreeMap<&BinaryRow, Partition> = BTreeMap::new();
    for entry in &plan.files {
        match partitions.get_mut(&entry.partition) {
            Some(partition) => partition.add(entry),
            None => {
                let mut partition = Partition::of(&query.table, entry)?;
                partition.add(entry);
                partitions.insert(&entry.partition, partition);
            }
        }
    }
    let mut partitions: Vec<Partition> = partitions.into_values().collect();
    partitions.sort_by(|a, b| a.text.cmp(&b.text));
    Ok(Sheet::new(COLUMNS, partitions.iter().map(Partition::row).collect()))
}

// === impl Partition ===

impl Partition {
    /// Without files.
    fn of(table: &Table, entry: &ManifestEntry) -> Result<Self, Failure> {
        let values = partition_of(table, entry)?;
        Ok(Self {
            text: spec_text(&table.schema().partition_fields(), &values, &table.options().partition_default_name),
            rows: 0,
            bytes: 0,
            files: 0,
            last_update_millis: None,
            total_buckets: entry.total_buckets,
        })
    }

    fn add(&mut self, entry: &ManifestEntry) {
        self.rows = self.rows.saturating_add(entry.file.row_count);
        self.bytes = self.bytes.saturating_add(entry.file.file_size);
        self.files += 1;
        self.last_update_millis = self.last_update_millis.max(entry.file.creation_time_millis);
        self.total_buckets = entry.total_buckets;
    }

    fn row(&self) -> Vec<Value> {
        vec![
            Value::from(self.text.as_str()),
            Value::from(self.rows),
            Value::from(self.bytes),
            Value::from(self.files),
            Value::from(self.last_update_millis.map(|millis| text::timestamp(millis, 0))),
            Value::Null,
            Value::Null,
            Value::Null,
            Value::Null,
            Value::from(self.total_buckets),
            Value::from(false),
            // Tables with deletion vectors are refused.
            Value::from(0),
        ]
    }
}
