//! A catalog of a test: gives the answers it was told to, in their order, and remembers what it was asked.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use tributary_runtime::{Backoff, Env, Executor, Random};
use tributary_testkit::ManualClock;

use super::client::{Call, Client};
use super::options::RestOptions;
use super::paths;

// 2026-08-22T09:32:37Z
pub(crate) const NOW: i64 = 1_787_391_157_000;

/// What is answered.
#[derive(Clone)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    /// `None` breaks the connection instead.
    body: Option<String>,
    /// Done first.
    event: Option<Arc<dyn Fn() + Send + Sync>>,
}

/// What was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// With the query.
    pub(crate) target: String,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

pub(crate) struct Stub {
    script: Script,
    pub(crate) uri: String,
}

pub(crate) fn answer(status: u16, body: &str) -> Answer {
    Answer { status, headers: Vec::new(), body: Some(body.to_owned()), event: None }
}

/// The answer begins and does not end.
pub(crate) fn hang_up() -> Answer {
    Answer { status: 200, headers: Vec::new(), body: None, event: None }
}

impl Answer {
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Does `event` when the question arrives.
    pub(crate) fn after(self, event: impl Fn() + Send + Sync + 'static) -> Self {
        Self { event: Some(Arc::new(event)), ..self }
    }
}

impl Stub {
    pub(crate) async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let script = Script::default();
        script.answers.lock().unwrap().extend(answers);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(handle).with_state(script.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { script, uri }
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.script.asked.lock().unwrap().clone()
    }

    pub(crate) fn options(&self, more: &[(&str, &str)]) -> RestOptions {
        let base = [("uri", self.uri.as_str()), ("warehouse", "w"), ("token.provider", "bear"), ("token", "s3cr3t")];
        let all = base.iter().chain(more).map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        RestOptions::try_from_map(&all.collect()).unwrap()
    }

    pub(crate) fn client(&self, more: &[(&str, &str)], clock: &ManualClock) -> Client {
        Client::try_new(&self.options(more), &env(clock), waits()).unwrap()
    }
}

pub(crate) fn env(clock: &ManualClock) -> Env {
    Env { clock: Arc::new(clock.clone()), random: Random::seeded(1), executor: Executor::inline() }
}

pub(crate) fn waits() -> Backoff {
    Backoff::try_new(Duration::from_millis(1), Duration::from_millis(1)).unwrap()
}

pub(crate) fn get(path: &str) -> Call {
    Call { method: reqwest::Method::GET, path: path.to_owned(), query: BTreeMap::new(), body: None }
}

pub(crate) fn post(path: &str, body: &str) -> Call {
    Call { method: reqwest::Method::POST, body: Some(body.to_owned()), ..get(path) }
}

/// The options of the catalog are answered without being told to.
async fn handle(State(script): State<Script>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if parts.uri.path() == paths::CONFIG {
        return Response::new(Body::from(r#"{"defaults": {"prefix": "p", "header.X-Given": "by the catalog"}}"#));
    }
    let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    let asked = Asked {
        method: parts.method.to_string(),
        target: parts.uri.to_string(),
        headers: headers.collect(),
        body: String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap(),
    };
    script.asked.lock().unwrap().push(asked);
    let told = script.answers.lock().unwrap().pop_front();
    let Answer { status, headers, body, event } = told.unwrap_or_else(|| answer(599, "nothing more was told"));
    if let Some(event) = event {
        event();
    }
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    let broken =
        || Body::from_stream(futures::stream::once(async { Err::<Vec<u8>, _>(std::io::Error::other("broken")) }));
    response.body(body.map_or_else(broken, Body::from)).unwrap()
}
