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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::error::TableError;
    use crate::testing::*;

    #[tokio::test]
    async fn the_newest_snapshot_of_a_user_is_found_behind_those_of_others() {
        let table = create(&memory(), &[]).await;
        let user = CommitUser::new("u");
        let fresh = newest_of_user(&table, &user).await.unwrap();
        assert!(fresh.newest.is_none() && fresh.complete && fresh.latest.is_none());
        for (name, count) in [("u", 3), ("other", 40)] {
            let mut committer = committer(&table, name, count as u64).await;
            for identifier in 1..=count {
                committer.commit(&request(name, identifier)).await.unwrap();
            }
        }
        // Expired, pinned snapshot, newest of the user, history complete.
        for (expired, pin, newest, complete) in
            [(0, None, Some(3), true), (0, Some(2), Some(3), false), (0, Some(4), None, false), (5, None, None, false)]
        {
            if let Some(pin) = pin {
                consumer::write(&table, "u", SnapshotId(pin)).await.unwrap();
            }
            for id in 1..=expired {
                table.storage().delete(&format!("snapshot/snapshot-{id}")).await.unwrap();
            }
            let history = newest_of_user(&table, &user).await.unwrap();
            assert_eq!(history.newest.map(|snapshot| snapshot.id.0), newest, "{expired} {pin:?}");
            assert_eq!((history.pin, history.complete), (pin.map(SnapshotId), complete));
            assert_eq!(history.latest.unwrap().id.0, 43);
            consumer::delete(&table, "u").await.unwrap();
        }
        assert_eq!(consumer::read(&table, "u").await.unwrap(), None);
        table.storage().put("consumer/consumer-u", "{".into()).await.unwrap();
        let error = newest_of_user(&table, &user).await.unwrap_err();
        assert!(matches!(error, TableError::Corrupt { .. }), "{error}");
    }
}
