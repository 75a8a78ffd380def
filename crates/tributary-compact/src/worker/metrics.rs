//! The worker's metrics, declared once: the reference is generated from [`METRICS`].

use std::time::Duration;

use prometheus::{
    CounterVec, GaugeVec, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};
use tributary_runtime::{MetricDef, MetricKind};

use super::action::ActionKind;
use super::backlog::{Backlog, METRICS as BACKLOG};
use super::record::{Report, RunStatus, TableName};

const TABLE_AND_KIND: &[&str] = &["table", "kind"];

const STARTED: MetricDef = MetricDef {
    name: "tributary_compaction_started_total",
    help: "Runs that were started, by kind of action.",
    kind: MetricKind::Counter,
    labels: TABLE_AND_KIND,
    stands_for: "Paimon compactionTotalCount",
};
const ENDED: MetricDef = MetricDef {
    name: "tributary_compaction_ended_total",
    help: "Runs that ended, by how: succeeded, nothing_to_do, abandoned, failed, cancelled, interrupted.",
    kind: MetricKind::Counter,
    labels: &["table", "kind", "reason"],
    stands_for: "Paimon compactionCompletedCount",
};
const RUNNING: MetricDef = MetricDef {
    name: "tributary_compaction_running",
    help: "Runs at work.",
    kind: MetricKind::Gauge,
    labels: TABLE_AND_KIND,
    stands_for: "",
};
const QUEUED: MetricDef = MetricDef {
    name: "tributary_compaction_queued",
    help: "Runs that are due or asked for and wait for their table or for a place.",
    kind: MetricKind::Gauge,
    labels: &[],
    stands_for: "Paimon compactionQueuedCount",
};
const DURATION: MetricDef = MetricDef {
    name: "tributary_compaction_duration_seconds",
    help: "How long runs took that had something to do.",
    kind: MetricKind::Histogram,
    labels: TABLE_AND_KIND,
    stands_for: "Paimon avgCompactionTime",
};
const BUSY: MetricDef = MetricDef {
    name: "tributary_compaction_busy_seconds_total",
    help: "Time spent in runs, summed over runs.",
    kind: MetricKind::Counter,
    labels: TABLE_AND_KIND,
    stands_for: "Paimon compactionThreadBusy",
};
const SUCCESS: MetricDef = MetricDef {
    name: "tributary_compaction_last_success_timestamp_seconds",
    help: "When a run last ended well, with or without something to do, Unix time.",
    kind: MetricKind::Gauge,
    labels: TABLE_AND_KIND,
    stands_for: "",
};
const INPUT_FILES: MetricDef = MetricDef {
    name: "tributary_compaction_input_files_total",
    help: "Files that compactions replaced.",
    kind: MetricKind::Counter,
    labels: TABLE_AND_KIND,
    stands_for: "",
};
const INPUT_BYTES: MetricDef = MetricDef {
    name: "tributary_compaction_input_bytes_total",
    help: "Bytes of files that compactions replaced.",
    kind: MetricKind::Counter,
    labels: TABLE_AND_KIND,
    stands_for: "Paimon avgCompactionInputFileSize",
};
const OUTPUT_FILES: MetricDef = MetricDef {
    name: "tributary_compaction_output_files_total",
    help: "Files that compactions put instead.",
    kind: MetricKind::Counter,
    labels: TABLE_AND_KIND,
    stands_for: "",
};
const OUTPUT_BYTES: MetricDef = MetricDef {
    name: "tributary_compaction_output_bytes_total",
    help: "Bytes of files that compactions put instead.",
    kind: MetricKind::Counter,
    labels: TABLE_AND_KIND,
    stands_for: "Paimon avgCompactionOutputFileSize",
};
const REMOVED_FILES: MetricDef = MetricDef {
    name: "tributary_compaction_removed_files_total",
    help: "Files deleted for good, by kind of action.",
    kind: MetricKind::Counter,
    labels: TABLE_AND_KIND,
    stands_for: "",
};
const REMOVED_BYTES: MetricDef = MetricDef {
    name: "tributary_compaction_removed_bytes_total",
    help: "Bytes of files deleted for good, as far as they are known.",
    kind: MetricKind::Counter,
    labels: TABLE_AND_KIND,
    stands_for: "",
};
const HISTORY_FAILURES: MetricDef = MetricDef {
    name: "tributary_compaction_history_failures_total",
    help: "Writes of the run history that failed; runs go on without it.",
    kind: MetricKind::Counter,
    labels: &[],
    stands_for: "",
};

/// What this module exports.
pub const METRICS: &[MetricDef] = &[
    STARTED,
    ENDED,
    RUNNING,
    QUEUED,
    DURATION,
    BUSY,
    SUCCESS,
    INPUT_FILES,
    INPUT_BYTES,
    OUTPUT_FILES,
    OUTPUT_BYTES,
    REMOVED_FILES,
    REMOVED_BYTES,
    HISTORY_FAILURES,
    BACKLOG[0],
    BACKLOG[1],
    BACKLOG[2],
    BACKLOG[3],
];

/// From 100 ms to 3 hours.
const BUCKETS: [f64; 10] = [0.1, 0.5, 2.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3_600.0, 10_800.0];

/// The worker's metrics, registered.
#[derive(Clone)]
pub struct WorkerMetrics {
    started: IntCounterVec,
    ended: IntCounterVec,
    running: IntGaugeVec,
    pub(super) queued: IntGauge,
    duration: HistogramVec,
    busy: CounterVec,
    success: GaugeVec,
    input: Volumes,
    output: Volumes,
    removed: Volumes,
    pub(super) history_failures: IntCounter,
    pub(crate) backlog: Backlog,
}

/// Files and their bytes.
#[derive(Clone)]
struct Volumes {
    files: IntCounterVec,
    bytes: IntCounterVec,
}

// === impl WorkerMetrics ===

impl WorkerMetrics {
    /// Registers them.
    ///
    /// # Errors
    /// When they are registered already.
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let opts = |metric: &MetricDef| {
            let help = match metric.stands_for {
                "" => metric.help.to_owned(),
                original => format!("{} ({original})", metric.help),
            };
            Opts::new(metric.name, help)
        };
        let volumes = |files: &MetricDef, bytes: &MetricDef| {
            Ok::<_, prometheus::Error>(Volumes {
                files: IntCounterVec::new(opts(files), files.labels)?,
                bytes: IntCounterVec::new(opts(bytes), bytes.labels)?,
            })
        };
        let metrics = Self {
            started: IntCounterVec::new(opts(&STARTED), STARTED.labels)?,
            ended: IntCounterVec::new(opts(&ENDED), ENDED.labels)?,
            running: IntGaugeVec::new(opts(&RUNNING), RUNNING.labels)?,
            queued: IntGauge::with_opts(opts(&QUEUED))?,
            duration: HistogramVec::new(
                HistogramOpts::from(opts(&DURATION)).buckets(BUCKETS.to_vec()),
                DURATION.labels,
            )?,
            busy: CounterVec::new(opts(&BUSY), BUSY.labels)?,
            success: GaugeVec::new(opts(&SUCCESS), SUCCESS.labels)?,
            input: volumes(&INPUT_FILES, &INPUT_BYTES)?,
            output: volumes(&OUTPUT_FILES, &OUTPUT_BYTES)?,
            removed: volumes(&REMOVED_FILES, &REMOVED_BYTES)?,
            history_failures: IntCounter::with_opts(opts(&HISTORY_FAILURES))?,
            backlog: Backlog::register(registry)?,
        };
        registry.register(Box::new(metrics.started.clone()))?;
        registry.register(Box::new(metrics.ended.clone()))?;
        registry.register(Box::new(metrics.running.clone()))?;
        registry.register(Box::new(metrics.queued.clone()))?;
        registry.register(Box::new(metrics.duration.clone()))?;
        registry.register(Box::new(metrics.busy.clone()))?;
        registry.register(Box::new(metrics.success.clone()))?;
        for volumes in [&metrics.input, &metrics.output, &metrics.removed] {
            registry.register(Box::new(volumes.files.clone()))?;
            registry.register(Box::new(volumes.bytes.clone()))?;
        }
        registry.register(Box::new(metrics.history_failures.clone()))?;
        Ok(metrics)
    }

    pub(super) fn start(&self, table: &TableName, kind: ActionKind) {
        let labels = [table.as_str(), kind.as_str()];
        self.started.with_label_values(&labels).inc();
        self.running.with_label_values(&labels).inc();
    }

    pub(super) fn end(&self, table: &TableName, kind: ActionKind, status: RunStatus, took: Duration, now_millis: i64) {
        let labels = [table.as_str(), kind.as_str()];
        self.running.with_label_values(&labels).dec();
        self.ended.with_label_values(&[table.as_str(), kind.as_str(), status.as_str()]).inc();
        self.busy.with_label_values(&labels).inc_by(took.as_secs_f64());
        if status != RunStatus::NothingToDo {
            self.duration.with_label_values(&labels).observe(took.as_secs_f64());
        }
        if matches!(status, RunStatus::Succeeded | RunStatus::NothingToDo) {
            self.success.with_label_values(&labels).set(now_millis as f64 / 1000.0);
        }
    }

    pub(super) fn report(&self, table: &TableName, kind: ActionKind, report: &Report) {
        let labels = [table.as_str(), kind.as_str()];
        for (volumes, volume) in
            [(&self.input, report.before), (&self.output, report.after), (&self.removed, report.removed)]
        {
            volumes.files.with_label_values(&labels).inc_by(volume.files);
            volumes.bytes.with_label_values(&labels).inc_by(volume.bytes);
        }
    }
}
