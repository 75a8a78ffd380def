//! Every metric of the sink, declared once: the reference is generated from [`METRICS`].
//!
//! Labels are the pipeline and the table (and a closed set of reasons), never a partition, file or snapshot.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{
    Counter, CounterVec, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry,
};
use tributary_runtime::{FailureKind, MetricDef};

mod definitions;

pub use self::definitions::METRICS;
use self::definitions::*;
use crate::progress::Progress;

/// From a local create (milliseconds) to a throttled object store (minutes).
const SECONDS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

/// The sink's metrics of one registry, for all pipelines. Register once per process.
#[derive(Debug, Clone)]
pub struct SinkMetrics {
    rows: IntCounterVec,
    bytes: IntCounterVec,
    written_rows: IntCounterVec,
    files: IntCounterVec,
    file_bytes: IntCounterVec,
    upload_retries: IntCounterVec,
    early_flushes: IntCounterVec,
    backpressured: CounterVec,
    busy: CounterVec,
    open_writers: IntGaugeVec,
    lanes: IntGaugeVec,
    memory_used: IntGaugeVec,
    memory_limit: IntGaugeVec,
    channel_fill: GaugeVec,
    epochs: IntGaugeVec,
    commits: IntCounterVec,
    committed_rows: IntCounterVec,
    committed_files: IntCounterVec,
    committed_bytes: IntCounterVec,
    failures: IntCounterVec,
    conflicts: IntCounterVec,
    foreign_overwrites: IntCounterVec,
    late_rows: IntCounterVec,
    commit_duration: HistogramVec,
    checkpoint_duration: HistogramVec,
    attempts: IntGaugeVec,
    partitions: IntGaugeVec,
    checkpoint_bytes: IntGaugeVec,
    snapshot: IntGaugeVec,
    last_commit: GaugeVec,
    interval: GaugeVec,
    lag: GaugeVec,
    failing: IntGaugeVec,
    alive: IntGaugeVec,
    live: Live,
}

/// Gauges that change by themselves. They are refreshed when they are scraped: a sample would be old, and one of a
/// pipeline whose tasks have stopped would stand still while rows wait.
#[derive(Debug, Clone)]
struct Live {
    memory_used: IntGaugeVec,
    epochs: IntGaugeVec,
    lag: GaugeVec,
    pipelines: Arc<Mutex<BTreeMap<String, Progress>>>,
}

/// The same for one pipeline: resolved once, so that counting is an atomic addition.
#[derive(Debug, Clone)]
pub(crate) struct PipelineMetrics {
    pub(crate) rows: IntCounter,
    pub(crate) bytes: IntCounter,
    pub(crate) written_rows: IntCounter,
    pub(crate) files: IntCounter,
    pub(crate) file_bytes: IntCounter,
    pub(crate) upload_retries: IntCounter,
    pub(crate) early_flushes: IntCounter,
    pub(crate) backpressured: Counter,
    pub(crate) busy: Counter,
    pub(crate) open_writers: IntGauge,
    pub(crate) lanes: IntGauge,
    pub(crate) memory_used: IntGauge,
    pub(crate) memory_limit: IntGauge,
    pub(crate) channel_fill: Gauge,
    pub(crate) epochs: IntGauge,
    pub(crate) commits: IntCounter,
    pub(crate) committed_rows: IntCounter,
    pub(crate) committed_files: IntCounter,
    pub(crate) committed_bytes: IntCounter,
    pub(crate) lost_races: IntCounter,
    pub(crate) foreign_overwrites: IntCounter,
    pub(crate) late_rows: IntCounter,
    pub(crate) commit_duration: Histogram,
    pub(crate) checkpoint_duration: Histogram,
    pub(crate) attempts: IntGauge,
    pub(crate) partitions: IntGauge,
    pub(crate) checkpoint_bytes: IntGauge,
    pub(crate) snapshot: IntGauge,
    pub(crate) last_commit: Gauge,
    pub(crate) interval: Gauge,
    pub(crate) lag: Gauge,
    pub(crate) failing: IntGauge,
    alive: IntGaugeVec,
    failures: IntCounterVec,
    labels: [String; 2],
}

// === impl SinkMetrics ===

impl SinkMetrics {
    /// Registers every metric of [`METRICS`].
    ///
    /// # Errors
    /// When one of them is registered already.
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let live = registered(registry, Live::try_new()?)?;
        Ok(Self {
            rows: ints(registry, &ROWS)?,
            bytes: ints(registry, &BYTES)?,
            written_rows: ints(registry, &WRITTEN_ROWS)?,
            files: ints(registry, &FILES)?,
            file_bytes: ints(registry, &FILE_BYTES)?,
            upload_retries: ints(registry, &UPLOAD_RETRIES)?,
            early_flushes: ints(registry, &EARLY_FLUSHES)?,
            backpressured: seconds(registry, &BACKPRESSURED)?,
            busy: seconds(registry, &BUSY)?,
            open_writers: levels(registry, &OPEN_WRITERS)?,
            lanes: levels(registry, &LANES)?,
            memory_used: live.memory_used.clone(),
            memory_limit: levels(registry, &MEMORY_LIMIT)?,
            channel_fill: ratios(registry, &CHANNEL_FILL)?,
            epochs: live.epochs.clone(),
            commits: ints(registry, &COMMITS)?,
            committed_rows: ints(registry, &COMMITTED_ROWS)?,
            committed_files: ints(registry, &COMMITTED_FILES)?,
            committed_bytes: ints(registry, &COMMITTED_BYTES)?,
            failures: ints(registry, &FAILURES)?,
            conflicts: ints(registry, &CONFLICTS)?,
            foreign_overwrites: ints(registry, &OVERWRITES)?,
            late_rows: ints(registry, &LATE_ROWS)?,
            commit_duration: durations(registry, &COMMIT_DURATION)?,
            checkpoint_duration: durations(registry, &CHECKPOINT_DURATION)?,
            attempts: levels(registry, &ATTEMPTS)?,
            partitions: levels(registry, &PARTITIONS)?,
            checkpoint_bytes: levels(registry, &CHECKPOINT_BYTES)?,
            snapshot: levels(registry, &SNAPSHOT)?,
            last_commit: ratios(registry, &LAST_COMMIT)?,
            interval: ratios(registry, &INTERVAL)?,
            lag: live.lag.clone(),
            failing: levels(registry, &FAILING)?,
            alive: levels(registry, &ALIVE)?,
            live,
        })
    }

    /// From now on a scrape asks this progress. A later attempt of the same pipeline takes its place.
    pub(crate) fn watch(&self, pipeline: &str, progress: &Progress) {
        self.live.pipelines().insert(pipeline.to_owned(), progress.clone());
    }

    pub(crate) fn of(&self, pipeline: &str, table: &str) -> PipelineMetrics {
        let labels = &[pipeline, table];
        PipelineMetrics {
            rows: self.rows.with_label_values(labels),
            bytes: self.bytes.with_label_values(labels),
            written_rows: self.written_rows.with_label_values(labels),
            files: self.files.with_label_values(labels),
            file_bytes: self.file_bytes.with_label_values(labels),
            upload_retries: self.upload_retries.with_label_values(labels),
            early_flushes: self.early_flushes.with_label_values(labels),
            backpressured: self.backpressured.with_label_values(labels),
            busy: self.busy.with_label_values(labels),
            open_writers: self.open_writers.with_label_values(labels),
            lanes: self.lanes.with_label_values(labels),
            memory_used: self.memory_used.with_label_values(labels),
            memory_limit: self.memory_limit.with_label_values(labels),
            channel_fill: self.channel_fill.with_label_values(labels),
            epochs: self.epochs.with_label_values(labels),
            commits: self.commits.with_label_values(labels),
            committed_rows: self.committed_rows.with_label_values(labels),
            committed_files: self.committed_files.with_label_values(labels),
            committed_bytes: self.committed_bytes.with_label_values(labels),
            lost_races: self.conflicts.with_label_values(&[pipeline, table, "lost_race"]),
            foreign_overwrites: self.foreign_overwrites.with_label_values(labels),
            late_rows: self.late_rows.with_label_values(labels),
            commit_duration: self.commit_duration.with_label_values(labels),
            checkpoint_duration: self.checkpoint_duration.with_label_values(labels),
            attempts: self.attempts.with_label_values(labels),
            partitions: self.partitions.with_label_values(labels),
            checkpoint_bytes: self.checkpoint_bytes.with_label_values(labels),
            snapshot: self.snapshot.with_label_values(labels),
            last_commit: self.last_commit.with_label_values(labels),
            interval: self.interval.with_label_values(labels),
            lag: self.lag.with_label_values(labels),
            failing: self.failing.with_label_values(labels),
            alive: self.alive.clone(),
            failures: self.failures.clone(),
            labels: [pipeline.to_owned(), table.to_owned()],
        }
    }
}

// === impl Live ===

impl Live {
    fn try_new() -> Result<Self, prometheus::Error> {
        Ok(Self {
            memory_used: IntGaugeVec::new(opts(&MEMORY_USED), MEMORY_USED.labels)?,
            epochs: IntGaugeVec::new(opts(&EPOCHS), EPOCHS.labels)?,
            lag: GaugeVec::new(opts(&LAG), LAG.labels)?,
            pipelines: Arc::default(),
        })
    }

    fn pipelines(&self) -> MutexGuard<'_, BTreeMap<String, Progress>> {
        self.pipelines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn members(&self) -> [&dyn Collector; 3] {
        [&self.memory_used, &self.epochs, &self.lag]
    }
}

impl Collector for Live {
    fn desc(&self) -> Vec<&Desc> {
        self.members().into_iter().flat_map(Collector::desc).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.pipelines().values().for_each(Progress::observe);
        self.members().into_iter().flat_map(Collector::collect).collect()
    }
}

// === impl PipelineMetrics ===

impl PipelineMetrics {
    /// How many snapshots the table has. Until the first call the gauge is absent: nobody knows.
    pub(crate) fn snapshots_alive(&self, count: i64) {
        self.alive.with_label_values(&self.labels).set(count);
    }

    pub(crate) fn failed(&self, kind: FailureKind) {
        let reason = match kind {
            FailureKind::Transient => "transient",
            FailureKind::Usage => "usage",
            FailureKind::Auth => "auth",
            FailureKind::Fenced => "fenced",
            FailureKind::Corrupt => "corrupt",
            FailureKind::RetriesExhausted => "retries_exhausted",
            FailureKind::NotDrained => "not_drained",
            FailureKind::Internal => "internal",
        };
        self.failures.with_label_values(&[self.labels[0].as_str(), self.labels[1].as_str(), reason]).inc();
    }
}

fn registered<C: Collector + Clone + 'static>(registry: &Registry, collector: C) -> Result<C, prometheus::Error> {
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}

/// HELP names the original, so that whoever knows Flink's name finds ours.
fn opts(def: &MetricDef) -> Opts {
    let help = match def.stands_for {
        "" => def.help.to_owned(),
        original => format!("{} Stands for {original}.", def.help),
    };
    Opts::new(def.name, help)
}

fn ints(registry: &Registry, def: &MetricDef) -> Result<IntCounterVec, prometheus::Error> {
    registered(registry, IntCounterVec::new(opts(def), def.labels)?)
}

fn seconds(registry: &Registry, def: &MetricDef) -> Result<CounterVec, prometheus::Error> {
    registered(registry, CounterVec::new(opts(def), def.labels)?)
}

fn levels(registry: &Registry, def: &MetricDef) -> Result<IntGaugeVec, prometheus::Error> {
    registered(registry, IntGaugeVec::new(opts(def), def.labels)?)
}

fn ratios(registry: &Registry, def: &MetricDef) -> Result<GaugeVec, prometheus::Error> {
    registered(registry, GaugeVec::new(opts(def), def.labels)?)
}

fn durations(registry: &Registry, def: &MetricDef) -> Result<HistogramVec, prometheus::Error> {
    let buckets = SECONDS.to_vec();
    registered(registry, HistogramVec::new(HistogramOpts::from(opts(def)).buckets(buckets), def.labels)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tributary_runtime::MetricKind;

    use super::*;

    #[test]
    fn what_is_declared_is_what_is_registered() {
        let registry = Registry::new();
        let metrics = SinkMetrics::register(&registry).unwrap();
        let one = metrics.of("job", "db.t");
        one.failed(FailureKind::Transient);
        let alive = |registry: &Registry| registry.gather().iter().any(|family| family.name() == ALIVE.name);
        assert!(!alive(&registry), "absent until known");
        one.snapshots_alive(7);
        let mut exposed: Vec<_> = registry.gather().iter().map(|family| family.name().to_owned()).collect();
        let mut declared: Vec<_> = METRICS.iter().map(|def| def.name.to_owned()).collect();
        exposed.sort();
        declared.sort();
        assert_eq!(exposed, declared);
        assert!(
            declared.iter().all(|name| name.starts_with("tributary_sink_") || name.starts_with("tributary_commit_"))
        );
    }

    #[test]
    fn counters_and_only_counters_end_in_total() {
        for def in METRICS {
            assert_eq!(def.name.ends_with("_total"), def.kind == MetricKind::Counter, "{}", def.name);
        }
    }
}
