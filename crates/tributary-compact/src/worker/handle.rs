//! What others may ask the worker and tell it. Every question is answered at once, from what is at hand.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tributary_runtime::Clock;

use super::action::{Action, ActionKind, Given};
use super::history::History;
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
    pub(super) fn new(history: History, clock: Arc<dyn Clock>) -> Self {
        let state = State {
            history,
            scopes: BTreeMap::new(),
            queue: VecDeque::new(),
            failing: BTreeMap::new(),
            stopping: false,
        };
        Self { state: Mutex::new(state), changed: Notify::new(), clock }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
    /// Asks for a run. It starts as soon as its table and a place are free, before what is only due.
    ///
    /// # Errors
    /// [`Refused::Full`], [`Refused::Stopping`].
    pub fn submit(&self, table: &TableName, action: Action, arguments: &Given) -> Result<RunId, Refused> {
        let now = self.board.clock.now_millis();
        let mut state = self.board.state();
        if state.stopping {
            return Err(Refused::Stopping);
        }
        if state.queue.len() >= MOST_QUEUED {
            return Err(Refused::Full);
        }
        let run = state.new_run(table, action.kind(), arguments, Cause::Manual, now);
        let id = run.id;
        state.history.put(run, now);
        state.queue.push_back((id, table.clone(), action));
        drop(state);
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
