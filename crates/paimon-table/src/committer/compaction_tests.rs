//! Commits that exchange files: nothing is lost and nothing doubled, whoever commits meanwhile and whenever it breaks.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;

use paimon_format::{FileKind, ManifestEntry};
use tributary_runtime::Executor;
use tributary_testkit::{Call, Fault, FaultStore, Moment, Op, sim_env};

use super::*;
use crate::port::FilesystemCommit;
use crate::scan::plan_scan;
use crate::store::Storage;
use crate::testing::*;

const DAY: &str = "2026-01-01";

fn faulty(storage: &Storage) -> (FaultStore, Storage) {
    let store = FaultStore::new(Arc::clone(&storage.store));
    (store.clone(), Storage::new(Arc::new(store), storage.root.clone()))
}

fn creates(call: &Call, id: i64) -> bool {
    call.op == Op::Create && call.path.filename() == Some(format!("snapshot-{id}").as_str())
}

async fn live(table: &Table) -> Vec<ManifestEntry> {
    plan_scan(table, None, None, &Executor::inline()).await.unwrap().files
}

/// A table with `count` files of one row.
async fn filled(storage: &Storage, count: i64, options: &[(&str, &str)]) -> Table {
    let table = create(storage, options).await;
    append(&table, "a", count).await;
    table
}

async fn append(table: &Table, user: &str, count: i64) {
    let mut committer = committer(table, user, u64::from(user.as_bytes()[0])).await;
    for identifier in 1..=count {
        committer.commit(&request(user, identifier)).await.unwrap();
    }
}

async fn compactor(table: &Table, name: &str, seed: u64) -> Committer {
    Committer::try_open_new(table.clone(), CommitUser::new(name), sim_env(seed, EPOCH)).await.unwrap()
}

fn exchange(removed: Vec<ManifestEntry>, output: &str) -> CommitRequest {
    let rows = removed.iter().map(|entry| entry.file.row_count).sum();
    CommitRequest {
        identifier: CommitIdentifier(1),
        kind: CommitKind::Compact,
        added: vec![file(output, DAY, rows)],
        removed,
        properties: BTreeMap::new(),
        watermark: None,
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| format!("data-{name}.parquet")).collect()
}

/// An overwrite that leaves the table empty, as another engine would commit it.
async fn overwrite(table: &Table) {
    let empty = paimon_format::avro::encode_manifest_list(&[], paimon_format::avro::Codec::Null).unwrap();
    table.storage().put("manifest/manifest-list-empty", empty.into()).await.unwrap();
    let base = table.latest_snapshot().await.unwrap().unwrap();
    let next = Snapshot {
        id: SnapshotId(base.id.0 + 1),
        uuid: None,
        commit_user: "spark".to_owned(),
        commit_kind: CommitKind::Overwrite,
        base_manifest_list: "manifest-list-empty".to_owned(),
        delta_manifest_list: "manifest-list-empty".to_owned(),
        total_record_count: 0,
        delta_record_count: -base.total_record_count,
        ..(*base).clone()
    };
    table.storage().put(&snapshots::path(next.id), next.to_json().unwrap().into()).await.unwrap();
}

#[tokio::test]
async fn a_compaction_exchanges_files_and_keeps_everything_else() {
    let storage = memory();
    let table = filled(&storage, 3, &[]).await;
    let base = table.latest_snapshot().await.unwrap().unwrap();
    let indexed =
        Snapshot { index_manifest: Some("index-manifest-1".to_owned()), watermark: Some(5), ..(*base).clone() };
    storage.put(&snapshots::path(base.id), indexed.to_json().unwrap().into()).await.unwrap();

    let inputs = live(&table).await[..2].to_vec();
    let committed = compactor(&table, "c", 1).await.commit(&exchange(inputs, "data-c.parquet")).await.unwrap();
    let snapshot = committed.snapshot;
    assert_eq!((snapshot.commit_kind, snapshot.commit_user.as_str()), (CommitKind::Compact, "c"));
    assert_eq!((snapshot.delta_record_count, snapshot.total_record_count), (0, 3));
    assert_eq!((snapshot.index_manifest.as_deref(), snapshot.watermark), (Some("index-manifest-1"), Some(5)));
    assert_eq!(snapshot.properties, None);
    assert_eq!(live_names(&table).await, names(&["a-3", "c"]));

    // Java reads a delta in its order: a file must not be deleted behind an addition that may depend on it.
    let delta = manifests::read_list(&storage, &snapshot, &snapshot.delta_manifest_list).await.unwrap();
    assert_eq!((delta[0].num_added_files, delta[0].num_deleted_files), (1, 2));
    let format = ManifestFormat::of(&table, &Executor::inline());
    let entries = format.read_all(&storage, &delta).await.unwrap();
    let kinds: Vec<_> = entries.iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [FileKind::Delete, FileKind::Delete, FileKind::Add]);
}

#[tokio::test]
async fn a_request_no_history_could_take_is_refused() {
    let table = filled(&memory(), 2, &[]).await;
    let inputs = live(&table).await;
    let good = exchange(inputs.clone(), "data-c.parquet");
    let twice = vec![inputs[0].clone(), inputs[0].clone()];
    let again = inputs[0].file.file_name.clone();
    for (request, message) in [
        (
            CommitRequest { added: Vec::new(), ..good.clone() },
            "a commit of kind COMPACT changes the number of rows by -2",
        ),
        (CommitRequest { kind: CommitKind::Append, ..good }, "a commit of kind APPEND removes files"),
        (exchange(twice, "data-c.parquet"), "names the file data-a-1.parquet twice"),
        (exchange(inputs, &again), "names the file data-a-1.parquet twice"),
    ] {
        let error = compactor(&table, "c", 1).await.commit(&request).await.unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
        assert_eq!(error.kind(), FailureKind::Internal);
    }
    assert_eq!(live_names(&table).await, names(&["a-1", "a-2"]));
}

#[tokio::test]
async fn an_entry_that_differs_in_one_byte_is_not_the_file() {
    let table = filled(&memory(), 2, &[]).await;
    for change in [
        |entry: &mut ManifestEntry| entry.file.extra_files.push("x".to_owned()),
        |entry: &mut ManifestEntry| entry.file.embedded_index = Some(vec![1]),
        |entry: &mut ManifestEntry| entry.file.level = 1,
        |entry: &mut ManifestEntry| entry.bucket = 1,
        |entry: &mut ManifestEntry| entry.partition = partition("2026-01-02"),
    ] {
        let mut inputs = live(&table).await;
        change(&mut inputs[1]);
        let error = compactor(&table, "c", 1).await.commit(&exchange(inputs, "data-c.parquet")).await.unwrap_err();
        assert!(matches!(&error, CommitError::InputGone { file, .. } if file == "data-a-2.parquet"), "{error}");
    }
}

/// F18.
#[tokio::test]
async fn rows_appended_while_a_compaction_commits_survive() {
    let clean = memory();
    let table = filled(&clean, 3, &[("manifest.merge-min-count", "2")]).await;
    let inputs = live(&table).await;
    let (store, storage) = faulty(&clean);
    let mut compactor = compactor(&open(&storage).await, "c", 1).await;
    let hold = store.hold(|call| creates(call, 4));
    let request = exchange(inputs, "data-c.parquet");
    let (committed, ()) = futures::join!(compactor.commit(&request), async {
        hold.arrived(1).await;
        append(&table, "b", 3).await;
        hold.release();
    });
    let committed = committed.unwrap();
    assert_eq!((committed.snapshot.id.0, committed.attempts), (7, 2));
    assert_eq!(committed.snapshot.total_record_count, 6);
    assert_eq!(live_names(&table).await, names(&["b-1", "b-2", "b-3", "c"]));
}

/// F19.
#[tokio::test]
async fn of_two_compactions_of_a_file_one_wins() {
    let clean = memory();
    let table = filled(&clean, 4, &[]).await;
    let files = live(&table).await;
    let (store, storage) = faulty(&clean);
    let slow = open(&storage).await;
    let (mut first, mut second) = (compactor(&slow, "c", 1).await, compactor(&table, "d", 2).await);
    let hold = store.hold(|call| creates(call, 5));
    // One file in common.
    let (ours, theirs) =
        (exchange(files[..2].to_vec(), "data-c.parquet"), exchange(files[1..].to_vec(), "data-d.parquet"));
    let (lost, ()) = futures::join!(first.commit(&ours), async {
        hold.arrived(1).await;
        second.commit(&theirs).await.unwrap();
        hold.release();
    });
    let error = lost.unwrap_err();
    assert!(matches!(&error, CommitError::InputGone { file, snapshot: 5 } if file == "data-a-2.parquet"), "{error}");
    assert!(first.is_settled());
    assert_eq!(live_names(&table).await, names(&["a-1", "d"]));
}

/// F20.
#[tokio::test]
async fn nothing_that_was_overwritten_meanwhile_comes_back() {
    let clean = memory();
    let table = filled(&clean, 2, &[]).await;
    let inputs = live(&table).await;
    let (store, storage) = faulty(&clean);
    let mut compactor = compactor(&open(&storage).await, "c", 1).await;
    let hold = store.hold(|call| creates(call, 3));
    let request = exchange(inputs, "data-c.parquet");
    let (lost, ()) = futures::join!(compactor.commit(&request), async {
        hold.arrived(1).await;
        overwrite(&table).await;
        append(&table, "b", 1).await;
        hold.release();
    });
    assert!(matches!(lost, Err(CommitError::InputGone { snapshot: 4, .. })), "{lost:?}");
    assert!(compactor.is_settled());
    assert_eq!(live_names(&table).await, names(&["b-1"]));
}

#[tokio::test]
async fn files_may_go_only_when_no_create_can_take_effect_any_more() {
    let clean = memory();
    let table = filled(&clean, 2, &[]).await;
    let request = exchange(live(&table).await, "data-c.parquet");
    let (store, storage) = faulty(&clean);
    let mut compactor = compactor(&open(&storage).await, "c", 1).await;
    assert!(compactor.is_settled());
    store.set_plan(|call| if call.op == Op::Put { Fault::ErrorBefore } else { Fault::None });
    compactor.commit(&request).await.unwrap_err();
    assert!(compactor.is_settled(), "nothing was tried");

    let mut sent = false;
    store.set_plan(move |call| {
        sent |= creates(call, 3);
        match (sent, call.op) {
            (true, Op::Create) => Fault::ErrorAfter,
            (true, _) => Fault::ErrorBefore,
            _ => Fault::None,
        }
    });
    compactor.commit(&request).await.unwrap_err();
    assert!(!compactor.is_settled(), "it is in the table, and nobody could tell");
    store.set_plan(|_| Fault::None);
    // Its inputs are gone, by its own hand.
    let found = compactor.commit(&request).await.unwrap();
    assert!(found.already && compactor.is_settled());
    assert_eq!(live_names(&table).await, names(&["c"]));
}

/// F21.
#[tokio::test(start_paused = true)]
async fn a_compaction_killed_at_any_store_call_leaves_the_rows_and_the_next_one_succeeds() {
    for number in 1.. {
        let mut reached = false;
        for moment in [Moment::BeforeEffect, Moment::AfterEffect] {
            let clean = memory();
            let table = filled(&clean, 3, &[("manifest.merge-min-count", "2")]).await;
            let (store, storage) = faulty(&clean);
            store.crash_at(number, moment);
            let schema = (**table.schema()).clone();
            let doomed = Table::with_schema(table.identifier().clone(), storage, schema, Arc::new(FilesystemCommit));
            let doomed = doomed.unwrap();
            let request = exchange(live(&table).await, "data-c.parquet");
            let run = async {
                let user = CommitUser::new("c");
                let mut compactor = Committer::try_open_new(doomed, user, sim_env(1, EPOCH)).await?;
                compactor.commit(&request).await
            };
            tokio::select! {
                _ = run => {}
                () = store.crashed() => reached = true,
            }
            let left = live(&table).await;
            assert_eq!(left.iter().map(|entry| entry.file.row_count).sum::<i64>(), 3);
            append(&table, "b", 1).await;
            compactor(&table, "d", 2).await.commit(&exchange(left, "data-d.parquet")).await.unwrap();
            assert_eq!(live_names(&table).await, names(&["b-1", "d"]));
        }
        if !reached {
            assert!(number > 8, "the run made only {number} calls");
            break;
        }
    }
}

/// Appends and compactions in any order, with manifests merged at every occasion, in runs and in full: every
/// row stays once.
#[tokio::test]
async fn merged_manifests_keep_every_row_through_any_order_of_commits() {
    let options: [&[(&str, &str)]; 3] = [
        &[("manifest.merge-min-count", "2")],
        &[("manifest.merge-min-count", "3"), ("manifest.full-compaction-threshold-size", "4 kb")],
        &[
            ("manifest.merge-min-count", "30"),
            ("manifest.full-compaction-threshold-size", "8 kb"),
            ("manifest.target-file-size", "3 kb"),
        ],
    ];
    for (seed, options) in (0..9_u64).zip(options.iter().cycle()) {
        let random = sim_env(seed, EPOCH).random;
        let table = create(&memory(), options).await;
        let mut appender = committer(&table, "a", seed).await;
        let mut rows: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for step in 1..=60 {
            let files = live(&table).await;
            if files.len() < 2 || !random.next_u64().is_multiple_of(3) {
                appender.commit(&request("a", step)).await.unwrap();
                rows.insert(format!("data-a-{step}.parquet"), vec![step]);
                continue;
            }
            let skip = (random.next_u64() % (files.len() as u64 - 1)) as usize;
            let take = 2 + (random.next_u64() % 4) as usize;
            let inputs: Vec<_> = files.into_iter().skip(skip).take(take).collect();
            let output = format!("data-c-{step}.parquet");
            let merged = inputs.iter().flat_map(|input| rows.remove(&input.file.file_name).unwrap()).collect();
            rows.insert(output.clone(), merged);
            compactor(&table, &format!("c{step}"), step as u64).await.commit(&exchange(inputs, &output)).await.unwrap();
        }
        let expected: Vec<_> = rows.iter().map(|(name, rows)| (name.clone(), rows.len() as i64)).collect();
        let mut found: Vec<_> =
            live(&table).await.into_iter().map(|entry| (entry.file.file_name, entry.file.row_count)).collect();
        found.sort();
        assert_eq!(found, expected, "seed {seed}");
    }
}
