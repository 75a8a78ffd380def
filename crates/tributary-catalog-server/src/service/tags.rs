//! Tags: copies of snapshots in the table's folder, by name.

use bytes::Bytes;
use paimon_catalog::rest::wire::{CreateTagRequest, GetTagResponse, ListTagsResponse};
use paimon_format::names::{self, TAG_DIR};
use paimon_format::{Snapshot, SnapshotId};
use paimon_table::snapshots;
use paimon_table::store::Create;
use paimon_table::tagging::pledged;

use super::{Reply, Service, Target, json, parse};
use crate::page::Paging;
use crate::problem::Problem;
use crate::state::check_name;

// === impl Service ===

impl Service {
    pub(super) async fn list_tags(&self, target: &Target, paging: &Paging) -> Result<Reply, Problem> {
        let files = target.metadata.list_names(TAG_DIR).await?;
        let mut tags: Vec<String> = files.iter().filter_map(|file| names::parse_tag(file)).map(str::to_owned).collect();
        tags.sort_unstable();
        let (tags, next_page_token) = paging.cut(tags, String::as_str);
        json(&ListTagsResponse { tags, next_page_token })
    }

    pub(super) async fn create_tag(&self, target: &Target, body: &[u8]) -> Result<Reply, Problem> {
        let CreateTagRequest { tag_name, snapshot_id, time_retained } = parse(body)?;
        check_name("tag", &tag_name)?;
        if tag_name.parse::<i64>().is_ok() {
            return Err(Problem::bad(format!(
                "the tag '{tag_name}' would be taken for a snapshot; use a name with a letter"
            )));
        }
        if time_retained.is_some() {
            return Err(Problem::left_out("tags that expire are left out: delete the tag instead"));
        }
        let lock = self.locks.of(&target.entry.id);
        let _turn = lock.turn().await;
        self.check_live(target)?;
        let found = match snapshot_id {
            Some(id) => snapshots::read(&target.metadata, SnapshotId(id)).await?,
            None => snapshots::find_latest(&target.metadata).await?,
        };
        let version = snapshot_id.map_or_else(|| "LATEST".to_owned(), |id| id.to_string());
        let found = found.ok_or_else(|| Problem::no_snapshot(&target.name.object(), &version))?;
        let write = async {
            let created = self.create_object(&target.metadata, &path(&tag_name), found.bytes.clone()).await;
            created.map_err(Problem::from)
        };
        match pledged(&target.metadata, &found, &self.env.random, write).await? {
            Some(Create::Created) => Ok(Reply::Done),
            Some(Create::Exists) => Err(Problem::tag_exists(&target.name.object(), &tag_name)),
            None => Err(Problem::no_snapshot(&target.name.object(), &version)),
        }
    }

    pub(super) async fn get_tag(&self, target: &Target, tag: &str) -> Result<Reply, Problem> {
        let snapshot = self.tag(target, tag).await?.ok_or_else(|| Problem::no_tag(&target.name.object(), tag))?;
        json(&GetTagResponse { tag_name: tag.to_owned(), snapshot, tag_create_time: None, tag_time_retained: None })
    }

    /// Deletes the tag; the data files only it refers to are left for the orphan sweep.
    pub(super) async fn delete_tag(&self, target: &Target, tag: &str) -> Result<Reply, Problem> {
        let lock = self.locks.of(&target.entry.id);
        let _turn = lock.turn().await;
        if self.tag_file(target, tag).await?.is_none() {
            return Err(Problem::no_tag(&target.name.object(), tag));
        }
        target.metadata.delete(&path(tag)).await?;
        Ok(Reply::Done)
    }

    /// The snapshot that a tag keeps.
    pub(super) async fn tag(&self, target: &Target, tag: &str) -> Result<Option<Snapshot>, Problem> {
        let damaged = |error| Problem::broken(format!("the file of tag {tag} is damaged: {error}"));
        let file = self.tag_file(target, tag).await?;
        file.map(|bytes| Snapshot::from_json(&bytes).map_err(damaged)).transpose()
    }

    /// The file of a tag; `None` also for what is no name of a tag.
    pub(super) async fn tag_file(&self, target: &Target, tag: &str) -> Result<Option<Bytes>, Problem> {
        match check_name("tag", tag) {
            Ok(()) => Ok(target.metadata.get_opt(&path(tag)).await?),
            Err(_) => Ok(None),
        }
    }
}

fn path(tag: &str) -> String {
    format!("{TAG_DIR}/{}", names::tag_file(tag))
}
