//! Consumers: files that keep every engine's expiry away from snapshots.

use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};
use paimon_catalog::rest::wire::{ConsumerInfo, ListConsumersResponse, ResetConsumerRequest};
use paimon_format::Consumer;
use paimon_format::names::{self, CONSUMER_DIR};
use paimon_table::snapshots;

use super::{Reply, Service, Target, json, parse};
use crate::page::Paging;
use crate::problem::Problem;
use crate::state::check_name;

/// Files read at once for a listing.
const READ_CONCURRENCY: usize = 16;

// === impl Service ===

impl Service {
    pub(super) async fn list_consumers(&self, target: &Target, paging: &Paging) -> Result<Reply, Problem> {
        let files = target.metadata.list_names(CONSUMER_DIR).await?;
        let mut ids: Vec<String> =
            files.iter().filter_map(|file| names::parse_consumer(file)).map(str::to_owned).collect();
        ids.sort_unstable();
        let (ids, next_page_token) = paging.cut(ids, String::as_str);
        let reads: Vec<_> = ids.into_iter().map(|id| read(target, id)).collect();
        let found: Vec<Option<ConsumerInfo>> = stream::iter(reads).buffered(READ_CONCURRENCY).try_collect().await?;
        json(&ListConsumersResponse { consumers: found.into_iter().flatten().collect(), next_page_token })
    }

    pub(super) async fn reset_consumer(&self, target: &Target, body: &[u8]) -> Result<Reply, Problem> {
        let ResetConsumerRequest { consumer_id, next_snapshot_id } = parse(body)?;
        check_name("consumer", &consumer_id)?;
        let lock = self.locks.of(&target.entry.id);
        let _turn = lock.turn().await;
        self.check_live(target)?;
        let Some(next_snapshot) = next_snapshot_id else {
            target.metadata.delete(&path(&consumer_id)).await?;
            return Ok(Reply::Done);
        };
        if snapshots::read(&target.metadata, next_snapshot).await?.is_none() {
            return Err(Problem::no_snapshot(&target.name.object(), &next_snapshot.to_string()));
        }
        let bytes = Consumer { next_snapshot }.to_json().map_err(|error| Problem::broken(error.to_string()))?;
        target.metadata.put(&path(&consumer_id), Bytes::from(bytes)).await?;
        Ok(Reply::Done)
    }
}

/// `None` when it was deleted since it was listed.
async fn read(target: &Target, consumer_id: String) -> Result<Option<ConsumerInfo>, Problem> {
    let damaged = |error| Problem::broken(format!("the file of consumer {consumer_id} is damaged: {error}"));
    let bytes = target.metadata.get_opt(&path(&consumer_id)).await?;
    let consumer = bytes.map(|bytes| Consumer::from_json(&bytes).map_err(damaged)).transpose()?;
    Ok(consumer.map(|Consumer { next_snapshot }| ConsumerInfo { consumer_id, next_snapshot }))
}

fn path(consumer_id: &str) -> String {
    format!("{CONSUMER_DIR}/{}", names::consumer_file(consumer_id))
}
