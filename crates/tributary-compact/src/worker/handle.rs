//! What others may ask the worker and tell it. Every question is answered at once, from what is at hand; a run that is asked
//! for is written down before it is accepted.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tracing::warn;
use tributary_runtime::Clock;

use super::action::{Action, ActionKind, Given};
use super::history::History;
use super::history_file::HistoryFile;
use super::metrics::WorkerMetrics;
use super::record::{Cause, Report, RunId, RunRecord, RunStatus, TableName};
use super::run_log::RunScope;

/// Manual runs that may wait.
const MOST_QUEUED: usize = 16;

/// A running worker, for whoever asks. Clones share it.
#[derive(Clone)]
pub struct WorkerHandle {
    pub(super) board: Arc<Board>,
}

/// Why the worker does not do what it was told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no such run, or it is forgotten.
    #[error("there is no run {}; GET /runs lists those there are", .0.0)]
    Unknown(RunId),
    /// It is over.
    #[error("run {} has ended: {}", .0.0, .1.as_str())]
    Ended(RunId, RunStatus),
    /// Too many wait.
    #[error("{MOST_QUEUED} runs wait already; cancel one, or wait until one has ended")]
    Full,
    /// The worker ends.
    #[error("the compactor is stopping")]
    Stopping,
}

/// What the loop and its handles share.
pub(super) struct Board {
    state: Mutex<State>,
    /// Somebody changed something the loop should look at.
    pub(super) changed: Notify,
    pub(super) clock: Arc<dyn Clock>,
    /// As long as the worker is there. Locked before `state`, never while that is held.
    file: Mutex<Option<HistoryFile>>,
    /// Runs that are remembered.
    most_runs: usize,
    metrics: WorkerMetrics,
}

pub(super) struct State {
    pub(super) history: History,
    /// Of the runs that have not ended.
    pub(super) scopes: BTreeMap<RunId, RunScope>,
    /// Manual runs that wait.
    pub(super) queue: VecDeque<(RunId, TableName, Action)>,
    /// Policies whose last run failed, by their index, and why.
    pub(super) failing: BTreeMap<usize, (TableName, ActionKind, String)>,
    pub(super) stopping: bool,
}

// === impl Board ===

impl Board {
    /// Manual runs that an earlier process accepted and did not begin wait again.
    pub(super) fn new(
        mut history: History,
        file: Option<HistoryFile>,
        most_runs: usize,
        clock: Arc<dyn Clock>,
        metrics: WorkerMetrics,
    ) -> Self {
        let (mut scopes, mut queue) = (BTreeMap::new(), VecDeque::new());
        let waiting: Vec<_> = history.newest_first().filter(|run| !run.status.is_final()).cloned().collect();
        for mut run in waiting.into_iter().rev() {
            match Action::try_new(run.action, &run.arguments) {
                Ok(action) => {
                    scopes.insert(run.id, RunScope::new(run.id, run.table.clone()));
                    queue.push_back((run.id, run.table, action));
                }
                Err(why) => {
                    let now = clock.now_millis();
                    run.end(RunStatus::Failed, now, Some(why.to_string()));
                    history.put(run, now);
                }
            }
        }
        let state = State { history, scopes, queue, failing: BTreeMap::new(), stopping: false };
        Self { state: Mutex::new(state), changed: Notify::new(), clock, file: Mutex::new(file), most_runs, metrics }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The history's file, for whoever is about to write.
    pub(super) fn file(&self) -> MutexGuard<'_, Option<HistoryFile>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes down what is new about a run. The disk's errors are counted and said: runs go on without it.
    pub(super) fn write(&self, mut file: MutexGuard<'_, Option<HistoryFile>>, run: &RunRecord) {
        let Some(file) = file.as_mut() else { return };
        let kept =
            || self.state().history.newest_first().cloned().collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>();
        if let Err(error) = file.write(run, kept, self.most_runs) {
            self.metrics.history_failures.inc();
            warn!(run = run.id.0, %error, "the run history cannot be written; runs go on without it");
        }
    }
}

// === impl State ===

impl State {
    /// A run that begins now.
    pub(super) fn new_run(
        &mut self,
        table: &TableName,
        action: ActionKind,
        arguments: &Given,
        cause: Cause,
        now_millis: i64,
    ) -> RunRecord {
        let id = self.history.next_id();
        self.scopes.insert(id, RunScope::new(id, table.clone()));
        RunRecord {
            id,
            table: table.clone(),
            action,
            arguments: arguments.clone(),
            cause,
            status: RunStatus::Queued,
            started_millis: now_millis,
            ended_millis: None,
            error: None,
            report: Report::default(),
            log: Vec::new(),
        }
    }
}

// === impl WorkerHandle ===

impl WorkerHandle {
    /// Asks for a run. It starts as soon as its table and a place are free, before what is only due; when the process ends
    /// before that, in the next one. Waits for the history's disk.
    ///
    /// # Errors
    /// [`Refused::Full`], [`Refused::Stopping`].
    pub fn submit(&self, table: &TableName, action: Action, arguments: &Given) -> Result<RunId, Refused> {
        let now = self.board.clock.now_millis();
        // Held from here on, so that the loop cannot write that the run began before it is written that it was asked for.
        let file = self.board.file();
        let mut state = self.board.state();
        if state.stopping {
            return Err(Refused::Stopping);
        }
        if state.queue.len() >= MOST_QUEUED {
            return Err(Refused::Full);
        }
        let run = state.new_run(table, action.kind(), arguments, Cause::Manual, now);
        let id = run.id;
        state.history.put(run.clone(), now);
        state.queue.push_back((id, table.clone(), action));
        drop(state);
        self.board.write(file, &run);
        self.board.changed.notify_one();
        Ok(id)
    }

    /// Asks a run to end early, in order; it has ended when its status says so.
    ///
    /// # Errors
    /// [`Refused::Unknown`], [`Refused::Ended`].
    pub fn cancel(&self, id: RunId) -> Result<(), Refused> {
        let state = self.board.state();
        match (state.scopes.get(&id), state.history.get(id)) {
            (Some(scope), _) => scope.stop.request(Duration::ZERO),
            (None, Some(run)) => return Err(Refused::Ended(id, run.status)),
            (None, None) => return Err(Refused::Unknown(id)),
        }
        drop(state);
        self.board.changed.notify_one();
        Ok(())
    }

    /// The newest runs, newest first, without their logs.
    pub fn runs(&self, limit: usize) -> Vec<RunRecord> {
        let state = self.board.state();
        let newest = state.history.newest_first().take(limit);
        newest.map(|run| RunRecord { log: Vec::new(), ..run.clone() }).collect()
    }

    /// One run, with what it has said so far.
    pub fn run(&self, id: RunId) -> Option<RunRecord> {
        let state = self.board.state();
        let mut run = state.history.get(id)?.clone();
        if let Some(scope) = state.scopes.get(&id) {
            run.log = scope.lines();
        }
        Some(run)
    }

    /// Policies whose last run failed: table, action, and why.
    pub fn failing(&self) -> Vec<(TableName, ActionKind, String)> {
        let state = self.board.state();
        state.failing.values().cloned().collect()
    }
}
