//! CAST to and from text and bytes.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, ArrowPrimitiveType, AsArray, BinaryBuilder, BooleanArray, Decimal128Array, PrimitiveArray, StringArray,
    StringBuilder,
};
use arrow::datatypes::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time32MillisecondType,
};
use paimon_format::TypeRoot;
use paimon_table::arrow::arrow_type;

use super::cast::{Failing, decimal_array, decimal_bound};
use super::cast_moment::{Ticks, timestamp_array, unit_digits};
use super::eval::EvalError;
use super::zone::Zone;
use super::{nested, parse, text_form};

type Result<T, E = EvalError> = std::result::Result<T, E>;

/// The text forms of the values.
pub(super) fn to_text(array: &ArrayRef, from: &TypeRoot, zone: Zone) -> Result<ArrayRef> {
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
        TypeRoot::Time(_) => written::<Time32MillisecondType>(array, text_form::write_time),
        TypeRoot::Timestamp(precision) => {
            let ticks = Ticks::of(array, from);
            timestamps(&ticks, precision, |ticks| ticks)
        }
        TypeRoot::TimestampLtz(precision) => {
            let ticks = Ticks::of(array, from);
            let per_second = ticks.per_second();
            timestamps(&ticks, precision, |ticks| {
                let seconds = ticks.div_euclid(per_second);
                ticks + zone.offset_seconds(seconds) * per_second
            })
        }
        TypeRoot::Binary(_) | TypeRoot::Varbinary(_) => {
            StringArray::from_iter(array.as_binary::<i32>().iter().map(|bytes| bytes.map(String::from_utf8_lossy)))
        }
        TypeRoot::Char(_) | TypeRoot::Varchar(_) => return Ok(Arc::clone(array)),
        TypeRoot::Array(_) | TypeRoot::Map(_) | TypeRoot::Row(_) => nested::to_text(array, from, zone)?,
    };
    Ok(Arc::new(strings))
}

fn timestamps(ticks: &Ticks, precision: u8, shift: impl Fn(i64) -> i64) -> StringArray {
    let values: ArrayRef = Arc::new(ticks.values.clone());
    written::<Int64Type>(&values, |out, value| {
        text_form::write_timestamp(out, shift(value), ticks.digits, precision);
    })
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
pub(super) fn fit_text(array: &ArrayRef, to: &TypeRoot) -> ArrayRef {
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
pub(super) fn fit_bytes(array: &ArrayRef, to: &TypeRoot) -> ArrayRef {
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

/// The values the texts name.
pub(super) fn from_text(strings: &StringArray, to: &TypeRoot, zone: Zone, failing: Failing) -> Result<ArrayRef> {
    fn integers<T: ArrowPrimitiveType>(strings: &StringArray, to: &TypeRoot, failing: Failing) -> Result<ArrayRef>
    where
        T::Native: TryFrom<i64>,
    {
        parsed::<T>(strings, to, failing, |text| parse::integer(text).and_then(|value| T::Native::try_from(value).ok()))
    }
    match *to {
        TypeRoot::Array(_) | TypeRoot::Map(_) | TypeRoot::Row(_) => {
            Err(EvalError::NoCast { from: TypeRoot::STRING, to: to.clone() })
        }
        TypeRoot::Boolean => {
            let values = strings
                .iter()
                .map(|text| {
                    let Some(text) = text else { return Ok(None) };
                    failing.settle(parse::boolean(text).ok_or_else(|| EvalError::cannot_cast(text, to)))
                })
                .collect::<Result<BooleanArray>>()?;
            Ok(Arc::new(values))
        }
        TypeRoot::TinyInt => integers::<Int8Type>(strings, to, failing),
        TypeRoot::SmallInt => integers::<Int16Type>(strings, to, failing),
        TypeRoot::Int => integers::<Int32Type>(strings, to, failing),
        TypeRoot::BigInt => integers::<Int64Type>(strings, to, failing),
        TypeRoot::Float => parsed::<Float32Type>(strings, to, failing, parse::single),
        TypeRoot::Double => parsed::<Float64Type>(strings, to, failing, parse::double),
        TypeRoot::Decimal { precision, scale } => {
            let values = strings
                .iter()
                .map(|text| {
                    let Some(text) = text else { return Ok(None) };
                    let value = parse::decimal(text, scale).ok().flatten();
                    let value = value.filter(|value| value.abs() < decimal_bound(precision));
                    failing.settle(value.ok_or_else(|| EvalError::cannot_cast(text, to)))
                })
                .collect::<Result<Decimal128Array>>()?;
            Ok(decimal_array(values, to))
        }
        TypeRoot::Date => parsed::<Date32Type>(strings, to, failing, parse::date),
        TypeRoot::Time(_) => parsed::<Time32MillisecondType>(strings, to, failing, parse::time),
        TypeRoot::Timestamp(precision) | TypeRoot::TimestampLtz(precision) => {
            let digits = unit_digits(precision);
            let per_second = 10_i64.pow(u32::from(digits));
            let local = matches!(to, TypeRoot::TimestampLtz(_));
            let values = strings
                .iter()
                .map(|text| {
                    let Some(text) = text else { return Ok(None) };
                    let ticks = parse::timestamp(text).and_then(|reading| {
                        let offset = if local { zone.offset_seconds_of_local(reading.seconds) } else { 0 };
                        let cut = 10_u32.pow(9 - u32::from(precision));
                        let nanos = reading.nanos / cut * cut;
                        (reading.seconds - offset)
                            .checked_mul(per_second)?
                            .checked_add(i64::from(nanos / 10_u32.pow(9 - u32::from(digits))))
                    });
                    failing.settle(ticks.ok_or_else(|| EvalError::cannot_cast(text, to)))
                })
                .collect::<Result<PrimitiveArray<Int64Type>>>()?;
            Ok(timestamp_array(values, to))
        }
        TypeRoot::Binary(_) | TypeRoot::Varbinary(_) => {
            let bytes = arrow::compute::cast(strings, &arrow_type(&TypeRoot::BYTES))?;
            Ok(fit_bytes(&bytes, to))
        }
        TypeRoot::Char(_) | TypeRoot::Varchar(_) => Ok(fit_text(&(Arc::new(strings.clone()) as ArrayRef), to)),
    }
}

fn parsed<T: ArrowPrimitiveType>(
    strings: &StringArray,
    to: &TypeRoot,
    failing: Failing,
    parse: impl Fn(&str) -> Option<T::Native>,
) -> Result<ArrayRef> {
    let values = strings
        .iter()
        .map(|text| {
            let Some(text) = text else { return Ok(None) };
            failing.settle(parse(text).ok_or_else(|| EvalError::cannot_cast(text, to)))
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(PrimitiveArray::<T>::from_iter(values)))
}
