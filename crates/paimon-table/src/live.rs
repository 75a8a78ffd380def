//! Which files a series of snapshots reads, with every manifest read once as it comes and once as it goes.
//!
//! Snapshots that follow each other share almost all of their manifests. What is kept is a number per file: additions less
//! deletions in the manifests of the snapshot at hand.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use futures::stream::{self, StreamExt};
use paimon_format::{FileKind, ManifestEntry, ManifestFileMeta, Snapshot};
use tributary_runtime::Executor;

use crate::error::{Result, TableError};
use crate::manifests::ManifestFormat;
use crate::predicate::Predicate;
use crate::scan;
use crate::table::Table;

/// Manifests decoded at once: one may hold tens of thousands of entries.
const READ_CONCURRENCY: usize = 4;

/// A file's name in 128 bits. Names are unique in a table; two that share a key are both taken for live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FileKey(u128);

/// Goes from snapshot to snapshot.
pub(crate) struct LiveFiles<'a> {
    table: &'a Table,
    format: ManifestFormat,
    /// On partitions: what it excludes is not looked at.
    filter: Option<Predicate>,
    manifests: HashMap<String, ManifestFileMeta>,
    counts: HashMap<FileKey, i32>,
}

// === impl FileKey ===

impl FileKey {
    pub(crate) fn of(name: &str) -> Self {
        let half = |salt: u8| {
            let mut hasher = DefaultHasher::new();
            (salt, name).hash(&mut hasher);
            u128::from(hasher.finish())
        };
        Self(half(0) << 64 | half(1))
    }
}

/// The names of everything an entry speaks of: the data file and the files that go with it.
pub(crate) fn names_of(entry: &ManifestEntry) -> impl Iterator<Item = &str> {
    std::iter::once(entry.file.file_name.as_str()).chain(entry.file.extra_files.iter().map(String::as_str))
}

// === impl LiveFiles ===

impl<'a> LiveFiles<'a> {
    pub(crate) fn new(table: &'a Table, executor: &Executor, filter: Option<Predicate>) -> Self {
        let format = ManifestFormat::of(table, executor);
        Self { table, format, filter, manifests: HashMap::new(), counts: HashMap::new() }
    }

    /// The files of interest that `snapshot` reads and the one before it may not have read.
    ///
    /// # Errors
    /// [`TableError::Missing`] for a manifest that is gone; otherwise what cannot be read. The next visit starts afresh.
    pub(crate) async fn visit(
        &mut self,
        snapshot: &Snapshot,
        of_interest: impl Fn(FileKey) -> bool,
    ) -> Result<Vec<FileKey>> {
        let next = scan::manifests_of(self.table, snapshot, self.filter.as_ref()).await?;
        let next: HashMap<_, _> = next.into_iter().map(|manifest| (manifest.file_name.clone(), manifest)).collect();
        let touched = match self.replace(&next, &of_interest).await {
            // The one before may have expired meanwhile, and with it what only it had.
            Err(TableError::Missing { .. }) if !self.manifests.is_empty() => {
                self.start_afresh();
                self.replace(&next, &of_interest).await
            }
            touched => touched,
        };
        match &touched {
            Ok(_) => self.manifests = next,
            Err(_) => self.start_afresh(),
        }
        touched
    }

    /// The names of the manifests of the snapshot at hand.
    pub(crate) fn manifests(&self) -> impl Iterator<Item = &str> {
        self.manifests.keys().map(String::as_str)
    }

    fn start_afresh(&mut self) {
        self.manifests.clear();
        self.counts.clear();
    }

    async fn replace(
        &mut self,
        next: &HashMap<String, ManifestFileMeta>,
        of_interest: &impl Fn(FileKey) -> bool,
    ) -> Result<Vec<FileKey>> {
        let coming = next.values().filter(|manifest| !self.manifests.contains_key(&manifest.file_name));
        let going = self.manifests.values().filter(|manifest| !next.contains_key(&manifest.file_name));
        let turns = coming.map(|manifest| (manifest, 1)).chain(going.map(|manifest| (manifest, -1)));
        let (format, storage) = (&self.format, self.table.storage());
        let reads: Vec<_> = turns
            .map(|(manifest, sign)| async move {
                Ok::<_, TableError>((format.read_entries(storage, manifest).await?, sign))
            })
            .collect();
        let mut reads = stream::iter(reads).buffer_unordered(READ_CONCURRENCY);
        let mut touched = Vec::new();
        while let Some(read) = reads.next().await {
            let (entries, sign) = read?;
            for entry in &entries {
                let change = match entry.kind {
                    FileKind::Add => sign,
                    FileKind::Delete => -sign,
                };
                for key in names_of(entry).map(FileKey::of).filter(|key| of_interest(*key)) {
                    *self.counts.entry(key).or_default() += change;
                    touched.push(key);
                }
            }
        }
        drop(reads);
        self.counts.retain(|_, count| *count != 0);
        touched.retain(|key| self.counts.get(key).is_some_and(|count| *count > 0));
        Ok(touched)
    }
}
