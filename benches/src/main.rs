//! What Tributary costs beside its peers, measured in one run: `benches/run --help`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a bench that cannot measure must stop
#![allow(clippy::disallowed_methods)] // it measures the machine's own time

mod beside;
mod catalog;
mod ceiling;
mod commits;
mod compact;
mod encodings;
mod plan;
mod process;
mod scan;
mod start;
mod throughput;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};

/// Measures Tributary beside its peers, interleaved in one run.
#[derive(Parser)]
#[command(name = "benches/run")]
struct Arguments {
    /// Folder on the disk to measure; a temporary one below it is removed at the end.
    #[arg(long, default_value = ".")]
    folder: PathBuf,
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Subcommand)]
enum Bench {
    /// Rows per second, memory and bytes per row: the ceiling, ours end to end, pypaimon.
    Throughput {
        /// Rows of each run.
        #[arg(long, default_value_t = 10_000_000)]
        rows: u64,
        /// Runs of each; the median is reported.
        #[arg(long, default_value_t = 3)]
        rounds: usize,
        /// Also Flink, which takes a minute a run.
        #[arg(long)]
        flink: bool,
    },
    /// Reading every row and column of a table: ours, pypaimon, Spark.
    Scan {
        /// Rows of the table.
        #[arg(long, default_value_t = 10_000_000)]
        rows: u64,
        /// Scans of each; the median is reported.
        #[arg(long, default_value_t = 3)]
        rounds: usize,
    },
    /// Commit latency of commits 1 to 50 beside 951 to 1,000 of one table.
    Commits {
        /// Commits of the run.
        #[arg(long, default_value_t = 1_000)]
        commits: usize,
    },
    /// Merging and ordering small files: `tributary compact` and Spark.
    Compact {
        /// Rows of the table.
        #[arg(long, default_value_t = 4_000_000)]
        rows: u64,
        /// `--memory-limit` of ours.
        #[arg(long, default_value = "512 mb")]
        memory_limit: String,
    },
    /// Planning compactions of many small files.
    Plan {
        /// Files of the table.
        #[arg(long, default_value_t = 100_000)]
        files: usize,
    },
    /// Rate and commit latency of ingestion, alone and while its hour is put in Z-order.
    Beside {
        /// Rows per second that come.
        #[arg(long, default_value_t = 20_000)]
        rate: u32,
        /// Rows of the hour before.
        #[arg(long, default_value_t = 4_000_000)]
        rows: u64,
        /// Seconds of each round without, and with.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// How often both.
        #[arg(long, default_value_t = 3)]
        rounds: usize,
        /// Between checkpoints: short, so that a 99th percentile is one of many.
        #[arg(long, default_value = "200 ms")]
        interval: String,
    },
    /// Commits per second and latency through `tributary catalog serve`.
    Catalog {
        /// Seconds of each of the 24 loads.
        #[arg(long, default_value_t = 5)]
        seconds: u64,
    },
    /// Page sizes and dictionaries: CPU time of writing and of reading, bytes per row.
    Encodings {
        /// Rows of each file.
        #[arg(long, default_value_t = 1_000_000)]
        rows: u64,
        /// Files of each; the median is reported.
        #[arg(long, default_value_t = 3)]
        rounds: usize,
    },
    /// The tutorial's job: time to the first snapshot that holds rows, and memory at 100 rows/s.
    Start {
        /// Starts; the median is reported.
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// Seconds at 100 rows/s before memory is read.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
    /// (one process of `throughput`)
    #[command(hide = true)]
    Ceiling { properties: ceiling::Properties, rows: u64, folder: PathBuf },
    /// (one process of `scan`)
    #[command(hide = true)]
    ScanOurs { warehouse: PathBuf },
}

fn main() {
    let arguments = Arguments::parse();
    let scratch = || tempfile::Builder::new().prefix("bench-").tempdir_in(&arguments.folder).unwrap();
    match arguments.bench {
        Bench::Throughput { rows, rounds, flink } => throughput::run(rows, rounds, flink, scratch().path()),
        Bench::Scan { rows, rounds } => scan::run(rows, rounds, scratch().path()),
        Bench::Commits { commits } => commits::run(commits, scratch().path()),
        Bench::Compact { rows, memory_limit } => compact::run(rows, &memory_limit, scratch().path()),
        Bench::Plan { files } => plan::run(files, scratch().path()),
        Bench::Beside { rate, rows, seconds, rounds, interval } => {
            beside::run(rate, rows, seconds, rounds, &interval, scratch().path());
        }
        Bench::Catalog { seconds } => catalog::run(Duration::from_secs(seconds), scratch().path()),
        Bench::Encodings { rows, rounds } => encodings::run(rows, rounds),
        Bench::Start { rounds, seconds } => start::run(rounds, seconds, scratch().path()),
        Bench::Ceiling { properties, rows, folder } => println!("{}", ceiling::run(properties, rows, &folder)),
        Bench::ScanOurs { warehouse } => println!("{}", scan::ours(&warehouse)),
    }
}

/// The middle value; of two middle ones the lower.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(values.len() - 1) / 2]
}

/// The value that `share` (0 to 1) of the values do not exceed, by the nearest-rank rule.
fn percentile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() as f64 * share).ceil() as usize).clamp(1, values.len()) - 1]
}
