//! Single values, and rows of them in Paimon's binary layout.

mod binary_row;

use std::cmp::Ordering;

use crate::types::TypeRoot;

pub use binary_row::BinaryRow;

/// One non-null value; null is `Option::None`.
///
/// Several types share a variant: CHAR and VARCHAR are `String`, BINARY and VARBINARY `Bytes`, both
/// timestamps `Timestamp`.
#[derive(Debug, Clone, PartialEq)]
pub enum Datum {
    /// BOOLEAN.
    Boolean(bool),
    /// TINYINT.
    TinyInt(i8),
    /// SMALLINT.
    SmallInt(i16),
    /// INT.
    Int(i32),
    /// BIGINT.
    BigInt(i64),
    /// FLOAT.
    Float(f32),
    /// DOUBLE.
    Double(f64),
    /// DECIMAL: the value is `unscaled` / 10^`scale`.
    Decimal {
        /// The digits as an integer.
        unscaled: i128,
        /// Digits in all, of the type.
        precision: u8,
        /// Digits after the point, of the type.
        scale: u8,
    },
    /// CHAR, VARCHAR.
    String(String),
    /// BINARY, VARBINARY.
    Bytes(Vec<u8>),
    /// DATE: days since 1970-01-01.
    Date(i32),
    /// TIME: milliseconds since midnight.
    Time(i32),
    /// TIMESTAMP and TIMESTAMP_LTZ, since 1970-01-01T00:00 (local time, or UTC).
    Timestamp {
        /// Whole milliseconds, rounded down.
        millis: i64,
        /// The rest, 0 to 999,999 nanoseconds.
        nano_of_milli: i32,
    },
}

// === impl Datum ===

impl Datum {
    /// Whether this is a value of the type, range and length of the type apart.
    pub fn is_of(&self, root: &TypeRoot) -> bool {
        match self {
            Self::Boolean(_) => matches!(root, TypeRoot::Boolean),
            Self::TinyInt(_) => matches!(root, TypeRoot::TinyInt),
            Self::SmallInt(_) => matches!(root, TypeRoot::SmallInt),
            Self::Int(_) => matches!(root, TypeRoot::Int),
            Self::BigInt(_) => matches!(root, TypeRoot::BigInt),
            Self::Float(_) => matches!(root, TypeRoot::Float),
            Self::Double(_) => matches!(root, TypeRoot::Double),
            Self::Decimal { precision, scale, .. } => {
                matches!(root, TypeRoot::Decimal { precision: p, scale: s } if p == precision && s == scale)
            }
            Self::String(_) => matches!(root, TypeRoot::Char(_) | TypeRoot::Varchar(_)),
            Self::Bytes(_) => matches!(root, TypeRoot::Binary(_) | TypeRoot::Varbinary(_)),
            Self::Date(_) => matches!(root, TypeRoot::Date),
            Self::Time(_) => matches!(root, TypeRoot::Time(_)),
            Self::Timestamp { .. } => {
                matches!(root, TypeRoot::Timestamp(_) | TypeRoot::TimestampLtz(_))
            }
        }
    }

    /// Paimon's order within one type (`CompareUtils`): text and bytes by unsigned byte, numbers as
    /// Java's `compareTo`, which puts NaN last and -0.0 before 0.0. `None` across types.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        Some(match (self, other) {
            (Self::Boolean(a), Self::Boolean(b)) => a.cmp(b),
            (Self::TinyInt(a), Self::TinyInt(b)) => a.cmp(b),
            (Self::SmallInt(a), Self::SmallInt(b)) => a.cmp(b),
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::BigInt(a), Self::BigInt(b)) => a.cmp(b),
            (Self::Float(a), Self::Float(b)) => java_order(f64::from(*a), f64::from(*b)),
            (Self::Double(a), Self::Double(b)) => java_order(*a, *b),
            (Self::Decimal { unscaled: a, scale: p, .. }, Self::Decimal { unscaled: b, scale: q, .. }) if p == q => {
                a.cmp(b)
            }
            (Self::String(a), Self::String(b)) => a.cmp(b),
            (Self::Bytes(a), Self::Bytes(b)) => a.cmp(b),
            (Self::Date(a), Self::Date(b)) | (Self::Time(a), Self::Time(b)) => a.cmp(b),
            (Self::Timestamp { millis: a, nano_of_milli: p }, Self::Timestamp { millis: b, nano_of_milli: q }) => {
                (a, p).cmp(&(b, q))
            }
            _ => return None,
        })
    }
}

impl PartialOrd for Datum {
    /// As [`Datum::compare`], but IEEE 754's order for numbers with a point: no order with NaN, and
    /// -0.0 equals 0.0, as `==` has it.
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(b),
            (Self::Double(a), Self::Double(b)) => a.partial_cmp(b),
            _ => self.compare(other),
        }
    }
}

fn java_order(a: f64, b: f64) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (false, false) => a.total_cmp(&b),
        (a_is_nan, b_is_nan) => a_is_nan.cmp(&b_is_nan),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_javas() {
        let ascending = [
            Datum::Double(f64::NEG_INFINITY),
            Datum::Double(-0.0),
            Datum::Double(0.0),
            Datum::Double(f64::INFINITY),
            Datum::Double(-f64::NAN),
        ];
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(a.compare(b), Some(i.cmp(&j)), "{a:?} {b:?}");
            }
        }
        let text = |text: &str| Datum::String(text.to_owned());
        assert_eq!(text("a").compare(&text("ä")), Some(Ordering::Less));
        assert_eq!(text("1").compare(&Datum::Int(1)), None);
        assert_eq!(Datum::Date(1).compare(&Datum::Time(1)), None);
    }

    #[test]
    fn the_operators_have_ieees_order() {
        assert!(Datum::Double(-0.0) >= Datum::Double(0.0));
        assert_eq!(Datum::Float(f32::NAN).partial_cmp(&Datum::Float(0.0)), None);
        assert!(Datum::Int(-1) < Datum::Int(1));
    }
}
