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
    Ok(look_back(table, user).await?.0)
}

/// The history of `user`, and the newest snapshot it was searched from.
pub(crate) async fn look_back(table: &Table, user: &CommitUser) -> Result<(UserHistory, Option<Found>)> {
    // The pin first: a process of the same user that is still running moves it, and what it pins is then among the
    // snapshots found afterwards.
    let pin = consumer::read(table, user.as_str()).await?;
    let latest = snapshots::find_latest(table.metadata()).await?;
    let newest = latest.as_ref().map_or(0, |found| found.snapshot.id.0);
    // The pin was written with a snapshot of the user, so nothing below it is newer than that one. A pin above
    // the newest snapshot is left from a history that was rolled back: it says nothing about this one.
    let oldest = pin.map_or(1, |pin| pin.0.max(1));
    let oldest = if oldest > newest { 1 } else { oldest };
    let mut history = UserHistory {
        newest: None,
        pin,
        complete: oldest == 1,
        latest: latest.as_ref().map(|found| Arc::clone(&found.snapshot)),
    };
    let storage = table.metadata();
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
    Ok((history, latest))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use tributary_testkit::{FaultStore, Op};

    use super::*;
    use crate::error::TableError;
    use crate::store::Storage;
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
        assert!(matches!(error, TableError::Format { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_commit_and_its_pin_that_appear_meanwhile_are_not_a_lost_history() {
        // Without any snapshot before, and behind one of another user.
        for foreign in [0, 1] {
            let clean = memory();
            let table = create(&clean, &[]).await;
            for identifier in 1..=foreign {
                committer(&table, "other", 1).await.commit(&request("other", identifier)).await.unwrap();
            }
            let store = FaultStore::new(Arc::clone(&clean.store));
            let watched = open(&Storage::new(Arc::new(store.clone()), clean.root.clone())).await;
            let hold = store.hold(|call| call.op == Op::Get && call.path.as_ref().contains("consumer"));
            let user = CommitUser::new("u");
            let (history, ()) = futures::join!(newest_of_user(&watched, &user), async {
                hold.arrived(1).await;
                let committed = committer(&table, "u", 2).await.commit(&request("u", 1)).await.unwrap();
                consumer::write(&table, "u", committed.snapshot.id).await.unwrap();
                hold.release();
            });
            assert_eq!(history.unwrap().newest.map(|snapshot| snapshot.id.0), Some(foreign + 1));
        }
    }

    #[tokio::test]
    async fn a_pin_above_a_history_that_was_rolled_back_hides_nothing() {
        let table = create(&memory(), &[]).await;
        committer(&table, "u", 1).await.commit(&request("u", 1)).await.unwrap();
        committer(&table, "other", 2).await.commit(&request("other", 1)).await.unwrap();
        consumer::write(&table, "u", SnapshotId(7)).await.unwrap();
        let history = newest_of_user(&table, &CommitUser::new("u")).await.unwrap();
        assert_eq!((history.newest.map(|snapshot| snapshot.id.0), history.pin), (Some(1), Some(SnapshotId(7))));
    }
}
