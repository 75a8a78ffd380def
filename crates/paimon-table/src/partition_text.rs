//! Partitions as text: as Paimon shows them, and as people paste them back.
//!
//! | text | where Paimon writes it |
//! | --- | --- |
//! | `dt=2026-01-01,hh=9` | arguments of procedures, values in quotes or not |
//! | `dt=2026-01-01/hh=9` | `$partitions` since 2.0 |
//! | `{2026-01-01, 9}` | `$files` since 1.0, `$partitions` of 1.x; null is `null` |
//! | `[20454, 9]` | both in 0.9, in Java's own words: a DATE is its day number, a TIMESTAMP_LTZ is in UTC |
//!
//! Elsewhere a TIMESTAMP_LTZ is in the zone of the process, as in Java. The default partition's name stands for null.

use arrow::array::StringArray;
use arrow::compute::{CastOptions, cast_with_options};
use chrono::{DateTime, Local, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone};
use paimon_format::options::CoreOptions;
use paimon_format::partition::java_text;
use paimon_format::{DataField, Datum, TableSchema, TypeRoot};

use crate::arrow::{arrow_type, datum_at};
use crate::predicate::{Comparison, Predicate};
use parse::{Condition, Spelling};

mod parse;

/// Why a text names no partitions of a table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PartitionTextError {
    /// The table has no partitions.
    #[error("the table has no partitions; leave it out")]
    NotPartitioned,
    /// Nothing between two `;`, or nothing at all.
    #[error("a partition is empty; write, for example, {example}")]
    Empty {
        /// A partition of the table, its values left open.
        example: String,
    },
    /// A part without `=`.
    #[error(
        "`{part}` is not KEY=VALUE; write, for example, {example}, with quotes around a value that holds `,` or `;`"
    )]
    NotKeyValue {
        /// The part.
        part: String,
        /// A partition of the table, its values left open.
        example: String,
    },
    /// A key the table is not partitioned by.
    #[error("the table is not partitioned by `{key}`; its partition keys are {keys}")]
    UnknownKey {
        /// The key.
        key: String,
        /// Those of the table.
        keys: String,
    },
    /// A key with two values.
    #[error("`{key}` is there twice; alternatives are separated by `;`")]
    Twice {
        /// The key.
        key: String,
    },
    /// Values without keys, too few or too many of them.
    #[error(
        "`{text}` holds {found} values, the partition keys are {keys}; write {example}, with quotes around a value that holds `,`"
    )]
    WrongCount {
        /// The text with its brackets.
        text: String,
        /// Its number of values.
        found: usize,
        /// The table's keys.
        keys: String,
        /// A partition of the table, its values left open.
        example: String,
    },
    /// A bracket or quote without its other half.
    #[error("`{text}` lacks its closing `{closing}`")]
    Unclosed {
        /// From the opening one on.
        text: String,
        /// What is missing.
        closing: char,
    },
    /// Something behind a value or a bracket that cannot be there.
    #[error("`{text}` is unexpected; partitions are separated by `;`")]
    Unexpected {
        /// From there on.
        text: String,
    },
    /// A value that is not of its column's type.
    #[error("`{key}` is of type {root}, which `{text}` is not")]
    WrongType {
        /// The key.
        key: String,
        /// Its type.
        root: TypeRoot,
        /// The value.
        text: String,
    },
}

/// The rows of the partitions that `text` names, `;` being OR. Keys that are not named may have any value.
///
/// # Errors
/// See the variants.
pub fn parse(text: &str, schema: &TableSchema) -> Result<Predicate, PartitionTextError> {
    let fields = schema.partition_fields();
    if fields.is_empty() {
        return Err(PartitionTextError::NotPartitioned);
    }
    let default_name = CoreOptions::parse(&schema.options).unwrap_or_default().partition_default_name;
    let condition = |condition: Condition| {
        let Condition { field, value, spelling } = condition;
        let name = || field.name.clone();
        match value {
            None => Ok(Predicate::IsNull(name())),
            Some(text) if text == default_name => Ok(Predicate::IsNull(name())),
            Some(text) => match value_of(&text, &field.data_type.root, spelling) {
                Some(value) => Ok(Predicate::compare(name(), Comparison::Eq, value)),
                None => Err(PartitionTextError::WrongType { key: name(), root: field.data_type.root.clone(), text }),
            },
        }
    };
    let alternatives = parse::alternatives(text, &fields)?;
    let alternatives = alternatives.into_iter().map(|one| one.into_iter().map(condition).collect());
    alternatives.map(|one: Result<_, _>| one.map(Predicate::And)).collect::<Result<_, _>>().map(Predicate::Or)
}

/// `{2026-01-01, 9}`, as `$files` and `$manifests` show a partition.
pub fn row_text(fields: &[&DataField], values: &[Option<Datum>]) -> String {
    let texts: Vec<String> = texts(fields, values).map(|text| text.unwrap_or_else(|| "null".to_owned())).collect();
    format!("{{{}}}", texts.join(", "))
}

/// `dt=2026-01-01/hh=9`, as `$partitions` shows a partition; empty for a table without partitions.
pub fn spec_text(fields: &[&DataField], values: &[Option<Datum>], default_name: &str) -> String {
    let parts = fields.iter().zip(texts(fields, values));
    let parts = parts.map(|(field, text)| format!("{}={}", field.name, text.as_deref().unwrap_or(default_name)));
    parts.collect::<Vec<_>>().join("/")
}

fn texts(fields: &[&DataField], values: &[Option<Datum>]) -> impl Iterator<Item = Option<String>> {
    fields.iter().zip(values).map(|(field, value)| Some(cast_text(value.as_ref()?, &field.data_type.root)))
}

/// The value as Paimon's CAST to STRING spells it (`CastExecutors.resolveToString`).
fn cast_text(value: &Datum, root: &TypeRoot) -> String {
    match (value, root) {
        (Datum::Date(days), _) => {
            let date = NaiveDate::default().checked_add_signed(TimeDelta::days(i64::from(*days)));
            date.map_or_else(|| days.to_string(), |date| date.to_string())
        }
        (Datum::Time(millis), root) => {
            let digits = if let TypeRoot::Time(precision) = root { usize::from(*precision) } else { 0 };
            let seconds = millis / 1_000;
            let text = format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
            let fraction = format!("{:03}", millis % 1_000);
            match digits {
                0 => text,
                _ => format!("{text}.{}", trimmed(&fraction[..digits.min(3)], 1)),
            }
        }
        (Datum::Timestamp { millis, nano_of_milli }, root) => {
            let (digits, millis) = match root {
                TypeRoot::TimestampLtz(precision) => (*precision, millis.saturating_add(zone_offset_millis(*millis))),
                TypeRoot::Timestamp(precision) => (*precision, *millis),
                _ => (0, *millis),
            };
            let Some(moment) = DateTime::from_timestamp_millis(millis) else { return millis.to_string() };
            let nanos = i64::from(moment.timestamp_subsec_millis()) * 1_000_000 + i64::from(*nano_of_milli);
            let fraction = format!("{nanos:09}");
            let fraction = trimmed(&fraction, usize::from(digits));
            let point = if fraction.is_empty() { "" } else { "." };
            format!("{}{point}{fraction}", moment.format("%Y-%m-%d %H:%M:%S"))
        }
        (Datum::Bytes(bytes), _) => String::from_utf8_lossy(bytes).into_owned(),
        (value, _) => java_text(value).unwrap_or_default(),
    }
}

/// Without trailing zeros, but for the first `kept` digits.
fn trimmed(fraction: &str, kept: usize) -> &str {
    let end = fraction.trim_end_matches('0').len().max(kept).min(fraction.len());
    &fraction[..end]
}

/// What the process's clock was ahead of UTC at that moment.
fn zone_offset_millis(utc_millis: i64) -> i64 {
    let at = Local.timestamp_millis_opt(utc_millis).earliest();
    at.map_or(0, |at| i64::from(at.offset().fix().local_minus_utc()) * 1_000)
}

/// The value that a text stands for in a column of this type, as SQL's CAST reads it.
pub fn value(text: &str, root: &TypeRoot) -> Option<Datum> {
    value_of(text, root, Spelling::Sql)
}

/// The value that a text stands for in a column of this type.
fn value_of(text: &str, root: &TypeRoot, spelling: Spelling) -> Option<Datum> {
    let number = || text.parse::<i32>().ok();
    match root {
        TypeRoot::Date => number().map(Datum::Date).or_else(|| cast(text, root)),
        TypeRoot::Time(_) => number().map(Datum::Time).or_else(|| cast(text, root)),
        TypeRoot::Timestamp(_) => moment(text).map(|moment| timestamp(moment, 0)),
        TypeRoot::TimestampLtz(_) => {
            if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
                return Some(timestamp(moment.naive_utc(), 0));
            }
            let moment = moment(text)?;
            let offset = match spelling {
                Spelling::Java => 0,
                Spelling::Sql => {
                    i64::from(Local.from_local_datetime(&moment).earliest()?.offset().fix().local_minus_utc())
                }
            };
            Some(timestamp(moment, offset))
        }
        _ => cast(text, root),
    }
}

/// As SQL's CAST reads it.
fn cast(text: &str, root: &TypeRoot) -> Option<Datum> {
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let array = cast_with_options(&StringArray::from(vec![text]), &arrow_type(root), &strict).ok()?;
    datum_at(&array, 0, root).ok()?
}

fn moment(text: &str) -> Option<NaiveDateTime> {
    let forms = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
    let with_time = forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    with_time.or_else(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0))
}

fn timestamp(moment: NaiveDateTime, offset_seconds: i64) -> Datum {
    let moment = moment.and_utc();
    Datum::Timestamp {
        millis: moment.timestamp_millis().saturating_sub(offset_seconds * 1_000),
        nano_of_milli: (moment.timestamp_subsec_nanos() % 1_000_000) as i32,
    }
}

#[cfg(test)]
mod tests;
