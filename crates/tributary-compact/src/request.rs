//! What somebody asks of a compaction.

use std::time::Duration;

use paimon_table::predicate::Predicate;
use paimon_table::table::Table;

use crate::sort::SortSpec;

/// One compaction of one table.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Only these partitions: a condition on partition columns.
    pub partitions: Option<Predicate>,
    /// Which files, and how.
    pub strategy: Strategy,
    /// Only partitions to which no file was added for so long. Of those a minor compaction also merges what is left over,
    /// as Paimon's streaming compaction does. Files that a compaction wrote count as well.
    pub partition_idle_time: Option<Duration>,
    /// Most tasks of this run, those of the partitions with most small files first; `None` for all.
    pub max_tasks: Option<usize>,
}

/// Which files are rewritten, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// Paimon's own rule for append tables: small files, as soon as they fill a file or are many.
    #[default]
    Minor,
    /// Everything below the target size, as far as that makes fewer files.
    Full,
    /// Every file, with the rows of each partition put in order.
    Ordered(SortSpec),
}

// === impl Strategy ===

impl Strategy {
    /// What names of new files begin with. An order is told by it, such as `data-zorder_2_0-`: where all files of a partition
    /// have it, nothing came since, whoever asks, and without a state that could be lost.
    pub(crate) fn file_prefix(&self, table: &Table) -> String {
        let prefix = &table.options().data_file_prefix;
        match self {
            Self::Minor | Self::Full => prefix.clone(),
            Self::Ordered(spec) => format!("{prefix}{}-", spec.mark(&table.schema().fields)),
        }
    }
}
