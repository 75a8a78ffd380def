//! CAST among dates, times and timestamps.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, PrimitiveArray};
use arrow::datatypes::{
    Date32Type, Int64Type, Time32MillisecondType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType,
};
use paimon_format::TypeRoot;
use paimon_table::arrow::arrow_type;

use super::cast::{Failing, convert};
use super::eval::EvalError;
use super::types::{self, Family, family};
use super::zone::Zone;

const MILLIS_PER_DAY: i64 = 86_400_000;

type Result<T, E = EvalError> = std::result::Result<T, E>;

/// A timestamp column as plain integers of its unit.
pub(crate) struct Ticks {
    pub(crate) values: PrimitiveArray<Int64Type>,
    pub(crate) digits: u8,
}

/// Fractional digits of the unit a timestamp of this precision is counted in.
pub(crate) fn unit_digits(precision: u8) -> u8 {
    match precision {
        0..=3 => 3,
        4..=6 => 6,
        _ => 9,
    }
}

impl Ticks {
    /// `root` is a timestamp type and `array` carries it.
    pub(crate) fn of(array: &ArrayRef, root: &TypeRoot) -> Self {
        let digits = unit_digits(types::fraction(root).unwrap_or(3));
        let values = match digits {
            3 => array.as_primitive::<TimestampMillisecondType>().reinterpret_cast(),
            6 => array.as_primitive::<TimestampMicrosecondType>().reinterpret_cast(),
            _ => array.as_primitive::<TimestampNanosecondType>().reinterpret_cast(),
        };
        Self { values, digits }
    }

    pub(crate) fn per_second(&self) -> i64 {
        10_i64.pow(u32::from(self.digits))
    }
}

/// Integers of the type's unit as a timestamp column.
pub(crate) fn timestamp_array(ticks: PrimitiveArray<Int64Type>, to: &TypeRoot) -> ArrayRef {
    let to_type = arrow_type(to);
    match unit_digits(types::fraction(to).unwrap_or(3)) {
        3 => Arc::new(ticks.reinterpret_cast::<TimestampMillisecondType>().with_data_type(to_type)),
        6 => Arc::new(ticks.reinterpret_cast::<TimestampMicrosecondType>().with_data_type(to_type)),
        _ => Arc::new(ticks.reinterpret_cast::<TimestampNanosecondType>().with_data_type(to_type)),
    }
}

/// Between dates, times and timestamps.
pub(super) fn cast_moment(
    array: &ArrayRef,
    from: &TypeRoot,
    to: &TypeRoot,
    zone: Zone,
    failing: Failing,
) -> Result<ArrayRef> {
    // Everything meets as ticks of the wall clock, LTZ ones moved by the zone.
    let ticks = match *from {
        TypeRoot::Date => Ticks {
            values: array.as_primitive::<Date32Type>().unary(|days| i64::from(days) * MILLIS_PER_DAY),
            digits: 3,
        },
        TypeRoot::Time(_) => {
            Ticks { values: array.as_primitive::<Time32MillisecondType>().unary(i64::from), digits: 3 }
        }
        TypeRoot::Timestamp(_) | TypeRoot::TimestampLtz(_) => Ticks::of(array, from),
        _ => return Err(EvalError::NoCast { from: from.clone(), to: to.clone() }),
    };
    let was_instant = family(from) == Family::TimestampLtz;
    let per_second = ticks.per_second();
    match *to {
        TypeRoot::Date | TypeRoot::Time(_) => {
            let local =
                if was_instant { shifted(&ticks, |seconds| zone.offset_seconds(seconds)) } else { ticks.values };
            let per_day = per_second * 86_400;
            Ok(if *to == TypeRoot::Date {
                convert::<_, Date32Type>(&local, |ticks| ticks.div_euclid(per_day) as i32)
            } else {
                let digits = types::fraction(to).unwrap_or(0).min(3);
                let cut = 10_i32.pow(u32::from(3 - digits));
                let per_milli = per_second / 1000;
                convert::<_, Time32MillisecondType>(&local, |ticks| {
                    let millis = (ticks.rem_euclid(per_day) / per_milli) as i32;
                    millis - millis % cut
                })
            })
        }
        TypeRoot::Timestamp(precision) | TypeRoot::TimestampLtz(precision) => {
            let is_instant = family(to) == Family::TimestampLtz;
            let values = match (was_instant, is_instant) {
                (true, false) => shifted(&ticks, |seconds| zone.offset_seconds(seconds)),
                (false, true) => shifted(&ticks, |seconds| -zone.offset_seconds_of_local(seconds)),
                _ => ticks.values.clone(),
            };
            let (digits, wanted) = (ticks.digits, unit_digits(precision));
            let factor = 10_i64.pow(u32::from(wanted.abs_diff(digits)));
            let cut = 10_i64.pow(u32::from(wanted - precision.min(wanted)));
            let values: PrimitiveArray<Int64Type> = values
                .iter()
                .map(|ticks| {
                    let Some(ticks) = ticks else { return Ok(None) };
                    let ticks =
                        if wanted >= digits { ticks.checked_mul(factor) } else { Some(ticks.div_euclid(factor)) };
                    failing.settle(
                        ticks.map(|ticks| ticks - ticks % cut).ok_or_else(|| EvalError::OutOfRange { to: to.clone() }),
                    )
                })
                .collect::<Result<_>>()?;
            Ok(timestamp_array(values, to))
        }
        _ => Err(EvalError::NoCast { from: from.clone(), to: to.clone() }),
    }
}

/// Ticks moved by so many seconds, given the second they fall in.
fn shifted(ticks: &Ticks, offset: impl Fn(i64) -> i64) -> PrimitiveArray<Int64Type> {
    let per_second = ticks.per_second();
    ticks.values.unary(|value| value.wrapping_add(offset(value.div_euclid(per_second)) * per_second))
}

/// Ticks of the wall clock: as they are, or moved into the zone if they are instants.
pub(crate) fn local_ticks(array: &ArrayRef, root: &TypeRoot, zone: Zone) -> Ticks {
    let ticks = Ticks::of(array, root);
    if family(root) != Family::TimestampLtz {
        return ticks;
    }
    Ticks { values: shifted(&ticks, |seconds| zone.offset_seconds(seconds)), digits: ticks.digits }
}
