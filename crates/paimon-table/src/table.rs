//! A loaded table: where it is, its schema and options, and how its snapshots are created.
//!
//! A [`Table`] is cheap to clone and never changes: a schema that appears later is seen by loading the
//! table again (the [`Committer`](crate::commit::Committer) looks for one at every commit).

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use paimon_format::names::{self, SCHEMA_DIR};
use paimon_format::options::CoreOptions;
use paimon_format::{Snapshot, SnapshotId, TableSchema};

use crate::error::{Result, TableError};
use crate::port::SnapshotCommit;
use crate::snapshots;
use crate::store::{Storage, StoreError};

/// The name of a table in its catalog.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableIdentifier {
    /// The database.
    pub database: String,
    /// The table within the database.
    pub table: String,
}

/// A table whose features are all implemented here, with the schema it had when it was loaded.
#[derive(Clone)]
pub struct Table {
    inner: Arc<Inner>,
}

struct Inner {
    identifier: TableIdentifier,
    storage: Storage,
    /// Where schemas, snapshots and tags are: the table's root, or that of a branch.
    metadata: Storage,
    schema: Arc<TableSchema>,
    options: CoreOptions,
    port: Arc<dyn SnapshotCommit>,
    /// Other schemas that were needed, by id: schema files never change.
    others: Mutex<HashMap<i64, Arc<TableSchema>>>,
}

// === impl TableIdentifier ===

impl TableIdentifier {
    /// Names a table of a database.
    pub fn new(database: impl Into<String>, table: impl Into<String>) -> Self {
        Self { database: database.into(), table: table.into() }
    }
}

impl fmt::Display for TableIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.database, self.table)
    }
}

// === impl Table ===

impl Table {
    /// Reads the newest schema below `storage` and checks that every feature it uses is implemented.
    ///
    /// # Errors
    /// [`TableError::NotATable`] without a schema file; [`TableError::Format`] for a schema that cannot
    /// be read or asks for something unknown (by name); otherwise the store's error.
    pub async fn load(identifier: TableIdentifier, storage: Storage, port: Arc<dyn SnapshotCommit>) -> Result<Self> {
        match latest_schema(&storage).await? {
            Some(schema) => Self::with_schema(identifier, storage, schema, port),
            None => Err(TableError::NotATable { location: storage.location("") }),
        }
    }

    /// A table whose newest schema is already known, for example because it was just written.
    ///
    /// # Errors
    /// [`TableError::Format`] when the schema asks for something that is not implemented.
    pub fn with_schema(
        identifier: TableIdentifier,
        storage: Storage,
        schema: TableSchema,
        port: Arc<dyn SnapshotCommit>,
    ) -> Result<Self> {
        let metadata = storage.clone();
        Self::assemble(identifier, storage, metadata, Arc::new(schema), port)
    }

    /// A table whose schemas, snapshots and tags lie below `metadata`; its manifests and data below `storage`.
    pub(crate) fn assemble(
        identifier: TableIdentifier,
        storage: Storage,
        metadata: Storage,
        schema: Arc<TableSchema>,
        port: Arc<dyn SnapshotCommit>,
    ) -> Result<Self> {
        let object = schema_path(schema.id);
        schema.check_supported().map_err(TableError::format(object.as_str()))?;
        let options =
            CoreOptions::parse(&schema.options).map_err(|source| TableError::format(object)(source.into()))?;
        let others = Mutex::default();
        Ok(Self { inner: Arc::new(Inner { identifier, storage, metadata, schema, options, port, others }) })
    }

    /// The table's name in its catalog.
    pub fn identifier(&self) -> &TableIdentifier {
        &self.inner.identifier
    }

    /// The store, rooted at the table.
    pub fn storage(&self) -> &Storage {
        &self.inner.storage
    }

    /// The store, rooted where schemas, snapshots and tags are: at the table, or at a branch of it.
    pub fn metadata(&self) -> &Storage {
        &self.inner.metadata
    }

    /// The newest schema when the table was loaded.
    pub fn schema(&self) -> &Arc<TableSchema> {
        &self.inner.schema
    }

    /// The schema with this id, which a data file names; `None` when it is not there. Read once.
    ///
    /// # Errors
    /// The store's error, or [`TableError::Format`] for a schema that cannot be read.
    pub async fn schema_of(&self, id: i64) -> Result<Option<Arc<TableSchema>>> {
        if id == self.schema().id {
            return Ok(Some(Arc::clone(self.schema())));
        }
        let others = || self.inner.others.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = others().get(&id) {
            return Ok(Some(Arc::clone(known)));
        }
        let Some(schema) = read_schema(self.metadata(), id).await? else {
            return Ok(None);
        };
        let schema = Arc::new(schema);
        others().insert(id, Arc::clone(&schema));
        Ok(Some(schema))
    }

    /// Every schema the table ever had, oldest first.
    ///
    /// # Errors
    /// As [`Table::schema_of`].
    pub async fn schemas(&self) -> Result<Vec<Arc<TableSchema>>> {
        let names = self.metadata().list_names(SCHEMA_DIR).await?;
        let mut ids: Vec<i64> = names.iter().filter_map(|name| names::parse_schema(name)).collect();
        ids.sort_unstable();
        let mut schemas = Vec::with_capacity(ids.len());
        for id in ids {
            schemas.extend(self.schema_of(id).await?);
        }
        Ok(schemas)
    }

    /// The schema's options, parsed.
    pub fn options(&self) -> &CoreOptions {
        &self.inner.options
    }

    /// The same table for one job whose options cover those of the schema. The schema itself stays as it is.
    ///
    /// # Errors
    /// [`TableError::Format`] for an option that cannot be understood or asks for what is not implemented.
    pub fn with_options(&self, cover: &BTreeMap<String, String>) -> Result<Self> {
        if cover.is_empty() {
            return Ok(self.clone());
        }
        let mut merged = self.schema().options.clone();
        merged.extend(cover.iter().map(|(key, value)| (key.clone(), value.clone())));
        let failed = TableError::format(schema_path(self.schema().id));
        let options = CoreOptions::parse(&merged).map_err(|source| failed(source.into()))?;
        options.check_supported(&merged).map_err(TableError::format(schema_path(self.schema().id)))?;
        let Inner { identifier, storage, metadata, schema, port, .. } = &*self.inner;
        Ok(Self {
            inner: Arc::new(Inner {
                identifier: identifier.clone(),
                storage: storage.clone(),
                metadata: metadata.clone(),
                schema: Arc::clone(schema),
                options,
                port: Arc::clone(port),
                others: Mutex::default(),
            }),
        })
    }

    /// The table's path in its store, for messages.
    pub fn location(&self) -> String {
        self.inner.storage.location("")
    }

    /// How this table's snapshots are created.
    pub fn port(&self) -> &Arc<dyn SnapshotCommit> {
        &self.inner.port
    }

    /// The newest snapshot, `None` for a table without any.
    ///
    /// # Errors
    /// The store's error, or [`TableError::Format`] for a snapshot file that cannot be read.
    pub async fn latest_snapshot(&self) -> Result<Option<Arc<Snapshot>>> {
        Ok(snapshots::find_latest(self.metadata()).await?.map(|found| found.snapshot))
    }

    /// The oldest snapshot that has not expired, `None` for a table without any.
    ///
    /// # Errors
    /// As [`Table::latest_snapshot`].
    pub async fn earliest_snapshot(&self) -> Result<Option<Arc<Snapshot>>> {
        Ok(snapshots::find_earliest(self.metadata()).await?.map(|found| found.snapshot))
    }

    /// One snapshot, `None` when it has expired or was never written.
    ///
    /// # Errors
    /// As [`Table::latest_snapshot`].
    pub async fn snapshot(&self, id: SnapshotId) -> Result<Option<Arc<Snapshot>>> {
        Ok(snapshots::read(self.metadata(), id).await?.map(|found| found.snapshot))
    }

    /// The ids of all snapshots, ascending. Lists the folder: not for the commit path.
    ///
    /// # Errors
    /// The store's error.
    pub async fn snapshot_ids(&self) -> Result<Vec<SnapshotId>> {
        snapshots::list(self.metadata()).await
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("identifier", &self.inner.identifier)
            .field("location", &self.location())
            .field("schema", &self.inner.schema.id)
            .finish_non_exhaustive()
    }
}

/// The path of a schema file below its table.
pub fn schema_path(id: i64) -> String {
    format!("{SCHEMA_DIR}/{}", names::schema_file(id))
}

/// One schema by its id, `None` when there is no such file.
///
/// # Errors
/// The store's error, or [`TableError::Format`].
pub async fn read_schema(storage: &Storage, id: i64) -> Result<Option<TableSchema>> {
    let path = schema_path(id);
    let Some(bytes) = storage.get_opt(&path).await? else {
        return Ok(None);
    };
    TableSchema::from_json(&bytes).map(Some).map_err(TableError::format(path))
}

/// Whether there is a schema below a table's root, readable or not.
///
/// # Errors
/// The store's.
pub async fn has_schema(storage: &Storage) -> Result<bool, StoreError> {
    let names = storage.list_names(SCHEMA_DIR).await?;
    Ok(names.iter().any(|name| names::parse_schema(name).is_some()))
}

/// The newest schema below a table's root, `None` when there is none: then this is not a table.
///
/// # Errors
/// The store's error, or [`TableError::Format`].
pub async fn latest_schema(storage: &Storage) -> Result<Option<TableSchema>> {
    let names = storage.list_names(SCHEMA_DIR).await?;
    let newest = names.iter().filter_map(|name| names::parse_schema(name)).max();
    match newest {
        Some(id) => read_schema(storage, id).await,
        None => Ok(None),
    }
}
