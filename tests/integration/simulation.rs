//! The real pipeline (statements, source, channel, sink, committer) over a store that fails on purpose, on one thread and
//! a paused clock. The job is started again until it has finished; then every row must be there once.
//!
//! A failing schedule prints its seed. To replay it: `TRIBUTARY_SIMULATION_SEED=17 cargo test -p tributary-tests simulation`;
//! to run more of them: `TRIBUTARY_SIMULATION_SCHEDULES=10000 cargo test -p tributary-tests simulation`.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use object_store::ObjectStore;
use object_store::memory::InMemory;
use paimon_format::SnapshotId;
use serde_json::Value;
use tributary_runtime::{Classify, FailureKind, Random};
use tributary_testkit::{FaultRates, FaultStore, Moment, sim_env};
use tributary_tests::in_process;

/// 2026-11-22 18:59:58 UTC: the hour ends two seconds into the job.
const EPOCH_MILLIS: i64 = 1_795_373_998_000;
const ROWS: i64 = 400;

const JOB: &str = "
SET 'execution.checkpointing.interval' = '300 ms';
CREATE TABLE IF NOT EXISTS sim.db.t (n BIGINT, text STRING, hh STRING) PARTITIONED BY (hh)
  WITH ('write-only' = 'true', 'manifest.merge-min-count' = '4');
CREATE TEMPORARY TABLE numbers (n BIGINT, text STRING) WITH ('connector' = 'datagen', 'rows-per-second' = '100',
  'splits' = '2', 'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '400', 'fields.text.length' = '8');
INSERT INTO sim.db.t SELECT n, text, CAST(HOUR(LOCALTIMESTAMP) AS STRING) FROM numbers;
";

/// What one start of the job meets.
struct Weather {
    faults: FaultRates,
    /// The store call at which the process dies, and whether that call still has its effect.
    crash: Option<(u64, Moment)>,
}

const CALM: FaultRates = FaultRates::NONE;

const STORM: FaultRates = FaultRates {
    error_before: 0.04,
    error_after: 0.04,
    delay: 0.1,
    duplicate: 0.05,
    late: 0.03,
    longest_wait: Duration::from_secs(3),
};

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}

#[test]
fn five_hundred_storms_lose_and_double_nothing() {
    let seeds = match number("TRIBUTARY_SIMULATION_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("TRIBUTARY_SIMULATION_SCHEDULES").unwrap_or(500),
    };
    every(seeds, |seed| {
        let random = Random::seeded(seed);
        let crashes = random.next_u64() % 5;
        move |start: u64| {
            let moment = if random.next_u64().is_multiple_of(2) { Moment::BeforeEffect } else { Moment::AfterEffect };
            let crash = (1 + random.next_u64() % 160, moment);
            Weather { faults: STORM, crash: (start < crashes).then_some(crash) }
        }
    });
}

#[test]
fn a_crash_at_any_store_call_loses_and_doubles_nothing() {
    let calls = {
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let mut calls = 0;
        simulate(0, &store, |_| Weather { faults: CALM, crash: None }, &mut calls);
        calls
    };
    assert!(calls > 100, "{calls} store calls: the job hardly ran");
    every(0..2 * calls, |case| {
        let moment = if case % 2 == 0 { Moment::BeforeEffect } else { Moment::AfterEffect };
        move |start: u64| Weather { faults: CALM, crash: (start == 0).then_some((1 + case / 2, moment)) }
    });
}

/// Runs a simulation per seed, on all cores; reports the first seed that fails.
fn every<W: Fn(u64) -> Weather>(seeds: Range<u64>, weather: impl Fn(u64) -> W + Sync) {
    let next = AtomicU64::new(seeds.start);
    let threads = std::thread::available_parallelism().unwrap().get();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= seeds.end {
                            return;
                        }
                        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
                        let outcome = catch_unwind(AssertUnwindSafe(|| simulate(seed, &store, weather(seed), &mut 0)));
                        if let Err(panic) = outcome {
                            eprintln!("schedule {seed} failed");
                            resume_unwind(panic);
                        }
                    }
                })
            })
            .collect();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
}

/// Starts the job until it finishes, then compares.
fn simulate(seed: u64, store: &Arc<dyn ObjectStore>, weather: impl Fn(u64) -> Weather, calls: &mut u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut elapsed_millis = 0;
        for start in 0.. {
            assert!(start < 40, "the job does not come to its end");
            let weather = weather(start);
            let fault = FaultStore::seeded(Arc::clone(store), seed.wrapping_mul(1_000) + start, weather.faults);
            if let Some((call, moment)) = weather.crash {
                fault.crash_at(call, moment);
            }
            // Each process draws its own names: another seed for every start.
            let env = sim_env(seed.wrapping_mul(1_000) + start, EPOCH_MILLIS + elapsed_millis);
            let begin = tokio::time::Instant::now();
            let outcome = tokio::select! {
                biased;
                outcome = in_process::run(JOB, Arc::new(fault.clone()), env) => Some(outcome),
                () = fault.crashed() => None,
            };
            elapsed_millis += begin.elapsed().as_millis() as i64;
            *calls += fault.call_count();
            match outcome {
                Some(Ok(())) => break,
                // What the statements do (tables are looked up and created) is not retried by the job itself.
                Some(Err(error)) if error.kind() == FailureKind::Transient => {}
                Some(Err(error)) => panic!("start {start} ended with {error:?}: {error}"),
                None => {}
            }
        }
        // Puts that are still on their way land before the table is looked at.
        tokio::time::sleep(Duration::from_secs(10)).await;
        judge(store).await;
    });
}

/// Every row is there once, and every snapshot holds as many rows as its positions say.
async fn judge(store: &Arc<dyn ObjectStore>) {
    let env = sim_env(0, EPOCH_MILLIS);
    let table = in_process::table(store, "t", &env).await;
    let latest = table.latest_snapshot().await.unwrap().unwrap();
    for id in 1..=latest.id.0 {
        let snapshot = table.snapshot(SnapshotId(id)).await.unwrap();
        let snapshot = snapshot.unwrap_or_else(|| panic!("snapshot {id} of {} is missing", latest.id.0));
        let positions = &snapshot.properties.as_ref().unwrap()["tributary.positions"];
        let positions: Value = serde_json::from_str(positions).unwrap();
        let covered: i64 =
            positions.as_object().unwrap().values().map(|at| at.as_str().unwrap().parse::<i64>().unwrap()).sum();
        assert_eq!(snapshot.total_record_count, covered, "rows of snapshot {id}, rows of its positions");
    }
    let batches = in_process::batches(&table, &env).await;
    let of_batch = |batch: &RecordBatch| batch.column(0).as_primitive::<Int64Type>().values().to_vec();
    let mut numbers: Vec<i64> = batches.iter().flat_map(of_batch).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=ROWS).collect::<Vec<_>>());
}
