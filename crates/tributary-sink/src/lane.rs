//! One lane: a task that takes batches in order, has them encoded on the Executor, and lets the files' uploads run
//! beside that.
//!
//! Sealing is a message in the lane's queue. The lane closes its files and goes on with the next epoch at once; the
//! ticket is answered when the last upload of the sealed epoch is done, so epochs are complete in order.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use paimon_table::commit::NewFile;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tributary_runtime::{Executor, Panicked, Reservation};

use crate::batch::SinkBatch;
use crate::error::SinkError;
use crate::metrics::PipelineMetrics;
use crate::uploader::{self, Feed, Piece, UploadContext};
use crate::writers::{FileId, Step, Writers};

/// What the dispatcher asks of a lane.
pub(crate) enum LaneWork {
    /// Write these rows; the reservation is the batch's share of the memory budget.
    Batch(SinkBatch, Reservation),
    /// Close all files and answer with them once they are in the store.
    Seal(oneshot::Sender<Vec<NewFile>>),
}

/// The task's state.
pub(crate) struct Lane {
    queue: mpsc::Receiver<LaneWork>,
    executor: Executor,
    uploads: Arc<UploadContext>,
    metrics: PipelineMetrics,
    feeds: BTreeMap<FileId, Feed>,
    under_way: FuturesUnordered<BoxFuture<'static, (u64, Result<NewFile, SinkError>)>>,
    /// Epochs that are not complete, oldest first; the last one is open.
    epochs: VecDeque<EpochFiles>,
    /// The lane's own number of the oldest of `epochs`.
    oldest: u64,
}

#[derive(Default)]
struct EpochFiles {
    stored: Vec<NewFile>,
    missing: usize,
    sealed: Option<oneshot::Sender<Vec<NewFile>>>,
}

/// CPU work on its way: the writers come back with what is to be done next.
type Job = BoxFuture<'static, Result<JobDone, Panicked>>;

struct JobDone {
    writers: Writers,
    steps: Result<Vec<Step>, SinkError>,
    sealed: Option<oneshot::Sender<Vec<NewFile>>>,
}

// === impl Lane ===

impl Lane {
    pub(crate) fn new(
        queue: mpsc::Receiver<LaneWork>,
        executor: Executor,
        uploads: Arc<UploadContext>,
        metrics: PipelineMetrics,
    ) -> Self {
        Self {
            queue,
            executor,
            uploads,
            metrics,
            feeds: BTreeMap::new(),
            under_way: FuturesUnordered::new(),
            epochs: VecDeque::from([EpochFiles::default()]),
            oldest: 0,
        }
    }

    /// Ends when the dispatcher has gone and every upload is done.
    pub(crate) async fn run(mut self, writers: Writers) -> Result<(), SinkError> {
        let mut idle = Some(writers);
        let mut job: Option<Job> = None;
        let mut open = true;
        while open || job.is_some() || !self.under_way.is_empty() {
            tokio::select! {
                biased;
                Some((epoch, file)) = self.under_way.next(), if !self.under_way.is_empty() => {
                    self.stored(epoch, file?);
                }
                done = poll_job(&mut job), if job.is_some() => {
                    job = None;
                    let JobDone { writers, steps, sealed } = done?;
                    idle = Some(writers);
                    for step in steps? {
                        self.take(step)?;
                    }
                    if let Some(ticket) = sealed {
                        self.seal(ticket);
                    }
                }
                work = self.queue.recv(), if open && idle.is_some() => match (work, idle.take()) {
                    (Some(work), Some(writers)) => job = Some(self.start(work, writers)),
                    (_, writers) => {
                        idle = writers;
                        open = false;
                    }
                },
            }
        }
        Ok(())
    }

    fn start(&self, work: LaneWork, mut writers: Writers) -> Job {
        let (executor, metrics) = (self.executor.clone(), self.metrics.clone());
        Box::pin(async move {
            executor
                .run(move || {
                    let started = Instant::now();
                    let (steps, sealed) = match work {
                        LaneWork::Batch(batch, share) => (writers.write(batch, share), None),
                        LaneWork::Seal(ticket) => (writers.close(), Some(ticket)),
                    };
                    metrics.busy.inc_by(started.elapsed().as_secs_f64());
                    JobDone { writers, steps, sealed }
                })
                .await
        })
    }

    fn take(&mut self, step: Step) -> Result<(), SinkError> {
        match step {
            Step::Open { id, schema_id, folder, name, partition } => {
                let epoch = self.oldest + self.epochs.len() as u64 - 1;
                let (feed, upload) = uploader::upload(Arc::clone(&self.uploads), schema_id, &folder, name, partition)?;
                self.feeds.insert(id, feed);
                self.under_way.push(Box::pin(async move { (epoch, upload.await) }));
                if let Some(open) = self.epochs.back_mut() {
                    open.missing += 1;
                }
            }
            Step::Bytes { id, bytes, held } => {
                if let Some(feed) = self.feeds.get(&id) {
                    feed.send(Piece::Bytes { bytes, held });
                }
            }
            Step::Close { id, tail, summary, held } => {
                if let Some(feed) = self.feeds.remove(&id) {
                    feed.send(Piece::Last { tail, summary, held });
                }
            }
        }
        Ok(())
    }

    fn stored(&mut self, epoch: u64, file: NewFile) {
        let at = usize::try_from(epoch - self.oldest).ok();
        if let Some(files) = at.and_then(|at| self.epochs.get_mut(at)) {
            files.stored.push(file);
            files.missing -= 1;
        }
        self.answer();
    }

    fn seal(&mut self, ticket: oneshot::Sender<Vec<NewFile>>) {
        if let Some(open) = self.epochs.back_mut() {
            open.sealed = Some(ticket);
        }
        self.epochs.push_back(EpochFiles::default());
        self.answer();
    }

    /// Hands over the epochs that are complete.
    fn answer(&mut self) {
        while let Some(EpochFiles { missing: 0, sealed: Some(_), .. }) = self.epochs.front() {
            let Some(EpochFiles { stored, sealed: Some(ticket), .. }) = self.epochs.pop_front() else { return };
            self.oldest += 1;
            // Without a committer the sink is ending.
            let _ = ticket.send(stored);
        }
    }
}

async fn poll_job(job: &mut Option<Job>) -> Result<JobDone, Panicked> {
    match job {
        Some(job) => job.await,
        None => std::future::pending().await,
    }
}
