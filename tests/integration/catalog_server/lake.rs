//! One table in a bucket that our server, the daemon, Flink, pypaimon and Spark share.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tributary_tests::catalog::{self, Auth};
use tributary_tests::daemon::Daemon;
use tributary_tests::engine::Engine;
use tributary_tests::flink::FLINK;
use tributary_tests::minio::{self, minio};
use tributary_tests::pypaimon::PYPAIMON;
use tributary_tests::spark::SPARK;
use tributary_tests::{PATIENCE, Scratch, binary};

use super::serve_bucket;

const ENGINES: [&Engine; 3] = [&PYPAIMON, &FLINK, &SPARK];
pub(super) const TABLE: &str = "db.shared";

/// Rows of one commit of pypaimon.
pub(super) const ROWS: u64 = 250;

/// The snapshot of the first of them.
pub(super) const FIRST: u64 = 1;

/// A writer's rows a second, and how many it writes; they are numbered from 1.
#[derive(Clone, Copy)]
pub(super) struct Load {
    rate: u64,
    pub(super) rows: u64,
}

/// The warehouse and its server.
pub(super) struct Lake {
    scratch: Scratch,
    name: &'static str,
    /// Locked, so that threads can share the lake.
    server: Mutex<Daemon>,
    /// The settings of our own commands.
    config: PathBuf,
    /// The options of its catalog, and of one by the path alone.
    shared: Value,
    by_path: Value,
}

/// A streaming job of Flink.
pub(super) struct Streaming {
    job: Value,
    since: Instant,
}

// === impl Load ===

impl Load {
    pub(super) const fn of(rate: u64, seconds: u64) -> Self {
        Self { rate, rows: rate * seconds }
    }

    /// The columns and options of a datagen table.
    fn source(self) -> String {
        let Self { rate, rows } = self;
        format!(
            "(id BIGINT, text STRING, category INT) WITH ('connector' = 'datagen', 'rows-per-second' = '{rate}',
             'fields.text.length' = '40', 'fields.category.min' = '1', 'fields.category.max' = '10',
             'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '{rows}')"
        )
    }
}

// === impl Lake ===

impl Lake {
    /// The table holds the first rows of pypaimon, and every engine has read it: from here on they are fast. `None` where
    /// one is not installed.
    pub(super) fn start(name: &'static str) -> Option<Self> {
        let (Some(minio), true) = (minio(), ENGINES.iter().all(|engine| engine.available())) else {
            return None;
        };
        let scratch = Scratch::new();
        let url = format!("{}/lake", minio.bucket(name));
        let (server, address) = serve_bucket(&scratch, minio, &url, 0);
        let by_path = minio::catalog(&url, minio.address);
        let mut shared = by_path.clone();
        shared.as_object_mut().unwrap().extend(Auth::Bear("any").options(address, "lake"));
        let settings = shared.as_object().unwrap().iter().map(|(key, value)| format!("{key:?} = {value}\n"));
        let settings = format!("[catalog.paimon]\ntype = \"paimon\"\n{}", settings.collect::<String>());
        let config = scratch.file("lake.toml", &settings);
        let lake = Self { scratch, name, server: Mutex::new(server), config, shared, by_path };
        let (text, long, int) = ("pa.string()", "pa.int64()", "pa.int32()");
        let fields = json!([["writer", text], ["id", long], ["text", text], ["category", int], ["hh", text]]);
        // Who compacts is for each test to say: Flink's sink would, too.
        let options = json!({"commit.max-retries": "100", "write-only": "true"});
        let create = json!({"op": "create", "fields": fields, "partition_keys": ["hh"], "options": options});
        lake.ask(&PYPAIMON, create);
        lake.append(0);
        lake.assert_every_row_once(&[("pypaimon", ROWS)]);
        Some(lake)
    }

    /// Starts the daemon, which commits so often; it ends when it has written its load, and started again goes on.
    pub(super) fn daemon(&self, load: Load, interval: &str) -> Daemon {
        let job = format!(
            "SET 'execution.checkpointing.interval' = '{interval}';
             {}
             CREATE TEMPORARY TABLE source {};
             INSERT INTO paimon.{TABLE} SELECT 'ours', id, text, category, '9' FROM source;",
            catalog::create_catalog(self.shared.as_object().unwrap()),
            load.source()
        );
        Daemon::start(&self.scratch.file("job.sql", &job), &[])
    }

    /// Starts a streaming job of Flink.
    pub(super) fn flink(&self, load: Load) -> Streaming {
        let source = format!("CREATE TEMPORARY TABLE `{}` {}", self.name, load.source());
        let select = format!("SELECT 'flink', id, text, category, '9' FROM `{}`", self.name);
        let job = self.ask(&FLINK, json!({"op": "stream", "source": source, "select": select}));
        Streaming { job, since: Instant::now() }
    }

    /// Whether Flink has not written all of its load yet.
    pub(super) fn streams(&self, flink: &Streaming) -> bool {
        assert!(flink.since.elapsed() < PATIENCE * 2, "Flink's job does not end");
        self.ask(&FLINK, json!({"op": "streamed", "job": flink.job})) == json!(false)
    }

    /// Waits until Flink has written all of its load.
    pub(super) fn wait_for_end(&self, flink: &Streaming) {
        while self.streams(flink) {
            std::thread::sleep(Duration::from_millis(50)); // the pause of a poll
        }
    }

    /// Starts a compactor with these policies.
    pub(super) fn compactor(&self, config: &str, policies: &str) -> Daemon {
        let catalog = std::fs::read_to_string(&self.config).unwrap();
        Daemon::compactor(&self.scratch.file(config, &(catalog + policies)))
    }

    /// One commit of pypaimon; they are numbered from 0. How many rows it has written then.
    pub(super) fn append(&self, commit: u64) -> u64 {
        let ids = commit * ROWS + 1..=(commit + 1) * ROWS;
        let rows: Vec<Value> = ids.map(|id| json!(["pypaimon", id, "of Python", 3, "9"])).collect();
        self.ask(&PYPAIMON, json!({"op": "append", "rows": rows}));
        (commit + 1) * ROWS
    }

    /// How many rows an engine counts.
    pub(super) fn count(&self, engine: &Engine) -> u64 {
        self.ask(engine, json!({"op": "count"})).as_u64().unwrap()
    }

    /// Asks an engine about the table.
    fn ask(&self, engine: &Engine, request: Value) -> Value {
        engine.ask(self.request(engine, request))
    }

    fn request(&self, engine: &Engine, mut request: Value) -> Value {
        request["catalog"] = if engine.name() == SPARK.name() { &self.by_path } else { &self.shared }.clone();
        request["table"] = TABLE.into();
        request
    }

    /// Every row of every writer is there once, as every engine reads it.
    pub(super) fn assert_every_row_once(&self, writers: &[(&str, u64)]) {
        let expected: Vec<Value> = writers.iter().map(|(writer, rows)| json!([writer, rows, rows, 1, rows])).collect();
        std::thread::scope(|scope| {
            for engine in ENGINES {
                let request = self.request(engine, json!({"op": "ids", "by": "writer", "of": "id"}));
                let expected = &expected;
                scope.spawn(move || {
                    assert_eq!(engine.ask(request), json!(expected), "as {} reads it", engine.name());
                });
            }
        });
    }

    /// Runs our own command, through the server.
    pub(super) fn tributary(&self, arguments: &[&str]) -> String {
        binary::succeed(&[arguments, &["--config", self.config.to_str().unwrap()]].concat())
    }

    /// What `tributary table` says of it, a JSON object a line.
    pub(super) fn table(&self, verb: &str, arguments: &[&str]) -> Vec<Value> {
        let said = self.tributary(&[&["table", verb, TABLE, "--format", "json"], arguments].concat());
        said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Waits until so many writers have committed rows after this snapshot; the newest one then.
    pub(super) fn wait_for_writers(&self, count: usize, after: u64) -> u64 {
        let begin = Instant::now();
        loop {
            let mut appends = self.table("snapshots", &[]);
            let newest = appends.last().and_then(|snapshot| snapshot["snapshot_id"].as_u64()).unwrap();
            // A job that starts commits a claim without rows.
            appends.retain(|s| s["snapshot_id"].as_u64() > Some(after) && s["delta_record_count"].as_i64() > Some(0));
            let writers: BTreeSet<_> = appends.iter().map(|s| s["commit_user"].as_str()).collect();
            if writers.len() >= count {
                return newest;
            }
            assert!(
                begin.elapsed() < PATIENCE,
                "not {count} committed after snapshot {after}: was the load too short?"
            );
            std::thread::sleep(Duration::from_millis(200)); // the pause of a poll, which costs a process
        }
    }

    /// The server ends; neither it nor a daemon that has ended said the secret.
    pub(super) fn stop(self, daemon: &str) {
        for log in [daemon, &self.server.into_inner().unwrap().stop()] {
            assert!(!log.contains(minio::SECRET_KEY), "{log}");
        }
    }
}

/// The daemon's log, when it has written its load.
pub(super) fn log_of(daemon: Daemon) -> String {
    let (status, log) = daemon.end();
    assert!(status.success(), "{log}");
    log
}
