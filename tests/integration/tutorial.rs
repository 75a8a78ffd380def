//! The tutorial's job, verbatim: a newcomer's first minute.

use std::collections::BTreeSet;
use std::path::Path;

use tributary_tests::daemon::Daemon;
use tributary_tests::{Scratch, binary, pypaimon, root};

const TABLE: &str = "test_paimon_db.test_append_tbl";

/// The tutorial's job with a short checkpoint interval, in a folder of its own; its warehouse lies beside it.
fn tutorial(scratch: &Scratch, settings: &str) -> std::path::PathBuf {
    let job = std::fs::read_to_string(root().join("config/tutorial.sql")).unwrap();
    scratch.file("tutorial.sql", &format!("{settings}\n{job}"))
}

#[test]
fn fills_a_table_that_pypaimon_reads_while_it_runs() {
    let scratch = Scratch::new();
    let job = tutorial(&scratch, "SET 'execution.checkpointing.interval' = '300 ms';");
    let mut daemon = Daemon::start(&job, &[]);
    daemon.wait_for_rows(20);
    let warehouse = scratch.warehouse();
    if pypaimon::available() {
        let early = pypaimon::count(&warehouse, TABLE);
        assert!(early >= 20, "{early} rows read, at least 20 were committed");
        daemon.wait_for_rows(early + 50);
        assert!(pypaimon::count(&warehouse, TABLE) >= early + 50);
    }
    daemon.stop();

    let rows = binary::count(&warehouse, TABLE);
    assert!(rows >= 20);
    if pypaimon::available() {
        let ids = pypaimon::texts(&warehouse, TABLE, "id");
        assert_eq!(ids.len() as u64, rows);
        assert!(ids.iter().all(|id| id.len() == 100 && id.bytes().all(|b| b.is_ascii_hexdigit())));
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len() as u64, rows, "every id is there once");
        for (ts, (dt, hh)) in pypaimon::texts(&warehouse, TABLE, "ts")
            .iter()
            .zip(pypaimon::texts(&warehouse, TABLE, "dt").iter().zip(&pypaimon::texts(&warehouse, TABLE, "hh")))
        {
            // 2026-11-22 09:04:05.123 lies in dt=2026-11-22, hh=9: Flink's spelling of CAST(BIGINT AS STRING).
            assert_eq!(&ts[..10], dt);
            assert_eq!(ts[11..13].parse::<u32>().unwrap(), hh.parse::<u32>().unwrap());
            assert!(!(hh.len() == 2 && hh.starts_with('0')), "{hh}");
        }
    }
}

#[test]
fn an_epoch_at_low_rate_makes_one_file_per_partition() {
    let scratch = Scratch::new();
    let job = tutorial(&scratch, "SET 'execution.checkpointing.interval' = '200 ms';");
    let mut daemon = Daemon::start(&job, &[]);
    daemon.wait_for_rows(100);
    daemon.stop();
    let warehouse = scratch.warehouse();
    let files = binary::succeed(&["table", "files", TABLE, "--warehouse", &warehouse, "--format", "csv"]);
    let snapshots = binary::succeed(&["table", "snapshots", TABLE, "--warehouse", &warehouse, "--format", "csv"]);
    let partitions = folders(&scratch.path(&format!("warehouse/{}", "test_paimon_db.db/test_append_tbl")));
    // Each line but the header; the claim has no file; an hour that ends meanwhile splits one epoch in two.
    let (files, snapshots) = (files.lines().count() - 1, snapshots.lines().count() - 1);
    assert!(files < snapshots + partitions, "{files} files in {snapshots} snapshots and {partitions} partitions");
    assert!(files >= 2, "{files} files: more than one epoch was asked for");
}

/// The hours' folders below a table's folder.
fn folders(table: &Path) -> usize {
    let children =
        |path: &Path| -> Vec<_> { std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect() };
    let dates =
        children(table).into_iter().filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("dt="));
    dates.map(|date| children(&date).len()).sum()
}

#[test]
fn a_second_start_goes_on_where_the_first_stopped() {
    let scratch = Scratch::new();
    let job = tutorial(&scratch, "SET 'execution.checkpointing.interval' = '200 ms';");
    let mut first = Daemon::start(&job, &[]);
    first.wait_for_rows(20);
    first.stop();
    let before = binary::count(&scratch.warehouse(), TABLE);
    let mut second = Daemon::start(&job, &[]);
    second.wait_for_rows(20);
    second.stop();
    let after = binary::count(&scratch.warehouse(), TABLE);
    assert!(after >= before + 20);
    if pypaimon::available() {
        let ids = pypaimon::texts(&scratch.warehouse(), TABLE, "id");
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len() as u64, after, "no id came twice");
    }
}
