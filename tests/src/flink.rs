//! Flink 1.20 with Paimon 1.3: reads and writes tables, and says what its SQL expressions come to.

use serde_json::{Value, json};

use crate::engine::Engine;

pub static FLINK: Engine = Engine::new("flink");

/// What Flink says of an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Evaluated {
    /// The type as Flink's SQL spells it, `INT NOT NULL`, and the value in canonical form.
    Value { data_type: String, value: Value },
    /// Refused before it ran (`data_type` is `None`), or failed while it ran: Flink's innermost reason.
    Failed { data_type: Option<String>, error: String },
}

/// Evaluates expressions without a table, in UTC; one answer for each, in order. Dozens share one query: ask for all
/// of a test's expressions at once.
pub fn evaluate(expressions: &[&str]) -> Vec<Evaluated> {
    let answers = FLINK.ask(json!({"op": "evaluate", "expressions": expressions}));
    answers.as_array().unwrap().iter().map(evaluated).collect()
}

fn evaluated(answer: &Value) -> Evaluated {
    let text = |key: &str| answer.get(key).and_then(Value::as_str).map(str::to_owned);
    match (text("type"), text("error")) {
        (data_type, Some(error)) => Evaluated::Failed { data_type, error },
        (data_type, None) => Evaluated::Value { data_type: data_type.unwrap(), value: answer["value"].clone() },
    }
}
