//! The contract of a source.

use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use tributary_runtime::{Classify, FailureKind, Interval, Panicked, Positions, SourceIdentity, SplitId};

/// How large a batch may grow, and how long rows may wait in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchBudget {
    /// Rows at most.
    pub rows: usize,
    /// Bytes of row data at most, as far as they can be told before the rows exist; one row always fits.
    pub bytes: usize,
    /// How long a row may wait for the batch to fill.
    pub linger: Duration,
}

/// Rows of one split and the positions they cover.
#[derive(Clone, Debug)]
pub struct SourceBatch {
    /// What the rows cover; continues where the split's previous batch ended.
    pub interval: Interval,
    /// Wall-clock time of the batch (Unix milliseconds), read once: every time function of the batch's rows uses it.
    pub at_millis: i64,
    /// The rows, in the source's schema. May be empty when the interval held nothing to hand on.
    pub rows: RecordBatch,
}

/// What a source has to say.
#[derive(Clone, Debug)]
pub enum Next {
    /// Rows.
    Batch(SourceBatch),
    /// These splits are now this source's to read.
    Assigned(Vec<SplitId>),
    /// These splits are no longer: what was handed out of them and is not committed will be handed out elsewhere.
    Revoked(Vec<SplitId>),
    /// Nothing for the moment. The source has waited as long as it makes sense; ask again at once.
    Idle,
    /// There will be no more, ever. The same answer to every further question.
    End,
}

/// Where rows come from.
///
/// # Contract
/// 1. [`open`](Source::open) comes first and once. It continues every split behind the positions given.
/// 2. The batches of a split chain: each interval begins where the one before it ended, the first at the position
///    opened with, and each advances.
/// 3. Two sources of the same identity, opened at the same positions, hand out the same rows for the same
///    positions, whatever the sizes of their batches. A column may follow `at_millis` of its batch instead; then it
///    depends on nothing else.
/// 4. [`next`](Source::next) is cancel-safe: a dropped call has handed out nothing, and the next call misses nothing.
/// 5. A batch keeps to its budget in rows; in bytes as well as can be foreseen.
/// 6. `next` waits by itself, on tokio's clock. It never does CPU work on the async worker.
/// 7. [`committed`](Source::committed) only informs: a source must not need it to continue.
/// 8. [`identity`](Source::identity) holds what the meaning of a position depends on, and nothing that may change
///    between two starts of one pipeline, such as a rate.
#[async_trait]
pub trait Source: Send {
    /// The columns of every batch.
    fn schema(&self) -> SchemaRef;

    /// What must be unchanged for stored positions to mean the same.
    fn identity(&self) -> &SourceIdentity;

    /// Continues behind `positions`; splits not named start at their beginning.
    ///
    /// # Errors
    /// When a position is not one of this source, or cannot be reached any more.
    async fn open(&mut self, positions: &Positions) -> Result<(), SourceError>;

    /// The next batch, or whatever else there is to say. Cancel-safe.
    ///
    /// # Errors
    /// When rows cannot be had; the error's kind says whether trying again makes sense.
    async fn next(&mut self, budget: &BatchBudget) -> Result<Next, SourceError>;

    /// Everything up to `positions` is durable.
    ///
    /// # Errors
    /// When the source could not take note of it.
    async fn committed(&mut self, positions: &Positions) -> Result<(), SourceError>;
}

/// Why a source cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The stored positions belong to a source that was set up differently.
    #[error(
        "the stored positions belong to another source: {difference}; set another `pipeline.name` to start from the beginning"
    )]
    Identity {
        /// The first fact that differs, in words.
        difference: String,
    },
    /// What is stored about the source cannot be read back.
    #[error("the stored source cannot be continued: {why}")]
    Stored {
        /// What is wrong with it.
        why: String,
    },
    /// A position that this source never gave out.
    #[error("split {split} of the stored positions does not exist: the source has {splits} splits")]
    UnknownSplit {
        /// The split.
        split: SplitId,
        /// How many there are.
        splits: u32,
    },
    /// The CPU work behind a batch panicked.
    #[error("rows could not be generated")]
    Panicked(#[from] Panicked),
    /// The rows do not form a batch: a defect.
    #[error("rows could not be put into a batch")]
    Arrow(#[from] arrow::error::ArrowError),
}

impl Default for BatchBudget {
    /// 8,192 rows, 1 MiB or 50 ms, whichever comes first.
    fn default() -> Self {
        Self { rows: 8_192, bytes: 1 << 20, linger: Duration::from_millis(50) }
    }
}

impl Classify for SourceError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Identity { .. } => FailureKind::Usage,
            Self::Stored { .. } | Self::UnknownSplit { .. } => FailureKind::Corrupt,
            Self::Panicked(_) | Self::Arrow(_) => FailureKind::Internal,
        }
    }
}
