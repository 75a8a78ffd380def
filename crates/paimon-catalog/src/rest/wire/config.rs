//! What a catalog tells a client first, and how every call may fail.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::null_is_default;

/// Kinds of resources an [`ErrorResponse`] is about. A 404 of a snapshot is another fact than a 404 of its table.
pub mod resource {
    /// A database.
    pub const DATABASE: &str = "DATABASE";
    /// A table.
    pub const TABLE: &str = "TABLE";
    /// A snapshot.
    pub const SNAPSHOT: &str = "SNAPSHOT";
    /// A partition.
    pub const PARTITION: &str = "PARTITION";
    /// A tag.
    pub const TAG: &str = "TAG";
    /// A branch.
    pub const BRANCH: &str = "BRANCH";
}

/// `GET /v1/config`: options of the catalog.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigResponse {
    /// Hold where the client says nothing.
    #[serde(default, deserialize_with = "null_is_default")]
    pub defaults: BTreeMap<String, String>,
    /// Hold whatever the client says.
    #[serde(default, deserialize_with = "null_is_default")]
    pub overrides: BTreeMap<String, String>,
}

/// The body of every answer that is no success.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorResponse {
    /// One of [`resource`], or another one.
    #[serde(default)]
    pub resource_type: Option<String>,
    /// The resource's name.
    #[serde(default)]
    pub resource_name: Option<String>,
    /// What went wrong.
    #[serde(default)]
    pub message: Option<String>,
    /// The HTTP status, repeated; Java's client goes by this one.
    #[serde(default)]
    pub code: Option<u16>,
}

// === impl ConfigResponse ===

impl ConfigResponse {
    /// The options that hold for a client with `options`: its own over the defaults, the overrides over both.
    pub fn merge(self, options: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut merged = self.defaults;
        merged.extend(options.clone());
        merged.extend(self.overrides);
        merged
    }
}
