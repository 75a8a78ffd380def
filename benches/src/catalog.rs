//! Commits per second and their latency through `tributary catalog serve`: one table or many, 1 to 64 committers, with
//! and without fsync, on a local disk and on MinIO where it is installed.
//!
//! A commit here is the request alone: the two manifest lists that the server looks for are written once per table, so
//! that the disk's work is the server's. Its time is measured twice: by the committers, from the first byte of a request
//! to the last of its answer, and by the server itself (`tributary_catalog_commit_duration_seconds`, which has buckets:
//! the bound of the one that holds the 99th percentile is shown). Both are of accepted commits only.

mod client;
mod load;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use paimon_table::store::Storage;
use serde_json::json;
use tributary_tests::daemon::Daemon;
use tributary_tests::minio::{self, minio};
use tributary_tests::table::block_on;

use client::{Connection, Histogram};
use load::{Order, Table};

use crate::{percentile, process};

/// A server with an empty warehouse.
struct Served {
    server: Daemon,
    address: SocketAddr,
    warehouse: Storage,
}

/// Tables, who commits when, committers.
const LOADS: [(usize, Order, usize); 8] = [
    (1, Order::InTurn, 1),
    (1, Order::InTurn, 16),
    (1, Order::InTurn, 64),
    (1, Order::Racing, 16),
    (1, Order::Racing, 64),
    (64, Order::Apart, 1),
    (64, Order::Apart, 16),
    (64, Order::Apart, 64),
];

pub(crate) fn run(duration: Duration, scratch: &Path) {
    println!(
        "| warehouse | tables | committers | commits/s | p50 ms | p99 ms | server's mean ms | its p99 ms at most | refused |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    measure("local disk", local(scratch, true), duration);
    measure("local disk without fsync", local(scratch, false), duration);
    match on_minio(scratch) {
        Some(served) => measure("MinIO", served, duration),
        None => eprintln!("not measured on MinIO: it is not installed (tests/engines/install)"),
    }
}

fn measure(place: &str, served: Served, duration: Duration) {
    let Served { server, address, warehouse } = served;
    let mut connection = Connection::open(address);
    connection.succeed("POST", "databases", &json!({"name": "d"}));
    for (run, (tables, order, committers)) in LOADS.into_iter().enumerate() {
        let named = (0..tables).map(|n| format!("t{run}_{n}"));
        let tables: Vec<Table> = named.map(|name| create(&mut connection, &warehouse, name)).collect();
        let before = Histogram::ask(address);
        let done = load::run(address, &tables, order, committers, duration);
        let server = Histogram::ask(address).since(&before);
        let at = |share| percentile(done.millis.clone(), share);
        println!(
            "| {place} | {}, {order} | {committers} | {:.0} | {:.2} | {:.2} | {:.2} | {} | {} |",
            tables.len(),
            done.millis.len() as f64 / done.seconds,
            at(0.5),
            at(0.99),
            server.mean_millis(),
            server.bound_millis(0.99),
            done.refused
        );
    }
    server.stop();
}

fn local(scratch: &Path, fsync: bool) -> Served {
    let folder = scratch.join(format!("fsync-{fsync}"));
    std::fs::create_dir(&folder).unwrap();
    let url = folder.to_str().unwrap().to_owned();
    let warehouse = Storage::open(&url).unwrap();
    serve(&url, &["--set".to_owned(), format!("storage.fsync={fsync}")], warehouse)
}

fn on_minio(scratch: &Path) -> Option<Served> {
    let minio = minio()?;
    let url = format!("{}/warehouse", minio.bucket("bench"));
    let database = scratch.join("minio.redb");
    let mut arguments = vec!["--set".to_owned(), format!("server.database={}", database.display())];
    for (key, value) in minio.options() {
        arguments.extend(["--catalog-option".to_owned(), format!("{key}={value}")]);
    }
    Some(serve(&url, &arguments, minio::open(&url, minio.address)))
}

fn serve(url: &str, arguments: &[String], warehouse: Storage) -> Served {
    let mut command = process::tributary();
    command.args(["catalog", "serve", "--name", "w", "--warehouse", url, "--listen", "127.0.0.1:0"]).args(arguments);
    let mut server = Daemon::spawn(command);
    let address = server.address();
    Served { server, address, warehouse }
}

/// A table, and the manifest lists that its snapshots name.
fn create(connection: &mut Connection, warehouse: &Storage, name: String) -> Table {
    let field = |id, name, of| json!({"id": id, "name": name, "type": of});
    let schema = json!({"fields": [field(0, "id", "BIGINT"), field(1, "dt", "STRING")], "partitionKeys": ["dt"],
                        "primaryKeys": [], "options": {}});
    let definition = json!({"identifier": {"database": "d", "object": name}, "schema": schema});
    connection.succeed("POST", "databases/d/tables", &definition);
    let found = connection.succeed("GET", &format!("databases/d/tables/{name}"), &json!(null));
    for list in ["base", "delta"] {
        block_on(warehouse.put(&format!("d.db/{name}/manifest/{list}"), "a list".into())).unwrap();
    }
    Table { id: found["id"].as_str().unwrap().to_owned(), name }
}
