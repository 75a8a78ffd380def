//! Why a call to a REST catalog failed.

use tributary_runtime::{Classify, FailureKind};

use super::credentials::CredentialError;

/// Why a call failed. Shows no secret: what a server says is cleaned of those this client knows.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestError {
    /// There was no answer, or not all of it.
    #[error("{call}: {why}")]
    NoAnswer {
        /// Method and URL.
        call: String,
        /// What happened.
        why: String,
        /// Whether the request may have arrived.
        sent: bool,
    },
    /// The catalog answered that it does not do this.
    #[error("{call} was answered with {status}{}{hint}", message.as_ref().map(|text| format!(": {text}")).unwrap_or_default())]
    Refused {
        /// Method and URL.
        call: String,
        /// HTTP status.
        status: u16,
        /// What the answer is about: one of [`resource`](super::wire::resource).
        resource: Option<String>,
        /// The catalog's words.
        message: Option<String>,
        /// What may help, from a `; ` on; often empty.
        hint: String,
    },
    /// The answer is none of a REST catalog.
    #[error("{call}: the answer is not understood ({why}); is `uri` that of a Paimon REST catalog?")]
    Answer {
        /// Method and URL.
        call: String,
        /// What is wrong with it.
        why: String,
    },
    /// The options that the catalog hands out for a table's store cannot be used. Their values are not shown.
    #[error("what the catalog says of the store of {table} cannot be used: {why}")]
    Storage {
        /// The table.
        table: String,
        /// What is wrong with them.
        why: String,
    },
    /// There is nothing to sign the request with.
    #[error(transparent)]
    Credentials(#[from] CredentialError),
    /// The credentials have expired, and whoever renews them has not done so yet.
    #[error("{call} was refused, because the credentials in {place} have expired; waiting for new ones")]
    Expired {
        /// Method and URL.
        call: String,
        /// Where new ones are expected.
        place: String,
    },
    /// The HTTP client cannot be made.
    #[error("no HTTP client: {why}")]
    Client {
        /// What is wrong.
        why: String,
    },
    /// The table that was loaded is not there any more.
    #[error(
        "table {table} was dropped, renamed or created again: the catalog knows it no longer by the id {id}; nothing is written to it"
    )]
    TableGone {
        /// The table.
        table: String,
        /// The id it had.
        id: String,
    },
    /// Another commit was faster, or our own first try of several.
    #[error("the catalog answered a repeated commit with `success: false`: an earlier try of ours may have won")]
    Repeated,
}

// === impl RestError ===

impl RestError {
    /// The HTTP status of a refusal and what it is about.
    pub(crate) fn refusal(&self) -> Option<(u16, Option<&str>)> {
        match self {
            Self::Refused { status, resource, .. } => Some((*status, resource.as_deref())),
            _ => None,
        }
    }
}

impl Classify for RestError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::NoAnswer { .. } | Self::Expired { .. } | Self::Repeated => FailureKind::Transient,
            Self::Refused { status: 401 | 403, .. } => FailureKind::Auth,
            Self::Refused { status: 501, .. } => FailureKind::Usage,
            Self::Refused { status: 408 | 425 | 429 | 500.., .. } => FailureKind::Transient,
            Self::Refused { .. } | Self::Answer { .. } | Self::Storage { .. } | Self::Client { .. } => {
                FailureKind::Usage
            }
            Self::Credentials(source) => source.kind(),
            Self::TableGone { .. } => FailureKind::Corrupt,
        }
    }
}
