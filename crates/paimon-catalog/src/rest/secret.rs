//! Text that must not be seen.

use std::fmt;

use subtle::ConstantTimeEq;

/// A token or the secret of a key. Prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

// === impl Secret ===

impl Secret {
    /// Hides `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for whom it is made.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether this is `given`. The time it takes tells its length at most.
    pub fn is(&self, given: &str) -> bool {
        self.0.as_bytes().ct_eq(given.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
