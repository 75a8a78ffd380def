//! What a plan needs to know of a table's files, and no more: a table may have a hundred thousand of them, and a manifest
//! entry with its statistics takes a kilobyte.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use futures::StreamExt;
use paimon_format::{BinaryRow, FileKind, ManifestEntry, Snapshot};
use paimon_table::error::TableError;
use paimon_table::predicate::Predicate;
use paimon_table::scan;
use paimon_table::table::Table;
use tributary_runtime::Executor;

/// Stands for a file's identity. Two files with one key would at worst be left alone: what a commit removes is compared
/// whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct FileKey(u64);

/// A file that may be merged with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) key: FileKey,
    pub(crate) bytes: u64,
    pub(crate) rows: u64,
    /// An earlier run put it in the order that is asked for.
    pub(crate) is_in_order: bool,
}

/// The candidates of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PartitionFiles {
    pub(crate) partition: BinaryRow,
    /// When the newest of its files was written, small or not, as the local wall clock; `None` if a file does not say.
    pub(crate) newest_millis: Option<i64>,
    /// All its live files, small or not.
    pub(crate) files: u64,
    /// The bytes of those.
    pub(crate) bytes: u64,
    pub(crate) candidates: Vec<Candidate>,
}

/// Which files are candidates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Limits {
    /// Files of fewer bytes than this …
    pub(crate) bytes: u64,
    /// … and fewer rows than this.
    pub(crate) rows: u64,
}

#[derive(Default)]
struct Found {
    newest_millis: Option<i64>,
    is_unknown: bool,
    files: i64,
    bytes: i64,
    added: HashMap<FileKey, Candidate>,
    deleted: HashSet<FileKey>,
}

// === impl FileKey ===

impl FileKey {
    pub(crate) fn of(entry: &ManifestEntry) -> Self {
        let mut hasher = DefaultHasher::new();
        entry.identifier().hash(&mut hasher);
        Self(hasher.finish())
    }

    #[cfg(test)]
    pub(crate) fn test(number: u64) -> Self {
        Self(number)
    }
}

// === impl Limits ===

impl Limits {
    fn take(&self, candidate: &Candidate) -> bool {
        candidate.bytes < self.bytes && candidate.rows < self.rows
    }
}

// === impl Found ===

impl Found {
    fn note(&mut self, entry: &ManifestEntry, limits: &Limits, in_order: Option<&str>) {
        let file = &entry.file;
        let unsigned = |number: i64| u64::try_from(number).unwrap_or_default();
        let candidate = Candidate {
            key: FileKey::of(entry),
            bytes: unsigned(file.file_size),
            rows: unsigned(file.row_count),
            is_in_order: in_order.is_some_and(|prefix| file.file_name.starts_with(prefix)),
        };
        let sign = if entry.kind == FileKind::Add { 1 } else { -1 };
        self.files += sign;
        self.bytes += sign * file.file_size;
        match entry.kind {
            FileKind::Add => {
                match file.creation_time_millis {
                    Some(millis) => self.newest_millis = self.newest_millis.max(Some(millis)),
                    None => self.is_unknown = true,
                }
                if limits.take(&candidate) {
                    self.added.insert(candidate.key, candidate);
                }
            }
            FileKind::Delete if limits.take(&candidate) => {
                self.deleted.insert(candidate.key);
            }
            FileKind::Delete => {}
        }
    }

    /// A deletion hides its file wherever it stands: names are never used twice.
    fn finish(self, partition: BinaryRow) -> PartitionFiles {
        let live = self.added.into_values().filter(|candidate| !self.deleted.contains(&candidate.key));
        let mut candidates: Vec<_> = live.collect();
        candidates.sort_by_key(|candidate| (candidate.bytes, candidate.key));
        let newest_millis = self.newest_millis.filter(|_| !self.is_unknown);
        let unsigned = |number: i64| u64::try_from(number).unwrap_or_default();
        let (files, bytes) = (unsigned(self.files), unsigned(self.bytes));
        PartitionFiles { partition, newest_millis, files, bytes, candidates }
    }
}

/// The candidates of every partition that meets `filter`, those in the order that is asked for by the beginning of their names. Holds a few manifests and
/// some fifty bytes a candidate at a time.
pub(crate) async fn take(
    table: &Table,
    snapshot: &Snapshot,
    filter: Option<&Predicate>,
    limits: Limits,
    in_order: Option<&str>,
    executor: &Executor,
) -> Result<Vec<PartitionFiles>, TableError> {
    let mut partitions: HashMap<BinaryRow, Found> = HashMap::new();
    let mut manifests = scan::entries_of(table, snapshot, filter, executor).await?;
    while let Some(entries) = manifests.next().await {
        for entry in entries? {
            match partitions.get_mut(&entry.partition) {
                Some(found) => found.note(&entry, &limits, in_order),
                None => partitions.entry(entry.partition.clone()).or_default().note(&entry, &limits, in_order),
            }
        }
    }
    Ok(partitions.into_iter().map(|(partition, found)| found.finish(partition)).collect())
}

/// The whole entries of the files with these keys that are live in `snapshot`, oldest manifest first.
pub(crate) async fn resolve(
    table: &Table,
    snapshot: &Snapshot,
    filter: Option<&Predicate>,
    wanted: &HashSet<FileKey>,
    executor: &Executor,
) -> Result<Vec<ManifestEntry>, TableError> {
    let (mut live, mut deleted) = (Vec::with_capacity(wanted.len()), HashSet::new());
    let mut manifests = scan::entries_of(table, snapshot, filter, executor).await?;
    while let Some(entries) = manifests.next().await {
        for entry in entries? {
            let key = FileKey::of(&entry);
            match entry.kind {
                _ if !wanted.contains(&key) => {}
                FileKind::Add => live.push((key, entry)),
                FileKind::Delete => {
                    deleted.insert(key);
                }
            }
        }
    }
    Ok(live.into_iter().filter(|(key, _)| !deleted.contains(key)).map(|(_, entry)| entry).collect())
}
