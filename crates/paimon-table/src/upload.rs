//! The upload of one data file while it is still being written.
//!
//! Bytes are pushed as the writer closes row groups. A file that stays below one part is a single put; a larger one
//! becomes a multipart upload of equal parts, at most [`MAX_PARTS_IN_FLIGHT`] of them under way, so memory is bounded
//! by [`Upload::pending_bytes`]. The object appears whole when [`Upload::finish`] returns, never before.
//!
//! Parts move while `push` or `finish` is awaited. An upload that is dropped leaves no object, and the store is told to
//! forget its parts (a local file system: its staging file). A failed put may be retried by calling `finish` again; a failed part may not
//! (its bytes are no longer held): the file must be written anew.

use std::collections::VecDeque;

use bytes::Bytes;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStoreExt, PutPayload, UploadPart};
use tokio::runtime::Handle;

use crate::store::{Storage, StoreError};

/// Size of every part but the last, in bytes. Stores ask for at least 5 MiB and at most 10,000 parts: 80 GiB a file.
pub const PART_BYTES: usize = 8 << 20;

/// Parts on their way at one time.
pub const MAX_PARTS_IN_FLIGHT: usize = 2;

/// A data file on its way to the store.
#[derive(Debug)]
pub struct Upload {
    storage: Storage,
    path: Path,
    /// Bytes not handed to the store yet; less than one part between calls.
    buffered: VecDeque<Bytes>,
    buffered_bytes: usize,
    total_bytes: u64,
    parts: Option<Parts>,
}

#[derive(Debug)]
struct Parts {
    upload: Box<dyn MultipartUpload>,
    in_flight: FuturesUnordered<UploadPart>,
}

// === impl Upload ===

impl Upload {
    /// Prepares the upload of `rel`; nothing is sent yet.
    ///
    /// # Errors
    /// [`StoreError::Name`] when `rel` cannot be an object's name.
    pub fn start(storage: &Storage, rel: &str) -> Result<Self, StoreError> {
        Ok(Self {
            path: storage.try_path(rel)?,
            storage: storage.clone(),
            buffered: VecDeque::new(),
            buffered_bytes: 0,
            total_bytes: 0,
            parts: None,
        })
    }

    /// Takes the next bytes of the file, sends full parts and waits while too many are under way.
    ///
    /// # Errors
    /// What the store says. The upload is then good for nothing but being dropped.
    pub async fn push(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        self.total_bytes += bytes.len() as u64;
        self.buffered_bytes += bytes.len();
        if !bytes.is_empty() {
            self.buffered.push_back(bytes);
        }
        while self.buffered_bytes >= PART_BYTES {
            self.send(PART_BYTES).await?;
        }
        Ok(())
    }

    /// Sends what is left and makes the object visible. Returns its size in bytes.
    ///
    /// # Errors
    /// What the store says. A file below one part keeps its bytes, and `finish` may be called again.
    pub async fn finish(&mut self) -> Result<u64, StoreError> {
        if self.parts.is_none() {
            let payload: PutPayload = self.buffered.iter().cloned().collect();
            self.storage.store.put(&self.path, payload).await.map_err(self.storage.failed("write", &self.path))?;
            self.take(self.buffered_bytes);
            return Ok(self.total_bytes);
        }
        if self.buffered_bytes > 0 {
            self.send(self.buffered_bytes).await?;
        }
        let Some(parts) = &mut self.parts else {
            return Ok(self.total_bytes);
        };
        let complete = async {
            while let Some(sent) = parts.in_flight.next().await {
                sent?;
            }
            parts.upload.complete().await
        };
        complete.await.map_err(self.storage.failed("write", &self.path))?;
        self.parts = None;
        Ok(self.total_bytes)
    }

    /// Bytes held in memory: pushed, but not known to have arrived. An upper bound.
    pub fn pending_bytes(&self) -> usize {
        let in_flight = self.parts.as_ref().map_or(0, |parts| parts.in_flight.len());
        self.buffered_bytes + in_flight * PART_BYTES
    }

    async fn send(&mut self, part_bytes: usize) -> Result<(), StoreError> {
        let wrap = self.storage.failed("write", &self.path);
        if self.parts.is_none() {
            let upload = self.storage.store.put_multipart(&self.path).await.map_err(wrap)?;
            self.parts = Some(Parts { upload, in_flight: FuturesUnordered::new() });
        }
        let payload = self.take(part_bytes);
        let Some(parts) = &mut self.parts else {
            return Ok(());
        };
        while parts.in_flight.len() >= MAX_PARTS_IN_FLIGHT {
            if let Some(sent) = parts.in_flight.next().await {
                sent.map_err(self.storage.failed("write", &self.path))?;
            }
        }
        parts.in_flight.push(parts.upload.put_part(payload));
        // Polled once, a part starts on its way; the rest of it happens while the writer encodes on.
        if let Some(Some(sent)) = parts.in_flight.next().now_or_never() {
            sent.map_err(self.storage.failed("write", &self.path))?;
        }
        Ok(())
    }

    /// Cuts the next `bytes` off the buffer.
    fn take(&mut self, bytes: usize) -> PutPayload {
        let mut pieces = Vec::new();
        let mut missing = bytes;
        while missing > 0 {
            let Some(mut piece) = self.buffered.pop_front() else {
                break;
            };
            if piece.len() > missing {
                self.buffered.push_front(piece.split_off(missing));
            }
            missing -= piece.len();
            pieces.push(piece);
        }
        self.buffered_bytes -= bytes - missing;
        pieces.into_iter().collect()
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let (Some(Parts { mut upload, in_flight }), Ok(runtime)) = (self.parts.take(), Handle::try_current()) else {
            return;
        };
        drop(in_flight);
        let location = self.storage.location_of(&self.path);
        // Nobody waits for it: what is left in the store is invisible, and ends with the bucket's lifecycle rule.
        runtime.spawn(async move {
            if let Err(error) = upload.abort().await {
                tracing::debug!(%error, location, "the parts of an upload that was given up are left in the store");
            }
        });
    }
}
