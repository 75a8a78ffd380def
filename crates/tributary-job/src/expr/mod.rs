//! Scalar expressions: bound to typed columns, evaluated a batch at a time on arrow's kernels, with
//! the semantics of Flink SQL.
//!
//! [`bind`] resolves names and types against a source and reports mistakes with their place; [`eval`] computes columns,
//! or one [`value`] for all rows; the other modules each hold one part of the semantics: [`types`] the rules, [`cast`],
//! [`arithmetic`], [`compare`], [`text`], [`time_field`], [`nested`] and [`collections`] the kernels that work on columns, [`call`] and what it names
//! those that work row by row, [`text_form`] and [`parse`] the text forms, [`zone`] the session's time zone,
//! [`functions`] which functions there are. [`select`] puts them together for one INSERT, for the columns of its
//! [`target`].
//!
//! Not here: aggregates, joins, comparing lists, maps and rows.

mod arithmetic;
pub(crate) mod bind;
mod call;
mod cast;
mod cast_moment;
mod cast_text;
mod collections;
mod compare;
mod date_pattern;
mod eval;
mod functions;
mod java_regex;
mod json;
mod like;
mod moments;
mod nested;
mod numbers;
mod operands;
mod parse;
mod regexes;
mod select;
mod strings;
pub(crate) mod target;
mod text;
mod text_form;
mod time_field;
pub(crate) mod types;
mod value;
mod zone;

pub use eval::EvalError;
pub use select::BoundSelect;
pub use zone::{NoSuchZone, Zone};

#[cfg(test)]
mod batches;
#[cfg(test)]
mod cases;
#[cfg(test)]
mod tests;
