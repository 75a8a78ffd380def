//! What a value contributes to a curve: 64 bits that are ordered as the values are.
//!
//! | type | bits | |
//! | --- | --- | --- |
//! | TINYINT to BIGINT, DATE, TIME | the number, its sign flipped | as `ZIndexer` |
//! | CHAR, VARCHAR, BINARY, VARBINARY | the first 8 bytes, zeros behind | as `ZIndexer` (`zorder.var-length-contribution`) |
//! | BOOLEAN | 0x81 or 0x00 in the first byte | as `ZIndexer` |
//! | TIMESTAMP, TIMESTAMP_LTZ | milliseconds, as BIGINT | as `ZIndexer`; Spark takes seconds |
//! | FLOAT, DOUBLE | IEEE 754's total order, one NaN | `ZIndexer` shifts by 31 for 63, which mixes up the low half of the bits |
//! | DECIMAL | the unscaled number, its sign flipped; above 18 digits its highest 64 bits | `ZIndexer` takes two's complement bytes from the left, which are not ordered; Spark refuses |
//!
//! Null is 0, so it comes with the smallest value, as everywhere in Paimon. For Hilbert's curve Paimon takes the numbers as they are,
//! which is no order where they are negative, and null as the largest.

use arrow::array::{Array, ArrowPrimitiveType, AsArray, PrimitiveArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time32MillisecondType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
};

const SIGN: u64 = 1 << 63;
const NULL: u64 = 0;
/// Digits that fit into 64 bits with their sign.
const SMALL_PRECISION: u8 = 18;

/// Whether values of the type are ordered by [`ordinals`], and by arrow's row format.
pub(super) fn has_order(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Boolean
            | DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::Float32
            | DataType::Float64
            | DataType::Decimal128(_, _)
            | DataType::Utf8
            | DataType::Binary
            | DataType::Date32
            | DataType::Time32(TimeUnit::Millisecond)
            | DataType::Timestamp(TimeUnit::Millisecond | TimeUnit::Microsecond | TimeUnit::Nanosecond, _)
    )
}

/// The bits of every value; `None` for a type without order.
pub(super) fn ordinals(array: &dyn Array) -> Option<Vec<u64>> {
    Some(match array.data_type() {
        DataType::Boolean => each(array, array.as_boolean(), |v| if v { 0x81 << 56 } else { 0 }),
        DataType::Int8 => numbers::<Int8Type>(array, |v| signed(i64::from(v))),
        DataType::Int16 => numbers::<Int16Type>(array, |v| signed(i64::from(v))),
        DataType::Int32 => numbers::<Int32Type>(array, |v| signed(i64::from(v))),
        DataType::Int64 => numbers::<Int64Type>(array, signed),
        DataType::Float32 => numbers::<Float32Type>(array, |v| float(f64::from(v))),
        DataType::Float64 => numbers::<Float64Type>(array, float),
        DataType::Decimal128(precision, _) => {
            let dropped = if *precision <= SMALL_PRECISION { 0 } else { digits_bits(*precision) + 1 - 64 };
            numbers::<Decimal128Type>(array, |v| signed((v >> dropped) as i64))
        }
        DataType::Utf8 => each(array, array.as_string::<i32>(), |v| head(v.as_bytes())),
        DataType::Binary => each(array, array.as_binary::<i32>(), head),
        DataType::Date32 => numbers::<Date32Type>(array, |v| signed(i64::from(v))),
        DataType::Time32(TimeUnit::Millisecond) => numbers::<Time32MillisecondType>(array, |v| signed(i64::from(v))),
        DataType::Timestamp(TimeUnit::Millisecond, _) => numbers::<TimestampMillisecondType>(array, signed),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            numbers::<TimestampMicrosecondType>(array, |v| signed(v.div_euclid(1_000)))
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            numbers::<TimestampNanosecondType>(array, |v| signed(v.div_euclid(1_000_000)))
        }
        _ => return None,
    })
}

fn numbers<T: ArrowPrimitiveType>(array: &dyn Array, bits: impl Fn(T::Native) -> u64) -> Vec<u64> {
    let numbers: &PrimitiveArray<T> = array.as_primitive();
    match numbers.null_count() {
        0 => numbers.values().iter().map(|value| bits(*value)).collect(),
        _ => each(array, numbers, bits),
    }
}

fn each<V>(array: &dyn Array, values: impl IntoIterator<Item = Option<V>>, bits: impl Fn(V) -> u64) -> Vec<u64> {
    let mut all = Vec::with_capacity(array.len());
    all.extend(values.into_iter().map(|value| value.map_or(NULL, &bits)));
    all
}

fn signed(number: i64) -> u64 {
    number as u64 ^ SIGN
}

fn float(number: f64) -> u64 {
    let bits = if number.is_nan() { f64::NAN.to_bits() } else { number.to_bits() };
    // Negative numbers grow with their bits: all of them are flipped, of the others the sign only.
    bits ^ ((bits as i64 >> 63) as u64 | SIGN)
}

fn head(bytes: &[u8]) -> u64 {
    let mut head = [0; 8];
    let length = bytes.len().min(8);
    head[..length].copy_from_slice(&bytes[..length]);
    u64::from_be_bytes(head)
}

/// Bits of the largest number with so many digits.
fn digits_bits(digits: u8) -> u32 {
    128 - (10_i128.pow(u32::from(digits)) - 1).leading_zeros()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use arrow::array::{
        ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int8Array,
        Int16Array, Int32Array, Int64Array, StringArray, Time32MillisecondArray, TimestampMicrosecondArray,
        TimestampMillisecondArray, TimestampNanosecondArray,
    };

    use super::*;

    fn decimals(values: Vec<Option<i128>>, precision: u8) -> ArrayRef {
        Arc::new(Decimal128Array::from(values).with_precision_and_scale(precision, 2).unwrap())
    }

    #[test]
    fn bits_are_those_of_the_z_index() {
        let cases: [(ArrayRef, &[u64]); 7] = [
            (Arc::new(Int8Array::from(vec![Some(-1), Some(0), None])), &[0x7fff_ffff_ffff_ffff, 1 << 63, 0]),
            (Arc::new(Int32Array::from(vec![7, i32::MIN])), &[0x8000_0000_0000_0007, 0x7fff_ffff_8000_0000]),
            (Arc::new(Int64Array::from(vec![i64::MIN, i64::MAX])), &[0, u64::MAX]),
            (Arc::new(Date32Array::from(vec![-1])), &[0x7fff_ffff_ffff_ffff]),
            (Arc::new(BooleanArray::from(vec![Some(true), Some(false), None])), &[0x8100_0000_0000_0000, 0, 0]),
            (
                Arc::new(StringArray::from(vec![Some("é"), Some("abcdefghi"), Some(""), None])),
                &[0xc3a9_0000_0000_0000, 0x6162_6364_6566_6768, 0, 0],
            ),
            (Arc::new(TimestampMillisecondArray::from(vec![1])), &[0x8000_0000_0000_0001]),
        ];
        for (array, bits) in cases {
            assert_eq!(ordinals(&array).unwrap(), bits, "{array:?}");
        }
    }

    #[test]
    fn bits_are_ordered_as_values_are() {
        let nines = 10_i128.pow(38) - 1;
        let ascending: [ArrayRef; 9] = [
            Arc::new(Int16Array::from(vec![i16::MIN, -300, -1, 0, 1, i16::MAX])),
            Arc::new(Float32Array::from(vec![f32::NEG_INFINITY, -1.5, -0.0, 0.0, 1e-40, 2.0, f32::INFINITY, f32::NAN])),
            Arc::new(Float64Array::from(vec![
                f64::NEG_INFINITY,
                -1.0 - f64::EPSILON,
                -1.0,
                0.0,
                1.0,
                1.0 + f64::EPSILON,
                f64::NAN,
            ])),
            decimals(vec![Some(-(10_i128.pow(18) - 1)), Some(-1), Some(0), Some(1), Some(10_i128.pow(18) - 1)], 18),
            decimals(vec![Some(-nines), Some(-(nines >> 1)), Some(-1), Some(0), Some(nines >> 1), Some(nines)], 38),
            Arc::new(BinaryArray::from(vec![&b""[..], b"\0\x01", b"a", b"ab", b"\xff"])),
            Arc::new(Time32MillisecondArray::from(vec![0, 1, 86_399_999])),
            Arc::new(TimestampMicrosecondArray::from(vec![-1_000_001, -1, 0, 1_000])),
            Arc::new(TimestampNanosecondArray::from(vec![i64::MIN, -1, 0, i64::MAX])),
        ];
        for array in ascending {
            let bits = ordinals(&array).unwrap();
            assert!(has_order(array.data_type()) && bits.is_sorted_by(|a, b| a < b), "{array:?} {bits:x?}");
        }
    }
}
