//! The text forms of values: what `CAST(x AS STRING)` prints, as Flink (that is: Java) prints it.

use std::fmt::Write;

use chrono::{Datelike, NaiveDate};

const MILLIS_PER_DAY: i64 = 86_400_000;

/// `TRUE` or `FALSE`.
pub(crate) fn boolean(value: bool) -> &'static str {
    if value { "TRUE" } else { "FALSE" }
}

/// Java's `Double.toString`: shortest digits that read back, plain between 10^-3 and 10^7, else
/// with an exponent.
pub(crate) fn write_double(out: &mut String, value: f64) {
    write_float(out, value, |out| write!(out, "{value:e}"));
}

/// Java's `Float.toString`; as [`write_double`] for the narrower type.
pub(crate) fn write_single(out: &mut String, value: f32) {
    write_float(out, f64::from(value), |out| write!(out, "{value:e}"));
}

fn write_float(out: &mut String, value: f64, scientific: impl FnOnce(&mut String) -> std::fmt::Result) {
    if value.is_nan() {
        return out.push_str("NaN");
    }
    if value.is_sign_negative() {
        out.push('-');
    }
    if value.is_infinite() {
        return out.push_str("Infinity");
    }
    if value == 0.0 {
        return out.push_str("0.0");
    }
    let mut digits = String::with_capacity(24);
    // Writing to a String cannot fail.
    let _ = scientific(&mut digits);
    let digits = digits.trim_start_matches('-');
    let Some((mantissa, exponent)) = digits.split_once('e') else {
        return out.push_str(digits);
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (first, rest) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    match exponent {
        0..=6 => {
            let whole = exponent as usize;
            out.push_str(first);
            if rest.len() <= whole {
                out.push_str(rest);
                out.extend(std::iter::repeat_n('0', whole - rest.len()));
                out.push_str(".0");
            } else {
                out.push_str(&rest[..whole]);
                out.push('.');
                out.push_str(&rest[whole..]);
            }
        }
        -3..=-1 => {
            out.push_str("0.");
            out.extend(std::iter::repeat_n('0', (-exponent - 1) as usize));
            out.push_str(first);
            out.push_str(rest);
        }
        _ => {
            out.push_str(first);
            out.push('.');
            out.push_str(if rest.is_empty() { "0" } else { rest });
            let _ = write!(out, "E{exponent}");
        }
    }
}

/// A decimal with all digits of its scale, never with an exponent.
pub(crate) fn write_decimal(out: &mut String, unscaled: i128, scale: u8) {
    if scale == 0 {
        let _ = write!(out, "{unscaled}");
        return;
    }
    if unscaled < 0 {
        out.push('-');
    }
    let one = 10_u128.pow(u32::from(scale));
    let digits = unscaled.unsigned_abs();
    let width = usize::from(scale);
    let _ = write!(out, "{}.{:0width$}", digits / one, digits % one);
}

/// `yyyy-MM-dd`, from days since 1970-01-01.
pub(crate) fn write_date(out: &mut String, days: i64) {
    let Some(date) = i32::try_from(days).ok().and_then(NaiveDate::from_epoch_days) else {
        let _ = write!(out, "{days} days");
        return;
    };
    push_padded(out, date.year() as u32, 4);
    out.push('-');
    push_padded(out, date.month(), 2);
    out.push('-');
    push_padded(out, date.day(), 2);
}

/// `HH:mm:ss`; Flink shows no fraction of a TIME, whatever its precision.
pub(crate) fn write_time(out: &mut String, millis: i32) {
    write_clock(out, i64::from(millis).rem_euclid(MILLIS_PER_DAY) / 1000);
}

/// `yyyy-MM-dd HH:mm:ss` and the fraction in as many digits as the type declares.
/// `ticks` counts `1/10^unit_digits` seconds since 1970-01-01 00:00 of the wall clock.
pub(crate) fn write_timestamp(out: &mut String, ticks: i64, unit_digits: u8, precision: u8) {
    let per_second = 10_i64.pow(u32::from(unit_digits));
    let seconds = ticks.div_euclid(per_second);
    let mut fraction = ticks.rem_euclid(per_second);
    write_date(out, seconds.div_euclid(86_400));
    out.push(' ');
    write_clock(out, seconds.rem_euclid(86_400));
    // Digits beyond the declared ones are shown only if they are there, as Java does.
    let mut digits = unit_digits;
    while digits > precision && fraction % 10 == 0 {
        fraction /= 10;
        digits -= 1;
    }
    if digits > 0 {
        out.push('.');
        push_padded(out, fraction as u32, usize::from(digits));
    }
}

fn write_clock(out: &mut String, second_of_day: i64) {
    let second_of_day = second_of_day as u32;
    push_padded(out, second_of_day / 3600, 2);
    out.push(':');
    push_padded(out, second_of_day / 60 % 60, 2);
    out.push(':');
    push_padded(out, second_of_day % 60, 2);
}

/// Faster than the formatting machinery, which shows in a column of timestamps.
fn push_padded(out: &mut String, value: u32, width: usize) {
    let mut digits = [b'0'; 10];
    let mut rest = value;
    let mut used = 0;
    while rest > 0 {
        used += 1;
        digits[10 - used] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    for digit in &digits[10 - used.max(width)..] {
        out.push(*digit as char);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut String)) -> String {
        let mut out = String::new();
        write(&mut out);
        out
    }

    #[test]
    fn doubles_are_printed_as_java_prints_them() {
        for (value, expected) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (-1.5, "-1.5"),
            (100.0, "100.0"),
            (1_234_567.0, "1234567.0"),
            (9_999_999.0, "9999999.0"),
            (10_000_000.0, "1.0E7"),
            (12_345_678.9, "1.23456789E7"),
            (0.001, "0.001"),
            (0.0015, "0.0015"),
            (0.000_999, "9.99E-4"),
            (1e-5, "1.0E-5"),
            (1e300, "1.0E300"),
            (f64::MAX, "1.7976931348623157E308"),
            (f64::MIN_POSITIVE, "2.2250738585072014E-308"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(text(|out| write_double(out, value)), expected);
        }
        for (value, expected) in
            [(1.1_f32, "1.1"), (-123.456, "-123.456"), (3.4028235e38, "3.4028235E38"), (16_777_216.0, "1.6777216E7")]
        {
            assert_eq!(text(|out| write_single(out, value)), expected);
        }
    }

    #[test]
    fn times_dates_and_decimals() {
        for (millis, expected) in [(0, "00:00:00"), (45_296_789, "12:34:56"), (86_399_999, "23:59:59")] {
            assert_eq!(text(|out| write_time(out, millis)), expected);
        }
        for (ticks, unit, precision, expected) in [
            (1_795_370_645_123, 3, 3, "2026-11-22 18:04:05.123"),
            (1_795_370_645_000, 3, 3, "2026-11-22 18:04:05.000"),
            (1_795_370_645_000, 3, 0, "2026-11-22 18:04:05"),
            (1_795_370_645_100, 3, 0, "2026-11-22 18:04:05.1"),
            (1_795_370_645_123_456, 6, 6, "2026-11-22 18:04:05.123456"),
            (-1, 3, 3, "1969-12-31 23:59:59.999"),
            (-62_135_596_800_000, 3, 3, "0001-01-01 00:00:00.000"),
        ] {
            assert_eq!(text(|out| write_timestamp(out, ticks, unit, precision)), expected);
        }
        for (unscaled, scale, expected) in [(0, 2, "0.00"), (-5, 3, "-0.005"), (123_456, 2, "1234.56"), (42, 0, "42")] {
            assert_eq!(text(|out| write_decimal(out, unscaled, scale)), expected);
        }
    }
}
