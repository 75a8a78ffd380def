//! Lists, maps and rows, which are carried from column to column as they are.

use arrow::array::{Array, ArrayData, ArrayRef, make_array};
use arrow::datatypes::{DataType as ArrowType, FieldRef};
use arrow::error::ArrowError;
use paimon_format::TypeRoot;
use paimon_format::types::DataType;
use paimon_table::arrow::arrow_type;

use super::eval::EvalError;

/// Whether every value of a nested type is one of the other: the same up to names and ids of ROW fields, and null
/// wherever null was.
pub(crate) fn widens(from: &TypeRoot, to: &TypeRoot) -> bool {
    let (a, b) = (from.parts(), to.parts());
    let same_kind = std::mem::discriminant(from) == std::mem::discriminant(to);
    let part = |(from, to): (&DataType, &DataType)| {
        (to.nullable || !from.nullable)
            && match from.root.is_nested() {
                true => widens(&from.root, &to.root),
                false => from.root == to.root,
            }
    };
    same_kind && a.len() == b.len() && a.into_iter().zip(b).all(part)
}

/// The same values under another nested type, one that [`widens`] the array's.
pub(crate) fn retype(array: &ArrayRef, to: &TypeRoot) -> Result<ArrayRef, EvalError> {
    Ok(make_array(retyped(array.to_data(), &arrow_type(to))?))
}

fn retyped(data: ArrayData, to: &ArrowType) -> Result<ArrayData, ArrowError> {
    let parts: Vec<&FieldRef> = match to {
        ArrowType::List(part) | ArrowType::Map(part, _) => vec![part],
        ArrowType::Struct(parts) => parts.iter().collect(),
        _ => return Ok(data),
    };
    let children = data.child_data().iter().cloned().zip(parts).map(|(child, part)| retyped(child, part.data_type()));
    let children = children.collect::<Result<_, _>>()?;
    data.into_builder().data_type(to.clone()).child_data(children).build()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use arrow::array::new_null_array;

    use super::*;

    #[test]
    fn nested_types_widen_by_null_and_by_names_alone() {
        for (from, to, expected) in [
            ("ARRAY<INT NOT NULL>", "ARRAY<INT>", true),
            ("ARRAY<INT>", "ARRAY<INT NOT NULL>", false),
            ("ARRAY<INT>", "ARRAY<BIGINT>", false),
            ("ARRAY<INT>", "ROW<a INT>", false),
            ("ROW<a INT, b MAP<INT, DATE NOT NULL>>", "ROW<x INT, y MAP<INT, DATE>>", true),
            ("ROW<a INT>", "ROW<a INT, b INT>", false),
        ] {
            let (from, to) = (from.parse::<DataType>().unwrap().root, to.parse::<DataType>().unwrap().root);
            assert_eq!(widens(&from, &to), expected, "{from} to {to}");
            if expected {
                let nulls = new_null_array(&arrow_type(&from), 2);
                assert_eq!(retype(&nulls, &to).unwrap().data_type(), &arrow_type(&to));
            }
        }
    }
}
