//! The rows of one task in the order that was asked for: taken in whole, then given back, both on the Executor.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use futures::future::try_join_all;
use futures::stream::{self, BoxStream, StreamExt};
use futures::{TryFutureExt, try_join};
use paimon_table::data_error::DataError;
use tokio::sync::mpsc::channel;
use tributary_runtime::Executor;

use crate::ahead::{BATCHES_AHEAD, forward};
use crate::error::CompactError;
use crate::sort::{Overflow, SortSpec, Sorted, Sorter, SpilledRun};

/// How the rows of every task are ordered, and with what.
pub(crate) struct Order {
    pub(crate) spec: SortSpec,
    pub(crate) schema: SchemaRef,
    /// Where rows go that do not fit into memory.
    pub(crate) spill_folder: PathBuf,
    /// Is told how many rows were taken in.
    pub(crate) on_read: Arc<dyn Fn(u64) + Send + Sync>,
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
        rows: BoxStream<'static, Result<RecordBatch, DataError>>,
        memory_bytes: usize,
        executor: &Executor,
    ) -> Result<Ordered, CompactError> {
        let mut sorter = Sorter::try_new(&self.spec, Arc::clone(&self.schema), memory_bytes, &self.spill_folder)?;
        let (sender, mut batches) = channel(BATCHES_AHEAD);
        let sort = async {
            let mut overflow;
            while let Some(batch) = batches.recv().await {
                let rows = RecordBatch::num_rows(&batch) as u64;
                (sorter, overflow) =
                    executor.run(move || sorter.push(batch).map(|overflow| (sorter, overflow))).await??;
                sorter.spilled(spill(overflow, executor).await?);
                (self.on_read)(rows);
            }
            overflow = sorter.end();
            sorter.spilled(spill(overflow, executor).await?);
            Ok(executor.run(move || sorter.finish()).await??)
        };
        let ((), sorted) = try_join!(forward(rows, sender).err_into::<CompactError>(), sort)?;
        let spilled_bytes = sorted.spilled_bytes();
        Ok(Ordered { rows: drained(sorted, executor.clone()), spilled_bytes })
    }
}

async fn spill(overflow: Overflow, executor: &Executor) -> Result<Vec<SpilledRun>, CompactError> {
    try_join_all(overflow.into_runs().into_iter().map(|run| async { Ok(executor.run(move || run.spill()).await??) }))
        .await
}

fn drained(sorted: Sorted, executor: Executor) -> BoxStream<'static, Result<RecordBatch, CompactError>> {
    let next = |(mut sorted, executor): (Sorted, Executor)| async move {
        let (batch, sorted) = executor.run(move || (sorted.next(), sorted)).await?;
        let batch = batch.transpose()?;
        Ok(batch.map(|batch| (batch, (sorted, executor))))
    };
    stream::try_unfold((sorted, executor), next).boxed()
}
