//! A local file system as an object store, without the staging names that stop Java.
//!
//! `object_store`'s own backend writes `snapshot-7#1` beside `snapshot-7`. Paimon's Java readers up to 2.0 parse every
//! name of that folder as a number and fail as long as such a file exists, for ever after a `kill -9`. This backend
//! stages as `.snapshot-7.<uuid>.tmp` and publishes
//! - a new object (`PutMode::Create`) by a hard link, which fails when the name is taken: create-if-absent among all
//!   processes and hosts that share the file system,
//! - a replaced one by a rename, which is atomic.
//!
//! With `fsync` the file is flushed before it is published and the folder after it, so that what was acknowledged
//! survives a power cut, unless the put is [`Expendable`]. Reading, listing and deleting are `object_store`'s.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path as FsPath, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::FutureExt;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result, UploadPart,
};
use tributary_runtime::Random;

/// How every staging name ends; it begins with a dot.
pub const STAGING_SUFFIX: &str = ".tmp";

/// So much of a large file is flushed at a time.
const FLUSH_BYTES: usize = 1 << 20;

/// An extension of a put whose object a power cut may take or empty: it is not flushed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expendable;

/// The local file system, from its root.
#[derive(Debug)]
pub struct LocalStore {
    inner: LocalFileSystem,
    disk: Disk,
}

/// What a blocking task needs to write.
#[derive(Clone)]
struct Disk {
    random: Random,
    fsync: bool,
}

/// A file being written under its staging name; gone again unless it is published.
struct Staged {
    file: File,
    staging: PathBuf,
    target: PathBuf,
    fsync: bool,
    published: bool,
}

/// An upload in parts into one staging file.
#[derive(Debug)]
struct LocalUpload {
    state: Arc<Mutex<UploadState>>,
    next_offset: u64,
}

#[derive(Debug)]
enum UploadState {
    Open(Staged),
    Closed,
}

/// An I/O failure with the step and the file it happened to.
#[derive(Debug, thiserror::Error)]
#[error("{step} {}: {source}", path.display())]
pub(crate) struct DiskError {
    step: &'static str,
    path: PathBuf,
    source: io::Error,
}

// === impl LocalStore ===

impl LocalStore {
    /// The local file system; `fsync` as in the module's description. `random` draws staging names, which other
    /// processes must not draw too: it comes from the operating system.
    pub fn new(fsync: bool, random: Random) -> Self {
        Self { inner: LocalFileSystem::new(), disk: Disk { random, fsync } }
    }

    fn target(&self, location: &Path) -> Result<PathBuf> {
        self.inner.path_to_filesystem(location)
    }
}

impl std::fmt::Display for LocalStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("local file system")
    }
}

#[async_trait]
impl ObjectStore for LocalStore {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let create = match options.mode {
            PutMode::Create => true,
            PutMode::Overwrite => false,
            PutMode::Update(_) => return Err(unsupported("replacing one version of an object")),
        };
        let target = self.target(location)?;
        let expendable = options.extensions.get::<Expendable>().is_some();
        let disk = Disk { fsync: self.disk.fsync && !expendable, ..self.disk.clone() };
        blocking(move || {
            let mut staged = disk.stage(target)?;
            for piece in payload.iter() {
                staged.append(piece)?;
            }
            if create { staged.publish_new() } else { staged.publish() }
        })
        .await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        _options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let target = self.target(location)?;
        let disk = self.disk.clone();
        let staged = blocking(move || disk.stage(target)).await?;
        Ok(Box::new(LocalUpload { state: Arc::new(Mutex::new(UploadState::Open(staged))), next_offset: 0 }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[std::ops::Range<u64>]) -> Result<Vec<Bytes>> {
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        // The inner backend would stage an overwriting copy under `to#0`.
        let mode = match options.mode {
            CopyMode::Overwrite => PutMode::Overwrite,
            CopyMode::Create => PutMode::Create,
        };
        let bytes = self.inner.get(from).await?.bytes().await?;
        self.put_opts(to, bytes.into(), mode.into()).await.map(drop)
    }

    async fn rename_opts(&self, _from: &Path, _to: &Path, _options: RenameOptions) -> Result<()> {
        // Nothing in the table format renames a published object.
        Err(unsupported("renaming an object"))
    }
}

fn unsupported(operation: &str) -> Error {
    Error::NotImplemented { operation: operation.to_owned(), implementer: "the local file system".to_owned() }
}

/// Runs disk I/O off the async worker when there is one, as `object_store` does.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    if tokio::runtime::Handle::try_current().is_err() {
        return work();
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "waiting for the disk is no CPU work for the Executor; simulations use the in-memory store"
    )]
    let task = tokio::task::spawn_blocking(work);
    task.await?
}

// === impl Disk ===

impl std::fmt::Debug for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Disk").field("fsync", &self.fsync).finish_non_exhaustive()
    }
}

impl Disk {
    /// Opens a new staging file beside `target`, creating the folders above it.
    fn stage(&self, target: PathBuf) -> Result<Staged> {
        let (Some(folder), Some(name)) = (target.parent(), target.file_name()) else {
            return Err(failed("name", &target, io::Error::from(ErrorKind::InvalidFilename)));
        };
        let mut staging_name = std::ffi::OsString::from(".");
        staging_name.push(name);
        staging_name.push(format!(".{}{STAGING_SUFFIX}", self.random.uuid()));
        let staging = folder.join(staging_name);
        let open = || OpenOptions::new().write(true).create_new(true).open(&staging);
        let file = match open() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.create_folders(folder)?;
                open()
            }
            opened => opened,
        }
        .map_err(|error| failed("create", &staging, error))?;
        Ok(Staged { file, staging, target, fsync: self.fsync, published: false })
    }

    /// Creates `folder` and what is missing above it. Every folder that gained an entry is flushed: a durable file in
    /// a folder that is not durable is lost with it.
    fn create_folders(&self, folder: &FsPath) -> Result<()> {
        let existing = folder.ancestors().find(|ancestor| ancestor.is_dir());
        std::fs::create_dir_all(folder).map_err(|error| failed("create folder", folder, error))?;
        if self.fsync {
            for changed in folder.ancestors().skip(1) {
                flush_folder(changed)?;
                if Some(changed) == existing {
                    break;
                }
            }
        }
        Ok(())
    }
}

// === impl Staged ===

impl std::fmt::Debug for Staged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Staged").field("target", &self.target).finish_non_exhaustive()
    }
}

impl Staged {
    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|error| failed("write", &self.target, error))
    }

    fn write_at(&mut self, offset: u64, payload: &PutPayload) -> Result<()> {
        self.file.seek(SeekFrom::Start(offset)).map_err(|error| failed("write", &self.target, error))?;
        // Whoever else flushes, such as a commit, waits for what this has written and not flushed.
        payload.iter().flat_map(|piece| piece.chunks(FLUSH_BYTES)).try_for_each(|piece| {
            self.append(piece)?;
            self.flush_data()
        })
    }

    /// Publishes by rename: replaces what was there.
    fn publish(mut self) -> Result<PutResult> {
        self.flush()?;
        std::fs::rename(&self.staging, &self.target).map_err(|error| failed("publish", &self.target, error))?;
        self.published = true;
        self.flush_entry()
    }

    /// Publishes by hard link: fails with `AlreadyExists` when the name is taken. The staging name goes on drop.
    fn publish_new(self) -> Result<PutResult> {
        self.flush()?;
        std::fs::hard_link(&self.staging, &self.target).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => {
                Error::AlreadyExists { path: self.target.display().to_string(), source: error.into() }
            }
            _ => failed("publish (by hard link)", &self.target, error),
        })?;
        self.flush_entry()
    }

    fn flush_data(&self) -> Result<()> {
        if self.fsync {
            self.file.sync_data().map_err(|error| failed("flush", &self.target, error))?;
        }
        Ok(())
    }

    fn flush(&self) -> Result<()> {
        if self.fsync {
            self.file.sync_all().map_err(|error| failed("flush", &self.target, error))?;
        }
        Ok(())
    }

    fn flush_entry(&self) -> Result<PutResult> {
        if let (true, Some(folder)) = (self.fsync, self.target.parent()) {
            flush_folder(folder)?;
        }
        Ok(PutResult { e_tag: None, version: None, extensions: Default::default() })
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.published {
            // Best effort: a leftover is invisible to readers and swept as an orphan.
            let _ = std::fs::remove_file(&self.staging);
        }
    }
}

// === impl LocalUpload ===

#[async_trait]
impl MultipartUpload for LocalUpload {
    fn put_part(&mut self, payload: PutPayload) -> UploadPart {
        let offset = self.next_offset;
        self.next_offset += payload.content_length() as u64;
        let state = Arc::clone(&self.state);
        blocking(move || match &mut *lock(&state) {
            UploadState::Open(staged) => staged.write_at(offset, &payload),
            UploadState::Closed => Err(closed()),
        })
        .boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let state = Arc::clone(&self.state);
        blocking(move || {
            let taken = std::mem::replace(&mut *lock(&state), UploadState::Closed);
            match taken {
                UploadState::Open(staged) => staged.publish(),
                UploadState::Closed => Err(closed()),
            }
        })
        .await
    }

    async fn abort(&mut self) -> Result<()> {
        let state = Arc::clone(&self.state);
        blocking(move || {
            drop(std::mem::replace(&mut *lock(&state), UploadState::Closed));
            Ok(())
        })
        .await
    }
}

fn lock(state: &Mutex<UploadState>) -> std::sync::MutexGuard<'_, UploadState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn closed() -> Error {
    Error::Generic { store: "local file system", source: "the upload was already completed or aborted".into() }
}

/// Flushes the entries of a folder. Only Unix can; elsewhere the file system is trusted.
fn flush_folder(folder: &FsPath) -> Result<()> {
    if cfg!(unix) {
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| failed("flush folder", folder, error))?;
    }
    Ok(())
}

pub(crate) fn failed(step: &'static str, path: &FsPath, source: io::Error) -> Error {
    let denied = matches!(source.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem);
    let error = DiskError { step, path: path.to_owned(), source };
    // Only before anything was published is a refusal known to have had no effect.
    if denied && matches!(step, "create" | "create folder") {
        Error::PermissionDenied { path: path.display().to_string(), source: error.into() }
    } else {
        Error::Generic { store: "local file system", source: error.into() }
    }
}
