//! What each call does. The names are changed through [`Names`], everything else is in the store; the ledger and the
//! store are written in an order that a restart can finish from wherever it stopped (docs/rfc/0012-catalog-server.md).
//!
//! A call that has begun is carried through, also when its client has gone: whoever runs it must not drop it.

mod branches;
mod commits;
mod consumers;
mod databases;
mod definitions;
mod locks;
mod partitions;
mod snapshots;
mod tables;
mod tags;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use paimon_catalog::rest::wire::{Audit, ConfigResponse};
use paimon_table::store::{Create, Storage, StoreError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tributary_runtime::Env;

use crate::access::Principal;
use crate::call::{Call, Right, TableCall, TableName};
use crate::metrics::CatalogMetrics;
use crate::names::Names;
use crate::problem::Problem;
use crate::state::{TableEntry, check_name};

pub(crate) use locks::Locks;

/// The catalog of one warehouse.
pub struct Service {
    pub(crate) name: String,
    pub(crate) warehouse: Storage,
    pub(crate) names: Names,
    pub(crate) env: Env,
    pub(crate) metrics: CatalogMetrics,
    /// The store lets two creators of one object both succeed, so only this process may commit.
    pub(crate) sole_writer: bool,
    pub(crate) locks: Locks,
}

/// What goes back to the client.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply {
    /// Done; there is nothing to say.
    Done,
    /// JSON.
    Json(Vec<u8>),
}

/// A table that a call is about: what the catalog and what the store know of it.
pub(crate) struct Target {
    pub(crate) name: TableName,
    pub(crate) entry: Arc<TableEntry>,
    /// The table's folder.
    pub(crate) storage: Storage,
    /// Where its schemas, snapshots and tags are: there, or in a branch's folder.
    pub(crate) metadata: Storage,
}

// === impl Service ===

impl Service {
    /// Does what is asked, if `who` may.
    ///
    /// # Errors
    /// What the client hears instead.
    pub async fn answer(&self, who: &Principal, call: Call, body: &[u8]) -> Result<Reply, Problem> {
        match call {
            Call::Config(warehouse) => self.config(&warehouse),
            Call::ListDatabases(paging) => self.list_databases(who, &paging),
            Call::CreateDatabase => self.create_database(who, body).await,
            Call::GetDatabase(name) => self.get_database(who, &name),
            Call::AlterDatabase(name) => self.alter_database(who, &name, body).await,
            Call::DropDatabase(name) => self.drop_database(who, &name).await,
            Call::ListTables(database, paging) => self.list_tables(who, &database, &paging),
            Call::ListTableDetails(database, paging) => self.list_table_details(who, &database, &paging).await,
            Call::CreateTable(database) => self.create_table(who, &database, body).await,
            Call::RenameTable => self.rename_table(who, body).await,
            Call::GetTableById(id) => self.get_table_by_id(who, &id).await,
            Call::Definition(kind, call) => self.answer_for_definitions(who, kind, call, body).await,
            Call::LeftOut(why) => Err(Problem::left_out(why)),
            Call::Table(name, call) => {
                who.check(&name.database, call.right())?;
                let target = self.target(name)?;
                self.answer_for_table(who, target, call, body).await
            }
        }
    }

    async fn answer_for_table(
        &self,
        who: &Principal,
        target: Target,
        call: TableCall,
        body: &[u8],
    ) -> Result<Reply, Problem> {
        match call {
            TableCall::Get => self.get_table(&target).await,
            TableCall::Alter => self.alter_table(&target, body).await,
            TableCall::Drop => self.drop_table(&target).await,
            TableCall::Commit => self.commit(who, &target, body).await,
            TableCall::Rollback => self.roll_back(who, &target, body).await,
            TableCall::LatestSnapshot => self.latest_snapshot(&target).await,
            TableCall::ListSnapshots(paging) => self.list_snapshots(&target, &paging).await,
            TableCall::GetSnapshot(version) => self.get_snapshot(&target, &version).await,
            TableCall::ListPartitions(paging) => self.list_partitions(&target, &paging).await,
            TableCall::PartitionsByNames => self.partitions_by_names(&target, body).await,
            TableCall::ListTags(paging) => self.list_tags(&target, &paging).await,
            TableCall::CreateTag => self.create_tag(&target, body).await,
            TableCall::GetTag(tag) => self.get_tag(&target, &tag).await,
            TableCall::DeleteTag(tag) => self.delete_tag(&target, &tag).await,
            TableCall::ListBranches => self.list_branches(&target).await,
            TableCall::CreateBranch => self.create_branch(&target, body).await,
            TableCall::DropBranch(branch) => self.drop_branch(&target, &branch).await,
            TableCall::ForwardBranch(branch) => self.forward_branch(who, &target, &branch).await,
            TableCall::ListConsumers(paging) => self.list_consumers(&target, &paging).await,
            TableCall::ResetConsumer => self.reset_consumer(&target, body).await,
        }
    }

    /// The part of every path after `/v1`.
    pub fn prefix(&self) -> &str {
        &self.name
    }

    /// The wall clock, Unix milliseconds.
    pub(crate) fn now_millis(&self) -> i64 {
        self.env.clock.now_millis()
    }

    /// Whether changes are still made durable.
    pub fn is_sound(&self) -> bool {
        self.names.is_sound()
    }

    fn config(&self, warehouse: &str) -> Result<Reply, Problem> {
        if warehouse != self.name {
            return Err(Problem::bad(format!("this server's warehouse is called '{}'", self.name)));
        }
        let defaults = BTreeMap::from([("prefix".to_owned(), self.name.clone())]);
        json(&ConfigResponse { defaults, overrides: BTreeMap::new() })
    }

    /// The table a call is about.
    pub(crate) fn target(&self, name: TableName) -> Result<Target, Problem> {
        if let Some(branch) = &name.branch {
            check_name("branch", branch)?;
        }
        let entry = Arc::clone(self.names.state().table(&name.database, &name.table)?);
        Ok(self.target_of(name, entry))
    }

    pub(crate) fn target_of(&self, name: TableName, entry: Arc<TableEntry>) -> Target {
        let storage = self.warehouse.child(&entry.folder);
        let metadata = match &name.branch {
            Some(branch) => branches::folder(&storage, branch),
            None => storage.clone(),
        };
        Target { name, entry, storage, metadata }
    }

    /// Creates an object of a table unless it is there, in the table's turn.
    pub(crate) async fn create_object(
        &self,
        storage: &Storage,
        path: &str,
        bytes: Bytes,
    ) -> Result<Create, StoreError> {
        // Such a store would overwrite it.
        if self.sole_writer && storage.size_opt(path).await?.is_some() {
            return Ok(Create::Exists);
        }
        storage.create(path, bytes).await
    }

    pub(crate) fn now_audit(&self, who: &Principal) -> Audit {
        let (by, now) = (Some(who.name.clone()), self.env.clock.now_millis());
        Audit { owner: by.clone(), created_at: now, created_by: by.clone(), updated_at: now, updated_by: by }
    }
}

/// A request's body.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| Problem::bad(format!("the body cannot be understood: {error}")))
}

/// An answer's body.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<Reply, Problem> {
    let bytes = serde_json::to_vec(value).map_err(|error| Problem::broken(error.to_string()))?;
    Ok(Reply::Json(bytes))
}

#[cfg(test)]
mod tests;
