//! Taking over a commit user: an empty snapshot with a new incarnation, before the source is read.
//!
//! Of two processes of one job the last to start wins. The claim is an ordinary commit on top of the job's newest
//! snapshot: whatever the old process commits before it is seen and carried over, whatever it tries afterwards meets
//! the claim and is fenced. So positions cannot fork.

use std::sync::Arc;
use std::time::Duration;

use paimon_format::{CommitKind, Snapshot, SnapshotId};
use paimon_table::commit::{CommitError, CommitGuard, Committer};
use paimon_table::commit::{CommitIdentifier, CommitRequest, CommitUser};
use paimon_table::consumer;
use paimon_table::table::Table;
use tributary_runtime::{Backoff, Classify, Env, FailureKind, Positions, SourceIdentity};

use crate::error::SinkError;
use crate::overwrites::Overwrites;
use crate::state::{self, Incarnation, JobState};

/// A commit user that is ours until somebody newer takes it.
pub(crate) struct Claim {
    pub(crate) committer: Committer,
    pub(crate) incarnation: Incarnation,
    pub(crate) identifier: CommitIdentifier,
    pub(crate) positions: Positions,
    pub(crate) snapshot: SnapshotId,
    /// What the guard meets.
    pub(crate) overwrites: Overwrites,
}

/// Refuses snapshots of our commit user that another incarnation made.
struct OneIncarnation {
    user: CommitUser,
    incarnation: Incarnation,
    overwrites: Overwrites,
}

/// Claims that meet commits of a process that is still running; each one it makes costs us one try.
const MOST_CLAIMS: u32 = 20;

// === impl Claim ===

impl Claim {
    /// Claims `user`, pins the claim and reads it back. Transient errors are retried without limit.
    ///
    /// # Errors
    /// As [`JobState::load`]; [`SinkError::OtherSource`], [`SinkError::PropertiesNotKept`], or the commit's error.
    pub(crate) async fn make(
        table: &Table,
        user: &CommitUser,
        identity: &SourceIdentity,
        env: &Env,
        backoff: Backoff,
    ) -> Result<Self, SinkError> {
        // One for all tries: a try whose reply was lost must not fence the next.
        let incarnation = Incarnation(env.random.uuid());
        let mut claims = 0;
        let mut failures = 0;
        let claim = loop {
            let error = match Self::try_make(table, user, identity, incarnation, env).await {
                Ok(claim) => break claim,
                Err(error) => error,
            };
            match error.kind() {
                FailureKind::Transient => {
                    if failures == 0 {
                        tracing::warn!(%user, %error, "cannot claim the job yet; trying again until it works");
                    }
                }
                FailureKind::Fenced if claims < MOST_CLAIMS => claims += 1,
                _ => return Err(error),
            }
            tokio::time::sleep(backoff.delay(failures, &env.random)).await;
            failures += 1;
        };
        pin_until_it_works(table, user, claim.snapshot, env, backoff).await?;
        Ok(claim)
    }

    async fn try_make(
        table: &Table,
        user: &CommitUser,
        identity: &SourceIdentity,
        incarnation: Incarnation,
        env: &Env,
    ) -> Result<Self, SinkError> {
        let overwrites = Overwrites::default();
        let guard = Arc::new(OneIncarnation { user: user.clone(), incarnation, overwrites: overwrites.clone() });
        let failed =
            |identifier: i64| move |source: CommitError| SinkError::Commit { identifier, source: Box::new(source) };
        let mut committer =
            Committer::try_open(table.clone(), user.clone(), guard, env.clone()).await.map_err(failed(0))?;
        let state = JobState::from_history(committer.history(), table, user)?;
        if let Some(difference) = state.as_ref().and_then(|state| state.identity().difference(identity)) {
            return Err(SinkError::OtherSource { user: user.to_string(), difference });
        }
        let (positions, before) = match state {
            Some(state) => (state.positions().clone(), state.identifier().0),
            None => (Positions::new(), 0),
        };
        let identifier = CommitIdentifier(before + 1);
        let request = CommitRequest {
            identifier,
            kind: CommitKind::Append,
            added: Vec::new(),
            removed: Vec::new(),
            properties: state::properties(identity, &positions, incarnation),
            watermark: None,
        };
        let committed = committer.commit(&request).await.map_err(failed(identifier.0))?;
        let snapshot = committed.snapshot.id;
        let kept = table.snapshot(snapshot).await.map_err(SinkError::table("reading the claim back"))?;
        match kept {
            Some(kept) if state::incarnation_of(&kept) == incarnation.to_string() => {}
            _ => return Err(SinkError::PropertiesNotKept { snapshot }),
        }
        tracing::info!(%user, snapshot = snapshot.0, %incarnation, first = before == 0, "claimed the job");
        Ok(Self { committer, incarnation, identifier, positions, snapshot, overwrites })
    }
}

async fn pin_until_it_works(
    table: &Table,
    user: &CommitUser,
    snapshot: SnapshotId,
    env: &Env,
    backoff: Backoff,
) -> Result<(), SinkError> {
    let mut failures = 0;
    while let Err(error) = consumer::write(table, user.as_str(), snapshot).await {
        if error.kind() != FailureKind::Transient {
            return Err(SinkError::Table { doing: "pinning the claim", source: Box::new(error) });
        }
        tracing::warn!(%user, %error, "cannot pin the claim yet; trying again");
        tokio::time::sleep(backoff.delay(failures, &env.random)).await;
        failures += 1;
    }
    Ok(())
}

/// Waits between tries against a store that fails.
pub(crate) fn patience() -> Result<Backoff, SinkError> {
    Ok(Backoff::try_new(Duration::from_millis(100), Duration::from_secs(30))?)
}

// === impl OneIncarnation ===

impl CommitGuard for OneIncarnation {
    fn inspect(&self, snapshot: &Snapshot) -> Result<(), String> {
        self.overwrites.meet(snapshot, &self.user);
        let ours = snapshot.commit_user == self.user.as_str() && snapshot.commit_identifier != i64::MAX;
        let by = state::incarnation_of(snapshot);
        if !ours || by == self.incarnation.to_string() {
            return Ok(());
        }
        Err(format!(
            "{} was started again as incarnation {by}; only one copy of a pipeline may run: stop one of the two, or give one another pipeline.name",
            self.user
        ))
    }
}
