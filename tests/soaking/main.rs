//! F33: what runs for long holds no more at the end than when it had warmed up. A daemon commits through a catalog
//! server to ever new partitions, a compactor merges and orders them and expires their snapshots, all are scraped; memory,
//! descriptors and metric series must stay flat. `tests/soak 30m` runs it; a plain `cargo test` does not.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::disallowed_methods)] // a soak is of real time

mod flat;

use std::time::{Duration, Instant};

use flat::Series;
use tributary_tests::daemon::Daemon;
use tributary_tests::{Scratch, binary, http};

/// Between two looks at the processes.
const PAUSE: Duration = Duration::from_millis(500);

/// What is watched, by its metric; how much it may grow by, as a share and in all. Allocators keep what was freed, so memory
/// moves a little; a request under way has a descriptor.
const WATCHED: &[(&str, f64, f64)] =
    &[("process_resident_memory_bytes", 0.05, 8.0 * 1024.0 * 1024.0), ("process_open_fds", 0.0, 8.0)];

/// Commits four times a second, to a new partition every ten seconds.
fn job(uri: &str) -> String {
    format!(
        "SET 'execution.checkpointing.interval' = '250 ms';
         CREATE CATALOG lake WITH ('type' = 'paimon', 'metastore' = 'rest', 'uri' = '{uri}', 'warehouse' = 'warehouse',
           'token.provider' = 'bear', 'token' = 'any');
         CREATE TABLE lake.db.t (id STRING, data STRING, part STRING) PARTITIONED BY (part) WITH ('write-only' = 'true');
         CREATE TEMPORARY TABLE source (id STRING, data STRING) WITH ('connector' = 'datagen', 'rows-per-second' = '1000');
         INSERT INTO lake.db.t SELECT id, data, SUBSTRING(CAST(LOCALTIMESTAMP AS STRING), 1, 18) FROM source;"
    )
}

/// Expires as fast as it is committed, merges what is being written, and puts in order what no longer is.
fn policies(uri: &str) -> String {
    format!(
        r#"[catalog.lake]
           metastore = "rest"
           uri = {uri:?}
           warehouse = "warehouse"
           "token.provider" = "bear"
           token = "any"
           [[compactor.policy]]
           table = "db.t"
           action = "expire_snapshots"
           interval = "2 s"
           retain_max = 40
           max_deletes = 100
           [[compactor.policy]]
           table = "db.t"
           action = "compact"
           interval = "2 s"
           [[compactor.policy]]
           table = "db.t"
           action = "compact"
           interval = "15 s"
           order_strategy = "zorder"
           order_by = "id,data"
           partition_idle_time = "10 s"
        "#
    )
}

#[test]
fn what_runs_for_long_holds_no_more_at_its_end() {
    let seconds = std::env::var("TRIBUTARY_SOAK_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    let length = Duration::from_secs(seconds.expect("tests/soak TIME says how long"));
    let scratch = Scratch::new();
    let mut catalog = Daemon::serve_catalog(&scratch.warehouse(), 0, &[]);
    let uri = format!("http://{}", catalog.address());
    let mut daemon = Daemon::start(&scratch.file("job.sql", &job(&uri)), &[]);
    daemon.wait_for_rows(1);
    let mut compactor = Daemon::compactor(&scratch.file("compactor.toml", &policies(&uri)));

    let mut watched: Vec<Series> = Vec::new();
    for process in ["daemon", "compactor", "catalog"] {
        let named =
            |(name, share, amount): &(&str, f64, f64)| Series::new(format!("{process} {name}"), *share, *amount);
        watched.extend(WATCHED.iter().map(named));
        // The compactor shows the ten newest partitions, by two series each; they come one after the other.
        let later = if process == "compactor" { 20.0 } else { 0.0 };
        watched.push(Series::new(format!("{process} metric series"), 0.0, later));
    }
    let begin = Instant::now();
    while begin.elapsed() < length {
        let pages = [&mut daemon, &mut compactor, &mut catalog]
            .map(|process| process.poll("/metrics", |answer| (answer.status == 200).then(|| answer.body.clone())));
        let mut series = watched.iter_mut();
        for page in &pages {
            for (name, ..) in WATCHED {
                series.next().unwrap().add(http::metric(page, name).unwrap());
            }
            series.next().unwrap().add(page.lines().filter(|line| !line.starts_with('#')).count() as f64);
        }
        std::thread::sleep(PAUSE); // the pause of a scrape
    }
    let rows = daemon.poll("/metrics", |answer| http::metric(&answer.body, "tributary_commit_rows_total"));
    let snapshots = daemon.poll("/metrics", |answer| http::metric(&answer.body, "tributary_commit_snapshots_alive"));
    let replaced = compactor.poll("/metrics", |answer| {
        let inputs = r#"tributary_compaction_input_files_total{kind="compact",table="db.t"}"#;
        http::metric(&answer.body, inputs)
    });
    daemon.stop();
    compactor.stop();
    let config = scratch.path("compactor.toml");
    let count = ["table", "count", "db.t", "--config", config.to_str().unwrap()];
    let counted = binary::succeed(&count).trim().parse::<f64>().unwrap();
    catalog.stop();

    let verdicts: Vec<Result<String, String>> = watched.iter().map(Series::verdict).collect();
    for verdict in &verdicts {
        println!("{}", verdict.as_ref().unwrap_or_else(|problem| problem));
    }
    println!("{counted} rows in {} s, {replaced} files replaced by compactions", length.as_secs());
    assert!(counted >= rows && rows >= 500.0 * length.as_secs_f64(), "{rows} rows were committed, {counted} are there");
    assert!(replaced >= length.as_secs_f64(), "{replaced} files were merged of four a second");
    assert!(snapshots < 400.0, "{snapshots} snapshots: they are not expired");
    let grown: Vec<_> = verdicts.into_iter().filter_map(Result::err).collect();
    assert!(grown.is_empty(), "{}", grown.join("\n"));
}
