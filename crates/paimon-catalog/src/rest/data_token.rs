//! Keys of one table's store that the catalog hands out and that end after a while (`RESTTokenFileIO`).

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use paimon_table::store::StorageOptions;
use paimon_table::store::credentials::{
    CredentialsError, CredentialsProvider, RefreshingCredentials, TemporaryCredentials,
};
use paimon_table::table::TableIdentifier;
use tributary_runtime::{Classify, Clock};

use super::api::Api;
use super::error::RestError;
use super::wire::GetTableTokenResponse;

/// Whether tables' stores are opened by tokens of the catalog (`RESTTokenFileIO.DATA_TOKEN_ENABLED`).
pub(super) const ENABLED: &str = "data-token.enabled";

/// Where OSS listens, whatever the token says (`RESTCatalogOptions.DLF_OSS_ENDPOINT`).
const OSS_ENDPOINT: &str = "dlf.oss-endpoint";

/// Asks for the token of one table.
struct DataTokens {
    api: Arc<Api>,
    table: TableIdentifier,
    /// The table's folder: its scheme says which keys are meant.
    path: String,
}

/// The options that open the store of `path` with data tokens of `table`, over `below`; and the keys among them. The first
/// token is fetched now: it says where the store is, too.
///
/// # Errors
/// The catalog's; [`RestError::Storage`] for a token without keys for the store.
pub(super) async fn open(
    api: &Arc<Api>,
    table: &TableIdentifier,
    path: &str,
    below: &StorageOptions,
    clock: Arc<dyn Clock>,
) -> Result<(StorageOptions, Arc<RefreshingCredentials>), RestError> {
    let tokens = DataTokens { api: Arc::clone(api), table: table.clone(), path: path.to_owned() };
    let GetTableTokenResponse { mut token, expires_at_millis } = api.token(table).await?;
    if let Some(endpoint) = api.merged().await?.get(OSS_ENDPOINT).filter(|endpoint| !endpoint.is_empty()) {
        token.insert("fs.oss.endpoint".to_owned(), endpoint.clone());
    }
    let (options, first) = tokens.read(&token, expires_at_millis)?;
    let keys = Arc::new(RefreshingCredentials::starting_with(first, Arc::new(tokens), clock));
    Ok((StorageOptions { credentials: Some(Arc::clone(&keys)), ..options.over(below) }, keys))
}

// === impl DataTokens ===

impl DataTokens {
    fn read(
        &self,
        token: &BTreeMap<String, String>,
        expires_at_millis: i64,
    ) -> Result<(StorageOptions, TemporaryCredentials), RestError> {
        let refuse = |why: String| RestError::Storage { table: self.table.to_string(), why };
        let options = StorageOptions::try_from_catalog(token).map_err(|error| refuse(error.to_string()))?;
        let credentials = options.bucket(&self.path).and_then(|bucket| bucket.credentials.clone());
        let credentials = credentials.ok_or_else(|| refuse(format!("its token has no keys for {}", self.path)))?;
        let expires_at_millis = Some(expires_at_millis).filter(|end| *end > 0);
        Ok((options, TemporaryCredentials { credentials, expires_at_millis }))
    }
}

#[async_trait]
impl CredentialsProvider for DataTokens {
    async fn fetch(&self) -> Result<TemporaryCredentials, CredentialsError> {
        let fetched = async {
            let token = self.api.token(&self.table).await?;
            Ok(self.read(&token.token, token.expires_at_millis)?.1)
        };
        fetched.await.map_err(|error: RestError| CredentialsError { kind: error.kind(), source: error.into() })
    }
}
