//! Taking the port, the server's thread, and its end.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;
use std::time::Duration;

use prometheus::Registry;
use tokio::sync::watch;
use tracing::{error, info};
use tributary_runtime::{Classify, FailureKind};

use crate::limits::Bounded;
use crate::routes;
use crate::status::Faces;
use crate::token::BearerToken;

const MAX_CONNECTIONS: usize = 128;

/// How long running requests may take to end once the server is asked to stop.
const GRACE: Duration = Duration::from_secs(2);

/// What a user may tune.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// Where to listen; port 0 picks a free one ([`Server::local_addr`] tells which).
    pub listen: SocketAddr,
    /// Where a user chooses another address, for the error when it cannot be had.
    pub setting: &'static str,
    /// Without a token, admin verbs are refused.
    pub admin_token: Option<BearerToken>,
}

/// A running server. Dropping it stops it without waiting.
#[derive(Debug)]
pub struct Server {
    local_addr: SocketAddr,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

/// Why the server could not start.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Another process, often a second copy of this one, holds the port.
    #[error(
        "cannot listen on {listen}: the port is in use; stop the process that uses it, or choose \
         another address with --listen or {setting} (port 0 picks a free one)"
    )]
    PortInUse {
        /// The address asked for.
        listen: SocketAddr,
        /// Where it was asked for.
        setting: &'static str,
    },
    /// Ports below 1024 need a privilege.
    #[error(
        "cannot listen on {listen}: permission denied; choose a port above 1023 with --listen or \
         {setting}"
    )]
    PortForbidden {
        /// The address asked for.
        listen: SocketAddr,
        /// Where it was asked for.
        setting: &'static str,
    },
    /// The address is not one of this machine's, or the system refused for another reason.
    #[error("cannot listen on {listen}; choose an address of this machine with --listen or {setting}")]
    Bind {
        /// The address asked for.
        listen: SocketAddr,
        /// Where it was asked for.
        setting: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The server's thread or runtime could not be made.
    #[error("cannot start the HTTP server's thread")]
    Thread(#[source] io::Error),
}

// === impl Server ===

impl Server {
    /// Takes the port and serves at once. `registry` is what `/metrics` shows.
    pub fn bind(config: HttpConfig, registry: Registry, faces: Faces) -> Result<Self, HttpError> {
        let listener = listen(config.listen, config.setting)?;
        let local_addr = listener.local_addr().map_err(HttpError::Thread)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(HttpError::Thread)?;
        let router = routes::router(registry, faces, config.admin_token);
        let (stop, stopped) = watch::channel(false);
        #[allow(
            clippy::disallowed_methods,
            reason = "the server must answer while the executor and every runtime worker is busy"
        )]
        let thread = std::thread::Builder::new()
            .name("http".to_owned())
            .spawn(move || runtime.block_on(serve(listener, router, stopped)))
            .map_err(HttpError::Thread)?;
        info!(listen = %local_addr, "http server listens");
        Ok(Self { local_addr, stop, thread: Some(thread) })
    }

    /// Where the server listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Stops accepting, lets running requests end for at most 2 s, and returns when the thread
    /// has ended.
    pub fn shutdown(mut self) {
        self.stop.send_replace(true);
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            error!("the http server's thread panicked");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

/// Takes a port; `setting` is where a user chooses another one.
///
/// # Errors
/// [`HttpError`], with what to do.
pub fn listen(address: SocketAddr, setting: &'static str) -> Result<TcpListener, HttpError> {
    let listener = TcpListener::bind(address).map_err(|source| HttpError::bind(address, setting, source))?;
    listener.set_nonblocking(true).map_err(HttpError::Thread)?;
    Ok(listener)
}

async fn serve(listener: TcpListener, router: axum::Router, stopped: watch::Receiver<bool>) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => Bounded::new(listener, MAX_CONNECTIONS),
        Err(problem) => {
            error!(error = %problem, "http server ended before its first request");
            return;
        }
    };
    let grace_over = {
        let stopped = stopped.clone();
        async {
            told_to_stop(stopped).await;
            tokio::time::sleep(GRACE).await;
        }
    };
    let served = axum::serve(listener, router).with_graceful_shutdown(told_to_stop(stopped));
    tokio::select! {
        ended = async { served.await } => if let Err(problem) = ended {
            error!(error = %problem, "http server ended");
        },
        () = grace_over => info!("http server left running requests behind"),
    }
}

/// Also resolves when the [`Server`] is gone.
async fn told_to_stop(mut stopped: watch::Receiver<bool>) {
    let _gone = stopped.wait_for(|stop| *stop).await;
}

// === impl HttpError ===

impl HttpError {
    fn bind(listen: SocketAddr, setting: &'static str, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::PortInUse { listen, setting },
            io::ErrorKind::PermissionDenied => Self::PortForbidden { listen, setting },
            _ => Self::Bind { listen, setting, source },
        }
    }
}

impl Classify for HttpError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::PortInUse { .. } | Self::PortForbidden { .. } | Self::Bind { .. } => FailureKind::Usage,
            Self::Thread(_) => FailureKind::Internal,
        }
    }
}
