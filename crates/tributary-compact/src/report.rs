//! How far a run is, and what it has done.

use std::ops::AddAssign;
use std::sync::Arc;

use paimon_format::{DataFileMeta, SnapshotId};

/// Files and what is in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Number of files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Their rows.
    pub rows: u64,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Tasks of the plan.
    pub tasks: usize,
    /// Tasks that are committed or given up.
    pub tasks_done: usize,
    /// Rows of all tasks.
    pub rows: u64,
    /// Rows read so far; those that are to be ordered are all read before the first is written.
    pub rows_read: u64,
    /// Rows written so far, committed or not.
    pub rows_written: u64,
}

/// Is told how far a run is, often: it must be quick.
pub type OnProgress = Arc<dyn Fn(Progress) + Send + Sync>;

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunReport {
    /// The snapshots it committed.
    pub snapshots: Vec<SnapshotId>,
    /// Tasks that are committed.
    pub tasks: usize,
    /// Tasks that were given up because somebody else had removed one of their files; a later run plans anew.
    pub abandoned: usize,
    /// What was replaced.
    pub before: Amount,
    /// What it was replaced by.
    pub after: Amount,
    /// Bytes of row groups that were taken over as they were, without being decoded.
    pub copied_bytes: u64,
    /// Bytes that went to the spill folder, in all passes.
    pub spilled_bytes: u64,
}

// === impl Amount ===

impl Amount {
    pub(crate) fn of<'a>(files: impl Iterator<Item = &'a DataFileMeta>) -> Self {
        let unsigned = |number: i64| u64::try_from(number).unwrap_or_default();
        files.fold(Self::default(), |sum, file| Self {
            files: sum.files + 1,
            bytes: sum.bytes + unsigned(file.file_size),
            rows: sum.rows + unsigned(file.row_count),
        })
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        self.files += other.files;
        self.bytes += other.bytes;
        self.rows += other.rows;
    }
}
