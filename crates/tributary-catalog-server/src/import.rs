//! Opening the catalog of a warehouse: whose it is, what is in it, and what a crash left unfinished.

use std::sync::Arc;

use bytes::Bytes;
use paimon_table::probe::{ProbeError, probe_create_if_absent};
use paimon_table::store::{Storage, StoreError};
use paimon_table::table::has_schema;
use tracing::{info, warn};
use tributary_runtime::{Classify, Env, FailureKind};

use crate::access::Principal;
use crate::ledger::{Ledger, LedgerError};
use crate::metrics::CatalogMetrics;
use crate::names::Names;
use crate::problem::Problem;
use crate::service::{Locks, Service};
use crate::state::{Change, Database, Stage, TableEntry, check_name};

/// What a database's folder holds on stores that have no empty folders.
pub(crate) const MARKER: &str = ".tributary-database";

/// In the warehouse: the identity of the ledger that knows its names.
const OWNER: &str = ".tributary-catalog";

const DATABASE_SUFFIX: &str = ".db";

/// What a catalog is opened with.
pub struct Setup {
    /// The warehouse.
    pub warehouse: Storage,
    /// What clients call it.
    pub name: String,
    /// Take in the databases and tables of the warehouse that the ledger does not know.
    pub import: bool,
    /// Where the names are kept.
    pub ledger: Arc<dyn Ledger>,
    /// Clock, randomness, threads.
    pub env: Env,
    /// What is counted.
    pub metrics: CatalogMetrics,
}

/// Why a catalog cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The ledger cannot be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The warehouse cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What a crash left could not be finished.
    #[error("cannot finish what an earlier run began: {0}")]
    Unfinished(#[from] Problem),
    /// The warehouse has tables of other engines.
    #[error(
        "{location} holds {databases} databases that this catalog does not know; start once with --import to take them in (nothing is copied or changed)"
    )]
    NotImported {
        /// The warehouse.
        location: String,
        /// How many.
        databases: usize,
    },
    /// Another ledger knows the warehouse's names.
    #[error(
        "{location} belongs to another catalog database than {ledger}; start with the right one (server.database), or with --import to build this one from the warehouse: ids of tables, names of renamed ones and options of databases are then new"
    )]
    Foreign {
        /// The warehouse.
        location: String,
        /// How this one is known.
        ledger: String,
    },
}

impl Classify for OpenError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Ledger(source) => source.kind(),
            Self::Store(source) => source.kind(),
            Self::Unfinished(_) => FailureKind::Transient,
            Self::NotImported { .. } | Self::Foreign { .. } => FailureKind::Usage,
        }
    }
}

// === impl Service ===

impl Service {
    /// Opens the catalog and finishes what a crash left.
    ///
    /// # Errors
    /// [`OpenError`], with what to do.
    pub async fn open(setup: Setup) -> Result<Self, OpenError> {
        let Setup { warehouse, name, import, ledger, env, metrics } = setup;
        let sole_writer = match probe_create_if_absent(&warehouse.nearest_existing(), &env.random).await {
            Ok(_) => false,
            Err(ProbeError::Store(error)) => return Err(error.into()),
            Err(refusal @ ProbeError::NotHonoured { .. }) => {
                warn!(%refusal, "commits are safe only through this server: no engine may commit to the warehouse by its path");
                true
            }
        };
        let (names, identity) = Names::load(ledger, metrics.clone()).await?;
        own(&warehouse, &names, identity, import, &env).await?;
        let service = Self { name, warehouse, names, env, metrics, sole_writer, locks: Locks::default() };
        service.finish().await?;
        if import {
            service.import().await?;
        }
        let (databases, tables) = service.names.state().counts();
        info!(databases, tables, warehouse = service.warehouse.location(""), "catalog is open");
        Ok(service)
    }

    async fn finish(&self) -> Result<(), Problem> {
        let unfinished = self.names.state().unfinished();
        for entry in unfinished {
            info!(table = entry.name, folder = entry.folder, stage = ?entry.stage, "finishes what an earlier run began");
            match entry.stage {
                Stage::Creating => drop(self.heal(&entry).await?),
                Stage::Dropped => self.finish_drop(&entry).await?,
                Stage::Live => {}
            }
        }
        Ok(())
    }

    /// Takes in what the warehouse has and the catalog has not. Changes nothing in the warehouse.
    async fn import(&self) -> Result<(), OpenError> {
        let audit = self.now_audit(&Principal::of_all("import"));
        let new_id = || self.env.random.uuid().to_string();
        for database in databases(&self.warehouse).await? {
            let mut changes = Vec::new();
            if self.names.state().database(&database).is_err() {
                let (id, name) = (new_id(), database.clone());
                changes.push(Change::PutDatabase(Database {
                    id,
                    name,
                    options: Default::default(),
                    audit: audit.clone(),
                }));
            }
            for table in self.warehouse.list_folders(&format!("{database}{DATABASE_SUFFIX}")).await? {
                let folder = format!("{database}{DATABASE_SUFFIX}/{table}");
                if self.names.state().has_folder(&folder) || !has_schema(&self.warehouse.child(&folder)).await? {
                    continue;
                }
                if check_name("table", &table).is_err() || self.names.state().has_name(&database, &table) {
                    warn!(folder, "not imported: its name cannot be used, or another table has it; rename the folder");
                    continue;
                }
                let (id, database, name) = (new_id(), database.clone(), table);
                let (stage, audit) = (Stage::Live, audit.clone());
                changes.push(Change::PutTable(TableEntry { id, database, name, folder, stage, audit }));
            }
            let added = changes.len();
            self.names.turn().await.apply(changes).await?;
            info!(database, added, "imported");
        }
        Ok(())
    }
}

/// Whether the warehouse is this ledger's; a new ledger makes a new warehouse its own.
async fn own(
    warehouse: &Storage,
    names: &Names,
    identity: Option<String>,
    import: bool,
    env: &Env,
) -> Result<(), OpenError> {
    let owner = warehouse.get_opt(OWNER).await?.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
    if !import {
        match (&identity, &owner) {
            (Some(identity), Some(owner)) if identity == owner => return Ok(()),
            (_, Some(_)) => {
                let ledger = identity.unwrap_or_else(|| "this new one".to_owned());
                return Err(OpenError::Foreign { location: warehouse.location(""), ledger });
            }
            (None, None) => {
                let databases = databases(warehouse).await?.len();
                if databases > 0 {
                    return Err(OpenError::NotImported { location: warehouse.location(""), databases });
                }
            }
            (Some(_), None) => warn!("the warehouse has lost the mark of its catalog; it is written again"),
        }
    }
    let identity = match identity {
        Some(identity) => identity,
        None => {
            let identity = env.random.uuid().to_string();
            names.set_identity(&identity).await?;
            identity
        }
    };
    Ok(warehouse.put(OWNER, Bytes::from(identity)).await?)
}

/// The databases that the warehouse's folders tell of.
async fn databases(warehouse: &Storage) -> Result<Vec<String>, StoreError> {
    let folders = warehouse.list_folders("").await?;
    let names = folders.iter().filter_map(|folder| folder.strip_suffix(DATABASE_SUFFIX));
    Ok(names.filter(|name| check_name("database", name).is_ok()).map(str::to_owned).collect())
}
