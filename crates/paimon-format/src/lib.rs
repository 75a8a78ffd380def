//! The Apache Paimon table format as Rust types: bytes in, bytes out.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`types`] | primitive data types and their text |
//! | [`schema`] | `schema/schema-N`: JSON of a table's columns, keys and options |
//! | [`snapshot`] | `snapshot/snapshot-N`: JSON of one committed state |
//! | [`tag`] | `tag/tag-<name>`: JSON of a snapshot that is kept |
//! | [`consumer`] | `consumer/consumer-<id>`: JSON of what a reader still needs |
//! | [`datum`] | single values, and `BinaryRow`, the layout of partitions and statistics |
//! | [`stats`] | minimum, maximum and null count, with Paimon's truncation rules |
//! | [`manifest`] | data files, manifest entries and manifest metadata |
//! | [`avro`] | manifests and manifest lists as Avro files |
//! | [`names`] | object names and directories |
//! | [`partition`] | partition values as directory names |
//! | [`options`] | table options: one table of definitions, and their typed values |
//!
//! Invariants: no I/O, no async, no arrow, no clock and no randomness (encoding the same thing
//! twice gives the same bytes). Bytes and text come from other engines and may be damaged: reading
//! never panics and never allocates more than a fixed bound or a small multiple of its input.
//!
//! Everything was checked against Apache Paimon 2.0's source (class names are given where a rule
//! comes from) and against files written by pypaimon; see `tests/golden`.

pub mod avro;
pub mod consumer;
pub mod datum;
mod error;
mod json;
pub mod manifest;
pub mod names;
pub mod options;
pub mod partition;
pub mod schema;
pub mod snapshot;
pub mod stats;
pub mod tag;
pub mod types;

pub use consumer::Consumer;
pub use datum::{BinaryRow, Datum};
pub use error::{FormatError, Result};
pub use manifest::{DataFileMeta, EntryIdentifier, FileKind, FileSource, ManifestEntry, ManifestFileMeta};
pub use options::{CoreOptions, MemorySize, OptionError, parse_duration};
pub use schema::{DataField, TableSchema};
pub use snapshot::{CommitKind, Snapshot, SnapshotId};
pub use stats::{ColumnStats, SimpleStats, StatsMode};
pub use tag::Tag;
pub use types::{DataType, TypeRoot};
