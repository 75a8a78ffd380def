//! Conditions on columns, and whether statistics exclude that any row meets them.
//!
//! Evaluation is SQL's: a comparison with null is not true, so `NOT` is resolved where a predicate is built
//! ([`Predicate::not`]) and every predicate asks "is this true for a row". The answer [`Predicate::may_match`] errs on
//! one side only: `false` means that no row matches; `true` promises nothing.
//!
//! Partitions are pruned by the same rule: a partition value is a column with equal bounds ([`exactly`]).

use std::cmp::Ordering;

use paimon_format::{ColumnStats, Datum};

/// A condition on the columns of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Predicate {
    /// `column op value`.
    Compare {
        /// The column's name.
        column: String,
        /// The comparison.
        op: Comparison,
        /// What the column is compared with, of the column's type.
        value: Datum,
    },
    /// The column equals one of the values.
    In {
        /// The column's name.
        column: String,
        /// The values, of the column's type.
        values: Vec<Datum>,
    },
    /// The column is not null and equals none of the values.
    NotIn {
        /// The column's name.
        column: String,
        /// The values, of the column's type.
        values: Vec<Datum>,
    },
    /// The column is null.
    IsNull(String),
    /// The column is not null.
    IsNotNull(String),
    /// All of them; true when empty.
    And(Vec<Predicate>),
    /// Any of them; false when empty.
    Or(Vec<Predicate>),
}

/// A comparison of a column with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Equal.
    Eq,
    /// Not equal.
    NotEq,
    /// Less.
    Lt,
    /// Less or equal.
    LtEq,
    /// Greater.
    Gt,
    /// Greater or equal.
    GtEq,
}

// === impl Comparison ===

impl Comparison {
    fn negated(self) -> Self {
        match self {
            Self::Eq => Self::NotEq,
            Self::NotEq => Self::Eq,
            Self::Lt => Self::GtEq,
            Self::LtEq => Self::Gt,
            Self::Gt => Self::LtEq,
            Self::GtEq => Self::Lt,
        }
    }
}

// === impl Predicate ===

impl Predicate {
    /// `column op value`.
    pub fn compare(column: impl Into<String>, op: Comparison, value: Datum) -> Self {
        Self::Compare { column: column.into(), op, value }
    }

    /// SQL's NOT: true where `self` is false, and not where it is unknown.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "it is SQL's operator, not Rust's")]
    pub fn not(self) -> Self {
        match self {
            Self::Compare { column, op, value } => Self::Compare { column, op: op.negated(), value },
            Self::In { column, values } => Self::NotIn { column, values },
            Self::NotIn { column, values } => Self::In { column, values },
            Self::IsNull(column) => Self::IsNotNull(column),
            Self::IsNotNull(column) => Self::IsNull(column),
            Self::And(parts) => Self::Or(parts.into_iter().map(Self::not).collect()),
            Self::Or(parts) => Self::And(parts.into_iter().map(Self::not).collect()),
        }
    }

    /// Whether one of `rows` rows with these statistics may meet the condition. `stats` gives a column's statistics by
    /// name, `None` where nothing is known of it.
    pub fn may_match(&self, rows: i64, stats: &dyn Fn(&str) -> Option<ColumnStats>) -> bool {
        let known = |column: &str| stats(column).unwrap_or_default();
        match self {
            Self::Compare { column, op, value } => {
                let column = known(column);
                has_values(&column, rows) && bounds_allow(&column, *op, value)
            }
            Self::In { column, values } => {
                let column = known(column);
                has_values(&column, rows) && values.iter().any(|value| bounds_allow(&column, Comparison::Eq, value))
            }
            Self::NotIn { column, values } => {
                let column = known(column);
                has_values(&column, rows) && values.iter().all(|value| bounds_allow(&column, Comparison::NotEq, value))
            }
            Self::IsNull(column) => known(column).null_count.is_none_or(|nulls| nulls > 0),
            Self::IsNotNull(column) => has_values(&known(column), rows),
            Self::And(parts) => parts.iter().all(|part| part.may_match(rows, stats)),
            Self::Or(parts) => parts.iter().any(|part| part.may_match(rows, stats)),
        }
    }

    /// The names of the columns it reads, each once, sorted.
    pub fn columns(&self) -> Vec<&str> {
        let mut names = match self {
            Self::Compare { column, .. }
            | Self::In { column, .. }
            | Self::NotIn { column, .. }
            | Self::IsNull(column)
            | Self::IsNotNull(column) => vec![column.as_str()],
            Self::And(parts) | Self::Or(parts) => parts.iter().flat_map(Self::columns).collect(),
        };
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// The statistics of a column that holds `value` in each of `rows` rows, as a partition's columns do.
pub fn exactly(value: Option<Datum>, rows: i64) -> ColumnStats {
    ColumnStats { null_count: Some(if value.is_some() { 0 } else { rows }), min: value.clone(), max: value }
}

fn has_values(column: &ColumnStats, rows: i64) -> bool {
    column.null_count.is_none_or(|nulls| nulls < rows)
}

/// Whether a value between the bounds may compare so. An unknown bound, a value of another type and NaN allow all.
fn bounds_allow(column: &ColumnStats, op: Comparison, value: &Datum) -> bool {
    let min = column.min.as_ref().and_then(|min| compare(min, value));
    let max = column.max.as_ref().and_then(|max| compare(max, value));
    match op {
        Comparison::Eq => min.is_none_or(|min| min.is_le()) && max.is_none_or(|max| max.is_ge()),
        Comparison::NotEq => !(min.is_some_and(|min| min.is_eq()) && max.is_some_and(|max| max.is_eq())),
        Comparison::Lt => min.is_none_or(|min| min.is_lt()),
        Comparison::LtEq => min.is_none_or(|min| min.is_le()),
        Comparison::Gt => max.is_none_or(|max| max.is_gt()),
        Comparison::GtEq => max.is_none_or(|max| max.is_ge()),
    }
}

/// The engines' order, where it differs from Java's `compareTo`: both zeros are equal, and about NaN they disagree.
fn compare(bound: &Datum, value: &Datum) -> Option<Ordering> {
    match (bound, value) {
        (Datum::Float(bound), Datum::Float(value)) => bound.partial_cmp(value),
        (Datum::Double(bound), Datum::Double(value)) => bound.partial_cmp(value),
        _ => bound.compare(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Comparison::{Eq, Gt, GtEq, Lt, LtEq, NotEq};

    fn int(value: i32) -> Datum {
        Datum::Int(value)
    }

    fn is(op: Comparison, value: i32) -> Predicate {
        Predicate::compare("c", op, int(value))
    }

    fn within(column: &str, values: &[i32]) -> Predicate {
        Predicate::In { column: column.to_owned(), values: values.iter().copied().map(int).collect() }
    }

    /// 10 rows; `c` is between 3 and 7 with 2 nulls, `n` only null, `one` is 5 throughout; nothing is known of others.
    fn may_match(predicate: &Predicate) -> bool {
        predicate.may_match(10, &|column| match column {
            "c" => Some(ColumnStats { min: Some(int(3)), max: Some(int(7)), null_count: Some(2) }),
            "n" => Some(exactly(None, 10)),
            "one" => Some(exactly(Some(int(5)), 10)),
            _ => None,
        })
    }

    #[test]
    fn a_file_is_read_only_if_its_bounds_allow_a_match() {
        let c = |op, value| is(op, value);
        let n = |op| Predicate::compare("n", op, int(1));
        let one = |op, value| Predicate::compare("one", op, int(value));
        for (predicate, expected) in [
            (c(Eq, 2), false),
            (c(Eq, 3), true),
            (c(Eq, 7), true),
            (c(Eq, 8), false),
            (c(NotEq, 3), true),
            (c(Lt, 3), false),
            (c(Lt, 4), true),
            (c(LtEq, 2), false),
            (c(LtEq, 3), true),
            (c(Gt, 7), false),
            (c(Gt, 6), true),
            (c(GtEq, 8), false),
            (c(GtEq, 7), true),
            (n(Eq), false),
            (n(NotEq), false),
            (one(NotEq, 5), false),
            (one(NotEq, 4), true),
            (one(Eq, 5), true),
            (within("c", &[1, 2, 8]), false),
            (within("c", &[1, 4]), true),
            (within("c", &[]), false),
            (within("one", &[5, 6]).not(), false),
            (within("one", &[4, 6]).not(), true),
            (within("n", &[4]).not(), false),
            (Predicate::IsNull("c".into()), true),
            (Predicate::IsNull("one".into()), false),
            (Predicate::IsNotNull("n".into()), false),
            (Predicate::IsNotNull("c".into()), true),
            (Predicate::And(vec![c(Gt, 3), c(Gt, 7)]), false),
            (Predicate::Or(vec![c(Gt, 7), c(Eq, 4)]), true),
            (Predicate::Or(vec![c(Gt, 7), c(Eq, 9)]), false),
            (Predicate::And(vec![]), true),
            (Predicate::Or(vec![]), false),
            // What is not known, or of another type, excludes nothing.
            (Predicate::compare("unknown", Eq, int(1)), true),
            (Predicate::IsNull("unknown".into()), true),
            (Predicate::compare("c", Eq, Datum::BigInt(99)), true),
            (Predicate::compare("c", Gt, Datum::Float(f32::NAN)), true),
        ] {
            assert_eq!(may_match(&predicate), expected, "{predicate:?}");
        }
    }

    #[test]
    fn zeros_are_equal_and_nan_excludes_nothing() {
        let zero = ColumnStats { min: Some(Datum::Double(0.0)), max: Some(Datum::Double(0.0)), null_count: Some(0) };
        for (op, value, expected) in [
            (Eq, -0.0, true),
            (NotEq, -0.0, false),
            (Lt, 0.0, false),
            (GtEq, -0.0, true),
            (Gt, f64::NAN, true),
            (Eq, f64::NAN, true),
        ] {
            let predicate = Predicate::compare("c", op, Datum::Double(value));
            assert_eq!(predicate.may_match(1, &|_| Some(zero.clone())), expected, "{predicate:?}");
        }
    }

    #[test]
    fn not_follows_sql_and_never_matches_null() {
        for (predicate, negated) in [
            (is(Eq, 1), is(NotEq, 1)),
            (is(Lt, 1), is(GtEq, 1)),
            (is(LtEq, 1), is(Gt, 1)),
            (
                Predicate::And(vec![is(Eq, 1), Predicate::IsNull("c".into())]),
                Predicate::Or(vec![is(NotEq, 1), Predicate::IsNotNull("c".into())]),
            ),
        ] {
            assert_eq!(predicate.clone().not(), negated);
            assert_eq!(negated.not(), predicate);
        }
        // NOT (n = 1) is unknown where n is null.
        assert!(!may_match(&Predicate::compare("n", Eq, int(1)).not()));
    }

    #[test]
    fn columns_are_named_once() {
        let predicate = Predicate::Or(vec![is(Eq, 1), Predicate::IsNull("a".into()), is(Lt, 9)]);
        assert_eq!(predicate.columns(), ["a", "c"]);
    }
}
