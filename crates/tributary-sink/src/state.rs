//! A job's durable state: what the `properties` of its snapshots say, and where the newest one is found.
//!
//! Rows and progress are one atomic write, so the newest snapshot of the job's commit user is the state; there is no
//! other copy. The consumer file of the same name pins that snapshot against every engine's expiry.

use std::collections::BTreeMap;
use std::fmt;

use paimon_format::{Snapshot, SnapshotId};
use paimon_table::commit::{CommitIdentifier, CommitUser};
use paimon_table::history::{UserHistory, newest_of_user};
use paimon_table::table::Table;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tributary_runtime::{Positions, SourceIdentity};
use uuid::Uuid;

use crate::error::SinkError;

/// Version of the properties; a reader refuses a newer one.
const VERSION: &str = "1";

pub(crate) const VERSION_KEY: &str = "tributary.version";
pub(crate) const INCARNATION_KEY: &str = "tributary.incarnation";
pub(crate) const POSITIONS_KEY: &str = "tributary.positions";
pub(crate) const SOURCE_KEY: &str = "tributary.source";

/// One start of a pipeline's process. The newest one to commit owns the commit user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Incarnation(pub Uuid);

/// What a job had committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobState {
    identity: SourceIdentity,
    positions: Positions,
    incarnation: Incarnation,
    identifier: CommitIdentifier,
    snapshot: SnapshotId,
}

// === impl Incarnation ===

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

// === impl JobState ===

impl JobState {
    /// The state of the job that commits as `user`; none before its first start.
    ///
    /// # Errors
    /// [`SinkError::PositionsLost`] when the job is known to have committed but none of its snapshots is left,
    /// [`SinkError::Properties`] when its newest snapshot lost or damaged them, otherwise the table's error.
    pub async fn load(table: &Table, user: &CommitUser) -> Result<Option<Self>, SinkError> {
        let history =
            newest_of_user(table, user).await.map_err(SinkError::table("looking for the job's newest snapshot"))?;
        Self::from_history(&history, table, user)
    }

    /// What of the source must not change between starts.
    pub fn identity(&self) -> &SourceIdentity {
        &self.identity
    }

    /// Up to where the source's rows are committed.
    pub fn positions(&self) -> &Positions {
        &self.positions
    }

    /// The start that committed it.
    pub fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// The job's own number of its newest commit.
    pub fn identifier(&self) -> CommitIdentifier {
        self.identifier
    }

    /// The snapshot that holds it.
    pub fn snapshot(&self) -> SnapshotId {
        self.snapshot
    }

    pub(crate) fn from_history(
        history: &UserHistory,
        table: &Table,
        user: &CommitUser,
    ) -> Result<Option<Self>, SinkError> {
        match (&history.newest, history.pin) {
            (Some(snapshot), pin) => {
                if pin.is_none() {
                    tracing::warn!(
                        %user, snapshot = snapshot.id.0,
                        "the consumer file that pins the job's newest snapshot is gone; it is written again. Was it removed by consumer.expiration-time or clear_consumers?"
                    );
                }
                Self::from_snapshot(snapshot).map(Some)
            }
            (None, Some(pin)) => {
                Err(SinkError::PositionsLost { user: user.to_string(), pin, table: table.identifier().to_string() })
            }
            (None, None) => {
                if !history.complete {
                    tracing::warn!(
                        %user, table = %table.identifier(),
                        "first start: the table's older snapshots have expired and none of those left is this job's; if it has run before, its consumer file was deleted and it will read its source again from the start"
                    );
                }
                Ok(None)
            }
        }
    }

    fn from_snapshot(snapshot: &Snapshot) -> Result<Self, SinkError> {
        let damaged =
            |why: String| SinkError::Properties { user: snapshot.commit_user.clone(), snapshot: snapshot.id, why };
        let empty = BTreeMap::new();
        let properties = snapshot.properties.as_ref().unwrap_or(&empty);
        let get = |key: &str| {
            properties.get(key).ok_or_else(|| {
                damaged(format!(
                    "property {key} is missing: an engine before Paimon 1.2 may have rewritten the snapshot"
                ))
            })
        };
        let version = get(VERSION_KEY)?;
        if version != VERSION {
            return Err(damaged(format!("{VERSION_KEY} is {version}: a newer tributary wrote it; run that version")));
        }
        let incarnation = get(INCARNATION_KEY)?;
        let incarnation =
            incarnation.parse().map_err(|_| damaged(format!("{INCARNATION_KEY} is no uuid: {incarnation}")))?;
        Ok(Self {
            identity: from_json(get(SOURCE_KEY)?).map_err(|why| damaged(format!("{SOURCE_KEY}: {why}")))?,
            positions: from_json(get(POSITIONS_KEY)?).map_err(|why| damaged(format!("{POSITIONS_KEY}: {why}")))?,
            incarnation: Incarnation(incarnation),
            identifier: CommitIdentifier(snapshot.commit_identifier),
            snapshot: snapshot.id,
        })
    }
}

/// The properties of a commit.
pub(crate) fn properties(
    identity: &SourceIdentity,
    positions: &Positions,
    incarnation: Incarnation,
) -> BTreeMap<String, String> {
    BTreeMap::from([
        (VERSION_KEY.to_owned(), VERSION.to_owned()),
        (INCARNATION_KEY.to_owned(), incarnation.to_string()),
        (POSITIONS_KEY.to_owned(), to_json(positions)),
        (SOURCE_KEY.to_owned(), to_json(identity)),
    ])
}

/// The incarnation that committed a snapshot, in words when it has none.
pub(crate) fn incarnation_of(snapshot: &Snapshot) -> &str {
    let properties = snapshot.properties.as_ref();
    properties.and_then(|all| all.get(INCARNATION_KEY)).map_or("unknown", String::as_str)
}

/// Maps of strings: writing them cannot fail.
fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    serde_json::from_str(text)
}
