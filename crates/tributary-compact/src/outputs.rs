//! The files a run has written and not committed: what it takes away when it gives them up.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use paimon_table::store::Storage;

/// Paths below the table. Clones share them.
#[derive(Clone)]
pub(crate) struct Outputs {
    storage: Storage,
    paths: Arc<Mutex<BTreeSet<String>>>,
}

impl Outputs {
    pub(crate) fn new(storage: Storage) -> Self {
        Self { storage, paths: Arc::default() }
    }

    /// Before the file's upload ends.
    pub(crate) fn register(&self, path: String) {
        self.paths().insert(path);
    }

    /// They are part of the table, or may be.
    pub(crate) fn keep(&self, paths: &[String]) {
        let mut ours = self.paths();
        for path in paths {
            ours.remove(path);
        }
    }

    /// Deletes these files. What cannot be deleted is left to the orphan sweep.
    pub(crate) async fn discard(&self, paths: &[String]) {
        for path in paths {
            if let Err(error) = self.storage.delete(path).await {
                tracing::warn!(%error, path, "an output of a compaction that was given up stays, for the orphan sweep");
            }
        }
        self.keep(paths);
    }

    pub(crate) async fn discard_all(&self) {
        let all: Vec<String> = self.paths().iter().cloned().collect();
        self.discard(&all).await;
    }

    fn paths(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.paths.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
