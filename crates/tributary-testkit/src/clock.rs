//! Clocks under a test's control.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use tributary_runtime::{Clock, Env, Executor, Random};

/// A wall clock that stands still until it is set or moved. Clones share it.
#[derive(Clone, Debug)]
pub struct ManualClock {
    millis: Arc<AtomicI64>,
}

/// A wall clock that follows tokio's time, which tests pause: sleeping is the only thing that moves it.
#[derive(Clone, Copy, Debug)]
pub struct SimClock {
    epoch_millis: i64,
    start: Instant,
}

/// The environment of a simulation: `seed` decides every random number, CPU work runs on the spot, and the
/// wall clock starts at `epoch_millis` and follows tokio's time.
pub fn sim_env(seed: u64, epoch_millis: i64) -> Env {
    Env {
        clock: Arc::new(SimClock::starting_at(epoch_millis)),
        random: Random::seeded(seed),
        executor: Executor::inline(),
    }
}

// === impl ManualClock ===

impl ManualClock {
    /// Shows `millis` (Unix, UTC).
    pub fn new(millis: i64) -> Self {
        Self { millis: Arc::new(AtomicI64::new(millis)) }
    }

    /// Steps to `millis`, forwards or backwards.
    pub fn set(&self, millis: i64) {
        self.millis.store(millis, Ordering::SeqCst);
    }

    /// Moves forwards.
    pub fn advance(&self, by: Duration) {
        self.millis.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_millis(&self) -> i64 {
        self.millis.load(Ordering::SeqCst)
    }
}

// === impl SimClock ===

impl SimClock {
    /// Shows `epoch_millis` (Unix, UTC) now.
    pub fn starting_at(epoch_millis: i64) -> Self {
        Self { epoch_millis, start: Instant::now() }
    }
}

impl Clock for SimClock {
    fn now_millis(&self) -> i64 {
        self.epoch_millis.saturating_add(i64::try_from(self.start.elapsed().as_millis()).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let clock = ManualClock::new(1_000);
        clock.clone().advance(Duration::from_secs(2));
        assert_eq!(clock.now_millis(), 3_000);
        clock.set(5);
        assert_eq!(clock.now_millis(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn a_sim_clock_follows_paused_time() {
        let env = sim_env(1, 1_700_000_000_000);
        assert_eq!(env.clock.now_millis(), 1_700_000_000_000);
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        assert_eq!(env.clock.now_millis(), 1_700_003_600_000);
    }
}
