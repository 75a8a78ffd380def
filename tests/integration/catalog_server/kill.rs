//! 64 committers on 16 tables, and a server that is killed and started again under them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tributary_tests::Scratch;
use tributary_tests::daemon::Daemon;

use super::{ask, create_table, serve, succeed};

const TABLES: usize = 16;
const COMMITTERS: usize = 64;

/// Commits of each committer: 32 in CI, more by `TRIBUTARY_CATALOG_COMMITS=200 cargo test -p tributary-tests catalog`.
fn commits() -> usize {
    std::env::var("TRIBUTARY_CATALOG_COMMITS").map_or(32, |text| text.parse().expect("it is a number"))
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
