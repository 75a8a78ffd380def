//! Timestamps of more than six digits: INT96, which arrow's writer does not produce. The values of a row group are
//! kept and encoded when it closes.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::TimestampNanosecondType;
use parquet::data_type::{Int96, Int96Type};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedRowGroupWriter;

const NANOS_PER_DAY: i64 = 86_400_000_000_000;
/// Julian day number of 1970-01-01.
const JULIAN_DAY_OF_EPOCH: i64 = 2_440_588;

/// One INT96 column of the open row group.
#[derive(Debug, Default)]
pub(super) struct Int96Column {
    /// Values that are not null.
    values: Vec<Int96>,
    /// Per row 1 for a value, 0 for null.
    levels: Vec<i16>,
}

// === impl Int96Column ===

impl Int96Column {
    /// Appends an array of nanoseconds since 1970.
    pub(super) fn push(&mut self, array: &ArrayRef) {
        let nanos = array.as_primitive::<TimestampNanosecondType>();
        self.values.extend(nanos.iter().flatten().map(encode));
        self.levels.extend((0..nanos.len()).map(|row| i16::from(nanos.is_valid(row))));
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.values.len() * size_of::<Int96>() + self.levels.len() * size_of::<i16>()
    }

    /// Encodes the column as the next one of `row_group`.
    pub(super) fn write_to(
        self,
        row_group: &mut SerializedRowGroupWriter<'_, impl std::io::Write + Send>,
    ) -> Result<(), ParquetError> {
        let Some(mut column) = row_group.next_column()? else {
            return Err(ParquetError::General("the row group has too few columns".to_owned()));
        };
        // A required column takes no levels and has a value in every row.
        let optional =
            self.levels.len() != self.values.len() || column.typed::<Int96Type>().get_descriptor().max_def_level() > 0;
        let levels = optional.then_some(self.levels.as_slice());
        column.typed::<Int96Type>().write_batch(&self.values, levels, None)?;
        column.close()
    }
}

/// Nanoseconds since 1970 as nanoseconds of the day (low, high word) and Julian day.
fn encode(nanos: i64) -> Int96 {
    let day = nanos.div_euclid(NANOS_PER_DAY) + JULIAN_DAY_OF_EPOCH;
    let of_day = nanos.rem_euclid(NANOS_PER_DAY);
    let mut value = Int96::new();
    value.set_data(of_day as u32, (of_day >> 32) as u32, day as u32);
    value
}
