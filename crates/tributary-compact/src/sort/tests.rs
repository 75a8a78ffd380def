#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use arrow::array::{ArrayRef, AsArray, Int32Array, Int64Array, StringArray};
use arrow::compute::{SortColumn, SortOptions};
use arrow::compute::{concat_batches, lexsort_to_indices, take_record_batch};
use arrow::datatypes::{Int32Type, Int64Type};
use paimon_format::{DataType, TypeRoot};
use paimon_table::arrow::arrow_schema;
use proptest::prelude::*;

use super::*;

fn fields() -> Vec<DataField> {
    let nullable = |root| DataType { root, nullable: true };
    let field = |id, name: &str, root| DataField {
        id,
        name: name.to_owned(),
        data_type: nullable(root),
        description: None,
        default_value: None,
    };
    vec![
        field(0, "n", TypeRoot::BigInt),
        field(1, "category", TypeRoot::Int),
        field(2, "id", TypeRoot::Varchar(i32::MAX as u32)),
        field(3, "tags", TypeRoot::Array(Arc::new(nullable(TypeRoot::Int)))),
    ]
}

fn spec(strategy: OrderStrategy, columns: &[&str]) -> SortSpec {
    let columns: Vec<String> = columns.iter().map(|column| (*column).to_owned()).collect();
    SortSpec::try_new(strategy, &columns, &fields()).unwrap()
}

/// Rows of n (the place), category and id.
fn batch(first: usize, rows: &[(Option<i32>, Option<String>)]) -> RecordBatch {
    let columns: Vec<ArrayRef> = vec![
        Arc::new((first..first + rows.len()).map(|n| Some(n as i64)).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| row.0).collect::<Int32Array>()),
        Arc::new(rows.iter().map(|row| row.1.as_deref()).collect::<StringArray>()),
    ];
    RecordBatch::try_new(arrow_schema(&fields()[..3]), columns).unwrap()
}

fn sort(spec: &SortSpec, memory_bytes: usize, batches: &[RecordBatch]) -> (RecordBatch, u64) {
    let folder = tempfile::tempdir().unwrap();
    let mut sorter = Sorter::try_new(spec, batches[0].schema(), memory_bytes, folder.path()).unwrap();
    for batch in batches {
        let overflow = sorter.push(batch.clone()).unwrap();
        sorter.spilled(overflow.into_runs().into_iter().map(|run| run.spill().unwrap()));
        assert!(sorter.memory_used_bytes() <= memory_bytes);
    }
    let sorted = sorter.finish().unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "runs have no names");
    let spilled = sorted.spilled_bytes();
    let rows: Vec<_> = sorted.collect::<Result<_, _>>().unwrap();
    assert!(rows.iter().all(|batch| (1..=8192).contains(&batch.num_rows())));
    let all = concat_batches(&batches[0].schema(), &rows).unwrap();
    let full = all.get_array_memory_size() / BATCH_BYTES + all.num_rows() / 8192;
    assert!(rows.len() <= 2 * full + 2, "{} small batches instead of {full}", rows.len());
    (all, spilled)
}

/// Places of the rows in the order that arrow's own sort gives them by `columns`, and then by their places.
fn by_arrow(all: &RecordBatch, columns: &[ArrayRef]) -> RecordBatch {
    let by = columns.iter().chain([all.column(0)]).map(|values| SortColumn {
        values: Arc::clone(values),
        options: Some(SortOptions { descending: false, nulls_first: true }),
    });
    take_record_batch(all, &lexsort_to_indices(&by.collect::<Vec<_>>(), None).unwrap()).unwrap()
}

fn rows() -> impl Strategy<Value = Vec<(Option<i32>, Option<String>)>> {
    let category = prop_oneof![1 => Just(None), 3 => (-3_i32..3).prop_map(Some), 3 => any::<i32>().prop_map(Some)];
    let id = prop_oneof![1 => Just(None), 4 => "[ab]{0,3}".prop_map(Some), 4 => ".{0,12}".prop_map(Some)];
    prop::collection::vec((category, id), 1..200)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn rows_are_ordered_as_arrow_orders_them(rows in rows()) {
        let all = batch(0, &rows);
        let halves = [all.slice(0, rows.len() / 2), all.slice(rows.len() / 2, rows.len() - rows.len() / 2)];
        let (sorted, _) = sort(&spec(OrderStrategy::Order, &["category", "id"]), MIN_MEMORY_BYTES, &halves);
        prop_assert_eq!(sorted, by_arrow(&all, &[Arc::clone(all.column(1)), Arc::clone(all.column(2))]));
    }

    #[test]
    fn rows_are_ordered_along_the_curve(rows in rows()) {
        let all = batch(0, &rows);
        let number = |row: &Option<i32>| row.map_or(0, |n| i64::from(n) as u64 ^ 1 << 63);
        let letters = |row: &Option<String>| {
            let mut head = row.clone().unwrap_or_default().into_bytes();
            head.resize(8, 0);
            u64::from_be_bytes(*head.first_chunk().unwrap())
        };
        let z = |a: u64, b: u64| (0..64).map(|bit| u128::from(a >> bit & 1) << (2 * bit + 1) | u128::from(b >> bit & 1) << (2 * bit)).sum::<u128>();
        let mut expected: Vec<(u128, i64)> =
            rows.iter().zip(0..).map(|(row, n)| (z(number(&row.0), letters(&row.1)), n)).collect();
        expected.sort_unstable();
        let (sorted, _) = sort(&spec(OrderStrategy::Zorder, &["category", "id"]), MIN_MEMORY_BYTES, &[all]);
        let places: Vec<i64> = sorted.column(0).as_primitive::<Int64Type>().values().to_vec();
        prop_assert_eq!(places, expected.into_iter().map(|(_, n)| n).collect::<Vec<_>>());
    }
}

/// So many rows, of about 300 bytes, of ten categories.
fn tutorial(rows: usize) -> Vec<RecordBatch> {
    let scattered = |n: usize| (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let row = |n: usize| (Some((scattered(n) >> 40) as i32 % 10), Some(format!("{:0300x}", scattered(n))));
    (0..rows)
        .step_by(4096)
        .map(|first| batch(first, &(first..rows.min(first + 4096)).map(row).collect::<Vec<_>>()))
        .collect()
}

#[test]
fn what_does_not_fit_into_memory_is_spilled_and_merged_in_several_passes() {
    let batches = tutorial(200_000);
    let all = concat_batches(&batches[0].schema(), &batches).unwrap();
    for strategy in [OrderStrategy::Order, OrderStrategy::Zorder, OrderStrategy::Hilbert] {
        let spec = spec(strategy, &["category", "n"]);
        let (in_memory, spilled) = sort(&spec, 1 << 30, &batches);
        assert_eq!(spilled, 0);
        // Some fifteen runs, two at a time.
        let (merged, spilled) = sort(&spec, MIN_MEMORY_BYTES, &batches);
        assert!(spilled > 3 * 200_000 * 300, "{spilled} bytes are fewer than three passes");
        assert_eq!(in_memory, merged, "{strategy}");
        let mut places = merged.column(0).as_primitive::<Int64Type>().values().to_vec();
        places.sort_unstable();
        assert!(places.into_iter().eq(0..200_000));
        if strategy == OrderStrategy::Order {
            assert_eq!(merged, by_arrow(&all, &[Arc::clone(all.column(1))]));
        }
    }
}

#[test]
fn equal_rows_keep_their_order_over_all_passes() {
    let batches = tutorial(200_000);
    let (sorted, spilled) = sort(&spec(OrderStrategy::Zorder, &["category"]), MIN_MEMORY_BYTES, &batches);
    assert!(spilled > 0);
    let (places, categories) =
        (sorted.column(0).as_primitive::<Int64Type>(), sorted.column(1).as_primitive::<Int32Type>());
    let mut last = BTreeMap::new();
    for row in 0..sorted.num_rows() {
        let before = last.insert(categories.value(row), places.value(row));
        assert!(before < Some(places.value(row)) || before.is_none());
    }
    assert!(categories.values().is_sorted());
}

#[test]
fn columns_are_checked_and_named() {
    for (strategy, columns, message) in [
        ("order", &["categroy"][..], "the table has no column 'categroy' to order by; did you mean 'category'?"),
        ("order", &["x"], "the table has no column 'x' to order by"),
        ("zorder", &[], "the order strategy zorder needs columns to order by (order_by)"),
        ("zorder", &["n", "n"], "order_by names the column 'n' twice"),
        ("ZORDER", &["tags"], "column 'tags' of type ARRAY<INT> cannot be ordered by"),
        ("hilbert", &["n"], "the order strategy hilbert needs two columns or more; use order for one"),
        ("z-curve", &["n"], "'z-curve' is no order strategy; use order, zorder or hilbert"),
    ] {
        let columns: Vec<String> = columns.iter().map(|column| (*column).to_owned()).collect();
        let spec = strategy.parse().and_then(|strategy| SortSpec::try_new(strategy, &columns, &fields()));
        assert_eq!(spec.unwrap_err().to_string(), message);
    }
}

#[test]
fn a_folder_that_cannot_be_written_to_is_named() {
    let folder = tempfile::tempdir().unwrap().path().join("gone");
    let batches = tutorial(50_000);
    let spec = spec(OrderStrategy::Order, &["n"]);
    let mut sorter = Sorter::try_new(&spec, batches[0].schema(), MIN_MEMORY_BYTES, &folder).unwrap();
    let overflow = batches.into_iter().flat_map(|batch| sorter.push(batch).unwrap().into_runs());
    let error = overflow.map(FullRun::spill).find_map(Result::err).unwrap();
    let text = error.to_string();
    assert!(
        text.contains("gone: ") && text.ends_with("; choose a spill folder that exists and can be written to"),
        "{text}"
    );
    assert!(
        Sorter::try_new(&spec, arrow_schema(&fields()), 1, &folder)
            .is_err_and(|error| matches!(error, SortError::Memory))
    );
}
