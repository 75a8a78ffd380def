#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tributary_runtime::{Classify, Drain, FailureKind};
use tributary_testkit::{FaultStore, Op};

use super::*;
use crate::expire::{ExpirePolicy, expire};
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
    // Before the tag is there, and after that.
    for (op, tagged) in [(Op::Create, false), (Op::Get, true)] {
        let clean = memory();
        let table = compacted(&clean).await;
        let store = FaultStore::new(Arc::clone(&clean.store));
        let watched = open(&Storage::new(Arc::new(store.clone()), clean.root.clone())).await;
        let reads = AtomicU32::new(0);
        let hold = store.hold(move |call| {
            let name = call.path.filename().unwrap_or_default();
            let again = call.op == Op::Get && name == "snapshot-2" && reads.fetch_add(1, Ordering::Relaxed) == 1;
            call.op == op && (name == "tag-v" || again)
        });
        let (created, ()) = futures::join!(create_at(&watched, "v", 2), async {
            hold.arrived(1).await;
            expire_to(&table, 1).await;
            hold.release();
        });
        assert!(matches!(created, Err(TableError::NoSuchSnapshot { id: 2, .. })), "{created:?}");
        assert_eq!(table.tags().await.unwrap(), [""; 0]);
        // An expiry that met the tag left its files, as orphans.
        assert_eq!(data_names(&table).await, if tagged { "abef" } else { "ef" });
        kept_files(&table).await;
    }
}
