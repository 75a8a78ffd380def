//! The tutorial's job: how soon the first rows are visible, and what it costs at 100 rows/s.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::throughput::{job_text, snapshots};
use crate::{median, process};

pub(crate) fn run(rounds: usize, seconds: u64, scratch: &Path) {
    let first: Vec<f64> = (0..rounds).map(|round| first_rows(&scratch.join(format!("first-{round}")))).collect();
    println!("first snapshot with rows after exec: {:.3} s (median of {rounds})", median(first));
    println!("VmRSS at 100 rows/s after {seconds} s: {:.1} MB", memory(seconds, &scratch.join("memory")));
}

/// Seconds from exec until a snapshot that holds rows can be read.
fn first_rows(folder: &Path) -> f64 {
    let begin = Instant::now();
    let mut child = start(folder);
    let table = folder.join("warehouse/db.db/t");
    while !snapshots(&table).iter().any(|snapshot| snapshot["totalRecordCount"].as_i64() > Some(0)) {
        assert!(begin.elapsed() < Duration::from_secs(30), "no rows became visible");
        std::thread::sleep(Duration::from_millis(1));
    }
    let seconds = begin.elapsed().as_secs_f64();
    child.kill().unwrap();
    child.wait().unwrap();
    seconds
}

fn memory(seconds: u64, folder: &Path) -> f64 {
    let mut child = start(folder);
    std::thread::sleep(Duration::from_secs(seconds));
    let bytes = process::resident(&child, "VmRSS").unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    bytes as f64 / 1e6
}

fn start(folder: &Path) -> std::process::Child {
    std::fs::create_dir_all(folder).unwrap();
    let job = folder.join("job.sql");
    std::fs::write(&job, job_text(100, "")).unwrap();
    let mut command = process::tributary();
    command.args(["run", job.to_str().unwrap()]).env("TRIBUTARY_HTTP__LISTEN", "127.0.0.1:0");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}
