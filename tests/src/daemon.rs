//! A running `tributary run` or `tributary catalog serve`, watched through its log and driven by signals.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Instant;

use serde_json::Value;

use crate::{PATIENCE, binary, http};

/// The daemon's process; killed when dropped.
pub struct Daemon {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

const FREE_PORT: &str = "127.0.0.1:0";

// === impl Daemon ===

impl Daemon {
    /// Starts `tributary run JOB …` with its HTTP endpoint on a free port of loopback and its log as JSON.
    pub fn start(job: &Path, arguments: &[&str]) -> Self {
        Self::start_with(job, arguments, &[])
    }

    /// The same, with environment variables.
    pub fn start_with(job: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = binary::command(&["run", job.to_str().unwrap()]);
        command.args(arguments).envs(environment.iter().copied());
        Self::spawn(command)
    }

    /// The same, with the daemon's command line as the last arguments of another one.
    pub fn start_under(wrapper: &[&str], job: &Path, environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(wrapper[0]);
        command.args(&wrapper[1..]).arg(binary::tributary()).args(["run", job.to_str().unwrap()]);
        command.envs(environment.iter().copied());
        Self::spawn(command)
    }

    /// Starts `tributary catalog serve` for a warehouse; port 0 is a free one.
    pub fn serve_catalog(warehouse: &str, port: u16, arguments: &[&str]) -> Self {
        Self::serve_catalog_with(warehouse, port, arguments, &[])
    }

    /// The same, with environment variables.
    pub fn serve_catalog_with(warehouse: &str, port: u16, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let listen = format!("127.0.0.1:{port}");
        let mut command = binary::command(&["catalog", "serve", "--warehouse", warehouse, "--listen", &listen]);
        command.args(arguments).envs(environment.iter().copied());
        Self::spawn(command)
    }

    /// Starts `tributary compactor` with a settings file.
    pub fn compactor(config: &Path) -> Self {
        Self::spawn(binary::command(&["compactor", "--config", config.to_str().unwrap()]))
    }

    /// Starts any command line of the binary that serves.
    pub fn spawn(mut command: Command) -> Self {
        for (setting, text) in [("HTTP__LISTEN", FREE_PORT), ("COMPACTOR__LISTEN", FREE_PORT), ("LOG__FORMAT", "json")]
        {
            command.env(format!("TRIBUTARY_{setting}"), text);
        }
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, lines, seen: Vec::new() }
    }

    /// The next log line, already said or still to come, for which `found` gives something.
    pub fn wait_for<T>(&mut self, what: &str, mut found: impl FnMut(&str) -> Option<T>) -> T {
        if let Some(value) = self.seen.iter().find_map(|line| found(line)) {
            return value;
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    let value = found(&line);
                    self.seen.push(line);
                    if let Some(value) = value {
                        return value;
                    }
                }
                Err(RecvTimeoutError::Timeout) => panic!("waited in vain for {what}; log:\n{}", self.log()),
                Err(RecvTimeoutError::Disconnected) => panic!("ended before {what}; log:\n{}", self.log()),
            }
        }
    }

    /// Waits for a log line that contains `text`.
    pub fn wait_for_line(&mut self, text: &str) -> String {
        self.wait_for(text, |line| line.contains(text).then(|| line.to_owned()))
    }

    /// The address of the HTTP endpoint, from the log.
    pub fn address(&mut self) -> SocketAddr {
        self.wait_for("the HTTP endpoint's address", |line| {
            let line: Value = serde_json::from_str(line).ok()?;
            let fields = line.get("fields").unwrap_or(&line);
            fields.get("listen")?.as_str()?.parse().ok().filter(|address: &SocketAddr| address.port() != 0)
        })
    }

    /// `GET` on the HTTP endpoint, repeated until `accept` gives something.
    pub fn poll<T>(&mut self, path: &str, mut accept: impl FnMut(&http::Answer) -> Option<T>) -> T {
        let address = self.address();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = http::get(address, path);
            if let Some(value) = answer.as_ref().ok().and_then(&mut accept) {
                return value;
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("ended with {status} while {path} was polled; log:\n{}", self.log());
            }
            assert!(Instant::now() < deadline, "{path} never became what it should: {answer:?}; log:\n{}", self.log());
            std::thread::sleep(std::time::Duration::from_millis(5)); // the pause of a poll, not a wait for luck
        }
    }

    /// Waits until the job counts at least this many committed rows.
    pub fn wait_for_rows(&mut self, rows: u64) {
        self.poll("/metrics", |answer| {
            let committed = http::metric(&answer.body, "tributary_commit_rows_total")?;
            (committed >= rows as f64).then_some(())
        });
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by name: `TERM`, `INT`, `KILL`, `STOP`, `CONT`.
    pub fn signal(&self, name: &str) {
        let sent = std::process::Command::new("kill").args([&format!("-{name}"), &self.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits for the end; returns the status and the whole log.
    pub fn end(mut self) -> (ExitStatus, String) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => self.seen.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("did not end; log:\n{}", self.log()),
            }
        }
        let status = self.child.wait().unwrap();
        (status, self.log())
    }

    /// SIGTERM, then the end, which must be exit code 0.
    pub fn stop(self) -> String {
        self.signal("TERM");
        let (status, log) = self.end();
        assert_eq!(status.code(), Some(0), "a drained daemon exits with 0; log:\n{log}");
        log
    }

    fn log(&self) -> String {
        self.seen.join("\n")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
