//! Runs a process to its end and tells how long it took and how much memory it held at most.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A finished process.
pub(crate) struct Run {
    /// From just before exec to the exit.
    pub(crate) elapsed: Duration,
    /// The largest resident set of the process or of one it started (a JVM), in bytes, as the kernel last reported
    /// it (VmHWM).
    pub(crate) peak_bytes: u64,
    /// Standard output.
    pub(crate) output: String,
}

/// Runs `command`, which must succeed.
pub(crate) fn run(mut command: Command) -> Run {
    let begin = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let reader = std::thread::spawn(move || stdout.lines().map_while(Result::ok).collect::<Vec<_>>().join("\n"));
    let mut peak_bytes = 0;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        peak_bytes = family(child.id()).filter_map(|id| figure_of(id, "VmHWM")).fold(peak_bytes, u64::max);
        std::thread::sleep(Duration::from_millis(5));
    };
    let elapsed = begin.elapsed();
    assert!(status.success(), "{command:?} ended with {status}");
    Run { elapsed, peak_bytes, output: reader.join().unwrap() }
}

/// A figure of `/proc/PID/status` in bytes: `VmHWM` (peak) or `VmRSS` (now). `None` once the process has gone.
pub(crate) fn resident(child: &Child, figure: &str) -> Option<u64> {
    figure_of(child.id(), figure)
}

/// A process and those it started itself.
fn family(id: u32) -> impl Iterator<Item = u32> {
    let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    let children: Vec<u32> = children.split_whitespace().filter_map(|id| id.parse().ok()).collect();
    std::iter::once(id).chain(children)
}

fn figure_of(id: u32, figure: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(figure)?.strip_prefix(':'))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

/// The release build of `tributary`, beside this binary.
pub(crate) fn tributary() -> Command {
    let path: PathBuf = std::env::current_exe().unwrap().with_file_name("tributary");
    assert!(path.exists(), "{} is missing: start the benches with benches/run", path.display());
    Command::new(path)
}

/// Bytes of the files below `folder` whose names end in `.parquet`.
pub(crate) fn parquet_bytes(folder: &std::path::Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| match entry.file_type().unwrap().is_dir() {
            true => parquet_bytes(&entry.path()),
            false if entry.file_name().to_string_lossy().ends_with(".parquet") => entry.metadata().unwrap().len(),
            false => 0,
        })
        .sum()
}
