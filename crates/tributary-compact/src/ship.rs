//! The encoded bytes of one task's outputs on their way to the store, one output after the other. They go while the rows
//! that follow are encoded: a row group is closed all at once, and nobody waits until the last of it has gone.

use bytes::Bytes;
use paimon_format::{DataFileMeta, FileSource, ManifestEntry, names};
use paimon_table::commit::NewFile;
use paimon_table::upload::Upload;
use paimon_table::wall_clock::local_millis;
use paimon_table::write::{FileSummary, append_meta};
use tokio::sync::mpsc::Receiver;

use crate::error::CompactError;
use crate::rewrite::Rewriter;

/// What is to go next.
pub(crate) enum Parcel {
    /// A piece of the output, of a megabyte at most.
    Piece(Bytes),
    /// That was all of it.
    End(FileSummary),
}

/// Where outputs go.
pub(crate) struct Shipping<'a> {
    rewriter: &'a Rewriter,
    folder: String,
    like: &'a ManifestEntry,
    open: Option<Output>,
    next_sequence: i64,
    shipped: Shipped,
}

struct Output {
    upload: Upload,
    name: String,
    path: String,
}

/// What is in the store.
#[derive(Default)]
pub(crate) struct Shipped {
    pub(crate) files: Vec<NewFile>,
    /// The paths of `files`.
    pub(crate) paths: Vec<String>,
}

// === impl Shipping ===

impl<'a> Shipping<'a> {
    /// Of outputs in `folder`, of the partition of `like`, whose sequence they continue.
    pub(crate) fn new(rewriter: &'a Rewriter, folder: String, like: &'a ManifestEntry) -> Self {
        let next_sequence = like.file.min_sequence_number;
        Self { rewriter, folder, like, open: None, next_sequence, shipped: Shipped::default() }
    }

    /// Sends all that comes. Every output is registered before it appears.
    ///
    /// # Errors
    /// What the store says.
    pub(crate) async fn ship(mut self, mut parcels: Receiver<Parcel>) -> Result<Shipped, CompactError> {
        while let Some(parcel) = parcels.recv().await {
            let mut output = match self.open.take() {
                Some(open) => open,
                None => self.start()?,
            };
            match parcel {
                Parcel::Piece(bytes) => {
                    output.upload.push(bytes).await?;
                    self.open = Some(output);
                }
                Parcel::End(summary) => self.finish(output, &summary).await?,
            }
        }
        Ok(self.shipped)
    }

    fn start(&self) -> Result<Output, CompactError> {
        let Rewriter { table, env, file_prefix, .. } = self.rewriter;
        let name = names::data_file(file_prefix, env.random.uuid(), 0, "parquet");
        let path = format!("{}/{name}", self.folder);
        Ok(Output { upload: Upload::start(table.storage(), &path)?, name, path })
    }

    async fn finish(&mut self, output: Output, summary: &FileSummary) -> Result<(), CompactError> {
        let Output { mut upload, name, path } = output;
        let Rewriter { table, env, outputs, .. } = self.rewriter;
        outputs.register(path.clone());
        self.shipped.paths.push(path);
        upload.finish().await?;
        let created = local_millis(env.clock.now_millis());
        let appended = append_meta(&name, summary, table.schema().id, created);
        let meta = DataFileMeta {
            file_source: Some(FileSource::Compact),
            min_sequence_number: self.next_sequence,
            max_sequence_number: self.next_sequence + appended.row_count - 1,
            ..appended
        };
        self.next_sequence += meta.row_count;
        self.shipped.files.push(NewFile { partition: self.like.partition.clone(), bucket: self.like.bucket, meta });
        Ok(())
    }
}
