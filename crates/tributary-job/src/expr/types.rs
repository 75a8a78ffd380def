//! The type rules of Flink SQL: what converts to what, the common type of
//! several operands, the result types of arithmetic, and the arrow type that carries each.
//!
//! Sources: Flink's reference of data types (casting) and of decimal arithmetic.

use std::sync::Arc;

use paimon_format::types::MapType;
use paimon_format::{DataField, DataType, TypeRoot};
use tributary_statement::{PartType, RowField, SqlType};

use super::nested::{common, converts};

/// Most digits a decimal has.
const MAX_DECIMAL_PRECISION: u8 = 38;

/// The four operations of arithmetic and the remainder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// What a type is for the rules: they rarely care about parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Boolean,
    Integer,
    Decimal,
    Approximate,
    Text,
    Bytes,
    Date,
    Time,
    Timestamp,
    TimestampLtz,
    /// ARRAY, MAP or ROW.
    Nested,
}

/// The type as it is written. Fields of rows have no ids yet.
pub(crate) fn type_root(sql: &SqlType) -> TypeRoot {
    match sql {
        SqlType::Boolean => TypeRoot::Boolean,
        SqlType::TinyInt => TypeRoot::TinyInt,
        SqlType::SmallInt => TypeRoot::SmallInt,
        SqlType::Int => TypeRoot::Int,
        SqlType::BigInt => TypeRoot::BigInt,
        SqlType::Float => TypeRoot::Float,
        SqlType::Double => TypeRoot::Double,
        SqlType::Decimal { precision, scale } => TypeRoot::Decimal { precision: *precision, scale: *scale },
        SqlType::Char(n) => TypeRoot::Char(*n),
        SqlType::Varchar(n) => TypeRoot::Varchar(*n),
        SqlType::Binary(n) => TypeRoot::Binary(*n),
        SqlType::Varbinary(n) => TypeRoot::Varbinary(*n),
        SqlType::Date => TypeRoot::Date,
        SqlType::Time(p) => TypeRoot::Time(*p),
        SqlType::Timestamp(p) => TypeRoot::Timestamp(*p),
        SqlType::TimestampLtz(p) => TypeRoot::TimestampLtz(*p),
        SqlType::Array(element) => TypeRoot::Array(Arc::new(part_type(element))),
        SqlType::Map { key, value } => {
            TypeRoot::Map(Arc::new(MapType { key: part_type(key), value: part_type(value) }))
        }
        SqlType::Row(fields) => TypeRoot::Row(fields.iter().map(row_field).collect()),
    }
}

fn part_type(part: &PartType) -> DataType {
    DataType { root: type_root(&part.sql_type), nullable: part.nullable }
}

fn row_field(field: &RowField) -> DataField {
    DataField { description: field.comment.clone(), ..DataField::new(0, &*field.name, part_type(&field.part)) }
}

/// The family of a type.
pub(crate) fn family(root: &TypeRoot) -> Family {
    match root {
        TypeRoot::Boolean => Family::Boolean,
        TypeRoot::TinyInt | TypeRoot::SmallInt | TypeRoot::Int | TypeRoot::BigInt => Family::Integer,
        TypeRoot::Decimal { .. } => Family::Decimal,
        TypeRoot::Float | TypeRoot::Double => Family::Approximate,
        TypeRoot::Char(_) | TypeRoot::Varchar(_) => Family::Text,
        TypeRoot::Binary(_) | TypeRoot::Varbinary(_) => Family::Bytes,
        TypeRoot::Date => Family::Date,
        TypeRoot::Time(_) => Family::Time,
        TypeRoot::Timestamp(_) => Family::Timestamp,
        TypeRoot::TimestampLtz(_) => Family::TimestampLtz,
        TypeRoot::Array(_) | TypeRoot::Map(_) | TypeRoot::Row(_) => Family::Nested,
    }
}

/// Whether values of the type can be calculated with.
pub(crate) fn is_numeric(root: &TypeRoot) -> bool {
    matches!(family(root), Family::Integer | Family::Decimal | Family::Approximate)
}

/// Whether a value may be stored in a column of another type without a CAST being written.
pub(crate) fn implicit_cast(from: &TypeRoot, to: &TypeRoot) -> bool {
    use Family as F;
    if from == to {
        return true;
    }
    match (family(from), family(to)) {
        (F::Integer, F::Integer) => integer_digits(from) <= integer_digits(to),
        (F::Integer | F::Decimal | F::Approximate, F::Decimal) => true,
        (F::Integer | F::Decimal, F::Approximate) => true,
        (F::Approximate, F::Approximate) => *to == TypeRoot::Double,
        // Text of unknown length does not become CHAR by itself; shorter CHAR and VARCHAR trim.
        (F::Text, F::Text) => matches!(to, TypeRoot::Varchar(_)) || matches!(from, TypeRoot::Char(_)),
        (F::Bytes, F::Bytes) => matches!(to, TypeRoot::Varbinary(_)) || matches!(from, TypeRoot::Binary(_)),
        (F::Time, F::Time) => true,
        (F::Timestamp | F::TimestampLtz, F::Timestamp | F::TimestampLtz) => true,
        (F::Timestamp, F::Date | F::Time) => true,
        (F::Nested, F::Nested) => converts(from, to, implicit_cast),
        _ => false,
    }
}

/// Whether `CAST(from AS to)` exists.
pub(crate) fn explicit_cast(from: &TypeRoot, to: &TypeRoot) -> bool {
    use Family as F;
    if implicit_cast(from, to) {
        return true;
    }
    match (family(from), family(to)) {
        (F::Nested, F::Nested) => return converts(from, to, explicit_cast),
        (F::Nested, to) => return to == F::Text,
        (_, F::Nested) => return false,
        _ => {}
    }
    matches!(
        (family(from), family(to)),
        (_, F::Text)
            | (F::Text, _)
            | (F::Bytes, F::Bytes)
            | (F::Boolean, F::Integer | F::Decimal | F::Approximate)
            | (F::Integer | F::Decimal | F::Approximate, F::Boolean)
            | (F::Integer | F::Decimal | F::Approximate, F::Integer | F::Approximate)
            | (F::TimestampLtz, F::Date | F::Time)
            | (F::Date | F::Time, F::Timestamp | F::TimestampLtz)
    )
}

/// The narrowest type that holds the values of both, as CASE, COALESCE and comparisons need it.
pub(crate) fn common_type(a: &TypeRoot, b: &TypeRoot) -> Option<TypeRoot> {
    use Family as F;
    if a == b {
        return Some(a.clone());
    }
    Some(match (family(a), family(b)) {
        (F::Integer, F::Integer) => {
            if integer_digits(a) >= integer_digits(b) {
                a.clone()
            } else {
                b.clone()
            }
        }
        (F::Integer | F::Decimal, F::Integer | F::Decimal) => {
            let ((p1, s1), (p2, s2)) = (exact(a)?, exact(b)?);
            let whole = (p1 - s1).max(p2 - s2).min(MAX_DECIMAL_PRECISION);
            let scale = s1.max(s2).min(MAX_DECIMAL_PRECISION - whole);
            TypeRoot::Decimal { precision: whole + scale, scale }
        }
        (F::Approximate, F::Approximate) => TypeRoot::Double,
        (F::Approximate, F::Integer) => a.clone(),
        (F::Integer, F::Approximate) => b.clone(),
        (F::Approximate, F::Decimal) | (F::Decimal, F::Approximate) => TypeRoot::Double,
        (F::Text, F::Text) => TypeRoot::Varchar(length(a)?.max(length(b)?)),
        (F::Bytes, F::Bytes) => TypeRoot::Varbinary(length(a)?.max(length(b)?)),
        (F::Time, F::Time) => TypeRoot::Time(fraction(a)?.max(fraction(b)?)),
        (F::Timestamp, F::Timestamp) => TypeRoot::Timestamp(fraction(a)?.max(fraction(b)?)),
        (F::TimestampLtz, F::TimestampLtz) => TypeRoot::TimestampLtz(fraction(a)?.max(fraction(b)?)),
        (F::Nested, F::Nested) => common(a, b)?,
        (F::Timestamp, F::Date) => a.clone(),
        (F::Date, F::Timestamp) => b.clone(),
        _ => return None,
    })
}

/// The result type of `a op b`, `None` if one of them is no number.
pub(crate) fn arithmetic_type(op: Arithmetic, a: &TypeRoot, b: &TypeRoot) -> Option<TypeRoot> {
    use Family as F;
    match (family(a), family(b)) {
        (F::Decimal, F::Decimal | F::Integer) | (F::Integer, F::Decimal) => {
            let ((p1, s1), (p2, s2)) = (exact(a)?, exact(b)?);
            Some(decimal_result(op, p1.into(), s1.into(), p2.into(), s2.into()))
        }
        (F::Integer, F::Integer) if op == Arithmetic::Remainder => Some(b.clone()),
        // As in Flink, what is not exact has no remainder.
        (F::Approximate, _) | (_, F::Approximate) if op == Arithmetic::Remainder => None,
        (F::Integer | F::Decimal | F::Approximate, F::Integer | F::Decimal | F::Approximate) => common_type(a, b),
        _ => None,
    }
}

/// Flink's rule: as many digits as the operation needs; beyond 38 the fraction gives way, down to
/// six digits.
fn decimal_result(op: Arithmetic, p1: i32, s1: i32, p2: i32, s2: i32) -> TypeRoot {
    let (precision, scale) = match op {
        Arithmetic::Add | Arithmetic::Subtract => {
            let scale = s1.max(s2);
            ((p1 - s1).max(p2 - s2) + scale + 1, scale)
        }
        Arithmetic::Multiply => (p1 + p2 + 1, s1 + s2),
        Arithmetic::Divide => {
            let scale = (s1 + p2 + 1).max(6);
            (p1 - s1 + s2 + scale, scale)
        }
        Arithmetic::Remainder => {
            let scale = s1.max(s2);
            (((p1 - s1).min(p2 - s2) + scale).max(1), scale)
        }
    };
    let max = i32::from(MAX_DECIMAL_PRECISION);
    let (precision, scale) =
        if precision <= max { (precision, scale) } else { (max, (max - (precision - scale)).max(scale.min(6))) };
    TypeRoot::Decimal { precision: precision as u8, scale: scale as u8 }
}

/// Precision and scale of an exact number; integers count as decimals without a fraction.
pub(crate) fn exact(root: &TypeRoot) -> Option<(u8, u8)> {
    match *root {
        TypeRoot::Decimal { precision, scale } => Some((precision, scale)),
        _ => integer_digits(root).map(|digits| (digits, 0)),
    }
}

/// The decimal that holds every value of an exact numeric type.
pub(crate) fn as_decimal(root: &TypeRoot) -> Option<TypeRoot> {
    exact(root).map(|(precision, scale)| TypeRoot::Decimal { precision, scale })
}

/// Declared length of text (characters) or bytes.
pub(crate) fn length(root: &TypeRoot) -> Option<u32> {
    match *root {
        TypeRoot::Char(n) | TypeRoot::Varchar(n) | TypeRoot::Binary(n) | TypeRoot::Varbinary(n) => Some(n),
        _ => None,
    }
}

/// Declared fractional digits of a time or timestamp.
pub(crate) fn fraction(root: &TypeRoot) -> Option<u8> {
    match *root {
        TypeRoot::Time(p) | TypeRoot::Timestamp(p) | TypeRoot::TimestampLtz(p) => Some(p),
        _ => None,
    }
}

fn integer_digits(root: &TypeRoot) -> Option<u8> {
    match root {
        TypeRoot::TinyInt => Some(3),
        TypeRoot::SmallInt => Some(5),
        TypeRoot::Int => Some(10),
        TypeRoot::BigInt => Some(19),
        _ => None,
    }
}
