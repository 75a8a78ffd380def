//! A channel bounded in bytes: back-pressure reaches whoever fills it before memory is gone.
//!
//! Every item comes with its weight. An item heavier than the limit passes alone. Items of one sender
//! arrive in order; all senders are served in the order in which they asked for room.

use tokio::sync::mpsc;

use crate::{MemoryBudget, Reservation};

/// The sending half. Clones send into the same channel.
#[derive(Debug)]
pub struct Sender<T> {
    items: mpsc::UnboundedSender<(T, Reservation)>,
    budget: MemoryBudget,
}

/// The receiving half. Dropping it closes the channel.
#[derive(Debug)]
pub struct Receiver<T> {
    items: mpsc::UnboundedReceiver<(T, Reservation)>,
    budget: MemoryBudget,
}

/// The receiver has gone; the item comes back.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the channel is closed")]
pub struct Closed<T>(pub T);

/// A channel that holds items of `limit_bytes` together.
pub fn bounded<T>(limit_bytes: usize) -> (Sender<T>, Receiver<T>) {
    let budget = MemoryBudget::new(limit_bytes);
    // The budget bounds it: every item in it holds a reservation of at least one byte.
    let (sender, receiver) = mpsc::unbounded_channel();
    (Sender { items: sender, budget: budget.clone() }, Receiver { items: receiver, budget })
}

// === impl Sender ===

impl<T> Sender<T> {
    /// Waits for room of `weight_bytes` (at least 1) and sends. Dropping the future before it is ready sends
    /// nothing.
    ///
    /// # Errors
    /// [`Closed`] with the item when the receiver has gone, before or during the wait.
    pub async fn send(&self, item: T, weight_bytes: usize) -> Result<(), Closed<T>> {
        let room = tokio::select! {
            biased;
            () = self.items.closed() => return Err(Closed(item)),
            room = self.budget.reserve(weight_bytes.max(1)) => room,
        };
        self.items.send((item, room)).map_err(|refused| Closed(refused.0.0))
    }

    /// Returns when the receiver has gone.
    pub async fn closed(&self) {
        self.items.closed().await;
    }

    /// Bytes queued as a share of the limit, 0 to 1.
    pub fn fill(&self) -> f64 {
        self.budget.fraction().min(1.0)
    }

    /// Bytes queued.
    pub fn queued_bytes(&self) -> usize {
        self.budget.used()
    }

    /// Bytes the channel holds at most, a single heavier item aside.
    pub fn limit_bytes(&self) -> usize {
        self.budget.limit()
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self { items: self.items.clone(), budget: self.budget.clone() }
    }
}

// === impl Receiver ===

impl<T> Receiver<T> {
    /// The next item; none once every sender has gone and the channel is empty. Cancel-safe.
    pub async fn recv(&mut self) -> Option<T> {
        self.items.recv().await.map(|(item, _room)| item)
    }

    /// Bytes queued as a share of the limit, 0 to 1.
    pub fn fill(&self) -> f64 {
        self.budget.fraction().min(1.0)
    }

    /// Bytes queued.
    pub fn queued_bytes(&self) -> usize {
        self.budget.used()
    }

    /// Bytes the channel holds at most, a single heavier item aside.
    pub fn limit_bytes(&self) -> usize {
        self.budget.limit()
    }
}

#[cfg(test)]
mod tests;
