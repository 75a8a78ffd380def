//! Consumer files: how a reader or a job keeps every engine's expiry away from the snapshots it needs.
//!
//! `<table>/consumer/consumer-<id>` holds `{"nextSnapshot": N}`; no engine expires a snapshot with an id
//! of N or more while it is there (`ExpireSnapshotsImpl`, `ConsumerManager`). Java reads these files with a
//! strict parser and stops all expiry at one it cannot parse, so they are only ever replaced whole.

use bytes::Bytes;
use paimon_format::{SnapshotId, names};
use serde::{Deserialize, Serialize};

use crate::error::{Result, TableError};
use crate::table::Table;

#[derive(Serialize, Deserialize)]
struct Consumer {
    #[serde(rename = "nextSnapshot")]
    next_snapshot: i64,
}

fn path(id: &str) -> String {
    format!("{}/{}", names::CONSUMER_DIR, names::consumer_file(id))
}

/// The snapshot that consumer `id` pins, `None` without such a consumer.
///
/// # Errors
/// The store's error, or [`TableError::Corrupt`] for a file that does not parse.
pub async fn read(table: &Table, id: &str) -> Result<Option<SnapshotId>> {
    let path = path(id);
    let Some(bytes) = table.storage().get_opt(&path).await? else {
        return Ok(None);
    };
    match serde_json::from_slice::<Consumer>(&bytes) {
        Ok(consumer) => Ok(Some(SnapshotId(consumer.next_snapshot))),
        Err(error) => Err(TableError::Corrupt { object: path, why: error.to_string() }),
    }
}

/// Pins `next` and everything newer for consumer `id`. Writing the same id again renews the file's age,
/// which `consumer.expiration-time` counts from.
///
/// # Errors
/// The store's error.
pub async fn write(table: &Table, id: &str, next: SnapshotId) -> Result<()> {
    let json = format!("{{\n  \"nextSnapshot\" : {}\n}}", next.0);
    Ok(table.storage().put(&path(id), Bytes::from(json)).await?)
}

/// Removes the pin of consumer `id`; one that is not there is fine.
///
/// # Errors
/// The store's error.
pub async fn delete(table: &Table, id: &str) -> Result<()> {
    Ok(table.storage().delete(&path(id)).await?)
}
