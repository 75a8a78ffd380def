//! One run: rounds of tasks are resolved to manifest entries, rewritten side by side, and committed as they finish.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::stream::{self, StreamExt};
use paimon_format::{CommitKind, ManifestEntry};
use paimon_table::commit::{CommitError, CommitIdentifier, CommitRequest, CommitUser, Committed, Committer};
use tokio_util::sync::CancellationToken;
use tributary_runtime::{Backoff, Classify, FailureKind, MemoryBudget};

use crate::compaction::{Compaction, Resources};
use crate::error::{CompactError, Unfinished};
use crate::inventory::{self, FileKey};
use crate::outputs::Outputs;
use crate::plan::{Plan, Task};
use crate::report::{Amount, OnProgress, Progress, RunReport};
use crate::rewrite::{OnRows, Rewriter, Rewritten};

/// Tasks whose manifest entries are held at one time.
const ROUND_TASKS: usize = 32;
/// Tries of a commit that the store fails, and the waits between them.
const COMMIT_TRIES: u32 = 8;
const SHORTEST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Memory below which no second task is rewritten beside the first.
const TASK_BYTES: usize = 128 << 20;

/// The state of a run.
pub(crate) struct Run<'a> {
    compaction: &'a Compaction,
    user: CommitUser,
    next_identifier: i64,
    outputs: Outputs,
    told: Told,
    report: RunReport,
    /// Written and not committed.
    finished: Vec<Rewritten>,
}

/// How far the run is, and who wants to know.
#[derive(Clone)]
struct Told {
    progress: Arc<Mutex<Progress>>,
    on_progress: OnProgress,
}

// === impl Run ===

impl<'a> Run<'a> {
    pub(crate) fn new(compaction: &'a Compaction, plan: &Plan, on_progress: OnProgress) -> Self {
        let rows = plan.tasks.iter().map(|task| task.rows).sum();
        let progress = Progress { tasks: plan.tasks.len(), rows, ..Progress::default() };
        Self {
            compaction,
            user: CommitUser::new(format!("tributary-compact-{}", compaction.env.random.uuid())),
            next_identifier: 1,
            outputs: Outputs::new(compaction.table.storage().clone()),
            told: Told { progress: Arc::new(Mutex::new(progress)), on_progress },
            report: RunReport::default(),
            finished: Vec::new(),
        }
    }

    /// Runs the plan to its end or to the first failure. Whatever it wrote is then part of the table, may be, or is deleted.
    pub(crate) async fn go(
        mut self,
        plan: &Plan,
        resources: &Resources,
        cancel: &CancellationToken,
    ) -> Result<RunReport, Unfinished> {
        let done = self.rewrite_all(plan, resources, cancel).await;
        self.outputs.discard_all().await;
        match done {
            Ok(()) => Ok(self.report),
            Err(error) => Err(Unfinished { done: Box::new(self.report), error }),
        }
    }

    async fn rewrite_all(
        &mut self,
        plan: &Plan,
        resources: &Resources,
        cancel: &CancellationToken,
    ) -> Result<(), CompactError> {
        self.told.update(|_| ());
        let useful = plan.tasks.len().min(resources.memory.limit() / TASK_BYTES).max(1);
        let parallelism = resources.parallelism.clamp(1, useful);
        let Compaction { table, env, request } = self.compaction;
        let told = self.told.clone();
        let (reads, writes) = (told.clone(), told);
        let on_rows = OnRows {
            read: Arc::new(move |rows| reads.update(|progress| progress.rows_read += rows)),
            written: Arc::new(move |rows| {
                writes.update(|progress| {
                    progress.rows_written += rows;
                    // Only rows that are to be ordered are counted as they are read.
                    progress.rows_read = progress.rows_read.max(progress.rows_written);
                });
            }),
        };
        let task_bytes = resources.memory.limit() / parallelism;
        let (strategy, spill) = (&request.strategy, resources.spill_folder.as_path());
        let rewriter = Rewriter::try_new(table, strategy, spill, task_bytes, env, self.outputs.clone(), on_rows)?;
        let commit_bytes = table.options().target_file_size.bytes().saturating_mul(2);
        for tasks in plan.tasks.chunks(ROUND_TASKS) {
            let resolved = resolve(self.compaction, tasks).await?;
            let rewrites: Vec<_> = resolved
                .into_iter()
                .map(|entries| rewrite(self.compaction, &rewriter, &resources.memory, entries))
                .collect();
            let mut rewrites = stream::iter(rewrites).buffer_unordered(parallelism);
            loop {
                let rewritten = tokio::select! {
                    biased;
                    () = cancel.cancelled() => return Err(CompactError::Cancelled),
                    rewritten = rewrites.next() => rewritten,
                };
                match rewritten.transpose()? {
                    None => break,
                    Some(None) => self.abandoned(1),
                    Some(Some(rewritten)) => self.finished.push(rewritten),
                }
                let bytes: u64 = self.finished.iter().map(Rewritten::bytes_read).sum();
                if bytes >= commit_bytes {
                    self.commit(cancel).await?;
                }
            }
        }
        self.commit(cancel).await
    }

    /// Commits what is finished. A task whose inputs are gone is given up, the others are tried again without it.
    async fn commit(&mut self, cancel: &CancellationToken) -> Result<(), CompactError> {
        while !self.finished.is_empty() {
            let request = self.next_request();
            let Compaction { table, env, .. } = self.compaction;
            // Opened anew each time: between two commits of a long run history may expire.
            let mut committer = Committer::try_open_new(table.clone(), self.user.clone(), env.clone()).await?;
            let committed = self.try_commit(&mut committer, &request, cancel).await;
            let gone = match committed {
                Ok(committed) => {
                    self.committed(&committed);
                    continue;
                }
                Err(CommitError::InputGone { file, snapshot }) => {
                    tracing::info!(table = %table.identifier(), file, snapshot, "a compaction is abandoned: somebody else removed a file of it");
                    file
                }
                Err(error) => {
                    if !committer.is_settled() {
                        tracing::warn!(%error, "it is not known whether a compaction was committed; its files stay");
                        let paths: Vec<String> = self.finished.drain(..).flat_map(|done| done.paths).collect();
                        self.outputs.keep(&paths);
                    }
                    return Err(error.into());
                }
            };
            let (lost, rest) = std::mem::take(&mut self.finished).into_iter().partition(|done| done.reads(&gone));
            self.finished = rest;
            let lost: Vec<Rewritten> = lost;
            self.abandoned(lost.len());
            for done in lost {
                self.outputs.discard(&done.paths).await;
            }
        }
        Ok(())
    }

    fn next_request(&mut self) -> CommitRequest {
        let identifier = CommitIdentifier(self.next_identifier);
        self.next_identifier += 1;
        CommitRequest {
            identifier,
            kind: CommitKind::Compact,
            added: self.finished.iter().flat_map(|done| done.added.iter().cloned()).collect(),
            removed: self.finished.iter().flat_map(|done| done.removed.iter().cloned()).collect(),
            properties: BTreeMap::new(),
            watermark: None,
        }
    }

    /// Tries again while the store fails: what is not known to be committed is found out by the same request.
    async fn try_commit(
        &self,
        committer: &mut Committer,
        request: &CommitRequest,
        cancel: &CancellationToken,
    ) -> Result<Committed, CommitError> {
        let backoff = Backoff::try_new(SHORTEST_WAIT, LONGEST_WAIT)?;
        let mut tries = 0;
        loop {
            let error = match committer.commit(request).await {
                Ok(committed) => return Ok(committed),
                Err(error) => error,
            };
            tries += 1;
            if error.kind() != FailureKind::Transient || tries >= COMMIT_TRIES || cancel.is_cancelled() {
                return Err(error);
            }
            tracing::warn!(%error, tries, "the commit of a compaction failed; trying again");
            tokio::time::sleep(backoff.delay(tries - 1, &self.compaction.env.random)).await;
        }
    }

    fn committed(&mut self, committed: &Committed) {
        let snapshot = committed.snapshot.id;
        for done in self.finished.drain(..) {
            self.outputs.keep(&done.paths);
            self.report.before += Amount::of(done.removed.iter().map(|entry| &entry.file));
            self.report.after += Amount::of(done.added.iter().map(|file| &file.meta));
            self.report.copied_bytes += done.copied_bytes;
            self.report.spilled_bytes += done.spilled_bytes;
            self.report.tasks += 1;
            self.told.update(|progress| progress.tasks_done += 1);
        }
        self.report.snapshots.push(snapshot);
        tracing::info!(table = %self.compaction.table.identifier(), %snapshot, "committed a compaction");
    }

    fn abandoned(&mut self, tasks: usize) {
        self.report.abandoned += tasks;
        self.told.update(|progress| progress.tasks_done += tasks);
    }
}

/// The manifest entries of each task's files in the newest snapshot; `None` if one of them is gone.
async fn resolve(compaction: &Compaction, tasks: &[Task]) -> Result<Vec<Option<Vec<ManifestEntry>>>, CompactError> {
    let places: HashMap<FileKey, usize> =
        tasks.iter().enumerate().flat_map(|(place, task)| task.files.iter().map(move |key| (*key, place))).collect();
    let wanted: HashSet<FileKey> = places.keys().copied().collect();
    let Compaction { table, request, env } = compaction;
    let entries = match compaction.snapshot().await? {
        Some(snapshot) => {
            inventory::resolve(table, &snapshot, request.partitions.as_ref(), &wanted, &env.executor).await?
        }
        None => Vec::new(),
    };
    let mut by_task: Vec<Vec<ManifestEntry>> = tasks.iter().map(|_| Vec::new()).collect();
    for entry in entries {
        if let Some(place) = places.get(&FileKey::of(&entry)) {
            by_task[*place].push(entry);
        }
    }
    let whole = by_task.into_iter().zip(tasks).map(|(entries, task)| {
        let is_whole = entries.len() == task.files.len();
        is_whole.then_some(entries)
    });
    Ok(whole.collect())
}

/// Rewrites one task; `None` if one of its files is gone.
async fn rewrite(
    compaction: &Compaction,
    rewriter: &Rewriter,
    memory: &MemoryBudget,
    entries: Option<Vec<ManifestEntry>>,
) -> Result<Option<Rewritten>, CompactError> {
    let Some(entries) = entries else {
        return Ok(None);
    };
    let _share = memory.reserve(rewriter.memory_bytes(&entries)).await;
    let keys: HashSet<FileKey> = entries.iter().map(FileKey::of).collect();
    let error = match rewriter.rewrite(entries).await {
        Ok(rewritten) => return Ok(Some(rewritten)),
        Err(error) => error,
    };
    // A file that cannot be read may have been replaced meanwhile, and the last snapshot that had it expired.
    let Compaction { table, request, env } = compaction;
    let live = match compaction.snapshot().await? {
        Some(snapshot) => {
            inventory::resolve(table, &snapshot, request.partitions.as_ref(), &keys, &env.executor).await?
        }
        None => Vec::new(),
    };
    if live.len() == keys.len() { Err(error) } else { Ok(None) }
}

// === impl Told ===

impl Told {
    fn update(&self, change: impl FnOnce(&mut Progress)) {
        let now = {
            let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
            change(&mut progress);
            *progress
        };
        (self.on_progress)(now);
    }
}
