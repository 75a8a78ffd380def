//! Below `object_store`'s S3 client: each HTTP exchange, and what its answer means on this protocol.
//!
//! - A conditional put that meets another one under way is answered 409 although nothing landed (AWS: "retry the
//!   upload"). `object_store` would take it for "exists"; here it becomes a 503, which that client repeats.
//! - Keys that the store refuses are replaced once, and the request is signed and sent again. A part of an upload or
//!   a commit survives the expiry of its token this way.
//! - An answer that no waiting can change (no such bucket, wrong region) is a [`Refusal`], not "the object is absent".
//! - Of an error's text only code and message are kept: S3 repeats keys and signatures in the rest.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use object_store::ClientOptions;
use object_store::aws::AwsAuthorizer;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService, ReqwestConnector,
};
use reqwest::header::{AUTHORIZATION, IF_NONE_MATCH};
use reqwest::{Method, StatusCode};
use tributary_runtime::FailureKind;

use super::credentials::{Credentials, RefreshingCredentials};
use super::s3::aws;

const DIGEST: &str = "x-amz-content-sha256";
const TOKEN: &str = "x-amz-security-token";

/// Codes of a request whose keys the store no longer takes; AWS answers some of them with 400.
const STALE_KEYS: [&str; 3] = ["ExpiredToken", "InvalidToken", "TokenRefreshRequired"];

/// Connects [`Transport`]s.
#[derive(Debug)]
pub(super) struct Connector {
    /// Keys that may be replaced; `None` for keys that stay.
    pub(super) refreshing: Option<Arc<RefreshingCredentials>>,
    /// What requests are signed for.
    pub(super) region: String,
}

/// One store's HTTP client.
#[derive(Debug)]
struct Transport {
    http: HttpClient,
    refreshing: Option<Arc<RefreshingCredentials>>,
    region: String,
}

/// A store's answer that sending the request again cannot change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{said}{}", self.remedy())]
pub(super) struct Refusal {
    said: Said,
    kind: FailureKind,
}

/// Status, code and message of an error.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    status: StatusCode,
    code: String,
    message: String,
}

// === impl Connector ===

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Transport {
            http: ReqwestConnector::default().connect(options)?,
            refreshing: self.refreshing.clone(),
            region: self.region.clone(),
        }))
    }
}

// === impl Transport ===

#[async_trait]
impl HttpService for Transport {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let creates = request.method() == Method::PUT && request.headers().contains_key(IF_NONE_MATCH);
        let again = self.refreshing.is_some().then(|| request.clone());
        let mut answer = Answer::read(self.http.execute(request).await?).await?;
        if let (Answer::Failed(_, said), Some(keys), Some(mut request)) = (&answer, &self.refreshing, again)
            && said.refuses_keys()
        {
            let unable =
                |error: Box<dyn std::error::Error + Send + Sync>| HttpError::new_boxed(HttpErrorKind::Unknown, error);
            let fresh = keys.instead_of(signer(&request)).await.map_err(|error| unable(error.into()))?;
            if let Some(fresh) = fresh {
                self.sign(&mut request, &fresh).map_err(|error| unable(error.into()))?;
                answer = Answer::read(self.http.execute(request).await?).await?;
            }
        }
        match answer {
            Answer::Whole(response) => Ok(response),
            Answer::Failed(mut response, said) => {
                if creates && said.status == StatusCode::CONFLICT {
                    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                } else if let Some(kind) = said.finality() {
                    return Err(HttpError::new(HttpErrorKind::Unknown, Refusal { said, kind }));
                }
                Ok(response)
            }
        }
    }
}

impl Transport {
    /// Replaces the signature; the digest of the body stays what it was.
    fn sign(&self, request: &mut HttpRequest, keys: &Credentials) -> object_store::Result<()> {
        let digest = request.headers().get(DIGEST).and_then(|digest| unhex(digest.to_str().ok()?));
        request.headers_mut().remove(TOKEN);
        AwsAuthorizer::new(&aws(keys), "s3", &self.region)
            .with_sign_payload(digest.is_some())
            .try_authorize(request, digest.as_deref())
    }
}

/// A response, read as far as its meaning needs.
enum Answer {
    /// Not an error, or one that `object_store` repeats: untouched.
    Whole(HttpResponse),
    /// An error; its body is now code and message.
    Failed(HttpResponse, Said),
}

// === impl Answer ===

impl Answer {
    async fn read(response: HttpResponse) -> Result<Self, HttpError> {
        let status = response.status();
        if status.is_success() || status == StatusCode::NOT_MODIFIED || status.is_server_error() {
            return Ok(Self::Whole(response));
        }
        let (parts, body) = response.into_parts();
        let text = String::from_utf8_lossy(&body.bytes().await?).into_owned();
        let said = Said { status, code: element(&text, "Code"), message: element(&text, "Message") };
        let body = if said.code.is_empty() { text } else { format!("{}: {}", said.code, said.message) };
        Ok(Self::Failed(HttpResponse::from_parts(parts, body.into()), said))
    }
}

// === impl Said ===

impl Said {
    fn refuses_keys(&self) -> bool {
        matches!(self.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
            || STALE_KEYS.contains(&self.code.as_str())
    }

    /// What a caller should do, where the status alone would mislead; only S3's own answers have a code.
    fn finality(&self) -> Option<FailureKind> {
        match (self.status, self.code.as_str()) {
            (_, "") => None,
            (_, code) if STALE_KEYS.contains(&code) => Some(FailureKind::Auth),
            // Of a listing's refusal `object_store` keeps no more than that it failed.
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => Some(FailureKind::Auth),
            (StatusCode::NOT_FOUND, "NoSuchBucket") => Some(FailureKind::Usage),
            // An upload that was aborted by somebody else: the file is written anew.
            (StatusCode::NOT_FOUND, "NoSuchUpload") => Some(FailureKind::Transient),
            (StatusCode::BAD_REQUEST, "RequestTimeout" | "IncompleteBody") => Some(FailureKind::Transient),
            (status, _) if status == StatusCode::BAD_REQUEST || status.is_redirection() => Some(FailureKind::Usage),
            _ => None,
        }
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.status.as_u16(), self.code, self.message.trim_end_matches('.'))
    }
}

// === impl Refusal ===

impl Refusal {
    /// What a caller should do.
    pub(super) fn kind(&self) -> FailureKind {
        self.kind
    }

    fn remedy(&self) -> &'static str {
        match self.said.code.as_str() {
            "NoSuchBucket" => "; create the bucket, or correct its name or the endpoint",
            "RequestTimeTooSkewed" => "; set this machine's clock",
            "AuthorizationHeaderMalformed"
            | "PermanentRedirect"
            | "TemporaryRedirect"
            | "IllegalLocationConstraint" => "; set s3.region to the bucket's",
            _ => "",
        }
    }
}

/// The access key of a signed request's header.
fn signer(request: &HttpRequest) -> &str {
    let header = request.headers().get(AUTHORIZATION).and_then(|header| header.to_str().ok()).unwrap_or_default();
    let credential = header.split_once("Credential=").map_or("", |(_, credential)| credential);
    credential.split_once('/').map_or("", |(key, _)| key)
}

/// The text of the first such element, entities resolved; an error's elements have neither attributes nor children.
fn element(xml: &str, name: &str) -> String {
    let text = xml.split_once(&format!("<{name}>")).and_then(|(_, rest)| rest.split_once(&format!("</{name}>")));
    let text = text.map_or("", |(text, _)| text);
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&apos;", "'"), ("&amp;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character))
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    (digits.len() == 64).then(|| (0..64).step_by(2).map(byte).collect()).flatten()
}
