//! Planning a scan: which data files of a snapshot may hold rows that meet a condition.
//!
//! Three prunings, each of which keeps a file unless statistics exclude it: whole manifests by the partition bounds in
//! their list, entries by their partition, live files by the bounds of their columns.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use paimon_format::{
    ColumnStats, DataField, FileKind, ManifestEntry, ManifestFileMeta, Snapshot, SnapshotId, TableSchema, TypeRoot,
};
use tributary_runtime::Executor;

use crate::error::{Result, TableError};
use crate::evolution;
use crate::manifests::{self, ManifestFormat};
use crate::predicate::{self, Predicate};
use crate::snapshots;
use crate::table::Table;

/// Manifests read at once.
const READ_CONCURRENCY: usize = 8;
/// Manifests read at once where memory is to stay small: decoded they take ten times their size.
const STREAM_CONCURRENCY: usize = 2;

/// The files to read.
#[derive(Clone, Debug)]
pub struct ScanPlan {
    /// The snapshot they belong to; `None` for a table without snapshots.
    pub snapshot: Option<Arc<Snapshot>>,
    /// One ADD entry per live file that may hold matching rows, oldest commit first.
    pub files: Vec<ManifestEntry>,
}

// === impl ScanPlan ===

impl ScanPlan {
    /// Rows of the planned files; with a condition an upper bound of the matching ones.
    pub fn rows(&self) -> i64 {
        self.files.iter().map(|entry| entry.file.row_count).sum()
    }
}

/// Plans a scan of `snapshot`, or of the newest one. `filter` may name any columns of the table's schema, partition
/// columns included.
///
/// # Errors
/// [`TableError::NoSuchSnapshot`] for an id that is not there or expires while its manifests are read;
/// [`TableError::Corrupt`] for a file that is added twice; otherwise what is missing or cannot be read.
pub async fn plan_scan(
    table: &Table,
    snapshot: Option<SnapshotId>,
    filter: Option<&Predicate>,
    executor: &Executor,
) -> Result<ScanPlan> {
    let snapshot = match snapshot {
        None => match table.latest_snapshot().await? {
            Some(latest) => latest,
            None => {
                return Ok(ScanPlan { snapshot: None, files: Vec::new() });
            }
        },
        Some(id) => match table.snapshot(id).await? {
            Some(found) => found,
            None => return Err(no_such_snapshot(table, id)),
        },
    };
    match plan_scan_of(table, Arc::clone(&snapshot), filter, executor).await {
        // Expiry removes the snapshot file after the manifests only it referred to.
        Err(TableError::Missing { .. }) if snapshots::read(table.metadata(), snapshot.id).await?.is_none() => {
            Err(no_such_snapshot(table, snapshot.id))
        }
        planned => planned,
    }
}

/// Plans a scan of a snapshot that is at hand: one that a tag keeps need not be among those of the table any more.
///
/// # Errors
/// As [`plan_scan`]; [`TableError::Missing`] for a manifest that is gone.
pub async fn plan_scan_of(
    table: &Table,
    snapshot: Arc<Snapshot>,
    filter: Option<&Predicate>,
    executor: &Executor,
) -> Result<ScanPlan> {
    let filter = filter.cloned().unwrap_or(Predicate::And(Vec::new()));
    let files = live_files(table, &snapshot, &filter, executor).await?;
    Ok(ScanPlan { snapshot: Some(snapshot), files })
}

fn no_such_snapshot(table: &Table, id: SnapshotId) -> TableError {
    TableError::NoSuchSnapshot { id: id.0, location: table.location() }
}

/// The manifests of a snapshot, oldest first, without those of other partitions than `filter` asks for.
///
/// # Errors
/// [`TableError::Missing`] for a list that is gone; otherwise what cannot be read.
pub async fn manifests_of(
    table: &Table,
    snapshot: &Snapshot,
    filter: Option<&Predicate>,
) -> Result<Vec<ManifestFileMeta>> {
    let mut manifests = manifests::read_lists(table.storage(), snapshot).await?;
    if let Some(filter) = filter {
        let partitions = Partitions::of(table.schema());
        manifests.retain(|manifest| partitions.may_hold(manifest, filter));
    }
    Ok(manifests)
}

/// The entries of a snapshot as its manifests have them, additions and deletions, oldest manifest first: one manifest
/// after the other, so that a table of any size is read in the memory of a few. Only of partitions that may meet `filter`.
///
/// # Errors
/// As [`manifests_of`]; the stream ends with its first error.
pub async fn entries_of(
    table: &Table,
    snapshot: &Snapshot,
    filter: Option<&Predicate>,
    executor: &Executor,
) -> Result<BoxStream<'static, Result<Vec<ManifestEntry>>>> {
    let manifests = manifests_of(table, snapshot, filter).await?;
    let format = ManifestFormat::of(table, executor);
    let storage = table.storage().clone();
    let filter = filter.map(|filter| Arc::new((Partitions::of(table.schema()), filter.clone())));
    let reads = manifests.into_iter().map(move |manifest| {
        let (format, storage, filter) = (format.clone(), storage.clone(), filter.clone());
        async move {
            let mut entries = format.read_entries(&storage, &manifest).await?;
            if let Some((partitions, filter)) = filter.as_deref() {
                entries.retain(|entry| partitions.may_match(entry, filter));
            }
            Ok(entries)
        }
    });
    Ok(stream::iter(reads).buffered(STREAM_CONCURRENCY).boxed())
}

/// What a snapshot changed: the entries of its delta, in their order.
///
/// # Errors
/// As [`manifests_of`].
pub async fn changes_of(table: &Table, snapshot: &Snapshot, executor: &Executor) -> Result<Vec<ManifestEntry>> {
    let storage = table.storage();
    let delta = manifests::read_list(storage, snapshot, &snapshot.delta_manifest_list).await?;
    ManifestFormat::of(table, executor).read_all(storage, &delta).await
}

/// What a file's statistics, made under the schema `written`, say of each column of `current`.
pub fn file_stats(entry: &ManifestEntry, written: &TableSchema, current: &TableSchema) -> Vec<ColumnStats> {
    let stats = FileStats::of(entry, written);
    let of = |field: &DataField| stats.column(&field.name, entry.file.row_count, current).unwrap_or_default();
    current.fields.iter().map(of).collect()
}

async fn live_files(
    table: &Table,
    snapshot: &Snapshot,
    filter: &Predicate,
    executor: &Executor,
) -> Result<Vec<ManifestEntry>> {
    let format = ManifestFormat::of(table, executor);
    let partitions = Partitions::of(table.schema());
    let manifests = manifests::read_lists(table.storage(), snapshot).await?;
    let kept = manifests.iter().filter(|manifest| partitions.may_hold(manifest, filter));
    // Collected first: the compiler cannot prove a stream of borrowing closures to be Send.
    let reads: Vec<_> = kept.map(|manifest| format.read_entries(table.storage(), manifest)).collect();
    let entries: Vec<Vec<ManifestEntry>> = stream::iter(reads).buffered(READ_CONCURRENCY).try_collect().await?;
    let entries = entries.into_iter().flatten();
    // An entry and the one that deletes it have the same partition: both go or both stay.
    let entries: Vec<_> = entries.filter(|entry| partitions.may_match(entry, filter)).collect();
    let mut files = live(entries)?;
    let schemas = file_schemas(table, &files).await?;
    let current = table.schema();
    files.retain(|entry| {
        let Some(schema) = schemas.get(&entry.file.schema_id) else {
            return true;
        };
        let values = FileStats::of(entry, schema);
        filter.may_match(entry.file.row_count, &|column| {
            partitions.value(entry, column).or_else(|| values.column(column, entry.file.row_count, current))
        })
    });
    Ok(files)
}

/// The files that are added and not deleted. Like Paimon since 1.3, whatever order the entries come in: a deletion
/// hides its file wherever it stands, because no name is ever used twice.
fn live(entries: Vec<ManifestEntry>) -> Result<Vec<ManifestEntry>> {
    let (added, deleted): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.kind == FileKind::Add);
    let deleted: HashSet<_> = deleted.iter().map(ManifestEntry::identifier).collect();
    let mut seen = HashSet::with_capacity(added.len());
    let mut keep = Vec::with_capacity(added.len());
    for entry in &added {
        let alive = !deleted.contains(&entry.identifier());
        if alive && !seen.insert(entry.identifier()) {
            return Err(TableError::added_twice(entry));
        }
        keep.push(alive);
    }
    drop(seen);
    let mut keep = keep.into_iter();
    Ok(added.into_iter().filter(|_| keep.next().unwrap_or(true)).collect())
}

/// The schemas the files were written with. A schema that is gone leaves its files unpruned.
async fn file_schemas(table: &Table, files: &[ManifestEntry]) -> Result<HashMap<i64, Arc<TableSchema>>> {
    let mut schemas = HashMap::new();
    let ids: HashSet<i64> = files.iter().map(|entry| entry.file.schema_id).collect();
    for id in ids {
        if let Some(schema) = table.schema_of(id).await? {
            schemas.insert(id, schema);
        }
    }
    Ok(schemas)
}

/// The table's partition columns.
struct Partitions {
    names: Vec<String>,
    roots: Vec<TypeRoot>,
}

impl Partitions {
    fn of(schema: &TableSchema) -> Self {
        Self { names: schema.partition_keys.clone(), roots: schema.partition_types() }
    }

    /// Whether a manifest may hold entries of a matching partition. Statistics that cannot be read exclude nothing.
    fn may_hold(&self, manifest: &ManifestFileMeta, filter: &Predicate) -> bool {
        let Ok(stats) = manifest.partition_stats.decode(&self.roots) else {
            return true;
        };
        let entries = manifest.num_added_files.saturating_add(manifest.num_deleted_files);
        filter.may_match(entries, &|column| {
            let index = self.names.iter().position(|name| name == column)?;
            stats.get(index).cloned()
        })
    }

    fn may_match(&self, entry: &ManifestEntry, filter: &Predicate) -> bool {
        filter.may_match(1, &|column| self.value(entry, column))
    }

    /// A partition column of one entry as statistics; `None` for other columns.
    fn value(&self, entry: &ManifestEntry, column: &str) -> Option<ColumnStats> {
        let index = self.names.iter().position(|name| name == column)?;
        let values = entry.partition.decode(&self.roots).ok()?;
        Some(predicate::exactly(values.into_iter().nth(index)?, entry.file.row_count))
    }
}

/// The column statistics of one file, of the columns its schema had.
struct FileStats<'a> {
    schema: &'a TableSchema,
    /// By position in `schema`, or in the dense list of the file.
    columns: Vec<ColumnStats>,
    dense: Option<&'a [String]>,
}

impl<'a> FileStats<'a> {
    fn of(entry: &'a ManifestEntry, schema: &'a TableSchema) -> Self {
        let dense = entry.file.value_stats_cols.as_deref();
        let roots: Option<Vec<TypeRoot>> = match dense {
            None => Some(schema.fields.iter().map(|field| field.data_type.root.clone()).collect()),
            Some(names) => {
                names.iter().map(|name| schema.field(name).map(|field| field.data_type.root.clone())).collect()
            }
        };
        let columns = roots.and_then(|roots| entry.file.value_stats.decode(&roots).ok());
        Self { schema, columns: columns.unwrap_or_default(), dense }
    }

    /// The statistics of a column of the `current` schema, `None` when nothing is known of it.
    fn column(&self, name: &str, rows: i64, current: &TableSchema) -> Option<ColumnStats> {
        evolution::column_stats(self.schema, current.field(name)?, rows, |then| {
            let index = match self.dense {
                None => self.schema.fields.iter().position(|field| field.id == then.id)?,
                Some(names) => names.iter().position(|name| *name == then.name)?,
            };
            self.columns.get(index).cloned()
        })
    }
}

#[cfg(test)]
mod tests;
