#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use paimon_format::types::{DataType, TypeRoot};
use paimon_format::{CommitKind, DataField, Snapshot, SnapshotId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;

/// Both ways: `body` is what Java writes for `value`, and what it reads.
fn same<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: T, body: Value) {
    assert_eq!(serde_json::from_value::<T>(body.clone()).unwrap(), value);
    assert_eq!(serde_json::to_value(&value).unwrap(), body);
}

/// One way: what is missing, null or unknown is no error.
fn reads<T: DeserializeOwned + PartialEq + std::fmt::Debug>(body: Value, value: T) {
    assert_eq!(serde_json::from_value::<T>(body).unwrap(), value);
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn snapshot_json() -> Value {
    json!({
        "version": 3, "uuid": "5d1b", "id": 2, "schemaId": 0,
        "baseManifestList": "manifest-list-a-0", "baseManifestListSize": 10,
        "deltaManifestList": "manifest-list-a-1", "deltaManifestListSize": 11,
        "commitUser": "u", "commitIdentifier": 7, "commitKind": "APPEND", "timeMillis": 1_700_000_000_000_i64,
        "totalRecordCount": 30, "deltaRecordCount": 10, "properties": {"k": "v"}, "nextRowId": 0
    })
}

fn snapshot() -> Snapshot {
    Snapshot {
        version: 3,
        uuid: text("5d1b"),
        id: SnapshotId(2),
        schema_id: 0,
        base_manifest_list: "manifest-list-a-0".to_owned(),
        base_manifest_list_size: Some(10),
        delta_manifest_list: "manifest-list-a-1".to_owned(),
        delta_manifest_list_size: Some(11),
        changelog_manifest_list: None,
        changelog_manifest_list_size: None,
        index_manifest: None,
        commit_user: "u".to_owned(),
        writer_version: None,
        commit_identifier: 7,
        commit_kind: CommitKind::Append,
        time_millis: 1_700_000_000_000,
        total_record_count: 30,
        delta_record_count: 10,
        changelog_record_count: None,
        watermark: None,
        statistics: None,
        properties: Some([("k".to_owned(), "v".to_owned())].into()),
        next_row_id: Some(0),
        operation: None,
    }
}

fn schema() -> Schema {
    Schema {
        fields: vec![
            DataField::new(0, "id", DataType { root: TypeRoot::BigInt, nullable: false }),
            DataField::new(1, "dt", DataType { root: TypeRoot::Varchar(i32::MAX as u32), nullable: true }),
        ],
        partition_keys: vec!["dt".to_owned()],
        primary_keys: Vec::new(),
        options: [("bucket".to_owned(), "-1".to_owned())].into(),
        comment: None,
    }
}

fn schema_json() -> Value {
    json!({
        "fields": [{"id": 0, "name": "id", "type": "BIGINT NOT NULL"}, {"id": 1, "name": "dt", "type": "STRING"}],
        "partitionKeys": ["dt"], "primaryKeys": [], "options": {"bucket": "-1"}
    })
}

#[test]
fn options_of_the_catalog_lie_under_and_over_those_of_the_client() {
    let config: ConfigResponse = serde_json::from_value(
        json!({"defaults": {"a": "1", "prefix": "p"}, "overrides": {"c": "3"}, "endpoints": []}),
    )
    .unwrap();
    let own = [("a".to_owned(), "2".to_owned()), ("c".to_owned(), "2".to_owned())].into();
    let expected = [("a", "2"), ("c", "3"), ("prefix", "p")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    assert_eq!(config.merge(&own), expected.into());
    reads(json!({"overrides": null}), ConfigResponse::default());
}

#[test]
fn errors() {
    same(
        ErrorResponse {
            resource_type: text(resource::TABLE),
            resource_name: text("t"),
            message: text("no"),
            code: Some(404),
        },
        json!({"resourceType": "TABLE", "resourceName": "t", "message": "no", "code": 404}),
    );
    reads(json!({"message": "no", "RequestId": "1"}), ErrorResponse { message: text("no"), ..Default::default() });
}

#[test]
fn databases() {
    same(
        CreateDatabaseRequest { name: "d".to_owned(), options: [("k".to_owned(), "v".to_owned())].into() },
        json!({"name": "d", "options": {"k": "v"}}),
    );
    same(
        AlterDatabaseRequest { removals: vec!["a".to_owned()], updates: [("b".to_owned(), "c".to_owned())].into() },
        json!({"removals": ["a"], "updates": {"b": "c"}}),
    );
    same(
        AlterDatabaseResponse { removed: vec!["a".to_owned()], updated: vec!["b".to_owned()], missing: vec![] },
        json!({"removed": ["a"], "updated": ["b"], "missing": []}),
    );
    let audit = Audit { owner: text("o"), created_at: 1, created_by: text("c"), updated_at: 2, updated_by: text("u") };
    same(
        GetDatabaseResponse {
            id: text("7"),
            name: text("d"),
            location: text("file:/w/d.db"),
            options: BTreeMap::new(),
            audit,
        },
        json!({"id": "7", "name": "d", "location": "file:/w/d.db", "options": {},
               "owner": "o", "createdAt": 1, "createdBy": "c", "updatedAt": 2, "updatedBy": "u"}),
    );
    reads(json!({"name": "d", "createdAt": null}), GetDatabaseResponse { name: text("d"), ..Default::default() });
}

#[test]
fn pages_end_without_a_token() {
    let page: ListDatabasesResponse =
        serde_json::from_value(json!({"databases": ["a"], "nextPageToken": "a"})).unwrap();
    assert_eq!(page.into_parts(), (vec!["a".to_owned()], text("a")));
    for last in [json!({"tables": null}), json!({"nextPageToken": null}), json!({"tables": []})] {
        let page: ListTablesResponse = serde_json::from_value(last).unwrap();
        assert_eq!(page.into_parts(), (vec![], None));
    }
    same(
        ListTagsResponse { tags: vec!["a".to_owned()], next_page_token: None },
        json!({"tags": ["a"], "nextPageToken": null}),
    );
}

#[test]
fn tables() {
    let name = |object: &str| Identifier { database: "d".to_owned(), object: object.to_owned() };
    same(
        CreateTableRequest { identifier: name("t"), schema: schema() },
        json!({"identifier": {"database": "d", "object": "t"}, "schema": schema_json()}),
    );
    same(
        RenameTableRequest { source: name("t"), destination: name("u") },
        json!({"source": {"database": "d", "object": "t"}, "destination": {"database": "d", "object": "u"}}),
    );
    // Without `database`, as up to 1.3.
    reads(
        json!({"id": "9", "name": "t", "path": "file:/w/d.db/t", "isExternal": false, "schemaId": 3,
               "schema": schema_json(), "owner": "o"}),
        GetTableResponse {
            id: "9".to_owned(),
            database: None,
            name: text("t"),
            path: text("file:/w/d.db/t"),
            is_external: false,
            schema_id: 3,
            schema: schema(),
            audit: Audit { owner: text("o"), ..Default::default() },
        },
    );
}

#[test]
fn tokens_do_not_show_themselves() {
    let token = GetTableTokenResponse {
        token: [("fs.oss.accessKeySecret".to_owned(), "s3cr3t".to_owned())].into(),
        expires_at_millis: 5,
    };
    assert!(!format!("{token:?}").contains("s3cr3t"), "{token:?}");
    same(token, json!({"token": {"fs.oss.accessKeySecret": "s3cr3t"}, "expiresAtMillis": 5}));
}

#[test]
fn a_commit_says_what_it_is_based_on_or_that_there_is_nothing_or_nothing_at_all() {
    let statistics = PartitionStatistics {
        spec: [("dt".to_owned(), "20600".to_owned())].into(),
        record_count: 10,
        file_size_in_bytes: 100,
        file_count: 1,
        last_file_creation_time: 9,
        total_buckets: -1,
    };
    let request = |base_snapshot_uuid| CommitTableRequest {
        table_id: text("9"),
        base_snapshot_uuid,
        snapshot: snapshot(),
        statistics: vec![statistics.clone()],
    };
    let body = json!({
        "tableId": "9", "snapshot": snapshot_json(),
        "statistics": [{"spec": {"dt": "20600"}, "recordCount": 10, "fileSizeInBytes": 100, "fileCount": 1,
                        "lastFileCreationTime": 9, "totalBuckets": -1}]
    });
    let with = |uuid: Value| {
        let mut body = body.clone();
        body["baseSnapshotUuid"] = uuid;
        body
    };
    same(request(BaseSnapshot::Uuid("4c0a".to_owned())), with(json!("4c0a")));
    same(request(BaseSnapshot::None), with(Value::Null));
    same(request(BaseSnapshot::Unsaid), body);
    assert_eq!(BaseSnapshot::of(Some(&snapshot())), BaseSnapshot::Uuid("5d1b".to_owned()));
    assert_eq!(BaseSnapshot::of(None), BaseSnapshot::None);
}

#[test]
fn what_clients_up_to_1_3_leave_out_of_statistics() {
    reads(
        json!({"spec": {}, "recordCount": 10, "fileSizeInBytes": 100, "fileCount": 1, "lastFileCreationTime": null}),
        PartitionStatistics { record_count: 10, file_size_in_bytes: 100, file_count: 1, ..Default::default() },
    );
}

#[test]
fn answers_to_a_commit() {
    same(CommitTableResponse { success: true }, json!({"success": true}));
    reads(json!({}), CommitTableResponse { success: false });
}

#[test]
fn snapshots() {
    let latest = TableSnapshot {
        snapshot: snapshot(),
        record_count: 30,
        file_size_in_bytes: 300,
        file_count: 3,
        last_file_creation_time: 9,
    };
    same(
        GetTableSnapshotResponse { snapshot: Some(latest) },
        json!({"snapshot": {"snapshot": snapshot_json(), "recordCount": 30, "fileSizeInBytes": 300, "fileCount": 3,
                            "lastFileCreationTime": 9}}),
    );
    same(GetVersionSnapshotResponse { snapshot: Some(snapshot()) }, json!({"snapshot": snapshot_json()}));
    reads(
        json!({"snapshots": [snapshot_json()]}),
        ListSnapshotsResponse { snapshots: vec![snapshot()], next_page_token: None },
    );
}

#[test]
fn rollbacks() {
    same(
        RollbackTableRequest { instant: Instant::Snapshot { snapshot_id: 4 }, from_snapshot: Some(9) },
        json!({"instant": {"type": "snapshot", "snapshotId": 4}, "fromSnapshot": 9}),
    );
    same(
        RollbackTableRequest { instant: Instant::Tag { tag_name: "a".to_owned() }, from_snapshot: None },
        json!({"instant": {"type": "tag", "tagName": "a"}}),
    );
}

#[test]
fn partitions() {
    let spec: PartitionSpec = [("dt".to_owned(), "a".to_owned())].into();
    let partition = Partition {
        statistics: PartitionStatistics { spec: spec.clone(), record_count: 1, ..Default::default() },
        done: true,
        updated_at: Some(3),
        ..Default::default()
    };
    same(
        ListPartitionsResponse { partitions: vec![partition], next_page_token: None },
        json!({"partitions": [{"spec": {"dt": "a"}, "recordCount": 1, "fileSizeInBytes": 0, "fileCount": 0,
                               "lastFileCreationTime": 0, "totalBuckets": 0, "done": true, "updatedAt": 3}],
               "nextPageToken": null}),
    );
    same(PartitionSpecsRequest { specs: vec![spec.clone()] }, json!({"specs": [{"dt": "a"}]}));
    reads(
        json!({"partitionSpecs": [{"dt": "a"}]}),
        DropPartitionsRequest { partition_specs: vec![spec], ignore_if_not_exists: true },
    );
}

#[test]
fn tags() {
    same(
        CreateTagRequest { tag_name: "a".to_owned(), snapshot_id: Some(4), time_retained: None },
        json!({"tagName": "a", "snapshotId": 4, "timeRetained": null}),
    );
    reads(
        json!({"tagName": "a", "snapshot": snapshot_json(), "tagTimeRetained": "1 d"}),
        GetTagResponse {
            tag_name: "a".to_owned(),
            snapshot: snapshot(),
            tag_create_time: None,
            tag_time_retained: text("1 d"),
        },
    );
}
