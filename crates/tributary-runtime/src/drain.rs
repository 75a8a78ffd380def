//! An orderly stop: asked once, work ends within a deadline; asked twice, it stops where it stands.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// The request to stop, and how much time is left for it. Clones share it.
#[derive(Clone, Debug)]
pub struct Drain {
    state: watch::Sender<State>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Running,
    Draining { until: Instant },
    Hard,
}

// === impl Drain ===

impl Drain {
    /// Nothing is requested yet.
    pub fn new() -> Self {
        Self { state: watch::Sender::new(State::Running) }
    }

    /// Asks for a drain that ends within `deadline` from now. A second request is a hard stop.
    pub fn request(&self, deadline: Duration) {
        self.state.send_modify(|state| {
            *state = match state {
                State::Running => State::Draining { until: Instant::now() + deadline },
                State::Draining { .. } | State::Hard => State::Hard,
            }
        });
    }

    /// Whether a stop of either kind was requested.
    pub fn is_requested(&self) -> bool {
        *self.state.borrow() != State::Running
    }

    /// Whether the second request has come.
    pub fn is_hard(&self) -> bool {
        *self.state.borrow() == State::Hard
    }

    /// Time left until the deadline: none before a request, zero after the deadline or a hard stop.
    pub fn remaining(&self) -> Option<Duration> {
        match *self.state.borrow() {
            State::Running => None,
            State::Draining { until } => Some(until.saturating_duration_since(Instant::now())),
            State::Hard => Some(Duration::ZERO),
        }
    }

    /// Returns when a stop of either kind is requested; at once if it was.
    pub async fn requested(&self) {
        self.reached(|state| *state != State::Running).await;
    }

    /// Returns at the second request; at once if it has come.
    pub async fn hard(&self) {
        self.reached(|state| *state == State::Hard).await;
    }

    /// Returns when the time for draining is over: at the deadline or at the second request.
    pub async fn expired(&self) {
        self.requested().await;
        tokio::select! {
            biased;
            () = self.hard() => {}
            () = tokio::time::sleep(self.remaining().unwrap_or_default()) => {}
        }
    }

    async fn reached(&self, condition: impl FnMut(&State) -> bool) {
        // The sender lives in `self`, so this cannot fail.
        let _ = self.state.subscribe().wait_for(condition).await;
    }
}

impl Default for Drain {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEADLINE: Duration = Duration::from_secs(25);

    #[tokio::test(start_paused = true)]
    async fn the_first_request_starts_a_deadline() {
        let drain = Drain::new();
        assert_eq!((drain.is_requested(), drain.remaining()), (false, None));
        let mut requested = Box::pin(drain.requested());
        assert!(futures::poll!(&mut requested).is_pending());
        drain.clone().request(DEADLINE);
        requested.await;
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(drain.remaining(), Some(Duration::from_secs(20)));
        assert!(!drain.is_hard());
        drain.expired().await;
        assert_eq!(drain.remaining(), Some(Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn the_second_request_is_a_hard_stop() {
        let drain = Drain::new();
        drain.request(DEADLINE);
        let mut expired = Box::pin(drain.expired());
        assert!(futures::poll!(&mut expired).is_pending());
        drain.request(DEADLINE);
        expired.await;
        drain.hard().await;
        assert_eq!((drain.is_hard(), drain.remaining()), (true, Some(Duration::ZERO)));
    }
}
