//! Deleting files of a living table that nothing refers to any more: the one place that does.
//!
//! Whoever takes a snapshot or a tag away collects what it may have kept alone, strikes out what others keep, and deletes
//! the rest. A file that is overlooked is an orphan, for the sweep; a file too many would be lost rows, so everything that
//! keeps a file must be readable, or nothing is deleted.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use futures::stream::{self, StreamExt};
use paimon_format::names::STATISTICS_DIR;
use paimon_format::{BinaryRow, ManifestEntry, Snapshot};
use tributary_runtime::Executor;

use crate::error::{Result, TableError};
use crate::keepers::Kept;
use crate::live::{self, FileKey, LiveFiles};
use crate::manifests;
use crate::predicate::{Comparison, Predicate};
use crate::purge;
use crate::read::file_path;
use crate::store::Storage;
use crate::table::Table;

/// Up to this many partitions are told to the search for live files, which then skips manifests of others.
const MAX_PARTITIONS: usize = 64;

/// What was deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reclaimed {
    /// Data files, with the files that go with them.
    pub data_files: u64,
    /// Manifests, manifest lists and statistics.
    pub metadata_files: u64,
    /// Bytes of both, as far as metadata or listing know them.
    pub bytes: u64,
    /// Files that could not be deleted; they are orphans now.
    pub left: u64,
}

/// Files that are to go unless somebody keeps them.
#[derive(Default)]
pub(crate) struct Doomed {
    data: HashMap<FileKey, DataFile>,
    partitions: HashSet<BinaryRow>,
    /// Sizes by path.
    metadata: BTreeMap<String, u64>,
}

struct DataFile {
    path: String,
    bytes: u64,
}

// === impl Reclaimed ===

impl std::ops::AddAssign for Reclaimed {
    fn add_assign(&mut self, other: Self) {
        self.data_files += other.data_files;
        self.metadata_files += other.metadata_files;
        self.bytes += other.bytes;
        self.left += other.left;
    }
}

// === impl Doomed ===

impl Doomed {
    /// How many files there are.
    pub(crate) fn len(&self) -> usize {
        self.data.len() + self.metadata.len()
    }

    /// A data file, and the files that go with it.
    pub(crate) fn add_data(&mut self, table: &Table, entry: &ManifestEntry) {
        // Files elsewhere, and folders whose names are not known here, are not ours to guess at.
        let path = match file_path(table, entry) {
            Ok(path) if entry.file.external_path.is_none() => path,
            _ => return,
        };
        let folder = path.strip_suffix(&entry.file.file_name).unwrap_or_default();
        for name in live::names_of(entry) {
            let bytes = if name == entry.file.file_name { entry.file.file_size } else { 0 };
            let file = DataFile { path: format!("{folder}{name}"), bytes: u64::try_from(bytes).unwrap_or(0) };
            self.data.insert(FileKey::of(name), file);
        }
        self.partitions.insert(entry.partition.clone());
    }

    /// A data file, or one that goes with it, stays.
    pub(crate) fn spare_data(&mut self, key: FileKey) {
        self.data.remove(&key);
    }

    /// Manifests, lists and statistics of a snapshot. What is gone, or cannot be read, is passed over.
    ///
    /// # Errors
    /// The store's, other than absence.
    pub(crate) async fn add_metadata(&mut self, storage: &Storage, snapshot: &Snapshot) -> Result<()> {
        for (name, _) in lists(snapshot).collect::<Vec<_>>() {
            match manifests::read_list(storage, snapshot, name).await {
                Ok(manifests) => self.metadata.extend(manifests.into_iter().map(|manifest| {
                    (manifests::path(&manifest.file_name), u64::try_from(manifest.file_size).unwrap_or(0))
                })),
                Err(TableError::Missing { .. }) => {}
                Err(error @ TableError::Format { .. }) => {
                    tracing::warn!(snapshot = snapshot.id.0, %error, "the manifests of an expiring snapshot become orphans");
                }
                Err(error) => return Err(error),
            }
        }
        let lists = lists(snapshot).map(|(name, size)| (manifests::path(name), size));
        self.metadata.extend(lists.chain(statistics(snapshot).map(|path| (path, 0))));
        Ok(())
    }

    /// What the metadata of `kept` consists of stays.
    ///
    /// # Errors
    /// As [`manifests::read_lists`].
    pub(crate) async fn spare_metadata(&mut self, storage: &Storage, kept: &Snapshot) -> Result<()> {
        if self.metadata.is_empty() {
            return Ok(());
        }
        for (name, _) in lists(kept).collect::<Vec<_>>() {
            for manifest in manifests::read_list(storage, kept, name).await? {
                self.metadata.remove(&manifests::path(&manifest.file_name));
            }
            self.metadata.remove(&manifests::path(name));
        }
        for path in statistics(kept) {
            self.metadata.remove(&path);
        }
        Ok(())
    }

    /// What `kept` consists of and reads stays; snapshots that follow each other are best side by side.
    ///
    /// # Errors
    /// [`TableError::Missing`] when something of a kept snapshot is gone; otherwise what cannot be read.
    pub(crate) async fn spare_all(&mut self, table: &Table, executor: &Executor, kept: Vec<Kept<'_>>) -> Result<()> {
        let mut live = LiveFiles::new(table, executor, self.partition_filter(table));
        for Kept { snapshot, is_pledge } in kept {
            match self.spare(table, snapshot, &mut live).await {
                Err(TableError::Missing { .. }) if is_pledge => {}
                spared => spared?,
            }
        }
        Ok(())
    }

    async fn spare(&mut self, table: &Table, kept: &Snapshot, live: &mut LiveFiles<'_>) -> Result<()> {
        self.spare_metadata(table.storage(), kept).await?;
        if !self.data.is_empty() {
            for key in live.visit(kept, |key| self.data.contains_key(&key)).await? {
                self.data.remove(&key);
            }
        }
        Ok(())
    }

    /// The partitions of the data files; `None` for too many to tell apart.
    fn partition_filter(&self, table: &Table) -> Option<Predicate> {
        let keys = &table.schema().partition_keys;
        let types = table.schema().partition_types();
        if keys.is_empty() || self.partitions.len() > MAX_PARTITIONS {
            return None;
        }
        let partitions = self.partitions.iter().map(|partition| {
            let values = partition.decode(&types).ok()?;
            let columns = keys.iter().zip(values).map(|(key, value)| match value {
                Some(value) => Predicate::compare(key.as_str(), Comparison::Eq, value),
                None => Predicate::IsNull(key.clone()),
            });
            Some(Predicate::And(columns.collect()))
        });
        partitions.collect::<Option<_>>().map(Predicate::Or)
    }

    /// Deletes what is left, data files first. What cannot be deleted is counted and said.
    pub(crate) async fn delete(self, table: &Table) -> Reclaimed {
        let data = self.data.into_values().map(|file| (file.path, file.bytes)).collect();
        let (data_files, folders) = delete_files(table.storage(), data).await;
        let (metadata_files, _) = delete_files(table.storage(), self.metadata.into_iter().collect()).await;
        if table.options().snapshot_clean_empty_directories {
            remove_empty_folders(table.storage(), folders).await;
        }
        Reclaimed {
            data_files: data_files.files,
            metadata_files: metadata_files.files,
            bytes: data_files.bytes + metadata_files.bytes,
            left: data_files.left + metadata_files.left,
        }
    }
}

/// Deletions of one kind.
#[derive(Default)]
pub(crate) struct Deleted {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    pub(crate) left: u64,
}

/// Deletes files by their paths and sizes; also says which folders they were in. What is gone already counts as deleted.
pub(crate) async fn delete_files(storage: &Storage, files: Vec<(String, u64)>) -> (Deleted, BTreeSet<String>) {
    let folder = |path: &str| path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned());
    let folders = files.iter().map(|(path, _)| folder(path)).collect();
    let all = files.len() as u64;
    let mut deleted = Deleted { bytes: files.iter().map(|(_, bytes)| bytes).sum(), ..Deleted::default() };
    let paths = files.into_iter().map(|(path, _)| Ok(storage.path(&path)));
    let mut results = storage.store.delete_stream(stream::iter(paths.collect::<Vec<_>>()).boxed());
    while let Some(result) = results.next().await {
        match result {
            Ok(_) | Err(object_store::Error::NotFound { .. }) => deleted.files += 1,
            Err(error) => {
                let error = storage.failed("delete", &storage.root)(error);
                tracing::warn!(%error, "a file that nothing refers to could not be deleted; the next orphan sweep tries again");
            }
        }
    }
    deleted.left = all - deleted.files.min(all);
    (deleted, folders)
}

/// Takes away the folders of a local disk that are empty now, and those above them that become so.
pub(crate) async fn remove_empty_folders(storage: &Storage, folders: BTreeSet<String>) {
    let mut level = folders;
    while !level.is_empty() {
        for folder in level.iter().filter(|folder| !folder.is_empty()) {
            purge::remove_empty(&storage.child(folder)).await;
        }
        level = level.iter().filter_map(|folder| folder.rsplit_once('/')).map(|(above, _)| above.to_owned()).collect();
    }
}

/// Base, delta and changelog list with their sizes in bytes, 0 for one that is not known.
pub(crate) fn lists(snapshot: &Snapshot) -> impl Iterator<Item = (&str, u64)> {
    let lists = [
        (Some(&snapshot.base_manifest_list), snapshot.base_manifest_list_size),
        (Some(&snapshot.delta_manifest_list), snapshot.delta_manifest_list_size),
        (snapshot.changelog_manifest_list.as_ref(), snapshot.changelog_manifest_list_size),
    ];
    lists.into_iter().filter_map(|(name, size)| Some((name?.as_str(), u64::try_from(size.unwrap_or(0)).unwrap_or(0))))
}

/// The path of the statistics that a snapshot names.
pub(crate) fn statistics(snapshot: &Snapshot) -> impl Iterator<Item = String> {
    snapshot.statistics.iter().map(|name| format!("{STATISTICS_DIR}/{name}"))
}
