//! How the data files of a table are written: what its options say, and what a file's first rows decide where they say
//! nothing.
//!
//! The files are those Paimon 0.9 reads: version 1 pages, PLAIN and dictionary encoding only, one compression for
//! all columns, no arrow schema. A column gets a dictionary only if the file's first rows repeat themselves there, and
//! 64 KiB pages where they do not: an attempt at a dictionary of random text costs up to 10 % of the time
//! (`benches/run encodings`).

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType as ArrowType, SchemaRef};
use arrow::row::{RowConverter, SortField};
use paimon_format::options::ParquetOptions;
use paimon_format::{CoreOptions, DataField, StatsMode, TypeRoot};
use parquet::basic::{Compression, GzipLevel, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{
    DEFAULT_DATA_PAGE_ROW_COUNT_LIMIT, DEFAULT_DICTIONARY_PAGE_SIZE_LIMIT, DEFAULT_PAGE_SIZE, DEFAULT_WRITE_BATCH_SIZE,
    EnabledStatistics, WriterProperties, WriterVersion,
};
use parquet::schema::types::SchemaDescriptor;

use crate::arrow::{arrow_schema, parquet_schema};
use crate::data_error::DataError;
use crate::write::memory;

/// Rows of a file's first batch that decide about dictionaries.
const SAMPLE_ROWS: usize = 4096;
/// Fewer rows than this decide nothing: a dictionary is tried.
pub(super) const MIN_SAMPLE_ROWS: usize = 16;
/// What footers say of the writer. Readers distrust statistics of some others; we take row groups of our own only.
pub(super) const CREATOR: &str = "tributary";
/// Page size, in bytes before compression, of columns without a dictionary.
const PLAIN_PAGE_BYTES: usize = 64 << 10;

/// How the data files of one table are written.
#[derive(Clone, Debug)]
pub struct WriterSpec {
    pub(super) arrow: SchemaRef,
    pub(super) parquet: SchemaDescriptor,
    pub(super) roots: Arc<[TypeRoot]>,
    /// Which of the file's leaf columns each column consists of; one, unless it is nested.
    pub(super) leaves: Arc<[Range<usize>]>,
    pub(super) stats_modes: Arc<[StatsMode]>,
    pub(super) compression: Compression,
    names: Arc<[String]>,
    options: ParquetOptions,
    pub(super) row_group_bytes: usize,
}

// === impl WriterSpec ===

impl WriterSpec {
    /// How to write files of a table with these columns and options. Row groups close at `row_group_bytes` of encoded
    /// data or at the table's `file.block-size`, whichever is less.
    ///
    /// # Errors
    /// [`DataError::Encode`] when the compression or a column cannot be expressed in Parquet.
    pub fn try_new(fields: &[DataField], options: &CoreOptions, row_group_bytes: usize) -> Result<Self, DataError> {
        let parquet = parquet_schema(fields).map_err(DataError::Encode)?;
        let block_size = options.file_block_size.and_then(|size| usize::try_from(size.bytes()).ok());
        Ok(Self {
            arrow: arrow_schema(fields),
            leaves: leaf_ranges(&parquet, fields.len()),
            parquet,
            roots: fields.iter().map(|field| field.data_type.root.clone()).collect(),
            stats_modes: fields.iter().map(|field| options.stats_mode_of(&field.name)).collect(),
            compression: compression(options).map_err(DataError::Encode)?,
            names: fields.iter().map(|field| field.name.clone()).collect(),
            options: options.parquet.clone(),
            row_group_bytes: row_group_bytes.min(block_size.unwrap_or(usize::MAX)).max(1),
        })
    }

    /// Bytes of memory a writer comes to hold beside the rows; rows that weigh less are cheaper kept as they are.
    pub fn writer_bytes(&self) -> usize {
        memory::writer_bytes(self.compression, self.parquet.num_columns())
    }

    /// The schema batches must have: the table's columns in order.
    pub fn arrow_schema(&self) -> &SchemaRef {
        &self.arrow
    }

    /// Bytes of encoded data at which a row group closes.
    pub fn row_group_bytes(&self) -> usize {
        self.row_group_bytes
    }

    /// The encoder's properties for a file whose first rows are `sample`.
    pub fn properties(&self, sample: &RecordBatch) -> WriterProperties {
        let leaves: Vec<ArrayRef> = sample.columns().iter().flat_map(leaves_of).collect();
        self.properties_if(|leaf| leaves.get(leaf).is_none_or(repeats))
    }

    /// Those of a file whose leaves get a dictionary if the options say so or, where these say nothing, `pays` does.
    pub(super) fn properties_if(&self, pays: impl Fn(usize) -> bool) -> WriterProperties {
        let ParquetOptions { page_size, page_row_count_limit, dictionary_page_size, .. } = &self.options;
        let page_rows = page_row_count_limit.unwrap_or(DEFAULT_DATA_PAGE_ROW_COUNT_LIMIT);
        let mut properties = WriterProperties::builder()
            .set_created_by(format!("{CREATOR} version {}", env!("CARGO_PKG_VERSION")))
            .set_writer_version(WriterVersion::PARQUET_1_0)
            .set_compression(self.compression)
            .set_data_page_size_limit(page_size.unwrap_or(DEFAULT_PAGE_SIZE))
            .set_data_page_row_count_limit(page_rows)
            // Limits are looked at after each of these.
            .set_write_batch_size(page_rows.min(DEFAULT_WRITE_BATCH_SIZE))
            .set_dictionary_page_size_limit(dictionary_page_size.unwrap_or(DEFAULT_DICTIONARY_PAGE_SIZE_LIMIT))
            // Page bounds of random text prune nothing and double the footer.
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_offset_index_disabled(true)
            .set_statistics_truncate_length(self.statistics_bytes());
        for (index, leaves) in self.leaves.iter().enumerate() {
            let name = &self.names[index];
            for leaf in leaves.clone() {
                let path = self.parquet.column(leaf).path().clone();
                if is_int96(&self.roots[index]) {
                    // Readers distrust the order of INT96 bounds; Paimon keeps only the null count.
                    properties = properties
                        .set_column_statistics_enabled(path.clone(), EnabledStatistics::None)
                        .set_column_dictionary_enabled(path, false);
                    continue;
                }
                let dictionary = self.options.dictionary_of(name, &path.string());
                if !dictionary.unwrap_or_else(|| pays(leaf)) {
                    properties = properties
                        .set_column_dictionary_enabled(path.clone(), false)
                        .set_column_data_page_size_limit(path, page_size.unwrap_or(PLAIN_PAGE_BYTES));
                }
            }
        }
        properties.build()
    }

    /// Bytes of a text bound that the encoder must keep so that the bound cut to the table's mode is the one cut from
    /// the whole value: `n` characters and one more to round up, of at most 4 bytes each.
    fn statistics_bytes(&self) -> Option<usize> {
        self.stats_modes
            .iter()
            .map(|mode| match mode {
                StatsMode::Full => None,
                StatsMode::Truncate(characters) => Some(4 * (characters + 1)),
                StatsMode::None | StatsMode::Counts => Some(64),
            })
            .try_fold(64, |most, bytes| bytes.map(|bytes| most.max(bytes)))
    }
}

/// `file.compression` as Parquet's codec. LZ4 is Hadoop's framing of it, which is what Paimon writes.
fn compression(options: &CoreOptions) -> Result<Compression, ParquetError> {
    Ok(match options.file_compression.as_str() {
        "zstd" => Compression::ZSTD(ZstdLevel::try_new(i32::from(options.file_compression_zstd_level))?),
        "snappy" => Compression::SNAPPY,
        "lz4" => Compression::LZ4,
        "gzip" => Compression::GZIP(GzipLevel::default()),
        "none" => Compression::UNCOMPRESSED,
        other => return Err(ParquetError::NYI(format!("compression `{other}`"))),
    })
}

/// The leaf columns of each of the `columns` columns.
fn leaf_ranges(parquet: &SchemaDescriptor, columns: usize) -> Arc<[Range<usize>]> {
    let mut ranges = vec![0..0; columns];
    for leaf in 0..parquet.num_columns() {
        let range: &mut Range<usize> = &mut ranges[parquet.get_column_root_idx(leaf)];
        *range = if range.end == 0 { leaf..leaf + 1 } else { range.start..leaf + 1 };
    }
    ranges.into()
}

/// The values in the leaves of a column, in the file's order; a primitive column is its only leaf.
pub(super) fn leaves_of(column: &ArrayRef) -> Vec<ArrayRef> {
    let slice = |values: &ArrayRef, offsets: &OffsetBuffer<i32>| {
        let first = offsets.first().copied().unwrap_or_default() as usize;
        let last = offsets.last().copied().unwrap_or_default() as usize;
        values.slice(first, last - first)
    };
    match column.data_type() {
        ArrowType::List(_) => {
            let list = column.as_list::<i32>();
            leaves_of(&slice(list.values(), list.offsets()))
        }
        ArrowType::Map(..) => {
            let map = column.as_map();
            [map.keys(), map.values()].into_iter().flat_map(|part| leaves_of(&slice(part, map.offsets()))).collect()
        }
        ArrowType::Struct(_) => column.as_struct().columns().iter().flat_map(leaves_of).collect(),
        _ => vec![Arc::clone(column)],
    }
}

pub(super) fn is_int96(root: &TypeRoot) -> bool {
    matches!(root, TypeRoot::Timestamp(7..) | TypeRoot::TimestampLtz(7..))
}

/// Whether the first rows of a column repeat themselves enough for a dictionary to pay: at least a quarter of them.
fn repeats(column: &ArrayRef) -> bool {
    let rows = column.len().min(SAMPLE_ROWS);
    if rows < MIN_SAMPLE_ROWS {
        return true;
    }
    let sample = column.slice(0, rows);
    let encoded = RowConverter::new(vec![SortField::new(sample.data_type().clone())])
        .and_then(|converter| converter.convert_columns(&[sample]));
    let Ok(encoded) = encoded else {
        return true;
    };
    let distinct: HashSet<&[u8]> = encoded.iter().map(|row| row.data()).collect();
    distinct.len() * 4 <= rows * 3
}
