//! Values in the form in which engines are compared: integers for all integral and temporal types (days, milliseconds of
//! the day, nanoseconds since the epoch), IEEE bits for floating point, text for decimals and strings, hex for bytes.
//! Arrays and rows are lists, maps are lists of `[key, value]` in the order of the keys' JSON.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Decimal128Array, ListArray, MapArray, PrimitiveArray,
    RecordBatch, StringArray, StructArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::cast;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimeUnit,
};
use serde_json::{Value, json};

/// Every row of a batch, as a list of its values.
pub fn rows(batch: &RecordBatch) -> Vec<Vec<Value>> {
    let columns: Vec<Vec<Value>> = batch.columns().iter().map(values).collect();
    (0..batch.num_rows()).map(|row| columns.iter().map(|column| column[row].clone()).collect()).collect()
}

fn values(array: &ArrayRef) -> Vec<Value> {
    let integers = |array: &ArrayRef, factor: i64| -> Vec<Value> {
        let array = cast(array, &DataType::Int64).unwrap();
        array.as_primitive::<Int64Type>().iter().map(|value| json!(value.map(|value| value * factor))).collect()
    };
    match array.data_type() {
        DataType::Boolean => array.as_boolean().iter().map(|value| json!(value)).collect(),
        DataType::Float32 => {
            array.as_primitive::<Float32Type>().iter().map(|value| json!(value.map(f32::to_bits))).collect()
        }
        DataType::Float64 => {
            array.as_primitive::<Float64Type>().iter().map(|value| json!(value.map(f64::to_bits))).collect()
        }
        DataType::Decimal128(..) => {
            let texts = cast(array, &DataType::Utf8).unwrap();
            texts.as_string::<i32>().iter().map(|value| json!(value)).collect()
        }
        DataType::Utf8 => array.as_string::<i32>().iter().map(|value| json!(value)).collect(),
        DataType::Binary => array.as_binary::<i32>().iter().map(|value| json!(value.map(hex))).collect(),
        DataType::Date32 | DataType::Time32(_) => integers(&cast(array, &DataType::Int32).unwrap(), 1),
        DataType::Timestamp(unit, _) => integers(array, nanoseconds(*unit)),
        DataType::List(_) => parts(array, |row| Value::from(values(&array.as_list::<i32>().value(row)))),
        DataType::Map(..) => parts(array, |row| {
            let mut entries = values(&(Arc::new(array.as_map().value(row)) as ArrayRef));
            entries.sort_by_key(Value::to_string);
            Value::from(entries)
        }),
        DataType::Struct(_) => {
            let columns: Vec<Vec<Value>> = array.as_struct().columns().iter().map(values).collect();
            parts(array, |row| columns.iter().map(|column| column[row].clone()).collect())
        }
        _ => integers(array, 1),
    }
}

fn parts(array: &ArrayRef, value: impl Fn(usize) -> Value) -> Vec<Value> {
    (0..array.len()).map(|row| if array.is_null(row) { Value::Null } else { value(row) }).collect()
}

/// The array of type `kind` that values in canonical form stand for.
pub fn array(kind: &DataType, values: &[Value]) -> ArrayRef {
    match kind {
        DataType::Boolean => Arc::new(values.iter().map(Value::as_bool).collect::<BooleanArray>()),
        DataType::Int8 => primitive::<Int8Type>(values, |value| value as i8),
        DataType::Int16 => primitive::<Int16Type>(values, |value| value as i16),
        DataType::Int32 => primitive::<Int32Type>(values, |value| value as i32),
        DataType::Int64 => primitive::<Int64Type>(values, |value| value),
        DataType::Float32 => primitive::<Float32Type>(values, |value| f32::from_bits(value as u32)),
        DataType::Float64 => {
            let bits = values.iter().map(|value| value.as_u64().map(f64::from_bits));
            Arc::new(bits.collect::<PrimitiveArray<Float64Type>>())
        }
        DataType::Decimal128(precision, scale) => {
            let unscaled = values.iter().map(|value| value.as_str().map(|text| unscaled(text, *scale)));
            let array: Decimal128Array = unscaled.collect();
            Arc::new(array.with_precision_and_scale(*precision, *scale).unwrap())
        }
        DataType::Utf8 => Arc::new(values.iter().map(Value::as_str).collect::<StringArray>()),
        DataType::Binary => {
            let bytes: Vec<Option<Vec<u8>>> = values.iter().map(|value| value.as_str().map(unhex)).collect();
            Arc::new(bytes.into_iter().collect::<BinaryArray>())
        }
        DataType::Date32 | DataType::Time32(_) => cast(&array(&DataType::Int32, values), kind).unwrap(),
        DataType::Timestamp(unit, _) => {
            let factor = nanoseconds(*unit);
            cast(&primitive::<Int64Type>(values, |value| value.div_euclid(factor)), kind).unwrap()
        }
        DataType::List(element) => {
            let parts: Vec<Value> = elements(values).cloned().collect();
            let parts = array(element.data_type(), &parts);
            Arc::new(ListArray::new(Arc::clone(element), lengths(values), parts, valid(values)))
        }
        DataType::Map(entries, sorted) => {
            let pairs: Vec<Value> = elements(values).cloned().collect();
            let pairs = array(entries.data_type(), &pairs).as_struct().clone();
            Arc::new(MapArray::new(Arc::clone(entries), lengths(values), pairs, valid(values), *sorted))
        }
        DataType::Struct(fields) => {
            let columns = fields.iter().enumerate().map(|(at, field)| {
                let column: Vec<Value> = values.iter().map(|row| row.get(at).cloned().unwrap_or_default()).collect();
                array(field.data_type(), &column)
            });
            Arc::new(StructArray::new(fields.clone(), columns.collect(), valid(values)))
        }
        other => panic!("no canonical form for {other}"),
    }
}

/// What the lists hold, one after the other.
fn elements(lists: &[Value]) -> impl Iterator<Item = &Value> {
    lists.iter().filter_map(Value::as_array).flatten()
}

fn lengths(lists: &[Value]) -> OffsetBuffer<i32> {
    OffsetBuffer::from_lengths(lists.iter().map(|list| list.as_array().map_or(0, Vec::len)))
}

fn valid(values: &[Value]) -> Option<NullBuffer> {
    Some(values.iter().map(|value| !value.is_null()).collect())
}

fn primitive<T: ArrowPrimitiveType>(values: &[Value], convert: impl Fn(i64) -> T::Native) -> ArrayRef {
    Arc::new(values.iter().map(|value| value.as_i64().map(&convert)).collect::<PrimitiveArray<T>>())
}

fn nanoseconds(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    }
}

/// `-1.25` of scale 2 is -125. The text must have exactly `scale` digits behind the point.
fn unscaled(text: &str, scale: i8) -> i128 {
    let behind = text.split_once('.').map_or(0, |(_, digits)| digits.len());
    assert_eq!(behind, scale as usize, "{text} has not {scale} digits behind the point");
    text.replace('.', "").parse().unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
