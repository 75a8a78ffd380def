//! The state and its ledger as one: read at once from memory, changed one after the other and durably.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ledger::{Ledger, LedgerError, Write};
use crate::metrics::CatalogMetrics;
use crate::problem::Problem;
use crate::state::{Change, State};

const CATALOG: &str = "catalog";
const DATABASE: &str = "database/";
const TABLE: &str = "table/";
const DEFINITION: &str = "definition/";

/// The names of one catalog.
pub(crate) struct Names {
    state: RwLock<State>,
    ledger: Arc<dyn Ledger>,
    changing: tokio::sync::Mutex<()>,
    failed: AtomicBool,
    metrics: CatalogMetrics,
}

/// A turn at changing the names: what is decided on [`Turn::state`] still holds when it is applied.
pub(crate) struct Turn<'a> {
    names: &'a Names,
    _guard: tokio::sync::MutexGuard<'a, ()>,
}

// === impl Names ===

impl Names {
    /// Everything the ledger holds, and the catalog's identity in it; `None` for a ledger that was never used.
    pub(crate) async fn load(
        ledger: Arc<dyn Ledger>,
        metrics: CatalogMetrics,
    ) -> Result<(Self, Option<String>), LedgerError> {
        let pairs = ledger.load().await?;
        let mut state = State::default();
        for (key, value) in &pairs {
            match key {
                _ if key.starts_with(DATABASE) => state.apply(Change::PutDatabase(read(key, value)?)),
                _ if key.starts_with(DEFINITION) => state.apply(Change::PutDefinition(read(key, value)?)),
                _ if key.starts_with(TABLE) => state.apply(Change::PutTable(read(key, value)?)),
                _ => {}
            }
        }
        let id = identity(&pairs)?;
        let (changing, failed) = (tokio::sync::Mutex::default(), AtomicBool::new(false));
        metrics.counted(state.counts());
        Ok((Self { state: RwLock::new(state), ledger, changing, failed, metrics }, id))
    }

    /// Writes the catalog's identity down.
    pub(crate) async fn set_identity(&self, id: &str) -> Result<(), LedgerError> {
        self.ledger.apply(vec![Write::Put(CATALOG.to_owned(), write(CATALOG, &id)?)]).await
    }

    /// What is known now. Not to be held over an await.
    pub(crate) fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The right to change; nobody else's changes come in between.
    pub(crate) async fn turn(&self) -> Turn<'_> {
        Turn { names: self, _guard: self.changing.lock().await }
    }

    /// One change that holds whatever the state is.
    pub(crate) async fn put(&self, change: Change) -> Result<(), Problem> {
        self.turn().await.apply(vec![change]).await
    }

    /// Whether every change so far was made durable.
    pub(crate) fn is_sound(&self) -> bool {
        !self.failed.load(Ordering::Relaxed)
    }
}

// === impl Turn ===

impl Turn<'_> {
    /// What changes are worked out on.
    pub(crate) fn state(&self) -> RwLockReadGuard<'_, State> {
        self.names.state()
    }

    /// Makes the changes durable, all or none, and applies them.
    pub(crate) async fn apply(self, changes: Vec<Change>) -> Result<(), Problem> {
        let Self { names, .. } = &self;
        let applied = async { names.ledger.apply(changes.iter().map(as_write).collect::<Result<_, _>>()?).await };
        if let Err(error) = applied.await {
            names.failed.store(true, Ordering::Relaxed);
            tracing::error!(%error, "the catalog's database failed; restart the server when its disk is well again");
            return Err(Problem::try_again("the catalog's database failed; see the server's log"));
        }
        let mut state = names.state.write().unwrap_or_else(PoisonError::into_inner);
        changes.into_iter().for_each(|change| state.apply(change));
        names.metrics.counted(state.counts());
        Ok(())
    }
}

fn identity(pairs: &BTreeMap<String, Vec<u8>>) -> Result<Option<String>, LedgerError> {
    pairs.get(CATALOG).map(|value| read(CATALOG, value)).transpose()
}

fn as_write(change: &Change) -> Result<Write, LedgerError> {
    Ok(match change {
        Change::PutDatabase(database) => put(format!("{DATABASE}{}", database.name), database)?,
        Change::RemoveDatabase(name) => Write::Remove(format!("{DATABASE}{name}")),
        Change::PutTable(entry) => put(format!("{TABLE}{}", entry.id), entry)?,
        Change::RemoveTable(id) => Write::Remove(format!("{TABLE}{id}")),
        Change::PutDefinition(definition) => put(format!("{DEFINITION}{}", definition.id), definition)?,
        Change::RemoveDefinition(id) => Write::Remove(format!("{DEFINITION}{id}")),
    })
}

fn put<T: Serialize>(key: String, value: &T) -> Result<Write, LedgerError> {
    let value = write(&key, value)?;
    Ok(Write::Put(key, value))
}

fn read<T: DeserializeOwned>(key: &str, value: &[u8]) -> Result<T, LedgerError> {
    serde_json::from_slice(value).map_err(|error| corrupt(key, &error))
}

fn write<T: Serialize>(key: &str, value: &T) -> Result<Vec<u8>, LedgerError> {
    serde_json::to_vec(value).map_err(|error| corrupt(key, &error))
}

fn corrupt(key: &str, error: &serde_json::Error) -> LedgerError {
    LedgerError::Corrupt { key: key.to_owned(), why: error.to_string() }
}
