//! Rows that come too late: into partitions that are older than the table lets them become (`partition.expiration-time`).
//!
//! Whoever expires partitions drops such a one, again if it was dropped before, and the rows with it. Writing them is an
//! ordinary append, which meets no conflict; so that they do not vanish unseen they are counted.

use paimon_table::commit::NewFile;
use paimon_table::partition_text;
use paimon_table::table::Table;
use paimon_table::wall_clock::local_millis;
use tributary_runtime::Clock;

/// Counts late rows, and names the first partition they went to.
#[derive(Default)]
pub(crate) struct LateRows {
    is_told: bool,
}

// === impl LateRows ===

impl LateRows {
    /// How many of the rows in `files`, which lie partition by partition, are late.
    pub(crate) fn count(&mut self, table: &Table, files: &[NewFile], clock: &dyn Clock) -> u64 {
        let Some(expiration) = &table.options().partition_expiration else { return 0 };
        let schema = table.schema();
        let (columns, types) = (&schema.partition_keys, schema.partition_types());
        let age = i64::try_from(expiration.time.as_millis()).unwrap_or(i64::MAX);
        let oldest = local_millis(clock.now_millis()).saturating_sub(age);
        let mut late = 0;
        for same in files.chunk_by(|a, b| a.partition == b.partition) {
            let Ok(values) = same[0].partition.decode(&types) else { continue };
            if expiration.time_of(columns, &values).is_none_or(|time| time >= oldest) {
                continue;
            }
            late += same.iter().map(|file| u64::try_from(file.meta.row_count).unwrap_or(0)).sum::<u64>();
            if !std::mem::replace(&mut self.is_told, true) {
                let default = &table.options().partition_default_name;
                let partition = partition_text::spec_text(&schema.partition_fields(), &values, default);
                tracing::warn!(
                    table = %table.identifier(), partition,
                    "rows come too late: their partition is older than partition.expiration-time, so whoever expires partitions \
                     drops them; tributary_commit_late_rows_total counts on, this is said once"
                );
            }
        }
        late
    }
}
