#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use paimon_format::DataField;
use tributary_testkit::{Call, Fault, FaultRates, FaultStore, ManualClock, Moment, Op, sim_env};

use super::*;
use crate::commit::{CommitGuard, Unguarded};
use crate::port::{FilesystemCommit, NextSnapshot, SnapshotCommit};
use crate::store::{Storage, StorageOptions};
use crate::testing::*;

const UNHURRIED: &[(&str, &str)] = &[("commit.max-retries", "100000")];

fn faulty(storage: &Storage) -> (FaultStore, Storage) {
    let store = FaultStore::new(Arc::clone(&storage.store));
    (store.clone(), Storage::new(Arc::new(store), storage.root.clone()))
}

fn creates(call: &Call, id: i64) -> bool {
    call.op == Op::Create && call.path.filename() == Some(format!("snapshot-{id}").as_str())
}

/// Commits `count` requests as a caller does who never gives up on transient errors.
async fn persist(table: Table, user: String, seed: u64, count: i64) -> u32 {
    let env = sim_env(seed, EPOCH);
    let mut committer = loop {
        let opened = Committer::try_open(table.clone(), CommitUser::new(&user), Arc::new(Unguarded), env.clone()).await;
        match opened {
            Ok(committer) => break committer,
            Err(error) => assert_eq!(error.kind(), FailureKind::Transient, "{error}"),
        }
    };
    let mut attempts = 0;
    for identifier in 1..=count {
        let request = request(&user, identifier);
        loop {
            match committer.commit(&request).await {
                Ok(committed) => {
                    attempts += committed.attempts;
                    break;
                }
                Err(error) => {
                    assert_eq!(error.kind(), FailureKind::Transient, "{error}");
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
        }
    }
    attempts
}

/// Every file of every user once, snapshots without a gap, totals that add up.
async fn check_table(table: &Table, users: &[String], count: i64) {
    let mut expected: Vec<_> =
        users.iter().flat_map(|user| (1..=count).map(move |n| format!("data-{user}-{n}.parquet"))).collect();
    expected.sort();
    assert_eq!(live_names(table).await, expected);
    let ids = table.snapshot_ids().await.unwrap();
    assert_eq!(ids, (1..=expected.len() as i64).map(SnapshotId).collect::<Vec<_>>());
    let (mut rows, mut time) = (0, i64::MIN);
    for id in ids {
        let snapshot = table.snapshot(id).await.unwrap().unwrap();
        rows += snapshot.delta_record_count;
        assert_eq!((snapshot.total_record_count, snapshot.delta_record_count), (rows, 1));
        assert!(snapshot.time_millis >= time);
        time = snapshot.time_millis;
    }
}

#[tokio::test(start_paused = true)]
async fn sixty_four_committers_add_every_file_once_in_memory() {
    let rates = FaultRates {
        error_before: 0.01,
        error_after: 0.02,
        delay: 0.6,
        duplicate: 0.02,
        late: 0.01,
        longest_wait: Duration::from_millis(40),
    };
    for seed in 0..3 {
        let clean = memory();
        create(&clean, UNHURRIED).await;
        let store = FaultStore::seeded(Arc::clone(&clean.store), seed, rates);
        let table = loop {
            let storage = Storage::new(Arc::new(store.clone()), clean.root.clone());
            let port = Arc::new(FilesystemCommit);
            if let Ok(table) = Table::load(open(&clean).await.identifier().clone(), storage, port).await {
                break table;
            }
        };
        let users: Vec<_> = (0..64).map(|n| format!("user-{n}")).collect();
        let racing =
            users.iter().enumerate().map(|(n, user)| persist(table.clone(), user.clone(), seed * 100 + n as u64, 1));
        let attempts: u32 = futures::future::join_all(racing).await.into_iter().sum();
        assert!(attempts > 64, "nobody lost a race");
        // Whatever is still under way must not change anything either.
        tokio::time::sleep(Duration::from_secs(1)).await;
        check_table(&open(&clean).await, &users, 1).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[allow(clippy::disallowed_methods)] // real threads are the point
async fn sixty_four_committers_add_every_file_once_on_a_local_file_system() {
    let folder = tempfile::tempdir().unwrap();
    let url = folder.path().join("db.db/t");
    let storage =
        Storage::open_with(url.to_str().unwrap(), &StorageOptions { fsync: false, ..StorageOptions::default() })
            .unwrap();
    let table = create(&storage, &[("commit.max-retries", "100000"), ("commit.max-retry-wait", "50 ms")]).await;
    let users: Vec<_> = (0..64).map(|n| format!("user-{n}")).collect();
    let racing: Vec<_> = users
        .iter()
        .enumerate()
        .map(|(n, user)| tokio::spawn(persist(table.clone(), user.clone(), n as u64, 2)))
        .collect();
    for racer in racing {
        racer.await.unwrap();
    }
    check_table(&table, &users, 2).await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_is_found_and_counted_once() {
    let clean = memory();
    create(&clean, &[]).await;
    let (store, storage) = faulty(&clean);
    let mut committer = committer(&open(&storage).await, "u", 1).await;
    store.set_plan(|call| if creates(call, 1) { Fault::ErrorAfter } else { Fault::None });
    let committed = committer.commit(&request("u", 1)).await.unwrap();
    assert_eq!((committed.snapshot.id.0, committed.attempts, committed.already), (1, 1, true));
    let again = committer.commit(&request("u", 1)).await.unwrap();
    assert_eq!((again.snapshot.id.0, again.attempts, again.already), (1, 0, true));
    // The client repeats the request by itself and is told that the object exists.
    store.set_plan(|call| if creates(call, 2) { Fault::Duplicate } else { Fault::None });
    let committed = committer.commit(&request("u", 2)).await.unwrap();
    assert_eq!((committed.snapshot.id.0, committed.attempts, committed.already), (2, 1, false));
    assert_eq!(live_names(&open(&clean).await).await, ["data-u-1.parquet", "data-u-2.parquet"]);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_that_cannot_be_looked_up_is_resolved_by_the_same_request() {
    for (fault, already) in [(Fault::ErrorAfter, true), (Fault::ErrorBefore, false)] {
        let clean = memory();
        create(&clean, &[]).await;
        let (store, storage) = faulty(&clean);
        let mut committer = committer(&open(&storage).await, "u", 1).await;
        let mut failing = false;
        store.set_plan(move |call| {
            failing |= creates(call, 1);
            match (failing, call.op) {
                (true, Op::Create) => fault,
                (true, _) => Fault::ErrorBefore,
                _ => Fault::None,
            }
        });
        for _ in 0..3 {
            let error = committer.commit(&request("u", 1)).await.unwrap_err();
            assert_eq!(error.kind(), FailureKind::Transient, "{error}");
        }
        store.set_plan(|_| Fault::None);
        let committed = committer.commit(&request("u", 1)).await.unwrap();
        assert_eq!((committed.snapshot.id.0, committed.already), (1, already));
        assert_eq!(live_names(&open(&clean).await).await, ["data-u-1.parquet"]);
        committer.commit(&request("u", 2)).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_put_that_lands_late_is_found_or_comes_too_late() {
    for (wait, snapshots) in [(0, 1), (10, 1)] {
        let clean = memory();
        create(&clean, &[]).await;
        let (store, storage) = faulty(&clean);
        let mut committer = committer(&open(&storage).await, "u", 1).await;
        let mut first = true;
        store.set_plan(move |call| {
            if creates(call, 1) && std::mem::take(&mut first) {
                Fault::Late(Duration::from_secs(5))
            } else {
                Fault::None
            }
        });
        let error = committer.commit(&request("u", 1)).await.unwrap_err();
        assert!(matches!(error, CommitError::Unknown { snapshot: 1, .. }), "{error}");
        tokio::time::sleep(Duration::from_secs(wait)).await;
        let committed = committer.commit(&request("u", 1)).await.unwrap();
        assert_eq!(committed.already, wait > 0);
        tokio::time::sleep(Duration::from_secs(60)).await;
        let table = open(&clean).await;
        assert_eq!(table.snapshot_ids().await.unwrap().len(), snapshots);
        assert_eq!(live_names(&table).await, ["data-u-1.parquet"]);
        assert_eq!(committer.commit(&request("u", 2)).await.unwrap().snapshot.total_record_count, 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_crash_at_any_store_call_neither_loses_nor_doubles() {
    for number in 1.. {
        let mut reached = false;
        for moment in [Moment::BeforeEffect, Moment::AfterEffect] {
            let clean = memory();
            create(&clean, &[("manifest.merge-min-count", "2")]).await;
            let (store, storage) = faulty(&clean);
            store.crash_at(number, moment);
            let table = open(&clean).await;
            let port = Arc::new(FilesystemCommit);
            let table = Table::with_schema(table.identifier().clone(), storage, (**table.schema()).clone(), port);
            let run = persist(table.unwrap(), "u".to_owned(), 1, 4);
            tokio::select! {
                _ = run => {}
                () = store.crashed() => reached = true,
            }
            // The next process goes on from what it finds.
            let table = open(&clean).await;
            let mut committer = committer(&table, "u", 2).await;
            let done = committer.history().newest.as_ref().map_or(0, |newest| newest.commit_identifier);
            for identifier in done + 1..=5 {
                committer.commit(&request("u", identifier)).await.unwrap();
            }
            check_table(&table, &["u".to_owned()], 5).await;
        }
        if !reached {
            assert!(number > 20, "the run made only {number} calls");
            break;
        }
    }
}

#[tokio::test]
async fn a_replaced_snapshot_stops_the_committer() {
    let storage = memory();
    let table = create(&storage, &[]).await;
    let mut ours = committer(&table, "u", 1).await;
    let snapshot = ours.commit(&request("u", 1)).await.unwrap().snapshot;
    let foreign = Snapshot { uuid: None, commit_user: "flink".to_owned(), ..(*snapshot).clone() };
    storage.put("snapshot/snapshot-1", foreign.to_json().unwrap().into()).await.unwrap();
    for _ in 0..2 {
        let error = ours.commit(&request("u", 2)).await.unwrap_err();
        assert!(matches!(&error, CommitError::Replaced { snapshot: 1, by } if by == "flink"), "{error}");
        assert_eq!(error.kind(), FailureKind::Corrupt);
    }
    assert_eq!(table.snapshot_ids().await.unwrap().len(), 1);
}

/// A port to a busy table: somebody else is always faster.
struct Busy(AtomicBool);

#[async_trait]
impl SnapshotCommit for Busy {
    async fn create(&self, storage: &Storage, next: NextSnapshot<'_>) -> Attempt {
        if self.0.load(Ordering::Relaxed) {
            let other = Snapshot {
                uuid: None,
                commit_user: "other".to_owned(),
                delta_record_count: 0,
                total_record_count: 0,
                // An empty list stands in for both: the other committer adds nothing.
                base_manifest_list: "manifest-list-empty".to_owned(),
                delta_manifest_list: "manifest-list-empty".to_owned(),
                ..next.snapshot.clone()
            };
            let other = NextSnapshot { snapshot: &other, ..next };
            let Attempt::Created = FilesystemCommit.create(storage, other).await else {
                panic!("the other committer lost");
            };
        }
        FilesystemCommit.create(storage, next).await
    }
}

#[tokio::test(start_paused = true)]
async fn exhausted_retries_leave_the_request_for_another_try() {
    for (options, least, most) in [
        (&[("commit.max-retries", "3")][..], 4, 4),
        (&[("commit.max-retries", "1000000"), ("commit.timeout", "10 s")][..], 5, 50),
    ] {
        let storage = memory();
        create(&storage, options).await;
        let empty = paimon_format::avro::encode_manifest_list(&[], paimon_format::avro::Codec::Null).unwrap();
        storage.put("manifest/manifest-list-empty", empty.into()).await.unwrap();
        let port = Arc::new(Busy(AtomicBool::new(true)));
        let table = open_with(&storage, Arc::clone(&port) as Arc<dyn SnapshotCommit>).await;
        let mut committer = committer(&table, "u", 1).await;
        let error = committer.commit(&request("u", 1)).await.unwrap_err();
        assert_eq!(error.kind(), FailureKind::RetriesExhausted);
        let CommitError::RetriesExhausted { attempts, .. } = error else { panic!("{error}") };
        assert!((least..=most).contains(&attempts), "{attempts}");
        port.0.store(false, Ordering::Relaxed);
        let committed = committer.commit(&request("u", 1)).await.unwrap();
        assert_eq!((committed.snapshot.id.0, committed.already), (i64::from(attempts) + 1, false));
        assert_eq!(live_names(&table).await, ["data-u-1.parquet"]);
    }
}

#[tokio::test]
async fn expired_history_is_undecidable_and_a_dropped_table_is_said_to_be() {
    type Remove = &'static [&'static str];
    let cases: [(Remove, &str); 2] = [
        (&["snapshot/snapshot-1"], "snapshot 1 is gone"),
        (&["snapshot/snapshot-1", "schema/schema-0"], "was dropped"),
    ];
    for (removed, message) in cases {
        let storage = memory();
        let mut committer = committer(&create(&storage, &[]).await, "u", 1).await;
        committer.commit(&request("u", 1)).await.unwrap();
        for path in removed {
            storage.delete(path).await.unwrap();
        }
        let error = committer.commit(&request("u", 2)).await.unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
        assert_eq!(error.kind(), FailureKind::Corrupt);
    }
}

#[tokio::test]
async fn a_table_that_was_created_again_gets_no_files_of_the_old_one() {
    let storage = memory();
    let mut committer = committer(&create(&storage, &[]).await, "u", 1).await;
    let again = TableSchema { time_millis: EPOCH + 1, ..schema(&[]) };
    storage.put("schema/schema-0", again.to_json().unwrap().into()).await.unwrap();
    let error = committer.commit(&request("u", 1)).await.unwrap_err();
    assert!(error.to_string().contains("created again"), "{error}");
    assert!(open(&storage).await.snapshot_ids().await.unwrap().is_empty());
    // The same after it had snapshots.
    let storage = memory();
    let mut committer = self::committer(&create(&storage, &[]).await, "u", 1).await;
    committer.commit(&request("u", 1)).await.unwrap();
    storage.delete("snapshot/snapshot-1").await.unwrap();
    storage.put("schema/schema-0", again.to_json().unwrap().into()).await.unwrap();
    let error = committer.commit(&request("u", 2)).await.unwrap_err();
    assert!(error.to_string().contains("created again"), "{error}");
    assert_eq!(error.kind(), FailureKind::Corrupt);
}

/// A committer that is held up right before its create, while others commit and expire what it stands on, creates a
/// snapshot that nobody will ever read. It must not call that committed.
#[tokio::test(start_paused = true)]
async fn a_create_on_top_of_expired_history_is_not_a_commit() {
    for start in [0, 1] {
        let clean = memory();
        let table = create(&clean, &[]).await;
        let mut other = committer(&table, "other", 2).await;
        for identifier in 1..=start {
            other.commit(&request("other", identifier)).await.unwrap();
        }
        let (store, storage) = faulty(&clean);
        let mut held_up = committer(&open(&storage).await, "u", 1).await;
        let hold = store.hold(move |call| creates(call, start + 1));
        let request_u = request("u", 1);
        let meanwhile = async {
            hold.arrived(1).await;
            for identifier in start + 1..=start + 4 {
                other.commit(&request("other", identifier)).await.unwrap();
            }
            for id in 1..=start + 2 {
                clean.delete(&format!("snapshot/snapshot-{id}")).await.unwrap();
            }
            hold.release();
        };
        let (result, ()) = futures::join!(held_up.commit(&request_u), meanwhile);
        let error = result.unwrap_err();
        assert!(matches!(error, CommitError::Undecidable { .. }), "{error}");
        assert_eq!(error.kind(), FailureKind::Corrupt);
        assert!(!live_names(&table).await.contains(&"data-u-1.parquet".to_owned()));
    }
}

struct Incarnation(&'static str);

impl CommitGuard for Incarnation {
    fn inspect(&self, snapshot: &Snapshot) -> Result<(), String> {
        let theirs = snapshot.properties.as_ref().and_then(|properties| properties.get("incarnation"));
        match theirs {
            Some(theirs) if snapshot.commit_user == "u" && theirs != self.0 => Err(format!("incarnation {theirs}")),
            _ => Ok(()),
        }
    }
}

fn claim(identifier: i64, incarnation: &str) -> CommitRequest {
    CommitRequest {
        added: Vec::new(),
        removed: Vec::new(),
        properties: BTreeMap::from([("incarnation".to_owned(), incarnation.to_owned())]),
        ..request("u", identifier)
    }
}

#[tokio::test]
async fn the_older_of_two_owners_is_fenced_and_writes_nothing() {
    let table = create(&memory(), &[]).await;
    let open_as = |incarnation| {
        let guard = Arc::new(Incarnation(incarnation));
        Committer::try_open(table.clone(), CommitUser::new("u"), guard, sim_env(1, EPOCH))
    };
    let (mut old, mut new) = (open_as("old").await.unwrap(), open_as("new").await.unwrap());
    old.commit(&claim(1, "old")).await.unwrap();
    // It was opened before that claim, so it has to notice it.
    let error = new.commit(&claim(1, "new")).await.unwrap_err();
    assert_eq!(error.to_string(), "fenced by snapshot 1: incarnation old");
    let mut new = open_as("new").await.unwrap();
    new.commit(&claim(2, "new")).await.unwrap();
    let error = old.commit(&claim(2, "old")).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Fenced);
    assert_eq!(table.snapshot_ids().await.unwrap().len(), 2);
}

/// It stalled until the last snapshot it had seen expired.
#[tokio::test]
async fn an_older_owner_is_fenced_although_it_missed_the_claim() {
    let table = create(&memory(), &[]).await;
    let open_as = |incarnation| {
        let guard = Arc::new(Incarnation(incarnation));
        Committer::try_open(table.clone(), CommitUser::new("u"), guard, sim_env(1, EPOCH))
    };
    let mut old = open_as("old").await.unwrap();
    old.commit(&claim(1, "old")).await.unwrap();
    for identifier in 2..5 {
        let mut new = open_as("new").await.unwrap();
        new.commit(&claim(identifier, "new")).await.unwrap();
    }
    for expired in 1..4 {
        table.storage().delete(&format!("snapshot/snapshot-{expired}")).await.unwrap();
        let error = old.commit(&claim(2, "old")).await.unwrap_err();
        assert_eq!(error.kind(), FailureKind::Fenced, "{error}");
    }
}

#[tokio::test]
async fn without_a_guard_the_same_number_with_other_content_is_still_not_ours() {
    let table = create(&memory(), &[]).await;
    let (mut first, mut second) = (committer(&table, "u", 1).await, committer(&table, "u", 2).await);
    first.commit(&claim(1, "a")).await.unwrap();
    let error = second.commit(&claim(1, "b")).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Fenced, "{error}");
    // An equal request is the same commit, whoever made it.
    assert!(second.commit(&claim(1, "a")).await.unwrap().already);
}

#[tokio::test]
async fn an_older_identifier_is_refused_and_a_maintenance_commit_does_not_count() {
    let table = create(&memory(), &[]).await;
    let mut committer = committer(&table, "u", 1).await;
    committer.commit(&request("u", 5)).await.unwrap();
    let error = committer.commit(&request("u", 4)).await.unwrap_err();
    assert!(matches!(error, CommitError::OutOfOrder { identifier: 4, newest: 5, .. }), "{error}");
    let mut maintenance = crate::testing::committer(&table, "u", 2).await;
    maintenance.commit(&CommitRequest { kind: CommitKind::Compact, ..claim(i64::MAX, "x") }).await.unwrap();
    committer.commit(&request("u", 6)).await.unwrap();
    let reopened = crate::testing::committer(&table, "u", 3).await;
    assert_eq!(reopened.history().newest.as_ref().unwrap().commit_identifier, 6);
}

#[tokio::test]
async fn a_file_that_is_added_twice_is_refused() {
    let table = create(&memory(), &[]).await;
    let mut request = request("u", 1);
    request.added.push(request.added[0].clone());
    let error = committer(&table, "u", 1).await.commit(&request).await.unwrap_err();
    assert_eq!(error.to_string(), "a commit names the file data-u-1.parquet twice");
}

#[tokio::test]
async fn an_uncontended_commit_makes_few_calls_and_lists_nothing() {
    let clean = memory();
    create(&clean, &[]).await;
    let (store, storage) = faulty(&clean);
    let mut committer = committer(&open(&storage).await, "u", 1).await;
    committer.commit(&request("u", 1)).await.unwrap();
    let before = store.calls().len();
    committer.commit(&request("u", 2)).await.unwrap();
    let calls: Vec<_> = store.calls()[before..].iter().map(|call| call.op).collect();
    let count = |op| calls.iter().filter(|made| **made == op).count();
    assert_eq!((count(Op::Get), count(Op::Put), count(Op::Create)), (4, 4, 1), "{calls:?}");
    assert_eq!(calls.len(), 9, "{calls:?}");
}

#[tokio::test]
async fn a_snapshot_inherits_what_the_base_has_and_goes_by_the_latest_schema() {
    let storage = memory();
    let table = create(&storage, &[]).await;
    let clock = Arc::new(ManualClock::new(EPOCH));
    let env = Env { clock: Arc::clone(&clock) as Arc<dyn tributary_runtime::Clock>, ..sim_env(1, EPOCH) };
    let mut committer = committer_in(&table, "u", &env).await;
    let first = committer.commit(&CommitRequest { watermark: Some(7), ..request("u", 1) }).await.unwrap().snapshot;
    let foreign = Snapshot {
        id: SnapshotId(2),
        uuid: None,
        commit_user: "spark".to_owned(),
        index_manifest: Some("index-manifest-1".to_owned()),
        statistics: Some("stats-1".to_owned()),
        next_row_id: Some(12),
        watermark: Some(9),
        ..(*first).clone()
    };
    storage.put("snapshot/snapshot-2", foreign.to_json().unwrap().into()).await.unwrap();
    clock.set(EPOCH - 1000);
    let request_2 = CommitRequest { watermark: Some(8), properties: BTreeMap::new(), ..request("u", 2) };
    let third = committer.commit(&request_2).await.unwrap().snapshot;
    assert_eq!((third.watermark, third.next_row_id), (Some(9), Some(12)));
    assert_eq!(third.index_manifest, foreign.index_manifest);
    assert_eq!(third.statistics, foreign.statistics);
    assert_eq!((third.time_millis, third.properties.as_ref()), (EPOCH, None));
    let evolved = TableSchema { id: 1, ..schema(&[]) };
    storage.put("schema/schema-1", evolved.to_json().unwrap().into()).await.unwrap();
    let fourth = committer.commit(&request("u", 3)).await.unwrap().snapshot;
    assert_eq!((fourth.schema_id, fourth.statistics.as_ref()), (1, None));
    assert_ne!(third.uuid, fourth.uuid);
}

/// What another engine may do to a table we write to, and what has to stop us.
#[tokio::test]
async fn a_schema_that_only_adds_is_adopted_and_any_other_stops_with_the_remedy() {
    type Change = fn(&mut TableSchema);
    let field = |id, name: &str, text: &str| DataField::new(id, name, text.parse().unwrap());
    let add = |schema: &mut TableSchema, text| schema.fields.push(field(9, "new", text));
    let cases: [(Change, Option<&str>); 11] = [
        (|_| (), None),
        (|schema| schema.comment = Some("c".to_owned()), None),
        (|schema| drop(schema.options.insert("target-file-size".to_owned(), "1 mb".to_owned())), None),
        (|schema| schema.fields.rotate_left(1), None),
        (|schema| schema.fields.push(DataField::new(9, "new", "INT".parse().unwrap())), None),
        (|schema| drop(schema.fields.remove(0)), Some("has no column `id` any more")),
        (|schema| schema.fields[0].id = 9, Some("has no column `id` any more")),
        (|schema| schema.fields[0].name = "key".to_owned(), Some("calls the column `id` now `key`")),
        (
            |schema| schema.fields[0].data_type = "BIGINT".parse().unwrap(),
            Some("changes the column `id` from INT to BIGINT"),
        ),
        (|schema| schema.fields[0].data_type.nullable = false, Some("makes the column `id` NOT NULL")),
        (|schema| schema.partition_keys.clear(), Some("is partitioned by () instead of (dt)")),
    ];
    for (change, refused) in cases {
        let storage = memory();
        let mut committer = committer(&create(&storage, &[]).await, "u", 1).await;
        committer.commit(&request("u", 1)).await.unwrap();
        let mut changed = TableSchema { id: 1, ..schema(&[]) };
        change(&mut changed);
        storage.put("schema/schema-1", changed.to_json().unwrap().into()).await.unwrap();
        match (committer.commit(&request("u", 2)).await, refused) {
            (Ok(committed), None) => {
                assert_eq!(committed.snapshot.schema_id, 1);
                assert_eq!(**committer.schema(), changed);
            }
            (Err(error), Some(why)) => {
                assert_eq!(error.kind(), FailureKind::Usage, "{error}");
                let text = error.to_string();
                assert!(text.starts_with("schema 1 of the table at") && text.contains(why), "{text}");
                assert!(text.contains("start again"), "{text}");
                assert_eq!(committer.schema().id, 0);
            }
            (outcome, _) => panic!("{refused:?}: {outcome:?}"),
        }
    }
    let storage = memory();
    let mut committer = committer(&create(&storage, &[]).await, "u", 1).await;
    let mut changed = TableSchema { id: 1, ..schema(&[]) };
    add(&mut changed, "INT NOT NULL");
    storage.put("schema/schema-1", changed.to_json().unwrap().into()).await.unwrap();
    let error = committer.commit(&request("u", 1)).await.unwrap_err().to_string();
    assert!(error.contains("adds the column `new`, which is NOT NULL"), "{error}");
    changed.id = 1;
    changed.fields[2] = field(9, "new", "INT");
    changed.fields[2].default_value = Some("1".to_owned());
    storage.put("schema/schema-1", changed.to_json().unwrap().into()).await.unwrap();
    let error = committer.commit(&request("u", 1)).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Usage);
    assert!(error.to_string().contains("default value 1 of column `new`"), "{error}");
}

#[tokio::test]
async fn a_commit_without_files_still_has_both_lists() {
    let table = create(&memory(), &[]).await;
    let mut committer = committer(&table, "u", 1).await;
    let snapshot = committer.commit(&claim(1, "a")).await.unwrap().snapshot;
    for list in [&snapshot.base_manifest_list, &snapshot.delta_manifest_list] {
        assert!(manifests::read_list(table.storage(), &snapshot, list).await.unwrap().is_empty());
    }
    assert!(live_names(&table).await.is_empty());
}

#[tokio::test]
async fn the_hint_may_fail() {
    let clean = memory();
    create(&clean, &[]).await;
    let (store, storage) = faulty(&clean);
    let mut committer = committer(&open(&storage).await, "u", 1).await;
    store.set_plan(|call| {
        let hint = matches!(call.path.filename(), Some("LATEST" | "EARLIEST"));
        if hint && call.op == Op::Put { Fault::Denied } else { Fault::None }
    });
    for identifier in 1..4 {
        committer.commit(&request("u", identifier)).await.unwrap();
    }
    assert_eq!(open(&clean).await.latest_snapshot().await.unwrap().unwrap().id.0, 3);
}

#[tokio::test]
async fn a_refused_create_is_reported_as_such() {
    let clean = memory();
    create(&clean, &[]).await;
    let (store, storage) = faulty(&clean);
    let mut committer = committer(&open(&storage).await, "u", 1).await;
    store.set_plan(|call| if creates(call, 1) { Fault::Denied } else { Fault::None });
    let error = committer.commit(&request("u", 1)).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Auth, "{error}");
    store.set_plan(|_| Fault::None);
    assert!(!committer.commit(&request("u", 1)).await.unwrap().already);
}

/// What a commit reads and writes must not grow with the table: 1,000 commits, in bytes put and calls made.
#[tokio::test]
async fn a_commit_costs_the_same_after_a_thousand() {
    let clean = memory();
    create(&clean, &[]).await;
    let (store, storage) = faulty(&clean);
    let mut committer = committer(&open(&storage).await, "u", 1).await;
    let mut costs = Vec::new();
    for identifier in 1..=1000 {
        let before = (store.calls().len(), store.counting().bytes_put);
        committer.commit(&request("u", identifier)).await.unwrap();
        costs.push((store.counting().bytes_put - before.1, store.calls().len() - before.0));
    }
    let window = |range: std::ops::Range<usize>| {
        let mut bytes: Vec<_> = costs[range].iter().map(|cost| cost.0).collect();
        bytes.sort_unstable();
        (bytes[25], bytes[49])
    };
    let (early, late) = (window(0..50), window(950..1000));
    eprintln!("bytes put, median and most: {early:?} then {late:?}; dearest {:?}", costs.iter().max());
    assert!(late.0 * 2 <= early.0 * 3, "median {} then {}", early.0, late.0);
    assert!(late.1 * 2 <= early.1 * 3, "most {} then {}", early.1, late.1);
    // One that merges puts a manifest more, and reads none that was written here but a large one.
    let most = costs[1..].iter().map(|cost| cost.1).max();
    assert_eq!(most, Some(11));
    assert_eq!(live_names(&open(&clean).await).await.len(), 1000);
}

#[tokio::test]
async fn a_snapshot_without_uuid_is_compared_by_its_bytes() {
    let storage = memory();
    let table = create(&storage, &[]).await;
    let first = committer(&table, "u", 1).await.commit(&request("u", 1)).await.unwrap().snapshot;
    let java = Snapshot { uuid: None, ..(*first).clone() };
    storage.put("snapshot/snapshot-1", java.to_json().unwrap().into()).await.unwrap();
    let (mut fine, mut misled) = (committer(&table, "v", 2).await, committer(&table, "w", 3).await);
    fine.commit(&request("v", 1)).await.unwrap();
    let other = Snapshot { time_millis: java.time_millis + 1, ..java };
    storage.put("snapshot/snapshot-1", other.to_json().unwrap().into()).await.unwrap();
    let error = misled.commit(&request("w", 1)).await.unwrap_err();
    assert!(matches!(error, CommitError::Replaced { snapshot: 1, .. }), "{error}");
}

/// A catalog that keeps no uuids, as those before 2.0.
struct Forgetful;

#[async_trait]
impl SnapshotCommit for Forgetful {
    async fn create(&self, storage: &Storage, next: NextSnapshot<'_>) -> Attempt {
        let kept = Snapshot { uuid: None, ..next.snapshot.clone() };
        crate::port::create_file(storage, kept.id, kept.to_json().unwrap().into()).await
    }
}

#[tokio::test]
async fn a_catalog_that_keeps_no_uuids_is_told_from_one_that_replaced_a_snapshot() {
    let storage = memory();
    create(&storage, &[]).await;
    let table = open_with(&storage, Arc::new(Forgetful)).await;
    let mut committer = committer(&table, "u", 1).await;
    for identifier in 1..=3 {
        committer.commit(&request("u", identifier)).await.unwrap();
    }
    let third = snapshots::read(&storage, SnapshotId(3)).await.unwrap().unwrap();
    assert_eq!(third.snapshot.uuid, None);
    let other = Snapshot { delta_manifest_list: "manifest-list-of-another".to_owned(), ..(*third.snapshot).clone() };
    storage.put("snapshot/snapshot-3", other.to_json().unwrap().into()).await.unwrap();
    let error = committer.commit(&request("u", 4)).await.unwrap_err();
    assert!(matches!(error, CommitError::Replaced { snapshot: 3, .. }), "{error}");
}
