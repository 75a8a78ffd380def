//! Branches and consumers.

use super::*;

const TABLE: &str = "databases/d/tables/t";

/// The table d.t with three snapshots; its id.
async fn with_snapshots(world: &World, service: &Service) -> String {
    let id = with_table(service).await;
    for n in 1..=3 {
        let next = snapshot(world, "d.db/t", n, &format!("u{n}")).await;
        assert_eq!(commit(service, &id, &next).await, Ok(true));
    }
    id
}

async fn uuids(service: &Service, object: &str) -> Vec<String> {
    let found = get(service, &format!("databases/d/tables/{object}/snapshots")).await.unwrap();
    let snapshots = found["snapshots"].as_array().unwrap();
    snapshots.iter().map(|snapshot| snapshot["uuid"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_branch_goes_its_own_way_and_becomes_the_table() {
    let world = World::new();
    let service = world.open().await;
    let id = with_snapshots(&world, &service).await;
    for (name, snapshot) in [("two", 2), ("three", 3)] {
        ask(&service, &format!("POST {TABLE}/tags"), json!({"tagName": name, "snapshotId": snapshot})).await.unwrap();
    }
    for (body, expected) in [
        (json!({"branch": "b", "fromTag": "two"}), Ok(Value::Null)),
        (json!({"branch": "b"}), Err(409)),
        (json!({"branch": "empty", "fromTag": null}), Ok(Value::Null)),
        (json!({"branch": "c", "fromTag": "none"}), Err(404)),
        (json!({"branch": "main"}), Err(400)),
        (json!({"branch": "7"}), Err(400)),
        (json!({"branch": "../b"}), Err(400)),
        (json!({}), Err(400)),
    ] {
        assert_eq!(ask(&service, &format!("POST {TABLE}/branches"), body.clone()).await, expected, "{body}");
    }
    assert_eq!(get(&service, &format!("{TABLE}/branches")).await.unwrap(), json!({"branches": ["b", "empty"]}));
    assert_eq!(uuids(&service, "t$branch_b").await, ["u2"]);
    let third = snapshot(&world, "d.db/t", 3, "b3").await;
    let body = json!({"tableId": id, "snapshot": third});
    let committed = ask(&service, &format!("POST {TABLE}$branch_b/commit"), body).await.unwrap();
    assert_eq!(committed["success"], json!(true));
    let more = json!({"changes": [{"action": "addColumn", "fieldNames": ["v"], "dataType": "INT"}]});
    ask(&service, &format!("POST {TABLE}$branch_b"), more).await.unwrap();
    assert_eq!(uuids(&service, "t").await, ["u1", "u2", "u3"]);

    for (branch, expected) in [("none", 404), ("empty", 400), ("main", 400)] {
        let forward = format!("POST {TABLE}/branches/{branch}/forward");
        assert_eq!(ask(&service, &forward, json!({})).await, Err(expected), "{branch}");
    }
    for _ in 0..2 {
        ask(&service, &format!("POST {TABLE}/branches/b/forward"), json!({})).await.unwrap();
        assert_eq!(uuids(&service, "t").await, ["u1", "u2", "b3"]);
    }
    assert_eq!(get(&service, &format!("{TABLE}/tags")).await.unwrap()["tags"], json!(["two"]));
    assert_eq!(get(&service, TABLE).await.unwrap()["schema"]["fields"][1]["name"], "v");
    assert_eq!(world.warehouse.get("d.db/t/snapshot/LATEST").await.unwrap(), "3");
    assert_eq!(commit(&service, &id, &snapshot(&world, "d.db/t", 4, "u4").await).await, Ok(true));

    ask(&service, &format!("DELETE {TABLE}/branches/b"), Value::Null).await.unwrap();
    assert_eq!(ask(&service, &format!("DELETE {TABLE}/branches/b"), Value::Null).await, Err(404));
    assert_eq!(get(&service, &format!("{TABLE}$branch_b")).await, Err(404));
    assert_eq!(uuids(&service, "t").await, ["u1", "u2", "b3", "u4"]);
}

#[tokio::test]
async fn going_forward_can_be_asked_for_again_wherever_it_stopped() {
    for crash in 1.. {
        let world = World::new();
        let service = world.open().await;
        with_snapshots(&world, &service).await;
        ask(&service, &format!("POST {TABLE}/tags"), json!({"tagName": "one", "snapshotId": 1})).await.unwrap();
        ask(&service, &format!("POST {TABLE}/branches"), json!({"branch": "b", "fromTag": "one"})).await.unwrap();
        let mut changes = 0;
        let plan = move |op, path: &str| {
            changes += u32::from(matches!(op, Op::Put | Op::Create | Op::Delete) && !path.contains("probe"));
            if changes >= crash { Fault::ErrorBefore } else { Fault::None }
        };
        let plan = std::sync::Mutex::new(plan);
        let storage = world.failing(move |op, path| (plan.lock().unwrap())(op, path));
        let Ok(broken) = world.open_on(storage, false).await else { continue };
        let forward = format!("POST {TABLE}/branches/b/forward");
        let ended = ask(&broken, &forward, json!({})).await.is_ok();
        let service = world.open().await;
        let ids = snapshots(&world).await;
        assert!(ids.iter().enumerate().all(|(at, id)| *id == at as i64 + 1), "{crash}: {ids:?}");
        assert!(get(&service, TABLE).await.is_ok(), "{crash}");
        ask(&service, &forward, json!({})).await.unwrap();
        assert_eq!(uuids(&service, "t").await, ["u1"], "{crash}");
        // Hints are only warned about when they fail.
        if ended && crash > 12 {
            break;
        }
        assert!(crash < 100, "it never ends");
    }
}

async fn snapshots(world: &World) -> Vec<i64> {
    let found = paimon_table::snapshots::list(&world.warehouse.child("d.db/t")).await.unwrap();
    found.into_iter().map(|id| id.0).collect()
}

#[tokio::test]
async fn consumers_are_listed_moved_and_deleted() {
    let world = World::new();
    let service = world.open().await;
    with_snapshots(&world, &service).await;
    let reset = format!("POST {TABLE}/consumers/reset");
    for (body, expected) in [
        (json!({"consumerId": "a", "nextSnapshotId": 2}), Ok(Value::Null)),
        (json!({"consumerId": "b", "nextSnapshotId": 3}), Ok(Value::Null)),
        (json!({"consumerId": "a", "nextSnapshotId": 1}), Ok(Value::Null)),
        (json!({"consumerId": "a", "nextSnapshotId": 9}), Err(404)),
        (json!({"consumerId": "../a", "nextSnapshotId": 1}), Err(400)),
        (json!({"consumerId": "none"}), Ok(Value::Null)),
        (json!({"consumerId": "b", "nextSnapshotId": null}), Ok(Value::Null)),
        (json!({"consumerId": "c", "nextSnapshotId": 3}), Ok(Value::Null)),
    ] {
        assert_eq!(ask(&service, &reset, body.clone()).await, expected, "{body}");
    }
    let info = |id, next| json!({"consumerId": id, "nextSnapshot": next});
    let list = |query: &str| format!("{TABLE}/consumers{query}");
    assert_eq!(get(&service, &list("")).await.unwrap()["consumers"], json!([info("a", 1), info("c", 3)]));
    let page = json!({"consumers": [info("a", 1)], "nextPageToken": "a"});
    assert_eq!(get(&service, &list("?maxResults=1")).await.unwrap(), page);
    assert_eq!(get(&service, &list("?pageToken=a")).await.unwrap()["consumers"], json!([info("c", 3)]));
}
