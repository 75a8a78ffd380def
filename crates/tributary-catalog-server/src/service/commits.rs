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

use super::{Heads, Reply, Service, Target, json};
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
        self.check_files(target, commit).await?;
        let lock = self.locks.of(&target.entry.id);
        let mut heads = lock.lock().await;
        self.check_live(target)?;
        if self.sole_writer {
            heads.forget();
        }
        // What is remembered may be behind: another engine may have committed to the folder. So a loss on what is
        // remembered is no loss yet.
        let branch = target.name.branch.as_ref();
        let remembered = heads.known(branch).cloned();
        if let Some(head) = remembered
            && commit.decide(head.as_ref()) == Verdict::Create
            && let Some(outcome) = create(target, commit, &mut heads).await?
        {
            return Ok(outcome);
        }
        let head = snapshots::find_latest(&target.metadata).await?.map(|found| Head::from(&*found.snapshot));
        heads.learn(branch, head.clone());
        match commit.decide(head.as_ref()) {
            Verdict::Create => Ok(create(target, commit, &mut heads).await?.unwrap_or(Outcome::Conflict)),
            Verdict::Conflict => Ok(Outcome::Conflict),
            Verdict::Compare => {
                let present = snapshots::read(&target.metadata, commit.snapshot.id).await?;
                if !present.is_some_and(|present| commit.is(&present.bytes)) {
                    return Ok(Outcome::Conflict);
                }
                if head.is_some_and(|head| head.id == commit.snapshot.id) {
                    // The first attempt may have ended before its hint.
                    snapshots::write_hints(&target.metadata, commit.snapshot.id).await;
                }
                Ok(Outcome::Repeated)
            }
        }
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

/// `None` when the id is taken by another snapshot.
async fn create(target: &Target, commit: &Commit, heads: &mut Heads) -> Result<Option<Outcome>, Problem> {
    let branch = target.name.branch.as_ref();
    let attempt = port::create_file(&target.metadata, commit.snapshot.id, commit.bytes.clone().into()).await;
    match attempt {
        Attempt::Created => {
            heads.learn(branch, Some(Head::from(&commit.snapshot)));
            snapshots::write_hints(&target.metadata, commit.snapshot.id).await;
            Ok(Some(Outcome::Created))
        }
        Attempt::Conflict => {
            heads.forget();
            Ok(None)
        }
        // A client that repeats the request on 503 is told what became of it.
        Attempt::Unknown(error) => {
            heads.forget();
            Err(Problem::try_again(format!("whether the commit happened is not known; send it again: {error}")))
        }
        Attempt::Failed(error) => {
            heads.forget();
            Err(error.into())
        }
    }
}
