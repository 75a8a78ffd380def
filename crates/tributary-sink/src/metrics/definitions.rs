//! The metrics themselves: name, meaning, labels, and what they stand for in Flink and Paimon.

use tributary_runtime::{MetricDef, MetricKind};

const LABELS: &[&str] = &["pipeline", "table"];
const LABELS_AND_REASON: &[&str] = &["pipeline", "table", "reason"];

const fn counter(name: &'static str, help: &'static str, stands_for: &'static str) -> MetricDef {
    MetricDef { name, help, kind: MetricKind::Counter, labels: LABELS, stands_for }
}

const fn gauge(name: &'static str, help: &'static str, stands_for: &'static str) -> MetricDef {
    MetricDef { name, help, kind: MetricKind::Gauge, labels: LABELS, stands_for }
}

const fn histogram(name: &'static str, help: &'static str, stands_for: &'static str) -> MetricDef {
    MetricDef { name, help, kind: MetricKind::Histogram, labels: LABELS, stands_for }
}

pub(super) const ROWS: MetricDef = counter("tributary_sink_rows_total", "Source rows received.", "Flink numRecordsIn");
pub(super) const BYTES: MetricDef =
    counter("tributary_sink_received_bytes_total", "Bytes of source rows received, in memory.", "Flink numBytesIn");
pub(super) const WRITTEN_ROWS: MetricDef = counter(
    "tributary_sink_written_rows_total",
    "Rows written to data files whose upload has finished, committed or not.",
    "Flink numRecordsSend",
);
pub(super) const FILES: MetricDef = counter("tributary_sink_files_total", "Data files whose upload has finished.", "");
pub(super) const FILE_BYTES: MetricDef =
    counter("tributary_sink_file_bytes_total", "Bytes of data files whose upload has finished.", "Flink numBytesSend");
pub(super) const UPLOAD_RETRIES: MetricDef =
    counter("tributary_sink_upload_retries_total", "Uploads of a data file tried again.", "Flink numRecordsSendErrors");
pub(super) const EARLY_FLUSHES: MetricDef = counter(
    "tributary_sink_early_flushes_total",
    "Files ended or row groups closed before their time because the memory budget ran low.",
    "Paimon bufferPreemptCount",
);
pub(super) const BACKPRESSURED: MetricDef = counter(
    "tributary_sink_backpressured_seconds_total",
    "Time the source waited for room in the channel or in the memory budget.",
    "Flink backPressuredTimeMsPerSecond",
);
pub(super) const BUSY: MetricDef = counter(
    "tributary_sink_busy_seconds_total",
    "Time lanes spent on expressions, partitioning and encoding, summed over lanes.",
    "Flink busyTimeMsPerSecond",
);
pub(super) const OPEN_WRITERS: MetricDef =
    gauge("tributary_sink_open_writers", "Data files whose rows are being gathered or written.", "Paimon numWriters");
pub(super) const LANES: MetricDef = gauge("tributary_sink_open_lanes", "Lanes that write in the open epoch.", "");
pub(super) const MEMORY_USED: MetricDef = gauge(
    "tributary_sink_memory_used_bytes",
    "Memory budget in use: channel, open writers, uploads.",
    "Paimon usedWriteBufferSizeByte",
);
pub(super) const MEMORY_LIMIT: MetricDef =
    gauge("tributary_sink_memory_limit_bytes", "Memory budget.", "Paimon totalWriteBufferSizeByte");
pub(super) const CHANNEL_FILL: MetricDef = gauge(
    "tributary_sink_channel_fill_ratio",
    "Bytes queued between source and lanes as a share of the bound, 0 to 1.",
    "Flink inPoolUsage",
);
pub(super) const EPOCHS: MetricDef = gauge(
    "tributary_sink_epochs_in_flight",
    "Sealed epochs that wait for their uploads or their commit.",
    "Flink numberOfInProgressCheckpoints",
);
pub(super) const COMMITS: MetricDef =
    counter("tributary_commit_commits_total", "Commits made.", "Flink numberOfCompletedCheckpoints");
pub(super) const COMMITTED_ROWS: MetricDef =
    counter("tributary_commit_rows_total", "Rows committed.", "Flink numRecordsOut, Paimon lastDeltaRecordsAppended");
pub(super) const COMMITTED_FILES: MetricDef =
    counter("tributary_commit_files_total", "Data files committed.", "Paimon lastTableFilesAppended");
pub(super) const COMMITTED_BYTES: MetricDef =
    counter("tributary_commit_bytes_total", "Bytes of data files committed.", "Flink numBytesOut");
pub(super) const FAILURES: MetricDef = MetricDef {
    name: "tributary_commit_failures_total",
    help: "Commits and uploads that failed, by kind of failure; transient ones are tried again.",
    kind: MetricKind::Counter,
    labels: LABELS_AND_REASON,
    stands_for: "Flink numberOfFailedCheckpoints",
};
pub(super) const CONFLICTS: MetricDef = MetricDef {
    name: "tributary_commit_conflicts_total",
    help: "Commit attempts that did not create their snapshot, by reason.",
    kind: MetricKind::Counter,
    labels: LABELS_AND_REASON,
    stands_for: "",
};
pub(super) const OVERWRITES: MetricDef = counter(
    "tributary_commit_foreign_overwrites_total",
    "OVERWRITEs by others of partitions that the job wrote to within the hour: rows may be lost. The log names the snapshots.",
    "",
);
pub(super) const LATE_ROWS: MetricDef = counter(
    "tributary_commit_late_rows_total",
    "Rows committed into partitions that are older than the table's `partition.expiration-time`: expiry takes them away.",
    "",
);
pub(super) const COMMIT_DURATION: MetricDef = histogram(
    "tributary_commit_duration_seconds",
    "Time of a commit, retries included.",
    "Paimon commitDuration, lastCommitDuration",
);
pub(super) const CHECKPOINT_DURATION: MetricDef = histogram(
    "tributary_commit_checkpoint_seconds",
    "Time from sealing an epoch to its commit, uploads included.",
    "Flink lastCheckpointDuration",
);
pub(super) const ATTEMPTS: MetricDef =
    gauge("tributary_commit_last_attempts", "Attempts the last commit took.", "Paimon lastCommitAttempts");
pub(super) const PARTITIONS: MetricDef = gauge(
    "tributary_commit_last_partitions",
    "Partitions the last commit added files to.",
    "Paimon lastPartitionsWritten",
);
pub(super) const CHECKPOINT_BYTES: MetricDef =
    gauge("tributary_commit_last_bytes", "Bytes of data files in the last commit.", "Flink lastCheckpointSize");
pub(super) const SNAPSHOT: MetricDef = gauge(
    "tributary_commit_last_snapshot",
    "Id of the last snapshot committed.",
    "Paimon lastCommittedSnapshotId, Flink lastCompletedCheckpointId",
);
pub(super) const LAST_COMMIT: MetricDef =
    gauge("tributary_commit_last_timestamp_seconds", "When the last commit was made, Unix time.", "");
pub(super) const LAG: MetricDef = gauge(
    "tributary_commit_lag_seconds",
    "Age of the oldest received row that is not committed; 0 when none waits; NaN before the first row.",
    "Flink currentEmitEventTimeLag",
);
pub(super) const INTERVAL: MetricDef = gauge(
    "tributary_commit_interval_seconds",
    "Time between commits as the job sets it: what a lag is measured by.",
    "",
);
pub(super) const FAILING: MetricDef = gauge(
    "tributary_commit_consecutive_failures",
    "Transient failures since the last success; above 0 the pipeline is not ready.",
    "",
);
pub(super) const ALIVE: MetricDef = gauge(
    "tributary_commit_snapshots_alive",
    "Snapshots of the table that have not been expired; absent until it was looked at, expiry is seen within a minute.",
    "",
);

/// Every metric of this crate.
pub const METRICS: &[MetricDef] = &[
    ROWS,
    BYTES,
    WRITTEN_ROWS,
    FILES,
    FILE_BYTES,
    UPLOAD_RETRIES,
    EARLY_FLUSHES,
    BACKPRESSURED,
    BUSY,
    OPEN_WRITERS,
    LANES,
    MEMORY_USED,
    MEMORY_LIMIT,
    CHANNEL_FILL,
    EPOCHS,
    COMMITS,
    COMMITTED_ROWS,
    COMMITTED_FILES,
    COMMITTED_BYTES,
    FAILURES,
    CONFLICTS,
    OVERWRITES,
    LATE_ROWS,
    COMMIT_DURATION,
    CHECKPOINT_DURATION,
    ATTEMPTS,
    PARTITIONS,
    CHECKPOINT_BYTES,
    SNAPSHOT,
    LAST_COMMIT,
    LAG,
    INTERVAL,
    FAILING,
    ALIVE,
];
