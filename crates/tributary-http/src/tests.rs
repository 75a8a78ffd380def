//! Real requests over loopback, by a client of a few lines.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use prometheus::{IntCounterVec, Opts, Registry};
use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tributary_runtime::{Classify, FailureKind};

use crate::{Admin, AdminError, BearerToken, Check, Faces, HttpConfig, Runs, Server, Status};

const TOKEN: &str = "planted-token-81f3";

/// A daemon whose health the test sets and whose admin calls the test reads.
#[derive(Default)]
struct Daemon {
    stuck: AtomicBool,
    calls: Mutex<Vec<String>>,
    checkpoint_begun: Notify,
    checkpoint_done: Notify,
    slow_checkpoint: AtomicBool,
}

impl Status for Daemon {
    fn live(&self) -> Vec<Check> {
        vec![Check::passed("runtime", "")]
    }

    fn ready(&self) -> Vec<Check> {
        let commits = match self.stuck.load(Ordering::SeqCst) {
            true => Check::failed("commits", "last commit 41 s ago, expected every 10 s"),
            false => Check::passed("commits", "last commit 3 s ago"),
        };
        vec![Check::passed("startup", ""), commits]
    }

    fn status(&self) -> Value {
        json!({ "pipelines": [] })
    }
}

/// Two runs: 1 has ended, 2 works.
impl Runs for Daemon {
    fn runs(&self, limit: usize) -> Value {
        json!({ "limit": limit })
    }

    fn run(&self, id: u64) -> Option<Value> {
        (id <= 2).then(|| json!({ "id": id }))
    }

    fn start(&self, asked: Map<String, Value>) -> Result<Value, AdminError> {
        self.calls.lock().unwrap().push(format!("start {}", Value::from(asked)));
        Ok(json!({ "id": 3 }))
    }

    fn cancel(&self, id: u64) -> Result<Value, AdminError> {
        match id {
            1 => Err(AdminError::Conflict("run 1 has ended".to_owned())),
            2 => Ok(json!({ "id": 2 })),
            _ => Err(AdminError::NotFound("there is no such run".to_owned())),
        }
    }
}

fn faces(daemon: &Arc<Daemon>) -> Faces {
    Faces { status: Arc::clone(daemon) as _, admin: Some(Arc::clone(daemon) as _), runs: Some(Arc::clone(daemon) as _) }
}

impl Daemon {
    fn note(&self, verb: &str, pipeline: Option<&str>) -> Result<Value, AdminError> {
        let call = format!("{verb} {}", pipeline.unwrap_or("*"));
        self.calls.lock().unwrap().push(call);
        match pipeline {
            Some("nobody") => {
                Err(AdminError::UnknownPipeline { name: "nobody".to_owned(), known: "tutorial".to_owned() })
            }
            Some("kafka") => Err(AdminError::Invalid("the source has no rate".to_owned())),
            Some("gone") => Err(AdminError::Unavailable("the daemon is draining".to_owned())),
            _ => Ok(json!({ "done": verb })),
        }
    }
}

#[async_trait]
impl Admin for Daemon {
    async fn checkpoint(&self, pipeline: Option<&str>) -> Result<Value, AdminError> {
        if self.slow_checkpoint.load(Ordering::SeqCst) {
            self.checkpoint_begun.notify_one();
            self.checkpoint_done.notified().await;
        }
        self.note("checkpoint", pipeline)
    }

    async fn pause(&self, pipeline: Option<&str>) -> Result<Value, AdminError> {
        self.note("pause", pipeline)
    }

    async fn resume(&self, pipeline: Option<&str>) -> Result<Value, AdminError> {
        self.note("resume", pipeline)
    }

    async fn rate(&self, pipeline: Option<&str>, rows_per_second: f64) -> Result<Value, AdminError> {
        self.note(&format!("rate={rows_per_second}"), pipeline)
    }
}

struct House {
    daemon: Arc<Daemon>,
    server: Server,
    registry: Registry,
}

struct Reply {
    code: u16,
    head: String,
    body: String,
}

fn house(token: Option<&str>) -> House {
    let daemon = Arc::new(Daemon::default());
    let registry = Registry::new();
    let config = HttpConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        setting: "http.listen",
        admin_token: token.map(|token| BearerToken::try_new(token).unwrap()),
    };
    let server = Server::bind(config, registry.clone(), faces(&daemon)).unwrap();
    House { daemon, server, registry }
}

async fn connect(address: SocketAddr, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

async fn reply(mut stream: TcpStream) -> Reply {
    let mut whole = String::new();
    stream.read_to_string(&mut whole).await.unwrap();
    let (head, body) = whole.split_once("\r\n\r\n").unwrap();
    Reply { code: head.split(' ').nth(1).unwrap().parse().unwrap(), head: head.to_lowercase(), body: body.to_owned() }
}

async fn send(house: &House, line: &str, headers: &str) -> Reply {
    let request = format!("{line} HTTP/1.1\r\nhost: t\r\nconnection: close\r\n{headers}\r\n");
    reply(connect(house.server.local_addr(), &request).await).await
}

async fn get(house: &House, path: &str) -> Reply {
    send(house, &format!("GET {path}"), "").await
}

async fn admin(house: &House, verb: &str) -> Reply {
    let header = format!("authorization: Bearer {TOKEN}\r\n");
    send(house, &format!("POST /admin/{verb}"), &header).await
}

#[tokio::test]
async fn every_page_answers_under_all_its_names() {
    let house = house(None);
    for (path, code, body) in [
        ("/livez", 200, "ok\n"),
        ("/healthz", 200, "ok\n"),
        ("/health", 200, "ok\n"),
        ("/livez?verbose", 200, "[+]runtime ok\nlivez check passed\n"),
        ("/readyz", 200, "ok\n"),
        ("/ready", 200, "ok\n"),
        ("/readyz?verbose=1", 200, "[+]startup ok\n[+]commits ok: last commit 3 s ago\nreadyz check passed\n"),
        ("/status", 200, "{\"pipelines\":[]}"),
        ("/metricz", 404, "there is nothing at /metricz; GET / lists what there is\n"),
        ("/admin/pause", 405, "/admin/pause takes another method; GET / lists which\n"),
    ] {
        let reply = get(&house, path).await;
        assert_eq!((reply.code, reply.body.as_str()), (code, body), "{path}");
        assert!(reply.head.contains("cache-control: no-store"), "{path}");
    }
    let index = get(&house, "/").await;
    for path in ["/metrics", "/livez", "/readyz", "/status", "/admin/rate"] {
        assert!(index.body.contains(path), "{path}");
    }
    house.server.shutdown();
}

#[tokio::test]
async fn a_stuck_pipeline_fails_readiness_with_its_reason_and_never_liveness() {
    let house = house(None);
    house.daemon.stuck.store(true, Ordering::SeqCst);
    let ready = get(&house, "/readyz").await;
    assert_eq!(ready.code, 503);
    assert_eq!(
        ready.body,
        "[+]startup ok\n[-]commits failed: last commit 41 s ago, expected every 10 s\n\
         readyz check failed\n"
    );
    assert_eq!(get(&house, "/livez").await.code, 200);
}

#[tokio::test]
async fn metrics_are_the_registry_in_prometheus_text_format() {
    let house = house(None);
    let rows = IntCounterVec::new(Opts::new("tributary_source_rows_total", "Rows read."), &["table"]).unwrap();
    house.registry.register(Box::new(rows.clone())).unwrap();
    rows.with_label_values(&["a\"b"]).inc_by(7);
    let reply = get(&house, "/metrics").await;
    assert_eq!(reply.code, 200);
    assert!(reply.head.contains("content-type: text/plain; version=0.0.4"));
    assert_eq!(
        reply.body,
        "# HELP tributary_source_rows_total Rows read.\n\
         # TYPE tributary_source_rows_total counter\n\
         tributary_source_rows_total{table=\"a\\\"b\"} 7\n"
    );
}

#[tokio::test]
async fn without_a_token_admin_verbs_are_refused_with_the_remedy() {
    let house = house(None);
    let reply = admin(&house, "pause").await;
    assert_eq!(reply.code, 403);
    assert_eq!(
        reply.body,
        json!({ "error": "admin verbs are off because no admin token is set; set \
            http.admin-token or http.admin-token-file (or TRIBUTARY_HTTP__ADMIN_TOKEN) and \
            restart" })
        .to_string()
    );
    assert!(house.daemon.calls.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_wrong_token_is_told_only_that_it_is_wrong() {
    let house = house(Some(TOKEN));
    for header in [
        String::new(),
        "authorization: Bearer wrong\r\n".to_owned(),
        "authorization: Bearer\r\n".to_owned(),
        format!("authorization: Basic {TOKEN}\r\n"),
        format!("authorization: {TOKEN}\r\n"),
        format!("authorization: Bearer {TOKEN}x\r\n"),
    ] {
        let reply = send(&house, "POST /admin/checkpoint", &header).await;
        assert_eq!(reply.code, 401, "{header}");
        assert!(reply.head.contains("www-authenticate: bearer"), "{header}");
        assert!(!reply.body.contains(TOKEN));
        assert!(reply.body.contains("authorization: Bearer TOKEN"));
    }
    assert!(house.daemon.calls.lock().unwrap().is_empty());
}

#[tokio::test]
async fn admin_verbs_reach_the_daemon_and_its_answer_the_client() {
    let house = house(Some(TOKEN));
    for (verb, code, body) in [
        ("checkpoint", 200, "{\"done\":\"checkpoint\"}"),
        ("pause?pipeline=tutorial", 200, "{\"done\":\"pause\"}"),
        ("resume", 200, "{\"done\":\"resume\"}"),
        ("rate?rows-per-second=2.5", 200, "{\"done\":\"rate=2.5\"}"),
        ("rate?rows-per-second=-1", 400, "{\"error\":\"rows-per-second must be a number that is not negative\"}"),
        ("rate?rows-per-second=NaN", 400, "{\"error\":\"rows-per-second must be a number that is not negative\"}"),
        ("pause?pipeline=nobody", 404, "{\"error\":\"no pipeline is called `nobody`; there are: tutorial\"}"),
        ("rate?rows-per-second=1&pipeline=kafka", 400, "{\"error\":\"the source has no rate\"}"),
        ("checkpoint?pipeline=gone", 503, "{\"error\":\"the daemon is draining\"}"),
    ] {
        let reply = admin(&house, verb).await;
        assert_eq!((reply.code, reply.body.as_str()), (code, body), "{verb}");
    }
    assert_eq!(admin(&house, "pause?pipelin=a").await.code, 400);
    assert_eq!(
        *house.daemon.calls.lock().unwrap(),
        ["checkpoint *", "pause tutorial", "resume *", "rate=2.5 *", "pause nobody", "rate=1 kafka", "checkpoint gone"]
    );
}

#[tokio::test]
async fn runs_are_listed_for_everybody_and_started_by_whoever_has_the_token() {
    let house = house(Some(TOKEN));
    let token = format!("authorization: Bearer {TOKEN}\r\n");
    let body = "content-length: 13\r\n\r\n{\"table\":\"t\"}";
    for (line, headers, code, expected) in [
        ("GET /runs", "", 200, r#"{"limit":50}"#),
        ("GET /runs?limit=3", "", 200, r#"{"limit":3}"#),
        ("GET /runs?limit=many", "", 400, "limit"),
        ("GET /runs/2", "", 200, r#"{"id":2}"#),
        ("GET /runs/9", "", 404, "there is no run `9`"),
        ("GET /runs/x", "", 404, "there is no run `x`"),
        ("POST /runs/2/cancel", "", 401, "authorization: Bearer TOKEN"),
        ("POST /runs/2/cancel", &token, 200, r#"{"id":2}"#),
        ("POST /runs/1/cancel", &token, 409, "run 1 has ended"),
        ("POST /runs/7/cancel", &token, 404, "there is no such run"),
        ("POST /runs", body, 401, "authorization: Bearer TOKEN"),
        ("POST /runs", &format!("{token}{body}"), 200, r#"{"id":3}"#),
        ("POST /runs", &token, 400, "the body is no JSON object"),
    ] {
        let reply = send(&house, line, headers).await;
        assert_eq!(reply.code, code, "{line}: {}", reply.body);
        assert!(reply.body.contains(expected), "{line}: {}", reply.body);
    }
    assert_eq!(*house.daemon.calls.lock().unwrap(), [r#"start {"table":"t"}"#]);
    house.server.shutdown();
}

#[tokio::test]
async fn a_json_body_says_the_same_as_a_query_and_its_mistakes_are_named() {
    let house = house(Some(TOKEN));
    let no_rate = "{\"error\":\"missing field `rows-per-second` at line 1 column 2\"}";
    let no_key = "{\"error\":\"unknown field `pipelin`, expected `pipeline` at line 1 column 10\"}";
    let query = "{\"error\":\"Failed to deserialize query string: missing field `rows-per-second`\"}";
    for (verb, body, code, expected) in [
        ("rate", "{\"rows-per-second\":2.5,\"pipeline\":\"a\"}", 200, "{\"done\":\"rate=2.5\"}"),
        ("pause", "{}", 200, "{\"done\":\"pause\"}"),
        ("rate", "{}", 400, no_rate),
        ("rate", "", 400, query),
        ("pause", "{\"pipelin\":\"a\"}", 400, no_key),
    ] {
        let length = body.len();
        let request = format!(
            "POST /admin/{verb} HTTP/1.1\r\nhost: t\r\nconnection: close\r\nauthorization: Bearer {TOKEN}\r\n\
             content-length: {length}\r\n\r\n{body}"
        );
        let reply = reply(connect(house.server.local_addr(), &request).await).await;
        assert_eq!((reply.code, reply.body.as_str()), (code, expected), "{verb} {body}");
    }
    assert_eq!(*house.daemon.calls.lock().unwrap(), ["rate=2.5 a", "pause *"]);
}

#[tokio::test]
async fn a_body_without_end_is_cut_off() {
    let house = house(Some(TOKEN));
    let request = format!(
        "POST /admin/pause HTTP/1.1\r\nhost: t\r\nconnection: close\r\nauthorization: Bearer {TOKEN}\r\n\
         content-length: 20000\r\n\r\n{}",
        "x".repeat(20_000)
    );
    let reply = reply(connect(house.server.local_addr(), &request).await).await;
    assert_eq!(reply.code, 413);
}

#[tokio::test]
async fn an_occupied_port_is_an_error_that_names_it_and_the_remedy() {
    let house = house(None);
    let listen = house.server.local_addr();
    let config = HttpConfig { listen, setting: "http.listen", admin_token: None };
    let daemon = house.daemon.clone();
    let problem = Server::bind(config, Registry::new(), faces(&daemon)).unwrap_err();
    assert_eq!(
        problem.to_string(),
        format!(
            "cannot listen on {listen}: the port is in use; stop the process that uses it, or \
             choose another address with --listen or http.listen (port 0 picks a free one)"
        )
    );
    assert!(matches!(problem.kind(), FailureKind::Usage));
}

#[tokio::test]
async fn shutdown_lets_a_running_request_end_and_frees_the_port() {
    let house = house(Some(TOKEN));
    let address = house.server.local_addr();
    house.daemon.slow_checkpoint.store(true, Ordering::SeqCst);
    let request = format!("POST /admin/checkpoint HTTP/1.1\r\nhost: t\r\nauthorization: Bearer {TOKEN}\r\n\r\n");
    let running = connect(address, &request).await;
    let idle = connect(address, "").await;
    house.daemon.checkpoint_begun.notified().await;
    let stopping = std::thread::spawn(move || house.server.shutdown());
    // The listener is gone once a connection is refused; only then may the request end.
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    house.daemon.checkpoint_done.notify_one();
    assert_eq!(reply(running).await.code, 200);
    stopping.join().unwrap();
    drop(idle);
    std::net::TcpListener::bind(address).unwrap();
}

/// F34: the answer must not depend on the process's other threads.
#[test]
fn pages_answer_while_every_worker_of_the_pipeline_is_blocked() {
    let pipeline = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let house = house(None);
    let gate = Arc::new(std::sync::Barrier::new(3));
    for _ in 0..2 {
        let gate = Arc::clone(&gate);
        pipeline.spawn(async move {
            gate.wait();
            gate.wait();
        });
    }
    gate.wait();
    let client = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    client.block_on(async {
        for path in ["/metrics", "/livez", "/readyz", "/status"] {
            let answered = tokio::time::timeout(Duration::from_secs(5), get(&house, path)).await;
            assert_eq!(answered.expect("no answer").code, 200, "{path}");
        }
    });
    gate.wait();
    pipeline.shutdown_timeout(Duration::from_secs(5));
}

#[tokio::test]
async fn many_silent_connections_do_not_keep_a_probe_waiting() {
    let house = house(None);
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(connect(house.server.local_addr(), "GET /met").await);
    }
    assert_eq!(get(&house, "/livez").await.code, 200);
    drop(silent);
}
