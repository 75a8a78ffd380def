//! `SET 'key' = 'value'`: the keys of Flink that mean something here, those that do not, and the rest.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::time::Duration;

use paimon_format::parse_duration;
use paimon_table::store::StorageOptions;
use tributary_statement::{OptionValue, Spanned, nearest};

use crate::expr::Zone;
use crate::expr::bind::BindError;

/// What the process says about jobs that do not SET it (`[job]` of the settings).
#[derive(Debug, Clone)]
pub struct JobDefaults {
    /// Time between two commits.
    pub checkpoint_interval: Duration,
    /// Most data files encoded at a time; `None` = the cores of this process.
    pub parallelism: Option<NonZeroUsize>,
    /// The zone of LOCALTIMESTAMP and its kin.
    pub zone: Zone,
    /// What holds of stores where a catalog says nothing.
    pub storage: StorageOptions,
}

/// The settings in force at one statement.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    defaults: JobDefaults,
    pub(crate) checkpoint_interval: Duration,
    default_parallelism: Option<NonZeroUsize>,
    sink_parallelism: Option<NonZeroUsize>,
    pub(crate) zone: Zone,
    pub(crate) pipeline_name: Option<String>,
    warned: BTreeSet<String>,
}

const INTERVAL: &str = "execution.checkpointing.interval";
const NAME: &str = "pipeline.name";
const ZONE: &str = "table.local-time-zone";
const PARALLELISM: &str = "parallelism.default";
pub(crate) const SINK_PARALLELISM: &str = "sink.parallelism";
const NOT_NULL: &str = "table.exec.sink.not-null-enforcer";

/// A key of SET that is followed, as the reference shows it.
#[derive(Debug, Clone, Copy)]
pub struct SetKey {
    /// The key.
    pub key: &'static str,
    /// What holds without it.
    pub default: &'static str,
    /// What it does.
    pub doc: &'static str,
}

/// The keys of SET that are followed.
pub const SET_KEYS: &[SetKey] = &[
    SetKey {
        key: INTERVAL,
        default: "`[job] checkpoint-interval`",
        doc: "Time between two commits: how often rows become visible and positions durable.",
    },
    SetKey {
        key: NAME,
        default: "the file's name without its ending",
        doc: "First part of the identity of the pipelines after it. Another name is another job, which reads its source from the start.",
    },
    SetKey {
        key: ZONE,
        default: "`[job] time-zone`",
        doc: "Zone of LOCALTIMESTAMP, CURRENT_DATE and their kin, and of TIMESTAMP_LTZ as text: a region or an offset such as `GMT+08:00`.",
    },
    SetKey { key: PARALLELISM, default: "`[job] parallelism`", doc: "Most data files encoded at a time." },
    SetKey { key: SINK_PARALLELISM, default: "`parallelism.default`", doc: "The same; it counts where both are set." },
    SetKey {
        key: NOT_NULL,
        default: "`ERROR`",
        doc: "What becomes of a null for a NOT NULL column: it stops the pipeline. There is no other value.",
    },
];

/// Keys of Flink that users carry over and that mean nothing here: one warning each.
const WITHOUT_MEANING: &[&str] = &[
    "execution.attached",
    "execution.batch-shuffle-mode",
    "execution.buffer-timeout",
    "execution.buffer-timeout.interval",
    "execution.checkpointing.aligned-checkpoint-timeout",
    "execution.checkpointing.checkpoints-after-tasks-finish",
    "execution.checkpointing.dir",
    "execution.checkpointing.externalized-checkpoint-retention",
    "execution.checkpointing.file-merging.enabled",
    "execution.checkpointing.incremental",
    "execution.checkpointing.interval-during-backlog",
    "execution.checkpointing.max-concurrent-checkpoints",
    "execution.checkpointing.min-pause",
    "execution.checkpointing.mode",
    "execution.checkpointing.num-retained",
    "execution.checkpointing.savepoint-dir",
    "execution.checkpointing.storage",
    "execution.checkpointing.timeout",
    "execution.checkpointing.tolerable-failed-checkpoints",
    "execution.checkpointing.unaligned",
    "execution.checkpointing.unaligned.enabled",
    "execution.runtime-mode",
    "execution.savepoint.path",
    "execution.shutdown-on-attached-exit",
    "execution.target",
    "pipeline.auto-generate-uids",
    "pipeline.auto-watermark-interval",
    "pipeline.classpaths",
    "pipeline.closure-cleaner-level",
    "pipeline.generic-types",
    "pipeline.global-job-parameters",
    "pipeline.jars",
    "pipeline.max-parallelism",
    "pipeline.object-reuse",
    "pipeline.operator-chaining",
    "pipeline.operator-chaining.enabled",
    "pipeline.vertex-description-mode",
    "sql-client.execution.result-mode",
    "sql-client.verbose",
    "table.dml-sync",
    "table.dynamic-table-options.enabled",
    "table.exec.async-lookup.buffer-capacity",
    "table.exec.legacy-cast-behaviour",
    "table.exec.mini-batch.allow-latency",
    "table.exec.mini-batch.enabled",
    "table.exec.mini-batch.size",
    "table.exec.resource.default-parallelism",
    "table.exec.sink.keyed-shuffle",
    "table.exec.sink.type-length-enforcer",
    "table.exec.sink.upsert-materialize",
    "table.exec.source.idle-timeout",
    "table.exec.state.ttl",
    "table.plan.compile.catalog-objects",
    "table.sql-dialect",
];

/// The same, by what they begin with: the machinery of a cluster.
const FAMILIES_WITHOUT_MEANING: &[&str] = &[
    "akka.",
    "blob.",
    "classloader.",
    "cluster.",
    "env.",
    "fs.",
    "heartbeat.",
    "high-availability.",
    "historyserver.",
    "io.",
    "jobmanager.",
    "jobstore.",
    "kubernetes.",
    "metrics.",
    "pekko.",
    "rest.",
    "restart-strategy",
    "security.",
    "slot.",
    "state.",
    "table.optimizer.",
    "taskmanager.",
    "web.",
    "yarn.",
    "zookeeper.",
];

// === impl Settings ===

impl Settings {
    pub(crate) fn new(defaults: JobDefaults) -> Self {
        Self {
            checkpoint_interval: defaults.checkpoint_interval,
            default_parallelism: defaults.parallelism,
            sink_parallelism: None,
            zone: defaults.zone,
            pipeline_name: None,
            warned: BTreeSet::new(),
            defaults,
        }
    }

    /// Most data files encoded at a time, if anything was said.
    pub(crate) fn parallelism(&self) -> Option<NonZeroUsize> {
        self.sink_parallelism.or(self.default_parallelism)
    }

    /// Follows one SET.
    pub(crate) fn set(&mut self, key: &Spanned<String>, value: &OptionValue) -> Result<(), BindError> {
        let (text, span) = (value.expose(), value.span());
        let wrong = |why: String| BindError::new(span, format!("`{key}` cannot be `{value}`: {}", value.masked(why)));
        match key.value.as_str() {
            INTERVAL => {
                let interval = parse_duration(text).map_err(wrong)?;
                if interval.is_zero() {
                    return Err(wrong("it must be above 0".into()).help("write '10 s', for example"));
                }
                self.checkpoint_interval = interval;
            }
            NAME if text.trim().is_empty() => return Err(wrong("it must not be empty".into())),
            NAME => self.pipeline_name = Some(text.trim().to_owned()),
            ZONE if text == "default" => self.zone = self.defaults.zone,
            ZONE => self.zone = text.parse().map_err(|_| no_zone(value))?,
            PARALLELISM => self.default_parallelism = Some(parallelism(text).map_err(wrong)?),
            SINK_PARALLELISM => self.sink_parallelism = Some(parallelism(text).map_err(wrong)?),
            NOT_NULL if text.eq_ignore_ascii_case("error") => {}
            NOT_NULL => {
                return Err(
                    wrong("only ERROR is supported".into()).help("drop such rows with WHERE column IS NOT NULL")
                );
            }
            other => {
                let known = WITHOUT_MEANING.contains(&other)
                    || FAMILIES_WITHOUT_MEANING.iter().any(|family| other.starts_with(family));
                if !known {
                    return Err(unknown(key));
                }
                if self.warned.insert(other.to_owned()) {
                    tracing::warn!(key = other, "this key of Flink means nothing here and is ignored");
                }
            }
        }
        Ok(())
    }

    /// Follows a RESET of one key or of all.
    pub(crate) fn reset(&mut self, key: Option<&Spanned<String>>) -> Result<(), BindError> {
        let fresh = Self::new(self.defaults.clone());
        let Some(key) = key else {
            *self = Self { warned: std::mem::take(&mut self.warned), ..fresh };
            return Ok(());
        };
        match key.value.as_str() {
            INTERVAL => self.checkpoint_interval = fresh.checkpoint_interval,
            NAME => self.pipeline_name = None,
            ZONE => self.zone = fresh.zone,
            PARALLELISM => self.default_parallelism = fresh.default_parallelism,
            SINK_PARALLELISM => self.sink_parallelism = None,
            other if followed().any(|key| key == other) || WITHOUT_MEANING.contains(&other) => {}
            other if FAMILIES_WITHOUT_MEANING.iter().any(|family| other.starts_with(family)) => {}
            _ => return Err(unknown(key)),
        }
        Ok(())
    }
}

fn followed() -> impl Iterator<Item = &'static str> + Clone {
    SET_KEYS.iter().map(|known| known.key)
}

fn unknown(key: &Spanned<String>) -> BindError {
    let error = BindError::new(key.span, format!("there is no setting `{key}`"));
    match nearest(key, followed().chain(WITHOUT_MEANING.iter().copied())) {
        Some(near) => error.help(format!("did you mean '{near}'?")),
        None => error.help(format!("followed are {}", followed().collect::<Vec<_>>().join(", "))),
    }
}

fn no_zone(value: &OptionValue) -> BindError {
    BindError::new(value.span(), format!("`{value}` is no time zone"))
        .help("write a region such as 'Europe/Berlin' or an offset such as 'GMT+08:00'")
}

/// A number of files encoded at a time.
pub(crate) fn parallelism(text: &str) -> Result<NonZeroUsize, String> {
    const MOST: usize = 1024;
    match text.trim().parse::<NonZeroUsize>() {
        Ok(number) if number.get() <= MOST => Ok(number),
        _ => Err(format!("a whole number from 1 to {MOST} is expected")),
    }
}
