//! What `tributary table` says of a table, beside the system tables of Flink and pypaimon: cell for cell.

use std::collections::BTreeMap;

use arrow::compute::kernels::cast_utils::string_to_timestamp_nanos;
use paimon_format::SnapshotId;
use paimon_table::consumer;
use serde_json::{Value, json};
use tributary_tests::engine::{Engine, rows_of};
use tributary_tests::flink::FLINK;
use tributary_tests::pypaimon::PYPAIMON;
use tributary_tests::{Scratch, binary, table, typed};

const TABLE: &str = "db.shown";

/// Every system table, and the column that tells its rows apart.
const SYSTEM_TABLES: [(&str, &str); 8] = [
    ("partitions", "file_size_in_bytes"),
    ("files", "file_path"),
    ("manifests", "file_name"),
    ("snapshots", "snapshot_id"),
    ("schemas", "schema_id"),
    ("options", "key"),
    ("tags", "tag_name"),
    ("consumers", "consumer_id"),
];

/// What an engine shows in another way than Paimon 2.0, and how.
const THEIR_OWN: &[(&str, &str, &str)] = &[
    ("flink", "partitions", "partition"),           // `{v, v}` up to 1.4
    ("flink", "schemas", "comment"),                // the `null` that pypaimon writes, as text
    ("pypaimon", "partitions", "partition"),        // null is `None`
    ("pypaimon", "partitions", "last_update_time"), // in UTC
    ("pypaimon", "partitions", "total_buckets"),    // buckets with files
    ("pypaimon", "files", "partition"),             // `k=v/k=v`, null is `None`
    ("pypaimon", "files", "null_value_counts"),     // JSON
    ("pypaimon", "files", "min_value_stats"),       // JSON
    ("pypaimon", "files", "max_value_stats"),       // JSON
    ("pypaimon", "files", "min_key"),               // `[]`
    ("pypaimon", "files", "max_key"),               // `[]`
    ("pypaimon", "files", "file_source"),           // its number
    ("pypaimon", "files", "creation_time"),         // in UTC
    ("pypaimon", "snapshots", "commit_time"),       // in UTC
    ("pypaimon", "schemas", "update_time"),         // in UTC
    ("pypaimon", "tags", "commit_time"),            // in UTC
];

/// A table of every type whose bounds Java can print, partitioned, with two schemas, a tag and a consumer.
fn make(warehouse: &str) {
    let cases: Vec<_> =
        typed::cases().into_iter().filter(|case| !case.kind.contains("BINARY") && case.kind != "BYTES").collect();
    let mut columns: Vec<_> = cases.iter().map(|case| (case.name, case.kind)).collect();
    let keys = [("pd", "DATE"), ("pm", "TIMESTAMP(3)"), ("ps", "STRING")];
    columns.extend(keys);
    let places = [
        [json!(20_484), json!(1_500_000_000_i64), json!("a, b")],
        [json!(-1), json!(0), json!("größe")],
        [Value::Null, Value::Null, Value::Null],
    ];
    let mut rows = typed::rows(&cases);
    for (row, place) in rows.iter_mut().zip(places.iter().cycle()) {
        row.extend(place.iter().cloned());
    }
    table::block_on(async {
        let keys = keys.map(|(name, _)| name);
        let made = table::create(warehouse, TABLE, &columns, &keys).await;
        table::append(&made, 1, &rows).await;
        consumer::write(&made, "a reader", SnapshotId(1)).await.unwrap();
    });
    let change = |request: Value| {
        let mut request = request;
        request["warehouse"] = json!(warehouse);
        request["table"] = json!(TABLE);
        PYPAIMON.ask(request);
    };
    change(json!({"op": "tag", "tag": "kept", "time_retained": "36 h"}));
    change(
        json!({"op": "alter", "changes": [["add", "later", "INT"], ["rename", "int", "whole"], ["set", "write-only", "true"]]}),
    );
    binary::succeed(&["table", "create-tag", TABLE, "--tag", "also", "--warehouse", warehouse]);
}

type Row = BTreeMap<String, Value>;

/// What the binary prints, in the form of the engines' servers.
fn ours(warehouse: &str, system: &str) -> Vec<Row> {
    let told = binary::succeed(&["table", system, TABLE, "--warehouse", warehouse, "--format", "json"]);
    let row = |line: &str| -> Row {
        let mut row: Row = serde_json::from_str(line).unwrap();
        for (_, cell) in row.iter_mut().filter(|(name, _)| name.ends_with("_time")) {
            *cell = cell.as_str().map(|text| string_to_timestamp_nanos(text).unwrap()).into();
        }
        row
    };
    told.lines().map(row).collect()
}

fn theirs(engine: &Engine, warehouse: &str, system: &str) -> Vec<Row> {
    let table = format!("{TABLE}${system}");
    let found = engine.ask(json!({"op": "rows", "warehouse": warehouse, "table": table}));
    let columns: Vec<String> = serde_json::from_value(found["columns"].clone()).unwrap();
    rows_of(&found).into_iter().map(|row| columns.iter().cloned().zip(row).collect()).collect()
}

/// By the value that tells rows apart, in one spelling of paths (pypaimon shows names) and JSON.
fn comparable(rows: Vec<Row>, key: &str, engine: &Engine) -> BTreeMap<String, Row> {
    let spelt = |name: &str, cell: Value| match (name, cell.as_str()) {
        ("file_path", Some(text)) if engine.name() == "pypaimon" => json!(text.rsplit('/').next()),
        ("file_path", Some(text)) => json!(text.trim_start_matches("file:")),
        ("fields" | "options" | "partition_keys" | "primary_keys", Some(text)) => serde_json::from_str(text).unwrap(),
        _ => cell,
    };
    let spelt = |row: Row| -> Row { row.into_iter().map(|(name, cell)| (name.clone(), spelt(&name, cell))).collect() };
    rows.into_iter().map(spelt).map(|row| (row[key].to_string(), row)).collect()
}

#[test]
fn engines_say_the_same_of_a_table() {
    if !PYPAIMON.available() {
        return;
    }
    let scratch = Scratch::new();
    let warehouse = scratch.warehouse();
    make(&warehouse);
    let mut differences = Vec::new();
    for (system, key) in SYSTEM_TABLES {
        let shown = ours(&warehouse, system);
        for engine in [&FLINK, &PYPAIMON].into_iter().filter(|engine| engine.available()) {
            let ours = comparable(shown.clone(), key, engine);
            let theirs = comparable(theirs(engine, &warehouse, system), key, engine);
            let keys = |rows: &BTreeMap<String, Row>| rows.keys().cloned().collect::<Vec<_>>();
            assert_eq!(keys(&ours), keys(&theirs), "rows of ${system}, {}", engine.name());
            assert!(!ours.is_empty(), "${system}");
            for (ours, theirs) in ours.values().zip(theirs.values()) {
                for (column, their) in theirs {
                    let differs = ours.get(column).is_some_and(|our| our != their);
                    if differs && !THEIR_OWN.contains(&(engine.name(), system, column)) {
                        differences.push(format!(
                            "{} ${system}.{column}: {their}, we: {}",
                            engine.name(),
                            ours[column]
                        ));
                    }
                }
            }
        }
    }
    assert!(differences.is_empty(), "{differences:#?}");
}
