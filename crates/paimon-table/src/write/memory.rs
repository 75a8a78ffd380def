//! What an open writer holds beside its encoders' buffers, which know their own size: above all the compressors. Every
//! column has one, its memory is C's and nobody counts it; with zstd it is most of what an open file costs.
//!
//! A compressor takes its memory when the column's first page is compressed and gives it back with the row group. All
//! figures are resident bytes, measured by `tests/writer_memory.rs`.

use arrow::array::{Array, ArrayRef};
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::SchemaDescriptor;

const KIB: usize = 1 << 10;
/// Of a file.
const FILE_BYTES: usize = 32 * KIB;
/// Of a column, with what its buffers are rounded up to.
const COLUMN_BYTES: usize = 4 * KIB;
/// Of a column's encoder once it holds rows.
const ENCODER_BYTES: usize = 32 * KIB;

/// The memory of one file's writer apart from its encoders, by leaf column.
#[derive(Debug)]
pub(super) struct WriterMemory {
    codec: CodecBytes,
    page_rows: usize,
    columns: Vec<ColumnPages>,
}

#[derive(Debug)]
struct ColumnPages {
    /// Bytes of values that fill a page for certain; a dictionary's indices say nothing about them.
    page_bytes: Option<usize>,
    /// Encoded bytes that cannot all be in the open page.
    encoded_bytes: usize,
    pushed_bytes: usize,
    pushed_rows: usize,
    compressed: bool,
}

/// What one compressor holds.
#[derive(Debug)]
struct CodecBytes {
    /// Before its first page.
    idle: usize,
    /// From then on.
    used: usize,
}

/// What a writer holds, beside the rows, that has compressed a page of each of `columns` columns.
pub(super) fn writer_bytes(compression: Compression, columns: usize) -> usize {
    FILE_BYTES + columns * (COLUMN_BYTES + CodecBytes::of(compression).used.max(ENCODER_BYTES))
}

// === impl WriterMemory ===

impl WriterMemory {
    pub(super) fn new(compression: Compression, properties: &WriterProperties, schema: &SchemaDescriptor) -> Self {
        let columns = schema.columns().iter().map(|column| {
            let encoded_bytes = properties.column_data_page_size_limit(column.path());
            let dictionary = properties.dictionary_enabled(column.path());
            let page_bytes = (!dictionary).then_some(encoded_bytes);
            ColumnPages { page_bytes, encoded_bytes, pushed_bytes: 0, pushed_rows: 0, compressed: false }
        });
        Self {
            codec: CodecBytes::of(compression),
            page_rows: properties.data_page_row_count_limit(),
            columns: columns.collect(),
        }
    }

    /// `array` was written to the leaves from `first` on, whose pages are now about `encoded` bytes each. Returns how
    /// many leaves these are.
    pub(super) fn wrote(
        &mut self,
        first: usize,
        array: &ArrayRef,
        encoded: impl ExactSizeIterator<Item = usize>,
    ) -> usize {
        let leaves = encoded.len();
        // No size means an exotic layout; it counts when its pages show.
        let bytes = array.to_data().get_slice_memory_size().unwrap_or(0) / leaves.max(1);
        for (column, encoded_bytes) in self.columns.iter_mut().skip(first).zip(encoded) {
            column.pushed_rows += array.len();
            column.pushed_bytes += bytes;
            column.compressed |= column.pushed_rows >= self.page_rows
                || encoded_bytes >= column.encoded_bytes
                || column.page_bytes.is_some_and(|page_bytes| column.pushed_bytes >= page_bytes);
        }
        leaves
    }

    /// The row group was closed.
    pub(super) fn reset(&mut self) {
        for column in &mut self.columns {
            column.compressed = false;
            (column.pushed_rows, column.pushed_bytes) = (0, 0);
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let column = |column: &ColumnPages| match column {
            ColumnPages { compressed: true, .. } => self.codec.used,
            ColumnPages { pushed_rows: 0, .. } => 0,
            _ => self.codec.idle,
        };
        FILE_BYTES + self.columns.iter().map(|pages| COLUMN_BYTES + column(pages)).sum::<usize>()
    }
}

// === impl CodecBytes ===

impl CodecBytes {
    fn of(compression: Compression) -> Self {
        match compression {
            Compression::ZSTD(level) => Self {
                idle: 24 * KIB,
                used: match level.compression_level() {
                    ..=1 => 288 * KIB,
                    2..=5 => 640 * KIB,
                    6..=11 => 960 * KIB,
                    _ => 2560 * KIB,
                },
            },
            Compression::UNCOMPRESSED => Self { idle: 0, used: 0 },
            _ => Self { idle: 0, used: 32 * KIB },
        }
    }
}
