//! Commit latency as a table grows: one file per commit into one partition, on a local disk with fsync, manifest merges
//! included.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use paimon_format::{BinaryRow, CommitKind, Datum, SimpleStats, TypeRoot, names};
use paimon_table::commit::{CommitIdentifier, CommitRequest, CommitUser, Committer, NewFile, Unguarded};
use paimon_table::write::{FileSummary, append_meta};
use tributary_tests::table;

use crate::percentile;

const COLUMNS: &[(&str, &str)] =
    &[("id", "STRING"), ("data", "STRING"), ("category", "INT"), ("ts", "STRING"), ("dt", "STRING"), ("hh", "STRING")];

pub(crate) fn run(commits: usize, scratch: &Path) {
    let millis = commit(commits, 1, 1, scratch.to_str().unwrap());
    let window = |name: &str, part: &[f64]| {
        let (p50, p99) = (percentile(part.to_vec(), 0.5), percentile(part.to_vec(), 0.99));
        println!("| {name} | {p50:.2} | {p99:.2} |");
        (p50, p99)
    };
    println!("| commits | p50 ms | p99 ms |\n| --- | --- | --- |");
    let early = window("1 to 50", &millis[..50]);
    let late = window(&format!("{} to {commits}", commits - 49), &millis[commits - 50..]);
    println!("\nlate / early: p50 {:.2}, p99 {:.2}", late.0 / early.0, late.1 / early.1);
}

/// Makes `db.t` of commits of so many small files, which lie in the partitions in turn and are not there. The milliseconds
/// of each commit, in order.
pub(crate) fn commit(commits: usize, files: usize, partitions: usize, warehouse: &str) -> Vec<f64> {
    table::block_on(committed(commits, files, partitions, warehouse))
}

async fn committed(commits: usize, files: usize, partitions: usize, warehouse: &str) -> Vec<f64> {
    let table = table::create(warehouse, "db.t", COLUMNS, &["dt", "hh"]).await;
    let env = table::environment();
    let user = CommitUser::new("bench");
    let mut committer = Committer::try_open(table, user, Arc::new(Unguarded), env.clone()).await.unwrap();
    let mut millis = Vec::with_capacity(commits);
    for identifier in 1..=commits {
        let request = CommitRequest {
            identifier: CommitIdentifier(identifier as i64),
            kind: CommitKind::Append,
            added: (0..files)
                .map(|place| file(&names::data_file("data-", env.random.uuid(), 0, "parquet"), place % partitions))
                .collect(),
            removed: Vec::new(),
            properties: [("tributary.positions".to_owned(), format!("{{\"0\":\"{identifier}\"}}"))].into(),
            watermark: None,
        };
        let begin = Instant::now();
        committer.commit(&request).await.unwrap();
        millis.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    millis
}

/// A file of the tutorial's table, as a commit sees it.
fn file(name: &str, hour: usize) -> NewFile {
    let text = |value: &str| Some(Datum::String(value.to_owned()));
    let key = [text("2026-01-01"), text(&hour.to_string())];
    let bound = |edge: &str, category| {
        let values = [text(edge), text(edge), Some(Datum::Int(category)), text(edge), key[0].clone(), key[1].clone()];
        BinaryRow::encode(
            &[TypeRoot::STRING, TypeRoot::STRING, TypeRoot::Int, TypeRoot::STRING, TypeRoot::STRING, TypeRoot::STRING],
            &values,
        )
        .unwrap()
    };
    let stats = SimpleStats {
        min_values: bound("0000000000000000", 1),
        max_values: bound("fffffffffffffffg", 10),
        null_counts: vec![Some(0); COLUMNS.len()],
    };
    let summary = FileSummary { rows: 1_000, file_size: 115_000, stats };
    let partition = BinaryRow::encode(&[TypeRoot::STRING, TypeRoot::STRING], &key).unwrap();
    NewFile { partition, bucket: 0, meta: append_meta(name, &summary, 0, 0) }
}
