//! Partition values as directory names (`InternalRowPartitionComputer` with
//! `partition.legacy-name`, `PartitionPathUtils`).
//!
//! The name of a value is what Java's `toString` gives for Paimon's internal value: a DATE is its
//! epoch day, a TIME its milliseconds, a timestamp `2026-01-31T09:00`. Names do not tell null and
//! blank text apart; the partition's `BinaryRow` does.

use std::fmt::LowerExp;

use crate::datum::Datum;
use crate::error::{FormatError, Result};
use crate::types::TypeRoot;

const OBJECT: &str = "partition";

/// `dt=20600/hh=9`, escaped; empty for an unpartitioned table.
///
/// # Errors
/// Those of [`partition_spec`].
pub fn partition_path(
    keys: &[String],
    types: &[TypeRoot],
    values: &[Option<Datum>],
    default_name: &str,
) -> Result<String> {
    let spec = partition_spec(keys, types, values, default_name)?;
    let parts: Vec<_> = spec.iter().map(|(key, value)| format!("{}={}", escape(key), escape(value))).collect();
    Ok(parts.join("/"))
}

/// The key and the unescaped name of each value, in order: what catalogs call a partition spec.
///
/// # Errors
/// [`FormatError::Encode`] when keys, types and values differ in number or a value is not of its
/// type; [`FormatError::Unsupported`] for BINARY and VARBINARY, which Java gives random names.
pub fn partition_spec(
    keys: &[String],
    types: &[TypeRoot],
    values: &[Option<Datum>],
    default_name: &str,
) -> Result<Vec<(String, String)>> {
    if keys.len() != types.len() || keys.len() != values.len() {
        return Err(FormatError::encode(
            OBJECT,
            format!("{} keys, {} types and {} values", keys.len(), types.len(), values.len()),
        ));
    }
    keys.iter()
        .zip(types.iter().zip(values))
        .map(|(key, (root, value))| {
            let name = match value {
                None => String::new(),
                Some(datum) if datum.is_of(root) => value_name(key, datum)?,
                Some(datum) => {
                    return Err(FormatError::encode(OBJECT, format!("`{key}`: {datum:?} is no {root}")));
                }
            };
            let blank = name.chars().all(is_java_whitespace);
            let name = if blank { default_name.to_owned() } else { name };
            Ok((key.clone(), name))
        })
        .collect()
}

/// Replaces the characters that `PartitionPathUtils.CHAR_TO_ESCAPE` lists by `%XX`.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_control() || "\"#%'*/:=?\\{}[]^".contains(c) {
            escaped.push_str(&format!("%{:02X}", c as u32));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

fn value_name(key: &str, datum: &Datum) -> Result<String> {
    java_text(datum).ok_or_else(|| FormatError::unsupported(format!("partition column `{key}` of a binary type")))
}

/// What Java's `toString` gives for Paimon's internal value, which is also how `$files` spells statistics; `None` for
/// bytes, of which Java prints an address.
pub fn java_text(datum: &Datum) -> Option<String> {
    Some(match datum {
        Datum::Boolean(v) => v.to_string(),
        Datum::TinyInt(v) => v.to_string(),
        Datum::SmallInt(v) => v.to_string(),
        Datum::Int(v) | Datum::Date(v) | Datum::Time(v) => v.to_string(),
        Datum::BigInt(v) => v.to_string(),
        Datum::Float(v) => java_float(&java_digits(*v), f64::from(*v)),
        Datum::Double(v) => java_float(&java_digits(*v), *v),
        Datum::Decimal { unscaled, scale, .. } => plain_decimal(*unscaled, usize::from(*scale)),
        Datum::String(v) => v.clone(),
        Datum::Bytes(_) => return None,
        Datum::Timestamp { millis, nano_of_milli } => java_local_date_time(*millis, *nano_of_milli),
    })
}

/// The digits `Double.toString` prints, in scientific notation: the fewest that read back as the number, as Java has
/// printed since 19; where one would do, the nearest of two (4.9e-324, though 5e-324 reads back as well).
fn java_digits<T: LowerExp>(value: T) -> String {
    let shortest = format!("{value:e}");
    let two = format!("{value:.1e}");
    let one_would_do = !shortest.contains('.');
    if one_would_do && !two.contains(".0") { two } else { shortest }
}

/// `Double.toString`: plain from 10^-3 up to 10^7, else `d.dE<n>`. `scientific` holds the digits.
fn java_float(scientific: &str, value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    if value.is_infinite() {
        return format!("{sign}Infinity");
    }
    if value == 0.0 {
        return format!("{sign}0.0");
    }
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let fraction = |digits: &str| if digits.is_empty() { "0" } else { digits }.to_owned();
    match exponent {
        -3..0 => {
            let zeros = "0".repeat((-exponent - 1) as usize);
            format!("{sign}0.{zeros}{digits}")
        }
        0..7 => {
            let whole = exponent as usize + 1;
            let padded = format!("{digits:0<whole$}");
            let (whole, rest) = padded.split_at(whole);
            format!("{sign}{whole}.{}", fraction(rest))
        }
        _ => {
            let (whole, rest) = digits.split_at(1);
            format!("{sign}{whole}.{}E{exponent}", fraction(rest))
        }
    }
}

/// `BigDecimal.toPlainString`.
fn plain_decimal(unscaled: i128, scale: usize) -> String {
    let sign = if unscaled < 0 { "-" } else { "" };
    let digits = format!("{:0>1$}", unscaled.unsigned_abs(), scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// `LocalDateTime.toString`: seconds and fraction only where they are not zero, the fraction in 3, 6
/// or 9 digits.
fn java_local_date_time(millis: i64, nano_of_milli: i32) -> String {
    const DAY_MILLIS: i64 = 86_400_000;
    let (year, month, day) = civil_from_days(millis.div_euclid(DAY_MILLIS));
    let of_day = millis.rem_euclid(DAY_MILLIS);
    let (hour, minute) = (of_day / 3_600_000, of_day / 60_000 % 60);
    let second = of_day / 1_000 % 60;
    let nano = of_day % 1_000 * 1_000_000 + i64::from(nano_of_milli);
    let year = match year {
        0..=9999 => format!("{year:04}"),
        10_000.. => format!("+{year}"),
        _ => format!("-{:04}", year.unsigned_abs()),
    };
    let mut text = format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}");
    if second != 0 || nano != 0 {
        text.push_str(&format!(":{second:02}"));
    }
    if nano == 0 {
    } else if nano % 1_000_000 == 0 {
        text.push_str(&format!(".{:03}", nano / 1_000_000));
    } else if nano % 1_000 == 0 {
        text.push_str(&format!(".{:06}", nano / 1_000));
    } else {
        text.push_str(&format!(".{nano:09}"));
    }
    text
}

/// Year, month and day of a day since 1970-01-01 in the proleptic Gregorian calendar (Howard
/// Hinnant, "chrono-Compatible Low-Level Date Algorithms": `civil_from_days`).
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// `Character.isWhitespace`: Unicode's separators but for the no-break ones, and the ASCII ones
/// from U+001C.
fn is_java_whitespace(c: char) -> bool {
    match c {
        '\u{1c}'..='\u{1f}' => true,
        '\u{85}' | '\u{a0}' | '\u{2007}' | '\u{202f}' => false,
        _ => c.is_whitespace(),
    }
}

#[cfg(test)]
mod tests;
