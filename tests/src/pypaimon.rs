//! pypaimon, the independent reader and writer: one process for all tests of a binary, asked in JSON lines.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, OnceLock};

use serde_json::{Value, json};

struct Server {
    _child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// Whether pypaimon is installed. Under CI it must be: there a missing engine fails the test.
pub fn available() -> bool {
    let installed = python().exists();
    assert!(installed || std::env::var_os("CI").is_none(), "pypaimon is missing: run tests/engines/install");
    if !installed {
        eprintln!("not compared with pypaimon: it is not installed (tests/engines/install)");
    }
    installed
}

/// Asks pypaimon; the request's shape is that of `tests/engines/pypaimon_server.py`. Panics with its error.
pub fn ask(request: Value) -> Value {
    try_ask(request.clone()).unwrap_or_else(|error| panic!("pypaimon could not answer {request}: {error}"))
}

pub fn try_ask(request: Value) -> Result<Value, String> {
    static SERVER: OnceLock<Mutex<Server>> = OnceLock::new();
    let mut server = SERVER.get_or_init(|| Mutex::new(start())).lock().unwrap();
    writeln!(server.requests, "{request}").unwrap();
    server.requests.flush().unwrap();
    let mut line = String::new();
    server.answers.read_line(&mut line).unwrap();
    let answer: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("pypaimon said {line:?} to {request}"));
    match answer.get("error") {
        Some(error) => Err(error.to_string()),
        None => Ok(answer["ok"].clone()),
    }
}

/// Rows of the newest snapshot, counted by reading them.
pub fn count(warehouse: &str, table: &str) -> u64 {
    ask(json!({"op": "count", "warehouse": warehouse, "table": table})).as_u64().unwrap()
}

/// All values of one text column.
pub fn texts(warehouse: &str, table: &str, column: &str) -> Vec<String> {
    let found = ask(json!({"op": "rows", "warehouse": warehouse, "table": table, "columns": [column]}));
    let rows = found["rows"].as_array().unwrap();
    rows.iter().map(|row| row[0].as_str().unwrap().to_owned()).collect()
}

fn start() -> Server {
    let script = crate::root().join("tests/engines/pypaimon_server.py");
    let mut child = Command::new(python()).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let requests = child.stdin.take().unwrap();
    let answers = BufReader::new(child.stdout.take().unwrap());
    Server { _child: child, requests, answers }
}

/// The interpreter of pypaimon's virtual environment, where `tests/engines/install` puts it.
pub fn python() -> PathBuf {
    let home = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let engines = home("TRIBUTARY_ENGINES")
        .or_else(|| home("XDG_CACHE_HOME").map(|cache| cache.join("tributary/engines")))
        .or_else(|| home("HOME").map(|home| home.join(".cache/tributary/engines")))
        .unwrap_or_default();
    engines.join("pypaimon/bin/python")
}
