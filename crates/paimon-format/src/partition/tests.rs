#![allow(clippy::unwrap_used)]

use super::*;

fn check(root: TypeRoot, datum: Datum, expected: &str) {
    let path = partition_path(&["k".to_owned()], &[root], &[Some(datum)], "DEF").unwrap();
    assert_eq!(path, format!("k={expected}"));
}

#[test]
fn every_type_is_named_as_java_names_it() {
    let decimal = |unscaled, precision, scale| {
        let root = TypeRoot::Decimal { precision, scale };
        let datum = Datum::Decimal { unscaled, precision, scale };
        (root, datum)
    };
    let timestamp = |millis, nano_of_milli| {
        let datum = Datum::Timestamp { millis, nano_of_milli };
        (TypeRoot::Timestamp(9), datum)
    };
    let text = |text: &str| (TypeRoot::STRING, Datum::String(text.to_owned()));
    for ((root, datum), expected) in [
        ((TypeRoot::Boolean, Datum::Boolean(true)), "true"),
        ((TypeRoot::TinyInt, Datum::TinyInt(-1)), "-1"),
        ((TypeRoot::SmallInt, Datum::SmallInt(2)), "2"),
        ((TypeRoot::Int, Datum::Int(3)), "3"),
        ((TypeRoot::BigInt, Datum::BigInt(i64::MIN)), "-9223372036854775808"),
        ((TypeRoot::Date, Datum::Date(20_600)), "20600"),
        ((TypeRoot::Time(0), Datum::Time(1_000)), "1000"),
        ((TypeRoot::Float, Datum::Float(0.1)), "0.1"),
        ((TypeRoot::Float, Datum::Float(1.0e10)), "1.0E10"),
        ((TypeRoot::Double, Datum::Double(1.0)), "1.0"),
        ((TypeRoot::Double, Datum::Double(-0.0)), "-0.0"),
        ((TypeRoot::Double, Datum::Double(0.001)), "0.001"),
        ((TypeRoot::Double, Datum::Double(0.000_999)), "9.99E-4"),
        ((TypeRoot::Double, Datum::Double(9_999_999.5)), "9999999.5"),
        ((TypeRoot::Double, Datum::Double(1.0e7)), "1.0E7"),
        ((TypeRoot::Double, Datum::Double(123_400.0)), "123400.0"),
        ((TypeRoot::Double, Datum::Double(2.0e23)), "2.0E23"),
        ((TypeRoot::Double, Datum::Double(f64::from_bits(1))), "4.9E-324"),
        ((TypeRoot::Double, Datum::Double(f64::from_bits(2))), "9.9E-324"),
        ((TypeRoot::Float, Datum::Float(f32::from_bits(1))), "1.4E-45"),
        ((TypeRoot::Double, Datum::Double(f64::NEG_INFINITY)), "-Infinity"),
        ((TypeRoot::Double, Datum::Double(f64::NAN)), "NaN"),
        (decimal(-5, 10, 2), "-0.05"),
        (decimal(12_345, 10, 2), "123.45"),
        (decimal(0, 3, 0), "0"),
        (timestamp(1_769_850_000_000, 0), "2026-01-31T09%3A00"),
        (timestamp(1_769_850_001_000, 0), "2026-01-31T09%3A00%3A01"),
        (timestamp(1_769_850_000_120, 0), "2026-01-31T09%3A00%3A00.120"),
        (timestamp(1_769_850_000_120, 1_000), "2026-01-31T09%3A00%3A00.120001"),
        (timestamp(1_769_850_000_120, 1), "2026-01-31T09%3A00%3A00.120000001"),
        (timestamp(-1, 999_999), "1969-12-31T23%3A59%3A59.999999999"),
        (timestamp(951_782_400_000, 0), "2000-02-29T00%3A00"),
        (timestamp(253_402_300_800_000, 0), "+10000-01-01T00%3A00"),
        (timestamp(-62_198_755_200_000, 0), "-0001-01-01T00%3A00"),
        (text("2026-01-31"), "2026-01-31"),
        (text("a b,c"), "a b,c"),
        (text("größe"), "größe"),
        (text("a/b=c%d"), "a%2Fb%3Dc%25d"),
        (text("\u{1}\u{7f}\"#'*:?\\{}[]^"), "%01%7F%22%23%27%2A%3A%3F%5C%7B%7D%5B%5D%5E"),
        (text(""), "DEF"),
        (text(" \t\n"), "DEF"),
        (text("\u{a0}"), "\u{a0}"),
    ] {
        check(root, datum, expected);
    }
}

#[test]
fn directories_follow_the_keys() {
    let keys = ["d:t".to_owned(), "hh".to_owned()];
    let types = [TypeRoot::STRING, TypeRoot::Int];
    let path = partition_path(&keys, &types, &[None, Some(Datum::Int(9))], "__D__").unwrap();
    assert_eq!(path, "d%3At=__D__/hh=9");
    assert_eq!(partition_path(&[], &[], &[], "__D__").unwrap(), "");
    let spec = partition_spec(&keys, &types, &[None, Some(Datum::Int(9))], "__D__").unwrap();
    assert_eq!(spec[0], ("d:t".to_owned(), "__D__".to_owned()));
}

#[test]
fn what_has_no_name_is_refused() {
    let keys = ["k".to_owned()];
    let value = [Some(Datum::Bytes(vec![1]))];
    for (types, message) in [
        (vec![TypeRoot::BYTES], "unsupported table feature: partition column `k` of a binary type"),
        (vec![TypeRoot::Int], "`k`: Bytes([1]) is no INT"),
        (vec![], "1 keys, 0 types and 1 values"),
    ] {
        let error = partition_path(&keys, &types, &value, "D").unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}
