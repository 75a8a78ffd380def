//! Why a run of a compaction ended early. What was committed before stays; everything else is removed.

use paimon_table::commit::CommitError;
use paimon_table::data_error::DataError;
use paimon_table::error::TableError;
use paimon_table::store::StoreError;
use tributary_runtime::{Classify, FailureKind, Panicked};

use crate::report::RunReport;

use crate::sort::SortError;

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompactError {
    /// Reading metadata failed.
    #[error(transparent)]
    Table(#[from] TableError),
    /// Reading or writing a data file failed.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Writing a data file failed in the store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A commit failed for another reason than that its inputs are gone.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// Rows cannot be ordered.
    #[error(transparent)]
    Sort(#[from] SortError),
    /// The table or one of its files has something a compaction would have to carry over and cannot.
    #[error("{object} cannot be compacted: {feature}")]
    Unsupported {
        /// The file or snapshot.
        object: String,
        /// What it has.
        feature: String,
    },
    /// Fewer or more rows were written than read; nothing of the task is committed.
    #[error("a compaction read {read} rows and wrote {written}; nothing of it is committed, please report this")]
    RowsDiffer {
        /// Rows of the inputs, by their manifest entries.
        read: i64,
        /// Rows of the outputs.
        written: i64,
    },
    /// It was asked to stop.
    #[error("cancelled; what was not committed is removed")]
    Cancelled,
    /// Work on the executor panicked.
    #[error(transparent)]
    Panicked(#[from] Panicked),
}

/// A run that ended early.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Unfinished {
    /// What was committed before, and stays.
    pub done: Box<RunReport>,
    /// Why it ended.
    #[source]
    pub error: CompactError,
}

impl From<CompactError> for Unfinished {
    /// Before anything was committed.
    fn from(error: CompactError) -> Self {
        Self { done: Box::default(), error }
    }
}

impl Classify for CompactError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Table(source) => source.kind(),
            Self::Data(source) => source.kind(),
            Self::Store(source) => source.kind(),
            Self::Commit(source) => source.kind(),
            Self::Sort(source) => source.kind(),
            Self::Unsupported { .. } => FailureKind::Usage,
            Self::RowsDiffer { .. } | Self::Panicked(_) => FailureKind::Internal,
            Self::Cancelled => FailureKind::NotDrained,
        }
    }
}
