//! Text to values: what `CAST('…' AS T)` accepts, as Flink accepts it. Surrounding blanks are ignored,
//! but for booleans and timestamps.

use chrono::NaiveDate;

/// Whole and fractional part of a wall-clock reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Seconds since 1970-01-01 00:00.
    pub(crate) seconds: i64,
    /// Nanoseconds within the second.
    pub(crate) nanos: u32,
}

/// `true`, `t`, `yes`, `y`, `1` and their opposites, in any case.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(&["true", "t", "yes", "y", "1"]) {
        Some(true)
    } else if is(&["false", "f", "no", "n", "0"]) {
        Some(false)
    } else {
        None
    }
}

/// An integer; a fraction of digits is allowed and cut off.
pub(crate) fn integer(text: &str) -> Option<i64> {
    let text = text.trim();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    match whole.strip_prefix(['+', '-']).unwrap_or(whole) {
        "" if whole.is_empty() && !fraction.is_empty() => Some(0),
        "" => None,
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => whole.parse().ok(),
        _ => None,
    }
}

/// A floating-point number as Java reads it, but for hexadecimal ones.
pub(crate) fn double(text: &str) -> Option<f64> {
    let text = without_suffix(text);
    match text.strip_prefix(['+', '-']).unwrap_or(text) {
        "NaN" => Some(f64::NAN),
        "Infinity" if text.starts_with('-') => Some(f64::NEG_INFINITY),
        "Infinity" => Some(f64::INFINITY),
        // Rust also reads words (`inf`, `nan`), Java does not.
        digits if digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') => text.parse().ok(),
        _ => None,
    }
}

/// The nearest `f32`, read directly: rounding twice could miss it.
pub(crate) fn single(text: &str) -> Option<f32> {
    let wide = double(text)?;
    if wide.is_finite() { without_suffix(text).parse().ok() } else { Some(wide as f32) }
}

/// Java allows a `d` or `f` behind the digits.
fn without_suffix(text: &str) -> &str {
    let text = text.trim();
    match text.strip_suffix(['d', 'D', 'f', 'F']) {
        Some(number) if number.ends_with(|c: char| c.is_ascii_digit() || c == '.') => number,
        _ => text,
    }
}

/// A decimal with optional exponent as `unscaled / 10^scale`, rounded half up to `scale` digits.
/// `Err` if the text is no number, `Ok(None)` if it has more than 38 digits.
pub(crate) fn decimal(text: &str, scale: u8) -> Result<Option<i128>, ()> {
    let text = text.trim();
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| ())?),
        None => (text, 0),
    };
    let negative = mantissa.starts_with('-');
    let mantissa = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if digits().next().is_none() || !digits().all(|b| b.is_ascii_digit()) {
        return Err(());
    }
    // The digit at index i counts 10^(point - i - 1); what is right of 10^-scale is rounded away.
    let point = i64::try_from(whole.len()).map_err(|_| ())? + i64::from(exponent);
    let keep = point + i64::from(scale);
    let mut unscaled: i128 = 0;
    for (seen, digit) in (0_i64..).zip(digits()) {
        if seen >= keep {
            if seen == keep && digit >= b'5' {
                unscaled = unscaled.checked_add(1).ok_or(())?;
            }
            break;
        }
        let next = unscaled.checked_mul(10).and_then(|value| value.checked_add(i128::from(digit - b'0')));
        let Some(next) = next else { return Ok(None) };
        unscaled = next;
    }
    // Fewer digits than wanted mean zeros on the right.
    let kept = (whole.len() + fraction.len()) as i64;
    if unscaled != 0 && keep > kept {
        let Some(next) = u32::try_from(keep - kept)
            .ok()
            .and_then(|zeros| 10_i128.checked_pow(zeros))
            .and_then(|factor| unscaled.checked_mul(factor))
        else {
            return Ok(None);
        };
        unscaled = next;
    }
    Ok(Some(if negative { -unscaled } else { unscaled }))
}

/// `yyyy[-M[-d]]`, optionally followed by a blank and anything: days since 1970-01-01.
pub(crate) fn date(text: &str) -> Option<i32> {
    let text = text.trim();
    let text = text.split_once(' ').map_or(text, |(date, _)| date);
    let mut parts = text.split('-').map(number);
    let year = parts.next()??;
    let month = parts.next().unwrap_or(Some(1))?;
    let day = parts.next().unwrap_or(Some(1))?;
    if parts.next().is_some() || !(1..=9999).contains(&year) {
        return None;
    }
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day).map(|date| date.to_epoch_days())
}

/// `H[:m[:s[.fraction]]]`: milliseconds of the day.
pub(crate) fn time(text: &str) -> Option<i32> {
    let (seconds, nanos) = clock(text.trim(), 1)?;
    i32::try_from(seconds * 1000 + nanos / 1_000_000).ok()
}

/// `yyyy-M-d[ H:m:s[.fraction]]`, without a zone. As in Java the days up to a 31st are the last of a shorter month, and
/// 24:00:00 is the next day's beginning.
pub(crate) fn timestamp(text: &str) -> Option<Reading> {
    let (day, clock_text) = text.split_once(' ').unwrap_or((text, ""));
    let (month, of_month) = day.rsplit_once('-').filter(|(month, _)| month.contains('-'))?;
    let of_month = number(of_month).filter(|day| *day <= 31)?;
    let last = || (28..of_month).rev().find_map(|day| date(&format!("{month}-{day}")));
    let days = i64::from(date(day).or_else(last)?);
    let (seconds, nanos) = match clock_text {
        "" => (0, 0),
        _ => match clock_text.strip_prefix("24:").map(|rest| clock(&format!("0:{rest}"), 3)) {
            Some(midnight) => (86_400, midnight.filter(|at| *at == (0, 0))?.1),
            None => clock(clock_text, 3)?,
        },
    };
    Some(Reading { seconds: days * 86_400 + i64::from(seconds), nanos })
}

/// Seconds of the day and nanoseconds; at least `parts` of hour, minute, second must be there.
fn clock(text: &str, parts: usize) -> Option<(u32, u32)> {
    let (text, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut fields = [0; 3];
    let mut count = 0;
    for field in text.split(':') {
        *fields.get_mut(count)? = number(field)?;
        count += 1;
    }
    if count < parts || (count < 3 && !fraction.is_empty()) {
        return None;
    }
    let [hour, minute, second] = fields;
    if hour > 23 || minute > 59 || second > 59 || fraction.len() > 9 {
        return None;
    }
    let nanos = match fraction {
        "" => 0,
        _ => number(fraction)? * 10_u32.pow(9 - fraction.len() as u32),
    };
    Some((hour * 3600 + minute * 60 + second, nanos))
}

fn number(text: &str) -> Option<u32> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn integers_booleans_and_floats() {
        for (text, expected) in [
            ("123", Some(123)),
            (" -7 ", Some(-7)),
            (".5", Some(0)),
            ("+5", Some(5)),
            ("1.234", Some(1)),
            ("1.", Some(1)),
            ("", None),
            ("-", None),
            ("1.2x", None),
            ("1e3", None),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
        ] {
            assert_eq!(integer(text), expected, "{text}");
        }
        for (text, expected) in [("TRUE", Some(true)), ("n", Some(false)), ("2", None), (" yes ", None)] {
            assert_eq!(boolean(text), expected, "{text}");
        }
        for (text, expected) in [
            ("1.5", Some(1.5)),
            ("-1E3", Some(-1000.0)),
            (".5", Some(0.5)),
            ("-Infinity", Some(f64::NEG_INFINITY)),
            ("1.5f", Some(1.5)),
            ("1D", Some(1.0)),
            ("inf", None),
            ("d", None),
            ("1,5", None),
        ] {
            assert_eq!(double(text), expected, "{text}");
        }
    }

    #[test]
    fn decimals_round_half_up() {
        for (text, scale, expected) in [
            ("1.234", 3, Ok(Some(1234))),
            ("1.2345", 3, Ok(Some(1235))),
            ("-1.2345", 3, Ok(Some(-1235))),
            ("0.04", 1, Ok(Some(0))),
            ("0.05", 1, Ok(Some(1))),
            ("12", 2, Ok(Some(1200))),
            ("1e3", 0, Ok(Some(1000))),
            ("15e-1", 0, Ok(Some(2))),
            ("4e-9", 0, Ok(Some(0))),
            ("0e99", 5, Ok(Some(0))),
            ("1e99", 0, Ok(None)),
            (".5", 1, Ok(Some(5))),
            ("", 0, Err(())),
            (".", 0, Err(())),
            ("foo", 0, Err(())),
        ] {
            assert_eq!(decimal(text, scale), expected, "{text}");
        }
    }

    #[test]
    fn dates_and_times() {
        for (text, expected) in [
            ("1970-01-02", Some(1)),
            ("1970-1-2", Some(1)),
            ("1970-02", Some(31)),
            ("1971", Some(365)),
            ("1970-01-02 03:04:05", Some(1)),
            ("1970-02-30", None),
            ("1970-01-02-03", None),
            ("x", None),
        ] {
            assert_eq!(date(text), expected, "{text}");
        }
        for (text, expected) in
            [("01:02:03.5", Some(3_723_500)), ("1", Some(3_600_000)), ("24:00:00", None), ("1:2.5", None)]
        {
            assert_eq!(time(text), expected, "{text}");
        }
        for (text, expected) in [
            ("1970-01-01 00:00:01.25", Some((1, 250_000_000))),
            ("1970-01-02", Some((86_400, 0))),
            ("1970-01-01 24:00:00.0", Some((86_400, 0))),
            ("1970-01-01 24:00:01", None),
            ("1970-02-31", Some((58 * 86_400, 0))),
            ("1970-02-32", None),
            ("1970-13-31", None),
            ("1970-02-0", None),
            ("1970-01-01 00:00", None),
            (" 1970-01-01 00:00:01", None),
            ("10000-01-01", None),
            ("1970-01", None),
            ("1970-01-01T00:00:00", None),
        ] {
            let reading = timestamp(text).map(|r| (r.seconds, r.nanos));
            assert_eq!(reading, expected, "{text}");
        }
    }
}
