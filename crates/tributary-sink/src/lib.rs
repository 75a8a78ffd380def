//! The sink of a pipeline: Arrow batches with positions in, snapshots of a Paimon append table out, exactly once.
//!
//! A record's way, one file per stage:
//! [`SinkInput`] -> byte-weighted channel -> `dispatcher` (epochs, lanes) -> `lane` (`partitioner` and `writers`, on the
//! Executor) -> `uploader` -> `committer` (in order) -> acknowledged positions, [`Progress`], metrics. Beside them
//! `claim` takes the commit user over at the start and `pin` keeps the newest snapshot from being expired.
//!
//! **Exactly once.** A snapshot holds the rows of an epoch and the positions behind them, so both become visible
//! together or not at all. Intervals must chain where they enter; epochs are committed in the order in which they were
//! sealed; the positions of an epoch are those of everything sealed before it. Whoever starts later claims the commit
//! user, and the older process meets that claim before it can commit again.
//!
//! **Memory.** One budget: batches from [`SinkInput::send`] until they are encoded, open writers, and encoded bytes
//! until the store has them. Only the source ever waits for it; a lane reports and, near the limit, flushes.
//!
//! **Failures.** Transient ones are retried without limit where the data is still at hand (commits, files below one
//! upload part); any other error ends [`Sink::run`] with its kind. Nothing here deletes a file: after an unknown
//! outcome it may be part of the table.
//!
//! Not here: SQL, sources, process exit codes. This crate and `tributary-source` do not know each other.

mod account;
mod batch;
mod claim;
mod committer;
mod config;
mod dispatcher;
mod error;
mod lane;
mod late;
pub mod metrics;
mod overwrites;
mod partitioner;
mod pin;
mod plan;
mod progress;
mod retry;
mod sink;
mod state;
mod uploader;
mod waited;
mod waiting;
mod writers;

pub use batch::{RowTransform, SinkBatch, TransformError};
pub use config::SinkConfig;
pub use error::SinkError;
pub use metrics::{METRICS, SinkMetrics};
pub use progress::{Progress, ProgressReport, SinkState};
pub use sink::{Finished, InputClosed, OpenSink, Sink, SinkHandle, SinkInput, SinkSetup};
pub use state::{Incarnation, JobState};
