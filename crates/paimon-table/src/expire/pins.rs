//! Who keeps snapshots from expiring: consumers, and which of them nobody renews any more.

use std::time::Duration;

use paimon_format::SnapshotId;
use paimon_format::names::{self, CONSUMER_DIR};

use crate::consumer;
use crate::error::Result;
use crate::table::Table;

/// How the consumers of our jobs are named. A job renews its own every minute.
const OUR_PREFIX: &str = "tributary-";

/// After this long a pin of ours belongs to a job that will hardly come back.
const OURS_IDLE: Duration = Duration::from_secs(7 * 24 * 3600);

pub(super) struct Pins {
    /// Consumers that were dropped.
    pub(super) released: Vec<String>,
    /// The one that needs the oldest snapshot, and which that is.
    pub(super) lowest: Option<(String, SnapshotId)>,
}

/// Drops the consumers older than `consumer.expiration-time`, as Java's maintenance does (`ConsumerManager.expire`), and those
/// of our jobs that were not renewed for a week.
///
/// # Errors
/// The store's, or for a consumer file that cannot be read: nobody knows what it keeps then.
pub(super) async fn release_idle(table: &Table, now_millis: i64) -> Result<Pins> {
    let limit = table.options().consumer_expiration_time;
    let mut released = Vec::new();
    for object in table.metadata().list_objects(CONSUMER_DIR).await? {
        let Some(id) = object.location.filename().and_then(names::parse_consumer) else {
            continue;
        };
        let age = now_millis.saturating_sub(object.last_modified.timestamp_millis());
        let age = Duration::from_millis(u64::try_from(age).unwrap_or(0));
        let ours = id.starts_with(OUR_PREFIX);
        if limit.is_some_and(|limit| age > limit) || ours && age > OURS_IDLE {
            consumer::delete(table, id).await?;
            let hours = age.as_secs() / 3600;
            if ours {
                tracing::warn!(
                    table = %table.identifier(), consumer = id, hours,
                    "a job has not renewed its pin; its newest snapshot may expire now, and it cannot go on where it stopped after that"
                );
            } else {
                tracing::info!(table = %table.identifier(), consumer = id, hours, "dropped a consumer that nobody renewed");
            }
            released.push(id.to_owned());
        }
    }
    let lowest = consumer::list(table).await?.into_iter().min_by_key(|(_, next)| *next);
    Ok(Pins { released, lowest })
}
