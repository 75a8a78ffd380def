//! What the worker's tables look like, as gauges: looked at after every run, whatever came of it, where something has changed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use paimon_format::Snapshot;
use prometheus::{IntGaugeVec, Opts, Registry};
use tributary_runtime::{MetricDef, MetricKind};

use super::record::TableName;
use crate::survey::Survey;

/// Partitions of a table that have series of their own.
pub(super) const MOST_PARTITIONS: usize = 10;

const SMALL_FILES: MetricDef = MetricDef {
    name: "tributary_compaction_small_files",
    help: "Files of the table that a minor compaction would merge if nothing were added any more, after the last run.",
    kind: MetricKind::Gauge,
    labels: &["table"],
    stands_for: "",
};
const FILES: MetricDef = MetricDef {
    name: "tributary_compaction_table_files",
    help: "Data files of the table after the last run.",
    kind: MetricKind::Gauge,
    labels: &["table"],
    stands_for: "",
};
const PARTITION_FILES: MetricDef = MetricDef {
    name: "tributary_compaction_partition_files",
    help: "Data files of the ten partitions that were added to last, after the last run.",
    kind: MetricKind::Gauge,
    labels: &["table", "partition"],
    stands_for: "",
};
const PARTITION_BYTES: MetricDef = MetricDef {
    name: "tributary_compaction_partition_bytes",
    help: "Bytes of data files of the ten partitions that were added to last, after the last run.",
    kind: MetricKind::Gauge,
    labels: &["table", "partition"],
    stands_for: "",
};

/// What this module exports.
pub(super) const METRICS: [MetricDef; 4] = [SMALL_FILES, FILES, PARTITION_FILES, PARTITION_BYTES];

/// The gauges, registered.
#[derive(Clone)]
pub(crate) struct Backlog {
    small_files: IntGaugeVec,
    files: IntGaugeVec,
    partition_files: IntGaugeVec,
    partition_bytes: IntGaugeVec,
    shown: Arc<Mutex<HashMap<TableName, Shown>>>,
}

/// All that decides what a table looks like here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// Whole: that of a table which took the name of another may have the same id.
    pub(crate) snapshot: Option<Arc<Snapshot>>,
    /// It has the options that tell which files are small.
    pub(crate) schema_id: i64,
}

/// What is shown of a table.
struct Shown {
    state: State,
    /// Those that have series.
    partitions: Vec<String>,
}

// === impl Backlog ===

impl Backlog {
    pub(super) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let gauge = |metric: &MetricDef| {
            let gauge = IntGaugeVec::new(Opts::new(metric.name, metric.help), metric.labels)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok::<_, prometheus::Error>(gauge)
        };
        Ok(Self {
            small_files: gauge(&SMALL_FILES)?,
            files: gauge(&FILES)?,
            partition_files: gauge(&PARTITION_FILES)?,
            partition_bytes: gauge(&PARTITION_BYTES)?,
            shown: Arc::default(),
        })
    }

    /// Whether what is shown is that of this state.
    pub(crate) fn shows(&self, table: &TableName, state: &State) -> bool {
        self.shown().get(table).is_some_and(|shown| shown.state == *state)
    }

    /// Partitions that are no longer among the newest lose their series.
    pub(crate) fn show(&self, table: &TableName, state: State, survey: &Survey) {
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        self.small_files.with_label_values(&[table.as_str()]).set(number(survey.small_files));
        self.files.with_label_values(&[table.as_str()]).set(number(survey.files));
        let partitions = survey.newest.iter().map(|partition| partition.partition.clone()).collect();
        let before = self.shown().insert(table.clone(), Shown { state, partitions });
        for gone in before.map(|shown| shown.partitions).unwrap_or_default() {
            if !survey.newest.iter().any(|partition| partition.partition == gone) {
                self.forget_partition(table, &gone);
            }
        }
        for partition in &survey.newest {
            let labels = [table.as_str(), partition.partition.as_str()];
            self.partition_files.with_label_values(&labels).set(number(partition.files));
            self.partition_bytes.with_label_values(&labels).set(number(partition.bytes));
        }
    }

    /// A table that is no more loses all its series.
    pub(crate) fn forget(&self, table: &TableName) {
        let Some(shown) = self.shown().remove(table) else { return };
        // They are there: they were shown.
        let _ = self.small_files.remove_label_values(&[table.as_str()]);
        let _ = self.files.remove_label_values(&[table.as_str()]);
        for partition in shown.partitions {
            self.forget_partition(table, &partition);
        }
    }

    fn forget_partition(&self, table: &TableName, partition: &str) {
        // They are there: they were shown.
        let _ = self.partition_files.remove_label_values(&[table.as_str(), partition]);
        let _ = self.partition_bytes.remove_label_values(&[table.as_str(), partition]);
    }

    fn shown(&self) -> MutexGuard<'_, HashMap<TableName, Shown>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
