//! What the options say of tags that are made period by period (`TagPeriodHandler`).

use std::time::Duration;

use super::text::parse_duration;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// How often a tag is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagPeriod {
    /// Every day.
    Daily,
    /// Every hour.
    Hourly,
    /// Every two hours.
    TwoHours,
    /// Every so often, counted from 1970-01-01. A table may say anything here: see [`TagPeriod::is_nameable`].
    Every(Duration),
}

/// How the time in a tag's name is spelt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagFormatter {
    /// `2026-01-31 09`.
    WithDashes,
    /// `20260131 09`.
    WithoutDashes,
    /// `2026013109`.
    WithoutDashesAndSpaces,
}

// === impl TagPeriod ===

impl TagPeriod {
    /// Parses `daily`, `hourly`, `two-hours`, or a duration.
    ///
    /// # Errors
    /// What was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let named = [("daily", Self::Daily), ("hourly", Self::Hourly), ("two-hours", Self::TwoHours)];
        let named = named.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(text.trim()));
        let period = named.map(|(_, period)| period).or_else(|| parse_duration(text).ok().map(Self::Every));
        period
            .filter(|period| period.is_nameable())
            .ok_or_else(|| "no period: write daily, hourly, two-hours, or a duration in whole minutes".to_owned())
    }

    /// Whether its tags have names of their own: those end with the minute.
    pub fn is_nameable(self) -> bool {
        let length = self.length();
        !length.is_zero() && length.subsec_nanos() == 0 && length.as_secs().is_multiple_of(60)
    }

    /// How long it is.
    pub fn length(self) -> Duration {
        match self {
            Self::Daily => DAY,
            Self::Hourly => HOUR,
            Self::TwoHours => 2 * HOUR,
            Self::Every(length) => length,
        }
    }

    /// How a tag is named after the beginning of its period: `%Y`, `%m`, `%d`, `%H` and `%M` stand for parts of it.
    pub fn name_pattern(self, formatter: TagFormatter) -> &'static str {
        use TagFormatter::{WithDashes, WithoutDashes, WithoutDashesAndSpaces};
        match (self, formatter) {
            (Self::Daily, WithDashes) => "%Y-%m-%d",
            (Self::Daily, WithoutDashes | WithoutDashesAndSpaces) => "%Y%m%d",
            (Self::Hourly, WithDashes) | (Self::TwoHours, _) => "%Y-%m-%d %H",
            (Self::Hourly, WithoutDashes) => "%Y%m%d %H",
            (Self::Hourly, WithoutDashesAndSpaces) => "%Y%m%d%H",
            (Self::Every(_), _) => "%Y%m%d%H%M",
        }
    }

    /// The parts of a time without which two periods would have one name.
    pub fn name_parts(self) -> &'static [&'static str] {
        let divides = |unit: Duration| self.length().as_secs().is_multiple_of(unit.as_secs());
        match () {
            () if divides(DAY) => &["%Y", "%m", "%d"],
            () if divides(HOUR) => &["%Y", "%m", "%d", "%H"],
            () => &["%Y", "%m", "%d", "%H", "%M"],
        }
    }
}

// === impl TagFormatter ===

impl TagFormatter {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let named = [
            ("with_dashes", Self::WithDashes),
            ("without_dashes", Self::WithoutDashes),
            ("without_dashes_and_spaces", Self::WithoutDashesAndSpaces),
        ];
        let named = named.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(text.trim()));
        named
            .map(|(_, formatter)| formatter)
            .ok_or_else(|| "expected with_dashes, without_dashes or without_dashes_and_spaces".to_owned())
    }
}
