//! The pin: the consumer file that keeps every engine's expiry away from the job's newest snapshot.
//!
//! It follows the commits once a minute, never on their way: an older pin is as safe, it only keeps more snapshots.
//! Written every minute even when nothing moved, it stays younger than any `consumer.expiration-time`.

use paimon_format::SnapshotId;
use paimon_table::commit::CommitUser;
use paimon_table::consumer;
use paimon_table::table::Table;
use tokio::sync::watch;
use tokio::time::Instant;
use tributary_runtime::{Backoff, Env};

use crate::config::PIN_EVERY;
use crate::progress::Progress;

/// The task that moves the pin.
pub(crate) struct Pin {
    pub(crate) table: Table,
    pub(crate) user: CommitUser,
    pub(crate) committed: watch::Receiver<SnapshotId>,
    pub(crate) progress: Progress,
    pub(crate) backoff: Backoff,
    pub(crate) env: Env,
}

/// Snapshots from which on their pile is worth a line in the log: readers list them, and each holds its files.
const PILE: i64 = 1000;

/// Tries to move the pin at the end, when rows and positions are safe already.
const LAST_TRIES: u32 = 4;

// === impl Pin ===

impl Pin {
    /// Moves the pin until the committer has gone, and once more then.
    pub(crate) async fn run(mut self) {
        let mut warned_at = PILE;
        let mut earliest = self.earliest().await;
        let mut next = Instant::now() + PIN_EVERY;
        loop {
            self.show_snapshots(earliest, &mut warned_at);
            tokio::select! {
                biased;
                committed = self.committed.changed() => match committed {
                    Ok(()) => {}
                    Err(_) => break,
                },
                () = tokio::time::sleep_until(next) => {
                    self.renew().await;
                    earliest = self.earliest().await.or(earliest);
                    next = Instant::now() + PIN_EVERY;
                }
            }
        }
        for attempt in 0..LAST_TRIES {
            if self.renew().await {
                return;
            }
            tokio::time::sleep(self.backoff.delay(attempt, &self.env.random)).await;
        }
    }

    async fn renew(&self) -> bool {
        let newest = *self.committed.borrow();
        match consumer::write(&self.table, self.user.as_str(), newest).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(
                    user = %self.user, snapshot = newest.0, %error,
                    "could not move the pin; the older one keeps more snapshots until the next try"
                );
                false
            }
        }
    }

    /// The oldest snapshot; `None` also when the store does not answer: it is only a number for the eye.
    async fn earliest(&self) -> Option<SnapshotId> {
        self.table.earliest_snapshot().await.ok().flatten().map(|snapshot| snapshot.id)
    }

    fn show_snapshots(&self, earliest: Option<SnapshotId>, warned_at: &mut i64) {
        let Some(earliest) = earliest else { return };
        let alive = self.committed.borrow().0 - earliest.0 + 1;
        self.progress.metrics().snapshots_alive(alive);
        if alive >= *warned_at {
            tracing::warn!(
                table = %self.table.identifier(), snapshots = alive,
                "snapshots pile up: nothing expires them while the table is write-only; run maintenance on it"
            );
            *warned_at = alive.saturating_mul(2);
        }
    }
}
