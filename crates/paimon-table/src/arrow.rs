//! Paimon's types as arrow types (what batches hold) and as Parquet types (what files hold).
//!
//! | Paimon | arrow | Parquet |
//! | --- | --- | --- |
//! | BOOLEAN | Boolean | BOOLEAN |
//! | TINYINT, SMALLINT, INT, BIGINT | Int8 … Int64 | INT32 annotated 8 and 16 bits, INT32, INT64 |
//! | FLOAT, DOUBLE | Float32, Float64 | FLOAT, DOUBLE |
//! | DECIMAL(p, s) | Decimal128 | p <= 9 INT32, <= 18 INT64, else FIXED of the least length |
//! | CHAR, VARCHAR | Utf8 | BINARY, string |
//! | BINARY, VARBINARY | Binary | BINARY |
//! | DATE, TIME | Date32, Time32 in milliseconds | INT32, date and time in milliseconds |
//! | TIMESTAMP(p) | Timestamp, p <= 3 milli-, <= 6 micro-, else nanoseconds | INT64, INT64, INT96 |
//! | TIMESTAMP_LTZ(p) | the same with zone UTC | the same, adjusted to UTC |
//! | ARRAY | List of `element` | group LIST of `list.element` |
//! | MAP | Map of `key_value` of `key`, never null, and `value` | group MAP of `key_value.key`, `key_value.value` |
//! | ROW | Struct | group |
//!
//! The Parquet side follows `ParquetSchemaConverter` of Paimon 0.9 to 2.0, field ids included. Nanoseconds since 1970
//! in 64 bits cover 1677-09-21 to 2262-04-11; values beyond, which INT96 can hold, are refused on reading.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType as ArrowType, Date32Type, Decimal128Type, Field, FieldRef, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, Schema, SchemaRef, Time32MillisecondType, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType,
};
use paimon_format::{DataField, DataType, Datum, TypeRoot};
use parquet::basic::{LogicalType, Repetition, TimeUnit as ParquetTimeUnit, Type as PhysicalType};
use parquet::errors::ParquetError;
use parquet::schema::types::{SchemaDescriptor, Type as ParquetType};

use crate::data_error::DataError;

/// Zone of every TIMESTAMP_LTZ column in arrow.
pub const UTC: &str = "UTC";

/// Names of the levels of lists and maps, in files and in batches; Java's.
const ELEMENT: &str = "element";
const KEY_VALUE: &str = "key_value";
const KEY: &str = "key";
const VALUE: &str = "value";

/// Field ids of what is inside lists and maps count from here, away from columns (`SpecialFields`).
const STRUCTURED_ID_BASE: i32 = i32::MAX / 4;
/// Room for levels between the ids of two columns (`SpecialFields`).
const STRUCTURED_ID_STEP: i32 = 1 << 10;

/// The arrow type of a column's values.
pub fn arrow_type(root: &TypeRoot) -> ArrowType {
    match *root {
        TypeRoot::Boolean => ArrowType::Boolean,
        TypeRoot::TinyInt => ArrowType::Int8,
        TypeRoot::SmallInt => ArrowType::Int16,
        TypeRoot::Int => ArrowType::Int32,
        TypeRoot::BigInt => ArrowType::Int64,
        TypeRoot::Float => ArrowType::Float32,
        TypeRoot::Double => ArrowType::Float64,
        TypeRoot::Decimal { precision, scale } => ArrowType::Decimal128(precision, scale as i8),
        TypeRoot::Char(_) | TypeRoot::Varchar(_) => ArrowType::Utf8,
        TypeRoot::Binary(_) | TypeRoot::Varbinary(_) => ArrowType::Binary,
        TypeRoot::Date => ArrowType::Date32,
        TypeRoot::Time(_) => ArrowType::Time32(TimeUnit::Millisecond),
        TypeRoot::Timestamp(precision) => ArrowType::Timestamp(time_unit(precision), None),
        TypeRoot::TimestampLtz(precision) => ArrowType::Timestamp(time_unit(precision), Some(UTC.into())),
        TypeRoot::Array(ref element) => ArrowType::List(arrow_field(ELEMENT, element)),
        TypeRoot::Map(ref map) => {
            let key = Arc::new(Field::new(KEY, arrow_type(&map.key.root), false));
            let entries = ArrowType::Struct(vec![key, arrow_field(VALUE, &map.value)].into());
            ArrowType::Map(Arc::new(Field::new(KEY_VALUE, entries, false)), false)
        }
        TypeRoot::Row(ref fields) => {
            ArrowType::Struct(fields.iter().map(|field| arrow_field(&field.name, &field.data_type)).collect())
        }
    }
}

fn arrow_field(name: &str, data_type: &DataType) -> FieldRef {
    Arc::new(Field::new(name, arrow_type(&data_type.root), data_type.nullable))
}

/// The arrow schema of rows of these columns, in order. It carries no metadata.
pub fn arrow_schema(fields: &[DataField]) -> SchemaRef {
    let fields: Vec<FieldRef> = fields.iter().map(|field| arrow_field(&field.name, &field.data_type)).collect();
    Arc::new(Schema::new(fields))
}

/// The schema of a data file with these columns, as Paimon's Java writers spell it.
///
/// # Errors
/// When a column cannot be expressed, for example an empty name.
pub(crate) fn parquet_schema(fields: &[DataField]) -> Result<SchemaDescriptor, ParquetError> {
    let columns = fields.iter().map(|field| parquet_type(field).map(Arc::new)).collect::<Result<Vec<_>, _>>()?;
    let root = ParquetType::group_type_builder("paimon_schema").with_fields(columns).build()?;
    Ok(SchemaDescriptor::new(Arc::new(root)))
}

fn parquet_type(field: &DataField) -> Result<ParquetType, ParquetError> {
    parquet_type_of(&field.name, &field.data_type, field.id, Place { column: field.id, depth: 0 })
}

/// Where a type lies below the innermost column or ROW field, which decides the ids inside it.
#[derive(Clone, Copy)]
struct Place {
    column: i32,
    depth: i32,
}

fn parquet_type_of(name: &str, data_type: &DataType, id: i32, place: Place) -> Result<ParquetType, ParquetError> {
    let repetition = if data_type.nullable { Repetition::OPTIONAL } else { Repetition::REQUIRED };
    let inside = Place { depth: place.depth + 1, ..place };
    let offset = inside.column.wrapping_mul(STRUCTURED_ID_STEP).wrapping_add(inside.depth);
    let group = |fields: Vec<ParquetType>| {
        ParquetType::group_type_builder(name)
            .with_repetition(repetition)
            .with_id(Some(id))
            .with_fields(fields.into_iter().map(Arc::new).collect())
    };
    let repeated = |name: &str, fields: Vec<ParquetType>| {
        ParquetType::group_type_builder(name)
            .with_repetition(Repetition::REPEATED)
            .with_fields(fields.into_iter().map(Arc::new).collect())
            .build()
    };
    match &data_type.root {
        TypeRoot::Array(element) => {
            let element = parquet_type_of(ELEMENT, element, STRUCTURED_ID_BASE.wrapping_add(offset), inside)?;
            group(vec![repeated("list", vec![element])?]).with_logical_type(Some(LogicalType::List)).build()
        }
        TypeRoot::Map(map) => {
            let key = DataType::not_null(map.key.root.clone());
            let key = parquet_type_of(KEY, &key, STRUCTURED_ID_BASE.wrapping_sub(offset), inside)?;
            let value = parquet_type_of(VALUE, &map.value, STRUCTURED_ID_BASE.wrapping_add(offset), inside)?;
            group(vec![repeated(KEY_VALUE, vec![key, value])?]).with_logical_type(Some(LogicalType::Map)).build()
        }
        TypeRoot::Row(fields) => group(fields.iter().map(parquet_type).collect::<Result<_, _>>()?).build(),
        primitive => primitive_type(name, primitive, repetition, id),
    }
}

fn primitive_type(name: &str, root: &TypeRoot, repetition: Repetition, id: i32) -> Result<ParquetType, ParquetError> {
    let (physical, logical) = match *root {
        TypeRoot::Boolean => (PhysicalType::BOOLEAN, None),
        TypeRoot::TinyInt => (PhysicalType::INT32, Some(LogicalType::integer(8, true))),
        TypeRoot::SmallInt => (PhysicalType::INT32, Some(LogicalType::integer(16, true))),
        TypeRoot::Int => (PhysicalType::INT32, None),
        TypeRoot::BigInt => (PhysicalType::INT64, None),
        TypeRoot::Float => (PhysicalType::FLOAT, None),
        TypeRoot::Double => (PhysicalType::DOUBLE, None),
        TypeRoot::Decimal { precision, scale } => (
            match precision {
                ..=9 => PhysicalType::INT32,
                10..=18 => PhysicalType::INT64,
                _ => PhysicalType::FIXED_LEN_BYTE_ARRAY,
            },
            Some(LogicalType::decimal(i32::from(scale), i32::from(precision))),
        ),
        TypeRoot::Char(_) | TypeRoot::Varchar(_) => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
        TypeRoot::Binary(_) | TypeRoot::Varbinary(_) => (PhysicalType::BYTE_ARRAY, None),
        TypeRoot::Date => (PhysicalType::INT32, Some(LogicalType::Date)),
        TypeRoot::Time(_) => (PhysicalType::INT32, Some(LogicalType::time(true, ParquetTimeUnit::MILLIS))),
        TypeRoot::Timestamp(precision) => timestamp_type(precision, false),
        TypeRoot::TimestampLtz(precision) => timestamp_type(precision, true),
        TypeRoot::Array(_) | TypeRoot::Map(_) | TypeRoot::Row(_) => {
            return Err(ParquetError::General(format!("{root} is no primitive type")));
        }
    };
    let mut column = ParquetType::primitive_type_builder(name, physical)
        .with_repetition(repetition)
        .with_id(Some(id))
        .with_logical_type(logical);
    if let TypeRoot::Decimal { precision, scale } = *root {
        column = column
            .with_precision(i32::from(precision))
            .with_scale(i32::from(scale))
            .with_length(fixed_length(precision));
    }
    column.build()
}

fn timestamp_type(precision: u8, adjusted_to_utc: bool) -> (PhysicalType, Option<LogicalType>) {
    let unit = match precision {
        ..=3 => ParquetTimeUnit::MILLIS,
        4..=6 => ParquetTimeUnit::MICROS,
        // 0.9 reads nothing else at this precision; INT96 has no annotation.
        _ => return (PhysicalType::INT96, None),
    };
    (PhysicalType::INT64, Some(LogicalType::timestamp(adjusted_to_utc, unit)))
}

/// The least number of bytes whose two's complement holds every integer of `precision` digits.
fn fixed_length(precision: u8) -> i32 {
    let largest = 10i128.pow(u32::from(precision)) - 1;
    let bits = 128 - largest.leading_zeros() + 1;
    bits.div_ceil(8) as i32
}

fn time_unit(precision: u8) -> TimeUnit {
    match precision {
        ..=3 => TimeUnit::Millisecond,
        4..=6 => TimeUnit::Microsecond,
        _ => TimeUnit::Nanosecond,
    }
}

/// The value at `row` of an array that has the arrow type of `root`, a primitive type; `None` for null.
///
/// # Errors
/// [`DataError::Rows`] when the array has another type or no such row, or holds lists, maps or rows.
pub fn datum_at(array: &dyn Array, row: usize, root: &TypeRoot) -> Result<Option<Datum>, DataError> {
    let expected = arrow_type(root);
    if array.data_type() != &expected {
        return Err(DataError::Rows { why: format!("{root} is held as {expected}, not as {}", array.data_type()) });
    }
    if row >= array.len() {
        return Err(DataError::Rows { why: format!("row {row} of {} was asked for", array.len()) });
    }
    if array.is_null(row) {
        return Ok(None);
    }
    Ok(Some(match *root {
        TypeRoot::Array(_) | TypeRoot::Map(_) | TypeRoot::Row(_) => {
            return Err(DataError::Rows { why: format!("a {root} is not a single value") });
        }
        TypeRoot::Boolean => Datum::Boolean(array.as_boolean().value(row)),
        TypeRoot::TinyInt => Datum::TinyInt(array.as_primitive::<Int8Type>().value(row)),
        TypeRoot::SmallInt => Datum::SmallInt(array.as_primitive::<Int16Type>().value(row)),
        TypeRoot::Int => Datum::Int(array.as_primitive::<Int32Type>().value(row)),
        TypeRoot::BigInt => Datum::BigInt(array.as_primitive::<Int64Type>().value(row)),
        TypeRoot::Float => Datum::Float(array.as_primitive::<Float32Type>().value(row)),
        TypeRoot::Double => Datum::Double(array.as_primitive::<Float64Type>().value(row)),
        TypeRoot::Decimal { precision, scale } => {
            Datum::Decimal { unscaled: array.as_primitive::<Decimal128Type>().value(row), precision, scale }
        }
        TypeRoot::Char(_) | TypeRoot::Varchar(_) => Datum::String(array.as_string::<i32>().value(row).to_owned()),
        TypeRoot::Binary(_) | TypeRoot::Varbinary(_) => Datum::Bytes(array.as_binary::<i32>().value(row).to_owned()),
        TypeRoot::Date => Datum::Date(array.as_primitive::<Date32Type>().value(row)),
        TypeRoot::Time(_) => Datum::Time(array.as_primitive::<Time32MillisecondType>().value(row)),
        TypeRoot::Timestamp(precision) | TypeRoot::TimestampLtz(precision) => match time_unit(precision) {
            TimeUnit::Microsecond => timestamp(array.as_primitive::<TimestampMicrosecondType>().value(row), 1_000),
            TimeUnit::Nanosecond => timestamp(array.as_primitive::<TimestampNanosecondType>().value(row), 1_000_000),
            _ => timestamp(array.as_primitive::<TimestampMillisecondType>().value(row), 1),
        },
    }))
}

/// The timestamp of `value` units since 1970, of which a millisecond has `per_milli` (1, 1,000 or 1,000,000).
pub(crate) fn timestamp(value: i64, per_milli: i64) -> Datum {
    Datum::Timestamp {
        millis: value.div_euclid(per_milli),
        nano_of_milli: (value.rem_euclid(per_milli) * (1_000_000 / per_milli)) as i32,
    }
}

/// The columns of `batch`, checked against the schema: number and types. Names are not compared, rows map by position.
///
/// # Errors
/// [`DataError::Rows`] that names the first difference, [`DataError::NotNull`].
pub(crate) fn check_columns<'a>(batch: &'a [ArrayRef], schema: &Schema) -> Result<&'a [ArrayRef], DataError> {
    if batch.len() != schema.fields().len() {
        return Err(DataError::Rows { why: format!("{} columns instead of {}", batch.len(), schema.fields().len()) });
    }
    for (array, field) in batch.iter().zip(schema.fields()) {
        if array.data_type() != field.data_type() {
            return Err(DataError::Rows {
                why: format!("column `{}` is {} instead of {}", field.name(), array.data_type(), field.data_type()),
            });
        }
        if !field.is_nullable() && array.null_count() > 0 {
            return Err(DataError::NotNull { column: field.name().clone() });
        }
    }
    Ok(batch)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn column(text: &str) -> DataField {
        DataField {
            id: 7,
            name: "c".to_owned(),
            data_type: text.parse::<DataType>().unwrap(),
            description: None,
            default_value: None,
        }
    }

    #[test]
    fn every_type_has_the_arrow_and_parquet_type_of_the_specification() {
        for (paimon, arrow, parquet) in [
            ("BOOLEAN", "Boolean", "OPTIONAL BOOLEAN c;"),
            ("TINYINT", "Int8", "OPTIONAL INT32 c (INTEGER(8,true));"),
            ("SMALLINT", "Int16", "OPTIONAL INT32 c (INTEGER(16,true));"),
            ("INT NOT NULL", "Int32", "REQUIRED INT32 c;"),
            ("BIGINT", "Int64", "OPTIONAL INT64 c;"),
            ("FLOAT", "Float32", "OPTIONAL FLOAT c;"),
            ("DOUBLE", "Float64", "OPTIONAL DOUBLE c;"),
            ("DECIMAL(1, 1)", "Decimal128(1, 1)", "OPTIONAL INT32 c (DECIMAL(1,1));"),
            ("DECIMAL(9, 0)", "Decimal128(9, 0)", "OPTIONAL INT32 c (DECIMAL(9,0));"),
            ("DECIMAL(10, 2)", "Decimal128(10, 2)", "OPTIONAL INT64 c (DECIMAL(10,2));"),
            ("DECIMAL(18, 18)", "Decimal128(18, 18)", "OPTIONAL INT64 c (DECIMAL(18,18));"),
            ("DECIMAL(19, 3)", "Decimal128(19, 3)", "OPTIONAL FIXED_LEN_BYTE_ARRAY (9) c (DECIMAL(19,3));"),
            (
                "DECIMAL(38, 18) NOT NULL",
                "Decimal128(38, 18)",
                "REQUIRED FIXED_LEN_BYTE_ARRAY (16) c (DECIMAL(38,18));",
            ),
            ("CHAR(3)", "Utf8", "OPTIONAL BYTE_ARRAY c (STRING);"),
            ("STRING", "Utf8", "OPTIONAL BYTE_ARRAY c (STRING);"),
            ("BINARY(4)", "Binary", "OPTIONAL BYTE_ARRAY c;"),
            ("BYTES", "Binary", "OPTIONAL BYTE_ARRAY c;"),
            ("DATE", "Date32", "OPTIONAL INT32 c (DATE);"),
            ("TIME(3)", "Time32(ms)", "OPTIONAL INT32 c (TIME(MILLIS,true));"),
            ("TIMESTAMP(3)", "Timestamp(ms)", "OPTIONAL INT64 c (TIMESTAMP(MILLIS,false));"),
            ("TIMESTAMP(6)", "Timestamp(µs)", "OPTIONAL INT64 c (TIMESTAMP(MICROS,false));"),
            ("TIMESTAMP(9)", "Timestamp(ns)", "OPTIONAL INT96 c;"),
            (
                "TIMESTAMP(0) WITH LOCAL TIME ZONE",
                "Timestamp(ms, \"UTC\")",
                "OPTIONAL INT64 c (TIMESTAMP(MILLIS,true));",
            ),
            ("TIMESTAMP(7) WITH LOCAL TIME ZONE", "Timestamp(ns, \"UTC\")", "OPTIONAL INT96 c;"),
        ] {
            let field = column(paimon);
            assert_eq!(arrow_type(&field.data_type.root).to_string(), arrow, "{paimon}");
            let mut text = Vec::new();
            parquet::schema::printer::print_schema(&mut text, &parquet_type(&field).unwrap());
            let text = String::from_utf8(text).unwrap().replace("c [7]", "c");
            assert_eq!(text.trim(), parquet, "{paimon}");
        }
    }

    #[test]
    fn nested_types_have_javas_levels_names_and_ids() {
        let field = column("ROW<a ARRAY<MAP<INT NOT NULL, STRING> NOT NULL>, b ROW<c DATE> NOT NULL>");
        let mut text = Vec::new();
        parquet::schema::printer::print_schema(&mut text, &parquet_type(&field).unwrap());
        let base = STRUCTURED_ID_BASE;
        let expected = format!(
            "OPTIONAL group c [7] {{ OPTIONAL group a [0] (LIST) {{ REPEATED group list {{ \
             REQUIRED group element [{}] (MAP) {{ REPEATED group key_value {{ REQUIRED INT32 key [{}]; \
             OPTIONAL BYTE_ARRAY value [{}] (STRING); }} }} }} }} REQUIRED group b [2] {{ OPTIONAL INT32 c [1] (DATE); }} }}",
            base + 1,
            base - 2,
            base + 2
        );
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text.split_whitespace().collect::<Vec<_>>().join(" "), expected);
    }

    #[test]
    fn a_fixed_decimal_has_the_length_the_encoder_writes() {
        for precision in 19..=38 {
            let schema = Schema::new(vec![Field::new("c", ArrowType::Decimal128(precision, 0), true)]);
            let encoder = parquet::arrow::ArrowSchemaConverter::new().convert(&schema).unwrap();
            let length = encoder.column(0).type_length();
            assert_eq!(fixed_length(precision), length, "precision {precision}");
        }
    }

    #[test]
    fn timestamps_before_1970_keep_a_positive_rest() {
        for (value, per_milli, millis, nano_of_milli) in [
            (-1, 1, -1, 0),
            (-1, 1_000, -1, 999_000),
            (-1, 1_000_000, -1, 999_999),
            (1_234_567, 1_000, 1_234, 567_000),
            (1_234_567, 1_000_000, 1, 234_567),
            (i64::MIN, 1_000_000, -9_223_372_036_855, 224_192),
        ] {
            let expected = Datum::Timestamp { millis, nano_of_milli };
            assert_eq!(timestamp(value, per_milli), expected, "{value} / {per_milli}");
        }
    }
}
