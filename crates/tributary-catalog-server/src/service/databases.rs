//! Databases: entries of the ledger, and a folder in the warehouse that holds their tables.

use paimon_catalog::rest::wire::{
    AlterDatabaseRequest, AlterDatabaseResponse, CreateDatabaseRequest, GetDatabaseResponse, ListDatabasesResponse,
};
use paimon_table::purge;

use super::{Reply, Service, json, parse};
use crate::access::Principal;
use crate::call::Right;
use crate::import::MARKER;
use crate::page::Paging;
use crate::problem::Problem;
use crate::state::{Change, Database};

// === impl Service ===

impl Service {
    pub(super) fn list_databases(&self, who: &Principal, paging: &Paging) -> Result<Reply, Problem> {
        let state = self.names.state();
        let seen = state.databases().filter(|database| who.check(&database.name, Right::Read).is_ok());
        let (databases, next_page_token) = paging.cut(seen.map(|database| database.name.clone()), String::as_str);
        json(&ListDatabasesResponse { databases, next_page_token })
    }

    pub(super) async fn create_database(&self, who: &Principal, body: &[u8]) -> Result<Reply, Problem> {
        let CreateDatabaseRequest { name, options } = parse(body)?;
        who.check(&name, Right::Write)?;
        let database = Database { id: self.env.random.uuid().to_string(), name, options, audit: self.now_audit(who) };
        let name = database.name.clone();
        let turn = self.names.turn().await;
        let changes = turn.state().create_database(database)?;
        turn.apply(changes).await?;
        // Only --import and engines that open the warehouse by its path look for it.
        self.warehouse.put(&format!("{name}.db/{MARKER}"), Default::default()).await?;
        Ok(Reply::Done)
    }

    pub(super) fn get_database(&self, who: &Principal, name: &str) -> Result<Reply, Problem> {
        who.check(name, Right::Read)?;
        let state = self.names.state();
        let database = state.database(name)?;
        json(&GetDatabaseResponse {
            id: Some(database.id.clone()),
            name: Some(database.name.clone()),
            location: Some(self.warehouse.location(&format!("{name}.db"))),
            options: database.options.clone(),
            audit: database.audit.clone(),
        })
    }

    pub(super) async fn alter_database(&self, who: &Principal, name: &str, body: &[u8]) -> Result<Reply, Problem> {
        who.check(name, Right::Write)?;
        let AlterDatabaseRequest { removals, updates } = parse(body)?;
        let audit = self.now_audit(who);
        let turn = self.names.turn().await;
        let mut next = (**turn.state().database(name)?).clone();
        let (removed, missing) = removals.into_iter().partition(|key| next.options.remove(key).is_some());
        let updated = updates.keys().cloned().collect();
        next.options.extend(updates);
        (next.audit.updated_at, next.audit.updated_by) = (audit.updated_at, audit.updated_by);
        turn.apply(vec![Change::PutDatabase(next)]).await?;
        json(&AlterDatabaseResponse { removed, updated, missing })
    }

    pub(super) async fn drop_database(&self, who: &Principal, name: &str) -> Result<Reply, Problem> {
        who.check(name, Right::Write)?;
        let turn = self.names.turn().await;
        let changes = turn.state().drop_database(name)?;
        let tables = changes.iter().filter_map(|change| match change {
            Change::PutTable(entry) => Some(entry.clone()),
            _ => None,
        });
        let tables: Vec<_> = tables.collect();
        turn.apply(changes).await?;
        for entry in &tables {
            self.finish_drop(entry).await?;
        }
        // Not the whole folder: a table that was renamed into another database keeps its own there.
        let folder = self.warehouse.child(&format!("{name}.db"));
        folder.delete(MARKER).await?;
        purge::remove_empty(&folder).await;
        Ok(Reply::Done)
    }
}
