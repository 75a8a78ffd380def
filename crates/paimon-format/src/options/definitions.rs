//! The definitions themselves.

/// What a table option is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionDef {
    /// Its key.
    pub key: &'static str,
    /// The value it has when a table does not set it, as text; `None` = no value.
    pub default: Option<&'static str>,
    /// How its value is written.
    pub kind: OptionKind,
    /// What it means, in a sentence without full stop.
    pub doc: &'static str,
    /// Whether Tributary does what it says; otherwise it is kept for other engines, or refused.
    pub honoured: bool,
}

/// How the value of an option is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionKind {
    /// `true` or `false`.
    Boolean,
    /// `10 s`, `500 ms`, `1 h`.
    Duration,
    /// A whole number.
    Integer,
    /// `256 mb`, `64 kb`.
    Size,
    /// Text.
    String,
}

// === impl OptionKind ===

impl std::fmt::Display for OptionKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Boolean => "boolean",
            Self::Duration => "duration",
            Self::Integer => "integer",
            Self::Size => "size",
            Self::String => "string",
        })
    }
}

// === impl OptionDef ===

impl OptionDef {
    const fn new(
        key: &'static str,
        default: Option<&'static str>,
        kind: OptionKind,
        honoured: bool,
        doc: &'static str,
    ) -> Self {
        Self { key, default, kind, doc, honoured }
    }
}

use OptionKind::{Boolean, Duration, Integer, Size, String};

/// The options of a table that Tributary honours, or that somebody may expect it to; by key.
#[rustfmt::skip]
pub const TABLE_OPTIONS: &[OptionDef] = &[
    OptionDef::new("auto-create", Some("false"), Boolean, false, "Flink: create the table's directory on use"),
    OptionDef::new("bucket", Some("-1"), Integer, true, "number of buckets; only -1 (an append table without fixed buckets) is supported"),
    OptionDef::new("bucket-key", None, String, false, "columns that choose the bucket; needs fixed buckets, which are refused"),
    OptionDef::new("chain-table.enabled", Some("false"), Boolean, false, "chain tables; refused"),
    OptionDef::new("changelog-producer", Some("none"), String, false, "changelog files; refused unless none"),
    OptionDef::new("commit.max-retries", Some("10"), Integer, true, "how often a commit that lost a race is tried again before the job gives up"),
    OptionDef::new("commit.max-retry-wait", Some("10 s"), Duration, true, "longest wait between two tries of a commit"),
    OptionDef::new("commit.min-retry-wait", Some("10 ms"), Duration, true, "first wait between two tries of a commit; it doubles up to the longest"),
    OptionDef::new("commit.timeout", None, Duration, true, "how long a commit may go on losing races; without it only `commit.max-retries` counts"),
    OptionDef::new("compaction.min.file-num", Some("5"), Integer, true, "small files of a partition from which on a minor compaction merges them although they do not fill a file"),
    OptionDef::new("compaction.small-file-ratio", Some("0.7"), String, true, "part of `target-file-size` below which a minor compaction takes a file for small"),
    OptionDef::new("consumer.expiration-time", None, Duration, true, "age at which an expiry of snapshots drops a consumer file; Tributary touches its own well before"),
    OptionDef::new("data-evolution.enabled", Some("false"), Boolean, false, "columns in separate files; refused"),
    OptionDef::new("data-file.external-paths", None, String, false, "data files outside the table; refused unless their strategy is none"),
    OptionDef::new("data-file.path-directory", None, String, false, "directory of data files inside the table; refused"),
    OptionDef::new("data-file.prefix", Some("data-"), String, true, "prefix of the names of data files"),
    OptionDef::new("deletion-vectors.enabled", Some("false"), Boolean, false, "deletion vectors; refused"),
    OptionDef::new("file.block-size", None, Size, true, "bytes per Parquet row group; without it the writer chooses"),
    OptionDef::new("file.compression", Some("zstd"), String, true, "compression of data files: zstd, snappy, lz4, gzip or none"),
    OptionDef::new("file.compression.zstd-level", Some("1"), Integer, true, "level of zstd for data files and manifests, 1 to 22"),
    OptionDef::new("file.format", Some("parquet"), String, true, "format of data files; only parquet is supported"),
    OptionDef::new("file.suffix.include.compression", Some("false"), Boolean, true, "whether the names of data files carry the compression, as in `.zstd.parquet`"),
    OptionDef::new("manifest.compression", Some("zstd"), String, true, "compression of manifests: zstd, snappy, deflate or none"),
    OptionDef::new("manifest.format", Some("avro"), String, false, "format of manifests up to 0.9; only avro is supported"),
    OptionDef::new("manifest.full-compaction-threshold-size", Some("16 mb"), Size, true, "size of small and changed manifests from which on all of them are rewritten at once"),
    OptionDef::new("manifest.merge-min-count", Some("30"), Integer, true, "number of small manifests that are merged into one"),
    OptionDef::new("manifest.target-file-size", Some("8 mb"), Size, true, "size up to which manifests are merged"),
    OptionDef::new("merge-engine", Some("deduplicate"), String, false, "how rows of one primary key are merged; without meaning for append tables"),
    OptionDef::new("metadata.stats-dense-store", Some("true"), Boolean, false, "leave columns without statistics out of manifests; Tributary always writes full-width statistics, which every reader understands"),
    OptionDef::new("metadata.stats-mode", Some("truncate(16)"), String, true, "statistics kept per column: none, counts, truncate(n) or full; `fields.<column>.stats-mode` for one column"),
    OptionDef::new("parquet.block.size", None, Integer, true, "bytes per Parquet row group where `file.block-size` says nothing"),
    OptionDef::new("parquet.compression", None, String, true, "compression of data files instead of `file.compression`"),
    OptionDef::new("parquet.compression.codec.zstd.level", None, Integer, true, "level of zstd for data files instead of `file.compression.zstd-level`"),
    OptionDef::new("parquet.dictionary.page.size", Some("1048576"), Integer, true, "bytes at which a column's dictionary is given up"),
    OptionDef::new("parquet.enable.dictionary", None, Boolean, true, "whether Parquet may use dictionaries; without it the writer decides per column and file"),
    OptionDef::new("parquet.enable.dictionary#<column>", None, Boolean, true, "the same for one column, or one leaf of a nested one by its path (`tags.list.element`)"),
    OptionDef::new("parquet.page.row.count.limit", Some("20000"), Integer, true, "rows at which a data page is closed"),
    OptionDef::new("parquet.page.size", None, Integer, true, "bytes, before compression, at which a data page is closed; without it 65536 in columns without a dictionary, 1048576 in others"),
    OptionDef::new("parquet.writer.version", Some("PARQUET_1_0"), String, false, "version of Parquet's pages; Tributary always writes version 1, which every reader understands"),
    OptionDef::new("partition.default-name", Some("__DEFAULT_PARTITION__"), String, true, "directory name of a partition value that is null or blank"),
    OptionDef::new("partition.expiration-strategy", Some("values-time"), String, false, "what a partition's age is: by its values (values-time), or since its last change (update-time)"),
    OptionDef::new("partition.expiration-time", None, Duration, false, "age at which other engines drop a partition; rows that Tributary commits into an older one are counted as late"),
    OptionDef::new("partition.legacy-name", Some("true"), Boolean, true, "whether directories are named by internal values (a DATE is its epoch day)"),
    OptionDef::new("partition.timestamp-formatter", None, String, false, "how a partition's time is spelt; without it yyyy-MM-dd, with HH:mm:ss behind or not"),
    OptionDef::new("partition.timestamp-pattern", None, String, false, "which values tell it: $dt $hh:00:00; without it the first one"),
    OptionDef::new("row-tracking.enabled", Some("false"), Boolean, false, "row ids; refused"),
    OptionDef::new("snapshot.clean-empty-directories", Some("false"), Boolean, true, "whether expiry takes away folders that it emptied; on a local disk only"),
    OptionDef::new("snapshot.expire.limit", Some("50"), Integer, true, "most snapshots one expiry deletes"),
    OptionDef::new("snapshot.num-retained.max", Some("2147483647"), Integer, true, "most snapshots to keep; a running job warns when they pile up"),
    OptionDef::new("snapshot.num-retained.min", Some("10"), Integer, true, "fewest snapshots to keep"),
    OptionDef::new("snapshot.time-retained", Some("1 h"), Duration, true, "age up to which snapshots are kept"),
    OptionDef::new("source.split.open-file-cost", Some("4 mb"), Size, true, "size that opening a file counts as, when compactions are planned"),
    OptionDef::new("source.split.target-size", Some("128 mb"), Size, false, "size of a unit of reading"),
    OptionDef::new("tag.creation-delay", Some("0 ms"), Duration, true, "how long after a period's end its tag is made, by the compactor's action create_tag or by whom `tag.automatic-creation` names"),
    OptionDef::new("tag.creation-period", Some("daily"), String, true, "how often such a tag is made: daily, hourly or two-hours"),
    OptionDef::new("tag.creation-period-duration", None, Duration, true, "the same as a duration in whole minutes"),
    OptionDef::new("tag.default-time-retained", None, Duration, true, "how long a new tag is kept unless it is told otherwise; without it for ever"),
    OptionDef::new("tag.num-retained-max", None, Integer, true, "most of such tags that are kept; without it all"),
    OptionDef::new("tag.period-formatter", Some("with_dashes"), String, true, "how a period is spelt in a tag's name: with_dashes, without_dashes or without_dashes_and_spaces"),
    OptionDef::new("target-file-row-num", Some("9223372036854775807"), Integer, true, "rows at which a data file is closed"),
    OptionDef::new("target-file-size", Some("256 mb"), Size, true, "bytes at which a data file is closed"),
    OptionDef::new("type", Some("table"), String, false, "kind of table; only table is supported"),
    OptionDef::new("write-only", Some("false"), Boolean, true, "whether writers leave compaction and expiry to others; Tributary's sink always does"),
];

/// Values an option must have for Tributary to write the table, and what it would mean otherwise.
pub(super) const ONLY: &[(&str, &[&str], &str)] = &[
    ("bucket", &["-1"], "only append tables with bucket = -1 can be written"),
    ("type", &["table"], "only plain tables can be written"),
    ("branch", &["main"], "branches cannot be written"),
    ("file.format", &["parquet"], "only parquet can be written"),
    ("manifest.format", &["avro"], "only avro manifests can be written"),
    ("row-tracking.enabled", &["false"], "row tracking"),
    ("data-evolution.enabled", &["false"], "data evolution"),
    ("deletion-vectors.enabled", &["false"], "deletion vectors"),
    ("chain-table.enabled", &["false"], "chain tables"),
    ("changelog-producer", &["none"], "changelog files"),
    ("data-file.external-paths", &[], "data files outside the table"),
    ("data-file.path-directory", &[], "data files in another directory"),
    ("blob-field", &[], "blob columns"),
    ("vector-field", &[], "vector columns"),
];

/// Families of keys: whatever begins so is known.
pub(super) const FAMILIES: &[&str] = &[
    "commit.callback.",
    "fields.",
    "file-index.",
    "iceberg.",
    "metadata.iceberg.",
    "orc.",
    "parquet.",
    "tag.callback.",
];

/// Every other key of Paimon 0.9 to 2.1 (`CoreOptions`): kept for other engines, without meaning here.
#[rustfmt::skip]
pub(super) const OTHER_KEYS: &[&str] = &[
    "add-column-before-partition", "aggregation.remove-record-on-delete",
    "alter-column-null-to-not-null.disabled", "async-file-write", "batch-scan-mode", "blob-as-descriptor",
    "blob-compaction.enabled", "blob-descriptor-field", "blob-field", "blob-view-field",
    "blob-view.resolve.enabled", "blob-write-null-on-fetch-failure", "blob-write-null-on-missing-file",
    "blob.copy-buffer-size", "blob.split-by-file-size", "blob.target-file-size", "branch",
    "bucket-append-ordered", "bucket-function.type", "cache-page-size", "chain-table.chain-partition-keys",
    "chain-table.split.key-range-enabled", "chain-table.streaming.merge-snapshot",
    "changelog-file.compression", "changelog-file.format", "changelog-file.prefix",
    "changelog-file.stats-mode", "changelog-producer.row-deduplicate",
    "changelog-producer.row-deduplicate-ignore-fields", "changelog.num-retained.max",
    "changelog.num-retained.min", "changelog.time-retained", "clustering.columns",
    "clustering.history-partition.idle-to-full-sort", "clustering.history-partition.limit",
    "clustering.incremental", "clustering.incremental.mode", "clustering.incremental.optimize-write",
    "clustering.strategy", "commit.callbacks", "commit.discard-duplicate-files", "commit.force-compact",
    "commit.force-create-snapshot", "commit.strict-mode.last-safe-snapshot", "commit.user-prefix",
    "compaction.delete-ratio-threshold", "compaction.file-num-limit", "compaction.force-rewrite-all-files",
    "compaction.force-up-level-0", "compaction.incremental-size-threshold",
    "compaction.max-size-amplification-percent", "compaction.max.file-num",
    "compaction.offpeak-ratio", "compaction.offpeak.end.hour", "compaction.offpeak.start.hour",
    "compaction.optimization-interval", "compaction.size-ratio", "compaction.skip-expired-partitions",
    "compaction.total-size-threshold", "consumer-id",
    "consumer.changelog-only", "consumer.ignore-progress", "consumer.mode", "continuous.discovery-interval",
    "cross-partition-upsert.bootstrap-parallelism", "cross-partition-upsert.index-ttl",
    "data-evolution.compaction.rewrite-row-ids", "data-evolution.merge-into.file-pruning",
    "data-evolution.merge-into.source-persist", "data-evolution.reassign.skip-contiguous-row-count",
    "data-evolution.row-id-conflict-rewrite.max-size", "data-evolution.row-sidecar.enabled",
    "data-evolution.row-sidecar.max-selected-rows", "data-evolution.row-sidecar.max-selection-ratio",
    "data-file.external-paths.specific-fs", "data-file.external-paths.strategy",
    "data-file.external-paths.weights", "data-file.thin-mode", "delete-file.thread-num",
    "delete.force-produce-changelog", "deletion-vector.index-file.target-size", "deletion-vectors.bitmap64",
    "deletion-vectors.merge-on-read", "deletion-vectors.modifiable", "disable-explicit-type-casting",
    "dynamic-bucket.assigner-parallelism", "dynamic-bucket.initial-buckets", "dynamic-bucket.max-buckets",
    "dynamic-bucket.target-row-num", "dynamic-partition-overwrite", "end-input.check-partition-expire",
    "file-index.in-manifest-threshold", "file-index.read.enabled", "file-operation.thread-num",
    "file-reader-async-threshold", "file.compression.per.level", "file.format.per.level", "force-lookup",
    "format-table.commit-hive-sync-url", "format-table.file.compression", "format-table.implementation",
    "format-table.partition-path-only-value", "format-table.scan.list-parallelism",
    "full-compaction.delta-commits", "full-text-index.search-mode", "global-index.build.max-parallelism",
    "global-index.build.max-shard", "global-index.column-update-action", "global-index.enabled",
    "global-index.external-path", "global-index.row-count-per-shard", "global-index.search-mode",
    "global-index.thread-num", "ignore-delete", "ignore-update-before", "incremental-between",
    "incremental-between-scan-mode", "incremental-between-tag-to-snapshot", "incremental-between-timestamp",
    "incremental-to-auto-tag", "index-file-in-data-file-dir", "key-value.sequence_number.enabled",
    "local-kv-db.block-size", "local-merge-buffer-size", "local-sort.max-num-file-handles",
    "log.changelog-mode", "log.consistency", "log.format", "log.ignore-delete", "log.key.format",
    "lookup-compact", "lookup-compact.max-interval", "lookup-wait", "lookup.blob-as-descriptor",
    "lookup.cache-file-retention", "lookup.cache-max-disk-size", "lookup.cache-max-memory-size",
    "lookup.cache-rows", "lookup.cache-spill-compression", "lookup.cache.bloom.filter.enabled",
    "lookup.cache.bloom.filter.fpp", "lookup.cache.high-priority-pool-ratio",
    "lookup.continuous.discovery-interval", "lookup.hash-load-factor", "lookup.local-file-type",
    "lookup.merge-buffer-size", "lookup.merge-records-threshold", "lookup.remote-file.enabled",
    "lookup.remote-file.level-threshold", "manifest-sort.enabled", "manifest-sort.max-rewrite-size",
    "manifest-sort.partition-field", "manifest.delete-file-drop-stats", "manifest.merge-optimize.enabled",
    "materialized-table.definition-query", "materialized-table.interval-freshness",
    "materialized-table.interval-freshness.time-unit", "materialized-table.logical-refresh-mode",
    "materialized-table.refresh-handler-bytes", "materialized-table.refresh-handler-description",
    "materialized-table.refresh-mode", "materialized-table.refresh-status", "metadata.iceberg-compatible",
    "metadata.stats-keep-first-n-columns", "metadata.stats-mode.per.level", "metastore.partitioned-table",
    "metastore.tag-to-partition", "metastore.tag-to-partition.preview", "num-levels",
    "num-sorted-run.compaction-trigger", "num-sorted-run.stop-trigger", "overwrite-upgrade", "page-size",
    "partial-update.remove-record-on-delete", "partial-update.remove-record-on-sequence-group", "partition",
    "partition.end-input-to-done", "partition.expiration-batch-size", "partition.expiration-check-interval",
    "partition.expiration-max-num", "partition.idle-time-to-report-statistic", "partition.mark-done-action",
    "partition.mark-done-action.custom.class", "partition.mark-done-action.http.params",
    "partition.mark-done-action.http.url", "partition.sink-strategy", "partition.timestamp-format.strict",
    "path", "pk-bitmap.index.columns",
    "pk-btree.index.columns", "pk-clustering-override", "pk-full-text.index.columns",
    "pk-multivalue.index.columns", "pk-vector.index.columns", "postpone.batch-write-fixed-bucket",
    "postpone.batch-write-fixed-bucket.max-parallelism",
    "postpone.batch-write-fixed-bucket.rescale-load-factor", "postpone.default-bucket-num",
    "postpone.merge-on-read", "postpone.target-row-num-per-bucket", "postpone.target-size-per-bucket",
    "primary-key", "primary-key.nullable", "query-auth.enabled", "read.batch-size",
    "record-level.expire-time", "record-level.time-field", "record-level.time-field-type",
    "row-tracking.partition-group-on-commit", "rowkind.field", "scalar-index.search-mode",
    "scan.bounded.watermark", "scan.bucket", "scan.creation-time-millis", "scan.fallback-branch",
    "scan.fallback-branch.read-fail-fast", "scan.fallback-delta-branch", "scan.fallback-snapshot-branch",
    "scan.file-creation-time-millis", "scan.ignore-corrupt-files", "scan.ignore-lost-files",
    "scan.manifest.parallelism", "scan.max-splits-per-task", "scan.mode",
    "scan.plan-auto-tag-for-read.time-retained", "scan.plan-sort-partition", "scan.primary-branch",
    "scan.snapshot-id", "scan.tag-name", "scan.timestamp", "scan.timestamp-millis", "scan.version",
    "scan.watermark", "sequence.field", "sequence.field.sort-order", "sequence.snapshot-ordering",
    "sink.process-time-zone", "sink.watermark-time-zone",
    "snapshot.expire.execution-mode", "snapshot.ignore-empty-commit", "snapshot.watermark-idle-timeout",
    "sort-compaction.local-sample.magnification", "sort-compaction.range-strategy", "sort-engine",
    "sort-spill-buffer-size", "sort-spill-threshold", "spill-compression", "spill-compression.zstd-level",
    "stream-scan-mode", "streaming-read-append-overwrite", "streaming-read-mode", "streaming-read-overwrite",
    "streaming.read.snapshot.delay", "table-read.sequence-number.enabled", "tag.automatic-completion",
    "tag.automatic-creation", "tag.batch.customized-name", "tag.callbacks", "tag.create-success-file",
    "tag.time-expire-enabled", "upsert-key",
    "variant.inferShreddingSchema", "variant.shredding.adaptive.maxInferBufferRow",
    "variant.shredding.adaptive.retentionRatio", "variant.shredding.inferenceMode",
    "variant.shredding.maxInferBufferRow", "variant.shredding.maxSchemaDepth",
    "variant.shredding.maxSchemaWidth", "variant.shredding.minFieldCardinalityRatio",
    "variant.shreddingSchema", "vector-field", "vector-index.search-mode", "vector-search.distribute.enabled",
    "vector-search.lateral-join.batch-size", "vector.file.format", "vector.target-file-size",
    "visibility-callback.check-interval", "visibility-callback.enabled", "visibility-callback.timeout",
    "write-buffer-for-append", "write-buffer-size", "write-buffer-spill.max-disk-size",
    "write-buffer-spillable", "write-manifest-cache", "write-max-writers-to-spill", "write.batch-memory",
    "write.batch-size", "write.sequence-number-init-mode", "zorder.var-length-contribution",
];
