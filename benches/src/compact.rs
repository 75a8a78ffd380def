//! Compacting a partition of small files: merged and in Z-order, by `tributary compact` and by Spark's procedure, on copies of
//! one table.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tributary_tests::spark::SPARK;

use crate::{process, throughput};

/// Commits of the table, about one file each.
const FILES: u64 = 40;
/// Where outputs end: several of them, and inputs below what is small.
const TARGET: &str = "target-file-size=128mb";
const ZORDER: &str = "order_strategy => 'zorder', order_by => 'category,id'";

pub(crate) fn run(rows: u64, memory_limit: &str, scratch: &Path) {
    let original = scratch.join("warehouse");
    // One job that goes on where it was: each time there are more rows.
    for file in 1..=FILES {
        throughput::write(rows / FILES * file, scratch);
    }
    assert_eq!(count(&original), rows);
    println!("{rows} rows in files of {}, {memory_limit}\n", rows / FILES);
    println!("| what | rows/s | VmHWM MB | spilled MB | files |\n| --- | --- | --- | --- | --- |");
    for (kind, arguments) in [("merge", ""), ("zorder", ZORDER)] {
        let contestants = [("tributary", true), ("Spark 3.5.9 + Paimon 0.9.0, two threads", false)];
        for (name, ours) in contestants.into_iter().filter(|(_, ours)| *ours || SPARK.available()) {
            // What one leaves is not what the other finds.
            let warehouse = scratch.join("copy");
            let copied = Command::new("cp").arg("-r").args([&original, &warehouse]).status().unwrap();
            assert!(copied.success());
            // Nor does it wait for the disk on the other's account.
            assert!(Command::new("sync").status().unwrap().success());
            let call = [&format!("table => 'db.t', options => '{TARGET}'"), arguments]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(", ");
            let call = format!("compact({call})");
            let run =
                process::run(if ours { tributary(&warehouse, &call, memory_limit) } else { spark(&warehouse, &call) });
            // Spark's session is not counted, ours is: it takes milliseconds.
            let said = run.output.lines().last().and_then(|line| serde_json::from_str::<Value>(line).ok());
            let seconds = said.and_then(|said| said["seconds"].as_f64()).unwrap_or(run.elapsed.as_secs_f64());
            let spilled = run.output.lines().find_map(|line| line.strip_prefix("spilled: ")?.strip_suffix(" bytes"));
            let spilled = spilled.map_or(0.0, |bytes| bytes.parse::<f64>().unwrap());
            let files = live_files(&warehouse);
            assert_eq!(count(&warehouse), rows);
            let (rate, peak) = (rows as f64 / seconds, run.peak_bytes as f64 / 1e6);
            println!("| {kind}, {name} | {rate:.0} | {peak:.0} | {:.0} | {files} |", spilled / 1e6);
            std::fs::remove_dir_all(&warehouse).unwrap();
        }
    }
}

fn tributary(warehouse: &Path, call: &str, memory_limit: &str) -> Command {
    let mut command = process::tributary();
    command.args(["compact", "--memory-limit", memory_limit, "-e", &format!("CALL sys.{call}"), "--warehouse"]);
    command.arg(warehouse);
    command
}

fn spark(warehouse: &Path, call: &str) -> Command {
    let mut command = Command::new(SPARK.home().join("bin/python"));
    command.arg(tributary_tests::root().join("benches/spark_compact.py")).arg(warehouse).arg(call);
    command
}

fn count(warehouse: &Path) -> u64 {
    let mut command = process::tributary();
    command.args(["table", "count", "db.t", "--warehouse"]).arg(warehouse);
    process::run(command).output.trim().parse().unwrap()
}

fn live_files(warehouse: &Path) -> usize {
    let mut command = process::tributary();
    command.args(["table", "files", "db.t", "--format", "csv", "--warehouse"]).arg(warehouse);
    process::run(command).output.lines().count() - 1
}
