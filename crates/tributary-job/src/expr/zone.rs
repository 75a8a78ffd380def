//! The session's time zone (`table.local-time-zone`) and the moment a batch is evaluated at.

use std::path::Path;
use std::str::FromStr;

use chrono::{DateTime, FixedOffset, LocalResult, NaiveDateTime, Offset, TimeDelta, TimeZone};
use chrono_tz::Tz;

/// A time zone: a region with its rules, or a fixed distance from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// A region of the IANA database.
    Region(Tz),
    /// An offset, written `+08:00`, `GMT+8` or `UTC-05:30`.
    Offset(FixedOffset),
}

/// The text names no time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no time zone: write a region such as 'Europe/Berlin' or an offset such as 'GMT+08:00'")]
pub struct NoSuchZone(pub String);

/// When a batch is evaluated: every time function of a SELECT answers from this one reading.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// Unix milliseconds.
    pub(crate) utc_millis: i64,
    /// The wall clock of the session's zone at that instant, as milliseconds since 1970-01-01 00:00.
    pub(crate) local_millis: i64,
}

// === impl Zone ===

impl Zone {
    /// UTC.
    pub const UTC: Self = Self::Region(Tz::UTC);

    /// The machine's zone: `TZ`, else what `/etc/localtime` or `/etc/timezone` name, else UTC.
    pub fn system() -> Self {
        let named = std::env::var("TZ")
            .ok()
            .map(|text| text.trim_start_matches(':').to_owned())
            .filter(|text| !text.is_empty())
            .or_else(|| {
                let target = std::fs::read_link("/etc/localtime").ok()?;
                region_of_path(&target)
            })
            .or_else(|| std::fs::read_to_string("/etc/timezone").ok());
        match named {
            None => Self::UTC,
            Some(text) => {
                let text = region_of_path(Path::new(text.trim())).unwrap_or(text);
                text.trim().parse().unwrap_or_else(|_| {
                    tracing::warn!(zone = %text.trim(), "the machine's time zone is not known, UTC is used; SET 'table.local-time-zone' chooses one");
                    Self::UTC
                })
            }
        }
    }

    /// The wall clock at an instant, both in milliseconds.
    pub(crate) fn local_millis(self, utc_millis: i64) -> i64 {
        utc_millis + self.offset_seconds(utc_millis.div_euclid(1000)) * 1000
    }

    /// How many seconds the wall clock is ahead of UTC at an instant (Unix seconds).
    pub(crate) fn offset_seconds(self, utc_seconds: i64) -> i64 {
        let Some(utc) = DateTime::from_timestamp(utc_seconds, 0).map(|at| at.naive_utc()) else {
            return 0;
        };
        let offset = match self {
            Self::Region(tz) => tz.offset_from_utc_datetime(&utc).fix(),
            Self::Offset(offset) => offset,
        };
        i64::from(offset.local_minus_utc())
    }

    /// The offset of a wall-clock reading (seconds). Java's choice where it is not clear: the
    /// earlier instant when the clock was set back, the offset before the gap when it was set forward.
    pub(crate) fn offset_seconds_of_local(self, local_seconds: i64) -> i64 {
        let Self::Region(tz) = self else {
            return self.offset_seconds(local_seconds);
        };
        let at = |seconds| DateTime::from_timestamp(seconds, 0).map(|at| at.naive_utc());
        let resolve = |local: NaiveDateTime| match tz.offset_from_local_datetime(&local) {
            LocalResult::Single(offset) => Some(offset.fix()),
            LocalResult::Ambiguous(earlier, _) => Some(earlier.fix()),
            LocalResult::None => None,
        };
        let offset = at(local_seconds).and_then(|local| {
            resolve(local).or_else(|| {
                // No gap of any region is longer than a day.
                local
                    .checked_sub_signed(TimeDelta::hours(3))
                    .and_then(resolve)
                    .or_else(|| local.checked_sub_signed(TimeDelta::hours(25)).and_then(resolve))
            })
        });
        offset.map_or(0, |offset| i64::from(offset.local_minus_utc()))
    }
}

impl FromStr for Zone {
    type Err = NoSuchZone;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if let Ok(tz) = Tz::from_str(text) {
            return Ok(Self::Region(tz));
        }
        if text == "Z" {
            return Ok(Self::UTC);
        }
        let offset = ["GMT", "UTC", "UT", ""]
            .iter()
            .find_map(|prefix| text.strip_prefix(prefix).filter(|rest| rest.starts_with(['+', '-'])))
            .and_then(parse_offset);
        offset.map(Self::Offset).ok_or_else(|| NoSuchZone(text.to_owned()))
    }
}

/// `+8`, `+08`, `+0830`, `+08:30`.
fn parse_offset(text: &str) -> Option<FixedOffset> {
    let (sign, digits) = text.split_at(1);
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() == 4 => digits.split_at(2),
        None => (digits, "0"),
    };
    let number = |text: &str| {
        (matches!(text.len(), 1 | 2) && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.parse::<i32>().ok())
            .flatten()
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    if hours > 18 || minutes > 59 {
        return None;
    }
    let seconds = hours * 3600 + minutes * 60;
    FixedOffset::east_opt(if sign == "-" { -seconds } else { seconds })
}

fn region_of_path(path: &Path) -> Option<String> {
    let text = path.to_str()?;
    text.split_once("zoneinfo/").map(|(_, region)| region.to_owned())
}

// === impl Moment ===

impl Moment {
    pub(crate) fn new(utc_millis: i64, zone: Zone) -> Self {
        Self { utc_millis, local_millis: zone.local_millis(utc_millis) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn zones_are_read_as_flink_reads_them() {
        for (text, offset) in [
            ("UTC", 0),
            ("Z", 0),
            ("Asia/Shanghai", 8 * 3600),
            ("GMT+8", 8 * 3600),
            ("GMT+08:00", 8 * 3600),
            ("UTC-05:30", -(5 * 3600 + 1800)),
            ("+0130", 3600 + 1800),
        ] {
            let zone: Zone = text.parse().unwrap();
            assert_eq!(zone.offset_seconds(1_700_000_000), offset, "{text}");
        }
        for text in ["", "Mars/Olympus", "GMT+", "GMT+99", "+8:7:6", "8"] {
            assert_eq!(text.parse::<Zone>(), Err(NoSuchZone(text.into())), "{text}");
        }
    }

    #[test]
    fn a_wall_clock_in_a_gap_or_a_fold_is_resolved_as_java_does() {
        let berlin: Zone = "Europe/Berlin".parse().unwrap();
        let local =
            |text: &str| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap().and_utc().timestamp();
        // 2026-03-29 02:30 does not exist: the offset before the gap holds (+1).
        assert_eq!(berlin.offset_seconds_of_local(local("2026-03-29 02:30:00")), 3600);
        // 2026-10-25 02:30 exists twice: the earlier one is summer time (+2).
        assert_eq!(berlin.offset_seconds_of_local(local("2026-10-25 02:30:00")), 7200);
        assert_eq!(berlin.offset_seconds_of_local(local("2026-07-01 00:00:00")), 7200);
    }
}
