//! Values as people write them in SQL, and as JSON.

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, TimeDelta};
use paimon_format::Datum;
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

fn decimal(unscaled: i128, scale: usize) -> String {
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let sign = if unscaled < 0 { "-" } else { "" };
    let point = if scale == 0 { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}

#[cfg(test)]
mod tests {
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
    fn numbers_stay_numbers_in_json_unless_it_cannot_hold_them() {
        assert_eq!(json(Some(&Datum::Int(7))).to_string(), "7");
        assert_eq!(json(Some(&Datum::Double(0.5))).to_string(), "0.5");
        assert_eq!(json(Some(&Datum::Float(0.1))).to_string(), "\"0.1\"");
        assert_eq!(json(Some(&Datum::Double(f64::NAN))).to_string(), "\"NaN\"");
        assert_eq!(json(None).to_string(), "null");
    }
}
