//! What becomes of a commit. Decided here from facts, without reading anything, under the table's lock.
//!
//! There is one truth: `snapshot-N` in the table's folder, created if absent. So a crash before it is a commit that did
//! not happen, and a crash after it is one that did, whatever the client heard; a client that asks again meets its own
//! snapshot and is told so.

use paimon_catalog::rest::wire::BaseSnapshot;
use paimon_format::{Snapshot, SnapshotId};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::problem::Problem;

/// `POST …/commit`, with the snapshot as the client wrote it: members this program does not know are kept. What the
/// request says of partitions is not used; the manifests hold it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    #[serde(default)]
    table_id: Option<String>,
    #[serde(default)]
    base_snapshot_uuid: BaseSnapshot,
    snapshot: Box<RawValue>,
}

/// A commit that makes sense by itself.
#[derive(Debug)]
pub(crate) struct Commit {
    /// The identity of the table when the client loaded it.
    pub(crate) table_id: String,
    pub(crate) base: BaseSnapshot,
    pub(crate) snapshot: Snapshot,
    /// What becomes the snapshot's file.
    pub(crate) bytes: Vec<u8>,
}

/// A table's newest snapshot, as far as commits are concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) id: SnapshotId,
    pub(crate) uuid: Option<String>,
}

/// What to do about a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Create its file.
    Create,
    /// Its id is taken: compare the contents. Equal ones are the same commit, sent again after a lost reply.
    Compare,
    /// It was planned on something else than the newest snapshot.
    Conflict,
}

// === impl Commit ===

impl Commit {
    pub(crate) fn try_new(body: &[u8]) -> Result<Self, Problem> {
        let body: Body = crate::service::parse(body)?;
        let bytes = body.snapshot.get().as_bytes().to_vec();
        let snapshot = Snapshot::from_json(&bytes).map_err(|error| Problem::bad(error.to_string()))?;
        let table_id = body.table_id.ok_or_else(|| Problem::bad("tableId is missing: which table was loaded?"))?;
        let commit = Self { table_id, base: body.base_snapshot_uuid, snapshot, bytes };
        match commit.files().iter().find(|name| name.is_empty() || name.contains(['/', '\\'])) {
            Some(name) => Err(Problem::bad(format!("'{}' is no name of a file", name.escape_default()))),
            None => Ok(commit),
        }
    }

    /// The names of the files below `manifest` that must be there.
    pub(crate) fn files(&self) -> Vec<&str> {
        let Snapshot { base_manifest_list, delta_manifest_list, changelog_manifest_list, index_manifest, .. } =
            &self.snapshot;
        let optional = [changelog_manifest_list, index_manifest].into_iter().flatten();
        [base_manifest_list, delta_manifest_list].into_iter().chain(optional).map(String::as_str).collect()
    }

    /// What to do when `head` is the newest snapshot.
    ///
    /// Clients up to 1.4 do not say which snapshot they planned on: then ids decide. Those from 2.0 on say its uuid, or
    /// null when there was none or it had none, because an older client wrote it.
    pub(crate) fn decide(&self, head: Option<&Head>) -> Verdict {
        let newest = head.map_or(0, |head| head.id.0);
        let uuid = head.and_then(|head| head.uuid.as_deref());
        let based_on_head = match &self.base {
            BaseSnapshot::Unsaid => true,
            BaseSnapshot::None => uuid.is_none(),
            BaseSnapshot::Uuid(base) => uuid == Some(base),
        };
        match self.snapshot.id.0 {
            id if id <= newest => Verdict::Compare,
            id if id == newest + 1 && based_on_head => Verdict::Create,
            _ => Verdict::Conflict,
        }
    }

    /// Whether a snapshot's file holds this commit.
    pub(crate) fn is(&self, file: &[u8]) -> bool {
        let value = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).ok();
        file == self.bytes || value(file).is_some_and(|file| Some(file) == value(&self.bytes))
    }
}

// === impl Head ===

impl From<&Snapshot> for Head {
    fn from(snapshot: &Snapshot) -> Self {
        Self { id: snapshot.id, uuid: snapshot.uuid.clone() }
    }
}

#[cfg(test)]
mod tests;
