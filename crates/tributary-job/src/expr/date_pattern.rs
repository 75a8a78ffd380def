//! Date patterns: `yyyy-MM-dd HH:mm:ss`, the letters of Java that mean the same in both of its formatters.
//!
//! Flink reads them with two different classes: DATE_FORMAT and TO_TIMESTAMP are strict, TO_DATE, UNIX_TIMESTAMP and
//! FROM_UNIXTIME are lenient (a thirteenth month is the first of the next year, blanks before a field and what follows the last are ignored).

use std::fmt::Write;

use chrono::{Datelike, NaiveDate};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// A pattern, read once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DatePattern {
    items: Vec<Item>,
}

/// How a text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    Strict,
    Lenient,
}

/// A wall-clock reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WallClock {
    /// Seconds since 1970-01-01 00:00.
    pub(crate) seconds: i64,
    /// Nanoseconds within the second.
    pub(crate) nanos: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    Text(String),
    Field(Field, usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Year,
    Month,
    Day,
    DayOfYear,
    Weekday,
    AmPm,
    /// 0 to 23
    Hour,
    /// 1 to 24
    HourFromOne,
    /// 0 to 11
    HalfDayHour,
    /// 1 to 12
    HalfDayHourFromOne,
    Minute,
    Second,
    Fraction,
}

// === impl DatePattern ===

impl DatePattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// A letter that means nothing here, or too many of one; the text names it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut items: Vec<Item> = Vec::new();
        let mut chars = text.chars().peekable();
        let plain = |items: &mut Vec<Item>, c: char| match items.last_mut() {
            Some(Item::Text(text)) => text.push(c),
            _ => items.push(Item::Text(c.to_string())),
        };
        while let Some(c) = chars.next() {
            if c == '\'' {
                if chars.next_if_eq(&'\'').is_some() {
                    plain(&mut items, '\'');
                    continue;
                }
                loop {
                    match chars.next() {
                        Some('\'') if chars.next_if_eq(&'\'').is_some() => plain(&mut items, '\''),
                        Some('\'') => break,
                        Some(c) => plain(&mut items, c),
                        None => return Err("a quote is not closed".to_owned()),
                    }
                }
            } else if c.is_ascii_alphabetic() {
                let mut width = 1;
                while chars.next_if_eq(&c).is_some() {
                    width += 1;
                }
                items.push(Item::Field(Field::of(c, width)?, width));
            } else if matches!(c, '[' | ']' | '{' | '}' | '#') {
                return Err(format!("`{c}` means something to Java that is not supported"));
            } else {
                plain(&mut items, c);
            }
        }
        Ok(Self { items })
    }

    /// Writes a wall-clock reading; false if its year is out of range.
    pub(crate) fn write(&self, at: WallClock, out: &mut String) -> bool {
        let date = i32::try_from(at.seconds.div_euclid(86_400)).ok().and_then(NaiveDate::from_epoch_days);
        let Some(date) = date else { return false };
        let second = at.seconds.rem_euclid(86_400);
        let hour = second / 3600;
        for item in &self.items {
            let (field, width) = match item {
                Item::Text(text) => {
                    out.push_str(text);
                    continue;
                }
                Item::Field(field, width) => (*field, *width),
            };
            let number = match field {
                Field::Year if width == 2 => i64::from(date.year().rem_euclid(100)),
                Field::Year => i64::from(date.year()),
                Field::Month if width > 2 => {
                    push_name(out, MONTHS[date.month0() as usize], width);
                    continue;
                }
                Field::Month => i64::from(date.month()),
                Field::Day => i64::from(date.day()),
                Field::DayOfYear => i64::from(date.ordinal()),
                Field::Weekday => {
                    push_name(out, DAYS[date.weekday().num_days_from_monday() as usize], width);
                    continue;
                }
                Field::AmPm => {
                    out.push_str(if hour < 12 { "AM" } else { "PM" });
                    continue;
                }
                Field::Hour => hour,
                Field::HourFromOne => (hour + 23) % 24 + 1,
                Field::HalfDayHour => hour % 12,
                Field::HalfDayHourFromOne => (hour + 11) % 12 + 1,
                Field::Minute => second / 60 % 60,
                Field::Second => second % 60,
                Field::Fraction => i64::from(at.nanos) / 10_i64.pow(9 - width as u32),
            };
            // Writing to a String cannot fail.
            let _ = write!(out, "{number:0width$}");
        }
        true
    }

    /// Reads a text; `None` if it does not follow the pattern. What the pattern leaves out is that of 1970-01-01 00:00.
    pub(crate) fn read(&self, text: &str, reading: Reading) -> Option<WallClock> {
        let mut parts = Parts { year: 1970, month: 1, day: 1, ..Parts::default() };
        let mut rest = text;
        for (index, item) in self.items.iter().enumerate() {
            rest = match item {
                Item::Text(text) => rest.strip_prefix(text.as_str())?,
                Item::Field(field, width) => {
                    let fixed = matches!(self.items.get(index + 1), Some(Item::Field(next, w)) if next.is_number(*w));
                    parts.take(*field, *width, fixed, rest, reading)?
                }
            };
        }
        if reading == Reading::Strict && !rest.is_empty() {
            return None;
        }
        parts.wall_clock(reading)
    }
}

fn push_name(out: &mut String, name: &str, width: usize) {
    out.push_str(if width > 3 { name } else { &name[..3] });
}

// === impl Field ===

impl Field {
    fn of(letter: char, width: usize) -> Result<Self, String> {
        let (field, most) = match letter {
            'y' => (Self::Year, 4),
            'M' => (Self::Month, 4),
            'd' => (Self::Day, 2),
            'D' => (Self::DayOfYear, 3),
            'E' => (Self::Weekday, 4),
            'a' => (Self::AmPm, 1),
            'H' => (Self::Hour, 2),
            'k' => (Self::HourFromOne, 2),
            'K' => (Self::HalfDayHour, 2),
            'h' => (Self::HalfDayHourFromOne, 2),
            'm' => (Self::Minute, 2),
            's' => (Self::Second, 2),
            'S' => (Self::Fraction, 9),
            other => return Err(format!("the letter `{other}` is not supported")),
        };
        if width > most {
            return Err(format!("`{letter}` stands there {width} times, {most} are the most"));
        }
        Ok(field)
    }

    fn is_number(self, width: usize) -> bool {
        !matches!((self, width), (Self::Weekday | Self::AmPm, _) | (Self::Month, 3..))
    }
}

/// The fields of a text, as far as they are read.
#[derive(Default)]
struct Parts {
    year: i64,
    month: i64,
    day: i64,
    day_of_year: Option<i64>,
    hour: i64,
    half_day_hour: Option<i64>,
    afternoon: bool,
    minute: i64,
    second: i64,
    nanos: u32,
}

// === impl Parts ===

impl Parts {
    /// Takes one field from the beginning of the text and gives what is left.
    fn take<'a>(
        &mut self,
        field: Field,
        width: usize,
        fixed: bool,
        text: &'a str,
        reading: Reading,
    ) -> Option<&'a str> {
        let text = match reading {
            Reading::Lenient if !fixed => text.trim_start_matches([' ', '\t']),
            _ => text,
        };
        let begins = |name: &str| {
            text.get(..name.len()).is_some_and(|begin| match reading {
                Reading::Strict => begin == name,
                Reading::Lenient => begin.eq_ignore_ascii_case(name),
            })
        };
        let named = |names: &[&str]| {
            let full = names.iter().position(|name| begins(name));
            let short = || names.iter().position(|name| begins(&name[..3]));
            let found = match full {
                Some(index) if width > 3 || reading == Reading::Lenient => Some((index, names[index].len())),
                _ if width <= 3 || reading == Reading::Lenient => short().map(|index| (index, 3)),
                _ => None,
            };
            found.map(|(index, length)| (index as i64, &text[length..]))
        };
        match field {
            Field::Month if width > 2 => {
                let (index, rest) = named(&MONTHS)?;
                self.month = index + 1;
                return Some(rest);
            }
            Field::Weekday => return named(&DAYS).map(|(_, rest)| rest),
            Field::AmPm => {
                self.afternoon = begins("PM");
                return (self.afternoon || begins("AM")).then(|| &text[2..]);
            }
            _ => {}
        }
        let (least, most) = match (reading, field) {
            _ if fixed => (width, width),
            (Reading::Lenient, _) => (1, 18),
            (Reading::Strict, Field::Fraction) => (width, width),
            (Reading::Strict, Field::Year) if width == 4 => (4, 9),
            (Reading::Strict, _) if width == 1 => (1, 18),
            (Reading::Strict, _) => (width, width),
        };
        let digits = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
        if digits < least {
            return None;
        }
        let (number, rest) = text.split_at(digits);
        let value: i64 = number.parse().ok()?;
        match field {
            Field::Year if width == 2 && digits == 2 => self.year = 2000 + value,
            Field::Year => self.year = value,
            Field::Month => self.month = value,
            Field::Day => self.day = value,
            Field::DayOfYear => self.day_of_year = Some(value),
            Field::Hour => self.hour = value,
            Field::HourFromOne => self.hour = value % 24,
            Field::HalfDayHour => self.half_day_hour = Some(value),
            Field::HalfDayHourFromOne => self.half_day_hour = Some(value % 12),
            Field::Minute => self.minute = value,
            Field::Second => self.second = value,
            Field::Fraction => self.nanos = fraction(number, reading)?,
            // Both have names, not numbers.
            Field::Weekday | Field::AmPm => return None,
        }
        Some(rest)
    }

    fn wall_clock(&self, reading: Reading) -> Option<WallClock> {
        let hour = self.half_day_hour.map_or(self.hour, |hour| hour + if self.afternoon { 12 } else { 0 });
        if reading == Reading::Strict && (hour > 23 || self.minute > 59 || self.second > 59) {
            return None;
        }
        let date = match (reading, self.day_of_year) {
            (_, Some(day)) => NaiveDate::from_yo_opt(i32::try_from(self.year).ok()?, u32::try_from(day).ok()?)?,
            (Reading::Strict, None) => {
                let (year, month) = (i32::try_from(self.year).ok()?, u32::try_from(self.month).ok()?);
                let day = u32::try_from(self.day).ok().filter(|day| *day <= 31)?;
                // The 30th of February is its last day, as in Java.
                (0..=day.saturating_sub(28)).find_map(|less| NaiveDate::from_ymd_opt(year, month, day - less))?
            }
            (Reading::Lenient, None) => {
                let months = self.year.checked_mul(12)?.checked_add(self.month)?.checked_sub(1)?;
                let (year, month) = (i32::try_from(months.div_euclid(12)).ok()?, months.rem_euclid(12) as u32 + 1);
                let first = NaiveDate::from_ymd_opt(year, month, 1)?;
                NaiveDate::from_epoch_days(i32::try_from(i64::from(first.to_epoch_days()) + self.day - 1).ok()?)?
            }
        };
        let of_day = hour.checked_mul(3600)?.checked_add(self.minute.checked_mul(60)?)?.checked_add(self.second)?;
        let seconds = (i64::from(date.to_epoch_days()) * 86_400).checked_add(of_day)?;
        Some(WallClock { seconds, nanos: self.nanos })
    }
}

/// Nanoseconds of a fraction: digits behind the point, or, read leniently, a number of milliseconds.
fn fraction(digits: &str, reading: Reading) -> Option<u32> {
    let number: u32 = digits.parse().ok()?;
    match reading {
        Reading::Strict => number.checked_mul(10_u32.checked_pow(9_u32.checked_sub(digits.len() as u32)?)?),
        Reading::Lenient => number.checked_mul(1_000_000).filter(|nanos| *nanos < 1_000_000_000),
    }
}
