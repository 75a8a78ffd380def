//! The embedded database: one file, one process, every step on the disk before it counts.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, TableDefinition};
use tributary_runtime::Executor;

use super::{Ledger, LedgerError, Write};

const PAIRS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("catalog");

/// Pairs in a file of redb's. The file is locked as long as this lives.
pub struct RedbLedger {
    database: Arc<Database>,
    path: PathBuf,
    executor: Executor,
}

// === impl RedbLedger ===

impl RedbLedger {
    /// Opens the file, or makes it and the folders above it. Writes run on `executor`: they wait for the disk.
    ///
    /// # Errors
    /// [`LedgerError::InUse`] when another process has it open, else [`LedgerError::Failed`].
    pub fn try_open(path: &Path, executor: Executor) -> Result<Self, LedgerError> {
        let failed = |why: String| LedgerError::Failed { path: path.display().to_string(), why };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| failed(error.to_string()))?;
        }
        let database = Database::create(path).map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => LedgerError::InUse { path: path.display().to_string() },
            error => failed(error.to_string()),
        })?;
        // A table that nobody has written to cannot be read.
        let made = database.begin_write().map_err(redb::Error::from).and_then(|step| {
            step.open_table(PAIRS)?;
            Ok(step.commit()?)
        });
        made.map_err(|error| failed(error.to_string()))?;
        Ok(Self { database: Arc::new(database), path: path.to_owned(), executor })
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, redb::Error> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let failed = |why: String| LedgerError::Failed { path: self.path.display().to_string(), why };
        let database = Arc::clone(&self.database);
        match self.executor.run(move || work(&database)).await {
            Ok(done) => done.map_err(|error| failed(error.to_string())),
            Err(panicked) => Err(failed(panicked.to_string())),
        }
    }
}

#[async_trait]
impl Ledger for RedbLedger {
    async fn load(&self) -> Result<BTreeMap<String, Vec<u8>>, LedgerError> {
        self.run(|database| {
            let pairs = database.begin_read()?.open_table(PAIRS)?;
            let mut all = BTreeMap::new();
            for pair in pairs.iter()? {
                let (key, value) = pair?;
                all.insert(key.value().to_owned(), value.value().to_owned());
            }
            Ok(all)
        })
        .await
    }

    async fn apply(&self, writes: Vec<Write>) -> Result<(), LedgerError> {
        self.run(move |database| {
            let step = database.begin_write()?;
            {
                let mut pairs = step.open_table(PAIRS)?;
                for write in &writes {
                    match write {
                        Write::Put(key, value) => drop(pairs.insert(key.as_str(), value.as_slice())?),
                        Write::Remove(key) => drop(pairs.remove(key.as_str())?),
                    }
                }
            }
            Ok(step.commit()?)
        })
        .await
    }
}

impl fmt::Debug for RedbLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbLedger").field("path", &self.path).finish_non_exhaustive()
    }
}
