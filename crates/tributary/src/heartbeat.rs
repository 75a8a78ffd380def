//! Liveness: does the runtime still turn?
//!
//! A task on the pipelines' runtime beats once a second. The HTTP thread, which has a runtime of its own,
//! looks at how long ago that was: dead-locked or blocked workers stop the beat, a slow store does not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use tributary_http::Check;

const PERIOD: Duration = Duration::from_secs(1);

/// Far above what a busy machine does to a runtime, far below what an operator would wait.
const MAX_SILENCE: Duration = Duration::from_secs(30);

/// When the runtime last turned. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Heartbeat {
    start: Instant,
    /// Milliseconds after `start`.
    last: Arc<AtomicU64>,
}

// === impl Heartbeat ===

impl Heartbeat {
    /// The first beat is now.
    pub(crate) fn start() -> Self {
        Self { start: Instant::now(), last: Arc::default() }
    }

    /// Beats until dropped. Run it on the runtime to watch.
    pub(crate) async fn beat(self) {
        loop {
            let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.last.store(now, Ordering::Relaxed);
            tokio::time::sleep(PERIOD).await;
        }
    }

    /// The check of `/livez`.
    pub(crate) fn check(&self) -> Check {
        let last = Duration::from_millis(self.last.load(Ordering::Relaxed));
        let silence = self.start.elapsed().saturating_sub(last);
        match silence <= MAX_SILENCE {
            true => Check::passed("runtime", ""),
            false => {
                Check::failed("runtime", format!("has not turned for {} s; restart the process", silence.as_secs()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_runtime_that_does_not_turn_is_not_alive() {
        let heartbeat = Heartbeat::start();
        assert!(tokio::time::timeout(Duration::from_secs(100), heartbeat.clone().beat()).await.is_err());
        assert!(heartbeat.check().is_passed());
        tokio::time::advance(Duration::from_secs(32)).await;
        let check = heartbeat.check();
        assert!(!check.is_passed());
        assert_eq!(check.detail(), "has not turned for 32 s; restart the process");
    }
}
