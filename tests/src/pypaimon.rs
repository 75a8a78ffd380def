//! pypaimon, the independent reader and writer that is quickest to start.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::engine::Engine;

pub static PYPAIMON: Engine = Engine::new("pypaimon");

/// Whether pypaimon is installed; see [`Engine::available`].
pub fn available() -> bool {
    PYPAIMON.available()
}

/// Asks pypaimon; the request's shape is that of `tests/engines/pypaimon_server.py`. Panics with its error.
pub fn ask(request: Value) -> Value {
    PYPAIMON.ask(request)
}

pub fn try_ask(request: Value) -> Result<Value, String> {
    PYPAIMON.try_ask(&request)
}

/// Rows of the newest snapshot, counted by reading them.
pub fn count(warehouse: &str, table: &str) -> u64 {
    ask(json!({"op": "count", "warehouse": warehouse, "table": table})).as_u64().unwrap()
}

/// All values of one text column.
pub fn texts(warehouse: &str, table: &str, column: &str) -> Vec<String> {
    texts_of(json!({"warehouse": warehouse}), table, column)
}

/// The same, by the options of a catalog.
pub fn texts_of(catalog: Value, table: &str, column: &str) -> Vec<String> {
    let found = ask(json!({"op": "rows", "catalog": catalog, "table": table, "columns": [column]}));
    let rows = found["rows"].as_array().unwrap();
    rows.iter().map(|row| row[0].as_str().unwrap().to_owned()).collect()
}

/// The interpreter of pypaimon's virtual environment.
pub fn python() -> PathBuf {
    PYPAIMON.home().join("bin/python")
}
