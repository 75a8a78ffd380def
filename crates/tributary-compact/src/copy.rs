//! Which row groups of the inputs go into the outputs as they are.
//!
//! What may be copied without a difference is the table layer's to say ([`WriterSpec::copyable`]); here only size counts.
//! What is copied stays as it is through every later merge, so small row groups are encoded together: the merged files of a
//! slow job would otherwise consist of its checkpoints for ever, with a footer entry and a dictionary for each column of
//! each, and a request each to read one column.

use arrow::record_batch::RecordBatch;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use paimon_format::ManifestEntry;
use paimon_table::data_error::DataError;
use paimon_table::read::{OpenFile, open_alike, read_file_on};
use paimon_table::table::Table;
use paimon_table::write::WriterSpec;
use tributary_runtime::Executor;

/// Row groups of this size are large, whatever the size of those that we write: to read one takes longer than to ask for
/// it, they have some ten thousand rows, and a file of 128 MB has at most 32 of them.
const LARGE_BYTES: u64 = 4 << 20;
/// Footers that are read at one time.
const FOOTERS: usize = 4;

/// The sizes of row groups that are copied.
#[derive(Clone, Copy, Debug, PartialEq)]
struct GroupSizes {
    least_bytes: u64,
    most_bytes: u64,
}

/// What is read of some files, and how.
pub(crate) struct Inputs {
    /// As they are, before the rest: so what is small comes together, and becomes row groups of full size.
    pub(crate) groups: Vec<Group>,
    pub(crate) rest: Vec<Decoded>,
}

/// A row group to be copied.
pub(crate) struct Group {
    pub(crate) file: OpenFile,
    pub(crate) index: usize,
    pub(crate) bytes: u64,
    pub(crate) rows: u64,
}

/// What is decoded of a file.
pub(crate) enum Decoded {
    All(ManifestEntry),
    RowGroups(OpenFile, Vec<usize>),
}

/// Whether an output may have this size: its target and half of it more, so that row groups of all usual sizes can be
/// copied whole.
pub(crate) fn fits(size: u64, target: u64) -> bool {
    size <= target.saturating_add(target / 2)
}

// === impl GroupSizes ===

impl GroupSizes {
    /// For outputs whose own row groups have `row_group_bytes`: what is half as large would not come out much larger. What
    /// is more than twice as large takes more memory than a rewrite has, and is not what was asked for (`file.block-size`).
    fn of(row_group_bytes: usize) -> Self {
        let row_group_bytes = row_group_bytes as u64;
        Self { least_bytes: LARGE_BYTES.min(row_group_bytes / 2), most_bytes: row_group_bytes.saturating_mul(2) }
    }

    fn take(&self, bytes: u64) -> bool {
        (self.least_bytes..=self.most_bytes).contains(&bytes)
    }
}

// === impl Inputs ===

impl Inputs {
    /// Everything is decoded.
    pub(crate) fn decoded(files: Vec<ManifestEntry>) -> Self {
        Self { groups: Vec::new(), rest: files.into_iter().map(Decoded::All).collect() }
    }

    /// What can be copied is; footers tell, of files that are large enough to have such row groups.
    pub(crate) async fn open(
        table: &Table,
        spec: &WriterSpec,
        files: Vec<ManifestEntry>,
        executor: &Executor,
    ) -> Result<Self, DataError> {
        let sizes = GroupSizes::of(spec.row_group_bytes());
        let mut inputs = Self { groups: Vec::new(), rest: Vec::new() };
        let mut opened = stream::iter(files)
            .map(|entry| {
                let (table, executor) = (table.clone(), executor.clone());
                async move {
                    let is_large = u64::try_from(entry.file.file_size).is_ok_and(|bytes| bytes >= sizes.least_bytes);
                    let file = if is_large { open_alike(&table, &entry, &executor).await? } else { None };
                    Ok::<_, DataError>((entry, file))
                }
            })
            .buffered(FOOTERS);
        while let Some((entry, file)) = opened.try_next().await? {
            inputs.add(entry, file, spec, &sizes);
        }
        Ok(inputs)
    }

    fn add(&mut self, entry: ManifestEntry, file: Option<OpenFile>, spec: &WriterSpec, sizes: &GroupSizes) {
        let Some(file) = file else {
            return self.rest.push(Decoded::All(entry));
        };
        let footer = file.metadata();
        let bytes_of = |index: usize| u64::try_from(footer.row_group(index).compressed_size()).unwrap_or_default();
        let mut copied = spec.copyable(footer);
        copied.retain(|index| sizes.take(bytes_of(*index)));
        let decoded: Vec<usize> = (0..footer.num_row_groups()).filter(|index| !copied.contains(index)).collect();
        self.groups.extend(copied.into_iter().map(|index| Group {
            file: file.clone(),
            index,
            bytes: bytes_of(index),
            rows: u64::try_from(footer.row_group(index).num_rows()).unwrap_or_default(),
        }));
        if !decoded.is_empty() {
            self.rest.push(Decoded::RowGroups(file, decoded));
        }
    }
}

// === impl Decoded ===

impl Decoded {
    /// The rows, with the table's columns.
    pub(crate) async fn rows(
        self,
        table: &Table,
        executor: &Executor,
    ) -> Result<BoxStream<'static, Result<RecordBatch, DataError>>, DataError> {
        let fields = &table.schema().fields;
        match self {
            Self::All(entry) => read_file_on(table, &entry, fields, executor).await,
            Self::RowGroups(file, row_groups) => file.read(fields, &row_groups),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: u64 = 1 << 20;

    #[test]
    fn row_groups_are_copied_that_are_large_or_nearly_as_large_as_ours() {
        for (ours, bytes, is_copied) in [
            (64 * MB, 4 * MB - 1, false),
            (64 * MB, 4 * MB, true),
            (64 * MB, 128 * MB, true),
            (64 * MB, 128 * MB + 1, false),
            // A job of 100 rows/s, 120 bytes each, with checkpoints of one minute.
            (64 * MB, 720_000, false),
            // Little memory, or a table with small row groups.
            (4 * MB, 2 * MB - 1, false),
            (4 * MB, 2 * MB, true),
            (4 * MB, 8 * MB + 1, false),
            (1, 1, true),
            (1, 3, false),
        ] {
            assert_eq!(GroupSizes::of(ours as usize).take(bytes), is_copied, "{bytes} where ours have {ours}");
        }
    }

    #[test]
    fn an_output_exceeds_its_target_by_half_at_most() {
        for (size, target, does) in
            [(192, 128, true), (193, 128, false), (1, 1, true), (2, 1, false), (9, u64::MAX, true)]
        {
            assert_eq!(fits(size, target), does, "{size} of {target}");
        }
    }
}
