//! What a failure means to whoever started the process: retry, correct something, or look closer.

use std::fmt;

/// The kinds of failure that lead to different actions. Everything finer stays in the error's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// Time-out, 5xx, no network: goes away by itself. Retried without limit.
    Transient,
    /// Wrong argument, statement, option, or a source that is not the one of the stored positions.
    Usage,
    /// The store or catalog refused the credentials.
    Auth,
    /// A newer incarnation of the same pipeline has taken over.
    Fenced,
    /// What is stored contradicts itself or what this process wrote.
    Corrupt,
    /// Other committers won `commit.max-retries` times, or for `commit.timeout`.
    RetriesExhausted,
    /// The drain deadline passed with work left.
    NotDrained,
    /// A defect of this program.
    Internal,
}

impl FailureKind {
    /// The process's exit code (0 is kept for done or drained).
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Internal | Self::Transient => 1,
            Self::Usage => 2,
            Self::Auth => 3,
            Self::Fenced => 4,
            Self::Corrupt => 5,
            Self::RetriesExhausted => 6,
            Self::NotDrained => 7,
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Transient => "transient",
            Self::Usage => "usage",
            Self::Auth => "authentication",
            Self::Fenced => "fenced",
            Self::Corrupt => "corrupt",
            Self::RetriesExhausted => "retries exhausted",
            Self::NotDrained => "not drained",
            Self::Internal => "internal",
        })
    }
}

/// An error that knows its [`FailureKind`].
pub trait Classify: std::error::Error {
    /// What the failure means to whoever started the process.
    fn kind(&self) -> FailureKind;
}
