#![allow(clippy::unwrap_used)]

use super::*;
use crate::schema::DataField;

fn parse(options: &[(&str, &str)]) -> Result<CoreOptions, OptionError> {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    CoreOptions::parse(&options.iter().map(owned).collect())
}

#[test]
fn defaults_are_those_of_paimon() {
    let options = CoreOptions::default();
    assert_eq!(options.bucket, -1);
    assert_eq!(options.file_compression, "zstd");
    assert_eq!(options.file_compression_zstd_level, 1);
    assert_eq!(options.file_block_size, None);
    assert_eq!(options.target_file_size, MemorySize::of_mebi_bytes(256));
    assert_eq!(options.target_file_row_num, i64::MAX as u64);
    assert_eq!(options.data_file_prefix, "data-");
    assert_eq!(options.stats_mode, StatsMode::Truncate(16));
    assert_eq!(options.manifest_codec, Codec::Zstandard(1));
    assert_eq!(options.manifest_target_file_size, MemorySize::of_mebi_bytes(8));
    assert_eq!(options.manifest_merge_min_count, 30);
    assert_eq!(options.partition_default_name, "__DEFAULT_PARTITION__");
    assert!(options.partition_legacy_name && !options.write_only);
    assert_eq!(options.commit_max_retries, 10);
    assert_eq!(options.commit_timeout, None);
    assert_eq!(options.commit_min_retry_wait, Duration::from_millis(10));
    assert_eq!(options.commit_max_retry_wait, Duration::from_secs(10));
}

#[test]
fn given_values_win() {
    let options = parse(&[
        ("file.compression", "SNAPPY"),
        ("file.compression.zstd-level", "3"),
        ("manifest.compression", "null"),
        ("target-file-size", "64 MB"),
        ("commit.timeout", "1 min"),
        ("metadata.stats-mode", "counts"),
        ("fields.a.b.stats-mode", "full"),
        ("nobody.knows", "this"),
    ])
    .unwrap();
    assert_eq!(options.file_compression, "snappy");
    assert_eq!(options.manifest_codec, Codec::Null);
    assert_eq!(options.target_file_size.bytes(), 64 << 20);
    assert_eq!(options.commit_timeout, Some(Duration::from_secs(60)));
    assert_eq!(options.stats_mode_of("a.b"), StatsMode::Full);
    assert_eq!(options.stats_mode_of("a"), StatsMode::Counts);
}

#[test]
fn bad_values_are_refused_with_key_value_and_reason() {
    for (key, value, why) in [
        ("bucket", "many", "expected an integer from -2147483648"),
        ("file.compression", "brotli", "expected zstd, snappy, lz4, gzip or none"),
        ("file.compression.zstd-level", "23", "expected an integer from 1 to 22"),
        ("target-file-size", "0", "must be greater than zero"),
        ("target-file-size", "1 parsec", "`parsec` is no unit of size; use b, kb, mb, gb or tb"),
        ("manifest.compression", "lzma", "expected zstd, snappy, deflate or none"),
        ("metadata.stats-mode", "truncate", "expected none, counts, full or truncate(n), n > 0"),
        ("fields.a.stats-mode", "some", "expected none, counts, full or truncate(n), n > 0"),
        ("write-only", "yes", "expected true or false"),
        ("commit.timeout", "soon", "expected a number, then a unit"),
        ("commit.min-retry-wait", "1 h", "must not exceed commit.max-retry-wait"),
        ("partition.default-name", " ", "must not be blank"),
        ("parquet.page.size", "64 kb", "expected a whole number of bytes, without a unit, from 1"),
        ("parquet.page.size", "0", "expected a whole number of bytes, without a unit, from 1"),
        ("parquet.page.size", "2147483648", "expected a whole number of bytes, without a unit, from 1"),
        ("parquet.dictionary.page.size", "-1", "expected a whole number of bytes, without a unit, from 1"),
        ("parquet.page.row.count.limit", "many", "expected a whole number from 1 to 2147483647"),
        ("parquet.block.size", "128 mb", "expected a whole number of bytes, without a unit"),
        ("parquet.compression", "brotli", "expected zstd, snappy, lz4, gzip or none"),
        ("parquet.compression.codec.zstd.level", "0", "expected an integer from 1 to 22"),
        ("parquet.enable.dictionary#a", "yes", "expected true or false"),
    ] {
        let error = parse(&[(key, value)]).unwrap_err();
        assert_eq!((error.key.as_str(), error.value.as_str()), (key, value));
        assert!(error.why.starts_with(why), "{error}");
        let message = error.to_string();
        assert!(message.starts_with(&format!("table option '{key}' = '{value}': ")), "{message}");
    }
}

#[test]
fn the_table_of_definitions_is_sorted_and_its_defaults_parse() {
    let keys: Vec<_> = TABLE_OPTIONS.iter().map(|option| option.key).collect();
    assert!(keys.is_sorted_by(|a, b| a < b), "{keys:?}");
    assert!(definitions::OTHER_KEYS.is_sorted_by(|a, b| a < b));
    for option in TABLE_OPTIONS {
        assert!(!definitions::OTHER_KEYS.contains(&option.key), "{}", option.key);
        assert!(!option.doc.is_empty() && !option.doc.ends_with('.'), "{}", option.key);
        let Some(default) = option.default else {
            continue;
        };
        let parses = match option.kind {
            OptionKind::Boolean => text::parse_bool(default).is_ok(),
            OptionKind::Duration => parse_duration(default).is_ok(),
            OptionKind::Integer => default.parse::<i64>().is_ok(),
            OptionKind::Size => MemorySize::parse(default).is_ok(),
            OptionKind::String => true,
        };
        assert!(parses, "{} = {default}", option.key);
    }
}

#[test]
fn unknown_keys_are_told_from_known_ones_and_the_nearest_is_named() {
    for key in [
        "bucket",
        "merge-engine",
        "scan.mode",
        "fields.a.stats-mode",
        "parquet.page.size",
        "parquet.enable.dictionary#a",
        "parquet.bloom.filter.enabled",
        "parquet.bloom.filter.enabled#a",
    ] {
        assert!(is_known(key), "{key}");
    }
    for (key, near) in [
        ("writeonly", Some("write-only")),
        ("target-file-sise", Some("target-file-size")),
        ("file.compresion", Some("file.compression")),
        ("parquet.page.sise", Some("parquet.page.size")),
        ("parquet.enable-dictionary", Some("parquet.enable.dictionary")),
        ("parquet.enable.dictionary#", Some("parquet.enable.dictionary")),
        ("parquet.enable.dictionari#id", Some("parquet.enable.dictionary")),
        ("fields.", None),
        ("", None),
        ("no-such-thing-at-all", None),
    ] {
        assert!(!is_known(key), "{key}");
        assert_eq!(nearest(key), near, "{key}");
    }
    let error = OptionError::unknown("writeonly", "true").to_string();
    let expected = "table option 'writeonly' = 'true': no such table option; did you mean 'write-only'?";
    assert_eq!(error, expected);
}

#[test]
fn sizes_are_read_and_written_as_paimon_does() {
    for (text, bytes) in [
        ("0", Some(0)),
        ("12", Some(12)),
        ("12b", Some(12)),
        ("12 bytes", Some(12)),
        (" 1 Kb ", Some(1 << 10)),
        ("1k", Some(1 << 10)),
        ("3 mebibytes", Some(3 << 20)),
        ("2 GB", Some(2 << 30)),
        ("1t", Some(1 << 40)),
        ("9223372036854775807", Some(i64::MAX as u64)),
        ("9223372036854775808", None),
        ("9000000 tb", None),
        ("1.5 gb", None),
        ("-1", None),
        ("mb", None),
        ("", None),
        ("1 kib", None),
    ] {
        assert_eq!(MemorySize::parse(text).ok().map(MemorySize::bytes), bytes, "{text}");
    }
    for (bytes, text) in [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1 << 10, "1 kb"),
        (256 << 20, "256 mb"),
        ((1 << 20) + 1, "1048577 bytes"),
        (1 << 40, "1 tb"),
    ] {
        assert_eq!(MemorySize::of_bytes(bytes).to_string(), text);
        assert_eq!(MemorySize::parse(text), Ok(MemorySize::of_bytes(bytes)));
    }
}

#[test]
fn durations_are_read_as_flink_does() {
    let millis = Duration::from_millis;
    for (text, duration) in [
        ("500", Some(millis(500))),
        ("500ms", Some(millis(500))),
        ("10 s", Some(millis(10_000))),
        ("10 Seconds", Some(millis(10_000))),
        ("1 min", Some(millis(60_000))),
        ("2m", Some(millis(120_000))),
        ("1 h", Some(millis(3_600_000))),
        ("7 d", Some(millis(604_800_000))),
        ("3 µs", Some(Duration::from_micros(3))),
        ("3 nanos", Some(Duration::from_nanos(3))),
        ("1 week", None),
        ("1.5 s", None),
        ("-1 s", None),
        ("s", None),
        ("", None),
        ("99999999999999999999 s", None),
    ] {
        assert_eq!(parse_duration(text).ok(), duration, "{text}");
    }
    assert!(parse_duration("9223372036854775807 d").is_err());
}

#[test]
fn parquet_options_of_columns_must_name_one() {
    let fields: Vec<_> = [("id", "STRING"), ("n", "INT"), ("tags", "ARRAY<STRING>"), ("raw", "BYTES")]
        .iter()
        .zip(0..)
        .map(|((name, kind), id)| DataField::new(id, *name, kind.parse().unwrap()))
        .collect();
    let check = |key: &str, value| parse(&[(key, value)]).unwrap().parquet.check_columns(&fields);
    for key in ["n", "tags", "tags.list.element"].map(|column| format!("parquet.enable.dictionary#{column}")) {
        assert_eq!(check(&key, "true"), Ok(()), "{key}");
    }
    for (key, why) in [
        ("parquet.enable.dictionary#raws", "`raws`; did you mean 'parquet.enable.dictionary#raw'?"),
        ("parquet.enable.dictionary#ID", "`ID`"),
        ("parquet.enable.dictionary#n.list.element", "`n.list.element`"),
    ] {
        let error = check(key, "true").unwrap_err().to_string();
        assert_eq!(error, format!("table option '{key}' = 'true': the table has no column {why}"));
    }
}
