//! What the real process holds, as the kernel counts it (VmHWM), beside `memory.limit`.
#![cfg(target_os = "linux")]

use std::process::Stdio;
use std::time::{Duration, Instant};

use tributary_tests::{PATIENCE, Scratch, binary};

const MB: usize = 1 << 20;

/// What a process of many files needs beside the limit: code, stacks, the files' metadata, what the allocator keeps of
/// freed memory.
const BESIDE: usize = 128 * MB;

const ROWS: u64 = 200_000;
const MANY_PARTITIONS: &str = "
CREATE CATALOG paimon WITH ('type' = 'paimon', 'warehouse' = 'warehouse');
CREATE TABLE paimon.db.t (id STRING, data STRING, part INT, ts STRING, dt STRING, hh STRING) PARTITIONED BY (dt, part);
CREATE TEMPORARY TABLE source (id STRING, data STRING, part INT) WITH ('connector' = 'datagen', 'seed' = '7',
  'rows-per-second' = '100000000', 'number-of-rows' = '200000', 'fields.part.min' = '1', 'fields.part.max' = '1200');
INSERT INTO paimon.db.t SELECT id, data, part, '2026-01-01 09:00:00.000' AS ts, '2026-01-01' AS dt, '9' AS hh FROM source;
";

/// The SELECT makes 48 MB of a row of 16 MB.
const LARGE_ROWS: &str = "
CREATE CATALOG paimon WITH ('type' = 'paimon', 'warehouse' = 'warehouse');
CREATE TABLE paimon.db.t (id STRING, data STRING);
CREATE TEMPORARY TABLE source (id STRING, data STRING) WITH ('connector' = 'datagen', 'seed' = '7',
  'rows-per-second' = '100000000', 'number-of-rows' = '3', 'fields.data.length' = '16777216');
INSERT INTO paimon.db.t SELECT id, data || data || data AS data FROM source;
";

/// Runs the job to its end; returns the rows in the table, the data files and the peak of the resident set in bytes.
fn run(job: &str, limit: &str) -> (u64, usize, usize) {
    let scratch = Scratch::new();
    let job = scratch.file("job.sql", job);
    let mut command = binary::command(&["run", job.to_str().unwrap()]);
    command.env("TRIBUTARY_HTTP__LISTEN", "127.0.0.1:0").env("TRIBUTARY_MEMORY__LIMIT", limit);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + PATIENCE;
    let mut peak = 0;
    let ended = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        assert!(Instant::now() < deadline, "the job does not end");
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        peak = line.map_or(peak, |kilobytes| kilobytes.parse::<usize>().unwrap() * 1024);
        std::thread::sleep(Duration::from_millis(5)); // the pause of a poll, not a wait for luck
    };
    assert!(ended.success(), "{ended}");
    let files = binary::succeed(&["table", "files", "db.t", "--warehouse", &scratch.warehouse()]);
    (binary::count(&scratch.warehouse(), "db.t"), files.lines().count() - 1, peak)
}

#[test]
fn many_partitions_stay_within_the_limit_in_files_no_smaller_than_they_must() {
    let (rows, files, peak) = run(MANY_PARTITIONS, "256mb");
    println!("256 MB: {files} files, peak {} MB", peak / MB);
    assert_eq!(rows, ROWS);
    assert!(peak <= 256 * MB + BESIDE, "{} MB", peak / MB);
    // Up to four epochs: everything fits, so each has a file per partition and lane.
    assert!(files <= 4 * 2 * 1_200, "{files} files");

    let (rows, files, peak) = run(MANY_PARTITIONS, "48mb");
    println!("48 MB: {files} files, peak {} MB", peak / MB);
    assert_eq!(rows, ROWS);
    assert!(peak <= 48 * MB + BESIDE, "{} MB", peak / MB);
    assert!(files <= ROWS as usize / 10, "{files} files");
}

#[test]
fn large_rows_pass_a_few_at_a_time() {
    let (rows, _, peak) = run(LARGE_ROWS, "64mb");
    println!("rows of 48 MB: peak {} MB", peak / MB);
    assert_eq!(rows, 3);
    // Each of the two lanes holds one row up to five times: rows, dictionary, bounds, page, compressed page.
    assert!(peak <= 64 * MB + BESIDE + 2 * 5 * 48 * MB, "{} MB", peak / MB);
}
