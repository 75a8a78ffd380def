//! Row groups of other files, taken over as they are: a few pointers change, nothing is decoded.
//!
//! The statistics of the new file are read off what the old footers say, so only row groups of our own writer qualify:
//! other writers' bounds leave NaN out, or do not say whether they were cut.

use paimon_format::{StatsMode, TypeRoot};
use parquet::basic::CompressionCodec;
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::statistics::Statistics;

use crate::data_error::DataError;
use crate::read::RowGroup;
use crate::write::spec::{CREATOR, is_int96};
use crate::write::{DataFileWriter, WriterSpec};

// === impl WriterSpec ===

impl WriterSpec {
    /// The row groups of a file with this footer that [`DataFileWriter::append`] takes, such that the file they go to is as
    /// good as one encoded from their rows: with the same columns in the same codec, and the same statistics in the manifest.
    /// None of a table that has timestamps of more than six digits: footers do not count their nulls.
    pub fn copyable(&self, footer: &ParquetMetaData) -> Vec<usize> {
        let file = footer.file_metadata();
        if file.created_by().and_then(|by| by.split(' ').next()) != Some(CREATOR)
            || file.schema() != self.parquet.root_schema()
            || self.roots.iter().any(is_int96)
        {
            return Vec::new();
        }
        let groups = footer.row_groups().iter().enumerate();
        groups.filter(|(_, group)| self.takes(group.columns())).map(|(index, _)| index).collect()
    }

    fn takes(&self, chunks: &[ColumnChunkMetaData]) -> bool {
        let codec = CompressionCodec::from(self.compression);
        let columns = self.roots.iter().zip(self.stats_modes.iter()).zip(self.leaves.iter());
        chunks.iter().all(|chunk| chunk.compression_codec() == codec)
            && columns.filter(|((root, _), _)| !root.is_nested()).all(|((root, mode), leaves)| {
                let statistics = chunks[leaves.start].statistics();
                statistics.is_some_and(|statistics| has_bounds_for(*mode, root, statistics))
            })
    }
}

/// Whether the bounds of a column chunk, cut to `mode`, are those of its values: the encoder may have cut them shorter,
/// for the mode of its time.
fn has_bounds_for(mode: StatsMode, root: &TypeRoot, statistics: &Statistics) -> bool {
    let (Statistics::ByteArray(all), TypeRoot::Char(_) | TypeRoot::Varchar(_)) = (statistics, root) else {
        return true;
    };
    let longer_than = |characters: usize| {
        let is_longer =
            |bound: &[u8]| std::str::from_utf8(bound).is_ok_and(|text| text.chars().nth(characters).is_some());
        (all.min_is_exact() || all.min_bytes_opt().is_none_or(is_longer))
            && (all.max_is_exact() || all.max_bytes_opt().is_none_or(is_longer))
    };
    match mode {
        StatsMode::None | StatsMode::Counts => true,
        StatsMode::Truncate(characters) => longer_than(characters),
        // Nothing is: only what was not cut will do.
        StatsMode::Full => longer_than(usize::MAX),
    }
}

// === impl DataFileWriter ===

impl DataFileWriter {
    /// Starts a file whose first row group is going to be `group`. Rows that follow are encoded like it.
    ///
    /// # Errors
    /// [`DataError::Encode`].
    pub fn try_new_like(spec: &WriterSpec, group: &RowGroup) -> Result<Self, DataError> {
        let has_dictionary = |leaf: usize| group.metadata.column(leaf).dictionary_page_offset().is_some();
        Self::with(spec, spec.properties_if(has_dictionary))
    }

    /// Closes the row group and adds `group`, one that is [`WriterSpec::copyable`], as it is. After an error the file is lost.
    ///
    /// # Errors
    /// [`DataError::Encode`].
    pub fn append(&mut self, group: RowGroup) -> Result<(), DataError> {
        self.close_row_group()?;
        self.copy(group).map_err(DataError::Encode)
    }

    fn copy(&mut self, RowGroup { metadata, chunks }: RowGroup) -> Result<(), ParquetError> {
        let rows = metadata.num_rows() as u64;
        let mut row_group = self.file.next_row_group()?;
        for (chunk, bytes) in metadata.columns().iter().zip(chunks) {
            let closed = ColumnCloseResult {
                bytes_written: bytes.len() as u64,
                rows_written: rows,
                metadata: alone(chunk)?,
                bloom_filter: None,
                column_index: None,
                offset_index: None,
            };
            row_group.append_column(&bytes, closed)?;
        }
        row_group.close()?;
        self.rows += rows;
        self.file.flush()?;
        Ok(())
    }
}

/// The chunk as if its bytes were a file.
fn alone(chunk: &ColumnChunkMetaData) -> Result<ColumnChunkMetaData, ParquetError> {
    let start = chunk.byte_range().0 as i64;
    chunk
        .clone()
        .into_builder()
        .set_data_page_offset(chunk.data_page_offset() - start)
        .set_dictionary_page_offset(chunk.dictionary_page_offset().map(|offset| offset - start))
        .build()
}
