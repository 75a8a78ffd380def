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
