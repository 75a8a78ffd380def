//! A faulty network between a client and a real HTTP server on loopback.
//!
//! A plan decides for each exchange, in the order of their arrival, what befalls it; the same plan and the same order
//! make the same faults. Requests are passed on byte for byte, `Host` included, so that signatures stay valid.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::server::{Failure, Server};

/// One request on its way to the server.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Counted from 1, over all connections.
    pub number: u64,
    /// `GET`, `PUT`, …
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The `Authorization` header; empty without one.
    pub authorization: String,
    /// The request asks that nothing be there yet (`If-None-Match`, on OSS `x-oss-forbid-overwrite`).
    pub creates: bool,
}

/// What befalls an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpFault {
    /// Nothing.
    None,
    /// The server never sees the request; this status and body are the answer.
    Answer(u16, &'static str),
    /// The request takes effect; this status and body are the answer all the same.
    AnswerAfter(u16, &'static str),
    /// The answer comes late.
    Delay(Duration),
    /// The request takes effect, then the connection is closed without an answer.
    LoseReply,
    /// The connection is closed in the middle of the answer's body.
    CutBody,
}

type Plan = dyn FnMut(&Exchange) -> HttpFault + Send;

/// A proxy in front of one server. It ends when dropped.
pub struct FaultProxy {
    listener: Server,
    shared: Arc<Shared>,
}

struct Shared {
    server: SocketAddr,
    plan: Mutex<Box<Plan>>,
    seen: Mutex<Vec<Exchange>>,
}

type Body = http_body_util::combinators::UnsyncBoxBody<Bytes, std::io::Error>;

// === impl FaultProxy ===

impl FaultProxy {
    /// Listens on a free port of loopback, on a thread of its own.
    ///
    /// # Errors
    /// When the port or the runtime cannot be had.
    pub fn start(
        server: SocketAddr,
        plan: impl FnMut(&Exchange) -> HttpFault + Send + 'static,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { server, plan: Mutex::new(Box::new(plan)), seen: Mutex::default() });
        let served = Arc::clone(&shared);
        let listener = Server::start(move |request| Arc::clone(&served).exchange(request))?;
        Ok(Self { listener, shared })
    }

    /// Where to send requests.
    pub fn address(&self) -> SocketAddr {
        self.listener.address
    }

    /// What has been asked so far.
    pub fn seen(&self) -> Vec<Exchange> {
        lock(&self.shared.seen).clone()
    }
}

impl fmt::Debug for FaultProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultProxy").field("address", &self.address()).finish_non_exhaustive()
    }
}

// === impl Shared ===

impl Shared {
    async fn exchange(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Body>, Failure> {
        let header = |name: &str| {
            request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        let creates = ["if-none-match", "x-oss-forbid-overwrite"].iter().any(|name| !header(name).is_empty());
        let authorization = header("authorization");
        let fault = {
            let mut seen = lock(&self.seen);
            let exchange = Exchange {
                number: seen.len() as u64 + 1,
                method: request.method().to_string(),
                path: request.uri().to_string(),
                authorization,
                creates,
            };
            let fault = lock(&self.plan)(&exchange);
            seen.push(exchange);
            fault
        };
        if let HttpFault::Answer(status, body) = fault {
            // A client that is still sending would meet a closed connection instead of the answer.
            request.into_body().collect().await?;
            return said(status, body);
        }
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(TcpStream::connect(self.server).await?)).await?;
        let answer = async {
            let answer = sender.send_request(Request::from_parts(parts, Full::new(body))).await?;
            let (parts, body) = answer.into_parts();
            Ok::<_, hyper::Error>((parts, body.collect().await?.to_bytes()))
        };
        tokio::pin!(connection, answer);
        let (parts, body) = tokio::select! {
            biased;
            answer = &mut answer => answer?,
            ended = &mut connection => { ended?; answer.await? }
        };
        match fault {
            HttpFault::LoseReply => Err("the plan loses this reply".into()),
            HttpFault::AnswerAfter(status, body) => said(status, body),
            HttpFault::CutBody => {
                let half = body.slice(..body.len() / 2);
                let frames = [Ok(Frame::data(half)), Err(std::io::Error::other("the plan cuts this body"))];
                Ok(Response::from_parts(parts, StreamBody::new(futures::stream::iter(frames)).boxed_unsync()))
            }
            HttpFault::Delay(delay) => {
                #[allow(clippy::disallowed_methods, reason = "a slow network, in real time")]
                tokio::time::sleep(delay).await;
                Ok(Response::from_parts(parts, whole(body)))
            }
            HttpFault::None | HttpFault::Answer(..) => Ok(Response::from_parts(parts, whole(body))),
        }
    }
}

fn said(status: u16, body: &'static str) -> Result<Response<Body>, Failure> {
    Ok(Response::builder().status(status).body(whole(Bytes::from_static(body.as_bytes())))?)
}

fn whole(body: Bytes) -> Body {
    Full::new(body).map_err(|never| match never {}).boxed_unsync()
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
