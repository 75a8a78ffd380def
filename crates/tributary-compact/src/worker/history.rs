//! The runs that are remembered: bounded by number and age, oldest first. Pure; [`super::history_file`] keeps them.

use std::collections::VecDeque;
use std::time::Duration;

use super::action::ActionKind;
use super::history_file::Written;
use super::record::{Cause, RunId, RunRecord, RunStatus, TableName};

/// Patterns name minutes.
const TICK_MILLIS: i64 = 60_000;

/// How much is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryBounds {
    /// Ended runs at most.
    pub runs: usize,
    /// How long after their end.
    pub age: Duration,
}

/// The runs, oldest first.
#[derive(Debug)]
pub struct History {
    runs: VecDeque<RunRecord>,
    bounds: HistoryBounds,
    next: RunId,
}

// === impl History ===

impl History {
    /// Takes up what an earlier process wrote, the latest word on a run last. What was running then was interrupted; what
    /// somebody asked for and had to wait still waits.
    pub fn resume(written: Written, bounds: HistoryBounds, now_millis: i64) -> Self {
        let next = RunId(written.newest.map_or(1, |newest| newest.0 + 1));
        let mut history = Self { runs: VecDeque::new(), bounds, next };
        for run in written.runs {
            history.put(run, now_millis);
        }
        for run in history.runs.iter_mut().filter(|run| run.status == RunStatus::Running) {
            let why = "the process ended before the run did; what it wrote and did not commit is left for remove_orphan_files";
            run.end(RunStatus::Interrupted, now_millis, Some(why.to_owned()));
        }
        history
    }

    /// The id of the next run.
    pub fn next_id(&mut self) -> RunId {
        let id = self.next;
        self.next = RunId(id.0 + 1);
        id
    }

    /// Adds a run, or what is new about it, and forgets what is beyond the bounds. Of scheduled runs in a row that found nothing
    /// to do, only the last is kept: a policy that looks every minute would push everything else out.
    pub fn put(&mut self, run: RunRecord, now_millis: i64) {
        let at = self.runs.iter().rposition(|known| known.id == run.id);
        let idle = run.status == RunStatus::NothingToDo && run.cause == Cause::Schedule;
        let before = self.runs.iter().rposition(|known| known.id != run.id && known.is_like(&run));
        match at {
            Some(at) => self.runs[at] = run,
            None => self.runs.push_back(run),
        }
        if let Some(before) = before.filter(|before| idle && self.runs[*before].status == RunStatus::NothingToDo) {
            self.runs.remove(before);
        }
        let age = i64::try_from(self.bounds.age.as_millis()).unwrap_or(i64::MAX);
        let oldest = now_millis.saturating_sub(age);
        // The newest id is never forgotten, so that it is not given again.
        let newest = self.runs.iter().map(|run| run.id).max();
        self.runs.retain(|run| run.ended_millis.is_none_or(|ended| ended >= oldest) || Some(run.id) == newest);
        while self.runs.iter().filter(|run| run.status.is_final()).count() > self.bounds.runs
            && let Some(first) = self.runs.iter().position(|run| run.status.is_final())
        {
            self.runs.remove(first);
        }
    }

    /// One run.
    pub fn get(&self, id: RunId) -> Option<&RunRecord> {
        self.runs.iter().rfind(|run| run.id == id)
    }

    /// All of them, newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &RunRecord> {
        self.runs.iter().rev()
    }

    /// When the last run of this action with these arguments on this table began and ended (Unix milliseconds). One that was
    /// interrupted answered no tick of a pattern; yet an interval counts from its start, so that a run that brings the
    /// process down is not repeated at once.
    pub(super) fn last(&self, table: &TableName, action: ActionKind, arguments: &super::Given) -> Option<(i64, i64)> {
        let same = |run: &&RunRecord| run.table == *table && run.action == action && run.arguments == *arguments;
        let mut runs = self.newest_first().filter(same).filter(|run| run.status.is_final());
        let last = runs.next()?;
        if last.status != RunStatus::Interrupted {
            return Some((last.started_millis, last.ended_millis?));
        }
        let answered = runs.find(|run| run.status != RunStatus::Interrupted).map(|run| run.started_millis);
        Some((answered.unwrap_or(last.started_millis - TICK_MILLIS), last.started_millis))
    }
}

impl RunRecord {
    fn is_like(&self, other: &Self) -> bool {
        self.table == other.table
            && self.action == other.action
            && self.arguments == other.arguments
            && self.cause == other.cause
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::Report;
    use super::*;

    const BOUNDS: HistoryBounds = HistoryBounds { runs: 3, age: Duration::from_millis(1_000) };

    fn run(id: u64, table: &str, status: RunStatus, ended: i64) -> RunRecord {
        RunRecord {
            id: RunId(id),
            table: TableName::new(table),
            action: ActionKind::ExpireSnapshots,
            arguments: super::super::Given::new(),
            cause: Cause::Schedule,
            status,
            started_millis: ended - 1,
            ended_millis: status.is_final().then_some(ended),
            error: None,
            report: Report::default(),
            log: Vec::new(),
        }
    }

    fn ids(history: &History) -> Vec<u64> {
        history.newest_first().map(|run| run.id.0).collect()
    }

    #[test]
    fn number_and_age_bound_it_and_what_runs_is_never_forgotten() {
        let mut history = History::resume(Written::default(), BOUNDS, 0);
        history.put(run(1, "a", RunStatus::Running, 0), 0);
        (2..8).for_each(|id| history.put(run(id, "a", RunStatus::Succeeded, 10), 10));
        assert_eq!(ids(&history), [7, 6, 5, 1]);
        history.put(run(8, "a", RunStatus::Failed, 1_011), 1_011);
        assert_eq!(ids(&history), [8, 1]);
        history.put(run(1, "a", RunStatus::Cancelled, 1_012), 1_012);
        assert_eq!(ids(&history), [8, 1]);
        assert_eq!(history.get(RunId(1)).map(|run| run.status), Some(RunStatus::Cancelled));
    }

    #[test]
    fn of_runs_in_a_row_without_work_the_last_is_kept() {
        let mut history = History::resume(Written::default(), HistoryBounds { runs: 100, ..BOUNDS }, 0);
        for (id, table, status) in [
            (1, "a", RunStatus::NothingToDo),
            (2, "b", RunStatus::NothingToDo),
            (3, "a", RunStatus::NothingToDo),
            (4, "a", RunStatus::Succeeded),
            (5, "a", RunStatus::NothingToDo),
            (6, "a", RunStatus::NothingToDo),
        ] {
            history.put(run(id, table, RunStatus::Running, 0), 0);
            history.put(run(id, table, status, 1), 1);
        }
        assert_eq!(ids(&history), [6, 4, 3, 2]);
    }

    #[test]
    fn a_restart_goes_on_and_what_was_cut_short_answers_no_tick() {
        let runs = vec![
            run(7, "a", RunStatus::Succeeded, 5),
            run(9, "a", RunStatus::Running, 0),
            run(9, "a", RunStatus::Running, 0),
        ];
        let written = Written { runs, newest: Some(RunId(9)) };
        let mut history = History::resume(written, BOUNDS, 10);
        assert_eq!((ids(&history), history.next_id(), history.next_id()), (vec![9, 7], RunId(10), RunId(11)));
        let cut = history.get(RunId(9)).map(|run| (run.status, run.ended_millis, run.error.is_some()));
        assert_eq!(cut, Some((RunStatus::Interrupted, Some(10), true)));
        let of = |history: &History, table| {
            history.last(&TableName::new(table), ActionKind::ExpireSnapshots, &super::super::Given::new())
        };
        assert_eq!((of(&history, "a"), of(&history, "b")), (Some((4, -1)), None));
        history.put(run(12, "b", RunStatus::Interrupted, 100_001), 100_001);
        assert_eq!(of(&history, "b"), Some((40_000, 100_000)));
    }
}
