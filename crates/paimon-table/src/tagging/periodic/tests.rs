#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use paimon_format::Snapshot;
use tributary_testkit::{FaultStore, Moment};

use super::*;
use crate::store::Storage;
use crate::testing::*;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
/// 2026-02-01T00:00:00Z.
const NOON: i64 = 1_769_904_000_000 + 12 * HOUR;

fn utc(unix: i64) -> i64 {
    unix
}

/// Snapshots 1, 2, … of these times.
async fn with_snapshots(storage: &Storage, options: &[(&str, &str)], times: &[i64]) -> Table {
    let table = crate::testing::create(storage, options).await;
    for (name, time) in ["a", "b", "c", "d", "e", "f"].into_iter().zip(times) {
        append(&table, name).await;
        let newest = snapshots::find_latest(storage).await.unwrap().unwrap();
        set_time(storage, &newest.snapshot, *time).await;
    }
    table
}

async fn set_time(storage: &Storage, snapshot: &Snapshot, time: i64) {
    let path = snapshots::path(snapshot.id);
    let changed = Snapshot { time_millis: time, ..snapshot.clone() };
    storage.put(&path, changed.to_json().unwrap().into()).await.unwrap();
}

fn schedule(table: &Table) -> TagSchedule {
    TagSchedule::of(table.options(), None, None).unwrap()
}

async fn at(table: &Table, now: i64) -> PeriodTag {
    create_period_tag(table, &schedule(table), &utc, &env_at(1, now)).await.unwrap()
}

#[tokio::test]
async fn a_tag_keeps_the_first_snapshot_after_its_period_and_delay() {
    let midnight = NOON - 12 * HOUR;
    for (options, zone_hours, now, name, snapshot) in [
        (&[][..], 0, NOON, "2026-01-31", 3),
        // Nothing came since the period ended: the newest.
        (&[], 0, NOON + DAY, "2026-02-01", 4),
        (&[("tag.creation-delay", "1 h")], 0, NOON, "2026-01-31", 4),
        // The delay is not over: the day before has no tag yet.
        (&[("tag.creation-delay", "13 h")], 0, NOON, "2026-01-30", 1),
        (&[("tag.period-formatter", "without_dashes")], 0, NOON, "20260131", 3),
        (&[("tag.creation-period", "hourly")], 0, NOON + 1, "2026-02-01 11", 4),
        (&[("tag.creation-period", "two-hours")], 0, midnight + 3 * HOUR, "2026-02-01 00", 4),
        (&[("tag.creation-period-duration", "30 min")], 0, midnight + 5, "202601312330", 3),
        // Eight hours ahead, the first of February began at 16:00 UTC.
        (&[], 8, NOON, "2026-01-31", 2),
    ] {
        let times = [midnight - 9 * HOUR, midnight - 8 * HOUR, midnight + 60_000, midnight + 2 * HOUR];
        let table = with_snapshots(&memory(), options, &times).await;
        let local = move |unix: i64| unix + zone_hours * HOUR;
        let schedule = schedule(&table);
        let env = env_at(1, now);
        let done = create_period_tag(&table, &schedule, &local, &env).await.unwrap();
        assert_eq!((done.name.as_str(), done.created), (name, Some(SnapshotId(snapshot))), "{options:?}");
        assert_eq!(table.tag(name).await.unwrap().snapshot.id, SnapshotId(snapshot));
        // Asked again, nothing happens.
        let again = create_period_tag(&table, &schedule, &local, &env).await.unwrap();
        assert_eq!((again.created, again.deleted.len()), (None, 0));
    }
}

#[tokio::test]
async fn so_many_are_kept_of_its_own_names_and_each_for_its_time() {
    let options = [("tag.num-retained-max", "2"), ("tag.default-time-retained", "30 d")];
    let table = with_snapshots(&memory(), &options, &[NOON - DAY]).await;
    tag(&table, "before-the-change", 1).await;
    tag(&table, "2025-02-31", 1).await;
    for (days, gone) in [(0, None), (1, None), (2, Some("2026-01-31")), (4, Some("2026-02-01"))] {
        let done = at(&table, NOON + days * DAY).await;
        assert_eq!(done.created, Some(SnapshotId(1)));
        assert_eq!(done.deleted.first().map(|(name, _)| name.as_str()), gone, "{days}");
    }
    assert_eq!(table.tags().await.unwrap(), ["2025-02-31", "2026-02-02", "2026-02-04", "before-the-change"]);
    assert_eq!(table.tag("2026-02-04").await.unwrap().time_retained, Some(Duration::from_secs(30 * 86_400)));
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_an_empty_table_gets_no_tag() {
    let table = crate::testing::create(&memory(), &[("tag.creation-delay", "1 d")]).await;
    let refused = create_period_tag(&table, &schedule(&table), &utc, &env_at(1, NOON)).await.unwrap_err();
    assert!(refused.to_string().contains("no shorter than the period"), "{refused}");
    let table = crate::testing::create(&memory(), &[]).await;
    let nothing = PeriodTag { name: "2026-01-31".to_owned(), created: None, deleted: Vec::new() };
    assert_eq!(at(&table, NOON).await, nothing);
}

#[tokio::test]
async fn killed_at_any_step_the_next_run_makes_the_tag_and_deletes_what_is_too_many() {
    let clean = memory();
    let midnight = NOON - 12 * HOUR;
    let table = with_snapshots(&clean, &[("tag.num-retained-max", "1")], &[midnight - 1, midnight]).await;
    tag(&table, "2026-01-30", 1).await;
    for moment in [Moment::BeforeEffect, Moment::AfterEffect] {
        for number in 1.. {
            let copied = copy(&clean).await;
            let store = FaultStore::new(Arc::clone(&copied.store));
            let watched = open(&Storage::new(Arc::new(store.clone()), copied.root.clone())).await;
            store.crash_at(store.call_count() + number, moment);
            let (env, schedule) = (env_at(1, NOON), schedule(&watched));
            let done = tokio::select! {
                done = create_period_tag(&watched, &schedule, &utc, &env) => Some(done.unwrap()),
                () = store.crashed() => None,
            };
            let table = open(&copied).await;
            at(&table, NOON).await;
            assert_eq!(table.tags().await.unwrap(), ["2026-01-31"], "call {number}");
            assert_eq!(table.tag("2026-01-31").await.unwrap().snapshot.id, SnapshotId(2));
            if done.is_some() {
                assert!(number > 8, "{number}");
                break;
            }
        }
    }
}
