#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;

use tributary_runtime::{Classify, Drain, FailureKind};
use tributary_testkit::{FaultStore, Moment};

use super::*;
use crate::expire::{ExpirePolicy, expire};
use crate::orphans::{OrphanPolicy, remove_orphans};
use crate::store::Storage;
use crate::testing::*;

const HOUR: i64 = 3_600_000;

async fn expire_to(table: &Table, newest: u64) {
    let policy =
        ExpirePolicy { retain_max: newest, retain_min: 1, time_retained: Duration::ZERO, max_deletes: u64::MAX };
    expire(table, &policy, &env_at(9, EPOCH + HOUR), &Drain::new()).await.unwrap();
}

async fn create_at(table: &Table, name: &str, id: i64) -> Result<SnapshotId> {
    create_tag(table, name, Some(SnapshotId(id)), None, &env_at(1, EPOCH)).await
}

#[tokio::test]
async fn a_tag_keeps_a_snapshot_until_it_is_deleted_and_with_it_goes_what_only_it_kept() {
    let storage = memory();
    let table = compacted(&storage).await;
    let env = env_at(1, EPOCH);
    for (name, id) in [("one", 1), ("two", 2), ("again", 2), ("four", 4)] {
        assert_eq!(create_at(&table, name, id).await.unwrap(), SnapshotId(id));
    }
    assert_eq!(storage.get("tag/tag-one").await.unwrap(), storage.get("snapshot/snapshot-1").await.unwrap());
    assert_eq!(create_tag(&table, "newest", None, None, &env).await.unwrap(), SnapshotId(6));
    // Its snapshot is there: nothing else goes.
    assert_eq!(delete_tag(&table, "newest", &env).await.unwrap(), Reclaimed::default());
    expire_to(&table, 1).await;
    assert_eq!(data_names(&table).await, "abcdef");
    for (name, left) in [("again", "abcdef"), ("two", "acdef"), ("four", "aef"), ("one", "ef")] {
        delete_tag(&table, name, &env).await.unwrap();
        assert_eq!(data_names(&table).await, left, "{name}");
        kept_files(&table).await;
    }
    assert_eq!(kept_files(&table).await, files_of(&table).await);
}

#[tokio::test]
async fn a_tag_with_a_retention_goes_when_it_is_over() {
    let storage = memory();
    let table = create(&storage, &[("tag.default-time-retained", "2 h")]).await;
    append(&table, "a").await;
    let env = env_at(1, EPOCH);
    create_tag(&table, "default", None, None, &env).await.unwrap();
    create_tag(&table, "short", None, Some(Duration::from_secs(3600)), &env).await.unwrap();
    storage.put("tag/tag-forever", storage.get("snapshot/snapshot-1").await.unwrap()).await.unwrap();
    for (after, expired) in [(HOUR, &[][..]), (HOUR + 1, &["short"]), (2 * HOUR, &[]), (3 * HOUR, &["default"])] {
        let gone = expire_tags(&table, &env_at(1, EPOCH + after)).await.unwrap();
        assert_eq!(gone.into_iter().map(|(name, _)| name).collect::<Vec<_>>(), expired, "{after}");
    }
    assert_eq!(table.tags().await.unwrap(), ["forever"]);
}

#[tokio::test]
async fn what_cannot_be_tagged_is_refused() {
    let table = compacted(&memory()).await;
    create_at(&table, "v", 2).await.unwrap();
    for (name, id, why) in
        [("v", 3, "exists already"), (" ", 3, "blank"), ("a/b", 3, "slash"), ("w", 7, "snapshot 7 does not exist")]
    {
        let error = create_at(&table, name, id).await.unwrap_err();
        assert_eq!(error.kind(), FailureKind::Usage);
        assert!(error.to_string().contains(why), "{error}");
    }
    // The same again, as after a lost reply.
    create_at(&table, "v", 2).await.unwrap();
    assert!(matches!(delete_tag(&table, "w", &env_at(1, EPOCH)).await, Err(TableError::NoSuchTag { .. })));
}

#[tokio::test]
async fn a_snapshot_that_expires_while_it_is_tagged_is_kept_or_not_tagged() {
    let clean = memory();
    compacted(&clean).await;
    // Whoever makes the tag is held before each of his calls, while the snapshot expires.
    let mut outcomes = Vec::new();
    for held in 1.. {
        let copied = copy(&clean).await;
        let store = FaultStore::new(Arc::clone(&copied.store));
        let watched = open(&Storage::new(Arc::new(store.clone()), copied.root.clone())).await;
        let (table, before) = (open(&copied).await, store.call_count());
        let hold = store.hold(move |call| call.number == before + held);
        let mut making = std::pin::pin!(create_at(&watched, "v", 2));
        let made = tokio::select! {
            made = &mut making => {
                made.unwrap();
                break;
            }
            () = hold.arrived(1) => {
                expire_to(&table, 1).await;
                hold.release();
                making.await
            }
        };
        let tags = table.tags().await.unwrap();
        assert_eq!(tags.is_empty(), made.is_err(), "{made:?}");
        kept_files(&table).await;
        outcomes.push(made.is_ok());
    }
    assert_eq!(outcomes, [false, false, false, true, true], "read, pledge, read, create, delete the pledge");
}

#[tokio::test]
async fn killed_at_any_step_while_the_snapshot_expires_no_tag_is_left_without_its_files() {
    let clean = memory();
    compacted(&clean).await;
    for (moment, calls) in [(Moment::BeforeEffect, 5), (Moment::AfterEffect, 5)] {
        for number in 1..=calls {
            let copied = copy(&clean).await;
            let store = FaultStore::new(Arc::clone(&copied.store));
            let watched = open(&Storage::new(Arc::new(store.clone()), copied.root.clone())).await;
            store.crash_at(store.call_count() + number, moment);
            tokio::select! {
                made = create_at(&watched, "v", 2) => panic!("call {number} did not come: {made:?}"),
                () = store.crashed() => {}
            }
            let table = open(&copied).await;
            let tagged = table.tags().await.unwrap() == ["v"];
            for newest in [3, 1] {
                expire_to(&table, newest).await;
                kept_files(&table).await;
            }
            // The pledge that is left keeps its files until a sweep finds it too old.
            let pledged = copied.list_names(PLEDGE_DIR).await.unwrap().len();
            assert_eq!(data_names(&table).await.contains('b'), tagged || pledged > 0, "{number} {moment:?}");
            let policy = OrphanPolicy { older_than: Duration::ZERO, delete: true };
            remove_orphans(&table, &policy, &env_at(1, i64::MAX / 2), &Drain::new()).await.unwrap();
            assert_eq!(copied.list_names(PLEDGE_DIR).await.unwrap(), [""; 0]);
            assert_eq!(kept_files(&table).await, files_of(&table).await);
        }
    }
}

#[tokio::test]
async fn a_pledge_that_came_too_late_hinders_nobody() {
    let storage = memory();
    let table = compacted(&storage).await;
    let gone = storage.get("snapshot/snapshot-2").await.unwrap();
    expire_to(&table, 3).await;
    storage.put("pledge/pledge-late", gone).await.unwrap();
    expire_to(&table, 1).await;
    let policy = OrphanPolicy { older_than: Duration::from_secs(3600), delete: true };
    remove_orphans(&table, &policy, &env_at(1, EPOCH), &Drain::new()).await.unwrap();
    assert_eq!(kept_files(&table).await, files_of(&table).await);
}
