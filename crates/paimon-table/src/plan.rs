//! The pure part of a commit: what the next snapshot says, given the one before and what is added.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use paimon_format::{BinaryRow, CommitKind, DataFileMeta, FileKind, ManifestEntry, Snapshot, SnapshotId};

use crate::commit::CommitError;

/// `_TOTAL_BUCKETS` of an append table without buckets.
const NO_BUCKETS: i32 = -1;

/// Who commits. Snapshots of one user form a sequence with growing [`CommitIdentifier`]s; ingestion,
/// compaction and every other job on a table use different users.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CommitUser(String);

/// The user's own number of a commit, growing. A request is the same as an earlier one when user,
/// identifier and [`CommitKind`] are equal: an epoch may commit an APPEND and a COMPACT under one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CommitIdentifier(pub i64);

/// A data file that a commit adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFile {
    /// Values of the partition columns, exactly as every later entry of this file must repeat them.
    pub partition: BinaryRow,
    /// Bucket; 0 for append tables.
    pub bucket: i32,
    /// The file.
    pub meta: DataFileMeta,
}

/// What to commit. Passing an equal request again after an error never adds its files twice.
#[derive(Clone, Debug)]
pub struct CommitRequest {
    /// The user's number of this commit; never lower than the one before.
    pub identifier: CommitIdentifier,
    /// What the commit does.
    pub kind: CommitKind,
    /// The files, all of them already in the store. May be empty: the snapshot then only carries properties.
    pub added: Vec<NewFile>,
    /// The entries that added what a compaction replaces, exactly as a scan found them: an entry that differs in one byte
    /// takes nothing away. Every file must be live in the snapshot the commit is made on.
    pub removed: Vec<ManifestEntry>,
    /// The user's own entries; not inherited by later snapshots.
    pub properties: BTreeMap<String, String>,
    /// Event-time watermark in Unix milliseconds; the snapshot gets the maximum of it and the base's.
    pub watermark: Option<i64>,
}

/// What an attempt brings to a snapshot besides its base and the request.
pub(crate) struct Attempted {
    pub(crate) uuid: String,
    /// The table's latest schema, not that of the files.
    pub(crate) schema_id: i64,
    /// Wall clock, Unix milliseconds.
    pub(crate) now_millis: i64,
    /// Name and size in bytes.
    pub(crate) base_list: (String, i64),
    /// Name and size in bytes.
    pub(crate) delta_list: (String, i64),
}

// === impl CommitUser ===

impl CommitUser {
    /// A user of this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name, as snapshots carry it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CommitUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// === impl CommitIdentifier ===

impl fmt::Display for CommitIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

// === impl CommitRequest ===

impl CommitRequest {
    /// Rows of all added files, less those of the removed ones.
    pub fn rows(&self) -> i64 {
        let removed: i64 = self.removed.iter().map(|entry| entry.file.row_count).sum();
        self.added.iter().map(|file| file.meta.row_count).sum::<i64>() - removed
    }

    /// Whether the request is one that any history could take.
    pub(crate) fn check(&self) -> Result<(), CommitError> {
        // Readers since 1.3 would return the rows of a file twice that is added twice, and hide one for ever that is
        // removed and added again.
        let removed = self.removed.iter().map(|entry| entry.file.file_name.as_str());
        let mut names = HashSet::with_capacity(self.added.len() + self.removed.len());
        let repeated = self.added.iter().map(|file| file.meta.file_name.as_str()).chain(removed);
        if let Some(file) = { repeated }.find(|name| !names.insert(*name)) {
            return Err(CommitError::RepeatedFile { file: file.to_owned() });
        }
        let why = match self.kind {
            CommitKind::Compact if self.rows() != 0 => format!("changes the number of rows by {}", self.rows()),
            CommitKind::Compact => return Ok(()),
            _ if self.removed.is_empty() => return Ok(()),
            // Readers that follow the table would take no notice.
            _ => "removes files, which only a compaction may".to_owned(),
        };
        Err(CommitError::Malformed { kind: self.kind, why })
    }

    /// Deletions first, as Java orders them.
    pub(crate) fn entries(&self) -> Vec<ManifestEntry> {
        let removed = self.removed.iter().map(|entry| ManifestEntry { kind: FileKind::Delete, ..entry.clone() });
        let added = self.added.iter().map(|file| ManifestEntry {
            kind: FileKind::Add,
            partition: file.partition.clone(),
            bucket: file.bucket,
            total_buckets: NO_BUCKETS,
            file: file.meta.clone(),
        });
        removed.chain(added).collect()
    }
}

/// The snapshot after `base` (Java: `FileStoreCommitImpl.tryCommitOnce`). Inherits what a commit of files
/// must not lose: index manifest, watermark, statistics of the same schema, next row id.
pub(crate) fn plan_commit(
    base: Option<&Snapshot>,
    user: &CommitUser,
    request: &CommitRequest,
    attempted: Attempted,
) -> Snapshot {
    let delta = request.rows();
    Snapshot {
        version: Snapshot::CURRENT_VERSION,
        uuid: Some(attempted.uuid),
        id: base.map_or(SnapshotId::FIRST, |base| SnapshotId(base.id.0 + 1)),
        schema_id: attempted.schema_id,
        base_manifest_list: attempted.base_list.0,
        base_manifest_list_size: Some(attempted.base_list.1),
        delta_manifest_list: attempted.delta_list.0,
        delta_manifest_list_size: Some(attempted.delta_list.1),
        changelog_manifest_list: None,
        changelog_manifest_list_size: None,
        index_manifest: base.and_then(|base| base.index_manifest.clone()),
        commit_user: user.as_str().to_owned(),
        writer_version: None,
        commit_identifier: request.identifier.0,
        commit_kind: request.kind,
        // Expiry by age goes by these times: a clock that steps back must not put one before another.
        time_millis: base.map_or(attempted.now_millis, |base| attempted.now_millis.max(base.time_millis)),
        total_record_count: base.map_or(0, |base| base.total_record_count).saturating_add(delta),
        delta_record_count: delta,
        changelog_record_count: None,
        watermark: base.and_then(|base| base.watermark).max(request.watermark),
        statistics: base.filter(|base| base.schema_id == attempted.schema_id).and_then(|base| base.statistics.clone()),
        properties: Some(&request.properties).filter(|properties| !properties.is_empty()).cloned(),
        next_row_id: Some(base.and_then(|base| base.next_row_id).unwrap_or_default()),
        operation: None,
    }
}
