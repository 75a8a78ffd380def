//! Lists, maps and rows: what is inside them is generated as columns of their own are.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, ListArray, MapArray, StructArray, make_comparator};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{SortOptions, filter};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;

use super::columns::{Column, Values};
use super::rows::{Cells, Rows};

/// Which of the parts generated for lists or maps belong to them.
struct Kept {
    offsets: OffsetBuffer<i32>,
    mask: BooleanArray,
}

// === impl Rows ===

impl Rows {
    /// The values of a column of a nested type.
    pub(super) fn nested(
        &self,
        column: &Column,
        cells: Cells,
        nulls: Option<NullBuffer>,
        at_millis: i64,
    ) -> Result<ArrayRef, ArrowError> {
        let part = |index, part: &Column, each| self.array(part, cells.inside(index, each), at_millis);
        Ok(match (&column.values, column.def.data_type.arrow_type()) {
            (Values::Elements { length, element }, DataType::List(field)) => {
                let elements = part(0, element, *length)?;
                let kept = Kept::of(cells.len(), *length as usize, nulls.as_ref(), |_, _| false)?;
                Arc::new(ListArray::try_new(field, kept.offsets, filter(&elements, &kept.mask)?, nulls)?)
            }
            (Values::Entries { length, parts }, DataType::Map(field, sorted)) => {
                let [keys, values] = [part(0, &parts[0], *length)?, part(1, &parts[1], *length)?];
                let compare = make_comparator(&keys, &keys, SortOptions::default())?;
                let kept = Kept::of(cells.len(), *length as usize, nulls.as_ref(), |a, b| compare(a, b).is_eq())?;
                let entries = vec![filter(&keys, &kept.mask)?, filter(&values, &kept.mask)?];
                let fields = parts.iter().map(|part| part.def.arrow_field()).collect();
                let entries = StructArray::try_new(fields, entries, None)?;
                Arc::new(MapArray::try_new(field, kept.offsets, entries, nulls, sorted)?)
            }
            (Values::Fields(fields), DataType::Struct(arrow_fields)) => {
                let arrays = fields.iter().enumerate().map(|(index, field)| part(index as u64, field, 1));
                Arc::new(StructArray::try_new(arrow_fields, arrays.collect::<Result<_, _>>()?, nulls)?)
            }
            (_, data_type) => return Err(ArrowError::NotYetImplemented(format!("datagen of {data_type}"))),
        })
    }
}

// === impl Kept ===

impl Kept {
    /// Of `each` parts per row those of rows that are not null, and of equal ones in a row the last, as maps of Java
    /// keep it.
    fn of(
        rows: usize,
        each: usize,
        nulls: Option<&NullBuffer>,
        equal: impl Fn(usize, usize) -> bool,
    ) -> Result<Self, ArrowError> {
        let parts = rows * each;
        if i32::try_from(parts).is_err() {
            return Err(ArrowError::OffsetOverflowError(parts));
        }
        let is_kept = |part: usize| {
            let (row, end) = (part / each, part - part % each + each);
            nulls.is_none_or(|nulls| nulls.is_valid(row)) && !(part + 1..end).any(|later| equal(part, later))
        };
        let mask: Vec<bool> = (0..parts).map(is_kept).collect();
        let lengths = (0..rows).map(|row| mask[row * each..][..each].iter().filter(|kept| **kept).count());
        Ok(Self { offsets: OffsetBuffer::from_lengths(lengths), mask: mask.into() })
    }
}
