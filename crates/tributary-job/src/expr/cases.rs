//! `cases.txt`: what the real Flink 1.20.5 (Java 17, zone Asia/Shanghai) answered, expression by expression, over three
//! rows of a file, so that nothing was folded away that should not be.
//!
//! Columns first (`column`, name, type, a value per row), then a case per line: expression, type, value (or one per
//! row); parts are separated by tabs, values are what CAST to STRING gives, in quotes. `error` stands for a value that
//! cannot be computed, `refused` for an expression that means nothing. Where we answer otherwise the next lines say
//! what Flink answers (`flink`, type, value …) and why we do not (`why`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use paimon_format::{DataType, TypeRoot};
use tributary_runtime::Random;
use tributary_statement::{SelectItem, Statement};

use super::bind::{InputColumn, Scope};
use super::cast::{Failing, cast};
use super::eval::Input;
use super::zone::{Moment, Zone};

const CASES: &str = include_str!("cases.txt");

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
            let data_type: DataType = data_type.parse().unwrap();
            let texts: StringArray =
                values.iter().map(|value| Some(value.strip_prefix('\'')?.strip_suffix('\'')?.to_owned())).collect();
            assert_eq!(texts.len(), 3, "{line}");
            let texts: ArrayRef = Arc::new(texts);
            let array = cast(&texts, &TypeRoot::STRING, &data_type.root, zone(), Failing::Stops).unwrap();
            (InputColumn::physical(index, *name, data_type), array)
        })
        .unzip()
}

/// The type and the values as the file writes them.
fn answer(columns: &[InputColumn], arrays: &[ArrayRef], text: &str) -> String {
    let sql = format!("INSERT INTO target SELECT {text} FROM source");
    let Ok(script) = tributary_statement::parse("t.sql", &sql, &|_| Err("no variables".into())) else {
        return "-\trefused".to_owned();
    };
    let Statement::Insert(insert) = &script.statements[0].value else { panic!("{text}") };
    let SelectItem::Expr { expr, .. } = &insert.select.items[0] else { panic!("{text}") };
    let scope = Scope { table: "source", columns, zone: zone(), random: Some(Random::seeded(1)) };
    let Ok(bound) = scope.bind(expr) else {
        return "-\trefused".to_owned();
    };
    let root = bound.data_type.root.clone();
    let input = Input::new(arrays, 3, Moment::new(0, zone()), zone());
    let texts = bound
        .eval(&input)
        .and_then(|value| value.into_array(3))
        .inspect(|array| assert!(bound.data_type.nullable || array.null_count() == 0, "{text}: null"))
        .and_then(|array| cast(&array, &root, &TypeRoot::STRING, zone(), Failing::Stops));
    let Ok(texts) = texts else {
        return format!("{root}\terror");
    };
    let mut values: Vec<String> =
        texts.as_string::<i32>().iter().map(|v| v.map_or("NULL".to_owned(), |v| format!("'{v}'"))).collect();
    if values.iter().all(|value| *value == values[0]) {
        values.truncate(1);
    }
    format!("{root}\t{}", values.join("\t"))
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
