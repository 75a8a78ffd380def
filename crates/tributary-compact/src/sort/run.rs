//! Rows that are sorted where they lie: only their places are moved. They are sorted in chunks as they come, so that little is left
//! to do when the last one is there, and the chunks are merged on the way out.

use std::cmp::Ordering;

use arrow::array::RecordBatch;
use arrow::compute::interleave_record_batch;

use super::SortError;
use super::heap::sift_down;
use super::keys::{Head, Keys};

/// About the size of a batch that is put together of sorted rows.
pub(super) const BATCH_BYTES: usize = 1 << 19;

/// Rows of such a batch at most.
const BATCH_ROWS: usize = 8192;

/// Rows that are sorted at a time: their places fit into a processor's cache.
const CHUNK_ROWS: usize = 1 << 17;

/// Rows in the order in which they came.
#[derive(Default)]
pub(super) struct Run {
    batches: Vec<RecordBatch>,
    /// Of batches whose keys are longer than their heads; of the others none.
    keys: Vec<Keys>,
    sorted: Vec<Vec<Place>>,
    open: Vec<Place>,
    rows: usize,
    bytes: usize,
}

/// A row's place, with as much of its key as decides mostly.
#[derive(Clone, Copy)]
struct Place {
    head: Head,
    batch: u32,
    row: u32,
}

/// Rows in order.
pub(super) struct SortedRun {
    batches: Vec<RecordBatch>,
    keys: Vec<Keys>,
    /// A heap by their next places.
    chunks: Vec<std::vec::IntoIter<Place>>,
    batch_rows: usize,
}

// === impl Run ===

impl Run {
    /// What a batch adds to [`Run::bytes`].
    fn bytes_of(batch: &RecordBatch, keys: &Keys) -> usize {
        let places = batch.num_rows() * size_of::<Place>();
        batch.get_array_memory_size() + places + if keys.fit_heads() { 0 } else { keys.memory_bytes() }
    }

    /// What the rows take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn push(&mut self, batch: RecordBatch, keys: Keys) {
        self.bytes += Self::bytes_of(&batch, &keys);
        self.rows += batch.num_rows();
        let place = |row| Place { head: keys.head(row), batch: self.batches.len() as u32, row: row as u32 };
        self.open.extend((0..batch.num_rows()).map(place));
        self.batches.push(batch);
        if !keys.fit_heads() {
            self.keys.push(keys);
        }
        if self.open.len() >= CHUNK_ROWS {
            self.close_chunk();
        }
    }

    /// Takes the rows of another run behind its own.
    pub(super) fn append(&mut self, mut other: Self) {
        self.close_chunk();
        other.close_chunk();
        let first = self.batches.len() as u32;
        other.sorted.iter_mut().flatten().for_each(|place| place.batch += first);
        self.sorted.append(&mut other.sorted);
        self.batches.append(&mut other.batches);
        self.keys.append(&mut other.keys);
        (self.rows, self.bytes) = (self.rows + other.rows, self.bytes + other.bytes);
    }

    fn close_chunk(&mut self) {
        if self.open.is_empty() {
            return;
        }
        let mut places = std::mem::take(&mut self.open);
        places.shrink_to_fit();
        places.sort_unstable_by(|a, b| compare(&self.keys, a, b));
        self.sorted.push(places);
    }

    pub(super) fn sorted(mut self) -> SortedRun {
        self.close_chunk();
        let chunks = self.sorted.into_iter().map(Vec::into_iter).collect();
        let (batch_rows, batches, keys) = (batch_rows(self.bytes, self.rows), self.batches, self.keys);
        let mut sorted = SortedRun { batches, keys, chunks, batch_rows };
        for place in (0..sorted.chunks.len() / 2).rev() {
            sorted.sift_down(place);
        }
        sorted
    }
}

/// Rows of a batch of [`BATCH_BYTES`], when so many rows have so many bytes.
fn batch_rows(bytes: usize, rows: usize) -> usize {
    let row_bytes = bytes.div_ceil(rows.max(1)).max(1);
    (BATCH_BYTES / row_bytes).clamp(1, BATCH_ROWS)
}

fn compare(keys: &[Keys], a: &Place, b: &Place) -> Ordering {
    let key = |place: &Place| keys.get(place.batch as usize).map(|keys| keys.get(place.row as usize));
    let by_key = a.head.cmp(&b.head).then_with(|| key(a).cmp(&key(b)));
    by_key.then_with(|| (a.batch, a.row).cmp(&(b.batch, b.row)))
}

// === impl SortedRun ===

impl SortedRun {
    fn pick(&mut self) -> Option<Place> {
        let top = self.chunks.first_mut()?;
        let place = top.next();
        if top.as_slice().is_empty() {
            self.chunks.swap_remove(0);
        }
        self.sift_down(0);
        place
    }

    fn sift_down(&mut self, place: usize) {
        sift_down(&mut self.chunks, place, |a, b| match (a.as_slice(), b.as_slice()) {
            ([a, ..], [b, ..]) => compare(&self.keys, a, b),
            (a, b) => b.len().cmp(&a.len()),
        });
    }
}

impl Iterator for SortedRun {
    type Item = Result<RecordBatch, SortError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut places = Vec::with_capacity(self.batch_rows);
        while places.len() < self.batch_rows
            && let Some(place) = self.pick()
        {
            places.push((place.batch as usize, place.row as usize));
        }
        (!places.is_empty()).then(|| gather(&self.batches, &places))
    }
}

/// The rows at these places, by batch and row.
pub(super) fn gather(batches: &[RecordBatch], places: &[(usize, usize)]) -> Result<RecordBatch, SortError> {
    let batches: Vec<&RecordBatch> = batches.iter().collect();
    Ok(interleave_record_batch(&batches, places)?)
}
