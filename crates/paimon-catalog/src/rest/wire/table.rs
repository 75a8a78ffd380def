//! Tables.

use std::collections::BTreeMap;
use std::fmt;

use paimon_format::{DataField, TableSchema};
use serde::{Deserialize, Serialize};

use super::{Audit, null_is_default, page};

/// The name of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identifier {
    /// The database.
    pub database: String,
    /// The table, with `$branch_NAME` for a branch of it.
    pub object: String,
}

/// The definition of a table: a schema file without what numbers and dates it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Schema {
    /// The columns.
    pub fields: Vec<DataField>,
    /// Names of the partition columns.
    #[serde(default, deserialize_with = "null_is_default")]
    pub partition_keys: Vec<String>,
    /// Names of the primary key columns.
    #[serde(default, deserialize_with = "null_is_default")]
    pub primary_keys: Vec<String>,
    /// Table options.
    #[serde(default, deserialize_with = "null_is_default")]
    pub options: BTreeMap<String, String>,
    /// Comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// `POST …/databases/{database}/tables`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateTableRequest {
    /// Its name.
    pub identifier: Identifier,
    /// Its definition.
    pub schema: Schema,
}

/// `POST …/tables/rename`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenameTableRequest {
    /// The name it has.
    pub source: Identifier,
    /// The name it gets.
    pub destination: Identifier,
}

/// `GET …/tables/{table}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetTableResponse {
    /// Its identity, which a table of the same name created later does not have; commits repeat it.
    pub id: String,
    /// Its database (1.4).
    #[serde(default)]
    pub database: Option<String>,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// Its folder, a URL or a path.
    #[serde(default)]
    pub path: Option<String>,
    /// It belongs to somebody else: its snapshots are created on its file system, not by the catalog.
    #[serde(default, deserialize_with = "null_is_default")]
    pub is_external: bool,
    /// The id of its newest schema.
    #[serde(default, deserialize_with = "null_is_default")]
    pub schema_id: i64,
    /// Its newest schema.
    pub schema: Schema,
    /// Who made it.
    #[serde(flatten)]
    pub audit: Audit,
}

/// `GET …/tables`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListTablesResponse {
    /// Names.
    #[serde(default, deserialize_with = "null_is_default")]
    pub tables: Vec<String>,
    /// See [`Page`](super::Page).
    #[serde(default)]
    pub next_page_token: Option<String>,
}

/// `GET …/table-details`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListTableDetailsResponse {
    /// The tables.
    #[serde(default, deserialize_with = "null_is_default")]
    pub table_details: Vec<GetTableResponse>,
    /// See [`Page`](super::Page).
    #[serde(default)]
    pub next_page_token: Option<String>,
}

/// `GET …/tables/{table}/token`: what opens the store of a table. Its values are secrets, so it does not show them.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetTableTokenResponse {
    /// Options of the store, such as `fs.oss.accessKeyId`.
    #[serde(default, deserialize_with = "null_is_default")]
    pub token: BTreeMap<String, String>,
    /// When they stop working, Unix milliseconds.
    #[serde(default, deserialize_with = "null_is_default")]
    pub expires_at_millis: i64,
}

page!(ListTablesResponse, tables, String);
page!(ListTableDetailsResponse, table_details, GetTableResponse);

// === impl Schema ===

impl From<TableSchema> for Schema {
    fn from(schema: TableSchema) -> Self {
        let TableSchema { fields, partition_keys, primary_keys, options, comment, .. } = schema;
        Self { fields, partition_keys, primary_keys, options, comment }
    }
}

// === impl GetTableTokenResponse ===

impl fmt::Debug for GetTableTokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.token.keys().collect();
        f.debug_struct("GetTableTokenResponse")
            .field("keys", &keys)
            .field("expires_at_millis", &self.expires_at_millis)
            .finish()
    }
}
