//! What can go wrong with the contents of a data file, and what the caller should do about it.

use paimon_format::FormatError;
use parquet::errors::ParquetError;
use tributary_runtime::{Classify, FailureKind, Panicked};

use crate::store::StoreError;

/// Why rows could not be written to or read from a data file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The store failed; the source names the operation and the path.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Rows do not have the table's columns.
    #[error("rows do not fit the table: {why}")]
    Rows {
        /// Which column, and what was expected.
        why: String,
    },
    /// A null in a NOT NULL column.
    #[error(
        "column `{column}` is NOT NULL, but a row has null there; filter such rows out or give them a value with COALESCE"
    )]
    NotNull {
        /// The column.
        column: String,
    },
    /// A value that the column's type cannot hold.
    #[error("column `{column}` cannot hold the value: {why}")]
    Value {
        /// The column.
        column: String,
        /// The value's trouble.
        why: String,
    },
    /// Bounds of a column that do not fit the binary row format.
    #[error("cannot record the file's statistics: {0}")]
    Statistics(#[source] FormatError),
    /// The encoder failed.
    #[error("cannot encode a data file: {0}")]
    Encode(#[source] ParquetError),
    /// The data file's bytes contradict themselves, its manifest entry or the table's schema.
    #[error("data file {path} is corrupt: {why}")]
    Corrupt {
        /// The file's path in the store.
        path: String,
        /// The contradiction.
        why: String,
    },
    /// The data file is fine, but holds something that is not implemented.
    #[error("data file {path} cannot be read: {feature}")]
    Unsupported {
        /// The file's path in the store.
        path: String,
        /// What is not implemented, with the column it concerns.
        feature: String,
    },
    /// Work on the executor panicked.
    #[error(transparent)]
    Panicked(#[from] Panicked),
}

// === impl DataError ===

impl Classify for DataError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Store(source) => source.kind(),
            Self::Rows { .. } | Self::Statistics(_) | Self::Encode(_) | Self::Panicked(_) => FailureKind::Internal,
            Self::NotNull { .. } | Self::Value { .. } | Self::Unsupported { .. } => FailureKind::Usage,
            Self::Corrupt { .. } => FailureKind::Corrupt,
        }
    }
}
