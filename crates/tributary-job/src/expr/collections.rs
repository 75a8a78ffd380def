//! What makes lists, maps and rows, and what is taken out of them.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int32Array, ListArray, MapArray, PrimitiveArray, StructArray, UInt32Array,
    make_comparator,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{SortOptions, filter, interleave, take};
use arrow::datatypes::{DataType as ArrowType, Int32Type};
use arrow::error::ArrowError;
use paimon_format::TypeRoot;
use paimon_table::arrow::arrow_type;

use super::eval::EvalError;
use super::nested::{elements_of, entries, entries_of, field_of};
use super::operands::Operands;
use super::value::Value;

type Result<T, E = EvalError> = std::result::Result<T, E>;

/// ARRAY[…]: the operands of a row are its elements.
pub(crate) fn array(operands: &Operands<'_>, result: &TypeRoot) -> Result<Value> {
    let ArrowType::List(field) = arrow_type(result) else { return Err(unexpected(result)) };
    let (rows, each) = (operands.rows(), operands.len());
    let elements = alternating(operands, 0, 1)?;
    let offsets = OffsetBuffer::from_repeated_length(each, rows);
    Ok(operands.give(Arc::new(ListArray::try_new(field, offsets, elements, None)?)))
}

/// MAP[…]: keys and values in turn; of equal keys the last counts.
pub(crate) fn map(operands: &Operands<'_>, result: &TypeRoot) -> Result<Value> {
    let ArrowType::Map(field, sorted) = arrow_type(result) else { return Err(unexpected(result)) };
    let (rows, each) = (operands.rows(), operands.len() / 2);
    let (keys, values) = (alternating(operands, 0, 2)?, alternating(operands, 1, 2)?);
    let compare = make_comparator(&keys, &keys, SortOptions::default())?;
    let is_last = |entry: usize| {
        let end = entry - entry % each + each;
        !(entry + 1..end).any(|later| compare(entry, later).is_eq())
    };
    let kept: Vec<bool> = (0..rows * each).map(is_last).collect();
    let lengths = kept.chunks(each).map(|row| row.iter().filter(|kept| **kept).count());
    let offsets = OffsetBuffer::from_lengths(lengths);
    let mask = BooleanArray::from(kept);
    let entries = entries(&field, filter(&keys, &mask)?, filter(&values, &mask)?)?;
    Ok(operands.give(Arc::new(MapArray::try_new(field, offsets, entries, None, sorted)?)))
}

/// ROW(…)
pub(crate) fn row(operands: &Operands<'_>, result: &TypeRoot) -> Result<Value> {
    let ArrowType::Struct(fields) = arrow_type(result) else { return Err(unexpected(result)) };
    let columns = (0..operands.len()).map(|n| operands.array(n)).collect::<Result<_>>()?;
    Ok(operands.give(Arc::new(StructArray::try_new(fields, columns, None)?)))
}

/// The n-th field of a ROW.
pub(crate) fn field(value: &Value, n: usize) -> Result<Value> {
    value.clone().map(|array| field_of(array.as_struct(), n))
}

/// `a[index]`, from 1 on; null where there is none.
pub(crate) fn element(operands: &Operands<'_>) -> Result<Value> {
    let (lists, index) = (operands.array(0)?, operands.numbers::<Int32Type>(1));
    let (offsets, elements) = elements_of(lists.as_list());
    let place = |row: usize| {
        let index = u32::try_from(index.get(row)?).ok().filter(|_| lists.is_valid(row))?;
        let (start, end) = (offsets[row] as u32, offsets[row + 1] as u32);
        (1..=end - start).contains(&index).then(|| start + index - 1)
    };
    let places: UInt32Array = (0..operands.rows()).map(place).collect();
    Ok(operands.give(take(&elements, &places, None)?))
}

/// `m[key]`; null where there is none.
pub(crate) fn value_of(operands: &Operands<'_>) -> Result<Value> {
    let (maps, wanted) = (operands.array(0)?, operands.array(1)?);
    let (offsets, [keys, values]) = entries_of(maps.as_map());
    let compare = make_comparator(&keys, &wanted, SortOptions::default())?;
    let place = |row: usize| {
        let mut entries = offsets[row] as usize..offsets[row + 1] as usize;
        let is_there = maps.is_valid(row) && wanted.is_valid(row);
        is_there.then(|| entries.rfind(|entry| compare(*entry, row).is_eq())).flatten().map(|entry| entry as u32)
    };
    let places: UInt32Array = (0..operands.rows()).map(place).collect();
    Ok(operands.give(take(&values, &places, None)?))
}

/// CARDINALITY: how many elements or entries there are.
pub(crate) fn cardinality(value: &Value) -> Result<Value> {
    value.clone().map(|array| {
        let offsets = match array.data_type() {
            ArrowType::Map(..) => array.as_map().offsets(),
            _ => array.as_list::<i32>().offsets(),
        };
        let lengths: Vec<i32> = offsets.lengths().map(|length| length as i32).collect();
        Ok(Arc::new(Int32Array::new(lengths.into(), array.nulls().cloned())))
    })
}

/// ELEMENT: the only element; null if there is none.
pub(crate) fn only_element(value: &Value) -> Result<Value> {
    value.clone().map(|array| {
        let (offsets, elements) = elements_of(array.as_list());
        let place = |row: usize| match (array.is_valid(row), offsets[row + 1] - offsets[row]) {
            (false, _) | (true, 0) => Ok(None),
            (true, 1) => Ok(Some(offsets[row] as u32)),
            (true, elements) => Err(EvalError::MoreThanOneElement { elements }),
        };
        let places = (0..array.len()).map(place).collect::<Result<PrimitiveArray<_>>>()?;
        Ok(take(&elements, &places as &UInt32Array, None)?)
    })
}

/// Every `step`-th operand from `first` on, row by row in one array.
fn alternating(operands: &Operands<'_>, first: usize, step: usize) -> Result<ArrayRef> {
    let arrays = (first..operands.len()).step_by(step).map(|n| operands.array(n)).collect::<Result<Vec<_>>>()?;
    let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
    let places: Vec<_> = (0..operands.rows()).flat_map(|row| (0..arrays.len()).map(move |n| (n, row))).collect();
    Ok(interleave(&arrays, &places)?)
}

fn unexpected(result: &TypeRoot) -> EvalError {
    ArrowError::SchemaError(format!("{result} is not what is made here")).into()
}
