//! `'key' = 'value'` pairs, and which of their values are secrets.
//!
//! A value is a secret if its key looks like one ([`is_secret_key`]) or if it was read from a file (`${file:PATH}`). The
//! text of a secret is reachable by [`OptionValue::expose`] only; Debug and Display print `***`.

use crate::{Span, Spanned};
use std::fmt;

/// What stands in for a secret wherever it would be shown.
pub const MASK: &str = "***";

/// A key that contains one of these (case, `-`, `_` and `.` ignored) holds a secret …
pub const SECRET_WORDS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "credential",
    "accesskey",
    "apikey",
    "privatekey",
    "authorization",
    "jaasconfig",
];

/// … unless it ends in one of these: `token.provider`, `dlf.token-path`, `dlf.token-ecs-role-name` say where a secret comes from.
pub const NOT_SECRET_ENDINGS: &[&str] = &["provider", "path", "file", "loader", "rolename", "metadataurl"];

/// The value of an option or of a SET.
#[derive(Clone, PartialEq, Eq)]
pub struct OptionValue {
    text: String,
    secret: bool,
    span: Span,
}

/// `'key' = 'value'`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionEntry {
    /// The key, variables replaced.
    pub key: Spanned<String>,
    /// Its value.
    pub value: OptionValue,
}

/// The options of one WITH, in their order; no key twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    entries: Vec<OptionEntry>,
}

/// Whether the value of `key` must never be shown: [`SECRET_WORDS`], [`NOT_SECRET_ENDINGS`].
pub fn is_secret_key(key: &str) -> bool {
    let key: String = key.chars().filter(|c| !matches!(c, '-' | '_' | '.')).flat_map(char::to_lowercase).collect();
    SECRET_WORDS.iter().any(|word| key.contains(word)) && !NOT_SECRET_ENDINGS.iter().any(|end| key.ends_with(end))
}

// === impl OptionValue ===

impl OptionValue {
    pub(crate) fn new(text: String, secret: bool, span: Span) -> Self {
        Self { text, secret, span }
    }

    /// The text itself: for use, not for show.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// Whether the text is kept out of Debug, Display and errors.
    pub fn is_secret(&self) -> bool {
        self.secret
    }

    /// `text`, which speaks of this value, without it if it is a secret.
    pub fn masked(&self, text: String) -> String {
        match self.secret && !self.text.is_empty() {
            true => text.replace(&self.text, MASK),
            false => text,
        }
    }

    /// Where the value stands, quotes included.
    pub fn span(&self) -> Span {
        self.span
    }
}

/// The text, or [`MASK`] for a secret.
impl fmt::Display for OptionValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.secret { MASK } else { &self.text })
    }
}

impl fmt::Debug for OptionValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.secret {
            f.write_str(MASK)?;
        } else {
            self.text.fmt(f)?;
        }
        write!(f, "@{}:{}", self.span.line, self.span.column)
    }
}

// === impl Options ===

impl Options {
    /// Adds an entry, or hands back the one that has this key already.
    pub(crate) fn insert(&mut self, entry: OptionEntry) -> Result<(), &OptionEntry> {
        match self.entries.iter().position(|e| e.key.value == entry.key.value) {
            Some(index) => Err(&self.entries[index]),
            None => {
                self.entries.push(entry);
                Ok(())
            }
        }
    }

    /// The entry of `key`; keys are compared exactly.
    pub fn get(&self, key: &str) -> Option<&OptionEntry> {
        self.entries.iter().find(|entry| entry.key.value == key)
    }

    /// All entries, in the order of the text.
    pub fn iter(&self) -> std::slice::Iter<'_, OptionEntry> {
        self.entries.iter()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<'a> IntoIterator for &'a Options {
    type Item = &'a OptionEntry;
    type IntoIter = std::slice::Iter<'a, OptionEntry>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
