//! Rows along the Z-curve lie as Paimon's own index puts them.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use serde_json::{Value, json};
use tributary_compact::sort::{MIN_MEMORY_BYTES, OrderStrategy, SortSpec, Sorter};
use tributary_tests::flink::FLINK;
use tributary_tests::spark::SPARK;
use tributary_tests::typed::{Case, cases};
use tributary_tests::{Scratch, canonical, table};

const ROWS: usize = 500;

/// Types that Paimon's index does not order: ours are better (see `sort/ordinals.rs`).
fn is_unordered_by_paimon(case: &Case) -> bool {
    ["FLOAT", "DOUBLE", "DECIMAL"].iter().any(|kind| case.kind.starts_with(kind))
}

/// Rows (n, a value or null of every case), in an order and in combinations that follow no column.
fn rows(cases: &[Case]) -> Vec<Vec<Value>> {
    let value = |n: usize, place: usize| {
        let values = &cases[place].values;
        let choice = n.wrapping_mul(2_654_435_761).wrapping_add(place * 40_503) >> (3 + place);
        values.get(choice % (values.len() + 1)).cloned().unwrap_or(Value::Null)
    };
    let row = |n: usize| [vec![json!(n)], (0..cases.len()).map(|place| value(n, place)).collect()].concat();
    (0..ROWS).map(row).collect()
}

/// The numbers in column 0, ordered by us.
fn ordered(table: &table::Table, rows: &[Vec<Value>], columns: &[String], spill: &Path) -> Vec<i64> {
    let fields = &table.schema().fields;
    let schema = paimon_table::arrow::arrow_schema(fields);
    let arrays = schema.fields().iter().enumerate().map(|(place, field)| {
        let values: Vec<Value> = rows.iter().map(|row| row[place].clone()).collect();
        canonical::array(field.data_type(), &values)
    });
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays.collect()).unwrap();
    let spec = SortSpec::try_new(OrderStrategy::Zorder, columns, fields).unwrap();
    let mut sorter = Sorter::try_new(&spec, schema, MIN_MEMORY_BYTES, spill).unwrap();
    assert!(sorter.push(batch).unwrap().into_runs().is_empty());
    let batches: Vec<RecordBatch> = sorter.finish().unwrap().collect::<Result<_, _>>().unwrap();
    batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec()).collect()
}

#[test]
fn rows_lie_along_the_curve_as_paimons_own_index_has_them() {
    let scratch = Scratch::new();
    let warehouse = scratch.warehouse();
    let cases: Vec<Case> = cases().into_iter().filter(|case| !is_unordered_by_paimon(case)).collect();
    let rows = rows(&cases);
    let names: Vec<String> = cases.iter().map(|case| case.name.to_owned()).collect();
    // Each column alone, with its neighbours, and as many as a curve takes.
    let order_by: Vec<Vec<String>> =
        [1, 2, 3, 8].iter().flat_map(|n| names.windows(*n).map(<[String]>::to_vec)).collect();
    let columns: Vec<(&str, &str)> =
        [("n", "BIGINT")].into_iter().chain(cases.iter().map(|case| (case.name, case.kind))).collect();
    let table = table::block_on(async {
        let table = table::create(&warehouse, "db.t", &columns, &[]).await;
        table::append_files(&table, 1, &[&rows]).await;
        table
    });
    let ours: Vec<Vec<i64>> =
        order_by.iter().map(|columns| ordered(&table, &rows, columns, &scratch.path(""))).collect();
    for engine in [&SPARK, &FLINK].into_iter().filter(|engine| engine.available()) {
        let request = json!({"op": "z_index", "warehouse": warehouse, "table": "db.t", "order_by": order_by});
        let theirs: Vec<Vec<i64>> = serde_json::from_value(engine.ask(request)).unwrap();
        for ((columns, ours), theirs) in order_by.iter().zip(&ours).zip(&theirs) {
            assert_eq!(ours, theirs, "by {columns:?}, Paimon of {}", engine.name());
        }
    }
}
