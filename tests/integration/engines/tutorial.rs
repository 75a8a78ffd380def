//! The tutorial's table, read by every engine while the daemon fills it and after.

use serde_json::{Value, json};
use tributary_tests::daemon::Daemon;
use tributary_tests::engine::rows_of;
use tributary_tests::spark::SPARK;
use tributary_tests::typed::sorted;
use tributary_tests::{Scratch, binary, root, table};

use super::installed;

const TABLE: &str = "test_paimon_db.test_append_tbl";

#[test]
fn engines_read_the_tutorials_table_during_the_run_and_after() {
    for engine in installed() {
        engine.ask(json!({"op": "hello"})); // an engine's start would let the table grow for nothing
    }
    let scratch = Scratch::new();
    let warehouse = scratch.warehouse();
    let job = std::fs::read_to_string(root().join("config/tutorial.sql")).unwrap();
    let job = format!("SET 'execution.checkpointing.interval' = '500 ms';\n{job}");
    let mut daemon = Daemon::start(&scratch.file("tutorial.sql", &job), &[]);
    daemon.wait_for_rows(20);
    for engine in installed() {
        let request = json!({"op": "count", "warehouse": warehouse, "table": TABLE});
        let early = engine.ask(request.clone()).as_u64().unwrap();
        assert!(early >= 20, "{} counts {early} rows, at least 20 were committed", engine.name());
        daemon.wait_for_rows(early + 20);
        let later = engine.ask(request).as_u64().unwrap();
        assert!(later >= early + 20, "{} counts {later} rows, {} were committed", engine.name(), early + 20);
    }
    daemon.stop();

    let ours = table::block_on(async { table::rows(&table::load(&warehouse, TABLE).await, None).await });
    assert_eq!(ours.len() as u64, binary::count(&warehouse, TABLE));
    let ours = sorted(ours);
    for engine in installed() {
        let theirs = engine.rows(&warehouse, TABLE).unwrap();
        assert!(sorted(theirs) == ours, "{} reads other rows than we do", engine.name());
    }
    if SPARK.available() {
        spark_shows_what_the_table_is_made_of(&warehouse, ours.len() as u64);
    }
}

/// Spark's system tables of Paimon 0.9 understand our metadata, and say of it what we say.
fn spark_shows_what_the_table_is_made_of(warehouse: &str, rows: u64) {
    let ask = |system: &str, columns: &[&str]| {
        let table = format!("{TABLE}${system}");
        rows_of(&SPARK.ask(json!({"op": "rows", "warehouse": warehouse, "table": table, "columns": columns})))
    };
    let sum = |rows: &[Vec<Value>]| rows.iter().map(|row| row[0].as_u64().unwrap()).sum::<u64>();
    let lines = |what: &str| {
        let listed = binary::succeed(&["table", what, TABLE, "--warehouse", warehouse, "--format", "csv"]);
        listed.lines().count() - 1
    };
    let files = ask("files", &["record_count", "file_path"]);
    assert_eq!(sum(&files), rows);
    assert_eq!(files.len(), lines("files"));
    let snapshots = ask("snapshots", &["total_record_count", "snapshot_id", "commit_kind"]);
    assert_eq!(snapshots.len(), lines("snapshots"));
    assert_eq!(snapshots.iter().map(|row| row[0].as_u64().unwrap()).max(), Some(rows));
    assert!(snapshots.iter().all(|row| row[2] == "APPEND"), "{snapshots:?}");
    assert_eq!(sum(&ask("partitions", &["record_count"])), rows);
    assert_eq!(ask("schemas", &["schema_id"]), [[json!(0)]]);
    assert_eq!(ask("options", &["key", "value"]), [[json!("write-only"), json!("true")]]);
    assert!(!ask("manifests", &["file_name"]).is_empty());
}
