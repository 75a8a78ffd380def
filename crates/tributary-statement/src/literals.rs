//! Constants: digits to numbers, and the calendar behind `DATE '…'`, `TIME '…'`, `TIMESTAMP '…'`.

use crate::Literal;

const MOST_DIGITS: usize = 38;

/// A number token, `negative` if a minus sign stands directly before it; the error says what is wrong with it.
pub(crate) fn number(text: &str, negative: bool) -> Result<Literal, &'static str> {
    let sign = if negative { "-" } else { "" };
    if text.contains(['e', 'E']) {
        return match format!("{sign}{text}").parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Literal::Double(value)),
            _ => Err("the number is too large for a DOUBLE"),
        };
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.is_empty()
        && let Ok(value) = format!("{sign}{whole}").parse::<i64>()
    {
        return Ok(Literal::Integer(value));
    }
    let mut digits = format!("{whole}{fraction}");
    if digits.len() > MOST_DIGITS {
        digits = format!("{}{fraction}", whole.trim_start_matches('0'));
    }
    match format!("{sign}{digits}").parse::<i128>() {
        Ok(unscaled) if digits.len() <= MOST_DIGITS => Ok(Literal::Decimal {
            unscaled,
            precision: u8::try_from(digits.len()).unwrap_or(u8::MAX),
            scale: u8::try_from(fraction.len()).unwrap_or(u8::MAX),
        }),
        _ => Err("the number has more than 38 digits"),
    }
}

/// `yyyy-mm-dd`
pub(crate) fn date(text: &str) -> Option<Literal> {
    days(text).map(Literal::Date)
}

/// `hh:mm:ss[.fffffffff]`
pub(crate) fn time(text: &str) -> Option<Literal> {
    let (nanos, precision) = nanos_of_day(text)?;
    Some(Literal::Time { nanos, precision })
}

/// `yyyy-mm-dd hh:mm:ss[.fffffffff]`
pub(crate) fn timestamp(text: &str) -> Option<Literal> {
    let (day, time) = text.split_once(' ')?;
    let (nanos, precision) = nanos_of_day(time)?;
    Some(Literal::Timestamp {
        millis: i64::from(days(day)?) * 86_400_000 + nanos / 1_000_000,
        nano_of_milli: i32::try_from(nanos % 1_000_000).ok()?,
        precision,
    })
}

fn days(text: &str) -> Option<i32> {
    let (year, rest) = text.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    let (year, month, day) = (digits(year, 4)?, digits(month, 2)?, digits(day, 2)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if year == 0 || !(1..=longest).contains(&day) {
        return None;
    }
    // Days of the proleptic Gregorian calendar, with years that begin in March so that the leap day comes last
    // (Howard Hinnant, "chrono-compatible low-level date algorithms").
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (shifted_year / 400, shifted_year % 400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// Nanoseconds since midnight, and the fractional digits given.
fn nanos_of_day(text: &str) -> Option<(i64, u8)> {
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (text, None),
    };
    let (hours, rest) = clock.split_once(':')?;
    let (minutes, seconds) = rest.split_once(':')?;
    let (hours, minutes, seconds) = (digits(hours, 2)?, digits(minutes, 2)?, digits(seconds, 2)?);
    if hours > 23 || minutes > 59 || seconds > 59 {
        return None;
    }
    let seconds = i64::from(hours * 3_600 + minutes * 60 + seconds);
    let (nanos, precision) = match fraction {
        None => (0, 0),
        Some(fraction) if (1..=9).contains(&fraction.len()) => {
            (i64::from(digits(&format!("{fraction:0<9}"), 9)?), u8::try_from(fraction.len()).ok()?)
        }
        Some(_) => return None,
    };
    Some((seconds * 1_000_000_000 + nanos, precision))
}

/// Exactly `count` decimal digits, at most nine.
fn digits(text: &str, count: usize) -> Option<i32> {
    let all_digits = text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    all_digits.then(|| text.parse().ok()).flatten()
}
