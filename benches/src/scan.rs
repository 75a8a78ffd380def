//! Reading a whole table: every row and column of what `tributary run` wrote, by our reader, pypaimon and Spark.

use std::num::NonZeroUsize;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use futures::TryStreamExt;
use paimon_table::read::read_file;
use paimon_table::scan::plan_scan;
use serde_json::{Value, json};
use tributary_runtime::Env;
use tributary_tests::engine::Engine;
use tributary_tests::pypaimon::PYPAIMON;
use tributary_tests::spark::SPARK;
use tributary_tests::table;

use crate::throughput::write;
use crate::{median, process};

/// Threads of our reader and of Spark.
const THREADS: usize = 2;

pub(crate) fn run(rows: u64, rounds: usize, scratch: &Path) {
    write(rows, scratch);
    let warehouse = scratch.join("warehouse");
    let ours = || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["scan-ours", warehouse.to_str().unwrap()]);
        command
    };
    let script = |engine: &Engine| {
        let mut command = Command::new(engine.home().join("bin/python"));
        command.arg(tributary_tests::root().join(format!("benches/{}_scan.py", engine.name())));
        command.arg(&warehouse);
        command
    };
    println!("{rows} rows, median of {rounds}\n\n| what | rows/s | VmHWM MB |\n| --- | --- | --- |");
    let contestants: [(&str, Option<&Engine>); 3] = [
        ("tributary's reader, two threads", None),
        ("pypaimon 2.1.0", Some(&PYPAIMON)),
        ("Spark 3.5.9 + Paimon 0.9.0, two threads, second scan", Some(&SPARK)),
    ];
    for (name, engine) in contestants.into_iter().filter(|(_, engine)| engine.is_none_or(Engine::available)) {
        let runs: Vec<(f64, f64)> = (0..rounds).map(|_| one(engine.map_or_else(ours, script), rows)).collect();
        let middle = |of: fn(&(f64, f64)) -> f64| median(runs.iter().map(of).collect());
        println!("| {name} | {:.0} | {:.0} |", middle(|run| run.0), middle(|run| run.1));
    }
}

/// Rows per second and peak memory in megabytes of a process that says what it read.
fn one(command: Command, rows: u64) -> (f64, f64) {
    let run = process::run(command);
    let said: Value = serde_json::from_str(run.output.lines().last().unwrap()).unwrap();
    assert_eq!(said["rows"], json!(rows), "{said}");
    (rows as f64 / said["seconds"].as_f64().unwrap(), run.peak_bytes as f64 / 1e6)
}

/// Scans `db.t` of a warehouse; what [`one`] expects to be said.
pub(crate) fn ours(warehouse: &Path) -> Value {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build().unwrap();
    runtime.block_on(async {
        let table = Arc::new(table::load(warehouse.to_str().unwrap(), "db.t").await);
        let begin = Instant::now();
        let executor = Env::try_system(NonZeroUsize::MIN).unwrap().executor;
        let files = plan_scan(&table, None, None, &executor).await.unwrap().files;
        let files = Arc::new(std::sync::Mutex::new(files.into_iter()));
        let readers: Vec<_> = (0..THREADS)
            .map(|_| {
                let (table, files) = (Arc::clone(&table), Arc::clone(&files));
                tokio::spawn(async move {
                    let mut rows = 0;
                    let next = || files.lock().unwrap().next();
                    while let Some(entry) = next() {
                        let mut batches = read_file(&table, &entry, &table.schema().fields).await.unwrap();
                        while let Some(batch) = batches.try_next().await.unwrap() {
                            rows += batch.num_rows();
                        }
                    }
                    rows
                })
            })
            .collect();
        let mut rows = 0;
        for reader in readers {
            rows += reader.await.unwrap();
        }
        json!({"rows": rows, "seconds": begin.elapsed().as_secs_f64()})
    })
}
