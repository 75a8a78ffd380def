//! Why a catalog could not do what it was asked.

use paimon_format::FormatError;
use paimon_table::error::TableError;
use paimon_table::probe::ProbeError;
use paimon_table::store::StoreError;
use tributary_runtime::{Classify, FailureKind};

use crate::rest::RestError;

/// Why a catalog call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogError {
    /// The store failed; the source names the operation and the path.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store cannot be committed to.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// The REST catalog could not be asked, or refused.
    #[error(transparent)]
    Rest(#[from] RestError),
    /// The catalog does not say where a table is.
    #[error(
        "{catalog} names no path for table {table}: it is of a kind that has no files, or the catalog withholds it"
    )]
    NoLocation {
        /// The table.
        table: String,
        /// The catalog.
        catalog: String,
    },
    /// A table could not be loaded.
    #[error("table {table}: {source}")]
    Table {
        /// The table.
        table: String,
        /// What is wrong with it.
        source: Box<TableError>,
    },
    /// The database does not exist.
    #[error("database `{database}` does not exist in {warehouse}; create it with CREATE DATABASE")]
    NoSuchDatabase {
        /// The database.
        database: String,
        /// The warehouse.
        warehouse: String,
    },
    /// The database cannot be created because nothing can be, where the warehouse is.
    #[error(
        "database `{database}` cannot be created: {source}; no folders can be made there, choose another warehouse"
    )]
    NoPlace {
        /// The database.
        database: String,
        /// What the file system said.
        source: StoreError,
    },
    /// The database exists and was to be created.
    #[error("database `{database}` exists already; write IF NOT EXISTS to accept that")]
    DatabaseExists {
        /// The database.
        database: String,
    },
    /// The table does not exist.
    #[error("table {table} does not exist in {warehouse}; check the name, or create it with CREATE TABLE")]
    NoSuchTable {
        /// The table.
        table: String,
        /// The warehouse.
        warehouse: String,
    },
    /// The table exists and was to be created.
    #[error("table {table} exists already; write IF NOT EXISTS to accept that")]
    TableExists {
        /// The table.
        table: String,
    },
    /// A name that cannot be that of a database or table.
    #[error("`{name}` cannot be the name of a {what}: {why}")]
    Name {
        /// The name.
        name: String,
        /// Database or table.
        what: &'static str,
        /// What a name may be.
        why: &'static str,
    },
    /// The definition of a new table contradicts itself.
    #[error("table {table} cannot be created: {why}")]
    Definition {
        /// The table.
        table: String,
        /// The contradiction and the remedy.
        why: String,
    },
    /// The definition of a new table asks for something that is not implemented.
    #[error("table {table} cannot be created: {source}")]
    Unsupported {
        /// The table.
        table: String,
        /// The feature or option.
        source: FormatError,
    },
}

// === impl CatalogError ===

impl Classify for CatalogError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Store(source) => source.kind(),
            Self::Probe(source) => source.kind(),
            Self::Rest(source) => source.kind(),
            Self::Table { source, .. } => source.kind(),
            Self::NoLocation { .. }
            | Self::NoPlace { .. }
            | Self::NoSuchDatabase { .. }
            | Self::DatabaseExists { .. }
            | Self::NoSuchTable { .. }
            | Self::TableExists { .. }
            | Self::Name { .. }
            | Self::Definition { .. }
            | Self::Unsupported { .. } => FailureKind::Usage,
        }
    }
}
