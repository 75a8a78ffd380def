//! Nested columns end to end: declared, generated and computed by a job, read and filtered by every engine.

use serde_json::{Value, json};
use tributary_tests::engine::rows_of;
use tributary_tests::typed::sorted;
use tributary_tests::{Scratch, binary, table};

use super::installed;

/// As a user of Flink writes it; nothing in it is ours.
const JOB: &str = "
CREATE CATALOG paimon WITH ('type' = 'paimon', 'warehouse' = 'warehouse');
CREATE TABLE paimon.db.orders (
  id BIGINT NOT NULL,
  tags ARRAY<STRING NOT NULL> NOT NULL,
  scores DOUBLE ARRAY,
  counts MAP<STRING, BIGINT> COMMENT 'by word',
  customer ROW<name STRING NOT NULL 'as on the card', address ROW(street VARCHAR(20), zip INT)>,
  items ARRAY<ROW<item STRING, prices MAP<INT, DECIMAL(9, 2)>, at TIMESTAMP(6)>>,
  status INT,
  label STRING,
  made ARRAY<ROW<n BIGINT, name STRING>>,
  found MAP<STRING, BIGINT>,
  part BIGINT
) PARTITIONED BY (part);
CREATE TEMPORARY TABLE source WITH (
  'connector' = 'datagen', 'number-of-rows' = '50', 'rows-per-second' = '100000',
  'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '50',
  'fields.tags.length' = '2', 'fields.tags.element.length' = '5',
  'fields.scores.null-rate' = '0.3', 'fields.scores.element.null-rate' = '0.3',
  'fields.scores.element.min' = '-1', 'fields.scores.element.max' = '1',
  'fields.counts.null-rate' = '0.3', 'fields.counts.key.length' = '1', 'fields.counts.value.null-rate' = '0.5',
  'fields.customer.null-rate' = '0.3', 'fields.customer.name.var-len' = 'true',
  'fields.customer.address.null-rate' = '0.5', 'fields.customer.address.zip.min' = '10000',
  'fields.items.null-rate' = '0.3', 'fields.items.element.null-rate' = '0.3', 'fields.items.element.item.length' = '8',
  'fields.items.element.prices.null-rate' = '0.3', 'fields.items.element.prices.key.max' = '9',
  'fields.items.element.at.max-past' = '1 d',
  'fields.status.kind' = 'sequence', 'fields.status.start' = '101', 'fields.status.end' = '150'
) LIKE paimon.db.orders (EXCLUDING OPTIONS);
INSERT INTO paimon.db.orders SELECT id, tags, scores, counts, customer, items, status,
  UPPER(tags[1]), ARRAY[(id, customer.name), ROW(status, s.customer.address.street)],
  MAP[tags[1], CARDINALITY(items), 'status', s.status], MOD(id, 4) FROM source AS s;
";

const COLUMNS: [&str; 11] =
    ["id", "tags", "scores", "counts", "customer", "items", "status", "label", "made", "found", "part"];

/// What an engine does not read, by its own account. Paimon 0.9 looks for a ROW in a ROW that is null where nothing is,
/// in files of its own as well.
const LACKS: &[(&str, &str, &str)] = &[("spark", "customer", "ArrayIndexOutOfBoundsException")];

/// Conditions that statistics of files decide, and which rows they hold for. Nested columns have no statistics, which
/// must not shift those of the columns behind them.
type Condition = (&'static str, fn(&[Value]) -> bool);
const CONDITIONS: [Condition; 6] = [
    ("id = 7", |row| row[0] == 7),
    ("status > 146", |row| row[6].as_i64() > Some(146)),
    ("part = 2 AND status < 120", |row| row[10] == 2 && row[6].as_i64() < Some(120)),
    ("scores IS NULL", |row| row[2].is_null()),
    ("label = 'NONE'", |_| false),
    ("counts IS NOT NULL AND status = 150", |row| !row[3].is_null() && row[6] == 150),
];

#[test]
fn engines_read_nested_columns_that_a_job_declares_generates_and_computes() {
    let scratch = Scratch::new();
    let job = scratch.file("orders.sql", JOB);
    binary::succeed(&["run", job.to_str().unwrap()]);
    let warehouse = scratch.warehouse();
    let ours = table::block_on(async { table::rows(&table::load(&warehouse, "db.orders").await, None).await });
    assert_eq!(ours.len(), 50);
    for row in &ours {
        let (first, made) = (row[1][0].as_str().unwrap(), [&row[8][0], &row[8][1]]);
        assert_eq!(row[7], first.to_uppercase());
        assert_eq!([&made[0][0], &made[1][0]], [&row[0], &row[6]]);
        assert_eq!([&made[0][1], &made[1][1]], [&row[4][0], &row[4][1][0]]);
        let count = row[5].as_array().map(Vec::len);
        assert_eq!(row[9], json!([[first, count], ["status", row[6]]]));
    }
    let nulls = |column: usize| ours.iter().filter(|row| row[column].is_null()).count();
    assert!((2..6).all(|column| (1..50).contains(&nulls(column))) && nulls(0) + nulls(1) == 0);
    for engine in installed() {
        let lacking = LACKS.iter().find(|lack| lack.0 == engine.name());
        if let Some((_, column, words)) = lacking {
            let request = json!({"op": "rows", "warehouse": warehouse, "table": "db.orders", "columns": [column]});
            let error = engine.try_ask(&request).expect_err("it is listed");
            assert!(error.contains(words), "{}: {error}", engine.name());
        }
        let read = |column: &str| lacking.is_none_or(|lack| lack.1 != column);
        let columns: Vec<_> = COLUMNS.into_iter().filter(|column| read(column)).collect();
        let expected = |holds: fn(&[Value]) -> bool| {
            let row = |row: &Vec<Value>| {
                row.iter().zip(COLUMNS).filter(|cell| read(cell.1)).map(|cell| cell.0.clone()).collect()
            };
            sorted(ours.iter().filter(|row| holds(row)).map(row).collect())
        };
        let mut request = json!({"op": "rows", "warehouse": warehouse, "table": "db.orders", "columns": columns});
        assert_eq!(sorted(rows_of(&engine.ask(request.clone()))), expected(|_| true), "{}", engine.name());
        if engine.name() == "pypaimon" {
            continue; // no SQL; its filters are compared in interop
        }
        for (condition, holds) in CONDITIONS {
            request["where"] = json!(condition);
            let found = sorted(rows_of(&engine.ask(request.clone())));
            assert_eq!(found, expected(holds), "{}: {condition}", engine.name());
        }
    }
}
