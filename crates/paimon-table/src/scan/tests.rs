#![allow(clippy::unwrap_used)]

use paimon_format::{Datum, SimpleStats};
use proptest::prelude::*;

use super::*;
use crate::commit::CommitRequest;
use crate::predicate::Comparison;
use crate::testing::*;

const INT_AND_TEXT: [TypeRoot; 2] = [TypeRoot::Int, TypeRoot::Varchar(i32::MAX as u32)];

/// Rows of one file: nullable ids, one partition.
type Rows = (u8, Vec<Option<i32>>);

fn day(number: u8) -> String {
    format!("2026-01-{number:02}")
}

async fn table_of(commits: &[Vec<Rows>], options: &[(&str, &str)]) -> Table {
    let table = create(&memory(), options).await;
    let mut committer = committer(&table, "u", 1).await;
    for (identifier, files) in commits.iter().enumerate() {
        let added = files.iter().enumerate().map(|(number, (partition, ids))| {
            let mut new = file(&format!("f-{identifier}-{number}"), &day(*partition), ids.len() as i64);
            let columns = [of_ids(ids), predicate::exactly(Some(Datum::String(day(*partition))), ids.len() as i64)];
            new.meta.value_stats = SimpleStats::encode(&INT_AND_TEXT, &columns).unwrap();
            new
        });
        let request = CommitRequest { added: added.collect(), ..request("u", identifier as i64) };
        committer.commit(&request).await.unwrap();
    }
    table
}

fn of_ids(ids: &[Option<i32>]) -> ColumnStats {
    let mut stats = ColumnStats { null_count: Some(0), ..ColumnStats::default() };
    for id in ids {
        stats.add(id.map(Datum::Int));
    }
    stats
}

fn conditions() -> impl Strategy<Value = Predicate> {
    let op = prop_oneof![
        Just(Comparison::Eq),
        Just(Comparison::NotEq),
        Just(Comparison::Lt),
        Just(Comparison::LtEq),
        Just(Comparison::Gt),
        Just(Comparison::GtEq)
    ];
    let leaf = prop_oneof![
        (op.clone(), -5_i32..15).prop_map(|(op, id)| Predicate::compare("id", op, Datum::Int(id))),
        (op, 0_u8..6).prop_map(|(op, number)| Predicate::compare("dt", op, Datum::String(day(number)))),
        prop::collection::vec(-5_i32..15, 0..3).prop_map(|ids| Predicate::In {
            column: "id".to_owned(),
            values: ids.into_iter().map(Datum::Int).collect()
        }),
        prop_oneof![Just("id"), Just("dt")].prop_map(|column| Predicate::IsNull(column.to_owned())),
        prop_oneof![Just("id"), Just("dt")].prop_map(|column| Predicate::IsNotNull(column.to_owned())),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Predicate::And),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Predicate::Or),
            inner.prop_map(Predicate::not),
        ]
    })
}

/// SQL's answer for one row: true, or anything else.
fn holds(filter: &Predicate, id: Option<i32>, dt: &str) -> bool {
    let value = |column: &str| match column {
        "id" => id.map(Datum::Int),
        _ => Some(Datum::String(dt.to_owned())),
    };
    match filter {
        Predicate::Compare { column, op, value: right } => value(column).is_some_and(|left| match op {
            Comparison::Eq => left == *right,
            Comparison::NotEq => left != *right,
            Comparison::Lt => left < *right,
            Comparison::LtEq => left <= *right,
            Comparison::Gt => left > *right,
            Comparison::GtEq => left >= *right,
        }),
        Predicate::In { column, values } => value(column).is_some_and(|left| values.contains(&left)),
        Predicate::NotIn { column, values } => value(column).is_some_and(|left| !values.contains(&left)),
        Predicate::IsNull(column) => value(column).is_none(),
        Predicate::IsNotNull(column) => value(column).is_some(),
        Predicate::And(parts) => parts.iter().all(|part| holds(part, id, dt)),
        Predicate::Or(parts) => parts.iter().any(|part| holds(part, id, dt)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn pruning_never_drops_a_file_with_a_matching_row(
        commits in prop::collection::vec(
            prop::collection::vec((0_u8..6, prop::collection::vec(prop::option::of(-5_i32..15), 1..4)), 0..4),
            1..8,
        ),
        filters in prop::collection::vec(conditions(), 8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let table = table_of(&commits, &[("manifest.merge-min-count", "2")]).await;
            for filter in filters {
                let plan = plan_scan(&table, None, Some(&filter), &Executor::inline()).await.unwrap();
                let planned: HashSet<_> = plan.files.iter().map(|entry| entry.file.file_name.as_str()).collect();
                for (identifier, files) in commits.iter().enumerate() {
                    for (number, (partition, ids)) in files.iter().enumerate() {
                        let matching = ids.iter().any(|id| holds(&filter, *id, &day(*partition)));
                        let name = format!("f-{identifier}-{number}");
                        assert!(!matching || planned.contains(name.as_str()), "{name} {ids:?} {filter:?}");
                    }
                }
            }
        });
    }
}

#[tokio::test]
async fn partitions_and_bounds_prune() {
    let commits = [vec![(1, vec![Some(1), Some(5)]), (2, vec![Some(3), None])], vec![(1, vec![Some(9)])]];
    let table = table_of(&commits, &[]).await;
    let id = |op, id| Predicate::compare("id", op, Datum::Int(id));
    let dt = |number| Predicate::compare("dt", Comparison::Eq, Datum::String(day(number)));
    for (filter, expected) in [
        (dt(1), &["f-0-0", "f-1-0"][..]),
        (dt(7), &[]),
        (id(Comparison::Gt, 5), &["f-1-0"]),
        (id(Comparison::Eq, 4), &["f-0-0"]),
        (Predicate::IsNull("id".to_owned()), &["f-0-1"]),
        (Predicate::And(vec![dt(1), id(Comparison::Lt, 9)]), &["f-0-0"]),
        (Predicate::Or(vec![dt(2), id(Comparison::Gt, 8)]), &["f-0-1", "f-1-0"]),
    ] {
        let plan = plan_scan(&table, None, Some(&filter), &Executor::inline()).await.unwrap();
        let names: Vec<_> = plan.files.iter().map(|entry| entry.file.file_name.as_str()).collect();
        assert_eq!(names, expected, "{filter:?}");
    }
    let first = plan_scan(&table, Some(SnapshotId(1)), None, &Executor::inline()).await.unwrap();
    assert_eq!((first.files.len(), first.rows()), (2, 4));
    let error = plan_scan(&table, Some(SnapshotId(3)), None, &Executor::inline()).await.unwrap_err();
    assert!(matches!(error, TableError::NoSuchSnapshot { id: 3, .. }), "{error}");
}

#[tokio::test]
async fn a_file_added_by_two_commits_is_corrupt_and_a_missing_manifest_is_named() {
    let table = create(&memory(), &[]).await;
    let mut committer = committer(&table, "u", 1).await;
    committer.commit(&request("u", 1)).await.unwrap();
    let again = CommitRequest { added: request("u", 1).added, ..request("u", 2) };
    let snapshot = committer.commit(&again).await.unwrap().snapshot;
    let error = plan_scan(&table, None, None, &Executor::inline()).await.unwrap_err();
    assert!(error.to_string().starts_with("data-u-1.parquet is corrupt: it is added twice"), "{error}");
    table.storage().delete(&manifests::path(&snapshot.delta_manifest_list)).await.unwrap();
    let error = plan_scan(&table, None, None, &Executor::inline()).await.unwrap_err();
    assert!(error.to_string().contains("is missing although snapshot 2 refers to it"), "{error}");
}
