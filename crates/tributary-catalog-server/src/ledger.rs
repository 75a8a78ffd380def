//! Where the state is kept: pairs of key and value that change in all-or-nothing steps. Small on purpose, so that a
//! shared database can take the place of the embedded one; [`conformance`] says what an implementation must do.

mod memory;
mod redb;

#[cfg(test)]
mod conformance;

use std::collections::BTreeMap;

use async_trait::async_trait;
use tributary_runtime::{Classify, FailureKind};

pub use memory::MemoryLedger;
pub use redb::RedbLedger;

/// One step's part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// The key has this value from now on.
    Put(String, Vec<u8>),
    /// The key has no value from now on.
    Remove(String),
}

/// Keeps pairs of key and value for one process at a time.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Everything there is.
    async fn load(&self) -> Result<BTreeMap<String, Vec<u8>>, LedgerError>;

    /// Makes all of `writes` happen, in their order, or none of them. They survive a power cut when this returns.
    async fn apply(&self, writes: Vec<Write>) -> Result<(), LedgerError>;
}

/// Why a ledger cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Another process has it open.
    #[error(
        "the catalog's database {path} is in use: another server serves this warehouse; stop it, a warehouse has one server"
    )]
    InUse {
        /// Its file.
        path: String,
    },
    /// The file, or the system under it, failed.
    #[error("the catalog's database {path}: {why}")]
    Failed {
        /// Its file.
        path: String,
        /// What went wrong.
        why: String,
    },
    /// It holds something that this version did not write.
    #[error(
        "the catalog's database holds an entry '{key}' that cannot be read: {why}; start with --import and another database file to build it anew from the warehouse"
    )]
    Corrupt {
        /// The entry.
        key: String,
        /// What is wrong with it.
        why: String,
    },
}

// === impl LedgerError ===

impl Classify for LedgerError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::InUse { .. } => FailureKind::Usage,
            Self::Failed { .. } => FailureKind::Internal,
            Self::Corrupt { .. } => FailureKind::Corrupt,
        }
    }
}
