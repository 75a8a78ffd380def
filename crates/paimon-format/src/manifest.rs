//! What manifests say: data files, changes of them, and manifests themselves (`DataFileMeta`,
//! `ManifestEntry`, `ManifestFileMeta`, as of Paimon 2.0).
//!
//! The serde form of [`DataFileMeta`] is its record in the Avro files of [`crate::avro`].

use serde::{Deserialize, Serialize};

use crate::datum::BinaryRow;
use crate::error::Result;
use crate::stats::SimpleStats;
use crate::types::TypeRoot;

/// One data file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct DataFileMeta {
    /// Name inside its bucket's directory.
    #[serde(rename = "_FILE_NAME")]
    pub file_name: String,
    /// Size in bytes.
    #[serde(rename = "_FILE_SIZE")]
    pub file_size: i64,
    /// Rows, deleted ones included.
    #[serde(rename = "_ROW_COUNT")]
    pub row_count: i64,
    /// Smallest key; the empty row for append tables.
    #[serde(rename = "_MIN_KEY")]
    pub min_key: BinaryRow,
    /// Greatest key; the empty row for append tables.
    #[serde(rename = "_MAX_KEY")]
    pub max_key: BinaryRow,
    /// Statistics of the key columns; empty for append tables.
    #[serde(rename = "_KEY_STATS")]
    pub key_stats: SimpleStats,
    /// Statistics of the columns of schema `schema_id`, or of those in `value_stats_cols`.
    #[serde(rename = "_VALUE_STATS")]
    pub value_stats: SimpleStats,
    /// Sequence number of the first row.
    #[serde(rename = "_MIN_SEQUENCE_NUMBER")]
    pub min_sequence_number: i64,
    /// Sequence number of the last row.
    #[serde(rename = "_MAX_SEQUENCE_NUMBER")]
    pub max_sequence_number: i64,
    /// The schema the file was written with.
    #[serde(rename = "_SCHEMA_ID")]
    pub schema_id: i64,
    /// Level in the merge tree; 0 for append tables.
    #[serde(rename = "_LEVEL")]
    pub level: i32,
    /// Files that belong to this one, in the same directory (indexes, changelogs).
    #[serde(rename = "_EXTRA_FILES")]
    pub extra_files: Vec<String>,
    /// When it was written: the writer's local wall clock, as milliseconds as if it were UTC.
    #[serde(rename = "_CREATION_TIME", default)]
    pub creation_time_millis: Option<i64>,
    /// Rows that are deletions; 0 for append tables.
    #[serde(rename = "_DELETE_ROW_COUNT", default)]
    pub delete_row_count: Option<i64>,
    /// A small file index.
    #[serde(rename = "_EMBEDDED_FILE_INDEX", default, with = "apache_avro::serde::bytes_opt")]
    pub embedded_index: Option<Vec<u8>>,
    /// Who made it.
    #[serde(rename = "_FILE_SOURCE", default, with = "crate::avro::file_source")]
    pub file_source: Option<FileSource>,
    /// The columns `value_stats` describes; `None` = all, in schema order (1.0).
    #[serde(rename = "_VALUE_STATS_COLS", default)]
    pub value_stats_cols: Option<Vec<String>>,
    /// Full path of a file outside the table (1.0); never written by us.
    #[serde(rename = "_EXTERNAL_PATH", default)]
    pub external_path: Option<String>,
    /// First row id of a row-tracking table (1.3); never written by us.
    #[serde(rename = "_FIRST_ROW_ID", default)]
    pub first_row_id: Option<i64>,
    /// The columns in the file; `None` = all (1.3). Never written by us.
    #[serde(rename = "_WRITE_COLS", default)]
    pub write_cols: Option<Vec<String>>,
}

/// Who made a data file (`FileSource`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileSource {
    /// A writer of new rows (0).
    Append,
    /// A compaction (1).
    Compact,
}

/// Whether an entry adds a file or takes it away (`FileKind`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// The file is part of the table from here on (0).
    Add,
    /// The file is no longer part of the table (1).
    Delete,
}

/// One change of the set of data files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestEntry {
    /// Added or deleted.
    pub kind: FileKind,
    /// Values of the partition columns.
    pub partition: BinaryRow,
    /// Bucket; 0 for append tables with `bucket = -1`.
    pub bucket: i32,
    /// The table's `bucket` option at the time; -1 for append tables.
    pub total_buckets: i32,
    /// The file.
    pub file: DataFileMeta,
}

/// What makes two entries speak of the same file (`FileEntry.Identifier`): a deletion must repeat all
/// of it, byte for byte, or the file stays alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryIdentifier<'a> {
    /// See [`ManifestEntry::partition`].
    pub partition: &'a BinaryRow,
    /// See [`ManifestEntry::bucket`].
    pub bucket: i32,
    /// See [`DataFileMeta::level`].
    pub level: i32,
    /// See [`DataFileMeta::file_name`].
    pub file_name: &'a str,
    /// See [`DataFileMeta::extra_files`].
    pub extra_files: &'a [String],
    /// See [`DataFileMeta::embedded_index`].
    pub embedded_index: Option<&'a [u8]>,
    /// See [`DataFileMeta::external_path`].
    pub external_path: Option<&'a str>,
}

/// One manifest, as a manifest list describes it.
///
/// Engines skip whole manifests by these numbers: they are exact, or `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestFileMeta {
    /// Name inside the manifest directory.
    pub file_name: String,
    /// Size in bytes.
    pub file_size: i64,
    /// Number of entries that add a file.
    pub num_added_files: i64,
    /// Number of entries that delete a file.
    pub num_deleted_files: i64,
    /// Statistics of the entries' partitions.
    pub partition_stats: SimpleStats,
    /// Greatest schema of the entries' files.
    pub schema_id: i64,
    /// Smallest bucket of the entries (1.3).
    pub min_bucket: Option<i32>,
    /// Greatest bucket of the entries (1.3).
    pub max_bucket: Option<i32>,
    /// Smallest level of the entries' files (1.3).
    pub min_level: Option<i32>,
    /// Greatest level of the entries' files (1.3).
    pub max_level: Option<i32>,
    /// Smallest row id (1.3).
    pub min_row_id: Option<i64>,
    /// Greatest row id (1.3).
    pub max_row_id: Option<i64>,
}

// === impl ManifestEntry ===

impl ManifestEntry {
    /// What a deletion of this file must repeat, and what may be added only once.
    pub fn identifier(&self) -> EntryIdentifier<'_> {
        EntryIdentifier {
            partition: &self.partition,
            bucket: self.bucket,
            level: self.file.level,
            file_name: &self.file.file_name,
            extra_files: &self.file.extra_files,
            embedded_index: self.file.embedded_index.as_deref(),
            external_path: self.file.external_path.as_deref(),
        }
    }
}

// === impl ManifestFileMeta ===

impl ManifestFileMeta {
    /// Describes a manifest of these entries.
    ///
    /// `schema_id` stands in when there are no entries; row ids are left unknown, as in tables
    /// without row tracking.
    ///
    /// # Errors
    /// [`crate::FormatError::Corrupt`] when a partition does not hold values of `partition_types`.
    pub fn describe(
        file_name: String,
        file_size: i64,
        entries: &[ManifestEntry],
        schema_id: i64,
        partition_types: &[TypeRoot],
    ) -> Result<Self> {
        let partitions = entries.iter().map(|entry| &entry.partition);
        let added = entries.iter().filter(|entry| entry.kind == FileKind::Add);
        let num_added_files = added.count() as i64;
        let buckets = || entries.iter().map(|entry| entry.bucket);
        let levels = || entries.iter().map(|entry| entry.file.level);
        Ok(Self {
            file_name,
            file_size,
            num_added_files,
            num_deleted_files: entries.len() as i64 - num_added_files,
            partition_stats: SimpleStats::of_rows(partition_types, partitions)?,
            schema_id: entries.iter().map(|entry| entry.file.schema_id).max().unwrap_or(schema_id),
            min_bucket: buckets().min(),
            max_bucket: buckets().max(),
            min_level: levels().min(),
            max_level: levels().max(),
            min_row_id: None,
            max_row_id: None,
        })
    }
}
