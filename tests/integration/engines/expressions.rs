//! The table of expressions that our evaluator is held to, put before the engine whose answers it holds.

use tributary_tests::flink::{self, Column, Evaluated, FLINK};

const CASES: &str = include_str!("../../../crates/tributary-job/src/expr/cases.txt");
const ZONE: &str = "Asia/Shanghai";

/// An expression and what Flink should say of it, as the file writes it: type and values.
struct Case {
    expression: &'static str,
    answer: &'static str,
}

// === impl Case ===

impl Case {
    fn fails(&self) -> bool {
        matches!(self.answer.split_once('\t'), Some((_, "error" | "refused")))
    }
}

fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in CASES.lines() {
        let (first, rest) = line.split_once('\t').unwrap();
        match first {
            "column" | "why" => {}
            "flink" => cases.last_mut().unwrap().answer = rest,
            expression => cases.push(Case { expression, answer: rest }),
        }
    }
    cases
}

fn columns() -> Vec<Column<'static>> {
    let columns = CASES.lines().filter_map(|line| line.strip_prefix("column\t"));
    columns
        .map(|line| {
            let mut parts = line.split('\t');
            Column { name: parts.next().unwrap(), data_type: parts.next().unwrap(), values: parts.collect() }
        })
        .collect()
}

/// The answer as the file writes it.
fn written(answer: &Evaluated) -> String {
    match answer {
        Evaluated::Refused { .. } => "-\trefused".to_owned(),
        Evaluated::Failed { data_type, .. } => format!("{}\terror", spelled(data_type)),
        Evaluated::Values { data_type, values } => {
            let texts = values.iter().map(|value| value.as_ref().map_or("NULL".to_owned(), |text| format!("'{text}'")));
            let mut texts: Vec<String> = texts.collect();
            if texts.iter().all(|text| *text == texts[0]) {
                texts.truncate(1);
            }
            format!("{}\t{}", spelled(data_type), texts.join("\t"))
        }
    }
}

/// A type of Flink as we spell it, without NOT NULL.
fn spelled(data_type: &str) -> String {
    data_type
        .replace(" NOT NULL", "")
        .replace("VARCHAR(2147483647)", "STRING")
        .replace("VARBINARY(2147483647)", "BYTES")
        .replace('`', "")
}

#[test]
fn flink_answers_every_expression_as_the_file_says() {
    if !FLINK.available() {
        return;
    }
    let columns = columns();
    let (fail, hold): (Vec<Case>, Vec<Case>) = cases().into_iter().partition(Case::fails);
    assert!(hold.len() >= 300, "{} cases", hold.len());
    let mut wrong = Vec::new();
    for cases in [hold, fail] {
        let expressions: Vec<&str> = cases.iter().map(|case| case.expression).collect();
        for (case, found) in cases.iter().zip(flink::evaluate(ZONE, &columns, &expressions)) {
            if written(&found) != case.answer {
                wrong.push(format!("{}\n  file  {}\n  Flink {found:?}", case.expression, case.answer));
            }
        }
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
}
