//! Value for value with every engine: each type at its extremes, null included, as a column and as a partition.

use serde_json::{Value, json};
use tributary_tests::engine::Engine;
use tributary_tests::typed::{self, Case, cases, nested_cases, sorted};
use tributary_tests::{Scratch, table};

use super::installed;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Column,
    Partition,
}

/// How an engine falls short of a type.
enum Lack {
    /// It fails with these words.
    Fails(&'static str),
    /// It gives the value without its nanoseconds.
    Microseconds,
    /// It gives null for a ROW of nothing but nulls.
    RowsOfNulls,
}

/// What an engine lacks, by its own account; everything else must be read exactly.
const LACKS: &[(&str, &str, Place, Lack)] = &[
    // Its own names of infinities: `inf`, where Java says `Infinity`.
    ("pypaimon", "float", Place::Partition, Lack::Fails("/v=inf/")),
    ("pypaimon", "double", Place::Partition, Lack::Fails("/v=-inf/")),
    ("spark", "timestamp_9", Place::Column, Lack::Microseconds),
    ("spark", "timestamp_9", Place::Partition, Lack::Microseconds),
    // It looks for the folder without the nanoseconds; of its own files as well.
    ("pypaimon", "timestamp_9", Place::Partition, Lack::Fails("FileNotFoundError")),
    // Paimon 0.9's reader of nested columns, of its own files as well: a ROW is null if all that is in it is, and one in
    // a ROW that is null is looked for where nothing is.
    ("spark", "orders", Place::Column, Lack::RowsOfNulls),
    ("spark", "deep", Place::Column, Lack::Fails("ArrayIndexOutOfBoundsException")),
];

fn lack(engine: &Engine, case: &Case, place: Place) -> Option<&'static Lack> {
    let listed = |lack: &&(&str, &str, Place, Lack)| (lack.0, lack.1, lack.2) == (engine.name(), case.name, place);
    LACKS.iter().find(listed).map(|lack| &lack.3)
}

/// Holds what an engine reads of a table (n INT, v) against what was written, and against what it lacks.
fn check(engine: &Engine, warehouse: &str, table: &str, rows: &[Vec<Value>], lack: Option<&Lack>) {
    let context = format!("{} reads {table}", engine.name());
    match (engine.rows(warehouse, table), lack) {
        (Ok(found), None) => assert_eq!(sorted(found), sorted(rows.to_vec()), "{context}"),
        (Ok(found), Some(Lack::Microseconds)) => {
            let cut = |value: &Value| value.as_i64().map_or(Value::Null, |v| json!(v.div_euclid(1_000) * 1_000));
            let expected = rows.iter().map(|row| vec![row[0].clone(), cut(&row[1])]).collect();
            assert_eq!(sorted(found), sorted(expected), "{context}");
        }
        (Ok(found), Some(Lack::RowsOfNulls)) => {
            let expected = rows.iter().map(|row| row.iter().map(without_rows_of_nulls).collect()).collect();
            assert_eq!(sorted(found), sorted(expected), "{context}");
        }
        (Err(error), Some(Lack::Fails(words))) => assert!(error.contains(words), "{context}: {error}"),
        (Ok(_), Some(Lack::Fails(words))) => panic!("{context} although it is listed with {words:?}"),
        (Err(error), _) => panic!("{context}: {error}"),
    }
}

fn without_rows_of_nulls(value: &Value) -> Value {
    match value.as_array() {
        Some(parts) if !parts.is_empty() && parts.iter().all(Value::is_null) => Value::Null,
        Some(parts) => parts.iter().map(without_rows_of_nulls).collect(),
        None => value.clone(),
    }
}

#[test]
fn engines_read_every_value_we_write() {
    let scratch = Scratch::new();
    let warehouse = scratch.warehouse();
    for engine in installed() {
        let (whole, short): (Vec<_>, Vec<_>) =
            cases().into_iter().chain(nested_cases()).partition(|case| lack(engine, case, Place::Column).is_none());
        let name = format!("db.typed_{}", engine.name());
        let columns: Vec<_> = whole.iter().map(|case| (case.name, case.kind)).collect();
        let rows = typed::rows(&whole);
        table::block_on(table::create_filled(&warehouse, &name, &columns, &[], &rows));
        let found = engine.rows(&warehouse, &name).unwrap_or_else(|error| panic!("{}: {error}", engine.name()));
        assert_eq!(sorted(found), sorted(rows), "{}", engine.name());
        for case in short {
            let name = format!("db.{}_{}", case.name, engine.name());
            let rows = numbered(&case);
            let columns = [("n", "INT"), ("v", case.kind)];
            table::block_on(table::create_filled(&warehouse, &name, &columns, &[], &rows));
            check(engine, &warehouse, &name, &rows, lack(engine, &case, Place::Column));
        }
    }
}

/// Partition values name folders: engines find the files and give the values back.
#[test]
fn engines_find_our_partitions_of_every_type() {
    let scratch = Scratch::new();
    let warehouse = scratch.warehouse();
    // The folder's name of bytes would not tell values apart: refused when the table is created.
    for case in cases().into_iter().filter(|case| !case.kind.contains("BINARY") && case.kind != "BYTES") {
        let name = format!("db.by_{}", case.name);
        let rows = numbered(&case);
        table::block_on(table::create_filled(&warehouse, &name, &[("n", "INT"), ("v", case.kind)], &["v"], &rows));
        for engine in installed() {
            check(engine, &warehouse, &name, &rows, lack(engine, &case, Place::Partition));
        }
    }
}

/// A row for each value of a case, and one for null, each with its number.
fn numbered(case: &Case) -> Vec<Vec<Value>> {
    let values = case.values.iter().cloned().chain([Value::Null]);
    values.enumerate().map(|(n, value)| vec![json!(n), value]).collect()
}
