#![allow(clippy::unwrap_used, clippy::panic)]
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Int32Type, Int64Type};
use tributary_runtime::{Classify, Executor, FailureKind, Random};
use tributary_testkit::ManualClock;

use super::*;

const NOON: i64 = 1_750_000_000_000;

fn env(seed: u64) -> Env {
    Env { clock: Arc::new(ManualClock::new(NOON)), random: Random::seeded(seed), executor: Executor::inline() }
}

fn field(name: &str, data_type: FieldType) -> FieldDef {
    FieldDef { name: name.to_owned(), data_type, nullable: true }
}

fn tutorial(options: &[(&str, &str)]) -> DatagenSpec {
    let string = FieldType::Varchar(MAX_LENGTH);
    let fields = [field("id", string.clone()), field("data", string), field("category", FieldType::Int)];
    let own = [("connector", "datagen"), ("fields.category.min", "1"), ("fields.category.max", "10")];
    DatagenSpec::try_new(&fields, own.into_iter().chain(options.iter().copied())).unwrap()
}

async fn all(source: &mut Datagen, budget: &BatchBudget) -> Vec<SourceBatch> {
    let mut batches = Vec::new();
    loop {
        match source.next(budget).await.unwrap() {
            Next::Batch(batch) => batches.push(batch),
            Next::End => return batches,
            other => panic!("{other:?}"),
        }
    }
}

fn row_count(batches: &[SourceBatch]) -> usize {
    batches.iter().map(|batch| batch.rows.num_rows()).sum()
}

fn ids(batch: &RecordBatch) -> impl Iterator<Item = String> + '_ {
    batch.column(0).as_string::<i32>().iter().map(|id| id.unwrap().to_owned())
}

#[tokio::test(start_paused = true)]
async fn it_keeps_the_contract_of_a_source() {
    for options in [
        &[("rows-per-second", "1000000")][..],
        &[("rows-per-second", "700"), ("splits", "3"), ("seed", "5")],
        &[("number-of-rows", "2501"), ("splits", "4")],
        &[("number-of-rows", "1"), ("splits", "8")],
    ] {
        let spec = tutorial(options);
        crate::conformance::suite(|| spec.build(None, 2, env(1)).unwrap()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_bounded_table_has_exactly_its_rows_and_they_are_computable() {
    for (rows, splits) in [(0, 1), (1, 4), (7, 3), (8, 4), (10_000, 1), (10_001, 7), (5, 1_024)] {
        let (rows_text, splits_text) = (format!("{rows}"), format!("{splits}"));
        let spec = tutorial(&[("number-of-rows", &rows_text), ("splits", &splits_text), ("seed", "9")]);
        let mut source = spec.build(None, 1, env(1)).unwrap();
        source.open(&Positions::new()).await.unwrap();
        let batches = all(&mut source, &BatchBudget::default()).await;
        assert_eq!(row_count(&batches), rows);
        let expected = spec.rows(9, splits);
        let mut seen = BTreeSet::new();
        for batch in &batches {
            assert_eq!(batch.rows, expected.batch(batch.interval, 0).unwrap());
            seen.extend(ids(&batch.rows));
        }
        assert_eq!(seen.len(), rows, "ids repeat");
    }
}

#[tokio::test(start_paused = true)]
async fn a_sequence_has_each_value_once_over_all_splits_and_ends_the_table() {
    let fields = [field("n", FieldType::BigInt), field("m", FieldType::Int)];
    let options = [
        ("fields.n.kind", "sequence"),
        ("fields.n.start", "-3"),
        ("fields.n.end", "996"),
        ("fields.m.kind", "sequence"),
        ("fields.m.start", "1"),
        ("fields.m.end", "5000"),
        ("splits", "7"),
    ];
    let spec = DatagenSpec::try_new(&fields, options).unwrap();
    assert_eq!(spec.limit(), Some(1_000));
    let mut source = spec.build(None, 1, env(1)).unwrap();
    source.open(&Positions::new()).await.unwrap();
    let batches = all(&mut source, &BatchBudget { rows: 33, ..BatchBudget::default() }).await;
    let values = batches.iter().flat_map(|batch| batch.rows.column(0).as_primitive::<Int64Type>().values().to_vec());
    let values: Vec<i64> = values.collect();
    assert_eq!(values.len(), 1_000);
    assert_eq!(values.into_iter().collect::<BTreeSet<_>>(), (-3..=996).collect());
}

#[tokio::test(start_paused = true)]
async fn what_is_not_given_is_drawn_once_and_kept() {
    let spec = tutorial(&[]);
    let first = spec.build(None, 3, env(1)).unwrap();
    let identity = first.identity().clone();
    let again = spec.build(Some(&identity), 8, env(2)).unwrap();
    assert_eq!(again.identity(), &identity);
    assert_eq!(again.rows().splits(), 3);
    assert_ne!(spec.build(None, 3, env(2)).unwrap().identity(), &identity, "another first start, another seed");
    let facts: Vec<_> = identity.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let seed = Random::seeded(1).next_u64().to_string();
    let expected = [
        ("connector", "datagen"),
        ("fields", "id random length 100, data random length 100, category random 1..10"),
        ("schema", "id STRING, data STRING, category INT"),
        ("seed", seed.as_str()),
        ("splits", "3"),
    ];
    assert_eq!(facts, expected);
}

#[tokio::test(start_paused = true)]
async fn only_what_decides_the_rows_belongs_to_the_identity() {
    let spec = tutorial(&[("seed", "1"), ("splits", "2")]);
    let stored = spec.build(None, 1, env(1)).unwrap().identity().clone();
    for options in [
        &[("rows-per-second", "7")][..],
        &[("number-of-rows", "7")],
        &[("seed", "1")],
        &[("fields.id.length", "100"), ("fields.data.kind", "random")],
    ] {
        assert!(tutorial(options).build(Some(&stored), 1, env(1)).is_ok(), "{options:?}");
    }
    let refused = [
        (("seed", "2"), "`seed` was `1` and is now `2`"),
        (("splits", "3"), "`splits` was `2` and is now `3`"),
        (("fields.id.length", "99"), "`fields` was `id random length 100, data"),
    ];
    for (option, difference) in refused {
        let error = tutorial(&[option]).build(Some(&stored), 1, env(1)).err().unwrap();
        assert!(error.to_string().contains(difference), "{error}");
        assert!(error.to_string().contains("`pipeline.name`"), "{error}");
        assert_eq!(error.kind(), FailureKind::Usage);
    }
    let kafka = SourceIdentity::new().with("connector", "kafka").with("seed", "x");
    assert_eq!(spec.build(Some(&kafka), 1, env(1)).err().unwrap().kind(), FailureKind::Usage);
    let damaged = stored.with("seed", "x");
    assert_eq!(tutorial(&[]).build(Some(&damaged), 1, env(1)).err().unwrap().kind(), FailureKind::Corrupt);
}

#[tokio::test(start_paused = true)]
async fn a_position_of_a_split_that_does_not_exist_is_refused() {
    let mut source = tutorial(&[("splits", "2")]).build(None, 1, env(1)).unwrap();
    let positions = Positions::from_iter([(SplitId(2), Position(1))]);
    assert_eq!(source.open(&positions).await.unwrap_err().kind(), FailureKind::Corrupt);
}

#[tokio::test(start_paused = true)]
async fn a_batch_keeps_to_its_budget_in_rows_and_bytes() {
    let mut source = tutorial(&[("rows-per-second", "10000000")]).build(None, 1, env(1)).unwrap();
    source.open(&Positions::new()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    for (rows, bytes, expected) in [(100, 1 << 20, 100), (8_192, 1 << 20, (1 << 20) / 212), (10, 0, 1)] {
        let budget = BatchBudget { rows, bytes, ..BatchBudget::default() };
        let Next::Batch(batch) = source.next(&budget).await.unwrap() else { panic!("no batch") };
        assert_eq!(batch.rows.num_rows(), expected);
        assert_eq!(batch.at_millis, NOON);
    }
}

#[tokio::test(start_paused = true)]
async fn categories_are_in_range() {
    let mut source = tutorial(&[("number-of-rows", "5000")]).build(None, 1, env(1)).unwrap();
    source.open(&Positions::new()).await.unwrap();
    let batches = all(&mut source, &BatchBudget::default()).await;
    let seen = batches.iter().flat_map(|batch| batch.rows.column(2).as_primitive::<Int32Type>().values().to_vec());
    assert_eq!(seen.collect::<BTreeSet<_>>(), (1..=10).collect());
}
