//! Which files are rewritten together: pure.
//!
//! The minor rule is Paimon's for append tables (`AppendCompactCoordinator`): a partition's small files are laid by size
//! into bins, every file counting its bytes and the cost of opening one. A bin is a task when it holds at least two files and
//! twice the target size; the last one also when it holds `compaction.min.file-num` files, or, in a partition that has
//! been idle, two. Of an ordered compaction a partition is one task.

use std::cmp::Reverse;

use paimon_format::options::CoreOptions;
use paimon_format::{BinaryRow, SnapshotId};

use crate::inventory::{Candidate, FileKey, Limits, PartitionFiles};
use crate::request::Strategy;

/// What a run is going to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The snapshot it was made from; `None` for a table without any.
    pub snapshot: Option<SnapshotId>,
    /// In the order in which they are run.
    pub tasks: Vec<Task>,
}

/// Files of one partition that are rewritten together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Values of the partition columns.
    pub partition: BinaryRow,
    pub(crate) files: Vec<FileKey>,
    /// Bytes of the files.
    pub bytes: u64,
    /// Rows of the files.
    pub rows: u64,
}

/// What the options of a table say about sizes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sizes {
    /// `target-file-size`.
    pub(crate) target_bytes: u64,
    /// `target-file-row-num`.
    pub(crate) target_rows: u64,
    /// `compaction.small-file-ratio` of the target.
    pub(crate) small_bytes: u64,
    /// `source.split.open-file-cost`.
    pub(crate) open_cost_bytes: u64,
    /// `compaction.min.file-num`.
    pub(crate) min_files: usize,
}

/// Of which partitions the files are taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Idle {
    /// Files must not be newer than this: the local wall clock, as if it were UTC.
    pub(crate) since_local_millis: i64,
}

// === impl Sizes ===

impl Sizes {
    pub(crate) fn of(options: &CoreOptions) -> Self {
        let target_bytes = options.target_file_size.bytes();
        Self {
            target_bytes,
            target_rows: options.target_file_row_num,
            small_bytes: (target_bytes as f64 * options.compaction_small_file_ratio) as u64,
            open_cost_bytes: options.source_split_open_file_cost.bytes(),
            min_files: options.compaction_min_file_num,
        }
    }

    /// What a strategy looks at.
    pub(crate) fn limits(&self, strategy: &Strategy) -> Limits {
        match strategy {
            Strategy::Minor => Limits { bytes: self.small_bytes, rows: self.target_rows },
            Strategy::Full => Limits { bytes: self.target_bytes, rows: self.target_rows },
            Strategy::Ordered(_) => Limits { bytes: u64::MAX, rows: u64::MAX },
        }
    }

    /// The files of one partition, smallest first, in groups that are worth a rewrite.
    pub(crate) fn pack(&self, strategy: &Strategy, candidates: &[Candidate], is_idle: bool) -> Vec<Vec<Candidate>> {
        let enough = match strategy {
            Strategy::Minor if !is_idle => self.min_files.max(2),
            Strategy::Minor | Strategy::Full => 2,
            // Nothing came since the order was made: a policy would otherwise rewrite every partition again and again.
            Strategy::Ordered(_) if candidates.iter().all(|candidate| candidate.is_in_order) => return Vec::new(),
            // An order is one of all rows.
            Strategy::Ordered(_) => return vec![candidates.to_vec()],
        };
        let (mut packed, mut bin, mut weight) = (Vec::new(), Vec::new(), 0_u64);
        for candidate in candidates {
            bin.push(*candidate);
            weight = weight.saturating_add(candidate.bytes + self.open_cost_bytes);
            if bin.len() > 1 && weight >= self.target_bytes.saturating_mul(2) {
                packed.push(std::mem::take(&mut bin));
                weight = 0;
            }
        }
        if bin.len() >= enough {
            packed.push(bin);
        }
        if *strategy == Strategy::Full {
            packed.retain(|bin| self.makes_fewer(bin));
        }
        packed
    }

    /// Whether the files become fewer. A file just below the target would otherwise be rewritten by every run.
    fn makes_fewer(&self, bin: &[Candidate]) -> bool {
        let bytes: u64 = bin.iter().map(|candidate| candidate.bytes).sum();
        let rows: u64 = bin.iter().map(|candidate| candidate.rows).sum();
        let files = bytes.div_ceil(self.target_bytes.max(1)).max(rows.div_ceil(self.target_rows.max(1)));
        files < bin.len() as u64
    }
}

// === impl Idle ===

impl Idle {
    fn admits(&self, files: &PartitionFiles) -> bool {
        files.newest_millis.is_some_and(|newest| newest <= self.since_local_millis)
    }
}

/// The tasks of a run: partitions with most small files first, at most `max_tasks`.
pub(crate) fn tasks(
    mut partitions: Vec<PartitionFiles>,
    strategy: &Strategy,
    sizes: &Sizes,
    idle: Option<Idle>,
    max_tasks: Option<usize>,
) -> Vec<Task> {
    if let Some(idle) = idle {
        partitions.retain(|files| idle.admits(files));
    }
    partitions.sort_by(|a, b| {
        let rank = |files: &PartitionFiles| Reverse(files.candidates.len());
        rank(a).cmp(&rank(b)).then_with(|| a.partition.bytes().cmp(b.partition.bytes()))
    });
    let tasks = partitions.into_iter().flat_map(|files| {
        let packed = sizes.pack(strategy, &files.candidates, idle.is_some());
        packed.into_iter().map(move |bin| Task::of(files.partition.clone(), &bin))
    });
    tasks.take(max_tasks.unwrap_or(usize::MAX)).collect()
}

// === impl Task ===

impl Task {
    fn of(partition: BinaryRow, bin: &[Candidate]) -> Self {
        Self {
            partition,
            files: bin.iter().map(|candidate| candidate.key).collect(),
            bytes: bin.iter().map(|candidate| candidate.bytes).sum(),
            rows: bin.iter().map(|candidate| candidate.rows).sum(),
        }
    }

    /// How many files are rewritten.
    pub fn file_count(&self) -> usize {
        self.files.len()
    }
}

// === impl Plan ===

impl Plan {
    /// Bytes of all files that are rewritten.
    pub fn bytes(&self) -> u64 {
        self.tasks.iter().map(|task| task.bytes).sum()
    }

    /// How many files are rewritten.
    pub fn file_count(&self) -> usize {
        self.tasks.iter().map(Task::file_count).sum()
    }
}

#[cfg(test)]
mod tests;
