//! An object store that misbehaves as told: a wrapper around any other one.
//!
//! Every call gets a number, counted from 1 in the order of arrival, and is shown to the plan, which answers
//! with a [`Fault`]. Whatever the fault, the caller sees what a network would show: an error before and after
//! the effect read the same, so nothing under test can tell them apart.
//!
//! Beside the plan a test can stop the process at a call ([`FaultStore::crash_at`]), hold calls back
//! ([`FaultStore::hold`]) and fill the disk ([`FaultStore::set_disk_full`]). Multipart uploads count each part,
//! the completion and the abort as calls of their own; lists and deletes are judged when they are polled.

mod multipart;
mod store;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use object_store::path::Path;
use object_store::{Error, ObjectStore, Result};
use tokio::sync::watch;
use tributary_runtime::Random;

/// What a call asks of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Op {
    /// A put that overwrites, or updates by version.
    Put,
    /// A put that must create.
    Create,
    /// The start of a multipart upload.
    StartMultipart,
    /// One part of a multipart upload.
    PutPart,
    /// The end of a multipart upload: the object appears.
    CompleteMultipart,
    /// A multipart upload given up.
    AbortMultipart,
    /// A get of a whole object or of one range.
    Get,
    /// A get of metadata only.
    Head,
    /// A listing of any form.
    List,
    /// A delete of one object.
    Delete,
    /// A copy.
    Copy,
    /// A rename.
    Rename,
}

/// One call, as the plan and the log see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its place in the order of arrival, from 1.
    pub number: u64,
    /// What it asks.
    pub op: Op,
    /// The object or prefix; empty for a list of everything.
    pub path: Path,
    /// Bytes of payload it carries.
    pub bytes: usize,
}

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing out of the ordinary.
    None,
    /// An error, and the store did nothing.
    ErrorBefore,
    /// An error, although the store did it: the reply was lost.
    ErrorAfter,
    /// It takes this long.
    Delay(Duration),
    /// It is delivered twice, as by a client that retries after a lost reply; the second answer is returned.
    /// Multipart parts and completions are delivered once.
    Duplicate,
    /// An error now; a write lands this much later all the same. Reads just fail.
    Late(Duration),
    /// It never answers and has no effect.
    Hang,
    /// Refused for want of space.
    DiskFull,
    /// Refused for want of permission.
    Denied,
}

/// Before or after the effect of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The store has not done it.
    BeforeEffect,
    /// The store has done it, the caller does not learn it.
    AfterEffect,
}

/// How often a seeded plan picks each fault, as probabilities whose sum is at most 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FaultRates {
    /// [`Fault::ErrorBefore`].
    pub error_before: f64,
    /// [`Fault::ErrorAfter`].
    pub error_after: f64,
    /// [`Fault::Delay`].
    pub delay: f64,
    /// [`Fault::Duplicate`].
    pub duplicate: f64,
    /// [`Fault::Late`].
    pub late: f64,
    /// The longest wait of a delayed or late call; each is uniform below it.
    pub longest_wait: Duration,
}

/// Calls by kind, and the payload they carried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Number of calls of each kind; kinds that never came are absent.
    pub calls: BTreeMap<Op, u64>,
    /// Bytes of payload of all puts and parts.
    pub bytes_put: u64,
}

/// A store that does to each call what a plan says. Clones are the same store.
#[derive(Clone)]
pub struct FaultStore {
    inner: Arc<dyn ObjectStore>,
    shared: Arc<Shared>,
    ignores_conditions: bool,
}

/// Calls held back; dropping it releases them, too.
#[derive(Debug)]
pub struct Hold {
    /// How many calls have arrived at the hold.
    arrived: watch::Sender<u64>,
    released: watch::Sender<bool>,
}

type Plan = Box<dyn FnMut(&Call) -> Fault + Send>;
type Matcher = Box<dyn Fn(&Call) -> bool + Send>;

struct Shared {
    state: Mutex<State>,
    crashed: watch::Sender<bool>,
}

struct State {
    plan: Plan,
    log: Vec<Call>,
    holds: Vec<HeldCalls>,
    crash: Option<(u64, Moment)>,
    disk_full: bool,
}

struct HeldCalls {
    matches: Matcher,
    arrived: watch::Sender<u64>,
    released: watch::Receiver<bool>,
}

/// What the admission of a call decided.
enum Verdict {
    Apply(Fault),
    Crash(Moment),
}

// === impl FaultStore ===

impl FaultStore {
    /// A wrapper that only counts, until told otherwise.
    pub fn new(inner: Arc<dyn ObjectStore>) -> Self {
        Self::with_plan(inner, |_| Fault::None)
    }

    /// Every call is shown to `plan`, in the order of arrival.
    pub fn with_plan(inner: Arc<dyn ObjectStore>, plan: impl FnMut(&Call) -> Fault + Send + 'static) -> Self {
        let state = State { plan: Box::new(plan), log: Vec::new(), holds: Vec::new(), crash: None, disk_full: false };
        let shared = Shared { state: Mutex::new(state), crashed: watch::Sender::new(false) };
        Self { inner, shared: Arc::new(shared), ignores_conditions: false }
    }

    /// Faults at the given rates; the same for the same seed and order of calls.
    pub fn seeded(inner: Arc<dyn ObjectStore>, seed: u64, rates: FaultRates) -> Self {
        let random = Random::seeded(seed);
        Self::with_plan(inner, move |_| rates.draw(&random))
    }

    /// The same store without create-if-absent: what must create overwrites.
    pub fn ignoring_conditions(self) -> Self {
        Self { ignores_conditions: true, ..self }
    }

    /// Replaces the plan from the next call on.
    pub fn set_plan(&self, plan: impl FnMut(&Call) -> Fault + Send + 'static) {
        self.state().plan = Box::new(plan);
    }

    /// The process dies at call `number`: that call takes effect or not, and no call from it on is answered.
    /// Wait for [`FaultStore::crashed`], drop the process, and go on with another wrapper of the same store.
    pub fn crash_at(&self, number: u64, moment: Moment) {
        self.state().crash = Some((number, moment));
    }

    /// Returns when the call of [`FaultStore::crash_at`] has come.
    pub async fn crashed(&self) {
        // The sender lives in `self`, so this cannot fail.
        let _ = self.shared.crashed.subscribe().wait_for(|crashed| *crashed).await;
    }

    /// Whether the call of [`FaultStore::crash_at`] has come.
    pub fn is_crashed(&self) -> bool {
        *self.shared.crashed.borrow()
    }

    /// Holds back every call from now on that matches, before its fault and its effect.
    pub fn hold(&self, matches: impl Fn(&Call) -> bool + Send + 'static) -> Hold {
        let (arrived, (released, watching)) = (watch::Sender::new(0), watch::channel(false));
        let held = HeldCalls { matches: Box::new(matches), arrived: arrived.clone(), released: watching };
        self.state().holds.push(held);
        Hold { arrived, released }
    }

    /// While set, every put, part and completion is refused for want of space.
    pub fn set_disk_full(&self, full: bool) {
        self.state().disk_full = full;
    }

    /// Number of calls so far.
    pub fn call_count(&self) -> u64 {
        self.state().log.len() as u64
    }

    /// Every call so far, in the order of arrival.
    pub fn calls(&self) -> Vec<Call> {
        self.state().log.clone()
    }

    /// Calls by kind and bytes put, so far.
    pub fn counting(&self) -> Counts {
        let mut counts = Counts::default();
        for call in &self.state().log {
            *counts.calls.entry(call.op).or_default() += 1;
            counts.bytes_put += call.bytes as u64;
        }
        counts
    }

    /// The store underneath, to look at without being counted.
    pub fn inner(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Numbers a call, then lets it wait or die; returns what is to happen to it.
    async fn admit(&self, op: Op, path: &Path, bytes: usize) -> (u64, Verdict) {
        let (call, holds) = {
            let mut state = self.state();
            let call = Call { number: state.log.len() as u64 + 1, op, path: path.clone(), bytes };
            state.log.push(call.clone());
            let holds: Vec<_> = state.holds.iter().filter(|hold| (hold.matches)(&call)).collect();
            let holds: Vec<_> = holds.iter().map(|hold| (hold.arrived.clone(), hold.released.clone())).collect();
            (call, holds)
        };
        if self.is_crashed() {
            return std::future::pending().await;
        }
        for (arrived, mut released) in holds {
            arrived.send_modify(|count| *count += 1);
            // An error means that the hold was dropped, which releases.
            let _ = released.wait_for(|released| *released).await;
        }
        let mut state = self.state();
        let verdict = match state.crash {
            Some((number, moment)) if call.number == number => Verdict::Crash(moment),
            _ if state.disk_full && op.takes_space() => Verdict::Apply(Fault::DiskFull),
            _ => Verdict::Apply((state.plan)(&call)),
        };
        (call.number, verdict)
    }

    async fn die<T>(&self) -> T {
        self.shared.crashed.send_replace(true);
        std::future::pending().await
    }

    /// A reply on its way when the process died reaches nobody.
    async fn reply<T>(&self, reply: Result<T>) -> Result<T> {
        if self.is_crashed() {
            return std::future::pending().await;
        }
        reply
    }

    /// Admits a call and does to it what was decided. `effect` starts the call on the store underneath.
    async fn deliver<T, F, E>(&self, op: Op, path: &Path, bytes: usize, effect: E) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
        E: Fn() -> F + Send,
    {
        let (number, verdict) = self.admit(op, path, bytes).await;
        if matches!(verdict, Verdict::Apply(Fault::Duplicate)) {
            drop(effect().await);
        }
        self.apply(number, verdict, op, path, effect()).await
    }

    /// The same for an effect that can happen only once.
    async fn deliver_once<T, F>(&self, op: Op, path: &Path, bytes: usize, effect: F) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let (number, verdict) = self.admit(op, path, bytes).await;
        self.apply(number, verdict, op, path, effect).await
    }

    async fn apply<T, F>(&self, number: u64, verdict: Verdict, op: Op, path: &Path, effect: F) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let fault = match verdict {
            Verdict::Crash(Moment::BeforeEffect) => return self.die().await,
            Verdict::Crash(Moment::AfterEffect) => {
                drop(effect.await);
                return self.die().await;
            }
            Verdict::Apply(fault) => fault,
        };
        let reply = match fault {
            Fault::None | Fault::Duplicate => effect.await,
            Fault::ErrorBefore => Err(lost(number)),
            Fault::ErrorAfter => {
                drop(effect.await);
                Err(lost(number))
            }
            Fault::Delay(wait) => {
                tokio::time::sleep(wait).await;
                effect.await
            }
            Fault::Late(wait) => {
                if op.changes_the_store() {
                    land_later(wait, effect);
                }
                Err(lost(number))
            }
            Fault::Hang => std::future::pending().await,
            Fault::DiskFull => Err(disk_full()),
            Fault::Denied => Err(denied(path)),
        };
        self.reply(reply).await
    }
}

impl fmt::Debug for FaultStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultStore").field("inner", &self.inner).field("calls", &self.call_count()).finish()
    }
}

impl fmt::Display for FaultStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FaultStore({})", self.inner)
    }
}

/// What a network shows when a reply does not come: the same, whether or not the store did its part.
fn lost(number: u64) -> Error {
    let text = format!("call {number} timed out (injected)");
    Error::Generic { store: "fault", source: Box::new(std::io::Error::new(std::io::ErrorKind::TimedOut, text)) }
}

fn disk_full() -> Error {
    let text = "no space left on device (injected)";
    Error::Generic { store: "fault", source: Box::new(std::io::Error::new(std::io::ErrorKind::StorageFull, text)) }
}

fn denied(path: &Path) -> Error {
    Error::PermissionDenied { path: path.to_string(), source: "access denied (injected)".into() }
}

/// The write is on its way in the network: it outlives whoever sent it.
#[allow(clippy::disallowed_methods, reason = "belongs to the world outside the process, which nobody supervises")]
fn land_later<T: Send + 'static>(wait: Duration, effect: impl Future<Output = Result<T>> + Send + 'static) {
    tokio::spawn(async move {
        tokio::time::sleep(wait).await;
        drop(effect.await);
    });
}

// === impl Op ===

impl Op {
    fn takes_space(self) -> bool {
        matches!(self, Self::Put | Self::Create | Self::PutPart | Self::CompleteMultipart | Self::Copy)
    }

    fn changes_the_store(self) -> bool {
        !matches!(self, Self::Get | Self::Head | Self::List | Self::StartMultipart)
    }
}

// === impl FaultRates ===

impl FaultRates {
    /// No faults at all; the base of a struct update.
    pub const NONE: Self = Self {
        error_before: 0.0,
        error_after: 0.0,
        delay: 0.0,
        duplicate: 0.0,
        late: 0.0,
        longest_wait: Duration::from_secs(1),
    };

    fn draw(&self, random: &Random) -> Fault {
        // Two numbers for every call, so that one fault more or less does not shift the others.
        let (mut pick, wait) = (random.unit(), self.longest_wait.mul_f64(random.unit()));
        let table = [
            (self.error_before, Fault::ErrorBefore),
            (self.error_after, Fault::ErrorAfter),
            (self.delay, Fault::Delay(wait)),
            (self.duplicate, Fault::Duplicate),
            (self.late, Fault::Late(wait)),
        ];
        for (rate, fault) in table {
            if pick < rate {
                return fault;
            }
            pick -= rate;
        }
        Fault::None
    }
}

// === impl Hold ===

impl Hold {
    /// Returns when at least `count` calls have arrived at the hold since it was made.
    pub async fn arrived(&self, count: u64) {
        // The sender lives in `self`, so this cannot fail.
        let _ = self.arrived.subscribe().wait_for(|arrived| *arrived >= count).await;
    }

    /// Lets the held calls go on, and those still to come pass.
    pub fn release(self) {
        self.released.send_replace(true);
    }
}
