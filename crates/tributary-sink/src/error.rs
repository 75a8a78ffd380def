//! What can stop a pipeline's sink, and what that means to the process.

use std::time::Duration;

use arrow::error::ArrowError;
use paimon_format::{FormatError, SnapshotId};
use paimon_table::commit::CommitError;
use paimon_table::data_error::DataError;
use paimon_table::error::TableError;
use paimon_table::store::StoreError;
use tributary_runtime::{ChainError, Classify, FailureKind, InvalidBackoff, Panicked, TaskFailure};

use crate::batch::TransformError;

/// Why the sink stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SinkError {
    /// Reading or writing the table failed.
    #[error("{doing}: {source}")]
    Table {
        /// What the sink was about.
        doing: &'static str,
        /// The lower error, with the object.
        source: Box<TableError>,
    },
    /// A value or object could not be put into Paimon's format.
    #[error("{doing}: {source}")]
    Format {
        /// What the sink was about.
        doing: &'static str,
        /// The lower error.
        source: Box<FormatError>,
    },
    /// Rows could not be encoded into a data file.
    #[error("writing a data file: {0}")]
    Data(#[source] Box<DataError>),
    /// An Arrow kernel refused.
    #[error("{doing}: {source}")]
    Arrow {
        /// What the sink was about.
        doing: &'static str,
        /// The lower error.
        source: ArrowError,
    },
    /// The upload of a data file failed after parts of it had been sent: its rows are no longer in memory. When
    /// the cause is transient, opening the sink again and replaying the source from its positions is the remedy.
    #[error("uploading {file}: {source}")]
    Upload {
        /// Path below the table.
        file: String,
        /// The lower error.
        source: Box<StoreError>,
    },
    /// A file waited so long for its commit that an orphan sweep took it, or may take it any moment: its epoch is given
    /// up. Opening the sink again and replaying the source from its positions is the remedy.
    #[error("{file} waited {age:?} for its commit and {why}, as orphan sweeps take files that no snapshot has")]
    WaitedTooLong {
        /// The file's name.
        file: String,
        /// Since it was written.
        age: Duration,
        /// What became of it.
        why: &'static str,
    },
    /// A commit failed for good.
    #[error("commit {identifier}: {source}")]
    Commit {
        /// The commit identifier; 0 before the first.
        identifier: i64,
        /// The lower error.
        source: Box<CommitError>,
    },
    /// A row could not be turned into a row of the table.
    #[error("evaluating the select: {0}")]
    Transform(#[from] TransformError),
    /// The table's schema, or what the select made, is not what the sink can write.
    #[error("{why}")]
    Schema {
        /// What does not fit.
        why: String,
    },
    /// The source lost or repeated a batch.
    #[error("the source broke its chain of positions: {0}")]
    Chain(#[from] ChainError),
    /// The pin says that the pipeline has committed, but no snapshot of it is left.
    #[error(
        "consumer {user} pins snapshot {pin} of {table}, but no snapshot of {user} is left: its positions are gone, and starting at zero would double every row; restore the table, or start under another pipeline.name"
    )]
    PositionsLost {
        /// The commit user.
        user: String,
        /// The pinned snapshot.
        pin: SnapshotId,
        /// The table.
        table: String,
    },
    /// A snapshot of the pipeline does not hold the properties it was committed with.
    #[error("snapshot {snapshot} of {user}: {why}")]
    Properties {
        /// The commit user.
        user: String,
        /// The snapshot.
        snapshot: SnapshotId,
        /// What is missing or wrong.
        why: String,
    },
    /// The catalog dropped the properties of a snapshot: positions would not survive a restart.
    #[error(
        "the catalog lost the properties of snapshot {snapshot}: exactly-once needs them; upgrade the catalog, or use a filesystem catalog"
    )]
    PropertiesNotKept {
        /// The claim that was read back.
        snapshot: SnapshotId,
    },
    /// The stored positions belong to another source.
    #[error(
        "the positions stored for {user} belong to another source: {difference}; go back, or start under another pipeline.name"
    )]
    OtherSource {
        /// The commit user.
        user: String,
        /// The first fact that differs.
        difference: String,
    },
    /// The waits between tries are not usable: a defect.
    #[error(transparent)]
    Waits(#[from] InvalidBackoff),
    /// The drain deadline passed, or a second signal came, before everything was committed.
    #[error("stopped before everything was committed: {rows} rows will be read again at the next start")]
    NotDrained {
        /// Source rows received but not committed.
        rows: u64,
    },
    /// Work on the executor or a task panicked.
    #[error(transparent)]
    Panicked(#[from] Panicked),
}

// === impl SinkError ===

impl SinkError {
    /// For `map_err`.
    pub(crate) fn table<E: Into<TableError>>(doing: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::Table { doing, source: Box::new(source.into()) }
    }

    /// For `map_err`.
    pub(crate) fn format(doing: &'static str) -> impl FnOnce(FormatError) -> Self {
        move |source| Self::Format { doing, source: Box::new(source) }
    }

    /// For `map_err`.
    pub(crate) fn arrow(doing: &'static str) -> impl FnOnce(ArrowError) -> Self {
        move |source| Self::Arrow { doing, source }
    }
}

impl Classify for SinkError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Table { source, .. } => source.kind(),
            Self::Data(source) => source.kind(),
            Self::Upload { source, .. } => source.kind(),
            Self::Commit { source, .. } => source.kind(),
            Self::WaitedTooLong { .. } => FailureKind::Transient,
            Self::Format { .. } | Self::Arrow { .. } | Self::Waits(_) | Self::Panicked(_) => FailureKind::Internal,
            Self::Transform(_) | Self::Schema { .. } | Self::OtherSource { .. } | Self::PropertiesNotKept { .. } => {
                FailureKind::Usage
            }
            Self::Chain(_) | Self::PositionsLost { .. } | Self::Properties { .. } => FailureKind::Corrupt,
            Self::NotDrained { .. } => FailureKind::NotDrained,
        }
    }
}

impl From<DataError> for SinkError {
    fn from(source: DataError) -> Self {
        Self::Data(Box::new(source))
    }
}

impl From<TaskFailure<SinkError>> for SinkError {
    fn from(failure: TaskFailure<SinkError>) -> Self {
        match failure {
            TaskFailure::Failed { error, .. } => error,
            TaskFailure::Panicked { panic, .. } => Self::Panicked(panic),
        }
    }
}
