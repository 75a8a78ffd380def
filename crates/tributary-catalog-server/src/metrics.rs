//! Every metric of the catalog server, declared once: the reference is generated from [`METRICS`].

use std::time::Duration;

use prometheus::core::Collector;
use prometheus::{Histogram, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry};
use tributary_runtime::{MetricDef, MetricKind};

/// From a cached read on a local disk to a slow object store.
const SECONDS: [f64; 13] = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 30.0];

const fn def(name: &'static str, help: &'static str, kind: MetricKind, labels: &'static [&'static str]) -> MetricDef {
    MetricDef { name, help, kind, labels, stands_for: "" }
}

const REQUESTS: MetricDef = def(
    "tributary_catalog_requests_total",
    "Requests answered, by operation of the REST API and HTTP code.",
    MetricKind::Counter,
    &["operation", "code"],
);
const REQUEST_SECONDS: MetricDef = def(
    "tributary_catalog_request_duration_seconds",
    "Time from a request's body to its answer.",
    MetricKind::Histogram,
    &["operation"],
);
const COMMITS: MetricDef = def(
    "tributary_catalog_commits_total",
    "Commits asked for: created, repeated (an accepted one sent again), conflict, refused, failed.",
    MetricKind::Counter,
    &["outcome"],
);
const COMMIT_SECONDS: MetricDef = def(
    "tributary_catalog_commit_duration_seconds",
    "Time of accepted commits, waiting for others of the same table included.",
    MetricKind::Histogram,
    &[],
);
const DATABASES: MetricDef = def("tributary_catalog_databases", "Databases in the catalog.", MetricKind::Gauge, &[]);
const TABLES: MetricDef = def("tributary_catalog_tables", "Tables in the catalog.", MetricKind::Gauge, &[]);

/// What this crate exports.
pub const METRICS: &[MetricDef] = &[REQUESTS, REQUEST_SECONDS, COMMITS, COMMIT_SECONDS, DATABASES, TABLES];

/// The server's metrics. Clones count together.
#[derive(Clone, Debug)]
pub struct CatalogMetrics {
    requests: IntCounterVec,
    request_seconds: HistogramVec,
    commits: IntCounterVec,
    commit_seconds: Histogram,
    databases: IntGauge,
    tables: IntGauge,
}

/// What became of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Created,
    Repeated,
    Conflict,
    Refused,
    Failed,
}

// === impl CatalogMetrics ===

impl CatalogMetrics {
    /// Adds the metrics.
    ///
    /// # Errors
    /// When they are there already.
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let opts = |def: &MetricDef| Opts::new(def.name, def.help);
        let histogram = |def: &MetricDef| HistogramOpts::from(opts(def)).buckets(SECONDS.to_vec());
        Ok(Self {
            requests: registered(registry, IntCounterVec::new(opts(&REQUESTS), REQUESTS.labels)?)?,
            request_seconds: registered(
                registry,
                HistogramVec::new(histogram(&REQUEST_SECONDS), REQUEST_SECONDS.labels)?,
            )?,
            commits: registered(registry, IntCounterVec::new(opts(&COMMITS), COMMITS.labels)?)?,
            commit_seconds: registered(registry, Histogram::with_opts(histogram(&COMMIT_SECONDS))?)?,
            databases: registered(registry, IntGauge::with_opts(opts(&DATABASES))?)?,
            tables: registered(registry, IntGauge::with_opts(opts(&TABLES))?)?,
        })
    }

    pub(crate) fn answered(&self, operation: &str, code: u16, took: Duration) {
        self.requests.with_label_values(&[operation, &code.to_string()]).inc();
        self.request_seconds.with_label_values(&[operation]).observe(took.as_secs_f64());
    }

    pub(crate) fn committed(&self, outcome: Outcome, took: Duration) {
        self.commits.with_label_values(&[outcome.name()]).inc();
        if outcome == Outcome::Created {
            self.commit_seconds.observe(took.as_secs_f64());
        }
    }

    /// Of databases and tables.
    pub(crate) fn counted(&self, (databases, tables): (usize, usize)) {
        self.databases.set(i64::try_from(databases).unwrap_or(i64::MAX));
        self.tables.set(i64::try_from(tables).unwrap_or(i64::MAX));
    }
}

// === impl Outcome ===

impl Outcome {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Repeated => "repeated",
            Self::Conflict => "conflict",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

fn registered<C: Collector + Clone + 'static>(registry: &Registry, collector: C) -> Result<C, prometheus::Error> {
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}
