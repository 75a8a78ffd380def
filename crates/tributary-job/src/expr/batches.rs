//! A batch evaluates to what its rows evaluate to one at a time, whatever lies before them in its buffers and whichever
//! of them a filter leaves; it fails if one of them does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use arrow::array::*;
use arrow::compute::{concat, filter};
use proptest::prelude::*;
use tributary_runtime::Random;
use tributary_statement::{SelectItem, Statement};

use super::bind::{InputColumn, Scope};
use super::eval::{Bound, EvalError, Input};
use super::zone::{Moment, Zone};

const COLUMNS: [(&str, &str); 8] = [
    ("a", "INT"),
    ("b", "INT"),
    ("c", "BOOLEAN"),
    ("s", "STRING"),
    ("x", "DOUBLE"),
    ("m", "DECIMAL(6, 2)"),
    ("d", "DATE"),
    ("t", "TIMESTAMP(3)"),
];

/// Many of them fail for some rows.
const EXPRESSIONS: &[&str] = &[
    "a / b",
    "a % b + 1",
    "CASE WHEN b <> 0 THEN a / b WHEN c THEN CAST(s AS INT) ELSE 7 END",
    "COALESCE(a / b, b, 3)",
    "b <> 0 AND a / b > 1 OR c",
    "CAST(s AS INT) + a",
    "a + b * 2 - a",
    "a = b OR a < 3 AND NOT c",
    "CASE a WHEN b THEN 'same' WHEN 0 THEN s END",
    "COALESCE(s, CAST(a AS STRING), 'none')",
    "CONCAT(s, '-', CAST(b AS STRING))",
    "SUBSTRING(s, a, b)",
    "UPPER(COALESCE(s, 'x'))",
    "m / CAST(3 AS DECIMAL(2, 1))",
    "c IS NULL OR a IS NOT NULL",
    "CASE WHEN c THEN a ELSE CAST(b AS BIGINT) END",
    "CAST(x / 3e0 AS STRING)",
    "a IN (b, 1, NULL)",
    "s NOT IN ('1', CAST(a AS STRING))",
    "a BETWEEN b AND 50",
    "s LIKE '1_%'",
    "s LIKE CONCAT('%', CAST(b AS STRING))",
    "'a%' LIKE 'a!%' ESCAPE s",
    "NULLIF(a, b)",
    "IF(c, a / b, b)",
    "EXTRACT(HOUR FROM t)",
    "YEAR(d)",
    "DATE_FORMAT(t, 'EEE dd HH:mm')",
    "DATE_FORMAT(t, CASE WHEN c THEN 'yyyy' ELSE s END)",
    "TO_DATE(s, 'y')",
    "TO_TIMESTAMP(CONCAT('2026-01-', s, ' 00:00:00'))",
    "UNIX_TIMESTAMP(CAST(t AS STRING))",
    "FROM_UNIXTIME(a, 'HH:mm:ss')",
    "s || '-' || s",
    "CONCAT_WS(s, 'a', CAST(a AS STRING), s)",
    "TRIM(BOTH '1' FROM s)",
    "REPLACE(s, '1', CAST(b AS STRING))",
    "CHAR_LENGTH(s)",
    "REGEXP_EXTRACT(s, '(\\d)(\\d)?$', 2)",
    "REGEXP_EXTRACT(s, CAST(a AS STRING), b)",
    "REGEXP_REPLACE(s, '[12]*', '_')",
    "SPLIT_INDEX(s, '2', a)",
    "ABS(a)",
    "FLOOR(x)",
    "CEIL(m)",
    "ROUND(m, 1)",
    "ROUND(x, a)",
    "MOD(a, b)",
    "MD5(s)",
    "SHA256(s)",
    "JSON_VALUE(CONCAT('{\"k\": [', s, ']}'), '$.k[0]')",
    "TRY_CAST(s AS INT)",
    "CAST(s AS DECIMAL(4, 1))",
    "CAST(x AS DECIMAL(4, 1))",
    "TRY_CAST(s AS DATE)",
    "CAST(t AS DATE) = d",
    "CAST(x AS SMALLINT)",
    "CAST(a AS CHAR(3))",
    "CAST(s AS BOOLEAN)",
    "ARRAY[a, b, 7][a]",
    "CASE WHEN c THEN ARRAY[a] ELSE ARRAY[b, a] END",
    "COALESCE(CAST(IF(c, ARRAY[s], NULL) AS ARRAY<INT>), ARRAY[a])",
    "TRY_CAST(ARRAY[s, '1'] AS ARRAY<INT>)",
    "CAST(ARRAY[ROW(s, ARRAY[a])] AS STRING)",
    "MAP[s, a, '1', b]['1']",
    "CARDINALITY(MAP[COALESCE(a, 0), c, COALESCE(b, 0), c])",
    "CAST(IF(c, MAP[a, b], NULL) AS STRING)",
    "IF(c, CAST((s, ARRAY[ROW(a)]) AS ROW<p STRING, q ARRAY<ROW<r BIGINT>>>), NULL).q[1].r",
    "ELEMENT(IF(c, ARRAY[a], ARRAY[a, b]))",
];

fn bind(inputs: &[InputColumn], text: &str) -> Bound {
    let sql = format!("INSERT INTO target SELECT {text} FROM source");
    let script = tributary_statement::parse("t.sql", &sql, &|_| Err("no variables".into())).unwrap();
    let Statement::Insert(insert) = &script.statements[0].value else { panic!("{text}") };
    let SelectItem::Expr { expr, .. } = &insert.select.items[0] else { panic!("{text}") };
    let scope = Scope { table: "source", columns: inputs, zone: Zone::UTC, random: Some(Random::seeded(1)) };
    scope.bind(expr).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn eval(bound: &Bound, columns: &[ArrayRef]) -> Result<ArrayRef, EvalError> {
    let rows = columns[0].len();
    bound.eval(&Input::new(columns, rows, Moment::new(0, Zone::UTC), Zone::UTC))?.into_array(rows)
}

type Row = (Option<i8>, Option<i8>, Option<bool>, Option<u8>);

fn columns(rows: &[Row], small: bool) -> Vec<ArrayRef> {
    let int = |value: Option<i8>| value.map(|value| i32::from(if small { value % 3 } else { value }));
    let (a, b) = (|row: &Row| int(row.0), |row: &Row| int(row.1));
    let text = |n: u8| if n < 250 { n.to_string() } else { "ä\n".into() };
    let millis = |row: &Row| Some(i64::from(row.3?) * 10_000_000_007 + i64::from(row.0.unwrap_or(0)));
    let decimals = Decimal128Array::from_iter(rows.iter().map(|row| Some(i128::from(a(row)?) * 77)));
    vec![
        Arc::new(rows.iter().map(a).collect::<Int32Array>()),
        Arc::new(rows.iter().map(b).collect::<Int32Array>()),
        Arc::new(rows.iter().map(|row| row.2).collect::<BooleanArray>()),
        Arc::new(rows.iter().map(|row| row.3.map(text)).collect::<StringArray>()),
        Arc::new(rows.iter().map(|row| Some(f64::from(a(row)?) / f64::from(b(row)?))).collect::<Float64Array>()),
        Arc::new(decimals.with_precision_and_scale(6, 2).unwrap()),
        Arc::new(rows.iter().map(|row| Some(i32::from(row.3?) * 100)).collect::<Date32Array>()),
        Arc::new(rows.iter().map(millis).collect::<TimestampMillisecondArray>()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_batch_is_its_rows(
        rows in proptest::collection::vec(any::<(Row, bool)>(), 1..40),
        before in 0_usize..20,
        small in any::<bool>(),
    ) {
        let before = before.min(rows.len() - 1);
        let (rows, kept): (Vec<Row>, Vec<bool>) = rows.into_iter().unzip();
        let whole = columns(&rows, small);
        let batch: Vec<ArrayRef> = whole.iter().map(|column| column.slice(before, rows.len() - before)).collect();
        let kept = BooleanArray::from(kept[before..].to_vec());
        let filtered: Vec<ArrayRef> = batch.iter().map(|column| filter(column, &kept).unwrap()).collect();
        let inputs: Vec<InputColumn> = COLUMNS
            .iter()
            .enumerate()
            .map(|(index, (name, text))| InputColumn::physical(index, *name, text.parse().unwrap()))
            .collect();
        for text in EXPRESSIONS {
            let bound = bind(&inputs, text);
            for columns in [&batch, &filtered] {
                let parts: Result<Vec<ArrayRef>, _> = (0..columns[0].len())
                    .map(|row| eval(&bound, &columns.iter().map(|column| column.slice(row, 1)).collect::<Vec<_>>()))
                    .collect();
                match (eval(&bound, columns), parts) {
                    (Ok(found), Ok(parts)) if parts.is_empty() => prop_assert!(found.is_empty(), "{}", text),
                    (Ok(found), Ok(parts)) => {
                        let joined = concat(&parts.iter().map(AsRef::as_ref).collect::<Vec<_>>()).unwrap();
                        prop_assert_eq!(&found, &joined, "{}", text);
                    }
                    (Err(_), Err(_)) => {}
                    (found, parts) => prop_assert!(false, "{}: {:?} but {:?}", text, found, parts),
                }
            }
        }
    }
}
