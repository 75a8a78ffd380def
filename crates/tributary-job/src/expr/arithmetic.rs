//! `+ - * / %` over two operands of one numeric type, or two decimals.
//!
//! Integers wrap, floating point follows IEEE 754, division of exact numbers by zero is an error, a
//! decimal result that has too many digits is null.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, Decimal128Array, PrimitiveArray};
use arrow::compute::kernels::numeric;
use arrow::datatypes::{
    ArrowNativeTypeOp, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, i256,
};
use paimon_format::TypeRoot;

use super::cast::{decimal_array, decimal_bound, rescale_value};
use super::eval::EvalError;
use super::types::{self, Arithmetic};
use super::value::Value;

type Result<T, E = EvalError> = std::result::Result<T, E>;

/// Computes `left op right`. `types` are those of both operands and of the result: all the same, or
/// all decimals.
pub(crate) fn arithmetic(
    op: Arithmetic,
    left: Value,
    right: Value,
    types: (&TypeRoot, &TypeRoot, &TypeRoot),
) -> Result<Value> {
    let scalar = left.is_scalar() && right.is_scalar();
    let array = match (op, types.2) {
        (_, TypeRoot::Decimal { .. }) => decimal(op, &left, &right, types)?,
        (Arithmetic::Add, _) => numeric::add_wrapping(&left, &right)?,
        (Arithmetic::Subtract, _) => numeric::sub_wrapping(&left, &right)?,
        (Arithmetic::Multiply, _) => numeric::mul_wrapping(&left, &right)?,
        (_, TypeRoot::TinyInt) => divide::<Int8Type>(op, &left, &right)?,
        (_, TypeRoot::SmallInt) => divide::<Int16Type>(op, &left, &right)?,
        (_, TypeRoot::Int) => divide::<Int32Type>(op, &left, &right)?,
        (_, TypeRoot::BigInt) => divide::<Int64Type>(op, &left, &right)?,
        (_, TypeRoot::Float) => pairwise::<Float32Type>(&left, &right, |a, b| {
            Ok(Some(if op == Arithmetic::Divide { a / b } else { a % b }))
        })?,
        (_, TypeRoot::Double) => pairwise::<Float64Type>(&left, &right, |a, b| {
            Ok(Some(if op == Arithmetic::Divide { a / b } else { a % b }))
        })?,
        (_, other) => {
            return Err(EvalError::NoCast { from: types.0.clone(), to: other.clone() });
        }
    };
    Ok(if scalar { Value::Scalar(array) } else { Value::Array(array) })
}

/// Integer division truncates; the smallest integer divided by -1 wraps to itself, as in Java.
fn divide<T: ArrowPrimitiveType>(op: Arithmetic, left: &Value, right: &Value) -> Result<ArrayRef>
where
    T::Native: ArrowNativeTypeOp,
{
    pairwise::<T>(left, right, |a, b| {
        if b.is_zero() {
            return Err(EvalError::DivisionByZero);
        }
        Ok(Some(if op == Arithmetic::Divide { a.div_wrapping(b) } else { a.mod_wrapping(b) }))
    })
}

/// Applies `f` to the pairs in which neither is null.
fn pairwise<T: ArrowPrimitiveType>(
    left: &Value,
    right: &Value,
    f: impl Fn(T::Native, T::Native) -> Result<Option<T::Native>>,
) -> Result<ArrayRef> {
    let (a, b) = (left.array().as_primitive::<T>(), right.array().as_primitive::<T>());
    let value = |array: &PrimitiveArray<T>, i: usize| array.is_valid(i).then(|| array.value(i));
    let rows = match (left.is_scalar(), right.is_scalar()) {
        (false, _) => a.len(),
        (true, false) => b.len(),
        (true, true) => 1,
    };
    // A scalar operand answers every row from its one place.
    let place = |v: &Value, i: usize| if v.is_scalar() { 0 } else { i };
    let values = (0..rows)
        .map(|i| match (value(a, place(left, i)), value(b, place(right, i))) {
            (Some(a), Some(b)) => f(a, b),
            _ => Ok(None),
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(PrimitiveArray::<T>::from_iter(values)))
}

fn decimal(op: Arithmetic, left: &Value, right: &Value, types: (&TypeRoot, &TypeRoot, &TypeRoot)) -> Result<ArrayRef> {
    let scale = |root| types::exact(root).map_or(0, |(_, scale)| scale);
    let (s1, s2) = (scale(types.0), scale(types.1));
    let (precision, s3) = types::exact(types.2).unwrap_or((38, 0));
    let result = pairwise::<Decimal128Type>(left, right, |a, b| {
        let (a, b) = (i256::from_i128(a), i256::from_i128(b));
        if b == i256::ZERO && matches!(op, Arithmetic::Divide | Arithmetic::Remainder) {
            return Err(EvalError::DivisionByZero);
        }
        Ok(decimal_value(op, (a, s1), (b, s2), precision, s3))
    })?;
    let values: Decimal128Array = result.as_primitive::<Decimal128Type>().clone();
    Ok(decimal_array(values, types.2))
}

/// One decimal result in the scale wanted, rounded half up; `None` if it has too many digits.
fn decimal_value(op: Arithmetic, (a, s1): (i256, u8), (b, s2): (i256, u8), precision: u8, scale: u8) -> Option<i128> {
    let ten = |digits: u8| i256::from_i128(10).checked_pow(u32::from(digits));
    let narrow = |value: i256, from: u8| match value.to_i128() {
        Some(value) => rescale_value(value, from, scale, precision),
        // Wider than 128 bits: it can still fit once digits are cut.
        None if from > scale => {
            let value = round_div(value, ten(from - scale)?)?.to_i128()?;
            (value.abs() < decimal_bound(precision)).then_some(value)
        }
        None => None,
    };
    let common = s1.max(s2);
    let aligned = || Some((a.checked_mul(ten(common - s1)?)?, b.checked_mul(ten(common - s2)?)?));
    match op {
        Arithmetic::Add => {
            let (a, b) = aligned()?;
            narrow(a.checked_add(b)?, common)
        }
        Arithmetic::Subtract => {
            let (a, b) = aligned()?;
            narrow(a.checked_sub(b)?, common)
        }
        Arithmetic::Multiply => narrow(a.checked_mul(b)?, s1 + s2),
        Arithmetic::Remainder => {
            let (a, b) = aligned()?;
            narrow(a.checked_rem(b)?, common)
        }
        Arithmetic::Divide => {
            // a/10^s1 / (b/10^s2) = a * 10^(s2 - s1 + scale) / b, in units of 10^-scale.
            let shift = i32::from(s2) - i32::from(s1) + i32::from(scale);
            let (numerator, denominator) = if shift >= 0 {
                (a.checked_mul(ten(shift as u8)?)?, b)
            } else {
                (a, b.checked_mul(ten((-shift) as u8)?)?)
            };
            narrow(round_div(numerator, denominator)?, scale)
        }
    }
}

/// Division rounded half away from zero.
fn round_div(a: i256, b: i256) -> Option<i256> {
    let quotient = a.checked_div(b)?;
    let remainder = a.checked_rem(b)?;
    let twice = remainder.checked_mul(i256::from_i128(2))?.wrapping_abs();
    if twice < b.wrapping_abs() {
        return Some(quotient);
    }
    let away = if a.is_negative() == b.is_negative() { i256::ONE } else { i256::MINUS_ONE };
    quotient.checked_add(away)
}
