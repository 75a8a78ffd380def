//! Where rows come from: the [`Source`] trait, and datagen.
//!
//! A source hands out batches of rows, each with the [`Interval`](tributary_runtime::Interval) of positions it
//! covers. Positions are the whole of its durable state: they are committed with the rows, and a source opened
//! at the committed positions continues behind them. What a source must keep to is written at [`Source`] and
//! checked by the suite in `conformance` (feature `conformance`).
//!
//! Not here: what becomes of the rows. Source and sink never know each other; the job joins them.

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod datagen;
mod source;

pub use source::{BatchBudget, Next, Source, SourceBatch, SourceError};
