//! Values of a column whose type was changed, as Paimon's readers cast them (`DataTypeCasts`, `CastExecutors`).
//!
//! Paimon lets a type change wherever SQL has an explicit cast. Here are those that widen, the implicit ones and text of
//! exact numbers; the rest narrows, parses, or depends on the reader's time zone, and is refused by name.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array,
    Int8Array, Int16Array, Int32Array, Int64Array, PrimitiveArray, StringArray, TimestampMicrosecondArray,
    TimestampMillisecondArray,
};
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType as ArrowType, Date32Type, Decimal128Type, Float64Type, Int64Type,
    Time32MillisecondType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
};
use arrow::error::ArrowError;
use paimon_format::{ColumnStats, Datum, TypeRoot};

use crate::arrow::{arrow_type, datum_at};

const MILLIS_PER_DAY: i64 = 86_400_000;
/// Highest precision of a decimal that Java keeps in 64 bits.
const COMPACT_PRECISION: u8 = 18;

/// How values of one type become values of another.
#[derive(Debug, Clone)]
pub(super) struct Cast {
    from: TypeRoot,
    to: TypeRoot,
    rule: Rule,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// The same bytes.
    Same,
    /// Arrow's kernel, which agrees with Java here and never makes null.
    Widen,
    /// To a decimal; null where the digits do not fit.
    ToDecimal,
    DecimalToFloat,
    /// Text cut to the length of the type, padded with spaces if it is CHAR.
    FitText,
    /// The same for bytes, with zeros.
    FitBytes,
    /// Plain text of a number or truth value, then as `FitText`.
    Spell,
    DateToTimestamp,
    TimestampToDate,
    TimestampToTime,
    Timestamps,
}

// === impl Cast ===

impl Cast {
    /// `None` where there is no cast, or one that is not implemented.
    pub(super) fn between(from: &TypeRoot, to: &TypeRoot) -> Option<Self> {
        use TypeRoot::{
            BigInt, Binary, Boolean, Char, Date, Decimal, Double, Float, Int, SmallInt, Time, Timestamp, TimestampLtz,
            TinyInt, Varbinary, Varchar,
        };
        let rule = match (from, to) {
            _ if from == to => Rule::Same,
            (TinyInt, SmallInt | Int | BigInt) | (SmallInt, Int | BigInt) | (Int, BigInt) => Rule::Widen,
            (TinyInt | SmallInt | Int | BigInt, Float | Double) | (Float, Double) => Rule::Widen,
            (TinyInt | SmallInt | Int | BigInt | Float | Double | Decimal { .. }, Decimal { .. }) => Rule::ToDecimal,
            (Decimal { .. }, Float | Double) => Rule::DecimalToFloat,
            (Varchar(had) | Char(had), Varchar(has)) if had <= has => Rule::Same,
            (Varchar(_) | Char(_), Varchar(_) | Char(_)) => Rule::FitText,
            (Varbinary(had) | Binary(had), Varbinary(has)) if had <= has => Rule::Same,
            (Varbinary(_) | Binary(_), Varbinary(_) | Binary(_)) => Rule::FitBytes,
            (Boolean | TinyInt | SmallInt | Int | BigInt | Decimal { .. }, Varchar(_) | Char(_)) => Rule::Spell,
            (Date, Timestamp(_)) => Rule::DateToTimestamp,
            (Timestamp(_), Date) => Rule::TimestampToDate,
            (Timestamp(_), Time(_)) => Rule::TimestampToTime,
            (Timestamp(_), Timestamp(_)) | (TimestampLtz(_), TimestampLtz(_)) => Rule::Timestamps,
            _ => return None,
        };
        Some(Self { from: from.clone(), to: to.clone(), rule })
    }

    /// Casts values that have the arrow type of the old type.
    ///
    /// # Errors
    /// A value that has no counterpart: a timestamp out of the range of nanoseconds in 64 bits, NaN as a decimal.
    pub(super) fn array(&self, array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
        let to = arrow_type(&self.to);
        let strict = CastOptions { safe: false, ..CastOptions::default() };
        match self.rule {
            Rule::Same => Ok(Arc::clone(array)),
            Rule::Widen => cast_with_options(array, &to, &strict),
            Rule::ToDecimal => match array.data_type() {
                ArrowType::Float32 | ArrowType::Float64 => float_to_decimal(array, &self.to),
                _ => cast(array, &to),
            },
            Rule::DecimalToFloat => cast(&decimal_to_double(array, &self.from)?, &to),
            Rule::FitText => Ok(fit_text(array, &self.to)),
            Rule::FitBytes => Ok(fit_bytes(array, &self.to)),
            Rule::Spell => Ok(fit_text(&cast(array, &ArrowType::Utf8)?, &self.to)),
            Rule::DateToTimestamp => {
                let days = array.as_primitive::<Date32Type>();
                let millis: TimestampMillisecondArray = days.unary(|days| i64::from(days) * MILLIS_PER_DAY);
                cast_with_options(&(Arc::new(millis) as ArrayRef), &to, &strict)
            }
            Rule::TimestampToDate => {
                let millis = floor(array, TimeUnit::Millisecond)?;
                let days: PrimitiveArray<Date32Type> = millis
                    .as_primitive::<TimestampMillisecondType>()
                    .unary(|millis| millis.div_euclid(MILLIS_PER_DAY) as i32);
                Ok(Arc::new(days))
            }
            Rule::TimestampToTime => {
                let millis = floor(array, TimeUnit::Millisecond)?;
                let time: PrimitiveArray<Time32MillisecondType> = millis
                    .as_primitive::<TimestampMillisecondType>()
                    .unary(|millis| millis.rem_euclid(MILLIS_PER_DAY) as i32);
                Ok(Arc::new(time))
            }
            Rule::Timestamps => timestamps(array, &self.from, &self.to),
        }
    }

    /// What is known of a column after its values were cast, given what was known before.
    pub(super) fn stats(&self, before: ColumnStats) -> ColumnStats {
        if self.may_make_null() {
            return ColumnStats::default();
        }
        let null_count = before.null_count;
        let bound = |bound: Option<Datum>| self.datum(&bound?);
        match self.keeps_order() {
            true => ColumnStats { min: bound(before.min), max: bound(before.max), null_count },
            false => ColumnStats { min: None, max: None, null_count },
        }
    }

    fn datum(&self, value: &Datum) -> Option<Datum> {
        if self.rule == Rule::Same {
            return Some(value.clone());
        }
        let array = array_of(value, &self.from)?;
        datum_at(&self.array(&array).ok()?, 0, &self.to).ok()?
    }

    fn may_make_null(&self) -> bool {
        let TypeRoot::Decimal { precision, scale } = self.to else { return false };
        // Digits before the point, and whether rounding may carry into one more.
        let (digits, rounds) = match self.from {
            TypeRoot::TinyInt => (3, false),
            TypeRoot::SmallInt => (5, false),
            TypeRoot::Int => (10, false),
            TypeRoot::BigInt => (19, false),
            TypeRoot::Decimal { precision, scale: had } => (precision - had, scale < had),
            _ => return true,
        };
        precision - scale < digits + u8::from(rounds)
    }

    /// Whether `a <= b` implies that this holds for what they are cast to.
    fn keeps_order(&self) -> bool {
        match self.rule {
            Rule::Same
            | Rule::Widen
            | Rule::ToDecimal
            | Rule::DecimalToFloat
            | Rule::DateToTimestamp
            | Rule::TimestampToDate
            | Rule::Timestamps => true,
            // A cut keeps it, padding does not: a space is not the least character.
            Rule::FitText => matches!(self.to, TypeRoot::Varchar(_)),
            Rule::FitBytes => matches!(self.to, TypeRoot::Varbinary(_)),
            Rule::Spell | Rule::TimestampToTime => false,
        }
    }
}

/// One value as an array of the arrow type of `root`; `None` for types no cast of bounds starts from.
pub(super) fn array_of(value: &Datum, root: &TypeRoot) -> Option<ArrayRef> {
    let array: ArrayRef = match value {
        Datum::Boolean(value) => Arc::new(BooleanArray::from(vec![*value])),
        Datum::TinyInt(value) => Arc::new(Int8Array::from(vec![*value])),
        Datum::SmallInt(value) => Arc::new(Int16Array::from(vec![*value])),
        Datum::Int(value) => Arc::new(Int32Array::from(vec![*value])),
        Datum::BigInt(value) => Arc::new(Int64Array::from(vec![*value])),
        Datum::Float(value) => Arc::new(Float32Array::from(vec![*value])),
        Datum::Double(value) => Arc::new(Float64Array::from(vec![*value])),
        Datum::Decimal { unscaled, precision, scale } => {
            let array = Decimal128Array::from(vec![*unscaled]);
            Arc::new(array.with_precision_and_scale(*precision, *scale as i8).ok()?)
        }
        Datum::String(value) => Arc::new(StringArray::from(vec![value.as_str()])),
        Datum::Bytes(value) => Arc::new(BinaryArray::from(vec![value.as_slice()])),
        Datum::Date(value) => Arc::new(Date32Array::from(vec![*value])),
        Datum::Time(_) => return None,
        Datum::Timestamp { millis, nano_of_milli } => {
            let micros = millis.checked_mul(1_000)?.checked_add(i64::from(*nano_of_milli) / 1_000)?;
            let array: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![micros]));
            cast(&array, &arrow_type(root)).ok()?
        }
    };
    (array.data_type() == &arrow_type(root)).then_some(array)
}

/// `BigDecimal.valueOf(double)`: the shortest digits that stand for the value, rounded half up to the scale.
fn float_to_decimal(array: &ArrayRef, to: &TypeRoot) -> Result<ArrayRef, ArrowError> {
    let TypeRoot::Decimal { precision, scale } = *to else {
        return Err(ArrowError::CastError(format!("{to} is no decimal")));
    };
    let doubles = cast(array, &ArrowType::Float64)?;
    let limit = 10_i128.pow(u32::from(precision));
    let decimal: Decimal128Array = doubles
        .as_primitive::<Float64Type>()
        .iter()
        .map(|value| {
            let Some(value) = value else { return Ok(None) };
            if !value.is_finite() {
                return Err(ArrowError::CastError(format!("{value} is no decimal number")));
            }
            Ok(rounded(value, scale).filter(|unscaled| unscaled.abs() < limit))
        })
        .collect::<Result<_, ArrowError>>()?;
    Ok(Arc::new(decimal.with_precision_and_scale(precision, scale as i8)?))
}

/// `value` times 10 to the `scale`; `None` when that is far beyond any decimal.
fn rounded(value: f64, scale: u8) -> Option<i128> {
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e')?;
    let fraction = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len() as i32);
    let mantissa: i128 = digits.replace('.', "").parse().ok()?;
    let shift = exponent.parse::<i32>().ok()? - fraction + i32::from(scale);
    match u32::try_from(shift) {
        Ok(shift) => mantissa.checked_mul(10_i128.checked_pow(shift)?),
        // More digits than a double has: nothing is left of them.
        Err(_) if shift < -20 => Some(0),
        Err(_) => {
            let unit = 10_i128.pow(shift.unsigned_abs());
            Some((mantissa.abs() + unit / 2) / unit * mantissa.signum())
        }
    }
}

/// `DecimalUtils.doubleValue`.
fn decimal_to_double(array: &ArrayRef, from: &TypeRoot) -> Result<ArrayRef, ArrowError> {
    let TypeRoot::Decimal { precision, scale } = *from else {
        return Err(ArrowError::CastError(format!("{from} is no decimal")));
    };
    let decimals = array.as_primitive::<Decimal128Type>();
    let doubles: Float64Array = if precision <= COMPACT_PRECISION {
        let divisor = 10_i64.pow(u32::from(scale)) as f64;
        decimals.unary(|unscaled| unscaled as f64 / divisor)
    } else {
        // Through the text, as BigDecimal: one correct rounding instead of two.
        decimals.try_unary(|unscaled| {
            format!("{unscaled}e-{scale}").parse().map_err(|_| ArrowError::CastError(unscaled.to_string()))
        })?
    };
    Ok(Arc::new(doubles))
}

fn fit_text(array: &ArrayRef, to: &TypeRoot) -> ArrayRef {
    let (length, pads) = match *to {
        TypeRoot::Char(length) => (length as usize, true),
        TypeRoot::Varchar(length) => (length as usize, false),
        _ => (usize::MAX, false),
    };
    let fitted = array.as_string::<i32>().iter().map(|text| {
        let text = text?;
        let end = text.char_indices().nth(length).map_or(text.len(), |(at, _)| at);
        let mut fitted = text[..end].to_owned();
        if pads {
            fitted.extend(std::iter::repeat_n(' ', length - fitted.chars().count()));
        }
        Some(fitted)
    });
    Arc::new(fitted.collect::<StringArray>())
}

fn fit_bytes(array: &ArrayRef, to: &TypeRoot) -> ArrayRef {
    let (length, pads) = match *to {
        TypeRoot::Binary(length) => (length as usize, true),
        TypeRoot::Varbinary(length) => (length as usize, false),
        _ => (usize::MAX, false),
    };
    let fitted = array.as_binary::<i32>().iter().map(|bytes| {
        let mut fitted = bytes?.to_vec();
        fitted.truncate(length);
        if pads {
            fitted.resize(length, 0);
        }
        Some(fitted)
    });
    Arc::new(fitted.collect::<BinaryArray>())
}

fn timestamps(array: &ArrayRef, from: &TypeRoot, to: &TypeRoot) -> Result<ArrayRef, ArrowError> {
    use TypeRoot::{Timestamp, TimestampLtz};
    let (Timestamp(had) | TimestampLtz(had), Timestamp(has) | TimestampLtz(has)) = (from, to) else {
        return Err(ArrowError::CastError(format!("{from} or {to} is no timestamp")));
    };
    let target = arrow_type(to);
    let ArrowType::Timestamp(unit, _) = &target else {
        return Err(ArrowError::CastError(format!("{to} is no timestamp")));
    };
    if had <= has {
        let strict = CastOptions { safe: false, ..CastOptions::default() };
        return cast_with_options(array, &target, &strict);
    }
    let units = cast(&floor(array, *unit)?, &ArrowType::Int64)?;
    // `DateTimeUtils.truncate`: fewer digits than the unit has are cut towards 1970.
    let digits = match unit {
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        _ => 9,
    };
    let step = 10_i64.pow(digits - u32::from(*has));
    let of_milli = 10_i64.pow(digits - 3);
    let cut = units.as_primitive::<Int64Type>().unary::<_, Int64Type>(|units| match has {
        ..=3 => units / step * step,
        _ => {
            let (millis, rest) = (units.div_euclid(of_milli), units.rem_euclid(of_milli));
            millis * of_milli + rest / step * step
        }
    });
    cast(&cut, &target)
}

/// A timestamp in a unit that is not finer, rounded down, without a zone.
fn floor(array: &ArrayRef, unit: TimeUnit) -> Result<ArrayRef, ArrowError> {
    let per_second = |unit: &TimeUnit| match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    };
    let ArrowType::Timestamp(from, _) = array.data_type() else {
        return Err(ArrowError::CastError(format!("{} is no timestamp", array.data_type())));
    };
    let divisor: i64 = per_second(from) / per_second(&unit);
    let units = cast(array, &ArrowType::Int64)?;
    let units = units.as_primitive::<Int64Type>();
    Ok(match unit {
        TimeUnit::Microsecond => divided::<TimestampMicrosecondType>(units, divisor),
        TimeUnit::Nanosecond => divided::<TimestampNanosecondType>(units, divisor),
        _ => divided::<TimestampMillisecondType>(units, divisor),
    })
}

fn divided<T: ArrowPrimitiveType<Native = i64>>(units: &Int64Array, divisor: i64) -> ArrayRef {
    Arc::new(units.unary::<_, T>(|units| units.div_euclid(divisor)))
}
