//! CAST and TRY_CAST: one array in, one array out, for every pair of types Flink converts. Numbers are converted here,
//! text and bytes in `cast_text`, dates and times in `cast_moment`.
//!
//! What can go wrong with a value follows Flink: integers wrap, a decimal that does not fit becomes
//! null, text that is no value of the type is an error, or null if TRY_CAST asked.

use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, Decimal128Array, PrimitiveArray};
use arrow::datatypes::{Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use paimon_format::TypeRoot;
use paimon_table::arrow::arrow_type;

use super::cast_moment::cast_moment;
use super::cast_text::{fit_bytes, fit_text, from_text, to_text};
use super::eval::EvalError;
use super::types::{self, Family, family};
use super::zone::Zone;
use super::{nested, parse, text_form};

type Result<T, E = EvalError> = std::result::Result<T, E>;

/// What a value that cannot be converted does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failing {
    /// CAST: it stops the pipeline.
    Stops,
    /// TRY_CAST: it becomes null.
    IsNull,
}

// === impl Failing ===

impl Failing {
    /// The value, or what comes instead of it.
    pub(crate) fn settle<T>(self, value: Result<T>) -> Result<Option<T>> {
        match (value, self) {
            (Ok(value), _) => Ok(Some(value)),
            (Err(_), Self::IsNull) => Ok(None),
            (Err(error), Self::Stops) => Err(error),
        }
    }
}

/// Converts the values. `from` and `to` must be a pair `types::explicit_cast` knows; anything else
/// is an internal error.
pub(crate) fn cast(array: &ArrayRef, from: &TypeRoot, to: &TypeRoot, zone: Zone, failing: Failing) -> Result<ArrayRef> {
    use Family as F;
    if from == to {
        return Ok(Arc::clone(array));
    }
    match (family(from), family(to)) {
        (F::Text, F::Text) => Ok(fit_text(array, to)),
        (_, F::Text) => to_text(array, from, zone).map(|text| fit_text(&text, to)),
        (F::Text, _) => from_text(array.as_string(), to, zone, failing),
        (F::Bytes, F::Bytes) => Ok(fit_bytes(array, to)),
        (F::Boolean, F::Integer | F::Decimal | F::Approximate) => {
            let ones: PrimitiveArray<Int64Type> =
                PrimitiveArray::from_iter(array.as_boolean().iter().map(|value| value.map(i64::from)));
            cast(&(Arc::new(ones) as ArrayRef), &TypeRoot::BigInt, to, zone, failing)
        }
        (F::Integer | F::Decimal | F::Approximate, F::Boolean) => Ok(Arc::new(match from {
            TypeRoot::Float => is_not_zero::<Float32Type>(array),
            TypeRoot::Double => is_not_zero::<Float64Type>(array),
            TypeRoot::Decimal { .. } => is_not_zero::<Decimal128Type>(array),
            _ => is_not_zero::<Int64Type>(&(Arc::new(to_i64(array, from)?) as ArrayRef)),
        })),
        (F::Integer, F::Decimal) => {
            let wide = to_i64(array, from)?;
            let decimals: Decimal128Array = wide.unary(i128::from);
            Ok(rescale(&decimals, 0, to))
        }
        (F::Approximate, F::Decimal) => {
            let wide = cast(array, from, &TypeRoot::Double, zone, failing)?;
            decimal_from_double(wide.as_primitive(), to, failing)
        }
        (F::Decimal, F::Decimal) => {
            let (_, scale) = types::exact(from).unwrap_or_default();
            Ok(rescale(array.as_primitive(), scale, to))
        }
        (F::Decimal, F::Integer) => {
            let (_, scale) = types::exact(from).unwrap_or_default();
            let one = 10_i128.pow(u32::from(scale));
            let whole: PrimitiveArray<Int64Type> =
                array.as_primitive::<Decimal128Type>().unary(|value| (value / one) as i64);
            cast(&(Arc::new(whole) as ArrayRef), &TypeRoot::BigInt, to, zone, failing)
        }
        (F::Decimal, F::Approximate) => {
            let (_, scale) = types::exact(from).unwrap_or_default();
            let wide: PrimitiveArray<Float64Type> =
                array.as_primitive::<Decimal128Type>().unary(|value| decimal_to_double(value, scale));
            cast(&(Arc::new(wide) as ArrayRef), &TypeRoot::Double, to, zone, failing)
        }
        (F::Integer, F::Integer | F::Approximate) => {
            // A step by way of i64 is exact, and narrowing it wraps.
            let wide = to_i64(array, from)?;
            Ok(match *to {
                TypeRoot::TinyInt => convert::<_, Int8Type>(&wide, |v| v as i8),
                TypeRoot::SmallInt => convert::<_, Int16Type>(&wide, |v| v as i16),
                TypeRoot::Int => convert::<_, Int32Type>(&wide, |v| v as i32),
                TypeRoot::Float => convert::<_, Float32Type>(&wide, |v| v as f32),
                TypeRoot::Double => convert::<_, Float64Type>(&wide, |v| v as f64),
                _ => Arc::new(wide),
            })
        }
        (F::Approximate, F::Integer) => {
            // As Java: to 64 bits, or else to 32, saturating; from there wrapping.
            let long = *to == TypeRoot::BigInt;
            let whole = |v: f64| if long { v as i64 } else { i64::from(v as i32) };
            let wide: PrimitiveArray<Int64Type> = match *from {
                TypeRoot::Float => array.as_primitive::<Float32Type>().unary(|v| whole(v.into())),
                _ => array.as_primitive::<Float64Type>().unary(whole),
            };
            cast(&(Arc::new(wide) as ArrayRef), &TypeRoot::BigInt, to, zone, failing)
        }
        (F::Approximate, F::Approximate) => Ok(match *to {
            TypeRoot::Double => convert::<_, Float64Type>(array.as_primitive::<Float32Type>(), f64::from),
            _ => convert::<_, Float32Type>(array.as_primitive::<Float64Type>(), |v| v as f32),
        }),
        (F::Time, F::Time) => Ok(Arc::clone(array)),
        (F::Nested, F::Nested) => nested::cast_parts(array, (from, to), zone, failing),
        (F::Date | F::Time | F::Timestamp | F::TimestampLtz, _) => cast_moment(array, from, to, zone, failing),
        _ => Err(EvalError::NoCast { from: from.clone(), to: to.clone() }),
    }
}

pub(super) fn convert<I: ArrowPrimitiveType, O: ArrowPrimitiveType>(
    array: &PrimitiveArray<I>,
    op: impl Fn(I::Native) -> O::Native,
) -> ArrayRef {
    Arc::new(array.unary::<_, O>(op))
}

fn is_not_zero<T: ArrowPrimitiveType>(array: &ArrayRef) -> BooleanArray
where
    T::Native: Default + PartialEq,
{
    // 0.0 and -0.0 are equal, NaN is not zero.
    array.as_primitive::<T>().iter().map(|value| value.map(|value| value != T::Native::default())).collect()
}

fn to_i64(array: &ArrayRef, from: &TypeRoot) -> Result<PrimitiveArray<Int64Type>> {
    Ok(match *from {
        TypeRoot::TinyInt => array.as_primitive::<Int8Type>().unary(i64::from),
        TypeRoot::SmallInt => array.as_primitive::<Int16Type>().unary(i64::from),
        TypeRoot::Int => array.as_primitive::<Int32Type>().unary(i64::from),
        TypeRoot::BigInt => array.as_primitive::<Int64Type>().clone(),
        _ => {
            return Err(EvalError::NoCast { from: from.clone(), to: TypeRoot::BigInt });
        }
    })
}

// --- decimals -----------------------------------------------------------------------------------

/// Largest absolute value, exclusive, that has `precision` digits.
pub(crate) fn decimal_bound(precision: u8) -> i128 {
    10_i128.pow(u32::from(precision))
}

/// The value in another scale, rounded half up; `None` if it has more digits than `precision`.
pub(crate) fn rescale_value(value: i128, from: u8, to: u8, precision: u8) -> Option<i128> {
    let scaled = if to >= from {
        value.checked_mul(10_i128.pow(u32::from(to - from)))?
    } else {
        let divisor = 10_i128.pow(u32::from(from - to));
        let (quotient, remainder) = (value / divisor, value % divisor);
        if remainder.unsigned_abs() * 2 >= divisor.unsigned_abs() { quotient + value.signum() } else { quotient }
    };
    (scaled.unsigned_abs() < decimal_bound(precision).unsigned_abs()).then_some(scaled)
}

/// Gives raw decimal values the precision and scale of `to`, which is a decimal.
pub(crate) fn decimal_array(values: Decimal128Array, to: &TypeRoot) -> ArrayRef {
    let values = values.into_parts();
    Arc::new(Decimal128Array::new(values.1, values.2).with_data_type(arrow_type(to)))
}

fn rescale(array: &Decimal128Array, from: u8, to: &TypeRoot) -> ArrayRef {
    let (precision, scale) = types::exact(to).unwrap_or((38, 0));
    let values: Decimal128Array = array.unary_opt(|value| rescale_value(value, from, scale, precision));
    decimal_array(values, to)
}

fn decimal_from_double(array: &PrimitiveArray<Float64Type>, to: &TypeRoot, failing: Failing) -> Result<ArrayRef> {
    let (precision, scale) = types::exact(to).unwrap_or((38, 0));
    let mut text = String::new();
    let values = array
        .iter()
        .map(|value| {
            let Some(value) = value else { return Ok(None) };
            text.clear();
            text_form::write_double(&mut text, value);
            // Not a number and the infinities have no decimal.
            let unscaled = parse::decimal(&text, scale).map_err(|()| EvalError::cannot_cast(&text, to));
            Ok(failing.settle(unscaled)?.flatten().filter(|value| value.abs() < decimal_bound(precision)))
        })
        .collect::<Result<Decimal128Array>>()?;
    Ok(decimal_array(values, to))
}

/// The nearest double.
pub(crate) fn decimal_to_double(value: i128, scale: u8) -> f64 {
    // Both operands exact: one correctly rounded division. Otherwise the digits decide.
    if value.unsigned_abs() < 1 << 53 && scale <= 22 {
        return value as f64 / 10_f64.powi(i32::from(scale));
    }
    let mut text = String::new();
    text_form::write_decimal(&mut text, value, scale);
    text.parse().unwrap_or(f64::NAN)
}
