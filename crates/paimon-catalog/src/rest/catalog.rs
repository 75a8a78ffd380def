//! A REST catalog: names are looked up there, snapshots are created there, everything else is in the tables' folders.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use paimon_table::error::TableError;
use paimon_table::port::{FilesystemCommit, SnapshotCommit};
use paimon_table::store::credentials::RefreshingCredentials;
use paimon_table::store::{Storage, StorageOptions};
use paimon_table::table::{Table, TableIdentifier};
use tributary_runtime::{Backoff, Classify, Clock, Env, FailureKind, Random};

use super::api::{Api, Made, TableEntry};
use super::client::Client;
use super::commit::RestCommit;
use super::data_token;
use super::error::RestError;
use super::options::RestOptions;
use crate::catalog::{Catalog, CatalogProbe, NewTable, TableCreation};
use crate::error::CatalogError;

/// Waits between two tries of a call to a server that is busy.
const WAITS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(16));

/// Times that a table which may be created by another is looked for again.
const MOST_LOOKS: u32 = 3;

/// Paimon's `metastore = rest`.
pub struct RestCatalog {
    api: Arc<Api>,
    /// What the catalog's own options lie over.
    storage: StorageOptions,
    /// Data tokens in use, as long as they are.
    tokens: Mutex<Vec<Weak<RefreshingCredentials>>>,
    clock: Arc<dyn Clock>,
}

// === impl RestCatalog ===

impl RestCatalog {
    /// A catalog that is asked when it is needed: no I/O.
    ///
    /// # Errors
    /// [`CatalogError::Rest`] when no HTTP client can be made.
    pub fn try_new(options: RestOptions, storage: StorageOptions, env: &Env) -> Result<Self, CatalogError> {
        let (min, max) = WAITS;
        let backoff = Backoff::try_new(min, max).map_err(|error| RestError::Client { why: error.to_string() })?;
        Self::with_waits(options, storage, env, backoff)
    }

    fn with_waits(
        options: RestOptions,
        storage: StorageOptions,
        env: &Env,
        backoff: Backoff,
    ) -> Result<Self, CatalogError> {
        let client = Client::try_new(&options, env, backoff)?;
        let api = Arc::new(Api::new(client, options));
        Ok(Self { api, storage, tokens: Mutex::default(), clock: Arc::clone(&env.clock) })
    }

    fn location(&self) -> String {
        self.api.options().location()
    }

    async fn find_table(&self, table: &TableIdentifier) -> Result<Option<Table>, CatalogError> {
        let (name, branch) = table.split_branch();
        let base = TableIdentifier::new(table.database.as_str(), name);
        let Some(entry) = self.api.table(&base).await? else {
            return Ok(None);
        };
        let storage = self.open_storage(&base, &entry).await?;
        let port: Arc<dyn SnapshotCommit> = if entry.is_external {
            Arc::new(FilesystemCommit)
        } else {
            Arc::new(RestCommit { api: Arc::clone(&self.api), table: base, table_id: entry.id })
        };
        let loaded = match branch {
            Some(branch) => Table::load_branch(table.clone(), storage, branch, port).await,
            None => Table::load(table.clone(), storage, port).await,
        };
        loaded.map(Some).map_err(failed(table))
    }

    async fn open_storage(&self, table: &TableIdentifier, entry: &TableEntry) -> Result<Storage, CatalogError> {
        let Some(path) = &entry.path else {
            return Err(CatalogError::NoLocation { table: table.to_string(), catalog: self.location() });
        };
        let merged = self.api.merged().await?;
        let options = StorageOptions::try_from_catalog(merged)
            .map_err(|error| RestError::Storage { table: table.to_string(), why: error.to_string() })?
            .over(&self.storage);
        let by_token = merged.get(data_token::ENABLED).is_some_and(|text| text.eq_ignore_ascii_case("true"));
        if !by_token || options.bucket(path).is_none() {
            return Ok(Storage::open_with(path, &options)?);
        }
        let (options, keys) = data_token::open(&self.api, table, path, &options, Arc::clone(&self.clock)).await?;
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.retain(|token| token.strong_count() > 0);
        tokens.push(Arc::downgrade(&keys));
        Ok(Storage::open_with(path, &options)?)
    }

    fn no_such_table(&self, table: &TableIdentifier) -> CatalogError {
        CatalogError::NoSuchTable { table: table.to_string(), warehouse: self.location() }
    }

    fn no_such_database(&self, database: &str) -> CatalogError {
        CatalogError::NoSuchDatabase { database: database.to_owned(), warehouse: self.location() }
    }
}

#[async_trait]
impl Catalog for RestCatalog {
    async fn list_databases(&self) -> Result<Vec<String>, CatalogError> {
        Ok(sorted(self.api.list_databases().await?))
    }

    async fn database_exists(&self, database: &str) -> Result<bool, CatalogError> {
        Ok(self.api.has_database(database).await?)
    }

    async fn create_database(&self, database: &str, if_not_exists: bool) -> Result<bool, CatalogError> {
        // Asked first: who may not create databases may still use those that are there.
        let made = match self.api.has_database(database).await? {
            true => Made::Before,
            false => self.api.create_database(database).await?,
        };
        match made {
            Made::Now => Ok(true),
            Made::Before if if_not_exists => Ok(false),
            Made::Before => Err(CatalogError::DatabaseExists { database: database.to_owned() }),
        }
    }

    async fn list_tables(&self, database: &str) -> Result<Vec<String>, CatalogError> {
        let tables = self.api.list_tables(database).await?;
        tables.map(sorted).ok_or_else(|| self.no_such_database(database))
    }

    async fn table_exists(&self, table: &TableIdentifier) -> Result<bool, CatalogError> {
        Ok(self.api.table(table).await?.is_some())
    }

    async fn load_table(&self, table: &TableIdentifier) -> Result<Table, CatalogError> {
        match self.find_table(table).await? {
            Some(found) => Ok(found),
            None => Err(self.no_such_table(table)),
        }
    }

    async fn create_table(
        &self,
        table: &TableIdentifier,
        definition: NewTable,
        if_not_exists: bool,
    ) -> Result<TableCreation, CatalogError> {
        let exists = || CatalogError::TableExists { table: table.to_string() };
        let mut looks = 0;
        loop {
            if let Some(found) = self.find_table(table).await? {
                return if if_not_exists { Ok(TableCreation { table: found, created: false }) } else { Err(exists()) };
            }
            if !self.api.has_database(&table.database).await? {
                return Err(self.no_such_database(&table.database));
            }
            let schema = definition.clone().into_schema(table, self.clock.now_millis())?;
            // Of two at once, Paimon's own catalog may fail the second, or tell it of a table that it does not show yet.
            let failed = match self.api.create_table(table, schema.into()).await {
                Ok(Made::Now) => return Ok(TableCreation { table: self.load_table(table).await?, created: true }),
                Ok(Made::Before) if !if_not_exists => return Err(exists()),
                Ok(Made::Before) => self.no_such_table(table),
                Err(error) if !if_not_exists || error.kind() != FailureKind::Transient => return Err(error.into()),
                Err(error) => error.into(),
            };
            if looks == MOST_LOOKS {
                return Err(failed);
            }
            self.api.client().pause(looks).await;
            looks += 1;
        }
    }

    async fn probe(&self, _random: &Random) -> Result<CatalogProbe, CatalogError> {
        self.api.list_databases().await?;
        Ok(CatalogProbe {
            promise: "a REST catalog, which takes the commits",
            clock_ahead_millis: self.api.client().clock_ahead_millis(),
            free_bytes: None,
        })
    }

    fn credentials_expire_at_millis(&self) -> Option<i64> {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let of_tables = tokens.iter().filter_map(|token| token.upgrade()?.expires_at_millis());
        of_tables.chain(self.api.client().credentials_expire_at_millis()).min()
    }
}

impl fmt::Debug for RestCatalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestCatalog").field("location", &self.location()).finish_non_exhaustive()
    }
}

fn failed(table: &TableIdentifier) -> impl FnOnce(TableError) -> CatalogError {
    let table = table.to_string();
    move |source| CatalogError::Table { table, source: Box::new(source) }
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

#[cfg(test)]
mod tests;
