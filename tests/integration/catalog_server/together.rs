//! The daemon, Flink and pypaimon append to one table in a bucket at the same time, commits decided by our server, while
//! Flink and Spark count.

use tributary_tests::flink::FLINK;
use tributary_tests::spark::SPARK;

use super::lake::{self, Lake, Load};

const OURS: Load = Load::of(20_000, 8);
const FLINKS: Load = Load::of(5_000, 7);

#[test]
fn three_writers_and_two_readers_share_a_table_in_a_bucket() {
    let Some(lake) = Lake::start("together") else { return };
    let daemon = lake.daemon(OURS, "500 ms");
    let flink = lake.flink(FLINKS);
    let (mut commits, mut pypaimons) = (1, 0);
    let mut counted = 0;
    while lake.streams(&flink) {
        pypaimons = lake.append(commits);
        let reader = if commits % 2 == 0 { &FLINK } else { &SPARK };
        let count = lake.count(reader);
        assert!(count > counted, "{} counts {count} rows after {counted}", reader.name());
        (commits, counted) = (commits + 1, count);
    }
    let log = lake::log_of(daemon);
    lake.assert_every_row_once(&[("flink", FLINKS.rows), ("ours", OURS.rows), ("pypaimon", pypaimons)]);
    let snapshots = lake.table("snapshots", &[]);
    let ours = |n: usize| snapshots[n]["commit_user"].as_str().unwrap().starts_with("tributary");
    let turns = (1..snapshots.len()).filter(|&n| ours(n) != ours(n - 1)).count();
    assert!(turns >= 10, "they did not write at the same time: {snapshots:?}");
    lake.stop(&log);
}
