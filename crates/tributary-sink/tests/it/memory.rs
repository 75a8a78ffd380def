//! The budget holds, whatever the number of partitions.

use std::num::NonZeroUsize;

use tributary_runtime::{MemoryBudget, SplitId};

use crate::harness::World;

#[tokio::test(start_paused = true)]
async fn more_partitions_than_the_budget_has_room_for_are_flushed_early() {
    let mut world = World::new().await;
    world.partitions = 300;
    world.budget = MemoryBudget::new(8 << 20);
    world.config.parallelism = NonZeroUsize::MIN;
    let mut sink = world.start().await;
    let mut most = 0;
    for _ in 0..6 {
        sink.send(600).await.unwrap();
        most = most.max(world.budget.used());
    }
    let budget = world.budget.clone();
    sink.finish().await.unwrap();
    assert_eq!(world.check().await.get(SplitId(0)).0, 3_600);
    assert!(most <= 8 << 20, "{most}");
    assert_eq!(budget.used(), 0, "everything is given back");
    assert!(world.files().await.len() > 600, "writers were flushed early");
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
    let parts = world.store.counting().calls.get(&tributary_testkit::Op::PutPart).copied();
    assert!(parts.unwrap_or(0) > 2, "{parts:?} parts");
}
