//! Brings what a file's columns decode to into the table's types, inside lists, maps and rows as well.
//!
//! The parts of rows are found by name; those of lists and maps by position, because their names differ from writer to
//! writer.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType as ArrowType, Field, FieldRef};
use arrow::error::ArrowError;

/// Why a column cannot be had as the table's type.
pub(super) enum Misfit {
    /// The file's type is another.
    Type(String),
    /// A value in it is not of the table's type.
    Value(String),
}

/// The column as the type of `field`.
pub(super) fn column(array: &ArrayRef, field: &Field) -> Result<ArrayRef, Misfit> {
    if !field.is_nullable() && array.null_count() > 0 {
        return Err(Misfit::Value(format!("column `{}` is NOT NULL and holds null", field.name())));
    }
    convert(array, field, field.name())
}

/// The array at `path`, a column or a part of one, as the type of `field`.
fn convert(array: &ArrayRef, field: &Field, path: &str) -> Result<ArrayRef, Misfit> {
    if array.data_type() == field.data_type() {
        return Ok(Arc::clone(array));
    }
    let wrong = |error: ArrowError| Misfit::Value(format!("column `{path}`: {error}"));
    let part = |array: &ArrayRef, field: &FieldRef| convert(array, field, &format!("{path}.{}", field.name()));
    match (array.data_type(), field.data_type()) {
        (ArrowType::List(_), ArrowType::List(element)) => {
            let list = array.as_list::<i32>();
            let values = part(list.values(), element)?;
            let list = ListArray::try_new(Arc::clone(element), list.offsets().clone(), values, list.nulls().cloned());
            Ok(Arc::new(list.map_err(wrong)?))
        }
        (ArrowType::Map(..), ArrowType::Map(entries, sorted)) => {
            let map = array.as_map();
            let ArrowType::Struct(parts) = entries.data_type() else {
                return Err(mismatch(array, field, path));
            };
            let columns = [map.keys(), map.values()].into_iter().zip(parts).map(|(array, field)| part(array, field));
            let rows = StructArray::try_new(parts.clone(), columns.collect::<Result<_, _>>()?, None).map_err(wrong)?;
            let (offsets, nulls) = (map.offsets().clone(), map.nulls().cloned());
            let map = MapArray::try_new(Arc::clone(entries), offsets, rows, nulls, *sorted);
            Ok(Arc::new(map.map_err(wrong)?))
        }
        (ArrowType::Struct(_), ArrowType::Struct(fields)) => {
            let row = array.as_struct();
            let columns = fields.iter().map(|field| match row.column_by_name(field.name()) {
                Some(array) => part(array, field),
                None => Err(Misfit::Type(format!("it has no field `{path}.{}`", field.name()))),
            });
            let columns = columns.collect::<Result<_, _>>()?;
            let row = StructArray::try_new(fields.clone(), columns, row.nulls().cloned());
            Ok(Arc::new(row.map_err(wrong)?))
        }
        (from, to) if adaptable(from, to) => {
            let strict = CastOptions { safe: false, ..CastOptions::default() };
            cast_with_options(array, to, &strict).map_err(wrong)
        }
        _ => Err(mismatch(array, field, path)),
    }
}

fn mismatch(array: &ArrayRef, field: &Field, path: &str) -> Misfit {
    Misfit::Type(format!("column `{path}` is {} instead of {}", array.data_type(), field.data_type()))
}

/// Whether writers of the format store a column of type `to` as `from`.
fn adaptable(from: &ArrowType, to: &ArrowType) -> bool {
    use ArrowType::{
        Binary, BinaryView, Date32, Decimal128, FixedSizeBinary, Int8, Int16, Int32, LargeBinary, LargeUtf8, Time32,
        Time64, Timestamp, Utf8, Utf8View,
    };
    match (from, to) {
        (Utf8 | LargeUtf8 | Utf8View | Binary | LargeBinary | BinaryView, Utf8 | Binary) => true,
        (FixedSizeBinary(_), Binary) => true,
        // INT32 without the annotation of its width or meaning.
        (Int32, Int8 | Int16 | Date32 | Time32(_)) => true,
        (Time32(_) | Time64(_), Time32(_)) => true,
        (Timestamp(..), Timestamp(..)) => true,
        (Decimal128(_, from), Decimal128(_, to)) => from == to,
        _ => false,
    }
}
