//! The paths, and what each answers.

use std::sync::Arc;
use std::time::Duration;

use axum::body::HttpBody;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use prometheus::{Encoder, Registry, TextEncoder};
use serde::Deserialize;
use serde_json::{Value, json};
use tracing::{info, warn};

use crate::status::{Admin, AdminError, Check, Status};
use crate::token::AdminToken;

const MAX_REQUEST_TIME: Duration = Duration::from_secs(30);

const INDEX: &str = "\
tributary

GET  /metrics            prometheus text format
GET  /livez              is the process alive? (?verbose lists the checks; also /healthz, /health)
GET  /readyz             do commits progress? (?verbose lists the checks; also /ready)
GET  /status             everything, as JSON
POST /admin/checkpoint   commit now (?pipeline=NAME for one, here and below)
POST /admin/pause        stop reading from the source
POST /admin/resume       read on
POST /admin/rate         set a generator's rate (?rows-per-second=N)

admin verbs need the header `authorization: Bearer TOKEN`
";

const NO_TOKEN: &str = "admin verbs are off because no admin token is set; set http.admin-token \
                        or http.admin-token-file (or TRIBUTARY_HTTP__ADMIN_TOKEN) and restart";
const WRONG_TOKEN: &str = "this needs the header `authorization: Bearer TOKEN` with the admin \
                           token of http.admin-token or http.admin-token-file";

#[derive(Clone)]
struct Shared {
    registry: Registry,
    status: Arc<dyn Status>,
    admin: Arc<dyn Admin>,
    token: Option<AdminToken>,
}

/// `?pipeline=NAME` of every admin verb.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Target {
    pipeline: Option<String>,
}

/// The query of `/admin/rate`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rate {
    pipeline: Option<String>,
    #[serde(rename = "rows-per-second")]
    rows_per_second: f64,
}

pub(crate) fn router(
    registry: Registry,
    status: Arc<dyn Status>,
    admin: Arc<dyn Admin>,
    token: Option<AdminToken>,
) -> Router {
    let shared = Shared { registry, status, admin, token };
    let verbs = Router::new()
        .route("/admin/checkpoint", post(checkpoint))
        .route("/admin/pause", post(pause))
        .route("/admin/resume", post(resume))
        .route("/admin/rate", post(rate))
        .route_layer(middleware::from_fn_with_state(shared.clone(), authorize));
    Router::new()
        .route("/", get(async || INDEX))
        .route("/metrics", get(metrics))
        .route("/livez", get(livez))
        .route("/healthz", get(livez))
        .route("/health", get(livez))
        .route("/readyz", get(readyz))
        .route("/ready", get(readyz))
        .route("/status", get(status_page))
        .merge(verbs)
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn(in_time))
        .with_state(shared)
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

async fn metrics(State(shared): State<Shared>) -> Response {
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

async fn livez(State(shared): State<Shared>, uri: Uri) -> Response {
    health("livez", &shared.status.live(), &uri)
}

async fn readyz(State(shared): State<Shared>, uri: Uri) -> Response {
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

async fn authorize(State(shared): State<Shared>, headers: HeaderMap, request: Request, next: Next) -> Response {
    let Some(token) = &shared.token else {
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
    if !request.body().is_end_stream() {
        // Not read, so that `curl -d pipeline=a …/admin/pause` does not pause every pipeline.
        return refusal(
            StatusCode::BAD_REQUEST,
            "admin verbs take no body: say it in the query, as in /admin/pause?pipeline=NAME",
        );
    }
    let path = request.uri().to_string();
    let response = next.run(request).await;
    info!(request = %path, status = response.status().as_u16(), "admin request");
    response
}

async fn checkpoint(State(shared): State<Shared>, Query(target): Query<Target>) -> Response {
    answer(shared.admin.checkpoint(target.pipeline.as_deref()).await)
}

async fn pause(State(shared): State<Shared>, Query(target): Query<Target>) -> Response {
    answer(shared.admin.pause(target.pipeline.as_deref()).await)
}

async fn resume(State(shared): State<Shared>, Query(target): Query<Target>) -> Response {
    answer(shared.admin.resume(target.pipeline.as_deref()).await)
}

async fn rate(State(shared): State<Shared>, query: Result<Query<Rate>, QueryRejection>) -> Response {
    match query {
        Ok(Query(rate)) if rate.rows_per_second.is_finite() && rate.rows_per_second >= 0.0 => {
            let pipeline = rate.pipeline.as_deref();
            answer(shared.admin.rate(pipeline, rate.rows_per_second).await)
        }
        _ => refusal(
            StatusCode::BAD_REQUEST,
            "say the rate as a number that is not negative: /admin/rate?rows-per-second=100",
        ),
    }
}

fn answer(done: Result<Value, AdminError>) -> Response {
    match done {
        Ok(said) => Json(said).into_response(),
        Err(problem) => {
            let code = match problem {
                AdminError::UnknownPipeline { .. } => StatusCode::NOT_FOUND,
                AdminError::Refused(_) => StatusCode::CONFLICT,
                AdminError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            };
            refusal(code, &problem.to_string())
        }
    }
}

fn refusal(code: StatusCode, why: &str) -> Response {
    (code, Json(json!({ "error": why }))).into_response()
}
