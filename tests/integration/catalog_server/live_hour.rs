//! The hour that the daemon and Flink are writing is compacted meanwhile, through our catalog server: every row stays.

use super::lake::{self, Lake, Load, TABLE};

const LOAD: Load = Load::of(20_000, 10);

#[test]
fn merging_and_expiry_of_the_live_hour_lose_no_row() {
    let Some(lake) = Lake::start("merged") else { return };
    let mut daemon = lake.daemon(LOAD);
    let flink = lake.flink(LOAD);
    let mut log = String::new();
    let (mut merged, mut deleted) = (0, 0);
    while lake.streams(&flink) {
        let said = lake.tributary(&["compact", "--table", TABLE, "--partitions", "hh=9"]);
        merged += u64::from(!said.ends_with("snapshots: none\n"));
        // What a job pins while it runs may go when it is started again.
        if merged == 2 && log.is_empty() {
            log = daemon.stop();
            daemon = lake.daemon(LOAD);
        }
        let expired = lake.table("expire-snapshots", &["--retain-min", "1", "--retain-max", "3"]);
        deleted += expired[0]["deleted_data_files"].as_u64().unwrap();
    }
    log.push_str(&lake::log_of(daemon));
    lake.assert_every_row_once(&[("flink", LOAD.rows), ("ours", LOAD.rows), ("pypaimon", lake::ROWS)]);
    assert!(merged >= 3 && deleted > 0, "merged {merged} times, {deleted} files were deleted");
    lake.stop(&log);
}
