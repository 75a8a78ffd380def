//! What a running job tells and can be told: [`JobHandle`].

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use paimon_catalog::TableIdentifier;
use paimon_format::SnapshotId;
use serde_json::{Value, json};
use tokio::time::Instant;
use tributary_sink::{ProgressReport, SinkHandle, SinkState};
use tributary_source::datagen::{InvalidRate, RateHandle};

use crate::error::PipelineError;
use crate::identity::PipelineId;

/// Watches and steers the pipelines of a job. Clones share them.
#[derive(Clone)]
pub struct JobHandle {
    pipelines: Arc<[Arc<Shared>]>,
}

/// What a pipeline is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PipelineState {
    /// Looks up its positions and claims its commit user.
    Starting,
    /// Takes rows and commits them.
    Running,
    /// The source is paused by an admin; what was read is committed.
    Paused,
    /// A transient failure is being retried.
    Retrying,
    /// Takes no more rows; commits what it has.
    Draining,
    /// Everything is committed.
    Finished,
    /// Stopped with an error.
    Failed,
}

/// One pipeline at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct PipelineStatus {
    /// Its identity.
    pub id: PipelineId,
    /// Its target.
    pub table: TableIdentifier,
    /// What it is doing.
    pub state: PipelineState,
    /// Source rows taken since the process started, those that were read again included.
    pub rows_received: u64,
    /// Rows committed since the process started.
    pub rows_committed: u64,
    /// Source rows per second over the last seconds.
    pub rows_per_second: f64,
    /// The rate the source is held to; none before it runs.
    pub rate_limit: Option<f64>,
    /// The last snapshot it committed; none before its claim.
    pub snapshot: Option<SnapshotId>,
    /// When that was: Unix milliseconds, UTC.
    pub last_commit_millis: Option<i64>,
    /// Age of the oldest row that is not committed; none before the first row.
    pub lag: Option<Duration>,
    /// The last failure, also one that was overcome.
    pub last_error: Option<String>,
}

/// Why a pipeline was not told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// No pipeline has this id.
    #[error("no pipeline is called `{name}`; there are: {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The ids there are.
        known: String,
    },
    /// It has not started, or has ended.
    #[error("pipeline {0} is not running")]
    NotRunning(PipelineId),
    /// The rate is none.
    #[error(transparent)]
    Rate(#[from] InvalidRate),
}

/// How a pipeline and its handle meet.
pub(crate) struct Shared {
    id: PipelineId,
    table: TableIdentifier,
    facts: Mutex<Facts>,
}

#[derive(Default)]
struct Facts {
    running: Option<Running>,
    /// Rows of earlier attempts of this process.
    rows_before: (u64, u64),
    wish: Wish,
    ended: Option<PipelineState>,
    is_retrying: bool,
    last_error: Option<String>,
    samples: VecDeque<(Instant, u64)>,
}

struct Running {
    sink: SinkHandle,
    rate: RateHandle,
}

/// What an admin asked for: it outlives an attempt.
#[derive(Default, Clone, Copy)]
struct Wish {
    is_paused: bool,
    rate: Option<f64>,
}

/// The rate shown is that of this long.
const RATE_WINDOW: Duration = Duration::from_secs(5);

// === impl JobHandle ===

impl JobHandle {
    pub(crate) fn new(pipelines: Vec<Arc<Shared>>) -> Self {
        Self { pipelines: pipelines.into() }
    }

    /// Every pipeline, in the order of the statements.
    pub fn status(&self) -> Vec<PipelineStatus> {
        self.pipelines.iter().map(|pipeline| pipeline.status()).collect()
    }

    /// Every pipeline's id and whether it keeps its promise, or why not.
    pub fn ready(&self) -> Vec<(PipelineId, Result<(), String>)> {
        self.pipelines.iter().map(|pipeline| (pipeline.id.clone(), pipeline.ready())).collect()
    }

    /// Commits what has been read now and waits for it; all pipelines if none is named.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn checkpoint(&self, pipeline: Option<&str>) -> Result<Vec<(PipelineId, SnapshotId)>, ControlError> {
        let chosen = self.chosen(pipeline)?;
        let mut snapshots = Vec::with_capacity(chosen.len());
        for shared in chosen {
            let not_running = || ControlError::NotRunning(shared.id.clone());
            let sink = shared.facts().running.as_ref().map(|running| running.sink.clone()).ok_or_else(not_running)?;
            snapshots.push((shared.id.clone(), sink.checkpoint().await.map_err(|_| not_running())?));
        }
        Ok(snapshots)
    }

    /// Stops reading; what was read is still committed.
    ///
    /// # Errors
    /// [`ControlError::Unknown`].
    pub fn pause(&self, pipeline: Option<&str>) -> Result<(), ControlError> {
        self.wish(pipeline, |wish| wish.is_paused = true)
    }

    /// Undoes [`JobHandle::pause`].
    ///
    /// # Errors
    /// [`ControlError::Unknown`].
    pub fn resume(&self, pipeline: Option<&str>) -> Result<(), ControlError> {
        self.wish(pipeline, |wish| wish.is_paused = false)
    }

    /// Holds the source to this many rows per second from now on, until the process ends.
    ///
    /// # Errors
    /// [`ControlError::Unknown`], [`ControlError::Rate`], [`ControlError::NotRunning`].
    pub fn rate(&self, pipeline: Option<&str>, rows_per_second: f64) -> Result<(), ControlError> {
        for shared in self.chosen(pipeline)? {
            let mut facts = shared.facts();
            let Some(running) = &facts.running else {
                return Err(ControlError::NotRunning(shared.id.clone()));
            };
            running.rate.set(rows_per_second)?;
            facts.wish.rate = Some(rows_per_second);
        }
        Ok(())
    }

    fn wish(&self, pipeline: Option<&str>, change: impl Fn(&mut Wish)) -> Result<(), ControlError> {
        for shared in self.chosen(pipeline)? {
            let mut facts = shared.facts();
            change(&mut facts.wish);
            if let Some(running) = &facts.running {
                facts.wish.apply(&running.rate);
            }
        }
        Ok(())
    }

    fn chosen(&self, pipeline: Option<&str>) -> Result<Vec<&Arc<Shared>>, ControlError> {
        let Some(name) = pipeline else { return Ok(self.pipelines.iter().collect()) };
        let chosen: Vec<_> = self.pipelines.iter().filter(|shared| shared.id.as_str() == name).collect();
        if chosen.is_empty() {
            let known: Vec<_> = self.pipelines.iter().map(|shared| shared.id.as_str()).collect();
            return Err(ControlError::Unknown { name: name.to_owned(), known: known.join(", ") });
        }
        Ok(chosen)
    }

    /// Takes a sample of every pipeline's rows, for the rate shown. To be called about once a second.
    pub(crate) fn sample(&self) {
        for shared in self.pipelines.iter() {
            let mut facts = shared.facts();
            let rows = facts.rows().0;
            let now = Instant::now();
            facts.samples.push_back((now, rows));
            while facts.samples.len() > 2 && facts.samples.front().is_some_and(|(at, _)| now - *at > RATE_WINDOW) {
                facts.samples.pop_front();
            }
        }
    }
}

impl fmt::Debug for JobHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.status()).finish()
    }
}

// === impl Shared ===

impl Shared {
    pub(crate) fn new(id: PipelineId, table: TableIdentifier) -> Self {
        Self { id, table, facts: Mutex::default() }
    }

    pub(crate) fn rows_committed(&self) -> u64 {
        self.facts().rows().1
    }

    /// An attempt has opened its sink and its source.
    pub(crate) fn running(&self, sink: SinkHandle, rate: RateHandle) {
        let mut facts = self.facts();
        facts.rows_before = facts.rows();
        facts.wish.apply(&rate);
        facts.is_retrying = false;
        facts.running = Some(Running { sink, rate });
    }

    /// An attempt failed and another one will follow.
    pub(crate) fn retrying(&self, error: &PipelineError) {
        let mut facts = self.facts();
        facts.is_retrying = true;
        facts.last_error = Some(error.to_string());
    }

    /// The pipeline has ended.
    pub(crate) fn ended(&self, outcome: &Result<(), PipelineError>) {
        let mut facts = self.facts();
        match outcome {
            Ok(()) => facts.ended = Some(PipelineState::Finished),
            Err(error) => {
                facts.ended = Some(PipelineState::Failed);
                facts.last_error = Some(error.to_string());
            }
        }
    }

    fn status(&self) -> PipelineStatus {
        let facts = self.facts();
        let report = facts.report();
        let (rows_received, rows_committed) = facts.rows();
        PipelineStatus {
            id: self.id.clone(),
            table: self.table.clone(),
            state: facts.state(report.as_ref()),
            rows_received,
            rows_committed,
            rows_per_second: facts.rows_per_second(),
            rate_limit: facts.running.as_ref().map(|running| running.rate.get()),
            snapshot: report.as_ref().map(|report| report.last_snapshot),
            last_commit_millis: report.as_ref().map(|report| report.last_commit_millis),
            lag: report.as_ref().and_then(|report| report.lag),
            last_error: facts.last_error.clone().or(report.and_then(|report| report.last_failure)),
        }
    }

    fn ready(&self) -> Result<(), String> {
        let facts = self.facts();
        match facts.state(facts.report().as_ref()) {
            PipelineState::Starting => Err("starting".to_owned()),
            PipelineState::Failed => Err(format!("stopped: {}", facts.last_error.as_deref().unwrap_or("see the log"))),
            PipelineState::Finished => Err("finished".to_owned()),
            _ if facts.is_retrying => {
                Err(format!("starting again after: {}", facts.last_error.as_deref().unwrap_or("see the log")))
            }
            _ => facts.running.as_ref().map_or(Ok(()), |running| running.sink.progress().ready()),
        }
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Facts ===

impl Facts {
    fn report(&self) -> Option<ProgressReport> {
        self.running.as_ref().map(|running| running.sink.progress().report())
    }

    /// Rows received and committed, of all attempts.
    fn rows(&self) -> (u64, u64) {
        let (received, committed) = self.rows_before;
        self.report()
            .map_or(self.rows_before, |report| (received + report.rows_received, committed + report.rows_committed))
    }

    fn state(&self, report: Option<&ProgressReport>) -> PipelineState {
        if let Some(ended) = self.ended {
            return ended;
        }
        match report.map(|report| report.state) {
            _ if self.is_retrying => PipelineState::Retrying,
            None => PipelineState::Starting,
            Some(SinkState::Retrying) => PipelineState::Retrying,
            Some(SinkState::Running) if self.wish.is_paused => PipelineState::Paused,
            Some(SinkState::Running) => PipelineState::Running,
            // The sink is done a moment before its pipeline.
            Some(SinkState::Draining | SinkState::Finished) => PipelineState::Draining,
            Some(SinkState::Failed) => PipelineState::Failed,
        }
    }

    fn rows_per_second(&self) -> f64 {
        match (self.samples.front(), self.samples.back()) {
            (Some((from, first)), Some((to, last))) if to > from && self.ended.is_none() => {
                last.saturating_sub(*first) as f64 / (*to - *from).as_secs_f64()
            }
            _ => 0.0,
        }
    }
}

// === impl Wish ===

impl Wish {
    fn apply(self, rate: &RateHandle) {
        if let Some(rows_per_second) = self.rate
            && let Err(error) = rate.set(rows_per_second)
        {
            // It was accepted before, so this cannot happen; the declared rate stays.
            tracing::error!(%error, "the rate asked for earlier was not taken over");
        }
        if self.is_paused { rate.pause() } else { rate.resume() }
    }
}

// === impl PipelineState ===

impl PipelineState {
    /// The word shown to people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Retrying => "retrying",
            Self::Draining => "draining",
            Self::Finished => "finished",
            Self::Failed => "failed",
        }
    }
}

// === impl PipelineStatus ===

impl PipelineStatus {
    /// For the status page.
    pub fn to_json(&self) -> Value {
        json!({
            "pipeline": self.id.as_str(),
            "database": self.table.database,
            "table": self.table.table,
            "state": self.state.as_str(),
            "rows_received": self.rows_received,
            "rows_committed": self.rows_committed,
            "rows_per_second": self.rows_per_second,
            "rate_limit": self.rate_limit,
            "snapshot": self.snapshot.map(|snapshot| snapshot.0),
            "last_commit_millis": self.last_commit_millis,
            "lag_seconds": self.lag.map(|lag| lag.as_secs_f64()),
            "last_error": self.last_error,
        })
    }
}
