//! A folder in an object store: the only way this crate reaches bytes.
//!
//! [`Storage`] pairs an [`ObjectStore`] with a root path; every name given to it is relative to that root. What the
//! table format needs is small: read a whole object, replace one, create one that must not exist yet, list the names
//! of a folder, delete. Data files go through [`crate::upload`] instead, in bounded parts.
//!
//! Backends: a local file system through [`crate::local`] (a path or a `file:` URL), an in-memory store shared by the
//! whole process under its name (`memory:` or `memory://name/folder`), buckets of S3 and what speaks its protocol
//! (`s3://bucket/folder`), and of Alibaba Cloud's OSS (`oss://bucket/folder`). Other schemes are refused by name.
//!
//! Errors carry what was being done to which object, and their kind says what a caller should do about it. A write that
//! failed may have taken effect all the same.
//!
//! Over a network a request is repeated for half a minute; after that, retries are the caller's, who knows whether the
//! operation may be repeated. Not here: caching.

mod cloud;
pub mod credentials;
mod error;
mod open;
pub mod options;
mod oss;
mod s3;
mod transport;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};

pub use self::error::StoreError;
pub use self::open::StorageOptions;
use crate::local::{Expendable, STAGING_SUFFIX};

/// A folder of an object store. Cheap to clone.
#[derive(Clone)]
pub struct Storage {
    /// The store the folder lives in.
    pub store: Arc<dyn ObjectStore>,
    /// The folder, as a path inside `store`.
    pub root: Path,
    /// What stands before a path of `store` where users name it: `/` on a local disk.
    origin: Arc<str>,
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

// === impl Storage ===

impl fmt::Debug for Storage {
    /// Without the store, which may hold keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Storage").field(&self.location("")).finish()
    }
}

impl Storage {
    /// A storage on `store` whose names start at `root`.
    pub fn new(store: Arc<dyn ObjectStore>, root: Path) -> Self {
        Self { store, root, origin: "".into() }
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

    /// The bytes that this user may still write to the disk the folder, or the nearest one above it that exists, lies on;
    /// `None` for a store that is no local file system, or one that does not tell.
    pub fn free_bytes(&self) -> Option<u64> {
        let disk = (&*self.origin == "/").then(|| nix::sys::statvfs::statvfs(&*self.nearest_existing().location("")));
        let disk = disk?.ok()?;
        Some(disk.blocks_available().saturating_mul(disk.fragment_size()))
    }

    /// Where `rel` is, as users name it: `/data/warehouse/db.db/t`, `memory://name/db.db/t`.
    pub fn location(&self, rel: &str) -> String {
        self.location_of(&self.path(rel))
    }

    /// Where a path of the store is, as users name it.
    pub(crate) fn location_of(&self, path: &Path) -> String {
        format!("{}{path}", self.origin)
    }

    /// For `map_err`: what was being done to which object.
    pub(crate) fn failed(
        &self,
        action: &'static str,
        path: &Path,
    ) -> impl FnOnce(object_store::Error) -> StoreError + use<> {
        let location = self.location_of(path);
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
    /// What the store says.
    pub async fn put(&self, rel: &str, bytes: Bytes) -> Result<(), StoreError> {
        let path = self.try_path(rel)?;
        self.store.put(&path, PutPayload::from(bytes)).await.map(drop).map_err(self.failed("write", &path))
    }

    /// As [`Storage::put`], of an object that readers do without: it need not survive a power cut, and costs no flush.
    ///
    /// # Errors
    /// What the store says.
    pub async fn put_expendable(&self, rel: &str, bytes: Bytes) -> Result<(), StoreError> {
        let path = self.try_path(rel)?;
        let mut options = PutOptions::default();
        options.extensions.insert(Expendable);
        let put = self.store.put_opts(&path, PutPayload::from(bytes), options).await;
        put.map(drop).map_err(self.failed("write", &path))
    }

    /// Writes the object unless one of that name exists; of any number of concurrent callers exactly one creates it.
    ///
    /// # Errors
    /// What the store says; the object may exist with our bytes all the same. So it may after [`Create::Exists`], when
    /// the reply to a first request was lost on the way and the request repeated.
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

    /// The objects directly inside `rel_dir`, with their ages and sizes; an absent folder is empty.
    ///
    /// # Errors
    /// What the store says.
    pub async fn list_objects(&self, rel_dir: &str) -> Result<Vec<ObjectMeta>, StoreError> {
        Ok(self.list_level(rel_dir).await?.objects)
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

#[cfg(test)]
mod tests;
