//! Who keeps a table's files: its snapshots, tags and changelogs, and those of its branches, whose manifests and data files
//! lie among the table's own.
//!
//! And pledges: snapshots that are about to be tagged ([`crate::tagging`]). They are listed before the tags: the tag is
//! written before its pledge goes, so whoever misses the pledge finds the tag.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::stream::{self, StreamExt, TryStreamExt};
use paimon_format::names::{self, BRANCH_DIR, CHANGELOG_DIR, SNAPSHOT_DIR, TAG_DIR};
use paimon_format::{FormatError, Snapshot, Tag};

use crate::error::{Result, TableError};
use crate::store::{Storage, is_staging_name};

/// Where pledges lie, one file each, beside the table's other folders: pypaimon lists nothing that is no tag among the tags.
pub(crate) const PLEDGE_DIR: &str = "pledge";

/// Files read at once.
const READ_CONCURRENCY: usize = 16;

/// Which of them to look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// All but the table's own snapshots.
    Others,
    /// All of them.
    Everybody,
}

/// A snapshot that is kept.
#[derive(Clone, Debug)]
pub(crate) struct Keeper {
    /// Its file below the table: `tag/tag-v1`, `branch/branch-b/snapshot/snapshot-3`.
    pub(crate) path: String,
    /// The snapshot.
    pub(crate) snapshot: Arc<Snapshot>,
    stamp: Stamp,
}

/// A snapshot whose files stay.
#[derive(Clone, Copy)]
pub(crate) struct Kept<'a> {
    pub(crate) snapshot: &'a Snapshot,
    /// Whether its files may be gone: then it will never be tagged.
    pub(crate) is_pledge: bool,
}

/// Everybody who was found, by the path of the file.
pub(crate) struct Keepers {
    storage: Storage,
    whose: Whose,
    found: BTreeMap<String, Keeper>,
}

/// What a file's listing says of its content.
type Stamp = (DateTime<Utc>, u64, Option<String>);

#[derive(Clone, Copy)]
enum Folder {
    Pledges,
    Snapshots,
    Tags,
    Changelogs,
}

// === impl Keeper ===

impl Keeper {
    /// Whether this is a tag of the table itself, not of a branch.
    pub(crate) fn is_main_tag(&self) -> bool {
        self.path.starts_with(TAG_DIR) && !self.is_pledge()
    }

    /// Whether it is only about to be tagged.
    pub(crate) fn is_pledge(&self) -> bool {
        self.path.starts_with(PLEDGE_DIR)
    }

    /// When its file was written, Unix milliseconds.
    pub(crate) fn written_millis(&self) -> i64 {
        self.stamp.0.timestamp_millis()
    }

    /// Whether it is one of the table itself, not of a branch, and there to stay.
    pub(crate) fn is_main(&self) -> bool {
        self.branch().is_none() && !self.is_pledge()
    }

    /// `branch/branch-b`, nothing for the table itself.
    fn branch(&self) -> Option<&str> {
        self.path.rsplitn(3, '/').nth(2)
    }
}

// === impl Kept ===

impl<'a> From<&'a Keeper> for Kept<'a> {
    fn from(keeper: &'a Keeper) -> Self {
        Self { snapshot: &keeper.snapshot, is_pledge: keeper.is_pledge() }
    }
}

impl<'a> From<&'a Snapshot> for Kept<'a> {
    fn from(snapshot: &'a Snapshot) -> Self {
        Self { snapshot, is_pledge: false }
    }
}

// === impl Keepers ===

impl Keepers {
    /// Looks for them in the table at `storage`.
    ///
    /// # Errors
    /// As [`Keepers::look`].
    pub(crate) async fn find(storage: &Storage, whose: Whose) -> Result<Self> {
        let mut keepers = Self { storage: storage.clone(), whose, found: BTreeMap::new() };
        keepers.look().await?;
        Ok(keepers)
    }

    /// All of them, those of one branch side by side, oldest snapshot first; the table's own come last.
    pub(crate) fn list(&self) -> Vec<&Keeper> {
        let mut keepers: Vec<_> = self.found.values().collect();
        keepers.sort_by_key(|keeper| (keeper.is_main(), keeper.branch(), keeper.snapshot.id));
        keepers
    }

    /// Looks again: what came since, or was replaced. Only that is read.
    ///
    /// # Errors
    /// The store's; [`TableError::Format`] for a file that cannot be read: then nobody knows what it keeps.
    pub(crate) async fn look(&mut self) -> Result<Vec<Keeper>> {
        let mut there = HashSet::new();
        let mut fresh = Vec::new();
        for (path, kind) in self.folders().await? {
            for object in self.storage.list_objects(&path).await? {
                let Some(name) = object.location.filename().filter(|name| kind.holds(name)) else {
                    continue;
                };
                let path = format!("{path}/{name}");
                let stamp = (object.last_modified, object.size, object.e_tag);
                if self.found.get(&path).is_none_or(|known| known.stamp != stamp) {
                    fresh.push((path.clone(), kind, stamp));
                }
                there.insert(path);
            }
        }
        self.found.retain(|path, _| there.contains(path));
        let storage = &self.storage;
        let reads: Vec<_> = fresh
            .into_iter()
            .map(|(path, kind, stamp)| async move {
                // One that is gone again keeps nothing.
                let Some(bytes) = storage.get_opt(&path).await? else { return Ok(None) };
                let snapshot = kind.parse(&bytes).map_err(TableError::format(path.as_str()))?;
                Ok::<_, TableError>(Some(Keeper { path, snapshot: Arc::new(snapshot), stamp }))
            })
            .collect();
        let fresh: Vec<Keeper> = stream::iter(reads)
            .buffered(READ_CONCURRENCY)
            .try_filter_map(|read| async { Ok(read) })
            .try_collect()
            .await?;
        self.found.extend(fresh.iter().map(|keeper| (keeper.path.clone(), keeper.clone())));
        Ok(fresh)
    }

    async fn folders(&self) -> Result<Vec<(String, Folder)>> {
        let of = |root: String| {
            [(SNAPSHOT_DIR, Folder::Snapshots), (TAG_DIR, Folder::Tags), (CHANGELOG_DIR, Folder::Changelogs)]
                .map(|(folder, kind)| (format!("{root}{folder}"), kind))
        };
        let mut folders = vec![(PLEDGE_DIR.to_owned(), Folder::Pledges)];
        let own = of(String::new()).into_iter();
        folders.extend(own.filter(|(path, _)| self.whose == Whose::Everybody || path != SNAPSHOT_DIR));
        for branch in self.storage.list_folders(BRANCH_DIR).await? {
            if names::parse_branch(&branch).is_some() {
                folders.extend(of(format!("{BRANCH_DIR}/{branch}/")));
            }
        }
        Ok(folders)
    }
}

// === impl Folder ===

impl Folder {
    fn holds(self, name: &str) -> bool {
        match self {
            Self::Pledges => !is_staging_name(name),
            Self::Snapshots => names::parse_snapshot(name).is_some(),
            Self::Tags => names::parse_tag(name).is_some(),
            Self::Changelogs => names::parse_changelog(name).is_some(),
        }
    }

    fn parse(self, bytes: &[u8]) -> Result<Snapshot, FormatError> {
        match self {
            Self::Pledges | Self::Tags => Tag::from_json(bytes).map(|tag| tag.snapshot),
            Self::Snapshots | Self::Changelogs => Snapshot::from_json(bytes),
        }
    }
}
