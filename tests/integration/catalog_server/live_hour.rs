//! The hour that the daemon and Flink are writing is compacted meanwhile, through our catalog server: every row stays.

use std::collections::BTreeSet;
use std::time::Instant;

use serde_json::Value;
use tributary_tests::daemon::Daemon;

use super::lake::{self, FIRST, Lake, Load, TABLE};

/// Flink's: it starts slowly, and ends late.
const LOAD: Load = Load::of(20_000, 10);

/// The daemon's, until it is stopped: as fast as Flink, and so slowly that it does not outgrow a compactor on a slow machine.
const UNENDING: Load = Load::of(20_000, 100_000);
const SLOW: Load = Load::of(5_000, 100_000);

/// How often the hour is ordered.
const RUNS: usize = 3;

/// Both in one compactor: a table has one run at a time. Two files are enough to merge, because what one policy leaves is
/// all that the other finds.
const REWRITES: &str = r#"
[[compactor.policy]]
action = "CALL sys.compact(table => 'db.shared', partitions => 'hh=9', compact_strategy => 'minor', options => 'compaction.min.file-num=2')"
interval = "300 ms"
[[compactor.policy]]
action = "CALL sys.compact(table => 'db.shared', partitions => 'hh=9', order_strategy => 'zorder', order_by => 'id,category')"
interval = "300 ms"
"#;

/// In another one, at any time. Flink needs the snapshot it plans its commit on for as long as that takes.
const EXPIRY: &str = r#"
[[compactor.policy]]
table = "db.shared"
action = "expire_snapshots"
retain_min = 1
older_than = "15 s"
interval = "300 ms"
"#;

#[test]
fn ordering_the_live_hour_loses_no_row() {
    let Some(lake) = Lake::start("ordered") else { return };
    let flink = lake.flink(LOAD);
    lake.wait_for_writers(1, FIRST);
    let daemon = lake.daemon(UNENDING, "1 s");
    let first = order(&lake, FIRST);
    let begin = Instant::now();
    let last = (1..RUNS).fold(first, |newest, _| order(&lake, newest));
    let took = begin.elapsed();
    lake.wait_for_end(&flink);
    let log = daemon.stop();
    lake.assert_every_row_once(&[("flink", LOAD.rows), ("ours", rows_of(&log)), ("pypaimon", lake::ROWS)]);
    let snapshots = assert_rewritten(&lake);
    let total = |id: u64| snapshots[id as usize - 1]["total_record_count"].as_f64().unwrap();
    // What a machine reaches is no reason to fail.
    println!("{:.0} rows/s came while the hour was ordered", (total(last) - total(first)) / took.as_secs_f64());
    lake.stop(&log);
}

#[test]
fn merging_ordering_and_expiry_of_the_live_hour_at_once_lose_no_row() {
    let Some(lake) = Lake::start("merged") else { return };
    let flink = lake.flink(LOAD);
    let daemon = lake.daemon(SLOW, "500 ms");
    lake.wait_for_writers(2, FIRST);
    let mut compactor = lake.compactor("rewrites.toml", REWRITES);
    let mut expiry = lake.compactor("expiry.toml", EXPIRY);
    rewrites(&mut compactor, 1);
    // What a job pins while it runs may go when it is started again.
    let mut logs = vec![daemon.stop()];
    let daemon = lake.daemon(SLOW, "500 ms");
    let replaced = rewrites(&mut compactor, RUNS);
    // Snapshots that had files from before a rewrite are gone, and the files with them.
    runs(&mut expiry, |done| {
        done.iter().any(|run| run["report"]["earliest_snapshot"].as_u64() > Some(replaced)).then_some(())
    });
    lake.wait_for_end(&flink);
    logs.extend([daemon, compactor, expiry].map(Daemon::stop));
    let ours = rows_of(&logs[0]) + rows_of(&logs[1]);
    lake.assert_every_row_once(&[("flink", LOAD.rows), ("ours", ours), ("pypaimon", lake::ROWS)]);
    lake.stop(&logs.concat());
}

/// The runs of a compactor that did something, once they are accepted.
fn runs<T>(compactor: &mut Daemon, accept: impl Fn(&[Value]) -> Option<T>) -> T {
    compactor.poll("/runs?limit=1000", |answer| {
        let answer: Value = serde_json::from_str(&answer.body).ok()?;
        let mut done = answer["runs"].as_array()?.clone();
        done.retain(|run| run["status"] == "succeeded");
        accept(&done)
    })
}

/// Waits for so many runs that merged files, and as many that ordered them; the snapshot of the first.
fn rewrites(compactor: &mut Daemon, least: usize) -> u64 {
    runs(compactor, |done| {
        let ordered = done.iter().filter(|run| run["arguments"]["order_strategy"] == "zorder").count();
        let enough = ordered >= least && done.len() - ordered >= least;
        enough.then(|| done.iter().filter_map(|run| run["report"]["snapshots"][0].as_u64()).min().unwrap())
    })
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

/// Each run replaced files by others with the same rows, both writers' rows came between two runs, and nobody else replaced
/// anything. All snapshots.
fn assert_rewritten(lake: &Lake) -> Vec<Value> {
    let snapshots = lake.table("snapshots", &[]);
    let rows = |snapshot: &Value| snapshot["delta_record_count"].as_u64().unwrap();
    let pieces: Vec<&[Value]> = snapshots.split_inclusive(|snapshot| snapshot["commit_kind"] != "APPEND").collect();
    assert_eq!(pieces.len(), RUNS + 1, "{snapshots:?}");
    assert!(pieces[RUNS].iter().any(|append| rows(append) > 0), "nobody wrote after the last run");
    for piece in &pieces[..RUNS] {
        let (compaction, appends) = piece.split_last().unwrap();
        assert_eq!((&compaction["commit_kind"], rows(compaction)), (&"COMPACT".into(), 0));
        let writers = appends.iter().filter(|append| rows(append) > 0).map(|append| append["commit_user"].as_str());
        assert!(writers.collect::<BTreeSet<_>>().len() >= 2, "{piece:?}");
        let id = compaction["snapshot_id"].as_u64().unwrap();
        let [before, after] = [id - 1, id].map(|id| {
            let files = lake.table("files", &["--snapshot", &id.to_string()]);
            files.iter().map(|file| file["file_path"].to_string()).collect::<BTreeSet<_>>()
        });
        let (read, written) = (before.difference(&after).count(), after.difference(&before).count());
        assert!(read >= 2 && written > 0, "{read} files became {written}");
    }
    snapshots
}
