//! Lists, maps and rows as a whole: what converts to what, part by part, and their text.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, ListArray, MapArray, StringArray, StringBuilder, StructArray, make_array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::concat;
use arrow::datatypes::{DataType as ArrowType, Field};
use arrow::error::ArrowError;
use paimon_format::types::{DataType, MapType};
use paimon_format::{DataField, TypeRoot};
use paimon_table::arrow::arrow_type;

use super::cast::{Failing, cast};
use super::eval::EvalError;
use super::types::common_type;
use super::zone::Zone;

type Result<T, E = EvalError> = std::result::Result<T, E>;

/// How null shows inside a nested value.
const NULL: &str = "NULL";

/// Whether a nested type converts to the other: the same kind with as many parts, each part converts, and null stays
/// null. Names of ROW fields do not matter, and keys are never null.
pub(crate) fn converts(from: &TypeRoot, to: &TypeRoot, part: impl Fn(&TypeRoot, &TypeRoot) -> bool) -> bool {
    let pairs: Vec<(&DataType, &DataType)> = from.parts().into_iter().zip(to.parts()).collect();
    let key = usize::from(matches!(from, TypeRoot::Map(_)));
    std::mem::discriminant(from) == std::mem::discriminant(to)
        && from.parts().len() == to.parts().len()
        && pairs.iter().all(|(from, to)| part(&from.root, &to.root))
        && pairs[key..].iter().all(|(from, to)| to.nullable || !from.nullable)
}

/// The nested type that both convert to; names of fields are those of the first.
pub(crate) fn common(a: &TypeRoot, b: &TypeRoot) -> Option<TypeRoot> {
    let part = |a: &DataType, b: &DataType| {
        Some(DataType { root: common_type(&a.root, &b.root)?, nullable: a.nullable || b.nullable })
    };
    Some(match (a, b) {
        (TypeRoot::Array(a), TypeRoot::Array(b)) => TypeRoot::Array(Arc::new(part(a, b)?)),
        (TypeRoot::Map(a), TypeRoot::Map(b)) => {
            TypeRoot::Map(Arc::new(MapType { key: part(&a.key, &b.key)?, value: part(&a.value, &b.value)? }))
        }
        (TypeRoot::Row(a), TypeRoot::Row(b)) if a.len() == b.len() => {
            let field = |(a, b): (&DataField, &DataField)| {
                Some(DataField { data_type: part(&a.data_type, &b.data_type)?, ..a.clone() })
            };
            TypeRoot::Row(a.iter().zip(b.iter()).map(field).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

/// The values under another nested type, one that the array's [`converts`] to. What cannot be converted makes the whole
/// value null if that is asked for.
pub(super) fn cast_parts(
    array: &ArrayRef,
    (from, to): (&TypeRoot, &TypeRoot),
    zone: Zone,
    failing: Failing,
) -> Result<ArrayRef> {
    if failing == Failing::IsNull {
        return match cast_parts(array, (from, to), zone, Failing::Stops) {
            Err(_) if array.len() > 1 => {
                let rows = (0..array.len()).map(|row| cast_parts(&array.slice(row, 1), (from, to), zone, failing));
                let rows = rows.collect::<Result<Vec<_>>>()?;
                Ok(concat(&rows.iter().map(AsRef::as_ref).collect::<Vec<_>>())?)
            }
            Err(_) => Ok(arrow::array::new_null_array(&arrow_type(to), array.len())),
            cast => cast,
        };
    }
    let part = |array: &ArrayRef, from: &DataType, to: &DataType| cast(array, &from.root, &to.root, zone, failing);
    Ok(match (from, to, arrow_type(to)) {
        (TypeRoot::Array(from), TypeRoot::Array(to), ArrowType::List(field)) => {
            let (offsets, elements) = elements_of(array.as_list());
            Arc::new(ListArray::try_new(field, offsets, part(&elements, from, to)?, array.nulls().cloned())?)
        }
        (TypeRoot::Map(from), TypeRoot::Map(to), ArrowType::Map(field, sorted)) => {
            let (offsets, [keys, values]) = entries_of(array.as_map());
            let (keys, values) = (part(&keys, &from.key, &to.key)?, part(&values, &from.value, &to.value)?);
            let entries = entries(&field, keys, values)?;
            Arc::new(MapArray::try_new(field, offsets, entries, array.nulls().cloned(), sorted)?)
        }
        (TypeRoot::Row(from), TypeRoot::Row(to), ArrowType::Struct(fields)) => {
            let row = array.as_struct();
            let parts = from.iter().zip(to.iter()).enumerate();
            let parts = parts.map(|(n, (from, to))| part(&field_of(row, n)?, &from.data_type, &to.data_type));
            Arc::new(StructArray::try_new(fields, parts.collect::<Result<_>>()?, array.nulls().cloned())?)
        }
        _ => return Err(EvalError::NoCast { from: from.clone(), to: to.clone() }),
    })
}

/// `[a, b]`, `{k=v, l=w}`, `(a, b)`.
pub(super) fn to_text(array: &ArrayRef, from: &TypeRoot, zone: Zone) -> Result<StringArray> {
    let texts = |array: &ArrayRef, from: &DataType| -> Result<StringArray> {
        let texts = cast(array, &from.root, &TypeRoot::STRING, zone, Failing::Stops)?;
        Ok(texts.as_string::<i32>().clone())
    };
    fn shown(texts: &StringArray, at: usize) -> &str {
        if texts.is_null(at) { NULL } else { texts.value(at) }
    }
    match from {
        TypeRoot::Array(element) => {
            let (offsets, elements) = elements_of(array.as_list());
            let elements = texts(&elements, element)?;
            Ok(written(array, ["[", "]"], |row| {
                (offsets[row] as usize..offsets[row + 1] as usize).map(|at| [shown(&elements, at), "", ""])
            }))
        }
        TypeRoot::Map(map) => {
            let (offsets, [keys, values]) = entries_of(array.as_map());
            let (keys, values) = (texts(&keys, &map.key)?, texts(&values, &map.value)?);
            Ok(written(array, ["{", "}"], |row| {
                (offsets[row] as usize..offsets[row + 1] as usize).map(|at| [shown(&keys, at), "=", shown(&values, at)])
            }))
        }
        TypeRoot::Row(fields) => {
            let row = array.as_struct();
            let parts = fields.iter().enumerate().map(|(n, field)| texts(&field_of(row, n)?, &field.data_type));
            let parts = parts.collect::<Result<Vec<_>>>()?;
            Ok(written(array, ["(", ")"], |row| parts.iter().map(move |part| [shown(part, row), "", ""])))
        }
        other => Err(EvalError::NoCast { from: other.clone(), to: TypeRoot::STRING }),
    }
}

/// One text per value, its parts between commas.
fn written<'t, P: Iterator<Item = [&'t str; 3]>>(
    array: &ArrayRef,
    [open, close]: [&str; 2],
    parts: impl Fn(usize) -> P,
) -> StringArray {
    let mut builder = StringBuilder::with_capacity(array.len(), array.len() * 16);
    for row in 0..array.len() {
        if array.is_null(row) {
            builder.append_null();
            continue;
        }
        // Writing into a builder cannot fail.
        let _ = builder.write_str(open);
        for (n, [key, equals, value]) in parts(row).enumerate() {
            let _ = write!(builder, "{}{key}{equals}{value}", if n == 0 { "" } else { ", " });
        }
        builder.append_value(close);
    }
    builder.finish()
}

/// The elements that belong to the lists, and where those of each begin.
pub(super) fn elements_of(lists: &ListArray) -> (OffsetBuffer<i32>, ArrayRef) {
    let (offsets, start, length) = from_zero(lists.offsets());
    (offsets, lists.values().slice(start, length))
}

/// The keys and values that belong to the maps, and where those of each begin.
pub(super) fn entries_of(maps: &MapArray) -> (OffsetBuffer<i32>, [ArrayRef; 2]) {
    let (offsets, start, length) = from_zero(maps.offsets());
    (offsets, [maps.keys(), maps.values()].map(|part| part.slice(start, length)))
}

fn from_zero(offsets: &OffsetBuffer<i32>) -> (OffsetBuffer<i32>, usize, usize) {
    let (first, last) = (offsets[0] as usize, offsets[offsets.len() - 1] as usize);
    (OffsetBuffer::from_lengths(offsets.lengths()), first, last - first)
}

/// The entries of maps; no key may be null.
pub(super) fn entries(field: &Field, keys: ArrayRef, values: ArrayRef) -> Result<StructArray> {
    if keys.null_count() > 0 {
        return Err(EvalError::NullKey);
    }
    match field.data_type() {
        ArrowType::Struct(fields) => Ok(StructArray::try_new(fields.clone(), vec![keys, values], None)?),
        other => Err(ArrowError::SchemaError(format!("entries of a map are {other}")).into()),
    }
}

/// The n-th field of the rows, null where the row is.
pub(super) fn field_of(rows: &StructArray, n: usize) -> Result<ArrayRef> {
    let field = rows.column(n);
    if rows.null_count() == 0 {
        return Ok(Arc::clone(field));
    }
    let nulls = NullBuffer::union(rows.nulls(), field.nulls());
    Ok(make_array(field.to_data().into_builder().nulls(nulls).build()?))
}
