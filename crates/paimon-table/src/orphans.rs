//! Files that nothing refers to: what killed writers, lost races and killed expiries left in a table's folders.
//!
//! A file is an orphan when it is older than the age floor and no snapshot, tag, changelog or branch names it. The floor
//! protects what is written but not committed yet; no commit may take longer.
//!
//! What is referred to is read before the folders are listed, and what came since is read once more before every batch of
//! deletions. A reference that cannot be read ends the sweep, unless whoever holds it is gone meanwhile: then an expiry was
//! faster, and what it left is found by the next sweep.
//!
//! Names decide, not paths: a folder spelt in another way than expected makes no orphan of a file that is read. Only
//! folders of a known kind are looked at.

mod place;

use std::collections::HashSet;

use futures::StreamExt;
use paimon_format::names::{EARLIEST, LATEST, SNAPSHOT_DIR};
use tributary_runtime::{Drain, Env};

use self::place::Place;
use crate::error::{Result, TableError};
use crate::keepers::{Keeper, Keepers, Whose};
use crate::live::{self, FileKey, LiveFiles};
use crate::manifests::{self, ManifestFormat};
use crate::reclaim;
use crate::snapshots;
use crate::table::Table;

use std::time::Duration;

/// Files that are deleted between two looks at who came since.
const BATCH: usize = 1000;

/// Paimon's age floor.
pub const DEFAULT_OLDER_THAN: Duration = Duration::from_secs(24 * 3600);

/// What to do with which orphans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrphanPolicy {
    /// Younger files are not touched. Must be longer than any commit takes, by any engine.
    pub older_than: Duration,
    /// Whether to delete them, or only to say which they are.
    pub delete: bool,
}

/// A file that nothing refers to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Orphan {
    /// Its path below the table.
    pub path: String,
    /// Its size.
    pub bytes: u64,
}

/// What a sweep found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrphanReport {
    /// The orphans, sorted. Unless only asked for, they are deleted.
    pub orphans: Vec<Orphan>,
    /// How many of them could not be deleted, or were not because the sweep was stopped.
    pub left: u64,
    /// Whether it ended early because it was asked to.
    pub stopped: bool,
}

/// Everything that is referred to.
struct References<'a> {
    table: &'a Table,
    keepers: Keepers,
    format: ManifestFormat,
    live: LiveFiles<'a>,
    used: HashSet<FileKey>,
    /// Whether a snapshot names index files; which ones is not read here.
    has_index: bool,
    /// Unix milliseconds: what is older and not referred to is an orphan.
    floor: i64,
}

/// Finds the orphans of a table, and deletes them if `policy` says so. Ends early, after a batch, when `stop` is requested.
///
/// # Errors
/// [`TableError::Refused`] for a branch, whose files lie among those of its table; [`TableError::Missing`] and what cannot
/// be read: then nobody knows what is referred to.
pub async fn remove_orphans(table: &Table, policy: &OrphanPolicy, env: &Env, stop: &Drain) -> Result<OrphanReport> {
    if table.is_branch() {
        let why = "a branch's files lie among those of its table; name the table itself".to_owned();
        return Err(TableError::Refused {
            doing: "remove orphan files of",
            table: table.identifier().to_string(),
            why,
        });
    }
    let floor = i64::try_from(policy.older_than.as_millis()).unwrap_or(i64::MAX);
    let floor = env.clock.now_millis().saturating_sub(floor);
    let mut references = References::read(table, env, floor).await?;
    let mut orphans = references.not_among().await?;
    references.look_again().await?;
    orphans.retain(|orphan| !references.knows(orphan));
    orphans.sort();
    let mut report = OrphanReport::default();
    if !policy.delete {
        return Ok(OrphanReport { orphans, ..OrphanReport::default() });
    }
    let mut batches = orphans.chunks(BATCH).peekable();
    while let Some(batch) = batches.next_if(|_| !stop.is_requested()) {
        references.look_again().await?;
        let batch: Vec<_> = batch.iter().filter(|orphan| !references.knows(orphan)).cloned().collect();
        let files = batch.iter().map(|orphan| (orphan.path.clone(), orphan.bytes)).collect();
        let (deleted, folders) = reclaim::delete_files(table.storage(), files).await;
        let of_data = folders.into_iter().filter(|folder| place::is_bucket(folder)).collect();
        reclaim::remove_empty_folders(table.storage(), of_data).await;
        report.left += deleted.left;
        report.orphans.extend(batch);
    }
    report.stopped = batches.peek().is_some();
    report.left += batches.map(|batch| batch.len() as u64).sum::<u64>();
    Ok(report)
}

// === impl References ===

impl<'a> References<'a> {
    async fn read(table: &'a Table, env: &Env, floor: i64) -> Result<Self> {
        let keepers = Keepers::find(table.storage(), Whose::Everybody).await?;
        let mut references = Self {
            table,
            format: ManifestFormat::of(table, &env.executor),
            live: LiveFiles::new(table, &env.executor, None),
            keepers,
            used: HashSet::new(),
            has_index: false,
            floor,
        };
        let found: Vec<Keeper> = references.keepers.list().into_iter().cloned().collect();
        if found.iter().all(Keeper::is_pledge) {
            references.check_never_written().await?;
        }
        for keeper in &found {
            references.add(keeper).await?;
        }
        Ok(references)
    }

    /// A table that had snapshots and shows none is not empty: something is wrong with what is seen of it.
    async fn check_never_written(&self) -> Result<()> {
        for hint in [LATEST, EARLIEST] {
            if snapshots::read_hint(self.table.storage(), hint).await?.is_some() {
                return Err(TableError::Corrupt {
                    object: SNAPSHOT_DIR.to_owned(),
                    why: format!("there is a hint {hint} but no snapshot, so every file would be taken for an orphan"),
                });
            }
        }
        Ok(())
    }

    async fn add(&mut self, keeper: &Keeper) -> Result<()> {
        // Nobody will redeem a pledge that old.
        if keeper.is_pledge() && keeper.written_millis() < self.floor {
            return Ok(());
        }
        match self.add_files(keeper).await {
            Err(TableError::Missing { .. }) if keeper.is_pledge() => Ok(()),
            Err(TableError::Missing { object, .. }) => {
                self.keepers.look().await?;
                if self.keepers.list().iter().any(|there| there.path == keeper.path) {
                    return Err(TableError::Missing { object, referrer: keeper.path.clone() });
                }
                Ok(())
            }
            added => added,
        }
    }

    async fn add_files(&mut self, keeper: &Keeper) -> Result<()> {
        let snapshot = &keeper.snapshot;
        let live = self.live.visit(snapshot, |_| true).await?;
        self.used.extend(live);
        self.used.extend(self.live.manifests().map(FileKey::of));
        self.used.extend(reclaim::lists(snapshot).map(|(name, _)| FileKey::of(name)));
        self.used.extend(snapshot.statistics.as_deref().map(FileKey::of));
        self.has_index |= snapshot.index_manifest.is_some();
        let Some(list) = &snapshot.changelog_manifest_list else {
            return Ok(());
        };
        let storage = self.table.storage();
        let manifests = manifests::read_list(storage, snapshot, list).await?;
        self.used.extend(manifests.iter().map(|manifest| FileKey::of(&manifest.file_name)));
        let entries = self.format.read_all(storage, &manifests).await?;
        self.used.extend(entries.iter().flat_map(live::names_of).map(FileKey::of));
        Ok(())
    }

    /// Adds what came since the last look.
    async fn look_again(&mut self) -> Result<()> {
        for keeper in self.keepers.look().await? {
            self.add(&keeper).await?;
        }
        Ok(())
    }

    /// The files older than the floor that nothing here refers to.
    async fn not_among(&self) -> Result<Vec<Orphan>> {
        let storage = self.table.storage();
        let below = storage.root.as_ref().len() + 1;
        let keys = &self.table.schema().partition_keys;
        let mut orphans = Vec::new();
        let mut objects = storage.store.list(Some(&storage.root));
        while let Some(object) = objects.next().await {
            let object = object.map_err(storage.failed("list", &storage.root))?;
            let Some(path) = object.location.as_ref().get(below..) else { continue };
            let orphan = Orphan { path: path.to_owned(), bytes: object.size };
            let candidate = match Place::of(path, keys.len()) {
                Place::Named => true,
                Place::Index => !self.has_index,
                Place::Stray => true,
                Place::Other => false,
            };
            if candidate && object.last_modified.timestamp_millis() < self.floor && !self.knows(&orphan) {
                orphans.push(orphan);
            }
        }
        Ok(orphans)
    }

    fn knows(&self, orphan: &Orphan) -> bool {
        let name = orphan.path.rsplit('/').next().unwrap_or_default();
        self.used.contains(&FileKey::of(name))
    }
}

#[cfg(test)]
mod tests;
