//! The outputs of one task, one after the other: rows are encoded into them, and row groups taken over, until each has the
//! target size. What is encoded goes to [`crate::ship`].

use arrow::record_batch::RecordBatch;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt, try_join};
use paimon_table::read::RowGroup;
use paimon_table::write::{DataFileWriter, Finished};
use tokio::sync::mpsc::{Sender, channel};

use crate::ahead::{BATCHES_AHEAD, forward};
use crate::copy::{self, Group};
use crate::error::CompactError;
use crate::rewrite::Rewriter;
use crate::ship::Parcel;

/// The output that is open, and where its bytes go.
pub(crate) struct Roll<'a> {
    rewriter: &'a Rewriter,
    open: Option<Box<DataFileWriter>>,
    to: Sender<Parcel>,
    /// Bytes of row groups that were taken over.
    copied_bytes: u64,
}

// === impl Roll ===

impl<'a> Roll<'a> {
    pub(crate) fn new(rewriter: &'a Rewriter, to: Sender<Parcel>) -> Self {
        Self { rewriter, open: None, to, copied_bytes: 0 }
    }

    /// Takes these row groups over; decodes those of which the output would become too large.
    pub(crate) async fn copy(&mut self, groups: Vec<Group>) -> Result<(), CompactError> {
        for group in groups {
            let Group { file, index, bytes, rows } = group;
            let options = self.rewriter.table.options();
            let written = self.open.as_ref().map(|writer| (writer.written_bytes(), writer.rows()));
            let (written_bytes, written_rows) = written.unwrap_or_default();
            if !copy::fits(written_bytes + bytes, options.target_file_size.bytes())
                || written_rows + rows > options.target_file_row_num
            {
                let decoded = file.read(&self.rewriter.table.schema().fields, &[index])?;
                self.write_all(decoded.err_into().boxed()).await?;
                continue;
            }
            self.append(file.fetch(index).await?, rows).await?;
            self.send().await;
            self.copied_bytes += bytes;
        }
        Ok(())
    }

    async fn append(&mut self, group: RowGroup, rows: u64) -> Result<(), CompactError> {
        let mut writer = match self.open.take() {
            Some(open) => open,
            None => Box::new(DataFileWriter::try_new_like(&self.rewriter.spec, &group)?),
        };
        let append = move || writer.append(group).map(|()| writer);
        self.open = Some(self.rewriter.env.executor.run(append).await??);
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
            let open = self.open.as_ref().map_or(0, |writer| writer.rows());
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
        let mut writer = match self.open.take() {
            Some(open) => open,
            None => Box::new(DataFileWriter::try_new(&self.rewriter.spec, &batch)?),
        };
        let write = move || writer.write(&batch).map(|()| writer);
        self.open = Some(self.rewriter.env.executor.run(write).await??);
        self.send().await;
        self.wrote(rows).await
    }

    /// Hands over what is encoded; waits while more than a row group is on its way.
    async fn send(&mut self) {
        while let Some(bytes) = self.open.as_mut().and_then(|writer| writer.drain_encoded()) {
            self.hand_over(Parcel::Piece(bytes)).await;
        }
    }

    async fn hand_over(&mut self, parcel: Parcel) {
        // Whoever takes them has failed otherwise, and says so.
        let _ = self.to.send(parcel).await;
    }

    /// After so many rows: ends the output if it has its size.
    async fn wrote(&mut self, rows: u64) -> Result<(), CompactError> {
        (self.rewriter.on_rows.written)(rows);
        let options = self.rewriter.table.options();
        let is_full = |writer: &DataFileWriter| {
            writer.written_bytes() >= options.target_file_size.bytes() || writer.rows() >= options.target_file_row_num
        };
        if self.open.as_deref().is_some_and(is_full) { self.close().await } else { Ok(()) }
    }

    async fn close(&mut self) -> Result<(), CompactError> {
        let Some(writer) = self.open.take() else {
            return Ok(());
        };
        let Finished { tail, summary } = self.rewriter.env.executor.run(move || writer.finish()).await??;
        for bytes in tail {
            self.hand_over(Parcel::Piece(bytes)).await;
        }
        self.hand_over(Parcel::End(summary)).await;
        Ok(())
    }

    /// Ends the last output; how many bytes were taken over.
    pub(crate) async fn finish(mut self) -> Result<u64, CompactError> {
        self.close().await?;
        Ok(self.copied_bytes)
    }
}
