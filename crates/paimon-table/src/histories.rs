//! Random histories: writers, compactions, tags, branches, consumers, expiries and sweeps, one after the other and at the
//! same time, some of them killed on the way. Whatever can be seen afterwards has all of its files.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::{TryStreamExt, future};
use paimon_format::{CommitKind, ManifestEntry, SnapshotId};
use proptest::prelude::*;
use tributary_runtime::{Drain, Executor};
use tributary_testkit::{Fault, FaultRates, FaultStore, sim_env};

use crate::commit::{CommitRequest, CommitUser, Committer, NewFile};
use crate::consumer;
use crate::expire::{ExpirePolicy, expire};
use crate::orphans::{OrphanPolicy, remove_orphans};
use crate::scan::plan_scan;
use crate::store::Storage;
use crate::table::Table;
use crate::tagging::{create_tag, delete_tag};
use crate::testing::*;

const DAY: i64 = 24 * 3_600_000;

/// What somebody does to the table.
#[derive(Clone, Debug)]
enum Step {
    Append,
    /// Takes this many of the live files together, from this one on.
    Compact(usize, usize),
    Tag(usize),
    DeleteTag(usize),
    /// Keeps so many of the newest snapshots.
    Expire(u64),
    Sweep,
}

/// What happens at one time.
#[derive(Clone, Debug)]
enum Turn {
    Together(Vec<Player>),
    /// A branch at one of the snapshots.
    Branch(usize),
    /// The reader goes to one of the snapshots, or leaves.
    Reader(Option<usize>),
}

/// Somebody who starts after so many milliseconds, and is perhaps killed after so many more.
#[derive(Clone, Debug)]
struct Player {
    step: Step,
    starts: u64,
    killed: Option<u64>,
}

struct World {
    /// As the table is.
    table: Table,
    /// The same, through a store that takes its time.
    slow: Table,
    store: FaultStore,
    /// Rows that were committed, and rows of which nobody knows.
    committed: i64,
    unknown: i64,
    reader: Option<i64>,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Append),
        5 => (any::<usize>(), 1..6_usize).prop_map(|(from, count)| Step::Compact(from, count)),
        4 => any::<usize>().prop_map(Step::Tag),
        1 => any::<usize>().prop_map(Step::DeleteTag),
        3 => (1..4_u64).prop_map(Step::Expire),
        1 => Just(Step::Sweep),
    ]
}

fn turn() -> impl Strategy<Value = Turn> {
    let killed = prop_oneof![3 => Just(None), 1 => (0..200_u64).prop_map(Some)];
    let player = (step(), 0..400_u64, killed).prop_map(|(step, starts, killed)| Player { step, starts, killed });
    prop_oneof![
        20 => prop::collection::vec(player, 1..8).prop_map(Turn::Together),
        1 => any::<usize>().prop_map(Turn::Branch),
        2 => any::<Option<usize>>().prop_map(Turn::Reader),
    ]
}

// === impl World ===

impl World {
    async fn new(seed: u64) -> Self {
        let storage = memory();
        let table = create(&storage, &[("manifest.merge-min-count", "3")]).await;
        let rates = FaultRates { delay: 0.9, longest_wait: Duration::from_millis(10), ..FaultRates::NONE };
        let store = FaultStore::seeded(storage.store.clone(), seed, rates);
        let slow = open(&Storage::new(Arc::new(store.clone()), storage.root.clone())).await;
        Self { table, slow, store, committed: 0, unknown: 0, reader: None }
    }

    async fn turn(&mut self, number: u64, turn: &Turn) {
        let some = async |pick: usize| {
            let known = ids(&self.table).await;
            known.get(pick % known.len().max(1)).copied()
        };
        match turn {
            Turn::Together(players) => self.together(number, players).await,
            Turn::Branch(pick) => {
                let Some(id) = some(*pick).await else { return };
                let storage = self.table.storage();
                let bytes = storage.get(&format!("snapshot/snapshot-{id}")).await.unwrap();
                storage.put(&format!("branch/branch-b{number}/snapshot/snapshot-{id}"), bytes).await.unwrap();
            }
            Turn::Reader(None) => {
                consumer::delete(&self.table, "reader").await.unwrap();
                self.reader = None;
            }
            Turn::Reader(Some(pick)) => {
                let Some(id) = some(*pick).await else { return };
                consumer::write(&self.table, "reader", SnapshotId(id)).await.unwrap();
                self.reader = Some(id);
            }
        }
    }

    async fn together(&mut self, number: u64, players: &[Player]) {
        // Files that are written from now on are too young for a sweep.
        let floor = self.newest_object().await;
        let this = &*self;
        let done = future::join_all(players.iter().zip(number * 10..).map(|(player, number)| async move {
            let Player { step, starts, killed } = player;
            tokio::time::sleep(Duration::from_millis(*starts)).await;
            let lives = Duration::from_millis(killed.unwrap_or(60_000));
            (step, tokio::time::timeout(lives, this.step(number, step, floor)).await == Ok(true))
        }));
        for (step, is_done) in done.await {
            if matches!(step, Step::Append) {
                *if is_done { &mut self.committed } else { &mut self.unknown } += 1;
            }
        }
    }

    /// Whether it succeeded: others may be faster, or expire what it stands on.
    async fn step(&self, number: u64, step: &Step, floor: i64) -> bool {
        let (table, env) = (&self.slow, sim_env(number, EPOCH));
        match step {
            Step::Append => {
                let day = ["2026-01-01", "2026-01-02"][number as usize % 2];
                self.commit(number, CommitKind::Append, Vec::new(), file(&format!("data-{number}"), day, 1)).await
            }
            Step::Compact(from, count) => {
                let Ok(plan) = plan_scan(table, None, None, &Executor::inline()).await else { return false };
                let from = from % plan.files.len().max(1);
                let removed: Vec<_> = plan.files.into_iter().skip(from).take(*count).collect();
                let rows = removed.iter().map(|entry| entry.file.row_count).sum();
                let added = file(&format!("data-{number}"), "2026-01-01", rows);
                !removed.is_empty() && self.commit(number, CommitKind::Compact, removed, added).await
            }
            Step::Tag(pick) => {
                let known = table.snapshot_ids().await.unwrap();
                let Some(id) = known.get(pick % known.len().max(1)) else { return false };
                create_tag(table, &format!("t{number}"), Some(*id), None, &env).await.is_ok()
            }
            Step::DeleteTag(pick) => {
                let known = table.tags().await.unwrap();
                let Some(name) = known.get(pick % known.len().max(1)) else { return false };
                delete_tag(table, name, &env).await.is_ok()
            }
            Step::Expire(newest) => {
                let policy = ExpirePolicy {
                    retain_max: u64::MAX,
                    retain_min: *newest,
                    time_retained: Duration::ZERO,
                    max_deletes: u64::MAX,
                };
                expire(table, &policy, &env_at(number, EPOCH + DAY), &Drain::new()).await.is_ok()
            }
            Step::Sweep => {
                let policy = OrphanPolicy { older_than: Duration::ZERO, delete: true };
                remove_orphans(table, &policy, &env_at(number, floor), &Drain::new()).await.is_ok()
            }
        }
    }

    async fn commit(&self, number: u64, kind: CommitKind, removed: Vec<ManifestEntry>, added: NewFile) -> bool {
        write_data(&self.slow, std::slice::from_ref(&added)).await;
        let user = CommitUser::new(format!("u{number}"));
        let request = CommitRequest { kind, added: vec![added], removed, ..request("u", 1) };
        match Committer::try_open_new(self.slow.clone(), user, sim_env(number, EPOCH)).await {
            Ok(mut committer) => committer.commit(&request).await.is_ok(),
            Err(_) => false,
        }
    }

    async fn newest_object(&self) -> i64 {
        let storage = self.table.storage();
        let objects: Vec<_> = storage.store.list(Some(&storage.root)).try_collect().await.unwrap();
        objects.iter().map(|object| object.last_modified.timestamp_millis()).max().unwrap()
    }

    /// Everything that can be seen is whole, no row is lost or doubled, and no reader is left behind.
    async fn check(&self) {
        kept_files(&self.table).await;
        let plan = plan_scan(&self.table, None, None, &Executor::inline()).await.unwrap();
        let rows: i64 = plan.files.iter().map(|entry| entry.file.row_count).sum();
        assert!((self.committed..=self.committed + self.unknown).contains(&rows), "{rows} rows");
        let oldest = ids(&self.table).await.first().copied();
        assert!(self.reader.is_none() || self.reader >= oldest, "{:?} of {oldest:?}", self.reader);
    }

    /// What one snapshot, the tags and the branches do not need goes, all of it.
    async fn clear(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        consumer::delete(&self.table, "reader").await.unwrap();
        self.store.set_plan(|_| Fault::None);
        assert!(self.step(1, &Step::Expire(1), 0).await);
        assert!(self.step(2, &Step::Sweep, self.newest_object().await + DAY).await);
        (kept_files(&self.table).await, files_of(&self.table).await)
    }
}

fn live_through(seed: u64, turns: &[Turn]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut world = World::new(seed).await;
        for (number, turn) in (1..).zip(turns) {
            world.turn(number, turn).await;
            world.check().await;
        }
        let (kept, there) = world.clear().await;
        assert_eq!(kept, there);
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn whatever_can_be_seen_has_all_of_its_files(seed: u64, turns in prop::collection::vec(turn(), 1..16)) {
        live_through(seed, &turns);
    }
}
