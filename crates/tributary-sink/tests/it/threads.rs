//! The same with real threads and real time.

use std::num::NonZeroUsize;
use std::time::Duration;

use tributary_runtime::{Env, SplitId};

use crate::harness::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn threads_and_real_time_change_nothing() {
    let mut world = World::new().await;
    world.env = Env::try_system(NonZeroUsize::new(2).unwrap()).unwrap();
    world.partitions = 3;
    world.config.checkpoint_interval = Duration::from_millis(100);
    let mut sink = world.start().await;
    for turn in 0..200 {
        sink.send_split(SplitId(turn % 2), 1_000).await.unwrap();
    }
    let finished = sink.finish().await.unwrap();
    assert_eq!(finished.rows_committed, 200_000);
    let positions = world.check().await;
    assert_eq!([0, 1].map(|split| positions.get(SplitId(split)).0), [100_000; 2]);
}
