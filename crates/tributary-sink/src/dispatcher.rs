//! Takes batches in the order of their positions, hands them to lanes, and decides when an epoch ends.
//!
//! **Seal.** An epoch is due after the checkpoint interval, when it holds enough bytes or rows, or when somebody asks.
//! It then takes its place in line and the next one begins at once: ingestion does not wait for uploads or the commit.
//! Places are bounded. Without a free one a due epoch stays open and grows, so slow commits make larger epochs instead
//! of a queue; once it is several intervals old the dispatcher stops taking batches, and the channel holds up the
//! source.
//!
//! **Lanes follow backlog.** Every epoch starts with one lane. A further one opens only when all open ones are busy and
//! the channel is more than half full: at 100 rows/s an epoch makes exactly one file per partition.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::select_all;
use paimon_format::SnapshotId;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::Instant;
use tributary_runtime::channel::Receiver;
use tributary_runtime::{Drain, Positions, Reservation};

use crate::batch::SinkBatch;
use crate::committer::SealedEpoch;
use crate::config::Limits;
use crate::error::SinkError;
use crate::lane::LaneWork;
use crate::progress::Progress;

/// A batch and its share of the memory budget.
pub(crate) type Queued = (SinkBatch, Reservation);

/// Answered with the snapshot that holds everything received before the request.
pub(crate) type CheckpointRequest = oneshot::Sender<SnapshotId>;

/// Share of the channel above which a further lane opens.
const BACKLOG: f64 = 0.5;

/// The dispatching stage.
pub(crate) struct Dispatcher {
    pub(crate) input: Receiver<Queued>,
    pub(crate) requests: mpsc::Receiver<CheckpointRequest>,
    pub(crate) lanes: Vec<mpsc::Sender<LaneWork>>,
    pub(crate) sealed: mpsc::Sender<SealedEpoch>,
    pub(crate) places: Arc<Semaphore>,
    pub(crate) positions: Positions,
    pub(crate) limits: Limits,
    pub(crate) drain: Drain,
    pub(crate) progress: Progress,
}

struct OpenEpoch {
    opened: Instant,
    interval: Duration,
    due: Instant,
    lanes: usize,
    batches: u64,
    rows: u64,
    bytes: u64,
    asked: Vec<CheckpointRequest>,
}

// === impl Dispatcher ===

impl Dispatcher {
    /// Ends after the last batch: when every sender has gone, or when a drain was requested and the channel is empty.
    pub(crate) async fn run(mut self) -> Result<(), SinkError> {
        let mut epoch = OpenEpoch::new(self.limits.first_interval);
        let mut requests_open = true;
        loop {
            let due = epoch.is_due(&self.limits);
            let overdue_at = epoch.opened + self.limits.overdue_age;
            let takes = epoch.asked.is_empty() && (!due || Instant::now() < overdue_at);
            tokio::select! {
                biased;
                place = place(&self.places), if due => {
                    let next = OpenEpoch::new(self.limits.checkpoint_interval);
                    self.seal(std::mem::replace(&mut epoch, next), place).await?;
                }
                request = self.requests.recv(), if requests_open => match request {
                    Some(request) => epoch.asked.push(request),
                    None => requests_open = false,
                },
                () = tokio::time::sleep_until(epoch.due), if !due && epoch.batches > 0 => {}
                () = tokio::time::sleep_until(overdue_at), if due && takes => {}
                queued = self.input.recv(), if takes => match queued {
                    Some((batch, held)) => self.dispatch(&mut epoch, batch, held).await?,
                    None => break,
                },
                () = self.drain.requested(), if takes => break,
            }
            self.progress.metrics().channel_fill.set(self.input.fill());
        }
        self.progress.draining();
        let place = place(&self.places).await;
        self.seal(epoch, place).await
    }

    async fn dispatch(&mut self, epoch: &mut OpenEpoch, batch: SinkBatch, held: Reservation) -> Result<(), SinkError> {
        self.positions.apply(batch.interval)?;
        self.progress.received(batch.rows.num_rows(), held.bytes(), batch.at_millis);
        epoch.take(batch.rows.num_rows(), held.bytes());
        let mut work = LaneWork::Batch(batch, held);
        loop {
            for lane in &self.lanes[..epoch.lanes] {
                work = match lane.try_send(work) {
                    Ok(()) => return Ok(()),
                    Err(TrySendError::Full(work) | TrySendError::Closed(work)) => work,
                };
            }
            if epoch.lanes < self.lanes.len() && self.input.fill() > BACKLOG {
                epoch.lanes += 1;
                self.progress.metrics().lanes.set(epoch.lanes as i64);
                continue;
            }
            let free = self.lanes[..epoch.lanes].iter().map(|lane| lane.reserve().boxed());
            match select_all(free).await {
                (Ok(room), ..) => {
                    room.send(work);
                    return Ok(());
                }
                // The lane failed; its error ends the pipeline.
                (Err(_), ..) => return std::future::pending().await,
            }
        }
    }

    async fn seal(&mut self, epoch: OpenEpoch, place: OwnedSemaphorePermit) -> Result<(), SinkError> {
        if epoch.batches == 0 && epoch.asked.is_empty() {
            return Ok(());
        }
        let mut lanes = Vec::with_capacity(epoch.lanes);
        for lane in self.lanes[..epoch.lanes].iter().filter(|_| epoch.batches > 0) {
            let (ticket, files) = oneshot::channel();
            if lane.send(LaneWork::Seal(ticket)).await.is_err() {
                return std::future::pending().await;
            }
            lanes.push(files);
        }
        self.progress.sealed();
        self.progress.metrics().lanes.set(1);
        let sealed = SealedEpoch {
            positions: self.positions.clone(),
            rows_received: epoch.rows,
            batches: epoch.batches,
            sealed_at: Instant::now(),
            lanes,
            asked: epoch.asked,
            place,
        };
        match self.sealed.send(sealed).await {
            Ok(()) => Ok(()),
            // The committer failed; its error ends the pipeline.
            Err(_) => std::future::pending().await,
        }
    }
}

/// A place in line. The semaphore is never closed.
async fn place(places: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    match Arc::clone(places).acquire_owned().await {
        Ok(place) => place,
        Err(_) => std::future::pending().await,
    }
}

// === impl OpenEpoch ===

impl OpenEpoch {
    fn new(interval: Duration) -> Self {
        let opened = Instant::now();
        let due = opened + interval;
        Self { opened, interval, due, lanes: 1, batches: 0, rows: 0, bytes: 0, asked: Vec::new() }
    }

    fn take(&mut self, rows: usize, bytes: usize) {
        if self.batches == 0 && self.due <= Instant::now() {
            // Nothing came in the whole interval: the first batch gets one of its own, not a commit of its own.
            self.opened = Instant::now();
            self.due = self.opened + self.interval;
        }
        self.batches += 1;
        self.rows += rows as u64;
        self.bytes += bytes as u64;
    }

    fn is_due(&self, limits: &Limits) -> bool {
        let full = self.rows >= limits.seal_rows || self.bytes >= limits.seal_bytes;
        !self.asked.is_empty() || (self.batches > 0 && (full || self.due <= Instant::now()))
    }
}
