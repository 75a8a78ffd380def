//! Which snapshots may go: pure (`ExpireConfig`, `ExpireSnapshotsImpl.expire`).

use std::time::Duration;

use paimon_format::options::CoreOptions;
use paimon_format::{Snapshot, SnapshotId};

/// What a table retains. A snapshot goes when there are more than `retain_max`, or when there are more than `retain_min`
/// and the next one is older than `time_retained`: nobody has met it as the newest since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpirePolicy {
    /// `snapshot.num-retained.max`: more are never kept, whatever their age.
    pub retain_max: u64,
    /// `snapshot.num-retained.min`: fewer are never left.
    pub retain_min: u64,
    /// `snapshot.time-retained`.
    pub time_retained: Duration,
    /// `snapshot.expire.limit`: a run takes no more than this many away.
    pub max_deletes: u64,
}

// === impl ExpirePolicy ===

impl ExpirePolicy {
    /// What the table's options say.
    pub fn of(options: &CoreOptions) -> Self {
        Self {
            retain_max: options.snapshot_num_retained_max,
            retain_min: options.snapshot_num_retained_min,
            time_retained: options.snapshot_time_retained,
            max_deletes: options.snapshot_expire_limit,
        }
    }

    /// What is wrong with it, if anything.
    pub(super) fn contradiction(&self) -> Option<String> {
        let Self { retain_max, retain_min, .. } = self;
        match () {
            () if *retain_min == 0 => {
                Some("at least one snapshot must be retained (snapshot.num-retained.min)".to_owned())
            }
            () if retain_max < retain_min => Some(format!(
                "at most {retain_max} snapshots are to be retained (snapshot.num-retained.max), but at least {retain_min} \
                 (snapshot.num-retained.min)"
            )),
            () => None,
        }
    }

    /// The first snapshot that stays whatever its age, given the oldest and the newest.
    pub(super) fn until(&self, first: SnapshotId, latest: SnapshotId) -> SnapshotId {
        after_dropping(self.retain_min, latest).max(first)
    }

    /// Whether `id` may go, given the snapshot after it.
    pub(super) fn may_go(&self, id: SnapshotId, latest: &Snapshot, next: &Snapshot, now_millis: i64) -> bool {
        let retained = i64::try_from(self.time_retained.as_millis()).unwrap_or(i64::MAX);
        id < after_dropping(self.retain_max, latest.id) || next.time_millis < now_millis.saturating_sub(retained)
    }
}

/// The oldest of the newest `count` snapshots.
fn after_dropping(count: u64, latest: SnapshotId) -> SnapshotId {
    SnapshotId(latest.0.saturating_sub(i64::try_from(count).unwrap_or(i64::MAX)).saturating_add(1))
}
