//! A real engine: one process for all tests of a binary, started by the first that asks, asked in JSON lines
//! (`tests/engines/lines.py`). The process ends when its standard input does.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Instant;

use serde_json::{Value, json};

/// An engine by its name.
pub struct Engine {
    name: &'static str,
    program: Program,
    server: OnceLock<Mutex<Server>>,
}

/// What answers for an engine.
enum Program {
    /// `tests/engines/NAME_server.py`, run by the virtual environment `NAME`.
    Python,
    /// This source file of `tests/engines`, run on the jars of `NAME`.
    Java(&'static str),
}

struct Server {
    _child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

// === impl Engine ===

impl Engine {
    pub const fn new(name: &'static str) -> Self {
        Self { name, program: Program::Python, server: OnceLock::new() }
    }

    pub const fn java(name: &'static str, source: &'static str) -> Self {
        Self { name, program: Program::Java(source), server: OnceLock::new() }
    }

    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether the engine is installed, to its end. Under CI it must be: there a missing engine fails the test.
    pub fn available(&self) -> bool {
        let name = self.name;
        let installed = self.home().join("installed.txt").exists();
        assert!(installed || std::env::var_os("CI").is_none(), "{name} is missing: run tests/engines/install");
        if !installed {
            eprintln!("not compared with {name}: it is not installed (tests/engines/install)");
        }
        installed
    }

    /// Asks the engine; the request's shape is that of its server's script. Panics with its error.
    pub fn ask(&self, request: Value) -> Value {
        self.try_ask(&request).unwrap_or_else(|error| panic!("{} could not answer {request}: {error}", self.name))
    }

    /// The same, with the engine's own words where it fails.
    pub fn try_ask(&self, request: &Value) -> Result<Value, String> {
        let server = self.server.get_or_init(|| Mutex::new(self.start()));
        // Each request is answered before the lock is given back, so another test's panic leaves no half answer.
        let mut server = server.lock().unwrap_or_else(PoisonError::into_inner);
        let line = server.exchange(request).unwrap_or_else(|error| panic!("{} fell silent: {error}", self.name));
        let answer: Value =
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("{} said {line:?} to {request}", self.name));
        match answer.get("error") {
            Some(error) => Err(error.as_str().unwrap().to_owned()),
            None => Ok(answer["ok"].clone()),
        }
    }

    /// Every row of the newest snapshot, columns in the table's order, values in canonical form.
    pub fn rows(&self, warehouse: &str, table: &str) -> Result<Vec<Vec<Value>>, String> {
        self.try_ask(&json!({"op": "rows", "warehouse": warehouse, "table": table})).map(|answer| rows_of(&answer))
    }

    fn start(&self) -> Server {
        let begin = Instant::now();
        let mut child = self.command().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let requests = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        let mut server = Server { _child: child, requests, answers };
        server.exchange(&json!({"op": "hello"})).unwrap();
        eprintln!("{} answers after {:.1} s", self.name, begin.elapsed().as_secs_f64());
        server
    }

    fn command(&self) -> Command {
        let scripts = crate::root().join("tests/engines");
        match self.program {
            Program::Python => {
                let mut command = Command::new(self.home().join("bin/python"));
                // The checkout stays as it was, and the log free of what engines say of their own dependencies.
                command.envs([("PYTHONDONTWRITEBYTECODE", "1"), ("PYTHONWARNINGS", "ignore")]);
                command.arg(scripts.join(format!("{}_server.py", self.name)));
                command
            }
            Program::Java(source) => {
                let mut command = Command::new("java");
                command.args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m", "-cp"]);
                // The bundle holds parts of other libraries, some of them older: those come first.
                let jars = self.home().join("jars");
                let first = jars.join("okio-jvm-3.6.0.jar");
                command.arg(format!("{}:{}/*", first.display(), jars.display()));
                command.arg(scripts.join(source));
                command
            }
        }
    }

    /// The engine's folder, where `tests/engines/install` puts it.
    pub fn home(&self) -> PathBuf {
        let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
        let engines = variable("TRIBUTARY_ENGINES")
            .or_else(|| variable("XDG_CACHE_HOME").map(|cache| cache.join("tributary/engines")))
            .or_else(|| variable("HOME").map(|home| home.join(".cache/tributary/engines")))
            .unwrap_or_default();
        engines.join(self.name)
    }
}

/// The rows of an answer `{"columns": […], "rows": [[…], …]}`.
pub fn rows_of(answer: &Value) -> Vec<Vec<Value>> {
    answer["rows"].as_array().unwrap().iter().map(|row| row.as_array().unwrap().clone()).collect()
}

// === impl Server ===

impl Server {
    fn exchange(&mut self, request: &Value) -> std::io::Result<String> {
        writeln!(self.requests, "{request}")?;
        self.requests.flush()?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        Ok(line)
    }
}
