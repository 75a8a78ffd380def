//! One connection that is kept, and what the server says of itself.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;
use tributary_tests::http;

const METRIC: &str = "tributary_catalog_commit_duration_seconds";

/// A connection to the catalog `w`.
pub(super) struct Connection {
    stream: BufReader<TcpStream>,
}

/// The server's histogram of commits.
pub(super) struct Histogram {
    /// Upper bounds in seconds, and how many commits took that long at most.
    buckets: Vec<(f64, f64)>,
    sum_seconds: f64,
    count: f64,
}

// === impl Connection ===

impl Connection {
    pub(super) fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    /// The status and the body of the answer.
    pub(super) fn ask(&mut self, method: &str, path: &str, body: &str) -> (u16, Vec<u8>) {
        let length = body.len();
        let request = format!(
            "{method} /v1/w/{path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer any\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        );
        self.stream.get_mut().write_all(request.as_bytes()).unwrap();
        let (mut line, mut status, mut length) = (String::new(), None, 0);
        loop {
            line.clear();
            self.stream.read_line(&mut line).unwrap();
            let text = line.trim_end();
            if text.is_empty() {
                break;
            }
            match text.split_once(": ") {
                None => status = text.split(' ').nth(1).and_then(|code| code.parse().ok()),
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().unwrap(),
                Some(_) => {}
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        (status.unwrap(), body)
    }

    pub(super) fn succeed(&mut self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, body) = self.ask(method, path, &body);
        assert_eq!(status, 200, "{method} {path}: {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap_or_default()
    }
}

// === impl Histogram ===

impl Histogram {
    pub(super) fn ask(address: SocketAddr) -> Self {
        let text = http::get(address, "/metrics").unwrap().body;
        let bucket = |line: &str| {
            let (bound, count) = line.strip_prefix(METRIC)?.strip_prefix("_bucket{le=\"")?.split_once("\"} ")?;
            Some((bound.parse().unwrap(), count.parse().unwrap()))
        };
        let figure = |part: &str| http::metric(&text, &format!("{METRIC}_{part}")).unwrap();
        Self { buckets: text.lines().filter_map(bucket).collect(), sum_seconds: figure("sum"), count: figure("count") }
    }

    pub(super) fn since(self, before: &Self) -> Self {
        let pairs = self.buckets.iter().zip(&before.buckets);
        Self {
            buckets: pairs.map(|((bound, now), (_, then))| (*bound, now - then)).collect(),
            sum_seconds: self.sum_seconds - before.sum_seconds,
            count: self.count - before.count,
        }
    }

    pub(super) fn mean_millis(&self) -> f64 {
        self.sum_seconds / self.count * 1e3
    }

    /// What `share` of the commits did not exceed, rounded up to a bucket's bound.
    pub(super) fn bound_millis(&self, share: f64) -> f64 {
        let holds = self.buckets.iter().find(|(_, count)| *count >= self.count * share);
        holds.map_or(f64::INFINITY, |(bound, _)| bound * 1e3)
    }
}
