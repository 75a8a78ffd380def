//! An HTTP server on a free port of loopback, on a thread of its own.

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Ends when dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    _stop: oneshot::Sender<Infallible>,
}

// === impl Server ===

impl Server {
    /// Answers every request with what `exchange` makes of it; an error closes the connection.
    ///
    /// # Errors
    /// When the port or the runtime cannot be had.
    pub(crate) fn start<B, F>(
        exchange: impl Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    ) -> std::io::Result<Self>
    where
        B: Body<Data = Bytes, Error: Into<Failure>> + Send + 'static,
        F: Future<Output = Result<Response<B>, Failure>> + Send + 'static,
    {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        #[expect(clippy::disallowed_methods, reason = "the network is not part of what a simulation replays")]
        std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! { biased; _ = stopped => {}, () = serve(listener, exchange) => {} }
            });
        });
        Ok(Self { address, _stop: stop })
    }
}

async fn serve<B, F>(
    listener: std::net::TcpListener,
    exchange: impl Fn(Request<Incoming>) -> F + Clone + Send + 'static,
) where
    B: Body<Data = Bytes, Error: Into<Failure>> + Send + 'static,
    F: Future<Output = Result<Response<B>, Failure>> + Send + 'static,
{
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    while let Ok((connection, _)) = listener.accept().await {
        let service = service_fn(exchange.clone());
        #[expect(
            clippy::disallowed_methods,
            reason = "a connection ends with its client or with the server's runtime"
        )]
        tokio::spawn(async move {
            let _ =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(connection), service).await;
        });
    }
}
