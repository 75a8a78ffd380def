#![allow(clippy::unwrap_used)]

use paimon_format::CommitKind;

use super::*;
use crate::commit::CommitRequest;
use crate::testing::*;

/// A table with snapshots 1 to 40, of which only `kept` remain.
async fn table_with(kept: &[i64], latest: Option<&str>, earliest: Option<&str>) -> Storage {
    let storage = memory();
    let mut committer = committer(&create(&storage, &[]).await, "u", 1).await;
    let request = CommitRequest { kind: CommitKind::Append, added: Vec::new(), ..request("u", 1) };
    let first = committer.commit(&request).await.unwrap().snapshot;
    storage.delete(&path(SnapshotId(1))).await.unwrap();
    for id in kept {
        let snapshot = Snapshot { id: SnapshotId(*id), ..(*first).clone() };
        storage.put(&path(snapshot.id), snapshot.to_json().unwrap().into()).await.unwrap();
    }
    for (name, text) in [(LATEST, latest), (EARLIEST, earliest)] {
        match text {
            Some(text) => storage.put(&hint_path(name), Bytes::from(text.to_owned())).await.unwrap(),
            None => storage.delete(&hint_path(name)).await.unwrap(),
        }
    }
    storage
}

#[tokio::test]
async fn the_newest_and_oldest_snapshot_are_found_whatever_the_hints_say() {
    let all: Vec<i64> = (1..=40).collect();
    let tail: Vec<i64> = (30..=40).collect();
    let leftover: Vec<i64> = [3].into_iter().chain(30..=40).collect();
    for (kept, latest, earliest, expected) in [
        (&all, Some("40"), Some("1"), (1, 40)),
        (&all, None, None, (1, 40)),
        // Behind by a little, behind by more than is walked, ahead, gone, no number.
        (&all, Some("38"), Some("1"), (1, 40)),
        (&all, Some("2"), Some("1"), (1, 40)),
        (&all, Some("41"), Some("50"), (1, 40)),
        (&tail, Some("7"), Some("7"), (30, 40)),
        (&all, Some(""), Some("x"), (1, 40)),
        (&all, Some("-3"), Some("0"), (1, 40)),
        (&all, Some("40\n"), Some("1\n"), (1, 40)),
        // A file that expiry left behind, under a hint that was never moved on.
        (&leftover, Some("3"), Some("30"), (30, 40)),
    ] {
        let storage = table_with(kept, latest, earliest).await;
        let newest = find_latest(&storage).await.unwrap().unwrap().snapshot.id.0;
        let oldest = find_earliest(&storage).await.unwrap().unwrap().snapshot.id.0;
        assert_eq!((oldest, newest), expected, "LATEST {latest:?}, EARLIEST {earliest:?}");
    }
    let empty = table_with(&[], Some("7"), Some("7")).await;
    assert!(find_latest(&empty).await.unwrap().is_none());
    assert!(find_earliest(&empty).await.unwrap().is_none());
}

#[tokio::test]
async fn a_store_that_cannot_answer_is_not_an_empty_table() {
    let clean = table_with(&[1, 2], Some("2"), None).await;
    for failing in [LATEST, "snapshot-2", "snapshot-3"] {
        let store = tributary_testkit::FaultStore::with_plan(Arc::clone(&clean.store), move |call| {
            if call.path.filename() == Some(failing) {
                tributary_testkit::Fault::ErrorBefore
            } else {
                tributary_testkit::Fault::None
            }
        });
        let storage = Storage::new(Arc::new(store), clean.root.clone());
        assert!(find_latest(&storage).await.is_err(), "{failing}");
    }
}

#[tokio::test]
async fn a_damaged_or_misnamed_snapshot_is_named() {
    let storage = table_with(&[1], None, None).await;
    let first = read(&storage, SnapshotId(1)).await.unwrap().unwrap();
    storage.put(&path(SnapshotId(2)), first.bytes).await.unwrap();
    let error = find_latest(&storage).await.unwrap_err();
    assert_eq!(error.to_string(), "snapshot/snapshot-2 is corrupt: it says it is snapshot 1");
    storage.put(&path(SnapshotId(2)), Bytes::from_static(b"{\"version\"")).await.unwrap();
    let error = find_latest(&storage).await.unwrap_err();
    assert!(error.to_string().starts_with("snapshot/snapshot-2: corrupt snapshot: "), "{error}");
}
