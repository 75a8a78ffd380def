//! Tags (1.4).

use paimon_format::Snapshot;
use serde::{Deserialize, Serialize};

use super::{null_is_default, page};

/// `POST …/tables/{table}/tags`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateTagRequest {
    /// Its name.
    pub tag_name: String,
    /// The snapshot it keeps; the newest one when it is not said.
    #[serde(default)]
    pub snapshot_id: Option<i64>,
    /// For how long, as in `1 d`; for ever when it is not said.
    #[serde(default)]
    pub time_retained: Option<String>,
}

/// `GET …/tables/{table}/tags/{tag}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetTagResponse {
    /// Its name.
    pub tag_name: String,
    /// The snapshot it keeps.
    pub snapshot: Snapshot,
    /// When it was made, Unix milliseconds.
    #[serde(default)]
    pub tag_create_time: Option<i64>,
    /// For how long it stays.
    #[serde(default)]
    pub tag_time_retained: Option<String>,
}

/// `GET …/tables/{table}/tags`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListTagsResponse {
    /// Names.
    #[serde(default, deserialize_with = "null_is_default")]
    pub tags: Vec<String>,
    /// See [`Page`](super::Page).
    #[serde(default)]
    pub next_page_token: Option<String>,
}

page!(ListTagsResponse, tags, String);
