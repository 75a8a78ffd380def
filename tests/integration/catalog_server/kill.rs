//! 64 committers on 16 tables, and a server that is killed and started again under them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use paimon_table::store::Storage;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tributary_tests::Scratch;
use tributary_tests::daemon::Daemon;
use tributary_tests::minio::{self, minio};

use super::{ask, create_table, serve, serve_bucket, succeed};

const COMMITTERS: usize = 64;

#[test]
fn no_commit_is_lost_or_doubled_when_the_server_is_killed() {
    // 32 commits of each in CI, more by `TRIBUTARY_CATALOG_COMMITS=200 cargo test -p tributary-tests catalog`.
    let commits = std::env::var("TRIBUTARY_CATALOG_COMMITS").map_or(32, |text| text.parse().expect("it is a number"));
    let scratch = Scratch::new();
    let fast = ["--set", "storage.fsync=false"];
    let first = serve(&scratch, &fast);
    let warehouse = Storage::open(&scratch.warehouse()).unwrap();
    Load { tables: 16, commits, kills: 8, warehouse }.survives(first, |port| {
        let mut next = Daemon::serve_catalog(&scratch.warehouse(), port, &fast);
        next.address();
        next
    });
}

#[test]
fn no_commit_is_lost_or_doubled_in_a_bucket() {
    let Some(minio) = minio() else { return };
    let scratch = Scratch::new();
    let url = format!("{}/warehouse", minio.bucket("killed-server"));
    let first = serve_bucket(&scratch, minio, &url, 0);
    let warehouse = minio::open(&url, minio.address);
    Load { tables: 16, commits: 4, kills: 3, warehouse }
        .survives(first, |port| serve_bucket(&scratch, minio, &url, port).0);
}

/// What the committers do to a warehouse.
struct Load {
    tables: usize,
    /// Of each committer.
    commits: usize,
    /// How often the server is killed, at most.
    kills: usize,
    warehouse: Storage,
}

impl Load {
    /// Every commit that was answered with success is a snapshot, once, and there is no other.
    fn survives(&self, (server, address): (Daemon, SocketAddr), start: impl Fn(u16) -> Daemon) {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let mut server = Some(server);
        succeed(address, "POST databases", &json!({"name": "d"}));
        let names = (0..self.tables).map(|n| format!("t{n}"));
        let tables: Vec<Table> = names
            .map(|name| {
                let folder = self.warehouse.child(&format!("d.db/{name}"));
                Table { id: create_table(address, &name), name, folder }
            })
            .collect();
        let deadline = Instant::now() + tributary_tests::PATIENCE * 5;
        let left = AtomicUsize::new(COMMITTERS);
        let accepted: Vec<(usize, BTreeSet<String>)> = std::thread::scope(|scope| {
            let committers: Vec<_> = (0..COMMITTERS)
                .map(|user| {
                    let (table, left, runtime) = (&tables[user % self.tables], &left, &runtime);
                    scope.spawn(move || {
                        let committer = Committer { address, table, user, deadline, runtime };
                        let uuids = (0..self.commits).map(|commit| committer.commit(commit)).collect();
                        left.fetch_sub(1, Ordering::Relaxed);
                        (user % self.tables, uuids)
                    })
                })
                .collect();
            let mut kills = 0;
            while left.load(Ordering::Relaxed) > 0 {
                std::thread::sleep(Duration::from_millis(300)); // how long each server lives under load
                if left.load(Ordering::Relaxed) > 0 && kills < self.kills {
                    let killed = server.take().unwrap();
                    killed.signal("KILL");
                    killed.end();
                    server = Some(start(address.port()));
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
            assert_eq!(uuids.len(), self.commits * COMMITTERS / self.tables);
            runtime.block_on(assert_history(&tables[table].folder.child("snapshot"), &uuids));
        }
        server.unwrap().stop();
    }
}

/// The snapshots are these and no others, without a gap.
async fn assert_history(snapshots: &Storage, uuids: &BTreeSet<String>) {
    let mut found = BTreeSet::new();
    for id in 1..=uuids.len() {
        let bytes = snapshots.get(&format!("snapshot-{id}")).await.expect("there is no gap");
        let snapshot: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!((&snapshot["id"], &snapshot["ofTomorrow"]), (&json!(id), &json!({"kept": [1.5]})));
        assert!(found.insert(snapshot["uuid"].as_str().unwrap().to_owned()), "doubled");
    }
    assert_eq!(found, *uuids);
    assert_eq!(snapshots.size_opt(&format!("snapshot-{}", uuids.len() + 1)).await.unwrap(), None);
    assert_eq!(snapshots.get("LATEST").await.unwrap(), uuids.len().to_string());
}

struct Table {
    id: String,
    name: String,
    folder: Storage,
}

/// A client that knows only the API, and its own manifest lists.
struct Committer<'a> {
    address: SocketAddr,
    table: &'a Table,
    user: usize,
    /// Somebody waits for the server in vain.
    deadline: Instant,
    runtime: &'a Runtime,
}

impl Committer<'_> {
    /// Commits once, whatever happens to the server; the uuid of the snapshot.
    fn commit(&self, n: usize) -> String {
        let lists = ["base", "delta"].map(|list| format!("{list}-{}-{n}", self.user));
        for list in &lists {
            let path = format!("manifest/{list}");
            self.runtime.block_on(self.table.folder.put(&path, Bytes::from_static(b"a list"))).unwrap();
        }
        for attempt in 0.. {
            let Some(latest) =
                self.answered(&format!("GET databases/d/tables/{}/snapshot", self.table.name), &Value::Null)
            else {
                continue;
            };
            let base = &latest["snapshot"]["snapshot"];
            let uuid = format!("{}-{n}-{attempt}", self.user);
            let id = base["id"].as_i64().unwrap_or_default() + 1;
            let snapshot = json!({
                "version": 3, "id": id, "uuid": uuid, "schemaId": 0, "baseManifestList": lists[0],
                "deltaManifestList": lists[1], "commitUser": format!("user-{}", self.user),
                "commitIdentifier": n, "commitKind": "APPEND", "timeMillis": 1, "totalRecordCount": id,
                "deltaRecordCount": 1, "ofTomorrow": {"kept": [1.5]}
            });
            let mut body = json!({"tableId": self.table.id, "snapshot": snapshot, "statistics": []});
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
        let commit = format!("POST databases/d/tables/{}/commit", self.table.name);
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
        let version = format!("GET databases/d/tables/{}/snapshots/{id}", self.table.name);
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
}
