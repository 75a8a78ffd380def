//! Several writers on one table, one after the other, and every reader after each of them.

use serde_json::{Value, json};
use tributary_tests::flink::FLINK;
use tributary_tests::pypaimon::PYPAIMON;
use tributary_tests::typed::sorted;
use tributary_tests::{Scratch, table};

use super::installed;

#[test]
fn flink_pypaimon_and_we_append_in_turn() {
    let scratch = Scratch::new();
    let warehouse = scratch.warehouse();
    let columns = [("n", "BIGINT"), ("text", "STRING"), ("part", "INT")];
    table::block_on(table::create(&warehouse, "db.shared", &columns, &["part"]));
    let ours = || table::block_on(async { table::rows(&table::load(&warehouse, "db.shared").await, None).await });
    let mut expected: Vec<Vec<Value>> = Vec::new();
    let writers = [Some(&PYPAIMON), None, Some(&FLINK)];
    for turn in 1..=6_i64 {
        let rows: Vec<_> =
            (0..3).map(|n| vec![json!(turn * 10 + n), json!(format!("turn {turn}")), json!(n % 2)]).collect();
        match writers[turn as usize % writers.len()] {
            Some(engine) if engine.available() => {
                engine.ask(json!({"op": "append", "warehouse": warehouse, "table": "db.shared", "rows": rows}));
            }
            _ => table::block_on(async {
                table::append(&table::load(&warehouse, "db.shared").await, turn, &rows).await;
            }),
        }
        expected.extend(rows);
        assert_eq!(sorted(ours()), sorted(expected.clone()), "we read turn {turn}");
        for engine in installed() {
            let theirs = engine.rows(&warehouse, "db.shared").unwrap();
            assert_eq!(sorted(theirs), sorted(expected.clone()), "{} reads turn {turn}", engine.name());
        }
    }
}
