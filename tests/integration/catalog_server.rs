//! `tributary catalog serve`: real clients, kill -9 under committers, hostile requests, who may ask.

mod access;
mod bucket;
mod fuzz;
mod kill;
mod lake;
mod live_hour;
mod together;

use std::net::SocketAddr;

use serde_json::{Value, json};
use tributary_tests::catalog::Auth;
use tributary_tests::daemon::Daemon;
use tributary_tests::engine::rows_of;
use tributary_tests::flink::FLINK;
use tributary_tests::http::{self, Answer};
use tributary_tests::minio::Minio;
use tributary_tests::{Scratch, binary, pypaimon};

/// A server on the scratch folder's warehouse, and its address.
fn serve(scratch: &Scratch, arguments: &[&str]) -> (Daemon, SocketAddr) {
    std::fs::create_dir_all(scratch.path("warehouse")).unwrap();
    let mut server = Daemon::serve_catalog(&scratch.warehouse(), 0, arguments);
    let address = server.address();
    (server, address)
}

/// A server on a warehouse in a bucket, with the names in the scratch folder; its keys are not on the command line.
fn serve_bucket(scratch: &Scratch, minio: &Minio, url: &str, port: u16) -> (Daemon, SocketAddr) {
    let database = format!("server.database={}", scratch.path("names.redb").display());
    let environment = minio.environment();
    let environment = environment.each_ref().map(|(key, value)| (*key, value.as_str()));
    let mut server = Daemon::serve_catalog_with(url, port, &["--set", &database], &environment);
    let address = server.address();
    (server, address)
}

fn ask(address: SocketAddr, request: &str, body: &Value) -> std::io::Result<Answer> {
    let (method, path) = request.split_once(' ').unwrap();
    let body = if body.is_null() { String::new() } else { body.to_string() };
    http::ask(address, method, &format!("/v1/warehouse/{path}"), "any", &body)
}

fn succeed(address: SocketAddr, request: &str, body: &Value) -> Value {
    let answer = ask(address, request, body).unwrap();
    assert_eq!(answer.status, 200, "{request}: {}", answer.body);
    serde_json::from_str(&answer.body).unwrap_or(Value::Null)
}

fn create_table(address: SocketAddr, table: &str) -> String {
    let schema = json!({"fields": [{"id": 0, "name": "id", "type": "BIGINT"}], "partitionKeys": [], "primaryKeys": [], "options": {}});
    let definition = json!({"identifier": {"database": "d", "object": table}, "schema": schema});
    succeed(address, "POST databases/d/tables", &definition);
    let found = succeed(address, &format!("GET databases/d/tables/{table}"), &Value::Null);
    found["id"].as_str().unwrap().to_owned()
}

#[test]
fn pypaimon_and_flink_share_tables_through_the_catalog() {
    if !pypaimon::available() || !FLINK.available() {
        return;
    }
    let scratch = Scratch::new();
    let (server, address) = serve(&scratch, &["--name", "lake"]);
    let options = Value::Object(Auth::Bear("any").options(address, "lake"));
    let python = |mut request: Value| {
        request["catalog"] = options.clone();
        pypaimon::ask(request)
    };
    let fields = json!([["id", "pa.int64()"], ["v", "pa.string()"], ["dt", "pa.string()"]]);
    python(json!({"op": "create", "table": "d.t", "fields": fields, "partition_keys": ["dt"]}));
    python(json!({"op": "append", "table": "d.t", "rows": [[1, "a", "x"], [2, null, "y"]]}));
    // Flink's client says no base uuid, on top of a snapshot that has one.
    let flink = json!({"catalog": options, "op": "append", "table": "d.t", "rows": [[3, "c", "x"]]});
    FLINK.ask(flink);
    python(json!({"op": "append", "table": "d.t", "rows": [[4, "d", "y"]]}));
    let count = json!({"op": "count", "catalog": options, "table": "d.t"});
    assert_eq!((FLINK.ask(count), python(json!({"op": "count", "table": "d.t"}))), (json!(4), json!(4)));
    let query = "SELECT dt, COUNT(*) AS n FROM {table} GROUP BY dt";
    let made = json!({"op": "view", "catalog": options, "table": "d.t", "view": "d.per_day", "query": query});
    let mut rows = rows_of(&FLINK.ask(made));
    rows.sort_by_key(|row| row[0].to_string());
    assert_eq!(rows, [[json!("x"), json!(2)], [json!("y"), json!(2)]]);
    let again = json!({"op": "rows", "catalog": options, "table": "d.per_day", "where": "dt = 'x'"});
    assert_eq!(rows_of(&FLINK.ask(again)), [[json!("x"), json!(2)]]);
    let partitions = python(json!({"op": "partitions", "table": "d.t"}));
    assert_eq!(partitions, json!([[{"dt": "x"}, 2], [{"dt": "y"}, 2]]));

    python(json!({"op": "alter", "table": "d.t", "changes": [["add", "z", "INT"]]}));
    python(json!({"op": "append", "table": "d.t", "rows": [[5, "e", "x", 7]]}));
    let renamed = python(json!({"op": "tables", "database": "d", "rename": ["d.t", "d.u"]}));
    assert_eq!(renamed, json!(["u"]));
    let mut rows = python(json!({"op": "rows", "table": "d.u"}))["rows"].as_array().unwrap().clone();
    rows.sort_by_key(|row| row[0].as_i64());
    let expected =
        json!([[1, "a", "x", null], [2, null, "y", null], [3, "c", "x", null], [4, "d", "y", null], [5, "e", "x", 7]]);
    assert_eq!(Value::Array(rows), expected);
    // Who opens the warehouse by its path finds the table in the folder it was made in.
    assert_eq!(binary::count(&scratch.warehouse(), "d.t"), 5);
    python(json!({"op": "tag", "table": "d.u", "tag": "five"}));
    python(json!({"op": "branch", "table": "d.u", "branch": "b", "tag": "five"}));
    python(json!({"op": "append", "table": "d.u$branch_b", "rows": [[6, "f", "x", 8]]}));
    let counts = || ["d.u", "d.u$branch_b"].map(|table| python(json!({"op": "count", "table": table})));
    assert_eq!(counts(), [json!(5), json!(6)]);
    let forward = "/v1/lake/databases/d/tables/u/branches/b/forward";
    assert_eq!(http::ask(address, "POST", forward, "any", "{}").unwrap().status, 200);
    assert_eq!(counts(), [json!(6), json!(6)]);
    python(json!({"op": "drop", "table": "d.u"}));
    assert_eq!(python(json!({"op": "tables", "database": "d"})), json!([]));
    let log = server.stop();
    assert!(log.contains("tributary::audit"), "commits are logged:\n{log}");
}

#[test]
fn the_daemon_fills_a_table_through_the_catalog_and_outlives_its_server() {
    const ROWS: u64 = 40_000;
    let scratch = Scratch::new();
    let (server, address) = serve(&scratch, &[]);
    let job = scratch.file(
        "job.sql",
        &format!(
            "SET 'execution.checkpointing.interval' = '50 ms';
             CREATE CATALOG paimon WITH ('type' = 'paimon', 'metastore' = 'rest', 'uri' = 'http://{address}',
               'warehouse' = 'warehouse', 'token.provider' = 'bear', 'token' = 'any');
             CREATE DATABASE IF NOT EXISTS paimon.db;
             CREATE TABLE IF NOT EXISTS paimon.db.filled (id BIGINT, part INT) PARTITIONED BY (part);
             CREATE TEMPORARY TABLE source (id BIGINT, part INT) WITH ('connector' = 'datagen',
               'rows-per-second' = '20000', 'number-of-rows' = '{ROWS}', 'fields.part.min' = '1', 'fields.part.max' = '3');
             INSERT INTO paimon.db.filled SELECT id, part FROM source;"
        ),
    );
    let mut daemon = Daemon::start(&job, &[]);
    daemon.wait_for_rows(1);
    server.signal("KILL");
    server.end();
    let server = Daemon::serve_catalog(&scratch.warehouse(), address.port(), &[]);
    let (status, log) = daemon.end();
    assert!(status.success(), "{log}");
    assert_eq!(binary::count(&scratch.warehouse(), "db.filled"), ROWS);
    server.stop();
}
