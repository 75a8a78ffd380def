//! Where CPU work runs: encoding, compression, sorting and row generation never occupy an async worker.
//!
//! In production a fixed set of named threads takes jobs in the order of [`Executor::run`]. In a
//! simulation the job runs on the spot, so one thread and a seed determine everything.

use std::any::Any;
use std::fmt;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::{Classify, FailureKind};

type Job = Box<dyn FnOnce() + Send>;

/// Added to the nice value of threads in the background: a thread of the rest gets nine times as much of a processor that
/// both want, and does not wait for theirs to give it up.
#[cfg(target_os = "linux")]
const BACKGROUND_NICE: i32 = 10;

/// Runs CPU work. Clones share the threads; the last one to go ends them when the queue is empty.
///
/// The queue itself is not bounded: every caller waits for its own job, and what a job holds in memory
/// is the caller's to account for.
#[derive(Clone)]
pub struct Executor {
    mode: Mode,
}

#[derive(Clone)]
enum Mode {
    Inline,
    Threads(mpsc::Sender<Job>),
}

/// A job or task panicked: a defect, told as an error so that the process ends in order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("panicked: {message}")]
pub struct Panicked {
    message: String,
}

// === impl Executor ===

impl Executor {
    /// `count` threads of its own, named `tributary-cpu-N`.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn try_threads(count: NonZeroUsize) -> std::io::Result<Self> {
        Self::threads(count, "tributary-cpu", || ())
    }

    /// The same for work that others must not have to wait for, named `tributary-bg-N`. On Linux the threads have a lower
    /// priority.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn try_background_threads(count: NonZeroUsize) -> std::io::Result<Self> {
        Self::threads(count, "tributary-bg", || {
            // Linux has a nice value a thread. Where a sandbox refuses, the work is done all the same.
            #[cfg(target_os = "linux")]
            let _unchanged = rustix::process::nice(BACKGROUND_NICE);
        })
    }

    fn threads(count: NonZeroUsize, name: &str, begin: fn()) -> std::io::Result<Self> {
        let (queue, jobs) = mpsc::channel::<Job>();
        let jobs = Arc::new(Mutex::new(jobs));
        for n in 0..count.get() {
            let jobs = Arc::clone(&jobs);
            std::thread::Builder::new().name(format!("{name}-{n}")).spawn(move || {
                begin();
                loop {
                    // One idle thread waits inside the lock, the others for the lock: first come, first served.
                    let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    match job {
                        Ok(job) => job(),
                        Err(mpsc::RecvError) => return,
                    }
                }
            })?;
        }
        Ok(Self { mode: Mode::Threads(queue) })
    }

    /// Runs every job on the calling thread, after yielding to the other tasks once.
    pub fn inline() -> Self {
        Self { mode: Mode::Inline }
    }

    /// Runs `job` and returns its result. Dropping the future does not stop a job; its result is dropped then.
    ///
    /// # Errors
    /// [`Panicked`] when the job did.
    pub async fn run<T, F>(&self, job: F) -> Result<T, Panicked>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let guarded = move || catch_unwind(AssertUnwindSafe(job)).map_err(|payload| Panicked::from_payload(&*payload));
        match &self.mode {
            Mode::Inline => {
                tokio::task::yield_now().await;
                guarded()
            }
            Mode::Threads(queue) => {
                let (reply, result) = oneshot::channel();
                let job: Job = Box::new(move || {
                    // The caller may have gone; then nobody wants the result.
                    let _ = reply.send(guarded());
                });
                queue.send(job).map_err(|_| Panicked::no_thread())?;
                result.await.unwrap_or_else(|_| Err(Panicked::no_thread()))
            }
        }
    }
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.mode {
            Mode::Inline => "Executor(inline)",
            Mode::Threads(_) => "Executor(threads)",
        })
    }
}

// === impl Panicked ===

impl Panicked {
    /// What the panic said.
    pub fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn from_payload(payload: &(dyn Any + Send)) -> Self {
        let message = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a panic without text".to_owned());
        Self { message }
    }

    fn no_thread() -> Self {
        Self { message: "no executor thread is left".to_owned() }
    }
}

impl Classify for Panicked {
    fn kind(&self) -> FailureKind {
        FailureKind::Internal
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    fn threads(n: usize) -> Executor {
        Executor::try_threads(NonZeroUsize::new(n).unwrap()).unwrap()
    }

    #[tokio::test]
    async fn runs_on_named_threads_or_on_the_spot() {
        let name = || std::thread::current().name().map(str::to_owned);
        assert_eq!(threads(1).run(name).await.unwrap().unwrap(), "tributary-cpu-0");
        assert_eq!(Executor::inline().run(name).await.unwrap(), name());
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn threads_in_the_background_give_way_and_the_others_do_not() {
        let nice = || rustix::process::getpriority_process(None).unwrap();
        let background = Executor::try_background_threads(NonZeroUsize::MIN).unwrap();
        assert_eq!(background.run(nice).await.unwrap(), (nice() + BACKGROUND_NICE).min(19));
        assert_eq!(threads(1).run(nice).await.unwrap(), nice());
    }

    #[tokio::test]
    async fn one_thread_runs_jobs_in_the_order_of_run() {
        let executor = threads(1);
        let seen = Arc::new(Mutex::new(Vec::new()));
        let jobs = (0..100).map(|n| {
            let seen = Arc::clone(&seen);
            executor.run(move || seen.lock().unwrap().push(n))
        });
        futures::future::join_all(jobs).await;
        assert_eq!(*seen.lock().unwrap(), (0..100).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_panic_is_an_error_and_the_thread_lives_on() {
        for executor in [threads(1), Executor::inline()] {
            let failed = executor.run(|| -> u8 { panic!("boom {}", 1) }).await;
            assert_eq!(failed.unwrap_err().to_string(), "panicked: boom 1");
            assert_eq!(executor.run(|| 2).await, Ok(2));
        }
    }

    #[tokio::test]
    async fn a_job_whose_caller_left_still_runs() {
        let executor = threads(1);
        let (started, wait) = std::sync::mpsc::channel::<()>();
        let ran = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let flag = Arc::clone(&ran);
        let mut job = Box::pin(executor.run(move || {
            wait.recv().unwrap();
            flag.store(true, std::sync::atomic::Ordering::SeqCst);
        }));
        assert!(futures::poll!(&mut job).is_pending());
        drop(job);
        started.send(()).unwrap();
        executor.run(|| ()).await.unwrap();
        assert!(ran.load(std::sync::atomic::Ordering::SeqCst));
    }
}
