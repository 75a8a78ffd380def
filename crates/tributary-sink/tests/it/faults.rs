//! A store that fails, and stopping in time.

use std::sync::Arc;
use std::time::Duration;

use tributary_runtime::{Classify, FailureKind, SplitId};
use tributary_sink::SinkState;
use tributary_testkit::{Call, Fault, Op};

use crate::harness::{World, pass, seconds};

const DEADLINE: Duration = Duration::from_secs(25);

fn is_write(call: &Call) -> bool {
    matches!(call.op, Op::Put | Op::Create | Op::StartMultipart | Op::PutPart | Op::CompleteMultipart)
}

fn is_snapshot(call: &Call) -> bool {
    call.op == Op::Create && call.path.as_ref().contains("/snapshot-")
}

fn is_data(call: &Call) -> bool {
    is_write(call) && call.path.as_ref().contains("/bucket-0/")
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_an_hour_holds_the_source_and_loses_nothing() {
    let mut world = World::new().await;
    world.budget = tributary_runtime::MemoryBudget::new(4 << 20);
    let mut sink = world.start().await;
    sink.send(100).await.unwrap();
    pass(seconds(1)).await;
    let progress = sink.handle.progress();
    assert_eq!(progress.ready(), Ok(()));

    world.store.set_plan(|call| if is_write(call) { Fault::ErrorBefore } else { Fault::None });
    let outage = tokio::time::Instant::now();
    let mut sent = 1;
    while outage.elapsed() < seconds(3_600) {
        let sending = tokio::time::timeout(seconds(1), sink.send(1_000)).await;
        match sending {
            Ok(done) => {
                done.unwrap();
                sent += 1;
                pass(seconds(1)).await;
            }
            // The scripted source counts what it tried to send; the sink did not take it.
            Err(_) => break,
        }
    }
    assert!(sent < 3_600, "the source waits at the bound: {sent}");
    let report = progress.report();
    assert_eq!(report.state, SinkState::Retrying);
    assert!(report.memory_used <= report.memory_limit + (1 << 20), "{} of {}", report.memory_used, report.memory_limit);
    assert!(progress.ready().unwrap_err().contains("failures in a row"), "{:?}", progress.ready());
    pass(seconds(3_600)).await;

    world.store.set_plan(|_| Fault::None);
    pass(seconds(60)).await;
    assert_eq!(progress.ready(), Ok(()));
    sink.finish().await.unwrap();
    assert!(world.check().await.get(SplitId(0)).0 > 1_000);
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_is_found_and_not_repeated() {
    for matches in [is_snapshot as fn(&Call) -> bool, is_data] {
        let world = World::new().await;
        let mut sink = world.start().await;
        let mut lost = 0;
        world.store.set_plan(move |call| {
            if matches(call) && lost < 3 {
                lost += 1;
                return Fault::ErrorAfter;
            }
            Fault::None
        });
        for _ in 0..5 {
            sink.send(100).await.unwrap();
            pass(seconds(10)).await;
        }
        let finished = sink.finish().await.unwrap();
        assert_eq!(world.check().await.get(SplitId(0)).0, 500);
        assert_eq!(finished.rows_committed, 500);
    }
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_stop_at_once() {
    let world = World::new().await;
    let mut sink = world.start().await;
    let progress = sink.handle.progress();
    world.store.set_plan(|call| if is_write(call) { Fault::Denied } else { Fault::None });
    let start = tokio::time::Instant::now();
    sink.send(100).await.unwrap();
    let error = sink.ended().await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Auth, "{error}");
    assert!(start.elapsed() < seconds(1));
    assert_eq!(progress.report().state, SinkState::Failed);
    assert!(progress.ready().unwrap_err().starts_with("stopped: "));
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_at_the_start_say_so() {
    let world = World::new().await;
    world.store.set_plan(|_| Fault::Denied);
    assert_eq!(world.open().await.err().unwrap().kind(), FailureKind::Auth);
}

#[tokio::test(start_paused = true)]
async fn a_start_waits_for_the_store() {
    let world = World::new().await;
    world.store.set_plan(|_| Fault::ErrorBefore);
    let store = world.store.clone();
    let (open, ()) = futures::join!(world.open(), async {
        pass(seconds(120)).await;
        store.set_plan(|_| Fault::None);
    });
    let mut sink = world.run(open.unwrap());
    sink.send(10).await.unwrap();
    sink.finish().await.unwrap();
    world.check().await;
}

#[tokio::test(start_paused = true)]
async fn a_drain_commits_what_was_received() {
    let world = World::new().await;
    let mut sink = world.start().await;
    pass(seconds(2)).await;
    sink.send(100).await.unwrap();
    sink.send(100).await.unwrap();
    world.drain.request(DEADLINE);
    assert!(sink.send(100).await.is_err());
    let finished = sink.ended().await.unwrap();
    assert_eq!(finished.rows_committed, 200);
    assert_eq!(world.check().await.get(SplitId(0)).0, 200);
    let pin = paimon_table::consumer::read(&world.table, crate::harness::USER).await.unwrap();
    assert_eq!(pin, Some(finished.snapshot));
}

#[tokio::test(start_paused = true)]
async fn a_drain_that_cannot_commit_ends_at_its_deadline() {
    let world = World::new().await;
    let mut sink = world.start().await;
    pass(seconds(2)).await;
    world.store.set_plan(|call| if is_write(call) { Fault::ErrorBefore } else { Fault::None });
    sink.send(100).await.unwrap();
    let start = tokio::time::Instant::now();
    world.drain.request(DEADLINE);
    let error = sink.ended().await.unwrap_err();
    assert_eq!(start.elapsed().as_secs(), 25);
    assert_eq!((error.kind(), error.kind().exit_code()), (FailureKind::NotDrained, 7));
    assert_eq!(
        error.to_string(),
        "stopped before everything was committed: 100 rows will be read again at the next start"
    );
    world.store.set_plan(|_| Fault::None);
    world.check().await;
}

#[tokio::test(start_paused = true)]
async fn a_drain_after_an_outage_does_not_wait_as_long_as_the_outage_taught() {
    for fails in [is_snapshot as fn(&Call) -> bool, is_data] {
        let world = World::new().await;
        let mut sink = world.start().await;
        world.store.set_plan(move |call| if fails(call) { Fault::ErrorBefore } else { Fault::None });
        sink.send(100).await.unwrap();
        // Until right after a try, when the next one is far away.
        pass(seconds(900)).await;
        let tries = world.store.call_count();
        while world.store.call_count() == tries {
            pass(Duration::from_millis(10)).await;
        }
        world.store.set_plan(|_| Fault::None);
        let start = tokio::time::Instant::now();
        world.drain.request(DEADLINE);
        assert_eq!(sink.ended().await.unwrap().rows_committed, 100);
        assert!(start.elapsed() < seconds(1), "{:?}", start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_pin_that_cannot_be_moved_does_not_make_a_drain_fail() {
    let world = World::new().await;
    let mut sink = world.start().await;
    sink.send(100).await.unwrap();
    world.store.set_plan(|call| if call.path.as_ref().contains("/consumer/") { Fault::Hang } else { Fault::None });
    world.drain.request(DEADLINE);
    assert_eq!(sink.ended().await.unwrap().rows_committed, 100);
    world.store.set_plan(|_| Fault::None);
    world.check().await;
}

#[tokio::test(start_paused = true)]
async fn a_second_request_stops_at_once() {
    let world = World::new().await;
    let mut sink = world.start().await;
    pass(seconds(2)).await;
    let hold = world.store.hold(is_snapshot);
    sink.send(100).await.unwrap();
    world.drain.request(DEADLINE);
    hold.arrived(1).await;
    let start = tokio::time::Instant::now();
    world.drain.request(DEADLINE);
    assert_eq!(sink.ended().await.unwrap_err().kind(), FailureKind::NotDrained);
    assert_eq!(start.elapsed(), Duration::ZERO);
    hold.release();
    world.check().await;
}

#[tokio::test(start_paused = true)]
async fn a_large_file_that_fails_midway_is_replayed() {
    let mut world = World::new().await;
    world.budget = tributary_runtime::MemoryBudget::new(64 << 20);
    world.config.parallelism = std::num::NonZeroUsize::MIN;
    let mut sink = world.start().await;
    world.store.set_plan(|call| match call.op {
        Op::PutPart => Fault::ErrorBefore,
        _ => Fault::None,
    });
    while sink.send(8_000).await.is_ok() {}
    let error = sink.ended().await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Transient, "{error}");
    world.check().await;

    let again = world.process(1).await;
    let mut sink = again.start().await;
    while sink.sent.get(SplitId(0)).0 < 120_000 {
        sink.send(8_000).await.unwrap();
    }
    sink.finish().await.unwrap();
    assert_eq!(again.check().await.get(SplitId(0)).0, 120_000);
}

#[tokio::test(start_paused = true)]
async fn a_large_file_whose_last_reply_is_lost_is_looked_for() {
    for (fault, arrives) in [(Fault::ErrorAfter, true), (Fault::ErrorBefore, false)] {
        let mut world = World::new().await;
        world.config.parallelism = std::num::NonZeroUsize::MIN;
        let mut sink = world.start().await;
        world.store.set_plan(move |call| if call.op == Op::CompleteMultipart { fault } else { Fault::None });
        while sink.sent.get(SplitId(0)).0 < 120_000 {
            sink.send(8_000).await.unwrap();
        }
        let ended = sink.finish().await;
        assert!(world.store.calls().iter().any(|call| call.op == Op::CompleteMultipart));
        match arrives {
            true => assert_eq!(ended.unwrap().rows_committed, 120_000),
            false => assert_eq!(ended.unwrap_err().kind(), FailureKind::Transient),
        }
        world.check().await;
    }
}

#[tokio::test(start_paused = true)]
async fn positions_are_acknowledged_after_their_commit() {
    let world = World::new().await;
    let mut sink = world.start().await;
    let acked = sink.handle.acked();
    let hold = world.store.hold(is_snapshot);
    sink.send(100).await.unwrap();
    hold.arrived(1).await;
    assert_eq!(acked.borrow().get(SplitId(0)).0, 0);
    hold.release();
    sink.finish().await.unwrap();
    assert_eq!(acked.borrow().get(SplitId(0)).0, 100);
}

#[tokio::test(start_paused = true)]
async fn a_row_that_does_not_fit_stops_the_pipeline() {
    struct Never;
    impl tributary_sink::RowTransform for Never {
        fn apply(
            &self,
            _rows: &arrow::array::RecordBatch,
            _at_millis: i64,
        ) -> Result<arrow::array::RecordBatch, tributary_sink::TransformError> {
            Err(tributary_sink::TransformError::new("column `id`: `x` is no BIGINT"))
        }
    }
    let mut world = World::new().await;
    world.transform = Arc::new(Never);
    let mut sink = world.start().await;
    sink.send(1).await.unwrap();
    let error = sink.ended().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (FailureKind::Usage, "evaluating the select: column `id`: `x` is no BIGINT")
    );
}
