//! SIGTERM and SIGINT: the first asks for a drain, the second ends it.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{info, warn};
use tributary_runtime::Drain;

use crate::failure::{CommandError, Failure};

/// The signals that ask for an end.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

// === impl Signals ===

impl Signals {
    /// From here on the signals no longer kill the process by themselves.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let listen =
            |kind| signal(kind).map_err(|source| CommandError::Io { doing: "listen for signals".to_owned(), source });
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    /// Turns every signal into a request to `drain`; never returns.
    pub(crate) async fn pass_on(mut self, drain: Drain, deadline: Duration) {
        loop {
            let name = tokio::select! {
                _ = self.terminate.recv() => "SIGTERM",
                _ = self.interrupt.recv() => "SIGINT",
            };
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
