//! `tributary catalog serve`: real clients, kill -9 under committers, hostile requests.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tributary_runtime::Random;
use tributary_tests::daemon::Daemon;
use tributary_tests::flink::FLINK;
use tributary_tests::http::{self, Answer};
use tributary_tests::{Scratch, binary, pypaimon};

const TABLES: usize = 16;
const COMMITTERS: usize = 64;

/// Commits of each committer: 32 in CI, more by `TRIBUTARY_CATALOG_COMMITS=200 cargo test -p tributary-tests catalog`.
fn commits() -> usize {
    std::env::var("TRIBUTARY_CATALOG_COMMITS").map_or(32, |text| text.parse().expect("it is a number"))
}

/// A server on the scratch folder's warehouse, and its address.
fn serve(scratch: &Scratch, arguments: &[&str]) -> (Daemon, SocketAddr) {
    std::fs::create_dir_all(scratch.path("warehouse")).unwrap();
    let mut server = Daemon::serve_catalog(&scratch.warehouse(), 0, arguments);
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
    let catalog = format!("http://{address}/lake");
    let options = json!({"metastore": "rest", "uri": format!("http://{address}"), "warehouse": "lake",
                         "token.provider": "bear", "token": "any"});
    let python = |mut request: Value| {
        request["catalog"] = options.clone();
        pypaimon::ask(request)
    };
    let fields = json!([["id", "pa.int64()"], ["v", "pa.string()"], ["dt", "pa.string()"]]);
    python(json!({"op": "create", "table": "d.t", "fields": fields, "partition_keys": ["dt"]}));
    python(json!({"op": "append", "table": "d.t", "rows": [[1, "a", "x"], [2, null, "y"]]}));
    // Flink's client says no base uuid, on top of a snapshot that has one.
    let flink = json!({"warehouse": catalog, "op": "append", "table": "d.t", "rows": [[3, "c", "x"]]});
    FLINK.ask(flink);
    python(json!({"op": "append", "table": "d.t", "rows": [[4, "d", "y"]]}));
    let count = json!({"op": "count", "warehouse": catalog, "table": "d.t"});
    assert_eq!((FLINK.ask(count), python(json!({"op": "count", "table": "d.t"}))), (json!(4), json!(4)));
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

#[test]
fn no_commit_is_lost_or_doubled_when_the_server_is_killed() {
    let scratch = Scratch::new();
    let fast = ["--set", "storage.fsync=false"];
    let (server, address) = serve(&scratch, &fast);
    let mut server = Some(server);
    succeed(address, "POST databases", &json!({"name": "d"}));
    let tables: Vec<(String, String)> =
        (0..TABLES).map(|n| format!("t{n}")).map(|name| (create_table(address, &name), name)).collect();
    let folder = scratch.path("warehouse/d.db");
    let deadline = Instant::now() + tributary_tests::PATIENCE * 5;
    let left = AtomicU32::new(u32::try_from(COMMITTERS).unwrap());
    let accepted: Vec<(usize, BTreeSet<String>)> = std::thread::scope(|scope| {
        let committers: Vec<_> = (0..COMMITTERS)
            .map(|n| {
                let ((id, name), folder, left) = (&tables[n % TABLES], &folder, &left);
                scope.spawn(move || {
                    let committer = Committer { address, id, name, folder: folder.join(name), user: n, deadline };
                    let uuids = (0..commits()).map(|commit| committer.commit(commit)).collect();
                    left.fetch_sub(1, Ordering::Relaxed);
                    (n % TABLES, uuids)
                })
            })
            .collect();
        let mut kills = 0;
        while left.load(Ordering::Relaxed) > 0 {
            std::thread::sleep(Duration::from_millis(300)); // how long each server lives under load
            if left.load(Ordering::Relaxed) > 0 && kills < 8 {
                let killed = server.take().unwrap();
                killed.signal("KILL");
                killed.end();
                let mut next = Daemon::serve_catalog(&scratch.warehouse(), address.port(), &fast);
                next.address();
                server = Some(next);
                kills += 1;
            }
        }
        assert!(kills >= 2, "the committers were done before the server was killed twice");
        committers.into_iter().map(|committer| committer.join().unwrap()).collect()
    });
    let mut by_table: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for (table, uuids) in accepted {
        by_table.entry(table).or_default().extend(uuids);
    }
    for (table, uuids) in by_table {
        assert_eq!(uuids.len(), commits() * COMMITTERS / TABLES);
        let snapshots = folder.join(format!("t{table}/snapshot"));
        let mut found = BTreeSet::new();
        for id in 1..=uuids.len() {
            let bytes = std::fs::read(snapshots.join(format!("snapshot-{id}"))).expect("there is no gap");
            let snapshot: Value = serde_json::from_slice(&bytes).unwrap();
            assert_eq!((&snapshot["id"], &snapshot["ofTomorrow"]), (&json!(id), &json!({"kept": [1.5]})));
            assert!(found.insert(snapshot["uuid"].as_str().unwrap().to_owned()), "doubled");
        }
        assert_eq!(found, uuids);
        assert!(!snapshots.join(format!("snapshot-{}", uuids.len() + 1)).exists());
        assert_eq!(std::fs::read_to_string(snapshots.join("LATEST")).unwrap(), uuids.len().to_string());
    }
    server.unwrap().stop();
}

/// A client that knows only the API, and its own manifest lists.
struct Committer<'a> {
    address: SocketAddr,
    id: &'a str,
    name: &'a str,
    folder: PathBuf,
    user: usize,
    /// Somebody waits for the server in vain.
    deadline: Instant,
}

impl Committer<'_> {
    /// Commits once, whatever happens to the server; the uuid of the snapshot.
    fn commit(&self, n: usize) -> String {
        for attempt in 0.. {
            let Some(latest) = self.answered(&format!("GET databases/d/tables/{}/snapshot", self.name), &Value::Null)
            else {
                continue;
            };
            let base = &latest["snapshot"]["snapshot"];
            let uuid = format!("{}-{n}-{attempt}", self.user);
            self.write_lists(&uuid);
            let id = base["id"].as_i64().unwrap_or_default() + 1;
            let snapshot = json!({
                "version": 3, "id": id, "uuid": uuid, "schemaId": 0, "baseManifestList": format!("base-{uuid}"),
                "deltaManifestList": format!("delta-{uuid}"), "commitUser": format!("user-{}", self.user),
                "commitIdentifier": n, "commitKind": "APPEND", "timeMillis": 1, "totalRecordCount": id,
                "deltaRecordCount": 1, "ofTomorrow": {"kept": [1.5]}
            });
            let mut body = json!({"tableId": self.id, "snapshot": snapshot, "statistics": []});
            // Half of them are old clients.
            if self.user.is_multiple_of(2) {
                body["baseSnapshotUuid"] = base["uuid"].clone();
            }
            if self.settled(&body, id, &uuid) {
                return uuid;
            }
        }
        unreachable!()
    }

    /// Sends until there is an answer. A refusal after a repeated request may be of its own success: it is looked up.
    fn settled(&self, body: &Value, id: i64, uuid: &str) -> bool {
        let commit = format!("POST databases/d/tables/{}/commit", self.name);
        for resent in [false, true].into_iter().chain(std::iter::repeat(true)) {
            match ask(self.address, &commit, body) {
                Ok(answer) if answer.status == 200 => {
                    let success = answer.body.contains("true");
                    return success || (resent && self.finds(id, uuid));
                }
                Ok(answer) if answer.status != 503 => panic!("{} {}", answer.status, answer.body),
                _ => self.pause(),
            }
        }
        unreachable!()
    }

    fn finds(&self, id: i64, uuid: &str) -> bool {
        let version = format!("GET databases/d/tables/{}/snapshots/{id}", self.name);
        loop {
            if let Some(found) = self.answered(&version, &Value::Null) {
                return found["snapshot"]["uuid"] == uuid;
            }
        }
    }

    /// The answer's body, empty where there is nothing; `None` while the server is away.
    fn answered(&self, request: &str, body: &Value) -> Option<Value> {
        match ask(self.address, request, body) {
            Ok(answer) if answer.status == 200 => serde_json::from_str(&answer.body).ok(),
            Ok(answer) if answer.status == 404 => Some(json!({})),
            Ok(answer) if answer.status != 503 => panic!("{} {}", answer.status, answer.body),
            _ => {
                self.pause();
                None
            }
        }
    }

    /// Between two looks at a server that is away.
    fn pause(&self) {
        assert!(Instant::now() < self.deadline, "the server never came back");
        std::thread::sleep(Duration::from_millis(5));
    }

    fn write_lists(&self, uuid: &str) {
        let manifests = self.folder.join("manifest");
        std::fs::create_dir_all(&manifests).unwrap();
        for list in ["base", "delta"] {
            write(&manifests.join(format!("{list}-{uuid}")));
        }
    }
}

fn write(path: &Path) {
    std::fs::write(path, b"a list").unwrap();
}

#[test]
fn no_request_is_the_servers_fault() {
    let scratch = Scratch::new();
    let (server, address) = serve(&scratch, &[]);
    succeed(address, "POST databases", &json!({"name": "d"}));
    let id = create_table(address, "t");
    let snapshot = json!({"version": 3, "id": 1, "schemaId": 0, "baseManifestList": "b", "deltaManifestList": "d", "commitUser": "u",
                          "commitIdentifier": 1, "commitKind": "APPEND", "timeMillis": 1, "totalRecordCount": 1, "deltaRecordCount": 1});
    let seeds = [
        ("GET", "/v1/config?warehouse=warehouse", Value::Null),
        ("GET", "/v1/warehouse/databases?maxResults=2&pageToken=a&databaseNamePattern=a%25", Value::Null),
        ("POST", "/v1/warehouse/databases", json!({"name": "e", "options": {"a": "b"}})),
        ("POST", "/v1/warehouse/databases/d", json!({"removals": ["a"], "updates": {"b": "c"}})),
        (
            "POST",
            "/v1/warehouse/databases/d/tables",
            json!({"identifier": {"database": "d", "object": "x"}, "schema": {"fields": [{"id": 0, "name": "a", "type": {"type": "ARRAY", "element": "INT"}}], "options": {}}}),
        ),
        (
            "POST",
            "/v1/warehouse/databases/d/tables/t",
            json!({"changes": [{"action": "addColumn", "fieldNames": ["y"], "dataType": "DECIMAL(3, 2)", "move": {"fieldName": "y", "type": "FIRST"}}]}),
        ),
        (
            "POST",
            "/v1/warehouse/databases/d/tables/t/commit",
            json!({"tableId": id, "baseSnapshotUuid": null, "snapshot": snapshot, "statistics": [{"spec": {}, "recordCount": 1}]}),
        ),
        (
            "POST",
            "/v1/warehouse/databases/d/tables/t/rollback",
            json!({"instant": {"type": "snapshot", "snapshotId": 1}, "fromSnapshot": 2}),
        ),
        (
            "POST",
            "/v1/warehouse/databases/d/tables/t/tags",
            json!({"tagName": "a", "snapshotId": 1, "timeRetained": "1 d"}),
        ),
        ("POST", "/v1/warehouse/databases/d/tables/t/partitions/list-by-names", json!({"specs": [{"a": "b"}]})),
        ("GET", "/v1/warehouse/databases/d/tables/t$branch_b/snapshots/LATEST", Value::Null),
        (
            "POST",
            "/v1/warehouse/tables/rename",
            json!({"source": {"database": "d", "object": "none"}, "destination": {"database": "d", "object": "u"}}),
        ),
    ];
    let random = Random::seeded(7);
    let deadline = Instant::now() + Duration::from_secs(5); // the box of the search
    let mut asked = 0;
    while Instant::now() < deadline {
        let (method, path, body) = &seeds[pick(&random, seeds.len())];
        let mut parts = [(*path).to_owned(), if body.is_null() { String::new() } else { body.to_string() }];
        for _ in 0..=pick(&random, 3) {
            let part = pick(&random, 2);
            parts[part] = mutated(&random, &parts[part]);
        }
        // What would end the path or be no request at all is the HTTP library's to refuse.
        let path = parts[0].replace(|letter: char| !letter.is_ascii_graphic(), "%00");
        let answer = http::ask(address, method, &path, "any", &parts[1]).unwrap();
        asked += 1;
        assert!(answer.status < 500 || answer.status == 501, "{method} {path}\n{}\n-> {answer:?}", parts[1]);
    }
    println!("{asked} requests");
    let log = server.stop();
    assert!(!log.contains("panicked"), "{log}");
}

fn pick(random: &Random, below: usize) -> usize {
    usize::try_from(random.next_u64() % below as u64).unwrap()
}

/// The text with one piece replaced by something nasty, repeated or taken away.
fn mutated(random: &Random, text: &str) -> String {
    const NASTY: [&str; 16] = [
        "",
        "%00",
        "..",
        "/",
        "\\",
        "\"",
        "null",
        "-1",
        "9223372036854775808",
        "[[[[[[[[",
        "{}",
        "%FF",
        "$branch_",
        "é",
        "1e999",
        " ",
    ];
    let bounds: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let (a, b) = (bounds[pick(random, bounds.len())], bounds[pick(random, bounds.len())]);
    let (from, to) = (a.min(b), a.max(b).min(a.min(b) + 12));
    let to = bounds.iter().copied().find(|bound| *bound >= to).unwrap();
    let middle = match pick(random, 3) {
        0 => text[from..to].repeat(2),
        _ => NASTY[pick(random, NASTY.len())].to_owned(),
    };
    format!("{}{middle}{}", &text[..from], &text[to..])
}

#[test]
fn a_warehouse_has_one_server_and_only_known_callers() {
    let scratch = Scratch::new();
    let access = "[[principal]]\nname = \"reader\"\ntoken = \"planted-77\"\nread = [\"d\"]\n";
    let access = scratch.file("access.toml", access);
    let file = format!("server.access-file={}", access.display());
    let (server, address) = serve(&scratch, &["--set", &file]);
    for (token, path, status) in [
        ("planted-77", "/v1/config?warehouse=warehouse", 200),
        ("wrong", "/v1/config?warehouse=warehouse", 401),
        ("planted-77", "/v1/config?warehouse=other", 400),
        ("planted-77", "/v1/warehouse/databases", 200),
        ("planted-77", "/v1/warehouse/databases/e", 403),
        ("planted-77", "/v1/warehouse/databases/d", 404),
        ("planted-77", "/v1/warehouse/views", 501),
    ] {
        assert_eq!(http::ask(address, "GET", path, token, "").unwrap().status, status, "{path}");
    }
    let metrics = http::get(address, "/metrics").unwrap().body;
    assert!(http::metric(&metrics, "tributary_catalog_requests_total").is_some_and(|sum| sum >= 7.0), "{metrics}");
    assert!(!metrics.contains("planted-77"));

    let warehouse = scratch.warehouse();
    let second = ["catalog", "serve", "--warehouse", &warehouse, "--listen", "127.0.0.1:0"];
    for (arguments, remedy) in [
        (&second[..], "a warehouse has one server"),
        (&["catalog", "serve", "--warehouse", &warehouse, "--listen", "0.0.0.0:0"], "TRIBUTARY_SERVER__TOKEN"),
    ] {
        let refused = binary::run(arguments);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.status.code() == Some(2) && said.contains(remedy), "{:?} {said}", refused.status);
    }
    let log = server.stop();
    assert!(!log.contains("planted-77"), "{log}");
}
