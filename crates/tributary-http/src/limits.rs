//! Connections are bounded in number and in silence, so that clients which open and say nothing
//! can neither exhaust the process's file descriptors nor keep a probe waiting.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};

/// Longer than the usual scrape interval, so that a scraper keeps its connection.
const MAX_SILENCE: Duration = Duration::from_secs(60);

/// A listener whose connections end after a minute of silence; at the limit, new ones wait in the backlog.
pub struct Bounded {
    listener: TcpListener,
    free: Arc<Semaphore>,
}

/// A connection that ends with an error after [`MAX_SILENCE`] without a byte in either direction.
pub struct Impatient {
    stream: TcpStream,
    silence: Pin<Box<Sleep>>,
    /// `None` only when the semaphore was closed, which nobody does.
    _permit: Option<OwnedSemaphorePermit>,
}

// === impl Bounded ===

impl Bounded {
    /// At most so many connections at once.
    pub fn new(listener: TcpListener, max_connections: usize) -> Self {
        Self { listener, free: Arc::new(Semaphore::new(max_connections)) }
    }
}

impl Listener for Bounded {
    type Io = Impatient;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Impatient, SocketAddr) {
        let permit = Arc::clone(&self.free).acquire_owned().await.ok();
        let (stream, address) = Listener::accept(&mut self.listener).await;
        // Answers are small and somebody waits for each.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
        let connection = Impatient { stream, silence: Box::pin(tokio::time::sleep(MAX_SILENCE)), _permit: permit };
        (connection, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

// === impl Impatient ===

impl Impatient {
    /// Progress restarts the clock; no progress for too long becomes an error.
    fn judge<T>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.silence.as_mut().reset(Instant::now() + MAX_SILENCE);
            return polled;
        }
        self.silence.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Impatient {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.judge(cx, polled)
    }
}

impl AsyncWrite for Impatient {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.judge(cx, polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(cx);
        self.judge(cx, polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.judge(cx, polled)
    }
}
