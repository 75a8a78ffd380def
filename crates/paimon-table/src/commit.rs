//! Committing: the request, its outcome, and why it may fail. [`Committer`] does the work.

use std::sync::Arc;
use std::time::Duration;

use paimon_format::{CommitKind, Snapshot};
use tributary_runtime::{Classify, FailureKind, InvalidBackoff};

pub use crate::committer::Committer;
use crate::error::TableError;
pub use crate::plan::{CommitIdentifier, CommitRequest, CommitUser, NewFile};

/// Looks at every snapshot that appears, before anything is written on top of it.
pub trait CommitGuard: Send + Sync {
    /// Refuses to go on because of `snapshot`, which may be anybody's, also this committer's own from a
    /// try whose reply was lost.
    ///
    /// # Errors
    /// The reason why this committer is fenced, for the message.
    fn inspect(&self, snapshot: &Snapshot) -> Result<(), String>;
}

/// Accepts every snapshot. For tools without incarnations.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unguarded;

/// What became of a request.
#[derive(Clone, Debug)]
pub struct Committed {
    /// The snapshot that carries it.
    pub snapshot: Arc<Snapshot>,
    /// How many snapshots this call tried to create; 0 when none was needed.
    pub attempts: u32,
    /// The snapshot was found, not created by a create that said so: an earlier try had succeeded.
    pub already: bool,
}

/// Why a request is not known to be committed. Its files are kept in every case; whether they may go is what
/// [`Committer::is_settled`] says.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// Reading or writing failed. When transient, pass the same request again.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The create's outcome is not known yet. Pass the same request again: that finds out.
    #[error("it is not known whether snapshot {snapshot} was created: {source}")]
    Unknown {
        /// The snapshot in question.
        snapshot: i64,
        /// What went wrong.
        source: Box<TableError>,
    },
    /// Other committers were faster each time.
    #[error(
        "other committers won {attempts} races in {elapsed:?}; raise commit.max-retries or commit.timeout, or let fewer writers commit to this table"
    )]
    RetriesExhausted {
        /// How many snapshots were tried.
        attempts: u32,
        /// For how long.
        elapsed: Duration,
    },
    /// A newer owner of the commit user has taken over.
    #[error("fenced by snapshot {snapshot}: {why}")]
    Fenced {
        /// The snapshot that shows it.
        snapshot: i64,
        /// How it shows it.
        why: String,
    },
    /// A snapshot is no longer what was read or written.
    #[error(
        "snapshot {snapshot} was replaced by another one (of user {by}): a committer without create-if-absent works on this table, or the table was dropped and created again; rows may be lost, so nothing more is written"
    )]
    Replaced {
        /// The snapshot.
        snapshot: i64,
        /// The commit user of what is there now.
        by: String,
    },
    /// The history that would answer whether the request is committed has expired.
    #[error(
        "snapshot {snapshot} is gone, so it cannot be decided whether {user} committed {identifier} meanwhile: history expired although nothing newer was read; start again, from the positions in the newest snapshot of {user}"
    )]
    Undecidable {
        /// The last snapshot that was inspected.
        snapshot: i64,
        /// The commit user.
        user: String,
        /// The request's identifier.
        identifier: i64,
    },
    /// The table is not there any more, or another one is in its place.
    #[error("the table at {location} {what}; nothing is written to it")]
    TableChanged {
        /// The table's path in the store.
        location: String,
        /// What became of it.
        what: String,
    },
    /// The table has a schema that the writer's rows do not fit.
    #[error(
        "schema {schema} of the table at {location} {what}; nothing more is written under the old one. Bring the INSERT in line with the table's columns and start again: rows that were not committed are read again"
    )]
    SchemaChanged {
        /// The table's path in the store.
        location: String,
        /// The new schema's id.
        schema: i64,
        /// What it does to the columns.
        what: String,
    },
    /// The table is a branch.
    #[error("{table} is a branch, which can be read only; write to the table itself")]
    Branch {
        /// The name, which names the branch.
        table: String,
    },
    /// The request names a file twice.
    #[error("a commit names the file {file} twice")]
    RepeatedFile {
        /// The file's name.
        file: String,
    },
    /// No history could take the request.
    #[error("a commit of kind {kind} {why}")]
    Malformed {
        /// The request's kind.
        kind: CommitKind,
        /// What is wrong with it.
        why: String,
    },
    /// A file that the request removes is not part of the table any more, so nothing of the request is applied: another
    /// committer removed it first. Will not pass: plan again from the newest snapshot.
    #[error(
        "{file} is not part of snapshot {snapshot} any more: another compaction, an overwrite or an expiry of partitions was faster"
    )]
    InputGone {
        /// The file's name.
        file: String,
        /// The snapshot the commit would have been made on.
        snapshot: i64,
    },
    /// The request's identifier lies before one that is committed already.
    #[error(
        "commit {identifier} of {user} comes after its commit {newest}: it was made from an older state and may be part of the table already"
    )]
    OutOfOrder {
        /// The commit user.
        user: String,
        /// The request's identifier.
        identifier: i64,
        /// The user's newest identifier.
        newest: i64,
    },
    /// `commit.min-retry-wait` and `commit.max-retry-wait` do not fit together.
    #[error("commit.min-retry-wait and commit.max-retry-wait: {0}")]
    RetryWait(#[from] InvalidBackoff),
}

// === impl Unguarded ===

impl CommitGuard for Unguarded {
    fn inspect(&self, _snapshot: &Snapshot) -> Result<(), String> {
        Ok(())
    }
}

// === impl CommitError ===

impl Classify for CommitError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Table(source) => source.kind(),
            Self::Unknown { source, .. } => source.kind(),
            Self::RetriesExhausted { .. } | Self::InputGone { .. } => FailureKind::RetriesExhausted,
            Self::Fenced { .. } | Self::OutOfOrder { .. } => FailureKind::Fenced,
            Self::Replaced { .. } | Self::Undecidable { .. } | Self::TableChanged { .. } => FailureKind::Corrupt,
            Self::RepeatedFile { .. } | Self::Malformed { .. } => FailureKind::Internal,
            Self::SchemaChanged { .. } | Self::Branch { .. } | Self::RetryWait(_) => FailureKind::Usage,
        }
    }
}
