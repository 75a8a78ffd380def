//! Branches (1.2).

use serde::{Deserialize, Serialize};

use super::null_is_default;

/// `POST …/tables/{table}/branches`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateBranchRequest {
    /// Its name.
    pub branch: String,
    /// The tag whose snapshot it begins with; it begins empty when none is said.
    #[serde(default)]
    pub from_tag: Option<String>,
}

/// `GET …/tables/{table}/branches`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListBranchesResponse {
    /// Names; all of them, as there are no pages.
    #[serde(default, deserialize_with = "null_is_default")]
    pub branches: Vec<String>,
}
