//! Flink 1.20 with Paimon 1.3: reads and writes tables, and says what its SQL expressions come to.

use serde_json::{Value, json};

use crate::engine::Engine;

pub static FLINK: Engine = Engine::new("flink");

/// A column of the rows that expressions are evaluated over: its type, and its values, in SQL.
pub struct Column<'a> {
    pub name: &'a str,
    pub data_type: &'a str,
    pub values: Vec<&'a str>,
}

/// What Flink says of an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Evaluated {
    /// The type as Flink's SQL spells it, `INT NOT NULL`, and the value of every row as CAST to STRING gives it.
    Values { data_type: String, values: Vec<Option<String>> },
    /// It fails while it runs: Flink's innermost reason.
    Failed { data_type: String, why: String },
    /// It never runs.
    Refused { why: String },
}

/// Evaluates expressions over the columns, in the zone; one answer for each, in order. Dozens share one job, and an
/// expression that fails costs all of these one job each: ask for those that should fail in a call of their own.
pub fn evaluate(zone: &str, columns: &[Column<'_>], expressions: &[&str]) -> Vec<Evaluated> {
    let columns: Vec<Value> = columns
        .iter()
        .map(|column| json!({"name": column.name, "type": column.data_type, "values": column.values}))
        .collect();
    let source = json!({"zone": zone, "columns": columns});
    let answers = FLINK.ask(json!({"op": "evaluate", "source": source, "expressions": expressions}));
    answers.as_array().unwrap().iter().map(evaluated).collect()
}

fn evaluated(answer: &Value) -> Evaluated {
    let text = |key: &str| answer[key].as_str().map(str::to_owned);
    match (text("type"), text("failed"), text("refused")) {
        (None, None, Some(why)) => Evaluated::Refused { why },
        (Some(data_type), Some(why), None) => Evaluated::Failed { data_type, why },
        (Some(data_type), None, None) => {
            let values = answer["values"].as_array().unwrap();
            Evaluated::Values { data_type, values: values.iter().map(|v| v.as_str().map(str::to_owned)).collect() }
        }
        _ => panic!("{answer}"),
    }
}
