//! Snapshots: `snapshot/snapshot-N` (`Snapshot`, version 3).

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::error::{FormatError, Result};
use crate::json;

const OBJECT: &str = "snapshot";

/// Number of a snapshot; the first is 1, and there are no gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SnapshotId(pub i64);

/// What a commit did to the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum CommitKind {
    /// Added files.
    Append,
    /// Rewrote files without changing rows.
    Compact,
    /// Replaced or deleted rows.
    Overwrite,
    /// Wrote table statistics.
    Analyze,
}

/// One committed state of a table.
///
/// Members that are `Option` are absent from the JSON when `None`; unknown members are ignored, as
/// Java does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// Version of the JSON: 3 since Paimon 0.4.
    #[serde(default = "oldest_version")]
    pub version: i32,
    /// Identity of this very snapshot, for compare-and-swap through a REST catalog (2.0); write a
    /// new one per attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// The N of `snapshot-N`.
    pub id: SnapshotId,
    /// The table's latest schema at commit time, not the schema of its files.
    pub schema_id: i64,
    /// Name of the manifest list of everything before this commit.
    pub base_manifest_list: String,
    /// Its size in bytes (1.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_manifest_list_size: Option<i64>,
    /// Name of the manifest list of this commit's changes; exists even when there are none.
    pub delta_manifest_list: String,
    /// Its size in bytes (1.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta_manifest_list_size: Option<i64>,
    /// Name of the manifest list of changelog files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changelog_manifest_list: Option<String>,
    /// Its size in bytes (1.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changelog_manifest_list_size: Option<i64>,
    /// Name of the manifest of index files; inherited by every commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index_manifest: Option<String>,
    /// Who committed.
    pub commit_user: String,
    /// Version of the writer (2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writer_version: Option<String>,
    /// The committer's own number of the commit, growing per user.
    pub commit_identifier: i64,
    /// What the commit did.
    pub commit_kind: CommitKind,
    /// When it was committed, Unix milliseconds.
    pub time_millis: i64,
    /// Rows of all live files.
    #[serde(default, deserialize_with = "null_is_zero")]
    pub total_record_count: i64,
    /// Rows added minus rows deleted by this commit.
    #[serde(default, deserialize_with = "null_is_zero")]
    pub delta_record_count: i64,
    /// Rows of this commit's changelog.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changelog_record_count: Option<i64>,
    /// Event-time watermark, Unix milliseconds; inherited as the maximum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watermark: Option<i64>,
    /// Name of the statistics file; inherited while the schema stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statistics: Option<String>,
    /// The committer's own entries (1.2); never inherited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub properties: Option<BTreeMap<String, String>>,
    /// Next row id of a row-tracking table (1.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_row_id: Option<i64>,
    /// Kept when it was read, never written by us: a closed enumeration in Java (2.0).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
}

// === impl SnapshotId ===

impl SnapshotId {
    /// The first snapshot of a table.
    pub const FIRST: Self = Self(1);

    /// The one after; `None` at the end of the number range.
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }

    /// What the hint file `LATEST` or `EARLIEST` names; one that holds no number is no hint.
    pub fn from_hint(bytes: &[u8]) -> Option<Self> {
        std::str::from_utf8(bytes).ok()?.trim().parse().ok().map(Self).filter(|id| *id >= Self::FIRST)
    }
}

impl fmt::Display for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

// === impl CommitKind ===

impl fmt::Display for CommitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Append => "APPEND",
            Self::Compact => "COMPACT",
            Self::Overwrite => "OVERWRITE",
            Self::Analyze => "ANALYZE",
        })
    }
}

// === impl Snapshot ===

impl Snapshot {
    /// The version of the JSON this crate writes.
    pub const CURRENT_VERSION: i32 = 3;

    /// Reads a snapshot file.
    ///
    /// # Errors
    /// [`FormatError::Json`] or [`FormatError::Corrupt`] for a damaged file,
    /// [`FormatError::Unsupported`] for a version after 3.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        let snapshot: Self = json::from_slice(OBJECT, bytes)?;
        if snapshot.version > Self::CURRENT_VERSION {
            return Err(FormatError::unsupported(format!("snapshot version {}", snapshot.version)));
        }
        if snapshot.id < SnapshotId::FIRST {
            return Err(FormatError::corrupt(OBJECT, format!("id {} is below 1", snapshot.id)));
        }
        Ok(snapshot)
    }

    /// Writes a snapshot file, laid out as Java does.
    ///
    /// # Errors
    /// None in practice; the JSON library's, if it has any.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        json::to_vec(OBJECT, self)
    }
}

fn oldest_version() -> i32 {
    1
}

fn null_is_zero<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

#[cfg(test)]
mod tests;
