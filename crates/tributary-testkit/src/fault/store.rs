//! The object store interface of a [`FaultStore`].

use async_trait::async_trait;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
};

use super::multipart::FaultUpload;
use super::{FaultStore, Op};

#[async_trait]
impl ObjectStore for FaultStore {
    async fn put_opts(&self, location: &Path, payload: PutPayload, mut opts: PutOptions) -> Result<PutResult> {
        let op = if matches!(opts.mode, PutMode::Create) { Op::Create } else { Op::Put };
        if self.ignores_conditions {
            opts.mode = PutMode::Overwrite;
        }
        self.deliver(op, location, payload.content_length(), || {
            let (inner, location, payload, opts) = (self.inner(), location.clone(), payload.clone(), opts.clone());
            async move { inner.put_opts(&location, payload, opts).await }
        })
        .await
    }

    async fn put_multipart_opts(&self, location: &Path, opts: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        let upload = self
            .deliver(Op::StartMultipart, location, 0, || {
                let (inner, location, opts) = (self.inner(), location.clone(), opts.clone());
                async move { inner.put_multipart_opts(&location, opts).await }
            })
            .await?;
        Ok(Box::new(FaultUpload::new(self.clone(), location.clone(), upload)))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let op = if options.head { Op::Head } else { Op::Get };
        self.deliver(op, location, 0, || {
            let (inner, location, options) = (self.inner(), location.clone(), options.clone());
            async move { inner.get_opts(&location, options).await }
        })
        .await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let store = self.clone();
        locations
            .and_then(move |location| {
                let store = store.clone();
                async move {
                    store
                        .deliver(Op::Delete, &location, 0, || {
                            let (inner, location) = (store.inner(), location.clone());
                            async move { inner.delete(&location).await }
                        })
                        .await?;
                    Ok(location)
                }
            })
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (store, prefix) = (self.clone(), prefix.cloned());
        stream::once(async move {
            store
                .deliver(Op::List, &prefix.clone().unwrap_or_default(), 0, || {
                    let listing = store.inner().list(prefix.as_ref());
                    async move { Ok(listing) }
                })
                .await
        })
        .try_flatten()
        .boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.deliver(Op::List, &prefix.cloned().unwrap_or_default(), 0, || {
            let (inner, prefix) = (self.inner(), prefix.cloned());
            async move { inner.list_with_delimiter(prefix.as_ref()).await }
        })
        .await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.deliver(Op::Copy, to, 0, || {
            let (inner, from, to, options) = (self.inner(), from.clone(), to.clone(), options.clone());
            async move { inner.copy_opts(&from, &to, options).await }
        })
        .await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.deliver(Op::Rename, to, 0, || {
            let (inner, from, to, options) = (self.inner(), from.clone(), to.clone(), options.clone());
            async move { inner.rename_opts(&from, &to, options).await }
        })
        .await
    }
}
