//! When partitions expire by what their values say (`PartitionValuesTimeExpireStrategy`, `PartitionTimeExtractor`).

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Given, OptionError};
use crate::datum::Datum;
use crate::options::parse_duration;
use crate::tag::days_from_civil;

/// How old a partition may become, and how its values tell its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionExpiration {
    /// `partition.expiration-time`.
    pub time: Duration,
    /// `partition.timestamp-pattern`: `$column` stands for a value; `None` is the first column.
    pattern: Option<String>,
    /// `partition.timestamp-formatter`, in the letters of Java's `DateTimeFormatter`; `None` is a date, or a date and a time.
    formatters: Vec<String>,
}

/// Without a formatter: one figure of a part is enough.
const USUAL: [&str; 3] = ["y-M-d H:m:s", "y-M-d H:m:s.S", "y-M-d"];

// === impl PartitionExpiration ===

impl PartitionExpiration {
    /// `None` where nothing expires, or expires by the time of the last change (`update-time`): what is written is young then.
    pub(super) fn parse(given: &Given<'_>) -> Result<Option<Self>, OptionError> {
        let values_time = given.text("partition.expiration-strategy")?.trim() == "values-time";
        let Some(time) = given.optional("partition.expiration-time", parse_duration)?.filter(|_| values_time) else {
            return Ok(None);
        };
        let text = |key| given.find(key).map(str::to_owned);
        let formatters = match text("partition.timestamp-formatter") {
            Some(formatter) => vec![formatter],
            None => USUAL.map(str::to_owned).to_vec(),
        };
        Ok(Some(Self { time, pattern: text("partition.timestamp-pattern"), formatters }))
    }

    /// The time of a partition, in milliseconds of the wall clock it is meant in, as if that were UTC. `None` when its values
    /// tell none: such a partition never expires.
    pub fn time_of(&self, columns: &[String], values: &[Option<Datum>]) -> Option<i64> {
        let values: Vec<String> = values.iter().map(|value| text_of(value.as_ref()?)).collect::<Option<_>>()?;
        let text = match &self.pattern {
            None => values.first()?.clone(),
            Some(pattern) => replaced(pattern, columns, &values),
        };
        self.formatters.iter().find_map(|formatter| parse(formatter, &text))
    }
}

/// As Java's objects print themselves; a date does so as a number of days, which no formatter reads.
fn text_of(value: &Datum) -> Option<String> {
    match value {
        Datum::String(text) => Some(text.clone()),
        Datum::TinyInt(number) => Some(number.to_string()),
        Datum::SmallInt(number) => Some(number.to_string()),
        Datum::Int(number) => Some(number.to_string()),
        Datum::BigInt(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Puts values in the place of `$column`; of columns that fit, the longest.
fn replaced(pattern: &str, columns: &[String], values: &[String]) -> String {
    let mut text = String::new();
    let mut rest = pattern;
    while let Some(at) = rest.find('$') {
        text += &rest[..at];
        rest = &rest[at + 1..];
        let named = columns.iter().zip(values).filter(|(column, _)| rest.starts_with(column.as_str()));
        match named.max_by_key(|(column, _)| column.len()) {
            Some((column, value)) => {
                text += value;
                rest = &rest[column.len()..];
            }
            None => text.push('$'),
        }
    }
    text + rest
}

/// Milliseconds of the time that `text` spells as `formatter` says; `None` as well for letters that are not known here.
fn parse(formatter: &str, text: &str) -> Option<i64> {
    let mut parts = BTreeMap::from([('H', 0), ('m', 0), ('s', 0)]);
    let (mut format, mut rest) = (formatter, text);
    while let Some(letter) = format.chars().next() {
        let run = format.chars().take_while(|next| *next == letter).count();
        format = &format[run * letter.len_utf8()..];
        match letter {
            'y' | 'u' | 'M' | 'd' | 'H' | 'm' | 's' | 'S' => {
                let most = match (letter, run) {
                    ('y' | 'u', 1) => 10,
                    ('S', 1) => 9,
                    (_, 1) => 2,
                    (_, run) => run,
                };
                let figures = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
                if figures < run {
                    return None;
                }
                let number = rest[..figures].parse::<i64>().ok()?;
                parts.insert(if letter == 'u' { 'y' } else { letter }, number);
                rest = &rest[figures..];
            }
            '\'' => {
                let (literal, behind) = format.split_once('\'')?;
                rest = rest.strip_prefix(literal)?;
                format = behind;
            }
            letter if letter.is_ascii_alphabetic() => return None,
            letter => {
                for _ in 0..run {
                    rest = rest.strip_prefix(letter)?;
                }
            }
        }
    }
    let part = |letter, most| parts.get(&letter).copied().filter(|number| *number <= most);
    let (year, month, day) = (part('y', 999_999)?, part('M', 12)?, part('d', 31)?);
    let seconds = (part('H', 23)? * 60 + part('m', 59)?) * 60 + part('s', 59)?;
    let sound = rest.is_empty() && month > 0 && day > 0;
    sound.then(|| (days_from_civil(year, month, day) * 86_400 + seconds) * 1_000)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::CoreOptions;
    use super::*;

    const NINE: i64 = 1_769_850_000_000; // 2026-01-31T09:00
    const DAY: i64 = 1_769_817_600_000;

    fn time(options: &[(&str, &str)], values: &[(&str, Datum)]) -> Option<i64> {
        let mut options: BTreeMap<_, _> = options.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        options.insert("partition.expiration-time".to_owned(), "7 d".to_owned());
        let expiration = CoreOptions::parse(&options).unwrap().partition_expiration.unwrap();
        assert_eq!(expiration.time, Duration::from_secs(7 * 86_400));
        let columns: Vec<_> = values.iter().map(|(column, _)| (*column).to_owned()).collect();
        let values: Vec<_> = values.iter().map(|(_, value)| Some(value.clone())).collect();
        expiration.time_of(&columns, &values)
    }

    fn text(text: &str) -> Datum {
        Datum::String(text.to_owned())
    }

    #[test]
    fn values_tell_a_partitions_time_as_in_java() {
        let (pattern, formatter) = ("partition.timestamp-pattern", "partition.timestamp-formatter");
        let hour = [("dt", text("2026-01-31")), ("hh", Datum::Int(9))];
        for (options, values, expected) in [
            (&[][..], &hour[..], Some(DAY)),
            (&[], &[("dt", text("2026-1-31 9:0:0"))], Some(NINE)),
            (&[], &[("dt", text("2026-01-31 09:00:00.25"))], Some(NINE)),
            (&[], &[("dt", text("20260131"))], None),
            (&[], &[("dt", text("2026-13-31"))], None),
            (&[], &[("dt", text("today"))], None),
            (&[], &[("dt", Datum::Date(20_484))], None),
            (&[(pattern, "$dt $hh:00:00")], &hour, Some(NINE)),
            (&[(formatter, "yyyyMMdd")], &[("dt", text("20260131"))], Some(DAY)),
            (&[(formatter, "yyyyMMdd")], &[("dt", Datum::Int(20_260_131))], Some(DAY)),
            (&[(formatter, "yyyyMMdd")], &[("dt", text("2026013"))], None),
            (
                &[(formatter, "yyyyMMddHH"), (pattern, "$dt$dt1")],
                &[("dt", text("20260131")), ("dt1", text("09"))],
                Some(NINE),
            ),
            (&[(formatter, "yyyy-MM-dd'T'HH")], &[("dt", text("2026-01-31T09"))], Some(NINE)),
            (&[(formatter, "yyyy-MM")], &[("dt", text("2026-01"))], None),
            (&[(formatter, "EEE")], &[("dt", text("Sat"))], None),
            (
                &[(pattern, "$year-$month-$day")],
                &[("year", text("2026")), ("month", text("1")), ("day", text("31"))],
                Some(DAY),
            ),
        ] {
            assert_eq!(time(options, values), expected, "{options:?} {values:?}");
        }
    }

    #[test]
    fn nothing_expires_without_a_time_or_by_that_of_the_last_change() {
        let parsed = |options: &[(&str, &str)]| {
            let options = options.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            CoreOptions::parse(&options).unwrap().partition_expiration
        };
        assert_eq!(parsed(&[]), None);
        let of_change = [("partition.expiration-time", "1 d"), ("partition.expiration-strategy", "update-time")];
        assert_eq!(parsed(&of_change), None);
        let null = parsed(&of_change[..1]).unwrap().time_of(&["dt".to_owned()], &[None]);
        assert_eq!(null, None);
    }
}
