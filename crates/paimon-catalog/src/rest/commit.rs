//! Creating snapshots through the catalog: of all committers it lets one win.

use std::sync::Arc;

use async_trait::async_trait;
use paimon_table::error::TableError;
use paimon_table::port::{Attempt, NextSnapshot, SnapshotCommit};
use paimon_table::store::Storage;
use paimon_table::table::TableIdentifier;

use super::api::Api;
use super::error::RestError;
use super::wire::{BaseSnapshot, CommitTableRequest, CommitTableResponse, PartitionStatistics};

/// Commits to the table that had this id when it was loaded.
pub(crate) struct RestCommit {
    pub(crate) api: Arc<Api>,
    pub(crate) table: TableIdentifier,
    pub(crate) table_id: String,
}

// === impl RestCommit ===

impl RestCommit {
    /// What the answer to a commit means. Only a definite one may say that there is no snapshot: whatever may have been
    /// applied is Unknown, and the table's history tells.
    fn judge(&self, outcome: Result<CommitTableResponse, RestError>, resent: bool) -> Attempt {
        let error = match outcome {
            Ok(CommitTableResponse { success: true }) => return Attempt::Created,
            Ok(CommitTableResponse { success: false }) if resent => return unknown(RestError::Repeated),
            Ok(CommitTableResponse { success: false }) => return Attempt::Conflict,
            Err(error) => error,
        };
        // A refusal speaks for the try it answers, not for the ones before.
        let refused = if resent { unknown } else { failed };
        match &error {
            RestError::Refused { status: 404, resource: Some(_), .. } => {
                refused(RestError::TableGone { table: self.table.to_string(), id: self.table_id.clone() })
            }
            RestError::Refused { status: 400 | 401 | 403 | 404 | 501, .. }
            | RestError::Expired { .. }
            | RestError::Credentials(_)
            | RestError::Client { .. }
            | RestError::NoAnswer { sent: false, .. } => refused(error),
            _ => unknown(error),
        }
    }
}

#[async_trait]
impl SnapshotCommit for RestCommit {
    async fn create(&self, _storage: &Storage, next: NextSnapshot<'_>) -> Attempt {
        let statistics = next.statistics.iter().map(|change| PartitionStatistics {
            spec: change.spec.clone(),
            record_count: change.record_count,
            file_size_in_bytes: change.file_size_in_bytes,
            file_count: change.file_count,
            last_file_creation_time: change.last_file_creation_time,
            total_buckets: change.total_buckets,
        });
        let request = CommitTableRequest {
            table_id: Some(self.table_id.clone()),
            base_snapshot_uuid: BaseSnapshot::of(next.base),
            snapshot: next.snapshot.clone(),
            statistics: statistics.collect(),
        };
        let (outcome, resent) = self.api.commit(&self.table, &request).await;
        self.judge(outcome, resent)
    }

    fn needs_create_if_absent(&self) -> bool {
        false
    }
}

fn unknown(error: RestError) -> Attempt {
    Attempt::Unknown(TableError::Catalog(Box::new(error)))
}

fn failed(error: RestError) -> Attempt {
    Attempt::Failed(TableError::Catalog(Box::new(error)))
}
