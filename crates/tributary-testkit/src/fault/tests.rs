#![allow(clippy::unwrap_used, clippy::panic)]
use futures::TryStreamExt;
use object_store::memory::InMemory;
use object_store::{ObjectStoreExt, PutMode, PutOptions, PutPayload};

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn path(name: &str) -> Path {
    Path::from(name)
}

/// A store whose plan gives `fault` to call `number` and nothing to the others.
fn faulty(number: u64, fault: Fault) -> FaultStore {
    FaultStore::with_plan(
        Arc::new(InMemory::new()),
        move |call| if call.number == number { fault } else { Fault::None },
    )
}

async fn create(store: &FaultStore, name: &str) -> Result<()> {
    let opts = PutOptions::from(PutMode::Create);
    store.put_opts(&path(name), PutPayload::from_static(b"12345"), opts).await.map(drop)
}

async fn multipart(store: &FaultStore, name: &str) -> Result<()> {
    let mut upload = store.put_multipart(&path(name)).await?;
    upload.put_part(PutPayload::from_static(b"123")).await?;
    upload.put_part(PutPayload::from_static(b"45")).await?;
    upload.complete().await.map(drop)
}

async fn landed(store: &FaultStore, name: &str) -> bool {
    store.inner().head(&path(name)).await.is_ok()
}

#[tokio::test(start_paused = true)]
async fn a_create_shows_the_caller_only_what_a_network_would() {
    const EXISTS: &str = "Object at location a already exists";
    const LOST: &str = "Generic fault error: call 1 timed out (injected)";
    let cases = [
        (Fault::None, None, true),
        (Fault::ErrorBefore, Some(LOST), false),
        (Fault::ErrorAfter, Some(LOST), true),
        (Fault::Delay(SECOND), None, true),
        (Fault::Duplicate, Some(EXISTS), true),
        (Fault::Late(SECOND), Some(LOST), false),
        (Fault::DiskFull, Some("Generic fault error: no space left on device (injected)"), false),
        (Fault::Denied, Some("The operation lacked the necessary privileges"), false),
    ];
    for (fault, error, effect) in cases {
        let store = faulty(1, fault);
        let result = create(&store, "a").await.map_err(|error| error.to_string());
        match error {
            None => assert_eq!(result, Ok(()), "{fault:?}"),
            Some(text) => assert!(result.clone().unwrap_err().starts_with(text), "{fault:?}: {result:?}"),
        }
        assert_eq!(landed(&store, "a").await, effect, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_put_lands_after_its_time_even_when_the_store_is_gone() {
    for number in [1, 4] {
        let store = faulty(number, Fault::Late(SECOND));
        let result = if number == 1 { create(&store, "a").await } else { multipart(&store, "a").await };
        assert!(result.is_err());
        let inner = store.inner();
        drop(store);
        tokio::time::sleep(SECOND / 2).await;
        assert!(inner.head(&path("a")).await.is_err());
        tokio::time::sleep(SECOND).await;
        assert_eq!(inner.head(&path("a")).await.unwrap().size, 5);
    }
}

#[tokio::test(start_paused = true)]
async fn every_step_of_a_multipart_upload_is_a_call() {
    for (number, fault, effect) in [
        (1, Fault::ErrorBefore, false),
        (2, Fault::ErrorAfter, false),
        (3, Fault::ErrorBefore, false),
        (4, Fault::ErrorBefore, false),
        (4, Fault::ErrorAfter, true),
        (4, Fault::Delay(SECOND), true),
        (3, Fault::Delay(SECOND), true),
        (4, Fault::Duplicate, true),
        (5, Fault::ErrorBefore, true),
    ] {
        let store = faulty(number, fault);
        let ok = matches!(fault, Fault::Delay(_) | Fault::Duplicate) || number == 5;
        assert_eq!(multipart(&store, "a").await.is_ok(), ok, "{number} {fault:?}");
        assert_eq!(landed(&store, "a").await, effect, "{number} {fault:?}");
    }
}

#[tokio::test]
async fn reads_lists_and_deletes_are_calls() {
    let store = FaultStore::with_plan(Arc::new(InMemory::new()), |call| match call.path.as_ref() {
        "broken" => Fault::ErrorBefore,
        _ => Fault::None,
    });
    create(&store, "a/b").await.unwrap();
    multipart(&store, "a/c").await.unwrap();
    assert_eq!(store.get(&path("a/b")).await.unwrap().bytes().await.unwrap(), "12345");
    assert_eq!(store.get_range(&path("a/b"), 1..3).await.unwrap(), "23");
    assert_eq!(store.head(&path("a/b")).await.unwrap().size, 5);
    assert!(store.get(&path("broken")).await.is_err());
    assert_eq!(store.list(Some(&path("a"))).try_collect::<Vec<_>>().await.unwrap().len(), 2);
    assert!(store.list(Some(&path("broken"))).try_collect::<Vec<_>>().await.is_err());
    assert_eq!(store.list_with_delimiter(None).await.unwrap().common_prefixes, [path("a")]);
    assert!(store.delete(&path("broken")).await.is_err());
    store.delete(&path("a/b")).await.unwrap();
    store.rename(&path("a/c"), &path("a/d")).await.unwrap();
    store.copy(&path("a/d"), &path("a/e")).await.unwrap();
    let expected = [
        (Op::Create, 1),
        (Op::StartMultipart, 1),
        (Op::PutPart, 2),
        (Op::CompleteMultipart, 1),
        (Op::Get, 3),
        (Op::Head, 1),
        (Op::List, 3),
        (Op::Delete, 2),
        (Op::Copy, 1),
        (Op::Rename, 1),
    ];
    assert_eq!(store.counting(), Counts { calls: BTreeMap::from(expected), bytes_put: 10 });
    assert_eq!(store.call_count(), 16);
    assert_eq!(store.calls()[0], Call { number: 1, op: Op::Create, path: path("a/b"), bytes: 5 });
}

#[tokio::test]
async fn nothing_is_answered_from_the_crash_on() {
    for (moment, effect) in [(Moment::BeforeEffect, false), (Moment::AfterEffect, true)] {
        let store = FaultStore::new(Arc::new(InMemory::new()));
        store.crash_at(5, moment);
        create(&store, "a").await.unwrap();
        // Calls 2 to 5 are the upload; the last is its completion.
        let mut second = Box::pin(multipart(&store, "b"));
        assert!(futures::poll!(&mut second).is_pending());
        store.crashed().await;
        let a = path("a");
        let mut third = Box::pin(store.get(&a));
        assert!(futures::poll!(&mut third).is_pending());
        assert!(store.is_crashed());
        assert_eq!(landed(&store, "b").await, effect);
    }
}

#[tokio::test]
async fn a_held_call_waits_for_its_release() {
    let store = FaultStore::new(Arc::new(InMemory::new()));
    let hold = store.hold(|call| call.op == Op::Create && call.path.as_ref().starts_with("snapshot"));
    create(&store, "data-1").await.unwrap();
    let mut first = Box::pin(create(&store, "snapshot-1"));
    assert!(futures::poll!(&mut first).is_pending());
    hold.arrived(1).await;
    assert!(!landed(&store, "snapshot-1").await);
    hold.release();
    first.await.unwrap();
    create(&store, "snapshot-2").await.unwrap();
}

#[tokio::test]
async fn a_full_disk_refuses_writes_until_there_is_room() {
    let store = FaultStore::new(Arc::new(InMemory::new()));
    create(&store, "a").await.unwrap();
    store.set_disk_full(true);
    assert!(create(&store, "b").await.is_err());
    assert!(multipart(&store, "c").await.is_err());
    assert!(store.get(&path("a")).await.is_ok());
    store.set_disk_full(false);
    create(&store, "b").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_seed_replays_the_same_faults() {
    let rates =
        FaultRates { error_before: 0.2, error_after: 0.2, delay: 0.2, duplicate: 0.1, late: 0.1, ..FaultRates::NONE };
    let run = async |seed| {
        let store = FaultStore::seeded(Arc::new(InMemory::new()), seed, rates);
        let mut outcomes = Vec::new();
        for n in 0..200 {
            outcomes.push(create(&store, &format!("f-{n}")).await.map_err(|error| error.to_string()));
        }
        outcomes
    };
    let first = run(1).await;
    assert_eq!(first, run(1).await);
    assert_ne!(first, run(2).await);
    assert!(first.iter().any(Result::is_ok) && first.iter().any(Result::is_err));
}
