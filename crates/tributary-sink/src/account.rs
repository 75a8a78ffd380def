//! What the sink holds of the memory budget besides the batches that wait in the channel.
//!
//! Lanes never wait for memory: they report what they hold, and the source waits while that is too much. So no
//! lane can block another one, and the budget empties by itself as uploads finish.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tributary_runtime::{MemoryBudget, Reservation};

/// The sink's account with the budget. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    budget: MemoryBudget,
    held: Mutex<Reservation>,
    /// Of `held`, bytes that are on their way to the store and need nobody's help to be freed.
    leaving: AtomicUsize,
    /// Budget use from which writers are flushed early.
    pressure_bytes: usize,
}

/// Bytes held by one owner; given back on drop.
#[derive(Debug)]
pub(crate) struct Held {
    account: Account,
    bytes: usize,
    leaving: bool,
}

// === impl Account ===

impl Account {
    pub(crate) async fn open(budget: MemoryBudget, pressure_bytes: usize) -> Self {
        let held = Mutex::new(budget.reserve(0).await);
        Self { shared: Arc::new(Shared { budget, held, leaving: AtomicUsize::new(0), pressure_bytes }) }
    }

    /// An owner that holds nothing yet.
    pub(crate) fn holder(&self) -> Held {
        Held { account: self.clone(), bytes: 0, leaving: false }
    }

    /// Bytes that have to be flushed to get below the pressure mark, those already leaving counted as gone. Above the
    /// limit they are not: a slow store keeps them, and an open writer is larger than the file it ends as.
    pub(crate) fn excess(&self) -> usize {
        let leaving = self.shared.leaving.load(Ordering::Relaxed);
        let used = self.shared.budget.used();
        let above_limit = used.saturating_sub(self.shared.budget.limit());
        used.saturating_sub(self.shared.pressure_bytes).saturating_sub(leaving).max(above_limit)
    }

    fn change(&self, from: usize, to: usize) {
        let mut held = self.shared.held.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = held.bytes() - from + to;
        held.resize(bytes);
    }
}

// === impl Held ===

impl Held {
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn resize(&mut self, bytes: usize) {
        if bytes == self.bytes {
            return;
        }
        self.account.change(self.bytes, bytes);
        if self.leaving {
            self.account.shared.leaving.fetch_add(bytes, Ordering::Relaxed);
            self.account.shared.leaving.fetch_sub(self.bytes, Ordering::Relaxed);
        }
        self.bytes = bytes;
    }

    /// Whether the bytes free themselves.
    pub(crate) fn set_leaving(&mut self, leaving: bool) {
        match (self.leaving, leaving) {
            (false, true) => self.account.shared.leaving.fetch_add(self.bytes, Ordering::Relaxed),
            (true, false) => self.account.shared.leaving.fetch_sub(self.bytes, Ordering::Relaxed),
            _ => return,
        };
        self.leaving = leaving;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.set_leaving(false);
        self.resize(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn excess_is_what_no_upload_will_free() {
        let budget = MemoryBudget::new(100);
        let account = Account::open(budget.clone(), 80).await;
        let (mut writer, mut upload) = (account.holder(), account.holder());
        writer.resize(70);
        upload.resize(25);
        assert_eq!((budget.used(), account.excess()), (95, 15));
        upload.set_leaving(true);
        assert_eq!(account.excess(), 0);
        upload.resize(35);
        assert_eq!((budget.used(), account.excess()), (105, 5), "a slow store");
        upload.resize(5);
        assert_eq!((budget.used(), account.excess()), (75, 0));
        writer.resize(90);
        assert_eq!(account.excess(), 10);
        drop((writer, upload));
        assert_eq!((budget.used(), account.excess()), (0, 0));
    }
}
