//! Sorted runs on disk: arrow's IPC stream, not compressed, in files without a name.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;

use super::SortError;

/// A run. Its space is free again when this, or its reader, is dropped.
pub struct SpilledRun {
    file: File,
    folder: PathBuf,
    bytes: u64,
}

/// The batches of a run, in order.
pub(super) struct RunReader {
    reader: StreamReader<BufReader<File>>,
    folder: PathBuf,
}

// === impl SpilledRun ===

impl SpilledRun {
    /// Writes the batches to a new file in `folder`.
    pub(super) fn write(
        folder: &Path,
        schema: &Schema,
        batches: impl Iterator<Item = Result<RecordBatch, SortError>>,
    ) -> Result<Self, SortError> {
        let failed = |error: ArrowError| failed(folder, error);
        let file = tempfile::tempfile_in(folder).map_err(|error| failed(error.into()))?;
        let mut writer = StreamWriter::try_new(BufWriter::new(file), schema).map_err(failed)?;
        for batch in batches {
            writer.write(&batch?).map_err(failed)?;
        }
        let mut writer = writer.into_inner().map_err(failed)?;
        writer.flush().map_err(|error| failed(error.into()))?;
        let mut file = writer.into_inner().map_err(|error| failed(error.into_error().into()))?;
        let bytes = file.stream_position().map_err(|error| failed(error.into()))?;
        Ok(Self { file, folder: folder.to_owned(), bytes })
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn read(mut self) -> Result<RunReader, SortError> {
        let open = || {
            self.file.seek(SeekFrom::Start(0))?;
            StreamReader::try_new(BufReader::new(self.file), None)
        };
        match open() {
            Ok(reader) => Ok(RunReader { reader, folder: self.folder }),
            Err(error) => Err(failed(&self.folder, error)),
        }
    }
}

// === impl RunReader ===

impl Iterator for RunReader {
    type Item = Result<RecordBatch, SortError>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.reader.next()?.map_err(|error| failed(&self.folder, error)))
    }
}

fn failed(folder: &Path, error: ArrowError) -> SortError {
    match error {
        ArrowError::IoError(_, source) => SortError::Spill { folder: folder.to_owned(), source },
        error => SortError::Arrow(error),
    }
}

/// What to do about it, as the end of a sentence.
pub(super) fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "; make room there, choose another spill folder, or give the compaction more memory"
        }
        ErrorKind::NotFound
        | ErrorKind::NotADirectory
        | ErrorKind::PermissionDenied
        | ErrorKind::ReadOnlyFilesystem => "; choose a spill folder that exists and can be written to",
        _ => "",
    }
}
