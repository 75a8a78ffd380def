//! `s3://`: AWS and what speaks its protocol, by `object_store`, over [`super::transport`].

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, AwsAuthorizer, AwsCredential};
use object_store::client::HttpRequest;
use object_store::{ClientOptions, CredentialProvider, ObjectStore, RetryConfig};
use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use super::credentials::{Credentials, Keys};
use super::options::BucketOptions;
use super::transport::{BoxError, Connector, Creation, Dialect};

/// A request is given up after this long: 8 MiB, the size of a part, at 140 KB/s.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// A request is repeated for at most this long before its failure is the caller's, who may wait without limit.
const RETRY_TIMEOUT: Duration = Duration::from_secs(30);

/// What requests are signed for when nobody says otherwise; most stores but AWS do not care.
const DEFAULT_REGION: &str = "us-east-1";

const DIGEST: &str = "x-amz-content-sha256";
const TOKEN: &str = "x-amz-security-token";

/// Opens a bucket; no I/O.
///
/// # Errors
/// What the builder finds wrong in the environment's settings.
pub(super) fn open(
    bucket: &str,
    options: &BucketOptions,
    keys: Option<Keys>,
) -> object_store::Result<Arc<dyn ObjectStore>> {
    // The environment's keys, endpoint and region count only as a whole: never its endpoint with the catalog's keys.
    let from_env = keys.is_none() && options.endpoint.is_none();
    let mut builder = if from_env { AmazonS3Builder::from_env() } else { AmazonS3Builder::new() };
    let region = match &options.region {
        Some(region) => region.clone(),
        None => builder.get_config_value(&AmazonS3ConfigKey::Region).unwrap_or_else(|| DEFAULT_REGION.to_owned()),
    };
    let refreshing = keys.as_ref().and_then(Keys::refreshing).cloned();
    if let Some(keys) = keys {
        builder = builder.with_credentials(Arc::new(Signing(keys)));
    }
    let wire = Connector { dialect: Arc::new(S3 { region: region.clone() }), refreshing };
    let mut builder =
        reaching(builder.with_region(&region), bucket, options.endpoint.as_deref(), options.path_style, wire);
    // What the environment says of it is lost with the rest of its options of the HTTP client.
    for key in [AmazonS3ConfigKey::Endpoint, AmazonS3ConfigKey::S3Endpoint] {
        if builder.get_config_value(&key).is_some_and(|endpoint| endpoint.starts_with("http:")) {
            builder = builder.with_allow_http(true);
        }
    }
    Ok(Arc::new(builder.build()?))
}

/// The S3 client of a bucket at an endpoint (AWS's if there is none), speaking over `wire`.
pub(super) fn reaching(
    builder: AmazonS3Builder,
    bucket: &str,
    endpoint: Option<&str>,
    path_style: Option<bool>,
    wire: Connector,
) -> AmazonS3Builder {
    let builder = builder
        .with_bucket_name(bucket)
        .with_retry(retry())
        .with_client_options(client_options())
        .with_http_connector(wire);
    let Some(endpoint) = endpoint else {
        return match path_style {
            Some(in_path) => builder.with_virtual_hosted_style_request(!in_path),
            None => builder,
        };
    };
    let in_path = path_style.unwrap_or_else(|| is_address(endpoint));
    let builder = builder.with_virtual_hosted_style_request(!in_path).with_allow_http(endpoint.starts_with("http:"));
    builder.with_endpoint(match (in_path, endpoint.split_once("://")) {
        (false, Some((scheme, host))) => format!("{scheme}://{bucket}.{host}"),
        _ => endpoint.to_owned(),
    })
}

pub(super) fn retry() -> RetryConfig {
    RetryConfig { max_retries: usize::MAX, retry_timeout: RETRY_TIMEOUT, ..RetryConfig::default() }
}

pub(super) fn client_options() -> ClientOptions {
    // Whoever came first chose; it is the same choice everywhere in this program.
    let _ = rustls::crypto::ring::default_provider().install_default();
    ClientOptions::new().with_timeout(REQUEST_TIMEOUT)
}

/// The keys as `object_store` asks for them.
#[derive(Debug)]
struct Signing(Keys);

#[async_trait]
impl CredentialProvider for Signing {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        match self.0.current().await {
            Ok(current) => Ok(Arc::new(aws(&current))),
            Err(error) => Err(object_store::Error::Generic { store: "S3", source: error.into() }),
        }
    }
}

fn aws(credentials: &Credentials) -> AwsCredential {
    AwsCredential {
        key_id: credentials.access_key.clone(),
        secret_key: credentials.secret_key.clone(),
        token: credentials.session_token.clone(),
    }
}

/// What the client above speaks already.
#[derive(Debug)]
struct S3 {
    region: String,
}

#[async_trait]
impl Dialect for S3 {
    async fn prepare(&self, _request: &mut HttpRequest) -> Result<(), BoxError> {
        Ok(())
    }

    /// The digest of the body stays what it was.
    fn sign(&self, request: &mut HttpRequest, keys: &Credentials) -> Result<(), BoxError> {
        let digest = request.headers().get(DIGEST).and_then(|digest| unhex(digest.to_str().ok()?));
        request.headers_mut().remove(TOKEN);
        AwsAuthorizer::new(&aws(keys), "s3", &self.region)
            .with_sign_payload(digest.is_some())
            .try_authorize(request, digest.as_deref())?;
        Ok(())
    }

    /// A conditional put that meets another one under way is answered 409 although nothing landed (AWS: "retry the
    /// upload"); `object_store` would take it for "exists".
    fn created(&self, status: StatusCode, _headers: &HeaderMap, _code: &str) -> Creation {
        if status == StatusCode::CONFLICT { Creation::Again } else { Creation::AsSaid }
    }
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    (digits.len() == 64).then(|| (0..64).step_by(2).map(byte).collect()).flatten()
}

/// A host that no bucket can be a subdomain of.
pub(super) fn is_address(endpoint: &str) -> bool {
    match url::Url::parse(endpoint).as_ref().map(url::Url::host) {
        Ok(Some(url::Host::Domain(name))) => name == "localhost",
        _ => true,
    }
}
