//! What a start still waits for, by name.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

/// A set of named latches; ready once every one is released. Clones share the set.
#[derive(Clone, Debug, Default)]
pub struct LatchSet {
    held: Arc<Mutex<Vec<String>>>,
    changed: watch::Sender<()>,
}

/// One condition of readiness. Dropping it without [`Latch::release`] leaves the set unready: what was
/// waited for can no longer happen.
#[derive(Debug)]
pub struct Latch {
    name: String,
    set: LatchSet,
}

// === impl LatchSet ===

impl LatchSet {
    /// An empty set, which is ready.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a condition; the set is unready until it is released.
    pub fn latch(&self, name: impl Into<String>) -> Latch {
        let name = name.into();
        self.held.lock().unwrap_or_else(PoisonError::into_inner).push(name.clone());
        Latch { name, set: self.clone() }
    }

    /// Whether every latch is released.
    pub fn is_ready(&self) -> bool {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// The names still held, in the order they were added.
    pub fn waiting_for(&self) -> Vec<String> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns when every latch is released.
    pub async fn ready(&self) {
        let mut changed = self.changed.subscribe();
        while !self.is_ready() {
            // The sender lives in `self`, so this cannot fail.
            let _ = changed.changed().await;
        }
    }
}

// === impl Latch ===

impl Latch {
    /// The condition is met.
    pub fn release(self) {
        let mut held = self.set.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = held.iter().position(|name| *name == self.name) {
            held.remove(at);
        }
        drop(held);
        self.set.changed.send_replace(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn ready_when_the_last_latch_goes() {
        let set = LatchSet::new();
        assert!(set.is_ready());
        let (table, claim) = (set.latch("table"), set.latch("claim"));
        let mut ready = Box::pin(set.ready());
        claim.release();
        assert!(futures::poll!(&mut ready).is_pending());
        assert_eq!(set.waiting_for(), ["table"]);
        table.release();
        ready.await;
        assert!(set.is_ready());
    }

    #[test]
    fn a_dropped_latch_keeps_the_set_unready() {
        let set = LatchSet::new();
        drop(set.latch("catalog"));
        assert_eq!(set.waiting_for(), ["catalog"]);
    }
}
