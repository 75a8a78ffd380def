//! Rows that are sorted where they lie: only their places are moved.

use arrow::array::RecordBatch;
use arrow::compute::interleave_record_batch;

use super::SortError;
use super::keys::Keys;

/// About the size of a batch that is put together of sorted rows.
pub(super) const BATCH_BYTES: usize = 1 << 20;

/// Rows of such a batch at most.
const BATCH_ROWS: usize = 8192;

/// Rows in the order in which they came.
#[derive(Default)]
pub(super) struct Run {
    batches: Vec<RecordBatch>,
    keys: Vec<Keys>,
    rows: usize,
    bytes: usize,
}

/// A row's place, with enough of its key to be compared mostly without it.
#[derive(Clone, Copy)]
struct Place {
    prefix: u64,
    batch: u32,
    row: u32,
}

/// Rows in order.
pub(super) struct SortedRun {
    batches: Vec<RecordBatch>,
    places: Vec<Place>,
    next: usize,
    batch_rows: usize,
}

// === impl Run ===

impl Run {
    /// What a batch adds to [`Run::bytes`].
    pub(super) fn bytes_of(batch: &RecordBatch, keys: &Keys) -> usize {
        batch.get_array_memory_size() + keys.memory_bytes() + batch.num_rows() * size_of::<Place>()
    }

    /// What the rows take, once they are sorted.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    pub(super) fn push(&mut self, batch: RecordBatch, keys: Keys) {
        self.bytes += Self::bytes_of(&batch, &keys);
        self.rows += batch.num_rows();
        self.batches.push(batch);
        self.keys.push(keys);
    }

    pub(super) fn sorted(self) -> SortedRun {
        let mut places = Vec::with_capacity(self.rows);
        for (batch, keys) in (0..).zip(&self.keys) {
            let rows = self.batches[batch as usize].num_rows();
            places.extend((0..rows).map(|row| Place { prefix: keys.prefix(row), batch, row: row as u32 }));
        }
        let key = |place: &Place| self.keys[place.batch as usize].get(place.row as usize);
        places.sort_unstable_by(|a, b| {
            let by_key = a.prefix.cmp(&b.prefix).then_with(|| key(a).cmp(key(b)));
            by_key.then_with(|| (a.batch, a.row).cmp(&(b.batch, b.row)))
        });
        SortedRun { batch_rows: batch_rows(self.bytes, self.rows), batches: self.batches, places, next: 0 }
    }
}

/// Rows of a batch of [`BATCH_BYTES`], when so many rows have so many bytes.
pub(super) fn batch_rows(bytes: usize, rows: usize) -> usize {
    let row_bytes = bytes.div_ceil(rows.max(1)).max(1);
    (BATCH_BYTES / row_bytes).clamp(1, BATCH_ROWS)
}

// === impl SortedRun ===

impl Iterator for SortedRun {
    type Item = Result<RecordBatch, SortError>;

    fn next(&mut self) -> Option<Self::Item> {
        let places = &self.places[self.next..];
        let places = &places[..places.len().min(self.batch_rows)];
        if places.is_empty() {
            return None;
        }
        self.next += places.len();
        Some(gather(&self.batches, places.iter().map(|place| (place.batch as usize, place.row as usize))))
    }
}

/// The rows at these places, by batch and row.
pub(super) fn gather(
    batches: &[RecordBatch],
    places: impl Iterator<Item = (usize, usize)>,
) -> Result<RecordBatch, SortError> {
    let batches: Vec<&RecordBatch> = batches.iter().collect();
    let places: Vec<(usize, usize)> = places.collect();
    Ok(interleave_record_batch(&batches, &places)?)
}
