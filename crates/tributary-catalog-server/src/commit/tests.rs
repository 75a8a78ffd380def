#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;

fn snapshot(id: i64) -> Value {
    json!({
        "version": 3, "id": id, "uuid": format!("u{id}"), "schemaId": 0, "baseManifestList": "b", "deltaManifestList": "d",
        "commitUser": "me", "commitIdentifier": 1, "commitKind": "APPEND", "timeMillis": 1, "totalRecordCount": 1,
        "deltaRecordCount": 1, "properties": {"k": "v"}, "ofTomorrow": {"a": [1, 2.50]}
    })
}

fn commit(body: &Value) -> Result<Commit, u16> {
    Commit::try_new(body.to_string().as_bytes()).map_err(|problem| problem.code)
}

fn head(id: i64, uuid: Option<&str>) -> Option<Head> {
    Some(Head { id: SnapshotId(id), uuid: uuid.map(str::to_owned) })
}

#[test]
fn a_commit_follows_the_newest_snapshot_or_loses() {
    let unsaid = json!({"tableId": "t"});
    let null = json!({"tableId": "t", "baseSnapshotUuid": null});
    let based = json!({"tableId": "t", "baseSnapshotUuid": "u1"});
    for (id, base, head, verdict) in [
        (1, &unsaid, None, Verdict::Create),
        (1, &null, None, Verdict::Create),
        (1, &based, None, Verdict::Conflict),
        (2, &unsaid, None, Verdict::Conflict),
        (2, &unsaid, head(1, Some("u1")), Verdict::Create),
        (2, &unsaid, head(1, None), Verdict::Create),
        (2, &based, head(1, Some("u1")), Verdict::Create),
        (2, &based, head(1, Some("other")), Verdict::Conflict),
        (2, &based, head(1, None), Verdict::Conflict),
        // Null with a history: only where an older client wrote the newest snapshot.
        (2, &null, head(1, Some("u1")), Verdict::Conflict),
        (2, &null, head(1, None), Verdict::Create),
        (2, &based, head(2, Some("u2")), Verdict::Compare),
        (1, &unsaid, head(9, None), Verdict::Compare),
        (3, &based, head(1, Some("u1")), Verdict::Conflict),
    ] {
        let mut body = base.clone();
        body["snapshot"] = snapshot(id);
        assert_eq!(commit(&body).unwrap().decide(head.as_ref()), verdict, "{id} {base} {head:?}");
    }
}

#[test]
fn the_snapshot_is_kept_as_it_was_written() {
    let text = r#"{ "tableId":"t","snapshot":{"version":3, "id":1,"schemaId":0,"baseManifestList":"b","deltaManifestList":"d","commitUser":"ü",
        "commitIdentifier":9223372036854775807,"commitKind":"COMPACT","timeMillis":1,"totalRecordCount":1,"deltaRecordCount":0,
        "properties":{"tributary.positions":"[1,2]"},"ofTomorrow":1.50} }"#;
    let commit = Commit::try_new(text.as_bytes()).unwrap();
    let kept = std::str::from_utf8(&commit.bytes).unwrap();
    assert!(text.contains(kept) && kept.ends_with("\"ofTomorrow\":1.50}"));
    assert!(commit.is(kept.as_bytes()));
    let pretty = serde_json::to_vec_pretty(&serde_json::from_str::<Value>(kept).unwrap()).unwrap();
    assert!(commit.is(&pretty), "spaces do not matter");
    assert!(!commit.is(kept.replace("COMPACT", "APPEND").as_bytes()) && !commit.is(b"") && !commit.is(b"{}"));
}

#[test]
fn what_is_no_snapshot_is_refused() {
    let with = |member: &str, value: Value| {
        let mut body = json!({"tableId": "t", "snapshot": snapshot(1)});
        match member.strip_prefix("snapshot.") {
            Some(inner) => body["snapshot"][inner] = value,
            None => body[member] = value,
        }
        body
    };
    for (member, value) in [
        ("tableId", Value::Null),
        ("tableId", json!(7)),
        ("snapshot", Value::Null),
        ("snapshot", json!([])),
        ("baseSnapshotUuid", json!({})),
        ("snapshot.id", json!(0)),
        ("snapshot.id", json!(-1)),
        ("snapshot.version", json!(4)),
        ("snapshot.commitKind", json!("NONE")),
        ("snapshot.baseManifestList", json!("../../etc/passwd")),
        ("snapshot.deltaManifestList", json!("")),
        ("snapshot.indexManifest", json!("a\\b")),
    ] {
        assert_eq!(commit(&with(member, value.clone())).unwrap_err(), 400, "{member} {value}");
    }
    assert!(Commit::try_new(b"").is_err() && Commit::try_new(b"[[[[[").is_err());
}
