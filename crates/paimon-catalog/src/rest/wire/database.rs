//! Databases.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{null_is_default, page};

/// Who made a database or table, and who changed it last. Times are Unix milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Audit {
    /// The owner.
    #[serde(default)]
    pub owner: Option<String>,
    /// When it was created.
    #[serde(default, deserialize_with = "null_is_default")]
    pub created_at: i64,
    /// By whom.
    #[serde(default)]
    pub created_by: Option<String>,
    /// When it was changed.
    #[serde(default, deserialize_with = "null_is_default")]
    pub updated_at: i64,
    /// By whom.
    #[serde(default)]
    pub updated_by: Option<String>,
}

/// `POST …/databases`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateDatabaseRequest {
    /// Its name.
    pub name: String,
    /// Its options.
    #[serde(default, deserialize_with = "null_is_default")]
    pub options: BTreeMap<String, String>,
}

/// `POST …/databases/{database}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlterDatabaseRequest {
    /// Options to drop.
    #[serde(default, deserialize_with = "null_is_default")]
    pub removals: Vec<String>,
    /// Options to set.
    #[serde(default, deserialize_with = "null_is_default")]
    pub updates: BTreeMap<String, String>,
}

/// What became of an [`AlterDatabaseRequest`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlterDatabaseResponse {
    /// Options that were dropped.
    #[serde(default, deserialize_with = "null_is_default")]
    pub removed: Vec<String>,
    /// Options that were set.
    #[serde(default, deserialize_with = "null_is_default")]
    pub updated: Vec<String>,
    /// Options that were to be dropped and are not there.
    #[serde(default, deserialize_with = "null_is_default")]
    pub missing: Vec<String>,
}

/// `GET …/databases/{database}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetDatabaseResponse {
    /// Its identity, which a database of the same name created later does not have.
    #[serde(default)]
    pub id: Option<String>,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// Where its tables are made.
    #[serde(default)]
    pub location: Option<String>,
    /// Its options.
    #[serde(default, deserialize_with = "null_is_default")]
    pub options: BTreeMap<String, String>,
    /// Who made it.
    #[serde(flatten)]
    pub audit: Audit,
}

/// `GET …/databases`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListDatabasesResponse {
    /// Names.
    #[serde(default, deserialize_with = "null_is_default")]
    pub databases: Vec<String>,
    /// See [`Page`](super::Page).
    #[serde(default)]
    pub next_page_token: Option<String>,
}

page!(ListDatabasesResponse, databases, String);
