//! ABS, FLOOR, CEIL and ROUND. They keep the type of their operand; of a decimal only the digits change.

use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowPrimitiveType, AsArray, Decimal128Array, PrimitiveArray};
use arrow::datatypes::{Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use paimon_format::TypeRoot;

use super::cast::{decimal_array, decimal_bound, decimal_to_double};
use super::eval::EvalError;
use super::operands::Operands;
use super::types;
use super::value::Value;
use super::{parse, text_form};

type Result<T, E = EvalError> = std::result::Result<T, E>;

/// Which whole number is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Towards {
    Down,
    Up,
}

fn mapped<T: ArrowPrimitiveType>(array: &ArrayRef, f: impl Fn(T::Native) -> T::Native) -> ArrayRef {
    Arc::new(array.as_primitive::<T>().unary::<_, T>(f))
}

/// ABS; the smallest integer of a type stays what it is, as in Java.
pub(crate) fn abs(value: &Value, root: &TypeRoot) -> Result<Value> {
    value.clone().map(|array| {
        Ok(match root {
            TypeRoot::TinyInt => mapped::<Int8Type>(array, i8::wrapping_abs),
            TypeRoot::SmallInt => mapped::<Int16Type>(array, i16::wrapping_abs),
            TypeRoot::Int => mapped::<Int32Type>(array, i32::wrapping_abs),
            TypeRoot::BigInt => mapped::<Int64Type>(array, i64::wrapping_abs),
            TypeRoot::Float => mapped::<Float32Type>(array, f32::abs),
            TypeRoot::Double => mapped::<Float64Type>(array, f64::abs),
            TypeRoot::Decimal { .. } => {
                let values: Decimal128Array = array.as_primitive::<Decimal128Type>().unary(i128::wrapping_abs);
                decimal_array(values, root)
            }
            other => return Err(EvalError::NoCast { from: other.clone(), to: TypeRoot::Double }),
        })
    })
}

/// FLOOR and CEIL.
pub(crate) fn whole(towards: Towards, value: &Value, root: &TypeRoot, result: &TypeRoot) -> Result<Value> {
    let up = towards == Towards::Up;
    value.clone().map(|array| {
        Ok(match root {
            TypeRoot::Float => mapped::<Float32Type>(array, if up { f32::ceil } else { f32::floor }),
            TypeRoot::Double => mapped::<Float64Type>(array, if up { f64::ceil } else { f64::floor }),
            TypeRoot::Decimal { scale, .. } => {
                let one = 10_i128.pow(u32::from(*scale));
                let values: Decimal128Array = array.as_primitive::<Decimal128Type>().unary(|value| {
                    let down = value.div_euclid(one);
                    if up && value.rem_euclid(one) != 0 { down + 1 } else { down }
                });
                fit(&values, result)
            }
            // Integers are whole.
            _ => Arc::clone(array),
        })
    })
}

/// The type of ROUND(x, digits).
pub(crate) fn round_type(root: &TypeRoot, digits: i32) -> TypeRoot {
    match *root {
        TypeRoot::Decimal { precision, scale } if digits < i32::from(scale) => {
            let kept = u8::try_from(digits.max(0)).unwrap_or(0);
            // Rounding up can carry into one digit more.
            TypeRoot::Decimal { precision: (precision - scale + 1 + kept).min(38), scale: kept }
        }
        _ => root.clone(),
    }
}

/// ROUND, half away from zero; digits below zero round tens, hundreds, and so on. Integers wrap, as in Java.
pub(crate) fn round(operands: &Operands<'_>, root: &TypeRoot, result: &TypeRoot) -> Result<Value> {
    fn each<T: ArrowPrimitiveType>(operands: &Operands<'_>, f: impl Fn(T::Native, i32) -> T::Native) -> Result<Value> {
        let (values, digits) = (operands.numbers::<T>(0), operands.numbers::<Int32Type>(1));
        operands.each::<PrimitiveArray<T>, _>(|row| Ok(values.get(row).zip(digits.get(row)).map(|(v, d)| f(v, d))))
    }
    match *root {
        TypeRoot::TinyInt => each::<Int8Type>(operands, |v, d| round_integer(v.into(), d) as i8),
        TypeRoot::SmallInt => each::<Int16Type>(operands, |v, d| round_integer(v.into(), d) as i16),
        TypeRoot::Int => each::<Int32Type>(operands, |v, d| round_integer(v.into(), d) as i32),
        TypeRoot::BigInt => each::<Int64Type>(operands, |v, d| round_integer(v.into(), d) as i64),
        TypeRoot::Float => each::<Float32Type>(operands, |v, d| round_double(v.into(), d) as f32),
        TypeRoot::Double => each::<Float64Type>(operands, round_double),
        TypeRoot::Decimal { scale, .. } => {
            let (_, to) = types::exact(result).unwrap_or_default();
            let rounded = each::<Decimal128Type>(operands, |v, d| {
                // In units of the operand's scale first, then of the result's.
                let value = round_integer(v, d.saturating_sub(i32::from(scale)).min(0));
                value / 10_i128.pow(u32::from(scale.saturating_sub(to)))
            })?;
            rounded.map(|array| Ok(fit(array.as_primitive(), result)))
        }
        _ => Err(EvalError::NoCast { from: root.clone(), to: result.clone() }),
    }
}

/// Too many digits are null.
fn fit(values: &Decimal128Array, to: &TypeRoot) -> ArrayRef {
    let (precision, _) = types::exact(to).unwrap_or((38, 0));
    let bound = decimal_bound(precision);
    let values: Decimal128Array = values.unary_opt(|value| (value.abs() < bound).then_some(value));
    decimal_array(values, to)
}

fn round_integer(value: i128, digits: i32) -> i128 {
    if digits >= 0 {
        return value;
    }
    // More than 38 digits are more than any value has.
    let Some(unit) = 10_i128.checked_pow(digits.unsigned_abs()) else { return 0 };
    let (whole, rest) = (value / unit, value % unit);
    let away = if rest.unsigned_abs() >= unit.unsigned_abs() / 2 { value.signum() } else { 0 };
    (whole + away).wrapping_mul(unit)
}

/// Rounds the digits that are printed, so that 1.005 becomes 1.01 although the double lies below it.
fn round_double(value: f64, digits: i32) -> f64 {
    const SCALE: u8 = 18;
    if !value.is_finite() {
        return value;
    }
    let mut text = String::new();
    text_form::write_double(&mut text, value);
    let at_scale = |scale: u8, digits: i32| {
        let exact = parse::decimal(&text, scale).ok().flatten()?;
        Some(decimal_to_double(round_integer(exact, digits.saturating_sub(i32::from(scale))), scale))
    };
    match u8::try_from(digits) {
        // Nothing is cut off.
        Ok(SCALE..) => value,
        // What has too many digits for this has none behind the point.
        _ => at_scale(SCALE, digits).or_else(|| at_scale(0, digits)).unwrap_or(value),
    }
}
