//! Looking back: the newest snapshot of a commit user, where a restarted job finds its positions.

use std::sync::Arc;

use futures::stream::{self, StreamExt};
use paimon_format::{Snapshot, SnapshotId};

use crate::consumer;
use crate::error::Result;
use crate::plan::CommitUser;
use crate::snapshots::{self, Found};
use crate::table::Table;

/// Snapshots read at once on the way back.
const READ_AHEAD: usize = 16;

/// What the retained snapshots tell about a commit user.
#[derive(Clone, Debug)]
pub struct UserHistory {
    /// The user's newest snapshot.
    pub newest: Option<Arc<Snapshot>>,
    /// What the consumer file named like the user pins. A pin without a snapshot means that somebody
    /// removed the user's history: not a fresh start.
    pub pin: Option<SnapshotId>,
    /// Whether `newest: None` proves that the user never committed: no snapshot of the table has expired.
    pub complete: bool,
    /// The table's newest snapshot when the search began.
    pub latest: Option<Arc<Snapshot>>,
}

/// The newest snapshot of `user` and its pin, walking back from the newest snapshot.
///
/// Snapshots with identifier `i64::MAX` are passed over: they are maintenance commits under the job's
/// name, without its properties.
///
/// # Errors
/// The store's, or for a snapshot or consumer file that cannot be read.
pub async fn newest_of_user(table: &Table, user: &CommitUser) -> Result<UserHistory> {
    let latest = snapshots::find_latest(table.storage()).await?;
    walk_back(table, user, latest.as_ref()).await
}

pub(crate) async fn walk_back(table: &Table, user: &CommitUser, latest: Option<&Found>) -> Result<UserHistory> {
    let pin = consumer::read(table, user.as_str()).await?;
    let newest = latest.map_or(0, |found| found.snapshot.id.0);
    // The pin was written with a snapshot of the user, so nothing below it is newer than that one.
    let oldest = pin.map_or(1, |pin| pin.0.min(newest).max(1));
    let mut history = UserHistory {
        newest: None,
        pin,
        complete: oldest == 1,
        latest: latest.map(|found| Arc::clone(&found.snapshot)),
    };
    let storage = table.storage();
    let mut older = stream::iter((oldest..=newest).rev().map(SnapshotId))
        .map(|id| snapshots::read(storage, id))
        .buffered(READ_AHEAD);
    while let Some(found) = older.next().await {
        // Expiry goes upwards: below a snapshot that is gone there is none.
        let Some(found) = found? else {
            history.complete = false;
            break;
        };
        let snapshot = found.snapshot;
        if snapshot.commit_user == user.as_str() && snapshot.commit_identifier != i64::MAX {
            history.newest = Some(snapshot);
            break;
        }
    }
    Ok(history)
}
