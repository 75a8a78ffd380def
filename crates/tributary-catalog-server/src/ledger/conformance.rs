//! What every ledger must do, run on each of them.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use tributary_runtime::Executor;

use super::{Ledger, LedgerError, MemoryLedger, RedbLedger, Write};

fn put(key: &str, value: &str) -> Write {
    Write::Put(key.to_owned(), value.as_bytes().to_vec())
}

fn remove(key: &str) -> Write {
    Write::Remove(key.to_owned())
}

fn pairs(pairs: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec())).collect()
}

/// Runs on an empty ledger and leaves 24 pairs behind, a long one among them.
async fn keeps_what_is_written_in_order(ledger: &dyn Ledger) {
    assert!(ledger.load().await.unwrap().is_empty());
    ledger.apply(vec![]).await.unwrap();
    ledger.apply(vec![put("b", "1"), put("a", "1"), remove("none")]).await.unwrap();
    assert_eq!(ledger.load().await.unwrap(), pairs(&[("a", "1"), ("b", "1")]));
    ledger
        .apply(vec![remove("b"), put("c", "1"), put("c", "2"), put("d", "x"), put("a", "ü"), put("d", "")])
        .await
        .unwrap();
    assert_eq!(ledger.load().await.unwrap(), pairs(&[("a", "ü"), ("c", "2"), ("d", "")]));
    // A view's text may be long.
    let long = "SELECT ".repeat(150_000);
    ledger.apply(vec![put("c", &long)]).await.unwrap();
    assert_eq!(ledger.load().await.unwrap()["c"], long.as_bytes());
    let steps =
        (0..20).map(|n| ledger.apply(vec![put("x", "1"), put("y", "1"), remove("x"), put(&format!("n{n}"), "")]));
    assert!(futures::future::join_all(steps).await.iter().all(Result::is_ok));
    let all = ledger.load().await.unwrap();
    assert_eq!((all.len(), all.contains_key("x")), (24, false));
}

#[tokio::test]
async fn in_memory() {
    keeps_what_is_written_in_order(&MemoryLedger::default()).await;
}

#[tokio::test]
async fn redb_also_over_a_restart_and_for_one_process_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/catalog.redb");
    let ledger = RedbLedger::try_open(&path, Executor::inline()).unwrap();
    keeps_what_is_written_in_order(&ledger).await;
    let second = RedbLedger::try_open(&path, Executor::inline());
    assert!(matches!(second, Err(LedgerError::InUse { .. })), "{second:?}");
    drop(ledger);
    let again = RedbLedger::try_open(&path, Executor::inline()).unwrap();
    assert_eq!(again.load().await.unwrap().len(), 24);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalog.redb");
    std::fs::write(&path, b"something else").unwrap();
    let refused = RedbLedger::try_open(&path, Executor::inline()).unwrap_err();
    assert!(refused.to_string().contains("catalog.redb"), "{refused}");
}
