//! What the tests of this crate share: a small table, requests with made-up files, and the live files by name.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use paimon_format::types::DataType;
use paimon_format::{
    BinaryRow, CommitKind, DataField, DataFileMeta, Datum, FileKind, FileSource, ManifestEntry, SimpleStats,
    TableSchema, TypeRoot,
};
use tributary_runtime::{Env, Executor};
use tributary_testkit::{ManualClock, sim_env};

use crate::commit::{CommitIdentifier, CommitRequest, CommitUser, Committer, NewFile, Unguarded};
use crate::keepers::{Keepers, Whose};
use crate::manifests;
use crate::port::{FilesystemCommit, SnapshotCommit};
use crate::read::file_path;
use crate::scan::{plan_scan, plan_scan_of};
use crate::store::Storage;
use crate::table::{Table, TableIdentifier, schema_path};

pub(crate) const EPOCH: i64 = 1_790_000_000_000;

pub(crate) fn memory() -> Storage {
    Storage::new(Arc::new(InMemory::new()), Path::from("warehouse/db.db/t"))
}

/// `(id INT, dt STRING)` partitioned by `dt`.
pub(crate) fn schema(options: &[(&str, &str)]) -> TableSchema {
    let field = |id, name: &str, text: &str| DataField::new(id, name, text.parse::<DataType>().unwrap());
    let options = options.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    TableSchema::new(vec![field(0, "id", "INT"), field(1, "dt", "STRING")], vec!["dt".to_owned()], options, None, EPOCH)
}

pub(crate) async fn create(storage: &Storage, options: &[(&str, &str)]) -> Table {
    let schema = schema(options);
    storage.put(&schema_path(0), schema.to_json().unwrap().into()).await.unwrap();
    open(storage).await
}

pub(crate) async fn open(storage: &Storage) -> Table {
    open_with(storage, Arc::new(FilesystemCommit)).await
}

pub(crate) async fn open_with(storage: &Storage, port: Arc<dyn SnapshotCommit>) -> Table {
    Table::load(TableIdentifier::new("db", "t"), storage.clone(), port).await.unwrap()
}

pub(crate) async fn committer(table: &Table, user: &str, seed: u64) -> Committer {
    committer_in(table, user, &sim_env(seed, EPOCH)).await
}

pub(crate) async fn committer_in(table: &Table, user: &str, env: &Env) -> Committer {
    Committer::try_open(table.clone(), CommitUser::new(user), Arc::new(Unguarded), env.clone()).await.unwrap()
}

pub(crate) fn partition(dt: &str) -> BinaryRow {
    BinaryRow::encode(&[TypeRoot::Varchar(i32::MAX as u32)], &[Some(Datum::String(dt.to_owned()))]).unwrap()
}

pub(crate) fn file(name: &str, dt: &str, rows: i64) -> NewFile {
    NewFile {
        partition: partition(dt),
        bucket: 0,
        meta: DataFileMeta {
            file_name: name.to_owned(),
            file_size: 1000,
            row_count: rows,
            min_key: BinaryRow::EMPTY,
            max_key: BinaryRow::EMPTY,
            key_stats: SimpleStats::EMPTY,
            value_stats: SimpleStats::EMPTY,
            min_sequence_number: 0,
            max_sequence_number: rows - 1,
            schema_id: 0,
            level: 0,
            extra_files: Vec::new(),
            creation_time_millis: Some(EPOCH),
            delete_row_count: Some(0),
            embedded_index: None,
            file_source: Some(FileSource::Append),
            value_stats_cols: None,
            external_path: None,
            first_row_id: None,
            write_cols: None,
        },
    }
}

/// A commit of one file with one row; the file is named after user and identifier.
pub(crate) fn request(user: &str, identifier: i64) -> CommitRequest {
    CommitRequest {
        identifier: CommitIdentifier(identifier),
        kind: CommitKind::Append,
        added: vec![file(&format!("data-{user}-{identifier}.parquet"), "2026-01-01", 1)],
        removed: Vec::new(),
        properties: BTreeMap::from([("by".to_owned(), format!("{user} {identifier}"))]),
        watermark: None,
    }
}

/// The names of the live files, sorted.
pub(crate) async fn live_names(table: &Table) -> Vec<String> {
    let plan = plan_scan(table, None, None, &Executor::inline()).await.unwrap();
    let mut names: Vec<_> = plan.files.into_iter().map(|entry| entry.file.file_name).collect();
    names.sort();
    names
}

/// Puts an object in the place of a data file.
pub(crate) async fn write_data(table: &Table, files: &[NewFile]) {
    for file in files {
        let path = file_path(table, &entry(FileKind::Add, file)).unwrap();
        table.storage().put(&path, "rows".into()).await.unwrap();
    }
}

fn entry(kind: FileKind, file: &NewFile) -> ManifestEntry {
    let NewFile { partition, bucket, meta } = file.clone();
    ManifestEntry { kind, partition, bucket, total_buckets: -1, file: meta }
}

/// A compaction of `removed` into `added`, by a user of its own.
pub(crate) async fn replace(table: &Table, removed: &[NewFile], added: &[NewFile], env: &Env) {
    write_data(table, added).await;
    let mut committer = committer_in(table, &format!("compactor {}", env.random.uuid()), env).await;
    let request = CommitRequest {
        kind: CommitKind::Compact,
        added: added.to_vec(),
        removed: removed.iter().map(|file| entry(FileKind::Add, file)).collect(),
        ..request("compactor", 1)
    };
    committer.commit(&request).await.unwrap();
}

/// The paths below the table, of its manifests, statistics and data files.
pub(crate) async fn files_of(table: &Table) -> BTreeSet<String> {
    let storage = table.storage();
    let objects: Vec<_> = storage.store.list(Some(&storage.root)).try_collect().await.unwrap();
    let paths = objects.iter().map(|object| object.location.as_ref()[storage.root.as_ref().len() + 1..].to_owned());
    paths
        .filter(|path| path.starts_with("manifest/") || path.starts_with("statistics/") || path.contains("bucket-"))
        .collect()
}

/// What every snapshot, tag and branch there is refers to; asserts that all of it is there.
pub(crate) async fn kept_files(table: &Table) -> BTreeSet<String> {
    let storage = table.storage();
    let there = files_of(table).await;
    let mut kept = BTreeSet::new();
    let keepers = Keepers::find(storage, Whose::Everybody).await.unwrap();
    for keeper in keepers.list().into_iter().filter(|keeper| !keeper.is_pledge()) {
        let snapshot = &keeper.snapshot;
        let plan = plan_scan_of(table, Arc::clone(snapshot), None, &Executor::inline()).await.unwrap();
        let mut files: Vec<_> = plan.files.iter().map(|entry| file_path(table, entry).unwrap()).collect();
        let manifests = manifests::read_lists(storage, snapshot).await.unwrap();
        files.extend(manifests.iter().map(|manifest| manifests::path(&manifest.file_name)));
        files.extend([&snapshot.base_manifest_list, &snapshot.delta_manifest_list].map(|list| manifests::path(list)));
        files.extend(snapshot.statistics.iter().map(|name| format!("statistics/{name}")));
        for file in files {
            assert!(there.contains(&file), "{} needs {file}, which is gone", keeper.path);
            kept.insert(file);
        }
    }
    kept
}

/// The environment at a time of a test's choice.
pub(crate) fn env_at(seed: u64, millis: i64) -> Env {
    Env { clock: Arc::new(ManualClock::new(millis)), ..sim_env(seed, EPOCH) }
}

/// Snapshots 1 to 6: two files, both compacted into one, a third file, that and the one compacted, a fourth file.
pub(crate) async fn compacted(storage: &Storage) -> Table {
    let table = create(storage, &[]).await;
    let env = sim_env(1, EPOCH);
    append(&table, "a").await;
    append(&table, "b").await;
    let [a, b, c, d] = [("a", 1), ("b", 1), ("c", 1), ("d", 2)].map(|(name, rows)| file(name, "2026-01-01", rows));
    replace(&table, &[a, b], std::slice::from_ref(&d), &env).await;
    append(&table, "c").await;
    replace(&table, &[c, d], &[file("e", "2026-01-01", 3)], &env).await;
    append(&table, "f").await;
    table
}

pub(crate) async fn append(table: &Table, name: &str) {
    let added = file(name, "2026-01-01", 1);
    write_data(table, std::slice::from_ref(&added)).await;
    let mut committer = committer(table, "u", name.as_bytes()[0].into()).await;
    let identifier = committer.history().newest.as_ref().map_or(1, |newest| newest.commit_identifier + 1);
    let request = CommitRequest { added: vec![added], ..request("u", identifier) };
    committer.commit(&request).await.unwrap();
}

pub(crate) async fn ids(table: &Table) -> Vec<i64> {
    table.snapshot_ids().await.unwrap().into_iter().map(|id| id.0).collect()
}

pub(crate) async fn data_names(table: &Table) -> String {
    let files = files_of(table).await;
    files.iter().filter_map(|path| path.strip_prefix("dt=2026-01-01/bucket-0/")).collect::<Vec<_>>().join("")
}

pub(crate) async fn tag(table: &Table, name: &str, id: i64) {
    let bytes = table.storage().get(&format!("snapshot/snapshot-{id}")).await.unwrap();
    table.storage().put(&format!("tag/tag-{name}"), bytes).await.unwrap();
}

/// Copies what a store holds.
pub(crate) async fn copy(storage: &Storage) -> Storage {
    let store = Arc::new(InMemory::new());
    for object in storage.store.list(None).try_collect::<Vec<_>>().await.unwrap() {
        let bytes = storage.store.get(&object.location).await.unwrap().bytes().await.unwrap();
        store.put(&object.location, bytes.into()).await.unwrap();
    }
    Storage::new(store, storage.root.clone())
}
