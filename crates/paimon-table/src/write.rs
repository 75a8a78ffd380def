//! Writes one data file: record batches in, Parquet bytes and statistics out. Synchronous and without I/O; the caller
//! runs it on the Executor and uploads what it drains.
//!
//! Life cycle: [`WriterSpec::try_new`] once per table, then per file [`DataFileWriter::try_new`], `write` …,
//! `drain_encoded` whenever a row group was closed, `finish`. A row group closes when its encoded size reaches the
//! caller's bound, so that memory is bounded and uploads can start before the file ends.
//!
//! Statistics are taken from what the Parquet encoder computes for its own footer; nothing is computed twice. Only NaN
//! is looked for here, because Parquet's bounds skip it while Paimon and Spark order it above all numbers: such a column
//! gets no bounds, neither in the footer nor in the manifest.
//!
//! Row groups of other files of ours can be appended without being decoded ([`WriterSpec::copyable`]).

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType as ArrowType, Decimal128Type, Float32Type, Float64Type};
use bytes::Bytes;
use paimon_format::{BinaryRow, DataFileMeta, FileSource, SimpleStats};
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;

use crate::arrow::check_columns;
use crate::data_error::DataError;
use crate::write::int96::Int96Column;
use crate::write::memory::WriterMemory;
use crate::write::sink::EncodedSink;
use crate::write::spec::{is_int96, leaves_of};

mod copy;
mod int96;
mod memory;
mod sink;
mod spec;
mod stats;

pub use sink::PIECE_BYTES;
pub use spec::WriterSpec;

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

// === impl DataFileWriter ===

impl DataFileWriter {
    /// Starts a file. `sample` is the first batch that will be written (it is not written here).
    ///
    /// # Errors
    /// [`DataError::Rows`] when `sample` does not have the table's columns, [`DataError::Encode`].
    pub fn try_new(spec: &WriterSpec, sample: &RecordBatch) -> Result<Self, DataError> {
        check_columns(sample.columns(), &spec.arrow)?;
        Self::with(spec, spec.properties(sample))
    }

    fn with(spec: &WriterSpec, properties: WriterProperties) -> Result<Self, DataError> {
        let properties = Arc::new(properties);
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
