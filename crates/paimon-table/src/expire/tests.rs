#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use object_store::ObjectStoreExt;
use proptest::prelude::*;
use tributary_runtime::{Classify, Executor, FailureKind};
use tributary_testkit::{FaultStore, Moment, Op, sim_env};

use super::*;
use crate::commit::NewFile;
use crate::consumer;
use crate::read::file_path;
use crate::scan::plan_scan_of;
use crate::store::Storage;
use crate::testing::*;

const HOUR: i64 = 3_600_000;

/// Everything that is older than the newest snapshots goes at once.
fn keep(newest: u64) -> ExpirePolicy {
    ExpirePolicy { retain_max: u64::MAX, retain_min: newest, time_retained: Duration::ZERO, max_deletes: u64::MAX }
}

async fn expire_now(table: &Table, policy: &ExpirePolicy) -> Result<ExpireReport> {
    expire(table, policy, &env_at(9, EPOCH + HOUR), &Drain::new()).await
}

#[tokio::test]
async fn what_only_expired_snapshots_needed_goes_with_them() {
    let table = compacted(&memory()).await;
    assert_eq!(data_names(&table).await, "abcdef");
    let report = expire_now(&table, &keep(4)).await.unwrap();
    assert_eq!((report.snapshots, report.earliest), (2, Some(SnapshotId(3))));
    assert_eq!((report.reclaimed.data_files, report.reclaimed.left), (2, 0));
    assert_eq!(data_names(&table).await, "cdef");
    expire_now(&table, &keep(1)).await.unwrap();
    assert_eq!((ids(&table).await, data_names(&table).await), (vec![6], "ef".to_owned()));
    assert_eq!(kept_files(&table).await, files_of(&table).await);
    let again = expire_now(&table, &keep(1)).await.unwrap();
    assert_eq!(again, ExpireReport { earliest: Some(SnapshotId(6)), ..ExpireReport::default() });
    let hints = ["EARLIEST", "LATEST"].map(|name| table.storage().get(&format!("snapshot/{name}")).now_or_never());
    assert_eq!(hints.map(|hint| hint.unwrap().unwrap()), [Bytes::from("6"), Bytes::from("6")]);
}

#[tokio::test]
async fn the_policy_is_javas() {
    // Age of each snapshot in hours, oldest first; retain max, min, hours, limit; how many go.
    for (ages, max, min, hours, limit, gone) in [
        (&[5, 4, 3, 2, 0][..], u64::MAX, 1, 1, 50, 3),
        (&[5, 4, 3, 2, 0], u64::MAX, 3, 1, 50, 2),
        (&[5, 4, 3, 2, 0], u64::MAX, 1, 1, 2, 2),
        (&[0, 0, 0, 0, 0], 2, 1, 1, 50, 3),
        (&[0, 0, 0, 0, 0], 2, 2, 1, 1, 1),
        (&[5, 5, 5], u64::MAX, 10, 1, 50, 0),
        // The newest for the last hour is not touched, however old it is itself.
        (&[9, 1, 0], u64::MAX, 1, 1, 50, 0),
        (&[9, 8, 1, 0], u64::MAX, 1, 1, 50, 1),
        (&[3], u64::MAX, 1, 1, 50, 0),
        (&[], u64::MAX, 1, 1, 50, 0),
    ] {
        let table = create(&memory(), &[]).await;
        for (identifier, age) in (1..).zip(ages) {
            let env = env_at(identifier as u64, EPOCH - age * HOUR);
            committer_in(&table, "u", &env).await.commit(&request("u", identifier)).await.unwrap();
        }
        let policy = ExpirePolicy {
            retain_max: max,
            retain_min: min,
            time_retained: Duration::from_secs(hours * 3600),
            max_deletes: limit,
        };
        let report = expire(&table, &policy, &env_at(0, EPOCH), &Drain::new()).await.unwrap();
        assert_eq!(report.snapshots, gone, "{ages:?} {policy:?}");
        assert_eq!(ids(&table).await.first().copied(), (!ages.is_empty()).then_some(gone as i64 + 1));
    }
}

#[tokio::test]
async fn tags_branches_and_consumers_keep_what_they_need() {
    let storage = memory();
    let table = compacted(&storage).await;
    tag(&table, "early", 1).await;
    tag(&table, "v", 2).await;
    for (from, to) in [("schema/schema-0", "schema/schema-0"), ("snapshot/snapshot-4", "snapshot/snapshot-4")] {
        let bytes = storage.get(from).await.unwrap();
        storage.put(&format!("branch/branch-b/{to}"), bytes).await.unwrap();
    }
    consumer::write(&table, "slow", SnapshotId(4)).await.unwrap();
    let report = expire_now(&table, &keep(1)).await.unwrap();
    assert_eq!((report.snapshots, report.held_by), (3, Some(("slow".to_owned(), SnapshotId(4)))));
    consumer::delete(&table, "slow").await.unwrap();
    assert_eq!(expire_now(&table, &keep(1)).await.unwrap().held_by, None);
    assert_eq!(data_names(&table).await, "abcdef");
    kept_files(&table).await;

    // What cannot be read may keep anything: nothing is touched then.
    append(&table, "g").await;
    let before = files_of(&table).await;
    for path in ["tag/tag-x", "branch/branch-b/tag/tag-x", "changelog/changelog-1", "consumer/consumer-x"] {
        storage.put(path, "{".into()).await.unwrap();
        let error = expire_now(&table, &keep(1)).await.unwrap_err();
        assert!(error.to_string().contains(path), "{error}");
        storage.delete(path).await.unwrap();
    }
    let tagged = String::from_utf8(storage.get("tag/tag-v").await.unwrap().to_vec()).unwrap();
    storage.put("tag/tag-broken", tagged.replace("manifest-list", "manifest-lost").into()).await.unwrap();
    assert!(matches!(expire_now(&table, &keep(1)).await, Err(TableError::Missing { .. })));
    assert_eq!((files_of(&table).await, ids(&table).await), (before, vec![6, 7]));
}

/// F23.
#[tokio::test]
async fn a_slow_reader_with_a_consumer_finishes_and_one_without_is_told_what_is_gone() {
    let table = compacted(&memory()).await;
    consumer::write(&table, "slow", SnapshotId(2)).await.unwrap();
    let snapshot = table.snapshot(SnapshotId(2)).await.unwrap().unwrap();
    let plan = plan_scan_of(&table, Arc::clone(&snapshot), None, &Executor::inline()).await.unwrap();
    expire_now(&table, &keep(1)).await.unwrap();
    assert_eq!(ids(&table).await, [2, 3, 4, 5, 6]);
    for entry in &plan.files {
        let path = file_path(&table, entry).unwrap();
        assert!(table.storage().size_opt(&path).await.unwrap().is_some(), "{path}");
    }
    consumer::delete(&table, "slow").await.unwrap();
    expire_now(&table, &keep(1)).await.unwrap();
    assert_eq!(table.snapshot(SnapshotId(2)).await.unwrap(), None);
    // One that had found the snapshot before reads an error, not fewer rows.
    let late = plan_scan_of(&table, snapshot, None, &Executor::inline()).await;
    assert!(matches!(late, Err(TableError::Missing { .. })), "{late:?}");
}

#[tokio::test]
async fn pins_of_jobs_that_are_gone_and_consumers_past_their_time_are_dropped() {
    let storage = memory();
    let table = create(&storage, &[("consumer.expiration-time", "1 h")]).await;
    let plain = create(&memory(), &[]).await;
    for table in [&table, &plain] {
        append(table, "a").await;
        for id in ["tributary-job", "reader"] {
            consumer::write(table, id, SnapshotId(1)).await.unwrap();
        }
    }
    let stored = storage.store.head(&storage.path("consumer/consumer-reader")).await.unwrap().last_modified;
    for (table, hours, released) in [
        (&table, 0, &[][..]),
        (&plain, 7 * 24 - 1, &[]),
        (&plain, 7 * 24 + 1, &["tributary-job"]),
        (&table, 2, &["reader", "tributary-job"]),
    ] {
        let env = env_at(1, stored.timestamp_millis() + hours * HOUR);
        let report = expire(table, &keep(1), &env, &Drain::new()).await.unwrap();
        assert_eq!(report.released, released, "{hours}");
    }
}

#[tokio::test]
async fn tables_and_policies_it_cannot_serve_are_refused() {
    let refused = [
        (create(&memory(), &[("changelog.time-retained", "2 h")]).await, keep(1), "changelog"),
        (create(&memory(), &[]).await, keep(0), "num-retained.min"),
        (create(&memory(), &[]).await, ExpirePolicy { retain_max: 1, ..keep(2) }, "at most 1"),
    ];
    for (table, policy, why) in refused {
        let error = expire_now(&table, &policy).await.unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
        assert_eq!(error.kind(), FailureKind::Usage);
    }
}

#[tokio::test]
async fn what_was_asked_to_stop_says_whether_work_was_left() {
    let table = compacted(&memory()).await;
    let stop = Drain::new();
    stop.request(Duration::ZERO);
    for (newest, stopped) in [(1, true), (5, true), (6, false), (100, false)] {
        let report = expire(&table, &keep(newest), &env_at(9, EPOCH + HOUR), &stop).await.unwrap();
        assert_eq!((report.snapshots, report.stopped), (0, stopped), "{newest}");
    }
    // Too young to go.
    let young = ExpirePolicy { retain_max: 100, time_retained: Duration::from_secs(7_200), ..keep(1) };
    assert!(!expire(&table, &young, &env_at(9, EPOCH + HOUR), &stop).await.unwrap().stopped);
}

#[tokio::test]
async fn a_latest_hint_that_fell_behind_never_points_below_the_oldest_snapshot() {
    let table = compacted(&memory()).await;
    table.storage().put("snapshot/LATEST", "2".into()).await.unwrap();
    expire_now(&table, &keep(1)).await.unwrap();
    assert_eq!(table.storage().get("snapshot/LATEST").await.unwrap(), "6");
}

#[tokio::test]
async fn a_file_that_a_rollback_added_again_stays() {
    let table = compacted(&memory()).await;
    // Back to snapshot 2 as the newest one: `a` and `b` are added again.
    let [a, b, e, f] = [("a", 2), ("b", 2), ("e", 3), ("f", 1)].map(|(name, rows)| file(name, "2026-01-01", rows));
    replace(&table, &[e, f], &[a, b], &sim_env(2, EPOCH)).await;
    for newest in [3, 2, 1] {
        expire_now(&table, &keep(newest)).await.unwrap();
    }
    assert_eq!(data_names(&table).await, "ab");
}

#[tokio::test]
async fn emptied_folders_go_where_the_table_says_so() {
    for (clean, left) in [("false", true), ("true", false)] {
        let folder = tempfile::tempdir().unwrap();
        let storage = Storage::open(folder.path().to_str().unwrap()).unwrap();
        let table = create(&storage, &[("snapshot.clean-empty-directories", clean)]).await;
        append(&table, "a").await;
        replace(&table, &[file("a", "2026-01-01", 1)], &[file("b", "2026-01-02", 1)], &sim_env(3, EPOCH)).await;
        expire_now(&table, &keep(1)).await.unwrap();
        assert_eq!(folder.path().join("dt=2026-01-01").exists(), left);
        assert!(folder.path().join("dt=2026-01-02/bucket-0/b").exists());
    }
}

#[tokio::test]
async fn a_tag_that_comes_while_its_snapshot_goes_keeps_its_files() {
    let clean = memory();
    let table = compacted(&clean).await;
    let store = FaultStore::new(Arc::clone(&clean.store));
    let watched = open(&Storage::new(Arc::new(store.clone()), clean.root.clone())).await;
    let hold = store.hold(|call| call.op == Op::Delete && call.path.filename() == Some("snapshot-2"));
    let policy = keep(1);
    let (report, ()) = futures::join!(expire_now(&watched, &policy), async {
        hold.arrived(1).await;
        tag(&table, "late", 2).await;
        hold.release();
    });
    assert_eq!(report.unwrap().snapshots, 5);
    assert_eq!(data_names(&table).await, "abef");
    kept_files(&table).await;
}

#[tokio::test(start_paused = true)]
async fn killed_at_any_call_it_leaves_every_snapshot_whole_and_the_next_run_goes_on() {
    let original = memory();
    let table = compacted(&original).await;
    tag(&table, "v", 2).await;
    let calls = {
        let copied = copy(&original).await;
        let store = FaultStore::new(Arc::clone(&copied.store));
        let table = open(&Storage::new(Arc::new(store.clone()), copied.root.clone())).await;
        expire_now(&table, &keep(2)).await.unwrap();
        store.call_count()
    };
    let mut orphaned = BTreeSet::new();
    for call in 1..=calls {
        for moment in [Moment::BeforeEffect, Moment::AfterEffect] {
            let copied = copy(&original).await;
            let store = FaultStore::new(Arc::clone(&copied.store));
            store.crash_at(call, moment);
            let dying = async {
                let table = open(&Storage::new(Arc::new(store.clone()), copied.root.clone())).await;
                expire_now(&table, &keep(2)).await
            };
            tokio::select! {
                biased;
                () = store.crashed() => {}
                done = dying => panic!("call {call}: {done:?}"),
            }
            let table = open(&copied).await;
            kept_files(&table).await;
            expire_now(&table, &keep(2)).await.unwrap();
            assert_eq!(ids(&table).await, [5, 6], "call {call}");
            let kept = kept_files(&table).await;
            orphaned.extend(files_of(&table).await.difference(&kept).cloned());
            assert_eq!(table.latest_snapshot().await.unwrap().unwrap().id.0, 6);
            assert_eq!(table.earliest_snapshot().await.unwrap().unwrap().id.0, 5);
        }
    }
    assert!(!orphaned.is_empty());
}

#[tokio::test(start_paused = true)]
async fn two_runs_at_once_take_nothing_that_is_needed() {
    for (hold_at, newest) in [("snapshot-1", 1), ("snapshot-2", 3), ("c", 1), ("EARLIEST", 2), ("snapshot-3", 2)] {
        let clean = memory();
        let table = compacted(&clean).await;
        let store = FaultStore::new(Arc::clone(&clean.store));
        let watched = open(&Storage::new(Arc::new(store.clone()), clean.root.clone())).await;
        let hold =
            store.hold(move |call| matches!(call.op, Op::Delete | Op::Put) && call.path.filename() == Some(hold_at));
        let (slow, fast) = (keep(newest), keep(2));
        let (first, ()) = futures::join!(expire_now(&watched, &slow), async {
            let held = tokio::time::timeout(Duration::from_secs(1), hold.arrived(1)).await;
            assert!(held.is_ok(), "{hold_at}");
            expire_now(&table, &fast).await.unwrap();
            kept_files(&table).await;
            hold.release();
        });
        first.unwrap();
        kept_files(&table).await;
        expire_now(&table, &keep(1)).await.unwrap();
        assert_eq!(kept_files(&table).await, files_of(&table).await, "{hold_at}");
    }
}

#[derive(Clone, Debug)]
enum Step {
    Append,
    /// Takes this many of the oldest files together.
    Compact(usize),
    Tag(u64),
    Branch(u64),
    Expire(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Append),
        3 => (1..4_usize).prop_map(Step::Compact),
        1 => any::<u64>().prop_map(Step::Tag),
        1 => any::<u64>().prop_map(Step::Branch),
        2 => (1..5_u64).prop_map(Step::Expire),
    ]
}

async fn live_after(steps: Vec<Step>) {
    let storage = memory();
    let table = create(&storage, &[("manifest.merge-min-count", "3")]).await;
    let env = sim_env(7, EPOCH);
    let mut live = Vec::new();
    for (number, step) in (1..).zip(steps) {
        let known = ids(&table).await;
        let some = |pick: u64| known.get(pick as usize % known.len().max(1)).copied();
        let added = file(&format!("data-{number}"), ["2026-01-01", "2026-01-02"][number as usize % 2], 1);
        match step {
            Step::Append => {
                write_data(&table, std::slice::from_ref(&added)).await;
                live.push(added.clone());
                let request = crate::commit::CommitRequest { added: vec![added], ..request("u", number) };
                committer_in(&table, "u", &env).await.commit(&request).await.unwrap();
            }
            Step::Compact(count) if live.len() >= count => {
                let gone: Vec<_> = live.drain(..count).collect();
                let rows = gone.iter().map(|file: &NewFile| file.meta.row_count).sum();
                let added = file(&added.meta.file_name, "2026-01-01", rows);
                replace(&table, &gone, std::slice::from_ref(&added), &env).await;
                live.push(added);
            }
            Step::Tag(pick) => {
                if let Some(id) = some(pick) {
                    tag(&table, &format!("t{number}"), id).await;
                }
            }
            Step::Branch(pick) => {
                if let Some(id) = some(pick) {
                    let bytes = storage.get(&format!("snapshot/snapshot-{id}")).await.unwrap();
                    storage.put(&format!("branch/branch-b{number}/snapshot/snapshot-{id}"), bytes).await.unwrap();
                }
            }
            Step::Expire(newest) => {
                expire_now(&table, &keep(newest)).await.unwrap();
            }
            Step::Compact(_) => {}
        }
    }
    let expected: BTreeSet<_> = live.iter().map(|file| file.meta.file_name.clone()).collect();
    assert_eq!(live_names(&table).await.into_iter().collect::<BTreeSet<_>>(), expected);
    assert_eq!(kept_files(&table).await, files_of(&table).await);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever happened before: what is kept is whole, and nothing else is left.
    #[test]
    fn everything_that_is_kept_can_be_read_and_nothing_else_is_left(steps in prop::collection::vec(step(), 1..30)) {
        live_after(steps).now_or_never().unwrap();
    }
}
