#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;

use paimon_format::{CommitKind, DataField, Snapshot, SnapshotId, TableSchema};
use paimon_table::port::{Attempt, NextSnapshot};
use paimon_table::statistics::PartitionStatistics;
use paimon_table::store::credentials::Credentials;
use paimon_table::store::options::BucketOptions;
use serde_json::{Value, json};
use tributary_runtime::{Classify, FailureKind};
use tributary_testkit::{ManualClock, OssKey, OssStub};

use super::*;
use crate::catalog::NewColumn;
use crate::rest::testing::{Answer, NOW, Stub, answer, env, hang_up, waits};

fn catalog(stub: &Stub) -> RestCatalog {
    let storage = StorageOptions { fsync: false, ..StorageOptions::default() };
    RestCatalog::with_waits(stub.options(&[]), storage, &env(&ManualClock::new(NOW)), waits()).unwrap()
}

fn snapshot(id: i64, uuid: &str) -> Snapshot {
    serde_json::from_value(json!({
        "version": 3, "uuid": uuid, "id": id, "schemaId": 0, "baseManifestList": "b", "deltaManifestList": "d",
        "commitUser": "u", "commitIdentifier": 1, "commitKind": "APPEND", "timeMillis": 1
    }))
    .unwrap()
}

async fn commit(stub: &Stub) -> Attempt {
    let commit = RestCommit {
        api: Arc::clone(&catalog(stub).api),
        table: TableIdentifier::new("d", "t"),
        table_id: "9".to_owned(),
    };
    let change = PartitionStatistics {
        spec: [("dt".to_owned(), "a".to_owned())].into(),
        record_count: 1,
        file_size_in_bytes: 2,
        file_count: 3,
        last_file_creation_time: 4,
        total_buckets: -1,
    };
    let (base, next) = (snapshot(1, "one"), snapshot(2, "two"));
    assert_eq!((next.id, next.commit_kind), (SnapshotId(2), CommitKind::Append));
    let next = NextSnapshot { base: Some(&base), snapshot: &next, statistics: &[change] };
    commit.create(&Storage::open("memory:unused").unwrap(), next).await
}

#[tokio::test]
async fn a_commit_says_which_table_and_what_it_is_based_on() {
    let stub = Stub::start([answer(200, r#"{"success": true}"#)]).await;
    assert!(matches!(commit(&stub).await, Attempt::Created));
    let asked = &stub.asked()[0];
    assert_eq!((asked.method.as_str(), asked.target.as_str()), ("POST", "/v1/p/databases/d/tables/t/commit"));
    assert_eq!(asked.headers["x-given"], "by the catalog");
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!(
        (&body["tableId"], &body["baseSnapshotUuid"], &body["snapshot"]["uuid"]),
        (&json!("9"), &json!("one"), &json!("two"))
    );
    assert_eq!(
        body["statistics"],
        json!([{"spec": {"dt": "a"}, "recordCount": 1, "fileSizeInBytes": 2, "fileCount": 3,
                "lastFileCreationTime": 4, "totalBuckets": -1}])
    );
}

#[tokio::test]
async fn only_what_is_certain_is_said_to_be_refused() {
    let lost = || answer(200, r#"{"success": false}"#);
    let busy = || answer(503, "");
    let table_gone = r#"{"resourceType": "TABLE", "message": "no such table", "code": 404}"#;
    let cases: Vec<(&str, Vec<Answer>, &str, FailureKind)> = vec![
        ("lost", vec![lost()], "conflict", FailureKind::Internal),
        ("lost after a resend", vec![busy(), lost()], "unknown", FailureKind::Transient),
        ("won after a resend", vec![busy(), answer(200, r#"{"success": true}"#)], "created", FailureKind::Internal),
        ("half an answer", vec![hang_up()], "unknown", FailureKind::Transient),
        ("no JSON", vec![answer(200, "ok")], "unknown", FailureKind::Usage),
        ("applied, perhaps", vec![answer(500, "")], "unknown", FailureKind::Transient),
        ("a gateway's timeout", vec![answer(504, "")], "unknown", FailureKind::Transient),
        ("nobody knows", vec![answer(409, "")], "unknown", FailureKind::Usage),
        ("bad request", vec![answer(400, "")], "failed", FailureKind::Usage),
        ("no permission", vec![answer(403, "")], "failed", FailureKind::Auth),
        ("no permission after a resend", vec![busy(), answer(403, "")], "unknown", FailureKind::Auth),
        ("another table", vec![answer(404, table_gone)], "failed", FailureKind::Corrupt),
        ("another server", vec![answer(404, "<html>")], "failed", FailureKind::Usage),
        ("not implemented", vec![answer(501, "")], "failed", FailureKind::Usage),
    ];
    for (name, answers, expected, kind) in cases {
        let stub = Stub::start(answers).await;
        let (found, found_kind) = match commit(&stub).await {
            Attempt::Created => ("created", FailureKind::Internal),
            Attempt::Conflict => ("conflict", FailureKind::Internal),
            Attempt::Unknown(error) => ("unknown", error.kind()),
            Attempt::Failed(error) => ("failed", error.kind()),
        };
        assert_eq!((found, found_kind), (expected, kind), "{name}");
    }
}

#[tokio::test]
async fn lists_are_read_page_by_page() {
    let stub = Stub::start([
        answer(200, r#"{"databases": ["c", "a"], "nextPageToken": "a b"}"#),
        answer(200, r#"{"databases": ["b"], "nextPageToken": null}"#),
    ])
    .await;
    assert_eq!(catalog(&stub).list_databases().await.unwrap(), ["a", "b", "c"]);
    let targets: Vec<String> = stub.asked().into_iter().map(|asked| asked.target).collect();
    assert_eq!(targets, ["/v1/p/databases", "/v1/p/databases?pageToken=a+b"]);
}

#[tokio::test]
async fn what_is_not_there_is_no_failure_and_what_may_not_be_seen_is() {
    let missing = answer(404, r#"{"resourceType": "TABLE", "message": "no", "code": 404}"#);
    let table = TableIdentifier::new("d", "t");
    let stub = Stub::start([missing.clone(), missing.clone(), answer(404, ""), answer(403, "")]).await;
    let catalog = catalog(&stub);
    assert!(!catalog.table_exists(&table).await.unwrap());
    assert!(matches!(catalog.load_table(&table).await, Err(CatalogError::NoSuchTable { .. })));
    assert!(matches!(catalog.list_tables("d").await, Err(CatalogError::NoSuchDatabase { .. })));
    assert_eq!(catalog.database_exists("d").await.unwrap_err().kind(), FailureKind::Auth);
}

#[tokio::test]
async fn external_tables_are_committed_to_on_their_file_system_and_managed_ones_through_the_catalog() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("schema")).unwrap();
    let id = DataField::new(0, "id", "INT".parse().unwrap());
    let schema = TableSchema::new(vec![id], Vec::new(), BTreeMap::new(), None, NOW);
    std::fs::write(folder.path().join("schema/schema-0"), schema.to_json().unwrap()).unwrap();
    let table = TableIdentifier::new("d", "t");
    for (is_external, needs_create_if_absent) in [(true, true), (false, false)] {
        let entry = json!({"id": "9", "path": format!("file:{}", folder.path().display()), "isExternal": is_external});
        let stub = Stub::start([answer(200, &entry.to_string())]).await;
        let found = catalog(&stub).load_table(&table).await.unwrap();
        assert_eq!(found.port().needs_create_if_absent(), needs_create_if_absent);
    }
    // A view, or a table that the catalog hides the place of.
    let stub = Stub::start([answer(200, r#"{"id": "9"}"#)]).await;
    assert!(matches!(catalog(&stub).load_table(&table).await, Err(CatalogError::NoLocation { .. })));
}

#[tokio::test]
async fn a_table_that_another_creates_meanwhile_is_waited_for_where_that_is_accepted() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("schema")).unwrap();
    let column = NewColumn { name: "id".to_owned(), data_type: "INT".parse().unwrap(), comment: None };
    let definition = NewTable { columns: vec![column], ..NewTable::default() };
    let table = TableIdentifier::new("d", "t");
    let schema = definition.clone().into_schema(&table, NOW).unwrap();
    std::fs::write(folder.path().join("schema/schema-0"), schema.to_json().unwrap()).unwrap();

    let entry = json!({"id": "9", "path": format!("file:{}", folder.path().display())}).to_string();
    let (absent, database, found) = (answer(404, ""), answer(200, "{}"), answer(200, &entry));
    for beaten in [answer(500, "{}"), answer(409, "{}"), hang_up()] {
        let round = [absent.clone(), database.clone(), beaten];
        let stub = Stub::start(round.iter().cloned().chain([found.clone()])).await;
        assert!(!catalog(&stub).create_table(&table, definition.clone(), true).await.unwrap().created);
        let stub = Stub::start(round.iter().cloned().chain([found.clone()])).await;
        catalog(&stub).create_table(&table, definition.clone(), false).await.unwrap_err();
        assert_eq!(stub.asked().len(), 3, "who insists on creating it is told at once");
        let rounds = (0..=MOST_LOOKS).flat_map(|_| round.clone());
        let stub = Stub::start(rounds.chain([found.clone()])).await;
        catalog(&stub).create_table(&table, definition.clone(), true).await.unwrap_err();
    }
}

#[tokio::test]
async fn the_store_of_a_table_is_opened_by_its_data_tokens() {
    let oss = OssStub::start("cn-hangzhou").unwrap();
    oss.make_bucket("lake");
    let key = |id: &str| OssKey { id: id.to_owned(), secret: "s3cr3t".to_owned(), token: Some(format!("sts-{id}")) };
    let hour = 3_600_000;
    let token = |id: &str, end: i64| {
        let token = json!({
            "fs.oss.accessKeyId": id, "fs.oss.accessKeySecret": "s3cr3t", "fs.oss.securityToken": format!("sts-{id}"),
            "fs.oss.endpoint": "elsewhere.example.com", "fs.oss.region": "cn-hangzhou", "fs.oss.user.agent.features": "x",
        });
        answer(200, &json!({"token": token, "expiresAtMillis": end}).to_string())
    };
    for id in ["first", "second", "third"] {
        oss.accept(key(id));
    }
    let own = Credentials { access_key: "own".to_owned(), secret_key: "s3cr3t".to_owned(), session_token: None };
    oss.accept(OssKey { id: own.access_key.clone(), secret: own.secret_key.clone(), token: None });
    let at = BucketOptions {
        endpoint: Some(format!("http://{}", oss.address())),
        region: Some("cn-hangzhou".to_owned()),
        credentials: Some(own),
        ..BucketOptions::default()
    };
    let by_hand = Storage::open_with("oss://lake/t", &StorageOptions { oss: at, ..StorageOptions::default() }).unwrap();
    let id = DataField::new(0, "id", "INT".parse().unwrap());
    let schema = TableSchema::new(vec![id], Vec::new(), BTreeMap::new(), None, NOW);
    by_hand.put("schema/schema-0", schema.to_json().unwrap().into()).await.unwrap();

    let entry = json!({"id": "9", "path": "oss://lake/t"});
    let catalog_is_down = answer(503, "");
    let told = [
        answer(200, &entry.to_string()),
        token("first", NOW + 3 * hour),
        token("second", NOW + 6 * hour),
        token("third", NOW + 9 * hour),
        catalog_is_down.clone(),
        catalog_is_down.clone(),
        catalog_is_down.clone(),
        catalog_is_down.clone(),
        catalog_is_down,
    ];
    let stub = Stub::start(told).await;
    let clock = ManualClock::new(NOW);
    let options =
        stub.options(&[("data-token.enabled", "true"), ("dlf.oss-endpoint", &format!("http://{}", oss.address()))]);
    let catalog = RestCatalog::with_waits(options, StorageOptions::default(), &env(&clock), waits()).unwrap();
    let table = catalog.load_table(&TableIdentifier::new("d", "t")).await.unwrap();
    let storage = table.storage();
    let expiry = || catalog.credentials_expire_at_millis().unwrap();
    let fetches = || stub.asked().iter().filter(|asked| asked.target == "/v1/p/databases/d/tables/t/token").count();
    assert_eq!((fetches(), expiry()), (1, NOW + 3 * hour));

    clock.advance(Duration::from_secs(2 * 3600));
    let read = futures::future::join_all((0..16).map(|_| storage.size_opt("schema/schema-0"))).await;
    assert!(read.iter().all(|size| size.as_ref().unwrap().is_some()));
    assert_eq!((fetches(), expiry()), (2, NOW + 6 * hour), "ahead of its end, once for all");

    oss.expire("second");
    let read = futures::future::join_all((0..16).map(|_| storage.size_opt("schema/schema-0"))).await;
    assert!(read.iter().all(|size| size.as_ref().unwrap().is_some()));
    assert_eq!((fetches(), expiry()), (3, NOW + 9 * hour), "refused, once for all");

    // While the catalog cannot be asked there is nothing to do but to wait.
    oss.expire("third");
    let waits = storage.size_opt("schema/schema-0").await.unwrap_err();
    assert_eq!(waits.kind(), FailureKind::Transient, "{waits}");
    let shown = format!("{waits} {waits:?} {storage:?} {catalog:?}");
    assert!(!shown.contains("s3cr3t") && !shown.contains("sts-"), "{shown}");
    drop(table);
    assert_eq!(catalog.credentials_expire_at_millis(), None);
}

#[tokio::test]
async fn a_data_token_that_opens_nothing_is_refused_without_showing_it() {
    let table = TableIdentifier::new("d", "t");
    for (token, message) in [
        (
            json!({"akId": "s3cr3t"}),
            "what the catalog says of the store of d.t cannot be used: its token has no keys for s3://lake/t",
        ),
        (json!({"s3.access-key": "s3cr3t"}), "`s3.access-key` is given without `s3.secret-key`"),
        (json!({"fs.oss.accessKeyId": "s3cr3t", "fs.oss.accessKeySecret": "s3cr3t"}), "no keys for s3://lake/t"),
    ] {
        let entry = json!({"id": "9", "path": "s3://lake/t"}).to_string();
        let token = json!({"token": token, "expiresAtMillis": NOW}).to_string();
        let stub = Stub::start([answer(200, &entry), answer(200, &token)]).await;
        let options = stub.options(&[("data-token.enabled", "true")]);
        let env = env(&ManualClock::new(NOW));
        let catalog = RestCatalog::with_waits(options, StorageOptions::default(), &env, waits()).unwrap();
        let error = catalog.load_table(&table).await.unwrap_err();
        assert_eq!(error.kind(), FailureKind::Usage);
        assert!(error.to_string().contains(message) && !error.to_string().contains("s3cr3t"), "{error}");
    }
}
