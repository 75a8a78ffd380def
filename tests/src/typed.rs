//! The typed table: every type with its extremes, in the form in which engines are compared. A type that is added
//! here is compared with every engine at once.

use serde_json::{Value, json};

/// A column of the typed table.
pub struct Case {
    pub name: &'static str,
    /// The type as Paimon spells it.
    pub kind: &'static str,
    /// The Arrow type that pypaimon is told.
    pub arrow: &'static str,
    /// Values in canonical form besides null.
    pub values: Vec<Value>,
}

fn case(name: &'static str, kind: &'static str, arrow: &'static str, values: Vec<Value>) -> Case {
    Case { name, kind, arrow, values }
}

/// Every primitive type.
pub fn cases() -> Vec<Case> {
    let text = |values: &[&str]| values.iter().map(|value| json!(value)).collect::<Vec<_>>();
    let bits32 = |values: &[f32]| values.iter().map(|value| json!(value.to_bits())).collect::<Vec<_>>();
    let bits64 = |values: &[f64]| values.iter().map(|value| json!(value.to_bits())).collect::<Vec<_>>();
    // 0001-01-01 and 9999-12-31 in days; nanoseconds cover 1677 to 2262 only.
    let (first_day, last_day) = (-719_162, 2_932_896);
    let seconds = |values: &[i64]| values.iter().map(|value| json!(value * 1_000_000_000)).collect::<Vec<_>>();
    vec![
        case("boolean", "BOOLEAN", "pa.bool_()", vec![json!(true), json!(false)]),
        case("tinyint", "TINYINT", "pa.int8()", vec![json!(i8::MIN), json!(i8::MAX), json!(0)]),
        case("smallint", "SMALLINT", "pa.int16()", vec![json!(i16::MIN), json!(i16::MAX), json!(-1)]),
        case("int", "INT", "pa.int32()", vec![json!(i32::MIN), json!(i32::MAX), json!(7)]),
        case("bigint", "BIGINT", "pa.int64()", vec![json!(i64::MIN), json!(i64::MAX), json!(1_i64 << 53)]),
        case("float", "FLOAT", "pa.float32()", bits32(&[f32::MIN, f32::MAX, -0.0, 0.1, f32::INFINITY])),
        case("double", "DOUBLE", "pa.float64()", bits64(&[f64::MIN, f64::MAX, -0.0, 0.1, f64::NEG_INFINITY, 5e-324])),
        case("decimal_9_2", "DECIMAL(9, 2)", "pa.decimal128(9, 2)", text(&["9999999.99", "-9999999.99", "0.01"])),
        case(
            "decimal_18_4",
            "DECIMAL(18, 4)",
            "pa.decimal128(18, 4)",
            text(&["99999999999999.9999", "-0.0001", "0.0000"]),
        ),
        case(
            "decimal_38_10",
            "DECIMAL(38, 10)",
            "pa.decimal128(38, 10)",
            text(&[
                "9999999999999999999999999999.9999999999",
                "-1234567890123456789012345678.0123456789",
                "1.0000000000",
            ]),
        ),
        case("char", "CHAR(3)", "pa.string()", text(&["abc", "xyz"])),
        case("varchar", "VARCHAR(20)", "pa.string()", text(&["", "a", "twenty characters 20"])),
        case(
            "string",
            "STRING",
            "pa.string()",
            text(&[
                "",
                "héllo wörld, 你好 🦀 and more than sixteen",
                "seven b",
                "eight by",
                "\u{10FFFF}\u{10FFFF}\u{10FFFF}\u{10FFFF}\u{10FFFF}\u{10FFFF}\u{10FFFF}\u{10FFFF}\u{10FFFF}\u{10FFFF}\u{10FFFF}\u{10FFFF}\u{10FFFF}\u{10FFFF}\u{10FFFF}\u{10FFFF}\u{10FFFF}",
            ]),
        ),
        case("binary", "BINARY(4)", "pa.binary(4)", text(&["00ff10ab", "ffffffff"])),
        case("varbinary", "VARBINARY(8)", "pa.binary()", text(&["", "00", "ffffffffffffffff"])),
        case("bytes", "BYTES", "pa.binary()", text(&["", "ff", "000102030405060708090a0b0c0d0e0f1011121314"])),
        case("date", "DATE", "pa.date32()", vec![json!(first_day), json!(last_day), json!(0), json!(-1)]),
        case("time", "TIME(3)", "pa.time32('ms')", vec![json!(0), json!(86_399_999), json!(1)]),
        case("timestamp_0", "TIMESTAMP(0)", "pa.timestamp('s')", seconds(&[0, -1, 1_795_309_323])),
        case(
            "timestamp_3",
            "TIMESTAMP(3)",
            "pa.timestamp('ms')",
            vec![json!(1_795_309_323_456_000_000_i64), json!(-1_000_000), json!(0)],
        ),
        case(
            "timestamp_6",
            "TIMESTAMP(6)",
            "pa.timestamp('us')",
            vec![json!(1_795_309_323_456_789_000_i64), json!(-1_000), json!(0)],
        ),
        case(
            "timestamp_9",
            "TIMESTAMP(9)",
            "pa.timestamp('ns')",
            vec![json!(1_795_309_323_456_789_123_i64), json!(-1), json!(0)],
        ),
        case(
            "timestamp_ltz_3",
            "TIMESTAMP(3) WITH LOCAL TIME ZONE",
            "pa.timestamp('ms', 'UTC')",
            vec![json!(1_795_309_323_456_000_000_i64), json!(-1_000_000)],
        ),
        case(
            "timestamp_ltz_6",
            "TIMESTAMP(6) WITH LOCAL TIME ZONE",
            "pa.timestamp('us', 'UTC')",
            vec![json!(1_795_309_323_456_789_000_i64), json!(-1_000)],
        ),
    ]
}

/// Nested types: lists, maps and rows, of primitive types and of each other.
pub fn nested_cases() -> Vec<Case> {
    vec![
        case("ints", "ARRAY<INT>", "pa.list_(pa.int32())", vec![json!([1, null, -3]), json!([])]),
        case(
            "texts",
            "ARRAY<STRING NOT NULL>",
            "pa.list_(pa.field('element', pa.string(), nullable=False))",
            vec![json!(["", "ü"]), json!([])],
        ),
        case(
            "counts",
            "MAP<STRING, BIGINT>",
            "pa.map_(pa.string(), pa.int64())",
            vec![json!([["a", 1], ["b", null]]), json!([])],
        ),
        case(
            "pair",
            "ROW<a INT, b STRING>",
            "pa.struct([('a', pa.int32()), ('b', pa.string())])",
            vec![json!([7, "x"]), json!([null, "y"])],
        ),
        case(
            "matrix",
            "ARRAY<ARRAY<DOUBLE>>",
            "pa.list_(pa.list_(pa.float64()))",
            vec![json!([[0.5_f64.to_bits(), null], [], null])],
        ),
        case(
            "orders",
            "ARRAY<ROW<item STRING, prices MAP<INT, DECIMAL(9, 2)>, at TIMESTAMP(6)>>",
            "pa.list_(pa.struct([('item', pa.string()), ('prices', pa.map_(pa.int32(), pa.decimal128(9, 2))), ('at', pa.timestamp('us'))]))",
            vec![
                json!([["pen", [[1, "0.99"], [2, null]], 1_795_309_323_456_789_000_i64], [null, null, null]]),
                json!([null, ["ink", [], -1_000]]),
            ],
        ),
        case(
            "days",
            "MAP<INT, ROW<day DATE, flag BOOLEAN, raw BYTES, list ARRAY<SMALLINT>>>",
            "pa.map_(pa.int32(), pa.struct([('day', pa.date32()), ('flag', pa.bool_()), ('raw', pa.binary()), ('list', pa.list_(pa.int16()))]))",
            vec![json!([[1, [20_484, true, "00ff", [1, 2]]], [2, null]]), json!([[3, [null, false, "", null]]])],
        ),
        case(
            "deep",
            "ROW<a ROW<b ROW<c ARRAY<MAP<STRING, ARRAY<ROW<d FLOAT>>>>>>, e DATE>",
            "pa.struct([('a', pa.struct([('b', pa.struct([('c', pa.list_(pa.map_(pa.string(), pa.list_(pa.struct([('d', pa.float32())])))))]))])), ('e', pa.date32())])",
            vec![json!([[[[[["k", [[0.1_f32.to_bits()], null]]], null]]], -1]), json!([[null], null])],
        ),
    ]
}

/// Rows in which every value of every case stands, shorter columns padded with null; the last row is all null.
pub fn rows(cases: &[Case]) -> Vec<Vec<Value>> {
    let most = cases.iter().map(|case| case.values.len()).max().unwrap();
    let value = |case: &Case, row: usize| case.values.get(row).cloned().unwrap_or(Value::Null);
    (0..=most).map(|row| cases.iter().map(|case| value(case, row)).collect()).collect()
}

/// Rows in an order of their own: tables have none.
pub fn sorted(mut rows: Vec<Vec<Value>>) -> Vec<Vec<Value>> {
    rows.sort_by_key(|row| serde_json::to_string(row).unwrap());
    rows
}
