//! DATE_FORMAT, TO_DATE, TO_TIMESTAMP, UNIX_TIMESTAMP and FROM_UNIXTIME.

use arrow::array::{Date32Array, Int64Array, TimestampMillisecondArray};
use arrow::datatypes::Int64Type;
use paimon_format::TypeRoot;

use super::cast_moment::local_ticks;
use super::date_pattern::{DatePattern, Reading, WallClock};
use super::eval::EvalError;
use super::operands::{Made, Operands, Texts};
use super::value::Value;
use super::zone::Zone;

type Result<T, E = EvalError> = std::result::Result<T, E>;

/// DATE_FORMAT of a timestamp of type `root`, on the wall clock of the zone if it is an instant.
pub(crate) fn date_format(value: &Value, pattern: &Value, root: &TypeRoot, rows: usize, zone: Zone) -> Result<Value> {
    let ticks = local_ticks(value.array(), root, zone);
    let per_second = ticks.per_second();
    let seconds: Int64Array = ticks.values.unary(|ticks| ticks.div_euclid(per_second));
    let nanos: Int64Array = ticks.values.unary(|ticks| ticks.rem_euclid(per_second) * (1_000_000_000 / per_second));
    let like = |array: Int64Array| match value.is_scalar() {
        true => Value::Scalar(std::sync::Arc::new(array)),
        false => Value::Array(std::sync::Arc::new(array)),
    };
    let values = [like(seconds), like(nanos), pattern.clone()];
    let operands = Operands::new(&values, rows);
    let (seconds, nanos) = (operands.numbers::<Int64Type>(0), operands.numbers::<Int64Type>(1));
    let patterns = operands.texts(2);
    let mut made = Made::new();
    operands.write(|row, out| match (seconds.get(row), nanos.get(row), patterns.get(row)) {
        (Some(seconds), Some(nanos), Some(pattern)) => {
            let at = WallClock { seconds, nanos: u32::try_from(nanos).unwrap_or(0) };
            Ok(made.of(pattern, read_pattern)?.write(at, out))
        }
        _ => Ok(false),
    })
}

/// FROM_UNIXTIME: seconds since 1970-01-01 00:00 UTC, on the wall clock of the zone.
pub(crate) fn from_unixtime(operands: &Operands<'_>, zone: Zone) -> Result<Value> {
    let (seconds, patterns) = (operands.numbers::<Int64Type>(0), operands.texts(1));
    let mut made = Made::new();
    operands.write(|row, out| match (seconds.get(row), patterns.get(row)) {
        (Some(seconds), Some(pattern)) => {
            // Milliseconds of 64 bits wrap, as in Java.
            let local = zone.local_millis(seconds.wrapping_mul(1000));
            let at = WallClock { seconds: local.div_euclid(1000), nanos: (local.rem_euclid(1000) * 1_000_000) as u32 };
            Ok(made.of(pattern, read_pattern)?.write(at, out))
        }
        _ => Ok(false),
    })
}

/// UNIX_TIMESTAMP: the seconds since 1970-01-01 00:00 UTC of a wall-clock reading of the zone; the least BIGINT for a text
/// that does not follow the pattern.
pub(crate) fn unix_timestamp(operands: &Operands<'_>, zone: Zone) -> Result<Value> {
    let mut read = reader(operands, Reading::Lenient);
    operands.each::<Int64Array, _>(|row| {
        Ok(read(row)?.map(|read| match read {
            Some(at) => at.seconds - zone.offset_seconds_of_local(at.seconds),
            None => i64::MIN,
        }))
    })
}

/// TO_DATE with a pattern; null for a text that does not follow it.
pub(crate) fn to_date(operands: &Operands<'_>) -> Result<Value> {
    let mut read = reader(operands, Reading::Lenient);
    operands.each::<Date32Array, _>(|row| {
        Ok(read(row)?.flatten().and_then(|at| i32::try_from(at.seconds.div_euclid(86_400)).ok()))
    })
}

/// TO_TIMESTAMP with a pattern, in milliseconds; null for a text that does not follow it.
pub(crate) fn to_timestamp(operands: &Operands<'_>, reading: Reading) -> Result<Value> {
    let mut read = reader(operands, reading);
    operands.each::<TimestampMillisecondArray, _>(|row| {
        Ok(read(row)?.flatten().map(|at| at.seconds * 1000 + i64::from(at.nanos / 1_000_000)))
    })
}

/// Reads the first operand by the pattern of the second: `None` for null, `Some(None)` for a text that does not follow.
fn reader<'a>(
    operands: &Operands<'a>,
    reading: Reading,
) -> impl FnMut(usize) -> Result<Option<Option<WallClock>>> + use<'a> {
    let (texts, patterns): (Texts<'a>, Texts<'a>) = (operands.texts(0), operands.texts(1));
    let mut made = Made::new();
    move |row| match (texts.get(row), patterns.get(row)) {
        (Some(text), Some(pattern)) => Ok(Some(made.of(pattern, read_pattern)?.read(text, reading))),
        _ => Ok(None),
    }
}

fn read_pattern(text: &str) -> Result<DatePattern> {
    DatePattern::parse(text).map_err(|why| EvalError::Pattern { pattern: text.to_owned(), why })
}
