//! The Paimon REST catalog as a server: names of databases and tables, and one place where commits are decided.
//!
//! A request's way: [`server`](CatalogServer) (who asks, how much) → [`Call`] (what is asked, from method and path) →
//! [`Service`] (what is done). What can be decided without reading is decided in pure modules: `call`, `page`, `state`
//! (names), `schemas`, `definitions` (views and functions), `commit`.
//!
//! Two places hold the catalog. The warehouse holds what engines read: schemas, snapshots, tags, files. The ledger, a
//! small embedded database, holds what a store cannot: which name is which folder, ids, options of databases, views and
//! functions. No commit writes to the ledger. docs/rfc/0012-catalog-server.md says in which order both are written and what a crash leaves.
//!
//! Not here: TLS (a proxy's work), credentials for clients.

mod access;
mod call;
mod commit;
mod definitions;
mod import;
mod ledger;
mod metrics;
mod names;
mod page;
mod problem;
mod schemas;
mod server;
mod service;
mod state;

pub use access::{Access, AccessError, Caller, Principal, Principals};
pub use call::{Call, DefinitionCall, Kind, Right, TableCall, TableName};
pub use import::{OpenError, Setup};
pub use ledger::{Ledger, LedgerError, MemoryLedger, RedbLedger, Write};
pub use metrics::{CatalogMetrics, METRICS};
pub use page::{Paging, Pattern};
pub use problem::Problem;
pub use server::CatalogServer;
pub use service::{Reply, Service};
