//! How tags are named after the time they are for: pure.

use chrono::{DateTime, Datelike, NaiveDate, Timelike};
use paimon_format::options::TagPeriod;

/// A pattern such as `%Y-%m-%d`, which tells the periods of a schedule apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagNames {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    /// Year, month, day, hour or minute, as its letter.
    Time(char),
}

// === impl TagNames ===

impl TagNames {
    /// Parses a pattern: `%Y`, `%m`, `%d`, `%H` and `%M` stand for the beginning of a period, in figures of fixed width.
    ///
    /// # Errors
    /// What is wrong with it, and what to write instead.
    pub fn try_new(pattern: &str, period: TagPeriod) -> Result<Self, String> {
        if !period.is_nameable() {
            return Err(format!("a period of {:?} is not in whole minutes, which names end with", period.length()));
        }
        let mut parts = Vec::new();
        let mut letters = pattern.chars();
        while let Some(letter) = letters.next() {
            match (letter, parts.last_mut()) {
                ('%', _) => match letters.next() {
                    Some(part @ ('Y' | 'm' | 'd' | 'H' | 'M')) => parts.push(Part::Time(part)),
                    _ => return Err("after % stands Y, m, d, H or M".to_owned()),
                },
                ('/', _) => return Err("a tag's name has no slash".to_owned()),
                (letter, Some(Part::Text(text))) => text.push(letter),
                (letter, _) => parts.push(Part::Text(letter.to_string())),
            }
        }
        match period.name_parts().iter().find(|part| !pattern.contains(**part)) {
            Some(part) => Err(format!(
                "{part} is missing, so that two periods would have one name; write {}",
                period.name_parts().join("-")
            )),
            None => Ok(Self { parts }),
        }
    }

    /// The name for the period that begins at `start`: milliseconds of a wall clock, as if it were UTC.
    pub(super) fn render(&self, start: i64) -> String {
        let time = DateTime::from_timestamp_millis(start).unwrap_or_default();
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Time('Y') => format!("{:04}", time.year()),
            Part::Time('m') => format!("{:02}", time.month()),
            Part::Time('d') => format!("{:02}", time.day()),
            Part::Time('H') => format!("{:02}", time.hour()),
            Part::Time(_) => format!("{:02}", time.minute()),
        };
        self.parts.iter().map(part).collect()
    }

    /// The beginning of the period that `name` is for; `None` for a name that this pattern never gives.
    pub(super) fn parse(&self, name: &str) -> Option<i64> {
        let (mut year, mut month, mut day, mut hour, mut minute) = (0, 1, 1, 0, 0);
        let mut rest = name;
        for part in &self.parts {
            let figures = match part {
                Part::Text(text) => {
                    rest = rest.strip_prefix(text.as_str())?;
                    continue;
                }
                Part::Time('Y') => 4,
                Part::Time(_) => 2,
            };
            let (text, behind) = rest.split_at_checked(figures)?;
            rest = behind;
            let number: u32 = text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))?;
            match part {
                Part::Time('Y') => year = i32::try_from(number).ok()?,
                Part::Time('m') => month = number,
                Part::Time('d') => day = number,
                Part::Time('H') => hour = number,
                _ => minute = number,
            }
        }
        let time = NaiveDate::from_ymd_opt(year, month, day)?.and_hms_opt(hour, minute, 0)?;
        rest.is_empty().then(|| time.and_utc().timestamp_millis()).filter(|start| self.render(*start) == name)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use super::*;

    #[test]
    fn a_name_tells_its_period_and_other_names_none() {
        const START: i64 = 1_769_850_000_000; // 2026-01-31T09:00
        const DAY: i64 = 1_769_817_600_000;
        let quarter = TagPeriod::Every(Duration::from_secs(900));
        for (pattern, period, start, name) in [
            ("%Y-%m-%d", TagPeriod::Daily, DAY, "2026-01-31"),
            ("nightly-%Y%m%d", TagPeriod::Daily, DAY, "nightly-20260131"),
            ("%Y-%m-%d %H", TagPeriod::TwoHours, START, "2026-01-31 09"),
            ("%Y%m%d%H", TagPeriod::Hourly, START, "2026013109"),
            ("%Y%m%d%H%M", quarter, START + 900_000, "202601310915"),
        ] {
            let names = TagNames::try_new(pattern, period).unwrap();
            assert_eq!(names.render(start), name);
            assert_eq!(names.parse(name), Some(start), "{name}");
            for other in ["", "v1", "2026-02-31", "2026-1-31", "+026-01-31", &format!("{name} "), &format!("x{name}")] {
                assert_eq!(names.parse(other), None, "{pattern}: {other}");
            }
        }
    }

    #[test]
    fn a_pattern_that_gives_two_periods_one_name_is_refused() {
        for (pattern, period, why) in [
            ("v1", TagPeriod::Daily, "%Y is missing, so that two periods would have one name; write %Y-%m-%d"),
            ("%Y-%m-%d", TagPeriod::Hourly, "%H is missing"),
            ("%Y%m%d %H", TagPeriod::Every(Duration::from_secs(60)), "%M is missing"),
            ("%Y/%m/%d", TagPeriod::Daily, "no slash"),
            ("%F", TagPeriod::Daily, "after % stands"),
            ("%Y%m%d%H%M", TagPeriod::Every(Duration::from_secs(30)), "a period of 30s is not in whole minutes"),
            ("%Y%m%d%H%M", TagPeriod::Every(Duration::ZERO), "a period of 0ns is not in whole minutes"),
            ("%Y-%m-%d%", TagPeriod::Daily, "after % stands"),
        ] {
            let error = TagNames::try_new(pattern, period).unwrap_err();
            assert!(error.starts_with(why) || error.contains(why), "{error}");
        }
    }
}
