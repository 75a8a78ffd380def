//! Literal tables: an expression, its type, its value for each of three rows (all values, all null,
//! extremes); and for mistakes the message with its remedy.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use arrow::array::*;
use paimon_format::{DataField, DataType, TypeRoot};
use paimon_table::arrow::arrow_schema;
use tributary_runtime::Random;
use tributary_statement::{Select, SelectItem, Statement};

use super::bind::{InputColumn, Scope};
use super::cast::{Failing, cast};
use super::eval::{Bound, Input};
use super::select::BoundSelect;
use super::target::Target;
use super::zone::{Moment, Zone};

mod nested;

/// 2026-11-22 18:04:05.123 UTC.
const AT: i64 = 1_795_370_645_123;

fn shanghai() -> Zone {
    "Asia/Shanghai".parse().unwrap()
}

fn source() -> (Vec<InputColumn>, RecordBatch) {
    let columns: Vec<(&str, &str, ArrayRef)> = vec![
        ("b", "BOOLEAN", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
        ("t", "TINYINT", Arc::new(Int8Array::from(vec![Some(7), None, Some(i8::MIN)]))),
        ("s", "SMALLINT", Arc::new(Int16Array::from(vec![Some(300), None, Some(i16::MAX)]))),
        ("i", "INT", Arc::new(Int32Array::from(vec![Some(42), None, Some(i32::MIN)]))),
        ("l", "BIGINT", Arc::new(Int64Array::from(vec![Some(4_000_000_000), None, Some(i64::MAX)]))),
        ("f", "FLOAT", Arc::new(Float32Array::from(vec![Some(1.1), None, Some(-0.0)]))),
        ("d", "DOUBLE", Arc::new(Float64Array::from(vec![Some(12_345_678.9), None, Some(f64::NAN)]))),
        (
            "dec",
            "DECIMAL(10, 2)",
            Arc::new(
                Decimal128Array::from(vec![Some(123_456), None, Some(-9_999_999_999)])
                    .with_precision_and_scale(10, 2)
                    .unwrap(),
            ),
        ),
        ("c", "STRING", Arc::new(StringArray::from(vec![Some("Straße 7"), None, Some("")]))),
        ("v", "VARCHAR(5)", Arc::new(StringArray::from(vec![Some("12"), None, Some("-3.9")]))),
        ("y", "BYTES", Arc::new(BinaryArray::from_opt_vec(vec![Some(b"ab"), None, Some(b"")]))),
        ("dt", "DATE", Arc::new(Date32Array::from(vec![Some(20_779), None, Some(-1)]))),
        ("tm", "TIME(3)", Arc::new(Time32MillisecondArray::from(vec![Some(45_296_789), None, Some(0)]))),
        ("ts", "TIMESTAMP(3)", Arc::new(TimestampMillisecondArray::from(vec![Some(AT), None, Some(-1)]))),
        ("ts6", "TIMESTAMP(6)", Arc::new(TimestampMicrosecondArray::from(vec![Some(AT * 1000 + 456), None, Some(0)]))),
        (
            "ltz",
            "TIMESTAMP_LTZ(3)",
            Arc::new(TimestampMillisecondArray::from(vec![Some(AT), None, Some(0)]).with_timezone("UTC")),
        ),
        ("n", "INT NOT NULL", Arc::new(Int32Array::from(vec![1, 2, 0]))),
    ];
    let types: Vec<DataType> = columns.iter().map(|(_, text, _)| text.parse().unwrap()).collect();
    let fields: Vec<DataField> = columns
        .iter()
        .zip(&types)
        .enumerate()
        .map(|(id, ((name, ..), data_type))| field(id, name, data_type.clone()))
        .collect();
    let inputs = columns
        .iter()
        .zip(types)
        .enumerate()
        .map(|(index, ((name, ..), data_type))| InputColumn::physical(index, *name, data_type))
        .collect();
    let arrays = columns.into_iter().map(|(.., array)| array).collect();
    (inputs, RecordBatch::try_new(arrow_schema(&fields), arrays).unwrap())
}

fn field(id: usize, name: &str, data_type: DataType) -> DataField {
    DataField { id: id as i32, name: name.to_owned(), data_type, description: None, default_value: None }
}

fn select(items: &str, rest: &str) -> (tributary_statement::Script, Select) {
    let text = format!("INSERT INTO target SELECT {items} FROM source {rest}");
    let script = tributary_statement::parse("t.sql", &text, &|_| Err("no variables here".into()))
        .unwrap_or_else(|error| panic!("{text}: {error}"));
    let Statement::Insert(insert) = script.statements[0].value.clone() else { panic!("{text}") };
    (script, insert.select)
}

fn bind(text: &str, zone: Zone) -> Result<Bound, String> {
    let (inputs, _) = source();
    let (script, select) = select(text, "");
    let SelectItem::Expr { expr, .. } = &select.items[0] else { panic!("{text}") };
    let scope = Scope { table: "source", columns: &inputs, zone, random: Some(Random::seeded(1)) };
    scope.bind(expr).map_err(|error| {
        let report = script.source.error(error.span, error.message);
        match error.help {
            Some(help) => format!("{} | {help}", report.message()),
            None => report.message().to_owned(),
        }
    })
}

/// The type and the three values, as text.
fn run(text: &str, zone: Zone) -> Result<(String, Vec<String>), String> {
    let (_, batch) = source();
    let bound = bind(text, zone)?;
    let input = Input::of_batch(&batch, Moment::new(AT, zone), zone);
    let array = bound.eval(&input).and_then(|value| value.into_array(3)).map_err(|error| error.to_string())?;
    let root = bound.data_type.root.clone();
    assert_eq!(array.data_type(), &paimon_table::arrow::arrow_type(&root), "{text}");
    assert!(bound.data_type.nullable || array.null_count() == 0, "{text}: null in {}", bound.data_type);
    let text = cast(&array, &root, &TypeRoot::STRING, zone, Failing::Stops).map_err(|error| error.to_string())?;
    let values = text.as_string::<i32>().iter().map(|value| value.unwrap_or("NULL").to_owned()).collect();
    Ok((bound.data_type.to_string(), values))
}

fn check(cases: &[(&str, &str, [&str; 3])]) {
    for (text, data_type, values) in cases {
        let found = run(text, shanghai());
        let expected = Ok(((*data_type).to_owned(), values.map(str::to_owned).to_vec()));
        assert_eq!(found, expected, "{text}");
    }
}

/// For expressions whose value is the same in every row.
fn check_constant(cases: &[(&str, &str, &str)]) {
    for (text, data_type, value) in cases {
        let found = run(text, shanghai());
        let expected = Ok(((*data_type).to_owned(), vec![(*value).to_owned(); 3]));
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn casts_to_text_print_as_flink_does() {
    check(&[
        ("CAST(b AS STRING)", "STRING", ["TRUE", "NULL", "FALSE"]),
        ("CAST(t AS STRING)", "STRING", ["7", "NULL", "-128"]),
        ("CAST(s AS STRING)", "STRING", ["300", "NULL", "32767"]),
        ("CAST(i AS STRING)", "STRING", ["42", "NULL", "-2147483648"]),
        ("CAST(l AS STRING)", "STRING", ["4000000000", "NULL", "9223372036854775807"]),
        ("CAST(f AS STRING)", "STRING", ["1.1", "NULL", "-0.0"]),
        ("CAST(d AS STRING)", "STRING", ["1.23456789E7", "NULL", "NaN"]),
        ("CAST(dec AS STRING)", "STRING", ["1234.56", "NULL", "-99999999.99"]),
        ("CAST(c AS CHAR(6))", "CHAR(6)", ["Straße", "NULL", "      "]),
        ("CAST(c AS VARCHAR(3))", "VARCHAR(3)", ["Str", "NULL", ""]),
        ("CAST(v AS VARCHAR(5))", "VARCHAR(5)", ["12", "NULL", "-3.9"]),
        ("CAST(i AS VARCHAR(2))", "VARCHAR(2)", ["42", "NULL", "-2"]),
        ("CAST(y AS STRING)", "STRING", ["ab", "NULL", ""]),
        ("CAST(dt AS STRING)", "STRING", ["2026-11-22", "NULL", "1969-12-31"]),
        ("CAST(tm AS STRING)", "STRING", ["12:34:56", "NULL", "00:00:00"]),
        ("CAST(ts AS STRING)", "STRING", ["2026-11-22 18:04:05.123", "NULL", "1969-12-31 23:59:59.999"]),
        ("CAST(ts6 AS STRING)", "STRING", ["2026-11-22 18:04:05.123456", "NULL", "1970-01-01 00:00:00.000000"]),
        ("CAST(ltz AS STRING)", "STRING", ["2026-11-23 02:04:05.123", "NULL", "1970-01-01 08:00:00.000"]),
    ]);
    check_constant(&[
        ("CAST(1e10 AS STRING)", "STRING NOT NULL", "1.0E10"),
        ("CAST(1.50 AS STRING)", "STRING NOT NULL", "1.50"),
        ("CAST(TRUE AS VARCHAR(2))", "VARCHAR(2) NOT NULL", "TR"),
        ("CAST('x' AS CHAR(3))", "CHAR(3) NOT NULL", "x  "),
        ("CAST(NULL AS STRING)", "STRING", "NULL"),
        ("CAST(DATE '2026-02-03' AS STRING)", "STRING NOT NULL", "2026-02-03"),
        ("CAST(TIMESTAMP '2026-02-03 04:05:06' AS STRING)", "STRING NOT NULL", "2026-02-03 04:05:06"),
        ("CAST(TIME '04:05:06' AS STRING)", "STRING NOT NULL", "04:05:06"),
    ]);
}

#[test]
fn numbers_widen_narrow_and_round_as_in_flink() {
    check(&[
        ("CAST(s AS TINYINT)", "TINYINT", ["44", "NULL", "-1"]),
        ("CAST(l AS INT)", "INT", ["-294967296", "NULL", "-1"]),
        ("CAST(t AS BIGINT)", "BIGINT", ["7", "NULL", "-128"]),
        ("CAST(i AS DOUBLE)", "DOUBLE", ["42.0", "NULL", "-2.147483648E9"]),
        ("CAST(l AS FLOAT)", "FLOAT", ["4.0E9", "NULL", "9.223372E18"]),
        ("EXTRACT(MILLISECOND FROM tm)", "BIGINT", ["789", "NULL", "0"]),
        ("CAST(d AS BIGINT)", "BIGINT", ["12345678", "NULL", "0"]),
        ("CAST(d AS FLOAT)", "FLOAT", ["1.2345679E7", "NULL", "NaN"]),
        ("CAST(f AS DOUBLE)", "DOUBLE", ["1.100000023841858", "NULL", "-0.0"]),
        ("CAST(f AS DECIMAL(5, 2))", "DECIMAL(5, 2)", ["1.10", "NULL", "0.00"]),
        ("CAST(i AS DECIMAL(4, 1))", "DECIMAL(4, 1)", ["42.0", "NULL", "NULL"]),
        ("CAST(dec AS INT)", "INT", ["1234", "NULL", "-99999999"]),
        ("CAST(dec AS TINYINT)", "TINYINT", ["-46", "NULL", "1"]),
        ("CAST(dec AS DOUBLE)", "DOUBLE", ["1234.56", "NULL", "-9.999999999E7"]),
        ("CAST(dec AS DECIMAL(10, 1))", "DECIMAL(10, 1)", ["1234.6", "NULL", "-100000000.0"]),
        ("CAST(dec AS DECIMAL(5, 2))", "DECIMAL(5, 2)", ["NULL", "NULL", "NULL"]),
        ("CAST(b AS INT)", "INT", ["1", "NULL", "0"]),
        ("CAST(b AS DECIMAL(3, 1))", "DECIMAL(3, 1)", ["1.0", "NULL", "0.0"]),
        ("CAST(n AS BOOLEAN)", "BOOLEAN NOT NULL", ["TRUE", "TRUE", "FALSE"]),
        ("CAST(v AS INT)", "INT", ["12", "NULL", "-3"]),
        ("CAST(v AS DOUBLE)", "DOUBLE", ["12.0", "NULL", "-3.9"]),
        ("CAST(v AS DECIMAL(3, 0))", "DECIMAL(3, 0)", ["12", "NULL", "-4"]),
    ]);
    check_constant(&[
        ("CAST(1e30 AS INT)", "INT NOT NULL", "2147483647"),
        ("CAST(9234567891.12 AS INT)", "INT NOT NULL", "644633299"),
        ("CAST('yes' AS BOOLEAN)", "BOOLEAN NOT NULL", "TRUE"),
        ("CAST('1.1' AS FLOAT)", "FLOAT NOT NULL", "1.1"),
        ("CAST(12.5 AS DECIMAL(3, 0))", "DECIMAL(3, 0)", "13"),
        ("CAST(-12.5 AS DECIMAL(3, 0))", "DECIMAL(3, 0)", "-13"),
    ]);
}

#[test]
fn dates_times_and_zones_convert() {
    check(&[
        ("CAST(ts AS DATE)", "DATE", ["2026-11-22", "NULL", "1969-12-31"]),
        ("CAST(ts AS TIME(3))", "TIME(3)", ["18:04:05", "NULL", "23:59:59"]),
        ("CAST(ts AS TIME)", "TIME(0)", ["18:04:05", "NULL", "23:59:59"]),
        ("CAST(ts6 AS TIMESTAMP(3))", "TIMESTAMP(3)", ["2026-11-22 18:04:05.123", "NULL", "1970-01-01 00:00:00.000"]),
        ("CAST(ts6 AS TIMESTAMP(4))", "TIMESTAMP(4)", ["2026-11-22 18:04:05.1234", "NULL", "1970-01-01 00:00:00.0000"]),
        ("CAST(ts AS TIMESTAMP(0))", "TIMESTAMP(0)", ["2026-11-22 18:04:05", "NULL", "1970-01-01 00:00:00"]),
        (
            "CAST(ts AS TIMESTAMP(9))",
            "TIMESTAMP(9)",
            ["2026-11-22 18:04:05.123000000", "NULL", "1969-12-31 23:59:59.999000000"],
        ),
        ("CAST(ltz AS TIMESTAMP(3))", "TIMESTAMP(3)", ["2026-11-23 02:04:05.123", "NULL", "1970-01-01 08:00:00.000"]),
        ("CAST(ltz AS DATE)", "DATE", ["2026-11-23", "NULL", "1970-01-01"]),
        (
            "CAST(ts AS TIMESTAMP_LTZ(3))",
            "TIMESTAMP(3) WITH LOCAL TIME ZONE",
            ["2026-11-22 18:04:05.123", "NULL", "1969-12-31 23:59:59.999"],
        ),
        ("CAST(CAST(ts AS TIMESTAMP_LTZ(3)) AS TIMESTAMP(3)) = ts", "BOOLEAN", ["TRUE", "NULL", "TRUE"]),
        ("CAST(dt AS TIMESTAMP(3))", "TIMESTAMP(3)", ["2026-11-22 00:00:00.000", "NULL", "1969-12-31 00:00:00.000"]),
        ("YEAR(ts)", "BIGINT", ["2026", "NULL", "1969"]),
        ("QUARTER(dt)", "BIGINT", ["4", "NULL", "4"]),
        ("MONTH(dt)", "BIGINT", ["11", "NULL", "12"]),
        ("WEEK(dt)", "BIGINT", ["47", "NULL", "1"]),
        ("DAYOFYEAR(dt)", "BIGINT", ["326", "NULL", "365"]),
        ("DAYOFMONTH(ts6)", "BIGINT", ["22", "NULL", "1"]),
        ("DAYOFWEEK(dt)", "BIGINT", ["1", "NULL", "4"]),
        ("HOUR(ts)", "BIGINT", ["18", "NULL", "23"]),
        ("HOUR(ltz)", "BIGINT", ["2", "NULL", "8"]),
        ("HOUR(tm)", "BIGINT", ["12", "NULL", "0"]),
        ("MINUTE(ts)", "BIGINT", ["4", "NULL", "59"]),
        ("SECOND(ts6)", "BIGINT", ["5", "NULL", "0"]),
    ]);
    check_constant(&[
        ("CAST('2026-02-03' AS DATE)", "DATE NOT NULL", "2026-02-03"),
        ("CAST('12:34:56.789' AS TIME(3))", "TIME(3) NOT NULL", "12:34:56"),
        ("CAST('2026-02-03 04:05:06.789' AS TIMESTAMP(3))", "TIMESTAMP(3) NOT NULL", "2026-02-03 04:05:06.789"),
        ("CAST('2026-02-03 04:05:06.789' AS TIMESTAMP(1))", "TIMESTAMP(1) NOT NULL", "2026-02-03 04:05:06.7"),
        (
            "CAST('2026-02-03 04:05:06' AS TIMESTAMP_LTZ(3))",
            "TIMESTAMP(3) WITH LOCAL TIME ZONE NOT NULL",
            "2026-02-03 04:05:06.000",
        ),
    ]);
}

#[test]
fn the_clock_is_read_once_in_the_zone_of_the_session() {
    check_constant(&[
        ("LOCALTIMESTAMP", "TIMESTAMP(3) NOT NULL", "2026-11-23 02:04:05.123"),
        ("CAST(LOCALTIMESTAMP AS STRING)", "STRING NOT NULL", "2026-11-23 02:04:05.123"),
        ("CURRENT_TIMESTAMP", "TIMESTAMP(3) WITH LOCAL TIME ZONE NOT NULL", "2026-11-23 02:04:05.123"),
        ("NOW()", "TIMESTAMP(3) WITH LOCAL TIME ZONE NOT NULL", "2026-11-23 02:04:05.123"),
        ("CAST(CURRENT_DATE AS STRING)", "STRING NOT NULL", "2026-11-23"),
        ("CAST(HOUR(LOCALTIMESTAMP) AS STRING)", "STRING NOT NULL", "2"),
        ("HOUR(CURRENT_TIMESTAMP)", "BIGINT NOT NULL", "2"),
        ("LOCALTIME", "TIME(0) NOT NULL", "02:04:05"),
        ("CURRENT_TIME", "TIME(0) NOT NULL", "02:04:05"),
    ]);
    let utc = run("CAST(HOUR(LOCALTIMESTAMP) AS STRING)", Zone::UTC).unwrap();
    assert_eq!(utc.1[0], "18");
}

#[test]
fn arithmetic_has_flinks_types_and_wraps() {
    check(&[
        ("t + t", "TINYINT", ["14", "NULL", "0"]),
        ("t - CAST(1 AS TINYINT)", "TINYINT", ["6", "NULL", "127"]),
        ("i + 1", "INT", ["43", "NULL", "-2147483647"]),
        ("i - 1", "INT", ["41", "NULL", "2147483647"]),
        ("-i", "INT", ["-42", "NULL", "-2147483648"]),
        ("i / -1", "INT", ["-42", "NULL", "-2147483648"]),
        ("i / 5", "INT", ["8", "NULL", "-429496729"]),
        ("i % 5", "INT", ["2", "NULL", "-3"]),
        ("l % i", "INT", ["10", "NULL", "2147483647"]),
        ("l + i", "BIGINT", ["4000000042", "NULL", "9223372034707292159"]),
        ("l + 1", "BIGINT", ["4000000001", "NULL", "-9223372036854775808"]),
        ("i * f", "FLOAT", ["46.2", "NULL", "0.0"]),
        ("d / 0", "DOUBLE", ["Infinity", "NULL", "NaN"]),
        ("i + d", "DOUBLE", ["1.23457209E7", "NULL", "NaN"]),
        ("dec + 1", "DECIMAL(13, 2)", ["1235.56", "NULL", "-99999998.99"]),
        ("dec + dec", "DECIMAL(11, 2)", ["2469.12", "NULL", "-199999999.98"]),
        ("dec - 0.005", "DECIMAL(12, 3)", ["1234.555", "NULL", "-99999999.995"]),
        ("dec * dec", "DECIMAL(21, 4)", ["1524138.3936", "NULL", "9999999998000000.0001"]),
        ("dec / 3", "DECIMAL(21, 13)", ["411.5200000000000", "NULL", "-33333333.3300000000000"]),
        ("dec % 7", "DECIMAL(10, 2)", ["2.56", "NULL", "-1.99"]),
        ("dec * 1e0", "DOUBLE", ["1234.56", "NULL", "-9.999999999E7"]),
        ("i + NULL", "INT", ["NULL", "NULL", "NULL"]),
        ("+i", "INT", ["42", "NULL", "-2147483648"]),
    ]);
    check_constant(&[
        ("7 / 2", "INT NOT NULL", "3"),
        ("-7 / 2", "INT NOT NULL", "-3"),
        ("7 / 2.0", "DECIMAL(17, 6)", "3.500000"),
        ("1 + 2 * 3", "INT NOT NULL", "7"),
        ("2147483647 + 1", "INT NOT NULL", "-2147483648"),
        ("2147483648 + 1", "BIGINT NOT NULL", "2147483649"),
        ("CAST(99999999999999999999999999999999999999 AS DECIMAL(38, 0)) * 10", "DECIMAL(38, 0)", "NULL"),
    ]);
}

#[test]
fn comparison_and_logic_are_three_valued() {
    check(&[
        ("i = 42", "BOOLEAN", ["TRUE", "NULL", "FALSE"]),
        ("i <> 42", "BOOLEAN", ["FALSE", "NULL", "TRUE"]),
        ("i < l", "BOOLEAN", ["TRUE", "NULL", "TRUE"]),
        ("t >= 7.0", "BOOLEAN", ["TRUE", "NULL", "FALSE"]),
        ("f = 0.0e0", "BOOLEAN", ["FALSE", "NULL", "TRUE"]),
        ("d = d", "BOOLEAN", ["TRUE", "NULL", "FALSE"]),
        ("d <> d", "BOOLEAN", ["FALSE", "NULL", "TRUE"]),
        ("dec > 1000", "BOOLEAN", ["TRUE", "NULL", "FALSE"]),
        ("c = 'Straße 7'", "BOOLEAN", ["TRUE", "NULL", "FALSE"]),
        ("c < v", "BOOLEAN", ["FALSE", "NULL", "TRUE"]),
        ("dt = '2026-11-22'", "BOOLEAN", ["TRUE", "NULL", "FALSE"]),
        ("ts > dt", "BOOLEAN", ["TRUE", "NULL", "TRUE"]),
        ("ts6 > ts", "BOOLEAN", ["TRUE", "NULL", "TRUE"]),
        ("i = NULL", "BOOLEAN", ["NULL", "NULL", "NULL"]),
        ("b AND i > 0", "BOOLEAN", ["TRUE", "NULL", "FALSE"]),
        ("b AND FALSE", "BOOLEAN", ["FALSE", "FALSE", "FALSE"]),
        ("b OR TRUE", "BOOLEAN", ["TRUE", "TRUE", "TRUE"]),
        ("b OR NULL", "BOOLEAN", ["TRUE", "NULL", "NULL"]),
        ("NULL AND b", "BOOLEAN", ["NULL", "NULL", "FALSE"]),
        ("NOT b", "BOOLEAN", ["FALSE", "NULL", "TRUE"]),
        ("b IS NULL", "BOOLEAN NOT NULL", ["FALSE", "TRUE", "FALSE"]),
        ("i + l IS NOT NULL", "BOOLEAN NOT NULL", ["TRUE", "FALSE", "TRUE"]),
        ("NULL IS NULL", "BOOLEAN NOT NULL", ["TRUE", "TRUE", "TRUE"]),
    ]);
}

#[test]
fn conditionals_evaluate_only_what_they_need() {
    check(&[
        ("CASE WHEN b THEN i ELSE n END", "INT", ["42", "2", "0"]),
        ("CASE WHEN b THEN 'yes' END", "CHAR(3)", ["yes", "NULL", "NULL"]),
        ("CASE WHEN b THEN 'yes' ELSE 'no' END", "VARCHAR(3) NOT NULL", ["yes", "no", "no"]),
        ("CASE n WHEN 1 THEN 'one' WHEN 2 THEN 'two' ELSE c END", "STRING", ["one", "two", ""]),
        ("CASE WHEN n = 0 THEN 0 ELSE 10 / n END", "INT NOT NULL", ["10", "5", "0"]),
        ("CASE WHEN n <> 0 AND 10 / n > 5 THEN 1 ELSE 2 END", "INT NOT NULL", ["1", "2", "2"]),
        ("n = 0 OR 10 / n > 5", "BOOLEAN NOT NULL", ["TRUE", "FALSE", "TRUE"]),
        ("CASE WHEN FALSE THEN 1 / 0 ELSE i END", "INT", ["42", "NULL", "-2147483648"]),
        ("CASE WHEN i > 0 THEN i WHEN i < 0 THEN l END", "BIGINT", ["42", "NULL", "9223372036854775807"]),
        ("CASE WHEN b THEN 1 ELSE 2.5 END", "DECIMAL(11, 1) NOT NULL", ["1.0", "2.5", "2.5"]),
        ("COALESCE(i, n)", "INT NOT NULL", ["42", "2", "-2147483648"]),
        ("COALESCE(i, t, 5)", "INT NOT NULL", ["42", "5", "-2147483648"]),
        ("COALESCE(NULL, c, 'x')", "STRING NOT NULL", ["Straße 7", "x", ""]),
        ("COALESCE(i, n / n)", "INT NOT NULL", ["42", "1", "-2147483648"]),
    ]);
}

#[test]
fn text_functions() {
    check(&[
        ("CONCAT(c, '-', v)", "STRING", ["Straße 7-12", "NULL", "--3.9"]),
        ("CONCAT('a', 'b')", "STRING NOT NULL", ["ab", "ab", "ab"]),
        ("UPPER(c)", "STRING", ["STRASSE 7", "NULL", ""]),
        ("LOWER(c)", "STRING", ["straße 7", "NULL", ""]),
        ("SUBSTRING(c, 5)", "STRING", ["ße 7", "NULL", ""]),
        ("SUBSTRING(c FROM 2 FOR 3)", "STRING", ["tra", "NULL", ""]),
        ("SUBSTRING(c, -3, 2)", "STRING", ["e ", "NULL", ""]),
        ("SUBSTRING(c, -30)", "STRING", ["", "NULL", ""]),
        ("SUBSTRING(c, 0, 2)", "STRING", ["St", "NULL", ""]),
        ("SUBSTRING(c, 1, -1)", "STRING", ["NULL", "NULL", "NULL"]),
        ("SUBSTRING(c, 100)", "STRING", ["", "NULL", ""]),
        ("SUBSTRING('hello', n, n)", "VARCHAR(5)", ["h", "el", ""]),
    ]);
}

#[test]
fn values_that_cannot_be_computed_stop_the_pipeline() {
    for (text, message) in [
        ("10 / n", "division by zero"),
        ("10 % n", "division by zero"),
        ("dec / (n - n)", "division by zero"),
        ("CAST(c AS INT)", "cannot cast 'Straße 7' to INT"),
        ("CAST('300' AS TINYINT)", "cannot cast '300' to TINYINT"),
        ("CAST(c AS DATE)", "cannot cast 'Straße 7' to DATE"),
        ("CAST('maybe' AS BOOLEAN)", "cannot cast 'maybe' to BOOLEAN"),
        ("CAST(d AS DECIMAL(10, 0))", "cannot cast 'NaN' to DECIMAL(10, 0)"),
        ("CAST(TIMESTAMP '9999-01-01 00:00:00' AS TIMESTAMP(9))", "a value is out of the range of TIMESTAMP(9)"),
    ] {
        assert_eq!(run(text, Zone::UTC), Err(message.to_owned()), "{text}");
    }
}

#[test]
fn what_means_nothing_is_refused_with_its_remedy() {
    for (text, message) in [
        ("decc", "unknown column `decc` in `source` | did you mean `dec`?"),
        ("other.i", "unknown table `other` in this SELECT | its columns are those of `source`"),
        ("UPER(c)", "unknown function UPER | did you mean UPPER?"),
        ("UPPER(i)", "UPPER takes text, this is INT | write CAST(… AS STRING) around it"),
        ("UPPER()", "UPPER takes one argument, not 0"),
        ("SUBSTRING(c)", "SUBSTRING takes 2 to 3 arguments, not 1"),
        ("NOW(1)", "NOW takes no arguments, not 1"),
        ("SUBSTRING(c, l)", "SUBSTRING takes an INT here, this is BIGINT | write CAST(… AS INT) around it"),
        ("HOUR(c)", "HOUR takes a date or timestamp, this is STRING | write CAST(… AS TIMESTAMP(3)) around it"),
        (
            "c + 1",
            "`+` needs two numbers, these are STRING and INT | write CAST(… AS DOUBLE), or another numeric type, around what is none",
        ),
        ("-c", "`-` needs a number, this is STRING | write CAST(… AS DOUBLE) around it"),
        (
            "i = c",
            "`=` cannot compare INT with STRING | write CAST(… AS INT) around the right side, or CAST(… AS STRING) around the left",
        ),
        ("i AND b", "an operand of AND must be BOOLEAN, this is INT"),
        ("NOT i", "the operand of NOT must be BOOLEAN, this is INT"),
        ("CASE WHEN i THEN 1 END", "the condition after WHEN must be BOOLEAN, this is INT"),
        (
            "CASE WHEN b THEN 1 ELSE 'x' END",
            "the results of CASE are of types INT and CHAR(1) | bring them to one type, for example with CAST(… AS INT)",
        ),
        (
            "COALESCE(NULL, NULL)",
            "the arguments of COALESCE are all NULL, of no type | give one of them a type: CAST(NULL AS STRING)",
        ),
        ("CAST(b AS DATE)", "there is no cast from BOOLEAN to DATE"),
        ("CAST(ts AS INT)", "there is no cast from TIMESTAMP(3) to INT"),
        (
            "ts = ltz",
            "`=` cannot compare TIMESTAMP(3) with TIMESTAMP(3) WITH LOCAL TIME ZONE | write CAST(… AS TIMESTAMP(3)) around the right side, or CAST(… AS TIMESTAMP(3) WITH LOCAL TIME ZONE) around the left",
        ),
    ] {
        assert_eq!(run(text, Zone::UTC), Err(message.to_owned()), "{text}");
    }
}

/// Binds and evaluates `INSERT INTO target SELECT items FROM source rest`.
fn insert(target: &[&str], items: &str, rest: &str) -> Result<Vec<String>, String> {
    let (inputs, batch) = source();
    let (script, select) = select(items, rest);
    let fields: Vec<DataField> =
        target.iter().enumerate().map(|(id, text)| field(id, &format!("c{id}"), text.parse().unwrap())).collect();
    let scope = Scope { table: "source", columns: &inputs, zone: Zone::UTC, random: Some(Random::seeded(1)) };
    let bound = BoundSelect::bind(&select, &scope, Target::by_position("db.target", &fields)).map_err(|error| {
        let report = script.source.error(error.span, error.message);
        format!("{} | {}", report.message(), error.help.unwrap_or_default())
    })?;
    let rows = bound.evaluate(&batch, AT).map_err(|error| error.to_string())?;
    assert_eq!(rows.schema(), arrow_schema(&fields));
    Ok((0..rows.num_rows())
        .map(|row| {
            let cells = rows.columns().iter().zip(&fields).map(|(column, field)| {
                let one = column.slice(row, 1);
                let text = cast(&one, &field.data_type.root, &TypeRoot::STRING, Zone::UTC, Failing::Stops).unwrap();
                let text = text.as_string::<i32>();
                if text.is_null(0) { "NULL".to_owned() } else { text.value(0).to_owned() }
            });
            cells.collect::<Vec<_>>().join("|")
        })
        .collect())
}

#[test]
fn rows_are_filtered_and_mapped_by_position() {
    for (target, items, rest, expected) in [
        (&["STRING", "INT"][..], "c, n", "", &["Straße 7|1", "NULL|2", "|0"][..]),
        (&["BIGINT", "DOUBLE"], "i, i", "WHERE i IS NOT NULL", &["42|42.0", "-2147483648|-2.147483648E9"]),
        (&["INT"], "n", "WHERE b", &["1"]),
        (&["INT"], "n", "WHERE NULL", &[]),
        (&["INT"], "n", "WHERE n <> 0 AND 4 / n = 2", &["2"]),
        (&["VARCHAR(3)"], "c", "WHERE b", &["Str"]),
        (&["STRING"], "NULL", "WHERE b", &["NULL"]),
        (&["TIMESTAMP(6)"], "ts", "WHERE b", &["2026-11-22 18:04:05.123000"]),
        (&["DECIMAL(12, 3)"], "dec", "WHERE b", &["1234.560"]),
        (&["INT NOT NULL"], "i", "WHERE b", &["42"]),
    ] {
        let expected: Vec<String> = expected.iter().map(|row| (*row).to_owned()).collect();
        assert_eq!(insert(target, items, rest), Ok(expected), "{items} {rest}");
    }
}

#[test]
fn an_insert_that_does_not_fit_is_refused_with_its_remedy() {
    for (target, items, message) in [
        (
            &["INT", "INT"][..],
            "i",
            "the SELECT gives 1 columns, `db.target` has 2 | columns map by position to `c0`, `c1`",
        ),
        (&["INT"], "c", "column `c0` of `db.target` is INT, the expression is STRING | write CAST(… AS INT) around it"),
        (&["INT"], "l", "column `c0` of `db.target` is INT, the expression is BIGINT | write CAST(… AS INT) around it"),
        (
            &["CHAR(3)"],
            "c",
            "column `c0` of `db.target` is CHAR(3), the expression is STRING | write CAST(… AS CHAR(3)) around it",
        ),
        (
            &["STRING"],
            "i",
            "column `c0` of `db.target` is STRING, the expression is INT | write CAST(… AS STRING) around it",
        ),
        (
            &["DATE"],
            "b",
            "column `c0` of `db.target` is DATE, the expression is BOOLEAN | columns map by position: is the order of the SELECT that of the table?",
        ),
        (
            &["INT NOT NULL"],
            "i",
            "column `c0` is NOT NULL but a row has null for it; filter such rows with WHERE or replace the null with COALESCE",
        ),
    ] {
        assert_eq!(insert(target, items, ""), Err(message.to_owned()), "{items}");
    }
}

#[test]
fn a_star_takes_every_column() {
    let (inputs, batch) = source();
    let (_, select) = select("*", "WHERE b");
    let fields: Vec<DataField> =
        inputs.iter().enumerate().map(|(id, column)| field(id, &column.name, column.value.data_type.clone())).collect();
    let scope = Scope { table: "source", columns: &inputs, zone: Zone::UTC, random: Some(Random::seeded(1)) };
    let bound = BoundSelect::bind(&select, &scope, Target::by_position("t", &fields)).unwrap();
    assert_eq!(bound.evaluate(&batch, AT).unwrap(), batch.slice(0, 1));
}

proptest::proptest! {
    /// The vectorised rescaling agrees with exact arithmetic on the printed digits.
    #[test]
    fn decimals_round_half_up(value in -10_i128.pow(18)..10_i128.pow(18), from in 0_u8..12, to in 0_u8..12) {
        let found = super::cast::rescale_value(value, from, to, 38);
        let mut text = String::new();
        super::text_form::write_decimal(&mut text, value, from);
        proptest::prop_assert_eq!(found, super::parse::decimal(&text, to).unwrap());
    }

    /// What a double prints reads back as the same double.
    #[test]
    fn doubles_survive_their_text(bits in proptest::prelude::any::<u64>()) {
        let value = f64::from_bits(bits);
        let mut text = String::new();
        super::text_form::write_double(&mut text, value);
        let back = super::parse::double(&text).unwrap();
        proptest::prop_assert!(back == value || (back.is_nan() && value.is_nan()), "{}", text);
    }
}
