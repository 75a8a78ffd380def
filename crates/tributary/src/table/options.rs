//! The options of a table's newest schema, with the columns of Paimon 2.0's `$options` (`OptionsTable`).

use paimon_table::table::Table;
use serde_json::Value;
use tributary_statement::{MASK, is_secret_key};

use super::output::Sheet;

/// In the order of their keys; secrets masked.
pub(super) fn list(table: &Table) -> Sheet {
    let options = table.schema().options.iter();
    let rows = options.map(|(key, value)| vec![Value::from(key.as_str()), Value::from(shown(key, value))]);
    Sheet::new(["key", "value"], rows.collect())
}

/// A value as it may be printed.
pub(super) fn shown<'a>(key: &str, value: &'a str) -> &'a str {
    if is_secret_key(key) { MASK } else { value }
}
