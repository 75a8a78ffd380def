//! The functions on text. Characters are Unicode code points.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray, StringBuilder};
use arrow::compute::kernels::concat_elements::concat_elements_utf8_many;
use arrow::datatypes::Int32Type;

use super::eval::EvalError;
use super::value::Value;

/// CONCAT: null as soon as one operand is null.
pub(crate) fn concat(values: &[Value], rows: usize) -> Result<Value, EvalError> {
    let scalar = values.iter().all(Value::is_scalar);
    let rows = if scalar { 1 } else { rows };
    let arrays = values.iter().map(|value| value.clone().into_array(rows)).collect::<Result<Vec<_>, _>>()?;
    let strings: Vec<&StringArray> = arrays.iter().map(|array| array.as_string()).collect();
    let array: ArrayRef = Arc::new(concat_elements_utf8_many(&strings)?);
    Ok(if scalar { Value::Scalar(array) } else { Value::Array(array) })
}

/// SUBSTRING: the first character is 1; 0 counts as 1; a negative start counts from the end, and one
/// before the beginning gives the empty text; a negative length gives null.
pub(crate) fn substring(text: Value, start: Value, length: Option<Value>, rows: usize) -> Result<Value, EvalError> {
    let scalar = [Some(&text), Some(&start), length.as_ref()].into_iter().flatten().all(Value::is_scalar);
    let rows = if scalar { 1 } else { rows };
    let texts = text.into_array(rows)?;
    let starts = start.into_array(rows)?;
    let lengths = length.map(|length| length.into_array(rows)).transpose()?;
    let (texts, starts) = (texts.as_string::<i32>(), starts.as_primitive::<Int32Type>());
    let lengths = lengths.as_ref().map(|lengths| lengths.as_primitive::<Int32Type>());
    let mut builder = StringBuilder::with_capacity(rows, texts.value_data().len());
    for row in 0..rows {
        let length = match lengths {
            None => Some(i32::MAX),
            Some(lengths) => lengths.is_valid(row).then(|| lengths.value(row)),
        };
        match length {
            Some(length) if length >= 0 && texts.is_valid(row) && starts.is_valid(row) => {
                builder.append_value(slice(texts.value(row), starts.value(row), length));
            }
            _ => builder.append_null(),
        }
    }
    let array: ArrayRef = Arc::new(builder.finish());
    Ok(if scalar { Value::Scalar(array) } else { Value::Array(array) })
}

fn slice(text: &str, start: i32, length: i32) -> &str {
    let length = length as usize;
    let skip = match start {
        1.. => start as usize - 1,
        0 => 0,
        _ => {
            let back = start.unsigned_abs() as usize;
            match text.chars().count().checked_sub(back) {
                Some(skip) => skip,
                None => return "",
            }
        }
    };
    if text.is_ascii() {
        let rest = text.get(skip..).unwrap_or("");
        return rest.get(..length).unwrap_or(rest);
    }
    let at = |text: &str, count: usize| text.char_indices().nth(count).map_or(text.len(), |(offset, _)| offset);
    let rest = &text[at(text, skip)..];
    &rest[..at(rest, length)]
}

/// UPPER
pub(crate) fn upper(array: &StringArray) -> ArrayRef {
    mapped(array, |text| text.to_uppercase())
}

/// LOWER
pub(crate) fn lower(array: &StringArray) -> ArrayRef {
    mapped(array, |text| text.to_lowercase())
}

fn mapped(array: &StringArray, f: impl Fn(&str) -> String) -> ArrayRef {
    let values = array.iter().map(|text| text.map(|text| Cow::<str>::Owned(f(text))));
    Arc::new(StringArray::from_iter(values))
}
