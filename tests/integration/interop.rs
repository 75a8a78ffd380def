//! Value for value with pypaimon, in both directions: every type, at its extremes, null included.

use serde_json::{Value, json};
use tributary_tests::engine::rows_of;
use tributary_tests::typed::{self, Case, cases, sorted};
use tributary_tests::{Scratch, pypaimon, table};

fn all_cases() -> Vec<Case> {
    cases().into_iter().chain(typed::nested_cases()).collect()
}

#[test]
fn pypaimon_reads_every_value_we_write() {
    if !pypaimon::available() {
        return;
    }
    let scratch = Scratch::new();
    let warehouse = scratch.warehouse();
    let cases = all_cases();
    let rows = typed::rows(&cases);
    table::block_on(async {
        let columns: Vec<_> = cases.iter().map(|case| (case.name, case.kind)).collect();
        let table = table::create(&warehouse, "db.typed", &columns, &[]).await;
        table::append(&table, 1, &rows).await;
    });
    let found = pypaimon::ask(json!({"op": "rows", "warehouse": warehouse, "table": "db.typed"}));
    assert_eq!(sorted(rows_of(&found)), sorted(rows));
}

#[test]
fn we_read_every_value_pypaimon_writes() {
    if !pypaimon::available() {
        return;
    }
    let scratch = Scratch::new();
    let warehouse = scratch.warehouse();
    let cases = all_cases();
    let rows = typed::rows(&cases);
    let fields: Vec<_> = cases.iter().map(|case| json!([case.name, case.arrow])).collect();
    pypaimon::ask(json!({"op": "create", "warehouse": warehouse, "table": "db.typed", "fields": fields}));
    pypaimon::ask(json!({"op": "append", "warehouse": warehouse, "table": "db.typed", "rows": rows}));
    let found = table::block_on(async { table::rows(&table::load(&warehouse, "db.typed").await, None).await });
    assert_eq!(sorted(found), sorted(rows));
}

/// One file per row, so that statistics decide which files a filter reads: what they prune wrongly is missing.
#[test]
fn our_statistics_never_hide_a_row_from_pypaimon() {
    if !pypaimon::available() {
        return;
    }
    let scratch = Scratch::new();
    let warehouse = scratch.warehouse();
    // Nested columns before the others: statistics are found by a column's place, and these have none.
    let cases: Vec<Case> = typed::nested_cases()
        .into_iter()
        .chain(cases())
        .filter(|case| {
            matches!(case.kind, "INT" | "BIGINT" | "STRING" | "SMALLINT" | "TINYINT" | "VARCHAR(20)" | "BOOLEAN")
                || case.kind.contains('<')
        })
        .collect();
    let rows = typed::rows(&cases);
    table::block_on(async {
        let columns: Vec<_> = cases.iter().map(|case| (case.name, case.kind)).collect();
        let table = table::create(&warehouse, "db.pruned", &columns, &[]).await;
        table::append(&table, 1, &rows).await;
    });
    for (place, case) in cases.iter().enumerate().filter(|(_, case)| !case.kind.contains('<')) {
        for value in &case.values {
            let filter = json!([case.name, "equal", value]);
            let found =
                pypaimon::ask(json!({"op": "rows", "warehouse": warehouse, "table": "db.pruned", "filter": filter}));
            let expected: Vec<_> = rows.iter().filter(|row| row[place] == *value).cloned().collect();
            assert_eq!(sorted(rows_of(&found)), sorted(expected), "{} = {value}", case.name);
        }
    }
}

/// Partition values of every type that names folders: pypaimon finds the files and gives the values back.
#[test]
fn pypaimon_finds_our_partitions_of_every_type() {
    if !pypaimon::available() {
        return;
    }
    let scratch = Scratch::new();
    let warehouse = scratch.warehouse();
    for Case { name, kind, values, .. } in cases() {
        // Floating point and bytes name nobody's folders. pypaimon 2.1.0 looks for a TIMESTAMP(9) folder without its
        // nanoseconds: FileNotFoundError, of its own files as well.
        if ["float", "double", "binary", "varbinary", "bytes", "timestamp_9"].contains(&name) {
            continue;
        }
        let identifier = format!("db.by_{name}");
        let mut rows: Vec<_> = values.into_iter().map(|value| vec![json!(1), value]).collect();
        rows.push(vec![json!(2), Value::Null]);
        table::block_on(async {
            let table = table::create(&warehouse, &identifier, &[("n", "INT"), ("part", kind)], &["part"]).await;
            table::append(&table, 1, &rows).await;
        });
        let found = pypaimon::try_ask(json!({"op": "rows", "warehouse": warehouse, "table": identifier}));
        let found = found.unwrap_or_else(|error| panic!("partitioned by {kind}: {error}"));
        assert_eq!(sorted(rows_of(&found)), sorted(rows), "partitioned by {kind}");
    }
}

#[test]
fn pypaimon_and_we_append_in_turn() {
    if !pypaimon::available() {
        return;
    }
    let scratch = Scratch::new();
    let warehouse = scratch.warehouse();
    let columns = [("n", "BIGINT"), ("text", "STRING"), ("part", "INT")];
    table::block_on(table::create(&warehouse, "db.shared", &columns, &["part"]));
    let mut expected = Vec::new();
    for turn in 1..=6_i64 {
        let rows: Vec<_> =
            (0..3).map(|n| vec![json!(turn * 10 + n), json!(format!("turn {turn}")), json!(n % 2)]).collect();
        if turn % 2 == 0 {
            table::block_on(async { table::append(&table::load(&warehouse, "db.shared").await, turn, &rows).await });
        } else {
            pypaimon::ask(json!({"op": "append", "warehouse": warehouse, "table": "db.shared", "rows": rows}));
        }
        expected.extend(rows);
        let ours = table::block_on(async { table::rows(&table::load(&warehouse, "db.shared").await, None).await });
        assert_eq!(sorted(ours), sorted(expected.clone()), "we read turn {turn}");
        let theirs = pypaimon::ask(json!({"op": "rows", "warehouse": warehouse, "table": "db.shared"}));
        assert_eq!(sorted(rows_of(&theirs)), sorted(expected.clone()), "pypaimon reads turn {turn}");
    }
}
