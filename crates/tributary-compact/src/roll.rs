//! The outputs of one task, one after the other: rows are encoded into them, and row groups taken over, until each has the
//! target size.

use arrow::record_batch::RecordBatch;
use futures::stream::BoxStream;
use futures::{StreamExt, TryFutureExt, TryStreamExt, try_join};
use paimon_format::{DataFileMeta, FileSource, ManifestEntry, names};
use paimon_table::commit::NewFile;
use paimon_table::read::RowGroup;
use paimon_table::upload::Upload;
use paimon_table::wall_clock::local_millis;
use paimon_table::write::{DataFileWriter, Finished, append_meta};
use tokio::sync::mpsc::channel;

use crate::ahead::{BATCHES_AHEAD, forward};
use crate::copy::{self, Group};
use crate::error::CompactError;
use crate::rewrite::Rewriter;

/// An output being written.
struct Output {
    writer: Box<DataFileWriter>,
    upload: Upload,
    name: String,
    path: String,
}

/// The outputs so far, and the one that is open.
pub(crate) struct Roll<'a> {
    rewriter: &'a Rewriter,
    folder: String,
    like: &'a ManifestEntry,
    open: Option<Output>,
    next_sequence: i64,
    rolled: Rolled,
}

/// What is in the store.
#[derive(Default)]
pub(crate) struct Rolled {
    pub(crate) files: Vec<NewFile>,
    /// The paths of `files`.
    pub(crate) paths: Vec<String>,
    /// Bytes of row groups that were taken over.
    pub(crate) copied_bytes: u64,
}

// === impl Roll ===

impl<'a> Roll<'a> {
    /// Outputs in `folder`, of the partition of `like`, whose sequence they continue.
    pub(crate) fn new(rewriter: &'a Rewriter, folder: String, like: &'a ManifestEntry) -> Self {
        let next_sequence = like.file.min_sequence_number;
        Self { rewriter, folder, like, open: None, next_sequence, rolled: Rolled::default() }
    }

    /// Takes these row groups over; decodes those of which the output would become too large.
    pub(crate) async fn copy(&mut self, groups: Vec<Group>) -> Result<(), CompactError> {
        for group in groups {
            let Group { file, index, bytes, rows } = group;
            let options = self.rewriter.table.options();
            let written = self.open.as_ref().map(|open| (open.writer.written_bytes(), open.writer.rows()));
            let (written_bytes, written_rows) = written.unwrap_or_default();
            if !copy::fits(written_bytes + bytes, options.target_file_size.bytes())
                || written_rows + rows > options.target_file_row_num
            {
                let decoded = file.read(&self.rewriter.table.schema().fields, &[index])?;
                self.write_all(decoded.err_into().boxed()).await?;
                continue;
            }
            // The bytes of the last one go while these come.
            let (group, ()) = try_join!(file.fetch(index).err_into::<CompactError>(), self.send())?;
            self.append(group, rows).await?;
            self.rolled.copied_bytes += bytes;
        }
        Ok(())
    }

    async fn append(&mut self, group: RowGroup, rows: u64) -> Result<(), CompactError> {
        let Output { mut writer, upload, name, path } = match self.open.take() {
            Some(open) => open,
            None => self.start(DataFileWriter::try_new_like(&self.rewriter.spec, &group)?)?,
        };
        let append = move || writer.append(group).map(|()| writer);
        let writer = self.rewriter.env.executor.run(append).await??;
        self.open = Some(Output { writer, upload, name, path });
        self.wrote(rows).await
    }

    /// Encodes all of `rows`, while those that follow are made.
    pub(crate) async fn write_all(
        &mut self,
        rows: BoxStream<'static, Result<RecordBatch, CompactError>>,
    ) -> Result<(), CompactError> {
        let (sender, mut batches) = channel(BATCHES_AHEAD);
        let write = async {
            while let Some(batch) = batches.recv().await {
                self.write(batch).await?;
            }
            Ok(())
        };
        try_join!(forward(rows, sender), write)?;
        Ok(())
    }

    /// Encodes rows, into as many outputs as `target-file-row-num` makes of them.
    async fn write(&mut self, mut batch: RecordBatch) -> Result<(), CompactError> {
        let most = self.rewriter.table.options().target_file_row_num;
        loop {
            let open = self.open.as_ref().map_or(0, |output| output.writer.rows());
            let room = usize::try_from(most.saturating_sub(open)).unwrap_or(usize::MAX).max(1);
            if batch.num_rows() <= room {
                return self.write_on(batch).await;
            }
            self.write_on(batch.slice(0, room)).await?;
            batch = batch.slice(room, batch.num_rows() - room);
        }
    }

    async fn write_on(&mut self, batch: RecordBatch) -> Result<(), CompactError> {
        let rows = batch.num_rows() as u64;
        let Output { mut writer, upload, name, path } = match self.open.take() {
            Some(open) => open,
            None => self.start(DataFileWriter::try_new(&self.rewriter.spec, &batch)?)?,
        };
        let write = move || writer.write(&batch).map(|()| writer);
        let writer = self.rewriter.env.executor.run(write).await??;
        self.open = Some(Output { writer, upload, name, path });
        self.send().await?;
        self.wrote(rows).await
    }

    fn start(&self, writer: DataFileWriter) -> Result<Output, CompactError> {
        let Rewriter { table, env, file_prefix, .. } = self.rewriter;
        let name = names::data_file(file_prefix, env.random.uuid(), 0, "parquet");
        let path = format!("{}/{name}", self.folder);
        let upload = Upload::start(table.storage(), &path)?;
        Ok(Output { writer: Box::new(writer), upload, name, path })
    }

    /// Hands what is encoded to the upload.
    async fn send(&mut self) -> Result<(), CompactError> {
        let Some(Output { writer, upload, .. }) = &mut self.open else {
            return Ok(());
        };
        while let Some(bytes) = writer.drain_encoded() {
            upload.push(bytes).await?;
        }
        Ok(())
    }

    /// After so many rows: ends the output if it has its size.
    async fn wrote(&mut self, rows: u64) -> Result<(), CompactError> {
        (self.rewriter.on_rows.written)(rows);
        let options = self.rewriter.table.options();
        let is_full = |Output { writer, .. }: &Output| {
            writer.written_bytes() >= options.target_file_size.bytes() || writer.rows() >= options.target_file_row_num
        };
        if self.open.as_ref().is_some_and(is_full) { self.close().await } else { Ok(()) }
    }

    /// Ends the open output: it is in the store then.
    async fn close(&mut self) -> Result<(), CompactError> {
        let Some(Output { writer, mut upload, name, path }) = self.open.take() else {
            return Ok(());
        };
        let Rewriter { table, env, outputs, .. } = self.rewriter;
        let Finished { tail, summary } = env.executor.run(move || writer.finish()).await??;
        for bytes in tail {
            upload.push(bytes).await?;
        }
        outputs.register(path.clone());
        self.rolled.paths.push(path);
        upload.finish().await?;
        let created = local_millis(env.clock.now_millis());
        let appended = append_meta(&name, &summary, table.schema().id, created);
        let meta = DataFileMeta {
            file_source: Some(FileSource::Compact),
            min_sequence_number: self.next_sequence,
            max_sequence_number: self.next_sequence + appended.row_count - 1,
            ..appended
        };
        self.next_sequence += meta.row_count;
        self.rolled.files.push(NewFile { partition: self.like.partition.clone(), bucket: self.like.bucket, meta });
        Ok(())
    }

    /// Ends the last output.
    pub(crate) async fn finish(mut self) -> Result<Rolled, CompactError> {
        self.close().await?;
        Ok(self.rolled)
    }
}
