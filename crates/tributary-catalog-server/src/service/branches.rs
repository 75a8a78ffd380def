//! Branches: folders in the table's, with schemas, snapshots and tags of their own (`FileSystemBranchManager`). A branch is
//! there when its `schema-0` is, which is written last and deleted first.

use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};
use paimon_catalog::rest::wire::{CreateBranchRequest, ListBranchesResponse};
use paimon_format::names::{self, BRANCH_DIR, EARLIEST, LATEST, SCHEMA_DIR, SNAPSHOT_DIR, TAG_DIR};
use paimon_format::{Snapshot, SnapshotId};
use paimon_table::port::{self, Attempt};
use paimon_table::store::Storage;
use paimon_table::table::{latest_schema, schema_path};
use paimon_table::{purge, snapshots};
use tracing::info;

use super::{Reply, Service, Target, json, parse};
use crate::access::Principal;
use crate::problem::Problem;
use crate::state::check_name;

/// Folders looked at at once for a listing.
const READ_CONCURRENCY: usize = 16;

/// The metadata of a branch of the table in `storage`.
pub(super) fn folder(storage: &Storage, branch: &str) -> Storage {
    storage.child(&format!("{BRANCH_DIR}/{}", names::branch_dir(branch)))
}

// === impl Service ===

impl Service {
    pub(super) async fn list_branches(&self, target: &Target) -> Result<Reply, Problem> {
        let folders = target.storage.list_folders(BRANCH_DIR).await?;
        let named: Vec<_> = folders
            .iter()
            .filter_map(|folder| names::parse_branch(folder))
            .map(|branch| async move { Ok::<_, Problem>((branch.to_owned(), exists(&target.storage, branch).await?)) })
            .collect();
        let mut branches: Vec<(String, bool)> = stream::iter(named).buffered(READ_CONCURRENCY).try_collect().await?;
        branches.retain(|(_, exists)| *exists);
        json(&ListBranchesResponse { branches: branches.into_iter().map(|(branch, _)| branch).collect() })
    }

    pub(super) async fn create_branch(&self, target: &Target, body: &[u8]) -> Result<Reply, Problem> {
        let CreateBranchRequest { branch, from_tag } = parse(body)?;
        check_branch(target, &branch)?;
        if branch.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Problem::bad(format!("the branch '{branch}' needs a letter in its name")));
        }
        let lock = self.locks.of(&target.entry.id);
        let _turn = lock.turn().await;
        self.check_live(target)?;
        let (main, table) = (&target.storage, target.name.object());
        if exists(main, &branch).await? {
            return Err(Problem::branch_exists(&table, &branch));
        }
        let files = folder(main, &branch);
        // What a creation or a drop left that was cut short.
        purge::purge(&files).await?;
        let newest_schema = match &from_tag {
            Some(tag) => {
                let bytes = self.tag_file(target, tag).await?.ok_or_else(|| Problem::no_tag(&table, tag))?;
                let damaged = |error| Problem::broken(format!("the file of tag {tag} is damaged: {error}"));
                let snapshot = Snapshot::from_json(&bytes).map_err(damaged)?;
                files.put(&format!("{TAG_DIR}/{}", names::tag_file(tag)), bytes.clone()).await?;
                // The tag of another engine holds members that no snapshot has; the snapshot may have expired.
                let bytes = match snapshots::read(main, snapshot.id).await? {
                    Some(found) => found.bytes,
                    None => bytes,
                };
                create_snapshot(&files, snapshot.id, bytes).await?;
                snapshot.schema_id
            }
            None => target.schema().await?.id,
        };
        for id in (0..=newest_schema).rev() {
            copy(main, &files, &schema_path(id)).await?;
        }
        match exists(main, &branch).await? {
            true => Ok(Reply::Done),
            false => Err(Problem::broken(format!("the folder of table {table} has lost its first schema"))),
        }
    }

    /// Deletes the branch; the data files only it refers to are left for the orphan sweep.
    pub(super) async fn drop_branch(&self, target: &Target, branch: &str) -> Result<Reply, Problem> {
        check_branch(target, branch)?;
        let lock = self.locks.of(&target.entry.id);
        let _turn = lock.turn().await;
        self.check_live(target)?;
        if !exists(&target.storage, branch).await? {
            return Err(Problem::no_branch(&target.name.object(), branch));
        }
        let _no_hints = lock.without_hints().await;
        let files = folder(&target.storage, branch);
        files.delete(&schema_path(0)).await?;
        purge::purge(&files).await?;
        Ok(Reply::Done)
    }

    /// Makes the table what the branch is. As in Paimon, snapshots of the table from the branch's first on are gone then,
    /// whoever committed them. The snapshots stay without a gap wherever this ends, and it may be asked for again.
    pub(super) async fn forward_branch(
        &self,
        who: &Principal,
        target: &Target,
        branch: &str,
    ) -> Result<Reply, Problem> {
        check_branch(target, branch)?;
        let lock = self.locks.of(&target.entry.id);
        let _turn = lock.turn().await;
        self.check_live(target)?;
        let main = &target.storage;
        if !exists(main, branch).await? {
            return Err(Problem::no_branch(&target.name.object(), branch));
        }
        let from = folder(main, branch);
        let ids = snapshots::list(&from).await?;
        let (Some(&first), Some(&last)) = (ids.first(), ids.last()) else {
            return Err(Problem::bad(format!("branch {branch} has no snapshot to go forward to")));
        };
        let _no_hints = lock.without_hints().await;
        take_back(main, first).await?;
        for tag in main.list_names(TAG_DIR).await? {
            let tag = format!("{TAG_DIR}/{tag}");
            let kept = main.get_opt(&tag).await?.and_then(|bytes| Snapshot::from_json(&bytes).ok());
            if kept.is_some_and(|snapshot| snapshot.id >= first) {
                main.delete(&tag).await?;
            }
        }
        // Replaced before what is left over is deleted: there is a schema at any time.
        for schema in from.list_names(SCHEMA_DIR).await? {
            copy(&from, main, &format!("{SCHEMA_DIR}/{schema}")).await?;
        }
        let newest = latest_schema(&from).await?.map_or(0, |schema| schema.id);
        for id in main.list_names(SCHEMA_DIR).await?.iter().filter_map(|file| names::parse_schema(file)) {
            if id > newest {
                main.delete(&schema_path(id)).await?;
            }
        }
        for tag in from.list_names(TAG_DIR).await? {
            copy(&from, main, &format!("{TAG_DIR}/{tag}")).await?;
        }
        for id in ids {
            if let Some(found) = snapshots::read(&from, id).await? {
                create_snapshot(main, id, found.bytes).await?;
            }
        }
        snapshots::write_hints(main, last).await;
        if snapshots::list(main).await?.first() == Some(&first) {
            main.put(&format!("{SNAPSHOT_DIR}/{EARLIEST}"), first.0.to_string().into()).await?;
        }
        info!(
            target: "tributary::audit",
            principal = who.name,
            database = target.name.database,
            table = target.name.table,
            table_id = target.entry.id,
            branch,
            from = first.0,
            to = last.0,
            "forward"
        );
        Ok(Reply::Done)
    }
}

/// Branches are those of a table, and the table is no branch of itself.
fn check_branch(target: &Target, branch: &str) -> Result<(), Problem> {
    check_name("branch", branch)?;
    match target.name.branch.is_some() || branch.eq_ignore_ascii_case("main") {
        true => Err(Problem::bad("branches are made of a table, and 'main' is the table itself")),
        false => Ok(()),
    }
}

async fn exists(table: &Storage, branch: &str) -> Result<bool, Problem> {
    Ok(folder(table, branch).size_opt(&schema_path(0)).await?.is_some())
}

/// Takes back `first` and every snapshot after it.
async fn take_back(table: &Storage, first: SnapshotId) -> Result<(), Problem> {
    let base = SnapshotId(first.0 - 1);
    if snapshots::read(table, base).await?.is_none() {
        // There is nothing to hint at until the new snapshots are there.
        table.delete(&format!("{SNAPSHOT_DIR}/{LATEST}")).await?;
        for id in snapshots::list(table).await?.into_iter().rev().take_while(|id| *id >= first) {
            table.delete(&format!("{SNAPSHOT_DIR}/{}", names::snapshot_file(id))).await?;
        }
        return Ok(());
    }
    Ok(snapshots::take_back(table, base).await?)
}

async fn create_snapshot(storage: &Storage, id: SnapshotId, bytes: Bytes) -> Result<(), Problem> {
    match port::create_file(storage, id, bytes).await {
        Attempt::Created => Ok(()),
        Attempt::Conflict => Err(Problem::try_again(format!("another engine created snapshot {id} meanwhile"))),
        Attempt::Unknown(error) | Attempt::Failed(error) => Err(error.into()),
    }
}

/// Copies a file, if it is there.
async fn copy(from: &Storage, to: &Storage, path: &str) -> Result<(), Problem> {
    if let Some(bytes) = from.get_opt(path).await? {
        to.put(path, bytes).await?;
    }
    Ok(())
}
