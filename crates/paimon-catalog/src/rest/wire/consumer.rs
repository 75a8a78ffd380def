//! Consumers (2.0).

use paimon_format::SnapshotId;
use serde::{Deserialize, Serialize};

use super::{null_is_default, page};

/// A consumer and the first snapshot it still needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsumerInfo {
    /// Its name.
    pub consumer_id: String,
    /// The snapshot.
    pub next_snapshot: SnapshotId,
}

/// `GET …/tables/{table}/consumers`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListConsumersResponse {
    /// Those of the page.
    #[serde(default, deserialize_with = "null_is_default")]
    pub consumers: Vec<ConsumerInfo>,
    /// See [`Page`](super::Page).
    #[serde(default)]
    pub next_page_token: Option<String>,
}

/// `POST …/tables/{table}/consumers/reset`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResetConsumerRequest {
    /// Its name.
    pub consumer_id: String,
    /// The snapshot it needs from now on; the consumer is deleted when none is said.
    #[serde(default)]
    pub next_snapshot_id: Option<SnapshotId>,
}

page!(ListConsumersResponse, consumers, ConsumerInfo);
