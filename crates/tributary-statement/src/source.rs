//! [`Source`]: a named text that errors can point into without showing its secrets.

use crate::error::{Excerpt, StatementError};
use crate::lexer::Token;
use crate::{MASK, Span, secrets};
use std::fmt;
use std::ops::Range;

/// The text of one file (or of `-e`), and where its secrets are.
#[derive(Clone)]
pub struct Source {
    name: String,
    text: String,
    /// Bytes never shown: in order, disjoint.
    secrets: Vec<Range<usize>>,
}

// === impl Source ===

impl Source {
    pub(crate) fn new(name: &str, text: &str, tokens: &[Token]) -> Self {
        Self { name: name.to_owned(), text: text.to_owned(), secrets: secrets::find(text, tokens) }
    }

    /// The name errors start with: a file name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text as given, secrets included: not for show.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// An error at `span`. `message`: lower case, no full stop, names the object; it must not quote the value of a secret.
    pub fn error(&self, span: Span, message: impl Into<String>) -> StatementError {
        StatementError::new(&self.name, span, message.into(), self.excerpt(span))
    }

    /// The text of `span`, secrets included.
    pub(crate) fn text(&self, span: Span) -> &str {
        &self.text[span.offset..span.end()]
    }

    /// The text between the quotes of the token at `span`.
    pub(crate) fn inside(&self, span: Span) -> &str {
        let text = self.text(span);
        let end = text.len().saturating_sub(1);
        text.get(1..end).unwrap_or_default()
    }

    /// The place of a range of bytes.
    pub(crate) fn span(&self, range: Range<usize>) -> Span {
        let before = &self.text[..range.start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).saturating_add(1);
        Span {
            line: count(before.matches('\n').count()),
            column: count(before[line_start..].chars().count()),
            offset: range.start,
            len: range.len(),
        }
    }

    /// The text of `span`, [`MASK`] in place of secrets.
    pub(crate) fn shown(&self, span: Span) -> String {
        self.masked(span.offset..span.end())
    }

    /// Whether anything in `span` is a secret.
    pub(crate) fn is_secret(&self, span: Span) -> bool {
        self.secrets.iter().any(|secret| secret.start < span.end() && span.offset < secret.end)
    }

    fn excerpt(&self, span: Span) -> Excerpt {
        let offset = span.offset.min(self.text.len());
        let start = self.text[..offset].rfind('\n').map_or(0, |at| at + 1);
        let end = self.text[offset..].find('\n').map_or(self.text.len(), |at| offset + at);
        // A mark inside a secret would tell how long it is: it grows to the whole mask.
        let inside = self.secrets.iter().find(|secret| secret.start < offset && offset < secret.end);
        let marked_start = inside.map_or(offset, |secret| secret.start.max(start));
        let marked_end = span.end().clamp(offset, end);
        let before = self.masked(start..marked_start).chars().count();
        let upto = self.masked(start..marked_end).chars().count();
        Excerpt {
            line: self.masked(start..start + self.text[start..end].trim_end().len()),
            before,
            marked: upto.saturating_sub(before).max(1),
        }
    }

    /// The bytes of `range` with every secret that touches it replaced by one [`MASK`], control characters made visible.
    fn masked(&self, range: Range<usize>) -> String {
        let mut shown = String::new();
        let mut at = range.start;
        for secret in &self.secrets {
            if secret.end <= at || secret.start >= range.end {
                continue;
            }
            shown.push_str(&self.text[at..secret.start.max(at)]);
            shown.push_str(MASK);
            at = secret.end.min(range.end);
        }
        shown.push_str(&self.text[at..range.end]);
        shown
            .chars()
            .map(|c| match c {
                '\t' | '\n' => c,
                c if c.is_control() => char::REPLACEMENT_CHARACTER,
                c => c,
            })
            .collect()
    }
}

/// The name only: the text may hold secrets.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Source").field(&self.name).finish()
    }
}
