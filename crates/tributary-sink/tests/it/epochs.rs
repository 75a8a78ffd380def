//! When epochs end, what they hold, and how lanes follow the backlog.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use paimon_format::CommitKind;
use tributary_runtime::{Classify, FailureKind, MemoryBudget, SplitId};
use tributary_sink::SinkState;
use tributary_testkit::{Fault, Op};

use crate::harness::{EveryNth, World, pass, seconds};

#[tokio::test(start_paused = true)]
async fn a_bounded_source_ends_with_every_row_committed() {
    let world = World::new().await;
    let mut sink = world.start().await;
    for _ in 0..7 {
        sink.send(100).await.unwrap();
    }
    let handle = sink.handle.clone();
    let finished = sink.finish().await.unwrap();
    assert_eq!(finished.rows_committed, 700);
    assert_eq!(world.check().await.get(SplitId(0)).0, 700);
    let latest = world.latest().await;
    assert_eq!((latest.id, latest.total_record_count), (finished.snapshot, 700));
    let pin = paimon_table::consumer::read(&world.table, crate::harness::USER).await.unwrap();
    assert_eq!(pin, Some(finished.snapshot), "the pin is moved at the end");
    assert_eq!(handle.progress().report().state, SinkState::Finished);
}

#[tokio::test(start_paused = true)]
async fn the_first_epoch_is_short_and_the_next_ones_follow_the_interval() {
    let world = World::new().await;
    let mut sink = world.start().await;
    let start = tokio::time::Instant::now();
    let mut commits = Vec::new();
    let mut acked = sink.handle.acked();
    for _ in 0..320 {
        sink.send(10).await.unwrap();
        pass(Duration::from_millis(100)).await;
        if acked.has_changed().unwrap() {
            acked.borrow_and_update();
            commits.push(start.elapsed().as_millis() / 100 * 100);
        }
    }
    assert_eq!(commits, [600, 10_600, 20_600, 30_600]);
    sink.finish().await.unwrap();
    world.check().await;
}

#[tokio::test(start_paused = true)]
async fn at_a_low_rate_an_epoch_makes_one_file_per_partition() {
    let mut world = World::new().await;
    world.partitions = 3;
    let mut sink = world.start().await;
    for _ in 0..600 {
        sink.send(5).await.unwrap();
        pass(Duration::from_millis(50)).await;
    }
    sink.finish().await.unwrap();
    world.check().await;
    let appends = world.snapshots().await.into_iter().filter(|snapshot| snapshot.delta_record_count > 0).count();
    let mut files: BTreeMap<_, usize> = BTreeMap::new();
    for file in world.files().await {
        *files.entry(file.partition).or_default() += 1;
    }
    assert_eq!(files.into_values().collect::<Vec<_>>(), [appends; 3]);
}

#[tokio::test(start_paused = true)]
async fn lanes_open_under_backlog_and_close_with_the_epoch() {
    let mut world = World::new().await;
    // A channel of 64 KiB holds a few batches of 100 rows.
    world.budget = MemoryBudget::new(1 << 20);
    world.config.seal_rows = Some(20_000);
    let mut sink = world.start().await;
    for _ in 0..400 {
        sink.send(100).await.unwrap();
    }
    sink.finish().await.unwrap();
    world.check().await;
    let most = world.files().await.len();
    assert!(most > 4, "one thread feeds faster than it writes, so further lanes opened: {most} files");

    let calm = world.process(1).await;
    let mut sink = calm.start().await;
    sink.send(100).await.unwrap();
    sink.finish().await.unwrap();
    assert_eq!(calm.files().await.len(), most + 1);
}

#[tokio::test(start_paused = true)]
async fn rows_and_bytes_seal_before_the_interval() {
    for (rows, bytes) in [(Some(1_000), None), (None, Some(200_000))] {
        let mut world = World::new().await;
        world.config.seal_rows = rows;
        world.config.seal_bytes = bytes;
        world.config.parallelism = NonZeroUsize::MIN;
        let mut sink = world.start().await;
        for _ in 0..50 {
            sink.send(100).await.unwrap();
            pass(Duration::from_millis(1)).await;
        }
        sink.finish().await.unwrap();
        world.check().await;
        let appends = world.snapshots().await.iter().filter(|snapshot| snapshot.delta_record_count > 0).count();
        assert!((4..=8).contains(&appends), "{rows:?} {bytes:?}: {appends}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_quiet_source_commits_nothing_and_stays_ready() {
    let world = World::new().await;
    let sink = world.start().await;
    let claim = world.latest().await.id;
    pass(seconds(3_600)).await;
    assert_eq!(world.latest().await.id, claim);
    assert_eq!(sink.handle.progress().ready(), Ok(()));
    sink.finish().await.unwrap();
    assert_eq!(world.latest().await.id, claim);
}

#[tokio::test(start_paused = true)]
async fn positions_without_rows_are_committed_once_a_minute_and_at_the_end() {
    let mut world = World::new().await;
    world.transform = Arc::new(EveryNth(1_000_000));
    let mut sink = world.start().await;
    for _ in 0..300 {
        sink.send(10).await.unwrap();
        pass(seconds(1)).await;
    }
    let moved = world.latest().await.id.0 - 1;
    assert!((4..=5).contains(&moved), "{moved} commits in 300 s");
    assert_eq!(sink.handle.progress().ready(), Ok(()));
    let finished = sink.finish().await.unwrap();
    assert_eq!(finished.rows_committed, 0);
    let state = world.state().await.unwrap();
    assert_eq!(state.positions().get(SplitId(0)).0, 3_000);
    assert_eq!(world.files().await.len(), 0);
    assert!(world.snapshots().await.iter().all(|snapshot| snapshot.commit_kind == CommitKind::Append));
}

#[tokio::test(start_paused = true)]
async fn rows_that_follow_carry_the_positions_that_waited() {
    let mut world = World::new().await;
    world.transform = Arc::new(EveryNth(100));
    let mut sink = world.start().await;
    for _ in 0..100 {
        sink.send(1).await.unwrap();
        pass(seconds(1)).await;
    }
    sink.finish().await.unwrap();
    let state = world.state().await.unwrap();
    assert_eq!(state.positions().get(SplitId(0)).0, 100);
    assert_eq!(world.ids().await, [100]);
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_on_request_answers_with_the_snapshot() {
    let world = World::new().await;
    let mut sink = world.start().await;
    pass(seconds(2)).await;
    let claim = world.latest().await.id;
    assert_eq!(sink.handle.checkpoint().await.unwrap(), claim, "nothing to commit");
    sink.send(10).await.unwrap();
    pass(Duration::from_millis(1)).await;
    let snapshot = sink.handle.checkpoint().await.unwrap();
    assert_eq!(snapshot.0, claim.0 + 1);
    world.check().await;
    sink.finish().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn sealing_does_not_wait_for_a_slow_commit_and_slow_commits_make_larger_epochs() {
    let mut world = World::new().await;
    world.config.checkpoint_interval = seconds(1);
    let mut sink = world.start().await;
    let slow = |call: &tributary_testkit::Call| match call.op {
        Op::Create if call.path.as_ref().contains("snapshot-") => Fault::Delay(seconds(3)),
        _ => Fault::None,
    };
    world.store.set_plan(slow);
    let start = tokio::time::Instant::now();
    for _ in 0..600 {
        sink.send(1).await.unwrap();
        pass(Duration::from_millis(100)).await;
    }
    assert!(start.elapsed() < seconds(61), "the source never waited: {:?}", start.elapsed());
    sink.finish().await.unwrap();
    world.check().await;
    let appends = world.snapshots().await.len();
    assert!((15..=26).contains(&appends), "one commit in three seconds: {appends}");
}

#[tokio::test(start_paused = true)]
async fn a_file_rolls_at_its_target_size() {
    let mut world = World::with_options(&[("target-file-size", "64 kb")]).await;
    world.config.parallelism = NonZeroUsize::MIN;
    let mut sink = world.start().await;
    for _ in 0..40 {
        sink.send(100).await.unwrap();
    }
    sink.finish().await.unwrap();
    world.check().await;
    let sizes: Vec<_> = world.files().await.iter().map(|file| file.file.file_size).collect();
    assert!(sizes.len() > 2 && sizes.iter().all(|size| *size < 128 << 10), "{sizes:?}");
}

#[tokio::test(start_paused = true)]
async fn a_source_that_skips_or_repeats_stops_the_pipeline() {
    let world = World::new().await;
    let mut sink = world.start().await;
    sink.send(10).await.unwrap();
    sink.sent = [(SplitId(0), tributary_runtime::Position(5))].into_iter().collect();
    let _ = sink.send(10).await;
    let error = sink.ended().await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Corrupt);
    assert_eq!(
        error.to_string(),
        "the source broke its chain of positions: split 0 (5, 15] overlaps: the split is already at 10"
    );
    world.check().await;
}
