//! Catalogs: which databases and tables there are, and how their snapshots are created.
//!
//! [`Catalog`] is what the rest of the program knows; [`FilesystemCatalog`] is a warehouse folder that Flink, Spark
//! and pypaimon open with `'type' = 'paimon', 'warehouse' = '…'` too. A catalog hands out
//! [`Table`]s that carry their own way to commit, so nobody past this crate asks which catalog a table came from.

mod catalog;
mod clocks;
mod error;
mod filesystem;
pub mod rest;

pub use catalog::{Catalog, CatalogProbe, NewColumn, NewTable, TableCreation};
pub use error::CatalogError;
pub use filesystem::FilesystemCatalog;
pub use paimon_table::table::{Table, TableIdentifier};
