//! Tags: keeping a snapshot under a name, and letting it go (`TagManager`, `TagDeletion`, `TagTimeExpire`).
//!
//! A tag must not appear when its snapshot has expired meanwhile, whoever is killed when. So it is pledged first, in a file
//! of its own; then its snapshot is looked up once more; then the tag is written; then the pledge goes. An expiry honours
//! pledges, and looks for them after its snapshots are gone: either it finds the pledge, or whoever pledged finds the
//! snapshot gone. A pledge that a killed process left keeps its files until the orphan sweep takes both away.

mod names;
mod periodic;

use std::time::Duration;

use paimon_format::names::{TAG_DIR, tag_file};
use paimon_format::{FileKind, SnapshotId, Tag};
use tributary_runtime::{Env, Random};

pub use self::names::TagNames;
pub use self::periodic::{PeriodTag, TagSchedule, create_period_tag};
use crate::error::{Result, TableError};
use crate::keepers::{Keeper, Keepers, Kept, PLEDGE_DIR, Whose};
use crate::live::{self, FileKey};
use crate::manifests::{self, ManifestFormat};
use crate::reclaim::{Doomed, Reclaimed};
use crate::snapshots::{self, Found};
use crate::store::{Create, Storage};
use crate::table::Table;
use crate::wall_clock;

/// Keeps `snapshot`, or the newest one, as `name`: for `retained`, for the table's `tag.default-time-retained`, or else for
/// ever. A retention ends nothing by itself: see [`expire_tags`].
///
/// # Errors
/// [`TableError::Refused`] for a branch, a name that cannot be one and a tag that exists; [`TableError::NoSuchSnapshot`] for
/// a snapshot that is not there, or expires meanwhile; otherwise what cannot be read or written.
pub async fn create_tag(
    table: &Table,
    name: &str,
    snapshot: Option<SnapshotId>,
    retained: Option<Duration>,
    env: &Env,
) -> Result<SnapshotId> {
    let refused = |why: String| refused(table, "create a tag of", why);
    check_main(table, "create a tag of")?;
    if name.trim().is_empty() || name.contains('/') {
        return Err(refused(format!("`{name}` cannot be the name of a tag: it is blank or has a slash")));
    }
    let storage = table.metadata();
    let found = match snapshot {
        Some(id) => snapshots::read(storage, id).await?.ok_or_else(|| no_such_snapshot(table, id))?,
        None => snapshots::find_latest(storage).await?.ok_or_else(|| refused("it has no snapshot".to_owned()))?,
    };
    match make(table, name, &found, retained.or(table.options().tag_default_time_retained), env).await? {
        Made::Created => Ok(found.snapshot.id),
        Made::Exists => Err(refused(format!("tag `{name}` exists already; delete it first, or take another name"))),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Made {
    Created,
    /// Another one of this name.
    Exists,
}

/// Keeps `found` as `name`, for ever or for `retained`.
async fn make(table: &Table, name: &str, found: &Found, retained: Option<Duration>, env: &Env) -> Result<Made> {
    let storage = table.metadata();
    let id = found.snapshot.id;
    let now = wall_clock::local_millis(env.clock.now_millis());
    let path = path(name);
    let file = Tag::file(&found.bytes, retained.map(|retained| (now, retained)));
    let file = file.map_err(TableError::format(path.as_str()))?;
    let write = async {
        match storage.create(&path, file.clone().into()).await? {
            Create::Exists if storage.get_opt(&path).await?.is_none_or(|there| there != file) => {
                Ok::<_, TableError>(Made::Exists)
            }
            _ => Ok(Made::Created),
        }
    };
    pledged(storage, found, &env.random, write).await?.ok_or_else(|| no_such_snapshot(table, id))
}

/// Does `write`, which tags `found` in the table at `storage`, under a pledge. `None`, and nothing written, when the snapshot
/// is gone.
///
/// # Errors
/// The store's, and that of `write`: the tag may still come then, so the pledge stays, for the orphan sweep.
pub async fn pledged<T, E: From<TableError>>(
    storage: &Storage,
    found: &Found,
    random: &Random,
    write: impl Future<Output = Result<T, E>>,
) -> Result<Option<T>, E> {
    let pledge = format!("{PLEDGE_DIR}/pledge-{}", random.uuid());
    storage.put(&pledge, found.bytes.clone()).await.map_err(TableError::from)?;
    let written = match snapshots::read(storage, found.snapshot.id).await? {
        Some(_) => Some(write.await?),
        None => None,
    };
    if let Err(error) = storage.delete(&pledge).await {
        tracing::warn!(%error, "a pledge of a tag is left for the orphan sweep");
    }
    Ok(written)
}

/// Lets go of a tag, and of the files that only it kept.
///
/// # Errors
/// [`TableError::NoSuchTag`], [`TableError::Refused`] for a branch, otherwise what cannot be read: then the tag stays.
pub async fn delete_tag(table: &Table, name: &str, env: &Env) -> Result<Reclaimed> {
    check_main(table, "delete a tag of")?;
    let tag = table.tag(name).await?;
    let path = path(name);
    let storage = table.storage();
    if table.snapshot(tag.snapshot.id).await?.is_some() {
        storage.delete(&path).await?;
        return Ok(Reclaimed::default());
    }
    let mut doomed = Doomed::default();
    doomed.add_metadata(storage, &tag.snapshot).await?;
    add_live(table, &tag, env, &mut doomed).await?;
    let mut keepers = Keepers::find(storage, Whose::Everybody).await?;
    let (earlier, others) = (tag.snapshot.id, keepers.list());
    let kept = neighbours(others.into_iter().filter(|keeper| keeper.path != path).collect(), earlier);
    doomed.spare_all(table, &env.executor, kept.into_iter().map(Kept::from).collect()).await?;
    storage.delete(&path).await?;
    let fresh = keepers.look().await?;
    doomed.spare_all(table, &env.executor, fresh.iter().map(Kept::from).collect()).await?;
    Ok(doomed.delete(table).await)
}

/// Deletes the tags whose retention is over, and says which they were.
///
/// # Errors
/// As [`delete_tag`].
pub async fn expire_tags(table: &Table, env: &Env) -> Result<Vec<(String, Reclaimed)>> {
    check_main(table, "expire tags of")?;
    let now = wall_clock::local_millis(env.clock.now_millis());
    let mut expired = Vec::new();
    for name in table.tags().await? {
        let tag = match table.tag(&name).await {
            // Somebody else was faster, here and below.
            Err(TableError::NoSuchTag { .. }) => continue,
            tag => tag?,
        };
        let (Some(created), Some(retained)) = (tag.create_time_millis, tag.time_retained) else {
            continue;
        };
        if created.saturating_add(i64::try_from(retained.as_millis()).unwrap_or(i64::MAX)) < now {
            match delete_tag(table, &name, env).await {
                Err(TableError::NoSuchTag { .. }) => {}
                reclaimed => expired.push((name, reclaimed?)),
            }
        }
    }
    Ok(expired)
}

/// Those that may keep what the snapshot `id` reads: all of other histories; of the table's own the nearest on either side, because a file is
/// read by all snapshots from the one that added it to the one before its deletion; and the newest, to which a rollback
/// may have added it again.
fn neighbours(keepers: Vec<&Keeper>, id: SnapshotId) -> Vec<&Keeper> {
    let (main, mut kept): (Vec<_>, Vec<_>) = keepers.into_iter().partition(|keeper| keeper.is_main());
    let below = main.iter().filter(|keeper| keeper.snapshot.id <= id).max_by_key(|keeper| keeper.snapshot.id);
    let above = main.iter().filter(|keeper| keeper.snapshot.id > id).min_by_key(|keeper| keeper.snapshot.id);
    let newest = main.iter().max_by_key(|keeper| keeper.snapshot.id);
    kept.extend([below, above, newest].into_iter().flatten());
    kept
}

async fn add_live(table: &Table, tag: &Tag, env: &Env, doomed: &mut Doomed) -> Result<()> {
    let storage = table.storage();
    let format = ManifestFormat::of(table, &env.executor);
    let manifests = match manifests::read_lists(storage, &tag.snapshot).await {
        Err(TableError::Missing { .. }) => return Ok(()),
        manifests => manifests?,
    };
    let mut deleted = Vec::new();
    for manifest in &manifests {
        let entries = match format.read_entries(storage, manifest).await {
            Err(TableError::Missing { .. }) => continue,
            entries => entries?,
        };
        for entry in &entries {
            match entry.kind {
                FileKind::Add => doomed.add_data(table, entry),
                FileKind::Delete => deleted.extend(live::names_of(entry).map(FileKey::of)),
            }
        }
    }
    deleted.into_iter().for_each(|key| doomed.spare_data(key));
    Ok(())
}

fn path(name: &str) -> String {
    format!("{TAG_DIR}/{}", tag_file(name))
}

fn check_main(table: &Table, doing: &'static str) -> Result<()> {
    match table.is_branch() {
        true => Err(refused(table, doing, "it is a branch, which can be read only".to_owned())),
        false => Ok(()),
    }
}

fn refused(table: &Table, doing: &'static str, why: String) -> TableError {
    TableError::Refused { doing, table: table.identifier().to_string(), why }
}

fn no_such_snapshot(table: &Table, id: SnapshotId) -> TableError {
    TableError::NoSuchSnapshot { id: id.0, location: table.location() }
}

#[cfg(test)]
mod tests;
