//! A tag for every period that is over (`TagAutoCreation`).
//!
//! Whoever asks may do so as often as he likes, from several places: the tag of a period is made once, and which snapshot it
//! keeps hardly depends on when it is asked for: the first one that was committed `delay` after the period's end, by the
//! wall clock of a zone, so that rows that were still on their way then are among it. If none came since, it is the newest.
//!
//! Periods that nobody asked about while they were the last one get no tag: it could only keep what a later one keeps.

use std::time::Duration;

use paimon_format::SnapshotId;
use paimon_format::options::{CoreOptions, TagPeriod};
use tributary_runtime::Env;

use super::{Made, TagNames, check_main, delete_tag, make};
use crate::error::{Result, TableError};
use crate::reclaim::Reclaimed;
use crate::snapshots::{self, Found};
use crate::table::Table;

/// Snapshots that may expire under a run's hands before it gives up.
const TRIES: usize = 16;

/// Which tags are made, and how long they are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagSchedule {
    /// One tag for each.
    pub period: TagPeriod,
    /// How long after a period's end; less than a period.
    pub delay: Duration,
    /// What it is called.
    pub names: TagNames,
    /// How long each is kept, `None` for as long as [`TagSchedule::num_retained_max`] says.
    pub time_retained: Option<Duration>,
    /// How many are kept, `None` for all.
    pub num_retained_max: Option<u64>,
}

/// What became of the last period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeriodTag {
    /// The tag's name.
    pub name: String,
    /// The snapshot it keeps; `None` when it was there already, or the table has no snapshot.
    pub created: Option<SnapshotId>,
    /// Older tags of this schedule that were beyond [`TagSchedule::num_retained_max`].
    pub deleted: Vec<(String, Reclaimed)>,
}

// === impl TagSchedule ===

impl TagSchedule {
    /// What the table's options say; `period` and `pattern` replace theirs.
    ///
    /// # Errors
    /// What is wrong with the pattern.
    pub fn of(options: &CoreOptions, period: Option<TagPeriod>, pattern: Option<&str>) -> Result<Self, String> {
        let period = period.unwrap_or(options.tag_creation_period);
        let pattern = pattern.unwrap_or_else(|| period.name_pattern(options.tag_period_formatter));
        Ok(Self {
            period,
            delay: options.tag_creation_delay,
            names: TagNames::try_new(pattern, period)?,
            time_retained: options.tag_default_time_retained,
            num_retained_max: options.tag_num_retained_max,
        })
    }

    /// The beginning of the last period that ended at least the delay ago, both in milliseconds of a wall clock.
    fn last_before(&self, now: i64) -> i64 {
        let length = millis(self.period.length());
        (now - millis(self.delay)).div_euclid(length) * length - length
    }

    /// From when on, by the wall clock, snapshots belong to the tag of the period that begins at `start`.
    fn ripe(&self, start: i64) -> i64 {
        start + millis(self.period.length()) + millis(self.delay)
    }
}

/// Makes the tag of the last period that is over, unless there is one, and lets go of those of this schedule that are too
/// many. `local` is the wall clock of the zone that periods and names are in: Unix milliseconds to milliseconds as if it
/// were UTC.
///
/// # Errors
/// [`TableError::Refused`] for a branch and a delay that is no shorter than the period; otherwise as
/// [`super::create_tag`] and [`super::delete_tag`].
pub async fn create_period_tag(
    table: &Table,
    schedule: &TagSchedule,
    local: &(dyn Fn(i64) -> i64 + Send + Sync),
    env: &Env,
) -> Result<PeriodTag> {
    check_main(table, "create a tag of")?;
    if schedule.delay >= schedule.period.length() {
        let (delay, period) = (schedule.delay, schedule.period.length());
        let why = format!("the delay of {delay:?} is no shorter than the period of {period:?}");
        return Err(super::refused(table, "create a tag of", why));
    }
    let start = schedule.last_before(local(env.clock.now_millis()));
    let name = schedule.names.render(start);
    let created = match table.tags().await?.contains(&name) {
        true => None,
        false => create(table, schedule, &name, &|unix| local(unix) >= schedule.ripe(start), env).await?,
    };
    let mut deleted = Vec::new();
    if let Some(most) = schedule.num_retained_max {
        let tags = table.tags().await?;
        let mut ours: Vec<_> = tags.iter().filter_map(|tag| Some((schedule.names.parse(tag)?, tag))).collect();
        ours.sort_unstable();
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        for (_, tag) in &ours[..ours.len().saturating_sub(most)] {
            match delete_tag(table, tag, env).await {
                Ok(reclaimed) => deleted.push(((*tag).clone(), reclaimed)),
                // Somebody else was faster.
                Err(TableError::NoSuchTag { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(PeriodTag { name, created, deleted })
}

async fn create(
    table: &Table,
    schedule: &TagSchedule,
    name: &str,
    ripe: &(dyn Fn(i64) -> bool + Send + Sync),
    env: &Env,
) -> Result<Option<SnapshotId>> {
    let mut tries = 0;
    loop {
        let Some(found) = first_ripe(table, ripe).await? else { return Ok(None) };
        tries += 1;
        match make(table, name, &found, schedule.time_retained, env).await {
            Ok(Made::Created) => return Ok(Some(found.snapshot.id)),
            Ok(Made::Exists) => return Ok(None),
            // An expiry took it; the next one will do.
            Err(TableError::NoSuchSnapshot { .. }) if tries < TRIES => {}
            Err(error) => return Err(error),
        }
    }
}

/// The first snapshot whose time is `ripe`, or else the newest. Times grow with ids.
async fn first_ripe(table: &Table, ripe: &(dyn Fn(i64) -> bool + Send + Sync)) -> Result<Option<Found>> {
    let storage = table.metadata();
    let ids = snapshots::list(storage).await?;
    let (mut low, mut high) = (0, ids.len());
    let mut first = None;
    while low < high {
        let middle = low + (high - low) / 2;
        match snapshots::read(storage, ids[middle]).await? {
            Some(found) if ripe(found.snapshot.time_millis) => (high, first) = (middle, Some(found)),
            // An expired one is old.
            _ => low = middle + 1,
        }
    }
    match first {
        Some(found) => Ok(Some(found)),
        None => snapshots::find_latest(storage).await,
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
mod tests;
