//! `s3://`: AWS and what speaks its protocol, by `object_store`, over [`super::transport`].

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use object_store::aws::{AmazonS3Builder, AwsCredential};
use object_store::{ClientOptions, CredentialProvider, ObjectStore, RetryConfig};

use super::credentials::{Credentials, RefreshingCredentials};
use super::options::BucketOptions;
use super::transport::Connector;

/// A request is given up after this long: 8 MiB, the size of a part, at 140 KB/s.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// A request is repeated for at most this long before its failure is the caller's, who may wait without limit.
const RETRY_TIMEOUT: Duration = Duration::from_secs(30);

/// What requests are signed for when nobody says otherwise; most stores but AWS do not care.
const DEFAULT_REGION: &str = "us-east-1";

/// Opens a bucket; no I/O.
///
/// # Errors
/// What the builder finds wrong in the environment's settings.
pub(super) fn open(
    bucket: &str,
    options: &BucketOptions,
    refreshing: Option<&Arc<RefreshingCredentials>>,
) -> object_store::Result<Arc<dyn ObjectStore>> {
    // Whoever came first chose; it is the same choice everywhere in this program.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let given = options.credentials.is_some() || refreshing.is_some();
    // The environment's keys, endpoint and region count only as a whole: never its endpoint with the catalog's keys.
    let mut builder =
        if given || options.endpoint.is_some() { AmazonS3Builder::new() } else { AmazonS3Builder::from_env() };
    let region = match &options.region {
        Some(region) => region.clone(),
        None => builder
            .get_config_value(&object_store::aws::AmazonS3ConfigKey::Region)
            .unwrap_or_else(|| DEFAULT_REGION.to_owned()),
    };
    builder = builder
        .with_bucket_name(bucket)
        .with_region(&region)
        .with_retry(RetryConfig { max_retries: usize::MAX, retry_timeout: RETRY_TIMEOUT, ..RetryConfig::default() })
        .with_client_options(ClientOptions::new().with_timeout(REQUEST_TIMEOUT))
        .with_http_connector(Connector { refreshing: refreshing.cloned(), region });
    if let Some(endpoint) = &options.endpoint {
        let in_path = options.path_style.unwrap_or_else(|| is_address(endpoint));
        builder = builder.with_virtual_hosted_style_request(!in_path).with_allow_http(endpoint.starts_with("http:"));
        builder = builder.with_endpoint(match (in_path, endpoint.split_once("://")) {
            (false, Some((scheme, host))) => format!("{scheme}://{bucket}.{host}"),
            _ => endpoint.clone(),
        });
    } else if let Some(in_path) = options.path_style {
        builder = builder.with_virtual_hosted_style_request(!in_path);
    }
    builder = match (refreshing, &options.credentials) {
        (Some(refreshing), _) => builder.with_credentials(Arc::new(Signing::Refreshing(Arc::clone(refreshing)))),
        (None, Some(given)) => builder.with_credentials(Arc::new(Signing::Given(Arc::new(aws(given))))),
        (None, None) => builder,
    };
    Ok(Arc::new(builder.build()?))
}

/// The keys as `object_store` asks for them.
#[derive(Debug)]
enum Signing {
    Given(Arc<AwsCredential>),
    Refreshing(Arc<RefreshingCredentials>),
}

#[async_trait]
impl CredentialProvider for Signing {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        match self {
            Self::Given(given) => Ok(Arc::clone(given)),
            Self::Refreshing(refreshing) => match refreshing.current().await {
                Ok(current) => Ok(Arc::new(aws(&current))),
                Err(error) => Err(object_store::Error::Generic { store: "S3", source: error.into() }),
            },
        }
    }
}

pub(super) fn aws(credentials: &Credentials) -> AwsCredential {
    AwsCredential {
        key_id: credentials.access_key.clone(),
        secret_key: credentials.secret_key.clone(),
        token: credentials.session_token.clone(),
    }
}

/// A host that no bucket can be a subdomain of.
fn is_address(endpoint: &str) -> bool {
    match url::Url::parse(endpoint).as_ref().map(url::Url::host) {
        Ok(Some(url::Host::Domain(name))) => name == "localhost",
        _ => true,
    }
}
