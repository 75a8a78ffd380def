//! What to start now, and when to look again: pure.
//!
//! An interval runs from the end of a run to the start of the next, on a clock that nobody sets. A cron pattern follows the
//! wall clock; ticks that passed while the worker was busy or off are one run, not many. A run that failed for a reason that
//! goes away is repeated after a wait that grows; every other failure waits for its next time, and at least as long.

use std::collections::BTreeSet;
use std::time::Duration;

use super::cron::CronSchedule;
use super::record::TableName;

/// The longest wait before the wall clock is read again: somebody may have set it.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// A wall clock that is this far behind the last run was set back on purpose, not corrected.
const SET_BACK_MILLIS: i64 = 3_600_000;

/// When a policy is due.
#[derive(Clone, Debug)]
pub enum Trigger {
    /// So long after its last run ended; at once if there was none.
    Every(Duration),
    /// When the pattern says so.
    Cron(CronSchedule),
}

/// Both clocks, read at the same moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Unix milliseconds.
    pub wall_millis: i64,
    /// Since the worker began, unaffected by whoever sets the wall clock.
    pub elapsed: Duration,
}

/// How far a policy is on one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    /// Unix milliseconds: ticks up to here have been answered.
    pub answered_millis: i64,
    /// When an interval is over.
    pub next: Duration,
    /// Not before this, after a failure.
    pub not_before: Duration,
    /// Whether `not_before` is a time of its own, whatever the trigger says.
    pub again: bool,
    /// Failures since the last run that did not fail.
    pub failures: u32,
}

/// How a run ended, as far as the schedule is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It did its work, found none, or was cancelled by somebody.
    Well,
    /// It failed; after this wait it may be tried again. `again`: for a reason that goes away by itself.
    Failed {
        /// The wait.
        wait: Duration,
        /// Whether to try before the next time.
        again: bool,
    },
}

/// A policy on one table.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Which table.
    pub table: TableName,
    /// When.
    pub trigger: Trigger,
    /// How far it is.
    pub course: Course,
    /// Whether a run of it is at work.
    pub running: bool,
}

/// What to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pick {
    /// Entries to start, by their index.
    pub start: Vec<usize>,
    /// Entries that are due and must wait for their table or for a place.
    pub waiting: usize,
    /// When to ask again, unless something happens before; `None` when nothing will be due.
    pub wake: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Since(Duration),
    In(Duration),
    Never,
}

/// Picks what to start: what has been due for longest first, one run a table, at most `free`.
pub fn pick(entries: &[Entry], busy: &BTreeSet<TableName>, free: usize, now: Now) -> Pick {
    let mut due = Vec::new();
    let mut pick = Pick::default();
    for (index, entry) in entries.iter().enumerate().filter(|(_, entry)| !entry.running) {
        match entry.course.due(&entry.trigger, now) {
            Due::Since(late) => due.push((late, index)),
            Due::In(wait) => {
                let wait = wait.min(LONGEST_SLEEP);
                pick.wake = Some(pick.wake.map_or(wait, |earlier| earlier.min(wait)));
            }
            Due::Never => {}
        }
    }
    due.sort_by_key(|(late, index)| (std::cmp::Reverse(*late), *index));
    let mut taken = busy.clone();
    for (_, index) in due {
        match pick.start.len() < free && taken.insert(entries[index].table.clone()) {
            true => pick.start.push(index),
            false => pick.waiting += 1,
        }
    }
    pick
}

// === impl Course ===

impl Course {
    /// At the worker's start, knowing when the last run began and ended (Unix milliseconds), if there was one.
    pub fn resume(trigger: &Trigger, last: Option<(i64, i64)>, now: Now) -> Self {
        let rest = match (trigger, last) {
            (Trigger::Every(interval), Some((_, ended))) => {
                let passed = u64::try_from(now.wall_millis - ended).map_or(Duration::ZERO, Duration::from_millis);
                interval.saturating_sub(passed)
            }
            _ => Duration::ZERO,
        };
        let mut course = Self {
            answered_millis: last.map_or(now.wall_millis, |(started, _)| started),
            next: now.elapsed + rest,
            not_before: now.elapsed,
            again: false,
            failures: 0,
        };
        course.follow(now.wall_millis);
        course
    }

    /// After a run.
    pub fn ended(&mut self, trigger: &Trigger, started: Now, now: Now, ending: Ending) {
        self.answered_millis = started.wall_millis;
        if let Trigger::Every(interval) = trigger {
            self.next = now.elapsed + *interval;
        }
        match ending {
            Ending::Well => (self.failures, self.again) = (0, false),
            Ending::Failed { wait, again } => {
                self.failures = self.failures.saturating_add(1);
                (self.not_before, self.again) = (now.elapsed + wait, again);
            }
        }
    }

    /// Follows a wall clock that was set back, so that what it answered in the future is asked again.
    pub fn follow(&mut self, wall_millis: i64) {
        if self.answered_millis.saturating_sub(wall_millis) > SET_BACK_MILLIS {
            self.answered_millis = wall_millis;
        }
    }

    fn due(&self, trigger: &Trigger, now: Now) -> Due {
        let held = self.not_before.saturating_sub(now.elapsed);
        if self.again {
            return at(self.not_before, now.elapsed);
        }
        match trigger {
            Trigger::Every(_) => at(self.next.max(self.not_before), now.elapsed),
            Trigger::Cron(cron) => {
                let Some(tick) = cron.next_after(self.answered_millis) else { return Due::Never };
                match u64::try_from(tick - now.wall_millis) {
                    Ok(wait) if wait > 0 => Due::In(Duration::from_millis(wait).max(held)),
                    _ if !held.is_zero() => Due::In(held),
                    _ => Due::Since(Duration::from_millis(now.wall_millis.abs_diff(tick))),
                }
            }
        }
    }
}

fn at(time: Duration, now: Duration) -> Due {
    match now.checked_sub(time) {
        Some(late) => Due::Since(late),
        None => Due::In(time - now),
    }
}

#[cfg(test)]
mod tests;
