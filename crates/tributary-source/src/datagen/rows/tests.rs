#![allow(clippy::unwrap_used, clippy::panic)]
use std::collections::BTreeSet;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Decimal128Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType};
use arrow::util::display::array_value_to_string;
use proptest::prelude::*;
use tokio::time::Instant;
use tributary_runtime::{Position, SplitId};

use super::*;
use crate::datagen::{DatagenSpec, FieldDef, MAX_LENGTH};

mod nested;

/// 2025-06-15T15:06:40.123Z
const AT: i64 = 1_750_000_000_123;
const STRING: FieldType = FieldType::Varchar(MAX_LENGTH);

fn interval(split: u32, from: u64, to: u64) -> Interval {
    Interval { split: SplitId(split), from: Position(from), to: Position(to) }
}

fn field(name: &str, data_type: FieldType) -> FieldDef {
    FieldDef { name: name.to_owned(), data_type, nullable: true }
}

fn spec(fields: &[(&str, FieldType)], options: &[(&str, &str)]) -> DatagenSpec {
    let field = |(name, data_type): &(&str, FieldType)| self::field(name, data_type.clone());
    DatagenSpec::try_new(&fields.iter().map(field).collect::<Vec<_>>(), options.iter().copied()).unwrap()
}

/// One column `c`, rows 1 to `count` of the first of two splits.
fn column(data_type: &FieldType, options: &[(&str, &str)], count: u64) -> ArrayRef {
    let batch = spec(&[("c", data_type.clone())], options).rows(7, 2).batch(interval(0, 0, count), AT).unwrap();
    Arc::clone(batch.column(0))
}

fn texts(array: &ArrayRef) -> Vec<String> {
    (0..array.len()).map(|n| array_value_to_string(array, n).unwrap()).collect()
}

/// These values are stored with positions out in the world: a change here breaks every replay.
#[test]
fn the_rows_of_a_seed_never_change() {
    let fields = [
        ("s", FieldType::Varchar(20)),
        ("v", FieldType::Varchar(20)),
        ("b", FieldType::Boolean),
        ("t", FieldType::TinyInt),
        ("i", FieldType::Int),
        ("l", FieldType::BigInt),
        ("d", FieldType::Double),
        ("m", FieldType::Decimal { precision: 20, scale: 2 }),
        ("x", FieldType::Varbinary(10)),
        ("n", FieldType::Int),
        ("p", FieldType::Timestamp(3)),
    ];
    let options = [
        ("fields.v.var-len", "true"),
        ("fields.d.max", "1"),
        ("fields.n.null-rate", "0.5"),
        ("fields.p.max-past", "1 h"),
    ];
    let rows = spec(&fields, &options).rows(42, 3);
    let cells = |split, to| {
        let batch = rows.batch(interval(split, to - 1, to), AT).unwrap();
        batch.columns().iter().map(|column| texts(column).remove(0)).collect::<Vec<_>>().join(" ")
    };
    // Column `n` happens to be null in all three: an empty word before the last.
    let golden = [
        "6be700bc30ccdd48297e 9974ca false -11 -1852230299 -2715233436976467196 0.10770179667418434 606808642135318070.26 d4177c4a9bef161a975d  2025-06-15T14:37:41.211",
        "fd1e7a1db31c507e05d2 590 false -3 1697283993 -3509018836326098074 0.45015231339535655 117117471086127134.81 b99541435eedb99e66fd  2025-06-15T14:33:26.422",
        "aedfab34fc35d6328ff3 5 true -63 178393759 8783460614662354274 0.08378558832485716 742482770032655388.75 7f82d4e453facd41cb31  2025-06-15T14:26:07.979",
    ];
    assert_eq!([cells(0, 1), cells(2, 1), cells(0, 1_000_000_000_000)], golden);
}

proptest! {
    #[test]
    fn a_row_does_not_depend_on_its_batch(seed: u64, split in 0_u32..5, from in 0_u64..1 << 50, rows in 1_u64..50, cut in 0_u64..50) {
        let fields = [("s", STRING), ("v", FieldType::Varchar(40)), ("i", FieldType::Int), ("q", FieldType::BigInt), ("x", FieldType::Decimal { precision: 38, scale: 4 })];
        let options = [
            ("fields.v.var-len", "true"),
            ("fields.i.null-rate", "0.3"),
            ("fields.q.kind", "sequence"),
            ("fields.q.start", "0"),
            ("fields.q.end", "9223372036854775807"),
        ];
        let table = spec(&fields, &options).rows(seed, 5);
        let whole = table.batch(interval(split, from, from + rows), AT).unwrap();
        let cut = cut % rows;
        if cut > 0 {
            let head = table.batch(interval(split, from, from + cut), AT).unwrap();
            let tail = table.batch(interval(split, from + cut, from + rows), AT).unwrap();
            let joined = arrow::compute::concat_batches(table.schema(), [&head, &tail]).unwrap();
            prop_assert_eq!(joined, whole);
        }
    }

    #[test]
    fn hex_is_lower_case_and_loses_no_bit(a: u64, b: u64) {
        let text = hex(a);
        prop_assert!(text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
        prop_assert_eq!(text == hex(b), a == b);
    }

    #[test]
    fn mixing_is_a_bijection_in_effect(a: u64, b: u64) {
        prop_assert_eq!(mix(a) == mix(b), a == b);
    }
}

#[test]
fn text_is_as_long_as_declared_and_never_repeats() {
    for (data_type, options, length) in [
        (STRING, &[][..], 100),
        (STRING, &[("fields.c.length", "16")], 16),
        (FieldType::Varchar(33), &[], 33),
        (FieldType::Varchar(33), &[("fields.c.length", "17")], 17),
        (FieldType::Char(40), &[], 40),
    ] {
        let array = column(&data_type, options, 5_000);
        let seen: BTreeSet<&str> = array.as_string::<i32>().iter().flatten().collect();
        assert_eq!(seen.len(), 5_000);
        let hexadecimal = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        assert!(seen.iter().all(|text| text.len() == length && hexadecimal(text)), "{data_type}");
    }
}

#[test]
fn splits_and_columns_share_no_text() {
    let rows = spec(&[("a", STRING), ("b", STRING)], &[]).rows(7, 2);
    let batches = [rows.batch(interval(0, 0, 500), AT).unwrap(), rows.batch(interval(1, 0, 500), AT).unwrap()];
    let cells = batches.iter().flat_map(|batch| batch.columns().iter().flat_map(texts));
    assert_eq!(cells.collect::<BTreeSet<_>>().len(), 2_000);
}

#[test]
fn varying_lengths_reach_from_one_to_the_length() {
    for data_type in [FieldType::Varchar(9), FieldType::Varbinary(9)] {
        let array = column(&data_type, &[("fields.c.var-len", "true")], 2_000);
        let lengths = match data_type {
            FieldType::Varchar(_) => array.as_string::<i32>().offsets().lengths().collect::<BTreeSet<_>>(),
            _ => array.as_binary::<i32>().offsets().lengths().collect(),
        };
        assert_eq!(lengths, (1..=9).collect());
    }
}

#[test]
fn random_numbers_cover_their_range_and_keep_to_it() {
    let decimal = FieldType::Decimal { precision: 5, scale: 2 };
    let cases = [
        (FieldType::TinyInt, None, (-128..=127).map(|n| n.to_string()).collect::<BTreeSet<_>>()),
        (FieldType::SmallInt, Some(("-2", "2")), (-2..=2).map(|n| n.to_string()).collect()),
        (FieldType::Int, Some(("1", "10")), (1..=10).map(|n| n.to_string()).collect()),
        (
            FieldType::BigInt,
            Some(("9223372036854775806", "9223372036854775807")),
            (0..2).map(|n| (i64::MAX - n).to_string()).collect(),
        ),
        (FieldType::Int, Some(("5", "5")), BTreeSet::from(["5".to_owned()])),
        (decimal, Some(("-0.02", "0.01")), ["-0.02", "-0.01", "0.00", "0.01"].map(str::to_owned).into()),
        (FieldType::Boolean, None, ["true", "false"].map(str::to_owned).into()),
        (FieldType::Float, Some(("2.5", "2.5")), BTreeSet::from(["2.5".to_owned()])),
    ];
    for (data_type, bounds, expected) in cases {
        let options = bounds.map_or(vec![], |(min, max)| vec![("fields.c.min", min), ("fields.c.max", max)]);
        let seen: BTreeSet<String> = texts(&column(&data_type, &options, 6_000)).into_iter().collect();
        assert_eq!(seen, expected, "{data_type}");
    }
}

#[test]
fn unbounded_numbers_use_the_whole_type() {
    let of = |data_type: FieldType| column(&data_type, &[], 5_000);
    let int = of(FieldType::Int);
    let int = int.as_primitive::<Int32Type>().values();
    assert!(int.iter().min().unwrap() < &-2_000_000_000 && int.iter().max().unwrap() > &2_000_000_000);
    let double = of(FieldType::Double);
    let double = double.as_primitive::<Float64Type>().values();
    assert!(double.iter().all(|value| *value > 0.0 && value.is_finite()) && double.iter().any(|value| *value > 1e308));
    let float = of(FieldType::Float);
    let float = float.as_primitive::<Float32Type>().values();
    assert!(float.iter().all(|value| *value > 0.0 && value.is_finite()) && float.iter().any(|value| *value > 3e38));
    let decimal = of(FieldType::Decimal { precision: 38, scale: 10 });
    let decimal = decimal.as_primitive::<Decimal128Type>();
    assert!(decimal.values().iter().all(|value| (0..10_i128.pow(38)).contains(value)));
    assert!(decimal.values().iter().any(|value| *value > 9 * 10_i128.pow(37)));
    decimal.validate_decimal_precision(38).unwrap();
}

#[test]
fn sequences_have_the_type_of_their_column() {
    let decimal = FieldType::Decimal { precision: 6, scale: 2 };
    for (data_type, expected) in [
        (FieldType::TinyInt, ["-2", "0", "2"]),
        (FieldType::SmallInt, ["-2", "0", "2"]),
        (FieldType::Int, ["-2", "0", "2"]),
        (FieldType::BigInt, ["-2", "0", "2"]),
        (FieldType::Float, ["-2.0", "0.0", "2.0"]),
        (FieldType::Double, ["-2.0", "0.0", "2.0"]),
        (decimal, ["-2.00", "0.00", "2.00"]),
        (FieldType::Char(5), ["-2", "0", "2"]),
        (STRING, ["-2", "0", "2"]),
        (FieldType::Varbinary(MAX_LENGTH), ["2d32", "30", "32"]),
    ] {
        let options = [("fields.c.kind", "sequence"), ("fields.c.start", "-2"), ("fields.c.end", "99")];
        // Every second value: the others are the other split's.
        assert_eq!(texts(&column(&data_type, &options, 3)), expected, "{data_type}");
    }
}

#[test]
fn nulls_come_at_their_rate() {
    for (rate, expected) in [("0", 0..=0), ("0.25", 2_300..=2_700), ("1", 10_000..=10_000)] {
        for data_type in [STRING, FieldType::Int, FieldType::Boolean, FieldType::Date, FieldType::Timestamp(6)] {
            let array = column(&data_type, &[("fields.c.null-rate", rate)], 10_000);
            assert!(expected.contains(&array.null_count()), "{rate} {data_type}: {}", array.null_count());
        }
    }
}

#[test]
fn times_are_those_of_the_batch_in_local_time() {
    let types = [
        ("d", FieldType::Date),
        ("t0", FieldType::Time(0)),
        ("t3", FieldType::Time(3)),
        ("p0", FieldType::Timestamp(0)),
        ("p3", FieldType::Timestamp(3)),
        ("p6", FieldType::Timestamp(6)),
        ("p9", FieldType::Timestamp(9)),
        ("z", FieldType::TimestampLtz(3)),
    ];
    let far_east = spec(&types, &[]).with_local_offset(Arc::new(|_| 9 * 3_600));
    let batch = far_east.rows(1, 1).batch(interval(0, 5, 6), AT).unwrap();
    let cells: Vec<String> = batch.columns().iter().map(|column| texts(column).remove(0)).collect();
    let expected = [
        "2025-06-16",
        "00:06:40",
        "00:06:40.123",
        "2025-06-16T00:06:40",
        "2025-06-16T00:06:40.123",
        "2025-06-16T00:06:40.123",
        "2025-06-16T00:06:40.123",
        "2025-06-15T15:06:40.123Z",
    ];
    assert_eq!(cells, expected);
}

#[test]
fn past_timestamps_lie_within_their_reach() {
    for (data_type, scale) in
        [(FieldType::Timestamp(3), 1), (FieldType::TimestampLtz(6), 1_000), (FieldType::Timestamp(9), 1_000_000)]
    {
        let array = column(&data_type, &[("fields.c.max-past", "10 s")], 3_000);
        let values = match scale {
            1 => array.as_primitive::<TimestampMillisecondType>().values(),
            1_000 => array.as_primitive::<TimestampMicrosecondType>().values(),
            _ => array.as_primitive::<TimestampNanosecondType>().values(),
        };
        let past: BTreeSet<i64> = values.iter().map(|value| AT - value / scale).collect();
        assert!(*past.first().unwrap() >= 0 && *past.last().unwrap() <= 10_000);
        assert!(*past.first().unwrap() < 100 && *past.last().unwrap() > 9_900);
    }
}

#[test]
fn a_table_without_columns_has_rows() {
    assert_eq!(spec(&[], &[]).rows(1, 1).batch(interval(0, 0, 3), AT).unwrap().num_rows(), 3);
}

/// `cargo test --release -p tributary-source -- --ignored --nocapture speed`
#[test]
#[ignore = "a measurement, not a check"]
fn speed_of_the_tutorials_rows() {
    let table = spec(
        &[("id", STRING), ("data", STRING), ("category", FieldType::Int)],
        &[("fields.category.min", "1"), ("fields.category.max", "10")],
    );
    let rows = table.rows(1, 1);
    for batch_rows in [4_096_u64, 8_192] {
        let (batches, start) = (1_000, Instant::now());
        for n in 0..batches {
            std::hint::black_box(rows.batch(interval(0, n * batch_rows, (n + 1) * batch_rows), AT).unwrap());
        }
        let rate = (batches * batch_rows) as f64 / start.elapsed().as_secs_f64();
        println!("{:.2} M rows/s in batches of {batch_rows}", rate / 1e6);
    }
}
