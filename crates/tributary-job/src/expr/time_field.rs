//! `HOUR(t)` and its kin: one field of a date, time or timestamp, as BIGINT.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, PrimitiveArray};
use arrow::datatypes::{Date32Type, Int64Type, Time32MillisecondType};
use chrono::{Datelike, NaiveDate};
use paimon_format::TypeRoot;

use super::cast_moment::{Ticks, local_ticks};
use super::zone::Zone;

/// Which field. Weeks are those of ISO 8601; the first day of the week is Sunday.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeField {
    Year,
    Quarter,
    Month,
    Week,
    DayOfYear,
    DayOfMonth,
    DayOfWeek,
    Hour,
    Minute,
    Second,
    Decade,
    Century,
    Millennium,
    IsoYear,
    IsoDayOfWeek,
    /// Of the second, not counting its whole ones.
    Millisecond,
    Microsecond,
    Nanosecond,
    /// Seconds since 1970-01-01 00:00 of the wall clock.
    Epoch,
}

/// The units of EXTRACT.
pub(crate) const UNITS: &[(&str, TimeField)] = &[
    ("YEAR", TimeField::Year),
    ("QUARTER", TimeField::Quarter),
    ("MONTH", TimeField::Month),
    ("WEEK", TimeField::Week),
    ("DAY", TimeField::DayOfMonth),
    ("DOY", TimeField::DayOfYear),
    ("DOW", TimeField::DayOfWeek),
    ("HOUR", TimeField::Hour),
    ("MINUTE", TimeField::Minute),
    ("SECOND", TimeField::Second),
    ("MILLISECOND", TimeField::Millisecond),
    ("MICROSECOND", TimeField::Microsecond),
    ("NANOSECOND", TimeField::Nanosecond),
    ("EPOCH", TimeField::Epoch),
    ("ISODOW", TimeField::IsoDayOfWeek),
    ("ISOYEAR", TimeField::IsoYear),
    ("DECADE", TimeField::Decade),
    ("CENTURY", TimeField::Century),
    ("MILLENNIUM", TimeField::Millennium),
];

/// The field's value for every row; instants are read on the wall clock of the zone.
pub(crate) fn time_field(field: TimeField, array: &ArrayRef, root: &TypeRoot, zone: Zone) -> ArrayRef {
    let ticks = match root {
        TypeRoot::Date => {
            Ticks { values: array.as_primitive::<Date32Type>().unary(|days| i64::from(days) * 86_400_000), digits: 3 }
        }
        TypeRoot::Time(_) => {
            Ticks { values: array.as_primitive::<Time32MillisecondType>().unary(i64::from), digits: 3 }
        }
        _ => local_ticks(array, root, zone),
    };
    let per_second = ticks.per_second();
    let part = |of_second: i64| -> ArrayRef {
        Arc::new(ticks.values.unary::<_, Int64Type>(|t| {
            let nanos = t.rem_euclid(per_second) * (1_000_000_000 / per_second);
            nanos / (1_000_000_000 / of_second)
        }))
    };
    match field {
        TimeField::Millisecond => return part(1_000),
        TimeField::Microsecond => return part(1_000_000),
        TimeField::Nanosecond => return part(1_000_000_000),
        _ => {}
    }
    let seconds: PrimitiveArray<Int64Type> = ticks.values.unary(|ticks| ticks.div_euclid(per_second));
    let fields: PrimitiveArray<Int64Type> = match field {
        TimeField::Hour => seconds.unary(|s| s.rem_euclid(86_400) / 3600),
        TimeField::Minute => seconds.unary(|s| s.rem_euclid(3600) / 60),
        TimeField::Second => seconds.unary(|s| s.rem_euclid(60)),
        TimeField::Epoch => seconds,
        _ => seconds.unary_opt(|s| {
            let days = i32::try_from(s.div_euclid(86_400)).ok()?;
            NaiveDate::from_epoch_days(days).map(|date| field.of(date))
        }),
    };
    Arc::new(fields)
}

// === impl TimeField ===

impl TimeField {
    /// The field a function of this (upper-case) name reads.
    pub(crate) fn of_function(name: &str) -> Option<Self> {
        Some(match name {
            "YEAR" => Self::Year,
            "QUARTER" => Self::Quarter,
            "MONTH" => Self::Month,
            "WEEK" => Self::Week,
            "DAYOFYEAR" => Self::DayOfYear,
            "DAYOFMONTH" => Self::DayOfMonth,
            "DAYOFWEEK" => Self::DayOfWeek,
            "HOUR" => Self::Hour,
            "MINUTE" => Self::Minute,
            "SECOND" => Self::Second,
            _ => return None,
        })
    }

    /// The field a unit of EXTRACT (in upper case) names.
    pub(crate) fn of_unit(unit: &str) -> Option<Self> {
        UNITS.iter().find(|(name, _)| *name == unit).map(|(_, field)| *field)
    }

    /// Whether a TIME has this field.
    pub(crate) fn is_of_day(self) -> bool {
        use TimeField as F;
        matches!(self, F::Hour | F::Minute | F::Second | F::Millisecond | F::Microsecond | F::Nanosecond)
    }

    fn of(self, date: NaiveDate) -> i64 {
        match self {
            Self::Year => i64::from(date.year()),
            Self::Quarter => i64::from(date.month0() / 3 + 1),
            Self::Month => i64::from(date.month()),
            Self::Week => i64::from(date.iso_week().week()),
            Self::DayOfYear => i64::from(date.ordinal()),
            Self::DayOfMonth => i64::from(date.day()),
            Self::DayOfWeek => i64::from(date.weekday().number_from_sunday()),
            Self::Decade => i64::from(date.year().div_euclid(10)),
            Self::Century => i64::from((date.year() + 99).div_euclid(100)),
            Self::Millennium => i64::from((date.year() + 999).div_euclid(1000)),
            Self::IsoYear => i64::from(date.iso_week().year()),
            Self::IsoDayOfWeek => i64::from(date.weekday().number_from_monday()),
            // Those of the day, which need no calendar.
            _ => 0,
        }
    }
}
