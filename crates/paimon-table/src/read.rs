//! Reads data files: the columns asked for, as record batches of the table's types.
//!
//! Decoding is fed with byte ranges as it asks for them (one row group's chosen columns at a time), so memory is bounded
//! by a row group whatever the file's size. Columns are found by name, as Paimon does inside a file; what other writers
//! of the format choose differently (wider text types, other timestamp units, INT96) is brought to the table's types.
//!
//! Rows of other schemas of the table become the wanted ones in [`crate::evolution`]. Not here: which files belong to a
//! snapshot (a scan plan), filtering.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{
    DataType as ArrowType, Field, Schema, SchemaRef, TimeUnit, TimestampNanosecondType, TimestampSecondType,
};
use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt};
use paimon_format::names::bucket_dir;
use paimon_format::partition::partition_path;
use paimon_format::{DataField, ManifestEntry, TableSchema};
use parquet::DecodeResult;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::arrow::push_decoder::{ParquetPushDecoder, ParquetPushDecoderBuilder};
use parquet::basic::Type as PhysicalType;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataPushDecoder};
use tributary_runtime::Executor;

use crate::arrow::arrow_schema;
use crate::data_error::DataError;
use crate::error::TableError;
use crate::evolution::Evolution;
use crate::read::adapt::Misfit;
use crate::store::Storage;
use crate::table::Table;

mod adapt;
mod row_groups;

pub use row_groups::{OpenFile, RowGroup, open_alike};

/// Rows of a batch, unless a row group ends before.
const BATCH_ROWS: usize = 8192;
/// Bytes fetched with the footer's end; most footers fit.
const FOOTER_BYTES: u64 = 32 << 10;

/// A data file as a manifest describes it.
#[derive(Clone, Debug)]
pub struct DataFile {
    storage: Storage,
    rel: String,
    /// The path as errors show it.
    path: String,
    size: u64,
    /// Where rows are decoded.
    executor: Executor,
}

/// A column of the file, in the order asked for.
struct Wanted {
    /// Its place among the decoded columns.
    decoded: usize,
    field: Field,
}

/// Streams `fields`, columns of the table's schema, of the rows of a planned file, whatever schema it was written with.
///
/// # Errors
/// [`DataError::Unsupported`] for a file outside the table's folder or a change of a column's type that is not followed,
/// [`DataError::Corrupt`] when the file's schema is missing, else those of [`DataFile::read`].
pub async fn read_file(
    table: &Table,
    entry: &ManifestEntry,
    fields: &[DataField],
) -> Result<BoxStream<'static, Result<RecordBatch, DataError>>, DataError> {
    read_file_on(table, entry, fields, &Executor::inline()).await
}

/// The same, decoded on `executor`.
///
/// # Errors
/// As [`read_file`].
pub async fn read_file_on(
    table: &Table,
    entry: &ManifestEntry,
    fields: &[DataField],
    executor: &Executor,
) -> Result<BoxStream<'static, Result<RecordBatch, DataError>>, DataError> {
    let (file, written) = planned(table, entry, executor).await?;
    if written.id == table.schema().id {
        return file.read(fields).await;
    }
    let evolution = Evolution::try_new(&written, fields).map_err(|why| file.unsupported(why))?;
    let rows = file.clone().read(evolution.reads()).await?;
    let evolved = rows.map(move |batch| evolution.apply(&batch?).map_err(|why| file.unsupported(why)));
    Ok(evolved.boxed())
}

/// A planned file, and the schema it was written with.
async fn planned(
    table: &Table,
    entry: &ManifestEntry,
    executor: &Executor,
) -> Result<(DataFile, Arc<TableSchema>), DataError> {
    let rel = file_path(table, entry)?;
    let size = u64::try_from(entry.file.file_size).unwrap_or(0);
    let file = DataFile { executor: executor.clone(), ..DataFile::new(table.storage(), rel, size) };
    if entry.file.external_path.is_some() {
        return Err(file.unsupported("it lies outside the table's folder (data-file.external-paths)".to_owned()));
    }
    match table.schema_of(entry.file.schema_id).await {
        Ok(Some(written)) => Ok((file, written)),
        Ok(None) => Err(file.corrupt(format!("its schema, {}, is missing", entry.file.schema_id))),
        Err(TableError::Store(source)) => Err(source.into()),
        Err(error) => Err(file.corrupt(error.to_string())),
    }
}

/// Where a file lies below its table: `dt=…/hh=…/bucket-0/data-….parquet`.
///
/// # Errors
/// [`DataError::Corrupt`] when its partition does not fit the table's partition columns.
pub fn file_path(table: &Table, entry: &ManifestEntry) -> Result<String, DataError> {
    let schema = table.schema();
    let types = schema.partition_types();
    let default_name = &table.options().partition_default_name;
    let folder = entry
        .partition
        .decode(&types)
        .and_then(|values| partition_path(&schema.partition_keys, &types, &values, default_name))
        .map_err(|error| DataError::Corrupt { path: entry.file.file_name.clone(), why: error.to_string() })?;
    let bucket = bucket_dir(entry.bucket);
    let name = &entry.file.file_name;
    Ok(if folder.is_empty() { format!("{bucket}/{name}") } else { format!("{folder}/{bucket}/{name}") })
}

// === impl DataFile ===

impl DataFile {
    /// The file `rel` of `storage`, which is `size` bytes long.
    pub fn new(storage: &Storage, rel: impl Into<String>, size: u64) -> Self {
        let rel = rel.into();
        Self { path: storage.location(&rel), storage: storage.clone(), rel, size, executor: Executor::inline() }
    }

    /// Opens the file and streams `fields`, columns of the file's own schema, of every row, in file order; the batches have [`arrow_schema`]`(fields)`.
    /// Without fields the batches have rows and no columns.
    ///
    /// # Errors
    /// [`DataError::Corrupt`] when the bytes are not those that were written, [`DataError::Unsupported`] when a column
    /// is missing or holds something its type cannot, [`DataError::Store`]. The stream ends with its first error.
    pub async fn read(
        self,
        fields: &[DataField],
    ) -> Result<BoxStream<'static, Result<RecordBatch, DataError>>, DataError> {
        let OpenFile { file, metadata } = self.open().await?;
        file.rows(&metadata, fields, None)
    }

    /// The same with the footer at hand, of some row groups or of all.
    fn rows(
        self,
        metadata: &Arc<ParquetMetaData>,
        fields: &[DataField],
        row_groups: Option<&[usize]>,
    ) -> Result<BoxStream<'static, Result<RecordBatch, DataError>>, DataError> {
        let target = arrow_schema(fields);
        let file_schema = self.file_schema(metadata)?;
        let mut indices = Vec::with_capacity(fields.len());
        for field in fields {
            let index = file_schema
                .index_of(&field.name)
                .map_err(|_| self.unsupported(format!("it has no column `{}`, which its schema has", field.name)))?;
            if holds_nested_int96(metadata, index) {
                let why = format!("column `{}` holds nested timestamps stored as INT96", field.name);
                return Err(self.unsupported(why));
            }
            indices.push(index);
        }
        let int96: Vec<usize> = indices.iter().copied().filter(|index| is_int96(metadata, *index)).collect();
        let check = match needs_range_check(&target, &indices, &int96) {
            true => Some(self.decoder(metadata, &file_schema, row_groups, &int96, |_| TimeUnit::Second)?),
            false => None,
        };
        let rows = self.decoder(metadata, &file_schema, row_groups, &indices, |index| {
            let position = indices.iter().position(|wanted| *wanted == index);
            match position.map(|position| target.field(position).data_type()) {
                Some(ArrowType::Timestamp(unit, _)) => *unit,
                _ => TimeUnit::Nanosecond,
            }
        })?;
        let wanted = wanted(&indices, &target);
        let reading = Reading { file: self, rows: Some(rows), check, target, wanted };
        let stream = futures::stream::unfold(Some(reading), |reading| async {
            let mut reading = reading?;
            match reading.next().await {
                Ok(Some(batch)) => Some((Ok(batch), Some(reading))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        });
        Ok(stream.boxed())
    }

    async fn metadata(&self) -> Result<ParquetMetaData, DataError> {
        let corrupt = |error: ParquetError| self.corrupt(error.to_string());
        let mut decoder = ParquetMetaDataPushDecoder::try_new(self.size).map_err(corrupt)?;
        let footer = self.size.saturating_sub(FOOTER_BYTES)..self.size;
        let bytes = self.fetch(std::slice::from_ref(&footer)).await?;
        decoder.push_ranges(vec![footer], bytes).map_err(corrupt)?;
        loop {
            match decoder.try_decode().map_err(corrupt)? {
                DecodeResult::Data(metadata) => return Ok(metadata),
                DecodeResult::NeedsData(ranges) => {
                    let bytes = self.fetch(&ranges).await?;
                    decoder.push_ranges(ranges, bytes).map_err(corrupt)?;
                }
                DecodeResult::Finished => return Err(self.corrupt("it has no footer".to_owned())),
            }
        }
    }

    /// The file's columns as arrow sees them without a hint.
    fn file_schema(&self, metadata: &Arc<ParquetMetaData>) -> Result<SchemaRef, DataError> {
        ArrowReaderMetadata::try_new(Arc::clone(metadata), reader_options())
            .map(|metadata| Arc::clone(metadata.schema()))
            .map_err(|error| self.corrupt(error.to_string()))
    }

    /// A decoder of the columns at `indices`, which decodes INT96 in the unit `unit_of` says.
    fn decoder(
        &self,
        metadata: &Arc<ParquetMetaData>,
        file_schema: &SchemaRef,
        row_groups: Option<&[usize]>,
        indices: &[usize],
        unit_of: impl Fn(usize) -> TimeUnit,
    ) -> Result<ParquetPushDecoder, DataError> {
        let hinted: Vec<Field> = file_schema
            .fields()
            .iter()
            .enumerate()
            .map(|(index, field)| match is_int96(metadata, index) {
                true => field.as_ref().clone().with_data_type(ArrowType::Timestamp(unit_of(index), None)),
                false => field.as_ref().clone(),
            })
            .collect();
        let options = reader_options().with_schema(Arc::new(Schema::new(hinted)));
        let mask = ProjectionMask::roots(metadata.file_metadata().schema_descr(), indices.iter().copied());
        ArrowReaderMetadata::try_new(Arc::clone(metadata), options)
            .and_then(|metadata| {
                let decoder = ParquetPushDecoderBuilder::new_with_metadata(metadata)
                    .with_batch_size(BATCH_ROWS)
                    .with_projection(mask);
                match row_groups {
                    Some(row_groups) => decoder.with_row_groups(row_groups.to_vec()).build(),
                    None => decoder.build(),
                }
            })
            .map_err(|error| self.corrupt(error.to_string()))
    }

    async fn fetch(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, DataError> {
        let path = self.storage.try_path(&self.rel)?;
        let error = match self.storage.store.get_ranges(&path, ranges).await {
            Ok(pieces) if is_complete(ranges, &pieces) => return Ok(pieces),
            // Some stores answer with what there is of a range.
            Ok(_) => self.corrupt("it ends too early".to_owned()),
            Err(error) => self.storage.failed("read", &path)(error).into(),
        };
        // A file that was cut short fails like a store in trouble; its size tells them apart.
        match self.storage.size_opt(&self.rel).await {
            Ok(Some(size)) if size != self.size => {
                let why = format!("it is {size} bytes long and should be {}", self.size);
                Err(self.corrupt(why))
            }
            _ => Err(error),
        }
    }

    fn unsupported(&self, feature: String) -> DataError {
        DataError::Unsupported { path: self.path.clone(), feature }
    }

    fn corrupt(&self, why: String) -> DataError {
        DataError::Corrupt { path: self.path.clone(), why }
    }
}

fn is_complete(ranges: &[Range<u64>], pieces: &[Bytes]) -> bool {
    let lengths = pieces.iter().map(|piece| piece.len() as u64);
    ranges.iter().map(|range| range.end - range.start).eq(lengths)
}

fn reader_options() -> ArrowReaderOptions {
    // The table's schema decides about types, not what the writer's arrow version noted down.
    ArrowReaderOptions::new().with_skip_arrow_metadata(true)
}

fn is_int96(metadata: &ParquetMetaData, root_index: usize) -> bool {
    let schema = metadata.file_metadata().schema();
    let column = schema.get_fields().get(root_index);
    column.is_some_and(|column| column.is_primitive() && column.get_physical_type() == PhysicalType::INT96)
}

/// Whether a nested column has INT96 in it, which would be decoded without a check of its range.
fn holds_nested_int96(metadata: &ParquetMetaData, root_index: usize) -> bool {
    let schema = metadata.file_metadata().schema_descr();
    let mut leaves = (0..schema.num_columns()).filter(|leaf| schema.get_column_root_idx(*leaf) == root_index);
    !schema.root_schema().get_fields()[root_index].is_primitive()
        && leaves.any(|leaf| schema.column(leaf).physical_type() == PhysicalType::INT96)
}

/// Whether an INT96 column is read as 64-bit nanoseconds, which hold only the years 1678 to 2261.
fn needs_range_check(target: &Schema, indices: &[usize], int96: &[usize]) -> bool {
    indices.iter().zip(target.fields()).any(|(index, field)| {
        int96.contains(index) && matches!(field.data_type(), ArrowType::Timestamp(TimeUnit::Nanosecond, _))
    })
}

fn wanted(indices: &[usize], target: &Schema) -> Vec<Wanted> {
    let mut in_file_order = indices.to_vec();
    in_file_order.sort_unstable();
    indices
        .iter()
        .zip(target.fields())
        .map(|(index, field)| Wanted {
            decoded: in_file_order.partition_point(|other| other < index),
            field: field.as_ref().clone(),
        })
        .collect()
}

/// A file in the course of being read.
struct Reading {
    file: DataFile,
    /// `None` after its end.
    rows: Option<ParquetPushDecoder>,
    /// The INT96 columns once more, in seconds.
    check: Option<ParquetPushDecoder>,
    target: SchemaRef,
    wanted: Vec<Wanted>,
}

// === impl Reading ===

impl Reading {
    async fn next(&mut self) -> Result<Option<RecordBatch>, DataError> {
        let Some(batch) = next_batch(&self.file, &mut self.rows).await? else {
            return Ok(None);
        };
        if self.check.is_some() {
            let seconds = next_batch(&self.file, &mut self.check).await?;
            self.check_range(&batch, seconds.as_ref())?;
        }
        let columns = self
            .wanted
            .iter()
            .map(|wanted| self.adapt(batch.column(wanted.decoded), &wanted.field))
            .collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&self.target), columns, &options)
            .map(Some)
            .map_err(|error| self.file.corrupt(error.to_string()))
    }

    /// Refuses timestamps that nanoseconds in 64 bits cannot hold; the decoder would return others in their place.
    fn check_range(&self, batch: &RecordBatch, seconds: Option<&RecordBatch>) -> Result<(), DataError> {
        for column in seconds.map_or(&[][..], RecordBatch::columns).iter().zip(int96_columns(batch, seconds)) {
            let (exact, (name, nanos)) = column;
            let exact = exact.as_primitive::<TimestampSecondType>();
            let Some(nanos) = nanos.as_primitive_opt::<TimestampNanosecondType>() else {
                continue;
            };
            // What wraps is off by centuries. A second is none: before 1970, Java writes a negative time of the day
            // (Paimon 1.3), of which the decoder's seconds are rounded up.
            let wrapped = exact.iter().zip(nanos).any(|(exact, nanos)| match (exact, nanos) {
                (Some(exact), Some(nanos)) => exact.abs_diff(nanos.div_euclid(1_000_000_000)) > 1,
                (exact, nanos) => exact.is_some() != nanos.is_some(),
            });
            if wrapped {
                return Err(self.file.unsupported(format!(
                    "column `{name}` holds a timestamp before 1677-09-21 or after 2262-04-11 with nanoseconds"
                )));
            }
        }
        Ok(())
    }

    fn adapt(&self, array: &ArrayRef, field: &Field) -> Result<ArrayRef, DataError> {
        adapt::column(array, field).map_err(|misfit| match misfit {
            Misfit::Type(feature) => self.file.unsupported(feature),
            Misfit::Value(why) => self.file.corrupt(why),
        })
    }
}

/// The columns of `batch` that `seconds` holds too, by name.
fn int96_columns<'a>(
    batch: &'a RecordBatch,
    seconds: Option<&'a RecordBatch>,
) -> impl Iterator<Item = (String, ArrayRef)> + 'a {
    let names = seconds
        .into_iter()
        .flat_map(|seconds| seconds.schema().fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>());
    names.filter_map(|name| {
        let column = batch.column_by_name(&name)?;
        Some((name, Arc::clone(column)))
    })
}

async fn next_batch(
    file: &DataFile,
    decoder: &mut Option<ParquetPushDecoder>,
) -> Result<Option<RecordBatch>, DataError> {
    let corrupt = |error: ParquetError| file.corrupt(error.to_string());
    while let Some(mut decoding) = decoder.take() {
        let decode = move || (decoding.try_decode(), decoding);
        let (decoded, mut decoding) = file.executor.run(decode).await?;
        match decoded.map_err(corrupt)? {
            DecodeResult::Data(batch) => {
                *decoder = Some(decoding);
                return Ok(Some(batch));
            }
            DecodeResult::Finished => break,
            DecodeResult::NeedsData(ranges) => {
                let bytes = file.fetch(&ranges).await?;
                decoding.push_ranges(ranges, bytes).map_err(corrupt)?;
                *decoder = Some(decoding);
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
