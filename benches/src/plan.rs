//! Planning compactions of a table of many small files: `tributary compact --dry-run`, which also starts and prints.

use std::path::Path;

use crate::commits::commit;
use crate::{median, process};

/// Commits that the table is made with.
const COMMITS: usize = 40;
const PARTITIONS: usize = 100;
const ROUNDS: usize = 5;

const STRATEGIES: &[(&str, &[&str])] = &[
    ("minor", &["--compact-strategy", "minor"]),
    ("full", &[]),
    ("zorder", &["--order-strategy", "zorder", "--order-by", "category,id"]),
];

pub(crate) fn run(files: usize, scratch: &Path) {
    commit(COMMITS, files / COMMITS, PARTITIONS, scratch.to_str().unwrap());
    println!("{files} files, {PARTITIONS} partitions, median of {ROUNDS}\n");
    println!("| strategy | s | VmHWM MB | planned |\n| --- | --- | --- | --- |");
    for (name, arguments) in STRATEGIES {
        let runs: Vec<_> = (0..ROUNDS)
            .map(|_| {
                let mut command = process::tributary();
                command.args(["compact", "--table", "db.t", "--dry-run"]).args(*arguments);
                command.arg("--warehouse").arg(scratch);
                process::run(command)
            })
            .collect();
        let seconds = median(runs.iter().map(|run| run.elapsed.as_secs_f64()).collect());
        let peak = median(runs.iter().map(|run| run.peak_bytes as f64 / 1e6).collect());
        let planned = runs[0].output.lines().last().unwrap().split(';').next().unwrap();
        println!("| {name} | {seconds:.2} | {peak:.0} | {planned} |");
    }
}
