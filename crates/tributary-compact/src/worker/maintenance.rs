//! Maintenance of a table as a worker's run: `paimon-table` does it, this says what came of it.

use std::sync::Arc;

use async_trait::async_trait;
use paimon_table::error::TableError;
use paimon_table::expire::{ExpirePolicy, expire};
use paimon_table::orphans::{OrphanPolicy, remove_orphans};
use paimon_table::table::Table;
use serde_json::Value;
use tributary_runtime::Env;

use super::Perform;
use super::action::Action;
use super::backlog::{MOST_PARTITIONS, State};
use super::metrics::WorkerMetrics;
use super::record::{Report, TableName, Volume};
use super::run_log::{RunFailure, RunScope};
use crate::Resources;
use crate::survey::{Survey, survey};

/// Names to tables.
#[async_trait]
pub trait Tables: Send + Sync {
    /// The table as it is now.
    ///
    /// # Errors
    /// [`NotLoaded`]: there is none, or its catalog does not say.
    async fn load(&self, table: &TableName) -> Result<Table, NotLoaded>;
}

/// Why there is no table to work on.
#[derive(Debug)]
pub enum NotLoaded {
    /// Its catalog says that there is no such table.
    Missing(RunFailure),
    /// Whether there is one is not known, or it cannot be worked on.
    Failed(RunFailure),
}

/// Carries actions out on the tables of catalogs.
pub struct Maintenance {
    /// Where tables come from.
    pub tables: Arc<dyn Tables>,
    /// Clock, randomness, and where CPU work runs.
    pub env: Env,
    /// What the compactions of all tables may use together.
    pub resources: Resources,
    /// Where it is shown what tables look like.
    pub metrics: WorkerMetrics,
}

#[async_trait]
impl Perform for Maintenance {
    async fn perform(&self, table: &TableName, action: &Action, scope: &RunScope) -> Result<Report, RunFailure> {
        let name = table;
        let table = self.tables.load(name).await.map_err(|why| match why {
            NotLoaded::Missing(failure) => {
                self.metrics.backlog.forget(name);
                failure
            }
            NotLoaded::Failed(failure) => failure,
        })?;
        let done = match action {
            Action::Compact { arguments, dry_run } => self.compact(&table, arguments, *dry_run, scope).await,
            Action::ExpireSnapshots { retain_max, retain_min, older_than, max_deletes } => {
                let own = ExpirePolicy::of(table.options());
                let policy = ExpirePolicy {
                    retain_max: retain_max.unwrap_or(own.retain_max),
                    retain_min: retain_min.unwrap_or(own.retain_min),
                    time_retained: older_than.unwrap_or(own.time_retained),
                    max_deletes: max_deletes.unwrap_or(own.max_deletes),
                };
                self.expire_snapshots(&table, &policy, scope).await
            }
            Action::RemoveOrphanFiles { older_than, dry_run } => {
                let policy = OrphanPolicy { older_than: *older_than, delete: !dry_run };
                self.remove_orphan_files(&table, policy, scope).await
            }
            Action::CreateTag(arguments) => self.create_tag(&table, arguments, scope).await,
            Action::ExpireTags => self.expire_tags(&table, scope).await,
        };
        if !scope.stop.is_requested()
            && let Err(error) = self.show(name, &table).await
        {
            tracing::warn!(table = %name, %error, "the table's files cannot be counted");
        }
        done
    }
}

impl Maintenance {
    /// Shows what the table looks like. Reads no manifest where that is shown already.
    async fn show(&self, name: &TableName, table: &Table) -> Result<(), TableError> {
        let state = State { snapshot: table.latest_snapshot().await?, schema_id: table.schema().id };
        if self.metrics.backlog.shows(name, &state) {
            return Ok(());
        }
        let survey = match &state.snapshot {
            Some(snapshot) => survey(table, snapshot, MOST_PARTITIONS, &self.env.executor).await?,
            None => Survey::default(),
        };
        self.metrics.backlog.show(name, state, &survey);
        Ok(())
    }

    async fn expire_snapshots(
        &self,
        table: &Table,
        policy: &ExpirePolicy,
        scope: &RunScope,
    ) -> Result<Report, RunFailure> {
        let report = expire(table, policy, &self.env, &scope.stop).await.map_err(failure)?;
        for consumer in &report.released {
            scope.say(format!("consumer {consumer} keeps nothing any more: nobody renewed it"));
        }
        if let Some((consumer, snapshot)) = &report.held_by {
            scope.say(format!("consumer {consumer} keeps what comes from snapshot {} on", snapshot.0));
        }
        if report.reclaimed.left > 0 {
            scope.say(format!("{} files could not be deleted; remove_orphan_files finds them", report.reclaimed.left));
        }
        let removed = Volume {
            files: report.reclaimed.data_files + report.reclaimed.metadata_files,
            bytes: report.reclaimed.bytes,
        };
        scope.say(format!("{} snapshots expired, {} files deleted", report.snapshots, removed.files));
        let details = [
            ("expired_snapshots", Value::from(report.snapshots)),
            ("earliest_snapshot", Value::from(report.earliest.map(|id| id.0))),
        ];
        Ok(Report {
            idle: report.snapshots == 0 && report.released.is_empty(),
            cut_short: report.stopped,
            removed,
            details: details.map(|(name, value)| (name.to_owned(), value)).into(),
            ..Report::default()
        })
    }

    async fn remove_orphan_files(
        &self,
        table: &Table,
        policy: OrphanPolicy,
        scope: &RunScope,
    ) -> Result<Report, RunFailure> {
        let report = remove_orphans(table, &policy, &self.env, &scope.stop).await.map_err(failure)?;
        let found = Volume {
            files: report.orphans.len() as u64,
            bytes: report.orphans.iter().map(|orphan| orphan.bytes).sum(),
        };
        for orphan in &report.orphans {
            scope.detail(format!("{} ({} bytes)", orphan.path, orphan.bytes));
        }
        let done = if policy.delete { "deleted" } else { "found, none deleted: dry_run" };
        scope.say(format!("{} orphan files of {} bytes {done}", found.files, found.bytes));
        let removed = if policy.delete { found } else { Volume::default() };
        let details = [("orphan_files", found.files), ("orphan_bytes", found.bytes), ("not_deleted", report.left)];
        Ok(Report {
            idle: found.files == 0,
            cut_short: report.stopped,
            removed,
            details: details.map(|(name, value)| (name.to_owned(), Value::from(value))).into(),
            ..Report::default()
        })
    }
}

pub(super) fn failure(error: TableError) -> RunFailure {
    RunFailure::of(&error)
}
