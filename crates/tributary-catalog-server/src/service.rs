//! What each call does. The names are changed through [`Names`], everything else is in the store; the ledger and the
//! store are written in an order that a restart can finish from wherever it stopped (docs/rfc/0012-catalog-server.md).
//!
//! A call that has begun is carried through, also when its client has gone: whoever runs it must not drop it.

mod commits;
mod databases;
mod partitions;
mod snapshots;
mod tables;
mod tags;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use paimon_catalog::rest::wire::{Audit, ConfigResponse};
use paimon_table::store::Storage;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tributary_runtime::Env;

use crate::access::Principal;
use crate::call::{Call, Right, TableCall, TableName};
use crate::commit::Head;
use crate::metrics::CatalogMetrics;
use crate::names::Names;
use crate::problem::Problem;
use crate::state::{TableEntry, check_name};

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

/// One lock per table, by identity: commits, schemas, tags and the drop of a table take turns.
#[derive(Default)]
pub(crate) struct Locks(Mutex<HashMap<String, Arc<tokio::sync::Mutex<Heads>>>>);

/// The newest snapshots that this process has seen, by branch. A hint: another engine may have committed to the folder.
#[derive(Default)]
pub(crate) struct Heads {
    known: HashMap<Option<String>, Option<Head>>,
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

    /// Databases and tables, for the gauges.
    pub(crate) fn counts(&self) -> (usize, usize) {
        self.names.state().counts()
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
            Some(branch) => storage.child(&format!("branch/branch-{branch}")),
            None => storage.clone(),
        };
        Target { name, entry, storage, metadata }
    }

    pub(crate) fn now_audit(&self, who: &Principal) -> Audit {
        let (by, now) = (Some(who.name.clone()), self.env.clock.now_millis());
        Audit { owner: by.clone(), created_at: now, created_by: by.clone(), updated_at: now, updated_by: by }
    }
}

// === impl Locks ===

impl Locks {
    pub(crate) fn of(&self, table_id: &str) -> Arc<tokio::sync::Mutex<Heads>> {
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(locks.entry(table_id.to_owned()).or_default())
    }

    pub(crate) fn forget(&self, table_id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(table_id);
    }
}

// === impl Heads ===

impl Heads {
    /// The newest snapshot of the branch, if this process has seen one.
    pub(crate) fn known(&self, branch: Option<&String>) -> Option<&Option<Head>> {
        self.known.get(&branch.cloned())
    }

    pub(crate) fn learn(&mut self, branch: Option<&String>, head: Option<Head>) {
        self.known.insert(branch.cloned(), head);
    }

    pub(crate) fn forget(&mut self) {
        self.known.clear();
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
