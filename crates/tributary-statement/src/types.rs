//! [`SqlType`]: the column and CAST types of the language, named as Flink and Paimon name them.

use std::fmt;

/// Length of STRING and BYTES, which are VARCHAR and VARBINARY of this length.
pub const MAX_LENGTH: u32 = i32::MAX as u32;

/// A type as written, defaults filled in as Flink does. Nullability belongs to the column, not to the type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SqlType {
    /// BOOLEAN
    Boolean,
    /// TINYINT, 8 bits
    TinyInt,
    /// SMALLINT, 16 bits
    SmallInt,
    /// INT or INTEGER, 32 bits
    Int,
    /// BIGINT, 64 bits
    BigInt,
    /// FLOAT, 32 bits
    Float,
    /// DOUBLE or DOUBLE PRECISION, 64 bits
    Double,
    /// DECIMAL(p, s), also DEC and NUMERIC; (10, 0) unless given
    Decimal {
        /// Digits in all, 1 to 38.
        precision: u8,
        /// Digits behind the point, 0 to `precision`.
        scale: u8,
    },
    /// CHAR(n), n characters, 1 unless given
    Char(u32),
    /// VARCHAR(n), at most n characters, 1 unless given; STRING is VARCHAR([`MAX_LENGTH`])
    Varchar(u32),
    /// BINARY(n), n bytes, 1 unless given
    Binary(u32),
    /// VARBINARY(n), at most n bytes, 1 unless given; BYTES is VARBINARY([`MAX_LENGTH`])
    Varbinary(u32),
    /// DATE
    Date,
    /// TIME(p), p fractional digits of a second, 0 to 9, 0 unless given
    Time(u8),
    /// TIMESTAMP(p) [WITHOUT TIME ZONE], p fractional digits of a second, 0 to 9, 6 unless given
    Timestamp(u8),
    /// TIMESTAMP_LTZ(p) or TIMESTAMP(p) WITH LOCAL TIME ZONE, digits as in TIMESTAMP
    TimestampLtz(u8),
    /// ARRAY<element>, also `element ARRAY`
    Array(Box<PartType>),
    /// MAP<key, value>
    Map {
        /// Type of the keys.
        key: Box<PartType>,
        /// Type of the values.
        value: Box<PartType>,
    },
    /// ROW<name type ['comment'], …>, also in parentheses: at least one field, names differ
    Row(Vec<RowField>),
}

/// A type inside another one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PartType {
    /// The type.
    pub sql_type: SqlType,
    /// False if NOT NULL was said.
    pub nullable: bool,
}

/// `name type ['comment']` of a ROW.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RowField {
    /// The field.
    pub name: String,
    /// Its type.
    pub part: PartType,
    /// Free text.
    pub comment: Option<String>,
}

// === impl SqlType ===

impl SqlType {
    /// STRING, which is short for VARCHAR([`MAX_LENGTH`]).
    pub const STRING: SqlType = SqlType::Varchar(MAX_LENGTH);
    /// BYTES, which is short for VARBINARY([`MAX_LENGTH`]).
    pub const BYTES: SqlType = SqlType::Varbinary(MAX_LENGTH);

    /// How many types deep it is nested: 0 for types without parts.
    pub(crate) fn depth(&self) -> usize {
        let below = |part: &PartType| part.sql_type.depth() + 1;
        match self {
            SqlType::Array(element) => below(element),
            SqlType::Map { key, value } => below(key).max(below(value)),
            SqlType::Row(fields) => fields.iter().map(|field| below(&field.part)).max().unwrap_or(0),
            _ => 0,
        }
    }
}

/// Paimon's spelling, as its schema files have it.
impl fmt::Display for SqlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SqlType::Boolean => f.write_str("BOOLEAN"),
            SqlType::TinyInt => f.write_str("TINYINT"),
            SqlType::SmallInt => f.write_str("SMALLINT"),
            SqlType::Int => f.write_str("INT"),
            SqlType::BigInt => f.write_str("BIGINT"),
            SqlType::Float => f.write_str("FLOAT"),
            SqlType::Double => f.write_str("DOUBLE"),
            SqlType::Decimal { precision, scale } => write!(f, "DECIMAL({precision}, {scale})"),
            SqlType::Char(length) => write!(f, "CHAR({length})"),
            SqlType::Varchar(MAX_LENGTH) => f.write_str("STRING"),
            SqlType::Varchar(length) => write!(f, "VARCHAR({length})"),
            SqlType::Binary(length) => write!(f, "BINARY({length})"),
            SqlType::Varbinary(MAX_LENGTH) => f.write_str("BYTES"),
            SqlType::Varbinary(length) => write!(f, "VARBINARY({length})"),
            SqlType::Date => f.write_str("DATE"),
            SqlType::Time(precision) => write!(f, "TIME({precision})"),
            SqlType::Timestamp(precision) => write!(f, "TIMESTAMP({precision})"),
            SqlType::TimestampLtz(precision) => {
                write!(f, "TIMESTAMP({precision}) WITH LOCAL TIME ZONE")
            }
            SqlType::Array(element) => write!(f, "ARRAY<{element}>"),
            SqlType::Map { key, value } => write!(f, "MAP<{key}, {value}>"),
            SqlType::Row(fields) => {
                f.write_str("ROW<")?;
                for (index, RowField { name, part, comment }) in fields.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}`{}` {part}", name.replace('`', "``"))?;
                    if let Some(comment) = comment {
                        write!(f, " '{}'", comment.replace('\'', "''"))?;
                    }
                }
                f.write_str(">")
            }
        }
    }
}

// === impl PartType ===

impl fmt::Display for PartType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.sql_type, if self.nullable { "" } else { " NOT NULL" })
    }
}
