//! Tables without a daemon: written and read through the library, for comparing values with other engines.

use std::num::NonZeroUsize;
use std::sync::Arc;

use arrow::array::RecordBatch;
use futures::TryStreamExt;
use paimon_catalog::{Catalog, FilesystemCatalog, NewColumn, NewTable};
use paimon_format::partition::partition_path;
use paimon_format::{BinaryRow, CommitKind, DataType, Snapshot, names};
use paimon_table::arrow::{arrow_schema, datum_at};
use paimon_table::commit::{CommitIdentifier, CommitRequest, CommitUser, Committer, NewFile, Unguarded};
use paimon_table::predicate::Predicate;
use paimon_table::read::read_file;
use paimon_table::scan::{ScanPlan, plan_scan, plan_scan_of};
pub use paimon_table::table::Table;
use paimon_table::table::TableIdentifier;
use paimon_table::write::{DataFileWriter, WriterSpec, append_meta};
use serde_json::Value;
use tributary_runtime::Env;

use crate::canonical;

/// Runs a future to its end on a runtime of its own.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

pub fn environment() -> Env {
    Env::try_system(NonZeroUsize::MIN).unwrap()
}

/// `db.t` as name.
pub fn identifier(name: &str) -> TableIdentifier {
    let (database, table) = name.split_once('.').unwrap();
    TableIdentifier::new(database, table)
}

/// Creates a table; column types as Paimon spells them.
pub async fn create(warehouse: &str, name: &str, columns: &[(&str, &str)], partition_keys: &[&str]) -> Table {
    create_with(warehouse, name, columns, partition_keys, &[]).await
}

/// The same, with table options.
pub async fn create_with(
    warehouse: &str,
    name: &str,
    columns: &[(&str, &str)],
    partition_keys: &[&str],
    options: &[(&str, &str)],
) -> Table {
    let catalog = FilesystemCatalog::try_open(warehouse, &environment()).unwrap();
    let identifier = identifier(name);
    catalog.create_database(&identifier.database, true).await.unwrap();
    let column = |(name, kind): &(&str, &str)| NewColumn {
        name: (*name).to_owned(),
        data_type: kind.parse::<DataType>().unwrap(),
        comment: None,
    };
    let definition = NewTable {
        columns: columns.iter().map(column).collect(),
        partition_keys: partition_keys.iter().map(|key| (*key).to_owned()).collect(),
        options: options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        ..NewTable::default()
    };
    catalog.create_table(&identifier, definition, false).await.unwrap().table
}

/// Creates a table and appends rows in canonical form.
pub async fn create_filled(
    warehouse: &str,
    name: &str,
    columns: &[(&str, &str)],
    partition_keys: &[&str],
    rows: &[Vec<Value>],
) {
    let table = create(warehouse, name, columns, partition_keys).await;
    append(&table, 1, rows).await;
}

pub async fn load(warehouse: &str, name: &str) -> Table {
    let catalog = FilesystemCatalog::try_open(warehouse, &environment()).unwrap();
    catalog.load_table(&identifier(name)).await.unwrap()
}

/// Appends rows in canonical form, one file per row and one commit.
pub async fn append(table: &Table, identifier: i64, rows: &[Vec<Value>]) {
    let files: Vec<&[Vec<Value>]> = rows.chunks(1).collect();
    append_files(table, identifier, &files).await;
}

/// The same with several rows in a file, all of one partition.
pub async fn append_files(table: &Table, identifier: i64, files: &[&[Vec<Value>]]) {
    let schema = table.schema();
    let spec = WriterSpec::try_new(&schema.fields, table.options(), usize::MAX).unwrap();
    let arrow = arrow_schema(&schema.fields);
    let mut added = Vec::new();
    for rows in files {
        let arrays = arrow.fields().iter().enumerate().map(|(place, field)| {
            let values: Vec<Value> = rows.iter().map(|row| row[place].clone()).collect();
            canonical::array(field.data_type(), &values)
        });
        let batch = RecordBatch::try_new(Arc::clone(&arrow), arrays.collect()).unwrap();
        added.push(file(table, &spec, &batch).await);
    }
    let user = CommitUser::new("tests");
    let mut committer = Committer::try_open(table.clone(), user, Arc::new(Unguarded), environment()).await.unwrap();
    let request = CommitRequest {
        identifier: CommitIdentifier(identifier),
        kind: CommitKind::Append,
        added,
        removed: Vec::new(),
        properties: Default::default(),
        watermark: None,
    };
    committer.commit(&request).await.unwrap();
}

/// Writes one data file; the batch lies in one partition.
async fn file(table: &Table, spec: &WriterSpec, batch: &RecordBatch) -> NewFile {
    let schema = table.schema();
    let mut writer = DataFileWriter::try_new(spec, batch).unwrap();
    writer.write(batch).unwrap();
    let mut bytes: Vec<u8> = Vec::new();
    while let Some(piece) = writer.drain_encoded() {
        bytes.extend(&piece);
    }
    let finished = writer.finish().unwrap();
    finished.tail.iter().for_each(|piece| bytes.extend(piece));
    let roots = schema.partition_types();
    let values: Vec<_> = schema
        .partition_keys
        .iter()
        .zip(&roots)
        .map(|(key, root)| datum_at(batch.column_by_name(key).unwrap(), 0, root).unwrap())
        .collect();
    let partition = BinaryRow::encode(&roots, &values).unwrap();
    let folder =
        partition_path(&schema.partition_keys, &roots, &values, &table.options().partition_default_name).unwrap();
    let name = names::data_file("data-", environment().random.uuid(), 0, "parquet");
    let path = [folder, names::bucket_dir(0), name.clone()].into_iter().filter(|part| !part.is_empty());
    let path = path.collect::<Vec<_>>().join("/");
    table.storage().put(&path, bytes.into()).await.unwrap();
    NewFile { partition, bucket: 0, meta: append_meta(&name, &finished.summary, schema.id, 0) }
}

/// Rows of the newest snapshot in canonical form, from the files that may match `filter`.
pub async fn rows(table: &Table, filter: Option<&Predicate>) -> Vec<Vec<Value>> {
    let plan = plan_scan(table, None, filter, &environment().executor).await.unwrap();
    rows_of(table, &plan).await
}

/// Rows of a snapshot that is at hand, under the table's columns.
pub async fn rows_at(table: &Table, snapshot: Arc<Snapshot>) -> Vec<Vec<Value>> {
    let plan = plan_scan_of(table, snapshot, None, &environment().executor).await.unwrap();
    rows_of(table, &plan).await
}

async fn rows_of(table: &Table, plan: &ScanPlan) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for entry in &plan.files {
        let batches = read_file(table, entry, &table.schema().fields).await.unwrap();
        let batches: Vec<RecordBatch> = batches.try_collect().await.unwrap();
        rows.extend(batches.iter().flat_map(canonical::rows));
    }
    rows
}
