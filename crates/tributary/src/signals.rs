//! SIGTERM and SIGINT: the first asks for a drain, the second ends it.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;
use tracing::{info, warn};
use tributary_runtime::Drain;

use crate::failure::{CommandError, Failure};

/// So soon after the first a signal repeats it: `timeout` signals its child, and its child's group with it.
const REPEAT: Duration = Duration::from_millis(500);

/// Whether a signal only says the first one again.
fn repeats(first: Option<Instant>, now: Instant) -> bool {
    first.is_some_and(|first| now.duration_since(first) < REPEAT)
}

/// The signals that ask for an end.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// When the first came.
    first: Option<Instant>,
}

// === impl Signals ===

impl Signals {
    /// From here on the signals no longer kill the process by themselves.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let listen =
            |kind| signal(kind).map_err(|source| CommandError::Io { doing: "listen for signals".to_owned(), source });
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            first: None,
        })
    }

    /// The name of the next signal.
    pub(crate) async fn received(&mut self) -> &'static str {
        loop {
            let name = tokio::select! {
                _ = self.terminate.recv() => "SIGTERM",
                _ = self.interrupt.recv() => "SIGINT",
            };
            let now = Instant::now();
            if !repeats(self.first, now) {
                self.first.get_or_insert(now);
                return name;
            }
        }
    }

    /// Turns every signal into a request to `drain`; never returns.
    pub(crate) async fn pass_on(mut self, drain: Drain, deadline: Duration) {
        loop {
            let name = self.received().await;
            drain.request(deadline);
            match drain.is_hard() {
                false => info!(
                    signal = name,
                    deadline_seconds = deadline.as_secs_f64(),
                    "drains: commits what was read; a second signal stops at once"
                ),
                true => warn!(signal = name, "stops at once; what is not committed is read again next time"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_follows_the_first_at_once_is_no_second_signal() {
        let first = Instant::now();
        assert!(!repeats(None, first));
        for (millis, repeat) in [(0, true), (499, true), (500, false), (600, false), (60_000, false)] {
            assert_eq!(repeats(Some(first), first + Duration::from_millis(millis)), repeat, "{millis} ms");
        }
    }
}
