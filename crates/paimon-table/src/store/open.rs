//! From a URL to a storage.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use object_store::ObjectStore;
use object_store::memory::InMemory;
use object_store::path::Path;
use tributary_runtime::Random;

use super::credentials::{Keys, RefreshingCredentials};
use super::options::{self, BucketOptions, StorageOptionError};
use super::{Storage, StoreError, cloud, oss, s3};
use crate::local::LocalStore;

/// What a storage may be tuned by: `[storage]` of the settings, and the options of a catalog.
#[derive(Clone, Debug)]
pub struct StorageOptions {
    /// Flush files and folder entries of a local file system to the disk before a write counts as done
    /// (`storage.fsync`). Without it a power cut may lose snapshots that were acknowledged.
    pub fsync: bool,
    /// How buckets of `s3://` are reached.
    pub s3: BucketOptions,
    /// How buckets of `oss://` are reached.
    pub oss: BucketOptions,
    /// Keys that change while the storage is used; they go before those of the options and the environment.
    pub credentials: Option<Arc<RefreshingCredentials>>,
}

// === impl StorageOptions ===

impl Default for StorageOptions {
    fn default() -> Self {
        Self { fsync: true, s3: BucketOptions::default(), oss: BucketOptions::default(), credentials: None }
    }
}

impl StorageOptions {
    /// The options of an object store among those of a catalog; others are left alone.
    ///
    /// # Errors
    /// The first that is wrong.
    pub fn try_new(options: &BTreeMap<String, String>) -> Result<Self, StorageOptionError> {
        Ok(Self { s3: BucketOptions::s3(options)?, oss: BucketOptions::oss(options)?, ..Self::default() })
    }

    /// The same of options that a catalog hands out, for other clients too: what nobody knows here is left alone.
    ///
    /// # Errors
    /// As [`StorageOptions::try_new`].
    pub fn try_from_catalog(options: &BTreeMap<String, String>) -> Result<Self, StorageOptionError> {
        Self::try_new(&options::known(options))
    }

    /// What is said here of buckets and keys, and what `below` says of the rest.
    pub fn over(self, below: &Self) -> Self {
        Self {
            fsync: below.fsync,
            s3: self.s3.over(&below.s3),
            oss: self.oss.over(&below.oss),
            credentials: self.credentials.or_else(|| below.credentials.clone()),
        }
    }

    /// How the bucket that `url` names is reached; `None` for a URL of no bucket.
    pub fn bucket(&self, url: &str) -> Option<&BucketOptions> {
        match scheme(url) {
            Some("s3" | "s3a") => Some(&self.s3),
            Some("oss") => Some(&self.oss),
            _ => None,
        }
    }

    /// That everything said here is of use for `url`.
    ///
    /// # Errors
    /// [`StoreError::Url`] when it is about another protocol's buckets.
    pub fn check_for(&self, url: &str) -> Result<(), StoreError> {
        for (given, keys, of) in [(&self.s3, "s3.", "s3"), (&self.oss, "fs.oss.", "oss")] {
            if *given != BucketOptions::default() && !self.bucket(url).is_some_and(|used| std::ptr::eq(used, given)) {
                let why = format!("the options '{keys}…' are for {of}://bucket/folder; leave them out");
                return Err(StoreError::Url { url: without_user(url), why });
            }
        }
        Ok(())
    }
}

// === impl Storage ===

impl Storage {
    /// Opens `url` with default options: a plain path (relative ones start at the working directory), `file:`,
    /// `memory:`, `s3://bucket/folder` or `oss://bucket/folder`. Nothing is created or checked on the backend.
    ///
    /// # Errors
    /// [`StoreError::Url`] when the scheme has no backend here or the path cannot be resolved.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_with(url, &StorageOptions::default())
    }

    /// As [`Storage::open`], with options.
    ///
    /// # Errors
    /// As [`Storage::open`].
    pub fn open_with(url: &str, options: &StorageOptions) -> Result<Self, StoreError> {
        let refuse = |why: String| StoreError::Url { url: without_user(url), why };
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
            Some(scheme @ ("s3" | "s3a")) => {
                let (bucket, root) = bucket_and_folder(&url[scheme.len() + 1..]).map_err(refuse)?;
                let keys = Keys::choose(options.s3.credentials.as_ref(), options.credentials.as_ref());
                let store = s3::open(bucket, &options.s3, keys).map_err(|error| refuse(error.to_string()))?;
                Ok(Self { store, root, origin: format!("{scheme}://{bucket}/").into() })
            }
            Some("oss") => {
                let (bucket, root) = bucket_and_folder(&url["oss:".len()..]).map_err(refuse)?;
                let keys = Keys::choose(options.oss.credentials.as_ref(), options.credentials.as_ref());
                let store = oss::open(bucket, &options.oss, keys).map_err(refuse)?;
                Ok(Self { store, root, origin: format!("oss://{bucket}/").into() })
            }
            Some(scheme @ ("gs" | "az")) => {
                let (bucket, root) = bucket_and_folder(&url[scheme.len() + 1..]).map_err(refuse)?;
                let store = cloud::open(scheme, bucket).map_err(refuse)?;
                Ok(Self { store, root, origin: format!("{scheme}://{bucket}/").into() })
            }
            Some(other) => {
                Err(refuse(format!("scheme '{other}' is not supported; use a path, file:, memory:, s3:// or oss://")))
            }
        }
    }

    fn open_path(path: &std::path::Path, options: &StorageOptions) -> Result<Self, String> {
        if path.as_os_str().is_empty() {
            return Err("it is empty; write a folder".to_owned());
        }
        let absolute = resolve(path).map_err(|error| error.to_string())?;
        let root = Path::from_absolute_path(&absolute).map_err(|error| error.to_string())?;
        let random = Random::try_from_os().map_err(|error| error.to_string())?;
        Ok(Self { store: Arc::new(LocalStore::new(options.fsync, random)), root, origin: "/".into() })
    }
}

/// The scheme of a URL; `None` for a plain path. A single letter is a drive, not a scheme.
fn scheme(url: &str) -> Option<&str> {
    let (scheme, _) = url.split_once(':')?;
    let valid = scheme.len() > 1
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    valid.then_some(scheme)
}

/// The bucket and the folder of `//bucket/folder`.
fn bucket_and_folder(rest: &str) -> Result<(&str, Path), String> {
    let rest = rest.strip_prefix("//").unwrap_or_default();
    let (bucket, folder) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() || !bucket.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_')) {
        return Err("write scheme://bucket/folder, with keys and endpoint as options of the catalog".to_owned());
    }
    Ok((bucket, Path::parse(folder).map_err(|error| error.to_string())?))
}

/// A URL fit to be shown: some engines take keys before an `@`.
fn without_user(url: &str) -> String {
    match url.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?.1))) {
        Some((scheme, rest)) => format!("{scheme}://***@{rest}"),
        None => url.to_owned(),
    }
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
    Err(std::io::Error::new(
        std::io::ErrorKind::NotFound,
        "a folder before '..' does not exist; write the path without '..'",
    ))
}

/// The process-wide in-memory store of that name: two statements that say `memory://x` mean one warehouse.
fn memory_store(name: &str) -> Arc<dyn ObjectStore> {
    static STORES: Mutex<BTreeMap<String, Arc<InMemory>>> = Mutex::new(BTreeMap::new());
    let mut stores = STORES.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(stores.entry(name.to_owned()).or_default()) as Arc<dyn ObjectStore>
}
