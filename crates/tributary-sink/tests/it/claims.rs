//! Starting: what is found, what is claimed, who is fenced.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use paimon_format::{CommitKind, Snapshot, TableSchema};
use paimon_table::commit::{CommitIdentifier, CommitRequest, Committer, Unguarded};
use paimon_table::consumer;
use paimon_table::port::{Attempt, FilesystemCommit, NextSnapshot, SnapshotCommit};
use paimon_table::store::Storage;
use paimon_table::table::Table;
use tributary_runtime::{Classify, FailureKind, SourceIdentity, SplitId};
use tributary_sink::JobState;

use crate::harness::{USER, World, seconds};

#[tokio::test(start_paused = true)]
async fn a_first_start_claims_with_an_empty_snapshot_and_pins_it() {
    let world = World::new().await;
    assert_eq!(world.state().await, None);
    let open = world.open().await.unwrap();
    assert!(open.positions.is_empty());
    let claim = world.latest().await;
    assert_eq!((claim.id.0, claim.commit_identifier, claim.total_record_count), (1, 1, 0));
    assert_eq!((claim.commit_kind, claim.commit_user.as_str()), (CommitKind::Append, USER));
    let properties = claim.properties.clone().unwrap();
    let keys: Vec<_> = properties.keys().map(String::as_str).collect();
    assert_eq!(keys, ["tributary.incarnation", "tributary.positions", "tributary.source", "tributary.version"]);
    assert_eq!(properties["tributary.positions"], "{}");
    assert_eq!(properties["tributary.source"], r#"{"connector":"script"}"#);
    assert_eq!(consumer::read(&world.table, USER).await.unwrap(), Some(claim.id));
}

#[tokio::test(start_paused = true)]
async fn a_restart_continues_where_the_last_commit_ended() {
    let world = World::new().await;
    let mut sink = world.start().await;
    sink.send(10).await.unwrap();
    sink.send_split(SplitId(3), 7).await.unwrap();
    sink.finish().await.unwrap();
    let before = world.state().await.unwrap();

    let again = world.process(1).await;
    let mut sink = again.start().await;
    assert_eq!(&sink.sent, before.positions());
    let claimed = again.state().await.unwrap();
    assert_eq!(claimed.identifier().0, before.identifier().0 + 1);
    assert_ne!(claimed.incarnation(), before.incarnation());
    sink.send(5).await.unwrap();
    sink.finish().await.unwrap();
    assert_eq!(again.check().await.get(SplitId(0)).0, 15);
}

/// Pin and snapshot of the job, as every combination of accidents leaves them.
#[tokio::test(start_paused = true)]
async fn positions_that_are_gone_are_never_taken_for_a_first_start() {
    for (pin, snapshot, expected) in [
        (false, false, Ok(false)),
        (true, true, Ok(true)),
        (false, true, Ok(true)),
        (
            true,
            false,
            Err(
                "consumer tributary-job pins snapshot 1 of db.t, but no snapshot of tributary-job is left: its positions are gone, and starting at zero would double every row; restore the table, or start under another pipeline.name",
            ),
        ),
    ] {
        let world = World::new().await;
        if snapshot {
            world.start().await.finish().await.unwrap();
        } else {
            foreign_commit(&world, "spark").await;
        }
        match pin {
            true => consumer::write(&world.table, USER, paimon_format::SnapshotId(1)).await.unwrap(),
            false => consumer::delete(&world.table, USER).await.unwrap(),
        }
        let process = world.process(1).await;
        let state = JobState::load(&process.table, &process.user()).await;
        match expected {
            Ok(found) => {
                assert_eq!(state.unwrap().is_some(), found, "pin {pin}, snapshot {snapshot}");
                process.open().await.unwrap();
                let pinned = consumer::read(&process.table, USER).await.unwrap();
                assert_eq!(pinned, Some(process.latest().await.id), "pinned again");
            }
            Err(text) => {
                let error = state.unwrap_err();
                assert_eq!((error.kind(), error.to_string().as_str()), (FailureKind::Corrupt, text));
                assert_eq!(process.open().await.err().unwrap().to_string(), text);
            }
        }
    }
}

/// A catalog that knows only the older fields of a snapshot.
struct WithoutProperties;

#[async_trait]
impl SnapshotCommit for WithoutProperties {
    async fn create(&self, storage: &Storage, next: NextSnapshot<'_>) -> Attempt {
        let snapshot = Snapshot { properties: None, ..next.snapshot.clone() };
        FilesystemCommit.create(storage, NextSnapshot { snapshot: &snapshot, ..next }).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_catalog_that_drops_the_properties_is_refused_at_the_claim() {
    let mut world = World::new().await;
    let (identifier, storage) = (world.table.identifier().clone(), world.table.storage().clone());
    let schema = TableSchema::clone(world.table.schema());
    world.table = Table::with_schema(identifier, storage, schema, Arc::new(WithoutProperties)).unwrap();
    let error = world.open().await.err().unwrap();
    assert_eq!(error.kind(), FailureKind::Usage);
    assert_eq!(
        error.to_string(),
        "the catalog lost the properties of snapshot 1: exactly-once needs them; upgrade the catalog, or use a filesystem catalog"
    );
}

#[tokio::test(start_paused = true)]
async fn damaged_properties_stop_the_start() {
    for (key, value, text) in [
        (
            "tributary.version",
            None,
            "property tributary.version is missing: an engine before Paimon 1.2 may have rewritten the snapshot",
        ),
        ("tributary.version", Some("2"), "tributary.version is 2: a newer tributary wrote it; run that version"),
        ("tributary.incarnation", Some("x"), "tributary.incarnation is no uuid: x"),
        (
            "tributary.positions",
            Some("[]"),
            "tributary.positions: invalid type: sequence, expected a map at line 1 column 0",
        ),
        (
            "tributary.source",
            None,
            "property tributary.source is missing: an engine before Paimon 1.2 may have rewritten the snapshot",
        ),
    ] {
        let world = World::new().await;
        world.start().await.finish().await.unwrap();
        let mut properties = world.latest().await.properties.clone().unwrap();
        match value {
            Some(value) => drop(properties.insert(key.to_owned(), value.to_owned())),
            None => drop(properties.remove(key)),
        }
        commit(&world, USER, 2, properties).await;
        let error = world.process(1).await.open().await.err().unwrap();
        assert_eq!(error.kind(), FailureKind::Corrupt);
        assert_eq!(error.to_string(), format!("snapshot 2 of tributary-job: {text}"));
    }
}

#[tokio::test(start_paused = true)]
async fn positions_of_another_source_are_refused() {
    let world = World::new().await;
    world.start().await.finish().await.unwrap();
    let mut other = world.process(1).await;
    other.identity = SourceIdentity::new().with("connector", "datagen");
    let error = other.open().await.err().unwrap();
    assert_eq!(error.kind(), FailureKind::Usage);
    assert_eq!(
        error.to_string(),
        "the positions stored for tributary-job belong to another source: `connector` was `script` and is now `datagen`; go back, or start under another pipeline.name"
    );
}

#[tokio::test(start_paused = true)]
async fn the_last_to_start_wins_and_the_other_is_fenced() {
    let world = World::new().await;
    let mut old = world.start().await;
    old.send(100).await.unwrap();
    crate::harness::pass(seconds(1)).await;
    old.send(50).await.unwrap();

    let newer = world.process(1).await;
    let mut new = newer.start().await;
    assert_eq!(new.sent.get(SplitId(0)).0, 100, "what was committed is carried over");
    new.send(70).await.unwrap();

    let error = old.finish().await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Fenced);
    let newest = newer.state().await.unwrap().incarnation();
    assert_eq!(
        error.to_string(),
        format!(
            "commit 3: fenced by snapshot 3: tributary-job was started again as incarnation {newest}; only one copy of a pipeline may run: stop one of the two, or give one another pipeline.name"
        )
    );
    new.finish().await.unwrap();
    assert_eq!(newer.check().await.get(SplitId(0)).0, 170);
}

#[tokio::test(start_paused = true)]
async fn copies_that_start_together_leave_one_running() {
    let world = World::new().await;
    let mut sinks = Vec::new();
    for seed in 1..=4 {
        sinks.push(world.process(seed).await);
    }
    let opened = futures::future::join_all(sinks.iter().map(|process| process.open())).await;
    let mut running: Vec<_> = sinks.iter().zip(opened).map(|(process, open)| process.run(open.unwrap())).collect();
    for sink in &mut running {
        sink.send(10).await.unwrap();
    }
    let mut fenced = 0;
    for sink in running {
        match sink.finish().await {
            Ok(_) => {}
            Err(error) if error.kind() == FailureKind::Fenced => fenced += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(fenced, 3);
    assert_eq!(world.check().await.get(SplitId(0)).0, 10);
}

#[tokio::test(start_paused = true)]
async fn other_writers_of_the_table_do_not_disturb() {
    let world = World::new().await;
    let mut sink = world.start().await;
    for _ in 0..30 {
        sink.send(10).await.unwrap();
        foreign_commit(&world, "spark").await;
        crate::harness::pass(seconds(1)).await;
    }
    sink.finish().await.unwrap();
    assert_eq!(world.check().await.get(SplitId(0)).0, 300);
}

async fn foreign_commit(world: &World, user: &str) {
    let next = world.table.latest_snapshot().await.unwrap().map_or(1, |latest| latest.id.0 + 1);
    commit(world, user, next, BTreeMap::new()).await;
}

async fn commit(world: &World, user: &str, identifier: i64, properties: BTreeMap<String, String>) {
    let user = paimon_table::commit::CommitUser::new(user);
    let guard = std::sync::Arc::new(Unguarded);
    let mut committer = Committer::try_open(world.table.clone(), user, guard, world.env.clone()).await.unwrap();
    let identifier = CommitIdentifier(identifier);
    let request = CommitRequest {
        identifier,
        kind: CommitKind::Append,
        added: Vec::new(),
        removed: Vec::new(),
        properties,
        watermark: None,
    };
    committer.commit(&request).await.unwrap();
}
