//! `tributary compact`: compactions one after the other, with a line that moves on a terminal, and a summary of each.

mod wanted;

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressFinish, ProgressStyle};
use paimon_format::BinaryRow;
use paimon_table::partition_text;
use paimon_table::table::Table;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use tributary_compact::{Amount, Compaction, OnProgress, Plan, Progress, Resources, RunReport, Unfinished};
use tributary_runtime::{Env, Executor, MemoryBudget};

use self::wanted::{Wanted, wanted};
use crate::args::CompactArguments;
use crate::failure::{CommandError, Failure};
use crate::log::Console;
use crate::progress::grouped;
use crate::settings::Settings;
use crate::signals::Signals;
use crate::{cores, environment, runtime};

/// How often the log says how far a compaction is.
const REPORT: Duration = Duration::from_secs(10);

/// Plans, and unless it is a dry run does it.
pub(crate) fn compact(arguments: &CompactArguments) -> Result<(), Failure> {
    let flags = [
        ("--memory-limit", "compactor", "memory-limit", &arguments.memory_limit),
        ("--spill-folder", "compactor", "spill-folder", &arguments.spill_folder),
    ];
    let settings = Settings::load(&arguments.settings, &arguments.catalog, &flags)?;
    let console = Console::start(&settings.log)?;
    let runtime = runtime()?;
    let done = runtime.block_on(plan_and_run(arguments, &settings, &console));
    // A store that hangs must not keep the process.
    runtime.shutdown_background();
    done.map_err(|failure| failure.told(&console))
}

async fn plan_and_run(arguments: &CompactArguments, settings: &Settings, console: &Console) -> Result<(), Failure> {
    let threads = settings.job.parallelism.unwrap_or_else(cores);
    let executor = Executor::try_threads(threads).map_err(io_error("start the encoding threads"))?;
    let env = environment(executor)?;
    let all = wanted(arguments, settings, &env).await?;
    if arguments.dry_run {
        for Wanted { table, request } in all {
            let plan = Compaction::new(table.clone(), request, env.clone()).plan().await?;
            print(&planned(&table, &plan))?;
        }
        return Ok(());
    }
    let resources = resources(settings, threads);
    let mut signals = Signals::listen()?;
    for one in all {
        let report = run(one, &resources, &env, progress(console.status()), &mut signals).await?;
        print(&summary(&report))?;
    }
    Ok(())
}

/// What a process takes before it compacts anything, and what the allocator keeps of what is freed, mostly of row groups that
/// are read (measured, `benches/run compact`): the limit is for all of it.
const PROCESS_BYTES: usize = 192 << 20;

/// What `[compactor]` lets compactions take.
pub(crate) fn resources(settings: &Settings, threads: NonZeroUsize) -> Resources {
    let own = &settings.compactor;
    let limit = usize::try_from(own.memory_limit.0).unwrap_or(usize::MAX);
    Resources {
        memory: MemoryBudget::new(limit.saturating_sub(PROCESS_BYTES).max(limit / 2)),
        parallelism: threads.get(),
        spill_folder: own.spill_folder.clone().unwrap_or_else(std::env::temp_dir),
    }
}

/// One compaction, until it is done or a signal comes.
async fn run(
    Wanted { table, request }: Wanted,
    resources: &Resources,
    env: &Env,
    on_progress: OnProgress,
    signals: &mut Signals,
) -> Result<RunReport, Failure> {
    let cancel = CancellationToken::new();
    let compaction = Compaction::new(table, request, env.clone());
    let run = compaction.run(resources, on_progress, &cancel);
    tokio::pin!(run);
    let mut is_asked = false;
    loop {
        tokio::select! {
            report = &mut run => return report.or_else(|Unfinished { done, error }| {
                print(&summary(&done))?;
                Err(error.into())
            }),
            signal = signals.received() => match is_asked {
                false => {
                    info!(signal, "stops: removes what is not committed; a second signal stops at once");
                    cancel.cancel();
                    is_asked = true;
                }
                true => {
                    warn!(signal, "stops at once; files that are not committed stay for the orphan sweep");
                    return Err(CommandError::NotDrained.into());
                }
            },
        }
    }
}

/// Moves a bar on a terminal, and says how far it is from time to time elsewhere.
fn progress(terminal: Option<&MultiProgress>) -> OnProgress {
    let Some(terminal) = terminal else {
        let said = Mutex::new(Instant::now());
        return Arc::new(move |progress| {
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            if said.elapsed() >= REPORT {
                *said = Instant::now();
                let Progress { tasks, tasks_done, rows, rows_read, rows_written } = progress;
                info!(rows_read, rows_written, rows, tasks_done, tasks, "progress");
            }
        });
    };
    let bar = terminal.add(ProgressBar::new(0).with_finish(ProgressFinish::AndClear));
    // A constant that parses.
    bar.set_style(
        ProgressStyle::with_template("{wide_bar} {percent}% · {msg} · {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    Arc::new(move |progress| {
        // Half of the way is to read the rows: an ordered task writes none before it has read all.
        bar.set_length(2 * progress.rows);
        bar.set_position(progress.rows_read + progress.rows_written);
        bar.set_message(line(&progress));
    })
}

fn line(progress: &Progress) -> String {
    let Progress { tasks, tasks_done, rows, rows_read, rows_written } = *progress;
    let [rows, read, written] = [rows, rows_read, rows_written].map(grouped);
    format!("{read} read · {written} written · of {rows} rows · {tasks_done}/{tasks} tasks")
}

/// What a dry run prints: a line a task, then the sum.
fn planned(table: &Table, plan: &Plan) -> String {
    let mut text = String::new();
    for task in &plan.tasks {
        let amount = Amount { files: task.file_count() as u64, bytes: task.bytes, rows: task.rows };
        text.push_str(&format!("{}: {}\n", partition_name(table, &task.partition), shown(&amount)));
    }
    let (tasks, files) = (counted(plan.tasks.len() as u64, "task"), counted(plan.file_count() as u64, "file"));
    text.push_str(&format!("{tasks}, {files}, {} bytes; nothing was done\n", plan.bytes()));
    text
}

fn summary(report: &RunReport) -> String {
    let abandoned = match report.abandoned {
        0 => String::new(),
        count => format!(", {count} abandoned because their files were removed meanwhile"),
    };
    let amount = |what: &str, bytes: u64| match bytes {
        0 => String::new(),
        bytes => format!("{what}: {bytes} bytes\n"),
    };
    let (copied, spilled) = (amount("copied", report.copied_bytes), amount("spilled", report.spilled_bytes));
    let snapshots: Vec<_> = report.snapshots.iter().map(ToString::to_string).collect();
    let snapshots = if snapshots.is_empty() { "none".to_owned() } else { snapshots.join(", ") };
    format!(
        "{}{abandoned}\nbefore: {}\nafter: {}\n{copied}{spilled}snapshots: {snapshots}\n",
        counted(report.tasks as u64, "task"),
        shown(&report.before),
        shown(&report.after),
    )
}

fn shown(amount: &Amount) -> String {
    let Amount { files, bytes, rows } = *amount;
    format!("{}, {bytes} bytes, {}", counted(files, "file"), counted(rows, "row"))
}

fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

fn partition_name(table: &Table, partition: &BinaryRow) -> String {
    let schema = table.schema();
    let values = partition.decode(&schema.partition_types()).unwrap_or_default();
    match partition_text::spec_text(&schema.partition_fields(), &values, &table.options().partition_default_name) {
        text if text.is_empty() => "the table".to_owned(),
        text => text,
    }
}

fn print(text: &str) -> Result<(), Failure> {
    Ok(io::stdout().lock().write_all(text.as_bytes()).map_err(io_error("write to standard output"))?)
}

fn io_error(doing: &str) -> impl FnOnce(io::Error) -> CommandError {
    let doing = doing.to_owned();
    move |source| CommandError::Io { doing, source }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use paimon_format::SnapshotId;

    use super::*;

    #[test]
    fn the_line_says_what_is_read_and_written() {
        let progress = Progress { tasks: 3, tasks_done: 1, rows: 80_000, rows_read: 52_000, rows_written: 1_234 };
        assert_eq!(line(&progress), "52,000 read · 1,234 written · of 80,000 rows · 1/3 tasks");
    }

    #[test]
    fn the_summary_says_what_became_of_what() {
        let report = RunReport {
            snapshots: vec![SnapshotId(7), SnapshotId(9)],
            tasks: 2,
            abandoned: 1,
            before: Amount { files: 12, bytes: 3400, rows: 66 },
            after: Amount { files: 1, bytes: 1200, rows: 66 },
            copied_bytes: 800,
            spilled_bytes: 9,
        };
        assert_eq!(
            summary(&report),
            "2 tasks, 1 abandoned because their files were removed meanwhile\n\
             before: 12 files, 3400 bytes, 66 rows\nafter: 1 file, 1200 bytes, 66 rows\n\
             copied: 800 bytes\nspilled: 9 bytes\nsnapshots: 7, 9\n"
        );
        assert!(summary(&RunReport::default()).ends_with("snapshots: none\n"));
    }
}
