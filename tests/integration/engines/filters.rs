//! No engine loses a row because of what we say of a file: by the statistics in manifests, or by those in Parquet's
//! footers and the dictionaries of its columns.

mod conditions;

use conditions::Order;
use serde_json::{Value, json};
use tributary_tests::engine::{Engine, rows_of};
use tributary_tests::flink::FLINK;
use tributary_tests::pypaimon::PYPAIMON;
use tributary_tests::spark::SPARK;
use tributary_tests::typed::{self, Case, cases};
use tributary_tests::{Scratch, table};

use super::installed;

/// What decides which files are skipped.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Pruned {
    /// Statistics in manifests. Those in Parquet's footers have their say after them.
    ByManifest,
    /// Parquet's footers alone, and dictionaries.
    ByFooter,
}

/// How an engine falls short, whoever wrote the file.
enum Own {
    /// It fails with these words.
    Fails(&'static str),
    /// It finds other rows under these operators; under any if there are none.
    Differs(&'static [&'static str]),
}

const OWN: &[(&str, &str, Own)] = &[
    // Paimon 0.9 hands Parquet a Byte and a Short where it expects an Integer.
    ("spark", "tinyint", Own::Fails("java.lang.Byte cannot be cast to class java.lang.Integer")),
    ("spark", "smallint", Own::Fails("java.lang.Short cannot be cast to class java.lang.Integer")),
    // Arrow's `isin` knows both zeros apart, and takes the bounds -0.0 and 0.0 for the one value -0.0.
    ("pypaimon", "float", Own::Differs(&["IN", "NOT IN"])),
    ("pypaimon", "double", Own::Differs(&["IN", "NOT IN"])),
    // Arrow compares with pandas' timestamps without their nanoseconds.
    ("pypaimon", "timestamp_9", Own::Differs(&[])),
];

/// What SQL makes of a condition on its way to Paimon's library: in Spark's words and Flink's, and as the tests' own.
fn spoken() -> Vec<(&'static str, Value)> {
    vec![
        ("`string` LIKE 'sixteen letters%'", json!(["LIKE", "string", "sixteen letters%"])),
        ("`double` > 0.05", json!([">", "double", 0.05_f64.to_bits()])),
        ("`decimal_9_2` < 0.01", json!(["<", "decimal_9_2", "0.01"])),
        ("`date` BETWEEN DATE '0001-01-01' AND DATE '1970-01-01'", json!(["BETWEEN", "date", -719_162, 0])),
        ("`timestamp_6` < TIMESTAMP '1970-01-01 00:00:00'", json!(["<", "timestamp_6", 0])),
        ("`int` = 7 OR `int` < 0", json!(["OR", ["=", "int", 7], ["<", "int", 0]])),
    ]
}

/// Values besides those of the typed table at which bounds are easily wrong.
fn tricky(case: &str) -> Vec<Value> {
    let bits32 = |values: &[f32]| values.iter().map(|value| json!(value.to_bits())).collect();
    let bits64 = |values: &[f64]| values.iter().map(|value| json!(value.to_bits())).collect();
    let text = |values: &[&str]| values.iter().map(|value| json!(value)).collect();
    match case {
        // NaN shares a file with a number.
        "float" => bits32(&[f32::NAN, f32::NEG_INFINITY, 0.0]),
        "double" => bits64(&[f64::NAN, 0.0]),
        // Equal in the 16 characters that are kept of a bound; last of them one without a next one in UTF-16.
        "string" => {
            let mut values: Vec<Value> = text(&["sixteen letters a b", "sixteen letters a c"]);
            values.push(json!("\u{d7ff}".repeat(17)));
            values
        }
        // Bytes whose order depends on whether they have a sign.
        "binary" => text(&["7fffffff", "80000000"]),
        "varbinary" => text(&["7f", "80"]),
        "bytes" => text(&["7f", "80", "000102030405060708090a0b0c0d0e0fff"]),
        _ => Vec::new(),
    }
}

/// A table of typed columns and one named `bit`, which holds another power of two in each row: a sum of them says
/// which rows were found.
struct Written<'a> {
    warehouse: &'a str,
    name: String,
    pruned: Pruned,
    columns: &'a [Case],
    rows: Vec<Vec<Value>>,
}

impl<'a> Written<'a> {
    /// Every row of values stands in a file of its own, and once more in a file with another unless columns partition
    /// the table.
    fn new(warehouse: &'a str, name: String, pruned: Pruned, columns: &'a [Case], keys: &[&str]) -> Self {
        let options: &[(&str, &str)] = match pruned {
            Pruned::ByManifest => &[("file.compression", "none"), ("parquet.enable.dictionary", "false")],
            Pruned::ByFooter => {
                &[("file.compression", "none"), ("parquet.enable.dictionary", "true"), ("metadata.stats-mode", "none")]
            }
        };
        let values = typed::rows(columns);
        let copies = if keys.is_empty() { 2 } else { 1 };
        let row = |(place, row): (usize, &Vec<Value>)| [json!(1_i64 << place)].iter().chain(row).cloned().collect();
        let rows: Vec<Vec<Value>> = (0..copies).flat_map(|_| &values).enumerate().map(row).collect();
        let (alone, together) = rows.split_at(values.len());
        let files: Vec<_> = alone.chunks(1).chain(together.chunks(2)).collect();
        let types = columns.iter().map(|case| (case.name, case.kind));
        let types: Vec<_> = [("bit", "BIGINT")].into_iter().chain(types).collect();
        table::block_on(async {
            let table = table::create_with(warehouse, &name, &types, keys, options).await;
            table::append_files(&table, 1, &files).await;
        });
        Self { warehouse, name, pruned, columns, rows }
    }

    /// The sum of `bit` of the rows that meet a condition.
    fn matching(&self, condition: &Value, order: Order) -> u64 {
        let meets = |row: &&Vec<Value>| {
            conditions::holds(condition, order, &|column| {
                let place = self.columns.iter().position(|case| case.name == column).unwrap();
                (self.columns[place].kind, &row[place + 1])
            })
        };
        self.rows.iter().filter(meets).map(|row| row[0].as_u64().unwrap()).sum()
    }

    /// Asks an engine for each condition which rows it reads. Every one that meets it must be among them, and
    /// pypaimon, which leaves nobody else to filter them again, reads no other.
    fn check(&self, engine: &Engine) {
        let conditions: Vec<Value> = self.columns.iter().flat_map(conditions::of_column).collect();
        let request = json!({"op": "kept", "warehouse": self.warehouse, "table": self.name, "conditions": conditions});
        let answers = engine.ask(request);
        let is_pypaimon = engine.name() == PYPAIMON.name();
        let mut skipped = false;
        for (condition, answer) in conditions.iter().zip(answers.as_array().unwrap()) {
            let context = format!("{} in {}: {condition}: {answer}", engine.name(), self.name);
            let own = OWN.iter().find(|own| (own.0, own.1) == (engine.name(), conditions::column(condition)));
            let kept = &answer["kept"];
            skipped |= kept.as_u64().is_some_and(|kept| kept.count_ones() as usize != self.rows.len());
            match (kept, own.map(|own| &own.2)) {
                (Value::Null, Some(Own::Fails(words))) => {
                    assert!(answer["error"].as_str().unwrap().contains(words), "{context}");
                }
                (_, Some(Own::Differs(operators)))
                    if operators.is_empty() || operators.iter().any(|operator| condition[0] == *operator) => {}
                (kept, _) => {
                    let kept = kept.as_u64().unwrap_or_else(|| panic!("{context}"));
                    let ieee = self.matching(condition, Order::Ieee);
                    let expected = match self.pruned {
                        _ if is_pypaimon => ieee,
                        Pruned::ByManifest => ieee | self.matching(condition, Order::Java),
                        // Parquet's Java reader looks values up in a dictionary by `compareTo`, in any file.
                        Pruned::ByFooter => self.matching(condition, Order::Java),
                    };
                    assert_eq!(expected & !kept, 0, "lost: {context}");
                    assert!(!is_pypaimon || kept == ieee, "not {ieee}: {context}");
                }
            }
        }
        assert!(skipped || self.pruned == Pruned::ByFooter, "{} reads everything of {}", engine.name(), self.name);
    }
}

fn columns() -> Vec<Case> {
    let mut columns = cases();
    columns.iter_mut().for_each(|case| case.values.extend(tricky(case.name)));
    columns
}

/// Whom to ask about a column. Java's readers hand decimals, timestamps and booleans to Parquet not at all, and those
/// of Paimon 1.3 take so long to open a file that they are asked about a few types only.
fn is_asked(engine: &Engine, case: &str, pruned: Pruned) -> bool {
    let (by_manifest, by_footer) = (pruned == Pruned::ByManifest, pruned == Pruned::ByFooter);
    match engine.name() {
        "flink" if by_manifest => {
            ["int", "float", "string", "decimal_38_10", "bytes", "date", "timestamp_6", "timestamp_9"].contains(&case)
        }
        "flink" => ["double", "string", "bytes"].contains(&case),
        "spark" if by_footer => !["decimal", "timestamp", "boolean"].iter().any(|kind| case.starts_with(kind)),
        _ => true,
    }
}

#[test]
fn statistics_never_hide_a_row_from_any_engine() {
    let scratch = Scratch::new();
    let warehouse = scratch.warehouse();
    for case in columns() {
        for pruned in [Pruned::ByManifest, Pruned::ByFooter] {
            let name = format!("db.{}_{pruned:?}", case.name).to_lowercase();
            let written = Written::new(&warehouse, name, pruned, std::slice::from_ref(&case), &[]);
            let asked = installed().filter(|engine| is_asked(engine, case.name, pruned));
            asked.for_each(|engine| written.check(engine));
        }
    }
}

/// Null and '' are two partitions in one folder.
#[test]
fn partitions_are_never_hidden_from_any_engine() {
    let scratch = Scratch::new();
    let warehouse = scratch.warehouse();
    for mut case in cases().into_iter().filter(|case| ["string", "date"].contains(&case.name)) {
        if case.name == "string" {
            case.values = ["", " ", "a/b=c", "ä", "ab"].map(Value::from).to_vec();
        }
        let name = format!("db.by_{}", case.name);
        let columns = std::slice::from_ref(&case);
        let written = Written::new(&warehouse, name, Pruned::ByManifest, columns, &[case.name]);
        installed().for_each(|engine| written.check(engine));
    }
}

/// The whole way from SQL, on a table whose first columns are nested.
#[test]
fn filters_of_sql_find_what_a_full_scan_finds() {
    let scratch = Scratch::new();
    let warehouse = scratch.warehouse();
    let columns: Vec<Case> = typed::nested_cases().into_iter().chain(columns()).collect();
    let written = Written::new(&warehouse, "db.wide".to_owned(), Pruned::ByManifest, &columns, &[]);
    for engine in [&SPARK, &FLINK].into_iter().filter(|engine| engine.available()) {
        for (sql, condition) in spoken() {
            let request =
                json!({"op": "rows", "warehouse": warehouse, "table": written.name, "columns": ["bit"], "where": sql});
            let found: u64 = rows_of(&engine.ask(request)).iter().map(|row| row[0].as_u64().unwrap()).sum();
            // NaN is above all numbers in both.
            assert_eq!(found, written.matching(&condition, Order::Java), "{}: {sql}", engine.name());
        }
    }
}
