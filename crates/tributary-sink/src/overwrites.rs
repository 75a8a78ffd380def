//! Foreign OVERWRITEs of partitions that the job writes to.
//!
//! Spark's and Flink's sorting compactions replace whatever a partition holds when they commit: what was appended since they
//! read it is lost, and no error is shown anywhere. Nothing the sink does prevents that, so it says so, loudly and with
//! the snapshot's number. It is looked at after the next commit of the job: off the path of a commit that meets none.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use paimon_format::{BinaryRow, CommitKind, FileKind, Snapshot};
use paimon_table::commit::{CommitUser, NewFile};
use paimon_table::scan;
use paimon_table::table::Table;
use tokio::time::Instant;
use tributary_runtime::Executor;

use crate::metrics::PipelineMetrics;

/// So long after its last file a partition counts as one that the job writes to.
const LIVE: Duration = Duration::from_secs(3600);

/// Shared between the guard, which sees every snapshot, and the committer, which has time.
#[derive(Clone, Default)]
pub(crate) struct Overwrites {
    met: Arc<Mutex<Vec<Snapshot>>>,
}

/// Partitions that got files from this process, and when last.
#[derive(Default)]
pub(crate) struct LivePartitions {
    last_file: HashMap<BinaryRow, Instant>,
}

// === impl Overwrites ===

impl Overwrites {
    /// Remembers `snapshot` if it is a foreign OVERWRITE.
    pub(crate) fn meet(&self, snapshot: &Snapshot, user: &CommitUser) {
        if snapshot.commit_kind == CommitKind::Overwrite && snapshot.commit_user != user.as_str() {
            self.met().push(snapshot.clone());
        }
    }

    /// Tells those that took files of `live` partitions away.
    pub(crate) async fn tell(
        &self,
        table: &Table,
        executor: &Executor,
        live: &LivePartitions,
        metrics: &PipelineMetrics,
    ) {
        let met = std::mem::take(&mut *self.met());
        for snapshot in met {
            let (id, user) = (snapshot.id.0, &snapshot.commit_user);
            let entries = match scan::changes_of(table, &snapshot, executor).await {
                Ok(entries) => entries,
                Err(error) => {
                    tracing::error!(
                        table = %table.identifier(), snapshot = id, %user, %error,
                        "another job committed an OVERWRITE; what it replaced could not be read"
                    );
                    metrics.foreign_overwrites.inc();
                    continue;
                }
            };
            let ours = |kind| {
                let ours = entries.iter().filter(move |entry| entry.kind == kind && live.holds(&entry.partition));
                ours.map(|entry| entry.file.row_count).sum::<i64>()
            };
            let replaced = ours(FileKind::Delete);
            if replaced > 0 {
                metrics.foreign_overwrites.inc();
                tracing::error!(
                    table = %table.identifier(), snapshot = id, %user,
                    replaced_rows = replaced, rows_instead = ours(FileKind::Add),
                    "another job overwrote partitions that this one writes to: rows committed while it ran may be lost; \
                     the snapshot before it still has them until it expires"
                );
            }
        }
    }

    fn met(&self) -> MutexGuard<'_, Vec<Snapshot>> {
        self.met.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl LivePartitions ===

impl LivePartitions {
    /// Takes note of committed files, and forgets partitions that have had none for long.
    pub(crate) fn add(&mut self, files: &[NewFile]) {
        let now = Instant::now();
        self.last_file.retain(|_, last| now.duration_since(*last) < LIVE);
        for same in files.chunk_by(|a, b| a.partition == b.partition) {
            self.last_file.insert(same[0].partition.clone(), now);
        }
    }

    fn holds(&self, partition: &BinaryRow) -> bool {
        self.last_file.contains_key(partition)
    }
}
