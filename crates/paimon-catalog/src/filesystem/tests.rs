#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use tributary_runtime::{Classify, FailureKind};
use tributary_testkit::{Fault, FaultStore, Op, sim_env};

use super::*;
use crate::catalog::NewColumn;

const EPOCH: i64 = 1_790_000_000_000;

fn catalog(seed: u64) -> FilesystemCatalog {
    let storage = Storage::open(&format!("memory://catalog-{}", sim_env(seed, EPOCH).random.uuid())).unwrap();
    FilesystemCatalog::new(storage, "memory", &sim_env(seed, EPOCH))
}

fn columns(names: &[&str]) -> Vec<NewColumn> {
    let column =
        |name: &&str| NewColumn { name: (*name).to_owned(), data_type: "STRING".parse().unwrap(), comment: None };
    names.iter().map(column).collect()
}

fn definition() -> NewTable {
    NewTable { columns: columns(&["id", "dt"]), partition_keys: vec!["dt".to_owned()], ..NewTable::default() }
}

#[tokio::test]
async fn databases_and_tables_come_and_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let local = FilesystemCatalog::try_open(folder.path().to_str().unwrap(), &sim_env(1, EPOCH)).unwrap();
    for catalog in [catalog(1), local] {
        assert!(catalog.list_databases().await.unwrap().is_empty());
        assert!(catalog.create_database("b", false).await.unwrap());
        assert!(catalog.create_database("a", true).await.unwrap());
        assert!(!catalog.create_database("a", true).await.unwrap());
        assert!(matches!(catalog.create_database("a", false).await, Err(CatalogError::DatabaseExists { .. })));
        assert_eq!(catalog.list_databases().await.unwrap(), ["a", "b"]);
        assert!(catalog.list_tables("a").await.unwrap().is_empty());
        let name = TableIdentifier::new("a", "t");
        assert!(!catalog.table_exists(&name).await.unwrap());
        let created = catalog.create_table(&name, definition(), false).await.unwrap();
        assert!(created.created);
        assert!(created.table.location().ends_with("a.db/t"), "{}", created.table.location());
        let again = catalog.create_table(&name, definition(), true).await.unwrap();
        assert!(!again.created);
        assert_eq!(again.table.schema(), created.table.schema());
        assert!(matches!(
            catalog.create_table(&name, definition(), false).await,
            Err(CatalogError::TableExists { .. })
        ));
        assert_eq!(catalog.list_tables("a").await.unwrap(), ["t"]);
        assert_eq!(catalog.load_table(&name).await.unwrap().schema().partition_keys, ["dt"]);
        assert!(created.table.latest_snapshot().await.unwrap().is_none());
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_warehouse_where_no_folder_can_be_made_is_not_waited_for() {
    let catalog = FilesystemCatalog::try_open("/proc/warehouse", &sim_env(1, EPOCH)).unwrap();
    let refused = catalog.create_database("db", true).await.unwrap_err();
    assert_eq!(refused.kind(), FailureKind::Usage, "{refused}");
    assert!(refused.to_string().ends_with("no folders can be made there, choose another warehouse"), "{refused}");
}

#[tokio::test]
async fn what_is_wrong_is_said_with_the_remedy() {
    let catalog = catalog(2);
    catalog.create_database("db", false).await.unwrap();
    let name = TableIdentifier::new("db", "t");
    let options = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), value.to_owned())]);
    for (definition, message) in [
        (NewTable::default(), "it has no columns"),
        (NewTable { columns: columns(&["a", "a"]), ..NewTable::default() }, "column `a` is defined twice"),
        (NewTable { columns: columns(&["_ROW_ID"]), ..NewTable::default() }, "is kept for Paimon's own columns"),
        (
            NewTable { partition_keys: vec!["x".to_owned()], ..definition() },
            "partition column `x` is not among its columns",
        ),
        (NewTable { partition_keys: vec!["dt".to_owned(); 2], ..definition() }, "it is partitioned by `dt` twice"),
        (NewTable { options: options("bucket", "4"), ..definition() }, "bucket"),
        (NewTable { options: options("row-tracking.enabled", "true"), ..definition() }, "row-tracking"),
    ] {
        let error = catalog.create_table(&name, definition, false).await.unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
        assert_eq!(error.kind(), FailureKind::Usage);
    }
    for (table, message) in [
        (TableIdentifier::new("db", "none"), "table db.none does not exist in memory; check the name"),
        (TableIdentifier::new("db", "t$snapshots"), "`t$snapshots` cannot be the name of a table"),
        (TableIdentifier::new("..", "t"), "`..` cannot be the name of a database"),
        (TableIdentifier::new("", "t"), "`` cannot be the name of a database"),
    ] {
        let error = catalog.load_table(&table).await.unwrap_err();
        assert!(error.to_string().starts_with(message), "{error}");
    }
    let nowhere = TableIdentifier::new("nowhere", "t");
    let error = catalog.create_table(&nowhere, definition(), true).await.unwrap_err();
    assert_eq!(error.to_string(), "database `nowhere` does not exist in memory; create it with CREATE DATABASE");
}

#[tokio::test]
async fn of_many_creators_one_creates_and_all_see_its_schema() {
    let first = catalog(3);
    first.create_database("db", false).await.unwrap();
    let name = TableIdentifier::new("db", "t");
    let creators: Vec<_> = (0..16)
        .map(|n| {
            let store = FaultStore::seeded(
                Arc::clone(&first.warehouse.store),
                n,
                tributary_testkit::FaultRates {
                    error_before: 0.0,
                    error_after: 0.0,
                    delay: 1.0,
                    duplicate: 0.0,
                    late: 0.0,
                    longest_wait: std::time::Duration::from_millis(20),
                },
            );
            let storage = Storage::new(Arc::new(store), first.warehouse.root.clone());
            // Clocks far enough apart that no two write the same schema.
            FilesystemCatalog::new(storage, "memory", &sim_env(n, EPOCH + 3_600_000 * n as i64))
        })
        .collect();
    let racing = creators.iter().map(|catalog| catalog.create_table(&name, definition(), true));
    let all: Vec<_> = futures::future::try_join_all(racing).await.unwrap();
    assert_eq!(all.iter().filter(|one| one.created).count(), 1);
    assert!(all.iter().all(|one| one.table.schema() == all[0].table.schema()));
}

#[tokio::test]
async fn a_creation_delivered_twice_is_one_creation() {
    let clean = catalog(4);
    clean.create_database("db", false).await.unwrap();
    let store = FaultStore::with_plan(Arc::clone(&clean.warehouse.store), |call| {
        if call.op == Op::Create { Fault::Duplicate } else { Fault::None }
    });
    let storage = Storage::new(Arc::new(store), clean.warehouse.root.clone());
    let catalog = FilesystemCatalog::new(storage, "memory", &sim_env(4, EPOCH));
    let creation = catalog.create_table(&TableIdentifier::new("db", "t"), definition(), false).await.unwrap();
    assert!(creation.created);
}
