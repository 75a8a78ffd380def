//! Conditions on typed columns, in the form in which engines are asked, and which rows meet them.
//!
//! A condition is a list: `["=", column, value]` (also `<>`, `<`, `<=`, `>`, `>=`), `["IN", column, value, …]`,
//! `["NOT IN", …]`, `["BETWEEN", column, least, most]`, `["LIKE", column, "prefix%"]`, `["IS NULL", column]`,
//! `["IS NOT NULL", column]`, `["AND", condition, …]`, `["OR", condition, …]`; values are in canonical form.

use std::cmp::Ordering;

use serde_json::{Value, json};
use tributary_tests::typed::Case;

/// How numbers with a point compare.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Order {
    /// Both zeros are equal, NaN has no order: IEEE 754, and SQL in most engines.
    Ieee,
    /// -0.0 comes before 0.0 and NaN last: Java's `compareTo`, and so Paimon's conditions.
    Java,
}

/// The conditions asked of a column.
pub(super) fn of_column(case: &Case) -> Vec<Value> {
    let name = case.name;
    let mut conditions = vec![json!(["IS NULL", name]), json!(["IS NOT NULL", name])];
    if case.kind.contains('<') {
        return conditions;
    }
    let (first, last) = (case.values.first(), case.values.last());
    let is_float = ["FLOAT", "DOUBLE"].contains(&case.kind);
    for value in &case.values {
        conditions.push(json!(["=", name, value]));
        if is_float || Some(value) == first || Some(value) == last {
            conditions.extend(["<>", "<", "<=", ">", ">="].map(|operator| json!([operator, name, value])));
        }
    }
    conditions.extend([
        json!(["IN", name, first, last]),
        json!(["NOT IN", name, first, last]),
        json!(["BETWEEN", name, last, first]),
        json!(["OR", ["=", name, first], ["AND", [">", name, last], ["IS NOT NULL", name]]]),
    ]);
    if case.kind == "STRING" {
        conditions.extend(["sixteen letters %", "sixteen letters a b%", "h%"].map(|like| json!(["LIKE", name, like])));
    }
    conditions
}

/// The column of a condition, which has only one.
pub(super) fn column(condition: &Value) -> &str {
    condition[1].as_str().unwrap_or_else(|| column(&condition[1]))
}

/// Whether a row meets a condition; `row` gives the type and the value of a column.
pub(super) fn holds<'a>(condition: &Value, order: Order, row: &impl Fn(&str) -> (&'a str, &'a Value)) -> bool {
    let [operator, rest @ ..] = condition.as_array().unwrap().as_slice() else { panic!("{condition}") };
    let part = |part: &Value| holds(part, order, row);
    match operator.as_str().unwrap() {
        "AND" => return rest.iter().all(part),
        "OR" => return rest.iter().any(part),
        _ => {}
    }
    let (kind, value) = row(rest[0].as_str().unwrap());
    let literals = &rest[1..];
    let is =
        |place: usize, wanted: fn(Ordering) -> bool| compare(kind, order, value, &literals[place]).is_some_and(wanted);
    // SQL's `<>` and NOT IN are the opposites of `=` and IN for all but null.
    let equals_any = (0..literals.len()).any(|place| is(place, Ordering::is_eq));
    match operator.as_str().unwrap() {
        "IS NULL" => value.is_null(),
        "IS NOT NULL" => !value.is_null(),
        "=" | "IN" => equals_any,
        "<>" | "NOT IN" => !value.is_null() && !equals_any,
        "<" => is(0, Ordering::is_lt),
        "<=" => is(0, Ordering::is_le),
        ">" => is(0, Ordering::is_gt),
        ">=" => is(0, Ordering::is_ge),
        "BETWEEN" => is(0, Ordering::is_ge) && is(1, Ordering::is_le),
        "LIKE" => {
            let prefix = literals[0].as_str().unwrap().strip_suffix('%').unwrap();
            value.as_str().is_some_and(|text| text.starts_with(prefix))
        }
        other => panic!("no condition `{other}`"),
    }
}

/// The order of two values in canonical form; `None` with null, and where there is none.
fn compare(kind: &str, order: Order, left: &Value, right: &Value) -> Option<Ordering> {
    let floats = |left: f64, right: f64| match (order, left.is_nan(), right.is_nan()) {
        (Order::Ieee, ..) => left.partial_cmp(&right),
        (Order::Java, false, false) => Some(left.total_cmp(&right)),
        (Order::Java, left, right) => Some(left.cmp(&right)),
    };
    match kind {
        "BOOLEAN" => Some(left.as_bool()?.cmp(&right.as_bool()?)),
        "FLOAT" => {
            let value = |bits: &Value| Some(f64::from(f32::from_bits(bits.as_u64()? as u32)));
            floats(value(left)?, value(right)?)
        }
        "DOUBLE" => floats(f64::from_bits(left.as_u64()?), f64::from_bits(right.as_u64()?)),
        _ if kind.starts_with("DECIMAL") => {
            let unscaled = |text: &Value| Some(text.as_str()?.replace('.', "").parse::<i128>().unwrap());
            Some(unscaled(left)?.cmp(&unscaled(right)?))
        }
        // Text by its UTF-8, bytes by their hexadecimal digits: both as unsigned bytes.
        _ if left.is_string() => Some(left.as_str()?.cmp(right.as_str()?)),
        _ => Some(left.as_i64()?.cmp(&right.as_i64()?)),
    }
}
