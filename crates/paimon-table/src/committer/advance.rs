//! The committer's look ahead: every snapshot and schema that appeared, and whether what was known still stands.

use std::sync::Arc;

use paimon_format::{SnapshotId, TableSchema};

use super::Committer;
use crate::commit::{CommitError, CommitRequest};
use crate::error::TableError;
use crate::evolution;
use crate::history;
use crate::snapshots::{self, Found};
use crate::table;

impl Committer {
    /// Inspects every snapshot after `seen`, until there is none, and makes sure that `seen` and the table
    /// are still what they were.
    pub(super) async fn advance(&mut self, request: &CommitRequest) -> Result<(), CommitError> {
        loop {
            let storage = self.table.storage();
            let next = self.seen.as_ref().map_or(1, |seen| seen.snapshot.id.0 + 1);
            let (next, seen, schema) = futures::join!(
                snapshots::read(storage, SnapshotId(next)),
                self.read_seen(),
                table::read_schema(storage, self.schema.id + 1),
            );
            self.check_seen(seen?, request).await?;
            let schema = schema?;
            let next = next?;
            let last = next.is_none() && schema.is_none();
            if let Some(schema) = schema {
                self.adopt(schema)?;
            }
            if let Some(next) = next {
                self.inspect(next)?;
            }
            if last {
                return Ok(());
            }
        }
    }

    pub(super) async fn read_seen(&self) -> Result<Option<Found>, TableError> {
        match &self.seen {
            Some(seen) => snapshots::read(self.table.storage(), seen.snapshot.id).await,
            None => Ok(None),
        }
    }

    /// Whether `seen` is unchanged, given what is there `now`.
    pub(super) async fn check_seen(&self, now: Option<Found>, request: &CommitRequest) -> Result<(), CommitError> {
        let storage = self.table.storage();
        let Some(seen) = &self.seen else {
            return self.check_empty(request).await;
        };
        match now {
            Some(now) if same(seen, &now) => Ok(()),
            Some(now) => {
                Err(CommitError::Replaced { snapshot: seen.snapshot.id.0, by: now.snapshot.commit_user.clone() })
            }
            None => match table::read_schema(storage, self.schema.id).await? {
                Some(schema) if schema != *self.schema => Err(self.table_changed("was dropped and created again")),
                Some(_) => Err(self.lost_track(seen.snapshot.id.0, request).await),
                None => Err(self.table_changed("was dropped")),
            },
        }
    }

    /// For a table without snapshots: that it is still the table that was loaded, and that it did not live through a
    /// history of its own since. Costs a listing, once in a table's life.
    async fn check_empty(&self, request: &CommitRequest) -> Result<(), CommitError> {
        let storage = self.table.storage();
        let (schema, ids) = futures::join!(table::read_schema(storage, self.schema.id), snapshots::list(storage));
        match schema? {
            None => return Err(self.table_changed("was dropped")),
            Some(schema) if schema != *self.schema => {
                return Err(self.table_changed("was dropped and created again"));
            }
            Some(_) => {}
        }
        // Ids start at 1 and have no gaps: one that is missing has expired. A listing may miss what is created
        // meanwhile, so it is looked up before that is said.
        let gap = ids?.into_iter().zip(SnapshotId::FIRST.0..).find(|(id, expected)| id.0 != *expected);
        match gap {
            Some((_, missing)) if snapshots::read(storage, SnapshotId(missing)).await?.is_none() => {
                Err(self.undecidable(0, request))
            }
            _ => Ok(()),
        }
    }

    /// Why nothing was read while history expired: as a rule because somebody else took the user over, and this one was
    /// stalled or forgotten.
    async fn lost_track(&self, snapshot: i64, request: &CommitRequest) -> CommitError {
        let newest = match history::newest_of_user(&self.table, &self.user).await {
            Ok(history) => history.newest,
            Err(error) => return error.into(),
        };
        let fenced = newest.and_then(|newest| self.guard.inspect(&newest).err().map(|why| (newest.id.0, why)));
        match fenced {
            Some((snapshot, why)) => CommitError::Fenced { snapshot, why },
            None => self.undecidable(snapshot, request),
        }
    }

    fn undecidable(&self, snapshot: i64, request: &CommitRequest) -> CommitError {
        CommitError::Undecidable { snapshot, user: self.user.to_string(), identifier: request.identifier.0 }
    }

    fn table_changed(&self, what: impl Into<String>) -> CommitError {
        CommitError::TableChanged { location: self.table.location(), what: what.into() }
    }

    /// Takes note of a schema that appeared. Files keep the id of the schema they were written with; a schema under which
    /// they would mean something else stops the committer.
    fn adopt(&mut self, schema: TableSchema) -> Result<(), CommitError> {
        let id = schema.id;
        schema.check_supported().map_err(TableError::format(table::schema_path(id)))?;
        evolution::check_written(self.table.schema(), &schema).map_err(|what| CommitError::SchemaChanged {
            location: self.table.location(),
            schema: id,
            what,
        })?;
        tracing::debug!(table = %self.table.identifier(), schema = id, "the table has a new schema");
        self.schema = Arc::new(schema);
        Ok(())
    }

    fn inspect(&mut self, next: Found) -> Result<(), CommitError> {
        let snapshot = &next.snapshot;
        self.guard.inspect(snapshot).map_err(|why| CommitError::Fenced { snapshot: snapshot.id.0, why })?;
        if snapshot.commit_user == self.user.as_str() && snapshot.commit_identifier != i64::MAX {
            self.record_own(Arc::clone(snapshot));
        }
        self.manifests = None;
        self.seen = Some(next);
        Ok(())
    }
}

/// Whether two readings, or what was written and a reading, are the same snapshot. A catalog may lay out the JSON in
/// its own way, so the uuid decides where there is one. One that keeps no uuids (before 2.0) keeps the names of the
/// manifest lists, which are new with every try.
fn same(known: &Found, now: &Found) -> bool {
    let (one, other) = (&known.snapshot, &now.snapshot);
    known.bytes == now.bytes
        || match (&one.uuid, &other.uuid) {
            (Some(one), Some(other)) => one == other,
            (Some(_), None) => {
                one.base_manifest_list == other.base_manifest_list
                    && one.delta_manifest_list == other.delta_manifest_list
                    && one.commit_user == other.commit_user
            }
            (None, _) => false,
        }
}
