//! Cron patterns in a time zone.

use std::fmt;

use chrono::{DateTime, FixedOffset, Offset, TimeZone, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds};

/// The zone a pattern is read in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CronZone {
    /// A region of the IANA database. Where its clock skips a time, what is due then is due right after the gap; where
    /// it repeats one, a pattern that names an hour is due once.
    Region(Tz),
    /// A fixed distance from UTC.
    Offset(FixedOffset),
}

/// Minute, hour, day of month, month, day of week (crontab(5)); also `@hourly`, `@daily` and their kin.
#[derive(Clone)]
pub struct CronSchedule {
    cron: Cron,
    zone: CronZone,
}

// === impl CronZone ===

impl CronZone {
    /// Parses `Europe/Berlin`, `UTC`, `+08:00` or `GMT+08:00`; what is displayed is read again.
    ///
    /// # Errors
    /// What it is not.
    pub fn parse(text: &str) -> Result<Self, String> {
        let offset = || text.trim_start_matches("GMT").trim_start_matches("UTC").parse().map(Self::Offset);
        text.parse().map(Self::Region).or_else(|_| offset()).map_err(|_| {
            "no time zone; write UTC, an IANA name such as Europe/Berlin, or an offset such as +08:00".to_owned()
        })
    }

    /// The wall clock at an instant: Unix milliseconds to milliseconds as if it were UTC.
    pub(super) fn local_millis(self, unix: i64) -> i64 {
        let Some(utc) = DateTime::<Utc>::from_timestamp_millis(unix).map(|time| time.naive_utc()) else {
            return unix;
        };
        let offset = match self {
            Self::Region(zone) => zone.offset_from_utc_datetime(&utc).fix(),
            Self::Offset(offset) => offset,
        };
        unix + i64::from(offset.local_minus_utc()) * 1000
    }
}

impl fmt::Display for CronZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Region(zone) => f.write_str(zone.name()),
            Self::Offset(offset) => write!(f, "{offset}"),
        }
    }
}

// === impl CronSchedule ===

impl CronSchedule {
    /// Parses a pattern.
    ///
    /// # Errors
    /// What is wrong with it, and what to write instead.
    pub fn try_new(pattern: &str, zone: CronZone) -> Result<Self, String> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).build();
        let cron = parser.parse(pattern).map_err(|why| {
            format!(
                "{why}; write minute, hour, day of month, month and day of week, such as `30 3 * * *`, or `@hourly`"
            )
        })?;
        Ok(Self { cron, zone })
    }

    /// The first time after `millis` (both Unix milliseconds) that the pattern names; `None` when there is none.
    pub fn next_after(&self, millis: i64) -> Option<i64> {
        let from = DateTime::<Utc>::from_timestamp_millis(millis)?;
        match self.zone {
            CronZone::Region(zone) => self.next(zone, from),
            CronZone::Offset(zone) => self.next(zone, from),
        }
    }

    fn next<Z: TimeZone + 'static>(&self, zone: Z, from: DateTime<Utc>) -> Option<i64> {
        let next = self.cron.find_next_occurrence(&from.with_timezone(&zone), false).ok()?;
        Some(next.timestamp_millis())
    }
}

impl fmt::Debug for CronSchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cron `{}` in {:?}", self.cron.as_str(), self.zone)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn millis(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis()
    }

    fn after(pattern: &str, zone: CronZone, from: &str) -> String {
        let next = CronSchedule::try_new(pattern, zone).unwrap().next_after(millis(from));
        next.map_or_else(|| "never".to_owned(), |next| DateTime::from_timestamp_millis(next).unwrap().to_rfc3339())
    }

    /// Berlin 2026: forward on 29 March at 02:00 (01:00 UTC), back on 25 October at 03:00 (01:00 UTC).
    #[test]
    fn the_next_time_is_after_the_given_one_in_the_zone() {
        let berlin = CronZone::Region(Tz::Europe__Berlin);
        let india = CronZone::Offset(FixedOffset::east_opt(19_800).unwrap());
        for (pattern, zone, from, expected) in [
            ("30 3 * * *", berlin, "2026-01-10T00:00:00Z", "2026-01-10T02:30:00+00:00"),
            ("30 3 * * *", berlin, "2026-01-10T02:30:00Z", "2026-01-11T02:30:00+00:00"),
            ("30 3 * * *", india, "2026-01-10T00:00:00Z", "2026-01-10T22:00:00+00:00"),
            ("0 * * * *", berlin, "2026-01-10T00:59:59.999Z", "2026-01-10T01:00:00+00:00"),
            ("@hourly", berlin, "2026-01-10T00:00:00.001Z", "2026-01-10T01:00:00+00:00"),
            ("0 4 * * MON", berlin, "2026-01-10T00:00:00Z", "2026-01-12T03:00:00+00:00"),
            // The skipped half hour: right after the gap, on the same day, once.
            ("30 2 * * *", berlin, "2026-03-29T00:00:00Z", "2026-03-29T01:00:00+00:00"),
            ("30 2 * * *", berlin, "2026-03-29T01:00:00Z", "2026-03-30T00:30:00+00:00"),
            ("*/20 * * * *", berlin, "2026-03-29T00:50:00Z", "2026-03-29T01:00:00+00:00"),
            // The repeated hour: a named hour once, every minute twice.
            ("30 2 * * *", berlin, "2026-10-25T00:00:00Z", "2026-10-25T00:30:00+00:00"),
            ("30 2 * * *", berlin, "2026-10-25T00:30:00Z", "2026-10-26T01:30:00+00:00"),
            ("*/30 * * * *", berlin, "2026-10-25T00:30:00Z", "2026-10-25T01:00:00+00:00"),
            ("0 0 30 2 *", berlin, "2026-01-01T00:00:00Z", "never"),
        ] {
            assert_eq!(after(pattern, zone, from), expected, "{pattern} after {from}");
        }
    }

    #[test]
    fn a_zone_is_read_as_it_is_shown_and_knows_its_wall_clock() {
        const NEW_YEAR: i64 = 1_767_225_600_000; // 2026-01-01T00:00:00Z
        for (text, shown, minutes) in [
            ("UTC", "UTC", 0),
            ("Europe/Berlin", "Europe/Berlin", 60),
            ("GMT+08:00", "+08:00", 480),
            ("-05:30", "-05:30", -330),
        ] {
            let zone = CronZone::parse(text).unwrap();
            assert_eq!((zone.to_string().as_str(), CronZone::parse(shown)), (shown, Ok(zone)));
            assert_eq!(zone.local_millis(NEW_YEAR), NEW_YEAR + minutes * 60_000, "{text}");
        }
        assert_eq!(CronZone::parse("Mars").unwrap_err().split(';').next(), Some("no time zone"));
    }

    #[test]
    fn what_is_no_pattern_is_refused_with_a_remedy() {
        for pattern in ["", "hourly", "61 * * * *", "* * * *", "0 0 3 * * *", "@sometimes"] {
            let why = CronSchedule::try_new(pattern, CronZone::Region(Tz::UTC)).err().unwrap_or_default();
            assert!(why.contains("such as `30 3 * * *`"), "{pattern}: {why}");
        }
    }
}
