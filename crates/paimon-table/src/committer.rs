//! The committer: turns requests into snapshots, exactly once each.
//!
//! **Invariant.** Every snapshot up to `seen` has been inspected: it is not ours, or it is recorded as ours,
//! and the guard accepted it. A request is written only on top of `seen`, as number seen + 1, which the
//! store or catalog creates at most once. So a request is in the table twice only if an inspection missed it,
//! and none can be missed:
//!
//! - *Lost race, lost reply, delayed put.* Whatever a create answered, the next attempt first reads seen + 1. If
//!   it is there it is inspected; if it is ours the request is done. If it is not, the new attempt takes that number
//!   itself, and a put of ours that is still under way can no longer succeed.
//! - *Expired history.* "seen + 1 is absent" could also mean that it came and went. Expiry goes upwards, so it
//!   proves that nothing was there exactly if `seen` itself still exists, which is checked before an attempt and
//!   once more after its create. When `seen` is gone the answer is "undecidable", never "no".
//! - *Foreign overwrite.* An engine that commits by rename can replace a snapshot. `seen` is compared with
//!   what was read or written (uuid, or bytes) at every commit; a difference stops the committer.
//!
//! **Calls of an uncontended commit:** GET seen + 1, seen and the next schema at once; PUT manifest, base list and delta
//! list at once; CREATE; GET seen; PUT `LATEST`. Five round trips, no listing, whatever the table's size.
//!
//! Nothing that an attempt wrote is ever deleted here: after an unknown outcome it may be part of the table. What no
//! snapshot refers to is an orphan, for the orphan sweep.
//!
//! Not here: waiting out a broken store. The committer repeats lost races only; every other error goes to
//! the caller, which may pass the same request again for as long as it likes.

use std::sync::Arc;

use paimon_format::{CommitKind, ManifestFileMeta, Snapshot, SnapshotId, TableSchema};
use tokio::time::Instant;
use tributary_runtime::{Backoff, Classify, Env, FailureKind};

use crate::commit::{CommitError, CommitGuard, Committed, Unguarded};
use crate::error::TableError;
use crate::history::{self, UserHistory};
use crate::inputs::Inputs;
use crate::manifests::{self, ManifestFormat, Names};
use crate::merge::{self, MergePolicy, Merged};
use crate::plan::{Attempted, CommitIdentifier, CommitRequest, CommitUser, plan_commit};
use crate::port::{Attempt, NextSnapshot};
use crate::snapshots::{self, Found};
use crate::statistics::{self, PartitionStatistics};
use crate::table::Table;

mod advance;

/// Commits requests of one user to one table, one after the other.
pub struct Committer {
    table: Table,
    user: CommitUser,
    guard: Arc<dyn CommitGuard>,
    env: Env,
    format: ManifestFormat,
    policy: MergePolicy,
    backoff: Backoff,
    /// The newest schema known.
    schema: Arc<TableSchema>,
    history: UserHistory,
    /// See the module's invariant; `None` while the table has no snapshot.
    seen: Option<Found>,
    /// The manifests of `seen`, once they are known.
    manifests: Option<Vec<ManifestFileMeta>>,
    /// Snapshots of this user that carry its newest identifier: at most one per kind.
    own: Vec<Arc<Snapshot>>,
    /// The request that was tried last and the uuids of its snapshots, to tell them from another process's.
    tried: Option<Tried>,
}

/// A snapshot whose manifests and lists are written.
struct Prepared {
    snapshot: Snapshot,
    statistics: Vec<PartitionStatistics>,
    /// All of its manifests, base and delta.
    manifests: Vec<ManifestFileMeta>,
}

struct Tried {
    identifier: CommitIdentifier,
    kind: CommitKind,
    uuids: Vec<String>,
    /// The newest number tried.
    last: SnapshotId,
}

// === impl Committer ===

impl Committer {
    /// Inspects the table's history for `user`. A job takes its positions from
    /// [`Committer::history`]: whatever is committed after that is shown to the guard, so nothing falls between.
    ///
    /// # Errors
    /// [`CommitError::Branch`] for a branch, [`CommitError::Table`] when the history cannot be read, [`CommitError::RetryWait`] for options that
    /// contradict each other.
    pub async fn try_open(
        table: Table,
        user: CommitUser,
        guard: Arc<dyn CommitGuard>,
        env: Env,
    ) -> Result<Self, CommitError> {
        let (history, seen) = history::look_back(&table, &user).await?;
        Self::open_at(table, user, guard, env, history, seen)
    }

    /// As [`Committer::try_open`] for a user that only the caller knows, such as that of one run of a compaction, and for
    /// requests with new identifiers: nobody can have committed them, so the history need not be searched.
    ///
    /// # Errors
    /// As [`Committer::try_open`].
    pub async fn try_open_new(table: Table, user: CommitUser, env: Env) -> Result<Self, CommitError> {
        let seen = snapshots::find_latest(table.metadata()).await?;
        let latest = seen.as_ref().map(|seen| Arc::clone(&seen.snapshot));
        let history = UserHistory { newest: None, pin: None, complete: true, latest };
        Self::open_at(table, user, Arc::new(Unguarded), env, history, seen)
    }

    fn open_at(
        table: Table,
        user: CommitUser,
        guard: Arc<dyn CommitGuard>,
        env: Env,
        history: UserHistory,
        seen: Option<Found>,
    ) -> Result<Self, CommitError> {
        if table.is_branch() {
            return Err(CommitError::Branch { table: table.identifier().to_string() });
        }
        let options = table.options();
        let backoff = Backoff::try_new(options.commit_min_retry_wait, options.commit_max_retry_wait)?;
        let format = ManifestFormat::of(&table, &env.executor);
        let policy = MergePolicy {
            target_bytes: format.target_bytes,
            min_count: options.manifest_merge_min_count,
            full_threshold_bytes: options.manifest_full_compaction_threshold_size.bytes(),
        };
        Ok(Self {
            schema: Arc::clone(table.schema()),
            own: history.newest.iter().cloned().collect(),
            table,
            user,
            guard,
            env,
            format,
            policy,
            backoff,
            history,
            seen,
            manifests: None,
            tried: None,
        })
    }

    /// What the user had committed when this committer was opened.
    pub fn history(&self) -> &UserHistory {
        &self.history
    }

    /// The table.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The newest schema known: the table's own, or one that appeared since and only added to it.
    pub fn schema(&self) -> &Arc<TableSchema> {
        &self.schema
    }

    /// The newest snapshot inspected so far, anybody's.
    pub fn seen(&self) -> Option<&Arc<Snapshot>> {
        self.seen.as_ref().map(|found| &found.snapshot)
    }

    /// Whether a request that was not committed never will be: every number this committer tried is inspected by now, so
    /// none of its creates can still take effect. Only then may the files of a request that failed be deleted.
    pub fn is_settled(&self) -> bool {
        let seen = self.seen.as_ref().map(|seen| seen.snapshot.id);
        self.tried.as_ref().is_none_or(|tried| Some(tried.last) <= seen)
    }

    /// Commits `request`, or finds that it is committed.
    ///
    /// After any error the committer can be used again, and an equal request is never committed twice.
    ///
    /// # Errors
    /// See [`CommitError`]; [`Classify::kind`] says which of them pass by themselves.
    pub async fn commit(&mut self, request: &CommitRequest) -> Result<Committed, CommitError> {
        request.check()?;
        let mut inputs = Inputs::of(&request.removed);
        let started = Instant::now();
        let mut attempts = 0;
        let mut merged = None;
        loop {
            self.advance(request).await?;
            if let Some(snapshot) = self.find_own(request)? {
                // The try that created it may not have lived to write the hint.
                snapshots::write_hints(self.table.storage(), snapshot.id).await;
                return Ok(Committed { snapshot, attempts, already: true });
            }
            self.check_patience(attempts, started)?;
            self.check_inputs(&mut inputs).await?;
            let prepared = self.prepare(request, &mut merged).await?;
            let id = prepared.snapshot.id.0;
            attempts += 1;
            match self.create(&prepared).await {
                Attempt::Created => {
                    let snapshot = self.confirm(request, prepared).await?;
                    return Ok(Committed { snapshot, attempts, already: false });
                }
                Attempt::Conflict => {
                    let delay = self.backoff.delay(attempts - 1, &self.env.random);
                    tracing::debug!(snapshot = id, attempts, ?delay, "lost a race");
                    tokio::time::sleep(delay).await;
                }
                Attempt::Unknown(source) => {
                    self.advance(request).await?;
                    let own = self.find_own(request)?;
                    // Made without protection from other committers: that is told now, not after the next one.
                    let stops = source.kind() == FailureKind::Usage;
                    if let (true, Some(own)) = (stops, &own) {
                        snapshots::write_hints(self.table.storage(), own.id).await;
                    }
                    if stops || own.is_none() {
                        return Err(CommitError::Unknown { snapshot: id, source: Box::new(source) });
                    }
                }
                Attempt::Failed(source) => return Err(source.into()),
            }
        }
    }

    fn record_own(&mut self, snapshot: Arc<Snapshot>) {
        let newest = self.own.first().map_or(i64::MIN, |own| own.commit_identifier);
        if snapshot.commit_identifier > newest {
            self.own.clear();
        }
        if snapshot.commit_identifier >= newest {
            self.own.push(snapshot);
        }
    }

    /// The snapshot that already carries `request`.
    fn find_own(&self, request: &CommitRequest) -> Result<Option<Arc<Snapshot>>, CommitError> {
        let identifier = request.identifier.0;
        let found = self.own.iter().find(|own| own.commit_identifier == identifier && own.commit_kind == request.kind);
        if let Some(own) = found {
            return if self.carries(own, request) {
                Ok(Some(Arc::clone(own)))
            } else {
                Err(CommitError::Fenced {
                    snapshot: own.id.0,
                    why: format!(
                        "another process committed {identifier} as {} with other content; run one process per commit user",
                        self.user
                    ),
                })
            };
        }
        // Of the identifier that was newest at the start only the newest snapshot is known.
        let before = self.history.newest.as_ref().map(|own| own.commit_identifier);
        let newest = self.own.first().map(|own| own.commit_identifier);
        match newest {
            Some(newest) if identifier < newest || before.is_some_and(|at| identifier <= at) => {
                Err(CommitError::OutOfOrder { user: self.user.to_string(), identifier, newest })
            }
            _ => Ok(None),
        }
    }

    fn carries(&self, snapshot: &Snapshot, request: &CommitRequest) -> bool {
        let ours = self.tried.as_ref().is_some_and(|tried| {
            tried.identifier == request.identifier
                && tried.kind == request.kind
                && tried.uuids.iter().any(|uuid| snapshot.uuid.as_ref() == Some(uuid))
        });
        let properties = snapshot.properties.as_ref();
        ours || snapshot.delta_record_count == request.rows()
            && properties.map_or(request.properties.is_empty(), |carried| *carried == request.properties)
    }

    fn check_patience(&self, attempts: u32, started: Instant) -> Result<(), CommitError> {
        let options = self.table.options();
        let elapsed = started.elapsed();
        let late = options.commit_timeout.is_some_and(|timeout| elapsed > timeout);
        if attempts > 0 && (attempts > options.commit_max_retries || late) {
            return Err(CommitError::RetriesExhausted { attempts, elapsed });
        }
        Ok(())
    }

    /// Makes sure that what the request removes is live in `seen`, so in the very snapshot it is committed on: whoever
    /// removed a file meanwhile has decided about its rows.
    async fn check_inputs(&mut self, inputs: &mut Inputs<'_>) -> Result<(), CommitError> {
        if inputs.is_empty() {
            return Ok(());
        }
        self.load_manifests().await?;
        let manifests = self.manifests.as_deref().unwrap_or_default();
        match inputs.find_gone(self.table.storage(), &self.format, manifests).await? {
            None => Ok(()),
            Some(gone) => Err(CommitError::InputGone {
                file: gone.file.file_name.clone(),
                snapshot: self.seen.as_ref().map_or(0, |seen| seen.snapshot.id.0),
            }),
        }
    }

    async fn load_manifests(&mut self) -> Result<(), CommitError> {
        if self.manifests.is_none() {
            self.manifests = Some(match &self.seen {
                Some(seen) => manifests::read_lists(self.table.storage(), &seen.snapshot).await?,
                None => Vec::new(),
            });
        }
        Ok(())
    }

    /// Writes everything the snapshot refers to.
    async fn prepare(&mut self, request: &CommitRequest, merged: &mut Option<Merged>) -> Result<Prepared, CommitError> {
        let storage = self.table.storage().clone();
        let uuid = self.env.random.uuid();
        let mut names = Names::new(uuid);
        self.load_manifests().await?;
        let before = self.manifests.as_deref().unwrap_or_default();
        let base = self.merge(before, &mut names, merged).await?;
        let (mut delta, mut objects) = (Vec::new(), Vec::new());
        let entries = request.entries();
        let now_millis = self.env.clock.now_millis();
        let statistics = statistics::of(&entries, &self.table, now_millis)?;
        for (meta, encoded) in self.format.encode_entries(&mut names, entries, None).await? {
            delta.push(meta);
            objects.push(encoded);
        }
        let base_list = self.format.encode_list(&mut names, &base)?;
        let delta_list = self.format.encode_list(&mut names, &delta)?;
        let attempted = Attempted {
            uuid: uuid.to_string(),
            schema_id: self.schema.id,
            now_millis,
            base_list: base_list.name_and_size(),
            delta_list: delta_list.name_and_size(),
        };
        objects.extend([base_list, delta_list]);
        // Collected first: a closure kept across an await would make this future `Send` for one lifetime only.
        let puts: Vec<_> = objects.into_iter().map(|object| object.put(&storage)).collect();
        futures::future::try_join_all(puts).await?;
        let seen = self.seen.as_ref().map(|seen| &*seen.snapshot);
        Ok(Prepared {
            snapshot: plan_commit(seen, &self.user, request, attempted),
            statistics,
            manifests: base.into_iter().chain(delta).collect(),
        })
    }

    /// The manifests before this commit, merged where that is due. A merge that was written for a race that was
    /// then lost serves the next attempt; one that cannot be read or written just now is left to a later commit.
    async fn merge(
        &self,
        before: &[ManifestFileMeta],
        names: &mut Names,
        merged: &mut Option<Merged>,
    ) -> Result<Vec<ManifestFileMeta>, CommitError> {
        if let Some(after) = merged.as_ref().and_then(|merged| merged.apply(before)) {
            return Ok(after);
        }
        let Some(selection) = self.policy.select(before) else {
            return Ok(before.to_vec());
        };
        let storage = self.table.storage();
        match merge::merge(storage, &self.format, names, before, &self.policy, selection).await {
            Ok(done) => {
                let after = done.apply(before);
                *merged = Some(done);
                Ok(after.unwrap_or_else(|| before.to_vec()))
            }
            Err(error) if error.kind() == FailureKind::Transient => {
                tracing::warn!(%error, "manifests are not merged by this commit");
                Ok(before.to_vec())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn create(&mut self, prepared: &Prepared) -> Attempt {
        let next = &prepared.snapshot;
        let (identifier, kind) = (CommitIdentifier(next.commit_identifier), next.commit_kind);
        let tried = self.tried.take().filter(|tried| tried.identifier == identifier && tried.kind == kind);
        let mut tried = tried.unwrap_or(Tried { identifier, kind, uuids: Vec::new(), last: next.id });
        tried.last = next.id;
        tried.uuids.extend(next.uuid.clone());
        self.tried = Some(tried);
        let base = self.seen.as_ref().map(|seen| &*seen.snapshot);
        let next = NextSnapshot { base, snapshot: next, statistics: &prepared.statistics };
        self.table.port().create(self.table.storage(), next).await
    }

    /// After a successful create: makes sure that it was made on top of `seen`, and writes the hints.
    /// Until that is certain `seen` stays, and the same request will find its snapshot.
    async fn confirm(&mut self, request: &CommitRequest, prepared: Prepared) -> Result<Arc<Snapshot>, CommitError> {
        let snapshot = Arc::new(prepared.snapshot);
        let id = snapshot.id;
        let unknown = |source| CommitError::Unknown { snapshot: id.0, source: Box::new(source) };
        let seen = self.read_seen().await.map_err(unknown)?;
        self.check_seen(seen, request).await?;
        // Not before that: a hint to a snapshot on top of expired history would lead every reader astray.
        snapshots::write_hints(self.table.storage(), id).await;
        let bytes = snapshot.to_json().map_err(TableError::format(snapshots::path(id)))?;
        self.seen = Some(Found { snapshot: Arc::clone(&snapshot), bytes: bytes.into() });
        self.manifests = Some(prepared.manifests);
        self.record_own(Arc::clone(&snapshot));
        Ok(snapshot)
    }
}

#[cfg(test)]
mod compaction_tests;
#[cfg(test)]
mod tests;
