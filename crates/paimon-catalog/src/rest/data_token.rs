//! What opens the store of one table: credentials that the catalog hands out and that end after a while.

use std::fmt;
use std::sync::Arc;

use paimon_table::table::TableIdentifier;
use tributary_runtime::Clock;

use super::api::Api;
use super::error::RestError;
use super::lease::{Lease, Leases};
use super::wire::GetTableTokenResponse;

/// The data token of a table. It is fetched when it is first asked for and again before it ends; many who ask at once
/// make one fetch.
pub struct DataToken {
    api: Arc<Api>,
    table: TableIdentifier,
    leases: Leases<GetTableTokenResponse>,
}

// === impl DataToken ===

impl DataToken {
    pub(crate) fn new(api: Arc<Api>, table: TableIdentifier, clock: Arc<dyn Clock>) -> Self {
        Self { api, table, leases: Leases::new(clock) }
    }

    /// A token that works now.
    ///
    /// # Errors
    /// The catalog's, when there is none at hand that still works.
    pub async fn get(&self) -> Result<Arc<Lease<GetTableTokenResponse>>, RestError> {
        let fetch = async || {
            let token = self.api.token(&self.table).await?;
            let end = token.expires_at_millis;
            Ok((token, Some(end)))
        };
        self.leases.get(|lease, now| lease.is_due(now), fetch).await
    }

    /// When the current one ends, Unix milliseconds; `None` before the first.
    pub fn expires_at_millis(&self) -> Option<i64> {
        self.leases.expires_at_millis()
    }
}

impl fmt::Debug for DataToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataToken").field("table", &self.table).finish_non_exhaustive()
    }
}
