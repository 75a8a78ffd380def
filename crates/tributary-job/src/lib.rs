//! Statements in, running pipelines out.
//!
//! A [`Session`] interprets parsed statements against catalogs: it opens catalogs, creates databases and tables, and
//! turns every INSERT into a [`PipelinePlan`] whose names, types and identity are resolved. In [`Mode::Check`] it
//! resolves everything and creates nothing. A [`Job`] runs the plans: each has its own source, sink, commit user and
//! positions. A [`JobHandle`] watches and steers them.
//!
//! `expr` holds the scalar expressions of the SELECT; `settings`, `catalogs`, `create`
//! and `insert` each one kind of statement over `definition`, `tables` and `sources`;
//! `pipeline` the way of the rows from the source to the sink.
//!
//! Not here: parsing (`tributary-statement`), where rows come from and go to (`tributary-source`, `tributary-sink`),
//! arguments, signals, exit codes and HTTP (the binary).

mod catalogs;
mod create;
mod definition;
mod error;
mod expr;
mod handle;
mod identity;
mod insert;
mod job;
mod pipeline;
mod place;
mod session;
mod settings;
mod sources;
mod tables;

pub use catalogs::{CATALOG_OPTIONS, CatalogOption, CatalogOptionError, Metastore, OpenedCatalog};
pub use error::{JobError, PipelineError};
pub use expr::{BoundSelect, EvalError, NoSuchZone, Zone};
pub use handle::{ControlError, JobHandle, PipelineState, PipelineStatus};
pub use identity::PipelineId;
pub use job::{Job, JobSetup};
pub use pipeline::{PipelinePlan, Prospect};
pub use session::{Mode, PlannedCall, Session};
pub use settings::{JobDefaults, SET_KEYS, SetKey};

#[cfg(test)]
mod tests;
