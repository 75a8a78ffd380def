//! Values as people write them in SQL, and as JSON.

use std::fmt::Write as _;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType as ArrowType;
use chrono::{DateTime, Local, NaiveDate, Offset, TimeDelta, TimeZone};
use paimon_format::{Datum, TypeRoot};
use paimon_table::arrow::datum_at;
use paimon_table::data_error::DataError;
use serde_json::Value;

/// A value for output: numbers and truth values stay what they are, the rest is text.
///
/// Decimals and 32-bit floats are text, which keeps their digits: JSON readers widen them to doubles.
pub(crate) fn json(value: Option<&Datum>) -> Value {
    match value {
        None => Value::Null,
        Some(Datum::Boolean(yes)) => Value::from(*yes),
        Some(Datum::TinyInt(number)) => Value::from(*number),
        Some(Datum::SmallInt(number)) => Value::from(*number),
        Some(Datum::Int(number)) => Value::from(*number),
        Some(Datum::BigInt(number)) => Value::from(*number),
        Some(Datum::Double(number)) if number.is_finite() => Value::from(*number),
        Some(other) => Value::from(sql(other)),
    }
}

/// The value at `row`: a list for an ARRAY, an object for a ROW, and for a MAP one with its keys as text.
pub(crate) fn cell(array: &ArrayRef, row: usize, root: &TypeRoot) -> Result<Value, DataError> {
    if !root.is_nested() {
        return datum_at(array, row, root).map(|value| json(value.as_ref()));
    }
    if array.is_null(row) {
        return Ok(Value::Null);
    }
    let cells = |array: &ArrayRef, root: &TypeRoot| -> Result<Vec<Value>, DataError> {
        (0..array.len()).map(|row| cell(array, row, root)).collect()
    };
    match (root, array.data_type()) {
        (TypeRoot::Array(element), ArrowType::List(_)) => {
            cells(&array.as_list::<i32>().value(row), &element.root).map(Value::Array)
        }
        (TypeRoot::Map(map), ArrowType::Map(..)) => {
            let entries = array.as_map().value(row);
            let (keys, values) = (cells(entries.column(0), &map.key.root)?, cells(entries.column(1), &map.value.root)?);
            let keys = keys.into_iter().map(|key| match key {
                Value::String(text) => text,
                other => other.to_string(),
            });
            Ok(Value::Object(keys.zip(values).collect()))
        }
        (TypeRoot::Row(fields), ArrowType::Struct(_)) => {
            let parts = fields.iter().zip(array.as_struct().columns());
            let members = parts.map(|(field, part)| Ok((field.name.clone(), cell(part, row, &field.data_type.root)?)));
            Ok(Value::Object(members.collect::<Result<_, DataError>>()?))
        }
        (root, other) => Err(DataError::Rows { why: format!("a {root} is held as {other}") }),
    }
}

/// A value without quotes: `2026-01-31`, `2026-01-31 09:00:00.5`, `1.50`, `0x00ff`.
pub(crate) fn sql(value: &Datum) -> String {
    match value {
        Datum::Boolean(yes) => yes.to_string(),
        Datum::TinyInt(number) => number.to_string(),
        Datum::SmallInt(number) => number.to_string(),
        Datum::Int(number) => number.to_string(),
        Datum::BigInt(number) => number.to_string(),
        Datum::Float(number) => number.to_string(),
        Datum::Double(number) => number.to_string(),
        Datum::Decimal { unscaled, scale, .. } => decimal(*unscaled, usize::from(*scale)),
        Datum::String(text) => text.clone(),
        Datum::Bytes(bytes) => bytes.iter().fold("0x".to_owned(), |mut text, byte| {
            // Writing to a String cannot fail.
            let _never = write!(text, "{byte:02x}");
            text
        }),
        Datum::Date(days) => NaiveDate::default()
            .checked_add_signed(TimeDelta::days(i64::from(*days)))
            .map_or_else(|| format!("day {days}"), |date| date.to_string()),
        Datum::Time(millis) => timestamp(i64::from(*millis), 0).rsplit(' ').next().unwrap_or_default().to_owned(),
        Datum::Timestamp { millis, nano_of_milli } => timestamp(*millis, *nano_of_milli),
    }
}

/// `2026-01-31 09:00:00`, with as many digits of the second as are not zero.
pub(crate) fn timestamp(millis: i64, nano_of_milli: i32) -> String {
    let Some(moment) = DateTime::from_timestamp_millis(millis) else {
        return format!("{millis} ms");
    };
    let nanos = i64::from(moment.timestamp_subsec_millis()) * 1_000_000 + i64::from(nano_of_milli);
    let seconds = moment.format("%Y-%m-%d %H:%M:%S");
    match nanos {
        0 => seconds.to_string(),
        _ => format!("{seconds}.{}", format!("{nanos:09}").trim_end_matches('0')),
    }
}

/// The wall clock of the process's zone, as Java's system tables show it.
pub(crate) fn local_time(unix_millis: i64) -> String {
    let zone = Local.timestamp_millis_opt(unix_millis).earliest().map_or(0, |at| at.offset().fix().local_minus_utc());
    timestamp(unix_millis.saturating_add(i64::from(zone) * 1000), 0)
}

fn decimal(unscaled: i128, scale: usize) -> String {
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let sign = if unscaled < 0 { "-" } else { "" };
    let point = if scale == 0 { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use std::sync::Arc;

    use super::*;

    #[test]
    fn values_are_spelt_as_in_sql() {
        let decimal = |unscaled, scale| Datum::Decimal { unscaled, precision: 38, scale };
        for (value, expected) in [
            (Datum::Boolean(true), "true"),
            (Datum::BigInt(-7), "-7"),
            (decimal(150, 2), "1.50"),
            (decimal(-5, 2), "-0.05"),
            (decimal(7, 0), "7"),
            (Datum::Bytes(vec![0, 255]), "0x00ff"),
            (Datum::Date(20_484), "2026-01-31"),
            (Datum::Date(-1), "1969-12-31"),
            (Datum::Date(i32::MAX), "day 2147483647"),
            (Datum::Time(32_400_500), "09:00:00.5"),
            (Datum::Timestamp { millis: 0, nano_of_milli: 0 }, "1970-01-01 00:00:00"),
            (Datum::Timestamp { millis: -1, nano_of_milli: 1_000 }, "1969-12-31 23:59:59.999001"),
            (Datum::Timestamp { millis: i64::MAX, nano_of_milli: 0 }, "9223372036854775807 ms"),
        ] {
            assert_eq!(sql(&value), expected, "{value:?}");
        }
    }

    #[test]
    fn nested_values_are_json() {
        use arrow::array::{Int32Array, ListArray, StringArray, StructArray};
        use arrow::buffer::OffsetBuffer;
        use paimon_format::DataType;

        let data_type: DataType = "ROW<b ARRAY<INT>, a STRING>".parse().unwrap();
        let ArrowType::Struct(fields) = paimon_table::arrow::arrow_type(&data_type.root) else { panic!("no struct") };
        let ArrowType::List(element) = fields[0].data_type() else { panic!("no list") };
        let values = Arc::new(Int32Array::from(vec![Some(1), None]));
        let lists = ListArray::new(Arc::clone(element), OffsetBuffer::from_lengths([2, 0]), values, None);
        let columns: Vec<ArrayRef> = vec![Arc::new(lists), Arc::new(StringArray::from(vec![Some("x"), None]))];
        let rows: ArrayRef = Arc::new(StructArray::new(fields, columns, Some(vec![true, false].into())));
        let cells = [0, 1].map(|row| cell(&rows, row, &data_type.root).unwrap().to_string());
        assert_eq!(cells, [r#"{"a":"x","b":[1,null]}"#, "null"]);
        let map: DataType = "MAP<DATE, BIGINT>".parse().unwrap();
        let maps = arrow::array::new_null_array(&paimon_table::arrow::arrow_type(&map.root), 1);
        assert_eq!(cell(&maps, 0, &map.root).unwrap(), Value::Null);
    }

    #[test]
    fn numbers_stay_numbers_in_json_unless_it_cannot_hold_them() {
        assert_eq!(json(Some(&Datum::Int(7))).to_string(), "7");
        assert_eq!(json(Some(&Datum::Double(0.5))).to_string(), "0.5");
        assert_eq!(json(Some(&Datum::Float(0.1))).to_string(), "\"0.1\"");
        assert_eq!(json(Some(&Datum::Double(f64::NAN))).to_string(), "\"NaN\"");
        assert_eq!(json(None).to_string(), "null");
    }
}
