//! Tables: names in the ledger, definitions in their folders.

use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};
use paimon_catalog::rest::wire::{
    CreateTableRequest, GetTableResponse, ListTableDetailsResponse, ListTablesResponse, RenameTableRequest,
};
use paimon_format::TableSchema;
use paimon_table::store::{Create, Storage};
use paimon_table::table::{latest_schema, schema_path};
use paimon_table::{purge, snapshots};
use serde::Deserialize;

use super::{Reply, Right, Service, TableName, Target, json, parse};
use crate::access::Principal;
use crate::page::Paging;
use crate::problem::Problem;
use crate::schemas::{self, SchemaChange};
use crate::state::{Change, Stage, TableEntry};

/// Definitions read at once for a listing.
const READ_CONCURRENCY: usize = 16;

#[derive(Deserialize)]
struct AlterTableRequest {
    changes: Vec<SchemaChange>,
}

// === impl Service ===

impl Service {
    pub(super) fn list_tables(&self, who: &Principal, database: &str, paging: &Paging) -> Result<Reply, Problem> {
        let (entries, next_page_token) = self.entries(who, database, paging)?;
        let tables = entries.iter().map(|entry| entry.name.clone()).collect();
        json(&ListTablesResponse { tables, next_page_token })
    }

    pub(super) async fn list_table_details(
        &self,
        who: &Principal,
        database: &str,
        paging: &Paging,
    ) -> Result<Reply, Problem> {
        let (entries, next_page_token) = self.entries(who, database, paging)?;
        let described: Vec<_> = entries.into_iter().map(|entry| self.describe_entry(entry)).collect();
        let tables: Vec<Option<GetTableResponse>> =
            stream::iter(described).buffered(READ_CONCURRENCY).try_collect().await?;
        json(&ListTableDetailsResponse { table_details: tables.into_iter().flatten().collect(), next_page_token })
    }

    /// `None` when it was dropped since the page was cut.
    async fn describe_entry(&self, entry: Arc<TableEntry>) -> Result<Option<GetTableResponse>, Problem> {
        let target = self.target_of(TableName::new(&entry.database, &entry.name), entry);
        match self.describe(&target).await {
            Ok(table) => Ok(Some(table)),
            Err(_) if self.check_live(&target).is_err() => Ok(None),
            Err(problem) => Err(problem),
        }
    }

    fn entries(
        &self,
        who: &Principal,
        database: &str,
        paging: &Paging,
    ) -> Result<(Vec<Arc<TableEntry>>, Option<String>), Problem> {
        who.check(database, Right::Read)?;
        let state = self.names.state();
        state.database(database)?;
        Ok(paging.cut(state.tables_of(database).cloned(), |entry| &entry.name))
    }

    pub(super) async fn create_table(&self, who: &Principal, database: &str, body: &[u8]) -> Result<Reply, Problem> {
        let CreateTableRequest { identifier, schema } = parse(body)?;
        who.check(database, Right::Write)?;
        if identifier.database != database {
            return Err(Problem::bad(format!(
                "the body names database '{}', the path '{database}'",
                identifier.database
            )));
        }
        let schema = schemas::first(schema, self.env.clock.now_millis())?;
        let stuck = self.names.state().creating(database, &identifier.object).cloned();
        if let Some(stuck) = stuck {
            self.settle(&stuck).await?;
        }
        let (id, audit) = (self.env.random.uuid().to_string(), self.now_audit(who));
        let turn = self.names.turn().await;
        let entry = turn.state().create_table(database, &identifier.object, &id, audit)?;
        // Held before anybody can see the entry, until it is there or gone.
        let lock = self.locks.of(&id);
        let _turn = lock.turn().await;
        turn.apply(vec![Change::PutTable(entry.clone())]).await?;
        let storage = self.warehouse.child(&entry.folder);
        match self.create_schema(&storage, &schema).await {
            Ok(Create::Created) => {}
            Ok(Create::Exists) => {
                self.put_down(&entry).await?;
                return Err(Problem::folder_taken(&entry.name, &storage.location("")));
            }
            // It may be there or not: the store is asked.
            Err(problem) if problem.code >= 500 && self.heal(&entry).await? => {
                tracing::warn!(%problem, table = entry.folder, "a table was created although the store said otherwise");
                return Ok(Reply::Done);
            }
            Err(problem) => return Err(problem),
        }
        self.names.put(Change::PutTable(entry.at_stage(Stage::Live))).await?;
        Ok(Reply::Done)
    }

    pub(super) async fn get_table(&self, target: &Target) -> Result<Reply, Problem> {
        json(&self.describe(target).await?)
    }

    pub(super) async fn get_table_by_id(&self, who: &Principal, id: &str) -> Result<Reply, Problem> {
        let known = self.names.state().table_by_id(id).filter(|entry| entry.stage == Stage::Live).cloned();
        let allowed = known.filter(|entry| who.check(&entry.database, Right::Read).is_ok());
        let entry = allowed.ok_or_else(|| Problem::no_table("id", id))?;
        self.get_table(&self.target_of(TableName::new(&entry.database, &entry.name), entry)).await
    }

    async fn describe(&self, target: &Target) -> Result<GetTableResponse, Problem> {
        let schema = target.schema().await?;
        let mut audit = target.entry.audit.clone();
        audit.updated_at = audit.updated_at.max(schema.time_millis);
        Ok(GetTableResponse {
            id: target.entry.id.clone(),
            database: Some(target.name.database.clone()),
            name: Some(target.name.object()),
            path: Some(target.storage.location("")),
            is_external: false,
            schema_id: schema.id,
            schema: schema.into(),
            audit,
        })
    }

    pub(super) async fn alter_table(&self, target: &Target, body: &[u8]) -> Result<Reply, Problem> {
        let AlterTableRequest { changes } = parse(body)?;
        let lock = self.locks.of(&target.entry.id);
        let _turn = lock.turn().await;
        self.check_live(target)?;
        let schema = target.schema().await?;
        let has_snapshots = snapshots::find_latest(&target.metadata).await?.is_some();
        let Some(next) = schemas::altered(&schema, &changes, has_snapshots, self.env.clock.now_millis())? else {
            return Ok(Reply::Done);
        };
        match self.create_schema(&target.metadata, &next).await? {
            Create::Created => Ok(Reply::Done),
            Create::Exists => Err(Problem::try_again("another engine changed the table at the same time")),
        }
    }

    pub(super) async fn rename_table(&self, who: &Principal, body: &[u8]) -> Result<Reply, Problem> {
        let RenameTableRequest { source, destination } = parse(body)?;
        who.check(&source.database, Right::Write)?;
        who.check(&destination.database, Right::Write)?;
        let turn = self.names.turn().await;
        let changes = turn
            .state()
            .rename_table((&source.database, &source.object), (&destination.database, &destination.object))?;
        turn.apply(changes).await?;
        Ok(Reply::Done)
    }

    pub(super) async fn drop_table(&self, target: &Target) -> Result<Reply, Problem> {
        if target.name.branch.is_some() {
            return Err(Problem::left_out("dropping a branch is left out"));
        }
        let (database, table) = (&target.name.database, &target.name.table);
        let turn = self.names.turn().await;
        let entry = turn.state().drop_table(database, table)?;
        turn.apply(vec![Change::PutTable(entry.clone())]).await?;
        self.finish_drop(&entry).await?;
        Ok(Reply::Done)
    }

    /// Deletes what is left of a dropped table. Nobody finds it by name any more; who found it before is waited for.
    pub(crate) async fn finish_drop(&self, entry: &TableEntry) -> Result<(), Problem> {
        let lock = self.locks.of(&entry.id);
        let _turn = lock.turn().await;
        let _no_hints = lock.without_hints().await;
        if let Err(error) = purge::purge(&self.warehouse.child(&entry.folder)).await {
            // The table is gone for everybody; only its space is not free yet.
            tracing::warn!(%error, folder = entry.folder, "could not delete all files of a dropped table; the next start tries again");
            return Ok(());
        }
        self.put_down(entry).await
    }

    /// Waits for the creation of a table, and finishes it if it was cut short.
    async fn settle(&self, entry: &TableEntry) -> Result<(), Problem> {
        let lock = self.locks.of(&entry.id);
        let _turn = lock.turn().await;
        let is_stuck = self.names.state().creating(&entry.database, &entry.name).is_some_and(|now| now.id == entry.id);
        if is_stuck {
            self.heal(entry).await?;
        }
        Ok(())
    }

    /// Finishes a creation that was cut short, whichever way it went; `true` when the table is there.
    pub(crate) async fn heal(&self, entry: &TableEntry) -> Result<bool, Problem> {
        let exists = self.warehouse.child(&entry.folder).size_opt(&schema_path(0)).await?.is_some();
        match exists {
            true => self.names.put(Change::PutTable(entry.at_stage(Stage::Live))).await?,
            false => self.put_down(entry).await?,
        }
        Ok(exists)
    }

    async fn put_down(&self, entry: &TableEntry) -> Result<(), Problem> {
        self.names.put(Change::RemoveTable(entry.id.clone())).await?;
        self.locks.forget(&entry.id);
        Ok(())
    }

    async fn create_schema(&self, storage: &Storage, schema: &TableSchema) -> Result<Create, Problem> {
        let bytes = schema.to_json().map_err(|error| Problem::bad(error.to_string()))?;
        Ok(self.create_object(storage, &schema_path(schema.id), Bytes::from(bytes)).await?)
    }

    /// To be asked under the table's lock: was it dropped meanwhile?
    pub(super) fn check_live(&self, target: &Target) -> Result<(), Problem> {
        let state = self.names.state();
        match state.table_by_id(&target.entry.id).is_some_and(|entry| entry.stage == Stage::Live) {
            true => Ok(()),
            false => Err(Problem::no_table(&target.name.database, &target.name.table)),
        }
    }
}

// === impl Target ===

impl Target {
    /// The newest schema, of the table or of the branch.
    pub(super) async fn schema(&self) -> Result<TableSchema, Problem> {
        let found = latest_schema(&self.metadata).await?;
        found.ok_or_else(|| match &self.name.branch {
            Some(_) => Problem::no_table(&self.name.database, &self.name.object()),
            None => Problem::broken(format!("the folder of table {} has lost its schemas", self.entry.name)),
        })
    }
}
