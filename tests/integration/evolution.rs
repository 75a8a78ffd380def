//! Tables whose schema changed: golden ones of three versions of Paimon.

use std::path::Path;

use serde_json::Value;
use tributary_tests::{binary, root, table};

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
        let tagged = found.tag("first").await.unwrap();
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
