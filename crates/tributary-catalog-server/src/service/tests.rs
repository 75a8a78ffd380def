//! The service on a store in memory, asked as a client asks.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::num::NonZeroUsize;

use paimon_table::store::Storage;
use prometheus::Registry;
use serde_json::{Value, json};
use tributary_testkit::{Fault, FaultStore, Op};

mod branches;
mod definitions;
mod races;

use super::*;
use crate::import::Setup;
use crate::ledger::{Ledger, MemoryLedger};

/// A warehouse and a ledger that outlive servers.
struct World {
    warehouse: Storage,
    ledger: Arc<dyn Ledger>,
    env: Env,
}

impl World {
    fn new() -> Self {
        let env = Env::try_system(NonZeroUsize::MIN).unwrap();
        let warehouse = Storage::open(&format!("memory://{}", env.random.uuid())).unwrap();
        Self { warehouse, ledger: Arc::new(MemoryLedger::default()), env }
    }

    async fn try_open(&self, import: bool) -> Result<Service, String> {
        self.open_on(self.warehouse.clone(), import).await
    }

    async fn open_on(&self, warehouse: Storage, import: bool) -> Result<Service, String> {
        let metrics = CatalogMetrics::register(&Registry::new()).unwrap();
        let (name, ledger, env) = ("w".to_owned(), Arc::clone(&self.ledger), self.env.clone());
        let setup = Setup { warehouse, name, import, ledger, env, metrics };
        Service::open(setup).await.map_err(|error| error.to_string())
    }

    async fn open(&self) -> Service {
        self.try_open(false).await.unwrap()
    }

    /// The same warehouse, where some operations fail.
    fn failing(&self, fault: impl Fn(Op, &str) -> Fault + Send + Sync + 'static) -> Storage {
        let store =
            FaultStore::with_plan(Arc::clone(&self.warehouse.store), move |call| fault(call.op, call.path.as_ref()));
        let mut storage = self.warehouse.clone();
        storage.store = Arc::new(store);
        storage
    }
}

async fn ask(service: &Service, request: &str, body: Value) -> Result<Value, u16> {
    let (method, target) = request.split_once(' ').unwrap();
    let target = format!("/v1/w/{target}");
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let call = Call::try_new(method, path, query, "w").map_err(|problem| problem.code)?;
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    match service.answer(&Principal::of_all("test"), call, &body).await {
        Ok(Reply::Done) => Ok(Value::Null),
        Ok(Reply::Json(bytes)) => Ok(serde_json::from_slice(&bytes).unwrap()),
        Err(problem) => Err(problem.code),
    }
}

async fn get(service: &Service, target: &str) -> Result<Value, u16> {
    ask(service, &format!("GET {target}"), Value::Null).await
}

fn definition(database: &str, table: &str) -> Value {
    json!({
        "identifier": {"database": database, "object": table},
        "schema": {"fields": [{"id": 0, "name": "id", "type": "BIGINT"}], "partitionKeys": [], "primaryKeys": [], "options": {}}
    })
}

async fn create(service: &Service, database: &str, table: &str) -> Result<Value, u16> {
    ask(service, &format!("POST databases/{database}/tables"), definition(database, table)).await
}

/// The table d.t in a new database d; its id.
async fn with_table(service: &Service) -> String {
    ask(service, "POST databases", json!({"name": "d", "options": {"k": "v"}})).await.unwrap();
    create(service, "d", "t").await.unwrap();
    id_of(service, "t").await
}

async fn id_of(service: &Service, table: &str) -> String {
    get(service, &format!("databases/d/tables/{table}")).await.unwrap()["id"].as_str().unwrap().to_owned()
}

/// Snapshot N with the manifest lists it names, which say nothing.
async fn snapshot(world: &World, folder: &str, id: i64, uuid: &str) -> Value {
    for list in ["base", "delta"] {
        world.warehouse.put(&format!("{folder}/manifest/{list}-{uuid}"), "x".into()).await.unwrap();
    }
    json!({
        "version": 3, "id": id, "uuid": uuid, "schemaId": 0, "baseManifestList": format!("base-{uuid}"),
        "deltaManifestList": format!("delta-{uuid}"), "commitUser": "me", "commitIdentifier": id, "commitKind": "APPEND",
        "timeMillis": 1, "totalRecordCount": id, "deltaRecordCount": 1, "properties": {"k": "v"}, "ofTomorrow": [1.50]
    })
}

async fn commit(service: &Service, table_id: &str, snapshot: &Value) -> Result<bool, u16> {
    let body = json!({"tableId": table_id, "snapshot": snapshot, "statistics": []});
    Ok(ask(service, "POST databases/d/tables/t/commit", body).await?["success"].as_bool().unwrap())
}

#[tokio::test]
async fn databases_are_created_listed_altered_and_dropped() {
    let world = World::new();
    let service = world.open().await;
    with_table(&service).await;
    for name in ["a", "b"] {
        ask(&service, "POST databases", json!({"name": name, "options": {}})).await.unwrap();
    }
    assert_eq!(ask(&service, "POST databases", json!({"name": "a"})).await, Err(409));
    assert_eq!(
        get(&service, "databases?maxResults=2").await.unwrap(),
        json!({"databases": ["a", "b"], "nextPageToken": "b"})
    );
    let change = json!({"removals": ["k", "none"], "updates": {"x": "1"}});
    let changed = ask(&service, "POST databases/d", change).await.unwrap();
    assert_eq!(changed, json!({"removed": ["k"], "updated": ["x"], "missing": ["none"]}));
    let found = get(&service, "databases/d").await.unwrap();
    assert_eq!((&found["options"], &found["name"], &found["owner"]), (&json!({"x": "1"}), &json!("d"), &json!("test")));
    ask(&service, "DELETE databases/d", Value::Null).await.unwrap();
    assert_eq!(get(&service, "databases/d").await, Err(404));
    assert!(world.warehouse.list_folders("d.db").await.unwrap().is_empty(), "its tables are gone");
}

#[tokio::test]
async fn a_renamed_table_keeps_its_files_and_its_old_name_is_free() {
    let world = World::new();
    let service = world.open().await;
    let id = with_table(&service).await;
    let first = snapshot(&world, "d.db/t", 1, "u1").await;
    assert_eq!(commit(&service, &id, &first).await, Ok(true));
    let names = json!({"source": {"database": "d", "object": "t"}, "destination": {"database": "d", "object": "u"}});
    ask(&service, "POST tables/rename", names).await.unwrap();
    assert_eq!(get(&service, "databases/d/tables/t").await, Err(404));
    assert_eq!(get(&service, "databases/d/tables/u/snapshot").await.unwrap()["snapshot"]["snapshot"]["uuid"], "u1");
    create(&service, "d", "t").await.unwrap();
    assert_eq!(commit(&service, &id, &first).await, Err(404), "the new table is another one");
    assert_eq!(get(&service, "databases/d/tables/t/snapshot").await, Err(404));
    assert_eq!(get(&service, "databases/d/tables").await.unwrap()["tables"], json!(["t", "u"]));
    let details = get(&service, "databases/d/table-details?tableNamePattern=u%25").await.unwrap();
    assert_eq!(details["tableDetails"][0]["id"], json!(id));
    // All of it is there after a restart.
    let service = world.open().await;
    assert_eq!(id_of(&service, "u").await, id);
    assert_eq!(get(&service, &format!("tables/id/{id}")).await.unwrap()["name"], "u");
}

#[tokio::test]
async fn snapshots_are_created_one_after_the_other_and_kept_as_they_came() {
    let world = World::new();
    let service = world.open().await;
    let id = with_table(&service).await;
    let first = snapshot(&world, "d.db/t", 1, "u1").await;
    let rival = snapshot(&world, "d.db/t", 1, "v1").await;
    let second = snapshot(&world, "d.db/t", 2, "u2").await;
    for (snapshot, expected) in [
        (&second, Ok(false)),
        (&first, Ok(true)),
        (&first, Ok(true)),
        (&rival, Ok(false)),
        (&second, Ok(true)),
        (&first, Ok(true)),
        (&json!({"id": 3}), Err(400)),
    ] {
        assert_eq!(commit(&service, &id, snapshot).await, expected, "{snapshot}");
    }
    assert_eq!(commit(&service, "another", &second).await, Err(404));
    let mut lost = snapshot(&world, "d.db/t", 3, "u3").await;
    lost["deltaManifestList"] = json!("not-there");
    assert_eq!(commit(&service, &id, &lost).await, Err(400), "it names a file that is not there");
    assert_eq!(get(&service, "databases/d/tables/t/snapshots").await.unwrap()["snapshots"], json!([first, second]));
    for (version, found) in [("LATEST", &second), ("EARLIEST", &first), ("1", &first)] {
        let found_there = get(&service, &format!("databases/d/tables/t/snapshots/{version}")).await.unwrap();
        assert_eq!(&found_there["snapshot"], found, "{version}");
    }
    let page = get(&service, "databases/d/tables/t/snapshots?maxResults=1").await.unwrap();
    assert_eq!(page, json!({"snapshots": [first], "nextPageToken": "1"}));
    assert_eq!(world.warehouse.get("d.db/t/snapshot/LATEST").await.unwrap(), "2");
    // A restarted server knows the same.
    let service = world.open().await;
    assert_eq!(commit(&service, &id, &second).await, Ok(true));
    assert_eq!(commit(&service, &id, &rival).await, Ok(false));
}

#[tokio::test]
async fn a_commit_of_another_engine_in_the_folder_is_noticed() {
    let world = World::new();
    let service = world.open().await;
    let id = with_table(&service).await;
    let first = snapshot(&world, "d.db/t", 1, "u1").await;
    assert_eq!(commit(&service, &id, &first).await, Ok(true));
    let foreign = snapshot(&world, "d.db/t", 2, "f2").await;
    world.warehouse.put("d.db/t/snapshot/snapshot-2", foreign.to_string().into()).await.unwrap();
    let ours = snapshot(&world, "d.db/t", 2, "u2").await;
    assert_eq!(commit(&service, &id, &ours).await, Ok(false));
    let third = snapshot(&world, "d.db/t", 3, "u3").await;
    assert_eq!(commit(&service, &id, &third).await, Ok(true));
}

#[tokio::test]
async fn a_commit_whose_outcome_is_unknown_is_settled_by_sending_it_again() {
    for fault in [Fault::ErrorBefore, Fault::ErrorAfter] {
        let world = World::new();
        let id = with_table(&world.open().await).await;
        let first = snapshot(&world, "d.db/t", 1, "u1").await;
        let broken = world.failing(
            move |op, path| if op == Op::Create && path.ends_with("snapshot-1") { fault } else { Fault::None },
        );
        let service = world.open_on(broken, false).await.unwrap();
        assert_eq!(commit(&service, &id, &first).await, Err(503), "{fault:?}");
        let service = world.open().await;
        assert_eq!(commit(&service, &id, &first).await, Ok(true), "{fault:?}");
        assert_eq!(commit(&service, &id, &first).await, Ok(true), "{fault:?}");
    }
}

#[tokio::test]
async fn a_creation_cut_short_is_finished_by_the_next_start_or_the_next_attempt() {
    for (fault, there) in [(Fault::ErrorBefore, false), (Fault::ErrorAfter, true)] {
        let world = World::new();
        ask(&world.open().await, "POST databases", json!({"name": "d"})).await.unwrap();
        let broken = world.failing(move |op, path| match (op, path.ends_with("schema-0")) {
            (Op::Create, true) => fault,
            // The store cannot be asked either, so the creation stays open.
            (Op::Head, true) => Fault::ErrorBefore,
            _ => Fault::None,
        });
        let service = world.open_on(broken, false).await.unwrap();
        assert_eq!(create(&service, "d", "t").await, Err(503), "{fault:?}");
        assert_eq!(get(&service, "databases/d/tables/t").await, Err(404), "{fault:?}");
        let service = world.open().await;
        assert_eq!(get(&service, "databases/d/tables/t").await.is_ok(), there, "{fault:?}");
        assert_eq!(create(&service, "d", "t").await, if there { Err(409) } else { Ok(Value::Null) }, "{fault:?}");
    }
}

#[tokio::test]
async fn a_drop_cut_short_frees_the_name_and_is_finished_by_the_next_start() {
    let world = World::new();
    with_table(&world.open().await).await;
    let broken = world.failing(|op, _| if op == Op::Delete { Fault::ErrorBefore } else { Fault::None });
    let service = world.open_on(broken, false).await.unwrap();
    ask(&service, "DELETE databases/d/tables/t", Value::Null).await.unwrap();
    assert_eq!(get(&service, "databases/d/tables/t").await, Err(404));
    create(&service, "d", "t").await.unwrap();
    let location = get(&service, "databases/d/tables/t").await.unwrap()["path"].clone();
    assert!(!location.as_str().unwrap().ends_with("d.db/t"), "the old folder is not empty: {location}");
    let service = world.open().await;
    assert_eq!(world.warehouse.list_folders("d.db").await.unwrap().len(), 1);
    assert_eq!(get(&service, "databases/d/tables/t").await.unwrap()["path"], location);
}

#[tokio::test]
async fn a_warehouse_with_tables_is_taken_in_only_when_asked() {
    let world = World::new();
    let id = with_table(&world.open().await).await;
    let other =
        World { ledger: Arc::new(MemoryLedger::default()), warehouse: world.warehouse.clone(), env: world.env.clone() };
    assert!(other.try_open(false).await.err().unwrap().contains("--import"));
    let service = other.try_open(true).await.unwrap();
    assert_ne!(id_of(&service, "t").await, id);
    assert!(world.try_open(false).await.err().unwrap().contains("belongs to another"));
    world.warehouse.delete(".tributary-catalog").await.unwrap();
    let third = World { ledger: Arc::new(MemoryLedger::default()), ..world };
    assert!(third.try_open(false).await.err().unwrap().contains("--import"));
}

#[tokio::test]
async fn a_table_goes_back_and_forth_by_tags_and_rollback() {
    let world = World::new();
    let service = world.open().await;
    let id = with_table(&service).await;
    for n in 1..=3 {
        let next = snapshot(&world, "d.db/t", n, &format!("u{n}")).await;
        assert_eq!(commit(&service, &id, &next).await, Ok(true));
    }
    let tags = "databases/d/tables/t/tags";
    for (body, expected) in [
        (json!({"tagName": "one", "snapshotId": 1}), Ok(Value::Null)),
        (json!({"tagName": "one", "snapshotId": 2}), Err(409)),
        (json!({"tagName": "latest"}), Ok(Value::Null)),
        (json!({"tagName": "x", "snapshotId": 9}), Err(404)),
        (json!({"tagName": "7"}), Err(400)),
        (json!({"tagName": "../x"}), Err(400)),
        (json!({"tagName": "x", "timeRetained": "1 d"}), Err(501)),
    ] {
        assert_eq!(ask(&service, &format!("POST {tags}"), body.clone()).await, expected, "{body}");
    }
    assert_eq!(get(&service, tags).await.unwrap()["tags"], json!(["latest", "one"]));
    assert_eq!(get(&service, &format!("{tags}/one")).await.unwrap()["snapshot"]["uuid"], "u1");
    assert_eq!(get(&service, "databases/d/tables/t/snapshots/one").await.unwrap()["snapshot"]["uuid"], "u1");
    let back = "POST databases/d/tables/t/rollback";
    for (body, expected) in [
        (json!({"instant": {"type": "snapshot", "snapshotId": 2}, "fromSnapshot": 9}), Err(400)),
        (json!({"instant": {"type": "snapshot", "snapshotId": 9}}), Err(404)),
        (json!({"instant": {"type": "tag", "tagName": "none"}}), Err(404)),
        (json!({"instant": {"type": "snapshot", "snapshotId": 2}, "fromSnapshot": 3}), Ok(Value::Null)),
        (json!({"instant": {"type": "tag", "tagName": "one"}}), Ok(Value::Null)),
    ] {
        assert_eq!(ask(&service, back, body.clone()).await, expected, "{body}");
    }
    assert_eq!(get(&service, "databases/d/tables/t/snapshot").await.unwrap()["snapshot"]["snapshot"]["uuid"], "u1");
    let next = snapshot(&world, "d.db/t", 2, "w2").await;
    assert_eq!(commit(&service, &id, &next).await, Ok(true));
    ask(&service, &format!("DELETE {tags}/one"), Value::Null).await.unwrap();
    assert_eq!(ask(&service, &format!("DELETE {tags}/one"), Value::Null).await, Err(404));
}

#[tokio::test]
async fn a_principal_sees_and_changes_only_what_it_may() {
    let world = World::new();
    let service = world.open().await;
    with_table(&service).await;
    let reader = Principal::new("r", vec!["d".to_owned()], vec![]);
    ask(&service, "POST databases", json!({"name": "hidden"})).await.unwrap();
    for (request, code) in [
        ("GET databases/d/tables/t", 200),
        ("GET databases/hidden", 403),
        ("GET databases/hidden/tables", 403),
        ("DELETE databases/d", 403),
        ("DELETE databases/d/tables/t", 403),
        ("POST databases/d/tables/t/commit", 403),
        ("POST databases/d", 403),
    ] {
        let (method, target) = request.split_once(' ').unwrap();
        let call = Call::try_new(method, &format!("/v1/w/{target}"), "", "w").unwrap();
        let answered = service.answer(&reader, call, b"{}").await;
        assert_eq!(answered.map_or_else(|problem| problem.code, |_| 200), code, "{request}");
    }
    let listed = service.answer(&reader, Call::ListDatabases(Default::default()), b"").await.unwrap();
    let Reply::Json(listed) = listed else { panic!("a listing is JSON") };
    assert!(String::from_utf8(listed).unwrap().starts_with(r#"{"databases":["d"]"#));
}
