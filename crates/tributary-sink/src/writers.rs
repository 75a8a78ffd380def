//! The open data files of one lane, and what a batch does to them: everything in here is CPU work and runs on the
//! Executor, the lane's task moves it there and back.
//!
//! A file is closed when its epoch is sealed, when it reaches `target-file-size`, or early, when memory runs low.
//! The writer closes row groups by itself; their bytes leave for the store at once. Its first rows wait until they are
//! worth a writer.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use paimon_format::{BinaryRow, names};
use paimon_table::upload::PART_BYTES;
use paimon_table::write::{DataFileWriter, FileSummary, Finished};
use tokio::sync::watch;
use tributary_runtime::Reservation;

use crate::account::{Account, Held};
use crate::batch::{SinkBatch, weight};
use crate::error::SinkError;
use crate::partitioner::Part;
use crate::plan::WritePlan;
use crate::waiting::Waiting;

/// One lane's open files.
pub(crate) struct Writers {
    /// The plan of the open files.
    plan: Arc<WritePlan>,
    /// The newest plan.
    plans: watch::Receiver<Arc<WritePlan>>,
    account: Account,
    open: BTreeMap<BinaryRow, OpenFile>,
    next_file: u64,
    /// Counts batches, for "least recently used".
    batches: u64,
}

struct OpenFile {
    content: Content,
    used: u64,
    held: Held,
}

enum Content {
    /// Too few rows for a writer.
    Waiting(Waiting),
    Written(Written),
}

/// A file whose upload may have begun.
struct Written {
    id: FileId,
    writer: Box<DataFileWriter>,
}

/// Names a file within its lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FileId(pub(crate) u64);

/// What the lane's task has to do after a piece of CPU work, in order.
pub(crate) enum Step {
    /// A new file: its schema, its folder below the table, its name and its partition.
    Open { id: FileId, schema_id: i64, folder: String, name: String, partition: BinaryRow },
    /// The next bytes of a file.
    Bytes { id: FileId, bytes: Bytes, held: Held },
    /// The last bytes of a file.
    Close { id: FileId, tail: Vec<Bytes>, summary: FileSummary, held: Held },
}

// === impl Writers ===

impl Writers {
    pub(crate) fn new(plans: watch::Receiver<Arc<WritePlan>>, account: Account) -> Self {
        let plan = Arc::clone(&plans.borrow());
        Self { plan, plans, account, open: BTreeMap::new(), next_file: 0, batches: 0 }
    }

    /// Evaluates the select, splits by partition, encodes. `share` is the batch's of the memory budget: it becomes that
    /// of the rows the select makes of it.
    pub(crate) fn write(&mut self, batch: SinkBatch, mut share: Reservation) -> Result<Vec<Step>, SinkError> {
        if self.open.is_empty() {
            self.plan = Arc::clone(&self.plans.borrow_and_update());
        }
        let rows = self.plan.transform.apply(&batch.rows, batch.at_millis)?;
        drop(batch);
        share.resize(weight(&rows));
        if rows.num_rows() > 0 && rows.schema_ref() != &self.plan.made {
            return Err(SinkError::Schema {
                why: format!("the select makes {:?}, the table holds {:?}", rows.schema_ref(), self.plan.made),
            });
        }
        self.batches += 1;
        let mut steps = Vec::new();
        for part in self.split(rows)? {
            self.append(part, &mut steps)?;
            self.relieve(&mut steps)?;
        }
        Ok(steps)
    }

    fn split(&self, rows: RecordBatch) -> Result<Vec<Part>, SinkError> {
        // A batch of no rows may have any columns.
        if rows.num_rows() == 0 {
            return Ok(Vec::new());
        }
        self.plan.partitioner.split(self.plan.fill(rows)?)
    }

    /// Closes every file: the lane's part of the epoch is complete.
    pub(crate) fn close(&mut self) -> Result<Vec<Step>, SinkError> {
        let mut steps = Vec::new();
        while let Some((partition, file)) = self.open.pop_first() {
            self.finish(&partition, file, &mut steps)?;
        }
        Ok(steps)
    }

    fn append(&mut self, part: Part, steps: &mut Vec<Step>) -> Result<(), SinkError> {
        let Part { partition, rows } = part;
        let OpenFile { content, held, .. } = self.open.remove(&partition).unwrap_or_else(|| {
            self.plan.metrics.open_writers.inc();
            OpenFile { content: Content::Waiting(Waiting::default()), used: 0, held: self.account.holder() }
        });
        let content = match content {
            Content::Waiting(mut waiting) if !self.is_worth_a_writer(&waiting, &rows) => {
                waiting.push(rows)?;
                Content::Waiting(waiting)
            }
            Content::Waiting(waiting) => {
                let mut batches = waiting.into_batches();
                batches.push(rows);
                Content::Written(self.start(&partition, &batches, steps)?)
            }
            Content::Written(mut file) => {
                file.writer.write(&rows)?;
                Content::Written(file)
            }
        };
        let mut file = OpenFile { content, used: self.batches, held };
        if let Content::Written(Written { writer, .. }) = &file.content
            && (writer.written_bytes() >= self.plan.target_file_bytes || writer.rows() >= self.plan.target_file_rows)
        {
            return self.finish(&partition, file, steps);
        }
        self.drain(&mut file, steps, false);
        self.open.insert(partition, file);
        Ok(())
    }

    fn is_worth_a_writer(&self, waiting: &Waiting, rows: &RecordBatch) -> bool {
        waiting.bytes() + weight(rows) >= self.plan.worth_bytes
            || (waiting.rows() + rows.num_rows()) as u64 >= self.plan.target_file_rows
    }

    /// Starts a file with these rows; the most numerous are the sample of what comes.
    fn start(
        &mut self,
        partition: &BinaryRow,
        batches: &[RecordBatch],
        steps: &mut Vec<Step>,
    ) -> Result<Written, SinkError> {
        let plan = &self.plan;
        let id = FileId(self.next_file);
        self.next_file += 1;
        let folder = plan.folder(partition)?;
        let name = names::data_file(&plan.file_prefix, plan.random.uuid(), 0, "parquet");
        let empty = RecordBatch::new_empty(Arc::clone(plan.spec.arrow_schema()));
        let sample = batches.iter().max_by_key(|rows| rows.num_rows()).unwrap_or(&empty);
        let mut writer = Box::new(DataFileWriter::try_new(&plan.spec, sample)?);
        batches.iter().try_for_each(|rows| writer.write(rows))?;
        steps.push(Step::Open { id, schema_id: plan.schema_id, folder, name, partition: partition.clone() });
        Ok(Written { id, writer })
    }

    /// Hands over the bytes of closed row groups and corrects what the file holds. `leaving`: count them as gone, they
    /// are on their way as soon as the lane's task sees them.
    fn drain(&self, file: &mut OpenFile, steps: &mut Vec<Step>, leaving: bool) {
        let bytes = match &mut file.content {
            Content::Waiting(waiting) => waiting.bytes(),
            Content::Written(Written { id, writer }) => {
                while let Some(bytes) = writer.drain_encoded() {
                    let mut held = self.account.holder();
                    held.resize(bytes.len());
                    held.set_leaving(leaving);
                    steps.push(Step::Bytes { id: *id, bytes, held });
                }
                writer.in_memory_bytes()
            }
        };
        file.held.resize(bytes);
    }

    fn finish(&mut self, partition: &BinaryRow, file: OpenFile, steps: &mut Vec<Step>) -> Result<(), SinkError> {
        let OpenFile { content, mut held, .. } = file;
        let Written { id, writer } = match content {
            Content::Written(file) => file,
            Content::Waiting(waiting) => self.start(partition, &waiting.into_batches(), steps)?,
        };
        let Finished { tail, summary } = writer.finish()?;
        self.plan.metrics.open_writers.dec();
        held.resize(tail.iter().map(Bytes::len).sum());
        held.set_leaving(true);
        steps.push(Step::Close { id, tail, summary, held });
        Ok(())
    }

    /// Flushes the largest files until the budget has room again: a file with enough for a part of an upload ends
    /// its row group, a smaller one is closed, because only that frees it wholly. Of files about as large, the least
    /// recently used goes first.
    fn relieve(&mut self, steps: &mut Vec<Step>) -> Result<(), SinkError> {
        while self.account.excess() > 0 {
            let size = |file: &OpenFile| file.held.bytes().max(1).ilog2();
            let largest = self.open.iter().max_by_key(|(_, file)| (size(file), Reverse(file.used)));
            let Some(partition) = largest.map(|(partition, _)| partition.clone()) else { return Ok(()) };
            let Some(mut file) = self.open.remove(&partition) else { return Ok(()) };
            self.plan.metrics.early_flushes.inc();
            match &mut file.content {
                Content::Written(Written { writer, .. }) if writer.in_memory_bytes() >= PART_BYTES => {
                    writer.close_row_group()?;
                    self.drain(&mut file, steps, true);
                    self.open.insert(partition, file);
                }
                _ => self.finish(&partition, file, steps)?,
            }
        }
        Ok(())
    }
}

impl Drop for Writers {
    fn drop(&mut self) {
        // An abandoned lane has no open writers any more.
        self.plan.metrics.open_writers.sub(i64::try_from(self.open.len()).unwrap_or(0));
    }
}
