//! Merging sorted runs: a heap of the runs, the one with the smallest row on top.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::RecordBatch;

use super::SortError;
use super::heap::sift_down;
use super::keys::{Head, KeyEncoder, Keys};
use super::run::{SortedRun, gather};
use super::spill::SpilledRun;

/// Rows of several runs in order.
pub(super) struct Merge {
    encoder: Arc<KeyEncoder>,
    /// A heap: none is smaller than the one at half its place.
    cursors: Vec<Cursor>,
    /// Batches that rows were picked of, or will be.
    held: Vec<RecordBatch>,
    /// Rows for the next batch: place in `held`, row.
    picked: Vec<(usize, usize)>,
    batch_rows: usize,
}

/// The batches of a run.
type Batches = Box<dyn Iterator<Item = Result<RecordBatch, SortError>> + Send>;

/// A run and its first row that is not taken.
struct Cursor {
    reader: Batches,
    /// Its place among the runs: decides between equal rows.
    run: usize,
    keys: Keys,
    /// Where its batch is held.
    slot: usize,
    row: usize,
    rows: usize,
    head: Head,
}

// === impl Merge ===

impl Merge {
    /// Of runs in the order of their rows' coming, the last of which may be in memory.
    pub(super) fn try_new(
        encoder: Arc<KeyEncoder>,
        spilled: Vec<SpilledRun>,
        in_memory: Option<SortedRun>,
    ) -> Result<Self, SortError> {
        let mut merge = Self { encoder, cursors: Vec::new(), held: Vec::new(), picked: Vec::new(), batch_rows: 1 };
        let mut readers: Vec<Batches> = Vec::with_capacity(spilled.len() + 1);
        for run in spilled {
            readers.push(Box::new(run.read()?));
        }
        readers.extend(in_memory.map(|run| Box::new(run) as Batches));
        for (run, mut reader) in readers.into_iter().enumerate() {
            let Some(batch) = reader.next().transpose()? else { continue };
            let keys = merge.encoder.encode(&batch)?;
            let (head, rows) = (keys.head(0), batch.num_rows());
            merge.cursors.push(Cursor { reader, run, keys, slot: merge.held.len(), row: 0, rows, head });
            merge.held.push(batch);
        }
        // As large as those of the runs. The bytes of one that was read cannot be asked: its columns share a buffer.
        let rows: usize = merge.held.iter().map(RecordBatch::num_rows).sum();
        merge.batch_rows = (rows / merge.held.len().max(1)).max(1);
        for place in (0..merge.cursors.len() / 2).rev() {
            merge.sift_down(place);
        }
        Ok(merge)
    }

    /// Picks the smallest row that is left.
    fn pick(&mut self) -> Result<(), SortError> {
        let Some(top) = self.cursors.first_mut() else { return Ok(()) };
        self.picked.push((top.slot, top.row));
        top.row += 1;
        if top.row < top.rows {
            top.head = top.keys.head(top.row);
        } else if let Some(batch) = top.reader.next().transpose()? {
            top.keys = self.encoder.encode(&batch)?;
            (top.slot, top.row, top.rows, top.head) = (self.held.len(), 0, batch.num_rows(), top.keys.head(0));
            self.held.push(batch);
        } else {
            self.cursors.swap_remove(0);
        }
        self.sift_down(0);
        Ok(())
    }

    fn sift_down(&mut self, place: usize) {
        sift_down(&mut self.cursors, place, Cursor::cmp);
    }

    /// Puts the picked rows together, and lets go of batches that are used up.
    fn take_picked(&mut self) -> Result<RecordBatch, SortError> {
        let batch = gather(&self.held, &self.picked)?;
        self.picked.clear();
        let mut held = Vec::with_capacity(self.cursors.len());
        for cursor in &mut self.cursors {
            held.push(self.held[cursor.slot].clone());
            cursor.slot = held.len() - 1;
        }
        self.held = held;
        Ok(batch)
    }
}

impl Iterator for Merge {
    type Item = Result<RecordBatch, SortError>;

    fn next(&mut self) -> Option<Self::Item> {
        // Twice as many batches as runs are what the memory was counted for.
        let most = 2 * self.cursors.len().max(1);
        while self.picked.len() < self.batch_rows && self.held.len() <= most && !self.cursors.is_empty() {
            if let Err(error) = self.pick() {
                self.cursors.clear();
                self.picked.clear();
                return Some(Err(error));
            }
        }
        (!self.picked.is_empty()).then(|| self.take_picked())
    }
}

// === impl Cursor ===

impl Cursor {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_key = self.head.cmp(&other.head).then_with(|| self.keys.get(self.row).cmp(other.keys.get(other.row)));
        by_key.then(self.run.cmp(&other.run))
    }
}
