//! F17: the wall clock steps back, forward, over midnight and over the end of summer time. Partitions follow each row's
//! own time; the rate and the checkpoints follow a clock that only runs forward.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, AsArray};
use object_store::ObjectStore;
use object_store::memory::InMemory;
use paimon_format::SnapshotId;
use tributary_runtime::{Clock, Env};
use tributary_testkit::{ManualClock, sim_env};
use tributary_tests::in_process;

const JOB: &str = "
SET 'execution.checkpointing.interval' = '500 ms';
SET 'table.local-time-zone' = 'Europe/Berlin';
CREATE TABLE sim.db.t (n BIGINT, ts STRING, dt STRING, hh STRING) PARTITIONED BY (dt, hh);
CREATE TEMPORARY TABLE numbers (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '100',
  'number-of-rows' = '1000', 'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '1000');
INSERT INTO sim.db.t SELECT n, CAST(LOCALTIMESTAMP AS STRING), CAST(CURRENT_DATE AS STRING),
  CAST(HOUR(LOCALTIMESTAMP) AS STRING) FROM numbers;
";

/// Where the clock is put each second, in Unix seconds, and the partition that the rows then belong to.
const STEPS: &[(i64, &str, &str)] = &[
    (1_792_879_200, "2026-10-25", "0"),  // 00:00 summer time
    (1_792_879_199, "2026-10-24", "23"), // a second back, into yesterday
    (1_792_886_400, "2026-10-25", "2"),  // 02:00 summer time
    (1_792_890_000, "2026-10-25", "2"),  // 02:00 again: summer time is over
    (1_792_893_600, "2026-10-25", "3"),
    (1_792_890_000, "2026-10-25", "2"), // an hour back
    (2_000_000_000, "2033-05-18", "5"), // years ahead
    (1_792_893_600, "2026-10-25", "3"), // and back
];

#[test]
fn rows_go_where_their_own_time_says_while_the_clock_steps() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let clock = ManualClock::new(STEPS[0].0 * 1_000);
        let env = Env { clock: Arc::new(clock.clone()) as Arc<dyn Clock>, ..sim_env(1, 0) };
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let stepping = async {
            for (second, ..) in STEPS {
                clock.set(second * 1_000);
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            std::future::pending::<()>().await;
        };
        let begin = tokio::time::Instant::now();
        tokio::select! {
            outcome = in_process::run(JOB, Arc::clone(&store), env.clone()) => outcome.unwrap(),
            () = stepping => unreachable!(),
        }
        let elapsed = begin.elapsed();
        assert!((Duration::from_secs(10)..Duration::from_secs(11)).contains(&elapsed), "1,000 rows took {elapsed:?}");

        let table = in_process::table(&store, "t", &env).await;
        let mut partitions = BTreeSet::new();
        let mut rows = 0;
        for batch in in_process::batches(&table, &env).await {
            let text = |name: &str| batch.column_by_name(name).unwrap().as_string::<i32>().clone();
            let (ts, dt, hh) = (text("ts"), text("dt"), text("hh"));
            for row in 0..batch.num_rows() {
                assert_eq!(&ts.value(row)[..10], dt.value(row));
                assert_eq!(ts.value(row)[11..13].parse::<u8>().unwrap(), hh.value(row).parse::<u8>().unwrap());
                partitions.insert((dt.value(row).to_owned(), hh.value(row).to_owned()));
            }
            rows += ts.len();
        }
        assert_eq!(rows, 1_000);
        let expected = STEPS.iter().map(|(_, dt, hh)| ((*dt).to_owned(), (*hh).to_owned())).collect();
        assert_eq!(partitions, expected);

        let latest = table.latest_snapshot().await.unwrap().unwrap();
        let mut before = 0;
        for id in 1..=latest.id.0 {
            let snapshot = table.snapshot(SnapshotId(id)).await.unwrap().unwrap();
            assert!(snapshot.time_millis >= before, "snapshot {id} is older than the one before it");
            before = snapshot.time_millis;
        }
        assert!(latest.id.0 >= 15, "{} snapshots in ten seconds of two commits each", latest.id.0);
    });
}
