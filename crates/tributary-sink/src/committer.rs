//! Commits sealed epochs, strictly in order.
//!
//! An epoch takes its place in line when it is sealed; here it waits for its lanes' uploads and becomes one snapshot:
//! files and positions together, or neither. Identifiers grow by one per commit. An epoch whose rows were all
//! filtered away only moves positions: those wait for the next commit with rows, for a minute at most.
//!
//! A transient failure is tried again for as long as it takes: the same request, so that an attempt whose reply was
//! lost is found instead of repeated. Whatever else the commit says stops the pipeline.

use std::sync::Arc;
use std::time::Duration;

use paimon_format::{CommitKind, SnapshotId};
use paimon_table::commit::{CommitIdentifier, CommitRequest, Committed, Committer, NewFile};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot, watch};
use tokio::time::Instant;
use tributary_runtime::{Classify, Env, FailureKind, Positions, SourceIdentity};

use crate::claim::Claim;
use crate::config::POSITION_COMMIT_EVERY;
use crate::error::SinkError;
use crate::late::LateRows;
use crate::overwrites::{LivePartitions, Overwrites};
use crate::plan::Follow;
use crate::progress::{CommitFacts, Progress};
use crate::retry::Retry;
use crate::state::{self, Incarnation};
use crate::waited;

/// An epoch in its place in line.
pub(crate) struct SealedEpoch {
    /// Up to where the source's rows are in this epoch or an earlier one.
    pub(crate) positions: Positions,
    /// Source rows received in it.
    pub(crate) rows_received: u64,
    /// Batches received in it; 0 when somebody asked for a checkpoint of nothing.
    pub(crate) batches: u64,
    pub(crate) sealed_at: Instant,
    /// What each open lane wrote, once it is in the store.
    pub(crate) lanes: Vec<oneshot::Receiver<Vec<NewFile>>>,
    /// Who asked for the seal and waits for its commit.
    pub(crate) asked: Vec<oneshot::Sender<SnapshotId>>,
    /// Keeps the number of epochs in flight bounded.
    pub(crate) place: OwnedSemaphorePermit,
}

/// The committing stage.
pub(crate) struct EpochCommitter {
    committer: Committer,
    incarnation: Incarnation,
    identity: Arc<SourceIdentity>,
    follow: Follow,
    identifier: CommitIdentifier,
    overwrites: Overwrites,
    live: LivePartitions,
    late: LateRows,
    env: Env,
    /// Positions that moved without rows since the last commit, and when the first of them was sealed.
    held_back: Option<(Positions, Instant)>,
    last_commit: Instant,
    signals: Signals,
    progress: Progress,
    retry: Retry,
}

/// Who learns of a commit.
pub(crate) struct Signals {
    /// What is durable, for the source.
    pub(crate) acked: watch::Sender<Positions>,
    /// The newest snapshot, for the pin.
    pub(crate) committed: watch::Sender<SnapshotId>,
}

/// What belongs into one snapshot.
struct Batch {
    positions: Positions,
    files: Vec<NewFile>,
    sealed_at: Instant,
}

// === impl EpochCommitter ===

impl EpochCommitter {
    pub(crate) fn new(
        claim: Claim,
        identity: Arc<SourceIdentity>,
        follow: Follow,
        signals: Signals,
        progress: Progress,
        retry: Retry,
        env: Env,
    ) -> Self {
        Self {
            committer: claim.committer,
            incarnation: claim.incarnation,
            identity,
            follow,
            identifier: claim.identifier,
            overwrites: claim.overwrites,
            live: LivePartitions::default(),
            late: LateRows::default(),
            env,
            held_back: None,
            last_commit: Instant::now(),
            signals,
            progress,
            retry,
        }
    }

    /// Ends when the dispatcher has gone and everything it sealed is committed.
    pub(crate) async fn run(mut self, mut sealed: mpsc::Receiver<SealedEpoch>) -> Result<(), SinkError> {
        loop {
            let due = self.last_commit + POSITION_COMMIT_EVERY;
            tokio::select! {
                biased;
                epoch = sealed.recv() => match epoch {
                    Some(epoch) => self.settle(epoch).await?,
                    None => {
                        self.commit_held_back().await?;
                        self.progress.committed_all();
                        return Ok(());
                    }
                },
                () = tokio::time::sleep_until(due), if self.held_back.is_some() => self.commit_held_back().await?,
            }
        }
    }

    async fn settle(&mut self, epoch: SealedEpoch) -> Result<(), SinkError> {
        let SealedEpoch { positions, rows_received, batches, sealed_at, lanes, asked, place } = epoch;
        let mut files = Vec::new();
        for lane in lanes {
            match lane.await {
                Ok(stored) => files.extend(stored),
                // The lane failed; its error ends the pipeline.
                Err(_) => std::future::pending().await,
            }
        }
        // Files of a partition side by side: manifests keep narrow bounds.
        files.sort_by(|a, b| a.partition.cmp(&b.partition));
        if files.is_empty() {
            if batches > 0 {
                self.progress.settled(rows_received);
                let since = self.held_back.take().map_or(sealed_at, |(_, since)| since);
                self.held_back = Some((positions, since));
            }
            let overdue = self.last_commit.elapsed() >= POSITION_COMMIT_EVERY;
            if overdue || !asked.is_empty() {
                self.commit_held_back().await?;
            }
        } else {
            self.held_back = None;
            self.commit(Batch { positions, files, sealed_at }).await?;
            self.progress.settled(rows_received);
        }
        drop(place);
        for waiter in asked {
            // Whoever asked may have gone.
            let _ = waiter.send(*self.signals.committed.borrow());
        }
        Ok(())
    }

    async fn commit_held_back(&mut self) -> Result<(), SinkError> {
        let Some((positions, sealed_at)) = self.held_back.take() else { return Ok(()) };
        self.commit(Batch { positions, files: Vec::new(), sealed_at }).await
    }

    async fn commit(&mut self, batch: Batch) -> Result<(), SinkError> {
        let Batch { positions, files, sealed_at } = batch;
        let rows = files.iter().map(|file| unsigned(file.meta.row_count)).sum();
        let bytes = files.iter().map(|file| unsigned(file.meta.file_size)).sum();
        let partitions = files.chunk_by(|a, b| a.partition == b.partition).count();
        let identifier = CommitIdentifier(self.identifier.0 + 1);
        let request = CommitRequest {
            identifier,
            kind: CommitKind::Append,
            added: files,
            removed: Vec::new(),
            properties: state::properties(&self.identity, &positions, self.incarnation),
            watermark: None,
        };
        let started = Instant::now();
        let committed = self.until_it_works(&request).await?;
        self.identifier = identifier;
        self.last_commit = Instant::now();
        let facts = CommitFacts {
            snapshot: committed.snapshot.id,
            attempts: committed.attempts,
            rows,
            files: request.added.len() as u64,
            bytes,
            partitions,
            took: started.elapsed(),
            checkpoint: sealed_at.elapsed(),
        };
        self.progress.committed(facts);
        tracing::debug!(
            snapshot = facts.snapshot.0, %identifier, rows, files = facts.files, bytes,
            attempts = facts.attempts, took_ms = millis(facts.took), "committed"
        );
        self.follow.advance(self.committer.schema())?;
        self.signals.committed.send_replace(facts.snapshot);
        self.signals.acked.send_replace(positions);
        let metrics = self.progress.metrics();
        self.overwrites.tell(self.committer.table(), &self.env.executor, &self.live, metrics).await;
        self.live.add(&request.added);
        let late = self.late.count(self.committer.table(), &request.added, &*self.env.clock);
        self.progress.metrics().late_rows.inc_by(late);
        Ok(())
    }

    async fn until_it_works(&mut self, request: &CommitRequest) -> Result<Committed, SinkError> {
        let mut retries = 0;
        let mut waits = self.retry.waits();
        loop {
            let error = match self.attempt(request).await {
                Ok(committed) => {
                    if retries > 0 {
                        tracing::info!(identifier = %request.identifier, retries, "commits work again");
                    }
                    return Ok(committed);
                }
                // No other try would find what is gone.
                Err(error @ SinkError::WaitedTooLong { .. }) => return Err(error),
                Err(error) => error,
            };
            if error.kind() != FailureKind::Transient {
                return Err(error);
            }
            if self.progress.failed(FailureKind::Transient, error.to_string()) == 0 {
                tracing::warn!(%error, "a commit failed; trying again until it works");
            }
            waits.next().await;
            retries += 1;
        }
    }

    async fn attempt(&mut self, request: &CommitRequest) -> Result<Committed, SinkError> {
        waited::check(self.committer.table(), &request.added, &*self.env.clock).await?;
        let committed = self.committer.commit(request).await;
        committed.map_err(|source| SinkError::Commit { identifier: request.identifier.0, source: Box::new(source) })
    }
}

/// Counts of a file are never negative.
fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

fn millis(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}
