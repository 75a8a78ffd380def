//! F26: what a process holds that plans for a hundred thousand small files, as the kernel counts it, and what such a backlog
//! costs those who go on committing. Alone in its process; the table is on disk: in memory it would be measured, too.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use paimon_format::{
    BinaryRow, CommitKind, DataField, DataFileMeta, Datum, FileSource, SimpleStats, TableSchema, TypeRoot,
};
use paimon_table::commit::{CommitIdentifier, CommitRequest, CommitUser, Committer, NewFile};
use paimon_table::port::FilesystemCommit;
use paimon_table::store::Storage;
use paimon_table::table::{Table, TableIdentifier, schema_path};
use tributary_compact::{Compaction, Request};
use tributary_testkit::{FaultStore, sim_env};

const EPOCH: i64 = 1_790_000_000_000;
const COMMITS: usize = 40;
const FILES: usize = 2_500;
const PARTITIONS: usize = 100;
const MOST_BYTES: usize = 100_000_000;
const TEXT: TypeRoot = TypeRoot::Varchar(i32::MAX as u32);

/// A figure of `/proc/self/status`, in bytes.
fn status(key: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(key)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

/// Of a megabyte, with bounds of ten columns.
fn file(commit: usize, number: usize) -> NewFile {
    let bound = |text: &str| {
        let values = vec![Some(Datum::String(format!("{text} of sixteen"))); 10];
        BinaryRow::encode(&[TEXT; 10], &values).unwrap()
    };
    let partition = Some(Datum::String(format!("p{}", number % PARTITIONS)));
    NewFile {
        partition: BinaryRow::encode(&[TEXT], &[partition]).unwrap(),
        bucket: 0,
        meta: DataFileMeta {
            file_name: format!("data-{commit:018}-{number:018}.parquet"),
            file_size: 1 << 20,
            row_count: 1000,
            min_key: BinaryRow::EMPTY,
            max_key: BinaryRow::EMPTY,
            key_stats: SimpleStats::EMPTY,
            value_stats: SimpleStats {
                min_values: bound("lower"),
                max_values: bound("upper"),
                null_counts: vec![Some(0); 10],
            },
            min_sequence_number: 0,
            max_sequence_number: 999,
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

fn append(commit: usize, files: usize) -> CommitRequest {
    CommitRequest {
        identifier: CommitIdentifier(commit as i64),
        kind: CommitKind::Append,
        added: (0..files).map(|number| file(commit, number)).collect(),
        removed: Vec::new(),
        properties: Default::default(),
        watermark: None,
    }
}

/// Calls and bytes put of a commit of one file, by somebody who has committed before.
async fn cost(table: &Table, number: usize) -> (usize, u64) {
    let storage = table.storage();
    let store = FaultStore::new(Arc::clone(&storage.store));
    let counted = Storage::new(Arc::new(store.clone()), storage.root.clone());
    let table = Table::load(table.identifier().clone(), counted, Arc::new(FilesystemCommit)).await.unwrap();
    let user = CommitUser::new(format!("somebody {number}"));
    let mut committer = Committer::try_open_new(table, user, sim_env(100 + number as u64, EPOCH)).await.unwrap();
    committer.commit(&append(1000 + number, 1)).await.unwrap();
    let before = (store.calls().len(), store.counting().bytes_put);
    committer.commit(&append(2000 + number, 1)).await.unwrap();
    (store.calls().len() - before.0, store.counting().bytes_put - before.1)
}

#[tokio::test]
async fn a_hundred_thousand_small_files_are_planned_in_little_memory_and_cost_a_commit_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let storage = Storage::open(folder.path().to_str().unwrap()).unwrap();
    let text = |id, name: &str| DataField::new(id, name, "STRING".parse().unwrap());
    let mut fields: Vec<_> = (0..9).map(|id| text(id, &format!("c{id}"))).collect();
    fields.push(text(9, "p"));
    // Merging them would be most of the test's time.
    let options = [("manifest.merge-min-count".to_owned(), "1000".to_owned())].into();
    let schema = TableSchema::new(fields, vec!["p".to_owned()], options, None, EPOCH);
    storage.put(&schema_path(0), schema.to_json().unwrap().into()).await.unwrap();
    let table = Table::load(TableIdentifier::new("db", "t"), storage, Arc::new(FilesystemCommit)).await.unwrap();
    let user = CommitUser::new("writer");
    let mut committer = Committer::try_open_new(table.clone(), user, sim_env(1, EPOCH)).await.unwrap();
    let first = cost(&table, 1).await;
    for commit in 1..=COMMITS {
        committer.commit(&append(commit, FILES)).await.unwrap();
    }
    drop(committer);
    // As fresh as before: what a commit reads and writes does not grow with the files.
    let (calls, bytes) = cost(&table, COMMITS + 1).await;
    assert!(calls <= first.0 && bytes < first.1 + 8_192, "{calls} calls, {bytes} bytes; the first one had {first:?}");

    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let plan = Compaction::new(table, Request::default(), sim_env(2, EPOCH)).plan().await.unwrap();
    let held = status("VmHWM");
    assert_eq!(plan.file_count(), COMMITS * FILES + 4);

    assert!(held < MOST_BYTES, "the process held {held} bytes");
}
