//! What `tributary compact` leaves is read by every engine as before: each type at its extremes, null included, as columns
//! and with the partitions that users have.

use std::path::Path;
use std::process::Command;

use paimon_format::Datum;
use paimon_table::predicate::{Comparison, Predicate};
use paimon_table::scan::plan_scan;
use serde_json::{Value, json};
use tributary_runtime::Executor;
use tributary_tests::engine::Engine;
use tributary_tests::spark::SPARK;
use tributary_tests::typed::{self, Case, cases, nested_cases, sorted};
use tributary_tests::{Scratch, binary, table};

use super::installed;

/// Partitions of each table.
const PARTITIONS: usize = 2;

/// Columns that every engine reads whole (`types` says which do not), and two to be partitioned by.
fn columns(engine: &Engine) -> Vec<Case> {
    let whole = |case: &Case| engine.name() != "spark" || !matches!(case.name, "timestamp_9" | "orders" | "deep");
    cases().into_iter().chain(nested_cases()).filter(whole).collect()
}

/// The rows of every partition, one file each.
fn make(warehouse: &str, name: &str, cases: &[Case], options: &[(&str, &str)]) -> Vec<Vec<Value>> {
    let mut columns: Vec<_> = cases.iter().map(|case| (case.name, case.kind)).collect();
    columns.extend([("dt", "STRING"), ("hh", "INT")]);
    let mut all = Vec::new();
    table::block_on(async {
        let table = table::create_with(warehouse, name, &columns, &["dt", "hh"], options).await;
        for hh in 0..PARTITIONS {
            let part = typed::rows(cases).into_iter().map(|mut row| {
                row.extend([json!("2026-01-01"), json!(hh)]);
                row
            });
            let rows: Vec<_> = part.collect();
            table::append(&table, hh as i64 + 1, &rows).await;
            all.extend(rows);
        }
    });
    all
}

fn files(warehouse: &str, name: &str) -> usize {
    let listed = binary::succeed(&["table", "files", name, "--warehouse", warehouse, "--format", "csv"]);
    listed.lines().count() - 1
}

#[test]
fn engines_read_merged_files_as_the_files_before() {
    let scratch = Scratch::new();
    let warehouse = scratch.warehouse();
    for engine in installed() {
        let name = format!("db.merged_{}", engine.name());
        let rows = make(&warehouse, &name, &columns(engine), &[]);
        let compact = |more: &[&str]| {
            binary::succeed(&[&["compact", "--table", &name, "--warehouse", &warehouse], more].concat())
        };
        let planned = compact(&["--partitions", r#"dt="2026-01-01",hh="1""#, "--dry-run"]);
        let (one, all) = (rows.len() / PARTITIONS, rows.len());
        assert!(planned.starts_with(&format!("dt=2026-01-01/hh=1: {one} files, ")), "{planned}");
        assert!(planned.ends_with("nothing was done\n"), "{planned}");
        assert_eq!(files(&warehouse, &name), all);

        // One partition by the minor rule, then what is left.
        let minor = compact(&["--where", "hh = 1", "--compact-strategy", "minor"]);
        assert!(minor.starts_with("1 task\n"), "{minor}");
        let read = |when: &str| {
            let found = engine.rows(&warehouse, &name);
            let found = found.unwrap_or_else(|error| panic!("{} {when}: {error}", engine.name()));
            assert_eq!(sorted(found), sorted(rows.clone()), "{} {when}", engine.name());
        };
        read("after a minor compaction");
        assert_eq!(files(&warehouse, &name), one + 1);
        compact(&[]);
        read("after a full compaction");
        assert_eq!(files(&warehouse, &name), PARTITIONS);
        assert!(compact(&[]).ends_with("snapshots: none\n"));
        for (order, columns) in [("order", "string"), ("zorder", "date,string,int"), ("hilbert", "bigint,double")] {
            let call =
                format!("CALL sys.compact(table => '{name}', order_strategy => '{order}', order_by => '{columns}')");
            let ordered = binary::succeed(&["compact", "--warehouse", &warehouse, "-e", &call]);
            assert!(ordered.starts_with(&format!("{PARTITIONS} tasks\n")), "{ordered}");
            read(&format!("after {order} by {columns}"));
        }
    }
}

#[test]
fn engines_read_row_groups_that_were_taken_over_as_they_were() {
    let scratch = Scratch::new();
    let warehouse = scratch.warehouse();
    for engine in installed() {
        let name = format!("db.copied_{}", engine.name());
        // Timestamps of nine digits are never copied.
        let cases = columns(engine).into_iter().filter(|case| !case.kind.starts_with("TIMESTAMP(9)"));
        // One row of all types is half of such a row group, and large.
        let rows = make(&warehouse, &name, &cases.collect::<Vec<_>>(), &[("file.block-size", "4 kb")]);
        let merged = binary::succeed(&["compact", "--table", &name, "--warehouse", &warehouse]);
        assert!(merged.contains("\ncopied: "), "{merged}");
        assert_eq!(files(&warehouse, &name), PARTITIONS);
        let found = engine.rows(&warehouse, &name).unwrap_or_else(|error| panic!("{}: {error}", engine.name()));
        assert_eq!(sorted(found), sorted(rows), "{}", engine.name());
    }
}

/// Fills a table of few categories and users, enough rows for some files.
const JOB: &str = "
CREATE TEMPORARY TABLE rows_of_users (id BIGINT, category INT, user_id INT, note STRING) WITH (
  'connector' = 'datagen', 'number-of-rows' = '200000', 'rows-per-second' = '100000000', 'fields.note.length' = '20',
  'fields.category.min' = '0', 'fields.category.max' = '15', 'fields.user_id.min' = '0', 'fields.user_id.max' = '15');
USE CATALOG paimon;
CREATE TABLE db.ours (id BIGINT, category INT, user_id INT, note STRING) WITH ('target-file-size' = '512 kb');
INSERT INTO db.ours SELECT id, category, user_id, note FROM default_catalog.default_database.rows_of_users;";

/// Files that a reader of one category has to open, by the manifest's bounds.
fn files_of_category(warehouse: &str, name: &str, category: i32) -> (usize, usize) {
    table::block_on(async {
        let table = table::load(warehouse, name).await;
        let filter = Predicate::compare("category", Comparison::Eq, Datum::Int(category));
        let files = async |filter| plan_scan(&table, None, filter, &Executor::inline()).await.unwrap().files.len();
        (files(Some(&filter)).await, files(None).await)
    })
}

#[test]
fn a_reader_of_one_category_opens_no_more_files_after_our_zorder_than_after_sparks() {
    if !SPARK.available() {
        return;
    }
    let scratch = Scratch::new();
    let warehouse = scratch.warehouse();
    let job = scratch.path("job.sql");
    std::fs::write(&job, format!("CREATE DATABASE paimon.db;{JOB}")).unwrap();
    binary::succeed(&["run", job.to_str().unwrap(), "--warehouse", &warehouse, "--listen", "127.0.0.1:0"]);
    let folder = |table: &str| Path::new(&warehouse).join(format!("db.db/{table}"));
    let copied = Command::new("cp").arg("-r").args([folder("ours"), folder("theirs")]).status().unwrap();
    assert!(copied.success());

    let arguments = "order_strategy => 'zorder', order_by => 'category,user_id'";
    let call = format!("CALL sys.compact(table => 'db.ours', {arguments})");
    binary::succeed(&["compact", "--warehouse", &warehouse, "-e", &call]);
    let procedure = format!("compact(table => 'db.theirs', {arguments})");
    SPARK.ask(json!({"op": "call", "warehouse": warehouse, "procedure": procedure}));

    let ((ours, all), theirs) =
        (files_of_category(&warehouse, "db.ours", 3), files_of_category(&warehouse, "db.theirs", 3).0);
    assert!(ours <= theirs && ours < all, "of our {all} files {ours} may hold 3, of Spark's {theirs}");
    for name in ["db.ours", "db.theirs"] {
        assert_eq!(SPARK.ask(json!({"op": "count", "warehouse": warehouse, "table": name})), json!(200_000), "{name}");
    }
}
