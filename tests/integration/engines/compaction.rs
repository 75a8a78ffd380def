//! What `tributary compact` leaves is read by every engine as before: each type at its extremes, null included, as columns
//! and with the partitions that users have.

use serde_json::{Value, json};
use tributary_tests::engine::Engine;
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
fn make(warehouse: &str, name: &str, cases: &[Case]) -> Vec<Vec<Value>> {
    let mut columns: Vec<_> = cases.iter().map(|case| (case.name, case.kind)).collect();
    columns.extend([("dt", "STRING"), ("hh", "INT")]);
    let mut all = Vec::new();
    table::block_on(async {
        let table = table::create(warehouse, name, &columns, &["dt", "hh"]).await;
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
        let rows = make(&warehouse, &name, &columns(engine));
        let compact = |more: &[&str]| {
            binary::succeed(&[&["compact", "--table", &name, "--warehouse", &warehouse], more].concat())
        };
        let planned = compact(&["--partitions", r#"dt="2026-01-01",hh="1""#, "--dry-run"]);
        let (one, all) = (rows.len() / PARTITIONS, rows.len());
        assert!(planned.starts_with(&format!("dt=2026-01-01/hh=1: {one} files, ")), "{planned}");
        assert!(planned.ends_with("nothing was done\n"), "{planned}");
        assert_eq!(files(&warehouse, &name), all);

        // One partition by the minor rule, then what is left.
        let minor = compact(&["--partitions", r#"dt="2026-01-01",hh="1""#]);
        assert!(minor.starts_with("1 task\n"), "{minor}");
        let read = |when: &str| {
            let found = engine.rows(&warehouse, &name);
            let found = found.unwrap_or_else(|error| panic!("{} {when}: {error}", engine.name()));
            assert_eq!(sorted(found), sorted(rows.clone()), "{} {when}", engine.name());
        };
        read("after a minor compaction");
        assert_eq!(files(&warehouse, &name), one + 1);
        compact(&["--compact-strategy", "full"]);
        read("after a full compaction");
        assert_eq!(files(&warehouse, &name), PARTITIONS);
        assert!(compact(&["--compact-strategy", "full"]).ends_with("snapshots: none\n"));
    }
}
