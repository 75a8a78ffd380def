//! What a Z-order of the hour that is being written costs the writing: one daemon, its own compactor inside, its own
//! metrics; seconds with and without a run in turn.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use tributary_tests::daemon::Daemon;
use tributary_tests::http::{self, metric};

use crate::throughput::{job_text, write};
use crate::{percentile, process};

const TOKEN: &str = "bench";
const ZORDER: &str = r#"{"table": "db.t", "action": "compact", "order_strategy": "zorder", "order_by": "category,id"}"#;
/// Shorter than the time between two commits, so that each is seen alone.
const PAUSE: Duration = Duration::from_millis(20);

/// What the daemon's metrics say of some seconds.
#[derive(Default)]
struct Ingestion {
    seconds: f64,
    rows: f64,
    /// Milliseconds of every commit, retries included; and from the seal of its epoch, with uploads.
    commits: Vec<f64>,
    checkpoints: Vec<f64>,
}

/// Counters at a commit.
#[derive(Clone, Copy)]
struct Reading {
    at: Instant,
    rows: f64,
    count: f64,
    commit_seconds: f64,
    checkpoint_seconds: f64,
}

/// The runs of the compactor, one after the other.
struct Runs {
    address: SocketAddr,
    /// The one at work.
    at_work: Option<String>,
    count: usize,
    files: u64,
    bytes: u64,
}

/// `held` rows are in the hour before, checkpoints `interval` apart; then every round is `seconds` alone and as many beside runs.
pub(crate) fn run(rate: u32, held: u64, seconds: u64, rounds: usize, interval: &str, scratch: &Path) {
    write(held, scratch);
    let job = scratch.join("job.sql");
    std::fs::write(&job, format!("SET 'execution.checkpointing.interval' = '{interval}'; {}", job_text(rate, "")))
        .unwrap();
    let mut command = process::tributary();
    command.args(["run", job.to_str().unwrap(), "--set", "compactor.embedded=true"]);
    command.args(["--set", &format!("http.admin-token={TOKEN}")]);
    let mut daemon = Daemon::spawn(command);
    let mut runs = Runs { address: daemon.address(), at_work: None, count: 0, files: 0, bytes: 0 };
    // What a process does once is not measured: the claim, the first epoch.
    daemon.wait_for_rows(u64::from(rate) * 3);
    let (mut alone, mut beside) = (Ingestion::default(), Ingestion::default());
    let period = Duration::from_secs(seconds);
    for _ in 0..rounds {
        alone.watch(runs.address, period, || ());
        beside.watch(runs.address, period, || runs.go_on());
        runs.wait();
    }
    daemon.stop();
    println!(
        "{rate} rows/s into an hour that held {held}, {rounds} times {seconds} s of each, checkpoints of {interval}\n"
    );
    println!("| ingestion | rows/s | commit p50 ms | p99 ms | checkpoint p50 ms | p99 ms |");
    println!("| --- | --- | --- | --- | --- | --- |");
    alone.tell("alone");
    beside.tell("beside a Z-order of its hour");
    let p99 = |of: &[f64]| percentile(of.to_vec(), 0.99);
    println!(
        "\nbeside / alone: rows/s {:.2}, commit p99 {:.2}, checkpoint p99 {:.2}",
        beside.rate() / alone.rate(),
        p99(&beside.commits) / p99(&alone.commits),
        p99(&beside.checkpoints) / p99(&alone.checkpoints)
    );
    println!("{} runs rewrote {} files, {} MB", runs.count, runs.files, runs.bytes / 1_000_000);
}

// === impl Ingestion ===

impl Ingestion {
    /// Watches the daemon between the first and the last commit of `period`; `meanwhile` is done again and again.
    fn watch(&mut self, address: SocketAddr, period: Duration, mut meanwhile: impl FnMut()) {
        let begin = Instant::now();
        let start = Reading::take(address);
        let (mut first, mut last) = (None, start);
        while begin.elapsed() < period {
            meanwhile();
            let now = Reading::take(address);
            if now.count > last.count {
                let (count, commit) = (now.count - last.count, now.commit_seconds - last.commit_seconds);
                self.commits.push(commit / count * 1e3);
                self.checkpoints.push((now.checkpoint_seconds - last.checkpoint_seconds) / count * 1e3);
                first.get_or_insert(now);
                last = now;
            }
            std::thread::sleep(PAUSE);
        }
        let first = first.expect("commits");
        self.seconds += (last.at - first.at).as_secs_f64();
        self.rows += last.rows - first.rows;
    }

    fn rate(&self) -> f64 {
        self.rows / self.seconds
    }

    fn tell(&self, name: &str) {
        let Self { commits, checkpoints, .. } = self;
        let figures = [(commits, 0.5), (commits, 0.99), (checkpoints, 0.5), (checkpoints, 0.99)];
        let figures = figures.map(|(of, share)| format!("{:.2}", percentile(of.clone(), share)));
        println!("| {name} | {:.0} | {} |", self.rate(), figures.join(" | "));
    }
}

// === impl Reading ===

impl Reading {
    fn take(address: SocketAddr) -> Self {
        let text = http::get(address, "/metrics").unwrap().body;
        let of = |name: &str| metric(&text, name).unwrap_or_else(|| panic!("no {name}"));
        Self {
            at: Instant::now(),
            rows: of("tributary_commit_rows_total"),
            count: of("tributary_commit_duration_seconds_count"),
            commit_seconds: of("tributary_commit_duration_seconds_sum"),
            checkpoint_seconds: of("tributary_commit_checkpoint_seconds_sum"),
        }
    }
}

// === impl Runs ===

impl Runs {
    /// Starts the next run when the one before has ended, which must be well.
    fn go_on(&mut self) {
        self.look();
        if self.at_work.is_none() {
            let answer = http::post(self.address, "/runs", Some(TOKEN), ZORDER).unwrap();
            let said: Value = serde_json::from_str(&answer.body).unwrap();
            self.at_work = Some(said["see"].as_str().unwrap_or_else(|| panic!("{}", answer.body)).to_owned());
        }
    }

    /// Waits for the last one.
    fn wait(&mut self) {
        while self.at_work.is_some() {
            std::thread::sleep(PAUSE);
            self.look();
        }
    }

    fn look(&mut self) {
        let Some(see) = &self.at_work else { return };
        let run: Value = serde_json::from_str(&http::get(self.address, see).unwrap().body).unwrap();
        match run["status"].as_str() {
            Some("queued" | "running") => {}
            // Nothing came since the last one.
            Some("nothing_to_do") => self.at_work = None,
            Some("succeeded") => {
                let before = &run["report"]["before"];
                self.count += 1;
                self.files += before["files"].as_u64().unwrap();
                self.bytes += before["bytes"].as_u64().unwrap();
                self.at_work = None;
            }
            _ => panic!("{run}"),
        }
    }
}
