//! One pipeline: source -> SELECT -> sink, from its claim to its last commit.
//!
//! A transient failure that cost rows in memory is met by starting again from the committed positions, and so is a
//! claim of another start that arrives between our look at the state and our claim; every other failure ends the
//! pipeline with its kind.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use paimon_catalog::{Catalog, CatalogError, Table, TableIdentifier};
use paimon_format::{SnapshotId, TableSchema};
use paimon_table::evolution::check_written;
use paimon_table::probe::{probe_create_if_absent, probe_writable};
use tokio::sync::watch;
use tributary_runtime::{Backoff, Classify, Drain, Env, FailureKind, MemoryBudget, Positions, Supervisor, TaskFailure};
use tributary_sink::{JobState, OpenSink, Sink, SinkBatch, SinkConfig, SinkError, SinkInput, SinkMetrics, SinkSetup};
use tributary_source::datagen::DatagenSpec;
use tributary_source::{BatchBudget, Next, Source};

use crate::error::PipelineError;
use crate::expr::BoundSelect;
use crate::handle::Shared;
use crate::identity::PipelineId;

/// An INSERT, resolved: everything needed to run it, nothing started.
pub struct PipelinePlan {
    pub(crate) id: PipelineId,
    pub(crate) catalog: Arc<dyn Catalog>,
    pub(crate) table: TableIdentifier,
    /// The target's schema when the statement was read.
    pub(crate) schema: Arc<TableSchema>,
    /// Table options of this pipeline that cover the table's own.
    pub(crate) options: BTreeMap<String, String>,
    pub(crate) source: DatagenSpec,
    pub(crate) select: Arc<BoundSelect>,
    pub(crate) checkpoint_interval: Duration,
    pub(crate) parallelism: Option<NonZeroUsize>,
}

/// Where a pipeline would begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prospect {
    /// Its table is to be created.
    NewTable,
    /// It has not written to its table yet.
    FirstStart,
    /// It goes on after the last snapshot it committed.
    After(SnapshotId),
}

/// What all pipelines of a process share.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) env: Env,
    pub(crate) drain: Drain,
    pub(crate) metrics: SinkMetrics,
    pub(crate) budget: MemoryBudget,
}

/// Splits of a source at its first start. One source feeds one pipeline, so more would only be bookkeeping.
const SPLITS: u32 = 1;
const LEAST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

type Result<T, E = PipelineError> = std::result::Result<T, E>;

// === impl PipelinePlan ===

impl PipelinePlan {
    /// The pipeline's identity.
    pub fn id(&self) -> &PipelineId {
        &self.id
    }

    /// The target.
    pub fn table(&self) -> &TableIdentifier {
        &self.table
    }

    /// The target's columns and options as they will be met.
    pub fn schema(&self) -> &TableSchema {
        &self.schema
    }

    /// What a start would meet: the target's store is probed, and the source must be the one whose positions are
    /// stored. Nothing is claimed.
    ///
    /// # Errors
    /// Those of a start.
    pub async fn check(&self, env: &Env) -> Result<Prospect> {
        let found = self.load(env, &mut false).await;
        let (table, state) = match found {
            Err(PipelineError::Catalog(CatalogError::NoSuchTable { .. })) => return Ok(Prospect::NewTable),
            found => found?,
        };
        if !table.port().needs_create_if_absent() {
            probe_writable(table.storage(), &env.random).await?;
        }
        self.source.build(state.as_ref().map(JobState::identity), SPLITS, env.clone())?;
        Ok(state.map_or(Prospect::FirstStart, |state| Prospect::After(state.snapshot())))
    }

    /// Runs until the source ends or a drain is over.
    pub(crate) async fn run(&self, around: &Surroundings, shared: &Shared) -> Result<()> {
        let backoff = Backoff::try_new(LEAST_WAIT, LONGEST_WAIT)?;
        let mut attempt = 0;
        let mut is_probed = false;
        loop {
            let committed = shared.rows_committed();
            let error = match self.attempt(around, shared, &mut is_probed).await {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == FailureKind::Transient || is_overtaken(&error) => error,
                Err(error) => return Err(error),
            };
            // Whoever got something done begins to count anew.
            attempt = if shared.rows_committed() > committed { 0 } else { attempt + 1 };
            let delay = backoff.delay(attempt, &around.env.random);
            tracing::warn!(pipeline = %self.id, error = %error, wait = ?delay, "starting again from the committed positions");
            shared.retrying(&error);
            tokio::select! {
                biased;
                () = around.drain.requested() => return Err(PipelineError::NotStarted),
                () = tokio::time::sleep(delay) => {}
            }
        }
    }

    async fn attempt(&self, around: &Surroundings, shared: &Shared, is_probed: &mut bool) -> Result<()> {
        let drain = &around.drain;
        let (table, state) = tokio::select! {
            biased;
            found = self.load(&around.env, is_probed) => found?,
            () = drain.expired() => return Err(PipelineError::NotStarted),
        };
        let stored = state.as_ref().map(JobState::identity);
        let mut source = self.source.build(stored, SPLITS, around.env.clone())?;
        let config = SinkConfig { checkpoint_interval: self.checkpoint_interval, ..SinkConfig::default() };
        let config = SinkConfig { parallelism: self.parallelism.unwrap_or(config.parallelism), ..config };
        let opened = Sink::open(SinkSetup {
            table,
            user: self.id.commit_user(),
            pipeline: self.id.to_string(),
            config,
            identity: source.identity().clone(),
            rows: Arc::clone(&self.schema),
            transform: self.select.clone(),
            budget: around.budget.clone(),
            env: around.env.clone(),
            drain: drain.clone(),
            metrics: around.metrics.clone(),
        })
        .await?;
        let OpenSink { sink, input, handle, positions } = opened;
        source.open(&positions).await?;
        shared.running(handle.clone(), source.rate());
        let mut tasks = Supervisor::<PipelineError>::new();
        tasks.spawn(format!("source of {}", self.id), pump(source, input, handle.acked(), drain.clone()));
        tasks.spawn(format!("sink of {}", self.id), async move {
            sink.run().await?;
            Ok(())
        });
        match tasks.join().await {
            Ok(()) => Ok(()),
            Err(TaskFailure::Failed { error, .. }) => Err(error),
            Err(TaskFailure::Panicked { panic, .. }) => Err(panic.into()),
        }
    }

    async fn load(&self, env: &Env, is_probed: &mut bool) -> Result<(Table, Option<JobState>)> {
        let table = self.catalog.load_table(&self.table).await?;
        check_written(&self.schema, table.schema())
            .map_err(|what| PipelineError::SchemaChanged { table: self.table.to_string(), what })?;
        if !*is_probed && table.port().needs_create_if_absent() {
            probe_create_if_absent(table.storage(), &env.random).await?;
            *is_probed = true;
        }
        let table = table.with_options(&self.options)?;
        let state = JobState::load(&table, &self.id.commit_user()).await?;
        Ok((table, state))
    }
}

/// Whether another start's claim arrived between reading the state, from which the source was built, and our own claim:
/// at a first start the two have drawn different seeds. The next attempt reads what is stored now, and a source that
/// really is another one is refused when it is built.
fn is_overtaken(error: &PipelineError) -> bool {
    matches!(error, PipelineError::Sink(SinkError::OtherSource { .. }))
}

/// Moves batches until the source ends, the sink closes or a drain begins; then lets the sink finish and
/// tells the source what became durable.
async fn pump(
    mut source: impl Source,
    mut input: SinkInput,
    mut acked: watch::Receiver<Positions>,
    drain: Drain,
) -> Result<()> {
    let budget = BatchBudget::default();
    loop {
        let next = tokio::select! {
            biased;
            () = drain.requested() => break,
            Ok(()) = acked.changed() => {
                let positions = acked.borrow_and_update().clone();
                source.committed(&positions).await?;
                continue;
            }
            next = source.next(&budget) => next?,
        };
        match next {
            Next::Batch(batch) => {
                let batch = SinkBatch { interval: batch.interval, at_millis: batch.at_millis, rows: batch.rows };
                if input.send(batch).await.is_err() {
                    break;
                }
            }
            Next::Assigned(_) | Next::Revoked(_) | Next::Idle => {}
            Next::End => break,
        }
    }
    drop(input);
    while acked.changed().await.is_ok() {
        let positions = acked.borrow_and_update().clone();
        source.committed(&positions).await?;
    }
    Ok(())
}
