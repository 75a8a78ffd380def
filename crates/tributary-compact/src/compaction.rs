//! Planning and running one compaction of one table.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use paimon_format::Snapshot;
use paimon_table::table::Table;
use paimon_table::wall_clock::local_millis;
use tokio_util::sync::CancellationToken;
use tributary_runtime::{Env, MemoryBudget};

use crate::error::{CompactError, Unfinished};
use crate::inventory;
use crate::plan::{self, Idle, Plan, Sizes};
use crate::report::{OnProgress, RunReport};
use crate::request::{Request, Strategy};
use crate::run::Run;

/// A compaction of one table, ready to be planned and run.
pub struct Compaction {
    pub(crate) table: Table,
    pub(crate) request: Request,
    pub(crate) env: Env,
}

/// What a run may use.
#[derive(Clone, Debug)]
pub struct Resources {
    /// Bytes of memory for everything that is rewritten at one time.
    pub memory: MemoryBudget,
    /// Tasks that are rewritten at one time, memory permitting.
    pub parallelism: usize,
    /// Where rows that are ordered go when they do not fit into memory. Nothing is left there, not even by a kill.
    pub spill_folder: PathBuf,
}

// === impl Compaction ===

impl Compaction {
    /// A compaction of `table`; options that cover the table's for this run are those of [`Table::with_options`].
    pub fn new(table: Table, request: Request, env: Env) -> Self {
        Self { table, request, env }
    }

    /// What [`Compaction::run`] would do now.
    ///
    /// # Errors
    /// [`CompactError::Table`] when metadata cannot be read, [`CompactError::Unsupported`] for deletion vectors and other
    /// indexes.
    pub async fn plan(&self) -> Result<Plan, CompactError> {
        let Some(snapshot) = self.snapshot().await? else {
            return Ok(Plan { snapshot: None, tasks: Vec::new() });
        };
        let Request { partitions, strategy, partition_idle_time, max_tasks } = &self.request;
        let sizes = Sizes::of(self.table.options());
        let limits = sizes.limits(strategy);
        let prefix = matches!(strategy, Strategy::Ordered(_)).then(|| strategy.file_prefix(&self.table));
        let found =
            inventory::take(&self.table, &snapshot, partitions.as_ref(), limits, prefix.as_deref(), &self.env.executor)
                .await?;
        let now = local_millis(self.env.clock.now_millis());
        let idle = partition_idle_time.map(|time| Idle { since_local_millis: now.saturating_sub(millis(time)) });
        let tasks = plan::tasks(found, strategy, &sizes, idle, *max_tasks);
        Ok(Plan { snapshot: Some(snapshot.id), tasks })
    }

    /// Plans and does it. Every task is committed for itself, small ones together; a task that meets another committer's
    /// removal of its files is abandoned, with its own outputs removed, and the others go on.
    ///
    /// # Errors
    /// [`Unfinished`]: [`CompactError::Cancelled`] when `cancel` was; otherwise what went wrong. What was committed stays, what was not is
    /// removed, unless it is not known whether it was.
    pub async fn run(
        &self,
        resources: &Resources,
        on_progress: OnProgress,
        cancel: &CancellationToken,
    ) -> Result<RunReport, Unfinished> {
        let plan = self.plan().await?;
        Run::new(self, &plan, on_progress).go(&plan, resources, cancel).await
    }

    /// The newest snapshot; refuses what a compaction would have to carry over file by file.
    pub(crate) async fn snapshot(&self) -> Result<Option<Arc<Snapshot>>, CompactError> {
        let latest = self.table.latest_snapshot().await?;
        match latest.as_ref().and_then(|snapshot| Some((snapshot.id, snapshot.index_manifest.as_ref()?))) {
            None => Ok(latest),
            Some((id, name)) => Err(CompactError::Unsupported {
                object: format!("snapshot {id}"),
                feature: format!("it has an index ({name}), such as deletion vectors, that its files belong to"),
            }),
        }
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
