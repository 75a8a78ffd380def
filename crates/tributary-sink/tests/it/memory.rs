//! The budget holds, whatever the number of partitions, the size of rows and the pace of the store.

use std::num::NonZeroUsize;
use std::time::Duration;

use tokio::time::Instant;
use tributary_runtime::{MemoryBudget, SplitId};
use tributary_testkit::{Call, Fault, Op};

use crate::harness::World;

/// A store that takes `bytes_per_second` of all calls together and turns every `busy`th put away.
fn throttled(bytes_per_second: f64, busy: u64) -> impl FnMut(&Call) -> Fault + Send {
    let mut free_at = Instant::now();
    let mut puts = 0;
    move |call| {
        puts += u64::from(call.op == Op::Put);
        if call.op == Op::Put && puts % busy == 0 {
            return Fault::ErrorBefore;
        }
        free_at = free_at.max(Instant::now()) + Duration::from_secs_f64(call.bytes as f64 / bytes_per_second);
        Fault::Delay(free_at - Instant::now())
    }
}

#[tokio::test(start_paused = true)]
async fn a_few_rows_in_each_of_many_partitions_need_no_early_flush() {
    let mut world = World::new().await;
    world.partitions = 1_200;
    world.budget = MemoryBudget::new(16 << 20);
    world.config.parallelism = NonZeroUsize::MIN;
    let mut sink = world.start().await;
    for _ in 0..6 {
        sink.send(2_400).await.unwrap();
    }
    sink.finish().await.unwrap();
    assert_eq!(world.check().await.get(SplitId(0)).0, 14_400);
    assert_eq!(world.files().await.len(), 1_200, "one file per partition");
}

#[tokio::test(start_paused = true)]
async fn more_partitions_than_the_budget_has_room_for_are_flushed_early() {
    let mut world = World::new().await;
    world.partitions = 1_200;
    world.budget = MemoryBudget::new(16 << 20);
    world.config.parallelism = NonZeroUsize::MIN;
    let mut sink = world.start().await;
    let mut most = 0;
    for _ in 0..40 {
        sink.send(4_800).await.unwrap();
        most = most.max(world.budget.used());
    }
    let budget = world.budget.clone();
    sink.finish().await.unwrap();
    assert_eq!(world.check().await.get(SplitId(0)).0, 192_000);
    assert!(most <= 16 << 20, "{most}");
    assert_eq!(budget.used(), 0, "everything is given back");
    let files = world.files().await.len();
    assert!(files > 1_200, "writers were flushed early");
    assert!(files < 192_000 / 25, "not row by row: {files} files");
}

#[tokio::test(start_paused = true)]
async fn a_throttled_store_holds_up_the_source_and_not_the_memory() {
    const BYTES_PER_SECOND: f64 = 200_000.0;
    let mut world = World::new().await;
    world.partitions = 20;
    world.budget = MemoryBudget::new(16 << 20);
    world.config.checkpoint_interval = Duration::from_secs(2);
    let mut sink = world.start().await;
    world.store.set_plan(throttled(BYTES_PER_SECOND, 5));
    let started = Instant::now();
    let mut most = 0;
    for _ in 0..600 {
        sink.send(500).await.unwrap();
        most = most.max(world.budget.used());
    }
    // Without back-pressure every row would have been taken at once.
    let took = started.elapsed().as_secs_f64();
    let carried = world.store.counting().bytes_put as f64 / BYTES_PER_SECOND;
    assert!(took >= carried / 2.0 && took > 10.0, "{took} s for {carried} s of transfers");
    assert!(most <= 17 << 20, "{most}");
    sink.finish().await.unwrap();
    world.store.set_plan(|_| Fault::None);
    assert_eq!(world.check().await.get(SplitId(0)).0, 300_000);
    assert_eq!(world.budget.used(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_batch_larger_than_the_budget_passes_alone() {
    let mut world = World::new().await;
    world.budget = MemoryBudget::new(1 << 20);
    let mut sink = world.start().await;
    for _ in 0..3 {
        sink.send(20_000).await.unwrap();
    }
    sink.finish().await.unwrap();
    assert_eq!(world.check().await.get(SplitId(0)).0, 60_000);
}

#[tokio::test(start_paused = true)]
async fn large_files_leave_while_they_are_written() {
    let mut world = World::new().await;
    world.budget = MemoryBudget::new(32 << 20);
    world.config.parallelism = NonZeroUsize::new(2).unwrap();
    let mut sink = world.start().await;
    let mut most = 0;
    for _ in 0..60 {
        sink.send(4_000).await.unwrap();
        most = most.max(world.budget.used());
    }
    sink.finish().await.unwrap();
    assert_eq!(world.check().await.get(SplitId(0)).0, 240_000);
    assert!(most <= (32 << 20) + (2 << 20), "{most}");
    let parts = world.store.counting().calls.get(&Op::PutPart).copied();
    assert!(parts.unwrap_or(0) > 2, "{parts:?} parts");
}
