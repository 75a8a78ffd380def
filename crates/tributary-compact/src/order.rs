//! The rows of one task in the order that was asked for: taken in whole, then given back, both on the Executor.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use paimon_table::data_error::DataError;
use tributary_runtime::Executor;

use crate::error::CompactError;
use crate::sort::{SortSpec, Sorted, Sorter};

/// How the rows of every task are ordered, and with what.
pub(crate) struct Order {
    pub(crate) spec: SortSpec,
    pub(crate) schema: SchemaRef,
    /// Where rows go that do not fit into memory.
    pub(crate) spill_folder: PathBuf,
}

/// Rows on their way out, and what the order cost.
pub(crate) struct Ordered {
    pub(crate) rows: BoxStream<'static, Result<RecordBatch, CompactError>>,
    pub(crate) spilled_bytes: u64,
}

// === impl Order ===

impl Order {
    /// Takes all of `rows`, holding `memory_bytes` of them at most.
    pub(crate) async fn apply(
        &self,
        mut rows: BoxStream<'static, Result<RecordBatch, DataError>>,
        memory_bytes: usize,
        executor: &Executor,
    ) -> Result<Ordered, CompactError> {
        let mut sorter = Sorter::try_new(&self.spec, Arc::clone(&self.schema), memory_bytes, &self.spill_folder)?;
        let mut next = rows.try_next().await?;
        while let Some(batch) = next {
            let push = executor.run(move || sorter.push(batch).map(|()| sorter));
            // The next rows are decoded while these are sorted in.
            let (decoded, pushed) = futures::join!(rows.try_next(), push);
            sorter = pushed??;
            next = decoded?;
        }
        let sorted = executor.run(move || sorter.finish()).await??;
        let spilled_bytes = sorted.spilled_bytes();
        Ok(Ordered { rows: drained(sorted, executor.clone()), spilled_bytes })
    }
}

fn drained(sorted: Sorted, executor: Executor) -> BoxStream<'static, Result<RecordBatch, CompactError>> {
    let next = |(mut sorted, executor): (Sorted, Executor)| async move {
        let (batch, sorted) = executor.run(move || (sorted.next(), sorted)).await?;
        let batch = batch.transpose()?;
        Ok(batch.map(|batch| (batch, (sorted, executor))))
    };
    stream::try_unfold((sorted, executor), next).boxed()
}
