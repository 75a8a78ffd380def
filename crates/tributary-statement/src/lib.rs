//! SQL text to typed statements: the job language of Tributary, which is the part of Flink SQL that its users write.
//!
//! [`parse`] takes a text and a lookup for its variables and gives a [`Script`]: the statements, every node with its
//! [`Span`], and the [`Source`] they came from. Whoever resolves names and types later reports with [`Source::error`], so
//! that every mistake reads alike: `file:line:column: message`, the line, a caret, a remedy.
//!
//! The way of a text: `lexer` (characters to tokens with byte-exact places) -> `secrets` (which bytes no error may show)
//! -> `variables` (`${NAME}`, `${file:PATH}` inside string literals) -> `statements`, `tables`, `queries`, `expressions`,
//! `procedures`, `calls`, `collections`, `data_types` over one `parser`. It is written by hand over a grammar this small: exact places for every token, a named refusal for every
//! Flink clause that is not supported, and masked errors are what it is for.
//!
//! Not here: what exists (catalogs, tables, functions, option keys), types of expressions, evaluation. Reads no file, no
//! environment, no clock.

mod ast;
mod calls;
mod collections;
mod data_types;
mod error;
mod expr;
mod expressions;
mod lexer;
mod literals;
mod options;
mod parser;
mod procedures;
mod queries;
mod secrets;
mod source;
mod span;
mod statements;
mod suggest;
mod tables;
mod types;
mod variables;

pub use ast::{
    Call, ColumnDef, ComputedColumn, CreateCatalog, CreateDatabase, CreateTable, DropTable, Ident, Insert, Like,
    Merging, ObjectName, PartitionValue, Select, SelectItem, Set, Statement, TableColumn, TableRef,
};
pub use error::StatementError;
pub use expr::{BinaryOp, CaseBranch, Expr, ExprKind, Literal, UnaryOp};
pub use options::{MASK, NOT_SECRET_ENDINGS, OptionEntry, OptionValue, Options, SECRET_WORDS, is_secret_key};
pub use source::Source;
pub use span::{Span, Spanned};
pub use suggest::nearest;
pub use types::{MAX_LENGTH, PartType, RowField, SqlType};

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

/// The statements of `text`. `name` (a file name) is what errors start with; `variables` gives the value of a variable, or
/// says why there is none (`not set`); it is asked once per use, and only for variables inside string literals.
///
/// # Errors
///
/// The first mistake: text that is no statement, a clause or type that is not supported, a variable without a value, a
/// placeholder nobody filled in, a column or an option given twice.
pub fn parse(
    name: &str,
    text: &str,
    variables: &dyn Fn(Variable<'_>) -> Result<String, String>,
) -> Result<Script, StatementError> {
    let (source, tokens) = tokenize(name, text)?;
    let statements = parser::Parser::new(&source, &tokens, variables).script()?;
    Ok(Script { source: Arc::new(source), statements })
}

/// An expression by itself, such as the condition of a `where` argument; it takes no variables.
///
/// # Errors
///
/// The first mistake.
pub fn parse_expression(name: &str, text: &str) -> Result<(Source, Expr), StatementError> {
    let (source, tokens) = tokenize(name, text)?;
    let expr = parser::Parser::new(&source, &tokens, &|_| Err("variables are not replaced here".to_owned())).whole()?;
    Ok((source, expr))
}

fn tokenize(name: &str, text: &str) -> Result<(Source, Vec<lexer::Token>), StatementError> {
    let (tokens, lex_error) = lexer::tokenize(text);
    let source = Source::new(name, text, &tokens);
    let Some(lexer::LexError { span, message, help }) = lex_error else {
        return Ok((source, tokens));
    };
    let error = source.error(span, message);
    Err(match help {
        Some(help) => error.with_help(help),
        None => error,
    })
}
