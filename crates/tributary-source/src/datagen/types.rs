//! The column types datagen generates: every type of the SQL it is declared in.

use std::fmt;
use std::slice;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, TimeUnit};

/// Length that stands for "as long as it likes": STRING is VARCHAR of it, BYTES is VARBINARY of it.
pub const MAX_LENGTH: u32 = i32::MAX as u32;

/// A column, or what is inside one, as it was declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldDef {
    /// Its name.
    pub name: String,
    /// Its type.
    pub data_type: FieldType,
    /// Whether it may be null.
    pub nullable: bool,
}

/// A column's type. Lengths are in characters or bytes; time precisions in digits of a second's fraction, 0 to 9.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// True or false.
    Boolean,
    /// 8 bits.
    TinyInt,
    /// 16 bits.
    SmallInt,
    /// 32 bits.
    Int,
    /// 64 bits.
    BigInt,
    /// IEEE 754 binary32.
    Float,
    /// IEEE 754 binary64.
    Double,
    /// Exact decimal.
    Decimal {
        /// Digits in all, 1 to 38.
        precision: u8,
        /// Digits behind the point, 0 to `precision`.
        scale: u8,
    },
    /// Text of a length.
    Char(u32),
    /// Text up to a length; [`MAX_LENGTH`] is STRING.
    Varchar(u32),
    /// Bytes of a length.
    Binary(u32),
    /// Bytes up to a length; [`MAX_LENGTH`] is BYTES.
    Varbinary(u32),
    /// Day.
    Date,
    /// Time of day; values carry milliseconds.
    Time(u8),
    /// Date and time without zone.
    Timestamp(u8),
    /// Instant.
    TimestampLtz(u8),
    /// A list; what is inside is called `element`: [`FieldType::array`].
    Array(Box<FieldDef>),
    /// Values by key; what is inside is called `key`, which is never null, and `value`: [`FieldType::map`].
    Map(Box<[FieldDef; 2]>),
    /// Named fields, at least one.
    Row(Vec<FieldDef>),
}

// === impl FieldType ===

impl FieldType {
    /// ARRAY of elements of a type.
    pub fn array(element: FieldType, nullable: bool) -> Self {
        Self::Array(Box::new(FieldDef { name: "element".to_owned(), data_type: element, nullable }))
    }

    /// MAP from a type to one that may be null.
    pub fn map(key: FieldType, value: FieldType, nullable: bool) -> Self {
        let key = FieldDef { name: "key".to_owned(), data_type: key, nullable: false };
        Self::Map(Box::new([key, FieldDef { name: "value".to_owned(), data_type: value, nullable }]))
    }

    /// What is directly inside: element, key and value, fields. Nothing for other types.
    pub(super) fn parts(&self) -> &[FieldDef] {
        match self {
            Self::Array(element) => slice::from_ref(element),
            Self::Map(parts) => parts.as_slice(),
            Self::Row(fields) => fields,
            _ => &[],
        }
    }

    /// The arrow type of the column: Utf8 and Binary for text and bytes, Time32 in milliseconds, timestamps in milli-
    /// (p <= 3), micro- (p <= 6) or nanoseconds, with zone UTC when they are instants. Maps hold `key_value`s.
    pub fn arrow_type(&self) -> DataType {
        match *self {
            Self::Boolean => DataType::Boolean,
            Self::TinyInt => DataType::Int8,
            Self::SmallInt => DataType::Int16,
            Self::Int => DataType::Int32,
            Self::BigInt => DataType::Int64,
            Self::Float => DataType::Float32,
            Self::Double => DataType::Float64,
            Self::Decimal { precision, scale } => DataType::Decimal128(precision, scale.cast_signed()),
            Self::Char(_) | Self::Varchar(_) => DataType::Utf8,
            Self::Binary(_) | Self::Varbinary(_) => DataType::Binary,
            Self::Date => DataType::Date32,
            Self::Time(_) => DataType::Time32(TimeUnit::Millisecond),
            Self::Timestamp(precision) => DataType::Timestamp(time_unit(precision), None),
            Self::TimestampLtz(precision) => DataType::Timestamp(time_unit(precision), Some("UTC".into())),
            Self::Array(ref element) => DataType::List(Arc::new(element.arrow_field())),
            Self::Map(ref parts) => {
                let entries = DataType::Struct(parts.iter().map(FieldDef::arrow_field).collect());
                DataType::Map(Arc::new(Field::new("key_value", entries, false)), false)
            }
            Self::Row(ref fields) => DataType::Struct(fields.iter().map(FieldDef::arrow_field).collect()),
        }
    }
}

// === impl FieldDef ===

impl FieldDef {
    pub(super) fn arrow_field(&self) -> Field {
        Field::new(&self.name, self.data_type.arrow_type(), self.nullable)
    }
}

fn time_unit(precision: u8) -> TimeUnit {
    match precision {
        0..=3 => TimeUnit::Millisecond,
        4..=6 => TimeUnit::Microsecond,
        _ => TimeUnit::Nanosecond,
    }
}

impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => f.write_str("BOOLEAN"),
            Self::TinyInt => f.write_str("TINYINT"),
            Self::SmallInt => f.write_str("SMALLINT"),
            Self::Int => f.write_str("INT"),
            Self::BigInt => f.write_str("BIGINT"),
            Self::Float => f.write_str("FLOAT"),
            Self::Double => f.write_str("DOUBLE"),
            Self::Decimal { precision, scale } => write!(f, "DECIMAL({precision}, {scale})"),
            Self::Char(length) => write!(f, "CHAR({length})"),
            Self::Varchar(MAX_LENGTH) => f.write_str("STRING"),
            Self::Varchar(length) => write!(f, "VARCHAR({length})"),
            Self::Binary(length) => write!(f, "BINARY({length})"),
            Self::Varbinary(MAX_LENGTH) => f.write_str("BYTES"),
            Self::Varbinary(length) => write!(f, "VARBINARY({length})"),
            Self::Date => f.write_str("DATE"),
            Self::Time(precision) => write!(f, "TIME({precision})"),
            Self::Timestamp(precision) => write!(f, "TIMESTAMP({precision})"),
            Self::TimestampLtz(precision) => write!(f, "TIMESTAMP_LTZ({precision})"),
            Self::Array(element) => write!(f, "ARRAY<{}>", Inside(element)),
            Self::Map(parts) => write!(f, "MAP<{}, {}>", parts[0].data_type, Inside(&parts[1])),
            Self::Row(fields) => {
                f.write_str("ROW<")?;
                for (index, field) in fields.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}`{}` {}", field.name, Inside(field))?;
                }
                f.write_str(">")
            }
        }
    }
}

/// A type inside another one, with its nullability.
struct Inside<'a>(&'a FieldDef);

impl fmt::Display for Inside<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.0.data_type, if self.0.nullable { "" } else { " NOT NULL" })
    }
}
