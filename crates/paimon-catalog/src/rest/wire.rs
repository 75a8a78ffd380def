//! The bodies of Paimon's REST catalog API, for its clients and its servers (docs/static/rest-catalog-open-api.yaml and
//! the request and response classes of paimon-api, 1.3 to 2.1).
//!
//! Read as Java reads them: unknown members are ignored, and a member that is missing or null is empty, zero or false
//! wherever Java's is. Written as Java writes them, so that either side may be Java.
//!
//! Not here: views, functions, altering a table. Nothing of ours speaks of them yet.

mod branch;
mod config;
mod consumer;
mod database;
mod partition;
mod snapshot;
mod table;
mod tag;

use serde::{Deserialize, Deserializer};

pub use branch::{CreateBranchRequest, ListBranchesResponse};
pub use config::{ConfigResponse, ErrorResponse, resource};
pub use consumer::{ConsumerInfo, ListConsumersResponse, ResetConsumerRequest};
pub use database::{
    AlterDatabaseRequest, AlterDatabaseResponse, Audit, CreateDatabaseRequest, GetDatabaseResponse,
    ListDatabasesResponse,
};
pub use partition::{
    DropPartitionsRequest, ListPartitionsResponse, Partition, PartitionSpec, PartitionSpecsRequest, PartitionStatistics,
};
pub use snapshot::{
    BaseSnapshot, CommitTableRequest, CommitTableResponse, GetTableSnapshotResponse, GetVersionSnapshotResponse,
    Instant, ListSnapshotsResponse, RollbackTableRequest, TableSnapshot,
};
pub use table::{
    CreateTableRequest, GetTableResponse, GetTableTokenResponse, Identifier, ListTableDetailsResponse,
    ListTablesResponse, RenameTableRequest, Schema,
};
pub use tag::{CreateTagRequest, GetTagResponse, ListTagsResponse};

/// One page of a listing. A client asks for the next one with [`PAGE_TOKEN`](super::paths::PAGE_TOKEN) until there is no
/// token or a page is empty.
pub trait Page {
    /// What is listed.
    type Item;

    /// The page's items and the token of the next page.
    fn into_parts(self) -> (Vec<Self::Item>, Option<String>);
}

/// Implements [`Page`] for a response whose items are in the named member.
macro_rules! page {
    ($response:ty, $items:ident, $item:ty) => {
        impl crate::rest::wire::Page for $response {
            type Item = $item;

            fn into_parts(self) -> (Vec<$item>, Option<String>) {
                (self.$items, self.next_page_token)
            }
        }
    };
}
use page;

/// For members that Java reads as nothing when they are null.
fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests;
