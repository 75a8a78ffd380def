//! Compaction of a table as a worker's run.

use std::sync::Arc;

use paimon_table::table::Table;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::maintenance::Maintenance;
use super::record::{Report, Volume};
use super::run_log::{RunFailure, RunScope};
use crate::arguments::{ArgumentError, Arguments};
use crate::survey::partition_name;
use crate::{Amount, CompactError, Compaction, Plan, RunReport, Unfinished};

impl Maintenance {
    pub(super) async fn compact(
        &self,
        table: &Table,
        arguments: &Arguments,
        dry_run: bool,
        scope: &RunScope,
    ) -> Result<Report, RunFailure> {
        let wrong = |error: ArgumentError| RunFailure::usage(error.to_string());
        let options = arguments.options().map_err(wrong)?;
        let table = table.with_options(&options).map_err(|error| RunFailure::of(&error))?;
        let request = arguments.request(table.schema()).map_err(wrong)?;
        let compaction = Compaction::new(table.clone(), request, self.env.clone());
        if dry_run {
            let plan = compaction.plan().await.map_err(|error| RunFailure::of(&error))?;
            return Ok(planned(&table, &plan, scope));
        }
        let cancel = CancellationToken::new();
        let run = compaction.run(&self.resources, Arc::new(|_| ()), &cancel);
        // Awaited to its end in any case: it takes its outputs away then.
        let stopped = async {
            scope.stop.requested().await;
            cancel.cancel();
            std::future::pending().await
        };
        let done = tokio::select! {
            done = run => done,
            () = stopped => unreachable!("it never ends"),
        };
        match done {
            Ok(done) => {
                tell(&done, scope);
                if done.tasks == 0 && done.abandoned > 0 {
                    return Err(RunFailure::Abandoned(
                        "somebody else removed files that were being rewritten".to_owned(),
                    ));
                }
                Ok(report(&done))
            }
            Err(Unfinished { done, error }) => {
                tell(&done, scope);
                match error {
                    CompactError::Cancelled => Ok(Report { cut_short: true, ..report(&done) }),
                    error => Err(RunFailure::of(&error).with(report(&done))),
                }
            }
        }
    }
}

fn planned(table: &Table, plan: &Plan, scope: &RunScope) -> Report {
    for task in &plan.tasks {
        let (partition, files) = (partition_name(table, &task.partition), task.file_count());
        scope.detail(format!("{partition}: {files} files, {} bytes, {} rows", task.bytes, task.rows));
    }
    let (tasks, files) = (plan.tasks.len(), plan.file_count());
    scope.say(format!(
        "would rewrite {files} files of {} bytes in {tasks} tasks; nothing was done: dry_run",
        plan.bytes()
    ));
    let details = [("planned_tasks", tasks as u64), ("planned_files", files as u64), ("planned_bytes", plan.bytes())];
    Report {
        idle: plan.tasks.is_empty(),
        details: details.map(|(name, value)| (name.to_owned(), Value::from(value))).into(),
        ..Report::default()
    }
}

fn tell(done: &RunReport, scope: &RunScope) {
    let (before, after) = (&done.before, &done.after);
    scope.say(format!(
        "{} tasks committed, {} abandoned: {} files of {} bytes are now {} of {} bytes",
        done.tasks, done.abandoned, before.files, before.bytes, after.files, after.bytes
    ));
}

fn report(done: &RunReport) -> Report {
    let volume = |amount: &Amount| Volume { files: amount.files, bytes: amount.bytes };
    let snapshots: Vec<i64> = done.snapshots.iter().map(|id| id.0).collect();
    let details = [
        ("tasks", Value::from(done.tasks)),
        ("abandoned", Value::from(done.abandoned)),
        ("rows", Value::from(done.before.rows)),
        ("copied_bytes", Value::from(done.copied_bytes)),
        ("spilled_bytes", Value::from(done.spilled_bytes)),
        ("snapshots", Value::from(snapshots)),
    ];
    Report {
        idle: done.tasks == 0,
        before: volume(&done.before),
        after: volume(&done.after),
        details: details.map(|(name, value)| (name.to_owned(), value)).into(),
        ..Report::default()
    }
}
