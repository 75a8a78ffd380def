//! One task: the rows of some files of a partition, put in order or not, as new files of the target size.
//!
//! Rows stream, unless they are to be ordered: at any time one row group of an input is decoded and one of an output is encoded, both on the Executor, while
//! the one before is on its way to the store. Large row groups are not even decoded ([`crate::copy`]).

use std::path::Path;
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use futures::try_join;
use paimon_format::ManifestEntry;
use paimon_table::commit::NewFile;
use paimon_table::data_error::DataError;
use paimon_table::read::file_path;
use paimon_table::table::Table;
use paimon_table::upload::PART_BYTES;
use paimon_table::write::{PIECE_BYTES, WriterSpec};
use tokio::sync::mpsc::channel;
use tributary_runtime::Env;

use crate::ahead::in_turn;
use crate::copy::{Decoded, Inputs};
use crate::error::CompactError;
use crate::order::{Order, Ordered};
use crate::outputs::Outputs;
use crate::request::Strategy;
use crate::roll::Roll;
use crate::ship::{Shipped, Shipping};
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
/// Inputs that are read at one time at most,
const MAX_FILES_AT_ONCE: usize = 4;
/// and their bytes, unless it is one.
const READ_AT_ONCE_BYTES: usize = 32 << 20;

/// What the rewrites of one run share.
pub(crate) struct Rewriter {
    pub(crate) table: Table,
    pub(crate) spec: WriterSpec,
    /// `None`: in whatever order is the least work.
    order: Option<Order>,
    pub(crate) file_prefix: String,
    /// What one task may use.
    task_bytes: usize,
    row_group_bytes: usize,
    pub(crate) env: Env,
    pub(crate) outputs: Outputs,
    pub(crate) on_rows: OnRows,
}

/// What a task has come to.
#[derive(Default)]
pub(crate) struct Rewritten {
    pub(crate) removed: Vec<ManifestEntry>,
    pub(crate) added: Vec<NewFile>,
    /// The paths of `added`.
    pub(crate) paths: Vec<String>,
    /// Bytes of row groups that were taken over as they are.
    pub(crate) copied_bytes: u64,
    pub(crate) spilled_bytes: u64,
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
        let share = if matches!(strategy, Strategy::Ordered(_)) { 16 } else { 4 };
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
    /// out (copied ones are up to twice as large as ours), and its upload; or what is ordered, and one of both.
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
            return Ok(Rewritten::default());
        };
        let path = file_path(&self.table, first)?;
        let folder = path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned());
        let Inputs { groups, rest } = match &self.order {
            None => Inputs::open(&self.table, &self.spec, inputs.clone(), &self.env.executor).await?,
            Some(_) => Inputs::decoded(inputs.clone()),
        };
        let rows = self.rows(rest, files_at_once(&inputs));
        let Ordered { rows, spilled_bytes } = match &self.order {
            None => Ordered { rows: rows.err_into().boxed(), spilled_bytes: 0 },
            Some(order) => order.apply(rows, self.sort_bytes(&inputs), &self.env.executor).await?,
        };
        let (sender, parcels) = channel((self.row_group_bytes / PIECE_BYTES).max(1));
        let encode = async {
            let mut roll = Roll::new(self, sender);
            roll.copy(groups).await?;
            roll.write_all(rows).await?;
            roll.finish().await
        };
        let (copied_bytes, shipped) = try_join!(encode, Shipping::new(self, folder, first).ship(parcels))?;
        let Shipped { files: added, paths } = shipped;
        let read: i64 = inputs.iter().map(|entry| entry.file.row_count).sum();
        let written: i64 = added.iter().map(|file| file.meta.row_count).sum();
        if read != written {
            return Err(CompactError::RowsDiffer { read, written });
        }
        Ok(Rewritten { removed: inputs, added, paths, copied_bytes, spilled_bytes })
    }

    /// The rows of these inputs, in their order unless they are going to be ordered anyway.
    fn rows(&self, inputs: Vec<Decoded>, at_once: usize) -> BoxStream<'static, Result<RecordBatch, DataError>> {
        let rows = |input: Decoded| {
            let (table, executor) = (self.table.clone(), self.env.executor.clone());
            stream::once(async move { input.rows(&table, &executor).await }).try_flatten().boxed()
        };
        let inputs: Vec<_> = inputs.into_iter().map(rows).collect();
        match &self.order {
            None => in_turn(inputs, at_once).boxed(),
            Some(_) => stream::iter(inputs).flatten_unordered(at_once).boxed(),
        }
    }
}

/// The largest row group there may be in these files.
fn largest_bytes(inputs: &[ManifestEntry]) -> usize {
    let largest = inputs.iter().map(|entry| entry.file.file_size).max().unwrap_or_default();
    usize::try_from(largest).unwrap_or_default().clamp(1, READ_GROUP_BYTES)
}

/// Small files are read several at a time: most of their time is the store's.
fn files_at_once(inputs: &[ManifestEntry]) -> usize {
    (READ_AT_ONCE_BYTES / largest_bytes(inputs)).clamp(1, MAX_FILES_AT_ONCE)
}

/// What reading these files takes.
fn read_bytes(inputs: &[ManifestEntry]) -> usize {
    files_at_once(inputs).min(inputs.len()) * largest_bytes(inputs)
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
