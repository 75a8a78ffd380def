//! `cases.txt`: what the real Flink 1.20.5 answers, expression by expression, over three rows of a table (so that
//! nothing is folded away that should not be), in the zone Asia/Shanghai. Here our evaluator is held to the file; Flink
//! itself is asked again by tests/integration/engines/expressions.rs.
//!
//! Columns first (`column`, name, type, an SQL value per row), then a case per line: expression, type, value (or one
//! per row); parts are separated by tabs, values are what CAST to STRING gives, in quotes. `error` stands for a value
//! that cannot be computed, `refused` for an expression that means nothing. Where we answer otherwise the next lines say
//! what Flink answers (`flink`, type, value …) and why we do not (`why`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::concat;
use paimon_format::TypeRoot;
use paimon_table::arrow::arrow_type;
use tributary_runtime::Random;
use tributary_statement::{SelectItem, Statement};

use super::bind::{InputColumn, Scope};
use super::cast::{Failing, cast};
use super::eval::{Bound, EvalError, Input};
use super::zone::{Moment, Zone};

const CASES: &str = include_str!("cases.txt");
/// Rows of the file's columns.
const ROWS: usize = 3;

fn zone() -> Zone {
    "Asia/Shanghai".parse().unwrap()
}

fn columns() -> (Vec<InputColumn>, Vec<ArrayRef>) {
    CASES
        .lines()
        .filter_map(|line| line.strip_prefix("column\t"))
        .enumerate()
        .map(|(index, line)| {
            let [name, data_type, values @ ..] = &line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
            assert_eq!(values.len(), ROWS, "{line}");
            let values: Vec<ArrayRef> = values
                .iter()
                .map(|value| {
                    let bound = bind(&[], &format!("CAST({value} AS {data_type})")).unwrap_or_else(|| panic!("{line}"));
                    eval(&bound, &[], 1).unwrap_or_else(|error| panic!("{line}: {error}"))
                })
                .collect();
            let array = concat(&values.iter().map(AsRef::as_ref).collect::<Vec<_>>()).unwrap();
            (InputColumn::physical(index, *name, data_type.parse().unwrap()), array)
        })
        .unzip()
}

/// The expression, if it means something.
fn bind(columns: &[InputColumn], text: &str) -> Option<Bound> {
    let sql = format!("INSERT INTO target SELECT {text} FROM source");
    let script = tributary_statement::parse("t.sql", &sql, &|_| Err("no variables".into())).ok()?;
    let Statement::Insert(insert) = &script.statements[0].value else { panic!("{text}") };
    let SelectItem::Expr { expr, .. } = &insert.select.items[0] else { panic!("{text}") };
    Scope { table: "source", columns, zone: zone(), random: Some(Random::seeded(1)) }.bind(expr).ok()
}

fn eval(bound: &Bound, arrays: &[ArrayRef], rows: usize) -> Result<ArrayRef, EvalError> {
    let input = Input::new(arrays, rows, Moment::new(0, zone()), zone());
    bound.eval(&input)?.into_array(rows)
}

/// The type and the values as the file writes them.
fn answer(columns: &[InputColumn], arrays: &[ArrayRef], text: &str) -> String {
    let Some(bound) = bind(columns, text) else {
        return "-\trefused".to_owned();
    };
    let root = bound.data_type.root.clone();
    let spelled = root.to_string().replace(" NOT NULL", "").replace('`', "");
    let texts = eval(&bound, arrays, ROWS)
        .inspect(|array| assert!(bound.data_type.nullable || array.null_count() == 0, "{text}: null"))
        .inspect(|array| assert_eq!(array.data_type(), &arrow_type(&root), "{text}"))
        .and_then(|array| cast(&array, &root, &TypeRoot::STRING, zone(), Failing::Stops));
    let Ok(texts) = texts else {
        return format!("{spelled}\terror");
    };
    let mut values: Vec<String> =
        texts.as_string::<i32>().iter().map(|v| v.map_or("NULL".to_owned(), |v| format!("'{v}'"))).collect();
    if values.iter().all(|value| *value == values[0]) {
        values.truncate(1);
    }
    format!("{spelled}\t{}", values.join("\t"))
}

#[test]
fn every_case_gives_what_the_file_says() {
    let (columns, arrays) = columns();
    let (mut cases, mut wrong) = (0, Vec::new());
    for line in CASES.lines().filter(|line| !["column\t", "flink\t", "why\t"].iter().any(|p| line.starts_with(p))) {
        let (text, expected) = line.split_once('\t').unwrap_or_else(|| panic!("{line}"));
        let found = answer(&columns, &arrays, text);
        if found != expected {
            wrong.push(format!("{text}\n  found    {found}\n  expected {expected}"));
        }
        cases += 1;
    }
    assert!(wrong.is_empty(), "{} of {cases} cases:\n{}", wrong.len(), wrong.join("\n"));
    assert!(cases >= 300, "{cases} cases");
}
