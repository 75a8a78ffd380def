//! The loop: starts what the schedule picks and what was asked for, and records what came of it.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tokio::time::Instant;
use tracing::{info, warn};
use tributary_runtime::{Backoff, Drain, Env, FailureKind};

use super::Perform;
use super::action::{Action, Given};
use super::handle::{Board, WorkerHandle};
use super::history::{History, HistoryBounds};
use super::history_file::{HistoryError, HistoryFile, Written};
use super::metrics::WorkerMetrics;
use super::record::{Cause, Report, RunId, RunRecord, RunStatus, TableName};
use super::run_log::{RunFailure, RunScope};
use super::schedule::{self, Course, Ending, Entry, Now, Trigger};

/// After the first failure.
const LEAST_WAIT: Duration = Duration::from_secs(5);
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// What to do to one table, and when.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The table.
    pub table: TableName,
    /// What.
    pub action: Action,
    /// Its arguments as they were given, for whoever reads the history.
    pub arguments: Given,
    /// When.
    pub trigger: Trigger,
}

/// What a worker is made of.
pub struct WorkerSetup<'a> {
    /// What it does by itself.
    pub policies: Vec<Policy>,
    /// Does it.
    pub perform: Arc<dyn Perform>,
    /// Clock and randomness; the history is written on its executor.
    pub env: Env,
    /// Where it counts.
    pub metrics: WorkerMetrics,
    /// Runs at once, each on another table.
    pub places: NonZeroUsize,
    /// Where the history is kept; without it, in memory only.
    pub history: Option<&'a Path>,
    /// How much of it.
    pub bounds: HistoryBounds,
}

/// The worker, before it runs.
pub struct Worker {
    board: Arc<Board>,
    perform: Arc<dyn Perform>,
    env: Env,
    metrics: WorkerMetrics,
    places: usize,
    begun: Instant,
    backoff: Backoff,
    policies: Vec<Policy>,
    /// In the order of the policies.
    entries: Vec<Entry>,
    /// What runs, by table.
    lanes: BTreeMap<TableName, Lane>,
    running: FuturesUnordered<BoxFuture<'static, Ended>>,
}

struct Lane {
    id: RunId,
    started: Now,
    /// The policy that started it.
    entry: Option<usize>,
}

struct Ended {
    table: TableName,
    outcome: Result<Report, RunFailure>,
}

// === impl Worker ===

impl Worker {
    /// Opens the history, and takes the schedule up where it was left.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn try_new(setup: WorkerSetup<'_>) -> Result<Self, HistoryError> {
        let (file, written) = match setup.history {
            Some(path) => HistoryFile::open(path).map(|(file, written)| (Some(file), written))?,
            None => (None, Written::default()),
        };
        let now = Now { wall_millis: setup.env.clock.now_millis(), elapsed: Duration::ZERO };
        let history = History::resume(written, setup.bounds, now.wall_millis);
        let entries = setup.policies.iter().map(|policy| {
            let last = history.last(&policy.table, policy.action.kind(), &policy.arguments);
            let course = Course::resume(&policy.trigger, last, now);
            Entry { table: policy.table.clone(), trigger: policy.trigger.clone(), course, running: false }
        });
        Ok(Self {
            entries: entries.collect(),
            board: Arc::new(Board::new(
                history,
                file,
                setup.bounds.runs,
                Arc::clone(&setup.env.clock),
                setup.metrics.clone(),
            )),
            perform: setup.perform,
            env: setup.env,
            metrics: setup.metrics,
            places: setup.places.get(),
            begun: Instant::now(),
            backoff: Backoff::try_new(LEAST_WAIT, LONGEST_WAIT).unwrap_or_else(|_| unreachable!("constants")),
            policies: setup.policies,
            lanes: BTreeMap::new(),
            running: FuturesUnordered::new(),
        })
    }

    /// For whoever asks.
    pub fn handle(&self) -> WorkerHandle {
        WorkerHandle { board: Arc::clone(&self.board) }
    }

    /// Works until `drain` is requested and every run has ended.
    pub async fn run(mut self, drain: &Drain) {
        let mut stopping = false;
        loop {
            if drain.is_requested() && !stopping {
                stopping = true;
                self.stop_all();
            }
            self.drop_cancelled().await;
            if stopping && self.running.is_empty() {
                return;
            }
            let wake = if stopping { None } else { self.start_due().await };
            let board = Arc::clone(&self.board);
            let woken = async {
                match wake {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = drain.requested(), if !stopping => {}
                Some(ended) = self.running.next() => self.finish(ended).await,
                () = board.changed.notified() => {}
                () = woken => {}
            }
        }
    }

    fn now(&self) -> Now {
        Now { wall_millis: self.env.clock.now_millis(), elapsed: self.begun.elapsed() }
    }

    /// Nothing new begins, and what runs is asked to stop. Manual runs that wait are for the next process.
    fn stop_all(&self) {
        let mut state = self.board.state();
        state.stopping = true;
        let running = self.lanes.values().filter_map(|lane| state.scopes.get(&lane.id));
        running.for_each(|scope| scope.stop.request(Duration::ZERO));
    }

    /// Manual runs that were cancelled while they waited.
    async fn drop_cancelled(&mut self) {
        let now = self.now().wall_millis;
        let mut dropped = Vec::new();
        {
            let mut state = self.board.state();
            let state = &mut *state;
            state.queue.retain(|(id, ..)| {
                let cancelled = state.scopes.get(id).is_none_or(|scope| scope.stop.is_requested());
                dropped.extend(cancelled.then_some(*id));
                !cancelled
            });
            dropped.iter().for_each(|id| drop(state.scopes.remove(id)));
        }
        for id in dropped {
            self.record(id, |run| run.end(RunStatus::Cancelled, now, None)).await;
        }
    }

    /// Starts what may start, and says when to look again.
    async fn start_due(&mut self) -> Option<Duration> {
        let now = self.now();
        for (id, table, action) in self.take_manual() {
            self.start(id, table, action, None, now).await;
        }
        self.entries.iter_mut().for_each(|entry| entry.course.follow(now.wall_millis));
        let busy: BTreeSet<TableName> = self.lanes.keys().cloned().collect();
        let pick = schedule::pick(&self.entries, &busy, self.places.saturating_sub(busy.len()), now);
        let queued = pick.waiting + self.board.state().queue.len();
        self.metrics.queued.set(i64::try_from(queued).unwrap_or(i64::MAX));
        for index in pick.start {
            let policy = self.policies[index].clone();
            let id = {
                let mut state = self.board.state();
                let kind = policy.action.kind();
                let run = state.new_run(&policy.table, kind, &policy.arguments, Cause::Schedule, now.wall_millis);
                let id = run.id;
                state.history.put(run, now.wall_millis);
                id
            };
            self.entries[index].running = true;
            self.start(id, policy.table, policy.action, Some(index), now).await;
        }
        pick.wake
    }

    /// Manual runs whose tables are free, in the order they were asked for, as far as there are places.
    fn take_manual(&self) -> Vec<(RunId, TableName, Action)> {
        let mut busy: BTreeSet<TableName> = self.lanes.keys().cloned().collect();
        let mut state = self.board.state();
        let mut taken = Vec::new();
        let mut left = std::collections::VecDeque::new();
        for waiting in std::mem::take(&mut state.queue) {
            match busy.len() < self.places && busy.insert(waiting.1.clone()) {
                true => taken.push(waiting),
                false => left.push_back(waiting),
            }
        }
        state.queue = left;
        taken
    }

    async fn start(&mut self, id: RunId, table: TableName, action: Action, entry: Option<usize>, now: Now) {
        let Some(scope) = self.board.state().scopes.get(&id).cloned() else { return };
        self.metrics.start(&table, action.kind());
        self.lanes.insert(table.clone(), Lane { id, started: now, entry });
        self.record(id, |run| (run.status, run.started_millis) = (RunStatus::Running, now.wall_millis)).await;
        // A task of its own: it goes on while the loop waits for the history's disk.
        #[expect(clippy::disallowed_methods, reason = "`running` awaits it, and it catches its panics")]
        let run = tokio::spawn(attempt(Arc::clone(&self.perform), table.clone(), action, scope));
        self.running.push(Box::pin(async move {
            run.await.unwrap_or_else(|error| Ended { table, outcome: Err(defect(&error.to_string())) })
        }));
    }

    async fn finish(&mut self, ended: Ended) {
        let Ended { table, outcome } = ended;
        let Some(lane) = self.lanes.remove(&table) else { return };
        let now = self.now();
        let scope = self.board.state().scopes.remove(&lane.id);
        let cancelled = scope.as_ref().is_some_and(|scope| scope.stop.is_requested());
        let stopping = cancelled && self.board.state().stopping;
        // A run that had done its work when it was asked to stop has done its work.
        let status = match &outcome {
            Ok(Report { cut_short: true, .. }) if !stopping => RunStatus::Cancelled,
            Ok(Report { cut_short: true, .. }) => RunStatus::Interrupted,
            Err(_) if stopping => RunStatus::Interrupted,
            Ok(report) if report.idle => RunStatus::NothingToDo,
            Ok(_) => RunStatus::Succeeded,
            Err(RunFailure::Abandoned(_)) => RunStatus::Abandoned,
            Err(RunFailure::Failed { .. }) => RunStatus::Failed,
        };
        if let Some(index) = lane.entry {
            let entry = &mut self.entries[index];
            entry.running = false;
            let ending = match &outcome {
                Err(failure) if !cancelled => Ending::Failed {
                    wait: self.backoff.delay(entry.course.failures, &self.env.random),
                    again: failure.passes(),
                },
                _ => Ending::Well,
            };
            entry.course.ended(&entry.trigger, lane.started, now, ending);
        }
        let log = scope.map(|scope| scope.lines()).unwrap_or_default();
        let (report, error) = match outcome {
            Ok(report) => (report, None),
            Err(failure) => {
                let text = failure.to_string();
                match failure {
                    RunFailure::Failed { done, .. } => (*done, Some(text)),
                    RunFailure::Abandoned(_) => (Report::default(), Some(text)),
                }
            }
        };
        let took = now.elapsed.saturating_sub(lane.started.elapsed);
        let run = self
            .record(lane.id, |run| {
                (run.report, run.log) = (report.clone(), log);
                run.end(status, now.wall_millis, error.clone());
            })
            .await;
        let Some(run) = run else { return };
        self.metrics.end(&table, run.action, status, took, now.wall_millis);
        self.metrics.report(&table, run.action, &report);
        let mut state = self.board.state();
        if let Some(policy) = lane.entry {
            match &error {
                Some(why) if status == RunStatus::Failed => {
                    state.failing.insert(policy, (table.clone(), run.action, why.clone()))
                }
                _ => state.failing.remove(&policy),
            };
        }
        match (status, error) {
            (RunStatus::Failed, Some(why)) => {
                warn!(run = run.id.0, %table, action = run.action.as_str(), error = why, "run failed");
            }
            (status, why) => {
                let (action, status, seconds) = (run.action.as_str(), status.as_str(), took.as_secs_f64());
                info!(run = run.id.0, %table, action, status, seconds, error = why, "run ended");
            }
        }
    }

    /// Changes what is known of a run, and writes it down.
    async fn record(&self, id: RunId, change: impl FnOnce(&mut RunRecord)) -> Option<RunRecord> {
        let run = {
            let mut state = self.board.state();
            let mut run = state.history.get(id)?.clone();
            change(&mut run);
            state.history.put(run.clone(), self.env.clock.now_millis());
            run
        };
        let (board, written) = (Arc::clone(&self.board), run.clone());
        let write = move || board.write(board.file(), &written);
        if let Err(panicked) = self.env.executor.run(write).await {
            self.metrics.history_failures.inc();
            warn!(run = id.0, %panicked, "the run history cannot be written; runs go on without it");
        }
        Some(run)
    }
}

impl Drop for Worker {
    /// However it ended: nothing more is accepted, and the history is free for another worker.
    fn drop(&mut self) {
        self.board.state().stopping = true;
        drop(self.board.file().take());
    }
}

/// One run, whose panic is its own failure.
async fn attempt(perform: Arc<dyn Perform>, table: TableName, action: Action, scope: RunScope) -> Ended {
    let guarded = AssertUnwindSafe(perform.perform(&table, &action, &scope)).catch_unwind();
    let outcome = guarded.await.unwrap_or_else(|panic| Err(defect(&said(&*panic))));
    Ended { table, outcome }
}

fn defect(what: &str) -> RunFailure {
    RunFailure::failed(FailureKind::Internal, format!("a defect of this program: {what}"))
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without text".to_owned())
}
