//! Paimon's `BinaryRow`: partition values and statistics as bytes.
//!
//! Layout (`BinaryRow`, `BinaryRowWriter`): one header byte (row kind, 0), a null bit per field
//! padded to 8 bytes, then 8 little-endian bytes per field, then the values that do not fit.
//! Text and bytes of up to 7 bytes sit in their slot (top byte `0x80 | length`); longer ones are
//! padded to 8 bytes at the end and the slot holds `offset << 32 | length`. DECIMAL of more than 18
//! digits takes 16 bytes at the end, big-endian two's complement; a timestamp of more than 3
//! digits takes 8 bytes at the end for the milliseconds, with the nanoseconds in the slot.
//!
//! Engines compare and hash these bytes raw, so equal values must give equal bytes. That holds for
//! nulls too: since 1.3 Java leaves room at the end for a null of the last two kinds (its null bit
//! is set and the slot holds the offset), and so does [`BinaryRow::encode`].

use std::borrow::Cow;
use std::fmt;

use crate::datum::Datum;
use crate::error::{FormatError, Result};
use crate::types::TypeRoot;

const HEADER_BITS: usize = 8;
/// Text and bytes up to this length sit in their slot.
const MAX_INLINE: usize = 7;
/// The highest precision whose unscaled value always fits 64 bits.
const MAX_COMPACT_DECIMAL: u8 = 18;
/// The highest precision of a timestamp that is stored as milliseconds alone.
const MAX_COMPACT_TIMESTAMP: u8 = 3;
/// A length prefix that claims more fields than any table has is corrupt, not to be allocated for.
const MAX_ARITY: u32 = 1 << 20;
const OBJECT: &str = "binary row";

/// A row of values in Paimon's binary layout; equality, hash and order are those of the bytes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BinaryRow {
    arity: u32,
    /// At least the fixed part for `arity`.
    bytes: Cow<'static, [u8]>,
}

// === impl BinaryRow ===

impl BinaryRow {
    /// The row without fields: the partition of an unpartitioned table, the key of an append file.
    pub const EMPTY: Self = Self { arity: 0, bytes: Cow::Borrowed(&[0; 8]) };

    /// Lays out one value per type; `None` is null.
    ///
    /// # Errors
    /// [`FormatError::Encode`] when the numbers of types and values differ or a value is not of its
    /// type.
    pub fn encode(types: &[TypeRoot], values: &[Option<Datum>]) -> Result<Self> {
        if types.len() != values.len() {
            return Err(FormatError::encode(OBJECT, format!("{} values for {} fields", values.len(), types.len())));
        }
        let arity = u32::try_from(types.len())
            .ok()
            .filter(|arity| *arity <= MAX_ARITY)
            .ok_or_else(|| FormatError::encode(OBJECT, "too many fields"))?;
        let mut bytes = vec![0; fixed_bytes(types.len())];
        for (index, (root, value)) in types.iter().zip(values).enumerate() {
            let slot = match value {
                None => {
                    let bit = index + HEADER_BITS;
                    bytes[bit / 8] |= 1 << (bit % 8);
                    match reserved_bytes(root) {
                        0 => 0,
                        room => (append(&mut bytes, &[], room)? as u64) << 32,
                    }
                }
                Some(datum) if datum.is_of(root) => encode_slot(root, datum, &mut bytes)?,
                Some(datum) => {
                    return Err(FormatError::encode(OBJECT, format!("field {index}: {datum:?} is no {root}")));
                }
            };
            let at = slot_offset(types.len(), index);
            bytes[at..at + 8].copy_from_slice(&slot.to_le_bytes());
        }
        Ok(Self { arity, bytes: Cow::Owned(bytes) })
    }

    /// Reads the values back.
    ///
    /// # Errors
    /// [`FormatError::Corrupt`] naming the field when the row has another number of fields than
    /// `types`, or its bytes do not hold values of these types.
    pub fn decode(&self, types: &[TypeRoot]) -> Result<Vec<Option<Datum>>> {
        if types.len() != self.arity() {
            return Err(FormatError::corrupt(
                OBJECT,
                format!("{} fields where {} are expected", self.arity, types.len()),
            ));
        }
        types
            .iter()
            .enumerate()
            .map(|(index, root)| {
                self.field(index, root)
                    .map_err(|why| FormatError::corrupt(OBJECT, format!("field {index} ({root}): {why}")))
            })
            .collect()
    }

    /// Number of fields.
    pub fn arity(&self) -> usize {
        self.arity as usize
    }

    /// The row without its arity.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The form manifests hold (`SerializationUtils.serializeBinaryRow`): the arity as 4 big-endian
    /// bytes, then the row.
    pub fn serialized(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(4 + self.bytes.len());
        bytes.extend_from_slice(&self.arity.to_be_bytes());
        bytes.extend_from_slice(&self.bytes);
        bytes
    }

    /// Reads the form of [`BinaryRow::serialized`].
    ///
    /// # Errors
    /// [`FormatError::Corrupt`] when the bytes are too few for the arity they claim.
    pub fn from_serialized(bytes: &[u8]) -> Result<Self> {
        let Some((arity, row)) = bytes.split_first_chunk::<4>() else {
            return Err(FormatError::corrupt(OBJECT, format!("{} bytes, at least 4 are expected", bytes.len())));
        };
        let arity = u32::from_be_bytes(*arity);
        if arity > MAX_ARITY || row.len() < fixed_bytes(arity as usize) {
            return Err(FormatError::corrupt(OBJECT, format!("{} bytes are too few for {arity} fields", row.len())));
        }
        if arity == 0 && row == Self::EMPTY.bytes() {
            return Ok(Self::EMPTY);
        }
        Ok(Self { arity, bytes: Cow::Owned(row.to_vec()) })
    }

    fn field(&self, index: usize, root: &TypeRoot) -> Result<Option<Datum>, String> {
        let bit = index + HEADER_BITS;
        if self.bytes[bit / 8] & (1 << (bit % 8)) != 0 {
            return Ok(None);
        }
        let slot = self.slot(index)?;
        let low = slot as u32;
        Ok(Some(match *root {
            TypeRoot::Array(_) | TypeRoot::Map(_) | TypeRoot::Row(_) => {
                return Err("values of nested types are not read".to_owned());
            }
            TypeRoot::Boolean => Datum::Boolean(slot as u8 != 0),
            TypeRoot::TinyInt => Datum::TinyInt(slot as i8),
            TypeRoot::SmallInt => Datum::SmallInt(slot as i16),
            TypeRoot::Int => Datum::Int(low as i32),
            TypeRoot::Date => Datum::Date(low as i32),
            TypeRoot::Time(_) => Datum::Time(low as i32),
            TypeRoot::BigInt => Datum::BigInt(slot as i64),
            TypeRoot::Float => Datum::Float(f32::from_bits(low)),
            TypeRoot::Double => Datum::Double(f64::from_bits(slot)),
            TypeRoot::Decimal { precision, scale } => Datum::Decimal {
                unscaled: if precision <= MAX_COMPACT_DECIMAL {
                    i128::from(slot as i64)
                } else {
                    sign_extend(self.tail(slot)?)?
                },
                precision,
                scale,
            },
            TypeRoot::Char(_) | TypeRoot::Varchar(_) => Datum::String(
                String::from_utf8(self.variable(index, slot)?.to_vec())
                    .map_err(|_| "the text is not UTF-8".to_owned())?,
            ),
            TypeRoot::Binary(_) | TypeRoot::Varbinary(_) => Datum::Bytes(self.variable(index, slot)?.to_vec()),
            TypeRoot::Timestamp(precision) | TypeRoot::TimestampLtz(precision) => {
                if precision <= MAX_COMPACT_TIMESTAMP {
                    Datum::Timestamp { millis: slot as i64, nano_of_milli: 0 }
                } else {
                    let millis = self.range((slot >> 32) as usize, 8)?;
                    if low > 999_999 {
                        return Err(format!("{low} nanoseconds in a millisecond"));
                    }
                    Datum::Timestamp {
                        millis: i64::from_le_bytes(millis.try_into().unwrap_or_default()),
                        nano_of_milli: low as i32,
                    }
                }
            }
        }))
    }

    fn slot(&self, index: usize) -> Result<u64, String> {
        let bytes = self.range(slot_offset(self.arity(), index), 8)?;
        Ok(u64::from_le_bytes(bytes.try_into().unwrap_or_default()))
    }

    fn variable(&self, index: usize, slot: u64) -> Result<&[u8], String> {
        if slot >> 63 == 0 {
            return self.tail(slot);
        }
        let length = (slot >> 56) as usize & 0x7f;
        if length > MAX_INLINE {
            return Err(format!("{length} bytes cannot be inside a slot"));
        }
        self.range(slot_offset(self.arity(), index), length)
    }

    fn tail(&self, slot: u64) -> Result<&[u8], String> {
        self.range((slot >> 32) as usize, slot as u32 as usize)
    }

    fn range(&self, offset: usize, length: usize) -> Result<&[u8], String> {
        offset
            .checked_add(length)
            .and_then(|end| self.bytes.get(offset..end))
            .ok_or_else(|| format!("{length} bytes at {offset} lie outside the row of {} bytes", self.bytes.len()))
    }
}

impl fmt::Debug for BinaryRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BinaryRow({}:", self.arity)?;
        self.bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

fn null_bytes(arity: usize) -> usize {
    (arity + 63 + HEADER_BITS) / 64 * 8
}

fn fixed_bytes(arity: usize) -> usize {
    null_bytes(arity) + 8 * arity
}

fn slot_offset(arity: usize, index: usize) -> usize {
    null_bytes(arity) + 8 * index
}

/// Room at the end that a value of this type takes whatever it is, null included.
fn reserved_bytes(root: &TypeRoot) -> usize {
    match root {
        TypeRoot::Decimal { precision, .. } if *precision > MAX_COMPACT_DECIMAL => 16,
        TypeRoot::Timestamp(p) | TypeRoot::TimestampLtz(p) if *p > MAX_COMPACT_TIMESTAMP => 8,
        _ => 0,
    }
}

fn encode_slot(root: &TypeRoot, datum: &Datum, bytes: &mut Vec<u8>) -> Result<u64> {
    Ok(match datum {
        Datum::Boolean(v) => u64::from(*v),
        Datum::TinyInt(v) => u64::from(*v as u8),
        Datum::SmallInt(v) => u64::from(*v as u16),
        Datum::Int(v) | Datum::Date(v) | Datum::Time(v) => u64::from(*v as u32),
        Datum::BigInt(v) => *v as u64,
        Datum::Float(v) => u64::from(v.to_bits()),
        Datum::Double(v) => v.to_bits(),
        Datum::String(v) => encode_variable(v.as_bytes(), bytes)?,
        Datum::Bytes(v) => encode_variable(v, bytes)?,
        Datum::Decimal { unscaled, .. } => match reserved_bytes(root) {
            0 => i64::try_from(*unscaled)
                .map_err(|_| FormatError::encode(OBJECT, format!("{unscaled} exceeds {root}")))?
                as u64,
            room => {
                let digits = unscaled.to_be_bytes();
                let digits = minimal_twos_complement(&digits);
                offset_and_length(append(bytes, digits, room)?, digits.len())
            }
        },
        Datum::Timestamp { millis, nano_of_milli } => match reserved_bytes(root) {
            0 => *millis as u64,
            room => {
                let nanos =
                    usize::try_from(*nano_of_milli).ok().filter(|nanos| *nanos <= 999_999).ok_or_else(|| {
                        FormatError::encode(OBJECT, format!("{nano_of_milli} nanoseconds in a millisecond"))
                    })?;
                offset_and_length(append(bytes, &millis.to_le_bytes(), room)?, nanos)
            }
        },
    })
}

fn encode_variable(value: &[u8], bytes: &mut Vec<u8>) -> Result<u64> {
    if value.len() > MAX_INLINE {
        let offset = append(bytes, value, value.len().next_multiple_of(8))?;
        return Ok(offset_and_length(offset, value.len()));
    }
    let mut slot = [0; 8];
    slot[..value.len()].copy_from_slice(value);
    slot[7] = 0x80 | value.len() as u8;
    Ok(u64::from_le_bytes(slot))
}

/// Appends `value` zero-padded to `room` bytes and returns where it starts.
fn append(bytes: &mut Vec<u8>, value: &[u8], room: usize) -> Result<usize> {
    let offset = bytes.len();
    let end = offset + room;
    if end > i32::MAX as usize {
        return Err(FormatError::encode(OBJECT, "the row exceeds 2 GiB"));
    }
    bytes.extend_from_slice(value);
    bytes.resize(end, 0);
    Ok(offset)
}

/// Both are below 2^31: see [`append`].
fn offset_and_length(offset: usize, length: usize) -> u64 {
    (offset as u64) << 32 | length as u64
}

/// Java's `BigInteger.toByteArray`: the fewest big-endian bytes that keep the sign.
fn minimal_twos_complement(bytes: &[u8]) -> &[u8] {
    let mut bytes = bytes;
    while let [first, rest @ ..] = bytes
        && let Some(next) = rest.first()
        && ((*first == 0 && next >> 7 == 0) || (*first == 0xff && next >> 7 == 1))
    {
        bytes = rest;
    }
    bytes
}

fn sign_extend(bytes: &[u8]) -> Result<i128, String> {
    if bytes.is_empty() || bytes.len() > 16 {
        return Err(format!("a decimal of {} bytes", bytes.len()));
    }
    let fill = if bytes[0] >> 7 == 1 { 0xff } else { 0 };
    let mut wide = [fill; 16];
    wide[16 - bytes.len()..].copy_from_slice(bytes);
    Ok(i128::from_be_bytes(wide))
}

#[cfg(test)]
mod tests;
