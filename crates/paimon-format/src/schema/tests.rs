#![allow(clippy::unwrap_used)]

use super::*;
use crate::types::TypeRoot;

fn schema(options: &[(&str, &str)]) -> TableSchema {
    let options = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let fields = vec![
        DataField::new(0, "id", DataType::not_null(TypeRoot::STRING)),
        DataField::new(1, "dt", DataType::nullable(TypeRoot::Date)),
    ];
    TableSchema::new(fields, vec!["dt".to_owned()], options, None, 1_769_850_000_000)
}

#[test]
fn json_is_laid_out_as_java_does() {
    let json = schema(&[("write-only", "true")]).to_json().unwrap();
    let expected = r#"{
  "version" : 3,
  "id" : 0,
  "fields" : [ {
    "id" : 0,
    "name" : "id",
    "type" : "STRING NOT NULL"
  }, {
    "id" : 1,
    "name" : "dt",
    "type" : "DATE"
  } ],
  "highestFieldId" : 1,
  "partitionKeys" : [ "dt" ],
  "primaryKeys" : [ ],
  "options" : {
    "write-only" : "true"
  },
  "timeMillis" : 1769850000000
}"#;
    assert_eq!(String::from_utf8(json).unwrap(), expected);
}

#[test]
fn everything_survives_the_round_trip() {
    let mut schema = schema(&[("a", "b"), ("c \"quoted\"", "d\nä")]);
    schema.comment = Some("a comment".to_owned());
    schema.fields[0].description = Some("the id".to_owned());
    schema.fields[1].default_value = Some("'x'".to_owned());
    schema.highest_field_id = 7;
    assert_eq!(TableSchema::from_json(&schema.to_json().unwrap()).unwrap(), schema);
}

#[test]
fn old_schemas_get_the_defaults_of_their_time() {
    for (version, bucket, format) in [
        ("", Some("1"), Some("orc")),
        (r#""version": 1,"#, Some("1"), Some("orc")),
        (r#""version": 2,"#, None, Some("orc")),
        (r#""version": 3,"#, None, None),
    ] {
        let json = format!(
            r#"{{{version} "id": 0, "fields": [], "highestFieldId": -1, "partitionKeys": [],
               "primaryKeys": [], "options": {{}}, "unknown": [1]}}"#
        );
        let schema = TableSchema::from_json(json.as_bytes()).unwrap();
        let option = |key| schema.options.get(key).map(String::as_str);
        assert_eq!((option("bucket"), option("file.format")), (bucket, format));
    }
}

#[test]
fn damaged_and_unknown_schemas_are_refused_by_name() {
    let with = |fields: &str, keys: &str, version: i32| {
        format!(
            r#"{{"version": {version}, "id": 0, "fields": [{fields}], "highestFieldId": 0,
               "partitionKeys": [{keys}], "primaryKeys": [], "options": {{}}}}"#
        )
    };
    let field = |data_type: &str| format!(r#"{{"id": 0, "name": "a", "type": {data_type}}}"#);
    for (json, message) in [
        (String::new(), "corrupt schema: EOF"),
        ("[".repeat(100_000), "corrupt schema: recursion limit"),
        ("{}".to_owned(), "corrupt schema: missing field `id`"),
        (with("", "", 4), "unsupported table feature: schema version 4"),
        (with("", "\"b\"", 3), "corrupt schema: partition key `b` is no column"),
        (with(&field("\"TEXT\""), "", 3), "cannot parse the data type `TEXT`"),
        (with(&field("7"), "", 3), "corrupt schema: invalid type"),
        (with(&field("\"VARIANT\""), "", 3), "column `a` of type VARIANT"),
        (
            with(&field(r#"{"type": "ARRAY", "element": {"type": "MULTISET NOT NULL", "element": "INT"}}"#), "", 3),
            "unsupported table feature: column `a` of type MULTISET NOT NULL",
        ),
    ] {
        let error = TableSchema::from_json(json.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn what_tributary_cannot_write_is_refused_by_name() {
    for (key, value) in [
        ("bucket", "4"),
        ("bucket", "-2"),
        ("file.format", "orc"),
        ("manifest.format", "orc"),
        ("row-tracking.enabled", "true"),
        ("data-evolution.enabled", "TRUE"),
        ("deletion-vectors.enabled", "true"),
        ("chain-table.enabled", "true"),
        ("changelog-producer", "input"),
        ("data-file.external-paths", "s3://elsewhere"),
        ("data-file.path-directory", "data"),
        ("type", "format-table"),
        ("branch", "dev"),
    ] {
        let error = schema(&[(key, value)]).check_supported().unwrap_err();
        let message = format!("unsupported table feature: '{key}' = '{value}'");
        assert!(error.to_string().starts_with(&message), "{error}");
    }
    let error = schema(&[("partition.legacy-name", "false")]).check_supported();
    assert!(error.unwrap_err().to_string().contains("column `dt` of type DATE"));
    let error = schema(&[("target-file-size", "big")]).check_supported();
    assert!(error.unwrap_err().to_string().contains("target-file-size"));

    let mut keyed = schema(&[]);
    keyed.primary_keys = vec!["id".to_owned()];
    let error = keyed.check_supported().unwrap_err().to_string();
    assert!(error.contains("primary keys (id)"), "{error}");

    let mut defaulted = schema(&[]);
    defaulted.fields[0].default_value = Some("'x'".to_owned());
    let error = defaulted.check_supported().unwrap_err().to_string();
    assert!(error.contains("default value 'x' of column `id`"), "{error}");

    let mut binary = schema(&[]);
    binary.fields[1].data_type.root = TypeRoot::BYTES;
    let error = binary.check_supported().unwrap_err().to_string();
    assert!(error.contains("partition column `dt` of type BYTES"), "{error}");

    for (data_type, message) in [
        ("ARRAY<TIMESTAMP(9)>", "column `id` of type ARRAY<TIMESTAMP(9)>: timestamps in nested columns have at most 6"),
        ("ROW<a INT>", "column `id` of type ROW<>: a ROW without fields"),
        ("MAP<INT, ROW<a INT>>", "default value 7 of column `id`"),
    ] {
        let mut nested = schema(&[]);
        let field = &mut nested.fields[0];
        field.data_type = data_type.parse().unwrap();
        match &mut field.data_type.root {
            TypeRoot::Row(fields) => *fields = [].into(),
            TypeRoot::Map(map) => {
                let defaulted =
                    DataField { default_value: Some("7".to_owned()), ..DataField::new(9, "a", map.key.clone()) };
                let value = DataType::nullable(TypeRoot::Row([defaulted].into()));
                *map = std::sync::Arc::new(crate::types::MapType { key: map.key.clone(), value });
            }
            _ => {}
        }
        let error = nested.check_supported().unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
    let mut by_array = schema(&[]);
    by_array.fields[1].data_type = "ARRAY<INT>".parse().unwrap();
    let error = by_array.check_supported().unwrap_err().to_string();
    assert!(error.contains("partition column `dt` of type ARRAY<INT>"), "{error}");

    schema(&[("bucket", "-1"), ("file.format", "parquet"), ("x", "y")]).check_supported().unwrap();
}
