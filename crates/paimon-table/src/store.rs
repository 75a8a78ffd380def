//! A folder in an object store: the only way this crate reaches bytes.
//!
//! [`Storage`] pairs an [`ObjectStore`] with a root path; every name given to it is relative to that root. What the
//! table format needs is small: read a whole object, replace one, create one that must not exist yet, list the names
//! of a folder, delete. Data files go through [`crate::upload`] instead, in bounded parts.
//!
//! Backends: a local file system through [`crate::local`] (a path or a `file:` URL), and an in-memory store shared by
//! the whole process under its name (`memory:` or `memory://name/folder`). Other schemes are refused by name.
//!
//! Errors carry what was being done to which object. [`StoreError::kind`] says what a caller should do about it,
//! [`StoreError::outcome_unknown`] whether a failed write may still have taken effect.
//!
//! Not here: retries (the caller knows whether the operation may be repeated), credentials, caching.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use tributary_runtime::{Classify, FailureKind, Random};

use crate::local::{DiskError, LocalStore, STAGING_SUFFIX};

/// A folder of an object store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Storage {
    /// The store the folder lives in.
    pub store: Arc<dyn ObjectStore>,
    /// The folder, as a path inside `store`.
    pub root: Path,
    /// What stands before a path of `store` where users name it: `/` on a local disk.
    origin: Arc<str>,
}

/// What a storage may be tuned by; `[storage]` of the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StorageOptions {
    /// Flush files and folder entries of a local file system to the disk before a write counts as done
    /// (`storage.fsync`). Without it a power cut may lose snapshots that were acknowledged.
    pub fsync: bool,
}

/// The outcome of [`Storage::create`].
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Create {
    /// The object did not exist and now holds our bytes.
    Created,
    /// The object existed already and was left alone.
    Exists,
}

/// Why an operation on a storage failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL names a scheme without a backend, or cannot be understood.
    #[error("cannot open storage '{url}': {why}")]
    Url {
        /// The URL as it was given.
        url: String,
        /// What is wrong with it and what to write instead.
        why: String,
    },
    /// The name cannot be an object's name (empty segments, `..`, control characters).
    #[error("'{name}' is not a usable object name: {source}")]
    Name {
        /// The offending name, relative to the root.
        name: String,
        /// What the store says about it.
        source: object_store::path::Error,
    },
    /// The object is not there.
    #[error("cannot {action} {path}: it does not exist")]
    NotFound {
        /// What was being done.
        action: &'static str,
        /// Where the object is, as users name it.
        path: String,
        /// The store's own error.
        source: Box<object_store::Error>,
    },
    /// The store refused, failed or could not be reached.
    #[error("cannot {action} {path}: {}{}", root_cause(source), remedy(source))]
    Store {
        /// What was being done.
        action: &'static str,
        /// Where the object is, as users name it.
        path: String,
        /// The store's own error.
        source: Box<object_store::Error>,
    },
}

// === impl StorageOptions ===

impl Default for StorageOptions {
    fn default() -> Self {
        Self { fsync: true }
    }
}

// === impl Storage ===

impl Storage {
    /// A storage on `store` whose names start at `root`.
    pub fn new(store: Arc<dyn ObjectStore>, root: Path) -> Self {
        Self { store, root, origin: "".into() }
    }

    /// Opens `url` with default options: a plain path (relative ones start at the working directory), `file:` or
    /// `memory:`. Nothing is created or checked on the backend.
    ///
    /// # Errors
    /// [`StoreError::Url`] when the scheme has no backend here or the path cannot be resolved.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_with(url, StorageOptions::default())
    }

    /// As [`Storage::open`], with options.
    ///
    /// # Errors
    /// As [`Storage::open`].
    pub fn open_with(url: &str, options: StorageOptions) -> Result<Self, StoreError> {
        let refuse = |why: String| StoreError::Url { url: url.to_owned(), why };
        match scheme(url) {
            None => Self::open_path(std::path::Path::new(url), options).map_err(refuse),
            Some("file") => {
                let parsed = url::Url::parse(url).map_err(|error| refuse(error.to_string()))?;
                let path = parsed.to_file_path().map_err(|()| {
                    refuse("a file URL needs an absolute path and no host, as in file:///data/warehouse".to_owned())
                })?;
                Self::open_path(&path, options).map_err(refuse)
            }
            Some("memory") => {
                let rest = url["memory:".len()..].trim_start_matches('/');
                let (name, folder) = rest.split_once('/').unwrap_or((rest, ""));
                let root = Path::parse(folder).map_err(|error| refuse(error.to_string()))?;
                Ok(Self { store: memory_store(name), root, origin: format!("memory://{name}/").into() })
            }
            Some(other) => Err(refuse(format!("scheme '{other}' is not supported yet; use a path, file: or memory:"))),
        }
    }

    fn open_path(path: &std::path::Path, options: StorageOptions) -> Result<Self, String> {
        if path.as_os_str().is_empty() {
            return Err("it is empty; write a folder".to_owned());
        }
        let absolute = resolve(path).map_err(|error| error.to_string())?;
        let root = Path::from_absolute_path(&absolute).map_err(|error| error.to_string())?;
        let random = Random::try_from_os().map_err(|error| error.to_string())?;
        Ok(Self { store: Arc::new(LocalStore::new(options.fsync, random)), root, origin: "/".into() })
    }

    /// The storage one or more folders further down. `rel` must be a valid object name; an invalid one surfaces at the
    /// first use as [`StoreError::Name`], because it is kept as it is.
    pub fn child(&self, rel: &str) -> Self {
        Self { root: self.path(rel), ..self.clone() }
    }

    /// The storage itself, or on a local disk the nearest folder above it that exists: the one a first write needs.
    pub fn nearest_existing(&self) -> Self {
        let mut found = self.clone();
        while &*self.origin == "/" && !std::path::Path::new(&found.location("")).exists() {
            let depth = found.root.parts().count();
            if depth == 0 {
                break;
            }
            found.root = found.root.parts().take(depth - 1).collect();
        }
        found
    }

    /// Where `rel` is, as users name it: `/data/warehouse/db.db/t`, `memory://name/db.db/t`.
    pub fn location(&self, rel: &str) -> String {
        format!("{}{}", self.origin, self.path(rel))
    }

    /// For `map_err`: what was being done to which object.
    pub(crate) fn failed(
        &self,
        action: &'static str,
        path: &Path,
    ) -> impl FnOnce(object_store::Error) -> StoreError + use<> {
        let location = format!("{}{path}", self.origin);
        move |source| StoreError::new(action, location, source)
    }

    /// The path of `rel` inside the store. Characters an object name cannot hold are percent-encoded, so that the
    /// result is always a path; the operations below refuse such names instead.
    pub fn path(&self, rel: &str) -> Path {
        self.try_path(rel).unwrap_or_else(|_| self.root.parts().chain(Path::from(rel).parts()).collect())
    }

    /// The path of `rel` inside the store.
    ///
    /// # Errors
    /// [`StoreError::Name`] when `rel` cannot be an object's name.
    pub fn try_path(&self, rel: &str) -> Result<Path, StoreError> {
        let joined = match (self.root.as_ref(), rel) {
            ("", rel) => Path::parse(rel),
            (root, "") => Path::parse(root),
            (root, rel) => Path::parse(format!("{root}/{rel}")),
        };
        joined.map_err(|source| StoreError::Name { name: rel.to_owned(), source })
    }

    /// The whole object.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it is absent, else what the store says.
    pub async fn get(&self, rel: &str) -> Result<Bytes, StoreError> {
        let path = self.try_path(rel)?;
        let read = async { self.store.get(&path).await?.bytes().await };
        read.await.map_err(self.failed("read", &path))
    }

    /// The whole object, or `None` when it is absent.
    ///
    /// # Errors
    /// What the store says; absence is not an error.
    pub async fn get_opt(&self, rel: &str) -> Result<Option<Bytes>, StoreError> {
        match self.get(rel).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The object's size in bytes, or `None` when it is absent.
    ///
    /// # Errors
    /// What the store says; absence is not an error.
    pub async fn size_opt(&self, rel: &str) -> Result<Option<u64>, StoreError> {
        let path = self.try_path(rel)?;
        match self.store.head(&path).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed("look up", &path)(error)),
        }
    }

    /// Writes the object, replacing what was there. Readers see the old bytes or the new ones, never a part.
    ///
    /// # Errors
    /// What the store says; see [`StoreError::outcome_unknown`].
    pub async fn put(&self, rel: &str, bytes: Bytes) -> Result<(), StoreError> {
        let path = self.try_path(rel)?;
        self.store.put(&path, PutPayload::from(bytes)).await.map(drop).map_err(self.failed("write", &path))
    }

    /// Writes the object unless one of that name exists; of any number of concurrent callers exactly one creates it.
    ///
    /// # Errors
    /// What the store says; when [`StoreError::outcome_unknown`], the object may exist with our bytes all the same.
    pub async fn create(&self, rel: &str, bytes: Bytes) -> Result<Create, StoreError> {
        let path = self.try_path(rel)?;
        let options = PutOptions::from(PutMode::Create);
        match self.store.put_opts(&path, PutPayload::from(bytes), options).await {
            Ok(_) => Ok(Create::Created),
            // Some stores answer a failed condition with "precondition failed" instead of "exists".
            Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => {
                Ok(Create::Exists)
            }
            Err(error) => Err(self.failed("create", &path)(error)),
        }
    }

    /// The names of the objects directly inside `rel_dir`, sorted; an absent folder is empty. Our own staging files
    /// (left behind by a killed process) are not listed.
    ///
    /// # Errors
    /// What the store says.
    pub async fn list_names(&self, rel_dir: &str) -> Result<Vec<String>, StoreError> {
        let listing = self.list_level(rel_dir).await?;
        let mut names: Vec<String> = listing
            .objects
            .iter()
            .filter_map(|object| object.location.filename())
            .filter(|name| !is_staging_name(name))
            .map(str::to_owned)
            .collect();
        names.sort_unstable();
        Ok(names)
    }

    /// The names of the folders directly inside `rel_dir`, sorted; an absent folder is empty.
    ///
    /// # Errors
    /// What the store says.
    pub async fn list_folders(&self, rel_dir: &str) -> Result<Vec<String>, StoreError> {
        let listing = self.list_level(rel_dir).await?;
        let mut names: Vec<String> =
            listing.common_prefixes.iter().filter_map(|prefix| prefix.filename().map(str::to_owned)).collect();
        names.sort_unstable();
        Ok(names)
    }

    async fn list_level(&self, rel_dir: &str) -> Result<object_store::ListResult, StoreError> {
        let path = self.try_path(rel_dir)?;
        match self.store.list_with_delimiter(Some(&path)).await {
            Ok(listing) => Ok(listing),
            Err(object_store::Error::NotFound { .. }) => Ok(object_store::ListResult {
                common_prefixes: Vec::new(),
                objects: Vec::new(),
                extensions: Default::default(),
            }),
            Err(error) => Err(self.failed("list", &path)(error)),
        }
    }

    /// Deletes the object; deleting an absent one succeeds.
    ///
    /// # Errors
    /// What the store says.
    pub async fn delete(&self, rel: &str) -> Result<(), StoreError> {
        let path = self.try_path(rel)?;
        match self.store.delete(&path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failed("delete", &path)(error)),
        }
    }
}

/// Whether `name` is a staging file of [`crate::local`], finished or left behind.
pub fn is_staging_name(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(STAGING_SUFFIX)
}

/// The scheme of a URL; `None` for a plain path. A single letter is a drive, not a scheme.
fn scheme(url: &str) -> Option<&str> {
    let (scheme, _) = url.split_once(':')?;
    let valid = scheme.len() > 1
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    valid.then_some(scheme)
}

/// An absolute path without `.` and `..`. Those are resolved by the file system where they exist, because `a/../b` is
/// not `b` when `a` is a symbolic link.
fn resolve(path: &std::path::Path) -> std::io::Result<std::path::PathBuf> {
    let absolute = std::path::absolute(path)?;
    let climbs = |path: &std::path::Path| path.components().any(|part| part == std::path::Component::ParentDir);
    if !climbs(&absolute) {
        return Ok(absolute);
    }
    for ancestor in absolute.ancestors() {
        let rest = absolute.strip_prefix(ancestor).unwrap_or(&absolute);
        if climbs(rest) {
            break;
        }
        if let Ok(real) = ancestor.canonicalize() {
            return Ok(real.join(rest));
        }
    }
    Err(std::io::Error::new(ErrorKind::NotFound, "a folder before '..' does not exist; write the path without '..'"))
}

/// The process-wide in-memory store of that name: two statements that say `memory://x` mean one warehouse.
fn memory_store(name: &str) -> Arc<dyn ObjectStore> {
    static STORES: Mutex<BTreeMap<String, Arc<InMemory>>> = Mutex::new(BTreeMap::new());
    let mut stores = STORES.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(stores.entry(name.to_owned()).or_default()) as Arc<dyn ObjectStore>
}

// === impl StoreError ===

impl StoreError {
    /// Wraps the store's error with what was being done to which object.
    pub fn new(action: &'static str, path: String, source: object_store::Error) -> Self {
        let source = Box::new(source);
        match *source {
            object_store::Error::NotFound { .. } => Self::NotFound { action, path, source },
            _ => Self::Store { action, path, source },
        }
    }

    /// Whether a write that ended with this error may have taken effect. `false` only where the store said that it
    /// did nothing.
    pub fn outcome_unknown(&self) -> bool {
        match self {
            Self::Url { .. } | Self::Name { .. } | Self::NotFound { .. } => false,
            Self::Store { source, .. } => !matches!(
                **source,
                object_store::Error::PermissionDenied { .. }
                    | object_store::Error::Unauthenticated { .. }
                    | object_store::Error::NotSupported { .. }
                    | object_store::Error::NotImplemented { .. }
                    | object_store::Error::InvalidPath { .. }
            ),
        }
    }

    /// The operating system's verdict, for a local file system.
    pub fn io_kind(&self) -> Option<ErrorKind> {
        match self {
            Self::NotFound { source, .. } | Self::Store { source, .. } => io_kind(source),
            Self::Url { .. } | Self::Name { .. } => None,
        }
    }
}

impl Classify for StoreError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Url { .. } | Self::Name { .. } => FailureKind::Usage,
            // Every object we read by name was promised by another one.
            Self::NotFound { .. } => FailureKind::Corrupt,
            Self::Store { source, .. } => match (&**source, io_kind(source)) {
                // A folder that may not be written is a matter of set-up, not of credentials. A name that is too long
                // and a file system that cannot do what is asked never get better by waiting.
                (
                    _,
                    Some(
                        ErrorKind::PermissionDenied
                        | ErrorKind::ReadOnlyFilesystem
                        | ErrorKind::NotADirectory
                        | ErrorKind::InvalidFilename
                        | ErrorKind::InvalidInput
                        | ErrorKind::Unsupported,
                    ),
                ) => FailureKind::Usage,
                (object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. }, _) => {
                    FailureKind::Auth
                }
                (
                    object_store::Error::NotSupported { .. }
                    | object_store::Error::NotImplemented { .. }
                    | object_store::Error::InvalidPath { .. }
                    | object_store::Error::UnknownConfigurationKey { .. },
                    _,
                ) => FailureKind::Usage,
                // A full disk is here too: it ends when somebody makes room.
                _ => FailureKind::Transient,
            },
        }
    }
}

/// The error at the bottom of the chain: the layers above it only repeat that something failed. A disk's error says
/// which file it was about.
fn root_cause(error: &object_store::Error) -> String {
    let mut cause: &(dyn std::error::Error + 'static) = error;
    while let (false, Some(source)) = (cause.is::<DiskError>(), cause.source()) {
        cause = source;
    }
    cause.to_string()
}

fn remedy(error: &object_store::Error) -> &'static str {
    match io_kind(error) {
        Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => "; make room on the disk",
        Some(ErrorKind::PermissionDenied) => "; give this user the right to write there",
        Some(ErrorKind::ReadOnlyFilesystem) => "; mount it writable or choose another warehouse",
        Some(ErrorKind::InvalidFilename) => "; partition by shorter values: a folder's name has at most 255 bytes",
        Some(ErrorKind::Unsupported) => "; use a file system with hard links and flushes",
        _ => "",
    }
}

fn io_kind(error: &object_store::Error) -> Option<ErrorKind> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            return Some(io.kind());
        }
        cause = error.source();
    }
    None
}

#[cfg(test)]
mod tests;
