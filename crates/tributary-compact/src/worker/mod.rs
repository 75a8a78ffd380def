//! The worker: which table is looked after how and when, what was done, and the loop that does it.
//!
//! A [`Policy`] says what to do ([`Action`]) to which table and when ([`Trigger`]). [`schedule`] is pure: it picks, from
//! what is due and what runs, what to start and when to look again. [`Worker`] starts it, one run a table at a time, keeps
//! the [`History`], and answers through its [`WorkerHandle`]. What a run does is behind [`Perform`].
//!
//! Life cycle: [`Worker::try_new`] opens the history; [`Worker::run`] goes on until its drain is requested, asks the runs
//! to stop, and ends when they have. A run that fails or panics is recorded, backs off, and disturbs no other table.
//!
//! Not here: HTTP, settings files, which catalog a name belongs to.

mod action;
mod backlog;
mod compaction;
mod cron;
mod handle;
mod history;
mod history_file;
mod looper;
mod maintenance;
mod metrics;
mod record;
mod run_log;
pub mod schedule;
mod tags;

#[cfg(test)]
mod tests;

pub use action::{ACTIONS, ARGUMENTS, Action, ActionKind, ArgumentDef, Given};
pub use cron::{CronSchedule, CronZone};
pub use handle::{Refused, WorkerHandle};
pub use history::{History, HistoryBounds};
pub use history_file::HistoryError;
pub use looper::{Policy, Worker, WorkerSetup};
pub use maintenance::{Maintenance, NotLoaded, Tables};
pub use metrics::{METRICS, WorkerMetrics};
pub use record::{Cause, Report, RunId, RunRecord, RunStatus, TableName, Volume};
pub use run_log::{RunFailure, RunScope};
pub use schedule::Trigger;
pub use tags::TagArguments;

use async_trait::async_trait;

/// Does what a run is for.
#[async_trait]
pub trait Perform: Send + Sync {
    /// Carries `action` out on `table`. Ends early, in order, when the stop of `scope` is requested: what it wrote and did
    /// not commit is removed by then.
    ///
    /// # Errors
    /// [`RunFailure`], whose kind decides whether the run is repeated before it is due again.
    async fn perform(&self, table: &TableName, action: &Action, scope: &RunScope) -> Result<Report, RunFailure>;
}
