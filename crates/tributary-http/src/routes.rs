//! The paths, and what each answers.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use prometheus::{Encoder, Registry, TextEncoder};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tracing::{info, warn};

use crate::runs;
use crate::status::{Admin, AdminError, Check, Faces, Status};
use crate::token::BearerToken;

const MAX_BODY_BYTES: usize = 16 * 1024;
const MAX_REQUEST_TIME: Duration = Duration::from_secs(30);

const INDEX: &str = "\
tributary

GET  /metrics            prometheus text format
GET  /livez              is the process alive? (?verbose lists the checks; also /healthz, /health)
GET  /readyz             does it make progress? (?verbose lists the checks; also /ready)
GET  /status             everything, as JSON
";
const ADMIN_INDEX: &str = "\
POST /admin/checkpoint   commit now
POST /admin/pause        stop reading from the source
POST /admin/resume       read on
POST /admin/rate         set a generator's rate: {\"rows-per-second\": 100}

Admin verbs need the header `authorization: Bearer TOKEN`. They mean every pipeline unless told
{\"pipeline\": \"NAME\"}. What they are told stands in a JSON body or in the query.
";

const NO_TOKEN: &str = "admin verbs are off because no admin token is set; set http.admin-token \
                        or http.admin-token-file (or TRIBUTARY_HTTP__ADMIN_TOKEN) and restart";
const WRONG_TOKEN: &str = "this needs the header `authorization: Bearer TOKEN` with the admin \
                           token of http.admin-token or http.admin-token-file";

#[derive(Clone)]
struct Pages {
    registry: Registry,
    status: Arc<dyn Status>,
}

#[derive(Clone)]
struct Shared {
    status: Arc<dyn Status>,
}

#[derive(Clone)]
struct Verbs {
    admin: Arc<dyn Admin>,
}

/// What every admin verb can be told.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Target {
    pipeline: Option<String>,
}

/// What `/admin/rate` must be told.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rate {
    pipeline: Option<String>,
    #[serde(rename = "rows-per-second")]
    rows_per_second: f64,
}

/// The parameters of an admin verb.
struct Told<T>(T);

pub(crate) fn router(registry: Registry, faces: Faces, token: Option<BearerToken>) -> Router {
    let Faces { status, admin, runs } = faces;
    let mut index = INDEX.to_owned();
    let mut router = pages(registry, Arc::clone(&status))
        .merge(Router::new().route("/status", get(status_page)).with_state(Shared { status }));
    if let Some(runs) = runs {
        index += runs::INDEX;
        router = router.merge(runs::router(runs, token.clone()));
    }
    if let Some(admin) = admin {
        index += ADMIN_INDEX;
        let verbs = Router::new()
            .route("/admin/checkpoint", post(checkpoint))
            .route("/admin/pause", post(pause))
            .route("/admin/resume", post(resume))
            .route("/admin/rate", post(rate))
            .route_layer(middleware::from_fn_with_state(token, authorize));
        router = router.merge(verbs.with_state(Verbs { admin }));
    }
    router
        .route("/", get(async || index))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn(in_time))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
}

/// `/metrics`, `/livez` and `/readyz` with their other names, for any server of ours.
pub fn pages(registry: Registry, status: Arc<dyn Status>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/livez", get(livez))
        .route("/healthz", get(livez))
        .route("/health", get(livez))
        .route("/readyz", get(readyz))
        .route("/ready", get(readyz))
        .with_state(Pages { registry, status })
}

// Every page.

/// Bounds a request's time and forbids caching: every answer here is about this moment.
async fn in_time(request: Request, next: Next) -> Response {
    let mut response = tokio::time::timeout(MAX_REQUEST_TIME, next.run(request)).await.unwrap_or_else(|_elapsed| {
        text(StatusCode::GATEWAY_TIMEOUT, "not done within 30 s; it may still happen: see /status")
    });
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn unknown_path(uri: Uri) -> Response {
    text(StatusCode::NOT_FOUND, &format!("there is nothing at {}; GET / lists what there is", uri.path()))
}

async fn wrong_method(uri: Uri) -> Response {
    text(StatusCode::METHOD_NOT_ALLOWED, &format!("{} takes another method; GET / lists which", uri.path()))
}

fn text(code: StatusCode, line: &str) -> Response {
    (code, format!("{line}\n")).into_response()
}

// Reading.

async fn metrics(State(shared): State<Pages>) -> Response {
    let encoder = TextEncoder::new();
    let mut page = Vec::new();
    match encoder.encode(&shared.registry.gather(), &mut page) {
        Ok(()) => {
            let kind = [(header::CONTENT_TYPE, encoder.format_type().to_owned())];
            (kind, page).into_response()
        }
        Err(problem) => {
            warn!(error = %problem, "metrics cannot be written");
            text(StatusCode::INTERNAL_SERVER_ERROR, "metrics cannot be written")
        }
    }
}

async fn livez(State(shared): State<Pages>, uri: Uri) -> Response {
    health("livez", &shared.status.live(), &uri)
}

async fn readyz(State(shared): State<Pages>, uri: Uri) -> Response {
    health("readyz", &shared.status.ready(), &uri)
}

/// Kubernetes' form: the code for machines; one line, or every check on `?verbose`, for people.
/// A failure is always told in full: the line a probe leaves in the event log is all that is kept.
fn health(page: &str, checks: &[Check], uri: &Uri) -> Response {
    let passed = checks.iter().all(Check::is_passed);
    let verbose =
        uri.query().is_some_and(|query| query.split('&').any(|part| part == "verbose" || part.starts_with("verbose=")));
    if passed && !verbose {
        return text(StatusCode::OK, "ok");
    }
    let mut lines = String::new();
    for check in checks {
        let (mark, word) = match check.is_passed() {
            true => ('+', "ok"),
            false => ('-', "failed"),
        };
        lines += &format!("[{mark}]{} {word}", check.name());
        if !check.detail().is_empty() {
            lines += &format!(": {}", check.detail());
        }
        lines.push('\n');
    }
    match passed {
        true => text(StatusCode::OK, &format!("{lines}{page} check passed")),
        false => text(StatusCode::SERVICE_UNAVAILABLE, &format!("{lines}{page} check failed")),
    }
}

async fn status_page(State(shared): State<Shared>) -> Json<Value> {
    Json(shared.status.status())
}

// Admin.

/// Lets those through who know the token.
pub(crate) async fn authorize(
    State(token): State<Option<BearerToken>>,
    headers: HeaderMap,
    request: Request,
    next: Next,
) -> Response {
    let Some(token) = &token else {
        return refusal(StatusCode::FORBIDDEN, NO_TOKEN);
    };
    let offered = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map_or("", |(_, offered)| offered.trim());
    if !token.matches(offered) {
        let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
        let refused = refusal(StatusCode::UNAUTHORIZED, WRONG_TOKEN);
        return (challenge, refused).into_response();
    }
    let path = request.uri().to_string();
    let response = next.run(request).await;
    info!(request = %path, status = response.status().as_u16(), "admin request");
    response
}

async fn checkpoint(State(shared): State<Verbs>, Told(target): Told<Target>) -> Response {
    answer(shared.admin.checkpoint(target.pipeline.as_deref()).await)
}

async fn pause(State(shared): State<Verbs>, Told(target): Told<Target>) -> Response {
    answer(shared.admin.pause(target.pipeline.as_deref()).await)
}

async fn resume(State(shared): State<Verbs>, Told(target): Told<Target>) -> Response {
    answer(shared.admin.resume(target.pipeline.as_deref()).await)
}

async fn rate(State(shared): State<Verbs>, Told(rate): Told<Rate>) -> Response {
    if !rate.rows_per_second.is_finite() || rate.rows_per_second < 0.0 {
        return refusal(StatusCode::BAD_REQUEST, "rows-per-second must be a number that is not negative");
    }
    answer(shared.admin.rate(rate.pipeline.as_deref(), rate.rows_per_second).await)
}

pub(crate) fn answer(done: Result<Value, AdminError>) -> Response {
    match done {
        Ok(said) => Json(said).into_response(),
        Err(problem) => {
            let code = match problem {
                AdminError::UnknownPipeline { .. } | AdminError::NotFound(_) => StatusCode::NOT_FOUND,
                AdminError::Conflict(_) => StatusCode::CONFLICT,
                AdminError::Invalid(_) => StatusCode::BAD_REQUEST,
                AdminError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            };
            refusal(code, &problem.to_string())
        }
    }
}

pub(crate) fn refusal(code: StatusCode, why: &str) -> Response {
    (code, Json(json!({ "error": why }))).into_response()
}

// === impl Told ===

/// A JSON body, or the query if there is none.
impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Told<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let uri = request.uri().clone();
        let body = Bytes::from_request(request, state).await.map_err(IntoResponse::into_response)?;
        let told = match body.is_empty() {
            true => Query::try_from_uri(&uri).map(|Query(told)| told).map_err(|problem| problem.body_text()),
            false => serde_json::from_slice(&body).map_err(|problem| problem.to_string()),
        };
        told.map(Self).map_err(|problem| refusal(StatusCode::BAD_REQUEST, &problem))
    }
}
