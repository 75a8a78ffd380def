//! `tributary compactor`, and the same inside of `run`: policies, manual runs, history, drain.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tributary_tests::daemon::Daemon;
use tributary_tests::{Scratch, binary, http, pypaimon};

const TOKEN: &str = "planted-91ab7e-token";
const ROWS: u64 = 2_000;

/// A table of many snapshots, whose job has ended.
fn filled(scratch: &Scratch) -> String {
    let job = scratch.file("job.sql", &job(&format!("'rows-per-second' = '2000', 'number-of-rows' = '{ROWS}'")));
    let (status, log) = Daemon::start(&job, &[]).end();
    assert_eq!(status.code(), Some(0), "{log}");
    scratch.warehouse()
}

fn job(source: &str) -> String {
    format!(
        "SET 'execution.checkpointing.interval' = '50 ms';
         CREATE CATALOG IF NOT EXISTS paimon WITH ('type' = 'paimon', 'warehouse' = 'warehouse');
         CREATE TABLE IF NOT EXISTS paimon.db.t (id STRING, category INT) WITH ('write-only' = 'true');
         CREATE TEMPORARY TABLE source (id STRING, category INT) WITH ('connector' = 'datagen', {source});
         INSERT INTO paimon.db.t SELECT id, category FROM source;"
    )
}

/// A settings file with these lines under `[compactor]` and these policies.
fn settings(scratch: &Scratch, name: &str, compactor: &str, policies: &str) -> PathBuf {
    let warehouse = scratch.warehouse();
    let text = format!(
        "[http]\nadmin-token = \"{TOKEN}\"\n[catalog.paimon]\ntype = \"paimon\"\nwarehouse = \"{warehouse}\"\n\
         [compactor]\n{compactor}\n{policies}"
    );
    scratch.file(name, &text)
}

const EXPIRE: &str = "[[compactor.policy]]\ntable = \"db.t\"\naction = \"expire_snapshots\"\ninterval = \"100 ms\"\n\
                      retain_max = 2\nretain_min = 1\nmax_deletes = 5\n";

/// The first run, newest first, that `accept` takes.
fn run(compactor: &mut Daemon, accept: impl Fn(&Value) -> bool) -> Value {
    compactor.poll("/runs?limit=100", |answer| {
        let runs: Value = serde_json::from_str(&answer.body).ok()?;
        runs["runs"].as_array()?.iter().find(|run| accept(run)).cloned()
    })
}

fn post(compactor: &mut Daemon, path: &str, body: &str) -> (u16, Value) {
    let address = compactor.address();
    let answer = http::post(address, path, Some(TOKEN), body).unwrap();
    (answer.status, serde_json::from_str(&answer.body).unwrap())
}

fn snapshots(warehouse: &str) -> usize {
    let listed = binary::succeed(&["table", "snapshots", "db.t", "--warehouse", warehouse, "--format", "json"]);
    listed.lines().count()
}

fn plant_orphan(warehouse: &str) -> PathBuf {
    let orphan = Path::new(warehouse).join("db.db/t/bucket-0/data-9e4f7c1a-0.parquet");
    std::fs::write(&orphan, "left by nobody").unwrap();
    orphan
}

const TAG: &str =
    "[[compactor.policy]]\ntable = \"db.t\"\naction = \"create_tag\"\ntag = \"day-%Y%m%d\"\ninterval = \"100 ms\"\n";

#[test]
fn two_compactors_expire_and_tag_one_table_and_every_row_stays() {
    let scratch = Scratch::new();
    let warehouse = filled(&scratch);
    assert!(snapshots(&warehouse) > 10, "too few snapshots for this test");
    let mut compactors =
        ["a.toml", "b.toml"].map(|name| Daemon::compactor(&settings(&scratch, name, "", &(EXPIRE.to_owned() + TAG))));
    for compactor in &mut compactors {
        // Ends with a run of each that finds nothing left to do, whoever did it.
        for action in ["expire_snapshots", "create_tag"] {
            run(compactor, |run| run["status"] == "nothing_to_do" && run["action"] == action);
        }
        compactor.poll("/readyz?verbose", |answer| (answer.status == 200).then_some(()));
        compactor.poll("/metrics", |answer| {
            let ended = http::metric(&answer.body, "tributary_compaction_ended_total")?;
            assert!(answer.body.contains("kind=\"expire_snapshots\",reason=\"nothing_to_do\",table=\"db.t\""));
            (ended >= 1.0).then_some(())
        });
    }
    for compactor in compactors {
        let log = compactor.stop();
        assert!(!log.contains("run failed"), "{log}");
    }
    assert_eq!(snapshots(&warehouse), 2);
    let tags = binary::succeed(&["table", "tags", "db.t", "--warehouse", &warehouse, "--format", "json"]);
    let tag: Value = serde_json::from_str(tags.lines().next().unwrap()).unwrap();
    let tag = tag["tag_name"].as_str().unwrap();
    assert!(tag.starts_with("day-20"), "{tags}");
    binary::succeed(&["table", "count", "db.t", "--tag", tag, "--warehouse", &warehouse]);
    assert_eq!(binary::count(&warehouse, "db.t"), ROWS);
    if pypaimon::available() {
        assert_eq!(pypaimon::count(&warehouse, "db.t"), ROWS);
    }
}

const MINOR: &str = "[[compactor.policy]]\ntable = \"db.t\"\naction = \"compact\"\ncompact_strategy = \"minor\"\n\
                     interval = \"20 ms\"\n";
const ORDERED: &str = "[[compactor.policy]]\naction = \"CALL sys.compact(table => 'db.t', order_strategy => 'zorder', \
                       order_by => 'category,id')\"\ninterval = \"50 ms\"\n";

/// The live partition is merged and ordered, by two that are in each other's way, of whom one is killed at its work.
#[test]
fn compactors_beside_a_job_lose_and_double_nothing() {
    let scratch = Scratch::new();
    let job = scratch.file("job.sql", &job("'rows-per-second' = '5000'"));
    let warehouse = scratch.warehouse();
    let mut daemon = Daemon::start(&job, &[]);
    daemon.wait_for_rows(10_000);
    let history = format!("history = {:?}", scratch.path("a.jsonl"));
    let configs = [
        settings(&scratch, "a.toml", &history, &(MINOR.to_owned() + ORDERED)),
        settings(&scratch, "b.toml", "", MINOR),
    ];
    let [mut first, mut second] = [0, 1].map(|which| Daemon::compactor(&configs[which]));
    let work = |run: &Value| run["status"] == "succeeded" && run["report"]["before"]["files"].as_u64() > Some(1);
    let ordered = |run: &Value| work(run) && run["arguments"]["order_strategy"] == "zorder";
    for _ in 0..3 {
        let seen = run(&mut first, ordered);
        assert!(seen["report"]["after"]["files"].as_u64() < seen["report"]["before"]["files"].as_u64(), "{seen}");
        run(&mut second, work);
        run(&mut first, |run| run["status"] == "running");
        first.signal("KILL");
        first.end();
        first = Daemon::compactor(&configs[0]);
    }
    run(&mut first, |run| run["status"] == "interrupted");
    first.poll("/metrics", |answer| http::metric(&answer.body, "tributary_compaction_input_files_total"));
    for process in [first, second, daemon] {
        process.stop();
    }

    let rows = binary::count(&warehouse, "db.t");
    let listed = binary::succeed(&["table", "snapshots", "db.t", "--warehouse", &warehouse, "--format", "json"]);
    let written = |line: &str| {
        let snapshot: Value = serde_json::from_str(line).unwrap();
        let delta = snapshot["delta_record_count"].as_u64().unwrap();
        match snapshot["commit_kind"].as_str().unwrap() {
            "APPEND" => delta,
            kind => {
                assert_eq!((kind, delta), ("COMPACT", 0));
                0
            }
        }
    };
    assert_eq!(rows, listed.lines().map(written).sum::<u64>());
    if pypaimon::available() {
        assert_eq!(pypaimon::count(&warehouse, "db.t"), rows);
    }
}

#[test]
fn manual_runs_need_the_token_and_say_what_they_found() {
    let scratch = Scratch::new();
    let warehouse = filled(&scratch);
    let orphan = plant_orphan(&warehouse);
    let mut compactor = Daemon::compactor(&settings(&scratch, "c.toml", "", ""));
    let address = compactor.address();
    let sweep = json!({"table": "db.t", "action": "remove_orphan_files", "older_than": "1 ms"});
    let refused = http::post(address, "/runs", None, &sweep.to_string()).unwrap();
    assert_eq!(refused.status, 401, "{}", refused.body);
    for (body, expected) in [
        (json!({"table": "db.t"}), "action is missing"),
        (json!({"table": "t", "action": "expire_snapshots"}), "write DATABASE.TABLE"),
        (json!({"table": "db.t", "action": "expire"}), "write one of compact, expire_snapshots"),
        (json!({"table": "db.t", "action": "expire_snapshots", "retain-max": 3}), "did you mean `retain_max`?"),
        (json!({"table": "db.t", "action": "expire_snapshots", "retain_max": [3]}), "write one text"),
    ] {
        let (status, said) = post(&mut compactor, "/runs", &body.to_string());
        assert!(status == 400 && said["error"].as_str().unwrap().contains(expected), "{body}: {said}");
    }
    // A dry run unless told otherwise.
    let mut swept = Vec::new();
    for dry_run in [None, Some(false)] {
        let mut body = sweep.clone();
        dry_run.into_iter().for_each(|dry_run| body["dry_run"] = dry_run.into());
        let (status, said) = post(&mut compactor, "/runs", &body.to_string());
        assert_eq!(status, 200, "{said}");
        let done = run(&mut compactor, |run| run["id"] == said["id"] && run["status"] == "succeeded");
        assert_eq!((done["cause"].as_str(), &done["report"]["orphan_files"]), (Some("manual"), &json!(1)), "{done}");
        swept.push(orphan.exists());
        let log = http::get(address, said["see"].as_str().unwrap()).unwrap().body;
        assert!(log.contains("bucket-0/data-9e4f7c1a-0.parquet"), "{log}");
    }
    assert_eq!(swept, [true, false]);
    let missing = json!({"table": "db.nowhere", "action": "expire_snapshots"});
    let (_, said) = post(&mut compactor, "/runs", &missing.to_string());
    let failed = run(&mut compactor, |run| run["id"] == said["id"] && run["status"] == "failed");
    assert!(failed["error"].as_str().unwrap().contains("nowhere"), "{failed}");
    // Whoever asked knows; nobody else is to be woken.
    assert_eq!(http::get(address, "/readyz").unwrap().status, 200);
    let (status, said) = post(&mut compactor, &format!("/runs/{}/cancel", said["id"]), "");
    assert!(status == 409 && said["error"].as_str().unwrap().contains("has ended: failed"), "{said}");
    assert_eq!(binary::count(&warehouse, "db.t"), ROWS);
    let log = compactor.stop();
    assert!(!log.contains(TOKEN), "{log}");
}

#[test]
fn kill_9_keeps_the_history_and_another_process_keeps_off_it() {
    let scratch = Scratch::new();
    filled(&scratch);
    let history = scratch.path("runs.jsonl");
    let own = format!("history = {history:?}");
    let config = settings(&scratch, "c.toml", &own, EXPIRE);
    let mut first = Daemon::compactor(&config);
    let done = run(&mut first, |run| run["status"] == "succeeded");
    let second = binary::command(&["compactor", "--config", config.to_str().unwrap()]).output().unwrap();
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(second.status.code() == Some(2) && said.contains("give each one its own with compactor.history"), "{said}");
    first.signal("KILL");
    first.end();
    // As if the crash had cut its last line.
    let written = std::fs::read(&history).unwrap();
    std::fs::write(&history, [&written[..], b"{\"id\":"].concat()).unwrap();
    let mut again = Daemon::compactor(&config);
    let kept = run(&mut again, |run| run["id"] == done["id"]);
    assert_eq!(kept, done);
    let newest = run(&mut again, |run| run["status"] == "nothing_to_do");
    assert!(newest["id"].as_u64() > done["id"].as_u64(), "{newest}");
    again.stop();
}

#[test]
fn inside_of_run_it_shares_the_port_and_ends_with_the_job() {
    let scratch = Scratch::new();
    let job = scratch.file("job.sql", &job("'rows-per-second' = '1000'"));
    let policy = "[[compactor.policy]]\ntable = \"db.t\"\naction = \"remove_orphan_files\"\ninterval = \"100 ms\"\n";
    let missing = policy.replace("db.t", "db.nowhere");
    let config = settings(&scratch, "t.toml", "embedded = true", &(policy.to_owned() + &missing));
    let mut daemon = Daemon::start(&job, &["--config", config.to_str().unwrap()]);
    daemon.wait_for_rows(500);
    run(&mut daemon, |run| run["table"] == "db.t" && run["status"] == "nothing_to_do");
    // What fails beside the job is told, and leaves it ready.
    run(&mut daemon, |run| run["table"] == "db.nowhere" && run["status"] == "failed");
    daemon.poll("/status", |answer| answer.body.contains("remove_orphan_files db.nowhere").then_some(()));
    daemon.poll("/readyz", |answer| (answer.status == 200).then_some(()));
    daemon.stop();
    assert!(binary::count(&scratch.warehouse(), "db.t") >= 500);
}

#[test]
fn a_compactor_without_work_or_with_a_wrong_table_does_not_start() {
    let scratch = Scratch::new();
    let config = settings(&scratch, "c.toml", "", &EXPIRE.replace("db.t", "lake.db.t"));
    let empty = scratch.file("empty.toml", "");
    for (config, expected) in [
        (config, "compactor.policy 1: there is no catalog `lake`"),
        (empty, "there would be nothing to do: add a [[compactor.policy]]"),
    ] {
        let output = binary::run(&["compactor", "--config", config.to_str().unwrap()]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains(expected), "{said}");
    }
}
