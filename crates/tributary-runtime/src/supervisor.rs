//! Tasks that belong together: each has a name, and the first failure ends the rest.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{Classify, FailureKind, Panicked};

/// Owns a group of tasks. Dropping it ends them at their next await.
///
/// Cancelling drops a task's future where it waits; a task with something to finish first is ended by
/// [`Drain`](crate::Drain) instead.
#[derive(Debug)]
pub struct Supervisor<E> {
    tasks: JoinSet<()>,
    cancelled: CancellationToken,
    first: Arc<Mutex<Option<TaskFailure<E>>>>,
}

/// Why a group of tasks ended early.
#[derive(Debug)]
pub enum TaskFailure<E> {
    /// The task returned an error.
    Failed {
        /// The task's name.
        task: String,
        /// Its error.
        error: E,
    },
    /// The task panicked.
    Panicked {
        /// The task's name.
        task: String,
        /// What the panic said.
        panic: Panicked,
    },
}

// === impl Supervisor ===

impl<E: Send + 'static> Supervisor<E> {
    /// A group without tasks.
    pub fn new() -> Self {
        Self { tasks: JoinSet::new(), cancelled: CancellationToken::new(), first: Arc::default() }
    }

    /// Starts a task on the current tokio runtime. Must be called from within one.
    pub fn spawn<F>(&mut self, name: impl Into<String>, task: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
    {
        let (name, cancelled, first) = (name.into(), self.cancelled.clone(), Arc::clone(&self.first));
        self.tasks.spawn(async move {
            let guarded = AssertUnwindSafe(task).catch_unwind();
            let outcome = tokio::select! {
                biased;
                () = cancelled.cancelled() => return,
                outcome = guarded => outcome,
            };
            let failure = match outcome {
                Ok(Ok(())) => {
                    tracing::debug!(task = name, "task ended");
                    return;
                }
                Ok(Err(error)) => TaskFailure::Failed { task: name, error },
                Err(payload) => TaskFailure::Panicked { task: name, panic: Panicked::from_payload(&*payload) },
            };
            first.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
            cancelled.cancel();
        });
    }

    /// Ends every task at its next await, without counting as a failure.
    pub fn cancel(&self) {
        self.cancelled.cancel();
    }

    /// Is cancelled when the group is: by the first failure or by [`Supervisor::cancel`].
    pub fn token(&self) -> CancellationToken {
        self.cancelled.clone()
    }

    /// Waits until every task has ended. Cancel-safe.
    ///
    /// # Errors
    /// The first failure in time; the tasks it cancelled have ended by then.
    pub async fn join(&mut self) -> Result<(), TaskFailure<E>> {
        while self.tasks.join_next().await.is_some() {}
        self.first.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
    }
}

impl<E: Send + 'static> Default for Supervisor<E> {
    fn default() -> Self {
        Self::new()
    }
}

// === impl TaskFailure ===

impl<E> TaskFailure<E> {
    /// The name of the task that failed.
    pub fn task(&self) -> &str {
        match self {
            Self::Failed { task, .. } | Self::Panicked { task, .. } => task,
        }
    }
}

impl<E> fmt::Display for TaskFailure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { task, .. } => write!(f, "task `{task}` failed"),
            Self::Panicked { task, .. } => write!(f, "task `{task}` panicked"),
        }
    }
}

impl<E: Error + 'static> Error for TaskFailure<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed { error, .. } => Some(error),
            Self::Panicked { panic, .. } => Some(panic),
        }
    }
}

impl<E: Classify + 'static> Classify for TaskFailure<E> {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Failed { error, .. } => error.kind(),
            Self::Panicked { panic, .. } => panic.kind(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use tokio::sync::oneshot;

    #[derive(Debug, PartialEq, Eq, thiserror::Error)]
    #[error("no {0}")]
    struct No(&'static str);

    #[tokio::test]
    async fn ends_well_when_every_task_does() {
        let mut group = Supervisor::<No>::new();
        for name in ["a", "b"] {
            group.spawn(name, async { Ok(()) });
        }
        assert!(group.join().await.is_ok());
    }

    #[tokio::test]
    async fn the_first_failure_ends_the_rest_and_is_returned() {
        let mut group = Supervisor::new();
        let (dropped, was_dropped) = oneshot::channel::<()>();
        group.spawn("waits", async move {
            let _held = dropped;
            std::future::pending().await
        });
        group.spawn("fails", async { Err(No("table")) });
        let failure = group.join().await.unwrap_err();
        assert_eq!(failure.to_string(), "task `fails` failed");
        assert_eq!(failure.source().unwrap().to_string(), "no table");
        assert!(was_dropped.await.is_err());
    }

    #[tokio::test]
    async fn a_panic_is_an_error_that_names_the_task() {
        let mut group = Supervisor::<No>::new();
        group.spawn("waits", std::future::pending());
        group.spawn("sealer", async { panic!("off by one") });
        let failure = group.join().await.unwrap_err();
        assert_eq!((failure.task(), failure.to_string().as_str()), ("sealer", "task `sealer` panicked"));
        assert_eq!(failure.source().unwrap().to_string(), "panicked: off by one");
    }

    #[tokio::test]
    async fn cancel_is_no_failure() {
        let mut group = Supervisor::<No>::new();
        group.spawn("waits", std::future::pending());
        group.cancel();
        assert!(group.join().await.is_ok());
        assert!(group.token().is_cancelled());
    }
}
