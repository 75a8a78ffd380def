#![allow(clippy::unwrap_used, clippy::panic)]
use super::*;
use crate::datagen::{FieldType, MAX_LENGTH};

fn fields() -> Vec<FieldDef> {
    let field =
        |(name, data_type, nullable): (&str, FieldType, bool)| FieldDef { name: name.to_owned(), data_type, nullable };
    let part = |name: &str, data_type| field((name, data_type, true));
    [
        ("id", FieldType::Varchar(MAX_LENGTH), true),
        ("name", FieldType::Varchar(20), true),
        ("code", FieldType::Char(3), true),
        ("flag", FieldType::Boolean, true),
        ("tiny", FieldType::TinyInt, true),
        ("category", FieldType::Int, false),
        ("ratio", FieldType::Float, true),
        ("price", FieldType::Decimal { precision: 5, scale: 2 }, true),
        ("day", FieldType::Date, true),
        ("ts", FieldType::Timestamp(3), true),
        ("a.b", FieldType::Int, true),
        ("tags", FieldType::array(FieldType::Varchar(MAX_LENGTH), false), true),
        ("counts", FieldType::map(FieldType::Char(2), FieldType::array(FieldType::Int, true), true), true),
        ("a", FieldType::Row(vec![part("b", FieldType::BigInt), part("t", FieldType::Time(3))]), false),
    ]
    .map(field)
    .to_vec()
}

#[test]
fn wrong_options_say_what_would_be_right() {
    let cases: &[(&[(&str, &str)], &str)] = &[
        (
            &[("rows-per-secnd", "1")],
            "option `rows-per-secnd`: datagen has no such option for this table; did you mean `rows-per-second`?",
        ),
        (
            &[("fields.categroy.min", "1")],
            "option `fields.categroy.min`: datagen has no such option for this table; did you mean `fields.category.min`?",
        ),
        (
            &[("fields.id.lenght", "1")],
            "option `fields.id.lenght`: datagen has no such option for this table; did you mean `fields.id.length`?",
        ),
        (
            &[("scan.startup.mode", "latest-offset")],
            "option `scan.startup.mode`: datagen has no such option for this table",
        ),
        (&[("connector", "kafka")], "option `connector`: `kafka` is not `datagen`"),
        (&[("rows-per-second", "fast")], "option `rows-per-second`: `fast` is not a whole number of at least 1"),
        (&[("rows-per-second", "0")], "option `rows-per-second`: `0` is not a whole number of at least 1"),
        (&[("rows-per-second", "200000000")], "option `rows-per-second`: `200000000` is more than 100000000"),
        (&[("number-of-rows", "-1")], "option `number-of-rows`: `-1` is not a whole number of at least 0"),
        (&[("seed", "x")], "option `seed`: `x` is not a whole number from 0 to 2^64 - 1"),
        (&[("splits", "0")], "option `splits`: `0` is not a whole number from 1 to 1024"),
        (&[("splits", "1025")], "option `splits`: `1025` is not a whole number from 1 to 1024"),
        (&[("fields.id.kind", "uuid")], "option `fields.id.kind`: `uuid` is neither `random` nor `sequence`"),
        (&[("fields.id.min", "1")], "option `fields.id.min`: has no meaning for a random column of type STRING"),
        (
            &[("fields.category.length", "1")],
            "option `fields.category.length`: has no meaning for a random column of type INT",
        ),
        (
            &[("fields.category.start", "1")],
            "option `fields.category.start`: has no meaning for a random column of type INT",
        ),
        (
            &[("fields.day.max-past", "1 s")],
            "option `fields.day.max-past`: has no meaning for a random column of type DATE",
        ),
        (
            &[("fields.code.length", "2")],
            "option `fields.code.length`: has no meaning for a random column of type CHAR(3)",
        ),
        (
            &[("fields.name.length", "21")],
            "option `fields.name.length`: `21` is not a length from 1 to 20 for VARCHAR(20)",
        ),
        (&[("fields.id.length", "0")], "option `fields.id.length`: `0` is not a length from 1 to 16777216 for STRING"),
        (
            &[("fields.id.length", "16777217")],
            "option `fields.id.length`: values of length 16777217 cannot be generated; lengths are from 1 to 16777216",
        ),
        (&[("fields.id.var-len", "yes")], "option `fields.id.var-len`: `yes` is not `true` or `false`"),
        (&[("fields.tiny.max", "128")], "option `fields.tiny.max`: `128` is not a TINYINT"),
        (&[("fields.ratio.max", "1e39")], "option `fields.ratio.max`: `1e39` is not a FLOAT"),
        (&[("fields.ratio.min", "NaN")], "option `fields.ratio.min`: `NaN` is not a FLOAT"),
        (&[("fields.price.max", "1000")], "option `fields.price.max`: `1000` is not a DECIMAL(5, 2)"),
        (&[("fields.price.max", "1.005")], "option `fields.price.max`: `1.005` is not a DECIMAL(5, 2)"),
        (
            &[("fields.tiny.min", "2"), ("fields.tiny.max", "1")],
            "option `fields.tiny.min`: is greater than the greatest value",
        ),
        (&[("fields.ts.max-past", "soon")], "option `fields.ts.max-past`: `soon` is not a duration such as `10 s`"),
        (&[("fields.id.null-rate", "1.1")], "option `fields.id.null-rate`: `1.1` is not a number from 0 to 1"),
        (&[("fields.category.null-rate", "0.1")], "option `fields.category.null-rate`: the column is INT NOT NULL"),
        (&[("fields.flag.kind", "sequence")], "option `fields.flag.kind`: BOOLEAN has no sequence"),
        (&[("fields.ts.kind", "sequence")], "option `fields.ts.kind`: TIMESTAMP(3) has no sequence"),
        (&[("fields.id.kind", "sequence")], "option `fields.id.start`: is missing; a sequence needs `start` and `end`"),
        (
            &[("fields.id.kind", "sequence"), ("fields.id.start", "1")],
            "option `fields.id.end`: is missing; a sequence needs `start` and `end`",
        ),
        (
            &[("fields.tiny.kind", "sequence"), ("fields.tiny.start", "1"), ("fields.tiny.end", "200")],
            "option `fields.tiny.end`: `200` is not a whole number from -128 to 127 for TINYINT",
        ),
        (
            &[("fields.code.kind", "sequence"), ("fields.code.start", "1"), ("fields.code.end", "1000")],
            "option `fields.code.end`: `1000` is not a whole number from -99 to 999 for CHAR(3)",
        ),
        (
            &[("fields.price.kind", "sequence"), ("fields.price.start", "1"), ("fields.price.end", "1000")],
            "option `fields.price.end`: `1000` is not a whole number from -999 to 999 for DECIMAL(5, 2)",
        ),
        (
            &[("fields.tiny.kind", "sequence"), ("fields.tiny.start", "3"), ("fields.tiny.end", "2")],
            "option `fields.tiny.start`: 3 is behind the end, 2",
        ),
        (
            &[
                ("fields.tiny.kind", "sequence"),
                ("fields.tiny.start", "1"),
                ("fields.tiny.end", "2"),
                ("fields.tiny.null-rate", "0.1"),
            ],
            "option `fields.tiny.null-rate`: is for random values, and this is a sequence",
        ),
        (
            &[
                ("fields.tiny.kind", "sequence"),
                ("fields.tiny.start", "1"),
                ("fields.tiny.end", "2"),
                ("fields.tiny.max", "9"),
            ],
            "option `fields.tiny.max`: has no meaning for a sequence column of type TINYINT",
        ),
        (
            &[("fields.tags.length", "-1")],
            "option `fields.tags.length`: `-1` is not a length from 0 to 161319 for ARRAY<STRING NOT NULL>",
        ),
        (
            &[("fields.tags.element.length", "9000000")],
            "option `fields.tags.length`: values of more than 16777216 bytes cannot be generated",
        ),
        (
            &[("fields.tags.var-len", "true")],
            "option `fields.tags.var-len`: has no meaning for a random column of type ARRAY<STRING NOT NULL>",
        ),
        (&[("fields.tags.kind", "sequence")], "option `fields.tags.kind`: ARRAY<STRING NOT NULL> has no sequence"),
        (
            &[("fields.tags.element.kind", "random")],
            "option `fields.tags.element.kind`: is for columns; what is inside one is always random",
        ),
        (
            &[("fields.tags.element.null-rate", "0.5")],
            "option `fields.tags.element.null-rate`: the column is STRING NOT NULL",
        ),
        (
            &[("fields.tags.value.min", "1")],
            "option `fields.tags.value.min`: datagen has no such option for this table; did you mean `fields.counts.value.min`?",
        ),
        (
            &[("fields.counts.key.null-rate", "1")],
            "option `fields.counts.key.null-rate`: the column is CHAR(2) NOT NULL",
        ),
        (
            &[("fields.counts.value.elment.min", "1")],
            "option `fields.counts.value.elment.min`: datagen has no such option for this table; did you mean `fields.counts.value.element.min`?",
        ),
        (&[("fields.counts.value.element.min", "x")], "option `fields.counts.value.element.min`: `x` is not a INT"),
        (
            &[("fields.a.length", "2")],
            "option `fields.a.length`: has no meaning for a random column of type ROW<`b` BIGINT, `t` TIME(3)>",
        ),
        (&[("fields.a.t.min", "2")], "option `fields.a.t.min`: has no meaning for a random column of type TIME(3)"),
    ];
    for (options, message) in cases {
        let error = DatagenSpec::try_new(&fields(), options.iter().copied()).unwrap_err();
        assert_eq!(error.to_string(), *message);
    }
}

#[test]
fn defaults_are_flinks() {
    let spec = DatagenSpec::try_new(&fields(), []).unwrap();
    assert_eq!((spec.rows_per_second(), spec.limit(), spec.seed, spec.splits), (10_000, None, None, None));
    let values: Vec<_> = spec.columns.iter().map(|column| column.values.clone()).collect();
    let int = |min, max| Values::Integers { min, max };
    let expected = [
        Values::Text { length: 100, varying: false },
        Values::Text { length: 20, varying: false },
        Values::Text { length: 3, varying: false },
        Values::Booleans,
        int(-128, 127),
        int(i32::MIN.into(), i32::MAX.into()),
        Values::Floats { min: f64::from(f32::from_bits(1)), max: f64::from(f32::MAX) },
        Values::Decimals { min: 0, max: 99_999 },
        Values::Now,
        Values::Past { max_millis: 0 },
        int(i32::MIN.into(), i32::MAX.into()),
    ];
    assert_eq!(values[..expected.len()], expected);
    let fields: Vec<_> = spec.columns[expected.len()..].iter().map(ToString::to_string).collect();
    assert_eq!(
        fields,
        [
            "3 of (random length 100)",
            "3 of (random length 2: 3 of (random -2147483648..2147483647))",
            "(random -9223372036854775808..9223372036854775807, random)",
        ]
    );
}

#[test]
fn options_are_followed() {
    let spec = DatagenSpec::try_new(
        &fields(),
        [
            ("connector", "datagen"),
            ("rows-per-second", "100"),
            ("number-of-rows", "50"),
            ("seed", "18446744073709551615"),
            ("scan.parallelism", "4"),
            ("splits", "3"),
            ("fields.id.length", "7"),
            ("fields.id.var-len", "TRUE"),
            ("fields.price.min", "-1.5"),
            ("fields.ts.max-past", "1 d"),
            ("fields.a.b.max", "5"),
            ("fields.tiny.kind", "sequence"),
            ("fields.tiny.start", "-1"),
            ("fields.tiny.end", "100"),
            ("fields.category.null-rate", "0"),
            ("fields.tags.length", "5"),
            ("fields.tags.null-rate", "0.5"),
            ("fields.tags.element.length", "4"),
            ("fields.tags.element.var-len", "true"),
            ("fields.counts.length", "0"),
            ("fields.counts.key.null-rate", "0"),
            ("fields.counts.value.null-rate", "1"),
            ("fields.counts.value.element.min", "1"),
            ("fields.counts.value.element.max", "2"),
            ("fields.a.b.null-rate", "0.25"),
        ],
    )
    .unwrap();
    assert_eq!((spec.rows_per_second(), spec.seed, spec.splits), (100, Some(u64::MAX), Some(3)));
    assert_eq!(spec.limit(), Some(50));
    let value = |name: &str| spec.columns.iter().find(|column| column.def.name == name).unwrap().values.clone();
    assert_eq!(value("id"), Values::Text { length: 7, varying: true });
    assert_eq!(value("price"), Values::Decimals { min: -150, max: 99_999 });
    assert_eq!(value("ts"), Values::Past { max_millis: 86_400_000 });
    assert_eq!(value("a.b"), Values::Integers { min: i32::MIN.into(), max: 5 });
    assert_eq!(value("tiny"), Values::Sequence { start: -1, end: 100 });
    let text = |name: &str| spec.columns.iter().find(|column| column.def.name == name).unwrap().to_string();
    assert_eq!(text("tags"), "5 of (random length 1..4) null-rate 0.5");
    assert_eq!(text("counts"), "0 of (random length 2: 3 of (random 1..2) null-rate 1)");
    // As in Flink, a path that is a column's and a field's is for both.
    assert_eq!(text("a.b"), "random -2147483648..5 null-rate 0.25");
    assert_eq!(text("a"), "(random -9223372036854775808..5 null-rate 0.25, random)");
}

#[test]
fn the_first_bound_counts() {
    let sequence = [("fields.tiny.kind", "sequence"), ("fields.tiny.start", "1"), ("fields.tiny.end", "9")];
    for (rows, limit) in [(None, 9), (Some("5"), 5), (Some("20"), 9), (Some("0"), 0)] {
        let options = sequence.into_iter().chain(rows.map(|rows| ("number-of-rows", rows)));
        assert_eq!(DatagenSpec::try_new(&fields(), options).unwrap().limit(), Some(limit));
    }
}

#[test]
fn parallelism_stands_in_for_splits() {
    assert_eq!(DatagenSpec::try_new(&fields(), [("scan.parallelism", "4")]).unwrap().splits, Some(4));
}

/// The list for the reference and what is understood are the same.
#[test]
fn every_listed_option_is_known() {
    for option in OPTIONS {
        let key = option.key.replace('#', "tiny");
        if let Err(problem) = DatagenSpec::try_new(&fields(), [(key.as_str(), "?")]) {
            assert!(!problem.why.contains("no such option"), "{problem}");
        }
    }
}
