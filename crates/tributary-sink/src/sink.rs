//! Wires the stages of one pipeline's sink and gives the outside its three handles: an input for batches, a handle for
//! watching and checkpoints, and the sink itself, a future to supervise.

use std::sync::Arc;

use paimon_format::{SnapshotId, TableSchema};
use paimon_table::commit::CommitUser;
use paimon_table::table::Table;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::time::Instant;
use tributary_runtime::channel::{self, Sender};
use tributary_runtime::{Backoff, Classify, Drain, Env, MemoryBudget, Positions, SourceIdentity, Supervisor};

use crate::account::Account;
use crate::batch::{RowTransform, SinkBatch};
use crate::claim::{self, Claim};
use crate::committer::{EpochCommitter, SealedEpoch, Signals};
use crate::config::{EPOCHS_IN_FLIGHT, LANE_QUEUE, Limits, SinkConfig};
use crate::dispatcher::{CheckpointRequest, Dispatcher, Queued};
use crate::error::SinkError;
use crate::lane::Lane;
use crate::metrics::SinkMetrics;
use crate::pin::Pin;
use crate::plan::{Follow, Planner, check_rows};
use crate::progress::Progress;
use crate::retry::Retry;
use crate::uploader::{REQUESTS, UploadContext};
use crate::writers::Writers;

/// Everything a sink is made of.
pub struct SinkSetup {
    /// The target, with the options of this job merged in.
    pub table: Table,
    /// The job's commit user, `tributary-<id>`; also the name of its consumer file.
    pub user: CommitUser,
    /// The pipeline's name, for metrics and logs.
    pub pipeline: String,
    /// What the user tuned.
    pub config: SinkConfig,
    /// The source's durable facts, stored with every commit.
    pub identity: SourceIdentity,
    /// The schema whose columns the select makes: the target's when the statement was read. The table may have got
    /// columns since, which are filled with null.
    pub rows: Arc<TableSchema>,
    /// The select.
    pub transform: Arc<dyn RowTransform>,
    /// The process's memory budget, or the pipeline's share of it.
    pub budget: MemoryBudget,
    /// Clock, randomness, executor.
    pub env: Env,
    /// The process's drain.
    pub drain: Drain,
    /// The process's sink metrics.
    pub metrics: SinkMetrics,
}

/// A sink that has claimed its job and is ready to take rows.
pub struct OpenSink {
    /// To be supervised: nothing moves before it runs.
    pub sink: Sink,
    /// Where the source's batches go.
    pub input: SinkInput,
    /// For the status page, the admin verbs and the source's acknowledgements.
    pub handle: SinkHandle,
    /// Where the source has to continue.
    pub positions: Positions,
}

/// One pipeline's sink.
pub struct Sink {
    setup: SinkSetup,
    claim: Claim,
    account: Account,
    limits: Limits,
    backoff: Backoff,
    queue: channel::Receiver<Queued>,
    requests: mpsc::Receiver<CheckpointRequest>,
    acked: watch::Sender<Positions>,
    progress: Progress,
}

/// The source's end of the sink. Dropping it ends the stream: everything sent is committed.
pub struct SinkInput {
    queue: Sender<Queued>,
    budget: MemoryBudget,
    drain: Drain,
    progress: Progress,
}

/// Watches a sink. Clones watch the same.
#[derive(Clone)]
pub struct SinkHandle {
    acked: watch::Receiver<Positions>,
    requests: mpsc::Sender<CheckpointRequest>,
    progress: Progress,
}

/// What a sink had done when it ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finished {
    /// Rows committed since the process started.
    pub rows_committed: u64,
    /// The last snapshot.
    pub snapshot: SnapshotId,
}

/// The sink takes no more: a drain was requested, or it has stopped (then [`Sink::run`] says why).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sink takes no more rows")]
pub struct InputClosed;

// === impl Sink ===

impl Sink {
    /// Claims the job and prepares the stages. Retries transient errors until the drain's deadline.
    ///
    /// # Errors
    /// As described at [`SinkError`]; [`SinkError::NotDrained`] when a drain ended first.
    pub async fn open(setup: SinkSetup) -> Result<OpenSink, SinkError> {
        check_rows(&setup.table, &setup.rows, setup.table.schema())?;
        let backoff = claim::patience()?;
        let claim = tokio::select! {
            biased;
            claim = Claim::make(&setup.table, &setup.user, &setup.identity, &setup.env, backoff) => claim?,
            () = setup.drain.expired() => return Err(SinkError::NotDrained { rows: 0 }),
        };
        let limits = Limits::derive(&setup.config, setup.budget.limit());
        // Before the first batch can take its share: one larger than the budget leaves no room even for nothing.
        let account = Account::open(setup.budget.clone(), limits.pressure_bytes).await;
        let positions = claim.positions.clone();
        let metrics = setup.metrics.of(&setup.pipeline, &setup.table.identifier().to_string());
        let progress = Progress::new(
            metrics,
            Arc::clone(&setup.env.clock),
            setup.budget.clone(),
            limits.checkpoint_interval,
            claim.snapshot,
        );
        setup.metrics.watch(&setup.pipeline, &progress);
        tracing::info!(
            pipeline = setup.pipeline, table = %setup.table.identifier(), interval = ?limits.checkpoint_interval,
            lanes = limits.lanes, memory_bytes = setup.budget.limit(), "sink is open"
        );
        let (sender, queue) = channel::bounded(limits.channel_bytes);
        let (ask, requests) = mpsc::channel(EPOCHS_IN_FLIGHT);
        let acked = watch::Sender::new(positions.clone());
        let handle = SinkHandle { acked: acked.subscribe(), requests: ask, progress: progress.clone() };
        let input = SinkInput {
            queue: sender,
            budget: setup.budget.clone(),
            drain: setup.drain.clone(),
            progress: progress.clone(),
        };
        let sink = Self { setup, claim, account, limits, backoff, queue, requests, acked, progress };
        Ok(OpenSink { sink, input, handle, positions })
    }

    /// Writes and commits until the input was dropped or a drain was requested, then commits what was received, moves
    /// the pin, and ends.
    ///
    /// # Errors
    /// See [`SinkError`]. A transient kind means that rows which are not committed are no longer in memory: open
    /// the sink again and let the source replay. Nothing is ever half committed.
    pub async fn run(self) -> Result<Finished, SinkError> {
        let (progress, drain) = (self.progress.clone(), self.setup.drain.clone());
        let outcome = tokio::select! {
            biased;
            outcome = self.stages() => outcome,
            // A pin that could not be moved is no reason to say that rows are missing.
            () = drain.expired() => match progress.is_all_committed() {
                true => Ok(()),
                false => Err(SinkError::NotDrained { rows: progress.unsettled_rows() }),
            },
        };
        match outcome {
            Ok(()) => {
                progress.ended(None);
                let report = progress.report();
                Ok(Finished { rows_committed: report.rows_committed, snapshot: report.last_snapshot })
            }
            Err(error) => {
                progress.ended(Some((error.kind(), error.to_string())));
                Err(error)
            }
        }
    }

    async fn stages(self) -> Result<(), SinkError> {
        let Self { setup, claim, account, limits, backoff, queue, requests, acked, progress } = self;
        let SinkSetup { table, user, identity, rows, transform, env, drain, .. } = setup;
        let planner = Planner {
            table: table.clone(),
            rows,
            transform,
            row_group_bytes: limits.row_group_bytes,
            random: env.random.clone(),
            metrics: progress.metrics().clone(),
        };
        let follow = Follow::start(planner, claim.committer.schema())?;
        let retry = Retry { backoff, drain: drain.clone(), random: env.random.clone() };
        let uploads = Arc::new(UploadContext {
            storage: table.storage().clone(),
            requests: Semaphore::new(REQUESTS),
            retry: retry.clone(),
            env: env.clone(),
            progress: progress.clone(),
        });

        let mut stages = Supervisor::<SinkError>::new();
        let mut lanes = Vec::with_capacity(limits.lanes);
        for n in 0..limits.lanes {
            let (work, work_queue) = mpsc::channel(LANE_QUEUE);
            let metrics = progress.metrics().clone();
            let lane = Lane::new(work_queue, env.executor.clone(), Arc::clone(&uploads), metrics);
            stages.spawn(format!("lane {n}"), lane.run(Writers::new(follow.plans(), account.clone())));
            lanes.push(work);
        }
        let (sealed, line) = mpsc::channel::<SealedEpoch>(EPOCHS_IN_FLIGHT);
        let dispatcher = Dispatcher {
            input: queue,
            requests,
            lanes,
            sealed,
            places: Arc::new(Semaphore::new(EPOCHS_IN_FLIGHT)),
            positions: claim.positions.clone(),
            limits,
            drain,
            progress: progress.clone(),
        };
        stages.spawn("dispatcher", dispatcher.run());
        let committed = watch::Sender::new(claim.snapshot);
        let watched = committed.subscribe();
        let pin = Pin { table, user, committed: watched, progress: progress.clone(), backoff, env: env.clone() };
        let signals = Signals { acked, committed };
        let committer = EpochCommitter::new(claim, Arc::new(identity), follow, signals, progress.clone(), retry, env);
        stages.spawn("committer", committer.run(line));
        stages.spawn("pin", async move {
            pin.run().await;
            Ok(())
        });
        Ok(stages.join().await?)
    }
}

// === impl SinkInput ===

impl SinkInput {
    /// Hands over the next batch; waits while the channel or the memory budget is full.
    ///
    /// # Errors
    /// [`InputClosed`]: leave the source's loop. The batch is not part of any commit.
    pub async fn send(&mut self, batch: SinkBatch) -> Result<(), InputClosed> {
        if self.drain.is_requested() {
            return Err(InputClosed);
        }
        let bytes = batch.weight().max(1);
        let started = Instant::now();
        let sent = tokio::select! {
            biased;
            sent = async {
                let held = tokio::select! {
                    biased;
                    () = self.queue.closed() => return Err(InputClosed),
                    held = self.budget.reserve(bytes) => held,
                };
                self.queue.send((batch, held), bytes).await.map_err(|_| InputClosed)
            } => sent,
            () = self.drain.requested() => Err(InputClosed),
        };
        self.progress.metrics().backpressured.inc_by(started.elapsed().as_secs_f64());
        sent
    }

    /// Bytes queued as a share of the channel's bound, 0 to 1.
    pub fn fill(&self) -> f64 {
        self.queue.fill()
    }
}

// === impl SinkHandle ===

impl SinkHandle {
    /// The positions that are committed, for the source to forget what lies behind them.
    pub fn acked(&self) -> watch::Receiver<Positions> {
        self.acked.clone()
    }

    /// The sink's progress.
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Seals the open epoch now and waits for its commit. Returns the snapshot that holds, with those before it,
    /// every row the dispatcher had taken; without new rows that is the last one.
    ///
    /// # Errors
    /// [`InputClosed`] when the sink ended first.
    pub async fn checkpoint(&self) -> Result<SnapshotId, InputClosed> {
        let (answer, committed) = oneshot::channel();
        self.requests.send(answer).await.map_err(|_| InputClosed)?;
        committed.await.map_err(|_| InputClosed)
    }
}
