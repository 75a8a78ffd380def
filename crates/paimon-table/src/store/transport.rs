//! Below `object_store`'s S3 client: each HTTP exchange, and what its answer means on the protocol spoken.
//!
//! - What is particular to a protocol is its [`Dialect`]; above all what a refused conditional put means.
//! - Keys that the store refuses are replaced once, and the request is signed and sent again. A part of an upload or
//!   a commit survives the expiry of its token this way.
//! - An answer that no waiting can change (no such bucket, wrong region) is a [`Refusal`], not "the object is absent".
//! - Of an error's text only code and message are kept: stores repeat keys and signatures in the rest.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService, ReqwestConnector,
};
use reqwest::header::{AUTHORIZATION, HeaderMap, IF_NONE_MATCH};
use reqwest::{Method, StatusCode};
use tributary_runtime::FailureKind;

use super::credentials::{Credentials, RefreshingCredentials};

/// Codes of a request whose keys the store no longer takes; AWS answers some of them with 400.
const STALE_KEYS: [&str; 3] = ["ExpiredToken", "InvalidToken", "TokenRefreshRequired"];

pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// How one protocol differs from what `object_store`'s S3 client says and hears.
#[async_trait]
pub(super) trait Dialect: fmt::Debug + Send + Sync {
    /// Makes a request of the S3 client one of this protocol, signed.
    async fn prepare(&self, request: &mut HttpRequest) -> Result<(), BoxError>;

    /// Signs a prepared request with other keys.
    fn sign(&self, request: &mut HttpRequest, keys: &Credentials) -> Result<(), BoxError>;

    /// What the answer to a conditional put means; `code` is empty unless the answer is an error that has one.
    fn created(&self, status: StatusCode, headers: &HeaderMap, code: &str) -> Creation;
}

/// What an answer to a conditional put means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Creation {
    /// What `object_store` takes it for.
    AsSaid,
    /// Nothing landed; the request is to be repeated.
    Again,
    /// It can not be done here.
    Refused(Refusal),
}

/// Connects [`Transport`]s.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    /// The protocol.
    pub(super) dialect: Arc<dyn Dialect>,
    /// Keys that may be replaced; `None` for keys that stay.
    pub(super) refreshing: Option<Arc<RefreshingCredentials>>,
}

/// One store's HTTP client.
#[derive(Debug)]
struct Transport {
    http: HttpClient,
    wire: Connector,
}

/// A store's answer that sending the request again cannot change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub(super) struct Refusal {
    text: String,
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
        Ok(HttpClient::new(Transport { http: ReqwestConnector::default().connect(options)?, wire: self.clone() }))
    }
}

// === impl Transport ===

#[async_trait]
impl HttpService for Transport {
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let unable = |error: BoxError| HttpError::new_boxed(HttpErrorKind::Unknown, error);
        let dialect = &self.wire.dialect;
        let creates = request.method() == Method::PUT && request.headers().contains_key(IF_NONE_MATCH);
        dialect.prepare(&mut request).await.map_err(unable)?;
        let again = self.wire.refreshing.is_some().then(|| request.clone());
        let mut answer = Answer::read(self.http.execute(request).await?).await?;
        if let (Answer::Failed(_, said), Some(keys), Some(mut request)) = (&answer, &self.wire.refreshing, again)
            && said.refuses_keys()
        {
            let fresh = keys.instead_of(signer(&request)).await.map_err(|error| unable(error.into()))?;
            if let Some(fresh) = fresh {
                dialect.sign(&mut request, &fresh).map_err(unable)?;
                answer = Answer::read(self.http.execute(request).await?).await?;
            }
        }
        let (mut response, said) = match answer {
            Answer::Whole(response) => (response, None),
            Answer::Failed(response, said) => (response, Some(said)),
        };
        if creates {
            let code = said.as_ref().map_or("", |said| &said.code);
            match dialect.created(response.status(), response.headers(), code) {
                Creation::AsSaid => {}
                Creation::Again => {
                    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                    return Ok(response);
                }
                Creation::Refused(refusal) => return Err(HttpError::new(HttpErrorKind::Unknown, refusal)),
            }
        }
        match said.and_then(Said::into_refusal) {
            Some(refusal) => Err(HttpError::new(HttpErrorKind::Unknown, refusal)),
            None => Ok(response),
        }
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

    /// Where the status alone would mislead; only a store's own answers have a code.
    fn into_refusal(self) -> Option<Refusal> {
        Some(Refusal { kind: self.finality()?, text: format!("{self}{}", self.remedy()) })
    }

    /// What a caller should do.
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

    fn remedy(&self) -> &'static str {
        match self.code.as_str() {
            "NoSuchBucket" => "; create the bucket, or correct its name or the endpoint",
            "RequestTimeTooSkewed" => "; set this machine's clock",
            "AuthorizationHeaderMalformed"
            | "PermanentRedirect"
            | "TemporaryRedirect"
            | "IllegalLocationConstraint" => "; set s3.region to the bucket's",
            // OSS names neither in its code.
            "InvalidArgument" if self.message.contains("region") => "; set fs.oss.region to the bucket's",
            "AccessDenied" if self.message.contains("specified endpoint") => "; set fs.oss.endpoint to the bucket's",
            _ => "",
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
    pub(super) fn new(text: impl Into<String>, kind: FailureKind) -> Self {
        Self { text: text.into(), kind }
    }

    /// What a caller should do.
    pub(super) fn kind(&self) -> FailureKind {
        self.kind
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
        .fold(text.trim().to_owned(), |text, (entity, character)| text.replace(entity, character))
}
