//! Tables whose schema changed: golden ones of three versions of Paimon, and one that changes under a running daemon.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use tributary_tests::daemon::Daemon;
use tributary_tests::{Scratch, binary, pypaimon, root, table};

/// What an engine read from a golden table when it made it.
struct Expected {
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
}

fn expected(folder: &Path, what: &str) -> Expected {
    let text = std::fs::read_to_string(folder.join("expected.json")).unwrap();
    let mut all: Value = serde_json::from_str(&text).unwrap();
    let columns = serde_json::from_value(all[what]["columns"].take()).unwrap();
    Expected { columns, rows: serde_json::from_value(all[what]["rows"].take()).unwrap() }
}

fn sorted(mut rows: Vec<Vec<Value>>) -> Vec<Vec<Value>> {
    rows.sort_by_key(|row| serde_json::to_string(row).unwrap());
    rows
}

fn check(what: &str, found: &table::Table, rows: Vec<Vec<Value>>, expected: Expected) {
    let columns: Vec<_> = found.schema().fields.iter().map(|field| field.name.clone()).collect();
    assert_eq!(columns, expected.columns, "{what}");
    assert_eq!(sorted(rows), sorted(expected.rows), "{what}");
}

#[test]
fn golden_tables_are_read_value_for_value() {
    for name in ["paimon-0.9", "paimon-1.3", "pypaimon-2.1"] {
        let folder = root().join("tests/golden").join(name);
        let warehouse = folder.join("warehouse").to_str().unwrap().to_owned();
        table::block_on(async {
            let found = table::load(&warehouse, "db.evolved").await;
            check(name, &found, table::rows(&found, None).await, expected(&folder, "main"));
        });
    }
}

#[test]
fn a_golden_tag_and_branch_are_read_with_their_own_columns() {
    let folder = root().join("tests/golden/pypaimon-2.1");
    let warehouse = folder.join("warehouse").to_str().unwrap().to_owned();
    table::block_on(async {
        let found = table::load(&warehouse, "db.evolved").await;
        let tagged = Arc::new(found.tag("first").await.unwrap().snapshot);
        let then = found.as_of(&tagged).await.unwrap();
        check("tag", &then, table::rows_at(&then, tagged).await, expected(&folder, "tag first"));
        let side = table::load(&warehouse, "db.evolved$branch_side").await;
        check("branch", &side, table::rows(&side, None).await, expected(&folder, "branch side"));
    });
    let print = |arguments: &[&str]| {
        let done = binary::command(&["table"]).args(arguments).args(["--warehouse", &warehouse]).output().unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    };
    for (arguments, expected) in [
        (&["count", "db.evolved"][..], "5\n"),
        (&["count", "db.evolved", "--tag", "first"], "2\n"),
        (&["count", "db.evolved", "--branch", "side"], "3\n"),
        (&["count", "db.evolved$branch_side"], "3\n"),
    ] {
        assert_eq!(print(arguments), expected, "{arguments:?}");
    }
    let head = print(&["head", "db.evolved", "--tag", "first", "--format", "csv"]);
    assert!(head.starts_with("id,name,price,d,old,dt\n1,one,0.5,2024-10-04,gone,a\n"), "{head}");
    let files = print(&["files", "db.evolved", "--branch", "side", "--format", "json"]);
    assert_eq!(files.lines().count(), 3, "{files}");
}

fn job(warehouse: &str) -> String {
    format!(
        "SET 'execution.checkpointing.interval' = '500 ms';
         CREATE CATALOG paimon WITH ('type' = 'paimon', 'warehouse' = '{warehouse}');
         CREATE TABLE IF NOT EXISTS paimon.db.t (id STRING, n INT);
         CREATE TEMPORARY TABLE gen (id STRING, n INT) WITH ('connector' = 'datagen', 'rows-per-second' = '200');
         INSERT INTO paimon.db.t SELECT id, n FROM gen;"
    )
}

#[test]
fn a_daemon_fills_added_columns_with_null_and_stops_at_a_rename() {
    if !pypaimon::available() {
        return;
    }
    let scratch = Scratch::new();
    let warehouse = scratch.warehouse();
    let path = scratch.path("job.sql");
    std::fs::write(&path, job(&warehouse)).unwrap();
    let alter = |changes: Value| {
        pypaimon::ask(json!({"op": "alter", "warehouse": warehouse, "table": "db.t", "changes": changes}));
    };
    let mut daemon = Daemon::start(&path, &[]);
    daemon.wait_for_rows(100);

    alter(json!([["add", "note", "STRING"], ["first", "note"], ["set", "target-file-size", "64 mb"]]));
    let line = daemon.wait_for_line("another engine added columns");
    assert!(line.contains("note") && line.contains("start"), "{line}");
    let files = || {
        let done = binary::command(&["table", "files", "db.t", "--format", "json", "--warehouse", &warehouse]);
        let text = { done }.output().unwrap().stdout;
        String::from_utf8(text).unwrap()
    };
    let deadline = std::time::Instant::now() + tributary_tests::PATIENCE;
    while !files().lines().any(|line| serde_json::from_str::<Value>(line).unwrap()["schema_id"] == json!(1)) {
        assert!(std::time::Instant::now() < deadline, "no file has the new schema: {}", files());
        std::thread::sleep(std::time::Duration::from_millis(50)); // the pause of a poll
    }

    alter(json!([["rename", "n", "m"]]));
    let (status, log) = daemon.end();
    assert_eq!(status.code(), Some(2), "{log}");
    assert!(log.contains("calls the column `n` now `m`") && log.contains("start again"), "{log}");

    // What was committed is whole, for pypaimon as for us, and null where it has to be.
    let found = pypaimon::ask(json!({"op": "rows", "warehouse": warehouse, "table": "db.t"}));
    assert_eq!(found["columns"], json!(["note", "id", "m"]));
    let theirs: Vec<Vec<Value>> = serde_json::from_value(found["rows"].clone()).unwrap();
    assert!(theirs.iter().all(|row| row[0].is_null() && row[1].is_string() && row[2].is_i64()));
    let ours = table::block_on(async { table::rows(&table::load(&warehouse, "db.t").await, None).await });
    assert!(ours.len() >= 100);
    assert_eq!(sorted(ours), sorted(theirs));
}
