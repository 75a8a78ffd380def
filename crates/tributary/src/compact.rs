//! `tributary compact`: one compaction of one table, with a line that moves on a terminal, and a summary.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

use indicatif::{MultiProgress, ProgressBar, ProgressFinish, ProgressStyle};
use paimon_format::BinaryRow;
use paimon_format::options::{self, OptionError, parse_duration};
use paimon_table::partition_text;
use paimon_table::table::Table;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use tributary_compact::{Amount, Compaction, OnProgress, Plan, Request, Resources, RunReport, Strategy};
use tributary_runtime::{Executor, MemoryBudget};

use crate::args::{CompactArguments, CompactStrategy};
use crate::failure::{CommandError, Failure};
use crate::log::Console;
use crate::settings::Settings;
use crate::signals::Signals;
use crate::{catalogs, cores, environment, runtime};

/// Plans, and unless it is a dry run does it.
pub(crate) fn compact(arguments: &CompactArguments) -> Result<(), Failure> {
    let flags = [("--memory-limit", "compactor", "memory-limit", &arguments.memory_limit)];
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
    let table = catalogs::table(settings, &arguments.table, None, &env).await?;
    let table = table.with_options(&cover(&arguments.options)?)?;
    let request = request(arguments, &table)?;
    let compaction = Compaction::new(table.clone(), request, env);
    if arguments.dry_run {
        return print(&planned(&table, &compaction.plan().await?));
    }
    let memory = usize::try_from(settings.compactor.memory_limit.0).unwrap_or(usize::MAX);
    let resources = Resources { memory: MemoryBudget::new(memory), parallelism: threads.get() };
    let cancel = CancellationToken::new();
    let mut signals = Signals::listen()?;
    let run = compaction.run(&resources, progress(console.status()), &cancel);
    tokio::pin!(run);
    let mut is_asked = false;
    let report = loop {
        tokio::select! {
            report = &mut run => break report?,
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
    };
    print(&summary(&report))
}

fn request(arguments: &CompactArguments, table: &Table) -> Result<Request, Failure> {
    let partitions = arguments.partitions.as_deref().map(|text| partition_text::parse(text, table.schema()));
    let partitions = partitions.transpose().map_err(|error| Failure::usage(format!("--partitions: {error}")))?;
    let idle = arguments.partition_idle_time.as_deref().map(parse_duration);
    let partition_idle_time =
        idle.transpose().map_err(|error| Failure::usage(format!("--partition-idle-time: {error}")))?;
    let strategy = match arguments.compact_strategy {
        CompactStrategy::Minor => Strategy::Minor,
        CompactStrategy::Full => Strategy::Full,
    };
    Ok(Request { partitions, strategy, partition_idle_time, max_tasks: None })
}

/// `key=value`, several with commas, as Paimon's procedures take them.
fn cover(texts: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let mut cover = BTreeMap::new();
    for text in texts.iter().flat_map(|text| text.split(',')).map(str::trim).filter(|text| !text.is_empty()) {
        let Some((key, value)) = text.split_once('=') else {
            return Err(Failure::usage(format!("--options: `{text}` is not KEY=VALUE")));
        };
        let (key, value) = (key.trim(), value.trim());
        if !options::is_known(key) {
            return Err(Failure::usage(format!("--options: {}", OptionError::unknown(key, value))));
        }
        cover.insert(key.to_owned(), value.to_owned());
    }
    Ok(cover)
}

/// Moves a bar on a terminal. Elsewhere the log lines of the commits have to do.
fn progress(terminal: Option<&MultiProgress>) -> OnProgress {
    let Some(terminal) = terminal else {
        return Arc::new(|_| ());
    };
    let bar = terminal.add(ProgressBar::new(0).with_finish(ProgressFinish::AndClear));
    // A constant that parses.
    bar.set_style(
        ProgressStyle::with_template("{wide_bar} {human_pos}/{human_len} rows · {per_sec} · {msg} · {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    Arc::new(move |progress| {
        bar.set_length(progress.rows);
        bar.set_position(progress.rows_written);
        bar.set_message(format!("{}/{} tasks", progress.tasks_done, progress.tasks));
    })
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
    let snapshots: Vec<_> = report.snapshots.iter().map(ToString::to_string).collect();
    let snapshots = if snapshots.is_empty() { "none".to_owned() } else { snapshots.join(", ") };
    format!(
        "{}{abandoned}\nbefore: {}\nafter: {}\nsnapshots: {snapshots}\n",
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
    fn options_are_split_at_commas_and_must_be_known() {
        let split = |texts: &[&str]| {
            let texts: Vec<_> = texts.iter().map(|text| (*text).to_owned()).collect();
            cover(&texts).map(|cover| cover.into_iter().collect::<Vec<_>>()).map_err(|failure| failure.text())
        };
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let both = vec![pair("compaction.min.file-num", "2"), pair("target-file-size", "1 mb")];
        assert_eq!(split(&["target-file-size=1 mb, compaction.min.file-num=2"]), Ok(both.clone()));
        assert_eq!(split(&["target-file-size = 1 mb", "compaction.min.file-num=2,"]), Ok(both));
        assert_eq!(split(&[]), Ok(Vec::new()));
        assert_eq!(split(&["x"]).unwrap_err(), "--options: `x` is not KEY=VALUE");
        let unknown = split(&["target-file-sise=1 mb"]).unwrap_err();
        assert!(unknown.ends_with("did you mean 'target-file-size'?"), "{unknown}");
    }

    #[test]
    fn the_summary_says_what_became_of_what() {
        let report = RunReport {
            snapshots: vec![SnapshotId(7), SnapshotId(9)],
            tasks: 2,
            abandoned: 1,
            before: Amount { files: 12, bytes: 3400, rows: 66 },
            after: Amount { files: 1, bytes: 1200, rows: 66 },
        };
        assert_eq!(
            summary(&report),
            "2 tasks, 1 abandoned because their files were removed meanwhile\n\
             before: 12 files, 3400 bytes, 66 rows\nafter: 1 file, 1200 bytes, 66 rows\nsnapshots: 7, 9\n"
        );
        assert!(summary(&RunReport::default()).ends_with("snapshots: none\n"));
    }
}
