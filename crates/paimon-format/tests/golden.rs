//! Files that pypaimon wrote, read value for value: see `golden/README.md`.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use paimon_format::avro::{decode_entries, decode_manifest_list};
use paimon_format::names::bucket_dir;
use paimon_format::partition::partition_path;
use paimon_format::{
    BinaryRow, CommitKind, DataFileMeta, Datum, FileKind, FileSource, ManifestEntry, ManifestFileMeta, SimpleStats,
    Snapshot, SnapshotId, TableSchema,
};
use serde_json::{Value, json};

fn golden(name: &str) -> Vec<u8> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    std::fs::read(directory.join(name)).unwrap()
}

fn schema(table: &str) -> TableSchema {
    let schema = TableSchema::from_json(&golden(&format!("{table}-schema.json"))).unwrap();
    schema.check_supported().unwrap();
    schema
}

fn entries(name: &str) -> Vec<ManifestEntry> {
    decode_entries(&golden(&format!("{name}.avro"))).unwrap()
}

/// The records another Avro library read from `<name>.avro`, without the members that Paimon 2.0
/// does not have.
fn expected(name: &str) -> Value {
    let mut records: Value = serde_json::from_slice(&golden(&format!("{name}.json"))).unwrap();
    for record in records.as_array_mut().unwrap() {
        let record = record.as_object_mut().unwrap();
        if let Some(file) = record.get_mut("_FILE") {
            file.as_object_mut().unwrap().remove("_WRITE_COLS_SEQUENCES");
        } else {
            record.remove("_TOTAL_BUCKETS");
            record.remove("_EXTRA_FILES");
        }
    }
    records
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn row(row: &BinaryRow) -> Value {
    json!(hex(&row.serialized()))
}

fn stats(stats: &SimpleStats) -> Value {
    json!({
        "_MIN_VALUES": row(&stats.min_values),
        "_MAX_VALUES": row(&stats.max_values),
        "_NULL_COUNTS": stats.null_counts,
    })
}

fn file(file: &DataFileMeta) -> Value {
    let source = file.file_source.map(|source| match source {
        FileSource::Append => 0,
        FileSource::Compact => 1,
    });
    json!({
        "_FILE_NAME": file.file_name,
        "_FILE_SIZE": file.file_size,
        "_ROW_COUNT": file.row_count,
        "_MIN_KEY": row(&file.min_key),
        "_MAX_KEY": row(&file.max_key),
        "_KEY_STATS": stats(&file.key_stats),
        "_VALUE_STATS": stats(&file.value_stats),
        "_MIN_SEQUENCE_NUMBER": file.min_sequence_number,
        "_MAX_SEQUENCE_NUMBER": file.max_sequence_number,
        "_SCHEMA_ID": file.schema_id,
        "_LEVEL": file.level,
        "_EXTRA_FILES": file.extra_files,
        "_CREATION_TIME": file.creation_time_millis,
        "_DELETE_ROW_COUNT": file.delete_row_count,
        "_EMBEDDED_FILE_INDEX": file.embedded_index.as_deref().map(hex),
        "_FILE_SOURCE": source,
        "_VALUE_STATS_COLS": file.value_stats_cols,
        "_EXTERNAL_PATH": file.external_path,
        "_FIRST_ROW_ID": file.first_row_id,
        "_WRITE_COLS": file.write_cols,
    })
}

fn entry(entry: &ManifestEntry) -> Value {
    json!({
        "_VERSION": 2,
        "_KIND": if entry.kind == FileKind::Add { 0 } else { 1 },
        "_PARTITION": row(&entry.partition),
        "_BUCKET": entry.bucket,
        "_TOTAL_BUCKETS": entry.total_buckets,
        "_FILE": file(&entry.file),
    })
}

fn meta(meta: &ManifestFileMeta) -> Value {
    json!({
        "_VERSION": 2,
        "_FILE_NAME": meta.file_name,
        "_FILE_SIZE": meta.file_size,
        "_NUM_ADDED_FILES": meta.num_added_files,
        "_NUM_DELETED_FILES": meta.num_deleted_files,
        "_PARTITION_STATS": stats(&meta.partition_stats),
        "_SCHEMA_ID": meta.schema_id,
        "_MIN_BUCKET": meta.min_bucket,
        "_MAX_BUCKET": meta.max_bucket,
        "_MIN_LEVEL": meta.min_level,
        "_MAX_LEVEL": meta.max_level,
        "_MIN_ROW_ID": meta.min_row_id,
        "_MAX_ROW_ID": meta.max_row_id,
    })
}

#[test]
fn manifests_are_read_value_for_value() {
    for name in ["plain-base-0", "plain-delta-0", "wide-delta-0"] {
        let read: Vec<_> = entries(name).iter().map(entry).collect();
        assert_eq!(json!(read), expected(name), "{name}");
    }
}

#[test]
fn manifest_lists_are_read_value_for_value() {
    for name in ["plain-base-list", "plain-delta-list", "wide-base-list", "wide-delta-list"] {
        let read = decode_manifest_list(&golden(&format!("{name}.avro"))).unwrap();
        let read: Vec<_> = read.iter().map(meta).collect();
        assert_eq!(json!(read), expected(name), "{name}");
    }
}

#[test]
fn a_manifest_is_described_as_pypaimon_describes_it() {
    let types = schema("plain").partition_types();
    for name in ["plain-base", "plain-delta"] {
        let list = golden(&format!("{name}-list.avro"));
        for read in decode_manifest_list(&list).unwrap() {
            let entries = entries(&format!("{name}-0"));
            let described =
                ManifestFileMeta::describe(read.file_name.clone(), read.file_size, &entries, 0, &types).unwrap();
            assert_eq!(described, read, "{name}");
        }
    }
}

#[test]
fn snapshots_are_read() {
    let snapshot = Snapshot::from_json(&golden("plain-snapshot.json")).unwrap();
    assert_eq!(snapshot.id, SnapshotId(2));
    assert_eq!(snapshot.commit_kind, CommitKind::Append);
    assert_eq!((snapshot.total_record_count, snapshot.delta_record_count), (4, 2));
    assert_eq!(snapshot.commit_identifier, i64::MAX);
    assert!(snapshot.uuid.is_some() && snapshot.properties.is_none());

    let read: Value = serde_json::from_slice(&golden("plain-snapshot.json")).unwrap();
    let written: Value = serde_json::from_slice(&snapshot.to_json().unwrap()).unwrap();
    assert_eq!(written, read);
}

#[test]
fn partitions_are_encoded_byte_for_byte_and_lead_to_their_directories() {
    let schema = schema("plain");
    let types = schema.partition_types();
    let mut paths: Vec<_> = ["plain-base-0", "plain-delta-0"]
        .into_iter()
        .flat_map(entries)
        .map(|entry| {
            let values = entry.partition.decode(&types).unwrap();
            assert_eq!(BinaryRow::encode(&types, &values).unwrap(), entry.partition);
            let name = "__DEFAULT_PARTITION__";
            let path = partition_path(&schema.partition_keys, &types, &values, name).unwrap();
            format!("{path}/{}", bucket_dir(entry.bucket))
        })
        .collect();
    paths.sort();
    let expected =
        ["dt=2026-01-31/hh=9/bucket-0", "dt=2026-02-01/hh=10/bucket-0", "dt=__DEFAULT_PARTITION__/hh=1/bucket-0"];
    assert_eq!(paths, expected);
}

#[test]
fn statistics_of_every_type_are_read_and_encoded_byte_for_byte() {
    let schema = schema("wide");
    let types: Vec<_> = schema.fields.iter().map(|field| field.data_type.root.clone()).collect();
    let stats = &entries("wide-delta-0")[0].file.value_stats;
    let columns = stats.decode(&types).unwrap();

    let decimal = |unscaled, precision, scale| Datum::Decimal { unscaled, precision, scale };
    let timestamp = |millis, nano_of_milli| Datum::Timestamp { millis, nano_of_milli };
    let text = |text: &str| Datum::String(text.to_owned());
    let wide = 123_456_789_012_345_678_901_234;
    let (early, late) = (1_769_850_000_123, 1_769_904_000_000);
    let bounds = [
        (Datum::Boolean(false), Datum::Boolean(true)),
        (Datum::TinyInt(-128), Datum::TinyInt(127)),
        (Datum::SmallInt(-32_768), Datum::SmallInt(32_767)),
        (Datum::Int(i32::MIN), Datum::Int(i32::MAX)),
        (Datum::BigInt(i64::MIN), Datum::BigInt(i64::MAX)),
        (Datum::Float(-1.5), Datum::Float(1.5)),
        (Datum::Double(-2.25), Datum::Double(2.25)),
        (decimal(-1_234_567_890, 10, 2), decimal(1_234_567_890, 10, 2)),
        (decimal(-wide, 30, 4), decimal(wide, 30, 4)),
        (text("short"), text("ä text of more than sixteen characters")),
        (Datum::Bytes(vec![0, 255]), Datum::Bytes(b"more than seven bytes".to_vec())),
        (Datum::Date(-1), Datum::Date(20_484)),
        (Datum::Time(1), Datum::Time(86_399_999)),
        (timestamp(early, 0), timestamp(late, 0)),
        (timestamp(early, 456_000), timestamp(late, 1_000)),
        (timestamp(early, 456_000), timestamp(late, 0)),
    ];
    assert_eq!(columns.len(), bounds.len());
    for (index, (column, (min, max))) in columns.iter().zip(bounds).enumerate() {
        assert_eq!(column.min.as_ref(), Some(&min), "column {index}");
        assert_eq!(column.max.as_ref(), Some(&max), "column {index}");
        assert_eq!(column.null_count, Some(1), "column {index}");
    }
    assert_eq!(&SimpleStats::encode(&types, &columns).unwrap(), stats);
}
