//! Rows per second, peak memory and bytes per row of the tutorial's rows.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tributary_tests::flink::FLINK;
use tributary_tests::pypaimon;

use crate::{median, process};

/// One run of one contestant.
struct Measured {
    rows_per_second: f64,
    /// Between the first and the last commit of an epoch; only ours has one.
    steady: Option<f64>,
    peak_bytes: u64,
    bytes_per_row: f64,
}

/// A name and how to run it in a new folder.
type Contestant = (&'static str, fn(u64, &Path) -> Measured);

const CONTESTANTS: &[Contestant] = &[
    ("ceiling, library's properties", |rows, folder| ceiling("default", rows, folder)),
    ("ceiling, our properties", |rows, folder| ceiling("ours", rows, folder)),
    ("tributary run", ours),
    ("pypaimon 2.1.0 (rows ready in memory)", pypaimon_write),
    ("Flink 1.20.5 + Paimon 1.3.1", flink_write),
];

pub(crate) fn run(rows: u64, rounds: usize, flink: bool, scratch: &Path) {
    let wanted = |name: &str| match name {
        name if name.starts_with("pypaimon") => pypaimon::available(),
        name if name.starts_with("Flink") => flink && FLINK.available(),
        _ => true,
    };
    let mut runs: BTreeMap<&str, Vec<Measured>> = BTreeMap::new();
    for round in 0..rounds {
        for (name, contestant) in CONTESTANTS.iter().filter(|(name, _)| wanted(name)) {
            let folder = scratch.join("run");
            std::fs::create_dir(&folder).unwrap();
            let measured = contestant(rows, &folder);
            std::fs::remove_dir_all(&folder).unwrap();
            eprintln!("round {}: {name}: {:.0} rows/s", round + 1, measured.rows_per_second);
            runs.entry(name).or_default().push(measured);
        }
    }
    let figure = |name: &str, of: fn(&Measured) -> f64| median(runs[name].iter().map(of).collect());
    let ceiling = figure(CONTESTANTS[1].0, |run| run.rows_per_second);
    println!("{rows} rows, median of {rounds}\n");
    println!("| what | rows/s | of the ceiling | VmHWM MB | bytes/row |\n| --- | --- | --- | --- | --- |");
    for (name, _) in CONTESTANTS.iter().filter(|(name, _)| runs.contains_key(name)) {
        let rate = figure(name, |run| run.rows_per_second);
        println!(
            "| {name} | {rate:.0} | {:.2} | {:.0} | {:.2} |",
            rate / ceiling,
            figure(name, |run| run.peak_bytes as f64 / 1e6),
            figure(name, |run| run.bytes_per_row)
        );
        if let Some(first) = runs[name].first().and_then(|run| run.steady) {
            let steady = median(runs[name].iter().map(|run| run.steady.unwrap_or(first)).collect());
            println!("| {name}, steady state | {steady:.0} | {:.2} | | |", steady / ceiling);
        }
    }
}

fn ceiling(properties: &str, rows: u64, folder: &Path) -> Measured {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["ceiling", properties, &rows.to_string(), folder.to_str().unwrap()]);
    let run = process::run(command);
    let seconds: f64 = run.output.trim().parse().unwrap();
    measured(rows, seconds, run.peak_bytes, folder)
}

/// End to end: from exec to the exit after the final commit.
fn ours(rows: u64, folder: &Path) -> Measured {
    let run = write(rows, folder);
    let table = folder.join("warehouse/db.db/t");
    Measured { steady: steady(&table), ..measured(rows, run.elapsed.as_secs_f64(), run.peak_bytes, &table) }
}

/// Has `tributary run` write the tutorial's rows into `db.t` of the warehouse below `folder`.
pub(crate) fn write(rows: u64, folder: &Path) -> process::Run {
    let job = folder.join("job.sql");
    std::fs::write(&job, job_text(100_000_000, &format!("'number-of-rows' = '{rows}',"))).unwrap();
    let mut command = process::tributary();
    command.args(["run", job.to_str().unwrap()]).env("TRIBUTARY_HTTP__LISTEN", "127.0.0.1:0");
    process::run(command)
}

/// The tutorial's job without its rate limit.
pub(crate) fn job_text(rows_per_second: u32, more: &str) -> String {
    format!(
        "CREATE CATALOG paimon WITH ('type' = 'paimon', 'warehouse' = 'warehouse');
         CREATE TABLE IF NOT EXISTS paimon.db.t (id STRING, data STRING, category INT, ts STRING, dt STRING, hh STRING)
           PARTITIONED BY (dt, hh) WITH ('write-only' = 'true');
         CREATE TEMPORARY TABLE datagen (id STRING, data STRING, category INT) WITH ('connector' = 'datagen',
           'rows-per-second' = '{rows_per_second}', {more} 'fields.category.min' = '1', 'fields.category.max' = '10');
         INSERT INTO paimon.db.t SELECT id, data, category, CAST(LOCALTIMESTAMP AS STRING) AS ts,
           CAST(CURRENT_DATE AS STRING) AS dt, CAST(HOUR(LOCALTIMESTAMP) AS STRING) AS hh FROM datagen;"
    )
}

/// Rows per second between the first epoch's commit and the last but one, whose epoch was cut short by the end.
fn steady(table: &Path) -> Option<f64> {
    let snapshots = snapshots(table);
    let full: Vec<&Value> =
        snapshots.iter().filter(|snapshot| snapshot["deltaRecordCount"].as_i64() > Some(0)).collect();
    let (first, last) = (full.first()?, full.get(full.len().checked_sub(2)?)?);
    let number = |snapshot: &Value, key: &str| snapshot[key].as_f64();
    let rows = number(last, "totalRecordCount")? - number(first, "totalRecordCount")?;
    let seconds = (number(last, "timeMillis")? - number(first, "timeMillis")?) / 1e3;
    (seconds > 0.0).then_some(rows / seconds)
}

/// All snapshots of a table in order.
pub(crate) fn snapshots(table: &Path) -> Vec<Value> {
    (1..)
        .map_while(|id| std::fs::read(table.join(format!("snapshot/snapshot-{id}"))).ok())
        .map(|bytes| serde_json::from_slice(&bytes).unwrap())
        .collect()
}

/// Write and commit only; the clock starts after its imports and with the rows in memory.
fn pypaimon_write(rows: u64, folder: &Path) -> Measured {
    let mut command = Command::new(pypaimon::python());
    command.arg(tributary_tests::root().join("benches/pypaimon_write.py"));
    command.args([folder.to_str().unwrap(), &rows.to_string()]);
    let run = process::run(command);
    let said: Value = serde_json::from_str(run.output.lines().last().unwrap()).unwrap();
    let (rows, seconds) = (said["rows"].as_u64().unwrap(), said["seconds"].as_f64().unwrap());
    measured(rows, seconds, run.peak_bytes, folder)
}

/// The whole job in a mini cluster, its start and end included; steady as ours.
fn flink_write(rows: u64, folder: &Path) -> Measured {
    let job = folder.join("job.sql");
    let text = job_text(100_000_000, &format!("'number-of-rows' = '{rows}',"));
    let warehouse = folder.join("warehouse");
    let text = text.replace("'warehouse' = 'warehouse'", &format!("'warehouse' = '{}'", warehouse.display()));
    // Flink's catalog of that type does not make its database by itself.
    let text = text.replacen(';', "; CREATE DATABASE IF NOT EXISTS paimon.db;", 1);
    std::fs::write(&job, text).unwrap();
    let mut command = Command::new(FLINK.home().join("bin/python"));
    command.arg(tributary_tests::root().join("benches/flink_write.py"));
    command.args([job.to_str().unwrap(), &rows.to_string()]);
    let run = process::run(command);
    let said: Value = serde_json::from_str(run.output.lines().last().unwrap()).unwrap();
    let table = warehouse.join("db.db/t");
    let written = measured(rows, said["seconds"].as_f64().unwrap(), run.peak_bytes, &table);
    Measured { steady: steady(&table), ..written }
}

fn measured(rows: u64, seconds: f64, peak_bytes: u64, folder: &Path) -> Measured {
    Measured {
        rows_per_second: rows as f64 / seconds,
        steady: None,
        peak_bytes,
        bytes_per_row: process::parquet_bytes(folder) as f64 / rows as f64,
    }
}
