//! Statements in, running pipelines out.

mod expr;

pub use expr::{BoundSelect, EvalError, NoSuchZone, Zone};
