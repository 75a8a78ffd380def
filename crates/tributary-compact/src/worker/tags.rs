//! Tags as a worker's run: one for every period that is over, and letting go of those whose time is over.

use std::time::Duration;

use paimon_format::options::{CoreOptions, TagPeriod};
use paimon_table::Reclaimed;
use paimon_table::table::Table;
use paimon_table::tagging::{PeriodTag, TagSchedule, create_period_tag, expire_tags};
use paimon_table::wall_clock;
use serde_json::Value;

use super::cron::CronZone;
use super::maintenance::{Maintenance, failure};
use super::record::{Report, Volume};
use super::run_log::{RunFailure, RunScope};

/// Arguments of `create_tag`; what is not given is as the table's options say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagArguments {
    /// One tag for each.
    pub period: Option<TagPeriod>,
    /// The pattern of the names.
    pub tag: Option<String>,
    /// How long after a period's end.
    pub delay: Option<Duration>,
    /// How long each is kept.
    pub time_retained: Option<Duration>,
    /// How many are kept.
    pub num_retained_max: Option<u64>,
    /// The zone of periods and names; that of the process unless given.
    pub time_zone: Option<CronZone>,
}

// === impl TagArguments ===

impl TagArguments {
    /// With what the table says.
    ///
    /// # Errors
    /// What is wrong with the pattern.
    pub(super) fn schedule(&self, options: &CoreOptions) -> Result<TagSchedule, String> {
        let own = TagSchedule::of(options, self.period, self.tag.as_deref())?;
        Ok(TagSchedule {
            delay: self.delay.unwrap_or(own.delay),
            time_retained: self.time_retained.or(own.time_retained),
            num_retained_max: self.num_retained_max.or(own.num_retained_max),
            ..own
        })
    }
}

// === impl Maintenance ===

impl Maintenance {
    pub(super) async fn create_tag(
        &self,
        table: &Table,
        arguments: &TagArguments,
        scope: &RunScope,
    ) -> Result<Report, RunFailure> {
        let schedule = arguments.schedule(table.options());
        let schedule = schedule.map_err(|why| RunFailure::usage(format!("the tags' names: {why}")))?;
        let zone = arguments.time_zone;
        let local = move |unix| match zone {
            Some(zone) => zone.local_millis(unix),
            None => wall_clock::local_millis(unix),
        };
        let done = create_period_tag(table, &schedule, &local, &self.env).await.map_err(failure)?;
        let PeriodTag { name, created, deleted } = done;
        match created {
            Some(id) => scope.say(format!("tag {name} keeps snapshot {}", id.0)),
            None => scope.say(format!("tag {name} is there already, or there is no snapshot to keep")),
        }
        let mut report = let_go("deleted_tags", deleted, scope);
        report.idle &= created.is_none();
        report.details.insert("tag_name".to_owned(), Value::from(name));
        report.details.insert("snapshot_id".to_owned(), Value::from(created.map(|id| id.0)));
        Ok(report)
    }

    pub(super) async fn expire_tags(&self, table: &Table, scope: &RunScope) -> Result<Report, RunFailure> {
        let expired = expire_tags(table, &self.env).await.map_err(failure)?;
        Ok(let_go("expired_tags", expired, scope))
    }
}

/// What deleting tags came to; their names are the detail `detail`.
fn let_go(detail: &str, tags: Vec<(String, Reclaimed)>, scope: &RunScope) -> Report {
    let mut removed = Volume::default();
    for (name, reclaimed) in &tags {
        let Reclaimed { data_files, metadata_files, bytes, left } = reclaimed;
        let files = data_files + metadata_files;
        scope.say(format!("tag {name} deleted, and {files} files that only it kept"));
        if *left > 0 {
            scope.say(format!("{left} files could not be deleted; remove_orphan_files finds them"));
        }
        removed += Volume { files, bytes: *bytes };
    }
    let names: Vec<String> = tags.into_iter().map(|(name, _)| name).collect();
    Report {
        idle: names.is_empty(),
        removed,
        details: [(detail.to_owned(), Value::from(names))].into(),
        ..Report::default()
    }
}
