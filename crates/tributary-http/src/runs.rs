//! `/runs`: what a compactor did, does and is asked to do.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::routes::{answer, authorize, refusal};
use crate::status::Runs;
use crate::token::BearerToken;

pub(crate) const INDEX: &str = "\
GET  /runs               runs of the compactor, newest first (?limit=50)
GET  /runs/ID            one run, with its log
POST /runs               run now: {\"table\": \"db.t\", \"action\": \"expire_snapshots\", …}; needs the admin token
POST /runs/ID/cancel     end a run early, in order; needs the admin token
";

const LIMIT: usize = 50;

/// What a list can be told.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    limit: Option<usize>,
}

type Compactor = State<Arc<dyn Runs>>;

pub(crate) fn router(runs: Arc<dyn Runs>, token: Option<BearerToken>) -> Router {
    let guard = middleware::from_fn_with_state(token, authorize);
    let verbs = Router::new().route("/runs", post(start)).route("/runs/{id}/cancel", post(cancel)).route_layer(guard);
    Router::new().route("/runs", get(list)).route("/runs/{id}", get(one)).merge(verbs).with_state(runs)
}

async fn list(
    State(runs): Compactor,
    asked: Result<Query<List>, axum::extract::rejection::QueryRejection>,
) -> Response {
    match asked {
        Ok(Query(asked)) => Json(runs.runs(asked.limit.unwrap_or(LIMIT))).into_response(),
        Err(problem) => refusal(StatusCode::BAD_REQUEST, &problem.body_text()),
    }
}

async fn one(State(runs): Compactor, Path(id): Path<String>) -> Response {
    match id.parse().ok().and_then(|id| runs.run(id)) {
        Some(run) => Json(run).into_response(),
        None => unknown(&id),
    }
}

async fn start(State(runs): Compactor, body: axum::body::Bytes) -> Response {
    let asked = match serde_json::from_slice::<Map<String, Value>>(&body) {
        Ok(asked) => asked,
        Err(problem) => return refusal(StatusCode::BAD_REQUEST, &format!("the body is no JSON object: {problem}")),
    };
    #[expect(clippy::disallowed_methods, reason = "it waits for the history's disk; probes are answered meanwhile")]
    let started = tokio::task::spawn_blocking(move || runs.start(asked)).await;
    match started {
        Ok(started) => answer(started),
        Err(panicked) => refusal(StatusCode::INTERNAL_SERVER_ERROR, &panicked.to_string()),
    }
}

async fn cancel(State(runs): Compactor, Path(id): Path<String>) -> Response {
    match id.parse() {
        Ok(id) => answer(runs.cancel(id)),
        Err(_) => unknown(&id),
    }
}

fn unknown(id: &str) -> Response {
    refusal(StatusCode::NOT_FOUND, &format!("there is no run `{id}`; GET /runs lists those there are"))
}
