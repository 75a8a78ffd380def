//! Writes one data file: record batches in, Parquet bytes and statistics out. Synchronous and without I/O; the caller
//! runs it on the Executor and uploads what it drains.
//!
//! Life cycle: [`WriterSpec::try_new`] once per table, then per file [`DataFileWriter::try_new`], `write` …,
//! `drain_encoded` whenever a row group was closed, `finish`. A row group closes when its encoded size reaches the
//! caller's bound, so that memory is bounded and uploads can start before the file ends.
//!
//! The files are those Paimon 0.9 reads: version 1 pages, PLAIN and dictionary encoding only, one compression for all
//! columns, no arrow schema. A column gets a dictionary only if the file's first rows repeat themselves there, and 64 KiB
//! pages where they do not: an attempt at a dictionary of random text costs 5 to 10 % of the time, and pages that stay
//! in the cache are compressed faster.
//!
//! Statistics are taken from what the Parquet encoder computes for its own footer; nothing is computed twice. Only NaN
//! is looked for here, because Parquet's bounds skip it while Paimon and Spark order it above all numbers: such a column
//! gets no bounds, neither in the footer nor in the manifest.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType as ArrowType, Decimal128Type, Float32Type, Float64Type, SchemaRef};
use arrow::row::{RowConverter, SortField};
use bytes::Bytes;
use paimon_format::{BinaryRow, CoreOptions, DataField, DataFileMeta, FileSource, SimpleStats, StatsMode, TypeRoot};
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::{Compression, GzipLevel, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::SchemaDescriptor;

use crate::arrow::{arrow_schema, check_columns, parquet_schema};
use crate::data_error::DataError;
use crate::write::int96::Int96Column;
use crate::write::memory::WriterMemory;
use crate::write::sink::EncodedSink;

mod int96;
mod memory;
mod sink;
mod stats;

/// Rows of a file's first batch that decide about dictionaries.
const SAMPLE_ROWS: usize = 4096;
/// Fewer rows than this decide nothing: a dictionary is tried.
const MIN_SAMPLE_ROWS: usize = 16;
/// Page size, in bytes before compression, of columns without a dictionary.
const PLAIN_PAGE_BYTES: usize = 64 << 10;

/// How the data files of one table are written.
#[derive(Clone, Debug)]
pub struct WriterSpec {
    arrow: SchemaRef,
    parquet: SchemaDescriptor,
    roots: Arc<[TypeRoot]>,
    /// Which of the file's leaf columns each column consists of; one, unless it is nested.
    leaves: Arc<[Range<usize>]>,
    stats_modes: Arc<[StatsMode]>,
    compression: Compression,
    /// `parquet.enable.dictionary`; `None`: decided per column and file.
    dictionary: Option<bool>,
    row_group_bytes: usize,
}

/// One data file being written.
pub struct DataFileWriter {
    spec: WriterSpec,
    file: SerializedFileWriter<EncodedSink>,
    factory: ArrowRowGroupWriterFactory,
    /// The row group being filled; empty between row groups.
    columns: Vec<Column>,
    memory: WriterMemory,
    /// Columns that hold a NaN in the open row group.
    nan_seen: Vec<bool>,
    /// Nulls of columns whose Parquet statistics are off (INT96).
    null_counts: Vec<i64>,
    rows: u64,
}

enum Column {
    /// A writer per leaf.
    Arrow(Vec<ArrowColumnWriter>),
    Int96(Int96Column),
}

/// What a finished file is, apart from its name.
#[derive(Clone, Debug, PartialEq)]
pub struct FileSummary {
    /// Rows in the file.
    pub rows: u64,
    /// Size in bytes.
    pub file_size: u64,
    /// Full-width statistics, in the order of the table's columns, reduced to `metadata.stats-mode`.
    pub stats: SimpleStats,
}

/// The end of a file.
#[derive(Debug)]
pub struct Finished {
    /// The encoded bytes that were not drained yet, in order; the footer is in the last piece.
    pub tail: Vec<Bytes>,
    /// The file as a whole.
    pub summary: FileSummary,
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
            dictionary: options.parquet_enable_dictionary,
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

    /// The encoder's properties for a file whose first rows are `sample`.
    pub fn properties(&self, sample: &RecordBatch) -> WriterProperties {
        let mut properties = WriterProperties::builder()
            .set_writer_version(WriterVersion::PARQUET_1_0)
            .set_compression(self.compression)
            // Page bounds of random text prune nothing and double the footer.
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_offset_index_disabled(true)
            .set_statistics_truncate_length(self.statistics_bytes());
        for (column, (root, range)) in sample.columns().iter().zip(self.roots.iter().zip(self.leaves.iter())) {
            for (leaf, values) in range.clone().zip(leaves_of(column)) {
                let path = self.parquet.column(leaf).path().clone();
                if is_int96(root) {
                    // Readers distrust the order of INT96 bounds; Paimon keeps only the null count.
                    properties = properties
                        .set_column_statistics_enabled(path.clone(), EnabledStatistics::None)
                        .set_column_dictionary_enabled(path, false);
                } else if !self.dictionary.unwrap_or_else(|| repeats(&values)) {
                    properties = properties
                        .set_column_dictionary_enabled(path.clone(), false)
                        .set_column_data_page_size_limit(path, PLAIN_PAGE_BYTES);
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
fn leaves_of(column: &ArrayRef) -> Vec<ArrayRef> {
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

fn is_int96(root: &TypeRoot) -> bool {
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

// === impl DataFileWriter ===

impl DataFileWriter {
    /// Starts a file. `sample` is the first batch that will be written (it is not written here).
    ///
    /// # Errors
    /// [`DataError::Rows`] when `sample` does not have the table's columns, [`DataError::Encode`].
    pub fn try_new(spec: &WriterSpec, sample: &RecordBatch) -> Result<Self, DataError> {
        check_columns(sample.columns(), &spec.arrow)?;
        let properties = Arc::new(spec.properties(sample));
        let memory = WriterMemory::new(spec.compression, &properties, &spec.parquet);
        let file = SerializedFileWriter::new(EncodedSink::default(), spec.parquet.root_schema_ptr(), properties)
            .map_err(DataError::Encode)?;
        Ok(Self {
            factory: ArrowRowGroupWriterFactory::new(&file, Arc::clone(&spec.arrow)),
            file,
            columns: Vec::new(),
            memory,
            nan_seen: vec![false; spec.roots.len()],
            null_counts: vec![0; spec.roots.len()],
            rows: 0,
            spec: spec.clone(),
        })
    }

    /// Encodes the rows; closes the row group when it has reached its size. After an error the file is lost.
    ///
    /// # Errors
    /// [`DataError::Rows`], [`DataError::NotNull`] or [`DataError::Value`] when the rows do not fit, and
    /// [`DataError::Encode`].
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), DataError> {
        let arrays = check_columns(batch.columns(), &self.spec.arrow)?;
        if batch.num_rows() == 0 {
            return Ok(());
        }
        if self.columns.is_empty() {
            self.columns = self.open_row_group().map_err(DataError::Encode)?;
        }
        let fields = self.spec.arrow.fields();
        let mut leaf = 0;
        for (index, (column, array)) in self.columns.iter_mut().zip(arrays).enumerate() {
            let field = &fields[index];
            let leaves = leaves_of(array);
            leaves.iter().try_for_each(|leaf| check_values(field.name(), leaf))?;
            self.nan_seen[index] |= leaves.iter().any(has_nan);
            match column {
                Column::Arrow(writers) => {
                    compute_leaves(field, array)
                        .and_then(|leaves| {
                            writers.iter_mut().zip(&leaves).try_for_each(|(writer, leaf)| writer.write(leaf))
                        })
                        .map_err(DataError::Encode)?;
                    let encoded = writers.iter().map(ArrowColumnWriter::get_estimated_total_bytes);
                    leaf += self.memory.wrote(leaf, array, encoded);
                }
                Column::Int96(buffer) => {
                    self.null_counts[index] += array.null_count() as i64;
                    buffer.push(array);
                    leaf += 1;
                }
            }
        }
        self.rows += batch.num_rows() as u64;
        if self.in_progress_bytes() >= self.spec.row_group_bytes {
            self.close_row_group()?;
        }
        Ok(())
    }

    /// Closes the row group now, for example because memory is short; its bytes can then be drained.
    ///
    /// # Errors
    /// [`DataError::Encode`].
    pub fn close_row_group(&mut self) -> Result<(), DataError> {
        self.flush_row_group().map_err(DataError::Encode)
    }

    /// The next piece of encoded bytes ready for the upload, in order; `None` when there is none right now.
    pub fn drain_encoded(&mut self) -> Option<Bytes> {
        self.file.inner_mut().pop()
    }

    /// Bytes of memory this writer holds: the open row group, the state of its compressors, and what is encoded and not
    /// drained.
    pub fn in_memory_bytes(&self) -> usize {
        let columns: usize = self
            .columns
            .iter()
            .map(|column| match column {
                Column::Arrow(writers) => writers.iter().map(ArrowColumnWriter::memory_size).sum(),
                Column::Int96(buffer) => buffer.bytes(),
            })
            .sum();
        columns + self.memory.bytes() + self.file.inner().held_bytes()
    }

    /// What the file would be in bytes if it were finished now; an estimate, for `target-file-size`.
    pub fn written_bytes(&self) -> u64 {
        (self.file.bytes_written() + self.in_progress_bytes()) as u64
    }

    /// Rows written so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Ends the file.
    ///
    /// # Errors
    /// [`DataError::Encode`], and [`DataError::Statistics`] when a bound cannot be recorded.
    pub fn finish(mut self) -> Result<Finished, DataError> {
        self.close_row_group()?;
        let metadata = self.file.finish().map_err(DataError::Encode)?;
        let columns = stats::of_file(&metadata, &self.spec, &self.null_counts);
        let columns: Vec<_> = columns
            .into_iter()
            .zip(self.spec.stats_modes.iter().zip(self.spec.roots.iter()))
            .map(|(column, (mode, root))| mode.apply(root, column))
            .collect();
        let stats = SimpleStats::encode(&self.spec.roots, &columns).map_err(DataError::Statistics)?;
        let sink = self.file.inner_mut();
        Ok(Finished {
            summary: FileSummary { rows: self.rows, file_size: sink.total_bytes(), stats },
            tail: std::iter::from_fn(|| sink.pop()).collect(),
        })
    }

    fn in_progress_bytes(&self) -> usize {
        self.columns
            .iter()
            .map(|column| match column {
                Column::Arrow(writers) => writers.iter().map(ArrowColumnWriter::get_estimated_total_bytes).sum(),
                Column::Int96(buffer) => buffer.bytes(),
            })
            .sum()
    }

    fn open_row_group(&self) -> Result<Vec<Column>, ParquetError> {
        let mut writers = self.factory.create_column_writers(self.file.flushed_row_groups().len())?.into_iter();
        Ok(self
            .spec
            .roots
            .iter()
            .zip(self.spec.leaves.iter())
            .map(|(root, leaves)| {
                let of_column = writers.by_ref().take(leaves.len()).collect();
                match is_int96(root) {
                    true => Column::Int96(Int96Column::default()),
                    false => Column::Arrow(of_column),
                }
            })
            .collect())
    }

    fn flush_row_group(&mut self) -> Result<(), ParquetError> {
        if self.columns.is_empty() {
            return Ok(());
        }
        let mut row_group = self.file.next_row_group()?;
        for (column, nan_seen) in self.columns.drain(..).zip(&mut self.nan_seen) {
            match column {
                Column::Arrow(writers) => {
                    for writer in writers {
                        let mut chunk = writer.close()?;
                        if *nan_seen {
                            stats::drop_float_bounds(&mut chunk.close_mut().metadata)?;
                        }
                        chunk.append_to_row_group(&mut row_group)?;
                    }
                    *nan_seen = false;
                }
                Column::Int96(buffer) => buffer.write_to(&mut row_group)?,
            }
        }
        row_group.close()?;
        self.memory.reset();
        self.file.flush()?;
        Ok(())
    }
}

/// Decimals of more digits than declared would be cut to another number by the encoder.
fn check_values(name: &str, array: &ArrayRef) -> Result<(), DataError> {
    if let ArrowType::Decimal128(precision, _) = *array.data_type() {
        array
            .as_primitive::<Decimal128Type>()
            .validate_decimal_precision(precision)
            .map_err(|error| DataError::Value { column: name.to_owned(), why: error.to_string() })?;
    }
    Ok(())
}

fn has_nan(array: &ArrayRef) -> bool {
    match array.data_type() {
        ArrowType::Float32 => array.as_primitive::<Float32Type>().iter().flatten().any(f32::is_nan),
        ArrowType::Float64 => array.as_primitive::<Float64Type>().iter().flatten().any(f64::is_nan),
        _ => false,
    }
}

/// The manifest's record of an append file. `creation_local_millis` is the local wall clock as if it were UTC, which is
/// how Paimon records it (`DataFileMeta.creationTime`).
pub fn append_meta(file_name: &str, summary: &FileSummary, schema_id: i64, creation_local_millis: i64) -> DataFileMeta {
    let rows = summary.rows as i64;
    DataFileMeta {
        file_name: file_name.to_owned(),
        file_size: summary.file_size as i64,
        row_count: rows,
        min_key: BinaryRow::EMPTY,
        max_key: BinaryRow::EMPTY,
        key_stats: SimpleStats::EMPTY,
        value_stats: summary.stats.clone(),
        min_sequence_number: 0,
        max_sequence_number: rows - 1,
        schema_id,
        level: 0,
        extra_files: Vec::new(),
        creation_time_millis: Some(creation_local_millis),
        delete_row_count: Some(0),
        embedded_index: None,
        file_source: Some(FileSource::Append),
        value_stats_cols: None,
        external_path: None,
        first_row_id: None,
        write_cols: None,
    }
}

#[cfg(test)]
pub(crate) mod tests;
