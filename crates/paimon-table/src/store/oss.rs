//! `oss://`: Alibaba Cloud's object storage in its own protocol, as a dialect of `object_store`'s S3 client: paths,
//! queries and XML are the same, headers, signature and the meaning of a conflict are not.
//!
//! - Create-if-absent is `x-oss-forbid-overwrite`; 409 `FileAlreadyExists` means that the object is there, unlike S3's.
//! - A bucket that has or had versioning ignores that header. Its answers tell by `x-oss-version-id`, so the first
//!   create meets it, also when versioning is switched on under a running writer.
//! - Signature version 4 (<https://www.alibabacloud.com/help/en/oss/developer-reference/recommend-to-use-signature-version-4>):
//!   new buckets take no other.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::DateTime;
use hmac::{Hmac, KeyInit, Mac};
use object_store::ObjectStore;
use object_store::aws::AmazonS3Builder;
use object_store::client::HttpRequest;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, IF_NONE_MATCH, RANGE};
use sha2::{Digest, Sha256};
use tributary_runtime::{Clock, FailureKind, SystemClock};

use super::credentials::{Credentials, Keys};
use super::options::BucketOptions;
use super::s3::{is_address, reaching};
use super::transport::{BoxError, Connector, Creation, Dialect, Refusal};

const FORBID_OVERWRITE: &str = "x-oss-forbid-overwrite";
const VERSION_ID: &str = "x-oss-version-id";
/// An unsatisfiable range is an error, as everywhere else, instead of the whole object.
const RANGE_BEHAVIOR: &str = "x-oss-range-behavior";
const TOKEN: &str = "x-oss-security-token";
const DATE: &str = "x-oss-date";
const DIGEST: &str = "x-oss-content-sha256";

/// The only digest of a body that OSS knows.
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// The most names a listing's page can have; OSS gives 100 unless asked.
const PAGE: (&str, &str) = ("max-keys", "1000");

/// What stays as it is in the path and the query that are signed.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Names of access key, secret and token in the environment: Alibaba Cloud's SDKs, OSS's own.
const VARIABLES: [[&str; 3]; 2] = [
    ["ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN"],
    ["OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET", "OSS_SESSION_TOKEN"],
];

const VERSIONED: &str = "the bucket has or had versioning, so OSS ignores x-oss-forbid-overwrite and two committers could replace each other's snapshots; use a bucket that never had versioning, or a catalog that commits";

/// OSS as the S3 client reaches it.
struct Oss {
    bucket: String,
    region: String,
    /// The bucket stands in the path, not in the host.
    in_path: bool,
    keys: Keys,
    clock: Arc<dyn Clock>,
}

/// Opens a bucket; no I/O.
///
/// # Errors
/// What has to be said about the bucket and is not.
pub(super) fn open(bucket: &str, options: &BucketOptions, keys: Option<Keys>) -> Result<Arc<dyn ObjectStore>, String> {
    let keys = keys.or_else(from_env).ok_or_else(|| {
        let [id, secret, _] = VARIABLES[0];
        format!(
            "there are no keys for it; give fs.oss.accessKeyId and fs.oss.accessKeySecret, or set {id} and {secret}"
        )
    })?;
    let (endpoint, region) = match (&options.endpoint, &options.region) {
        (Some(endpoint), Some(region)) => (endpoint.clone(), region.clone()),
        (None, Some(region)) => (format!("https://oss-{region}.aliyuncs.com"), region.clone()),
        (None, None) => return Err("give fs.oss.endpoint, as in oss-cn-hangzhou.aliyuncs.com".to_owned()),
        (Some(endpoint), None) => match region_in(endpoint) {
            Some(region) => (endpoint.clone(), region.to_owned()),
            None => return Err("fs.oss.endpoint names no region; give fs.oss.region, as in cn-hangzhou".to_owned()),
        },
    };
    let in_path = options.path_style.unwrap_or_else(|| is_address(&endpoint));
    let refreshing = keys.refreshing().cloned();
    let oss = Oss { bucket: bucket.to_owned(), region, in_path, keys, clock: Arc::new(SystemClock) };
    let wire = Connector { dialect: Arc::new(oss), refreshing };
    // Deleting many objects in one request is S3's own XML.
    let builder = AmazonS3Builder::new().with_skip_signature(true).with_disable_bulk_delete(true);
    let built = reaching(builder, bucket, Some(&endpoint), Some(in_path), wire).build();
    Ok(Arc::new(built.map_err(|error| error.to_string())?))
}

fn from_env() -> Option<Keys> {
    let get = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let credentials = VARIABLES.iter().find_map(|[id, secret, token]| {
        Some(Credentials { access_key: get(id)?, secret_key: get(secret)?, session_token: get(token) })
    })?;
    Some(Keys::Given(Arc::new(credentials)))
}

/// The region of `oss-REGION.aliyuncs.com` and `oss-REGION-internal.aliyuncs.com`.
fn region_in(endpoint: &str) -> Option<&str> {
    let (_, host) = endpoint.split_once("://")?;
    let region = host.strip_suffix(".aliyuncs.com")?.strip_prefix("oss-")?;
    let region = region.strip_suffix("-internal").unwrap_or(region);
    (!region.starts_with("accelerate") && !region.contains('.')).then_some(region)
}

// === impl Oss ===

#[async_trait]
impl Dialect for Oss {
    async fn prepare(&self, request: &mut HttpRequest) -> Result<(), BoxError> {
        let headers = request.headers_mut();
        if headers.remove(IF_NONE_MATCH).is_some() {
            headers.insert(FORBID_OVERWRITE, HeaderValue::from_static("true"));
        }
        if headers.contains_key(RANGE) {
            headers.insert(RANGE_BEHAVIOR, HeaderValue::from_static("standard"));
        }
        if let Some(query) = request.uri().query().map(canonical_query) {
            let (uri, path) = (request.uri(), request.uri().path());
            let (Some(scheme), Some(host)) = (uri.scheme(), uri.authority()) else {
                return Err("a request needs a host".into());
            };
            *request.uri_mut() = format!("{scheme}://{host}{path}?{query}").parse()?;
        }
        self.sign(request, &*self.keys.current().await?)
    }

    fn sign(&self, request: &mut HttpRequest, keys: &Credentials) -> Result<(), BoxError> {
        let now = DateTime::from_timestamp_millis(self.clock.now_millis()).ok_or("the clock is out of range")?;
        let (day, now) = (now.format("%Y%m%d").to_string(), now.format("%Y%m%dT%H%M%SZ").to_string());
        let headers = request.headers_mut();
        headers.remove(TOKEN);
        if let Some(token) = &keys.session_token {
            let mut token = HeaderValue::from_str(token)?;
            token.set_sensitive(true);
            headers.insert(TOKEN, token);
        }
        headers.insert(DATE, HeaderValue::from_str(&now)?);
        headers.insert(DIGEST, HeaderValue::from_static(UNSIGNED));
        let scope = format!("{day}/{}/oss/aliyun_v4_request", self.region);
        let hashed = hex(&Sha256::digest(self.canonical(request)?));
        let key = [day.as_str(), &self.region, "oss", "aliyun_v4_request"]
            .iter()
            .try_fold(format!("aliyun_v4{}", keys.secret_key).into_bytes(), |key, part| mac(&key, part))?;
        let signature = hex(&mac(&key, &format!("OSS4-HMAC-SHA256\n{now}\n{scope}\n{hashed}"))?);
        let id = &keys.access_key;
        let mut signed =
            HeaderValue::from_str(&format!("OSS4-HMAC-SHA256 Credential={id}/{scope},Signature={signature}"))?;
        signed.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, signed);
        Ok(())
    }

    fn created(&self, status: StatusCode, headers: &HeaderMap, code: &str) -> Creation {
        match (status, code) {
            (status, _) if status.is_success() && headers.contains_key(VERSION_ID) => {
                Creation::Refused(Refusal::new(VERSIONED, FailureKind::Usage))
            }
            (StatusCode::CONFLICT, "FileAlreadyExists") => Creation::AsSaid,
            // A retention policy (`FileImmutable`), a disabled key, …: nothing that says the object is there.
            (StatusCode::CONFLICT, code) => Creation::Refused(Refusal::new(
                format!("409: {code}: the object cannot be created"),
                FailureKind::Usage,
            )),
            _ => Creation::AsSaid,
        }
    }
}

impl fmt::Debug for Oss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Oss").field("bucket", &self.bucket).field("region", &self.region).finish_non_exhaustive()
    }
}

impl Oss {
    /// What is signed of a prepared request.
    fn canonical(&self, request: &HttpRequest) -> Result<String, BoxError> {
        let path = request.uri().path();
        // With the bucket in the path, a request to the bucket itself ends with its name.
        let path = match (self.in_path, path) {
            (false, path) => format!("/{}{path}", self.bucket),
            (true, path) if path.trim_start_matches('/') == self.bucket => format!("/{}/", self.bucket),
            (true, path) => path.to_owned(),
        };
        let mut headers = Vec::new();
        for (name, value) in request.headers() {
            if name.as_str().starts_with("x-oss-") || matches!(name.as_str(), "content-type" | "content-md5") {
                headers.push(format!("{name}:{}\n", value.to_str()?.trim()));
            }
        }
        headers.sort_unstable();
        let (method, query, headers) = (request.method(), request.uri().query().unwrap_or_default(), headers.concat());
        Ok(format!("{method}\n{path}\n{query}\n{headers}\n\n{UNSIGNED}"))
    }
}

/// A query as it is signed, which is as it is sent; a listing's asks for whole pages.
fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<(String, String)> =
        url::form_urlencoded::parse(query.as_bytes()).map(|(key, value)| (encoded(&key), encoded(&value))).collect();
    if pairs.iter().any(|(key, _)| key == "list-type") && !pairs.iter().any(|(key, _)| key == PAGE.0) {
        pairs.push((PAGE.0.to_owned(), PAGE.1.to_owned()));
    }
    pairs.sort_unstable();
    let written = pairs.into_iter().map(|(key, value)| if value.is_empty() { key } else { format!("{key}={value}") });
    written.collect::<Vec<_>>().join("&")
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

fn mac(key: &[u8], message: &str) -> Result<Vec<u8>, BoxError> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key)?;
    mac.update(message.as_bytes());
    Ok(mac.finalize().into_bytes().to_vec())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
