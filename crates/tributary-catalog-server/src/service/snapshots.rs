//! Reading snapshots, and going back to one.

use futures::stream::{self, StreamExt, TryStreamExt};
use paimon_catalog::rest::wire::{Instant, RollbackTableRequest};
use paimon_format::SnapshotId;
use paimon_table::snapshots::{self, Found};
use serde::Serialize;
use serde_json::value::RawValue;
use tracing::info;

use super::{Reply, Service, Target, json, parse};
use crate::access::Principal;
use crate::page::Paging;
use crate::problem::Problem;

/// Snapshots read at once for a listing.
const READ_CONCURRENCY: usize = 16;

/// What a client is told where nobody has counted (`PartitionStatistics.UNKNOWN`).
const UNKNOWN: i64 = -1;

// The responses hold snapshots as they are in their files, members this program does not know included.

#[derive(Serialize)]
struct VersionResponse {
    snapshot: Box<RawValue>,
}

#[derive(Serialize)]
struct LatestResponse {
    snapshot: WithTotals,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WithTotals {
    snapshot: Box<RawValue>,
    record_count: i64,
    file_size_in_bytes: i64,
    file_count: i64,
    last_file_creation_time: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListResponse {
    snapshots: Vec<Box<RawValue>>,
    next_page_token: Option<String>,
}

// === impl Service ===

impl Service {
    pub(super) async fn latest_snapshot(&self, target: &Target) -> Result<Reply, Problem> {
        let known = self.locks.of(&target.entry.id).known(target.name.branch.as_ref()).flatten();
        let found = match known.filter(|_| !self.sole_writer) {
            Some(head) => snapshots::find_latest_from(&target.metadata, head.id).await?,
            None => snapshots::find_latest(&target.metadata).await?,
        };
        let found = found.ok_or_else(|| Problem::no_snapshot(&target.name.object(), "LATEST"))?;
        json(&LatestResponse {
            snapshot: WithTotals {
                record_count: found.snapshot.total_record_count,
                file_size_in_bytes: UNKNOWN,
                file_count: UNKNOWN,
                last_file_creation_time: UNKNOWN,
                snapshot: raw(&found.bytes)?,
            },
        })
    }

    pub(super) async fn list_snapshots(&self, target: &Target, paging: &Paging) -> Result<Reply, Problem> {
        let after = paging.after.as_deref().map(str::parse::<i64>).transpose();
        let after = after.map_err(|_| Problem::bad("pageToken must be one that came with a page"))?.unwrap_or_default();
        let ids = snapshots::list(&target.metadata).await?.into_iter().filter(|id| id.0 > after);
        // The token is a number, so what comes before it is cut off here and not by the page.
        let ids = ids.map(|id| (id, id.to_string()));
        let (ids, next_page_token) = Paging { after: None, ..paging.clone() }.cut(ids, |(_, key)| key);
        let reads: Vec<_> = ids.into_iter().map(|(id, _)| snapshots::read(&target.metadata, id)).collect();
        let found: Vec<Option<Found>> = stream::iter(reads).buffered(READ_CONCURRENCY).try_collect().await?;
        // One that is missing has expired since.
        let snapshots = found.into_iter().flatten().map(|found| raw(&found.bytes)).collect::<Result<_, _>>()?;
        json(&ListResponse { snapshots, next_page_token })
    }

    pub(super) async fn get_snapshot(&self, target: &Target, version: &str) -> Result<Reply, Problem> {
        let metadata = &target.metadata;
        let bytes = match version {
            "EARLIEST" => snapshots::find_earliest(metadata).await?.map(|found| found.bytes),
            "LATEST" => snapshots::find_latest(metadata).await?.map(|found| found.bytes),
            _ => match version.parse() {
                Ok(id) => snapshots::read(metadata, SnapshotId(id)).await?.map(|found| found.bytes),
                Err(_) => self.tag_file(target, version).await?,
            },
        };
        let bytes = bytes.ok_or_else(|| Problem::no_snapshot(&target.name.object(), version))?;
        json(&VersionResponse { snapshot: raw(&bytes)? })
    }

    /// Takes back every snapshot after the one that is meant.
    pub(super) async fn roll_back(&self, who: &Principal, target: &Target, body: &[u8]) -> Result<Reply, Problem> {
        let RollbackTableRequest { instant, from_snapshot } = parse(body)?;
        let lock = self.locks.of(&target.entry.id);
        let _turn = lock.turn().await;
        self.check_live(target)?;
        let name = target.name.object();
        let wanted = match &instant {
            Instant::Snapshot { snapshot_id } => SnapshotId(*snapshot_id),
            Instant::Tag { tag_name } => {
                self.tag(target, tag_name).await?.ok_or_else(|| Problem::no_tag(&name, tag_name))?.id
            }
        };
        let latest = snapshots::find_latest(&target.metadata).await?.map(|found| found.snapshot.id);
        if let Some(from) = from_snapshot
            && latest != Some(SnapshotId(from))
        {
            let found = latest.map_or_else(|| "none".to_owned(), |id| id.to_string());
            return Err(Problem::bad(format!("the newest snapshot is {found}, not {from}; nothing was rolled back")));
        }
        if snapshots::read(&target.metadata, wanted).await?.is_none() {
            return Err(Problem::no_snapshot(&name, &wanted.to_string()));
        }
        let _no_hints = lock.without_hints().await;
        snapshots::take_back(&target.metadata, wanted).await?;
        info!(
            target: "tributary::audit",
            principal = who.name,
            database = target.name.database,
            table = name,
            table_id = target.entry.id,
            from = latest.map(|id| id.0),
            to = wanted.0,
            "rollback"
        );
        Ok(Reply::Done)
    }
}

/// A snapshot's file as a part of an answer.
fn raw(bytes: &[u8]) -> Result<Box<RawValue>, Problem> {
    serde_json::from_slice(bytes).map_err(|error| Problem::broken(format!("a snapshot's file is damaged: {error}")))
}
