//! What tests need in place of the world: clocks under their control and a store that misbehaves on demand.
//!
//! - [`ManualClock`] stands still until it is moved; [`SimClock`] follows tokio's (paused) time.
//! - [`FaultStore`] wraps any object store, numbers every call and does to it what its [`Fault`] plan says.
//! - [`FaultProxy`] stands between a client and a real HTTP server and does the same to its exchanges.
//! - [`OssStub`] is a small OSS, with that store's own way of refusing and forgetting to refuse.
//! - [`sim_env`] is the environment of a simulation: one seed, one thread.
//!
//! For tests only: nothing of this is compiled into the daemon.

mod clock;
mod fault;
mod oss;
mod proxy;
mod server;

pub use clock::{ManualClock, SimClock, sim_env};
pub use fault::{Call, Counts, Fault, FaultRates, FaultStore, Hold, Moment, Op};
pub use oss::{OssKey, OssStub};
pub use proxy::{Exchange, FaultProxy, HttpFault};
