//! SQL text to typed statements: the job language of Tributary, which is the part of Flink SQL that its users write.
//!
//! [`parse`] takes a text and a lookup for its variables and gives a [`Script`]: the statements, every node with its
//! [`Span`], and the [`Source`] they came from. Whoever resolves names and types later reports with [`Source::error`], so
//! that every mistake reads alike: `file:line:column: message`, the line, a caret, a remedy.
//!
//! The way of a text: `lexer` (characters to tokens with byte-exact places) -> `secrets` (which bytes no error may show)
//! -> `variables` (`${NAME}`, `${file:PATH}` inside string literals) -> `statements`, `expressions`, `data_types` over
//! one `parser`. It is written by hand over a grammar this small: exact places for every token, a named refusal for every
//! Flink clause that is not supported, and masked errors are what it is for.
//!
//! Not here: what exists (catalogs, tables, functions, option keys), types of expressions, evaluation. Reads no file, no
//! environment, no clock.

mod ast;
mod error;
mod expr;
mod options;
mod source;
mod span;
mod suggest;
mod types;

pub use ast::{
    ColumnDef, CreateCatalog, CreateDatabase, CreateTable, Ident, Insert, ObjectName, Select, SelectItem, Set,
    Statement, TableRef,
};
pub use error::StatementError;
pub use expr::{BinaryOp, CaseBranch, Expr, ExprKind, Literal, UnaryOp};
pub use options::{MASK, NOT_SECRET_ENDINGS, OptionEntry, OptionValue, Options, SECRET_WORDS, is_secret_key};
pub use source::Source;
pub use span::{Span, Spanned};
pub use suggest::nearest;
pub use types::{MAX_LENGTH, SqlType};

mod lexer;
mod secrets;

use std::sync::Arc;

/// A parsed text.
#[derive(Clone, Debug)]
pub struct Script {
    /// The text, for errors of later stages.
    pub source: Arc<Source>,
    /// In order; each span runs from the first word to the last token, without the semicolon.
    pub statements: Vec<Spanned<Statement>>,
}

/// A variable of the text, as its lookup is asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variable<'a> {
    /// `${NAME}`: an environment variable, by the daemon's convention.
    Named(&'a str),
    /// `${file:PATH}`: the contents of a file, used as they are given (trim the last newline).
    File(&'a str),
}
