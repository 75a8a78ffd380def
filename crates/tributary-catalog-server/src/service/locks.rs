//! What this process remembers of tables: whose turn it is to change one, its newest snapshots, and what `LATEST` says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use paimon_format::SnapshotId;
use paimon_table::snapshots;

use super::Target;
use crate::commit::Head;

/// By identity of the table.
#[derive(Default)]
pub(crate) struct Locks(Mutex<HashMap<String, Arc<TableLock>>>);

/// Of one table. Its maps are by branch.
#[derive(Default)]
pub(crate) struct TableLock {
    turn: tokio::sync::Mutex<()>,
    /// The newest snapshots that this process has seen: another engine may have committed to the folder.
    heads: Mutex<HashMap<Option<String>, Option<Head>>>,
    /// What this process wrote into `LATEST`; the lock is held while it writes.
    hinted: tokio::sync::Mutex<HashMap<Option<String>, SnapshotId>>,
}

// === impl Locks ===

impl Locks {
    pub(crate) fn of(&self, table_id: &str) -> Arc<TableLock> {
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match locks.get(table_id) {
            Some(lock) => Arc::clone(lock),
            None => Arc::clone(locks.entry(table_id.to_owned()).or_default()),
        }
    }

    pub(crate) fn forget(&self, table_id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(table_id);
    }
}

// === impl TableLock ===

impl TableLock {
    /// Commits, schemas, tags, branches and the drop of a table take turns.
    pub(crate) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// The newest snapshot of the branch, if this process has seen one or has seen that there is none.
    pub(crate) fn known(&self, branch: Option<&String>) -> Option<Option<Head>> {
        self.heads().get(&branch.cloned()).cloned()
    }

    /// To be called in turn.
    pub(crate) fn learn(&self, branch: Option<&String>, head: Option<Head>) {
        self.heads().insert(branch.cloned(), head);
    }

    /// To be called in turn.
    pub(crate) fn forget(&self) {
        self.heads().clear();
    }

    /// Writes the hint `LATEST` of the newest snapshot, unless somebody has done so since the caller committed. Not in
    /// turn: the next commit does not wait for it, and of those that wait for each other here one writes for all.
    pub(crate) async fn hint(&self, target: &Target) {
        let branch = target.name.branch.as_ref();
        let mut hinted = self.hinted.lock().await;
        // Unknown again: it was rolled back or dropped.
        if let Some(Some(head)) = self.known(branch)
            && hinted.get(&branch.cloned()) != Some(&head.id)
        {
            snapshots::write_hints(&target.metadata, head.id).await;
            hinted.insert(branch.cloned(), head.id);
        }
    }

    /// Forgets everything, and keeps hints from being written until the guard is dropped. To be called in turn, by those
    /// who take snapshots away.
    pub(crate) async fn without_hints(&self) -> tokio::sync::MutexGuard<'_, impl Sized> {
        let mut hinted = self.hinted.lock().await;
        hinted.clear();
        self.forget();
        hinted
    }

    fn heads(&self) -> MutexGuard<'_, HashMap<Option<String>, Option<Head>>> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
