//! The judge of our expressions is asked in the form in which its verdicts are compared.

use serde_json::{Value, json};
use tributary_tests::flink::{self, Evaluated, FLINK};

fn value(data_type: &str, value: Value) -> Evaluated {
    Evaluated::Value { data_type: data_type.to_owned(), value }
}

fn failed(data_type: Option<&str>, error: &str) -> Evaluated {
    Evaluated::Failed { data_type: data_type.map(str::to_owned), error: error.to_owned() }
}

#[test]
fn flink_says_what_expressions_come_to() {
    if !FLINK.available() {
        return;
    }
    let cases = [
        ("1 + 1", value("INT NOT NULL", json!(2))),
        ("CAST(NULL AS STRING)", value("VARCHAR(2147483647)", Value::Null)),
        ("CAST(1.5 AS FLOAT)", value("FLOAT NOT NULL", json!(1.5_f32.to_bits()))),
        ("CAST(-0.1 AS DOUBLE)", value("DOUBLE NOT NULL", json!((-0.1_f64).to_bits()))),
        ("1.10", value("DECIMAL(3, 2) NOT NULL", json!("1.10"))),
        ("x'00ff'", value("BINARY(2) NOT NULL", json!("00ff"))),
        ("DATE '1969-12-31'", value("DATE NOT NULL", json!(-1))),
        ("TIME '00:00:01'", value("TIME(0) NOT NULL", json!(1_000))),
        ("TIMESTAMP '1970-01-01 00:00:00.000001'", value("TIMESTAMP(6) NOT NULL", json!(1_000))),
        ("TO_TIMESTAMP_LTZ(-1, 3)", value("TIMESTAMP(3) WITH LOCAL TIME ZONE", json!(-1_000_000))),
        ("ARRAY[1, CAST(NULL AS INT)]", value("ARRAY<INT> NOT NULL", json!([1, null]))),
        ("MAP['b', 2, 'a', 1]", value("MAP<CHAR(1) NOT NULL, INT NOT NULL> NOT NULL", json!([["a", 1], ["b", 2]]))),
        (
            "CAST(ROW(1, 'x') AS ROW<a INT, b STRING>)",
            value("ROW<`a` INT, `b` VARCHAR(2147483647)> NOT NULL", json!([1, "x"])),
        ),
        ("1 / 0", failed(Some("INT NOT NULL"), "java.lang.ArithmeticException: Division by zero")),
        (
            "unheard_of(1)",
            failed(
                None,
                "org.apache.calcite.sql.validate.SqlValidatorException: \
                 No match found for function signature unheard_of(<NUMERIC>)",
            ),
        ),
    ];
    let found = flink::evaluate(&cases.iter().map(|case| case.0).collect::<Vec<_>>());
    assert_eq!(found.len(), cases.len());
    for ((expression, expected), found) in cases.into_iter().zip(found) {
        assert_eq!(found, expected, "{expression}");
    }
}
