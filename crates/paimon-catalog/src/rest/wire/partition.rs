//! Partitions and their statistics.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{null_is_default, page};

/// Names of the partition columns and the names of their values, unescaped; empty for a table without partitions.
pub type PartitionSpec = BTreeMap<String, String>;

/// What a commit changed in a partition: differences, negative for what went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartitionStatistics {
    /// Which partition.
    #[serde(default, deserialize_with = "null_is_default")]
    pub spec: PartitionSpec,
    /// Rows.
    #[serde(default, deserialize_with = "null_is_default")]
    pub record_count: i64,
    /// Bytes of data files.
    #[serde(default, deserialize_with = "null_is_default")]
    pub file_size_in_bytes: i64,
    /// Data files.
    #[serde(default, deserialize_with = "null_is_default")]
    pub file_count: i64,
    /// When the newest of them was made, Unix milliseconds.
    #[serde(default, deserialize_with = "null_is_default")]
    pub last_file_creation_time: i64,
    /// Buckets of the partition; -1 for a table without buckets. Clients up to 1.3 say nothing, which reads as 0.
    #[serde(default, deserialize_with = "null_is_default")]
    pub total_buckets: i32,
}

/// A partition, with what it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Partition {
    /// What it holds: totals, not differences.
    #[serde(flatten)]
    pub statistics: PartitionStatistics,
    /// Whether somebody marked it as complete.
    #[serde(default, deserialize_with = "null_is_default")]
    pub done: bool,
    /// When it was created, Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<i64>,
    /// By whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// When it was changed, Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<i64>,
    /// By whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_by: Option<String>,
    /// Its options (1.4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<BTreeMap<String, String>>,
}

/// `POST …/partitions/mark` and `…/partitions/list-by-names`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionSpecsRequest {
    /// Which partitions.
    #[serde(default, deserialize_with = "null_is_default")]
    pub specs: Vec<PartitionSpec>,
}

/// `POST …/partitions/drop` (2.0). The rows are dropped by a commit of the client's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DropPartitionsRequest {
    /// Which partitions.
    #[serde(default, deserialize_with = "null_is_default")]
    pub partition_specs: Vec<PartitionSpec>,
    /// Whether one that is not there is no error; Java reads a missing member as yes.
    #[serde(default = "yes")]
    pub ignore_if_not_exists: bool,
}

/// `GET …/partitions` and `POST …/partitions/list-by-names`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListPartitionsResponse {
    /// The partitions.
    #[serde(default, deserialize_with = "null_is_default")]
    pub partitions: Vec<Partition>,
    /// See [`Page`](super::Page).
    #[serde(default)]
    pub next_page_token: Option<String>,
}

page!(ListPartitionsResponse, partitions, Partition);

fn yes() -> bool {
    true
}
