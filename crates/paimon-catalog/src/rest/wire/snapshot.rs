//! Snapshots: committing, reading, rolling back.

use paimon_format::Snapshot;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{PartitionStatistics, null_is_default, page};

/// The uuid of the snapshot that a commit was planned on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum BaseSnapshot {
    /// The member is absent, as from every client up to 1.4: only the snapshot's id can tell.
    #[default]
    Unsaid,
    /// The member is null: the table had no snapshot, or one without a uuid.
    None,
    /// This one.
    Uuid(String),
}

/// `POST …/tables/{table}/commit`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommitTableRequest {
    /// The table's identity when the client loaded it.
    #[serde(default)]
    pub table_id: Option<String>,
    /// What the snapshot was planned on (2.0).
    #[serde(default, skip_serializing_if = "BaseSnapshot::is_unsaid")]
    pub base_snapshot_uuid: BaseSnapshot,
    /// The snapshot.
    pub snapshot: Snapshot,
    /// What it changes, by partition.
    #[serde(default, deserialize_with = "null_is_default")]
    pub statistics: Vec<PartitionStatistics>,
}

/// What became of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitTableResponse {
    /// The snapshot is the table's newest; `false` when another one was faster. Java reads a missing member as `false`.
    #[serde(default, deserialize_with = "null_is_default")]
    pub success: bool,
}

/// A snapshot with the totals of its table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TableSnapshot {
    /// The snapshot.
    pub snapshot: Snapshot,
    /// Rows.
    #[serde(default, deserialize_with = "null_is_default")]
    pub record_count: i64,
    /// Bytes of data files.
    #[serde(default, deserialize_with = "null_is_default")]
    pub file_size_in_bytes: i64,
    /// Data files.
    #[serde(default, deserialize_with = "null_is_default")]
    pub file_count: i64,
    /// When the newest of them was made, Unix milliseconds.
    #[serde(default, deserialize_with = "null_is_default")]
    pub last_file_creation_time: i64,
}

/// `GET …/tables/{table}/snapshot`: the newest one. A table without any is a 404 of a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetTableSnapshotResponse {
    /// The snapshot.
    #[serde(default)]
    pub snapshot: Option<TableSnapshot>,
}

/// `GET …/tables/{table}/snapshots/{version}`; the version is `EARLIEST`, `LATEST`, an id or a tag.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetVersionSnapshotResponse {
    /// The snapshot.
    #[serde(default)]
    pub snapshot: Option<Snapshot>,
}

/// `GET …/tables/{table}/snapshots`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListSnapshotsResponse {
    /// The snapshots.
    #[serde(default, deserialize_with = "null_is_default")]
    pub snapshots: Vec<Snapshot>,
    /// See [`Page`](super::Page).
    #[serde(default)]
    pub next_page_token: Option<String>,
}

/// `POST …/tables/{table}/rollback`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RollbackTableRequest {
    /// Back to what.
    pub instant: Instant,
    /// Only if this is the newest snapshot (1.4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_snapshot: Option<i64>,
}

/// A state of a table by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Instant {
    /// A snapshot.
    #[serde(rename_all = "camelCase")]
    Snapshot {
        /// Its id.
        snapshot_id: i64,
    },
    /// A tag.
    #[serde(rename_all = "camelCase")]
    Tag {
        /// Its name.
        tag_name: String,
    },
}

page!(ListSnapshotsResponse, snapshots, Snapshot);

// === impl BaseSnapshot ===

impl BaseSnapshot {
    /// What a client says that planned on `base`.
    pub fn of(base: Option<&Snapshot>) -> Self {
        base.and_then(|base| base.uuid.clone()).map_or(Self::None, Self::Uuid)
    }

    fn is_unsaid(&self) -> bool {
        *self == Self::Unsaid
    }
}

impl Serialize for BaseSnapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unsaid | Self::None => serializer.serialize_none(),
            Self::Uuid(uuid) => serializer.serialize_some(uuid),
        }
    }
}

impl<'de> Deserialize<'de> for BaseSnapshot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::None, Self::Uuid))
    }
}
