//! How the files of a table lie in its partitions: what a dashboard shows before and after compactions.

use std::cmp::Reverse;

use paimon_format::{BinaryRow, Snapshot};
use paimon_table::error::TableError;
use paimon_table::partition_text;
use paimon_table::table::Table;
use tributary_runtime::Executor;

use crate::inventory::{self, PartitionFiles};
use crate::plan::Sizes;
use crate::request::Strategy;

/// The live files of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Survey {
    /// How many there are.
    pub(crate) files: u64,
    /// Those that a minor compaction would merge if nothing were added any more.
    pub(crate) small_files: u64,
    /// The partitions that files were put into last, by compactions too; the newest first.
    pub(crate) newest: Vec<PartitionSurvey>,
}

/// The live files of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PartitionSurvey {
    /// `dt=2026-01-01,hh=9`; of a table without partitions `the table`.
    pub(crate) partition: String,
    /// How many there are.
    pub(crate) files: u64,
    /// Their size, bytes.
    pub(crate) bytes: u64,
}

/// Reads the snapshot's manifests, in little memory; names `most_partitions` partitions at most.
///
/// # Errors
/// [`TableError`] when they cannot be read.
pub(crate) async fn survey(
    table: &Table,
    snapshot: &Snapshot,
    most_partitions: usize,
    executor: &Executor,
) -> Result<Survey, TableError> {
    let sizes = Sizes::of(table.options());
    let limits = sizes.limits(&Strategy::Minor);
    let mut partitions = inventory::take(table, snapshot, None, limits, None, executor).await?;
    partitions.retain(|partition| partition.files > 0);
    partitions.sort_by_key(|partition| Reverse(partition.newest_millis));
    let small_files = |partition: &PartitionFiles| -> u64 {
        sizes.pack(&Strategy::Minor, &partition.candidates, true).iter().map(|bin| bin.len() as u64).sum()
    };
    Ok(Survey {
        files: partitions.iter().map(|partition| partition.files).sum(),
        small_files: partitions.iter().map(small_files).sum(),
        newest: partitions
            .iter()
            .take(most_partitions)
            .map(|partition| PartitionSurvey {
                partition: partition_name(table, &partition.partition),
                files: partition.files,
                bytes: partition.bytes,
            })
            .collect(),
    })
}

/// `dt=2026-01-01,hh=9`; of a table without partitions `the table`.
pub(crate) fn partition_name(table: &Table, partition: &BinaryRow) -> String {
    let schema = table.schema();
    let values = partition.decode(&schema.partition_types()).unwrap_or_default();
    match partition_text::spec_text(&schema.partition_fields(), &values, &table.options().partition_default_name) {
        text if text.is_empty() => "the table".to_owned(),
        text => text,
    }
}
