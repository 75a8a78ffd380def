//! A file's row groups one by one: as rows, or encoded as they lie there, for a file that is made of them.

use std::sync::Arc;

use arrow::array::RecordBatch;
use bytes::Bytes;
use futures::stream::BoxStream;
use paimon_format::{DataField, DataType, ManifestEntry};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};
use tributary_runtime::Executor;

use crate::data_error::DataError;
use crate::read::{DataFile, planned};
use crate::table::Table;

/// A data file whose footer is at hand. Clones share it.
#[derive(Clone, Debug)]
pub struct OpenFile {
    pub(super) file: DataFile,
    pub(super) metadata: Arc<ParquetMetaData>,
}

/// A row group, encoded.
#[derive(Debug)]
pub struct RowGroup {
    /// As the file has it that it is from.
    pub(crate) metadata: RowGroupMetaData,
    /// The bytes of each column chunk.
    pub(crate) chunks: Vec<Bytes>,
}

/// Opens a planned file; `None` if it was written for other columns than the table has by now, or in another order.
/// Other options do not matter.
///
/// # Errors
/// As [`crate::read::read_file`].
pub async fn open_alike(
    table: &Table,
    entry: &ManifestEntry,
    executor: &Executor,
) -> Result<Option<OpenFile>, DataError> {
    let (file, written) = planned(table, entry, executor).await?;
    fn column(field: &DataField) -> (i32, &str, &DataType) {
        (field.id, &field.name, &field.data_type)
    }
    if !written.fields.iter().map(column).eq(table.schema().fields.iter().map(column)) {
        return Ok(None);
    }
    file.open().await.map(Some)
}

// === impl DataFile ===

impl DataFile {
    /// Reads the footer.
    ///
    /// # Errors
    /// [`DataError::Corrupt`] when there is none, [`DataError::Store`].
    pub async fn open(self) -> Result<OpenFile, DataError> {
        let metadata = Arc::new(self.metadata().await?);
        Ok(OpenFile { file: self, metadata })
    }
}

// === impl OpenFile ===

impl OpenFile {
    /// The footer.
    pub fn metadata(&self) -> &ParquetMetaData {
        &self.metadata
    }

    /// Streams `fields` of the rows of these row groups, as [`DataFile::read`] does.
    ///
    /// # Errors
    /// As [`DataFile::read`].
    pub fn read(
        &self,
        fields: &[DataField],
        row_groups: &[usize],
    ) -> Result<BoxStream<'static, Result<RecordBatch, DataError>>, DataError> {
        self.file.clone().rows(&self.metadata, fields, Some(row_groups))
    }

    /// Fetches a row group as it is. It is in memory as a whole then.
    ///
    /// # Errors
    /// [`DataError::Corrupt`] when there is no such row group or the file ends before it, [`DataError::Store`].
    pub async fn fetch(&self, row_group: usize) -> Result<RowGroup, DataError> {
        let Some(metadata) = self.metadata.row_groups().get(row_group) else {
            return Err(self.file.corrupt(format!("it has no row group {row_group}")));
        };
        let range = |chunk: &ColumnChunkMetaData| {
            let (start, bytes) = chunk.byte_range();
            start..start + bytes
        };
        let ranges: Vec<_> = metadata.columns().iter().map(range).collect();
        Ok(RowGroup { chunks: self.file.fetch(&ranges).await?, metadata: metadata.clone() })
    }
}
