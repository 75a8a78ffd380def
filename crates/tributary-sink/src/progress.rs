//! How far a pipeline is, told once and read by the status page, readiness, the status line and `/metrics`.
//!
//! Ready means: nothing waits for a commit longer than a few intervals, and the store answers. A quiet source
//! has nothing to commit and is healthy.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use paimon_format::SnapshotId;
use tokio::time::Instant;
use tributary_runtime::{Clock, FailureKind, MemoryBudget};

use crate::metrics::PipelineMetrics;

/// The progress of one pipeline. Clones share it.
#[derive(Clone)]
pub struct Progress {
    shared: Arc<Shared>,
}

/// What a pipeline is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SinkState {
    /// Takes rows and commits them.
    Running,
    /// The store or catalog fails transiently; retried without limit.
    Retrying,
    /// Takes no more rows; commits what it has.
    Draining,
    /// All rows received are committed.
    Finished,
    /// Stopped with an error.
    Failed,
}

/// The numbers of a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct ProgressReport {
    /// What the pipeline is doing.
    pub state: SinkState,
    /// Source rows received since the process started.
    pub rows_received: u64,
    /// Rows committed since the process started. Fewer than received when WHERE drops some.
    pub rows_committed: u64,
    /// Data files committed since the process started.
    pub files_committed: u64,
    /// Bytes of data files committed since the process started.
    pub bytes_committed: u64,
    /// Commits since the process started, the claim included.
    pub commits: u64,
    /// The last snapshot this process committed.
    pub last_snapshot: SnapshotId,
    /// When it was committed: Unix milliseconds, UTC.
    pub last_commit_millis: i64,
    /// Attempts it took.
    pub last_commit_attempts: u32,
    /// Age of the oldest received row that is not committed; zero when none waits; none before the first row.
    pub lag: Option<Duration>,
    /// Sealed epochs that wait for their uploads or their commit.
    pub epochs_in_flight: usize,
    /// Source rows in the open epoch.
    pub open_epoch_rows: u64,
    /// Memory budget in use, in bytes.
    pub memory_used: usize,
    /// Memory budget, in bytes.
    pub memory_limit: usize,
    /// Transient failures since the last success.
    pub consecutive_failures: u32,
    /// The text of the last failure.
    pub last_failure: Option<String>,
}

struct Shared {
    metrics: PipelineMetrics,
    clock: Arc<dyn Clock>,
    budget: MemoryBudget,
    /// Longest time rows may wait for their commit in a ready pipeline.
    window: Duration,
    facts: Mutex<Facts>,
}

#[derive(Debug)]
struct Facts {
    state: SinkState,
    /// Nothing more will come, and everything that came is committed.
    is_all_committed: bool,
    rows_received: u64,
    /// Source rows of epochs that wait no longer.
    rows_settled: u64,
    rows_committed: u64,
    files_committed: u64,
    bytes_committed: u64,
    commits: u64,
    last_snapshot: SnapshotId,
    last_commit_millis: i64,
    last_commit_attempts: u32,
    /// The epochs that are neither committed nor known to hold no rows, oldest first.
    waiting: VecDeque<Waiting>,
    epoch_is_open: bool,
    open_epoch_rows: u64,
    consecutive_failures: u32,
    last_failure: Option<String>,
}

/// The first batch of an epoch.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    since: Instant,
    /// When the batch was stamped by its source.
    at_millis: i64,
}

/// What a commit achieved.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CommitFacts {
    pub(crate) snapshot: SnapshotId,
    pub(crate) attempts: u32,
    pub(crate) rows: u64,
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    pub(crate) partitions: usize,
    pub(crate) took: Duration,
    /// Since the oldest epoch in it was sealed.
    pub(crate) checkpoint: Duration,
}

// === impl Progress ===

impl Progress {
    pub(crate) fn new(
        metrics: PipelineMetrics,
        clock: Arc<dyn Clock>,
        budget: MemoryBudget,
        interval: Duration,
        claim: SnapshotId,
    ) -> Self {
        metrics.memory_limit.set(signed(budget.limit()));
        metrics.interval.set(interval.as_secs_f64());
        metrics.lag.set(f64::NAN);
        let facts = Facts {
            state: SinkState::Running,
            is_all_committed: false,
            rows_received: 0,
            rows_settled: 0,
            rows_committed: 0,
            files_committed: 0,
            bytes_committed: 0,
            commits: 1,
            last_snapshot: claim,
            last_commit_millis: clock.now_millis(),
            last_commit_attempts: 1,
            waiting: VecDeque::new(),
            epoch_is_open: false,
            open_epoch_rows: 0,
            consecutive_failures: 0,
            last_failure: None,
        };
        metrics.snapshot.set(claim.0);
        metrics.last_commit.set(facts.last_commit_millis as f64 / 1000.0);
        let window = interval.saturating_mul(3) + Duration::from_secs(10);
        Self { shared: Arc::new(Shared { metrics, clock, budget, window, facts: Mutex::new(facts) }) }
    }

    /// The numbers of this moment.
    pub fn report(&self) -> ProgressReport {
        let facts = self.facts();
        ProgressReport {
            state: match facts.state {
                SinkState::Running if facts.consecutive_failures > 0 => SinkState::Retrying,
                state => state,
            },
            rows_received: facts.rows_received,
            rows_committed: facts.rows_committed,
            files_committed: facts.files_committed,
            bytes_committed: facts.bytes_committed,
            commits: facts.commits,
            last_snapshot: facts.last_snapshot,
            last_commit_millis: facts.last_commit_millis,
            last_commit_attempts: facts.last_commit_attempts,
            lag: facts.lag(self.shared.clock.now_millis()),
            epochs_in_flight: facts.epochs_in_flight(),
            open_epoch_rows: facts.open_epoch_rows,
            memory_used: self.shared.budget.used(),
            memory_limit: self.shared.budget.limit(),
            consecutive_failures: facts.consecutive_failures,
            last_failure: facts.last_failure.clone(),
        }
    }

    /// Whether the pipeline keeps its promise.
    ///
    /// # Errors
    /// The reason why it does not, in words.
    pub fn ready(&self) -> Result<(), String> {
        let facts = self.facts();
        match facts.state {
            SinkState::Failed => {
                return Err(format!("stopped: {}", facts.last_failure.as_deref().unwrap_or("see the log")));
            }
            SinkState::Draining => return Err("draining".to_owned()),
            SinkState::Finished => return Err("finished".to_owned()),
            SinkState::Running | SinkState::Retrying => {}
        }
        if facts.consecutive_failures > 0 {
            let text = facts.last_failure.as_deref().unwrap_or("unknown");
            return Err(format!("{} failures in a row, the last: {text}", facts.consecutive_failures));
        }
        match facts.waiting.front().map(|first| first.since.elapsed()) {
            Some(waited) if waited > self.shared.window => Err(format!(
                "rows have waited for a commit for {} s, longer than {} s",
                waited.as_secs(),
                self.shared.window.as_secs()
            )),
            _ => Ok(()),
        }
    }

    pub(crate) fn metrics(&self) -> &PipelineMetrics {
        &self.shared.metrics
    }

    pub(crate) fn received(&self, rows: usize, bytes: usize, at_millis: i64) {
        self.shared.metrics.rows.inc_by(rows as u64);
        self.shared.metrics.bytes.inc_by(bytes as u64);
        let mut facts = self.facts();
        if !facts.epoch_is_open {
            facts.epoch_is_open = true;
            facts.waiting.push_back(Waiting { since: Instant::now(), at_millis });
        }
        facts.rows_received += rows as u64;
        facts.open_epoch_rows += rows as u64;
    }

    pub(crate) fn sealed(&self) {
        let mut facts = self.facts();
        facts.epoch_is_open = false;
        facts.open_epoch_rows = 0;
    }

    /// The oldest sealed epoch waits no longer: it is committed, or holds no rows and its positions may wait.
    pub(crate) fn settled(&self, rows_received: u64) {
        let mut facts = self.facts();
        facts.waiting.pop_front();
        facts.rows_settled += rows_received;
    }

    /// Source rows that a stop now would lose the work of.
    pub(crate) fn unsettled_rows(&self) -> u64 {
        let facts = self.facts();
        facts.rows_received - facts.rows_settled
    }

    pub(crate) fn committed(&self, commit: CommitFacts) {
        let now_millis = self.shared.clock.now_millis();
        let metrics = &self.shared.metrics;
        metrics.commits.inc();
        metrics.committed_rows.inc_by(commit.rows);
        metrics.committed_files.inc_by(commit.files);
        metrics.committed_bytes.inc_by(commit.bytes);
        metrics.lost_races.inc_by(u64::from(commit.attempts.saturating_sub(1)));
        metrics.commit_duration.observe(commit.took.as_secs_f64());
        metrics.checkpoint_duration.observe(commit.checkpoint.as_secs_f64());
        metrics.attempts.set(i64::from(commit.attempts));
        metrics.partitions.set(signed(commit.partitions));
        metrics.checkpoint_bytes.set(i64::try_from(commit.bytes).unwrap_or(i64::MAX));
        metrics.snapshot.set(commit.snapshot.0);
        metrics.last_commit.set(now_millis as f64 / 1000.0);
        metrics.failing.set(0);
        let mut facts = self.facts();
        facts.rows_committed += commit.rows;
        facts.files_committed += commit.files;
        facts.bytes_committed += commit.bytes;
        facts.commits += 1;
        facts.last_snapshot = commit.snapshot;
        facts.last_commit_millis = now_millis;
        facts.last_commit_attempts = commit.attempts;
        facts.consecutive_failures = 0;
    }

    /// A transient failure that will be tried again. Returns how many there were in a row before it.
    pub(crate) fn failed(&self, kind: FailureKind, text: String) -> u32 {
        self.shared.metrics.failed(kind);
        let mut facts = self.facts();
        let before = facts.consecutive_failures;
        facts.consecutive_failures += 1;
        facts.last_failure = Some(text);
        self.shared.metrics.failing.set(i64::from(facts.consecutive_failures));
        before
    }

    /// The store answered.
    pub(crate) fn recovered(&self) {
        self.facts().consecutive_failures = 0;
        self.shared.metrics.failing.set(0);
    }

    /// The committer is done: what is left of the sink's end can neither lose nor repeat a row.
    pub(crate) fn committed_all(&self) {
        self.facts().is_all_committed = true;
    }

    pub(crate) fn is_all_committed(&self) -> bool {
        self.facts().is_all_committed
    }

    pub(crate) fn draining(&self) {
        self.facts().state = SinkState::Draining;
    }

    pub(crate) fn ended(&self, failure: Option<(FailureKind, String)>) {
        let mut facts = self.facts();
        match failure {
            None => facts.state = SinkState::Finished,
            Some((kind, text)) => {
                self.shared.metrics.failed(kind);
                facts.state = SinkState::Failed;
                facts.last_failure = Some(text);
            }
        }
    }

    /// Refreshes the gauges that change by themselves, for a scrape.
    pub(crate) fn observe(&self) {
        let metrics = &self.shared.metrics;
        metrics.memory_used.set(signed(self.shared.budget.used()));
        let facts = self.facts();
        metrics.epochs.set(signed(facts.epochs_in_flight()));
        let lag = facts.lag(self.shared.clock.now_millis());
        metrics.lag.set(lag.map_or(f64::NAN, |lag| lag.as_secs_f64()));
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.shared.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.facts().fmt(f)
    }
}

// === impl SinkState ===

impl SinkState {
    /// The state as the status page spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Retrying => "retrying",
            Self::Draining => "draining",
            Self::Finished => "finished",
            Self::Failed => "failed",
        }
    }
}

// === impl Facts ===

impl Facts {
    fn epochs_in_flight(&self) -> usize {
        self.waiting.len() - usize::from(self.epoch_is_open)
    }

    fn lag(&self, now_millis: i64) -> Option<Duration> {
        match self.waiting.front() {
            Some(oldest) => Some(Duration::from_millis(u64::try_from(now_millis - oldest.at_millis).unwrap_or(0))),
            None if self.rows_received > 0 => Some(Duration::ZERO),
            None => None,
        }
    }
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;
    use crate::metrics::SinkMetrics;

    struct Wall(AtomicI64);

    impl Clock for Wall {
        fn now_millis(&self) -> i64 {
            self.0.load(Ordering::Relaxed)
        }
    }

    fn progress() -> (Progress, Arc<Wall>) {
        let metrics = SinkMetrics::register(&prometheus::Registry::new()).unwrap().of("job", "db.t");
        let wall = Arc::new(Wall(AtomicI64::new(1_000_000)));
        let budget = MemoryBudget::new(1024);
        (Progress::new(metrics, wall.clone(), budget, Duration::from_secs(10), SnapshotId(1)), wall)
    }

    fn commit() -> CommitFacts {
        CommitFacts {
            snapshot: SnapshotId(2),
            attempts: 1,
            rows: 5,
            files: 1,
            bytes: 100,
            partitions: 1,
            took: Duration::from_millis(3),
            checkpoint: Duration::from_millis(5),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_quiet_source_stays_ready() {
        let (progress, _) = progress();
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert_eq!(progress.ready(), Ok(()));
        assert_eq!(progress.report().lag, None);
    }

    #[tokio::test(start_paused = true)]
    async fn rows_that_wait_too_long_end_readiness_until_they_are_committed() {
        let (progress, wall) = progress();
        progress.received(5, 50, 1_000_000);
        progress.sealed();
        assert_eq!(progress.report().epochs_in_flight, 1);
        tokio::time::advance(Duration::from_secs(40)).await;
        assert_eq!(progress.ready(), Ok(()));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(progress.ready().unwrap_err(), "rows have waited for a commit for 41 s, longer than 40 s");
        progress.settled(5);
        progress.committed(commit());
        assert_eq!(progress.ready(), Ok(()));
        wall.0.store(1_041_000, Ordering::Relaxed);
        assert_eq!(progress.report().lag, Some(Duration::ZERO));
        progress.received(1, 1, 1_040_000);
        assert_eq!(progress.report().lag, Some(Duration::from_secs(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_scrape_shows_what_the_report_says() {
        let registry = prometheus::Registry::new();
        let metrics = SinkMetrics::register(&registry).unwrap();
        let wall = Arc::new(Wall(AtomicI64::new(1_000_000)));
        let of_job = metrics.of("job", "db.t");
        let interval = Duration::from_secs(10);
        let progress = Progress::new(of_job, wall.clone(), MemoryBudget::new(1024), interval, SnapshotId(1));
        metrics.watch("job", &progress);
        let scraped = || {
            let families = registry.gather();
            let lag = families.iter().find(|family| family.name() == "tributary_commit_lag_seconds").unwrap();
            lag.get_metric()[0].get_gauge().get_value()
        };
        assert!(scraped().is_nan());
        progress.received(5, 50, 1_000_000);
        for waited in [0, 450, 90_000] {
            wall.0.store(1_000_000 + waited, Ordering::Relaxed);
            assert_eq!(scraped(), progress.report().lag.unwrap().as_secs_f64());
            assert_eq!(scraped(), waited as f64 / 1000.0);
        }
        // Nothing has to run for it: the last commit of a drain is seen too.
        progress.sealed();
        progress.settled(5);
        assert_eq!(scraped(), 0.0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_transient_failure_shows_until_the_next_success() {
        let (progress, _) = progress();
        assert_eq!(progress.failed(FailureKind::Transient, "503".to_owned()), 0);
        assert_eq!(progress.failed(FailureKind::Transient, "timed out".to_owned()), 1);
        assert_eq!(progress.ready().unwrap_err(), "2 failures in a row, the last: timed out");
        assert_eq!(progress.report().state, SinkState::Retrying);
        progress.recovered();
        assert_eq!((progress.ready(), progress.report().state), (Ok(()), SinkState::Running));
    }
}
