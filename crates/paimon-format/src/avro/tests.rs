#![allow(clippy::unwrap_used)]

use apache_avro::types::Value;
use apache_avro::{Schema, Writer};
use proptest::prelude::*;

use super::*;
use crate::datum::Datum;
use crate::types::TypeRoot;

const CODECS: [Codec; 4] = [Codec::Null, Codec::Deflate, Codec::Snappy, Codec::Zstandard(1)];

fn stats(numbers: &[Option<i64>]) -> SimpleStats {
    let types = vec![TypeRoot::BigInt; numbers.len()];
    let values: Vec<_> = numbers.iter().map(|n| n.map(Datum::BigInt)).collect();
    let row = BinaryRow::encode(&types, &values).unwrap();
    SimpleStats { min_values: row.clone(), max_values: row, null_counts: numbers.to_vec() }
}

fn arbitrary_file() -> impl Strategy<Value = DataFileMeta> {
    let source = prop_oneof![Just(FileSource::Append), Just(FileSource::Compact)];
    let names = || prop::collection::vec(".{0,9}", 0..3);
    let options = (
        any::<Option<i64>>(),
        any::<Option<i64>>(),
        any::<Option<Vec<u8>>>(),
        prop::option::of(source),
        prop::option::of(names()),
        any::<Option<String>>(),
        any::<Option<i64>>(),
        prop::option::of(names()),
    );
    let plain = (".*", any::<[i64; 5]>(), any::<i32>(), names());
    let columns = prop::collection::vec(any::<Option<i64>>(), 0..4);
    (plain, columns, options).prop_map(|(plain, columns, options)| DataFileMeta {
        file_name: plain.0,
        file_size: plain.1[0],
        row_count: plain.1[1],
        min_key: BinaryRow::EMPTY,
        max_key: stats(&columns).max_values,
        key_stats: SimpleStats::EMPTY,
        value_stats: stats(&columns),
        min_sequence_number: plain.1[2],
        max_sequence_number: plain.1[3],
        schema_id: plain.1[4],
        level: plain.2,
        extra_files: plain.3,
        creation_time_millis: options.0,
        delete_row_count: options.1,
        embedded_index: options.2,
        file_source: options.3,
        value_stats_cols: options.4,
        external_path: options.5,
        first_row_id: options.6,
        write_cols: options.7,
    })
}

fn arbitrary_entry() -> impl Strategy<Value = ManifestEntry> {
    let kind = prop_oneof![Just(FileKind::Add), Just(FileKind::Delete)];
    let partition = prop::collection::vec(any::<Option<i64>>(), 0..3);
    (kind, partition, any::<i32>(), any::<i32>(), arbitrary_file()).prop_map(
        |(kind, partition, bucket, total_buckets, file)| ManifestEntry {
            kind,
            partition: stats(&partition).min_values,
            bucket,
            total_buckets,
            file,
        },
    )
}

fn arbitrary_meta() -> impl Strategy<Value = ManifestFileMeta> {
    let columns = prop::collection::vec(any::<Option<i64>>(), 0..4);
    let numbers = (any::<[i64; 4]>(), any::<[Option<i32>; 4]>(), any::<[Option<i64>; 2]>());
    (".*", columns, numbers).prop_map(|(file_name, columns, (longs, ints, rows))| ManifestFileMeta {
        file_name,
        file_size: longs[0],
        num_added_files: longs[1],
        num_deleted_files: longs[2],
        partition_stats: stats(&columns),
        schema_id: longs[3],
        min_bucket: ints[0],
        max_bucket: ints[1],
        min_level: ints[2],
        max_level: ints[3],
        min_row_id: rows[0],
        max_row_id: rows[1],
    })
}

proptest! {
    #[test]
    fn manifests_survive_the_round_trip(
        entries in prop::collection::vec(arbitrary_entry(), 0..20),
        codec in prop::sample::select(&CODECS[..]),
    ) {
        let bytes = encode_entries(&entries, codec).unwrap();
        prop_assert_eq!(&bytes, &encode_entries(&entries, codec).unwrap());
        prop_assert_eq!(decode_entries(&bytes).unwrap(), entries);
    }

    #[test]
    fn manifest_lists_survive_the_round_trip(
        metas in prop::collection::vec(arbitrary_meta(), 0..20),
        codec in prop::sample::select(&CODECS[..]),
    ) {
        let bytes = encode_manifest_list(&metas, codec).unwrap();
        prop_assert_eq!(decode_manifest_list(&bytes).unwrap(), metas);
    }

    #[test]
    fn damaged_manifests_are_read_or_refused(
        entries in prop::collection::vec(arbitrary_entry(), 1..4),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<Option<prop::sample::Index>>(),
    ) {
        let mut bytes = encode_entries(&entries, Codec::Null).unwrap();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let _ = decode_entries(&bytes);
        let _ = decode_manifest_list(&bytes);
    }
}

/// An Avro file of these records.
fn file(schema: &str, records: &[Value]) -> Vec<u8> {
    let schema = Schema::parse_str(schema).unwrap();
    let mut writer = Writer::new(&schema, Vec::new()).unwrap();
    for record in records {
        writer.append_value_ref(record).unwrap();
    }
    writer.into_inner().unwrap()
}

/// An Avro file whose only block holds `count` records in `data`.
fn raw_file(schema: &str, count: i64, data: &[u8]) -> Vec<u8> {
    let varint = |n: i64| {
        let mut zigzag = ((n << 1) ^ (n >> 63)) as u64;
        let mut bytes = Vec::new();
        while zigzag >= 0x80 {
            bytes.push(zigzag as u8 | 0x80);
            zigzag >>= 7;
        }
        bytes.push(zigzag as u8);
        bytes
    };
    let mut bytes = b"Obj\x01\x02\x16avro.schema".to_vec();
    bytes.extend(varint(schema.len() as i64));
    bytes.extend(schema.as_bytes());
    bytes.push(0);
    let marker = [7; 16];
    bytes.extend(marker);
    bytes.extend(varint(count));
    bytes.extend(varint(data.len() as i64));
    bytes.extend(data);
    bytes.extend(marker);
    bytes
}

fn long_ago(extra: &str) -> String {
    format!(
        r#"{{"type": "record", "name": "m", "fields": [
        {{"name": "_VERSION", "type": "int"}}, {{"name": "_FILE_NAME", "type": "string"}},
        {extra}
        {{"name": "_FILE_SIZE", "type": "long"}}, {{"name": "_NUM_ADDED_FILES", "type": "long"}},
        {{"name": "_NUM_DELETED_FILES", "type": "long"}},
        {{"name": "_PARTITION_STATS", "type": {{"type": "record", "name": "s", "fields": [
            {{"name": "_MIN_VALUES", "type": "bytes"}}, {{"name": "_MAX_VALUES", "type": "bytes"}},
            {{"name": "_NULL_COUNTS", "type": ["null", {{"type": "array", "items": ["null", "long"]}}]}}]}}}},
        {{"name": "_SCHEMA_ID", "type": "long"}}]}}"#
    )
}

fn long_ago_record(version: i32, extra: Option<(&str, Value)>) -> Value {
    let name = |name: &str| name.to_owned();
    let stats = Value::Record(vec![
        (name("_MIN_VALUES"), Value::Bytes(vec![0; 12])),
        (name("_MAX_VALUES"), Value::Bytes(vec![0; 12])),
        (name("_NULL_COUNTS"), Value::Union(0, Box::new(Value::Null))),
    ]);
    let mut fields = vec![
        (name("_VERSION"), Value::Int(version)),
        (name("_FILE_NAME"), Value::String(name("manifest-a-0"))),
        (name("_FILE_SIZE"), Value::Long(9)),
        (name("_NUM_ADDED_FILES"), Value::Long(1)),
        (name("_NUM_DELETED_FILES"), Value::Long(0)),
        (name("_PARTITION_STATS"), stats),
        (name("_SCHEMA_ID"), Value::Long(0)),
    ];
    if let Some((field, value)) = extra {
        fields.insert(2, (field.to_owned(), value));
    }
    Value::Record(fields)
}

#[test]
fn members_are_found_by_name_unknown_ones_skipped_and_missing_ones_null() {
    let unknown = r#"{"name": "_NEW", "type": {"type": "map", "values": ["null", "string"]}},"#;
    let map = Value::Map([("k".to_owned(), Value::Union(0, Box::new(Value::Null)))].into());
    for (schema, extra) in [(long_ago(""), None), (long_ago(unknown), Some(("_NEW", map)))] {
        let bytes = file(&schema, &[long_ago_record(2, extra)]);
        let metas = decode_manifest_list(&bytes).unwrap();
        assert_eq!(metas.len(), 1);
        assert_eq!((metas[0].file_size, metas[0].min_bucket), (9, None));
        assert_eq!(metas[0].partition_stats, SimpleStats::EMPTY);
    }
}

#[test]
fn files_of_another_version_are_refused() {
    let bytes = file(&long_ago(""), &[long_ago_record(1, None)]);
    let error = decode_manifest_list(&bytes).unwrap_err().to_string();
    assert_eq!(error, "unsupported table feature: manifest list of version 1");
}

#[test]
fn damage_is_named() {
    let good = encode_entries(&[], Codec::Null).unwrap();
    for (bytes, message) in [
        (vec![], "corrupt manifest: "),
        (b"PAR1".to_vec(), "corrupt manifest: wrong magic in header"),
        (good[..good.len() - 1].to_vec(), "corrupt manifest: "),
        (file(&long_ago(""), &[long_ago_record(2, None)]), "corrupt manifest: record 0: "),
    ] {
        let error = decode_entries(&bytes).unwrap_err().to_string().to_lowercase();
        assert!(error.starts_with(message), "{error}");
    }
}

#[test]
fn a_few_bytes_cannot_stand_for_endless_data() {
    let nested = long_ago(
        r#"{"name": "_NEW", "type": {"type": "record", "name": "n", "fields": [
            {"name": "next", "type": ["null", "n"]}]}},"#,
    );
    let nulls = long_ago(r#"{"name": "_NEW", "type": {"type": "array", "items": "null"}},"#);
    let empty = r#"{"type": "record", "name": "e", "fields": []}"#.to_owned();
    let mut deep = vec![2; 1 << 20];
    deep[..2].copy_from_slice(&[4, 0]);
    for (schema, data, message) in [
        (nested, &deep[..], "the avro record n is inside itself"),
        (nulls, &[4, 0, 0xff, 0xff, 0xff, 0xff, 0x0f], "a type without bytes"),
        (empty, &[], "the avro record e has no bytes"),
    ] {
        let bytes = raw_file(&schema, i64::MAX, data);
        let error = decode_manifest_list(&bytes).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
    let huge = raw_file(&long_ago(""), 1, &[4, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]);
    let error = decode_manifest_list(&huge).unwrap_err().to_string();
    assert!(error.starts_with("corrupt manifest list: record 0: "), "{error}");
    let many = raw_file(&long_ago(""), i64::MAX, &[4, 0]);
    assert!(decode_manifest_list(&many).is_err());
}

#[test]
fn the_schema_is_paimons() {
    let bytes = encode_entries(&[], Codec::Zstandard(1)).unwrap();
    let header = String::from_utf8_lossy(&bytes);
    for part in [
        "\u{14}avro.codec\u{12}zstandard",
        r#"{"type":"record","namespace":"org.apache.paimon.avro.generated","name":"record","#,
        r#""fields":[{"name":"_VERSION","type":"int"},"#,
        r#""name":"record__FILE","#,
        r#""name":"record__FILE__KEY_STATS","#,
        r#""name":"record__FILE__VALUE_STATS","#,
        r#"{"name":"_CREATION_TIME","type":["null",{"type":"long","logicalType":"timestamp-millis"}],"default":null}"#,
        r#"{"name":"_WRITE_COLS","type":["null",{"type":"array","items":"string"}],"default":null}]"#,
    ] {
        assert!(header.contains(part), "{part} in {header}");
    }
}
