//! A warehouse folder as a catalog: `<warehouse>/<database>.db/<table>/schema/schema-0`.

use std::fmt;
use std::io::ErrorKind;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};
use paimon_format::TableSchema;
use paimon_table::error::TableError;
use paimon_table::port::FilesystemCommit;
use paimon_table::probe::probe_create_if_absent;
use paimon_table::store::{Create, Storage};
use paimon_table::table::{self, Table, TableIdentifier};
use tributary_runtime::{Clock, Env, Random};

use crate::catalog::{Catalog, CatalogProbe, NewTable, TableCreation};
use crate::clocks::ahead_millis;
use crate::error::CatalogError;

const DATABASE_SUFFIX: &str = ".db";

/// An object store has no empty folders, so a new database holds this. Other engines look at the folders in it only.
const DATABASE_MARKER: &str = ".tributary-database";

/// Tables looked at at once.
const READ_CONCURRENCY: usize = 16;

/// Paimon's `metastore = filesystem`.
#[derive(Clone)]
pub struct FilesystemCatalog {
    warehouse: Storage,
    location: String,
    clock: Arc<dyn Clock>,
}

// === impl FilesystemCatalog ===

impl FilesystemCatalog {
    /// The catalog of a warehouse URL or path. Nothing is created before the first database is.
    ///
    /// # Errors
    /// [`CatalogError::Store`] for a URL that no store is known for.
    pub fn try_open(url: &str, env: &Env) -> Result<Self, CatalogError> {
        Ok(Self::new(Storage::open(url)?, url, env))
    }

    /// The catalog of a storage that is rooted at the warehouse; `location` is its name in messages.
    pub fn new(warehouse: Storage, location: impl Into<String>, env: &Env) -> Self {
        Self { warehouse, location: location.into(), clock: Arc::clone(&env.clock) }
    }

    fn table_storage(&self, table: &TableIdentifier) -> Result<Storage, CatalogError> {
        let database = database_folder(&table.database)?;
        check_name("table", &table.table)?;
        Ok(self.warehouse.child(&format!("{database}/{}", table.table)))
    }

    async fn find_table(&self, table: &TableIdentifier) -> Result<Option<Table>, CatalogError> {
        let (name, branch) = table.split_branch();
        let storage = self.table_storage(&TableIdentifier::new(table.database.as_str(), name))?;
        let (identifier, port) = (table.clone(), Arc::new(FilesystemCommit));
        let loaded = match branch {
            // Asked first: a branch of no table would be said to be missing as a branch.
            Some(branch) if table::has_schema(&storage).await? => {
                Table::load_branch(identifier, storage, branch, port).await
            }
            _ => Table::load(identifier, storage, port).await,
        };
        match loaded {
            Ok(found) => Ok(Some(found)),
            Err(TableError::NotATable { .. }) => Ok(None),
            Err(source) => Err(CatalogError::Table { table: table.to_string(), source: Box::new(source) }),
        }
    }

    /// Creates `schema-0`. Of several creators one wins, whatever engine they belong to; a creator that finds its own
    /// schema, creation time included, is one whose first reply was lost.
    async fn create_schema(&self, storage: &Storage, schema: &TableSchema) -> Result<bool, TableError> {
        let path = table::schema_path(schema.id);
        let json = schema.to_json().map_err(|source| TableError::Format { object: path.clone(), source })?;
        match storage.create(&path, Bytes::from(json)).await? {
            Create::Created => Ok(true),
            Create::Exists => Ok(false),
        }
    }
}

#[async_trait]
impl Catalog for FilesystemCatalog {
    async fn list_databases(&self) -> Result<Vec<String>, CatalogError> {
        let folders = self.warehouse.list_folders("").await?;
        Ok(folders
            .iter()
            .filter_map(|folder| folder.strip_suffix(DATABASE_SUFFIX))
            .filter(|database| !database.is_empty())
            .map(str::to_owned)
            .collect())
    }

    async fn database_exists(&self, database: &str) -> Result<bool, CatalogError> {
        let folder = database_folder(database)?;
        Ok(self.warehouse.list_folders("").await?.contains(&folder))
    }

    async fn create_database(&self, database: &str, if_not_exists: bool) -> Result<bool, CatalogError> {
        if self.database_exists(database).await? {
            return if if_not_exists {
                Ok(false)
            } else {
                Err(CatalogError::DatabaseExists { database: database.to_owned() })
            };
        }
        let marker = format!("{}/{DATABASE_MARKER}", database_folder(database)?);
        match self.warehouse.put(&marker, Bytes::new()).await {
            Ok(()) => Ok(true),
            // All missing folders are made, so this file system has none to make: waiting does not help.
            Err(source) if source.io_kind() == Some(ErrorKind::NotFound) => {
                Err(CatalogError::NoPlace { database: database.to_owned(), source })
            }
            Err(source) => Err(source.into()),
        }
    }

    async fn list_tables(&self, database: &str) -> Result<Vec<String>, CatalogError> {
        if !self.database_exists(database).await? {
            return Err(CatalogError::NoSuchDatabase {
                database: database.to_owned(),
                warehouse: self.location.clone(),
            });
        }
        let folders = self.warehouse.list_folders(&database_folder(database)?).await?;
        let tables: Vec<Option<String>> = stream::iter(folders)
            .map(|folder| async move {
                let table = TableIdentifier::new(database, folder);
                Ok::<_, CatalogError>(self.table_exists(&table).await?.then_some(table.table))
            })
            .buffered(READ_CONCURRENCY)
            .try_collect()
            .await?;
        Ok(tables.into_iter().flatten().collect())
    }

    async fn table_exists(&self, table: &TableIdentifier) -> Result<bool, CatalogError> {
        Ok(table::has_schema(&self.table_storage(table)?).await?)
    }

    async fn load_table(&self, table: &TableIdentifier) -> Result<Table, CatalogError> {
        match self.find_table(table).await? {
            Some(found) => Ok(found),
            None => Err(CatalogError::NoSuchTable { table: table.to_string(), warehouse: self.location.clone() }),
        }
    }

    async fn create_table(
        &self,
        table: &TableIdentifier,
        definition: NewTable,
        if_not_exists: bool,
    ) -> Result<TableCreation, CatalogError> {
        let exists = || CatalogError::TableExists { table: table.to_string() };
        let fail = |source| CatalogError::Table { table: table.to_string(), source: Box::new(source) };
        if let Some(found) = self.find_table(table).await? {
            return if if_not_exists { Ok(TableCreation { table: found, created: false }) } else { Err(exists()) };
        }
        if !self.database_exists(&table.database).await? {
            return Err(CatalogError::NoSuchDatabase {
                database: table.database.clone(),
                warehouse: self.location.clone(),
            });
        }
        let schema = definition.into_schema(table, self.clock.now_millis())?;
        let storage = self.table_storage(table)?;
        if self.create_schema(&storage, &schema).await.map_err(fail)? {
            let created = Table::with_schema(table.clone(), storage, schema, Arc::new(FilesystemCommit));
            return Ok(TableCreation { table: created.map_err(fail)?, created: true });
        }
        // Somebody else created it meanwhile, or it was ourselves and the reply was lost.
        let found = self.load_table(table).await?;
        let created = **found.schema() == schema;
        if created || if_not_exists { Ok(TableCreation { table: found, created }) } else { Err(exists()) }
    }

    async fn probe(&self, random: &Random) -> Result<CatalogProbe, CatalogError> {
        let begin = self.clock.now_millis();
        let probe = probe_create_if_absent(&self.warehouse.nearest_existing(), random).await?;
        let meanwhile = begin..=self.clock.now_millis();
        Ok(CatalogProbe {
            promise: "writable, and creates files only if absent",
            clock_ahead_millis: Some(ahead_millis(meanwhile, probe.written_at_millis)),
            free_bytes: self.warehouse.free_bytes(),
        })
    }
}

impl fmt::Debug for FilesystemCatalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilesystemCatalog").field("location", &self.location).finish_non_exhaustive()
    }
}

fn database_folder(database: &str) -> Result<String, CatalogError> {
    check_name("database", database)?;
    Ok(format!("{database}{DATABASE_SUFFIX}"))
}

/// A name is one path segment; `$` introduces Paimon's system tables and branches.
fn check_name(what: &'static str, name: &str) -> Result<(), CatalogError> {
    let plain = |c: char| !matches!(c, '/' | '\\' | '$') && !c.is_control();
    if name.trim().is_empty() || matches!(name, "." | "..") || !name.chars().all(plain) {
        return Err(CatalogError::Name {
            name: name.to_owned(),
            what,
            why: "it must not be blank and may hold no slash, backslash, dollar sign or control character",
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
