//! The sink as a whole, through its public interface: a scripted source, a store that fails on demand, paused time, one
//! thread. Whatever happens, the rows of the table are those of the committed positions, each once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]
#![allow(unreachable_pub)]

mod claims;
mod epochs;
mod exactly_once;
mod faults;
mod harness;
mod memory;
mod overwrites;
mod schema_changes;
mod threads;
mod waited;
