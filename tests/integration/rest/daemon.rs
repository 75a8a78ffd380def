//! The daemon on tables of Paimon's own REST catalog server; pypaimon reads them through the same server.

use std::sync::{PoisonError, RwLockReadGuard};

use serde_json::{Map, Value, json};
use tributary_tests::catalog::{Auth, CATALOG, COMMITS, Server, create_catalog};
use tributary_tests::daemon::Daemon;
use tributary_tests::gate::Gate;
use tributary_tests::{Scratch, http, pypaimon};

const BEAR: Auth = Auth::Bear("planted-7c1e-token");

/// Rows of a bounded job; each has a number of its own.
const ROWS: u64 = 3000;

/// Commits every 100 ms for as long as it runs: more than a second.
fn job(options: &Map<String, Value>) -> String {
    let source = format!(
        "'connector' = 'datagen', 'rows-per-second' = '2000', 'fields.n.kind' = 'sequence', 'fields.n.start' = '1', \
         'fields.n.end' = '{ROWS}'"
    );
    format!(
        "SET 'execution.checkpointing.interval' = '100 ms';
         {}
         CREATE DATABASE IF NOT EXISTS paimon.db;
         CREATE TABLE IF NOT EXISTS paimon.db.t (n BIGINT, part STRING) PARTITIONED BY (part);
         CREATE TEMPORARY TABLE source (n BIGINT) WITH ({source});
         INSERT INTO paimon.db.t SELECT n, IF(n > 1500, 'b', 'a') FROM source;",
        create_catalog(options)
    )
}

fn available() -> bool {
    CATALOG.available() && pypaimon::available()
}

fn commits_may_not_fail() -> RwLockReadGuard<'static, ()> {
    COMMITS.read().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for the end of a bounded job, then for every row to be there once.
fn finish(daemon: Daemon, server: &Server) {
    let (status, log) = daemon.end();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(!log.contains("planted"), "a secret is in the log:\n{log}");
    let mut found: Vec<u64> = server.values("db.t", "n").iter().map(|n| n.as_u64().unwrap()).collect();
    found.sort_unstable();
    assert_eq!(found, (1..=ROWS).collect::<Vec<_>>());
}

fn uri(gate: &Gate) -> Value {
    json!(format!("http://{}", gate.address()))
}

#[test]
fn pypaimon_reads_every_row_once_through_the_catalog_we_committed_to() {
    if !available() {
        return;
    }
    let _commits = commits_may_not_fail();
    let dlf = Auth::Dlf { algorithm: "default", secret: "planted/+=", security_token: Some("planted-sts") };
    for auth in [BEAR, dlf] {
        let scratch = Scratch::new();
        let server = Server::start(&scratch, auth);
        let daemon = Daemon::start(&scratch.file("job.sql", &job(&server.options())), &[]);
        finish(daemon, &server);
    }
}

/// pypaimon reads the folder here: its own OpenAPI signer is not what is tested.
#[test]
fn commits_signed_for_openapi_endpoints_are_accepted() {
    if !available() {
        return;
    }
    let _commits = commits_may_not_fail();
    let scratch = Scratch::new();
    let server = Server::start(&scratch, Auth::Dlf { algorithm: "openapi", secret: "planted", security_token: None });
    let daemon = Daemon::start(&scratch.file("job.sql", &job(&server.options())), &[]);
    let (status, log) = daemon.end();
    assert_eq!(status.code(), Some(0), "{log}");
    assert_eq!(pypaimon::count(&scratch.warehouse(), "db.t"), ROWS);
}

/// F7: the server applies a commit and answers 500.
#[test]
fn a_commit_that_was_applied_and_answered_with_500_is_found_and_not_made_twice() {
    if !available() {
        return;
    }
    let _commits = COMMITS.write().unwrap_or_else(PoisonError::into_inner);
    let scratch = Scratch::new();
    let server = Server::start(&scratch, BEAR);
    let mut daemon = Daemon::start(&scratch.file("job.sql", &job(&server.options())), &[]);
    for rows in [1, 500, 1000] {
        daemon.wait_for_rows(rows);
        CATALOG.ask(json!({"op": "fail_next_commit"}));
    }
    finish(daemon, &server);
}

/// F8: the new table gets no row of the old one's writer.
#[test]
fn a_table_that_was_dropped_and_created_again_is_left_alone() {
    if !available() {
        return;
    }
    let _commits = commits_may_not_fail();
    let scratch = Scratch::new();
    let server = Server::start(&scratch, BEAR);
    let gate = Gate::to(server.address);
    let mut options = server.options();
    options.insert("uri".to_owned(), uri(&gate));
    let mut daemon = Daemon::start(&scratch.file("job.sql", &job(&options)), &[]);
    daemon.wait_for_rows(1);
    gate.shut();
    pypaimon::ask(json!({"op": "drop", "catalog": server.options(), "table": "db.t"}));
    pypaimon::ask(json!({
        "op": "create", "catalog": server.options(), "table": "db.t", "partition_keys": ["part"],
        "fields": [["n", "pa.int64()"], ["part", "pa.string()"]],
    }));
    gate.open();
    let (status, log) = daemon.end();
    assert_eq!(status.code(), Some(5), "{log}");
    assert!(log.contains("was dropped"), "{log}");
    assert_eq!(server.values("db.t", "n").len(), 0);
}

/// F29: the catalog rejects a key that has expired, in the middle of the commits, until its file is replaced.
#[test]
fn an_expired_key_is_waited_out_until_its_file_is_replaced() {
    if !available() {
        return;
    }
    let _commits = commits_may_not_fail();
    let scratch = Scratch::new();
    let key = |secret| Auth::Dlf { algorithm: "default", secret, security_token: Some("planted-sts") };
    let (old, new) = (key("planted-old"), key("planted-new"));
    let server = Server::start(&scratch, old.clone());
    scratch.file("token.json", &old.token_file("2020-01-01T00:00:00Z"));
    let mut options = server.options();
    options.retain(|key, _| !key.starts_with("dlf.access-key") && key != "dlf.security-token");
    options.insert("dlf.token-path".to_owned(), json!("token.json"));
    let mut daemon = Daemon::start(&scratch.file("job.sql", &job(&options)), &[]);
    daemon.wait_for_rows(1);
    server.accept(&new);
    daemon
        .poll("/readyz?verbose", |answer| (answer.status == 503 && answer.body.contains("have expired")).then_some(()));
    let expiry = |daemon: &mut Daemon| {
        let name = "tributary_catalog_credentials_expiry_timestamp_seconds";
        daemon.poll("/metrics", |answer| http::metric(&answer.body, name))
    };
    assert_eq!(expiry(&mut daemon), 1_577_836_800.0);
    let renewed = scratch.file("token.json.new", &new.token_file("2999-01-01T00:00:00Z"));
    std::fs::rename(renewed, scratch.path("token.json")).unwrap();
    let (status, log) = daemon.end();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(!log.contains("planted"), "a secret is in the log:\n{log}");
    assert_eq!(pypaimon::count(&scratch.warehouse(), "db.t"), ROWS);
}

/// The keys DLF had before it was a REST catalog: understood, and the log says how.
#[test]
fn a_job_with_the_older_dlf_keys_runs_and_says_how_they_are_understood() {
    if !available() {
        return;
    }
    let _commits = commits_may_not_fail();
    let scratch = Scratch::new();
    let server =
        Server::start(&scratch, Auth::Dlf { algorithm: "default", secret: "planted/+=", security_token: None });
    let given = server.options();
    let mut options = Map::new();
    for (old, new) in [
        ("dlf.catalog.id", "warehouse"),
        ("dlf.catalog.endpoint", "uri"),
        ("dlf.catalog.region", "dlf.region"),
        ("dlf.catalog.accessKeyId", "dlf.access-key-id"),
        ("dlf.catalog.accessKeySecret", "dlf.access-key-secret"),
    ] {
        options.insert(old.to_owned(), given[new].clone());
    }
    options.insert("metastore".to_owned(), json!("dlf"));
    options.insert("warehouse".to_owned(), json!("oss://bucket/unused"));
    let (status, log) = Daemon::start(&scratch.file("job.sql", &job(&options)), &[]).end();
    assert_eq!(status.code(), Some(0), "{log}");
    let said: Vec<&str> = log.lines().filter(|line| line.contains("is understood as 'metastore' = 'rest'")).collect();
    assert!(said.len() == 1 && said[0].contains(given["uri"].as_str().unwrap()), "{log}");
    assert!(!log.contains("planted"), "a secret is in the log:\n{log}");
    assert_eq!(pypaimon::count(&scratch.warehouse(), "db.t"), ROWS);
}

/// F30: readiness goes, liveness stays, and it goes on by itself.
#[test]
fn a_catalog_that_is_down_is_waited_out() {
    if !available() {
        return;
    }
    let _commits = commits_may_not_fail();
    let scratch = Scratch::new();
    let server = Server::start(&scratch, BEAR);
    let gate = Gate::to(server.address);
    let mut options = server.options();
    options.insert("uri".to_owned(), uri(&gate));
    let mut daemon = Daemon::start(&scratch.file("job.sql", &job(&options)), &[]);
    daemon.wait_for_rows(1);
    gate.shut();
    daemon.poll("/readyz?verbose", |answer| (answer.status == 503).then_some(()));
    daemon.poll("/livez", |answer| (answer.status == 200).then_some(()));
    let committed = daemon.poll("/metrics", |answer| http::metric(&answer.body, "tributary_commit_rows_total"));
    assert!(committed < ROWS as f64, "the catalog was down: {committed}");
    gate.open();
    finish(daemon, &server);
}
