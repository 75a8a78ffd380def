//! Whole runs over a store in memory: the rows before are the rows after, whatever happens meanwhile.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{AsArray, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::Int32Type;
use futures::TryStreamExt;
use object_store::ObjectStore;
use object_store::memory::InMemory;
use object_store::path::Path;
use paimon_format::{BinaryRow, CommitKind, DataField, Datum, FileSource, ManifestEntry, TableSchema, TypeRoot};
use paimon_table::commit::{CommitIdentifier, CommitRequest, CommitUser, Committer, NewFile};
use paimon_table::expire::{ExpirePolicy, expire};
use paimon_table::partition_text;
use paimon_table::port::FilesystemCommit;
use paimon_table::read::read_file;
use paimon_table::scan::plan_scan;
use paimon_table::store::Storage;
use paimon_table::table::{Table, TableIdentifier, schema_path};
use paimon_table::write::{DataFileWriter, WriterSpec, append_meta};
use tokio_util::sync::CancellationToken;
use tributary_runtime::{Drain, Executor, MemoryBudget};
use tributary_testkit::{Call, Fault, FaultStore, Moment, Op, sim_env};

use crate::sort::{MIN_MEMORY_BYTES, OrderStrategy, SortSpec};
use crate::{CompactError, Compaction, Progress, Request, Resources, RunReport, Strategy};

mod copies;
mod survey;

const EPOCH: i64 = 1_790_000_000_000;
const DAY: &str = "2026-01-01";

fn memory() -> Storage {
    Storage::new(Arc::new(InMemory::new()), Path::from("warehouse/db.db/t"))
}

fn faulty(storage: &Storage) -> (FaultStore, Storage) {
    let store = FaultStore::new(Arc::clone(&storage.store));
    (store.clone(), Storage::new(Arc::new(store), storage.root.clone()))
}

/// `(id INT, v STRING, dt STRING)` partitioned by `dt`.
fn schema(options: &[(&str, &str)]) -> TableSchema {
    let field = |id, name: &str, text: &str| DataField::new(id, name, text.parse().unwrap());
    let fields = vec![field(0, "id", "INT"), field(1, "v", "STRING"), field(2, "dt", "STRING")];
    let options = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    TableSchema::new(fields, vec!["dt".to_owned()], options, None, EPOCH)
}

async fn create(storage: &Storage, options: &[(&str, &str)]) -> Table {
    storage.put(&schema_path(0), schema(options).to_json().unwrap().into()).await.unwrap();
    open(storage).await
}

async fn open(storage: &Storage) -> Table {
    Table::load(TableIdentifier::new("db", "t"), storage.clone(), Arc::new(FilesystemCommit)).await.unwrap()
}

/// Commits one file of these ids.
async fn append(table: &Table, dt: &str, ids: std::ops::Range<i32>) {
    let schema = table.schema();
    let spec = WriterSpec::try_new(&schema.fields, table.options(), usize::MAX).unwrap();
    let text = |id: i32| (id % 3 != 0).then(|| format!("v{id}"));
    let mut columns: Vec<arrow::array::ArrayRef> = vec![
        Arc::new(Int32Array::from_iter_values(ids.clone())),
        Arc::new(StringArray::from_iter(ids.clone().map(text))),
        Arc::new(StringArray::from_iter_values(ids.clone().map(|_| dt))),
    ];
    for field in &spec.arrow_schema().fields()[3..] {
        columns.push(arrow::array::new_null_array(field.data_type(), ids.len()));
    }
    let batch = RecordBatch::try_new(Arc::clone(spec.arrow_schema()), columns).unwrap();
    let mut writer = DataFileWriter::try_new(&spec, &batch).unwrap();
    writer.write(&batch).unwrap();
    let mut bytes = Vec::new();
    while let Some(piece) = writer.drain_encoded() {
        bytes.extend_from_slice(&piece);
    }
    let finished = writer.finish().unwrap();
    finished.tail.iter().for_each(|piece| bytes.extend_from_slice(piece));
    let name = format!("data-{dt}-{}-{}.parquet", ids.start, ids.end);
    table.storage().put(&format!("dt={dt}/bucket-0/{name}"), bytes.into()).await.unwrap();
    let partition = BinaryRow::encode(&[TypeRoot::Varchar(i32::MAX as u32)], &[Some(Datum::String(dt.to_owned()))]);
    let meta = append_meta(&name, &finished.summary, schema.id, EPOCH);
    let request = CommitRequest {
        identifier: CommitIdentifier(1),
        kind: CommitKind::Append,
        added: vec![NewFile { partition: partition.unwrap(), bucket: 0, meta }],
        removed: Vec::new(),
        properties: BTreeMap::new(),
        watermark: None,
    };
    let seed = (ids.start as u64) << 32 | u64::from(dt.as_bytes()[dt.len() - 1]);
    let user = CommitUser::new(format!("writer-{seed}"));
    Committer::try_open_new(table.clone(), user, sim_env(seed, EPOCH)).await.unwrap().commit(&request).await.unwrap();
}

async fn files(table: &Table) -> Vec<ManifestEntry> {
    plan_scan(table, None, None, &Executor::inline()).await.unwrap().files
}

/// Every row, sorted.
async fn rows(table: &Table) -> Vec<(i32, Option<String>, String)> {
    let mut rows = Vec::new();
    for entry in files(table).await {
        let batches: Vec<RecordBatch> =
            read_file(table, &entry, &table.schema().fields).await.unwrap().try_collect().await.unwrap();
        for batch in batches {
            let (ids, texts, dts) = (
                batch.column(0).as_primitive::<Int32Type>(),
                batch.column(1).as_string::<i32>(),
                batch.column(2).as_string::<i32>(),
            );
            let row = |at: usize| {
                let text = texts.iter().nth(at).flatten().map(str::to_owned);
                (ids.value(at), text, dts.value(at).to_owned())
            };
            rows.extend((0..batch.num_rows()).map(row));
        }
    }
    rows.sort();
    rows
}

/// The data files in the store, live or not.
async fn stored(storage: &Storage) -> usize {
    let objects: Vec<_> = storage.store.list(Some(&storage.root)).try_collect().await.unwrap();
    objects.iter().filter(|object| object.location.as_ref().ends_with(".parquet")).count()
}

fn resources() -> Resources {
    Resources { memory: MemoryBudget::new(256 << 20), parallelism: 2, spill_folder: std::env::temp_dir() }
}

fn compaction(table: &Table, request: Request, seed: u64) -> Compaction {
    Compaction::new(table.clone(), request, sim_env(1_000_000 + seed, EPOCH))
}

async fn run(table: &Table, request: Request, seed: u64) -> Result<RunReport, CompactError> {
    let run = compaction(table, request, seed);
    let done = run.run(&resources(), Arc::new(|_| ()), &CancellationToken::new()).await;
    done.map_err(|unfinished| unfinished.error)
}

fn full() -> Request {
    Request { strategy: Strategy::Full, ..Request::default() }
}

fn ordered(strategy: OrderStrategy, columns: &[&str]) -> Request {
    let columns: Vec<_> = columns.iter().map(|column| (*column).to_owned()).collect();
    let spec = SortSpec::try_new(strategy, &columns, &schema(&[]).fields).unwrap();
    Request { strategy: Strategy::Ordered(spec), ..Request::default() }
}

/// Of each kind, those that rewrite two files or more of any size.
fn every_kind() -> [Request; 4] {
    let idle = Request { partition_idle_time: Some(Duration::ZERO), ..Request::default() };
    let curve = |strategy| ordered(strategy, &["v", "id"]);
    [idle, full(), curve(OrderStrategy::Zorder), curve(OrderStrategy::Hilbert)]
}

fn creates_snapshot(call: &Call) -> bool {
    call.op == Op::Create && call.path.filename().is_some_and(|name| name.starts_with("snapshot-"))
}

#[tokio::test]
async fn small_files_become_one_and_the_rows_stay() {
    let table = create(&memory(), &[]).await;
    for number in 0..6 {
        append(&table, DAY, number * 10..number * 10 + 10).await;
        append(&table, "2026-01-02", number * 10..number * 10 + 1).await;
    }
    append(&table, "2026-01-03", 0..2).await;
    let before = rows(&table).await;
    let plan = compaction(&table, Request::default(), 1).plan().await.unwrap();
    assert_eq!((plan.snapshot.unwrap().0, plan.tasks.len(), plan.file_count()), (13, 2, 12));

    let report = run(&table, Request::default(), 1).await.unwrap();
    assert_eq!(rows(&table).await, before);
    assert_eq!((report.tasks, report.abandoned, report.snapshots.len()), (2, 0, 1));
    assert_eq!((report.before.files, report.after.files), (12, 2));
    assert_eq!((report.before.rows, report.after.rows), (66, 66));
    let merged: Vec<_> = files(&table).await;
    assert_eq!(merged.len(), 3);
    for entry in merged.iter().filter(|entry| entry.file.file_source == Some(FileSource::Compact)) {
        let file = &entry.file;
        assert_eq!((file.min_sequence_number, file.max_sequence_number), (0, file.row_count - 1));
        assert_eq!((file.schema_id, file.level, file.delete_row_count), (0, 0, Some(0)));
    }
    let snapshot = table.latest_snapshot().await.unwrap().unwrap();
    assert_eq!((snapshot.commit_kind, snapshot.delta_record_count), (CommitKind::Compact, 0));
    assert!(snapshot.commit_user.starts_with("tributary-compact-"), "{}", snapshot.commit_user);
    // There is nothing left to do, and nothing is committed for nothing.
    assert_eq!(run(&table, Request::default(), 2).await.unwrap(), RunReport::default());
    assert_eq!(run(&table, full(), 3).await.unwrap(), RunReport::default());
}

#[tokio::test]
async fn only_the_partitions_that_were_asked_for_are_touched() {
    let table = create(&memory(), &[]).await;
    for number in 0..3 {
        append(&table, DAY, number..number + 1).await;
        append(&table, "2026-01-02", number..number + 1).await;
    }
    let before = rows(&table).await;
    let partitions = Some(partition_text::parse("dt=2026-01-02", table.schema()).unwrap());
    let report = run(&table, Request { partitions, ..full() }, 1).await.unwrap();
    assert_eq!((report.before.files, report.after.files), (3, 1));
    // Written at the epoch, which is now: nobody has been idle yet.
    let idle = |seconds| Request { partition_idle_time: Some(Duration::from_secs(seconds)), ..Request::default() };
    assert_eq!(run(&table, idle(1), 2).await.unwrap().tasks, 0);
    assert_eq!(run(&table, idle(0), 3).await.unwrap().before.files, 3);
    assert_eq!((rows(&table).await, files(&table).await.len()), (before, 2));
}

#[tokio::test]
async fn outputs_end_at_the_target_and_continue_the_sequence() {
    let table = create(&memory(), &[("target-file-row-num", "25000"), ("target-file-size", "1 gb")]).await;
    for number in 0..5 {
        append(&table, DAY, number * 16_000..number * 16_000 + 16_000).await;
    }
    let report = run(&table, full(), 1).await.unwrap();
    assert_eq!((report.before.files, report.before.rows, report.after.rows), (5, 80_000, 80_000));
    let mut next = 0;
    for entry in files(&table).await {
        assert_eq!(entry.file.min_sequence_number, next);
        next = entry.file.max_sequence_number + 1;
        assert!(entry.file.row_count <= 25_000, "{}", entry.file.row_count);
    }
    assert_eq!((next, report.after.files), (80_000, 4));
    assert_eq!(rows(&table).await.len(), 80_000);
}

#[tokio::test]
async fn files_of_an_older_schema_become_files_of_the_newest() {
    let storage = memory();
    let table = create(&storage, &[]).await;
    append(&table, DAY, 0..5).await;
    let mut newer = TableSchema { id: 1, ..schema(&[]) };
    newer.fields.push(DataField::new(3, "new", "BIGINT".parse().unwrap()));
    storage.put(&schema_path(1), newer.to_json().unwrap().into()).await.unwrap();
    let table = open(&storage).await;
    append(&table, DAY, 5..10).await;
    let before = rows(&table).await;
    run(&table, full(), 1).await.unwrap();
    let files = files(&table).await;
    assert_eq!((files.len(), files[0].file.schema_id), (1, 1));
    assert_eq!(rows(&table).await, before);
}

/// F18, with real files.
#[tokio::test]
async fn rows_appended_while_a_compaction_commits_survive() {
    for request in every_kind() {
        let clean = memory();
        let table = create(&clean, &[]).await;
        for number in 0..5 {
            append(&table, DAY, number..number + 1).await;
        }
        let (store, storage) = faulty(&clean);
        let watched = open(&storage).await;
        let hold = store.hold(creates_snapshot);
        let (report, ()) = futures::join!(run(&watched, request, 1), async {
            hold.arrived(1).await;
            for number in 5..8 {
                append(&table, DAY, number..number + 1).await;
            }
            hold.release();
        });
        assert_eq!(report.unwrap().snapshots[0].0, 9);
        let latest = table.latest_snapshot().await.unwrap().unwrap();
        assert_eq!(latest.commit_kind, CommitKind::Compact);
        let ids: Vec<i32> = rows(&table).await.into_iter().map(|row| row.0).collect();
        assert_eq!((ids, files(&table).await.len()), ((0..8).collect(), 4));
    }
}

/// F19.
#[tokio::test]
async fn of_two_compactors_one_gives_up_its_task_and_its_outputs() {
    let clean = memory();
    let table = create(&clean, &[]).await;
    for number in 0..3 {
        append(&table, DAY, number..number + 1).await;
        append(&table, "2026-01-02", number..number + 1).await;
    }
    let before = rows(&table).await;
    let (store, storage) = faulty(&clean);
    let slow = open(&storage).await;
    let hold = store.hold(creates_snapshot);
    let only = Some(partition_text::parse(&format!("dt={DAY}"), table.schema()).unwrap());
    let (report, ()) = futures::join!(run(&slow, full(), 1), async {
        hold.arrived(1).await;
        run(&table, Request { partitions: only, ..full() }, 2).await.unwrap();
        hold.release();
    });
    let report = report.unwrap();
    // The other partition's task was committed with it, and goes on without it.
    assert_eq!((report.tasks, report.abandoned, report.before.files), (1, 1, 3));
    assert_eq!((rows(&table).await, files(&table).await.len()), (before, 2));
    assert_eq!(stored(&clean).await, 6 + 2);
}

/// F20: what it is about to read is replaced, and expires.
#[tokio::test]
async fn inputs_that_expire_while_they_are_read_cost_the_task_and_nothing_else() {
    let clean = memory();
    let table = create(&clean, &[]).await;
    for number in 0..3 {
        append(&table, DAY, number..number + 1).await;
        append(&table, "2026-01-02", number..number + 1).await;
    }
    let before = rows(&table).await;
    let (store, storage) = faulty(&clean);
    let slow = open(&storage).await;
    let hold = store.hold(|call| call.op == Op::Get && call.path.as_ref().contains(&format!("dt={DAY}/")));
    let only = Some(partition_text::parse(&format!("dt={DAY}"), table.schema()).unwrap());
    let (report, ()) = futures::join!(run(&slow, full(), 1), async {
        hold.arrived(1).await;
        run(&table, Request { partitions: only, ..full() }, 2).await.unwrap();
        let policy =
            ExpirePolicy { retain_max: 1, retain_min: 1, time_retained: Duration::ZERO, max_deletes: u64::MAX };
        let report = expire(&table, &policy, &sim_env(3, EPOCH + 1), &Drain::new()).await.unwrap();
        assert_eq!(report.reclaimed.data_files, 3);
        hold.release();
    });
    let report = report.unwrap();
    assert_eq!((report.tasks, report.abandoned), (1, 1));
    assert_eq!((rows(&table).await, files(&table).await.len()), (before, 2));
}

/// F21.
#[tokio::test(start_paused = true)]
async fn a_run_killed_at_any_store_call_leaves_orphans_only() {
    for request in every_kind() {
        killed_at_any_store_call(request).await;
    }
}

async fn killed_at_any_store_call(request: Request) {
    for number in 1.. {
        let mut reached = false;
        for moment in [Moment::BeforeEffect, Moment::AfterEffect] {
            let clean = memory();
            let table = create(&clean, &[]).await;
            for number in 0..3 {
                append(&table, DAY, number..number + 1).await;
            }
            let before = rows(&table).await;
            let (store, storage) = faulty(&clean);
            let doomed = open(&storage).await;
            store.crash_at(store.calls().len() as u64 + number, moment);
            tokio::select! {
                _ = run(&doomed, request.clone(), 1) => {}
                () = store.crashed() => reached = true,
            }
            assert_eq!(rows(&table).await, before);
            run(&table, request.clone(), 2).await.unwrap();
            assert_eq!((rows(&table).await, files(&table).await.len()), (before, 1));
        }
        if !reached {
            assert!(number > 15, "the run made only {number} calls");
            break;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_fails_or_is_cancelled_removes_what_it_wrote() {
    for case in ["put", "create", "cancel"] {
        let clean = memory();
        let table = create(&clean, &[]).await;
        for number in 0..3 {
            append(&table, DAY, number..number + 1).await;
        }
        let (store, storage) = faulty(&clean);
        let watched = open(&storage).await;
        let cancel = CancellationToken::new();
        let hold = (case == "cancel").then(|| store.hold(|call| call.path.as_ref().ends_with(".parquet")));
        store.set_plan(move |call| match (case, call.op) {
            ("create", Op::Create) => Fault::ErrorBefore,
            ("put", Op::Put) if call.path.as_ref().contains("manifest") => Fault::Denied,
            _ => Fault::None,
        });
        let compaction = compaction(&watched, full(), 1);
        let resources = resources();
        let (done, ()) = futures::join!(compaction.run(&resources, Arc::new(|_| ()), &cancel), async {
            if let Some(hold) = hold {
                hold.arrived(1).await;
                cancel.cancel();
            }
        });
        let error = done.unwrap_err();
        assert_eq!(matches!(error.error, CompactError::Cancelled), case == "cancel", "{error}");
        // What was created may still be: nobody saw it refused.
        let kept = if case == "create" { 4 } else { 3 };
        assert_eq!(stored(&clean).await, kept, "{case}: {error}");
        assert_eq!(files(&table).await.len(), 3);
    }
}

#[tokio::test]
async fn an_index_that_files_belong_to_is_refused_by_name() {
    let storage = memory();
    let table = create(&storage, &[]).await;
    append(&table, DAY, 0..1).await;
    let mut snapshot = (*table.latest_snapshot().await.unwrap().unwrap()).clone();
    snapshot.index_manifest = Some("index-manifest-7".to_owned());
    storage.put("snapshot/snapshot-1", snapshot.to_json().unwrap().into()).await.unwrap();
    let error = run(&table, full(), 1).await.unwrap_err();
    assert!(
        error.to_string().contains("snapshot 1 cannot be compacted: it has an index (index-manifest-7)"),
        "{error}"
    );
}

#[tokio::test]
async fn progress_ends_where_the_plan_ends() {
    let table = create(&memory(), &[]).await;
    for number in 0..5 {
        append(&table, DAY, number..number + 1).await;
    }
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let told = Arc::clone(&seen);
    let on_progress = Arc::new(move |progress: Progress| told.lock().unwrap().push(progress));
    compaction(&table, full(), 1).run(&resources(), on_progress, &CancellationToken::new()).await.unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!(seen[0], Progress { tasks: 1, rows: 5, ..Progress::default() });
    assert_eq!(seen.last(), Some(&Progress { tasks: 1, tasks_done: 1, rows: 5, rows_read: 5, rows_written: 5 }));
}

#[tokio::test]
async fn progress_of_an_ordered_task_moves_while_it_takes_its_rows_in() {
    let table = create(&memory(), &[]).await;
    for number in 0..5 {
        append(&table, DAY, number..number + 1).await;
    }
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let told = Arc::clone(&seen);
    let on_progress =
        Arc::new(move |now: Progress| told.lock().unwrap().push((now.rows_read, now.rows_written, now.tasks_done)));
    let request = ordered(OrderStrategy::Order, &["id"]);
    compaction(&table, request, 1).run(&resources(), on_progress, &CancellationToken::new()).await.unwrap();
    let expected = [(0, 0, 0), (1, 0, 0), (2, 0, 0), (3, 0, 0), (4, 0, 0), (5, 0, 0), (5, 5, 0), (5, 5, 1)];
    assert_eq!(*seen.lock().unwrap(), expected);
}

/// The ids of every file, in the order of the rows; files in the order of their first.
async fn ids_by_file(table: &Table) -> Vec<Vec<i32>> {
    let mut all = Vec::new();
    for entry in files(table).await {
        let batches: Vec<RecordBatch> =
            read_file(table, &entry, &table.schema().fields).await.unwrap().try_collect().await.unwrap();
        let ids = batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int32Type>().values().to_vec());
        all.push(ids.collect::<Vec<i32>>());
    }
    all.sort();
    all
}

#[tokio::test]
async fn ordered_rows_lie_in_order_in_files_of_the_target_size() {
    let table = create(&memory(), &[("target-file-row-num", "25000"), ("target-file-size", "1 gb")]).await;
    // The last file alone is larger than the target.
    for range in [40_000..50_000, 0..10_000, 10_000..40_000] {
        append(&table, DAY, range).await;
    }
    append(&table, "2026-01-02", 0..1).await;
    let before = rows(&table).await;
    let request = ordered(OrderStrategy::Order, &["id"]);
    let report = run(&table, request.clone(), 1).await.unwrap();
    assert_eq!((report.tasks, report.before.files, report.after.files, report.spilled_bytes), (2, 4, 3, 0));
    assert_eq!(rows(&table).await, before);
    let files = ids_by_file(&table).await;
    let ids: Vec<i32> = files[1..].iter().chain(&files[..1]).flatten().copied().collect();
    assert_eq!(files.iter().map(Vec::len).collect::<Vec<_>>(), [1, 25_000, 25_000]);
    assert_eq!(ids, (0..50_000).chain([0]).collect::<Vec<_>>());
    // A minor compaction has nothing to do with them.
    assert_eq!(run(&table, Request::default(), 2).await.unwrap().tasks, 0);
    assert_eq!(run(&table, full(), 3).await.unwrap().tasks, 0);
}

#[tokio::test]
async fn a_partition_is_put_in_order_again_only_when_something_came_or_another_order_is_asked_for() {
    let table = create(&memory(), &[]).await;
    for (day, ids) in [(DAY, 0..10), (DAY, 10..20), ("2026-01-02", 0..1)] {
        append(&table, day, ids).await;
    }
    let by_id = || ordered(OrderStrategy::Order, &["id"]);
    let by = |columns: &[&str]| ordered(OrderStrategy::Order, columns);
    let turns = [(by_id(), 2), (by_id(), 0), (by(&["id", "v"]), 2), (by_id(), 2), (by(&["v"]), 2), (by_id(), 2)];
    for (seed, (request, expected)) in (10..).zip(turns) {
        assert_eq!(run(&table, request.clone(), seed).await.unwrap().tasks, expected, "{request:?}");
    }
    append(&table, DAY, 20..30).await;
    assert_eq!(run(&table, by_id(), 2).await.unwrap().tasks, 1);
    // What a minor compaction puts together with new files is in no order.
    append(&table, DAY, 30..40).await;
    run(&table, full(), 3).await.unwrap();
    assert_eq!(run(&table, by_id(), 4).await.unwrap().tasks, 1);
    assert_eq!(run(&table, by_id(), 5).await.unwrap().tasks, 0);
}

#[tokio::test]
async fn rows_that_do_not_fit_into_memory_are_spilled_and_ordered_all_the_same() {
    let table = create(&memory(), &[]).await;
    for number in 0..4 {
        append(&table, DAY, number * 100_000..number * 100_000 + 100_000).await;
    }
    let before = rows(&table).await;
    let spill_folder = tempfile::tempdir().unwrap();
    let resources = Resources {
        memory: MemoryBudget::new(MIN_MEMORY_BYTES),
        parallelism: 2,
        spill_folder: spill_folder.path().to_owned(),
    };
    let compaction = compaction(&table, ordered(OrderStrategy::Order, &["v", "id"]), 1);
    let report = compaction.run(&resources, Arc::new(|_| ()), &CancellationToken::new()).await.unwrap();
    assert!(report.spilled_bytes > 1 << 20, "{report:?}");
    assert_eq!(spill_folder.path().read_dir().unwrap().count(), 0);
    assert_eq!(rows(&table).await, before);
    // Null first, then by text.
    let ids = ids_by_file(&table).await.concat();
    let key = |id: &i32| ((id % 3 != 0).then(|| format!("v{id}")), *id);
    assert!(ids.is_sorted_by_key(key));
    assert_eq!(ids.len(), 400_000);
}
