//! Table options: their definitions, their typed values, and the text of sizes and durations
//! (`CoreOptions`).
//!
//! [`TABLE_OPTIONS`] is the one place that knows key, default, kind and meaning; the reference page
//! and the parser both use it. Any engine may add any key to a table, so an unknown key is kept and
//! ignored here; a front end asks [`is_known`] and [`nearest`] before it accepts one from a user.

mod definitions;
mod expiration;
mod parquet;
mod tags;
mod text;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::avro::Codec;
use crate::error::{FormatError, Result};
use crate::stats::StatsMode;

pub use definitions::{OptionDef, OptionKind, TABLE_OPTIONS};
pub use expiration::PartitionExpiration;
pub use parquet::ParquetOptions;
pub use tags::{TagFormatter, TagPeriod};
pub use text::{MemorySize, parse_duration};

/// An option value that cannot be understood, or a key nobody knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionError {
    /// The key as given.
    pub key: String,
    /// The value as given.
    pub value: String,
    /// What is wrong.
    pub why: String,
    /// The known key that looks most alike, when the key is unknown.
    pub nearest: Option<&'static str>,
}

/// The typed values of the options Tributary honours, defaults filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct CoreOptions {
    /// `bucket`.
    pub bucket: i32,
    /// `parquet.compression` or else `file.compression`, lower case: zstd, snappy, lz4, gzip or none.
    pub file_compression: String,
    /// `parquet.compression.codec.zstd.level` or else `file.compression.zstd-level`.
    pub file_compression_zstd_level: u8,
    /// `file.block-size` or else `parquet.block.size`: bytes per row group; `None` = the writer's choice.
    pub file_block_size: Option<MemorySize>,
    /// `target-file-size`.
    pub target_file_size: MemorySize,
    /// `target-file-row-num`.
    pub target_file_row_num: u64,
    /// `data-file.prefix`.
    pub data_file_prefix: String,
    /// `file.suffix.include.compression`.
    pub file_suffix_include_compression: bool,
    /// `parquet.*`, what it has beyond `file.*`.
    pub parquet: ParquetOptions,
    /// `metadata.stats-mode`.
    pub stats_mode: StatsMode,
    /// `fields.<column>.stats-mode`, by column.
    pub column_stats_modes: BTreeMap<String, StatsMode>,
    /// `manifest.compression`, with the level of `file.compression.zstd-level`.
    pub manifest_codec: Codec,
    /// `manifest.target-file-size`.
    pub manifest_target_file_size: MemorySize,
    /// `manifest.full-compaction-threshold-size`.
    pub manifest_full_compaction_threshold_size: MemorySize,
    /// `manifest.merge-min-count`.
    pub manifest_merge_min_count: usize,
    /// `partition.default-name`.
    pub partition_default_name: String,
    /// `partition.legacy-name`.
    pub partition_legacy_name: bool,
    /// `write-only`.
    pub write_only: bool,
    /// `commit.max-retries`.
    pub commit_max_retries: u32,
    /// `commit.timeout`; `None` = no limit.
    pub commit_timeout: Option<Duration>,
    /// `commit.min-retry-wait`.
    pub commit_min_retry_wait: Duration,
    /// `commit.max-retry-wait`.
    pub commit_max_retry_wait: Duration,
    /// `consumer.expiration-time`; `None` = consumers never expire.
    pub consumer_expiration_time: Option<Duration>,
    /// `snapshot.clean-empty-directories`.
    pub snapshot_clean_empty_directories: bool,
    /// `snapshot.expire.limit`.
    pub snapshot_expire_limit: u64,
    /// `compaction.min.file-num`.
    pub compaction_min_file_num: usize,
    /// `compaction.small-file-ratio`.
    pub compaction_small_file_ratio: f64,
    /// `source.split.open-file-cost`.
    pub source_split_open_file_cost: MemorySize,
    /// `snapshot.num-retained.max`.
    pub snapshot_num_retained_max: u64,
    /// `snapshot.num-retained.min`.
    pub snapshot_num_retained_min: u64,
    /// `snapshot.time-retained`.
    pub snapshot_time_retained: Duration,
    /// `partition.expiration-time` and how partitions tell their time; `None` where none expires by its values.
    pub partition_expiration: Option<PartitionExpiration>,
    /// `tag.default-time-retained`; `None` = for ever.
    pub tag_default_time_retained: Option<Duration>,
    /// `tag.creation-period-duration`, or else `tag.creation-period`.
    pub tag_creation_period: TagPeriod,
    /// `tag.creation-delay`.
    pub tag_creation_delay: Duration,
    /// `tag.num-retained-max`; `None` = all.
    pub tag_num_retained_max: Option<u64>,
    /// `tag.period-formatter`.
    pub tag_period_formatter: TagFormatter,
    /// Whether `changelog.*` makes changelogs outlive their snapshots (`CoreOptions.changelogLifecycleDecoupled`).
    pub changelog_decoupled: bool,
}

/// The definition of a key, if Tributary documents it.
pub fn definition(key: &str) -> Option<&'static OptionDef> {
    TABLE_OPTIONS.iter().find(|option| option.key == key)
}

/// Whether some version of Paimon knows the key, honoured by Tributary or not.
pub fn is_known(key: &str) -> bool {
    definition(key).is_some()
        || is_of_column(key)
        || definitions::OTHER_KEYS.contains(&key)
        || definitions::FAMILIES.iter().any(|family| key.len() > family.len() && key.starts_with(family))
            && !is_misspelt(key)
}

/// Whether the key sets an option for one column: `fields.<column>.stats-mode`, `parquet.enable.dictionary#<column>`.
pub fn is_of_column(key: &str) -> bool {
    parquet::is_of_column(key) || (key.starts_with("fields.") && key.ends_with(".stats-mode"))
}

/// The known key that looks most like `key`, if one looks alike at all.
pub fn nearest(key: &str) -> Option<&'static str> {
    nearest_with_distance(key).filter(|(distance, _)| *distance * 3 <= key.chars().count()).map(|(_, known)| known)
}

/// Whether a key of a family is one letter or two off a documented one, or lacks its column.
fn is_misspelt(key: &str) -> bool {
    key.ends_with('#') || nearest_with_distance(key).is_some_and(|(off, _)| (1..=2).contains(&off))
}

fn nearest_with_distance(key: &str) -> Option<(usize, &'static str)> {
    let name = |key: &'static str| key.split('#').next().unwrap_or_default();
    let key = key.split('#').next().unwrap_or_default();
    let length = key.chars().count();
    let documented = TABLE_OPTIONS.iter().map(|option| option.key);
    documented
        .chain(definitions::OTHER_KEYS.iter().copied())
        // No distance is below the difference of the lengths: that of an endless key need not be counted.
        .filter(|known| name(known).len().abs_diff(length) * 3 <= length)
        .map(|known| (text::edit_distance(key, name(known)), known))
        .min()
}

// === impl OptionError ===

impl OptionError {
    /// A value that cannot be understood.
    pub fn new(key: impl Into<String>, value: impl Into<String>, why: impl Into<String>) -> Self {
        Self { key: key.into(), value: value.into(), why: why.into(), nearest: None }
    }

    /// A key that [`is_known`] does not know.
    pub fn unknown(key: impl Into<String>, value: impl Into<String>) -> Self {
        let key = key.into();
        Self { nearest: nearest(&key), value: value.into(), why: "no such table option".to_owned(), key }
    }
}

impl std::error::Error for OptionError {}

impl std::fmt::Display for OptionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "table option '{}' = '{}': {}", self.key, self.value, self.why)?;
        match self.nearest {
            Some(nearest) => write!(f, "; did you mean '{nearest}'?"),
            None => Ok(()),
        }
    }
}

// === impl CoreOptions ===

impl CoreOptions {
    /// Reads the options of a table.
    ///
    /// # Errors
    /// [`OptionError`] for the first value that cannot be understood.
    pub fn parse(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let given = Given(options);
        let zstd_level = given.number("file.compression.zstd-level", 1..=22)?;
        let compression = given.optional("parquet.compression", parse_compression)?;
        let column_stats_modes = options
            .iter()
            .filter_map(|(key, value)| {
                let column = key.strip_prefix("fields.")?.strip_suffix(".stats-mode")?;
                Some(StatsMode::parse(key, value).map(|mode| (column.to_owned(), mode)))
            })
            .collect::<Result<_, _>>()?;
        let retained_max = given.number("snapshot.num-retained.max", 1..=i64::MAX as u64)?;
        let retained_min = given.number("snapshot.num-retained.min", 1..=i64::MAX as u64)?;
        let time_retained = given.required("snapshot.time-retained", parse_duration)?;
        let outlives = |key, snapshots: u64| {
            let number = |text: &str| text.trim().parse::<u64>().map_err(|_| "expected an integer".to_owned());
            given.optional(key, number).map(|changelogs| changelogs.is_some_and(|changelogs| changelogs > snapshots))
        };
        let parsed = Self {
            bucket: given.number("bucket", i32::MIN..=i32::MAX)?,
            file_compression: given
                .required("file.compression", parse_compression)
                .map(|file| compression.unwrap_or(file))?,
            file_compression_zstd_level: match given.find("parquet.compression.codec.zstd.level") {
                Some(_) => given.number("parquet.compression.codec.zstd.level", 1..=22)?,
                None => zstd_level,
            },
            file_block_size: match given.optional("file.block-size", positive_size)? {
                Some(size) => Some(size),
                None => given.optional("parquet.block.size", parquet::block_size)?,
            },
            target_file_size: given.required("target-file-size", positive_size)?,
            target_file_row_num: given.number("target-file-row-num", 1..=i64::MAX as u64)?,
            data_file_prefix: given.text("data-file.prefix")?.to_owned(),
            file_suffix_include_compression: given.required("file.suffix.include.compression", text::parse_bool)?,
            parquet: ParquetOptions::parse(&given)?,
            stats_mode: StatsMode::parse("metadata.stats-mode", given.text("metadata.stats-mode")?)?,
            column_stats_modes,
            manifest_codec: Codec::parse(given.text("manifest.compression")?, zstd_level)?,
            manifest_target_file_size: given.required("manifest.target-file-size", positive_size)?,
            manifest_full_compaction_threshold_size: given
                .required("manifest.full-compaction-threshold-size", MemorySize::parse)?,
            manifest_merge_min_count: given.number("manifest.merge-min-count", 0..=usize::MAX)?,
            partition_default_name: given.text("partition.default-name")?.to_owned(),
            partition_legacy_name: given.required("partition.legacy-name", text::parse_bool)?,
            write_only: given.required("write-only", text::parse_bool)?,
            commit_max_retries: given.number("commit.max-retries", 0..=u32::MAX)?,
            commit_timeout: given.optional("commit.timeout", parse_duration)?,
            commit_min_retry_wait: given.required("commit.min-retry-wait", parse_duration)?,
            commit_max_retry_wait: given.required("commit.max-retry-wait", parse_duration)?,
            consumer_expiration_time: given.optional("consumer.expiration-time", parse_duration)?,
            snapshot_clean_empty_directories: given.required("snapshot.clean-empty-directories", text::parse_bool)?,
            snapshot_expire_limit: given.number("snapshot.expire.limit", 1..=i64::MAX as u64)?,
            snapshot_num_retained_max: retained_max,
            snapshot_num_retained_min: retained_min,
            snapshot_time_retained: time_retained,
            partition_expiration: PartitionExpiration::parse(&given)?,
            tag_default_time_retained: given.optional("tag.default-time-retained", parse_duration)?,
            tag_creation_period: match given.optional("tag.creation-period-duration", parse_duration)? {
                Some(length) => TagPeriod::Every(length),
                None => given.required("tag.creation-period", TagPeriod::parse)?,
            },
            tag_creation_delay: given.required("tag.creation-delay", parse_duration)?,
            tag_num_retained_max: match given.find("tag.num-retained-max") {
                Some(_) => Some(given.number("tag.num-retained-max", 1..=i64::MAX as u64)?),
                None => None,
            },
            tag_period_formatter: given.required("tag.period-formatter", TagFormatter::parse)?,
            changelog_decoupled: outlives("changelog.num-retained.max", retained_max)?
                || outlives("changelog.num-retained.min", retained_min)?
                || given.optional("changelog.time-retained", parse_duration)?.is_some_and(|time| time > time_retained),
            compaction_min_file_num: given.number("compaction.min.file-num", 1..=usize::MAX)?,
            compaction_small_file_ratio: given.required("compaction.small-file-ratio", parse_ratio)?,
            source_split_open_file_cost: given.required("source.split.open-file-cost", MemorySize::parse)?,
        };
        if parsed.partition_default_name.trim().is_empty() {
            return Err(OptionError::new("partition.default-name", parsed.partition_default_name, "must not be blank"));
        }
        if parsed.commit_min_retry_wait > parsed.commit_max_retry_wait {
            return Err(OptionError::new(
                "commit.min-retry-wait",
                options.get("commit.min-retry-wait").map_or("10 ms", String::as_str),
                "must not exceed commit.max-retry-wait",
            ));
        }
        Ok(parsed)
    }

    /// How much of a column's statistics to keep.
    pub fn stats_mode_of(&self, column: &str) -> StatsMode {
        self.column_stats_modes.get(column).copied().unwrap_or(self.stats_mode)
    }

    /// Whether the options ask only for what Tributary can write; `options` is what was parsed.
    ///
    /// # Errors
    /// [`FormatError::Unsupported`] naming option and value.
    pub fn check_supported(&self, options: &BTreeMap<String, String>) -> Result<()> {
        for (key, allowed, why) in definitions::ONLY {
            let Some(value) = options.get(*key) else {
                continue;
            };
            let allows = |allowed: &&str| value.trim().eq_ignore_ascii_case(allowed);
            if !allowed.iter().any(allows) {
                return Err(FormatError::unsupported(format!("'{key}' = '{value}': {why}")));
            }
        }
        Ok(())
    }
}

impl Default for CoreOptions {
    /// The options of a table that sets none.
    fn default() -> Self {
        Self::parse(&BTreeMap::new()).unwrap_or_else(|error| unreachable_default(&error))
    }
}

#[allow(clippy::panic)] // the defaults are constants of this crate, and a test parses them
fn unreachable_default(error: &OptionError) -> ! {
    panic!("a default does not parse: {error}")
}

// === impl Given ===

/// Options as given, with defaults from [`TABLE_OPTIONS`].
struct Given<'a>(&'a BTreeMap<String, String>);

impl Given<'_> {
    /// The value, or the default; an error if there is neither.
    fn text(&self, key: &'static str) -> Result<&str, OptionError> {
        self.find(key).ok_or_else(|| OptionError::new(key, "", "has no value and no default"))
    }

    fn find(&self, key: &'static str) -> Option<&str> {
        let given = self.0.get(key).map(String::as_str);
        given.or_else(|| definition(key)?.default)
    }

    fn required<T>(&self, key: &'static str, parse: impl Fn(&str) -> Result<T, String>) -> Result<T, OptionError> {
        let value = self.text(key)?;
        parse(value).map_err(|why| OptionError::new(key, value, why))
    }

    fn optional<T>(
        &self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, OptionError> {
        self.find(key).map(|value| parse(value).map_err(|why| OptionError::new(key, value, why))).transpose()
    }

    fn number<T>(&self, key: &'static str, range: std::ops::RangeInclusive<T>) -> Result<T, OptionError>
    where
        T: std::str::FromStr + PartialOrd + std::fmt::Display,
    {
        self.required(key, |value| {
            let (low, high) = (range.start(), range.end());
            let number = value.trim().parse().ok();
            number
                .filter(|number| range.contains(number))
                .ok_or_else(|| format!("expected an integer from {low} to {high}"))
        })
    }
}

fn parse_compression(text: &str) -> Result<String, String> {
    match text.trim().to_ascii_lowercase() {
        name if ["zstd", "snappy", "lz4", "gzip", "none"].contains(&&*name) => Ok(name),
        // Parquet's own word.
        name if name == "uncompressed" => Ok("none".to_owned()),
        _ => Err("expected zstd, snappy, lz4, gzip or none".to_owned()),
    }
}

fn parse_ratio(text: &str) -> Result<f64, String> {
    let ratio = text.trim().parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio));
    ratio.ok_or_else(|| "expected a number from 0 to 1".to_owned())
}

fn positive_size(text: &str) -> Result<MemorySize, String> {
    let size = MemorySize::parse(text)?;
    if size.bytes() == 0 {
        return Err("must be greater than zero".to_owned());
    }
    Ok(size)
}

#[cfg(test)]
mod tests;
