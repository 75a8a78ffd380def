//! What enters the sink: a batch of source rows with the interval it covers, and the expression that
//! turns it into rows of the target table.

use arrow::array::{Array, ArrayRef};
use arrow::record_batch::RecordBatch;
use tributary_runtime::Interval;

/// Rows of one source split, with the positions they cover.
#[derive(Debug, Clone)]
pub struct SinkBatch {
    /// Positions covered; must chain to what was sent before for the same split.
    pub interval: Interval,
    /// Wall-clock time the batch was stamped with: Unix milliseconds, UTC.
    pub at_millis: i64,
    /// Rows in the source's schema. May be empty: positions then move without rows.
    pub rows: RecordBatch,
}

/// The SELECT of a pipeline: source rows in, rows of the target table out.
///
/// Runs on the [`Executor`](tributary_runtime::Executor), several batches at a time, and must be a
/// function of its arguments alone: a replayed batch has to produce the same rows.
pub trait RowTransform: Send + Sync {
    /// Rows in the target table's Arrow schema, in any number (WHERE may drop some or all).
    ///
    /// # Errors
    /// A value that does not fit its column. It stops the pipeline: there is no silent NULL.
    fn apply(&self, rows: &RecordBatch, at_millis: i64) -> Result<RecordBatch, TransformError>;
}

/// A row the SELECT could not turn into a row of the table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TransformError(String);

// === impl SinkBatch ===

impl SinkBatch {
    /// Bytes the rows hold, counting only the slices they refer to.
    pub(crate) fn weight(&self) -> usize {
        weight(&self.rows)
    }
}

/// Bytes of the rows alone, whatever the buffers are that they were cut from.
pub(crate) fn weight(rows: &RecordBatch) -> usize {
    let column =
        |column: &ArrayRef| column.to_data().get_slice_memory_size().unwrap_or_else(|_| column.get_array_memory_size());
    rows.columns().iter().map(column).sum()
}

// === impl TransformError ===

impl TransformError {
    /// An error that names the column and the value's problem (never a secret).
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}
