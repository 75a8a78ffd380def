#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use prometheus::Registry;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tributary_runtime::{Drain, FailureKind};
use tributary_testkit::sim_env;

use super::*;

const EPOCH: i64 = 1_767_225_600_000; // 2026-01-01T00:00:00Z
const BOUNDS: HistoryBounds = HistoryBounds { runs: 100, age: Duration::from_secs(86_400) };
const ORPHANS: Action = Action::RemoveOrphanFiles { older_than: Duration::from_secs(86_400), dry_run: true };

/// What a run does.
#[derive(Clone, Copy, Debug)]
enum Act {
    Succeed,
    Idle,
    Take(u64),
    TakeIdle(u64),
    TakeFail(u64),
    /// Until it is asked to stop.
    Hang,
    Fail(FailureKind),
    Abandon,
    Panic,
}

/// Does what the script says of each table, the last word again and again.
struct Scripted {
    acts: Mutex<BTreeMap<TableName, Vec<Act>>>,
    start: Instant,
    /// Which table, and how many seconds after the start.
    seen: Mutex<Vec<(String, u64)>>,
    /// A permit for each run that began.
    begun: Semaphore,
}

#[async_trait]
impl Perform for Scripted {
    async fn perform(&self, table: &TableName, _: &Action, scope: &RunScope) -> Result<Report, RunFailure> {
        self.seen.lock().unwrap().push((table.to_string(), self.start.elapsed().as_secs()));
        self.begun.add_permits(1);
        scope.say("at work");
        let act = {
            let mut acts = self.acts.lock().unwrap();
            let acts = acts.get_mut(table).unwrap();
            if acts.len() > 1 { acts.remove(0) } else { acts[0] }
        };
        match act {
            Act::Succeed => {}
            Act::Take(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            Act::Hang => {
                scope.stop.requested().await;
                return Ok(Report { cut_short: true, ..Report::default() });
            }
            Act::TakeIdle(seconds) => {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                return Ok(Report { idle: true, ..Report::default() });
            }
            Act::TakeFail(seconds) => {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                return Err(RunFailure::failed(FailureKind::Transient, "no route to the store"));
            }
            Act::Idle => return Ok(Report { idle: true, ..Report::default() }),
            Act::Fail(kind) => return Err(RunFailure::failed(kind, "no route to the store")),
            Act::Abandon => return Err(RunFailure::Abandoned("an input is gone".to_owned())),
            Act::Panic => panic!("off by one"),
        }
        Ok(Report { removed: Volume { files: 2, bytes: 20 }, ..Report::default() })
    }
}

struct Bench {
    script: Arc<Scripted>,
    handle: WorkerHandle,
    registry: Registry,
    drain: Drain,
}

/// A worker with one policy every 10 s on each of these tables, which does what the script says.
fn worker(places: usize, script: &[(&str, &[Act])], history: Option<&Path>) -> (Worker, Bench) {
    let acts = script.iter().map(|(table, acts)| (TableName::new(*table), acts.to_vec())).collect();
    let script_of =
        Scripted { acts: Mutex::new(acts), start: Instant::now(), seen: Mutex::default(), begun: Semaphore::new(0) };
    let (perform, registry) = (Arc::new(script_of), Registry::new());
    let policies = script.iter().map(|(table, _)| Policy {
        table: TableName::new(*table),
        action: ORPHANS,
        arguments: Given::new(),
        trigger: Trigger::Every(Duration::from_secs(10)),
    });
    let setup = WorkerSetup {
        policies: policies.collect(),
        perform: Arc::clone(&perform) as _,
        env: sim_env(7, EPOCH),
        metrics: WorkerMetrics::register(&registry).unwrap(),
        places: NonZeroUsize::new(places).unwrap(),
        history,
        bounds: BOUNDS,
    };
    let worker = Worker::try_new(setup).unwrap();
    let handle = worker.handle();
    (worker, Bench { script: perform, handle, registry, drain: Drain::new() })
}

impl Bench {
    /// Runs the worker while `scenario` goes on, then drains it.
    async fn play(&self, worker: Worker, scenario: impl Future<Output = ()>) {
        let scenario = async {
            scenario.await;
            self.drain.request(Duration::from_secs(25));
        };
        tokio::join!(worker.run(&self.drain), scenario);
    }

    async fn begun(&self, runs: u32) {
        self.script.begun.acquire_many(runs).await.unwrap().forget();
    }

    fn seen(&self, table: &str) -> Vec<u64> {
        let seen = self.script.seen.lock().unwrap();
        seen.iter().filter(|(name, _)| name == table).map(|(_, at)| *at).collect()
    }

    fn statuses(&self) -> Vec<(u64, RunStatus)> {
        let runs = self.handle.runs(100).into_iter().rev();
        runs.map(|run| (run.id.0, run.status)).collect()
    }

    fn metric(&self, name: &str) -> f64 {
        let families = self.registry.gather();
        let family = families.iter().find(|family| family.name() == name).unwrap();
        let values = family.get_metric().iter();
        values.map(|metric| metric.get_counter().get_value() + metric.get_gauge().get_value()).sum()
    }
}

async fn seconds(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn an_interval_counts_from_the_end_of_a_run() {
    let (worker, bench) = worker(1, &[("t", &[Act::Take(3), Act::Succeed])], None);
    bench.play(worker, seconds(30)).await;
    assert_eq!(bench.seen("t"), [0, 13, 23]);
    assert_eq!(bench.metric("tributary_compaction_removed_files_total"), 6.0);
    assert_eq!(bench.metric("tributary_compaction_running"), 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_table_that_fails_or_panics_backs_off_and_disturbs_no_other() {
    let fails = [Act::Fail(FailureKind::Transient)];
    let script: [(&str, &[Act]); 3] = [("bad", &fails), ("worse", &[Act::Panic]), ("good", &[Act::Succeed])];
    let (worker, bench) = worker(3, &script, None);
    bench.play(worker, seconds(61)).await;
    assert_eq!(bench.seen("good"), [0, 10, 20, 30, 40, 50, 60]);
    // 2.5 to 5 s, then twice that, and so on.
    let waits: Vec<u64> = bench.seen("bad").windows(2).map(|pair| pair[1] - pair[0]).collect();
    for (wait, most) in waits.iter().zip([5, 10, 20, 40]) {
        assert!((most / 2..=most).contains(wait), "{waits:?}");
    }
    let failing: Vec<String> =
        bench.handle.failing().into_iter().map(|(table, _, why)| format!("{table}: {why}")).collect();
    assert_eq!(failing, ["bad: no route to the store", "worse: a defect of this program: off by one"]);
}

#[tokio::test(start_paused = true)]
async fn what_ends_well_or_by_conflict_is_no_failure() {
    let acts = [Act::Fail(FailureKind::Usage), Act::Abandon, Act::Idle, Act::Idle, Act::Succeed];
    let (worker, bench) = worker(1, &[("t", &acts)], None);
    bench.play(worker, bench.begun(5)).await;
    use RunStatus::{Abandoned, Failed, Interrupted, NothingToDo};
    // Of two that found nothing, the last is kept; the fifth is asked to stop as it begins.
    assert_eq!(bench.statuses()[..3], [(1, Failed), (2, Abandoned), (4, NothingToDo)]);
    assert!(matches!(bench.statuses()[3], (5, RunStatus::Succeeded | Interrupted)));
    assert_eq!(bench.handle.run(RunId(2)).unwrap().error.unwrap(), "an input is gone");
    assert_eq!(bench.handle.failing(), []);
}

#[tokio::test(start_paused = true)]
async fn places_are_kept_and_a_table_never_has_two_runs() {
    let (worker, bench) = worker(2, &[("a", &[Act::Hang]), ("b", &[Act::Hang]), ("c", &[Act::Succeed])], None);
    let handle = bench.handle.clone();
    bench
        .play(worker, async {
            bench.begun(2).await;
            let id = handle.submit(&TableName::new("a"), ORPHANS, &Given::new()).unwrap();
            seconds(100).await;
            assert_eq!((bench.seen("a"), bench.seen("b"), bench.seen("c")), (vec![0], vec![0], vec![]));
            assert_eq!(handle.run(id).unwrap().status, RunStatus::Queued);
            assert_eq!(bench.metric("tributary_compaction_queued"), 2.0);
            // Its place goes to the run that was asked for, before the one that was due long before.
            handle.cancel(RunId(1)).unwrap();
            bench.begun(1).await;
            assert_eq!((bench.seen("a"), bench.seen("c")), (vec![0, 100], vec![]));
            assert_eq!(handle.run(id).unwrap().status, RunStatus::Running);
            handle.cancel(RunId(2)).unwrap();
            bench.begun(1).await;
            assert_eq!(bench.seen("c"), [100]);
        })
        .await;
    assert_eq!(bench.metric("tributary_compaction_running"), 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_cancelled_as_it_completes_is_complete() {
    for (act, status) in [
        (Act::Take(5), RunStatus::Succeeded),
        (Act::TakeIdle(5), RunStatus::NothingToDo),
        (Act::TakeFail(5), RunStatus::Failed),
        (Act::Hang, RunStatus::Cancelled),
    ] {
        let (worker, bench) = worker(1, &[("a", &[act])], None);
        let handle = bench.handle.clone();
        bench
            .play(worker, async {
                bench.begun(1).await;
                handle.cancel(RunId(1)).unwrap();
                seconds(6).await;
                assert_eq!(handle.run(RunId(1)).unwrap().status, status, "{act:?}");
            })
            .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_can_be_cancelled_while_it_waits_and_while_it_works_and_not_afterwards() {
    let (worker, bench) = worker(1, &[("a", &[Act::Hang])], None);
    let handle = bench.handle.clone();
    bench
        .play(worker, async {
            bench.begun(1).await;
            let waiting = handle.submit(&TableName::new("a"), ORPHANS, &Given::new()).unwrap();
            handle.cancel(waiting).unwrap();
            seconds(1).await;
            assert_eq!(handle.run(waiting).unwrap().status, RunStatus::Cancelled);
            assert_eq!(handle.run(RunId(1)).unwrap().log, ["at work"]);
            handle.cancel(RunId(1)).unwrap();
            seconds(1).await;
            assert_eq!(handle.cancel(RunId(1)), Err(Refused::Ended(RunId(1), RunStatus::Cancelled)));
            assert_eq!(handle.cancel(RunId(99)), Err(Refused::Unknown(RunId(99))));
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn too_many_manual_runs_are_refused_and_so_is_one_while_stopping() {
    let (worker, bench) = worker(1, &[("a", &[Act::Hang])], None);
    let handle = bench.handle.clone();
    let ask = || handle.submit(&TableName::new("a"), ORPHANS, &Given::new());
    bench
        .play(worker, async {
            bench.begun(1).await;
            assert!((0..16).all(|_| ask().is_ok()));
            assert_eq!(ask(), Err(Refused::Full));
        })
        .await;
    assert_eq!(ask(), Err(Refused::Stopping));
    let statuses = bench.statuses();
    assert_eq!(statuses.len(), 17);
    assert_eq!(statuses[0], (1, RunStatus::Interrupted));
    assert!(statuses[1..].iter().all(|(_, status)| *status == RunStatus::Queued), "{statuses:?}");
}

#[tokio::test(start_paused = true)]
async fn a_restart_goes_on_with_schedule_and_history() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.jsonl");
    let (first, bench) = worker(1, &[("t", &[Act::Succeed])], Some(&path));
    bench.play(first, seconds(25)).await;
    assert_eq!(bench.seen("t"), [0, 10, 20]);
    // The new clock starts at the epoch again: the last run ended 20 s ahead of it.
    let (second, bench) = worker(1, &[("t", &[Act::Hang])], Some(&path));
    let done = bench.statuses();
    assert_eq!(done, [(1, RunStatus::Succeeded), (2, RunStatus::Succeeded), (3, RunStatus::Succeeded)]);
    // Dropped while a run works, as by kill -9.
    tokio::select! {
        () = second.run(&bench.drain) => panic!("nobody drained it"),
        () = bench.begun(1) => {}
    }
    assert_eq!(bench.seen("t"), [10]);
    let (_third, bench) = worker(1, &[("t", &[Act::Succeed])], Some(&path));
    assert_eq!(bench.statuses()[3], (4, RunStatus::Interrupted));
}

#[tokio::test(start_paused = true)]
async fn manual_runs_that_wait_outlive_kill_9_and_their_ids_are_not_given_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.jsonl");
    let (first, bench) = worker(1, &[("t", &[Act::Hang])], Some(&path));
    let ask = |bench: &Bench| bench.handle.submit(&TableName::new("t"), ORPHANS, &Given::new()).unwrap();
    // Dropped with one run at work, one that waits and one that was cancelled while it waited, as by kill -9.
    tokio::select! {
        () = first.run(&bench.drain) => panic!("nobody drained it"),
        () = async {
            bench.begun(1).await;
            assert_eq!((ask(&bench), ask(&bench)), (RunId(2), RunId(3)));
            bench.handle.cancel(RunId(3)).unwrap();
            seconds(1).await;
        } => {}
    }
    let (second, bench) = worker(1, &[("t", &[Act::Take(1)])], Some(&path));
    use RunStatus::{Cancelled, Interrupted, Queued, Succeeded};
    assert_eq!(bench.statuses(), [(1, Interrupted), (2, Queued), (3, Cancelled)]);
    assert_eq!(ask(&bench), RunId(4));
    // Nobody ever ran it: only what submit wrote is left.
    drop(second);
    let (third, bench) = worker(1, &[("t", &[Act::Take(1)])], Some(&path));
    bench.play(third, bench.begun(3)).await;
    assert_eq!(bench.statuses()[1..4], [(2, Succeeded), (3, Cancelled), (4, Succeeded)]);
}
