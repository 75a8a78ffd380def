//! What is kept of a run, in memory, in the history's file and on `/runs`: the same record everywhere.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::AddAssign;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::action::ActionKind;

/// A table as the worker's catalogs call it; what two names mean the same table is decided before.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TableName(String);

/// A run of a worker; grows by one from run to run, over restarts as long as the history is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub u64);

/// Why a run was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Its policy was due.
    Schedule,
    /// Somebody asked for it.
    Manual,
}

/// How far a run is, or how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// It waits for another run of its table, or for a place.
    Queued,
    /// It is at work.
    Running,
    /// It did what it was for.
    Succeeded,
    /// It found nothing to do.
    NothingToDo,
    /// Somebody else changed what it worked on; nothing was committed.
    Abandoned,
    /// See its error.
    Failed,
    /// Somebody asked it to stop.
    Cancelled,
    /// The process ended before it did; it is made up for.
    Interrupted,
}

/// Files and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// How many.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// Whether there was nothing to do.
    #[serde(skip)]
    pub idle: bool,
    /// Whether it ended before its work did, because it was asked to.
    #[serde(skip)]
    pub cut_short: bool,
    /// Files that a compaction replaced.
    #[serde(skip_serializing_if = "Volume::is_nothing")]
    pub before: Volume,
    /// What it put instead.
    #[serde(skip_serializing_if = "Volume::is_nothing")]
    pub after: Volume,
    /// Files that were deleted for good.
    #[serde(skip_serializing_if = "Volume::is_nothing")]
    pub removed: Volume,
    /// Further numbers and names of its kind of action, under their names in the procedures' output.
    #[serde(flatten)]
    pub details: BTreeMap<String, Value>,
}

/// A run, from its start on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Its id.
    pub id: RunId,
    /// The table.
    pub table: TableName,
    /// What it does.
    pub action: ActionKind,
    /// With which arguments, as they were given.
    pub arguments: BTreeMap<String, String>,
    /// Why.
    pub cause: Cause,
    /// How far it is.
    pub status: RunStatus,
    /// Unix milliseconds.
    pub started_millis: i64,
    /// Unix milliseconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ended_millis: Option<i64>,
    /// Why it failed or was abandoned.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<String>,
    /// What it did.
    #[serde(default)]
    pub report: Report,
    /// What it said.
    #[serde(default)]
    pub log: Vec<String>,
}

// === impl TableName ===

impl TableName {
    /// A name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// === impl RunStatus ===

impl RunStatus {
    /// Whether nothing more will happen to the run.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::NothingToDo => "nothing_to_do",
            Self::Abandoned => "abandoned",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }
}

// === impl Volume ===

impl Volume {
    /// Whether there are no files.
    pub fn is_nothing(&self) -> bool {
        self.files == 0
    }
}

impl AddAssign for Volume {
    fn add_assign(&mut self, more: Self) {
        self.files += more.files;
        self.bytes += more.bytes;
    }
}

// === impl RunRecord ===

impl RunRecord {
    /// Ends it.
    pub(super) fn end(&mut self, status: RunStatus, at_millis: i64, error: Option<String>) {
        self.status = status;
        self.ended_millis = Some(at_millis);
        self.error = error;
    }
}
