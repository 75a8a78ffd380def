//! Finding and reading snapshot files.
//!
//! The hints `LATEST` and `EARLIEST` are only hints: they can be missing, behind, ahead, or name a
//! snapshot that has expired (`HintFileUtils`). `LATEST = n` is believed when snapshot n exists; from there
//! every successor is tried until one is missing, and the folder is listed when the hint cannot be used.

use std::sync::Arc;

use bytes::Bytes;
use paimon_format::names::{self, EARLIEST, LATEST, SNAPSHOT_DIR};
use paimon_format::{Snapshot, SnapshotId};

use crate::error::{Result, TableError};
use crate::store::Storage;

/// How far behind a hint may be before listing the folder is cheaper than trying successors.
const MAX_STEPS: u32 = 32;

/// A snapshot file as it was read. Two readings are the same snapshot exactly when the bytes are equal:
/// a foreign engine without create-if-absent may have replaced the file.
#[derive(Clone, Debug)]
pub struct Found {
    /// What it says.
    pub snapshot: Arc<Snapshot>,
    /// The file, with members this crate does not know.
    pub bytes: Bytes,
}

pub(crate) fn path(id: SnapshotId) -> String {
    format!("{SNAPSHOT_DIR}/{}", names::snapshot_file(id))
}

fn hint_path(name: &str) -> String {
    format!("{SNAPSHOT_DIR}/{name}")
}

pub(crate) fn parse(id: SnapshotId, bytes: Bytes) -> Result<Found> {
    let snapshot = Snapshot::from_json(&bytes).map_err(TableError::format(path(id)))?;
    if snapshot.id != id {
        return Err(TableError::Corrupt { object: path(id), why: format!("it says it is snapshot {}", snapshot.id.0) });
    }
    Ok(Found { snapshot: Arc::new(snapshot), bytes })
}

/// A snapshot of the table whose metadata lies below `storage`.
///
/// # Errors
/// The store's, or for a file that cannot be read.
pub async fn read(storage: &Storage, id: SnapshotId) -> Result<Option<Found>> {
    storage.get_opt(&path(id)).await?.map(|bytes| parse(id, bytes)).transpose()
}

/// The ids of all snapshots, ascending.
///
/// # Errors
/// The store's.
pub async fn list(storage: &Storage) -> Result<Vec<SnapshotId>> {
    let names = storage.list_names(SNAPSHOT_DIR).await?;
    let mut ids: Vec<_> = names.iter().filter_map(|name| names::parse_snapshot(name)).collect();
    ids.sort_unstable();
    Ok(ids)
}

/// The newest snapshot.
///
/// # Errors
/// The store's, or for a file that cannot be read.
pub async fn find_latest(storage: &Storage) -> Result<Option<Found>> {
    if let Some(hint) = read_hint(storage, LATEST).await?
        && let Some(found) = follow(storage, hint).await?
    {
        return Ok(Some(found));
    }
    // A snapshot can expire between the listing and the reading; then there are newer ones.
    for _ in 0..MAX_STEPS {
        let Some(newest) = list(storage).await?.pop() else {
            return Ok(None);
        };
        if let Some(found) = read(storage, newest).await? {
            return Ok(Some(found));
        }
    }
    Err(TableError::Corrupt {
        object: SNAPSHOT_DIR.to_owned(),
        why: "the newest snapshot of every listing is gone when it is read".to_owned(),
    })
}

/// The newest snapshot, looked for from one that was the newest a while ago.
///
/// # Errors
/// As [`find_latest`].
pub async fn find_latest_from(storage: &Storage, known: SnapshotId) -> Result<Option<Found>> {
    match follow(storage, known).await? {
        Some(found) => Ok(Some(found)),
        None => find_latest(storage).await,
    }
}

/// The newest snapshot if it is `id` or one not far behind it.
async fn follow(storage: &Storage, id: SnapshotId) -> Result<Option<Found>> {
    if let Some(found) = read(storage, id).await?
        && let Some(found) = walk_forward(storage, found).await?
        && !passed_by_expiry(storage, found.snapshot.id).await?
    {
        return Ok(Some(found));
    }
    Ok(None)
}

/// The last of the snapshots that follow `found` without a gap; `None` when the hint was too far behind.
async fn walk_forward(storage: &Storage, mut found: Found) -> Result<Option<Found>> {
    for _ in 0..MAX_STEPS {
        match read(storage, SnapshotId(found.snapshot.id.0 + 1)).await? {
            Some(next) => found = next,
            None => return Ok(Some(found)),
        }
    }
    Ok(None)
}

/// Expiry deletes quietly and may leave a file behind: a snapshot below `EARLIEST` without a successor
/// is such a leftover, not the newest.
async fn passed_by_expiry(storage: &Storage, id: SnapshotId) -> Result<bool> {
    Ok(read_hint(storage, EARLIEST).await?.is_some_and(|earliest| earliest > id))
}

/// The oldest snapshot.
///
/// # Errors
/// The store's, or for a file that cannot be read.
pub async fn find_earliest(storage: &Storage) -> Result<Option<Found>> {
    if let Some(hint) = read_hint(storage, EARLIEST).await?
        && let Some(found) = read(storage, hint).await?
    {
        return Ok(Some(found));
    }
    for id in list(storage).await? {
        if let Some(found) = read(storage, id).await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// A hint that is missing or holds no number is no hint; a store that cannot answer is an error.
pub(crate) async fn read_hint(storage: &Storage, name: &str) -> Result<Option<SnapshotId>> {
    let Some(bytes) = storage.get_opt(&hint_path(name)).await? else {
        return Ok(None);
    };
    Ok(SnapshotId::from_hint(&bytes))
}

/// Writes `LATEST`, and `EARLIEST` with a table's first snapshot. The snapshot exists already, so a
/// failure costs readers a listing and is only worth a warning.
pub async fn write_hints(storage: &Storage, id: SnapshotId) {
    if let Err(error) = write_hint(storage, LATEST, id).await {
        tracing::warn!(%error, snapshot = id.0, "could not write the hint LATEST; readers will list the snapshot folder");
    }
    if id == SnapshotId::FIRST {
        write_earliest(storage, id).await;
    }
}

/// Writes `EARLIEST`; a failure is only worth a warning.
pub(crate) async fn write_earliest(storage: &Storage, id: SnapshotId) {
    if let Err(error) = write_hint(storage, EARLIEST, id).await {
        tracing::warn!(%error, snapshot = id.0, "could not write the hint EARLIEST; readers will list the snapshot folder");
    }
}

/// Before the snapshots below `earliest` go: nobody is to be led to one of them. Java takes the snapshot that `LATEST` names
/// for the newest when its successor is missing, so a hint left behind must not point below.
///
/// # Errors
/// The store's.
pub(crate) async fn write_hints_of_expiry(storage: &Storage, earliest: SnapshotId, latest: SnapshotId) -> Result<()> {
    if read_hint(storage, LATEST).await?.is_some_and(|hint| hint < earliest) {
        write_hint(storage, LATEST, latest).await?;
    }
    if read_hint(storage, EARLIEST).await?.is_none_or(|hint| hint < earliest) {
        write_earliest(storage, earliest).await;
    }
    Ok(())
}

/// Whoever finds it old, empty or gone lists the folder, so a commit does not wait for it to be flushed.
async fn write_hint(storage: &Storage, name: &str, id: SnapshotId) -> Result<()> {
    Ok(storage.put_expendable(&hint_path(name), Bytes::from(id.0.to_string())).await?)
}

/// Takes back every snapshot after `to`. `LATEST` goes first and the newest snapshot next, so that the snapshots are
/// without a gap wherever this ends, and may be called again. Files only they refer to are left for the orphan sweep.
///
/// # Errors
/// The store's; some snapshots may be left then.
pub async fn take_back(storage: &Storage, to: SnapshotId) -> Result<()> {
    write_hints(storage, to).await;
    for id in list(storage).await?.into_iter().rev().take_while(|id| *id > to) {
        storage.delete(&path(id)).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
