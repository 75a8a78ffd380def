//! A way to a server that a test can shut: connections break, new ones are closed at once, and nothing passes until it is
//! opened again.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

pub struct Gate {
    address: SocketAddr,
    way: Arc<Mutex<Way>>,
}

#[derive(Default)]
struct Way {
    shut: bool,
    passing: Vec<TcpStream>,
}

// === impl Gate ===

impl Gate {
    /// An open gate to `server` on a port of its own.
    pub fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let gate = Self { address: listener.local_addr().unwrap(), way: Arc::default() };
        let way = Arc::clone(&gate.way);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A connection that cannot be made is one that is closed.
                let _ = let_pass(&way, stream, server);
            }
        });
        gate
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn shut(&self) {
        let mut way = self.way.lock().unwrap_or_else(PoisonError::into_inner);
        way.shut = true;
        for stream in way.passing.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    pub fn open(&self) {
        self.way.lock().unwrap_or_else(PoisonError::into_inner).shut = false;
    }
}

fn let_pass(way: &Mutex<Way>, client: TcpStream, server: SocketAddr) -> io::Result<()> {
    let mut way = way.lock().unwrap_or_else(PoisonError::into_inner);
    if way.shut {
        return Ok(());
    }
    let upstream = TcpStream::connect(server)?;
    way.passing.extend([client.try_clone()?, upstream.try_clone()?]);
    for (from, to) in [(client.try_clone()?, upstream.try_clone()?), (upstream, client)] {
        std::thread::spawn(move || copy(from, to));
    }
    Ok(())
}

fn copy(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = [0; 8192];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
