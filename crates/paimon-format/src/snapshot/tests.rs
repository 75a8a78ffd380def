#![allow(clippy::unwrap_used)]

use super::*;

fn snapshot() -> Snapshot {
    Snapshot {
        version: Snapshot::CURRENT_VERSION,
        uuid: None,
        id: SnapshotId(7),
        schema_id: 0,
        base_manifest_list: "manifest-list-a-0".to_owned(),
        base_manifest_list_size: Some(10),
        delta_manifest_list: "manifest-list-a-1".to_owned(),
        delta_manifest_list_size: None,
        changelog_manifest_list: None,
        changelog_manifest_list_size: None,
        index_manifest: None,
        commit_user: "tributary-a".to_owned(),
        writer_version: None,
        commit_identifier: 3,
        commit_kind: CommitKind::Append,
        time_millis: 1_769_850_000_000,
        total_record_count: 5,
        delta_record_count: -2,
        changelog_record_count: None,
        watermark: None,
        statistics: None,
        properties: None,
        next_row_id: None,
        operation: None,
    }
}

#[test]
fn absent_members_are_left_out_and_the_layout_is_javas() {
    let mut snapshot = snapshot();
    snapshot.properties = Some(BTreeMap::from([("a".to_owned(), "{\"0\":1}".to_owned())]));
    let expected = r#"{
  "version" : 3,
  "id" : 7,
  "schemaId" : 0,
  "baseManifestList" : "manifest-list-a-0",
  "baseManifestListSize" : 10,
  "deltaManifestList" : "manifest-list-a-1",
  "commitUser" : "tributary-a",
  "commitIdentifier" : 3,
  "commitKind" : "APPEND",
  "timeMillis" : 1769850000000,
  "totalRecordCount" : 5,
  "deltaRecordCount" : -2,
  "properties" : {
    "a" : "{\"0\":1}"
  }
}"#;
    assert_eq!(String::from_utf8(snapshot.to_json().unwrap()).unwrap(), expected);
}

#[test]
fn everything_survives_the_round_trip() {
    let text = || Some("text".to_owned());
    let full = Snapshot {
        uuid: text(),
        delta_manifest_list_size: Some(1),
        changelog_manifest_list: text(),
        changelog_manifest_list_size: Some(2),
        index_manifest: text(),
        writer_version: text(),
        commit_kind: CommitKind::Overwrite,
        commit_identifier: i64::MAX,
        changelog_record_count: Some(3),
        watermark: Some(i64::MIN),
        statistics: text(),
        properties: Some(BTreeMap::new()),
        next_row_id: Some(4),
        operation: text(),
        ..snapshot()
    };
    for snapshot in [snapshot(), full] {
        let json = snapshot.to_json().unwrap();
        assert_eq!(Snapshot::from_json(&json).unwrap(), snapshot);
    }
}

#[test]
fn what_java_tolerates_is_tolerated() {
    let json = r#"{"version": 3, "id": 1, "schemaId": 0, "baseManifestList": "a", "deltaManifestList": "b",
        "changelogManifestList": null, "commitUser": "u", "commitIdentifier": 1, "commitKind": "COMPACT",
        "timeMillis": 1, "logOffsets": {"0": 1}, "totalRecordCount": null, "watermark": -9223372036854775808}"#;
    let snapshot = Snapshot::from_json(json.as_bytes()).unwrap();
    assert_eq!(snapshot.commit_kind, CommitKind::Compact);
    assert_eq!((snapshot.total_record_count, snapshot.delta_record_count), (0, 0));
    assert_eq!(snapshot.changelog_manifest_list, None);
}

#[test]
fn damaged_and_unknown_snapshots_are_refused_by_name() {
    let json = String::from_utf8(snapshot().to_json().unwrap()).unwrap();
    let with = |from: &str, to: &str| json.replace(from, to);
    for (json, message) in [
        (String::new(), "corrupt snapshot: EOF"),
        (json[..100].to_owned(), "corrupt snapshot: EOF"),
        (with(" : 7,", " : 0,"), "corrupt snapshot: id 0 is below 1"),
        (with(" : 7,", " : \"7\","), "corrupt snapshot: invalid type"),
        (with("\"APPEND\"", "\"MERGE\""), "unknown variant `MERGE`"),
        (with("\"commitUser\"", "\"user\""), "missing field `commitUser`"),
        (with(" : 3,\n  \"id\"", " : 4,\n  \"id\""), "unsupported table feature: snapshot version 4"),
    ] {
        let error = Snapshot::from_json(json.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn the_number_after_the_last_does_not_exist() {
    assert_eq!(SnapshotId::FIRST.next(), Some(SnapshotId(2)));
    assert_eq!(SnapshotId(i64::MAX).next(), None);
}
