//! What can go wrong with a table, and what the caller should do about it.
//!
//! Two storeys: the variants name the object and the lower error, [`Classify`] says what it means for
//! the process. A missing object is an error only where something that exists refers to it; "not there"
//! is otherwise an `Option`, and "could not look" is never read as "not there".

use paimon_format::{FormatError, ManifestEntry};
use tributary_runtime::{Classify, FailureKind, Panicked};

use crate::store::StoreError;

/// Why reading or planning on a table failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The store failed; the source names the operation and the path.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An object's bytes do not follow the format, or use a feature that is not implemented.
    #[error("{object}: {source}")]
    Format {
        /// The object's path below the table.
        object: String,
        /// What is wrong with its bytes.
        source: FormatError,
    },
    /// An object that another one refers to is not there.
    #[error(
        "{object} is missing although {referrer} refers to it; it was deleted by something that did not know it was needed"
    )]
    Missing {
        /// The path of the missing object below the table.
        object: String,
        /// What refers to it.
        referrer: String,
    },
    /// Objects contradict each other.
    #[error("{object} is corrupt: {why}")]
    Corrupt {
        /// The object's path below the table.
        object: String,
        /// The contradiction.
        why: String,
    },
    /// There is no table where one was expected.
    #[error(
        "{location} holds no table: there is no schema file in its `schema` folder; check the path, or create the table"
    )]
    NotATable {
        /// The table's path in the store.
        location: String,
    },
    /// A snapshot that was asked for by its id is not there.
    #[error("snapshot {id} does not exist in {location}; it has expired or was never written")]
    NoSuchSnapshot {
        /// The id that was asked for.
        id: i64,
        /// The table's path in the store.
        location: String,
    },
    /// A tag that was asked for by its name is not there.
    #[error("tag `{name}` does not exist in {location}; it has {known}")]
    NoSuchTag {
        /// The name that was asked for.
        name: String,
        /// The table's path in the store.
        location: String,
        /// The tags there are, in words.
        known: String,
    },
    /// A branch that was asked for by its name is not there.
    #[error("branch `{name}` does not exist in {location}; it has {known}")]
    NoSuchBranch {
        /// The name that was asked for.
        name: String,
        /// The table's path in the store.
        location: String,
        /// The branches there are, in words.
        known: String,
    },
    /// What was asked for cannot be done to this table.
    #[error("cannot {doing} {table}: {why}")]
    Refused {
        /// What was asked for.
        doing: &'static str,
        /// The table's name.
        table: String,
        /// The reason and the remedy.
        why: String,
    },
    /// The catalog did not do what it was asked.
    #[error("{0}")]
    Catalog(Box<dyn Classify + Send + Sync>),
    /// Work on the executor panicked.
    #[error(transparent)]
    Panicked(#[from] Panicked),
}

/// The result of this crate's table functions.
pub type Result<T, E = TableError> = std::result::Result<T, E>;

// === impl TableError ===

impl TableError {
    /// For `map_err`: says which object the format error is about.
    pub(crate) fn format(object: impl Into<String>) -> impl FnOnce(FormatError) -> Self {
        let object = object.into();
        move |source| Self::Format { object, source }
    }

    pub(crate) fn added_twice(entry: &ManifestEntry) -> Self {
        Self::Corrupt {
            object: entry.file.file_name.clone(),
            why: "it is added twice, so its rows are read twice; a writer committed it again".to_owned(),
        }
    }
}

impl Classify for TableError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Store(source) => source.kind(),
            Self::Format { source, .. } => match source {
                FormatError::Unsupported { .. } | FormatError::Option(_) => FailureKind::Usage,
                FormatError::Encode { .. } => FailureKind::Internal,
                _ => FailureKind::Corrupt,
            },
            Self::Missing { .. } | Self::Corrupt { .. } => FailureKind::Corrupt,
            Self::NotATable { .. }
            | Self::NoSuchSnapshot { .. }
            | Self::NoSuchTag { .. }
            | Self::NoSuchBranch { .. }
            | Self::Refused { .. } => FailureKind::Usage,
            Self::Catalog(source) => source.kind(),
            Self::Panicked(_) => FailureKind::Internal,
        }
    }
}
