//! HTTP to a REST catalog: signs, sends, repeats what may be repeated, and makes a value of every failure.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::DateTime;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use reqwest::{Method, StatusCode};
use serde::de::DeserializeOwned;
use tributary_runtime::{Backoff, Clock, Env, Lease, Random};

use super::credentials::{Credentials, KeySource};
use super::error::RestError;
use super::options::{Auth, RestOptions};
use super::paths;
use super::secret::Secret;
use super::sign::{self, AccessKey, Algorithm};
use super::wire::ErrorResponse;
use crate::clocks::ahead_millis;

/// Until a connection stands.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// From a request to the last byte of its answer.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Nothing on the machine's own network takes longer.
const METADATA_TIMEOUT: Duration = Duration::from_secs(5);
/// Times that a request is sent again to a server that is busy (429, 503); after that it is the caller's turn to wait.
const MOST_RESENDS: u32 = 4;
/// A server that asks for a longer wait is busy for our purposes.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(30);
/// A clock that is further off than this explains a refused signature, milliseconds.
const NOTABLE_SKEW_MILLIS: i64 = 5 * 60 * 1000;
/// Longest part of an answer that an error repeats, characters.
const LONGEST_MESSAGE: usize = 500;

/// A request.
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Encoded, from `/v1` on.
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    /// JSON.
    pub(crate) body: Option<String>,
}

/// What came of a call.
#[must_use]
pub(crate) struct Reply {
    /// The body of a success.
    pub(crate) outcome: Result<String, RestError>,
    /// The request was sent more than once, so what is said of the last one need not hold for all.
    pub(crate) resent: bool,
}

/// Sends calls to one catalog.
pub(crate) struct Client {
    http: reqwest::Client,
    /// Without a slash at its end.
    uri: String,
    host: String,
    authorizer: Authorizer,
    clock: Arc<dyn Clock>,
    /// How far it is ahead of the server's, milliseconds, as the last answer that told the time shows.
    clock_ahead_millis: Mutex<Option<i64>>,
    random: Random,
    backoff: Backoff,
}

enum Authorizer {
    Bear(Secret),
    Dlf { credentials: Credentials, algorithm: Algorithm, region: String },
}

// === impl Client ===

impl Client {
    pub(crate) fn try_new(options: &RestOptions, env: &Env, backoff: Backoff) -> Result<Self, RestError> {
        let failed = |error: reqwest::Error| RestError::Client { why: root_cause(&error) };
        // The process's provider; whoever was first has the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = builder(&options.uri).connect_timeout(CONNECT_TIMEOUT).timeout(TIMEOUT);
        if options.is_loopback() {
            builder = builder.no_proxy();
        }
        let authorizer = match &options.auth {
            Auth::Bear(token) => Authorizer::Bear(token.clone()),
            Auth::Dlf { source, algorithm, region } => {
                let url = match source {
                    KeySource::Ecs { metadata_url, .. } => metadata_url,
                    KeySource::Fixed(_) | KeySource::File(_) => "",
                };
                let metadata = self::builder(url).no_proxy().timeout(METADATA_TIMEOUT).build().map_err(failed)?;
                let credentials = Credentials::new(source.clone(), Arc::clone(&env.clock), metadata);
                Authorizer::Dlf { credentials, algorithm: *algorithm, region: region.clone() }
            }
        };
        Ok(Self {
            http: builder.build().map_err(failed)?,
            uri: options.uri.clone(),
            host: options.host.clone(),
            authorizer,
            clock: Arc::clone(&env.clock),
            clock_ahead_millis: Mutex::default(),
            random: env.random.clone(),
            backoff,
        })
    }

    /// When the credentials stop working, Unix milliseconds; `None` when they do not, or nobody knows.
    pub(crate) fn credentials_expire_at_millis(&self) -> Option<i64> {
        match &self.authorizer {
            Authorizer::Bear(_) => None,
            Authorizer::Dlf { credentials, .. } => credentials.expires_at_millis(),
        }
    }

    /// How far this machine's clock is ahead of the server's, milliseconds; `None` before an answer tells the time.
    pub(crate) fn clock_ahead_millis(&self) -> Option<i64> {
        *self.clock_ahead_millis.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a call with `headers` besides those that authorize it.
    pub(crate) async fn send(&self, call: &Call, headers: &BTreeMap<String, String>) -> Reply {
        let mut resends = 0;
        let mut lease = match self.lease().await {
            Ok(lease) => lease,
            Err(error) => return Reply { outcome: Err(error), resent: false },
        };
        let mut is_renewed = false;
        let outcome = loop {
            let (error, wait) = match self.send_once(call, headers, lease.as_deref()).await {
                Ok(body) => break Ok(body),
                Err(failed) => failed,
            };
            match error.refusal() {
                Some((401 | 403, _)) if !is_renewed => {
                    is_renewed = true;
                    match self.renew(lease.as_ref()).await {
                        Some(renewed) => lease = Some(renewed),
                        None => break Err(self.explain(call, error, lease.as_deref())),
                    }
                }
                Some((429 | 503, _)) if resends < MOST_RESENDS => match wait {
                    Some(asked) => tokio::time::sleep(asked.min(LONGEST_RETRY_AFTER)).await,
                    None => self.pause(resends).await,
                },
                _ => break Err(error),
            }
            resends += 1;
        };
        Reply { outcome, resent: resends > 0 }
    }

    /// Waits before retry number `attempt`, the first retry being 0.
    pub(crate) async fn pause(&self, attempt: u32) {
        tokio::time::sleep(self.backoff.delay(attempt, &self.random)).await;
    }

    /// What `body` says.
    pub(crate) fn parse<T: DeserializeOwned>(&self, call: &Call, body: &str) -> Result<T, RestError> {
        // Neither the body nor the parser's view of it: both may hold credentials.
        serde_json::from_str(body).map_err(|error| RestError::Answer {
            call: self.name(call),
            why: format!("{:?} error in line {}, column {}", error.classify(), error.line(), error.column()),
        })
    }

    async fn lease(&self) -> Result<Option<Arc<Lease<AccessKey>>>, RestError> {
        match &self.authorizer {
            Authorizer::Bear(_) => Ok(None),
            Authorizer::Dlf { credentials, .. } => Ok(Some(credentials.get().await?)),
        }
    }

    async fn renew(&self, rejected: Option<&Arc<Lease<AccessKey>>>) -> Option<Arc<Lease<AccessKey>>> {
        match (&self.authorizer, rejected) {
            (Authorizer::Dlf { credentials, .. }, Some(rejected)) => credentials.renew(rejected).await,
            _ => None,
        }
    }

    /// Credentials that somebody renews and that are over are worth waiting for.
    fn explain(&self, call: &Call, error: RestError, lease: Option<&Lease<AccessKey>>) -> RestError {
        match (&self.authorizer, lease) {
            (Authorizer::Dlf { credentials, .. }, Some(lease)) if credentials.is_over(lease) => {
                match credentials.renewed_in() {
                    Some(place) => RestError::Expired { call: self.name(call), place },
                    None => error,
                }
            }
            _ => error,
        }
    }

    async fn send_once(
        &self,
        call: &Call,
        headers: &BTreeMap<String, String>,
        lease: Option<&Lease<AccessKey>>,
    ) -> Result<String, (RestError, Option<Duration>)> {
        let mut url = format!("{}{}", self.uri, call.path);
        for (index, (name, value)) in call.query.iter().enumerate() {
            url.push(if index == 0 { '?' } else { '&' });
            url.push_str(&format!("{}={}", paths::encode(name), paths::encode(value)));
        }
        let mut request = self.http.request(call.method.clone(), url);
        if let Some(body) = &call.body {
            request = request.header("Content-Type", "application/json").body(body.clone());
        }
        let authorization = self.authorization(call, lease);
        for (name, value) in headers.iter().chain(&authorization) {
            request = request.header(name, value);
        }
        let failed = |error: reqwest::Error| {
            let why = root_cause(&error);
            match error.is_builder() {
                true => (RestError::Client { why }, None),
                false => (RestError::NoAnswer { call: self.name(call), why, sent: !error.is_connect() }, None),
            }
        };
        let asked_at = self.clock.now_millis();
        let answer = request.send().await.map_err(failed)?;
        let (status, answered) = (answer.status(), answer.headers().clone());
        self.compare_clocks(asked_at, &answered);
        let body = answer.text().await.map_err(failed)?;
        if status.is_success() {
            return Ok(body);
        }
        let wait = retry_after(&answered);
        Err((self.refused(call, status, &body, lease), wait))
    }

    fn authorization(&self, call: &Call, lease: Option<&Lease<AccessKey>>) -> BTreeMap<String, String> {
        match (&self.authorizer, lease) {
            (Authorizer::Dlf { algorithm, region, .. }, Some(lease)) => {
                let request = sign::Request { method: call.method.as_str(), path: &call.path, query: &call.query };
                let body = call.body.as_deref().unwrap_or_default();
                let nonce = self.random.uuid().to_string();
                let now_millis = self.clock.now_millis();
                let context = sign::Context { region, host: &self.host, now_millis, nonce: &nonce };
                let mut headers = sign::sign(*algorithm, &request, body, &lease.value, &context);
                // Sent already, with the same value.
                headers.remove("Content-Type");
                headers
            }
            (Authorizer::Bear(token), _) => [("Authorization".to_owned(), format!("Bearer {}", token.expose()))].into(),
            (Authorizer::Dlf { .. }, None) => BTreeMap::new(),
        }
    }

    fn refused(&self, call: &Call, status: StatusCode, body: &str, lease: Option<&Lease<AccessKey>>) -> RestError {
        // What is no error of a catalog is somebody else's page, which is not repeated.
        let error: ErrorResponse = serde_json::from_str(body).unwrap_or_default();
        let message = error.message.filter(|message| !message.is_empty()).map(|message| self.clean(&message, lease));
        let hint = match status.as_u16() {
            401 | 403 => self.skew().unwrap_or_else(|| "; check token.provider and its credentials".to_owned()),
            _ => String::new(),
        };
        RestError::Refused {
            call: self.name(call),
            status: status.as_u16(),
            resource: error.resource_type.filter(|resource| !resource.is_empty()),
            message,
            hint,
        }
    }

    fn compare_clocks(&self, asked_at: i64, headers: &HeaderMap) {
        let date = headers.get(DATE).and_then(|date| DateTime::parse_from_rfc2822(date.to_str().ok()?).ok());
        if let Some(theirs) = date {
            let ahead = ahead_millis(asked_at..=self.clock.now_millis(), theirs.timestamp_millis());
            *self.clock_ahead_millis.lock().unwrap_or_else(PoisonError::into_inner) = Some(ahead);
        }
    }

    /// What a wrong clock of ours does to signatures, if it is wrong.
    fn skew(&self) -> Option<String> {
        let millis = self.clock_ahead_millis()?;
        let direction = if millis > 0 { "ahead of" } else { "behind" };
        (millis.abs() > NOTABLE_SKEW_MILLIS).then(|| {
            format!("; the clock of this machine is {} s {direction} the server's: correct it", millis.abs() / 1000)
        })
    }

    /// The words of a server without the secrets it was sent.
    fn clean(&self, message: &str, lease: Option<&Lease<AccessKey>>) -> String {
        let mut secrets = Vec::new();
        if let Authorizer::Bear(token) = &self.authorizer {
            secrets.push(token);
        }
        if let Some(lease) = lease {
            secrets.push(&lease.value.secret);
            secrets.extend(&lease.value.security_token);
        }
        let mut message = message.to_owned();
        for secret in secrets.into_iter().filter(|secret| !secret.expose().is_empty()) {
            message = message.replace(secret.expose(), "***");
        }
        message.chars().take(LONGEST_MESSAGE).collect()
    }

    fn name(&self, call: &Call) -> String {
        format!("{} {}{}", call.method, self.uri, call.path)
    }
}

/// What both clients have in common. A redirect would take the credentials elsewhere.
fn builder(uri: &str) -> reqwest::ClientBuilder {
    let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    // In a container without CA certificates there is no verifier; whoever asks without TLS needs none.
    if uri.starts_with("https:") { builder } else { builder.tls_certs_only([]) }
}

/// How long a server asks us to wait; a date is not one that anybody sends.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// The innermost reason; the outer ones repeat the URL.
fn root_cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    if error.is_connect() { format!("cannot connect: {cause}") } else { cause.to_string() }
}

#[cfg(test)]
mod tests;
