//! Who comes first, and what the store does about it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::join_all;

use super::*;

#[tokio::test]
async fn on_a_store_that_overwrites_this_process_decides_alone() {
    let world = World::new();
    let mut storage = world.warehouse.clone();
    storage.store = Arc::new(FaultStore::new(Arc::clone(&storage.store)).ignoring_conditions());
    let service = world.open_on(storage.clone(), false).await.unwrap();
    let id = with_table(&service).await;
    let rivals = join_all((0..8).map(|n| snapshot(&world, "d.db/t", 1, n.to_string().leak()))).await;
    let outcomes = join_all(rivals.iter().map(|rival| commit(&service, &id, rival))).await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Ok(true)).count(), 1, "{outcomes:?}");
    let winner = outcomes.iter().position(|outcome| *outcome == Ok(true)).unwrap();
    assert_eq!(commit(&service, &id, &rivals[winner]).await, Ok(true), "sent again");
    // What is remembered is not trusted: somebody was here against the rules, and would be overwritten.
    let foreign = snapshot(&world, "d.db/t", 2, "f2").await.to_string();
    world.warehouse.put("d.db/t/snapshot/snapshot-2", foreign.clone().into()).await.unwrap();
    assert_eq!(commit(&service, &id, &snapshot(&world, "d.db/t", 2, "u2").await).await, Ok(false));
    assert_eq!(world.warehouse.get("d.db/t/snapshot/snapshot-2").await.unwrap(), foreign);
    // Nor are tags and the schemas of tables that the catalog does not know.
    let tag = |id| json!({"tagName": "a", "snapshotId": id});
    ask(&service, "POST databases/d/tables/t/tags", tag(1)).await.unwrap();
    assert_eq!(ask(&service, "POST databases/d/tables/t/tags", tag(2)).await, Err(409));
    world.warehouse.put("d.db/strange/schema/schema-0", "kept".into()).await.unwrap();
    assert_eq!(create(&service, "d", "strange").await, Err(409));
    assert_eq!(world.warehouse.get("d.db/strange/schema/schema-0").await.unwrap(), "kept");
}

#[tokio::test]
async fn only_where_a_store_overwrites_the_log_says_that_nobody_else_may_commit() {
    for (overwrites, warned) in [(true, true), (false, false)] {
        let world = World::new();
        let mut storage = world.warehouse.clone();
        if overwrites {
            storage.store = Arc::new(FaultStore::new(Arc::clone(&storage.store)).ignoring_conditions());
        }
        let log = Arc::new(Mutex::new(Vec::new()));
        let writer = Arc::clone(&log);
        let subscriber = tracing_subscriber::fmt().with_writer(move || Log(Arc::clone(&writer))).finish();
        let said = tracing::subscriber::set_default(subscriber);
        let service = world.open_on(storage, false).await.unwrap();
        drop(said);
        let log = String::from_utf8(log.lock().unwrap().clone()).unwrap();
        assert_eq!(service.sole_writer, warned);
        assert_eq!(log.contains("no engine may commit to the warehouse by its path"), warned, "{log}");
        assert_eq!(log.contains("does not honour create-if-absent"), warned, "{log}");
    }
}

/// What is logged, kept.
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_hint_never_names_a_snapshot_that_was_taken_back_meanwhile() {
    let world = World::new();
    let store = FaultStore::new(Arc::clone(&world.warehouse.store));
    let mut storage = world.warehouse.clone();
    storage.store = Arc::new(store.clone());
    let service = world.open_on(storage, false).await.unwrap();
    let id = with_table(&service).await;
    for n in 1..=2 {
        let next = snapshot(&world, "d.db/t", n, &format!("u{n}")).await;
        assert_eq!(commit(&service, &id, &next).await, Ok(true));
    }
    let third = snapshot(&world, "d.db/t", 3, "u3").await;
    let held = AtomicBool::new(false);
    let is_hint = |path: &str| path.ends_with("snapshot/LATEST");
    let hold = store
        .hold(move |call| call.op == Op::Put && is_hint(call.path.as_ref()) && !held.swap(true, Ordering::Relaxed));
    let arrived = tokio::sync::Notify::new();
    let released = async {
        hold.arrived(1).await;
        arrived.notify_one();
        // Whatever the other can do now, it does.
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        hold.release();
    };
    let back = async {
        arrived.notified().await;
        let to = json!({"instant": {"type": "snapshot", "snapshotId": 1}});
        ask(&service, "POST databases/d/tables/t/rollback", to).await
    };
    let (committed, rolled_back, ()) = tokio::join!(commit(&service, &id, &third), back, released);
    assert_eq!((committed, rolled_back), (Ok(true), Ok(Value::Null)));
    assert_eq!(world.warehouse.get("d.db/t/snapshot/LATEST").await.unwrap(), "1");
    assert_eq!(get(&service, "databases/d/tables/t/snapshot").await.unwrap()["snapshot"]["snapshot"]["uuid"], "u1");
    // The next commit hints again.
    assert_eq!(commit(&service, &id, &snapshot(&world, "d.db/t", 2, "w2").await).await, Ok(true));
    assert_eq!(world.warehouse.get("d.db/t/snapshot/LATEST").await.unwrap(), "2");
}

#[tokio::test]
async fn snapshots_that_another_engine_took_away_are_not_remembered() {
    let world = World::new();
    let service = world.open().await;
    let id = with_table(&service).await;
    for n in 1..=3 {
        let next = snapshot(&world, "d.db/t", n, &format!("u{n}")).await;
        assert_eq!(commit(&service, &id, &next).await, Ok(true));
    }
    let folder = world.warehouse.child("d.db/t");
    paimon_table::snapshots::take_back(&folder, paimon_format::SnapshotId(1)).await.unwrap();
    assert_eq!(get(&service, "databases/d/tables/t/snapshot").await.unwrap()["snapshot"]["snapshot"]["uuid"], "u1");
    assert_eq!(commit(&service, &id, &snapshot(&world, "d.db/t", 2, "w2").await).await, Ok(true));
}
