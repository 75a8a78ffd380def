//! Manifests and manifest lists as Avro object container files.
//!
//! Written with Paimon 2.0's schema: every record starts with `_VERSION` = 2 (a permanent identifier,
//! not a version), nullable members are `["null", X]` with default null, and records are named as
//! Java names them. Read by name: members we do not know are skipped, nullable members the file
//! lacks are null. A file of an unknown `_VERSION` is refused.
//!
//! Encoding is a function of its input: the sync marker is a hash of the file names.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use apache_avro::{DeflateSettings, Reader, Schema, Writer, ZstandardSettings};
use serde::de::{DeserializeOwned, Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer, forward_to_deserialize_any};

use crate::datum::BinaryRow;
use crate::error::{FormatError, Result};
use crate::manifest::{DataFileMeta, FileKind, FileSource, ManifestEntry, ManifestFileMeta};
use crate::options::OptionError;
use crate::stats::SimpleStats;

mod schema;

const MANIFEST: &str = "manifest";
const MANIFEST_LIST: &str = "manifest list";
/// `ManifestEntrySerializer.FORMAT_IDENTIFIER`.
const FORMAT_IDENTIFIER: i32 = 2;
/// Uncompressed bytes per block: enough for zstd to find what entries have in common.
const BLOCK_BYTES: usize = 64 << 10;
/// No block or value of a manifest comes near this; a length beyond it is damage.
const MAX_ALLOCATION_BYTES: usize = 64 << 20;
/// A manifest is merged at 8 MiB, which holds a tenth of this.
const MAX_RECORDS: usize = 1 << 20;

/// How the blocks of a written file are compressed; every one of them can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// Not at all.
    Null,
    /// RFC 1951.
    Deflate,
    /// Snappy.
    Snappy,
    /// Zstandard at a level, 1 to 22.
    Zstandard(u8),
}

/// The files of a manifest, with members in the order of the file.
///
/// # Errors
/// [`FormatError::Corrupt`] for damaged bytes, [`FormatError::Unsupported`] for an unknown `_VERSION`.
pub fn decode_entries(bytes: &[u8]) -> Result<Vec<ManifestEntry>> {
    decode(MANIFEST, bytes, EntryWire::into_entry)
}

/// A manifest of these entries.
///
/// # Errors
/// [`FormatError::Encode`], in practice never.
pub fn encode_entries(entries: &[ManifestEntry], codec: Codec) -> Result<Vec<u8>> {
    encode(MANIFEST, &schema::MANIFEST_ENTRY, entries, EntryWire::of, |entry| &entry.file.file_name, codec)
}

/// The manifests of a manifest list.
///
/// # Errors
/// As [`decode_entries`].
pub fn decode_manifest_list(bytes: &[u8]) -> Result<Vec<ManifestFileMeta>> {
    decode(MANIFEST_LIST, bytes, ManifestWire::into_meta)
}

/// A manifest list of these manifests.
///
/// # Errors
/// As [`encode_entries`].
pub fn encode_manifest_list(manifests: &[ManifestFileMeta], codec: Codec) -> Result<Vec<u8>> {
    encode(MANIFEST_LIST, &schema::MANIFEST_FILE_META, manifests, ManifestWire::of, |meta| &meta.file_name, codec)
}

// === impl Codec ===

impl Codec {
    /// Parses the value of `manifest.compression`; `level` is that of zstd.
    ///
    /// # Errors
    /// [`OptionError`] naming the option.
    pub fn parse(text: &str, level: u8) -> Result<Self, OptionError> {
        Ok(match text.trim().to_ascii_lowercase().as_str() {
            "none" | "null" | "uncompressed" => Self::Null,
            "deflate" => Self::Deflate,
            "snappy" => Self::Snappy,
            "zstd" | "zstandard" => Self::Zstandard(level),
            _ => {
                return Err(OptionError::new("manifest.compression", text, "expected zstd, snappy, deflate or none"));
            }
        })
    }

    fn name(self) -> &'static [u8] {
        match self {
            Self::Null => b"null",
            Self::Deflate => b"deflate",
            Self::Snappy => b"snappy",
            Self::Zstandard(_) => b"zstandard",
        }
    }

    fn avro(self) -> apache_avro::Codec {
        match self {
            Self::Null => apache_avro::Codec::Null,
            Self::Deflate => apache_avro::Codec::Deflate(DeflateSettings::default()),
            Self::Snappy => apache_avro::Codec::Snappy,
            Self::Zstandard(level) => apache_avro::Codec::Zstandard(ZstandardSettings::new(level)),
        }
    }
}

fn encode<'a, T, W: Serialize>(
    object: &'static str,
    schema: &schema::Parsed,
    records: &'a [T],
    wire: impl Fn(&'a T) -> W,
    name: impl Fn(&'a T) -> &'a str,
    codec: Codec,
) -> Result<Vec<u8>> {
    let schema = schema.as_ref().map_err(|error| FormatError::encode(object, brief(error)))?;
    let marker = sync_marker(records.iter().map(name));
    let mut writer = Writer::builder()
        .schema(schema)
        .writer(header(schema, codec, marker)?)
        .has_header(true)
        .codec(codec.avro())
        .block_size(BLOCK_BYTES)
        .marker(marker)
        .human_readable(false)
        .build()
        .map_err(|error| FormatError::encode(object, brief(&error)))?;
    for record in records {
        writer.append_ser(wire(record)).map_err(|error| FormatError::encode(object, brief(&error)))?;
    }
    writer.into_inner().map_err(|error| FormatError::encode(object, brief(&error)))
}

/// What comes before the blocks; the library writes its two properties in random order.
fn header(schema: &Schema, codec: Codec, marker: [u8; 16]) -> Result<Vec<u8>> {
    let schema = serde_json::to_vec(schema).map_err(|error| FormatError::json("avro schema", error))?;
    let mut bytes = b"Obj\x01".to_vec();
    let properties = [("avro.codec", codec.name()), ("avro.schema", schema.as_slice())];
    write_long(&mut bytes, properties.len());
    for (key, value) in properties {
        for text in [key.as_bytes(), value] {
            write_long(&mut bytes, text.len());
            bytes.extend_from_slice(text);
        }
    }
    write_long(&mut bytes, 0);
    bytes.extend_from_slice(&marker);
    Ok(bytes)
}

/// A length as an Avro long: zigzag, then 7 bits a byte, lowest first.
fn write_long(bytes: &mut Vec<u8>, value: usize) {
    let mut rest = (value as u64) << 1;
    while rest > 0x7f {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
}

fn sync_marker<'a>(names: impl Iterator<Item = &'a str>) -> [u8; 16] {
    let mut hasher = DefaultHasher::new();
    names.for_each(|name| name.hash(&mut hasher));
    let low = hasher.finish();
    low.hash(&mut hasher);
    let high = hasher.finish();
    (u128::from(high) << 64 | u128::from(low)).to_le_bytes()
}

fn decode<W: DeserializeOwned, T>(
    object: &'static str,
    bytes: &[u8],
    record: impl Fn(W) -> (i32, T),
) -> Result<Vec<T>> {
    // Process-wide in the library; this crate is its only user and always asks for the same.
    apache_avro::util::max_allocation_bytes(MAX_ALLOCATION_BYTES);
    let reader = Reader::builder(bytes)
        .human_readable(false)
        .build()
        .map_err(|error| FormatError::corrupt(object, brief(&error)))?;
    schema::check_bounded(reader.writer_schema()).map_err(|why| FormatError::corrupt(object, why))?;
    let mut records = Vec::new();
    for wire in reader.into_deser_iter::<W>() {
        let index = records.len();
        let (version, record) = wire
            .map(&record)
            .map_err(|error| FormatError::corrupt(object, format!("record {index}: {}", brief(&error))))?;
        if version != FORMAT_IDENTIFIER {
            return Err(FormatError::unsupported(format!("{object} of version {version}")));
        }
        if index >= MAX_RECORDS {
            return Err(FormatError::corrupt(object, format!("more than {MAX_RECORDS} records")));
        }
        records.push(record);
    }
    Ok(records)
}

/// The first words of an Avro error: some of them go on to print the whole schema.
fn brief(error: &apache_avro::Error) -> String {
    const MAX_CHARS: usize = 160;
    let text = error.to_string();
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text,
    }
}

/// Lets a record be read whatever its name is.
///
/// The library insists that a struct and its record have one name, but every engine names the records
/// differently; asked for "anything", it gives the record. Used with `#[serde(remote = "Self")]`.
struct AnyName<D>(D);

/// A [`ManifestEntry`] in the file.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Self")]
struct EntryWire<'a> {
    #[serde(rename = "_VERSION")]
    version: i32,
    #[serde(rename = "_KIND", with = "file_kind")]
    kind: FileKind,
    #[serde(rename = "_PARTITION")]
    partition: Cow<'a, BinaryRow>,
    #[serde(rename = "_BUCKET")]
    bucket: i32,
    #[serde(rename = "_TOTAL_BUCKETS")]
    total_buckets: i32,
    #[serde(rename = "_FILE")]
    file: Cow<'a, DataFileMeta>,
}

/// A [`ManifestFileMeta`] in the file.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Self")]
struct ManifestWire<'a> {
    #[serde(rename = "_VERSION")]
    version: i32,
    #[serde(rename = "_FILE_NAME")]
    file_name: Cow<'a, str>,
    #[serde(rename = "_FILE_SIZE")]
    file_size: i64,
    #[serde(rename = "_NUM_ADDED_FILES")]
    num_added_files: i64,
    #[serde(rename = "_NUM_DELETED_FILES")]
    num_deleted_files: i64,
    #[serde(rename = "_PARTITION_STATS")]
    partition_stats: Cow<'a, SimpleStats>,
    #[serde(rename = "_SCHEMA_ID")]
    schema_id: i64,
    #[serde(rename = "_MIN_BUCKET", default)]
    min_bucket: Option<i32>,
    #[serde(rename = "_MAX_BUCKET", default)]
    max_bucket: Option<i32>,
    #[serde(rename = "_MIN_LEVEL", default)]
    min_level: Option<i32>,
    #[serde(rename = "_MAX_LEVEL", default)]
    max_level: Option<i32>,
    #[serde(rename = "_MIN_ROW_ID", default)]
    min_row_id: Option<i64>,
    #[serde(rename = "_MAX_ROW_ID", default)]
    max_row_id: Option<i64>,
}

// === impl AnyName ===

impl<'de, D: Deserializer<'de>> Deserializer<'de> for AnyName<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

/// Serde for a type derived with `remote = "Self"`, reading through [`AnyName`].
macro_rules! record_of_any_name {
    ($($record:ident $(<$lifetime:lifetime>)?),*) => {$(
        impl $(<$lifetime>)? Serialize for $record $(<$lifetime>)? {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                Self::serialize(self, to)
            }
        }

        impl<'de $(, $lifetime)?> Deserialize<'de> for $record $(<$lifetime>)? {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                Self::deserialize(AnyName(from))
            }
        }
    )*};
}

record_of_any_name!(EntryWire<'a>, ManifestWire<'a>, DataFileMeta, SimpleStats);

// === impl EntryWire ===

impl<'a> EntryWire<'a> {
    fn of(entry: &'a ManifestEntry) -> Self {
        Self {
            version: FORMAT_IDENTIFIER,
            kind: entry.kind,
            partition: Cow::Borrowed(&entry.partition),
            bucket: entry.bucket,
            total_buckets: entry.total_buckets,
            file: Cow::Borrowed(&entry.file),
        }
    }

    fn into_entry(self) -> (i32, ManifestEntry) {
        let entry = ManifestEntry {
            kind: self.kind,
            partition: self.partition.into_owned(),
            bucket: self.bucket,
            total_buckets: self.total_buckets,
            file: self.file.into_owned(),
        };
        (self.version, entry)
    }
}

// === impl ManifestWire ===

impl<'a> ManifestWire<'a> {
    fn of(meta: &'a ManifestFileMeta) -> Self {
        Self {
            version: FORMAT_IDENTIFIER,
            file_name: Cow::Borrowed(&meta.file_name),
            file_size: meta.file_size,
            num_added_files: meta.num_added_files,
            num_deleted_files: meta.num_deleted_files,
            partition_stats: Cow::Borrowed(&meta.partition_stats),
            schema_id: meta.schema_id,
            min_bucket: meta.min_bucket,
            max_bucket: meta.max_bucket,
            min_level: meta.min_level,
            max_level: meta.max_level,
            min_row_id: meta.min_row_id,
            max_row_id: meta.max_row_id,
        }
    }

    fn into_meta(self) -> (i32, ManifestFileMeta) {
        let meta = ManifestFileMeta {
            file_name: self.file_name.into_owned(),
            file_size: self.file_size,
            num_added_files: self.num_added_files,
            num_deleted_files: self.num_deleted_files,
            partition_stats: self.partition_stats.into_owned(),
            schema_id: self.schema_id,
            min_bucket: self.min_bucket,
            max_bucket: self.max_bucket,
            min_level: self.min_level,
            max_level: self.max_level,
            min_row_id: self.min_row_id,
            max_row_id: self.max_row_id,
        };
        (self.version, meta)
    }
}

// === impl BinaryRow ===

impl Serialize for BinaryRow {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(&self.serialized())
    }
}

impl<'de> Deserialize<'de> for BinaryRow {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let bytes = apache_avro::serde::bytes::deserialize(from)?;
        Self::from_serialized(&bytes).map_err(D::Error::custom)
    }
}

pub(crate) mod file_kind {
    //! [`FileKind`] as an int.
    use super::*;

    pub(crate) fn serialize<S: Serializer>(kind: &FileKind, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_i32(match kind {
            FileKind::Add => 0,
            FileKind::Delete => 1,
        })
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<FileKind, D::Error> {
        match i32::deserialize(from)? {
            0 => Ok(FileKind::Add),
            1 => Ok(FileKind::Delete),
            other => Err(D::Error::custom(format!("unknown _KIND {other}"))),
        }
    }
}

pub(crate) mod file_source {
    //! [`FileSource`] as a nullable int.
    use super::*;

    pub(crate) fn serialize<S: Serializer>(source: &Option<FileSource>, to: S) -> Result<S::Ok, S::Error> {
        let number = source.map(|source| match source {
            FileSource::Append => 0_i32,
            FileSource::Compact => 1,
        });
        number.serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<FileSource>, D::Error> {
        match Option::<i32>::deserialize(from)? {
            None => Ok(None),
            Some(0) => Ok(Some(FileSource::Append)),
            Some(1) => Ok(Some(FileSource::Compact)),
            Some(other) => Err(D::Error::custom(format!("unknown _FILE_SOURCE {other}"))),
        }
    }
}

pub(crate) mod null_counts {
    //! Null counts: never null when written, null taken for none when read.
    use super::*;

    pub(crate) fn serialize<S: Serializer>(counts: &[Option<i64>], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_some(counts)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Option<i64>>, D::Error> {
        Ok(Option::deserialize(from)?.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests;
