//! The API over HTTP: who asks, what is asked, the answer. Beside it metrics and health.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use prometheus::Registry;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use tracing::{debug, error};
use tributary_http::{Bounded, Check, Status, pages};
use tributary_runtime::Drain;

use crate::access::Access;
use crate::call::Call;
use crate::problem::Problem;
use crate::service::{Reply, Service};

/// A commit's body holds statistics of every partition it touched.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

const MAX_CONNECTIONS: usize = 1024;

/// The server of one catalog.
pub struct CatalogServer {
    /// What it serves.
    pub service: Arc<Service>,
    /// To whom.
    pub access: Access,
    /// What `/metrics` shows.
    pub registry: Registry,
}

struct Shared {
    service: Arc<Service>,
    access: Access,
    /// Calls that have begun: each is carried through, also when its connection breaks.
    calls: TaskTracker,
}

struct Health {
    service: Arc<Service>,
    drain: Drain,
}

// === impl CatalogServer ===

impl CatalogServer {
    /// Serves until the drain is requested and every call that has begun is answered.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(self, listener: TcpListener, drain: Drain) -> io::Result<()> {
        let Self { service, access, registry } = self;
        let health = Arc::new(Health { service: Arc::clone(&service), drain: drain.clone() });
        let calls = TaskTracker::new();
        let shared = Arc::new(Shared { service, access, calls: calls.clone() });
        let router = Router::new().fallback(answer).with_state(shared).merge(pages(registry, health));
        let listener = Bounded::new(tokio::net::TcpListener::from_std(listener)?, MAX_CONNECTIONS);
        axum::serve(listener, router).with_graceful_shutdown(async move { drain.requested().await }).await?;
        calls.close();
        calls.wait().await;
        Ok(())
    }
}

impl Status for Health {
    fn live(&self) -> Vec<Check> {
        vec![Check::passed("runtime", "")]
    }

    fn ready(&self) -> Vec<Check> {
        let ledger = match self.service.is_sound() {
            true => Check::passed("database", ""),
            false => Check::failed(
                "database",
                "a change could not be made durable; restart the server when its disk is well",
            ),
        };
        let running = match self.drain.is_requested() {
            true => Check::failed("running", "the server is draining"),
            false => Check::passed("running", ""),
        };
        vec![ledger, running]
    }

    fn status(&self) -> serde_json::Value {
        serde_json::Value::Null
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let begun = Instant::now();
    let (operation, outcome) = respond(&shared, request).await;
    let service = &shared.service;
    let (code, response) = match outcome {
        Ok(Reply::Done) => (200, StatusCode::OK.into_response()),
        Ok(Reply::Json(bytes)) => (200, with_json(StatusCode::OK, bytes)),
        Err(problem) => {
            debug!(operation, code = problem.code, %problem, "refused");
            if problem.code >= 500 && problem.code != 501 {
                error!(operation, code = problem.code, %problem, "a request failed");
            }
            (problem.code, refusal(&problem))
        }
    };
    service.metrics.answered(operation, code, begun.elapsed());
    response
}

async fn respond(shared: &Arc<Shared>, request: Request) -> (&'static str, Result<Reply, Problem>) {
    let (parts, body) = request.into_parts();
    let caller = match shared.access.identify(&parts, shared.service.now_millis()) {
        Ok(caller) => caller,
        Err(problem) => return ("unauthorized", Err(problem)),
    };
    let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or_default());
    let call = match Call::try_new(parts.method.as_str(), path, query, shared.service.prefix()) {
        Ok(call) => call,
        Err(problem) => return ("unknown", Err(problem)),
    };
    let operation = call.operation();
    let sent = async {
        let body = read(body).await?;
        Ok((caller.with_body(&body)?, body))
    };
    let (who, body) = match sent.await {
        Ok(sent) => sent,
        Err(problem) => return (operation, Err(problem)),
    };
    let service = Arc::clone(&shared.service);
    let task = shared.calls.spawn(async move { service.answer(&who, call, &body).await });
    let answered = task.await.unwrap_or_else(|failure| {
        error!(%failure, operation, "a call panicked");
        Err(Problem::broken("this is a bug of the server; its log says more"))
    });
    (operation, answered)
}

async fn read(body: Body) -> Result<bytes::Bytes, Problem> {
    to_bytes(body, MAX_BODY_BYTES).await.map_err(|error| {
        let is_too_long = std::error::Error::source(&error).is_some_and(|source| source.to_string().contains("limit"));
        if is_too_long { Problem::too_large(MAX_BODY_BYTES) } else { Problem::bad("the body ended early") }
    })
}

fn refusal(problem: &Problem) -> Response {
    let code = StatusCode::from_u16(problem.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = serde_json::to_vec(&problem.body()).unwrap_or_default();
    with_json(code, body)
}

fn with_json(code: StatusCode, body: Vec<u8>) -> Response {
    (code, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
