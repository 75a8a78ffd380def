//! Times that Paimon records without a zone.

use chrono::{DateTime, Local, Offset};

/// The local wall clock as milliseconds as if it were UTC: how Paimon records when a file or a tag was made.
pub fn local_millis(unix_millis: i64) -> i64 {
    let offset = DateTime::from_timestamp_millis(unix_millis).map(|time| time.with_timezone(&Local).offset().fix());
    unix_millis + offset.map_or(0, |offset| i64::from(offset.local_minus_utc()) * 1000)
}
