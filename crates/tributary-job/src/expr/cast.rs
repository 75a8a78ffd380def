//! CAST: one array in, one array out, for every pair of types Flink converts.
//!
//! What can go wrong with a value follows Flink: integers wrap, a decimal that does not fit becomes
//! null, text that is no value of the type is an error.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, ArrowPrimitiveType, AsArray, BinaryBuilder, BooleanArray, Decimal128Array, PrimitiveArray, StringArray,
    StringBuilder,
};
use arrow::datatypes::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time32MillisecondType, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
};
use paimon_format::TypeRoot;
use paimon_table::arrow::arrow_type;

use super::eval::EvalError;
use super::types::{self, Family, family};
use super::zone::Zone;
use super::{nested, parse, text_form};

const MILLIS_PER_DAY: i64 = 86_400_000;

type Result<T, E = EvalError> = std::result::Result<T, E>;

/// Converts the values. `from` and `to` must be a pair `types::explicit_cast` knows; anything else
/// is an internal error.
pub(crate) fn cast(array: &ArrayRef, from: &TypeRoot, to: &TypeRoot, zone: Zone) -> Result<ArrayRef> {
    use Family as F;
    if from == to {
        return Ok(Arc::clone(array));
    }
    match (family(from), family(to)) {
        (F::Text, F::Text) => Ok(fit_text(array, to)),
        (_, F::Text) => to_text(array, from, zone).map(|text| fit_text(&text, to)),
        (F::Text, _) => from_text(array.as_string(), to, zone),
        (F::Bytes, F::Bytes) => Ok(fit_bytes(array, to)),
        (F::Boolean, F::Integer | F::Decimal | F::Approximate) => {
            let ones: PrimitiveArray<Int64Type> =
                PrimitiveArray::from_iter(array.as_boolean().iter().map(|value| value.map(i64::from)));
            cast(&(Arc::new(ones) as ArrayRef), &TypeRoot::BigInt, to, zone)
        }
        (F::Integer, F::Boolean) => {
            let wide = to_i64(array, from)?;
            let values = wide.iter().map(|value| value.map(|value| value != 0));
            Ok(Arc::new(BooleanArray::from_iter(values)))
        }
        (F::Integer, F::Decimal) => {
            let wide = to_i64(array, from)?;
            let decimals: Decimal128Array = wide.unary(i128::from);
            Ok(rescale(&decimals, 0, to))
        }
        (F::Approximate, F::Decimal) => {
            let wide = cast(array, from, &TypeRoot::Double, zone)?;
            decimal_from_double(wide.as_primitive(), to)
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
            cast(&(Arc::new(whole) as ArrayRef), &TypeRoot::BigInt, to, zone)
        }
        (F::Decimal, F::Approximate) => {
            let (_, scale) = types::exact(from).unwrap_or_default();
            let wide: PrimitiveArray<Float64Type> =
                array.as_primitive::<Decimal128Type>().unary(|value| decimal_to_double(value, scale));
            cast(&(Arc::new(wide) as ArrayRef), &TypeRoot::Double, to, zone)
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
            // Java saturates at 64 bits and wraps below.
            let wide: PrimitiveArray<Int64Type> = match *from {
                TypeRoot::Float => array.as_primitive::<Float32Type>().unary(|v| v as i64),
                _ => array.as_primitive::<Float64Type>().unary(|v| v as i64),
            };
            cast(&(Arc::new(wide) as ArrayRef), &TypeRoot::BigInt, to, zone)
        }
        (F::Approximate, F::Approximate) => Ok(match *to {
            TypeRoot::Double => convert::<_, Float64Type>(array.as_primitive::<Float32Type>(), f64::from),
            _ => convert::<_, Float32Type>(array.as_primitive::<Float64Type>(), |v| v as f32),
        }),
        (F::Time, F::Time) => Ok(Arc::clone(array)),
        (F::Nested, F::Nested) => nested::retype(array, to),
        (F::Date | F::Time | F::Timestamp | F::TimestampLtz, _) => cast_moment(array, from, to, zone),
        _ => Err(EvalError::NoCast { from: from.clone(), to: to.clone() }),
    }
}

fn convert<I: ArrowPrimitiveType, O: ArrowPrimitiveType>(
    array: &PrimitiveArray<I>,
    op: impl Fn(I::Native) -> O::Native,
) -> ArrayRef {
    Arc::new(array.unary::<_, O>(op))
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

fn decimal_from_double(array: &PrimitiveArray<Float64Type>, to: &TypeRoot) -> Result<ArrayRef> {
    let (precision, scale) = types::exact(to).unwrap_or((38, 0));
    let mut text = String::new();
    let values = array
        .iter()
        .map(|value| {
            let Some(value) = value else { return Ok(None) };
            text.clear();
            text_form::write_double(&mut text, value);
            // Not a number and the infinities have no decimal.
            let unscaled = parse::decimal(&text, scale).map_err(|()| EvalError::cannot_cast(&text, to))?;
            Ok(unscaled.filter(|value| value.abs() < decimal_bound(precision)))
        })
        .collect::<Result<Decimal128Array>>()?;
    Ok(decimal_array(values, to))
}

fn decimal_to_double(value: i128, scale: u8) -> f64 {
    // Both operands exact: one correctly rounded division. Otherwise the digits decide.
    if value.unsigned_abs() < 1 << 53 && scale <= 22 {
        return value as f64 / 10_f64.powi(i32::from(scale));
    }
    let mut text = String::new();
    text_form::write_decimal(&mut text, value, scale);
    text.parse().unwrap_or(f64::NAN)
}

// --- text and bytes -----------------------------------------------------------------------------

fn to_text(array: &ArrayRef, from: &TypeRoot, zone: Zone) -> Result<ArrayRef> {
    let strings = match *from {
        TypeRoot::Boolean => {
            StringArray::from_iter(array.as_boolean().iter().map(|value| value.map(text_form::boolean)))
        }
        TypeRoot::TinyInt | TypeRoot::SmallInt | TypeRoot::Int | TypeRoot::BigInt => {
            return Ok(arrow::compute::cast(array, &arrow_type(&TypeRoot::STRING))?);
        }
        TypeRoot::Float => written::<Float32Type>(array, text_form::write_single),
        TypeRoot::Double => written::<Float64Type>(array, text_form::write_double),
        TypeRoot::Decimal { scale, .. } => written::<Decimal128Type>(array, |out, value| {
            text_form::write_decimal(out, value, scale);
        }),
        TypeRoot::Date => written::<Date32Type>(array, |out, days| {
            text_form::write_date(out, days.into());
        }),
        TypeRoot::Time(precision) => written::<Time32MillisecondType>(array, |out, millis| {
            text_form::write_time(out, millis, precision);
        }),
        TypeRoot::Timestamp(precision) => {
            let ticks = Ticks::of(array, from);
            ticks.written(precision, |ticks| ticks)
        }
        TypeRoot::TimestampLtz(precision) => {
            let ticks = Ticks::of(array, from);
            let per_second = ticks.per_second();
            ticks.written(precision, |ticks| {
                let seconds = ticks.div_euclid(per_second);
                ticks + zone.offset_seconds(seconds) * per_second
            })
        }
        TypeRoot::Binary(_) | TypeRoot::Varbinary(_) => {
            StringArray::from_iter(array.as_binary::<i32>().iter().map(|bytes| bytes.map(String::from_utf8_lossy)))
        }
        TypeRoot::Char(_) | TypeRoot::Varchar(_) => return Ok(Arc::clone(array)),
        TypeRoot::Array(_) | TypeRoot::Map(_) | TypeRoot::Row(_) => {
            return Err(EvalError::NoCast { from: from.clone(), to: TypeRoot::STRING });
        }
    };
    Ok(Arc::new(strings))
}

fn written<T: ArrowPrimitiveType>(array: &ArrayRef, write: impl Fn(&mut String, T::Native)) -> StringArray {
    let array = array.as_primitive::<T>();
    let mut builder = StringBuilder::with_capacity(array.len(), array.len() * 16);
    let mut text = String::new();
    for value in array {
        match value {
            None => builder.append_null(),
            Some(value) => {
                text.clear();
                write(&mut text, value);
                builder.append_value(&text);
            }
        }
    }
    builder.finish()
}

/// CHAR(n) pads and trims, VARCHAR(n) trims; both count characters.
fn fit_text(array: &ArrayRef, to: &TypeRoot) -> ArrayRef {
    let (limit, pad) = match *to {
        TypeRoot::Char(n) => (n as usize, true),
        TypeRoot::Varchar(n) if *to != TypeRoot::STRING => (n as usize, false),
        _ => return Arc::clone(array),
    };
    let strings = array.as_string::<i32>();
    let fits = |text: &str| {
        // Characters are at most as many as bytes, so most texts need no count.
        if pad { text.chars().count() == limit } else { text.len() <= limit || text.chars().count() <= limit }
    };
    if strings.iter().flatten().all(fits) {
        return Arc::clone(array);
    }
    let values = strings.iter().map(|text| {
        text.map(|text| {
            let mut out: String = text.chars().take(limit).collect();
            if pad {
                let missing = limit - out.chars().count();
                out.extend(std::iter::repeat_n(' ', missing));
            }
            out
        })
    });
    Arc::new(StringArray::from_iter(values))
}

/// BINARY(n) pads with zeros and trims, VARBINARY(n) trims.
fn fit_bytes(array: &ArrayRef, to: &TypeRoot) -> ArrayRef {
    let (limit, pad) = match *to {
        TypeRoot::Binary(n) => (n as usize, true),
        TypeRoot::Varbinary(n) if *to != TypeRoot::BYTES => (n as usize, false),
        _ => return Arc::clone(array),
    };
    let mut builder = BinaryBuilder::new();
    for bytes in array.as_binary::<i32>() {
        match bytes {
            None => builder.append_null(),
            Some(bytes) if pad && bytes.len() < limit => {
                let mut padded = bytes.to_vec();
                padded.resize(limit, 0);
                builder.append_value(padded);
            }
            Some(bytes) => builder.append_value(&bytes[..bytes.len().min(limit)]),
        }
    }
    Arc::new(builder.finish())
}

fn from_text(strings: &StringArray, to: &TypeRoot, zone: Zone) -> Result<ArrayRef> {
    fn integers<T: ArrowPrimitiveType>(strings: &StringArray, to: &TypeRoot) -> Result<ArrayRef>
    where
        T::Native: TryFrom<i64>,
    {
        parsed::<T>(strings, to, |text| parse::integer(text).and_then(|value| T::Native::try_from(value).ok()))
    }
    match *to {
        TypeRoot::Boolean => {
            let values = strings
                .iter()
                .map(|text| {
                    text.map(|text| parse::boolean(text).ok_or_else(|| EvalError::cannot_cast(text, to))).transpose()
                })
                .collect::<Result<BooleanArray>>()?;
            Ok(Arc::new(values))
        }
        TypeRoot::TinyInt => integers::<Int8Type>(strings, to),
        TypeRoot::SmallInt => integers::<Int16Type>(strings, to),
        TypeRoot::Int => integers::<Int32Type>(strings, to),
        TypeRoot::BigInt => integers::<Int64Type>(strings, to),
        TypeRoot::Float => parsed::<Float32Type>(strings, to, parse::single),
        TypeRoot::Double => parsed::<Float64Type>(strings, to, parse::double),
        TypeRoot::Decimal { precision, scale } => {
            let values = strings
                .iter()
                .map(|text| {
                    let Some(text) = text else { return Ok(None) };
                    let value = parse::decimal(text, scale).map_err(|()| EvalError::cannot_cast(text, to))?;
                    Ok(value.filter(|value| value.abs() < decimal_bound(precision)))
                })
                .collect::<Result<Decimal128Array>>()?;
            Ok(decimal_array(values, to))
        }
        TypeRoot::Date => parsed::<Date32Type>(strings, to, parse::date),
        TypeRoot::Time(_) => parsed::<Time32MillisecondType>(strings, to, parse::time),
        TypeRoot::Timestamp(precision) | TypeRoot::TimestampLtz(precision) => {
            let digits = unit_digits(precision);
            let per_second = 10_i64.pow(u32::from(digits));
            let local = matches!(to, TypeRoot::TimestampLtz(_));
            let values = strings
                .iter()
                .map(|text| {
                    let Some(text) = text else { return Ok(None) };
                    let refuse = || EvalError::cannot_cast(text, to);
                    let reading = parse::timestamp(text).ok_or_else(refuse)?;
                    let offset = if local { zone.offset_seconds_of_local(reading.seconds) } else { 0 };
                    let cut = 10_u32.pow(9 - u32::from(precision));
                    let nanos = reading.nanos / cut * cut;
                    let ticks = (reading.seconds - offset)
                        .checked_mul(per_second)
                        .and_then(|ticks| ticks.checked_add(i64::from(nanos / 10_u32.pow(9 - u32::from(digits)))))
                        .ok_or_else(refuse)?;
                    Ok(Some(ticks))
                })
                .collect::<Result<PrimitiveArray<Int64Type>>>()?;
            Ok(timestamp_array(values, to))
        }
        TypeRoot::Binary(_) | TypeRoot::Varbinary(_) => {
            let bytes = arrow::compute::cast(strings, &arrow_type(&TypeRoot::BYTES))?;
            Ok(fit_bytes(&bytes, to))
        }
        TypeRoot::Char(_) | TypeRoot::Varchar(_) => Ok(fit_text(&(Arc::new(strings.clone()) as ArrayRef), to)),
        TypeRoot::Array(_) | TypeRoot::Map(_) | TypeRoot::Row(_) => {
            Err(EvalError::NoCast { from: TypeRoot::STRING, to: to.clone() })
        }
    }
}

fn parsed<T: ArrowPrimitiveType>(
    strings: &StringArray,
    to: &TypeRoot,
    parse: impl Fn(&str) -> Option<T::Native>,
) -> Result<ArrayRef> {
    let values = strings
        .iter()
        .map(|text| text.map(|text| parse(text).ok_or_else(|| EvalError::cannot_cast(text, to))).transpose())
        .collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(PrimitiveArray::<T>::from_iter(values)))
}

// --- moments ------------------------------------------------------------------------------------

/// A timestamp column as plain integers of its unit.
pub(crate) struct Ticks {
    pub(crate) values: PrimitiveArray<Int64Type>,
    digits: u8,
}

/// Fractional digits of the unit a timestamp of this precision is counted in.
fn unit_digits(precision: u8) -> u8 {
    match precision {
        0..=3 => 3,
        4..=6 => 6,
        _ => 9,
    }
}

impl Ticks {
    /// `root` is a timestamp type and `array` carries it.
    pub(crate) fn of(array: &ArrayRef, root: &TypeRoot) -> Self {
        let digits = unit_digits(types::fraction(root).unwrap_or(3));
        let values = match digits {
            3 => array.as_primitive::<TimestampMillisecondType>().reinterpret_cast(),
            6 => array.as_primitive::<TimestampMicrosecondType>().reinterpret_cast(),
            _ => array.as_primitive::<TimestampNanosecondType>().reinterpret_cast(),
        };
        Self { values, digits }
    }

    pub(crate) fn per_second(&self) -> i64 {
        10_i64.pow(u32::from(self.digits))
    }

    fn written(&self, precision: u8, shift: impl Fn(i64) -> i64) -> StringArray {
        let digits = self.digits;
        let values: ArrayRef = Arc::new(self.values.clone());
        written::<Int64Type>(&values, |out, ticks| {
            text_form::write_timestamp(out, shift(ticks), digits, precision);
        })
    }
}

/// Integers of the type's unit as a timestamp column.
fn timestamp_array(ticks: PrimitiveArray<Int64Type>, to: &TypeRoot) -> ArrayRef {
    let to_type = arrow_type(to);
    match unit_digits(types::fraction(to).unwrap_or(3)) {
        3 => Arc::new(ticks.reinterpret_cast::<TimestampMillisecondType>().with_data_type(to_type)),
        6 => Arc::new(ticks.reinterpret_cast::<TimestampMicrosecondType>().with_data_type(to_type)),
        _ => Arc::new(ticks.reinterpret_cast::<TimestampNanosecondType>().with_data_type(to_type)),
    }
}

fn cast_moment(array: &ArrayRef, from: &TypeRoot, to: &TypeRoot, zone: Zone) -> Result<ArrayRef> {
    // Everything meets as ticks of the wall clock, LTZ ones moved by the zone.
    let ticks = match *from {
        TypeRoot::Date => Ticks {
            values: array.as_primitive::<Date32Type>().unary(|days| i64::from(days) * MILLIS_PER_DAY),
            digits: 3,
        },
        TypeRoot::Time(_) => {
            Ticks { values: array.as_primitive::<Time32MillisecondType>().unary(i64::from), digits: 3 }
        }
        TypeRoot::Timestamp(_) | TypeRoot::TimestampLtz(_) => Ticks::of(array, from),
        _ => return Err(EvalError::NoCast { from: from.clone(), to: to.clone() }),
    };
    let was_instant = family(from) == Family::TimestampLtz;
    let per_second = ticks.per_second();
    match *to {
        TypeRoot::Date | TypeRoot::Time(_) => {
            let local =
                if was_instant { shifted(&ticks, |seconds| zone.offset_seconds(seconds)) } else { ticks.values };
            let per_day = per_second * 86_400;
            Ok(if *to == TypeRoot::Date {
                convert::<_, Date32Type>(&local, |ticks| ticks.div_euclid(per_day) as i32)
            } else {
                let digits = types::fraction(to).unwrap_or(0).min(3);
                let cut = 10_i32.pow(u32::from(3 - digits));
                let per_milli = per_second / 1000;
                convert::<_, Time32MillisecondType>(&local, |ticks| {
                    let millis = (ticks.rem_euclid(per_day) / per_milli) as i32;
                    millis - millis % cut
                })
            })
        }
        TypeRoot::Timestamp(precision) | TypeRoot::TimestampLtz(precision) => {
            let is_instant = family(to) == Family::TimestampLtz;
            let values = match (was_instant, is_instant) {
                (true, false) => shifted(&ticks, |seconds| zone.offset_seconds(seconds)),
                (false, true) => shifted(&ticks, |seconds| -zone.offset_seconds_of_local(seconds)),
                _ => ticks.values.clone(),
            };
            let (digits, wanted) = (ticks.digits, unit_digits(precision));
            let factor = 10_i64.pow(u32::from(wanted.abs_diff(digits)));
            let cut = 10_i64.pow(u32::from(wanted - precision.min(wanted)));
            let values: PrimitiveArray<Int64Type> = values.try_unary(|ticks| {
                let ticks = if wanted >= digits { ticks.checked_mul(factor) } else { Some(ticks.div_euclid(factor)) };
                match ticks {
                    Some(ticks) => Ok(ticks - ticks % cut),
                    None => Err(EvalError::OutOfRange { to: to.clone() }),
                }
            })?;
            Ok(timestamp_array(values, to))
        }
        _ => Err(EvalError::NoCast { from: from.clone(), to: to.clone() }),
    }
}

/// Ticks moved by so many seconds, given the second they fall in.
fn shifted(ticks: &Ticks, offset: impl Fn(i64) -> i64) -> PrimitiveArray<Int64Type> {
    let per_second = ticks.per_second();
    ticks.values.unary(|value| value.wrapping_add(offset(value.div_euclid(per_second)) * per_second))
}

/// Ticks of the wall clock: as they are, or moved into the zone if they are instants.
pub(crate) fn local_ticks(array: &ArrayRef, root: &TypeRoot, zone: Zone) -> Ticks {
    let ticks = Ticks::of(array, root);
    if family(root) != Family::TimestampLtz {
        return ticks;
    }
    Ticks { values: shifted(&ticks, |seconds| zone.offset_seconds(seconds)), digits: ticks.digits }
}
