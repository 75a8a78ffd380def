//! What the tests of this crate share: a small table, requests with made-up files, and the live files by name.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;

use object_store::memory::InMemory;
use object_store::path::Path;
use paimon_format::types::DataType;
use paimon_format::{
    BinaryRow, CommitKind, DataField, DataFileMeta, Datum, FileSource, SimpleStats, TableSchema, TypeRoot,
};
use tributary_runtime::{Env, Executor};
use tributary_testkit::sim_env;

use crate::commit::{CommitIdentifier, CommitRequest, CommitUser, Committer, NewFile, Unguarded};
use crate::port::{FilesystemCommit, SnapshotCommit};
use crate::scan::plan_scan;
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
