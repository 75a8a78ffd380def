//! Crashes at every call to the store, and stores that fail at random: the oracle holds after each restart.

use std::time::Duration;

use tributary_runtime::{Classify, FailureKind, SplitId};
use tributary_testkit::{FaultRates, FaultStore, Moment};

use crate::harness::{Running, World, pass};

const ROWS: u64 = 60;

/// Sends up to `ROWS` of two splits, a few commits long; ends early when the sink does.
async fn feed(sink: &mut Running) {
    for split in [SplitId(0), SplitId(1)].into_iter().cycle() {
        let missing = |split| ROWS - sink.sent.get(split).0;
        if missing(SplitId(0)) + missing(SplitId(1)) == 0 {
            return;
        }
        let rows = missing(split).min(7);
        if rows > 0 && sink.send_split(split, rows).await.is_err() {
            return;
        }
        pass(Duration::from_millis(300)).await;
    }
}

async fn world() -> World {
    let mut world = World::new().await;
    world.partitions = 2;
    world.config.checkpoint_interval = Duration::from_secs(1);
    world
}

async fn complete(world: &World, seed: u64) {
    let last = world.process(seed).await;
    let mut sink = last.start().await;
    feed(&mut sink).await;
    sink.finish().await.unwrap();
    let positions = last.check().await;
    assert_eq!([0, 1].map(|split| positions.get(SplitId(split)).0), [ROWS; 2]);
}

#[tokio::test(start_paused = true)]
async fn a_crash_at_any_call_loses_and_doubles_nothing() {
    let calls = {
        let world = world().await;
        let mut sink = world.start().await;
        feed(&mut sink).await;
        sink.finish().await.unwrap();
        world.check().await;
        world.store.call_count()
    };
    assert!(calls > 50, "{calls}");
    // Odd numbers lose the call, even ones its reply; the next test varies both at random.
    for number in 4..=calls {
        let moment = if number % 2 == 0 { Moment::AfterEffect } else { Moment::BeforeEffect };
        let world = world().await;
        let process = world.process(1).await;
        process.store.crash_at(number, moment);
        tokio::select! {
            biased;
            () = process.store.crashed() => {}
            () = async {
                let mut sink = process.start().await;
                tokio::select! {
                    () = process.store.crashed() => {}
                    () = feed(&mut sink) => {}
                }
                if process.store.is_crashed() {
                    sink.kill().await;
                } else {
                    drop(sink.finish().await);
                }
            } => {}
        }
        world.check().await;
        complete(&world, 2).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_at_random_loses_and_doubles_nothing() {
    let rates = FaultRates {
        error_before: 0.05,
        error_after: 0.05,
        delay: 0.05,
        duplicate: 0.02,
        late: 0.03,
        longest_wait: Duration::from_secs(5),
    };
    for seed in 0..40 {
        let world = world().await;
        for life in 0..4 {
            let mut process = world.process(seed * 100 + life).await;
            let faulty = FaultStore::seeded(world.store.inner(), seed * 100 + life, rates);
            process.put_store(faulty).await;
            let opened = process.open().await;
            let mut sink = match opened {
                Ok(open) => process.run(open),
                Err(error) => panic!("seed {seed}, life {life}: {error}"),
            };
            let feeding = tokio::time::timeout(Duration::from_secs(2 + life), feed(&mut sink)).await;
            match feeding {
                Err(_) => sink.kill().await,
                Ok(()) => match sink.finish().await {
                    Ok(_) => {}
                    Err(error) if error.kind() == FailureKind::Transient => {}
                    Err(error) => panic!("seed {seed}, life {life}: {error}"),
                },
            }
            // Late writes of the dead process still land.
            pass(Duration::from_secs(6)).await;
            world.check().await;
        }
        complete(&world, seed * 100 + 99).await;
    }
}
