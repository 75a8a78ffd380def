//! The hour that the daemon and Flink are writing is compacted meanwhile, through our catalog server: every row stays.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use super::lake::{self, FIRST, Lake, Load, TABLE};

const LOAD: Load = Load::of(20_000, 10);

/// How often the hour is ordered.
const RUNS: usize = 3;

#[test]
fn ordering_the_live_hour_loses_no_row() {
    let Some(lake) = Lake::start("ordered") else { return };
    let flink = lake.flink(LOAD);
    lake.wait_for_writers(1, FIRST);
    // Until it is stopped: Flink starts slowly, and ends late.
    let daemon = lake.daemon(Load::of(20_000, 100_000), "1 s");
    (0..RUNS).fold(FIRST, |newest, _| order(&lake, newest));
    while lake.streams(&flink) {
        std::thread::sleep(Duration::from_millis(50)); // the pause of a poll
    }
    let log = daemon.stop();
    lake.assert_every_row_once(&[("flink", LOAD.rows), ("ours", rows_of(&log)), ("pypaimon", lake::ROWS)]);
    assert_rewritten(&lake);
    lake.stop(&log);
}

#[test]
fn merging_and_expiry_of_the_live_hour_lose_no_row() {
    let Some(lake) = Lake::start("merged") else { return };
    let mut daemon = lake.daemon(LOAD, "500 ms");
    let flink = lake.flink(LOAD);
    let mut log = String::new();
    let (mut merged, mut deleted) = (0, 0);
    while lake.streams(&flink) {
        let said =
            lake.tributary(&["compact", "--table", TABLE, "--partitions", "hh=9", "--compact-strategy", "minor"]);
        merged += u64::from(!said.ends_with("snapshots: none\n"));
        // What a job pins while it runs may go when it is started again.
        if merged == 2 && log.is_empty() {
            log = daemon.stop();
            daemon = lake.daemon(LOAD, "500 ms");
        }
        // Flink needs the snapshot it plans its commit on for as long as that takes.
        let expired = lake.table("expire-snapshots", &["--retain-min", "1", "--retain-max", "15"]);
        deleted += expired[0]["deleted_data_files"].as_u64().unwrap();
    }
    log.push_str(&lake::log_of(daemon));
    lake.assert_every_row_once(&[("flink", LOAD.rows), ("ours", LOAD.rows), ("pypaimon", lake::ROWS)]);
    assert!(merged >= 3 && deleted > 0, "merged {merged} times, {deleted} files were deleted");
    lake.stop(&log);
}

/// Orders the hour when both writers have committed to it after this snapshot; the snapshot it made.
fn order(lake: &Lake, after: u64) -> u64 {
    lake.wait_for_writers(2, after);
    let how = ["--order-strategy", "zorder", "--order-by", "id,category"];
    let said = lake.tributary(&[&["compact", "--table", TABLE, "--partitions", "hh=9"][..], &how].concat());
    let id = said.trim_end().rsplit("snapshots: ").next().and_then(|id| id.parse().ok());
    id.unwrap_or_else(|| panic!("not one snapshot: {said}"))
}

/// How many rows a stopped daemon says it has written.
fn rows_of(log: &str) -> u64 {
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut done = lines.filter(|line| line["message"] == "pipeline is done");
    done.next().and_then(|line| line["rows"].as_u64()).unwrap_or_else(|| panic!("no rows in {log}"))
}

/// Each run replaced files by others with the same rows, and nothing else did.
fn assert_rewritten(lake: &Lake) {
    let mut compactions = lake.table("snapshots", &[]);
    compactions.retain(|snapshot| snapshot["commit_kind"] != "APPEND");
    assert_eq!(compactions.len(), RUNS, "{compactions:?}");
    for compaction in compactions {
        assert_eq!((&compaction["commit_kind"], &compaction["delta_record_count"]), (&"COMPACT".into(), &0.into()));
        let id = compaction["snapshot_id"].as_u64().unwrap();
        let [before, after] = [id - 1, id].map(|id| {
            let files = lake.table("files", &["--snapshot", &id.to_string()]);
            files.iter().map(|file| file["file_path"].to_string()).collect::<BTreeSet<_>>()
        });
        let (read, written) = (before.difference(&after).count(), after.difference(&before).count());
        assert!(read >= 2 && written > 0, "{read} files became {written}");
    }
}
