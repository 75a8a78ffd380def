//! How requests to Alibaba Cloud DLF are signed with an access key, and how a server checks that. Pure: time and nonce are
//! arguments.
//!
//! Two algorithms: [`Algorithm::Default`] (`DLF4-HMAC-SHA256`, `DLFDefaultSigner`) of the REST endpoints, most of them inside
//! a VPC, and [`Algorithm::OpenApi`] (HMAC-SHA1 over `x-acs-*` headers, `DLFOpenApiSigner`) of the `dlfnext` endpoints.
//! Signatures of Paimon's own signers are what the tests compare with.

mod dlf4;
mod openapi;

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, NaiveDateTime, Utc};
use hmac::{KeyInit, Mac};
use md5::{Digest, Md5};

use super::secret::Secret;

/// How far the signer's clock may be from the server's, milliseconds. AWS and Alibaba Cloud allow a quarter of an hour.
const MAX_SKEW_MILLIS: i64 = 15 * 60 * 1000;

/// Which way of signing an endpoint understands (`dlf.signing-algorithm`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// `default`.
    Default,
    /// `openapi`.
    OpenApi,
}

/// What is signed of a request, its headers and its body apart.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// `GET`, `POST` or `DELETE`.
    pub method: &'a str,
    /// The path as it is sent: encoded, from `/v1` on.
    pub path: &'a str,
    /// The query, decoded.
    pub query: &'a BTreeMap<String, String>,
}

/// An access key, with the token that makes a temporary one whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessKey {
    /// Its id, which is no secret.
    pub id: String,
    /// Its secret.
    pub secret: Secret,
    /// The STS token.
    pub security_token: Option<Secret>,
}

/// Where and when a signature holds.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Region of the endpoint; only [`Algorithm::Default`] signs it.
    pub region: &'a str,
    /// Host of the endpoint, with its port.
    pub host: &'a str,
    /// Wall clock, Unix milliseconds.
    pub now_millis: i64,
    /// Never the same twice; only [`Algorithm::OpenApi`] sends it.
    pub nonce: &'a str,
}

/// Headers by their names. Names are compared as they are spelt in this map: lower case when [`verify`] reads them.
pub type Headers = BTreeMap<String, String>;

/// Why a signature is not accepted. Says nothing that helps to guess one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// The header is missing, or of no known form.
    #[error("there is no `Authorization` header in a form of DLF")]
    NotSigned,
    /// The access key's id is not known, or the signature is another one.
    #[error("the signature is not that of a known access key")]
    Signature,
    /// There is another STS token than the access key's, or none, or one with a key that has none.
    #[error("the security token is not that of the access key")]
    SecurityToken,
    /// The body is not the one whose digest is signed.
    #[error("the body is not the one that was signed")]
    Body,
    /// The signature's time is too far from now.
    #[error("the request was signed {seconds} s from now, more than {} s; check the clocks", MAX_SKEW_MILLIS / 1000)]
    Skew {
        /// The distance, seconds.
        seconds: i64,
    },
}

/// A request whose headers are those of an access key. Its body is still to be checked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Verified {
    /// The id of the access key.
    pub key_id: String,
    digest: Option<String>,
}

/// The headers that authorize a request with this body (empty for none), `Authorization` among them.
pub fn sign(
    algorithm: Algorithm,
    request: &Request<'_>,
    body: &str,
    key: &AccessKey,
    context: &Context<'_>,
) -> Headers {
    let mut headers = match algorithm {
        Algorithm::Default => dlf4::headers(body, key, context),
        Algorithm::OpenApi => openapi::headers(body, key, context),
    };
    let lower = lower_case(&headers);
    let authorization = match algorithm {
        Algorithm::Default => {
            let date = lower.get(dlf4::DATE).map_or("", String::as_str);
            dlf4::authorization(request, key, context.region, date, &lower, dlf4::Values::Encoded)
        }
        Algorithm::OpenApi => openapi::authorization(request, key, &lower),
    };
    headers.insert("Authorization".to_owned(), authorization);
    headers
}

/// Checks the signature of a request that came with `headers` (names in lower case), at `now_millis`. The access key is
/// looked up by its id with `find`. What is compared with a secret, or with what comes of one, is compared in constant time.
///
/// # Errors
/// [`Refused`].
pub fn verify(
    request: &Request<'_>,
    headers: &Headers,
    now_millis: i64,
    find: impl FnOnce(&str) -> Option<AccessKey>,
) -> Result<Verified, Refused> {
    let header = |name: &str| headers.get(name).map(String::as_str);
    let given = header("authorization").ok_or(Refused::NotSigned)?;
    let (id, region) = match (dlf4::credential(given), openapi::credential(given)) {
        (Some((id, region)), _) => (id, Some(region)),
        (None, Some(id)) => (id, None),
        (None, None) => return Err(Refused::NotSigned),
    };
    let (date, format, security_token) = match region {
        Some(_) => (dlf4::DATE, dlf4::DATE_FORMAT, dlf4::SECURITY_TOKEN),
        None => (openapi::DATE, openapi::DATE_FORMAT, openapi::SECURITY_TOKEN),
    };
    let date = header(date).ok_or(Refused::NotSigned)?;
    let skew = moment(date, format).ok_or(Refused::NotSigned)?.saturating_sub(now_millis);
    let key = find(id).ok_or(Refused::Signature)?;
    let is_signed = match region {
        Some(region) => [dlf4::Values::Encoded, dlf4::Values::Plain]
            .map(|values| dlf4::authorization(request, &key, region, date, headers, values))
            .into_iter()
            .fold(false, |is_signed, expected| Secret::new(expected).is(given) | is_signed),
        None => Secret::new(openapi::authorization(request, &key, headers)).is(given),
    };
    if !is_signed {
        return Err(Refused::Signature);
    }
    let is_same_token = match (&key.security_token, header(security_token)) {
        (Some(expected), Some(given)) => expected.is(given),
        (None, None) => true,
        _ => false,
    };
    if !is_same_token {
        return Err(Refused::SecurityToken);
    }
    if skew.abs() > MAX_SKEW_MILLIS {
        return Err(Refused::Skew { seconds: skew / 1000 });
    }
    Ok(Verified { key_id: id.to_owned(), digest: header("content-md5").map(str::to_owned) })
}

// === impl Verified ===

impl Verified {
    /// Whether this is the body that was signed: the signature covers its digest.
    ///
    /// # Errors
    /// [`Refused::Body`].
    pub fn check_body(&self, body: &[u8]) -> Result<(), Refused> {
        match self.digest == (!body.is_empty()).then(|| md5_base64(body)) {
            true => Ok(()),
            false => Err(Refused::Body),
        }
    }
}

// === impl Algorithm ===

impl Algorithm {
    /// The one of an endpoint (`DLFAuthProviderFactory.parseSigningAlgoFromUri`).
    pub fn of_endpoint(uri: &str) -> Self {
        if uri.to_lowercase().contains("dlfnext") { Self::OpenApi } else { Self::Default }
    }

    /// By its name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Default, Self::OpenApi].into_iter().find(|algorithm| algorithm.to_string() == name)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "default",
            Self::OpenApi => "openapi",
        })
    }
}

fn lower_case(headers: &Headers) -> Headers {
    headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect()
}

fn utc(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or_default()
}

fn moment(text: &str, format: &str) -> Option<i64> {
    Some(NaiveDateTime::parse_from_str(text, format).ok()?.and_utc().timestamp_millis())
}

fn md5_base64(body: &[u8]) -> String {
    BASE64_STANDARD.encode(Md5::digest(body))
}

/// HMAC with whatever hash; keys may have any length.
fn hmac<M: Mac + KeyInit>(key: &[u8], text: &str) -> Vec<u8> {
    match <M as KeyInit>::new_from_slice(key) {
        Ok(mut mac) => {
            mac.update(text.as_bytes());
            mac.finalize().into_bytes().to_vec()
        }
        Err(_) => Vec::new(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
