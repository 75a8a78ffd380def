//! A multipart upload whose parts, completion and abort are calls like any other.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::FutureExt;
use object_store::path::Path;
use object_store::{Error, MultipartUpload, PutPayload, PutResult, Result, UploadPart};
use tokio::sync::Mutex;

use super::{FaultStore, Op};

/// Shared, because a late completion outlives whoever asked for it.
type Upload = Arc<Mutex<Box<dyn MultipartUpload>>>;

pub(super) struct FaultUpload {
    store: FaultStore,
    path: Path,
    upload: Upload,
}

impl FaultUpload {
    pub(super) fn new(store: FaultStore, path: Path, upload: Box<dyn MultipartUpload>) -> Self {
        Self { store, path, upload: Arc::new(Mutex::new(upload)) }
    }
}

impl fmt::Debug for FaultUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultUpload").field("path", &self.path).finish_non_exhaustive()
    }
}

#[async_trait]
impl MultipartUpload for FaultUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let (store, path, bytes) = (self.store.clone(), self.path.clone(), data.content_length());
        // Asked for now, because the order of asking numbers the parts; delivered when it is polled.
        let Ok(mut upload) = self.upload.try_lock() else {
            let source = "this upload is being completed".into();
            return futures::future::ready(Err(Error::Generic { store: "fault", source })).boxed();
        };
        let part = upload.put_part(data);
        async move { store.deliver_once(Op::PutPart, &path, bytes, part).await }.boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let upload = Arc::clone(&self.upload);
        let effect = async move { upload.lock().await.complete().await };
        self.store.deliver_once(Op::CompleteMultipart, &self.path, 0, effect).await
    }

    async fn abort(&mut self) -> Result<()> {
        let upload = Arc::clone(&self.upload);
        let effect = async move { upload.lock().await.abort().await };
        self.store.deliver_once(Op::AbortMultipart, &self.path, 0, effect).await
    }
}
