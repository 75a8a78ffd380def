//! A catalog that is down for so long that an orphan sweep takes what was to be committed.

use object_store::{ObjectStoreExt, path::Path};
use tributary_runtime::{Classify, FailureKind, SplitId};
use tributary_sink::SinkError;
use tributary_testkit::{Fault, Op};

use crate::harness::*;

impl World {
    /// The data files there are, committed or not.
    fn written(&self) -> Vec<Path> {
        let is_data = |path: &Path| path.as_ref().contains("/bucket-0/");
        let puts = self.store.calls().into_iter().filter(|call| matches!(call.op, Op::Put | Op::Create));
        puts.map(|call| call.path).filter(is_data).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn files_that_a_sweep_may_have_taken_are_not_committed_but_written_again() {
    // Hours without a commit; whether the file goes meanwhile; what is said of it.
    for (hours, swept, given_up) in
        [(5, false, None), (13, false, None), (13, true, Some("is gone")), (21, false, Some("may be deleted"))]
    {
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
        let files = world.written();
        assert_eq!(files.len(), 2);
        if swept {
            world.store.inner().delete(&files[1]).await.unwrap();
        }
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
