//! `tributary health`: asks a running process how it is, for containers without a shell or curl.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use serde_json::Value;

use crate::args::{CatalogArguments, HealthArguments};
use crate::failure::{CommandError, Failure};
use crate::settings::Settings;

/// For connecting, and for each piece of the answer. Below the time-outs of the probes in Dockerfile and deploy/.
const PATIENCE: Duration = Duration::from_secs(2);

/// A verbose page of a thousand pipelines is smaller.
const MAX_ANSWER_BYTES: u64 = 1 << 20;

/// Where to ask what.
#[derive(Debug, PartialEq)]
struct Target {
    /// HOST:PORT.
    authority: String,
    path: String,
}

/// Prints the answer; anything but 200 is a failure.
pub(crate) fn health(arguments: &HealthArguments) -> Result<(), Failure> {
    let target = match &arguments.url {
        Some(url) => {
            Target::parse(url).ok_or_else(|| Failure::usage(format!("--url {url}: write http://HOST:PORT/PATH")))?
        }
        None => {
            let flags = [("--listen", "http", "listen", &arguments.listen)];
            let settings = Settings::load(&arguments.settings, &CatalogArguments::default(), &flags)?;
            Target { authority: reachable(settings.http.listen).to_string(), path: "/livez".to_owned() }
        }
    };
    let place = format!("http://{}{}", target.authority, target.path);
    let answer = ask(&target).map_err(|source| CommandError::Io { doing: format!("ask {place}"), source })?;
    let (status, body) = parse(&answer).ok_or_else(|| CommandError::Unhealthy(format!("{place} speaks no HTTP")))?;
    if status != 200 {
        return Err(CommandError::Unhealthy(format!("{place} answers {status}: {}", body.trim())).into());
    }
    let printed = writeln!(io::stdout(), "{}", body.trim());
    Ok(printed.map_err(|source| CommandError::Io { doing: "write to standard output".to_owned(), source })?)
}

/// The version of a tributary that listens there; `None` for whoever else does.
pub(crate) fn version(listen: SocketAddr) -> Option<String> {
    let target = Target { authority: reachable(listen).to_string(), path: "/status".to_owned() };
    let (_, body) = parse(&ask(&target).ok()?)?;
    let status: Value = serde_json::from_str(&body).ok()?;
    Some(format!("{} ({})", status.get("version")?.as_str()?, status.get("commit")?.as_str()?))
}

/// Who listens on all addresses is asked on loopback.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

fn ask(target: &Target) -> io::Result<Vec<u8>> {
    let mut refused = io::Error::new(io::ErrorKind::NotFound, "this name has no address");
    for address in target.authority.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => return exchange(stream, target),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

fn exchange(mut stream: TcpStream, Target { authority, path }: &Target) -> io::Result<Vec<u8>> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER_BYTES).read_to_end(&mut answer)?;
    Ok(answer)
}

/// The status and the body. Our pages come whole, never in chunks.
fn parse(answer: &[u8]) -> Option<(u16, String)> {
    let text = String::from_utf8_lossy(answer);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}

// === impl Target ===

impl Target {
    /// `http://HOST:PORT/PATH`; `/livez` without a path.
    fn parse(url: &str) -> Option<Self> {
        let rest = url.strip_prefix("http://")?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) = authority.rsplit_once(':')?;
        let sound = !host.is_empty() && port.parse::<u16>().is_ok() && !url.contains(char::is_whitespace);
        let path = if path.is_empty() { "/livez" } else { path };
        sound.then(|| Self { authority: authority.to_owned(), path: path.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn urls_name_a_host_a_port_and_a_page() {
        for (url, expected) in [
            ("http://127.0.0.1:9249/readyz?verbose", Some(("127.0.0.1:9249", "/readyz?verbose"))),
            ("http://[::1]:9190", Some(("[::1]:9190", "/livez"))),
            ("http://catalog:9190/livez", Some(("catalog:9190", "/livez"))),
            ("https://127.0.0.1:9249/livez", None),
            ("http://127.0.0.1/livez", None),
            ("http://:9249/livez", None),
            ("http://127.0.0.1:9249/a\r\nb: c", None),
        ] {
            let parsed = Target::parse(url);
            let parsed = parsed.as_ref().map(|target| (target.authority.as_str(), target.path.as_str()));
            assert_eq!(parsed, expected, "{url}");
        }
    }

    #[test]
    fn all_addresses_are_asked_on_loopback() {
        for (listen, expected) in [("0.0.0.0:1", "127.0.0.1:1"), ("[::]:2", "[::1]:2"), ("192.0.2.1:3", "192.0.2.1:3")]
        {
            assert_eq!(reachable(listen.parse().unwrap()), expected.parse().unwrap());
        }
    }

    #[test]
    fn an_answer_is_its_status_and_its_body() {
        assert_eq!(parse(b"HTTP/1.1 200 OK\r\na: b\r\n\r\nok\n"), Some((200, "ok\n".to_owned())));
        assert_eq!(parse(b"HTTP/1.1 503 Service Unavailable\r\n\r\n"), Some((503, String::new())));
        assert_eq!(parse(b"SSH-2.0-OpenSSH\r\n\r\n"), None);
    }
}
