//! Places in the text: a [`Span`] marks a stretch of one source, [`Spanned`] pairs it with what stands there.

use std::fmt;

/// A stretch of the source text, and where a person finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// Line of the first character, counted from 1.
    pub line: u32,
    /// Column of the first character, counted from 1 in characters (not bytes).
    pub column: u32,
    /// Byte offset of the first character.
    pub offset: usize,
    /// Length in bytes.
    pub len: usize,
}

/// A value and the place it was read from. Equality looks at both.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Spanned<T> {
    /// What was read.
    pub value: T,
    /// Where.
    pub span: Span,
}

// === impl Span ===

impl Span {
    /// Byte offset just behind the last character.
    pub fn end(&self) -> usize {
        self.offset + self.len
    }

    /// The stretch from the start of `self` to the end of `last`.
    pub fn to(self, last: Span) -> Span {
        Span { len: last.end().max(self.end()) - self.offset, ..self }
    }
}

// === impl Spanned ===

impl<T> Spanned<T> {
    /// Pairs a value with its place.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

impl<T> std::ops::Deref for Spanned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Spanned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Span { line, column, .. } = self.span;
        self.value.fmt(f)?;
        write!(f, "@{line}:{column}")
    }
}

impl<T: fmt::Display> fmt::Display for Spanned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}
