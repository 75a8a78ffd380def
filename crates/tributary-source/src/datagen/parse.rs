//! Option values as Flink spells them, and the key that was probably meant.

/// A decimal number as an integer of `10^-scale`; none when it has further digits or is no number.
pub(super) fn decimal(text: &str, scale: u8) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let missing = usize::from(scale).checked_sub(fraction.len())?;
    let unscaled: i128 = format!("0{whole}{fraction}{}", "0".repeat(missing)).parse().ok()?;
    Some(if negative { -unscaled } else { unscaled })
}

/// A duration in milliseconds: a number and a unit, milliseconds when there is none. Smaller units round down.
pub(super) fn millis(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..end].parse().ok()?;
    let factor = match text[end..].trim().to_ascii_lowercase().as_str() {
        "" | "ms" | "milli" | "millis" | "millisecond" | "milliseconds" => 1,
        "d" | "day" | "days" => 86_400_000,
        "h" | "hour" | "hours" => 3_600_000,
        "m" | "min" | "minute" | "minutes" => 60_000,
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000,
        "µs" | "us" | "micro" | "micros" | "microsecond" | "microseconds" => return Some(number / 1_000),
        "ns" | "nano" | "nanos" | "nanosecond" | "nanoseconds" => return Some(number / 1_000_000),
        _ => return None,
    };
    number.checked_mul(factor)
}

/// `true` or `false` in any case.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// The candidate with the fewest edits from `key`; none when more than a third of it would have to change.
pub(super) fn nearest(key: &str, candidates: impl IntoIterator<Item = String>) -> Option<String> {
    let worst = (key.chars().count() / 3).max(2);
    let ranked = candidates.into_iter().map(|candidate| (edits(key, &candidate), candidate));
    ranked.filter(|(edits, _)| *edits <= worst).min().map(|(_, candidate)| candidate)
}

/// Levenshtein's distance.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact() {
        let cases = [
            ("1.25", 2, Some(125)),
            ("1.250", 2, Some(125)),
            ("-0.5", 3, Some(-500)),
            ("7", 2, Some(700)),
            (".5", 1, Some(5)),
            ("+3", 0, Some(3)),
            ("1.255", 2, None),
            ("", 2, None),
            (".", 2, None),
            ("1e3", 2, None),
            ("--1", 2, None),
            ("99999999999999999999999999999999999999", 0, Some(10_i128.pow(38) - 1)),
            ("999999999999999999999999999999999999999999", 0, None),
        ];
        for (text, scale, expected) in cases {
            assert_eq!(decimal(text, scale), expected, "{text}");
        }
    }

    #[test]
    fn durations_have_units() {
        let cases = [
            ("10 s", Some(10_000)),
            ("5min", Some(300_000)),
            ("1 d", Some(86_400_000)),
            ("2 HOURS", Some(7_200_000)),
            ("7", Some(7)),
            ("1500 us", Some(1)),
            ("0", Some(0)),
            ("s", None),
            ("-1 s", None),
            ("1 fortnight", None),
            ("999999999999999999 d", None),
        ];
        for (text, expected) in cases {
            assert_eq!(millis(text), expected, "{text}");
        }
    }

    #[test]
    fn the_nearest_key_is_offered_when_it_is_near() {
        let keys = || ["rows-per-second", "number-of-rows", "seed"].map(str::to_owned);
        let cases = [
            ("rows-per-secnd", Some("rows-per-second")),
            ("row-per-second", Some("rows-per-second")),
            ("number-of-row", Some("number-of-rows")),
            ("sed", Some("seed")),
            ("parallelism", None),
        ];
        for (key, expected) in cases {
            assert_eq!(nearest(key, keys()).as_deref(), expected, "{key}");
        }
    }
}
