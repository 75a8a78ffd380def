//! One budget of bytes, shared by all who hold data: the process's memory bound.
//!
//! Reservations are granted in the order they are asked for. One larger than the whole budget is granted
//! alone, because refusing it for ever would stop the pipeline; so `used` exceeds `limit` only by a single
//! oversized reservation, or by what holders report afterwards through [`Reservation::resize`].

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// A budget of bytes. Clones share it.
#[derive(Clone, Debug)]
pub struct MemoryBudget {
    shared: Arc<Shared>,
}

/// Bytes held of a [`MemoryBudget`]; dropping returns them.
#[derive(Debug)]
#[must_use = "dropping a reservation returns its bytes"]
pub struct Reservation {
    bytes: usize,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    limit: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    used: usize,
    /// Who waits, first come first. A closed grant is a waiter that has gone.
    waiting: VecDeque<Waiter>,
}

#[derive(Debug)]
struct Waiter {
    bytes: usize,
    grant: oneshot::Sender<Reservation>,
}

/// A waiter's side; when it is dropped unserved, whoever stood behind it is looked at again.
struct Waiting {
    granted: oneshot::Receiver<Reservation>,
    shared: Arc<Shared>,
}

// === impl MemoryBudget ===

impl MemoryBudget {
    /// A budget of `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self { shared: Arc::new(Shared { limit, state: Mutex::default() }) }
    }

    /// Takes `bytes` now, or not at all when they do not fit or others wait for theirs.
    pub fn try_reserve(&self, bytes: usize) -> Option<Reservation> {
        let mut state = self.shared.state();
        if !state.waiting.is_empty() || !self.shared.fits(&state, bytes) {
            return None;
        }
        state.used += bytes;
        Some(Reservation { bytes, shared: Arc::clone(&self.shared) })
    }

    /// Takes `bytes` as soon as they fit and everybody who asked before has been served. More than the whole
    /// budget is granted when nothing else is held. Dropping the future gives up the place in line.
    pub async fn reserve(&self, bytes: usize) -> Reservation {
        if let Some(reservation) = self.try_reserve(bytes) {
            return reservation;
        }
        let (grant, granted) = oneshot::channel();
        let mut waiting = Waiting { granted, shared: Arc::clone(&self.shared) };
        self.shared.state().waiting.push_back(Waiter { bytes, grant });
        // Bytes may have come back since the attempt above.
        self.shared.serve();
        match (&mut waiting.granted).await {
            Ok(reservation) => reservation,
            // A waiter is only ever removed by its grant or after this future has gone.
            Err(_) => std::future::pending().await,
        }
    }

    /// Bytes held now.
    pub fn used(&self) -> usize {
        self.shared.state().used
    }

    /// Bytes in all.
    pub fn limit(&self) -> usize {
        self.shared.limit
    }

    /// `used / limit`; above 1 only as the module says.
    pub fn fraction(&self) -> f64 {
        if self.shared.limit == 0 {
            return 1.0;
        }
        self.used() as f64 / self.shared.limit as f64
    }
}

// === impl Reservation ===

impl Reservation {
    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Corrects the bytes to what is held in fact. Growing never waits, because the memory is in use already;
    /// it delays those who ask next.
    pub fn resize(&mut self, bytes: usize) {
        let mut state = self.shared.state();
        state.used = state.used - self.bytes + bytes;
        let shrunk = bytes < self.bytes;
        self.bytes = bytes;
        drop(state);
        if shrunk {
            self.shared.serve();
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.shared.state().used -= self.bytes;
        self.shared.serve();
    }
}

// === impl Shared ===

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fits(&self, state: &State, bytes: usize) -> bool {
        state.used == 0 || state.used.checked_add(bytes).is_some_and(|sum| sum <= self.limit)
    }

    /// Grants to the front of the line while it fits.
    fn serve(self: &Arc<Self>) {
        loop {
            let mut state = self.state();
            while state.waiting.front().is_some_and(|waiter| waiter.grant.is_closed()) {
                state.waiting.pop_front();
            }
            match state.waiting.front() {
                Some(waiter) if self.fits(&state, waiter.bytes) => {}
                _ => return,
            }
            let Some(waiter) = state.waiting.pop_front() else { return };
            state.used += waiter.bytes;
            // Outside the lock: a waiter that left meanwhile drops its reservation, which takes the lock.
            drop(state);
            drop(waiter.grant.send(Reservation { bytes: waiter.bytes, shared: Arc::clone(self) }));
        }
    }
}

// === impl Waiting ===

impl Drop for Waiting {
    fn drop(&mut self) {
        self.granted.close();
        drop(self.granted.try_recv());
        self.shared.serve();
    }
}

#[cfg(test)]
mod tests;
