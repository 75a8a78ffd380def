//! `HOUR(t)` and its kin: one field of a date, time or timestamp, as BIGINT.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, PrimitiveArray};
use arrow::datatypes::{Date32Type, Int64Type, Time32MillisecondType};
use chrono::{Datelike, NaiveDate};
use paimon_format::TypeRoot;

use super::cast::local_ticks;
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
}

/// The field's value for every row; instants are read on the wall clock of the zone.
pub(crate) fn time_field(field: TimeField, array: &ArrayRef, root: &TypeRoot, zone: Zone) -> ArrayRef {
    let seconds: PrimitiveArray<Int64Type> = match root {
        TypeRoot::Date => array.as_primitive::<Date32Type>().unary(|days| i64::from(days) * 86_400),
        TypeRoot::Time(_) => {
            array.as_primitive::<Time32MillisecondType>().unary(|millis| i64::from(millis.div_euclid(1000)))
        }
        _ => {
            let ticks = local_ticks(array, root, zone);
            let per_second = ticks.per_second();
            ticks.values.unary(|ticks| ticks.div_euclid(per_second))
        }
    };
    let fields: PrimitiveArray<Int64Type> = match field {
        TimeField::Hour => seconds.unary(|s| s.rem_euclid(86_400) / 3600),
        TimeField::Minute => seconds.unary(|s| s.rem_euclid(3600) / 60),
        TimeField::Second => seconds.unary(|s| s.rem_euclid(60)),
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

    /// Whether a TIME has this field.
    pub(crate) fn is_of_day(self) -> bool {
        matches!(self, Self::Hour | Self::Minute | Self::Second)
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
            Self::Hour | Self::Minute | Self::Second => 0,
        }
    }
}
