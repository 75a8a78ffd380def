//! Consumer files: how a reader or a job keeps every engine's expiry away from the snapshots it needs.
//!
//! No engine expires a snapshot with an id of `nextSnapshot` or more while the file is there (`ExpireSnapshotsImpl`,
//! `ConsumerManager`). Java reads these files with a strict parser and stops all expiry at one it cannot parse, so they are
//! only ever replaced whole.

use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};
use paimon_format::{Consumer, SnapshotId, names};

use crate::error::{Result, TableError};
use crate::table::Table;

/// Files read at once.
const READ_CONCURRENCY: usize = 16;

fn path(id: &str) -> String {
    format!("{}/{}", names::CONSUMER_DIR, names::consumer_file(id))
}

/// The snapshot that consumer `id` pins, `None` without such a consumer.
///
/// # Errors
/// The store's error, or [`TableError::Format`] for a file that does not parse.
pub async fn read(table: &Table, id: &str) -> Result<Option<SnapshotId>> {
    let path = path(id);
    let Some(bytes) = table.metadata().get_opt(&path).await? else {
        return Ok(None);
    };
    let consumer = Consumer::from_json(&bytes).map_err(TableError::format(path))?;
    Ok(Some(consumer.next_snapshot))
}

/// Every consumer and the snapshot it pins, by its id.
///
/// # Errors
/// As [`read`].
pub async fn list(table: &Table) -> Result<Vec<(String, SnapshotId)>> {
    let files = table.metadata().list_names(names::CONSUMER_DIR).await?;
    let reads: Vec<_> = files
        .iter()
        .filter_map(|file| names::parse_consumer(file))
        .map(|id| async move { Ok::<_, TableError>((id.to_owned(), read(table, id).await?)) })
        .collect();
    let found: Vec<_> = stream::iter(reads).buffered(READ_CONCURRENCY).try_collect().await?;
    // One that is gone was cleared since it was listed.
    Ok(found.into_iter().filter_map(|(id, next)| Some((id, next?))).collect())
}

/// Pins `next` and everything newer for consumer `id`. Writing the same id again renews the file's age,
/// which `consumer.expiration-time` counts from.
///
/// # Errors
/// The store's error.
pub async fn write(table: &Table, id: &str, next: SnapshotId) -> Result<()> {
    let path = path(id);
    let json = Consumer { next_snapshot: next }.to_json().map_err(TableError::format(path.as_str()))?;
    Ok(table.metadata().put(&path, Bytes::from(json)).await?)
}

/// Removes the pin of consumer `id`; one that is not there is fine.
///
/// # Errors
/// The store's error.
pub async fn delete(table: &Table, id: &str) -> Result<()> {
    Ok(table.metadata().delete(&path(id)).await?)
}
