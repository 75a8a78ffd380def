//! What every other crate would otherwise take from the machine: time, randomness, threads, tasks.
//!
//! Production asks the machine; a simulation replays a seed. The difference is made once, here, by the
//! [`Env`] a process is started with. The lint `disallowed-methods` (clippy.toml) keeps the ambient
//! versions out of the other crates.
//!
//! - [`Env`]: wall clock, randomness and the [`Executor`] for CPU work. Timers are tokio's, which a test pauses.
//! - [`Supervisor`]: every task has a name, and the first failure ends the rest.
//! - [`Drain`]: an orderly stop with a deadline. [`LatchSet`]: what a start still waits for.
//! - [`channel`] and [`MemoryBudget`]: bounds in bytes. [`Backoff`]: how long to wait before a retry.
//! - [`Leases`]: credentials that are fetched again before they end, once for all who need them.
//! - [`FailureKind`]: what an error means to whoever started the process.
//! - [`Positions`], [`Interval`], [`SourceIdentity`]: the words source and sink share without knowing each other.
//! - [`MetricDef`]: how a crate declares its metrics, so that the reference is generated from them.
//!
//! Not here: anything about tables, rows or files.

mod backoff;
pub mod channel;
mod drain;
mod env;
mod executor;
mod failure;
mod identity;
mod latch;
mod lease;
mod memory;
mod metric;
mod position;
mod supervisor;

pub use backoff::{Backoff, InvalidBackoff};
pub use drain::Drain;
pub use env::{Clock, Env, Random, SystemClock};
pub use executor::{Executor, Panicked};
pub use failure::{Classify, FailureKind};
pub use identity::SourceIdentity;
pub use latch::{Latch, LatchSet};
pub use lease::{Lease, Leases};
pub use memory::{MemoryBudget, Reservation};
pub use metric::{MetricDef, MetricKind};
pub use position::{ChainError, Interval, Position, Positions, SplitId};
pub use supervisor::{Supervisor, TaskFailure};
