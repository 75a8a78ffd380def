//! Why an operation on a storage failed, and what to do about it.

use std::io::ErrorKind;

use tributary_runtime::{Classify, FailureKind};

use super::credentials::CredentialsError;
use super::transport::Refusal;
use crate::local::DiskError;

/// Why an operation on a storage failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL names a scheme without a backend, or cannot be understood.
    #[error("cannot open storage '{url}': {why}")]
    Url {
        /// The URL as it was given.
        url: String,
        /// What is wrong with it and what to write instead.
        why: String,
    },
    /// The name cannot be an object's name (empty segments, `..`, control characters).
    #[error("'{name}' is not a usable object name: {source}")]
    Name {
        /// The offending name, relative to the root.
        name: String,
        /// What the store says about it.
        source: object_store::path::Error,
    },
    /// The object is not there.
    #[error("cannot {action} {path}: it does not exist")]
    NotFound {
        /// What was being done.
        action: &'static str,
        /// Where the object is, as users name it.
        path: String,
        /// The store's own error.
        source: Box<object_store::Error>,
    },
    /// The store refused, failed or could not be reached.
    #[error("cannot {action} {path}: {}{}", root_cause(source), remedy(source))]
    Store {
        /// What was being done.
        action: &'static str,
        /// Where the object is, as users name it.
        path: String,
        /// The store's own error.
        source: Box<object_store::Error>,
    },
}

// === impl StoreError ===

impl StoreError {
    /// Wraps the store's error with what was being done to which object.
    pub fn new(action: &'static str, path: String, source: object_store::Error) -> Self {
        let source = Box::new(source);
        match *source {
            object_store::Error::NotFound { .. } => Self::NotFound { action, path, source },
            _ => Self::Store { action, path, source },
        }
    }

    /// The operating system's verdict, for a local file system.
    pub fn io_kind(&self) -> Option<ErrorKind> {
        match self {
            Self::NotFound { source, .. } | Self::Store { source, .. } => io_kind(source),
            Self::Url { .. } | Self::Name { .. } => None,
        }
    }
}

impl Classify for StoreError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Url { .. } | Self::Name { .. } => FailureKind::Usage,
            // Every object we read by name was promised by another one.
            Self::NotFound { .. } => FailureKind::Corrupt,
            Self::Store { source, .. } if let Some(refusal) = within::<Refusal>(source) => refusal.kind(),
            Self::Store { source, .. } if let Some(error) = within::<CredentialsError>(source) => error.kind(),
            Self::Store { source, .. } => match (&**source, io_kind(source)) {
                // A folder that may not be written is a matter of set-up, not of credentials. A name that is too long
                // and a file system that cannot do what is asked never get better by waiting.
                (
                    _,
                    Some(
                        ErrorKind::PermissionDenied
                        | ErrorKind::ReadOnlyFilesystem
                        | ErrorKind::NotADirectory
                        | ErrorKind::InvalidFilename
                        | ErrorKind::InvalidInput
                        | ErrorKind::Unsupported,
                    ),
                ) => FailureKind::Usage,
                (object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. }, _) => {
                    FailureKind::Auth
                }
                (
                    object_store::Error::NotSupported { .. }
                    | object_store::Error::NotImplemented { .. }
                    | object_store::Error::InvalidPath { .. }
                    | object_store::Error::UnknownConfigurationKey { .. },
                    _,
                ) => FailureKind::Usage,
                // A full disk is here too: it ends when somebody makes room.
                _ => FailureKind::Transient,
            },
        }
    }
}

/// The error at the bottom of the chain: the layers above it only repeat that something failed. A disk's error says
/// which file it was about, a store's refusal what to correct.
fn root_cause(error: &object_store::Error) -> String {
    let mut cause: &(dyn std::error::Error + 'static) = error;
    let tells = |cause: &(dyn std::error::Error + 'static)| {
        cause.is::<DiskError>() || cause.is::<Refusal>() || cause.is::<CredentialsError>()
    };
    while let (false, Some(source)) = (tells(cause), cause.source()) {
        cause = source;
    }
    cause.to_string()
}

fn remedy(error: &object_store::Error) -> &'static str {
    match io_kind(error) {
        Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => "; make room on the disk",
        Some(ErrorKind::PermissionDenied) => "; give this user the right to write there",
        Some(ErrorKind::ReadOnlyFilesystem) => "; mount it writable or choose another warehouse",
        Some(ErrorKind::InvalidFilename) => "; partition by shorter values: a folder's name has at most 255 bytes",
        Some(ErrorKind::Unsupported) => "; use a file system with hard links and flushes",
        _ => "",
    }
}

fn io_kind(error: &object_store::Error) -> Option<ErrorKind> {
    within::<std::io::Error>(error).map(std::io::Error::kind)
}

/// The first such error in the chain of causes.
fn within<E: std::error::Error + 'static>(error: &object_store::Error) -> Option<&E> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}
