//! The sink's settings: plain data, defaults from the design page.

use std::num::NonZeroUsize;
use std::time::Duration;

/// What a user may tune about one pipeline's sink.
#[derive(Debug, Clone)]
pub struct SinkConfig {
    /// Time between two commits (`execution.checkpointing.interval`).
    pub checkpoint_interval: Duration,
    /// Most lanes that write at a time (`sink.parallelism`; default: the cores of this process).
    pub parallelism: NonZeroUsize,
    /// Also seal once the open epoch has received this many bytes of source rows.
    pub seal_bytes: Option<u64>,
    /// Also seal once the open epoch has received this many source rows.
    pub seal_rows: Option<u64>,
}

/// Bounds derived from the settings and the memory limit, each in one place.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) checkpoint_interval: Duration,
    /// The first epoch of a process is short: wrong credentials show at once.
    pub(crate) first_interval: Duration,
    /// An epoch that is due but has no place in line stays open up to this age, then the source waits.
    pub(crate) overdue_age: Duration,
    pub(crate) seal_bytes: u64,
    pub(crate) seal_rows: u64,
    pub(crate) lanes: usize,
    /// Bytes of batches that wait between source and lanes.
    pub(crate) channel_bytes: usize,
    /// Encoded bytes at which a writer closes its row group, unless `file.block-size` is less.
    pub(crate) row_group_bytes: usize,
    /// Budget use from which the largest writer is flushed.
    pub(crate) pressure_bytes: usize,
}

const FIRST_INTERVAL: Duration = Duration::from_millis(500);
/// Sealed epochs that wait for their uploads or their commit.
pub(crate) const EPOCHS_IN_FLIGHT: usize = 3;
/// Batches a lane holds besides the one it works on: enough to never run dry, too few to hide backlog.
pub(crate) const LANE_QUEUE: usize = 2;
/// Positions that moved without rows are committed at most this often.
pub(crate) const POSITION_COMMIT_EVERY: Duration = Duration::from_secs(60);
/// The pin follows our commits at most this often.
pub(crate) const PIN_EVERY: Duration = Duration::from_secs(60);

// === impl SinkConfig ===

impl Default for SinkConfig {
    fn default() -> Self {
        Self {
            checkpoint_interval: Duration::from_secs(10),
            parallelism: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            seal_bytes: None,
            seal_rows: None,
        }
    }
}

// === impl Limits ===

impl Limits {
    pub(crate) fn derive(config: &SinkConfig, memory_bytes: usize) -> Self {
        let lanes = config.parallelism.get();
        Self {
            checkpoint_interval: config.checkpoint_interval,
            first_interval: config.checkpoint_interval.min(FIRST_INTERVAL),
            overdue_age: config.checkpoint_interval.saturating_mul(4),
            seal_bytes: config.seal_bytes.unwrap_or(u64::MAX),
            seal_rows: config.seal_rows.unwrap_or(u64::MAX),
            lanes,
            channel_bytes: (memory_bytes / 16).max(1),
            row_group_bytes: (memory_bytes / (4 * lanes)).max(1),
            pressure_bytes: memory_bytes / 5 * 4,
        }
    }
}
