//! The first rows of a file, before there is a writer for them.
//!
//! A Parquet writer holds a lot before it holds many rows: buffers and a compressor for every column. Rows that weigh less
//! than that wait as they are. So a thousand partitions with a few rows each fit into a small budget, and what memory
//! pressure flushes is a file of as many rows as there was room for, not of one.

use arrow::array::UInt32Array;
use arrow::compute::{concat_batches, take_record_batch};
use arrow::record_batch::RecordBatch;

use crate::batch::weight;
use crate::error::SinkError;

/// Rows in the order they came, in batches that own their memory.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    batches: Vec<Gathered>,
    bytes: usize,
    rows: usize,
}

#[derive(Debug)]
struct Gathered {
    rows: RecordBatch,
    bytes: usize,
    /// How often its rows were joined.
    joined: u32,
}

/// So many batches that were joined equally often become one: a row is copied a logarithmic number of times, and of
/// small arrays, each with a header larger than a short row, there are never many.
const FAN_IN: usize = 4;

/// What rounding up may add to the buffers of a few short rows.
const ROUNDED_BYTES: usize = 1 << 10;

// === impl Waiting ===

impl Waiting {
    /// Bytes of memory the rows hold.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// # Errors
    /// [`SinkError`] when Arrow cannot copy rows of these types.
    pub(crate) fn push(&mut self, rows: RecordBatch) -> Result<(), SinkError> {
        self.rows += rows.num_rows();
        self.gather(own(rows)?, 0);
        while let Some(joined) = self.joinable() {
            let last = self.batches.split_off(self.batches.len() - FAN_IN);
            self.bytes -= last.iter().map(|batch| batch.bytes).sum::<usize>();
            let rows = concat_batches(&last[0].rows.schema(), last.iter().map(|batch| &batch.rows))
                .map_err(SinkError::arrow("joining rows that wait for a writer"))?;
            drop(last);
            self.gather(rows, joined + 1);
        }
        Ok(())
    }

    pub(crate) fn into_batches(self) -> Vec<RecordBatch> {
        self.batches.into_iter().map(|batch| batch.rows).collect()
    }

    fn gather(&mut self, rows: RecordBatch, joined: u32) {
        let bytes = rows.get_array_memory_size();
        self.bytes += bytes;
        self.batches.push(Gathered { rows, bytes, joined });
    }

    /// How often the last batches were joined, if there are enough of the same.
    fn joinable(&self) -> Option<u32> {
        let last = self.batches.len().checked_sub(FAN_IN).map(|first| &self.batches[first..])?;
        last.iter().all(|batch| batch.joined == last[0].joined).then(|| last[0].joined)
    }
}

/// A copy of rows that are a slice of others, which it would keep alive.
fn own(rows: RecordBatch) -> Result<RecordBatch, SinkError> {
    let kept: usize = rows.columns().iter().map(|column| column.get_buffer_memory_size()).sum();
    if kept <= weight(&rows) * 2 + ROUNDED_BYTES {
        return Ok(rows);
    }
    let every = UInt32Array::from_iter_values(0..rows.num_rows() as u32);
    take_record_batch(&rows, &every).map_err(SinkError::arrow("copying rows that wait for a writer"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use arrow::array::{ArrayRef, AsArray, Int64Array, StringArray};
    use arrow::datatypes::Int64Type;

    use super::*;

    fn batch(rows: std::ops::Range<i64>) -> RecordBatch {
        let texts: ArrayRef = Arc::new(StringArray::from_iter_values(rows.clone().map(|row| format!("row {row:060}"))));
        let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(rows));
        RecordBatch::try_from_iter([("id", ids), ("text", texts)]).unwrap()
    }

    #[test]
    fn rows_keep_their_order_in_few_batches() {
        for sizes in [vec![1; 1_000], vec![7, 500, 1, 1, 1, 90, 2, 2, 2, 2, 3], vec![5], vec![]] {
            let mut waiting = Waiting::default();
            let mut next = 0;
            for size in sizes {
                waiting.push(batch(next..next + size)).unwrap();
                next += size;
            }
            assert_eq!(waiting.rows(), next as usize);
            let held = waiting.bytes();
            let batches = waiting.into_batches();
            assert!(batches.len() <= 20, "{}", batches.len());
            assert_eq!(held, batches.iter().map(RecordBatch::get_array_memory_size).sum::<usize>());
            let ids: Vec<_> = batches
                .iter()
                .flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec())
                .collect();
            assert_eq!(ids, (0..next).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_slice_does_not_keep_what_it_was_cut_from() {
        let all = batch(0..10_000);
        let mut waiting = Waiting::default();
        waiting.push(all.slice(5_000, 3)).unwrap();
        assert!(waiting.bytes() < 2_000, "{}", waiting.bytes());
        assert_eq!(waiting.into_batches(), [batch(5_000..5_003)]);
    }

    #[test]
    fn rows_that_own_their_memory_are_not_copied() {
        let all = batch(0..100);
        let mut waiting = Waiting::default();
        waiting.push(all.clone()).unwrap();
        assert!(Arc::ptr_eq(waiting.into_batches()[0].column(1), all.column(1)));
    }
}
