//! Jobs from their text to the rows in the table, in memory and on a paused clock; and what is refused, with its
//! message.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use futures::TryStreamExt;
use object_store::ObjectStore;
use object_store::memory::InMemory;
use paimon_catalog::{Catalog, FilesystemCatalog, Table, TableIdentifier};
use paimon_table::read::read_file;
use paimon_table::scan::plan_scan;
use paimon_table::store::{Storage, StorageOptions};
use tributary_runtime::{Classify, Drain, Env, FailureKind, Random};
use tributary_sink::SinkMetrics;
use tributary_testkit::{Fault, FaultStore, Moment, Op, sim_env};

use super::*;

mod statements;

/// 2026-11-22 18:04:05.123 UTC.
const EPOCH: i64 = 1_795_370_645_123;

/// Another seed for every start of a process: file names are drawn from it.
fn env() -> Env {
    static STARTS: AtomicU64 = AtomicU64::new(0);
    sim_env(STARTS.fetch_add(1, Ordering::Relaxed), EPOCH)
}

fn defaults() -> JobDefaults {
    JobDefaults {
        checkpoint_interval: Duration::from_secs(10),
        parallelism: None,
        zone: Zone::UTC,
        storage: StorageOptions { fsync: false, ..StorageOptions::default() },
    }
}

async fn plans(mode: Mode, text: &str, env: &Env) -> Result<Vec<PipelinePlan>, JobError> {
    let mut session = Session::new(mode, defaults(), env.clone());
    let script = tributary_statement::parse("job.sql", text, &|_| Err("not set".into()))?;
    session.apply(&script, Path::new("/jobs/job.sql")).await?;
    session.into_plans()
}

fn setup(env: &Env, drain: &Drain) -> JobSetup {
    JobSetup {
        env: env.clone(),
        drain: drain.clone(),
        drain_deadline: Duration::from_secs(25),
        memory_bytes: 64 << 20,
        metrics: SinkMetrics::register(&prometheus::Registry::new()).unwrap(),
    }
}

async fn run(text: &str) -> Result<JobHandle, JobError> {
    let env = env();
    let job = Job::new(plans(Mode::Run, text, &env).await?, setup(&env, &Drain::new()));
    let handle = job.handle();
    job.run().await?;
    Ok(handle)
}

async fn table(warehouse: &str, database: &str, name: &str) -> Table {
    let catalog = FilesystemCatalog::try_open(&format!("memory:{warehouse}"), &env()).unwrap();
    catalog.load_table(&TableIdentifier::new(database, name)).await.unwrap()
}

async fn rows(table: &Table) -> Vec<RecordBatch> {
    let plan = plan_scan(table, None, None, &env().executor).await.unwrap();
    let mut batches = Vec::new();
    for entry in &plan.files {
        let stream = read_file(table, entry, &table.schema().fields).await.unwrap();
        batches.extend(stream.try_collect::<Vec<_>>().await.unwrap());
    }
    batches
}

fn longs(batches: &[RecordBatch], column: &str) -> Vec<i64> {
    let mut values: Vec<i64> = batches
        .iter()
        .flat_map(|batch| batch.column_by_name(column).unwrap().as_primitive::<Int64Type>().values().to_vec())
        .collect();
    values.sort_unstable();
    values
}

/// A catalog in memory, a source of the numbers 1 to `end`, and what follows.
fn numbers(warehouse: &str, end: u64, rest: &str) -> String {
    format!(
        "CREATE CATALOG m WITH ('type' = 'paimon', 'warehouse' = 'memory:{warehouse}');
         CREATE TABLE IF NOT EXISTS m.db.t (id BIGINT, hh STRING) PARTITIONED BY (hh) WITH ('write-only' = 'true');
         CREATE TEMPORARY TABLE numbers (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '1000',
           'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '{end}');
         {rest}"
    )
}

const INSERT: &str = "INSERT INTO m.db.t SELECT id, CAST(HOUR(LOCALTIMESTAMP) AS STRING) FROM numbers;";

#[tokio::test(start_paused = true)]
async fn the_tutorials_job_writes_what_it_says() {
    let text = "
        CREATE CATALOG paimon WITH ('type' = 'paimon', 'warehouse' = 'memory:tutorial');
        CREATE TABLE IF NOT EXISTS `paimon`.`test_paimon_db`.`test_append_tbl` (id STRING, data STRING, category INT,
          ts STRING, dt STRING, hh STRING) PARTITIONED BY (dt, hh) WITH ('write-only' = 'true');
        CREATE TEMPORARY TABLE datagen (id STRING, data STRING, category INT) WITH ('connector' = 'datagen',
          'rows-per-second' = '100', 'number-of-rows' = '250', 'fields.category.kind' = 'random',
          'fields.category.min' = '1', 'fields.category.max' = '10');
        INSERT INTO `paimon`.`test_paimon_db`.`test_append_tbl` SELECT id, data, category,
          CAST(LOCALTIMESTAMP AS STRING) AS ts, CAST(CURRENT_DATE AS STRING) AS dt,
          CAST(HOUR(LOCALTIMESTAMP) AS STRING) AS hh FROM datagen;";
    let handle = run(text).await.unwrap();
    let status = &handle.status()[0];
    assert_eq!(status.id.as_str(), "job.test_paimon_db.test_append_tbl.1");
    assert_eq!((status.state, status.rows_received, status.rows_committed), (PipelineState::Finished, 250, 250));
    let table = table("tutorial", "test_paimon_db", "test_append_tbl").await;
    let batches = rows(&table).await;
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 250);
    let (mut ids, mut stamps) = (BTreeSet::new(), BTreeSet::new());
    for batch in &batches {
        let text =
            |name: &str, row: usize| batch.column_by_name(name).unwrap().as_string::<i32>().value(row).to_owned();
        for row in 0..batch.num_rows() {
            ids.insert(text("id", row));
            stamps.insert(text("ts", row));
            assert_eq!((text("dt", row).as_str(), text("hh", row).as_str()), ("2026-11-22", "18"));
        }
    }
    assert_eq!(ids.len(), 250);
    assert!(stamps.iter().all(|ts| ts.starts_with("2026-11-22 18:04:0") && ts.len() == 23), "{stamps:?}");
}

#[tokio::test(start_paused = true)]
async fn a_drained_job_continues_where_it_stopped() {
    let text = numbers("continue", 5_000, INSERT);
    let mut starts = 0;
    loop {
        starts += 1;
        let (env, drain) = (env(), Drain::new());
        let job = Job::new(plans(Mode::Run, &text, &env).await.unwrap(), setup(&env, &drain));
        let handle = job.handle();
        let stop = async {
            tokio::time::sleep(Duration::from_millis(1_700)).await;
            drain.request(Duration::from_secs(25));
            std::future::pending::<()>().await;
        };
        tokio::select! {
            ended = job.run() => ended.unwrap(),
            () = stop => {}
        }
        assert_eq!(handle.status()[0].state, PipelineState::Finished);
        let ids = longs(&rows(&table("continue", "db", "t").await).await, "id");
        assert!(ids.iter().copied().eq(1..=ids.len() as i64), "{starts} starts");
        if ids.len() == 5_000 {
            break;
        }
    }
    assert!(starts > 2, "{starts}");
}

#[tokio::test(start_paused = true)]
async fn a_finished_job_started_again_adds_nothing() {
    let text = numbers("again", 300, INSERT);
    for _ in 0..3 {
        run(&text).await.unwrap();
    }
    assert_eq!(longs(&rows(&table("again", "db", "t").await).await, "id").len(), 300);
}

#[tokio::test(start_paused = true)]
async fn another_source_under_the_same_name_is_refused() {
    let text = numbers("identity", 300, INSERT);
    run(&text).await.unwrap();
    let changed = text.replace("'fields.id.start' = '1'", "'fields.id.start' = '2'");
    let error = run(&changed).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Usage);
    let message = error.to_string();
    assert!(message.contains("pipeline job.db.t.1: ") && message.contains("another source"), "{message}");
    assert!(message.contains("`fields`") && message.contains("pipeline.name"), "{message}");
    let renamed = changed.replace(INSERT, &format!("SET 'pipeline.name' = 'second'; {INSERT}"));
    run(&renamed).await.unwrap();
    assert_eq!(longs(&rows(&table("identity", "db", "t").await).await, "id").len(), 300 + 299);
}

#[tokio::test(start_paused = true)]
async fn two_inserts_are_two_pipelines_and_where_applies() {
    let text = numbers(
        "two",
        100,
        "INSERT INTO m.db.t SELECT id, 'a' FROM numbers WHERE id <= 30;
         INSERT INTO m.db.t SELECT id + 1000, 'b' FROM numbers AS n WHERE n.id % 2 = 0;",
    );
    let handle = run(&text).await.unwrap();
    let ids: Vec<_> = handle.status().into_iter().map(|status| status.id.to_string()).collect();
    assert_eq!(ids, ["job.db.t.1", "job.db.t.2"]);
    let found = longs(&rows(&table("two", "db", "t").await).await, "id");
    let expected: Vec<i64> = (1..=30).chain((1..=50).map(|n| 1000 + 2 * n)).collect();
    assert_eq!(found, expected);
}

#[tokio::test(start_paused = true)]
async fn a_failing_pipeline_drains_the_others() {
    let text = numbers(
        "failing",
        1_000_000,
        "INSERT INTO m.db.t SELECT id, 'a' FROM numbers;
         INSERT INTO m.db.t SELECT 10 / (id - 500), 'b' FROM numbers;",
    );
    let env = env();
    let job = Job::new(plans(Mode::Run, &text, &env).await.unwrap(), setup(&env, &Drain::new()));
    let handle = job.handle();
    let error = job.run().await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Usage);
    assert_eq!(error.to_string(), "pipeline job.db.t.2: evaluating the select: division by zero");
    let states: Vec<_> = handle.status().into_iter().map(|status| status.state).collect();
    assert_eq!(states, [PipelineState::Finished, PipelineState::Failed]);
    let committed = handle.status()[0].rows_committed;
    assert!(committed > 0);
    let batches = rows(&table("failing", "db", "t").await).await;
    let first = batches.iter().filter(|batch| batch.column(1).as_string::<i32>().value(0) == "a");
    assert_eq!(first.map(|batch| batch.num_rows() as u64).sum::<u64>(), committed);
}

#[tokio::test(start_paused = true)]
async fn a_running_job_is_watched_and_steered() {
    let text = numbers("steered", 1_000_000, INSERT);
    let (env, drain) = (env(), Drain::new());
    let job = Job::new(plans(Mode::Run, &text, &env).await.unwrap(), setup(&env, &drain));
    let handle = job.handle();
    assert_eq!(handle.status()[0].state, PipelineState::Starting);
    assert!(handle.ready()[0].1.is_err());
    let id = handle.status()[0].id.to_string();
    let steer = async {
        tokio::time::sleep(Duration::from_secs(4)).await;
        let status = &handle.status()[0];
        assert_eq!(status.state, PipelineState::Running);
        assert!((900.0..=1100.0).contains(&status.rows_per_second), "{}", status.rows_per_second);
        assert_eq!(handle.ready()[0].1, Ok(()));
        let (_, snapshot) = handle.checkpoint(Some(&id)).await.unwrap()[0].clone();
        let status = &handle.status()[0];
        assert_eq!(status.snapshot, Some(snapshot));
        assert!(status.rows_committed >= 3_900, "{}", status.rows_committed);
        handle.pause(None).unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        let paused_at = handle.status()[0].rows_received;
        tokio::time::sleep(Duration::from_secs(30)).await;
        assert_eq!((handle.status()[0].state, handle.status()[0].rows_received), (PipelineState::Paused, paused_at));
        assert_eq!(handle.ready()[0].1, Ok(()));
        handle.rate(None, 50.0).unwrap();
        handle.resume(None).unwrap();
        tokio::time::sleep(Duration::from_secs(10)).await;
        let more = handle.status()[0].rows_received - paused_at;
        assert!((450..=550).contains(&more), "{more}");
        assert_eq!(handle.status()[0].to_json()["rate_limit"], 50.0);
        let unknown = handle.pause(Some("x")).unwrap_err().to_string();
        assert_eq!(unknown, format!("no pipeline is called `x`; there are: {id}"));
        drain.request(Duration::from_secs(25));
        std::future::pending::<()>().await;
    };
    tokio::select! {
        ended = job.run() => ended.unwrap(),
        () = steer => {}
    }
    assert_eq!(handle.status()[0].state, PipelineState::Finished);
    assert!(handle.checkpoint(None).await.is_err());
}

/// A store on which a job of 300 numbers can be started over and over, and what it held at the end.
struct Bench {
    inner: Arc<InMemory>,
}

impl Bench {
    fn new() -> Self {
        Self { inner: Arc::new(InMemory::new()) }
    }

    fn catalog(&self, store: Arc<dyn ObjectStore>) -> Arc<dyn Catalog> {
        let storage = Storage::new(store, object_store::path::Path::from("wh"));
        Arc::new(FilesystemCatalog::new(storage, "wh", &env()))
    }

    async fn job(&self, store: &FaultStore) -> Job {
        let text = numbers("unused", 300, INSERT);
        let (_, text) = text.split_once(';').unwrap();
        let env = env();
        let mut session = Session::new(Mode::Run, defaults(), env.clone());
        session.add_catalog("m", self.catalog(Arc::new(store.clone())), "default");
        let script = tributary_statement::parse("job.sql", text, &|_| Err("not set".into())).unwrap();
        session.apply(&script, Path::new("/jobs/job.sql")).await.unwrap();
        Job::new(session.into_plans().unwrap(), setup(&env, &Drain::new()))
    }

    async fn ids(&self) -> Vec<i64> {
        let catalog = self.catalog(self.inner.clone());
        let table = catalog.load_table(&TableIdentifier::new("db", "t")).await.unwrap();
        longs(&rows(&table).await, "id")
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_now_and_then_costs_no_row() {
    for seed in 0..30 {
        let bench = Bench::new();
        let store = FaultStore::new(bench.inner.clone());
        let job = bench.job(&store).await;
        let random = Random::seeded(seed);
        store.set_plan(move |_| match random.unit() {
            draw if draw < 0.1 => Fault::ErrorBefore,
            draw if draw < 0.2 => Fault::ErrorAfter,
            _ => Fault::None,
        });
        let handle = job.handle();
        job.run().await.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert!(bench.ids().await.into_iter().eq(1..=300), "seed {seed}");
        assert_eq!(handle.status()[0].rows_committed, 300, "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_that_dies_at_any_call_costs_no_row() {
    for (call, moment) in (1..60).flat_map(|call| [(call, Moment::BeforeEffect), (call, Moment::AfterEffect)]) {
        let bench = Bench::new();
        let store = FaultStore::new(bench.inner.clone());
        let job = bench.job(&store).await;
        store.crash_at(store.call_count() + call, moment);
        let died = tokio::select! {
            biased;
            () = store.crashed() => true,
            ended = job.run() => {
                ended.unwrap();
                false
            }
        };
        let store = FaultStore::new(bench.inner.clone());
        bench.job(&store).await.run().await.unwrap_or_else(|error| panic!("call {call} {moment:?}: {error}"));
        assert!(bench.ids().await.into_iter().eq(1..=300), "call {call} {moment:?}");
        if !died {
            assert!(call > 20, "{call}");
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_store_is_probed_once_and_before_the_claim() {
    let bench = Bench::new();
    let store = FaultStore::new(bench.inner.clone());
    bench.job(&store).await.run().await.unwrap();
    let calls = store.calls();
    let creates: Vec<_> =
        calls.iter().filter(|call| call.op == Op::Create).filter_map(|call| call.path.filename()).collect();
    let probes: Vec<_> = (0..creates.len()).filter(|place| creates[*place].starts_with(".tributary-probe-")).collect();
    let claim = creates.iter().position(|name| *name == "snapshot-1").unwrap();
    assert_eq!((probes.len(), probes.iter().all(|place| *place < claim)), (2, true), "{creates:?}");
}

#[tokio::test(start_paused = true)]
async fn a_first_start_that_is_overtaken_by_another_continues_its_source() {
    let bench = Bench::new();
    let (slow, fast) = (FaultStore::new(bench.inner.clone()), FaultStore::new(bench.inner.clone()));
    let job = bench.job(&slow).await;
    let claim = slow.hold(|call| call.path.filename() == Some("snapshot-1") && call.op == Op::Create);
    let (ended, ()) = futures::join!(job.run(), async {
        claim.arrived(1).await;
        bench.job(&fast).await.run().await.unwrap();
        claim.release();
    });
    ended.unwrap();
    assert!(bench.ids().await.into_iter().eq(1..=300));
}

#[tokio::test]
async fn a_check_resolves_everything_and_creates_nothing() {
    let text = numbers("check", 10, INSERT);
    let plans = plans(Mode::Check, &text, &env()).await.unwrap();
    assert_eq!(plans[0].id().as_str(), "job.db.t.1");
    assert_eq!(plans[0].schema().fields.len(), 2);
    let catalog = FilesystemCatalog::try_open("memory:check", &env()).unwrap();
    assert_eq!(catalog.list_databases().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn names_in_use_shorten_names() {
    let text = "CREATE CATALOG m WITH ('type' = 'paimon', 'warehouse' = 'memory:names', 'default-database' = 'dd');
        CREATE TEMPORARY TABLE outside (a INT) WITH ('connector' = 'datagen');
        USE CATALOG m;
        CREATE DATABASE other;
        CREATE TABLE t (a INT);
        CREATE TEMPORARY TABLE inside (a INT) WITH ('connector' = 'datagen');
        INSERT INTO t SELECT a FROM inside;
        USE other;
        CREATE TABLE t (a INT);
        INSERT INTO t SELECT a FROM default_catalog.default_database.outside;
        INSERT INTO dd.t SELECT a FROM m.dd.inside;";
    let ids: Vec<_> = plans(Mode::Run, text, &env()).await.unwrap().iter().map(|plan| plan.id().to_string()).collect();
    assert_eq!(ids, ["job.dd.t.1", "job.other.t.1", "job.dd.t.2"]);
}

#[tokio::test]
async fn statements_that_cannot_be_followed_are_refused_at_their_place() {
    let catalog = "CREATE CATALOG m WITH ('type' = 'paimon', 'warehouse' = 'memory:refused');\n";
    let source = "CREATE TEMPORARY TABLE s (id BIGINT) WITH ('connector' = 'datagen');\n";
    let target = "CREATE TABLE IF NOT EXISTS m.db.t (id BIGINT, hh STRING);\n";
    for (text, place, message, help) in [
        ("SET 'pipeline.nam' = 'x';", "1:5", "there is no setting `pipeline.nam`", "did you mean 'pipeline.name'?"),
        (
            "SET 'execution.checkpointing.interval' = 'soon';",
            "1:42",
            "`execution.checkpointing.interval` cannot be `soon`",
            "",
        ),
        ("SET 'table.local-time-zone' = 'Mars';", "1:31", "`Mars` is no time zone", "write a region such as"),
        (
            "SET 'sink.parallelism' = '0';",
            "1:26",
            "`sink.parallelism` cannot be `0`: a whole number from 1 to 1024",
            "",
        ),
        ("CREATE CATALOG c WITH ('warehouse' = 'x');", "1:16", "catalog `c` has no 'type'", "write 'type' = 'paimon'"),
        ("CREATE CATALOG c WITH ('type' = 'paimon');", "1:16", "catalog `c` has no 'warehouse'", ""),
        (
            "CREATE CATALOG c WITH ('type' = 'paimon', 'metastore' = 'hive');",
            "1:57",
            "the metastore `hive` of catalog `c` is not supported",
            "write 'metastore' = 'filesystem' or 'rest' or 'dlf'",
        ),
        (
            "CREATE CATALOG c WITH ('type' = 'paimon', 'metastore' = 'rest');",
            "1:16",
            "catalog `c` has no 'uri'",
            "write 'uri' = 'http://localhost:9190'",
        ),
        (
            "CREATE CATALOG c WITH ('type' = 'paimon', 'warehouse' = 'x', 'uri' = 'http://h');",
            "1:62",
            "the catalog option `uri` is not for this metastore",
            "it is for 'metastore' = 'rest'",
        ),
        (
            "CREATE CATALOG c WITH ('type'='paimon', 'metastore'='rest', 'uri'='ftp://h', 'warehouse'='x', 'token.provider'='bear', 'token'='t');",
            "1:67",
            "'uri' is an http: or https: URL",
            "",
        ),
        (
            "CREATE CATALOG c WITH ('type'='paimon', 'metastore'='dlf', 'dlf.catalog.id'='x', 'dlf.catalog.endpoint'='dlf.cn-beijing.aliyuncs.com');",
            "1:105",
            "'dlf.catalog.endpoint' is of the older DLF service",
            "",
        ),
        (
            "CREATE CATALOG c WITH ('type' = 'paimon', 'warehous' = 'x');",
            "1:43",
            "there is no catalog option `warehous`",
            "did you mean 'warehouse'?",
        ),
        ("CREATE TABLE t (a INT);", "1:14", "no catalog is in use", "write catalog.database.table"),
        ("CREATE TABLE n.db.t (a INT);", "4:14", "there is no catalog `n`", "create it with CREATE CATALOG"),
        (
            "CREATE TABLE m.db.t2 (a INT) WITH ('write-onli' = 'true');",
            "4:36",
            "there is no table option `write-onli`",
            "did you mean 'write-only'?",
        ),
        (
            "CREATE TABLE m.db.t2 (a INT) WITH ('write-only' = 'maybe');",
            "4:51",
            "option `write-only` cannot be `maybe`",
            "",
        ),
        (
            "CREATE TABLE m.db.t2 (a INT) WITH ('parquet.page.size' = '64 kb');",
            "4:58",
            "option `parquet.page.size` cannot be `64 kb`: expected a whole number of bytes, without a unit",
            "",
        ),
        (
            "CREATE TABLE m.db.t2 (a INT) WITH ('parquet.page.sise' = '65536');",
            "4:36",
            "there is no table option `parquet.page.sise`",
            "did you mean 'parquet.page.size'?",
        ),
        (
            "CREATE TABLE m.db.t2 (abc INT) WITH ('parquet.enable.dictionary#abd' = 'true');",
            "4:72",
            "option `parquet.enable.dictionary#abd` cannot be `true`: the table has no column `abd`; did you mean",
            "",
        ),
        (
            "CREATE TABLE m.db.t2 (a INT) WITH ('connector' = 'datagen');",
            "4:36",
            "a table of a catalog has no `connector`",
            "CREATE TEMPORARY TABLE",
        ),
        ("CREATE TABLE m.db.t (a INT);", "4:14", "table db.t exists already; write IF NOT EXISTS", ""),
        (
            "CREATE TEMPORARY TABLE x (a INT);",
            "1:24",
            "temporary table x has no 'connector'",
            "write WITH ('connector' = 'datagen')",
        ),
        (
            "CREATE TEMPORARY TABLE x (a INT) WITH ('connector' = 'kafka');",
            "1:54",
            "there is no connector `kafka` yet",
            "the connector there is: 'datagen'",
        ),
        (
            "CREATE TEMPORARY TABLE x (a INT) WITH ('connector' = 'datagen', 'row-per-second' = '1');",
            "1:65",
            "option `row-per-second`",
            "did you mean 'rows-per-second'?",
        ),
        (
            "CREATE TEMPORARY TABLE x (a INT) WITH ('connector' = 'datagen', 'rows-per-second' = '-1');",
            "1:85",
            "option `rows-per-second`",
            "",
        ),
        ("INSERT INTO m.db.t SELECT id, 'x' FROM sx;", "4:40", "there is no table sx", "did you mean `s`?"),
        ("INSERT INTO m.db.t SELECT id, hh FROM m.db.t;", "4:39", "reading from m.db.t is not supported", ""),
        ("INSERT INTO s SELECT id FROM s;", "4:13", "s is a source, nothing can be inserted", ""),
        ("INSERT INTO m.db.nope SELECT id FROM s;", "4:13", "table db.nope does not exist", ""),
        (
            "INSERT INTO m.db.t SELECT id FROM s;",
            "4:27",
            "the SELECT gives 1 columns, `db.t` has 2",
            "columns map by position to `id`, `hh`",
        ),
        (
            "INSERT INTO m.db.t SELECT id, id FROM s;",
            "4:31",
            "column `hh` of `db.t` is STRING, the expression is BIGINT",
            "write CAST(… AS STRING) around it",
        ),
        ("INSERT INTO m.db.t SELECT id, UPER('x') FROM s;", "4:31", "unknown function UPER", "did you mean UPPER?"),
        ("INSERT INTO m.db.t SELECT idd, 'x' FROM s;", "4:27", "unknown column `idd` in `s`", "did you mean `id`?"),
        ("SET 'pipeline.name' = 'x';", "", "there is no INSERT in job.sql: nothing to run", ""),
    ] {
        // Statements about tables follow the three lines above.
        let text = if place.starts_with('4') { format!("{catalog}{source}{target}{text}") } else { text.to_owned() };
        let error = match plans(Mode::Run, &text, &env()).await {
            Ok(_) => panic!("{text} was accepted"),
            Err(error) => error,
        };
        let shown = error.to_string();
        assert_eq!(error.kind(), FailureKind::Usage, "{shown}");
        let start = if place.is_empty() { String::new() } else { format!("job.sql:{place}: ") };
        assert!(shown.starts_with(&format!("{start}{message}")), "{text}\n{shown}");
        assert!(shown.contains(help), "{text}\n{shown}");
    }
}

#[tokio::test]
async fn settings_of_flink_without_meaning_are_accepted() {
    let text = numbers(
        "settings",
        10,
        &format!(
            "SET 'execution.runtime-mode' = 'streaming';
             SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE';
             SET 'state.backend.type' = 'rocksdb';
             SET 'execution.checkpointing.interval' = '30 s';
             SET 'table.local-time-zone' = 'Asia/Shanghai';
             SET 'parallelism.default' = '3';
             {INSERT}
             RESET 'execution.checkpointing.interval';
             SET 'sink.parallelism' = '2';
             {INSERT}
             RESET;
             {INSERT}"
        ),
    );
    let plans = plans(Mode::Check, &text, &env()).await.unwrap();
    let found: Vec<_> = plans
        .iter()
        .map(|plan| (plan.checkpoint_interval.as_secs(), plan.parallelism.map(std::num::NonZeroUsize::get)))
        .collect();
    assert_eq!(found, [(30, Some(3)), (10, Some(2)), (10, None)]);
}
