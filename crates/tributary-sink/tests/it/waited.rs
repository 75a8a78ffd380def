//! A catalog that is down for so long that an orphan sweep takes what was to be committed.

use std::sync::Arc;
use std::time::Duration;

use object_store::ObjectStoreExt;
use paimon_table::orphans::{DEFAULT_OLDER_THAN, OrphanPolicy, remove_orphans};
use tributary_runtime::{Classify, Drain, Env, FailureKind, SplitId};
use tributary_sink::SinkError;
use tributary_testkit::{Fault, ManualClock};

use crate::harness::*;

impl World {
    /// How many data files a sweep takes that runs this long after the table was created.
    async fn sweep(&self, after: Duration, older_than: Duration) -> usize {
        let table = &self.process(2).await.table;
        let storage = table.storage();
        let stored = storage.store.head(&storage.path("schema/schema-0")).await.unwrap().last_modified;
        let now = stored.timestamp_millis() + after.as_millis() as i64;
        let env = Env { clock: Arc::new(ManualClock::new(now)), ..self.env.clone() };
        let policy = OrphanPolicy { older_than, delete: true };
        let report = remove_orphans(table, &policy, &env, &Drain::new()).await.unwrap();
        report.orphans.iter().filter(|orphan| orphan.path.contains("/bucket-0/")).count()
    }
}

/// F24, as far as it is about long checkpoints.
#[tokio::test(start_paused = true)]
async fn files_that_a_sweep_may_have_taken_are_not_committed_but_written_again() {
    // Hours without a commit; the age of what a sweep takes then; what is said of it.
    let half_a_day = DEFAULT_OLDER_THAN / 2;
    for (hours, older_than, given_up) in [
        (5, DEFAULT_OLDER_THAN, None),
        (13, DEFAULT_OLDER_THAN, None),
        (13, half_a_day, Some("is gone")),
        (21, DEFAULT_OLDER_THAN, Some("may be deleted")),
        (25, DEFAULT_OLDER_THAN, Some("may be deleted")),
    ] {
        let world = World::new().await;
        let mut sink = world.start().await;
        sink.send(100).await.unwrap();
        pass(seconds(20)).await;
        world.store.set_plan(|call| match call.path.as_ref().contains("/snapshot/") {
            true => Fault::ErrorBefore,
            false => Fault::None,
        });
        sink.send(100).await.unwrap();
        pass(seconds(hours * 3600)).await;
        let taken = world.sweep(seconds(hours * 3600), older_than).await;
        assert_eq!(taken, usize::from(seconds(hours * 3600) > older_than), "{hours} h");
        world.store.set_plan(|_| Fault::None);
        let ended = sink.finish().await;
        world.check().await;
        match given_up {
            None => assert_eq!(ended.unwrap().rows_committed, 200),
            Some(why) => {
                let error = ended.unwrap_err();
                assert!(matches!(error, SinkError::WaitedTooLong { .. }) && error.to_string().contains(why), "{error}");
                // So the pipeline starts again, from what is committed.
                assert_eq!(error.kind(), FailureKind::Transient);
                let again = world.process(1).await;
                let mut sink = again.start().await;
                assert_eq!(sink.sent.get(SplitId(0)).0, 100);
                sink.send(100).await.unwrap();
                sink.finish().await.unwrap();
            }
        }
        assert_eq!(world.check().await.get(SplitId(0)).0, 200);
    }
}
