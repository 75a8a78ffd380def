//! The way of one data file to the store, beside the lane that writes it.
//!
//! A file below one part is a single put and is tried again for as long as it takes: its bytes are still here. A larger
//! file leaves in parts while it is written; the store's client repeats a part that fails, but what has arrived is no
//! longer in memory. When such an upload fails for good, its rows have to be replayed by the source, which is what the
//! error says. Keeping every part until the file is complete instead would put whole files into the memory budget.
//!
//! A name is never used for two contents, and nothing refers to the file before its upload has finished, so whatever is
//! left behind is an orphan and harmless.

use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use paimon_format::BinaryRow;
use paimon_table::commit::NewFile;
use paimon_table::store::{Storage, StoreError};
use paimon_table::upload::{PART_BYTES, Upload};
use paimon_table::wall_clock::local_millis;
use paimon_table::write::{FileSummary, append_meta};
use tokio::sync::{Semaphore, SemaphorePermit, mpsc};
use tributary_runtime::{Classify, Env, FailureKind};

use crate::account::Held;
use crate::error::SinkError;
use crate::progress::Progress;
use crate::retry::Retry;

/// What uploads of a pipeline share.
pub(crate) struct UploadContext {
    pub(crate) storage: Storage,
    /// Requests on their way at one time, over all lanes.
    pub(crate) requests: Semaphore,
    pub(crate) retry: Retry,
    pub(crate) env: Env,
    pub(crate) progress: Progress,
}

/// Where a lane sends the bytes of one file.
pub(crate) struct Feed {
    pieces: mpsc::UnboundedSender<Piece>,
}

pub(crate) enum Piece {
    Bytes { bytes: Bytes, held: Held },
    Last { tail: Vec<Bytes>, summary: FileSummary, held: Held },
}

struct FileUpload {
    context: Arc<UploadContext>,
    schema_id: i64,
    path: String,
    upload: Upload,
    pushed_bytes: u64,
    held: Option<Held>,
}

/// Uploads at one time: enough to hide an object store's latency, few enough to bound its buffers.
pub(crate) const REQUESTS: usize = 8;

/// Starts the upload of a file; the future ends when the file is in the store.
pub(crate) fn upload(
    context: Arc<UploadContext>,
    schema_id: i64,
    folder: &str,
    name: String,
    partition: BinaryRow,
) -> Result<(Feed, BoxFuture<'static, Result<NewFile, SinkError>>), SinkError> {
    let path = format!("{folder}/{name}");
    let upload = Upload::start(&context.storage, &path)
        .map_err(|source| SinkError::Upload { file: path.clone(), source: Box::new(source) })?;
    // Every piece holds its bytes of the memory budget: that is the bound.
    let (pieces, queue) = mpsc::unbounded_channel();
    let file = FileUpload { context, schema_id, path, upload, pushed_bytes: 0, held: None };
    Ok((Feed { pieces }, file.run(queue, name, partition).boxed()))
}

// === impl Feed ===

impl Feed {
    /// A closed upload has failed; the lane learns that from its future.
    pub(crate) fn send(&self, piece: Piece) {
        let _ = self.pieces.send(piece);
    }
}

// === impl FileUpload ===

impl FileUpload {
    async fn run(
        mut self,
        mut queue: mpsc::UnboundedReceiver<Piece>,
        name: String,
        partition: BinaryRow,
    ) -> Result<NewFile, SinkError> {
        loop {
            match queue.recv().await {
                Some(Piece::Bytes { bytes, held }) => self.push(vec![bytes], held).await?,
                Some(Piece::Last { tail, summary, held }) => {
                    self.push(tail, held).await?;
                    self.finish().await?;
                    let metrics = self.context.progress.metrics();
                    metrics.files.inc();
                    metrics.file_bytes.inc_by(self.pushed_bytes);
                    metrics.written_rows.inc_by(summary.rows);
                    let created = local_millis(self.context.env.clock.now_millis());
                    let meta = append_meta(&name, &summary, self.schema_id, created);
                    return Ok(NewFile { partition, bucket: 0, meta });
                }
                // The lane has gone and the sink with it.
                None => futures::future::pending().await,
            }
        }
    }

    async fn push(&mut self, pieces: Vec<Bytes>, mut held: Held) -> Result<(), SinkError> {
        let length: usize = pieces.iter().map(Bytes::len).sum();
        held.resize(self.upload.pending_bytes() + length);
        held.set_leaving(true);
        self.held = Some(held);
        self.pushed_bytes += length as u64;
        let outcome = {
            let _request = permit(&self.context.requests).await;
            push_all(&mut self.upload, pieces).await
        };
        if let Some(held) = &mut self.held {
            // Less than a part stays until more comes: nobody frees it but the writer.
            held.set_leaving(false);
            held.resize(self.upload.pending_bytes());
        }
        outcome.map_err(|source| self.lost(source))
    }

    async fn finish(&mut self) -> Result<(), SinkError> {
        if let Some(held) = &mut self.held {
            held.set_leaving(true);
        }
        let mut has_failed = false;
        let mut waits = self.context.retry.waits();
        loop {
            let outcome = {
                let _request = permit(&self.context.requests).await;
                self.upload.finish().await
            };
            let error = match outcome {
                Ok(_) => break,
                Err(error) => error,
            };
            if error.kind() != FailureKind::Transient {
                return Err(self.lost(error));
            }
            if self.pushed_bytes >= PART_BYTES as u64 {
                // The reply to the last request may be all that was lost.
                if arrived(&self.context.storage, &self.path, self.pushed_bytes).await {
                    break;
                }
                return Err(self.lost(error));
            }
            let before = self.context.progress.failed(FailureKind::Transient, error.to_string());
            if before == 0 {
                tracing::warn!(file = self.path, %error, "the upload of a data file failed; trying again until it works");
            }
            self.context.progress.metrics().upload_retries.inc();
            waits.next().await;
            has_failed = true;
        }
        self.held = None;
        if has_failed {
            self.context.progress.recovered();
        }
        Ok(())
    }

    fn lost(&self, source: StoreError) -> SinkError {
        SinkError::Upload { file: self.path.clone(), source: Box::new(source) }
    }
}

/// Whether the whole file is in the store. The name is nobody else's and appears only when it is complete.
async fn arrived(storage: &Storage, path: &str, bytes: u64) -> bool {
    matches!(storage.size_opt(path).await, Ok(Some(size)) if size == bytes)
}

async fn push_all(upload: &mut Upload, pieces: Vec<Bytes>) -> Result<(), StoreError> {
    for bytes in pieces {
        upload.push(bytes).await?;
    }
    Ok(())
}

async fn permit(requests: &Semaphore) -> Option<SemaphorePermit<'_>> {
    // Never closed; without a permit the upload would still be right.
    requests.acquire().await.ok()
}
