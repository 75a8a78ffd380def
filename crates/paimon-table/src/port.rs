//! How a snapshot comes into being: one small type, so that exactly one place per kind of catalog
//! swaps a table's state. Nothing else in this program writes a file named `snapshot-N`.

use async_trait::async_trait;
use bytes::Bytes;
use paimon_format::{Snapshot, SnapshotId};
use tributary_runtime::{Classify, FailureKind};

use crate::error::TableError;
use crate::snapshots;
use crate::statistics::PartitionStatistics;
use crate::store::{Create, Storage};

/// What came of trying to create a snapshot.
#[derive(Debug)]
#[must_use]
pub enum Attempt {
    /// It exists and is ours.
    Created,
    /// It was not created: the id is taken, or the store said so without a trace of it.
    Conflict,
    /// It may exist now or appear later; only reading the snapshots tells.
    Unknown(TableError),
    /// It was refused for good and will not appear.
    Failed(TableError),
}

/// A snapshot that is to become the newest.
#[derive(Clone, Copy, Debug)]
pub struct NextSnapshot<'a> {
    /// The one it was planned on, `None` for the first.
    pub base: Option<&'a Snapshot>,
    /// The snapshot.
    pub snapshot: &'a Snapshot,
    /// What it changes, by partition.
    pub statistics: &'a [PartitionStatistics],
}

/// Creates snapshots atomically: of all attempts for one id, by whatever process, at most one succeeds.
#[async_trait]
pub trait SnapshotCommit: Send + Sync {
    /// Tries to make `next` the table's newest snapshot.
    async fn create(&self, storage: &Storage, next: NextSnapshot<'_>) -> Attempt;

    /// Whether this relies on the store's create-if-absent, which is then probed before the first commit.
    fn needs_create_if_absent(&self) -> bool {
        true
    }
}

/// Creates `snapshot/snapshot-N` with the store's create-if-absent.
#[derive(Clone, Copy, Debug, Default)]
pub struct FilesystemCommit;

// === impl FilesystemCommit ===

#[async_trait]
impl SnapshotCommit for FilesystemCommit {
    async fn create(&self, storage: &Storage, next: NextSnapshot<'_>) -> Attempt {
        let next = next.snapshot;
        match next.to_json() {
            Ok(bytes) => create_file(storage, next.id, bytes.into()).await,
            Err(source) => Attempt::Failed(TableError::format(snapshots::path(next.id))(source)),
        }
    }
}

/// Creates `snapshot/snapshot-N` from the bytes of a committer that may know more members than this crate.
pub async fn create_file(storage: &Storage, id: SnapshotId, bytes: Bytes) -> Attempt {
    let path = snapshots::path(id);
    match storage.create(&path, bytes.clone()).await {
        Ok(Create::Created) => Attempt::Created,
        // A client that repeats the request after a lost reply meets its own snapshot; and S3 answers
        // 409 under contention although nothing is there. The uuid in the bytes tells ours apart.
        Ok(Create::Exists) => match storage.get_opt(&path).await {
            Ok(Some(present)) if present == bytes => Attempt::Created,
            Ok(_) => Attempt::Conflict,
            Err(error) => Attempt::Unknown(error.into()),
        },
        Err(error) if error.kind() == FailureKind::Auth => Attempt::Failed(error.into()),
        Err(error) => Attempt::Unknown(error.into()),
    }
}
