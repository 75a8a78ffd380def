//! One task: the rows of some files of a partition, in their order or another, as new files of the target size.
//!
//! Rows stream, unless they are to be ordered: at any time one row group of an input is decoded and one of an output is encoded, both on the Executor, while
//! the output's earlier bytes are on their way to the store.

use std::path::Path;
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use futures::try_join;
use paimon_format::{DataFileMeta, FileSource, ManifestEntry, names};
use paimon_table::commit::NewFile;
use paimon_table::data_error::DataError;
use paimon_table::read::{file_path, read_file_on};
use paimon_table::table::Table;
use paimon_table::upload::{PART_BYTES, Upload};
use paimon_table::wall_clock::local_millis;
use paimon_table::write::{DataFileWriter, Finished, WriterSpec, append_meta};
use tokio::sync::mpsc::channel;
use tributary_runtime::Env;

use crate::ahead::{BATCHES_AHEAD, forward};
use crate::error::CompactError;
use crate::order::{Order, Ordered};
use crate::outputs::Outputs;
use crate::request::Strategy;
use crate::sort::MIN_MEMORY_BYTES;

/// Who is told how many rows were moved.
pub(crate) struct OnRows {
    /// Taken in, to be ordered.
    pub(crate) read: Arc<dyn Fn(u64) + Send + Sync>,
    pub(crate) written: Arc<dyn Fn(u64) + Send + Sync>,
}

/// Row groups of the outputs are at most this large; larger ones gain nothing and cost their size in memory.
const ROW_GROUP_BYTES: usize = 64 << 20;
/// Row groups of the inputs are taken to be at most this large: Parquet's own default.
const READ_GROUP_BYTES: usize = 128 << 20;

/// What the rewrites of one run share.
pub(crate) struct Rewriter {
    table: Table,
    spec: WriterSpec,
    /// `None`: rows stay in the order of the inputs.
    order: Option<Order>,
    file_prefix: String,
    /// What one task may use.
    task_bytes: usize,
    row_group_bytes: usize,
    env: Env,
    outputs: Outputs,
    on_rows: OnRows,
}

/// An output being written.
struct Output {
    writer: Box<DataFileWriter>,
    upload: Upload,
    name: String,
    path: String,
}

/// What a task has come to.
pub(crate) struct Rewritten {
    pub(crate) removed: Vec<ManifestEntry>,
    pub(crate) added: Vec<NewFile>,
    /// The paths of `added`.
    pub(crate) paths: Vec<String>,
    pub(crate) spilled_bytes: u64,
}

/// The outputs of one task, in order.
struct Roll<'a> {
    rewriter: &'a Rewriter,
    folder: String,
    like: &'a ManifestEntry,
    open: Option<Output>,
    next_sequence: i64,
    added: Vec<NewFile>,
    paths: Vec<String>,
}

// === impl Rewriter ===

impl Rewriter {
    /// Each rewrite gets `task_bytes` of memory, and at least what it cannot do without.
    pub(crate) fn try_new(
        table: &Table,
        strategy: &Strategy,
        spill_folder: &Path,
        task_bytes: usize,
        env: &Env,
        outputs: Outputs,
        on_rows: OnRows,
    ) -> Result<Self, DataError> {
        // What is ordered wants the memory for itself.
        let share = if matches!(strategy, Strategy::Ordered(_)) { 8 } else { 4 };
        let row_group_bytes = (task_bytes / share).clamp(1 << 20, ROW_GROUP_BYTES);
        let spec = WriterSpec::try_new(&table.schema().fields, table.options(), row_group_bytes)?;
        let order = match strategy {
            Strategy::Minor | Strategy::Full => None,
            Strategy::Ordered(columns) => Some(Order {
                spec: columns.clone(),
                schema: Arc::clone(spec.arrow_schema()),
                spill_folder: spill_folder.to_owned(),
                on_read: Arc::clone(&on_rows.read),
            }),
        };
        let (table, env, file_prefix) = (table.clone(), env.clone(), strategy.file_prefix(table));
        Ok(Self { table, spec, order, file_prefix, task_bytes, row_group_bytes, env, outputs, on_rows })
    }

    /// Bytes of memory that rewriting these files takes: the largest row group there may be on the way in, one on the way
    /// out, and its upload; or what is ordered, and one of both.
    pub(crate) fn memory_bytes(&self, inputs: &[ManifestEntry]) -> usize {
        match &self.order {
            None => read_bytes(inputs) + self.write_bytes(),
            Some(_) => self.sort_bytes(inputs) + read_bytes(inputs).max(self.write_bytes()),
        }
    }

    /// Bytes of rows that are ordered at one time. The first come out when the last are in.
    fn sort_bytes(&self, inputs: &[ManifestEntry]) -> usize {
        self.task_bytes.saturating_sub(read_bytes(inputs).max(self.write_bytes())).max(MIN_MEMORY_BYTES)
    }

    fn write_bytes(&self) -> usize {
        2 * self.row_group_bytes + 3 * PART_BYTES
    }

    /// Writes the rows of `inputs`, all of one partition, anew. Every output is registered before it appears.
    pub(crate) async fn rewrite(&self, inputs: Vec<ManifestEntry>) -> Result<Rewritten, CompactError> {
        inputs.iter().try_for_each(check_entry)?;
        let Some(first) = inputs.first() else {
            return Ok(Rewritten { removed: inputs, added: Vec::new(), paths: Vec::new(), spilled_bytes: 0 });
        };
        let path = file_path(&self.table, first)?;
        let folder = path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned());
        let mut roll = Roll {
            rewriter: self,
            folder,
            like: first,
            open: None,
            next_sequence: first.file.min_sequence_number,
            added: Vec::new(),
            paths: Vec::new(),
        };
        let rows = self.rows(inputs.clone());
        let Ordered { rows, spilled_bytes } = match &self.order {
            None => Ordered { rows: rows.err_into().boxed(), spilled_bytes: 0 },
            Some(order) => order.apply(rows, self.sort_bytes(&inputs), &self.env.executor).await?,
        };
        let (sender, mut batches) = channel(BATCHES_AHEAD);
        let write = async {
            while let Some(batch) = batches.recv().await {
                roll.write(batch).await?;
            }
            roll.close().await
        };
        try_join!(forward(rows, sender), write)?;
        let Roll { added, paths, .. } = roll;
        let read: i64 = inputs.iter().map(|entry| entry.file.row_count).sum();
        let written: i64 = added.iter().map(|file| file.meta.row_count).sum();
        if read != written {
            return Err(CompactError::RowsDiffer { read, written });
        }
        Ok(Rewritten { removed: inputs, added, paths, spilled_bytes })
    }

    fn rows(&self, inputs: Vec<ManifestEntry>) -> BoxStream<'static, Result<RecordBatch, DataError>> {
        let (table, executor) = (self.table.clone(), self.env.executor.clone());
        stream::iter(inputs)
            .then(move |entry| {
                let (table, executor) = (table.clone(), executor.clone());
                async move { read_file_on(&table, &entry, &table.schema().fields, &executor).await }
            })
            .try_flatten()
            .boxed()
    }
}

/// The largest row group there may be in these files.
fn read_bytes(inputs: &[ManifestEntry]) -> usize {
    let largest = inputs.iter().map(|entry| entry.file.file_size).max().unwrap_or_default();
    usize::try_from(largest).unwrap_or_default().min(READ_GROUP_BYTES)
}

/// Refuses what a new file would lose.
fn check_entry(entry: &ManifestEntry) -> Result<(), CompactError> {
    let file = &entry.file;
    let feature = if entry.bucket != 0 || entry.total_buckets > 0 {
        "it lies in a fixed bucket"
    } else if file.first_row_id.is_some() {
        "it has row ids (row-tracking.enabled)"
    } else if file.write_cols.is_some() {
        "it holds only some columns (data-evolution.enabled)"
    } else if file.level != 0 || file.delete_row_count.is_some_and(|rows| rows > 0) {
        "it is a file of a primary-key table"
    } else if file.external_path.is_some() {
        "it lies outside the table's folder (data-file.external-paths)"
    } else {
        return Ok(());
    };
    Err(CompactError::Unsupported { object: format!("data file {}", file.file_name), feature: feature.to_owned() })
}

// === impl Rewritten ===

impl Rewritten {
    /// Bytes of what was read.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.removed.iter().map(|entry| u64::try_from(entry.file.file_size).unwrap_or_default()).sum()
    }

    /// Whether it read this file.
    pub(crate) fn reads(&self, file_name: &str) -> bool {
        self.removed.iter().any(|entry| entry.file.file_name == file_name)
    }
}

// === impl Roll ===

impl Roll<'_> {
    /// Writes rows, into as many outputs as `target-file-row-num` makes of them.
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

    /// Writes rows into the open output, and ends it when it is full.
    async fn write_on(&mut self, batch: RecordBatch) -> Result<(), CompactError> {
        let rows = batch.num_rows() as u64;
        let Output { mut writer, mut upload, name, path } = match self.open.take() {
            Some(open) => open,
            None => self.start(&batch)?,
        };
        let executor = &self.rewriter.env.executor;
        let (writer, pieces) = executor
            .run(move || {
                writer.write(&batch)?;
                let pieces: Vec<Bytes> = std::iter::from_fn(|| writer.drain_encoded()).collect();
                Ok::<_, DataError>((writer, pieces))
            })
            .await??;
        push(&mut upload, pieces).await?;
        let options = self.rewriter.table.options();
        let is_full =
            writer.written_bytes() >= options.target_file_size.bytes() || writer.rows() >= options.target_file_row_num;
        self.open = Some(Output { writer, upload, name, path });
        (self.rewriter.on_rows.written)(rows);
        if is_full { self.close().await } else { Ok(()) }
    }

    fn start(&self, sample: &RecordBatch) -> Result<Output, CompactError> {
        let Rewriter { table, spec, env, file_prefix, .. } = self.rewriter;
        let name = names::data_file(file_prefix, env.random.uuid(), 0, "parquet");
        let path = format!("{}/{name}", self.folder);
        let upload = Upload::start(table.storage(), &path)?;
        Ok(Output { writer: Box::new(DataFileWriter::try_new(spec, sample)?), upload, name, path })
    }

    /// Ends the open output: it is in the store then.
    async fn close(&mut self) -> Result<(), CompactError> {
        let Some(Output { writer, mut upload, name, path }) = self.open.take() else {
            return Ok(());
        };
        let Rewriter { table, env, outputs, .. } = self.rewriter;
        let Finished { tail, summary } = env.executor.run(move || writer.finish()).await??;
        push(&mut upload, tail).await?;
        outputs.register(path.clone());
        self.paths.push(path);
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
        self.added.push(NewFile { partition: self.like.partition.clone(), bucket: self.like.bucket, meta });
        Ok(())
    }
}

async fn push(upload: &mut Upload, pieces: Vec<Bytes>) -> Result<(), CompactError> {
    for bytes in pieces {
        upload.push(bytes).await?;
    }
    Ok(())
}
