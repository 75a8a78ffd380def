//! Targets of JSON: snapshots, schemas, tags, consumers.

use paimon_format::{Consumer, Snapshot, TableSchema, Tag};
use serde_json::Value;

use crate::harness::{Target, golden_files};
use crate::mutate::{self, Random};

const WORDS: &[&str] = &[
    "",
    "id",
    "name",
    "type",
    "fields",
    "options",
    "partitionKeys",
    "primaryKeys",
    "version",
    "timeMillis",
    "comment",
    "nullable",
    "element",
    "key",
    "value",
    "ARRAY",
    "MAP",
    "ROW",
    "INT",
    "STRING NOT NULL",
    "DECIMAL(38, 10)",
    "DECIMAL(99, -1)",
    "TIMESTAMP(9) WITH LOCAL TIME ZONE",
    "VARCHAR(2147483647)",
    "ARRAY<INT>",
    "ROW<a INT>",
    "MULTISET",
    "bucket",
    "file.format",
    "orc",
    "-1",
    "100 mb",
    "1 h",
    "APPEND",
    "OVERWRITE",
    "snapshotId",
    "commitKind",
    "tagCreateTime",
    "tagTimeRetained",
    "nextSnapshot",
    "properties",
    "watermark",
    "dt",
];

/// A tree with changes, and at times bytes that are no JSON any more.
fn mutate(random: &mut Random, golden: &[Vec<u8>]) -> Vec<u8> {
    let mut input = random.one(golden).clone();
    if let Ok(mut tree) = serde_json::from_slice::<Value>(&input) {
        mutate::several(random, &mut tree, |random, tree| mutate::json(random, tree, WORDS));
        input = tree.to_string().into_bytes();
    }
    if random.once_in(4) {
        mutate::several(random, &mut input, |random, bytes| mutate::bytes(random, bytes, golden));
    }
    input
}

const fn target(golden: fn() -> Vec<Vec<u8>>, run: fn(&[u8])) -> Target {
    Target { golden, mutate, run, fixed_bytes: 16 << 10, per_byte: 96 }
}

pub(crate) const SNAPSHOT: Target = target(
    || golden_files(|path| path.contains("/snapshot/snapshot-") || path.ends_with("-snapshot.json")),
    |input| {
        if let Ok(snapshot) = Snapshot::from_json(input) {
            assert_eq!(Snapshot::from_json(&snapshot.to_json().unwrap()).unwrap(), snapshot);
        }
    },
);

pub(crate) const SCHEMA: Target = target(
    || golden_files(|path| path.contains("/schema/schema-") || path.ends_with("-schema.json")),
    |input| {
        if let Ok(schema) = TableSchema::from_json(input) {
            assert_eq!(TableSchema::from_json(&schema.to_json().unwrap()).unwrap(), schema);
            let _supported = schema.check_supported();
            let _fields = paimon_table::arrow::arrow_schema(&schema.fields);
        }
    },
);

pub(crate) const TAG: Target = target(
    || {
        let mut tags = golden_files(|path| path.contains("/tag/tag-"));
        let kept = r#", "tagCreateTime" : [ 2026, 1, 31, 9, 0, 5, 120000000 ], "tagTimeRetained" : 3600.500000000 }"#;
        let first = String::from_utf8(tags[0].clone()).unwrap();
        tags.push(format!("{}{kept}", first.trim_end().trim_end_matches('}')).into_bytes());
        assert!(Tag::from_json(tags.last().unwrap()).unwrap().create_time_millis.is_some());
        tags
    },
    |input| {
        if let Ok(tag) = Tag::from_json(input) {
            assert_eq!(Snapshot::from_json(input).unwrap(), tag.snapshot);
        }
    },
);

pub(crate) const CONSUMER: Target = target(
    || vec![b"{\n  \"nextSnapshot\" : 7\n}".to_vec()],
    |input| {
        if let Ok(consumer) = Consumer::from_json(input) {
            assert_eq!(Consumer::from_json(&consumer.to_json().unwrap()).unwrap(), consumer);
        }
    },
);
