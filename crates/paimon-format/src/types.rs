//! Data types: the primitive ones, and ARRAY, MAP and ROW of any types, nested as deep as one likes.
//!
//! Their text (`DataType.asSQLString`) is in `text`, their JSON in schema files (`DataTypeJsonParser`)
//! in `json`. Types of single engines (MULTISET, VARIANT, BLOB, …) are refused by name.

mod json;
mod text;

use std::sync::Arc;

use crate::schema::DataField;

pub(crate) use json::unsupported_in;

/// Largest length of CHAR, VARCHAR, BINARY and VARBINARY; `VARCHAR(MAX_LENGTH)` is `STRING`.
pub const MAX_LENGTH: u32 = i32::MAX as u32;
/// Largest precision of DECIMAL, in digits.
pub const MAX_DECIMAL_PRECISION: u8 = 38;
/// Largest fractional precision of TIME and the timestamps, in digits.
pub const MAX_TIME_PRECISION: u8 = 9;

/// A type and whether its values may be null.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DataType {
    /// What the values are.
    pub root: TypeRoot,
    /// Whether null is a value.
    pub nullable: bool,
}

/// What the values of a column are. Lengths are in characters (CHAR, VARCHAR) or bytes. Cheap to clone: the parts of
/// nested types are shared.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TypeRoot {
    /// True or false.
    Boolean,
    /// 8-bit signed integer.
    TinyInt,
    /// 16-bit signed integer.
    SmallInt,
    /// 32-bit signed integer.
    Int,
    /// 64-bit signed integer.
    BigInt,
    /// IEEE 754 binary32.
    Float,
    /// IEEE 754 binary64.
    Double,
    /// Exact decimal number.
    Decimal {
        /// Digits in all, 1 to 38.
        precision: u8,
        /// Digits after the point, at most `precision`.
        scale: u8,
    },
    /// Text of a fixed number of characters.
    Char(u32),
    /// Text of at most so many characters.
    Varchar(u32),
    /// A fixed number of bytes.
    Binary(u32),
    /// At most so many bytes.
    Varbinary(u32),
    /// Calendar day.
    Date,
    /// Time of day; the precision is declared, values are milliseconds.
    Time(u8),
    /// Local date and time, with so many fractional digits (0 to 9).
    Timestamp(u8),
    /// Instant shown in the session's zone, with so many fractional digits (0 to 9).
    TimestampLtz(u8),
    /// A list of elements.
    Array(Arc<DataType>),
    /// Values by key.
    Map(Arc<MapType>),
    /// Named fields, at least one; their ids are among those of the table's columns.
    Row(Arc<[DataField]>),
}

/// The two types of a MAP. Keys are never null in files, whatever the key's type says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MapType {
    /// Type of the keys.
    pub key: DataType,
    /// Type of the values.
    pub value: DataType,
}

// === impl DataType ===

impl DataType {
    /// A type that admits null.
    pub const fn nullable(root: TypeRoot) -> Self {
        Self { root, nullable: true }
    }

    /// A type that does not.
    pub const fn not_null(root: TypeRoot) -> Self {
        Self { root, nullable: false }
    }

    /// The same type with all its ROW fields numbered on from `highest`, the highest id in use, as a new table's are
    /// (`ReassignFieldId`): a field after those inside it.
    #[must_use]
    pub fn with_field_ids(&self, highest: &mut i32) -> Self {
        let root = match &self.root {
            TypeRoot::Array(element) => TypeRoot::Array(Arc::new(element.with_field_ids(highest))),
            TypeRoot::Map(map) => {
                let key = map.key.with_field_ids(highest);
                TypeRoot::Map(Arc::new(MapType { key, value: map.value.with_field_ids(highest) }))
            }
            TypeRoot::Row(fields) => {
                let mut numbered = |field: &DataField| {
                    let data_type = field.data_type.with_field_ids(highest);
                    *highest += 1;
                    DataField { id: *highest, data_type, ..field.clone() }
                };
                TypeRoot::Row(fields.iter().map(&mut numbered).collect())
            }
            primitive => primitive.clone(),
        };
        Self { root, nullable: self.nullable }
    }

    /// The highest id of a ROW field in it, if there is one.
    pub(crate) fn highest_field_id(&self) -> Option<i32> {
        match &self.root {
            TypeRoot::Row(fields) => {
                fields.iter().map(|field| field.data_type.highest_field_id().unwrap_or(field.id).max(field.id)).max()
            }
            root => root.parts().into_iter().filter_map(Self::highest_field_id).max(),
        }
    }

    /// Whether both admit the same values: they may differ in ids and comments of ROW fields.
    pub fn equals_ignoring_ids(&self, other: &Self) -> bool {
        self.nullable == other.nullable && self.root.equals_ignoring_ids(&other.root)
    }
}

// === impl TypeRoot ===

impl TypeRoot {
    /// `STRING`: text of any length.
    pub const STRING: Self = Self::Varchar(MAX_LENGTH);
    /// `BYTES`: bytes of any number.
    pub const BYTES: Self = Self::Varbinary(MAX_LENGTH);

    /// Whether it is an ARRAY, a MAP or a ROW.
    pub fn is_nested(&self) -> bool {
        matches!(self, Self::Array(_) | Self::Map(_) | Self::Row(_))
    }

    /// The types directly inside it: element, key and value, fields. None for primitive types.
    pub fn parts(&self) -> Vec<&DataType> {
        match self {
            Self::Array(element) => vec![element],
            Self::Map(map) => vec![&map.key, &map.value],
            Self::Row(fields) => fields.iter().map(|field| &field.data_type).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether it, or a type anywhere inside it, is such a one.
    pub fn any(&self, is: &impl Fn(&Self) -> bool) -> bool {
        is(self) || self.parts().into_iter().any(|part| part.root.any(is))
    }

    /// As [`DataType::equals_ignoring_ids`].
    pub fn equals_ignoring_ids(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Array(a), Self::Array(b)) => a.equals_ignoring_ids(b),
            (Self::Map(a), Self::Map(b)) => a.key.equals_ignoring_ids(&b.key) && a.value.equals_ignoring_ids(&b.value),
            (Self::Row(a), Self::Row(b)) => {
                let same = |(a, b): (&DataField, &DataField)| {
                    a.name == b.name && a.data_type.equals_ignoring_ids(&b.data_type)
                };
                a.len() == b.len() && a.iter().zip(b.iter()).all(same)
            }
            _ => self == other,
        }
    }
}

#[cfg(test)]
mod tests;
