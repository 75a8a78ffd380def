//! The one error type of this crate.
//!
//! Nothing here knows a path: the caller that read the bytes adds the object's name.

use crate::options::OptionError;

/// Why bytes, text or a request could not be turned into the thing asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// Bytes or text that do not follow the format; `object` says of what kind, `why` where and how.
    #[error("corrupt {object}: {why}")]
    Corrupt {
        /// The kind of thing that was being read, for example "snapshot" or "binary row".
        object: &'static str,
        /// Where in the object and what is wrong with it.
        why: String,
    },
    /// JSON that is not JSON, or lacks a member.
    #[error("corrupt {object}: {source}")]
    Json {
        /// The kind of thing that was being read.
        object: &'static str,
        /// The parser's account, with line and column.
        source: serde_json::Error,
    },
    /// Well-formed, but uses something Tributary does not implement.
    #[error("unsupported table feature: {feature}")]
    Unsupported {
        /// The feature, with the option, column or field that asks for it.
        feature: String,
    },
    /// A data type's text that cannot be understood.
    #[error("cannot parse the data type `{text}`: {why}")]
    DataType {
        /// The text.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// A value that does not fit the type or the place it is written to.
    #[error("cannot encode {what}: {why}")]
    Encode {
        /// What was being written.
        what: &'static str,
        /// Why it does not fit.
        why: String,
    },
    /// A table option that cannot be understood.
    #[error(transparent)]
    Option(#[from] OptionError),
}

/// The result of every fallible function of this crate.
pub type Result<T, E = FormatError> = std::result::Result<T, E>;

// === impl FormatError ===

impl FormatError {
    pub(crate) fn corrupt(object: &'static str, why: impl Into<String>) -> Self {
        Self::Corrupt { object, why: why.into() }
    }

    pub(crate) fn json(object: &'static str, source: serde_json::Error) -> Self {
        Self::Json { object, source }
    }

    pub(crate) fn unsupported(feature: impl Into<String>) -> Self {
        Self::Unsupported { feature: feature.into() }
    }

    pub(crate) fn encode(what: &'static str, why: impl Into<String>) -> Self {
        Self::Encode { what, why: why.into() }
    }
}
