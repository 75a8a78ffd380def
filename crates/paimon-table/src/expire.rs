//! Expiring snapshots: which may go, and the files that only they needed.
//!
//! A run takes the oldest snapshots away in rounds. A round
//! 1. collects what its snapshots may have kept alone: their manifests and lists, and the data files that later snapshots,
//!    up to the first that stays, deleted;
//! 2. strikes out what somebody keeps: the snapshot that stays, the newest one, tags, branches, changelogs. All of this only
//!    reads; whatever cannot be read ends the run before anything is changed;
//! 3. writes the hints: `EARLIEST`, so that nobody starts at a snapshot that is about to go, and `LATEST` if it has fallen
//!    behind: Java believes a hint whose successor is missing;
//! 4. deletes the snapshot files, oldest first, one after the other: below a snapshot that is gone there is never one;
//! 5. looks for tags and branches once more, and only then deletes the rest of the files.
//!
//! So a snapshot that can be seen has all of its files. Java deletes snapshot files last; what is left of a killed run
//! is then retried, and read by whoever finds it meanwhile. Ours leaves orphans, for [`crate::orphans`].
//!
//! Step 5 and [`crate::tagging`] agree without a lock: a tag is pledged before its snapshot is looked up again, a snapshot
//! is gone before pledges and tags are looked up again. So one of the two sees the other.
//!
//! Runs may meet each other and Java's: both go upwards, and delete only what no snapshot above needs. A snapshot that is
//! gone when it is looked at is the other's.

mod pins;
mod policy;

use std::sync::Arc;

use paimon_format::{FileKind, Snapshot, SnapshotId};
use tributary_runtime::{Drain, Env};

pub use self::policy::ExpirePolicy;
use crate::error::{Result, TableError};
use crate::keepers::{Keeper, Keepers, Kept, Whose};
use crate::live::{self, FileKey};
use crate::reclaim::{Doomed, Reclaimed};
use crate::scan;
use crate::snapshots;
use crate::table::Table;

/// Files after which a round ends: bounds what is held in memory, and what a killed run leaves behind.
const ROUND_FILES: usize = 20_000;

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExpireReport {
    /// Snapshots that were taken away.
    pub snapshots: u64,
    /// The oldest snapshot that is left, `None` for a table without any.
    pub earliest: Option<SnapshotId>,
    /// The files that went with them.
    pub reclaimed: Reclaimed,
    /// Consumers that were dropped because nobody renewed them.
    pub released: Vec<String>,
    /// The consumer that keeps what would have expired otherwise, and the first snapshot it needs.
    pub held_by: Option<(String, SnapshotId)>,
    /// Whether it ended early because it was asked to.
    pub stopped: bool,
}

/// Snapshots that go together.
struct Round {
    /// Oldest first.
    going: Vec<SnapshotId>,
    /// The oldest that stays.
    end: SnapshotId,
    doomed: Doomed,
}

struct Run<'a> {
    table: &'a Table,
    env: &'a Env,
    policy: &'a ExpirePolicy,
    /// The newest snapshot when the run began.
    latest: Arc<Snapshot>,
    /// Snapshots that may go, oldest first, and the one after them.
    due: Vec<SnapshotId>,
}

/// Expires the snapshots that `policy` does not retain. Ends early, after a round, when `stop` is requested.
///
/// # Errors
/// [`TableError::Refused`] for a branch, a table whose changelogs outlive its snapshots, and a policy that contradicts
/// itself; otherwise what cannot be read or deleted. What was not deleted then is left for the next run or the sweep.
pub async fn expire(table: &Table, policy: &ExpirePolicy, env: &Env, stop: &Drain) -> Result<ExpireReport> {
    check(table, policy)?;
    let storage = table.metadata();
    let now = env.clock.now_millis();
    let pins = pins::release_idle(table, now).await?;
    let ids = snapshots::list(storage).await?;
    let (Some(first), Some(latest)) = (ids.first().copied(), snapshots::find_latest(storage).await?) else {
        return Ok(ExpireReport { released: pins.released, ..ExpireReport::default() });
    };
    let free = policy.until(first, latest.snapshot.id);
    let until = pins.lowest.as_ref().map_or(free, |(_, pinned)| free.min(*pinned));
    let most = usize::try_from(policy.max_deletes).unwrap_or(usize::MAX);
    let due = ids.iter().take_while(|id| **id < until).take(most).count();
    let mut run = Run { table, env, policy, latest: latest.snapshot, due: ids.into_iter().take(due + 1).collect() };
    let mut report = ExpireReport { earliest: Some(first), released: pins.released, ..ExpireReport::default() };
    loop {
        if stop.is_requested() {
            report.stopped = run.is_due(now).await?;
            break;
        }
        let Some(round) = run.collect(now).await? else { break };
        let (end, count) = (round.end, round.going.len() as u64);
        let Some(reclaimed) = run.carry_out(round).await? else {
            break;
        };
        report.reclaimed += reclaimed;
        report.snapshots += count;
        report.earliest = Some(end);
    }
    // Neither age nor the limit ended the run.
    if run.due.len() <= 1 && due < most {
        report.held_by = pins.lowest.filter(|(_, pinned)| *pinned < free);
    }
    if report.snapshots == 0 && snapshots::read_hint(storage, paimon_format::names::EARLIEST).await?.is_none() {
        snapshots::write_earliest(storage, first).await;
    }
    Ok(report)
}

fn check(table: &Table, policy: &ExpirePolicy) -> Result<()> {
    let refused = |why: &str| {
        let table = table.identifier().to_string();
        Err(TableError::Refused { doing: "expire snapshots of", table, why: why.to_owned() })
    };
    if table.is_branch() {
        return refused("it is a branch, which can be read only");
    }
    if table.options().changelog_decoupled {
        return refused("its options `changelog.*` keep changelogs longer than snapshots, which is not implemented");
    }
    match policy.contradiction() {
        Some(why) => refused(&why),
        None => Ok(()),
    }
}

// === impl Run ===

impl Run<'_> {
    /// Whether a snapshot is left that may go.
    async fn is_due(&self, now_millis: i64) -> Result<bool> {
        let [id, next, ..] = self.due[..] else { return Ok(false) };
        let following = snapshots::read(self.table.metadata(), next).await?;
        Ok(following.is_none_or(|next| self.policy.may_go(id, &self.latest, &next.snapshot, now_millis)))
    }

    /// The next snapshots that go, and what goes with them; `None` when none is left that may.
    async fn collect(&mut self, now_millis: i64) -> Result<Option<Round>> {
        let storage = self.table.metadata();
        let mut round = Round { going: Vec::new(), end: SnapshotId::FIRST, doomed: Doomed::default() };
        let mut following = None;
        for pair in self.due.windows(2) {
            let [id, next] = pair else { break };
            let snapshot = match following.take() {
                Some(snapshot) => Some(snapshot),
                None => self.table.snapshot(*id).await?,
            };
            following = snapshots::read(storage, *next).await?.map(|found| found.snapshot);
            if following.as_ref().is_some_and(|next| !self.policy.may_go(*id, &self.latest, next, now_millis)) {
                break;
            }
            if let Some(snapshot) = snapshot {
                round.doomed.add_metadata(self.table.storage(), &snapshot).await?;
            }
            if let Some(next) = &following {
                self.add_deleted(next, &mut round.doomed).await?;
            }
            round.going.push(*id);
            round.end = *next;
            if round.doomed.len() >= ROUND_FILES {
                break;
            }
        }
        self.due.drain(..round.going.len());
        Ok(Some(round).filter(|round| !round.going.is_empty()))
    }

    /// The data files that `snapshot` deleted. Nobody below it is left when they go.
    async fn add_deleted(&self, snapshot: &Snapshot, doomed: &mut Doomed) -> Result<()> {
        let entries = match scan::changes_of(self.table, snapshot, &self.env.executor).await {
            Ok(entries) => entries,
            // Another run is at it, or was killed there.
            Err(error @ (TableError::Missing { .. } | TableError::Format { .. })) => {
                tracing::warn!(snapshot = snapshot.id.0, %error, "data files that it deleted become orphans");
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        for entry in &entries {
            match entry.kind {
                FileKind::Delete => doomed.add_data(self.table, entry),
                // Paimon's rollback adds files again that were deleted.
                FileKind::Add => live::names_of(entry).map(FileKey::of).for_each(|key| doomed.spare_data(key)),
            }
        }
        Ok(())
    }

    /// Takes the round's snapshots away; `None`, with nothing changed, when another run has overtaken this one.
    async fn carry_out(&self, round: Round) -> Result<Option<Reclaimed>> {
        let Round { going, end, mut doomed } = round;
        let (Some(first), Some(last)) = (going.first(), going.last()) else {
            return Ok(None);
        };
        let (table, executor) = (self.table, &self.env.executor);
        let storage = table.metadata();
        let Some(staying) = table.snapshot(end).await? else {
            return Ok(None);
        };
        if let Err(error) = doomed.spare_metadata(table.storage(), &staying).await {
            return if table.snapshot(end).await?.is_none() { Ok(None) } else { Err(error) };
        }
        let mut keepers = Keepers::find(table.storage(), Whose::Others).await?;
        let mut concerned = keeping(keepers.list(), *first, *last);
        concerned.push(Kept::from(&*self.latest));
        doomed.spare_all(table, executor, concerned).await?;

        snapshots::write_hints_of_expiry(storage, end, self.latest.id).await?;
        for id in &going {
            storage.delete(&snapshots::path(*id)).await?;
        }
        let fresh = keepers.look().await?;
        doomed.spare_all(table, executor, keeping(fresh.iter().collect(), *first, *last)).await?;
        Ok(Some(doomed.delete(table).await))
    }
}

/// Those of `keepers` that may keep what snapshots from `first` to `last` refer to. A file is read by all snapshots from
/// the one that added it to the one before its deletion: of the tags below `first` the newest one speaks for all.
fn keeping(keepers: Vec<&Keeper>, first: SnapshotId, last: SnapshotId) -> Vec<Kept<'_>> {
    let tags = keepers.iter().filter(|keeper| keeper.is_main_tag()).map(|keeper| keeper.snapshot.id);
    let below = tags.filter(|id| *id <= first).max().unwrap_or(first);
    let concerned =
        keepers.into_iter().filter(|keeper| !keeper.is_main_tag() || (below..=last).contains(&keeper.snapshot.id));
    concerned.map(Kept::from).collect()
}

#[cfg(test)]
mod tests;
