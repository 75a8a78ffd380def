//! Where the access key of DLF comes from (`DLFTokenLoader`): the options, a file that somebody renews, or the metadata
//! service of an ECS machine.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::NaiveDateTime;
use serde::Deserialize;
use tributary_runtime::{Classify, Clock, FailureKind, Lease, Leases};

use super::secret::Secret;
use super::sign::AccessKey;

/// How an expiry is written (`DLFToken.TOKEN_DATE_FORMATTER`), in UTC.
const EXPIRATION_FORMAT: &str = "%Y-%m-%dT%H:%M:%SZ";

/// Where an access key comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// The options; with an STS token it ends at a time nobody knows.
    Fixed(AccessKey),
    /// A file (`dlf.token-path`), read for every call: whoever renews it replaces it.
    File(PathBuf),
    /// The metadata service of the machine (`dlf.token-loader` = `ecs`).
    Ecs {
        /// Its URL, to which the role is appended.
        metadata_url: String,
        /// The role; the machine's own when it is not said.
        role: Option<String>,
    },
}

/// Access keys, renewed as they need it.
pub(crate) struct Credentials {
    source: KeySource,
    leases: Leases<AccessKey>,
    http: reqwest::Client,
}

/// Why there is no access key. Says nothing of what was read: it holds secrets.
#[derive(Debug, thiserror::Error)]
#[error("cannot get the DLF credentials from {place}: {why}")]
pub struct CredentialError {
    place: String,
    why: String,
    kind: FailureKind,
}

/// The JSON of a token file and of the metadata service.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Token {
    access_key_id: String,
    access_key_secret: String,
    #[serde(default)]
    security_token: Option<String>,
    #[serde(default)]
    expiration: Option<String>,
}

// === impl Credentials ===

impl Credentials {
    /// `http` reaches the metadata service, without a proxy.
    pub(crate) fn new(source: KeySource, clock: Arc<dyn Clock>, http: reqwest::Client) -> Self {
        Self { source, leases: Leases::new(clock), http }
    }

    /// An access key for one call.
    pub(crate) async fn get(&self) -> Result<Arc<Lease<AccessKey>>, CredentialError> {
        let load = async || self.load().await;
        match self.source {
            KeySource::File(_) => self.leases.get_fresh(load).await,
            KeySource::Fixed(_) | KeySource::Ecs { .. } => self.leases.get(load).await,
        }
    }

    /// Another access key than the one that was rejected; `None` when there is no other.
    pub(crate) async fn renew(&self, rejected: &Arc<Lease<AccessKey>>) -> Option<Arc<Lease<AccessKey>>> {
        if matches!(self.source, KeySource::Fixed(_)) {
            return None;
        }
        match self.leases.instead_of(|key| *key == rejected.value, async || self.load().await).await {
            Ok(renewed) => renewed,
            Err(error) => {
                tracing::warn!(%error, "the catalog rejected the credentials and there are no others yet");
                None
            }
        }
    }

    /// Where somebody else renews the key; `None` when nobody does.
    pub(crate) fn renewed_in(&self) -> Option<String> {
        (!matches!(self.source, KeySource::Fixed(_))).then(|| self.place())
    }

    pub(crate) fn expires_at_millis(&self) -> Option<i64> {
        self.leases.expires_at_millis()
    }

    pub(crate) fn is_over(&self, lease: &Lease<AccessKey>) -> bool {
        self.leases.is_over(lease)
    }

    fn place(&self) -> String {
        match &self.source {
            KeySource::Fixed(_) => "the catalog's options".to_owned(),
            KeySource::File(path) => path.display().to_string(),
            KeySource::Ecs { metadata_url, .. } => metadata_url.clone(),
        }
    }

    async fn load(&self) -> Result<(AccessKey, Option<i64>), CredentialError> {
        let text = match &self.source {
            KeySource::Fixed(key) => return Ok((key.clone(), None)),
            KeySource::File(path) => tokio::fs::read_to_string(path).await.map_err(|error| self.failed(error))?,
            KeySource::Ecs { metadata_url, role } => {
                let role = match role {
                    Some(role) => role.clone(),
                    None => self.fetch(metadata_url).await?.trim().to_owned(),
                };
                self.fetch(&format!("{metadata_url}{role}")).await?
            }
        };
        // Neither the text nor the parser's view of it may be shown.
        let shape = "it is not a JSON object with AccessKeyId, AccessKeySecret and, if it expires, SecurityToken and Expiration (as in 2026-01-31T09:00:00Z)";
        let token: Token = serde_json::from_str(&text).map_err(|_| self.failed(shape))?;
        let expires_at = match &token.expiration {
            Some(expiration) => {
                let parsed = NaiveDateTime::parse_from_str(expiration, EXPIRATION_FORMAT);
                Some(parsed.map_err(|_| self.failed(shape))?.and_utc().timestamp_millis())
            }
            None => None,
        };
        let security_token = token.security_token.filter(|token| !token.is_empty()).map(Secret::new);
        let key = AccessKey { id: token.access_key_id, secret: Secret::new(token.access_key_secret), security_token };
        Ok((key, expires_at))
    }

    async fn fetch(&self, url: &str) -> Result<String, CredentialError> {
        let answer = async { self.http.get(url).send().await?.error_for_status()?.text().await };
        answer.await.map_err(|error| self.failed(error.without_url()))
    }

    /// Once there was a key, the next one is somebody's duty and worth waiting for.
    fn failed(&self, why: impl ToString) -> CredentialError {
        let kind = if self.leases.expires_at_millis().is_some() { FailureKind::Transient } else { FailureKind::Auth };
        CredentialError { place: self.place(), why: why.to_string(), kind }
    }
}

// === impl CredentialError ===

impl Classify for CredentialError {
    fn kind(&self) -> FailureKind {
        self.kind
    }
}

#[cfg(test)]
mod tests;
