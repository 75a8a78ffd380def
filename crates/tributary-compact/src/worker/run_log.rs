//! What a run is given, and what it says while it works.

use std::sync::{Arc, Mutex, PoisonError};

use tracing::{debug, info};
use tributary_runtime::{Classify, Drain, FailureKind};

use super::record::{Report, RunId, TableName};

/// Lines that are kept of a run: the first half and the last.
const LINES: usize = 100;

/// What a run is given.
#[derive(Clone, Debug)]
pub struct RunScope {
    /// Asks the run to end early, in order.
    pub stop: Drain,
    run: RunId,
    table: TableName,
    said: Arc<Mutex<Said>>,
}

#[derive(Debug, Default)]
struct Said {
    lines: Vec<String>,
    dropped: usize,
}

/// Why a run did not do what it was for.
#[derive(Debug, thiserror::Error)]
pub enum RunFailure {
    /// Somebody else changed what it worked on; what it wrote is removed.
    #[error("{0}")]
    Abandoned(String),
    /// The text names the place and the remedy, without secrets.
    #[error("{text}")]
    Failed {
        /// What it means.
        kind: FailureKind,
        /// The error with its causes.
        text: String,
        /// What was done before, and stays.
        done: Box<Report>,
    },
}

// === impl RunScope ===

impl RunScope {
    pub(crate) fn new(run: RunId, table: TableName) -> Self {
        Self { stop: Drain::new(), run, table, said: Arc::default() }
    }

    /// Says something, in the run's log and in the process's.
    pub fn say(&self, line: impl Into<String>) {
        let line = line.into();
        info!(run = self.run.0, table = %self.table, "{line}");
        self.keep(line);
    }

    /// Says one of many things: in the run's log, and in the process's if it is to be that detailed.
    pub fn detail(&self, line: impl Into<String>) {
        let line = line.into();
        debug!(run = self.run.0, table = %self.table, "{line}");
        self.keep(line);
    }

    fn keep(&self, line: String) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.lines.len() == LINES {
            said.lines.remove(LINES / 2);
            said.dropped += 1;
        }
        said.lines.push(line);
    }

    /// What was said so far.
    pub(super) fn lines(&self) -> Vec<String> {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lines = said.lines.clone();
        if said.dropped > 0 {
            lines.insert(LINES / 2, format!("… {} lines …", said.dropped));
        }
        lines
    }
}

// === impl RunFailure ===

impl RunFailure {
    /// Of any error that knows its kind, with its causes.
    pub fn of(error: &(impl Classify + 'static)) -> Self {
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(error);
        while let Some(error) = cause {
            let more = error.to_string();
            if !text.contains(&more) {
                text = format!("{text}: {more}");
            }
            cause = error.source();
        }
        Self::failed(error.kind(), text)
    }

    /// Of a text; nothing was done.
    pub fn failed(kind: FailureKind, text: impl Into<String>) -> Self {
        Self::Failed { kind, text: text.into(), done: Box::default() }
    }

    /// Of an argument that does not fit the table.
    pub(super) fn usage(text: String) -> Self {
        Self::failed(FailureKind::Usage, text)
    }

    /// What was done before.
    pub(super) fn with(mut self, report: Report) -> Self {
        if let Self::Failed { done, .. } = &mut self {
            **done = report;
        }
        self
    }

    /// Whether the reason goes away by itself.
    pub(super) fn passes(&self) -> bool {
        match self {
            Self::Abandoned(_) => true,
            Self::Failed { kind, .. } => matches!(kind, FailureKind::Transient | FailureKind::RetriesExhausted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_says_much_keeps_its_beginning_and_its_end() {
        let scope = RunScope::new(RunId(1), TableName::new("t"));
        (0..1_000).for_each(|line| scope.say(line.to_string()));
        let lines = scope.lines();
        assert_eq!(lines.len(), LINES + 1);
        assert_eq!((lines[0].as_str(), lines[49].as_str(), lines[50].as_str()), ("0", "49", "… 900 lines …"));
        assert_eq!((lines[51].as_str(), lines[100].as_str()), ("950", "999"));
    }
}
