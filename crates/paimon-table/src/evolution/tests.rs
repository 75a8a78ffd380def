#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, HashSet};

use arrow::array::{ArrayRef, AsArray, Int32Array, Int64Array, StringArray};
use arrow::datatypes::{Int32Type, Int64Type};
use futures::TryStreamExt;
use paimon_format::{Datum, StatsMode, TypeRoot};
use proptest::prelude::*;
use tributary_runtime::Executor;

use super::*;
use crate::arrow::{arrow_type, datum_at};
use crate::commit::{CommitIdentifier, CommitRequest, NewFile};
use crate::data_error::DataError;
use crate::predicate::{Comparison, Predicate};
use crate::read::read_file;
use crate::scan::plan_scan;
use crate::store::Storage;
use crate::table::{Table, schema_path};
use crate::testing::*;
use crate::write::{DataFileWriter, WriterSpec, append_meta};

fn root(text: &str) -> TypeRoot {
    text.parse::<paimon_format::DataType>().unwrap().root
}

/// A value of a type from its text; `null` is null.
fn value(text: &str, root: &TypeRoot) -> ArrayRef {
    let text: ArrayRef = Arc::new(StringArray::from(vec![(text != "null").then_some(text)]));
    arrow::compute::cast(&text, &arrow_type(root)).unwrap()
}

fn shown(array: &ArrayRef) -> String {
    match array.is_null(0) {
        true => "null".to_owned(),
        false => arrow::util::display::array_value_to_string(array, 0).unwrap(),
    }
}

/// Expected values were worked out from Java's rules (`CastExecutors`), not from this code.
#[test]
fn old_values_are_cast_as_java_does() {
    for (from, to, before, after) in [
        ("TINYINT", "BIGINT", "-128", "-128"),
        ("INT", "DOUBLE", "2147483647", "2147483647.0"),
        ("BIGINT", "FLOAT", "16777217", "16777216.0"),
        ("FLOAT", "DOUBLE", "0.1", "0.10000000149011612"),
        ("INT", "DECIMAL(12, 2)", "-2147483648", "-2147483648.00"),
        ("INT", "DECIMAL(4, 2)", "99", "99.00"),
        ("INT", "DECIMAL(4, 2)", "100", "null"),
        ("DOUBLE", "DECIMAL(6, 2)", "0.125", "0.13"),
        ("DOUBLE", "DECIMAL(6, 2)", "-0.125", "-0.13"),
        ("DOUBLE", "DECIMAL(6, 2)", "1.005", "1.01"),
        ("DOUBLE", "DECIMAL(6, 2)", "9999.995", "null"),
        ("DOUBLE", "DECIMAL(38, 2)", "1e300", "null"),
        ("DOUBLE", "DECIMAL(38, 38)", "5e-324", "0.00000000000000000000000000000000000000"),
        ("DECIMAL(6, 2)", "DECIMAL(8, 3)", "1234.56", "1234.560"),
        ("DECIMAL(6, 2)", "DECIMAL(5, 1)", "-1234.55", "-1234.6"),
        ("DECIMAL(6, 2)", "DECIMAL(5, 1)", "9999.95", "null"),
        ("DECIMAL(6, 2)", "DOUBLE", "1234.56", "1234.56"),
        ("DECIMAL(38, 18)", "DOUBLE", "12345678901234567890.123456789012345678", "1.2345678901234567e19"),
        ("DECIMAL(6, 2)", "FLOAT", "0.10", "0.1"),
        ("VARCHAR(3)", "STRING", "äöü", "äöü"),
        ("STRING", "VARCHAR(2)", "äöü", "äö"),
        ("VARCHAR(3)", "CHAR(5)", "äöü", "äöü  "),
        ("CHAR(3)", "STRING", "a", "a"),
        ("BIGINT", "STRING", "-42", "-42"),
        ("BIGINT", "VARCHAR(2)", "-42", "-4"),
        ("BOOLEAN", "STRING", "true", "true"),
        ("DECIMAL(6, 3)", "STRING", "-0.5", "-0.500"),
        ("DATE", "TIMESTAMP(3)", "1969-12-31", "1969-12-31T00:00:00"),
        ("DATE", "TIMESTAMP(9)", "2026-01-02", "2026-01-02T00:00:00"),
        ("TIMESTAMP(6)", "DATE", "1969-12-31T23:59:59.999999", "1969-12-31"),
        ("TIMESTAMP(6)", "TIME(3)", "1969-12-31T23:59:59.999999", "23:59:59.999"),
        ("TIMESTAMP(3)", "TIMESTAMP(6)", "1969-12-31T23:59:59.999", "1969-12-31T23:59:59.999"),
        ("TIMESTAMP(6)", "TIMESTAMP(3)", "1969-12-31T23:59:59.999999", "1969-12-31T23:59:59.999"),
        ("TIMESTAMP(6)", "TIMESTAMP(5)", "2026-01-01T00:00:00.123456", "2026-01-01T00:00:00.123450"),
        ("TIMESTAMP(3)", "TIMESTAMP(0)", "2026-01-01T00:00:01.999", "2026-01-01T00:00:01"),
        ("TIMESTAMP(3)", "TIMESTAMP(0)", "1969-12-31T23:59:58.001", "1969-12-31T23:59:59"),
        ("INT", "STRING", "null", "null"),
    ] {
        let (from, to) = (root(from), root(to));
        let cast = Cast::between(&from, &to).unwrap_or_else(|| panic!("{from} to {to}"));
        let array = cast.array(&value(before, &from)).unwrap();
        assert_eq!(array.data_type(), &arrow_type(&to), "{from} to {to}");
        assert_eq!(shown(&array), after, "{before}: {from} to {to}");
    }
    for (from, to) in [
        ("BIGINT", "INT"),
        ("DOUBLE", "FLOAT"),
        ("DECIMAL(6, 2)", "INT"),
        ("STRING", "INT"),
        ("DOUBLE", "STRING"),
        ("TIMESTAMP(3)", "TIMESTAMP(3) WITH LOCAL TIME ZONE"),
        ("TIMESTAMP(3) WITH LOCAL TIME ZONE", "DATE"),
    ] {
        assert!(Cast::between(&root(from), &root(to)).is_none(), "{from} to {to}");
    }
}

#[test]
fn bytes_are_cut_and_padded_with_zeros() {
    for (to, expected) in [("BINARY(3)", "ab00"), ("VARBINARY(1)", "a"), ("BYTES", "ab")] {
        let cast = Cast::between(&root("VARBINARY(5)"), &root(to)).unwrap();
        let before: ArrayRef = Arc::new(arrow::array::BinaryArray::from_vec(vec![b"ab"]));
        let after = cast.array(&before).unwrap();
        let expected: Vec<u8> = expected.bytes().map(|byte| if byte == b'0' { 0 } else { byte }).collect();
        assert_eq!(after.as_binary::<i32>().value(0), &expected[..if to == "BINARY(3)" { 3 } else { expected.len() }]);
    }
}

/// Types between which columns of the property tests change, and the values they start with.
const TEXTS: [&str; 9] = ["", " ", "a", "a\u{1}", "ab", "abc\u{10FFFF}", "b", "äöü", "seventeen letters"];

fn any_value(from: &'static str) -> BoxedStrategy<Option<Datum>> {
    let datum: BoxedStrategy<Datum> = match from {
        "TINYINT" => any::<i8>().prop_map(Datum::TinyInt).boxed(),
        "INT" => prop_oneof![any::<i32>(), -200..200_i32].prop_map(Datum::Int).boxed(),
        "BIGINT" => prop_oneof![any::<i64>(), -200..200_i64].prop_map(Datum::BigInt).boxed(),
        "FLOAT" => prop_oneof![(-99..99_i32).prop_map(|v| v as f32 / 8.0), any::<f32>()]
            .prop_filter("finite", |value| value.is_finite())
            .prop_map(Datum::Float)
            .boxed(),
        "DECIMAL(6, 2)" => {
            (-999_999..1_000_000_i128).prop_map(|unscaled| Datum::Decimal { unscaled, precision: 6, scale: 2 }).boxed()
        }
        "STRING" => prop::sample::select(TEXTS.to_vec()).prop_map(|text| Datum::String(text.to_owned())).boxed(),
        "BYTES" => prop::collection::vec(0..3_u8, 0..5).prop_map(Datum::Bytes).boxed(),
        "DATE" => (-20_000..20_000_i32).prop_map(Datum::Date).boxed(),
        _ => (-2_000_000_000_000..2_000_000_000_000_i64, 0..1_000_i32)
            .prop_map(|(millis, micros)| Datum::Timestamp { millis, nano_of_milli: micros * 1_000 })
            .boxed(),
    };
    prop::option::weighted(0.8, datum).boxed()
}

fn a_change() -> impl Strategy<Value = (TypeRoot, TypeRoot, Vec<Option<Datum>>)> {
    let changes: Vec<(&str, Vec<&str>)> = vec![
        ("TINYINT", vec!["INT", "DOUBLE", "DECIMAL(5, 2)", "DECIMAL(4, 2)", "STRING"]),
        ("INT", vec!["BIGINT", "FLOAT", "DOUBLE", "DECIMAL(12, 1)", "DECIMAL(4, 2)", "VARCHAR(2)"]),
        ("BIGINT", vec!["FLOAT", "DOUBLE", "DECIMAL(38, 2)", "DECIMAL(3, 0)"]),
        ("FLOAT", vec!["DOUBLE", "DECIMAL(20, 1)", "DECIMAL(3, 2)"]),
        ("DECIMAL(6, 2)", vec!["DECIMAL(9, 3)", "DECIMAL(6, 1)", "DECIMAL(5, 1)", "DOUBLE", "FLOAT", "STRING"]),
        ("STRING", vec!["VARCHAR(1)", "VARCHAR(9)", "CHAR(2)", "CHAR(20)"]),
        ("BYTES", vec!["VARBINARY(1)", "BINARY(3)"]),
        ("DATE", vec!["TIMESTAMP(0)", "TIMESTAMP(6)"]),
        ("TIMESTAMP(6)", vec!["TIMESTAMP(9)", "TIMESTAMP(5)", "TIMESTAMP(3)", "TIMESTAMP(1)", "DATE", "TIME(3)"]),
    ];
    let pairs: Vec<_> = changes.into_iter().flat_map(|(from, to)| to.into_iter().map(move |to| (from, to))).collect();
    prop::sample::select(pairs).prop_flat_map(|(from, to)| {
        prop::collection::vec(any_value(from), 1..6).prop_map(move |values| (root(from), root(to), values))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    /// Whatever the statistics say after the change, they hold for the values after the change.
    #[test]
    fn statistics_hold_for_the_values_that_were_cast((from, to, values) in a_change(), truncate in any::<bool>()) {
        let cast = Cast::between(&from, &to).unwrap();
        let mut exact = ColumnStats { null_count: Some(0), ..ColumnStats::default() };
        values.iter().for_each(|value| exact.add(value.clone()));
        let mode = if truncate { StatsMode::Truncate(1) } else { StatsMode::Full };
        let stats = cast.stats(mode.apply(&from, exact));
        let mut nulls = 0;
        for value in &values {
            let array = match value {
                Some(value) => casts::array_of(value, &from).unwrap(),
                None => new_null_array(&arrow_type(&from), 1),
            };
            let Some(after) = datum_at(&cast.array(&array).unwrap(), 0, &to).unwrap() else {
                nulls += 1;
                continue;
            };
            let comparable = [&stats.min, &stats.max].into_iter().flatten().all(|bound| bound.is_of(&to));
            prop_assert!(comparable, "{from} to {to}: {stats:?}");
            prop_assert!(stats.min.as_ref().is_none_or(|min| min.compare(&after).unwrap().is_le()), "{after:?} {stats:?}");
            prop_assert!(stats.max.as_ref().is_none_or(|max| max.compare(&after).unwrap().is_ge()), "{after:?} {stats:?}");
        }
        prop_assert!(stats.null_count.is_none_or(|count| count == nulls), "{from} to {to}: {nulls} {stats:?}");
    }
}

// A table that lives through changes: what is read and what is pruned, against a model that keeps values by column id.

/// One change of the schema. Columns are picked by number among those there are; `dt` is the partition and stays.
#[derive(Debug, Clone)]
enum Change {
    Add,
    Drop(usize),
    Rename(usize),
    Move(usize),
    Widen(usize),
    /// Drops a column and adds another one of the same name.
    Replace(usize),
}

#[derive(Debug, Clone)]
enum Happening {
    Alter(Change),
    /// Writes one file: its partition and, per row, a seed the values follow from.
    Write(u8, Vec<u8>),
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let change = prop_oneof![
        Just(Change::Add),
        (0..9_usize).prop_map(Change::Drop),
        (0..9_usize).prop_map(Change::Rename),
        (0..9_usize).prop_map(Change::Move),
        (0..9_usize).prop_map(Change::Widen),
        (0..9_usize).prop_map(Change::Replace),
    ];
    let write = (0..3_u8, prop::collection::vec(0..40_u8, 1..4)).prop_map(|(day, rows)| Happening::Write(day, rows));
    prop::collection::vec(prop_oneof![2 => change.prop_map(Happening::Alter), 3 => write], 2..12)
}

/// A row: partition, then column id to value, widened to 64 bits.
type Row = (String, BTreeMap<i32, i64>);

struct Life {
    storage: Storage,
    schema: TableSchema,
    committer: crate::commit::Committer,
    commits: i64,
    rows: Vec<(String, Row)>,
}

impl Life {
    async fn begin() -> Self {
        let storage = memory();
        let table = create(&storage, &[("metadata.stats-mode", "full")]).await;
        Self {
            schema: (**table.schema()).clone(),
            committer: committer(&table, "u", 1).await,
            storage,
            commits: 0,
            rows: Vec::new(),
        }
    }

    fn field(&mut self, number: usize) -> Option<&mut DataField> {
        let count = self.schema.fields.len() - 1;
        let mut plain = self.schema.fields.iter_mut().filter(|field| field.name != "dt");
        if count == 0 { None } else { plain.nth(number % count) }
    }

    async fn alter(&mut self, change: &Change) {
        let new = self.schema.highest_field_id + 1;
        match *change {
            Change::Add => {
                self.schema.fields.push(DataField::new(new, format!("c{new}"), "INT".parse().unwrap()));
                self.schema.highest_field_id = new;
            }
            Change::Drop(number) => {
                if let Some(id) = self.field(number).map(|field| field.id) {
                    self.schema.fields.retain(|field| field.id != id);
                }
            }
            Change::Rename(number) => {
                if let Some(field) = self.field(number) {
                    field.name = format!("{}_", field.name);
                }
            }
            Change::Move(number) => {
                let count = self.schema.fields.len();
                self.schema.fields.rotate_left(number % count);
            }
            Change::Widen(number) => {
                if let Some(field) = self.field(number) {
                    field.data_type.root = TypeRoot::BigInt;
                }
            }
            Change::Replace(number) => {
                if let Some(field) = self.field(number) {
                    let name = field.name.clone();
                    *field = DataField::new(new, name, "INT".parse().unwrap());
                    self.schema.highest_field_id = new;
                }
            }
        }
        self.schema.id += 1;
        self.storage.put(&schema_path(self.schema.id), self.schema.to_json().unwrap().into()).await.unwrap();
    }

    async fn write(&mut self, day: u8, seeds: &[u8]) {
        let fields = self.schema.fields.clone();
        let day = format!("2026-01-0{}", day + 1);
        let name = format!("f{}", self.commits);
        // Every third value is null; the others differ by column.
        let of = |id: i32, seed: u8| (!seed.is_multiple_of(3)).then(|| i64::from(seed) - 10 * i64::from(id));
        let arrays = fields.iter().map(|field| -> ArrayRef {
            let values = seeds.iter().map(|seed| of(field.id, *seed));
            match field.data_type.root {
                TypeRoot::Int => Arc::new(values.map(|value| value.map(|value| value as i32)).collect::<Int32Array>()),
                TypeRoot::BigInt => Arc::new(values.collect::<Int64Array>()),
                _ => Arc::new(StringArray::from(vec![day.as_str(); seeds.len()])),
            }
        });
        let batch = RecordBatch::try_new(arrow_schema(&fields), arrays.collect()).unwrap();
        let spec = WriterSpec::try_new(&fields, open(&self.storage).await.options(), usize::MAX).unwrap();
        let mut writer = DataFileWriter::try_new(&spec, &batch).unwrap();
        writer.write(&batch).unwrap();
        let finished = writer.finish().unwrap();
        let bytes: Vec<u8> = finished.tail.iter().flatten().copied().collect();
        self.storage.put(&format!("dt={day}/bucket-0/{name}"), bytes.into()).await.unwrap();
        let meta = append_meta(&name, &finished.summary, self.schema.id, EPOCH);
        let added = vec![NewFile { partition: partition(&day), bucket: 0, meta }];
        let identifier = CommitIdentifier(self.commits);
        // The committer's own rules about changed schemas are tested elsewhere.
        let table = open(&self.storage).await;
        self.committer = committer(&table, "u", self.commits as u64 + 7).await;
        self.committer.commit(&CommitRequest { identifier, added, ..request("u", 0) }).await.unwrap();
        self.commits += 1;
        for seed in seeds {
            let values = fields.iter().filter(|field| field.name != "dt");
            let values = values.filter_map(|field| Some((field.id, of(field.id, *seed)?))).collect();
            self.rows.push((name.clone(), (day.clone(), values)));
        }
    }

    /// The row as the current schema sees it, dates among the values as they come.
    fn seen(&self, row: &Row) -> Vec<Option<String>> {
        let fields = self.schema.fields.iter();
        fields
            .map(
                |field| if field.name == "dt" { Some(row.0.clone()) } else { row.1.get(&field.id).map(i64::to_string) },
            )
            .collect()
    }
}

fn holds(filter: &Predicate, schema: &TableSchema, row: &Row) -> bool {
    let value = |column: &str| {
        let field = schema.field(column).unwrap();
        if field.name == "dt" {
            return Some(Datum::String(row.0.clone()));
        }
        let value = *row.1.get(&field.id)?;
        Some(if field.data_type.root == TypeRoot::Int { Datum::Int(value as i32) } else { Datum::BigInt(value) })
    };
    match filter {
        Predicate::Compare { column, op, value: right } => value(column).is_some_and(|left| match op {
            Comparison::Eq => left == *right,
            Comparison::NotEq => left != *right,
            Comparison::Lt => left < *right,
            Comparison::LtEq => left <= *right,
            Comparison::Gt => left > *right,
            Comparison::GtEq => left >= *right,
        }),
        Predicate::IsNull(column) => value(column).is_none(),
        Predicate::IsNotNull(column) => value(column).is_some(),
        Predicate::And(parts) => parts.iter().all(|part| holds(part, schema, row)),
        Predicate::Or(parts) => parts.iter().any(|part| holds(part, schema, row)),
        other => panic!("{other:?} is not made here"),
    }
}

fn condition(schema: &TableSchema, number: usize, op: u8, value: i64) -> Predicate {
    let field = &schema.fields[number % schema.fields.len()];
    let op = match op {
        0 => Comparison::Eq,
        1 => Comparison::NotEq,
        2 => Comparison::Lt,
        3 => Comparison::GtEq,
        4 => return Predicate::IsNull(field.name.clone()),
        _ => return Predicate::IsNotNull(field.name.clone()),
    };
    let value = match field.data_type.root {
        TypeRoot::Int => Datum::Int(value as i32),
        TypeRoot::BigInt => Datum::BigInt(value),
        _ => Datum::String(format!("2026-01-0{}", value.rem_euclid(4) + 1)),
    };
    Predicate::compare(field.name.clone(), op, value)
}

fn texts(array: &ArrayRef) -> Vec<Option<String>> {
    match array.data_type() {
        arrow::datatypes::DataType::Int32 => {
            array.as_primitive::<Int32Type>().iter().map(|v| v.map(|v| v.to_string())).collect()
        }
        arrow::datatypes::DataType::Int64 => {
            array.as_primitive::<Int64Type>().iter().map(|v| v.map(|v| v.to_string())).collect()
        }
        _ => array.as_string::<i32>().iter().map(|v| v.map(str::to_owned)).collect(),
    }
}

async fn read_all(table: &Table) -> Result<Vec<Vec<Option<String>>>, DataError> {
    let plan = plan_scan(table, None, None, &Executor::inline()).await.unwrap();
    let mut rows = Vec::new();
    for entry in &plan.files {
        let batches: Vec<RecordBatch> = read_file(table, entry, &table.schema().fields).await?.try_collect().await?;
        for batch in batches {
            let columns: Vec<_> = batch.columns().iter().map(texts).collect();
            rows.extend((0..batch.num_rows()).map(|row| columns.iter().map(|column| column[row].clone()).collect()));
        }
    }
    Ok(rows)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_table_that_lives_through_changes_shows_every_row_and_prunes_none(
        happenings in happenings(),
        filters in prop::collection::vec(prop::collection::vec((0..9_usize, 0..6_u8, -60..40_i64), 1..3), 12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut life = Life::begin().await;
            for happening in &happenings {
                match happening {
                    Happening::Alter(change) => life.alter(change).await,
                    Happening::Write(day, seeds) => life.write(*day, seeds).await,
                }
            }
            let table = open(&life.storage).await;
            let sorted = |mut rows: Vec<Vec<Option<String>>>| { rows.sort(); rows };
            let expected: Vec<_> = life.rows.iter().map(|(_, row)| life.seen(row)).collect();
            assert_eq!(sorted(read_all(&table).await.unwrap()), sorted(expected));
            for (number, parts) in filters.iter().enumerate() {
                let parts: Vec<_> = parts.iter().map(|(n, op, value)| condition(&life.schema, *n, *op, *value)).collect();
                let filter = if number % 2 == 0 { Predicate::And(parts) } else { Predicate::Or(parts) };
                let plan = plan_scan(&table, None, Some(&filter), &Executor::inline()).await.unwrap();
                let planned: HashSet<_> = plan.files.iter().map(|entry| entry.file.file_name.clone()).collect();
                for (file, row) in &life.rows {
                    let matches = holds(&filter, &life.schema, row);
                    assert!(!matches || planned.contains(file), "{file} {row:?} {filter:?}");
                }
            }
        });
    }
}

/// A table of one row `(id INT = 7, dt)`, then `alter`ed.
async fn altered(alter: impl FnOnce(&mut TableSchema)) -> (Storage, Table) {
    let mut life = Life::begin().await;
    life.write(0, &[7]).await;
    alter(&mut life.schema);
    life.schema.id += 1;
    life.storage.put(&schema_path(life.schema.id), life.schema.to_json().unwrap().into()).await.unwrap();
    let table = open(&life.storage).await;
    (life.storage, table)
}

#[tokio::test]
async fn columns_added_later_exclude_files_by_the_nulls_they_hold() {
    let (_, table) = altered(|schema| schema.fields.push(DataField::new(9, "new", "INT".parse().unwrap()))).await;
    for (filter, files) in [
        (Predicate::IsNull("new".into()), 1),
        (Predicate::IsNotNull("new".into()), 0),
        (Predicate::compare("new", Comparison::NotEq, Datum::Int(1)), 0),
    ] {
        let plan = plan_scan(&table, None, Some(&filter), &Executor::inline()).await.unwrap();
        assert_eq!(plan.files.len(), files, "{filter:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_named() {
    let (_, narrowed) = altered(|schema| schema.fields[0].data_type.root = TypeRoot::SmallInt).await;
    let error = read_all(&narrowed).await.unwrap_err();
    assert!(
        error.to_string().ends_with(
            "column `id` was INT in schema 0 and is SMALLINT now; reading one as the other is not supported"
        ),
        "{error}"
    );
    let required = |schema: &mut TableSchema| {
        schema.fields.push(DataField::new(9, "new", "INT NOT NULL".parse().unwrap()));
    };
    let error = read_all(&altered(required).await.1).await.unwrap_err();
    assert!(error.to_string().contains("column `new` is NOT NULL by now"), "{error}");
    let (storage, table) = altered(|_| ()).await;
    storage.delete(&schema_path(0)).await.unwrap();
    let error = read_all(&table).await.unwrap_err();
    assert!(error.to_string().ends_with("is corrupt: its schema, 0, is missing"), "{error}");
    // Schemas are read once: a table that knows one does not look again.
    let (storage, table) = altered(|_| ()).await;
    read_all(&table).await.unwrap();
    storage.delete(&schema_path(0)).await.unwrap();
    assert_eq!(read_all(&table).await.unwrap().len(), 1);
}

#[test]
fn dense_statistics_belong_to_the_columns_they_name() {
    let mut written = schema(&[]);
    written.fields[0].name = "old name".to_owned();
    let now = DataField::new(0, "id", "BIGINT".parse().unwrap());
    let stats = ColumnStats { min: Some(Datum::Int(1)), max: Some(Datum::Int(5)), null_count: Some(0) };
    let found = column_stats(&written, &now, 3, |then| (then.name == "old name").then(|| stats.clone())).unwrap();
    let expected = ColumnStats { min: Some(Datum::BigInt(1)), max: Some(Datum::BigInt(5)), null_count: Some(0) };
    assert_eq!(found, expected);
}
