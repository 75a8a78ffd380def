//! Committers that do nothing else.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::Connection;

/// Who commits when.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Order {
    /// One after the other, each on the snapshot of the one before.
    InTurn,
    /// All at once on one table, as engines do: read the newest snapshot, commit, and begin again after a loss.
    Racing,
    /// Each on tables of its own, one after the other.
    Apart,
}

pub(super) struct Table {
    pub(super) id: String,
    pub(super) name: String,
}

/// The newest snapshot of a table, as its committer knows.
#[derive(Clone, Default)]
struct Head {
    id: u64,
    uuid: Option<String>,
}

/// What came of it.
pub(super) struct Done {
    /// Of each accepted commit.
    pub(super) millis: Vec<f64>,
    /// Commits that came too late.
    pub(super) refused: usize,
    pub(super) seconds: f64,
}

/// Whose turn it is, and what the one before left.
#[derive(Default)]
struct Baton {
    held: Mutex<(usize, Head)>,
    passed: Condvar,
}

struct Committer<'a> {
    connection: Connection,
    number: usize,
    committers: usize,
    deadline: Instant,
    commits: usize,
    millis: Vec<f64>,
    refused: usize,
    baton: &'a Baton,
}

pub(super) fn run(address: SocketAddr, tables: &[Table], order: Order, committers: usize, duration: Duration) -> Done {
    let (begin, baton) = (Instant::now(), Baton::default());
    let deadline = begin + duration;
    let done: Vec<(Vec<f64>, usize)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..committers)
            .map(|number| {
                let connection = Connection::open(address);
                let (commits, millis, refused, baton) = (0, Vec::new(), 0, &baton);
                let mut committer =
                    Committer { connection, number, committers, deadline, commits, millis, refused, baton };
                scope.spawn(move || {
                    match order {
                        Order::InTurn => committer.in_turn(&tables[0]),
                        Order::Racing => committer.race(&tables[0]),
                        Order::Apart => committer.apart(tables),
                    }
                    (committer.millis, committer.refused)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (millis, refused): (Vec<Vec<f64>>, Vec<usize>) = done.into_iter().unzip();
    Done { millis: millis.concat(), refused: refused.iter().sum(), seconds: begin.elapsed().as_secs_f64() }
}

// === impl Committer ===

impl Committer<'_> {
    fn in_turn(&mut self, table: &Table) {
        while Instant::now() < self.deadline {
            let held = self.baton.held.lock().unwrap();
            let mut held = self.baton.passed.wait_while(held, |(turn, _)| *turn != self.number).unwrap();
            let next = self.commit(table, &held.1).expect("nobody else commits");
            *held = ((self.number + 1) % self.committers, next);
            drop(held);
            self.baton.passed.notify_all();
        }
        // Whoever waits for this one is done as well.
        let mut held = self.baton.held.lock().unwrap();
        held.0 = if held.0 == self.number { (self.number + 1) % self.committers } else { held.0 };
        drop(held);
        self.baton.passed.notify_all();
    }

    fn race(&mut self, table: &Table) {
        while Instant::now() < self.deadline {
            let (status, body) = self.connection.ask("GET", &format!("databases/d/tables/{}/snapshot", table.name), "");
            let head = match status {
                404 => Head::default(),
                _ => {
                    let found: Value = serde_json::from_slice(&body).unwrap();
                    let snapshot = &found["snapshot"]["snapshot"];
                    let uuid = snapshot["uuid"].as_str().map(str::to_owned);
                    Head { id: snapshot["id"].as_u64().unwrap(), uuid }
                }
            };
            self.commit(table, &head);
        }
    }

    fn apart(&mut self, tables: &[Table]) {
        let mut own: Vec<(&Table, Head)> =
            tables.iter().skip(self.number).step_by(self.committers).map(|table| (table, Head::default())).collect();
        for n in (0..own.len()).cycle() {
            if Instant::now() >= self.deadline {
                break;
            }
            let (table, head) = &own[n];
            own[n].1 = self.commit(table, head).expect("nobody else commits");
        }
    }

    /// The new snapshot, or `None` when another one was faster.
    fn commit(&mut self, table: &Table, head: &Head) -> Option<Head> {
        self.commits += 1;
        let (id, uuid) = (head.id + 1, format!("00000000-0000-4000-8000-{:04}{:08}", self.number, self.commits));
        let snapshot = json!({
            "version": 3, "id": id, "uuid": uuid, "schemaId": 0, "baseManifestList": "base", "baseManifestListSize": 1024,
            "deltaManifestList": "delta", "deltaManifestListSize": 1024, "changelogManifestList": null,
            "commitUser": format!("committer-{}", self.number), "commitIdentifier": self.commits, "commitKind": "APPEND",
            "timeMillis": 1_787_391_157_000_u64, "totalRecordCount": id * 1000, "deltaRecordCount": 1000,
            "properties": {"tributary.positions": "{\"0\":\"1000\"}"}
        });
        let statistics = json!([{"spec": {"dt": "2026-01-01"}, "recordCount": 1000, "fileSizeInBytes": 115_000,
                                 "fileCount": 1, "lastFileCreationTime": 1_787_391_157_000_u64, "totalBuckets": -1}]);
        let body =
            json!({"tableId": table.id, "baseSnapshotUuid": head.uuid, "snapshot": snapshot, "statistics": statistics});
        let (path, body) = (format!("databases/d/tables/{}/commit", table.name), body.to_string());
        let begin = Instant::now();
        let (status, answer) = self.connection.ask("POST", &path, &body);
        let millis = begin.elapsed().as_secs_f64() * 1e3;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        if answer["success"] == true {
            self.millis.push(millis);
            Some(Head { id, uuid: Some(uuid) })
        } else {
            self.refused += 1;
            None
        }
    }
}

// === impl Order ===

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InTurn => "in turn",
            Self::Racing => "racing",
            Self::Apart => "each its own",
        })
    }
}
