//! The rows themselves: a pure function of seed, split and position.
//!
//! Every cell starts from its own number: the SplitMix64 finaliser (Steele, Lea, Flood: "Fast splittable
//! pseudorandom number generators", OOPSLA 2014) over the column's key and the cell's place. That is a bijection of
//! the place, so cells of one column never share a number, and random text of 16 characters or more is distinct in
//! every row of a table. Longer values go on from their number in SplitMix64's own steps.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Decimal128Array, PrimitiveArray, RecordBatch, RecordBatchOptions, StringArray,
    TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{
    ArrowPrimitiveType, Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Schema,
    SchemaRef, Time32MillisecondType,
};
use arrow::error::ArrowError;
use tributary_runtime::Interval;

use super::columns::{Column, Values};
use super::types::FieldType;

/// Splits a table can have; the place of a cell keeps 10 bits for its split and 54 for its position.
pub(super) const MAX_SPLITS: u32 = 1 << 10;

const SPLIT_SHIFT: u32 = 54;
/// SplitMix64's step: 2^64 over the golden ratio, odd.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
/// Set apart whether a cell is null, how long it is and what is inside it from its value.
const NULL_SALT: u64 = 0xA076_1D64_78BD_642F;
const LENGTH_SALT: u64 = 0xE703_7ED1_A0B4_28DB;
const PART_SALT: u64 = 0x8EBC_6AF0_9C88_C6E3;

const MILLIS_PER_DAY: i64 = 86_400_000;

/// Seconds that local time is ahead of UTC at a Unix time in milliseconds.
pub type LocalOffset = Arc<dyn Fn(i64) -> i64 + Send + Sync>;

/// All rows of a datagen table, by split and position.
#[derive(Clone)]
pub struct Rows {
    schema: SchemaRef,
    columns: Arc<[Column]>,
    keys: Vec<u64>,
    splits: u32,
    row_bytes: usize,
    local: LocalOffset,
}

/// The cells of one column, or of what is inside it, that a batch covers.
#[derive(Clone, Copy)]
pub(super) struct Cells {
    key: u64,
    split: u64,
    splits: u64,
    /// The first place, counted from 0.
    from: u64,
    count: u64,
}

// === impl Rows ===

impl Rows {
    pub(super) fn new(columns: Arc<[Column]>, seed: u64, splits: u32, local: LocalOffset) -> Self {
        let fields = columns.iter().map(|column| column.def.arrow_field());
        Self {
            schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())),
            keys: (1..=columns.len() as u64).map(|n| mix(seed ^ mix(n.wrapping_mul(STEP)))).collect(),
            row_bytes: columns.iter().map(Column::bytes).sum::<usize>().max(1),
            columns,
            splits,
            local,
        }
    }

    /// The columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Number of splits; they are numbered from 0.
    pub fn splits(&self) -> u32 {
        self.splits
    }

    /// Bytes of a row, at most.
    pub(super) fn row_bytes(&self) -> usize {
        self.row_bytes
    }

    /// The rows of an interval. Only columns of time types look at `at_millis` (Unix milliseconds).
    ///
    /// # Errors
    /// When the values do not fit into one batch (text of more than 2 GiB).
    pub fn batch(&self, interval: Interval, at_millis: i64) -> Result<RecordBatch, ArrowError> {
        let arrays = self.columns.iter().zip(&self.keys).map(|(column, key)| {
            let cells = Cells {
                key: *key,
                split: u64::from(interval.split.0),
                splits: u64::from(self.splits),
                from: interval.from.0,
                count: interval.to.0 - interval.from.0,
            };
            self.array(column, cells, at_millis)
        });
        let arrays = arrays.collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some((interval.to.0 - interval.from.0) as usize));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
    }

    pub(super) fn array(&self, column: &Column, cells: Cells, at_millis: i64) -> Result<ArrayRef, ArrowError> {
        let nulls = column.nulls(cells);
        Ok(match column.def.data_type {
            FieldType::Boolean => {
                Arc::new(BooleanArray::new(cells.numbers().map(|number| number >> 63 == 1).collect(), nulls))
            }
            FieldType::TinyInt => column.integers::<Int8Type>(cells, nulls, |value| value as i8),
            FieldType::SmallInt => column.integers::<Int16Type>(cells, nulls, |value| value as i16),
            FieldType::Int => column.integers::<Int32Type>(cells, nulls, |value| value as i32),
            FieldType::BigInt => column.integers::<Int64Type>(cells, nulls, |value| value),
            FieldType::Float => column.floats::<Float32Type>(cells, nulls, |value| value as f32),
            FieldType::Double => column.floats::<Float64Type>(cells, nulls, |value| value),
            FieldType::Decimal { precision, scale } => {
                let array = Decimal128Array::new(column.decimals(cells, scale), nulls);
                Arc::new(array.with_precision_and_scale(precision, scale.cast_signed())?)
            }
            FieldType::Char(_) | FieldType::Varchar(_) => {
                let (offsets, values) = column.text(cells, hex)?;
                Arc::new(StringArray::try_new(offsets, values, nulls)?)
            }
            FieldType::Binary(_) | FieldType::Varbinary(_) => {
                let (offsets, values) = column.text(cells, |number| {
                    let mut bytes = [0; 16];
                    bytes[..8].copy_from_slice(&number.to_le_bytes());
                    bytes[8..].copy_from_slice(&mix(number ^ LENGTH_SALT).to_le_bytes());
                    bytes
                })?;
                Arc::new(BinaryArray::try_new(offsets, values, nulls)?)
            }
            FieldType::Date => {
                let days = self.local_millis(at_millis).div_euclid(MILLIS_PER_DAY);
                repeated::<Date32Type>(days as i32, cells, nulls)
            }
            FieldType::Time(precision) => {
                let time = self.local_millis(at_millis).rem_euclid(MILLIS_PER_DAY);
                repeated::<Time32MillisecondType>(truncated(time, precision) as i32, cells, nulls)
            }
            FieldType::Timestamp(precision) => {
                timestamps(column.instants(self.local_millis(at_millis), precision, cells), precision, nulls, None)
            }
            FieldType::TimestampLtz(precision) => {
                timestamps(column.instants(at_millis, precision, cells), precision, nulls, Some("UTC"))
            }
            FieldType::Array(_) | FieldType::Map(_) | FieldType::Row(_) => {
                return self.nested(column, cells, nulls, at_millis);
            }
        })
    }

    fn local_millis(&self, at_millis: i64) -> i64 {
        at_millis + (self.local)(at_millis) * 1_000
    }
}

// === impl Cells ===

impl Cells {
    pub(super) fn len(self) -> usize {
        self.count as usize
    }

    /// The places from 0 on.
    fn places(self) -> impl Iterator<Item = u64> {
        (0..self.count).map(move |n| self.from.wrapping_add(n))
    }

    /// One number per cell, all different.
    fn numbers(self) -> impl Iterator<Item = u64> {
        let place = move |place: u64| (self.split << SPLIT_SHIFT) | place.wrapping_add(1);
        self.places().map(move |n| mix(self.key.wrapping_add(place(n).wrapping_mul(STEP))))
    }

    /// Each row's number in the table, from 0: rows are dealt to the splits in turn.
    fn ordinals(self) -> impl Iterator<Item = u64> {
        self.places().map(move |before| before.wrapping_mul(self.splits).wrapping_add(self.split))
    }

    /// The cells of the `part`-th part, of which each of these has so many: as those of a column of its own.
    pub(super) fn inside(self, part: u64, each: u32) -> Self {
        let key = mix(self.key ^ mix((part + 1).wrapping_mul(STEP) ^ PART_SALT));
        let each = u64::from(each);
        Self { key, from: self.from.wrapping_mul(each), count: self.count.saturating_mul(each), ..self }
    }
}

// === impl Column ===

impl Column {
    fn nulls(&self, cells: Cells) -> Option<NullBuffer> {
        (self.null_rate > 0.0)
            .then(|| cells.numbers().map(|number| unit(mix(number ^ NULL_SALT)) >= self.null_rate).collect())
    }

    fn integers<T: ArrowPrimitiveType>(
        &self,
        cells: Cells,
        nulls: Option<NullBuffer>,
        cast: fn(i64) -> T::Native,
    ) -> ArrayRef {
        let values: Vec<T::Native> = match self.values {
            Values::Integers { min, max } => {
                let span = (i128::from(max) - i128::from(min) + 1) as u128;
                // The high half of a product instead of a remainder: fast, and off by at most one value in 2^32
                // for every range that fits 32 bits.
                let value = |number: u64| min.wrapping_add(((u128::from(number) * span) >> 64) as i64);
                cells.numbers().map(|number| cast(value(number))).collect()
            }
            _ => cells.ordinals().map(|ordinal| cast(self.sequence_value(ordinal))).collect(),
        };
        Arc::new(PrimitiveArray::<T>::new(ScalarBuffer::from(values), nulls))
    }

    fn floats<T: ArrowPrimitiveType>(
        &self,
        cells: Cells,
        nulls: Option<NullBuffer>,
        cast: fn(f64) -> T::Native,
    ) -> ArrayRef {
        let values: Vec<T::Native> = match self.values {
            Values::Floats { min, max } => {
                // Weighted, because `max - min` may be more than a double can hold.
                let value = |share: f64| (min * (1.0 - share) + max * share).clamp(min, max);
                cells.numbers().map(|number| cast(value(unit(number)))).collect()
            }
            _ => cells.ordinals().map(|ordinal| cast(self.sequence_value(ordinal) as f64)).collect(),
        };
        Arc::new(PrimitiveArray::<T>::new(ScalarBuffer::from(values), nulls))
    }

    fn decimals(&self, cells: Cells, scale: u8) -> ScalarBuffer<i128> {
        match self.values {
            Values::Decimals { min, max } => {
                let span = max.abs_diff(min) + 1;
                let wide = |number: u64| (u128::from(number) << 64) | u128::from(mix(number.wrapping_add(STEP)));
                cells.numbers().map(|number| min + (wide(number) % span).cast_signed()).collect()
            }
            _ => {
                let unit = 10_i128.pow(u32::from(scale));
                cells.ordinals().map(|ordinal| i128::from(self.sequence_value(ordinal)) * unit).collect()
            }
        }
    }

    /// Text or bytes, in pieces of 16 that `piece` makes of a number.
    fn text(&self, cells: Cells, piece: fn(u64) -> [u8; 16]) -> Result<(OffsetBuffer<i32>, Buffer), ArrowError> {
        let Values::Text { length, varying } = self.values else {
            return self.digits(cells);
        };
        let length = length as usize;
        if length.checked_mul(cells.len()).is_none_or(|bytes| i32::try_from(bytes).is_err()) {
            return Err(ArrowError::OffsetOverflowError(length.saturating_mul(cells.len())));
        }
        let fill = |cell: &mut [u8], mut number: u64| {
            let (whole, rest) = cell.as_chunks_mut::<16>();
            for part in whole {
                number = number.wrapping_add(STEP);
                *part = piece(mix(number));
            }
            let last = piece(mix(number.wrapping_add(STEP)));
            rest.copy_from_slice(&last[..rest.len()]);
        };
        if !varying {
            let mut values = vec![0; length * cells.len()];
            for (cell, number) in values.chunks_exact_mut(length).zip(cells.numbers()) {
                fill(cell, number);
            }
            return Ok((OffsetBuffer::from_repeated_length(length, cells.len()), values.into()));
        }
        let varied = |number: u64| 1 + ((u128::from(mix(number ^ LENGTH_SALT)) * length as u128) >> 64) as usize;
        let mut values = Vec::new();
        let mut lengths = Vec::with_capacity(cells.len());
        for number in cells.numbers() {
            let (start, length) = (values.len(), varied(number));
            values.resize(start + length, 0);
            fill(&mut values[start..], number);
            lengths.push(length);
        }
        Ok((OffsetBuffer::from_lengths(lengths), values.into()))
    }

    /// A sequence as decimal digits.
    fn digits(&self, cells: Cells) -> Result<(OffsetBuffer<i32>, Buffer), ArrowError> {
        let mut values = String::new();
        let mut lengths = Vec::with_capacity(cells.len());
        for ordinal in cells.ordinals() {
            let start = values.len();
            write!(values, "{}", self.sequence_value(ordinal))
                .map_err(|error| ArrowError::ComputeError(error.to_string()))?;
            lengths.push(values.len() - start);
        }
        Ok((OffsetBuffer::from_lengths(lengths), values.into_bytes().into()))
    }

    fn sequence_value(&self, ordinal: u64) -> i64 {
        match self.values {
            Values::Sequence { start, .. } => start.wrapping_add(ordinal.cast_signed()),
            _ => 0,
        }
    }

    /// Unix milliseconds at most `max-past` before `now`, to the precision.
    fn instants(&self, now: i64, precision: u8, cells: Cells) -> Vec<i64> {
        let past = match self.values {
            Values::Past { max_millis } => max_millis,
            _ => 0,
        };
        let back = |number: u64| ((u128::from(number) * (u128::from(past) + 1)) >> 64) as i64;
        cells.numbers().map(|number| truncated(now - back(number), precision)).collect()
    }
}

fn truncated(millis: i64, precision: u8) -> i64 {
    let unit = 10_i64.pow(u32::from(3_u8.saturating_sub(precision)));
    millis - millis.rem_euclid(unit)
}

fn repeated<T: ArrowPrimitiveType>(value: T::Native, cells: Cells, nulls: Option<NullBuffer>) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::new(ScalarBuffer::from(vec![value; cells.len()]), nulls))
}

fn timestamps(mut millis: Vec<i64>, precision: u8, nulls: Option<NullBuffer>, zone: Option<&str>) -> ArrayRef {
    let scale = match precision {
        0..=3 => 1,
        4..=6 => 1_000,
        _ => 1_000_000,
    };
    for value in &mut millis {
        *value = value.saturating_mul(scale);
    }
    let values = ScalarBuffer::from(millis);
    match precision {
        0..=3 => Arc::new(TimestampMillisecondArray::new(values, nulls).with_timezone_opt(zone)),
        4..=6 => Arc::new(TimestampMicrosecondArray::new(values, nulls).with_timezone_opt(zone)),
        _ => Arc::new(TimestampNanosecondArray::new(values, nulls).with_timezone_opt(zone)),
    }
}

/// SplitMix64's finaliser: a bijection of 64 bits.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A number as a share in `0.0..1.0`.
fn unit(number: u64) -> f64 {
    (number >> 11) as f64 / (1_u64 << 53) as f64
}

/// 64 bits as 16 lower-case hexadecimal digits, the low nibbles of all bytes before the high ones.
fn hex(number: u64) -> [u8; 16] {
    const NIBBLES: u64 = 0x0F0F_0F0F_0F0F_0F0F;
    const ONES: u64 = 0x0101_0101_0101_0101;
    // Eight digits at a time: 10 to 15 are 39 further than '0' plus the digit, at 'a'.
    let digits = |nibbles: u64| {
        let letters = ((nibbles + 6 * ONES) >> 4) & ONES;
        (nibbles + u64::from(b'0') * ONES + letters * 39).to_le_bytes()
    };
    let mut text = [0; 16];
    text[..8].copy_from_slice(&digits(number & NIBBLES));
    text[8..].copy_from_slice(&digits((number >> 4) & NIBBLES));
    text
}

#[cfg(test)]
mod tests;
