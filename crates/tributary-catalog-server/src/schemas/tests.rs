#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;

fn schema() -> TableSchema {
    let definition = json!({
        "fields": [
            {"id": 0, "name": "id", "type": "BIGINT NOT NULL"},
            {"id": 1, "name": "n", "type": "INT"},
            {"id": 2, "name": "nest", "type": {"type": "ROW", "fields": [{"id": 3, "name": "x", "type": "INT"}]}},
            {"id": 4, "name": "dt", "type": "STRING"},
        ],
        "partitionKeys": ["dt"], "primaryKeys": [], "options": {"bucket": "-1", "a": "1"}, "comment": "c"
    });
    first(serde_json::from_value(definition).unwrap(), 7).unwrap()
}

fn alter(schema: &TableSchema, changes: Value, has_snapshots: bool) -> Result<Option<TableSchema>, u16> {
    let changes: Vec<SchemaChange> = serde_json::from_value(changes).map_err(|_| 400_u16)?;
    altered(schema, &changes, has_snapshots, 8).map_err(|problem| problem.code)
}

fn columns(schema: &TableSchema) -> Vec<String> {
    schema.fields.iter().map(|field| format!("{}:{} {}", field.id, field.name, field.data_type)).collect()
}

#[test]
fn changes_make_the_next_schema() {
    for (change, expected) in [
        (
            json!({"action": "addColumn", "fieldNames": ["z"], "dataType": "STRING", "comment": null, "move": null}),
            &["0:id BIGINT NOT NULL", "1:n INT", "2:nest ROW<`x` INT>", "4:dt STRING", "5:z STRING"][..],
        ),
        (
            json!({"action": "addColumn", "fieldNames": ["z"], "dataType": "INT", "move": {"fieldName": "z", "referenceFieldName": "id", "type": "AFTER"}}),
            &["0:id BIGINT NOT NULL", "5:z INT", "1:n INT", "2:nest ROW<`x` INT>", "4:dt STRING"],
        ),
        (
            json!({"action": "renameColumn", "fieldNames": ["n"], "newName": "m"}),
            &["0:id BIGINT NOT NULL", "1:m INT", "2:nest ROW<`x` INT>", "4:dt STRING"],
        ),
        (json!({"action": "dropColumn", "fieldNames": ["nest"]}), &["0:id BIGINT NOT NULL", "1:n INT", "4:dt STRING"]),
        (
            json!({"action": "updateColumnType", "fieldNames": ["n"], "newDataType": "BIGINT", "keepNullability": true}),
            &["0:id BIGINT NOT NULL", "1:n BIGINT", "2:nest ROW<`x` INT>", "4:dt STRING"],
        ),
        (
            json!({"action": "updateColumnNullability", "fieldNames": ["id"], "newNullability": true}),
            &["0:id BIGINT", "1:n INT", "2:nest ROW<`x` INT>", "4:dt STRING"],
        ),
        (
            json!({"action": "updateColumnPosition", "move": {"fieldName": "dt", "type": "FIRST"}}),
            &["4:dt STRING", "0:id BIGINT NOT NULL", "1:n INT", "2:nest ROW<`x` INT>"],
        ),
        (
            json!({"action": "updateColumnPosition", "move": {"fieldName": "id", "referenceFieldName": "dt", "type": "BEFORE"}}),
            &["1:n INT", "2:nest ROW<`x` INT>", "0:id BIGINT NOT NULL", "4:dt STRING"],
        ),
        (
            json!({"action": "updateColumnPosition", "move": {"fieldName": "id", "type": "LAST"}}),
            &["1:n INT", "2:nest ROW<`x` INT>", "4:dt STRING", "0:id BIGINT NOT NULL"],
        ),
    ] {
        let next = alter(&schema(), json!([change]), true).unwrap().unwrap();
        assert_eq!(
            (columns(&next), next.id, next.time_millis),
            (expected.iter().map(|c| (*c).to_owned()).collect(), 1, 8),
            "{change}"
        );
    }
    let next = alter(
        &schema(),
        json!([
            {"action": "setOption", "key": "b", "value": "2"}, {"action": "removeOption", "key": "a"},
            {"action": "updateComment", "comment": null},
            {"action": "updateColumnComment", "fieldNames": ["n"], "newComment": "number"}
        ]),
        true,
    );
    let next = next.unwrap().unwrap();
    let options = [("b", "2"), ("bucket", "-1")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    assert_eq!((next.options, next.comment), (options.into(), None));
    assert_eq!(next.fields[1].description.as_deref(), Some("number"));
}

#[test]
fn ids_are_never_given_twice() {
    let dropped = alter(&schema(), json!([{"action": "dropColumn", "fieldNames": ["nest"]}]), true).unwrap().unwrap();
    let add = json!([{"action": "addColumn", "fieldNames": ["r"], "dataType": {"type": "ROW", "fields": [{"id": 0, "name": "y", "type": "INT"}]}}]);
    let added = alter(&dropped, add, true).unwrap().unwrap();
    assert_eq!((added.fields[3].id, added.highest_field_id, added.id), (5, 6, 2));
}

#[test]
fn what_changes_nothing_makes_no_schema() {
    for changes in [json!([]), json!([{"action": "setOption", "key": "a", "value": "1"}])] {
        assert_eq!(alter(&schema(), changes, true), Ok(None));
    }
}

#[test]
fn what_would_make_files_unreadable_is_refused() {
    for (change, code) in [
        (json!({"action": "addColumn", "fieldNames": ["n"], "dataType": "INT"}), 409),
        (json!({"action": "addColumn", "fieldNames": ["z"], "dataType": "INT NOT NULL"}), 400),
        (json!({"action": "addColumn", "fieldNames": ["nest", "y"], "dataType": "INT"}), 501),
        (json!({"action": "addColumn", "fieldNames": [], "dataType": "INT"}), 400),
        (json!({"action": "addColumn", "fieldNames": ["_KEY_x"], "dataType": "INT"}), 400),
        (json!({"action": "renameColumn", "fieldNames": ["none"], "newName": "m"}), 404),
        (json!({"action": "renameColumn", "fieldNames": ["n"], "newName": "id"}), 409),
        (json!({"action": "renameColumn", "fieldNames": ["n"], "newName": " "}), 400),
        (json!({"action": "renameColumn", "fieldNames": ["dt"], "newName": "day"}), 400),
        (json!({"action": "dropColumn", "fieldNames": ["dt"]}), 400),
        (json!({"action": "updateColumnType", "fieldNames": ["id"], "newDataType": "INT"}), 400),
        (json!({"action": "updateColumnType", "fieldNames": ["n"], "newDataType": "BIGINT NOT NULL"}), 400),
        (json!({"action": "updateColumnNullability", "fieldNames": ["n"], "newNullability": false}), 400),
        (
            json!({"action": "updateColumnPosition", "move": {"fieldName": "n", "referenceFieldName": "n", "type": "AFTER"}}),
            400,
        ),
        (json!({"action": "updateColumnPosition", "move": {"fieldName": "n", "type": "AFTER"}}), 400),
        (json!({"action": "setOption", "key": "path", "value": "/etc"}), 400),
        (json!({"action": "setOption", "key": "bucket", "value": "4"}), 400),
        (json!({"action": "setOption", "key": "merge-engine", "value": "x"}), 400),
        (json!({"action": "dropPrimaryKey"}), 501),
        (json!({"action": "somethingElse"}), 400),
    ] {
        assert_eq!(alter(&schema(), json!([change]), true), Err(code), "{change}");
    }
    let bucket = json!([{"action": "setOption", "key": "bucket", "value": "4"}]);
    assert!(alter(&schema(), bucket, false).is_ok(), "there is no file yet");
}

#[test]
fn definitions_that_contradict_themselves_are_refused() {
    let field = |id: i64, name: &str| json!({"id": id, "name": name, "type": "INT"});
    for (definition, code) in [
        (json!({"fields": []}), 400),
        (json!({"fields": [field(0, "a"), field(1, "a")]}), 400),
        (json!({"fields": [field(0, "a"), field(0, "b")]}), 400),
        (json!({"fields": [field(-1, "a")]}), 400),
        (json!({"fields": [field(0, "rowkind")]}), 400),
        (json!({"fields": [field(0, "a")], "partitionKeys": ["b"]}), 400),
        (json!({"fields": [field(0, "a")], "partitionKeys": ["a", "a"]}), 400),
        (json!({"fields": [field(0, "a")], "primaryKeys": ["b"]}), 400),
        (json!({"fields": [field(0, "a")], "options": {"path": "/elsewhere"}}), 501),
        (json!({"fields": [field(0, "a")], "options": {"type": "format-table"}}), 501),
        (json!({"fields": [field(0, "a")], "options": {"type": "table"}}), 0),
        (json!({"fields": [field(0, "a")], "primaryKeys": ["a"]}), 0),
    ] {
        let made = first(serde_json::from_value(definition.clone()).unwrap(), 0);
        assert_eq!(made.map_or_else(|problem| problem.code, |_| 0), code, "{definition}");
    }
}
