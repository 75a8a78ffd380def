#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

fn hex(row: &BinaryRow) -> String {
    row.bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Every type with two values; the first is one that is easy to get wrong.
fn cases() -> Vec<(TypeRoot, Datum, Datum)> {
    let decimal = |unscaled, precision, scale| Datum::Decimal { unscaled, precision, scale };
    let timestamp = |millis, nano_of_milli| Datum::Timestamp { millis, nano_of_milli };
    let d18 = TypeRoot::Decimal { precision: 18, scale: 2 };
    let d38 = TypeRoot::Decimal { precision: 38, scale: 10 };
    vec![
        (TypeRoot::Boolean, Datum::Boolean(true), Datum::Boolean(false)),
        (TypeRoot::TinyInt, Datum::TinyInt(i8::MIN), Datum::TinyInt(1)),
        (TypeRoot::SmallInt, Datum::SmallInt(i16::MIN), Datum::SmallInt(1)),
        (TypeRoot::Int, Datum::Int(i32::MIN), Datum::Int(1)),
        (TypeRoot::BigInt, Datum::BigInt(i64::MIN), Datum::BigInt(1)),
        (TypeRoot::Float, Datum::Float(-0.5), Datum::Float(f32::MAX)),
        (TypeRoot::Double, Datum::Double(-0.5), Datum::Double(f64::MIN)),
        (d18, decimal(-(10_i128.pow(18) - 1), 18, 2), decimal(0, 18, 2)),
        (d38.clone(), decimal(-(10_i128.pow(38) - 1), 38, 10), decimal(128, 38, 10)),
        (d38, decimal(-128, 38, 10), decimal(0, 38, 10)),
        (TypeRoot::STRING, Datum::String("1234567".into()), Datum::String("12345678".into())),
        (TypeRoot::Char(3), Datum::String(String::new()), Datum::String("größer als der Schlitz".into())),
        (TypeRoot::BYTES, Datum::Bytes(vec![0; 7]), Datum::Bytes(vec![0xff; 9])),
        (TypeRoot::Date, Datum::Date(-1), Datum::Date(20_600)),
        (TypeRoot::Time(3), Datum::Time(0), Datum::Time(86_399_999)),
        (TypeRoot::Timestamp(3), timestamp(-1, 0), timestamp(i64::MAX, 0)),
        (TypeRoot::Timestamp(6), timestamp(-1, 999_000), timestamp(0, 0)),
        (TypeRoot::TimestampLtz(9), timestamp(1, 999_999), timestamp(0, 1)),
    ]
}

#[test]
fn every_type_survives_the_round_trip() {
    for (root, first, second) in cases() {
        let types = [root.clone(), root.clone(), root.clone()];
        let values = [Some(first), None, Some(second)];
        let row = BinaryRow::encode(&types, &values).unwrap();
        assert_eq!(row.decode(&types).unwrap(), values, "{root}");
        let read = BinaryRow::from_serialized(&row.serialized()).unwrap();
        assert_eq!(read, row, "{root}");
    }
}

#[test]
fn bytes_are_those_of_java() {
    let d20 = TypeRoot::Decimal { precision: 20, scale: 0 };
    for (types, values, expected) in [
        (vec![], vec![], "0000000000000000"),
        (
            vec![TypeRoot::STRING, TypeRoot::Int],
            vec![Some(Datum::String("9".into())), None],
            "0002000000000000 3900000000000081 0000000000000000",
        ),
        (
            vec![TypeRoot::STRING],
            vec![Some(Datum::String("2026-01-31".into()))],
            "0000000000000000 0a00000010000000 323032362d30312d 3331000000000000",
        ),
        // Nulls of the two kinds with a fixed room at the end keep it: `RowHelper.copyInto`.
        (
            vec![d20.clone(), TypeRoot::Timestamp(6)],
            vec![None, None],
            "0003000000000000 0000000018000000 0000000028000000 \
             0000000000000000 0000000000000000 0000000000000000",
        ),
        (
            vec![d20],
            vec![Some(Datum::Decimal { unscaled: -129, precision: 20, scale: 0 })],
            "0000000000000000 0200000010000000 ff7f000000000000 0000000000000000",
        ),
        (
            vec![TypeRoot::Timestamp(6)],
            vec![Some(Datum::Timestamp { millis: 1, nano_of_milli: 2_000 })],
            "0000000000000000 d007000010000000 0100000000000000",
        ),
    ] {
        let row = BinaryRow::encode(&types, &values).unwrap();
        assert_eq!(hex(&row), expected.replace(' ', ""), "{values:?}");
    }
}

#[test]
fn the_null_bits_of_fifty_seven_fields_need_a_second_word() {
    for (arity, bytes) in [(0, 8), (56, 8 + 56 * 8), (57, 16 + 57 * 8)] {
        let types = vec![TypeRoot::Int; arity];
        let row = BinaryRow::encode(&types, &vec![None; arity]).unwrap();
        assert_eq!(row.bytes().len(), bytes);
        assert_eq!(row.decode(&types).unwrap(), vec![None; arity]);
    }
}

#[test]
fn the_empty_row_is_one_value() {
    assert_eq!(BinaryRow::EMPTY.serialized(), [0; 12]);
    assert_eq!(BinaryRow::encode(&[], &[]).unwrap(), BinaryRow::EMPTY);
    assert_eq!(BinaryRow::from_serialized(&[0; 12]).unwrap(), BinaryRow::EMPTY);
}

#[test]
fn what_does_not_fit_is_refused() {
    let d2 = TypeRoot::Decimal { precision: 2, scale: 0 };
    let huge = Datum::Decimal { unscaled: i128::MAX, precision: 2, scale: 0 };
    for (types, values, message) in [
        (vec![TypeRoot::Int], vec![], "0 values for 1 fields"),
        (vec![TypeRoot::Int], vec![Some(Datum::BigInt(1))], "field 0: BigInt(1) is no INT"),
        (vec![d2], vec![Some(huge)], "exceeds DECIMAL(2, 0)"),
        (
            vec![TypeRoot::Timestamp(6)],
            vec![Some(Datum::Timestamp { millis: 0, nano_of_milli: 1_000_000 })],
            "1000000 nanoseconds in a millisecond",
        ),
    ] {
        let error = BinaryRow::encode(&types, &values).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn damaged_bytes_are_refused_by_name() {
    for (bytes, message) in [
        (vec![0; 3], "corrupt binary row: 3 bytes, at least 4"),
        (vec![0xff; 12], "8 bytes are too few for 4294967295 fields"),
        (vec![0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], "too few for 1 fields"),
    ] {
        let error = BinaryRow::from_serialized(&bytes).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
    let row = |slot: u64| {
        let mut bytes = vec![0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        bytes.extend_from_slice(&slot.to_le_bytes());
        BinaryRow::from_serialized(&bytes).unwrap()
    };
    let wide = TypeRoot::Decimal { precision: 38, scale: 0 };
    for (root, slot, message) in [
        (TypeRoot::STRING, 0x7fff_ffff_7fff_ffff, "field 0 (STRING): 2147483647 bytes at 2147483647"),
        (TypeRoot::STRING, 0x8800_0000_0000_0000, "8 bytes cannot be inside a slot"),
        (TypeRoot::STRING, 0x8100_0000_0000_00ff, "the text is not UTF-8"),
        (wide.clone(), 0, "a decimal of 0 bytes"),
        (wide, 17, "17 bytes at 0 lie outside the row of 16 bytes"),
        (TypeRoot::Timestamp(6), 0x0000_0000_ffff_ffff, "4294967295 nanoseconds"),
        (TypeRoot::Timestamp(6), 0x0000_0010_0000_0000, "8 bytes at 16 lie outside"),
    ] {
        let error = row(slot).decode(&[root]).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
    let error = row(0).decode(&[]).unwrap_err().to_string();
    assert_eq!(error, "corrupt binary row: 1 fields where 0 are expected");
}

/// A type and a value of it, or null.
fn field() -> impl Strategy<Value = (TypeRoot, Option<Datum>)> {
    let compact = |(millis, p)| {
        let datum = Datum::Timestamp { millis, nano_of_milli: 0 };
        (TypeRoot::Timestamp(p), datum)
    };
    let precise = |(millis, nano_of_milli, p)| {
        let datum = Datum::Timestamp { millis, nano_of_milli };
        (TypeRoot::TimestampLtz(p), datum)
    };
    let decimal = |(unscaled, precision): (i64, u8)| {
        let datum = Datum::Decimal {
            unscaled: i128::from(unscaled) * if precision > 18 { 1 << 63 } else { 1 },
            precision,
            scale: 0,
        };
        (TypeRoot::Decimal { precision, scale: 0 }, datum)
    };
    let value = prop_oneof![
        any::<bool>().prop_map(|v| (TypeRoot::Boolean, Datum::Boolean(v))),
        any::<i8>().prop_map(|v| (TypeRoot::TinyInt, Datum::TinyInt(v))),
        any::<i16>().prop_map(|v| (TypeRoot::SmallInt, Datum::SmallInt(v))),
        any::<i32>().prop_map(|v| (TypeRoot::Int, Datum::Int(v))),
        any::<i64>().prop_map(|v| (TypeRoot::BigInt, Datum::BigInt(v))),
        (-1e30_f32..1e30).prop_map(|v| (TypeRoot::Float, Datum::Float(v))),
        (-1e300_f64..1e300).prop_map(|v| (TypeRoot::Double, Datum::Double(v))),
        ".{0,20}".prop_map(|v| (TypeRoot::STRING, Datum::String(v))),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(|v| (TypeRoot::BYTES, Datum::Bytes(v))),
        any::<i32>().prop_map(|v| (TypeRoot::Date, Datum::Date(v))),
        any::<i32>().prop_map(|v| (TypeRoot::Time(0), Datum::Time(v))),
        (any::<i64>(), 0_u8..=3).prop_map(compact),
        (any::<i64>(), 0..1_000_000, 4_u8..=9).prop_map(precise),
        (any::<i64>(), 1_u8..=38).prop_map(decimal),
    ];
    (value, any::<bool>()).prop_map(|((root, datum), null)| (root, (!null).then_some(datum)))
}

proptest! {
    #[test]
    fn any_row_survives_the_round_trip(fields in prop::collection::vec(field(), 0..70)) {
        let (types, values): (Vec<_>, Vec<_>) = fields.into_iter().unzip();
        let row = BinaryRow::encode(&types, &values).unwrap();
        prop_assert_eq!(row.bytes().len() % 8, 0);
        let read = BinaryRow::from_serialized(&row.serialized()).unwrap();
        prop_assert_eq!(read.decode(&types).unwrap(), values);
    }

    #[test]
    fn any_bytes_are_read_or_refused(
        fields in prop::collection::vec(field(), 1..5),
        noise in prop::collection::vec(any::<u8>(), 0..96),
    ) {
        let types: Vec<_> = fields.into_iter().map(|(root, _)| root).collect();
        let mut bytes = (types.len() as u32).to_be_bytes().to_vec();
        bytes.extend(noise);
        if let Ok(row) = BinaryRow::from_serialized(&bytes) {
            let _ = row.decode(&types);
        }
    }
}
