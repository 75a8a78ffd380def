//! [`StatementError`]: what is wrong, where, and what to do, with the line of the text shown and secrets in it masked.

use crate::Span;
use std::fmt;

/// A mistake in the text. Displays as
///
/// ```text
/// job.sql:2:6: unknown type `STRIN`
///   2 |   id STRIN NOT NULL,
///     |      ^^^^^
///   help: did you mean STRING?
/// ```
///
/// Built by [`Source::error`](crate::Source::error), so that later stages (unknown tables, types that do not fit) report the same way.
#[derive(Clone, PartialEq, Eq)]
pub struct StatementError(Box<Report>);

#[derive(Clone, PartialEq, Eq)]
struct Report {
    source: String,
    span: Span,
    message: String,
    help: Option<String>,
    excerpt: Excerpt,
}

/// One line of the text, secrets masked, and the stretch of it to mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Excerpt {
    pub(crate) line: String,
    /// Characters before the mark.
    pub(crate) before: usize,
    /// Characters marked, at least one.
    pub(crate) marked: usize,
}

// === impl StatementError ===

impl StatementError {
    pub(crate) fn new(source: &str, span: Span, message: String, excerpt: Excerpt) -> Self {
        Self(Box::new(Report { source: source.to_owned(), span, message, help: None, excerpt }))
    }

    /// Adds the remedy; lower case, no full stop.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// Adds the remedy if there is none yet.
    pub(crate) fn or_help(self, help: impl Into<String>) -> Self {
        if self.0.help.is_some() { self } else { self.with_help(help) }
    }

    /// What is wrong, without place and remedy.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The remedy, where one is known.
    pub fn help(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    /// The stretch of the text it is about.
    pub fn span(&self) -> Span {
        self.0.span
    }
}

impl fmt::Display for StatementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { source, span, message, help, excerpt } = &*self.0;
        let number = span.line.to_string();
        let gutter = " ".repeat(number.len());
        writeln!(f, "{source}:{}:{}: {message}", span.line, span.column)?;
        writeln!(f, "  {number} | {}", excerpt.line)?;
        write!(f, "  {gutter} | ")?;
        let above = excerpt.line.chars().chain(std::iter::repeat(' '));
        for c in above.take(excerpt.before) {
            f.write_str(if c == '\t' { "\t" } else { " " })?;
        }
        f.write_str(&"^".repeat(excerpt.marked))?;
        match help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

/// As Display: a report is read by people, and no field may show what the display masks.
impl fmt::Debug for StatementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for StatementError {}
