//! The [`Catalog`] trait and what is needed to create a table.

use std::collections::{BTreeMap, HashSet};

use async_trait::async_trait;
use paimon_format::types::DataType;
use paimon_format::{DataField, TableSchema};
use paimon_table::table::{Table, TableIdentifier};
use tributary_runtime::Random;

use crate::error::CatalogError;

/// Names that Paimon keeps for columns of its own (`SpecialFields`).
const SYSTEM_COLUMNS: [&str; 5] = ["_SEQUENCE_NUMBER", "_VALUE_KIND", "_LEVEL", "rowkind", "_ROW_ID"];
/// What the names of Paimon's key columns begin with.
const SYSTEM_PREFIX: &str = "_KEY_";

/// Databases and tables by name.
#[async_trait]
pub trait Catalog: Send + Sync {
    /// The names of all databases, sorted.
    async fn list_databases(&self) -> Result<Vec<String>, CatalogError>;

    /// Whether there is a database of this name.
    async fn database_exists(&self, database: &str) -> Result<bool, CatalogError>;

    /// Creates a database; `false` when it existed.
    ///
    /// # Errors
    /// [`CatalogError::DatabaseExists`] unless `if_not_exists`.
    async fn create_database(&self, database: &str, if_not_exists: bool) -> Result<bool, CatalogError>;

    /// The names of a database's tables, sorted.
    ///
    /// # Errors
    /// [`CatalogError::NoSuchDatabase`].
    async fn list_tables(&self, database: &str) -> Result<Vec<String>, CatalogError>;

    /// Whether there is a table of this name.
    async fn table_exists(&self, table: &TableIdentifier) -> Result<bool, CatalogError>;

    /// Loads a table with its newest schema.
    ///
    /// # Errors
    /// [`CatalogError::NoSuchTable`]; [`CatalogError::Table`] when it uses something that is not implemented.
    async fn load_table(&self, table: &TableIdentifier) -> Result<Table, CatalogError>;

    /// Creates a table, or loads the one that exists, whatever its columns are.
    ///
    /// # Errors
    /// [`CatalogError::NoSuchDatabase`]; [`CatalogError::TableExists`] unless `if_not_exists`;
    /// [`CatalogError::Definition`] or [`CatalogError::Unsupported`] for a table that cannot be.
    async fn create_table(
        &self,
        table: &TableIdentifier,
        definition: NewTable,
        if_not_exists: bool,
    ) -> Result<TableCreation, CatalogError>;

    /// Whether this catalog can be used: that of a file system is asked for create-if-absent, another one for its names. Leaves
    /// nothing behind; a warehouse that does not exist is asked for where it would be made.
    ///
    /// # Errors
    /// [`CatalogError::Probe`], or the catalog's own.
    async fn probe(&self, random: &Random) -> Result<CatalogProbe, CatalogError>;

    /// When the credentials for this catalog stop working, Unix milliseconds; `None` when they do not, or nobody knows.
    fn credentials_expire_at_millis(&self) -> Option<i64> {
        None
    }
}

/// What a probe found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CatalogProbe {
    /// What commits rest on, in words.
    pub promise: &'static str,
    /// How far the clock of this machine is ahead of the other side's, milliseconds; `None` when nothing told.
    pub clock_ahead_millis: Option<i64>,
    /// Bytes that may still be written to the disk the warehouse lies on; `None` when it lies on none of this machine's.
    pub free_bytes: Option<u64>,
}

/// A column of a new table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewColumn {
    /// Its name.
    pub name: String,
    /// Its type, with whether it may be null.
    pub data_type: DataType,
    /// Its comment.
    pub comment: Option<String>,
}

/// The definition of a new table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewTable {
    /// The columns in their order.
    pub columns: Vec<NewColumn>,
    /// Names of the columns that partition the table, in the order of the folders.
    pub partition_keys: Vec<String>,
    /// Table options.
    pub options: BTreeMap<String, String>,
    /// The table's comment.
    pub comment: Option<String>,
}

/// What became of [`Catalog::create_table`].
#[derive(Clone, Debug)]
pub struct TableCreation {
    /// The table, new or not.
    pub table: Table,
    /// It did not exist before.
    pub created: bool,
}

// === impl NewTable ===

impl NewTable {
    /// The first schema of this table: columns are numbered from 0 in their order, each before the fields inside it.
    ///
    /// # Errors
    /// [`CatalogError::Definition`] for no columns, repeated or reserved names, or a partition key that is no column;
    /// [`CatalogError::Unsupported`] for what is not implemented.
    pub fn into_schema(self, table: &TableIdentifier, time_millis: i64) -> Result<TableSchema, CatalogError> {
        if let Some(why) = self.contradiction() {
            return Err(CatalogError::Definition { table: table.to_string(), why });
        }
        let mut highest = -1;
        let numbered = |column: NewColumn| {
            highest += 1;
            let id = highest;
            let data_type = column.data_type.with_field_ids(&mut highest);
            DataField { description: column.comment, ..DataField::new(id, column.name, data_type) }
        };
        let fields = self.columns.into_iter().map(numbered).collect();
        let schema = TableSchema::new(fields, self.partition_keys, self.options, self.comment, time_millis);
        match schema.check_supported() {
            Ok(()) => Ok(schema),
            Err(source) => Err(CatalogError::Unsupported { table: table.to_string(), source }),
        }
    }

    fn contradiction(&self) -> Option<String> {
        if self.columns.is_empty() {
            return Some("it has no columns".to_owned());
        }
        let mut names = HashSet::new();
        for NewColumn { name, .. } in &self.columns {
            if !names.insert(name) {
                return Some(format!("column `{name}` is defined twice"));
            }
            if SYSTEM_COLUMNS.contains(&name.as_str()) || name.starts_with(SYSTEM_PREFIX) {
                return Some(format!("column name `{name}` is kept for Paimon's own columns; use another one"));
            }
        }
        let mut keys = HashSet::new();
        for key in &self.partition_keys {
            if !names.contains(key) {
                return Some(format!("partition column `{key}` is not among its columns"));
            }
            if !keys.insert(key) {
                return Some(format!("it is partitioned by `{key}` twice"));
            }
        }
        None
    }
}
