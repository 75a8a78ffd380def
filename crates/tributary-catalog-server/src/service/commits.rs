//! Committing: the decision is in [`crate::commit`], here are the facts and the deed.

use futures::future::try_join_all;
use paimon_catalog::rest::wire::CommitTableResponse;
use paimon_format::SnapshotId;
use paimon_format::names::MANIFEST_DIR;
use paimon_table::port::{self, Attempt};
use paimon_table::snapshots;
use paimon_table::store::Storage;
use paimon_table::table::schema_path;
use tokio::time::Instant;
use tracing::info;

use super::locks::TableLock;
use super::{Reply, Service, Target, json};
use crate::access::Principal;
use crate::commit::{Commit, Head, Verdict};
use crate::metrics::Outcome;
use crate::problem::Problem;

// === impl Service ===

impl Service {
    pub(super) async fn commit(&self, who: &Principal, target: &Target, body: &[u8]) -> Result<Reply, Problem> {
        let begun = Instant::now();
        let commit = Commit::try_new(body)?;
        let outcome = self.carry_out(target, &commit).await;
        let told = match &outcome {
            Ok(outcome) => *outcome,
            Err(problem) if problem.code < 500 => Outcome::Refused,
            Err(_) => Outcome::Failed,
        };
        self.metrics.committed(told, begun.elapsed());
        // The audit log: one line per commit, whatever came of it.
        info!(
            target: "tributary::audit",
            outcome = told.name(),
            principal = who.name,
            database = target.name.database,
            table = target.name.object(),
            table_id = target.entry.id,
            snapshot = commit.snapshot.id.0,
            kind = %commit.snapshot.commit_kind,
            commit_user = commit.snapshot.commit_user,
            identifier = commit.snapshot.commit_identifier,
            rows = commit.snapshot.delta_record_count,
            "commit"
        );
        json(&CommitTableResponse { success: outcome? != Outcome::Conflict })
    }

    async fn carry_out(&self, target: &Target, commit: &Commit) -> Result<Outcome, Problem> {
        if commit.table_id != target.entry.id {
            // As Java does: the table that was meant is not there any more (F8).
            return Err(Problem::no_table(&target.name.database, &target.name.table));
        }
        let lock = self.locks.of(&target.entry.id);
        let outcome = match self.settle_by_file(target, commit, &lock).await? {
            Some(outcome) => outcome,
            None => {
                self.check_files(target, commit).await?;
                self.decide_in_turn(target, commit, &lock).await?
            }
        };
        if matches!(outcome, Outcome::Created | Outcome::Repeated) {
            // Of a repeated one the first attempt may have ended before its hint.
            lock.hint(target).await;
        }
        Ok(outcome)
    }

    /// What became of a commit whose id is taken for all this process knows: the file tells, and nobody is waited for.
    async fn settle_by_file(
        &self,
        target: &Target,
        commit: &Commit,
        lock: &TableLock,
    ) -> Result<Option<Outcome>, Problem> {
        match self.remembered(target, lock).map(|head| commit.decide(head.as_ref())) {
            Some(Verdict::Compare) => compare(target, commit).await,
            _ => Ok(None),
        }
    }

    /// May be behind, because another engine may have committed to the folder, or even ahead, if one rolled back. So a
    /// loss on what is remembered is a loss only where a file proves it.
    fn remembered(&self, target: &Target, lock: &TableLock) -> Option<Option<Head>> {
        lock.known(target.name.branch.as_ref()).filter(|_| !self.sole_writer)
    }

    async fn decide_in_turn(&self, target: &Target, commit: &Commit, lock: &TableLock) -> Result<Outcome, Problem> {
        let _turn = lock.turn().await;
        self.check_live(target)?;
        let settled = match self.remembered(target, lock).map(|head| commit.decide(head.as_ref())) {
            Some(Verdict::Create) => create(target, commit, lock).await?,
            Some(Verdict::Compare) => compare(target, commit).await?,
            Some(Verdict::Conflict) | None => None,
        };
        if let Some(outcome) = settled {
            return Ok(outcome);
        }
        let head = snapshots::find_latest(&target.metadata).await?.map(|found| Head::from(&*found.snapshot));
        lock.learn(target.name.branch.as_ref(), head.clone());
        let settled = match commit.decide(head.as_ref()) {
            Verdict::Create => create(target, commit, lock).await?,
            Verdict::Compare => compare(target, commit).await?,
            Verdict::Conflict => None,
        };
        Ok(settled.unwrap_or(Outcome::Conflict))
    }

    /// A snapshot that names files which are not there would make the table unreadable for everybody.
    async fn check_files(&self, target: &Target, commit: &Commit) -> Result<(), Problem> {
        let id = commit.snapshot.id;
        let mut checks = vec![check_file(&target.metadata, schema_path(commit.snapshot.schema_id), id)];
        for name in commit.files() {
            checks.push(check_file(&target.storage, format!("{MANIFEST_DIR}/{name}"), id));
        }
        try_join_all(checks).await.map(drop)
    }
}

async fn check_file(storage: &Storage, path: String, snapshot: SnapshotId) -> Result<(), Problem> {
    match storage.size_opt(&path).await? {
        Some(_) => Ok(()),
        None => Err(Problem::bad(format!("snapshot {snapshot} names {path}, which is not there"))),
    }
}

/// Whether the snapshot of this id is the commit; `None` when there is no such snapshot.
async fn compare(target: &Target, commit: &Commit) -> Result<Option<Outcome>, Problem> {
    let present = snapshots::read(&target.metadata, commit.snapshot.id).await?;
    Ok(present.map(|present| if commit.is(&present.bytes) { Outcome::Repeated } else { Outcome::Conflict }))
}

/// `None` when the id is taken by another snapshot.
async fn create(target: &Target, commit: &Commit, lock: &TableLock) -> Result<Option<Outcome>, Problem> {
    let id = commit.snapshot.id;
    match port::create_file(&target.metadata, id, commit.bytes.clone().into()).await {
        Attempt::Created => {
            lock.learn(target.name.branch.as_ref(), Some(Head::from(&commit.snapshot)));
            if id == SnapshotId::FIRST {
                // In turn, because nobody else writes the hint EARLIEST.
                lock.hint(target).await;
            }
            Ok(Some(Outcome::Created))
        }
        Attempt::Conflict => {
            lock.forget();
            Ok(None)
        }
        // A client that repeats the request on 503 is told what became of it.
        Attempt::Unknown(error) => {
            lock.forget();
            Err(Problem::try_again(format!("whether the commit happened is not known; send it again: {error}")))
        }
        Attempt::Failed(error) => {
            lock.forget();
            Err(error.into())
        }
    }
}
