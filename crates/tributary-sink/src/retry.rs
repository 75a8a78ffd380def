//! Waiting between tries against a store that fails.

use tributary_runtime::{Backoff, Drain, Random};

/// How a pipeline tries again.
#[derive(Clone)]
pub(crate) struct Retry {
    pub(crate) backoff: Backoff,
    pub(crate) drain: Drain,
    pub(crate) random: Random,
}

/// The waits between the tries of one operation. A drain ends the wait it meets and starts over with short ones: its
/// deadline has no room for those of a long outage.
pub(crate) struct Waits {
    retry: Retry,
    waited: u32,
    is_draining: bool,
}

// === impl Retry ===

impl Retry {
    pub(crate) fn waits(&self) -> Waits {
        Waits { retry: self.clone(), waited: 0, is_draining: false }
    }
}

// === impl Waits ===

impl Waits {
    /// Waits until the next try is due.
    pub(crate) async fn next(&mut self) {
        let delay = self.retry.backoff.delay(self.waited, &self.retry.random);
        self.waited += 1;
        tokio::select! {
            biased;
            () = self.retry.drain.requested(), if !self.is_draining => {
                self.is_draining = true;
                self.waited = 0;
            }
            () = tokio::time::sleep(delay) => {}
        }
    }
}
