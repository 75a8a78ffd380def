//! The text of sizes, durations and booleans (`MemorySize`, `TimeUtils`; Flink's are the same).

use std::fmt;
use std::time::Duration;

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemorySize(u64);

const SIZE_UNITS: [(&[&str], u64); 5] = [
    (&["b", "bytes"], 1),
    (&["k", "kb", "kibibytes"], 1 << 10),
    (&["m", "mb", "mebibytes"], 1 << 20),
    (&["g", "gb", "gibibytes"], 1 << 30),
    (&["t", "tb", "tebibytes"], 1 << 40),
];

const TIME_UNITS: [(&[&str], u64); 7] = [
    (&["d", "day", "days"], 86_400_000_000_000),
    (&["h", "hour", "hours"], 3_600_000_000_000),
    (&["min", "m", "minute", "minutes"], 60_000_000_000),
    (&["s", "sec", "secs", "second", "seconds"], 1_000_000_000),
    (&["ms", "milli", "millis", "millisecond", "milliseconds"], 1_000_000),
    (&["µs", "micro", "micros", "microsecond", "microseconds"], 1_000),
    (&["ns", "nano", "nanos", "nanosecond", "nanoseconds"], 1),
];

/// Parses `10 s`, `500ms`, `1 h`; a bare number is milliseconds.
///
/// # Errors
/// What was expected, without the text itself.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text)?;
    if unit.is_empty() {
        return Ok(Duration::from_millis(number));
    }
    let nanos = find_unit(&unit, &TIME_UNITS)
        .ok_or_else(|| format!("`{unit}` is no unit of time; use d, h, min, s, ms, µs or ns"))?;
    let total = u128::from(number) * u128::from(nanos);
    let seconds = u64::try_from(total / 1_000_000_000).map_err(|_| TOO_LARGE)?;
    Ok(Duration::new(seconds, (total % 1_000_000_000) as u32))
}

/// Parses `true` and `false`, in any case.
pub(super) fn parse_bool(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("expected true or false".to_owned()),
    }
}

/// The number of characters to insert, delete or replace to get from one to the other
/// (Levenshtein).
pub(super) fn edit_distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[to.len()]
}

// === impl MemorySize ===

impl MemorySize {
    /// So many bytes.
    pub const fn of_bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// So many times 1,048,576 bytes.
    pub const fn of_mebi_bytes(mebi_bytes: u32) -> Self {
        Self((mebi_bytes as u64) << 20)
    }

    /// Parses `256 mb`, `64kb`, `1 g`; a bare number is bytes. Units are powers of 1024.
    ///
    /// # Errors
    /// What was expected, without the text itself.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (number, unit) = split(text)?;
        let factor = if unit.is_empty() {
            1
        } else {
            find_unit(&unit, &SIZE_UNITS)
                .ok_or_else(|| format!("`{unit}` is no unit of size; use b, kb, mb, gb or tb"))?
        };
        number
            .checked_mul(factor)
            .filter(|bytes| i64::try_from(*bytes).is_ok())
            .map(Self)
            .ok_or_else(|| TOO_LARGE.to_owned())
    }

    /// The bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl fmt::Display for MemorySize {
    /// In the largest unit that divides it: `256 mb`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let divides = |(_, factor): &&(&[&str], u64)| self.0 != 0 && self.0.is_multiple_of(*factor);
        match SIZE_UNITS.iter().rev().find(divides) {
            Some((names, factor)) if *factor > 1 => write!(f, "{} {}", self.0 / factor, names[1]),
            _ => write!(f, "{} bytes", self.0),
        }
    }
}

const TOO_LARGE: &str = "the number is too large";

/// The number in front and the lower-case unit behind it.
fn split(text: &str) -> Result<(u64, String), String> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    if number.is_empty() {
        return Err("expected a number, then a unit".to_owned());
    }
    let number = number.parse::<i64>().map_err(|_| TOO_LARGE)?.unsigned_abs();
    Ok((number, unit.trim().to_lowercase()))
}

fn find_unit(unit: &str, units: &[(&[&str], u64)]) -> Option<u64> {
    units.iter().find(|(names, _)| names.contains(&unit)).map(|(_, factor)| *factor)
}
