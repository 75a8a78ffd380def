#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::sync::Arc;

use object_store::ObjectStoreExt;
use tributary_testkit::{FaultStore, Moment, Op};

use super::*;
use crate::expire::{ExpirePolicy, expire};
use crate::store::Storage;
use crate::testing::*;

const DAY: i64 = 24 * 3_600_000;

const DELETE: OrphanPolicy = OrphanPolicy { older_than: DEFAULT_OLDER_THAN, delete: true };

/// Two days after the files were stored, which a store stamps with the real time.
async fn later(storage: &Storage) -> Env {
    let stored = storage.store.head(&storage.path("schema/schema-0")).await.unwrap().last_modified;
    env_at(5, stored.timestamp_millis() + 2 * DAY)
}

async fn sweep(table: &Table) -> Vec<String> {
    let report = remove_orphans(table, &DELETE, &later(table.storage()).await, &Drain::new()).await.unwrap();
    assert_eq!(report.left, 0);
    report.orphans.into_iter().map(|orphan| orphan.path).collect()
}

async fn expire_to(table: &Table, newest: u64) {
    let policy =
        ExpirePolicy { retain_max: newest, retain_min: 1, time_retained: Duration::ZERO, max_deletes: u64::MAX };
    expire(table, &policy, &env_at(9, EPOCH + DAY), &Drain::new()).await.unwrap();
}

const ORPHANS: [&str; 8] = [
    "branch/branch-b/snapshot/.snapshot-9.0f.tmp",
    "dt=2026-01-01/bucket-0/.data-1.parquet.0f.tmp",
    "dt=2026-01-01/bucket-0/data-1.parquet",
    "dt=2026-01-09/bucket-0/data-2.parquet",
    "index/index-1",
    "manifest/index-manifest-1",
    "manifest/manifest-list-1",
    "snapshot/.snapshot-7.0f.tmp",
];

#[tokio::test]
async fn what_nothing_refers_to_is_told_and_deleted_when_it_is_old_enough_and_asked_for() {
    let storage = memory();
    let table = compacted(&storage).await;
    tag(&table, "v", 2).await;
    let kept = files_of(&table).await;
    for path in ORPHANS.into_iter().chain(["notes/mine.txt", "dt=2026-01-01/_SUCCESS"]) {
        storage.put(path, "12345".into()).await.unwrap();
    }
    let now = later(&storage).await;
    let stored = env_at(1, now.clock.now_millis() - 2 * DAY);
    for (env, delete, found) in
        [(&stored, true, 0), (&now, false, ORPHANS.len()), (&now, true, ORPHANS.len()), (&now, true, 0)]
    {
        let report = remove_orphans(&table, &OrphanPolicy { delete, ..DELETE }, env, &Drain::new()).await.unwrap();
        let paths: Vec<_> = report.orphans.iter().map(|orphan| orphan.path.as_str()).collect();
        assert_eq!(paths, ORPHANS[..found]);
        assert!(report.orphans.iter().all(|orphan| orphan.bytes == 5));
    }
    assert_eq!(files_of(&table).await, kept);
    assert!(storage.get("notes/mine.txt").await.is_ok());
}

#[tokio::test]
async fn a_table_without_snapshots_is_swept_unless_it_had_some() {
    let storage = memory();
    let table = create(&storage, &[]).await;
    assert_eq!(sweep(&table).await, [""; 0]);
    storage.put("bucket-0/data-0", "not where this table's files are".into()).await.unwrap();
    write_data(&table, &[file("data-1", "2026-01-01", 1)]).await;
    assert_eq!(sweep(&table).await, ["dt=2026-01-01/bucket-0/data-1"]);
    storage.put("snapshot/LATEST", "7".into()).await.unwrap();
    let error = remove_orphans(&table, &DELETE, &later(&storage).await, &Drain::new()).await.unwrap_err();
    assert!(matches!(error, TableError::Corrupt { .. }), "{error}");
}

#[tokio::test]
async fn a_reference_that_cannot_be_read_ends_the_sweep() {
    let storage = memory();
    let table = compacted(&storage).await;
    for (from, to) in [("schema/schema-0", "schema/schema-0"), ("snapshot/snapshot-4", "snapshot/snapshot-4")] {
        let bytes = storage.get(from).await.unwrap();
        storage.put(&format!("branch/branch-b/{to}"), bytes).await.unwrap();
    }
    expire_to(&table, 1).await;
    write_data(&table, &[file("orphan", "2026-01-01", 1)]).await;
    let manifests: Vec<_> = files_of(&table).await.into_iter().filter(|path| path.starts_with("manifest/")).collect();
    let broken = ["snapshot/snapshot-6", "tag/tag-v", "branch/branch-b/snapshot/snapshot-9", "changelog/changelog-1"];
    let refused = async |path: &str| {
        let done = remove_orphans(&table, &DELETE, &later(&storage).await, &Drain::new()).await;
        assert!(done.is_err(), "{path}");
    };
    for path in manifests.iter().map(String::as_str).chain(broken) {
        let before = storage.get_opt(path).await.unwrap();
        storage.put(path, "{".into()).await.unwrap();
        refused(path).await;
        storage.delete(path).await.unwrap();
        if path.starts_with("manifest/") {
            refused(path).await;
        }
        if let Some(bytes) = before {
            storage.put(path, bytes).await.unwrap();
        }
    }
    assert_eq!(sweep(&table).await, ["dt=2026-01-01/bucket-0/orphan"]);
    assert_eq!(kept_files(&table).await, files_of(&table).await);
}

#[tokio::test]
async fn what_is_committed_tagged_or_expired_meanwhile_costs_no_file() {
    // Held while it lists, and before it deletes.
    for held in [Op::List, Op::Delete] {
        let clean = memory();
        let table = compacted(&clean).await;
        write_data(&table, &[file("g", "2026-01-01", 1), file("orphan", "2026-01-01", 1)]).await;
        let store = FaultStore::new(Arc::clone(&clean.store));
        let watched = open(&Storage::new(Arc::new(store.clone()), clean.root.clone())).await;
        let root = clean.root.clone();
        let hold = store.hold(move |call| call.op == held && (held == Op::Delete || call.path == root));
        let env = later(&clean).await;
        let stop = Drain::new();
        let (report, ()) = futures::join!(remove_orphans(&watched, &DELETE, &env, &stop), async {
            hold.arrived(1).await;
            tag(&table, "v", 2).await;
            if held == Op::List {
                append(&table, "g").await;
            }
            expire_to(&table, 2).await;
            hold.release();
        });
        let found: Vec<_> = report.unwrap().orphans.into_iter().map(|orphan| orphan.path).collect();
        let expected: &[&str] = if held == Op::List { &["orphan"] } else { &["g", "orphan"] };
        assert_eq!(found, expected.iter().map(|name| format!("dt=2026-01-01/bucket-0/{name}")).collect::<Vec<_>>());
        kept_files(&table).await;
        sweep(&table).await;
        assert_eq!(kept_files(&table).await, files_of(&table).await);
    }
}

#[tokio::test(start_paused = true)]
async fn an_expiry_killed_at_any_call_leaves_nothing_that_a_sweep_does_not_find() {
    let original = memory();
    let table = compacted(&original).await;
    tag(&table, "v", 2).await;
    let mut found = BTreeSet::new();
    for call in 1.. {
        let copied = copy(&original).await;
        let store = FaultStore::new(Arc::clone(&copied.store));
        store.crash_at(call, Moment::AfterEffect);
        let dying = async {
            let table = open(&Storage::new(Arc::new(store.clone()), copied.root.clone())).await;
            expire_to(&table, 2).await;
        };
        let done = tokio::select! {
            biased;
            () = store.crashed() => false,
            () = dying => true,
        };
        let table = open(&copied).await;
        expire_to(&table, 2).await;
        found.extend(sweep(&table).await);
        assert_eq!(kept_files(&table).await, files_of(&table).await, "call {call}");
        if done {
            break;
        }
    }
    assert!(found.contains("dt=2026-01-01/bucket-0/c"), "{found:?}");
}

#[tokio::test]
async fn a_folder_that_held_only_orphans_goes_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let storage = Storage::open(folder.path().to_str().unwrap()).unwrap();
    let table = create(&storage, &[]).await;
    append(&table, "a").await;
    write_data(&table, &[file("b", "2026-01-01", 1), file("c", "2026-01-02", 1)]).await;
    assert_eq!(sweep(&table).await, ["dt=2026-01-01/bucket-0/b", "dt=2026-01-02/bucket-0/c"]);
    assert!(folder.path().join("dt=2026-01-01/bucket-0/a").exists());
    assert!(!folder.path().join("dt=2026-01-02").exists());
}
