#![allow(clippy::unwrap_used, clippy::panic)]
use super::*;

fn fields() -> Vec<FieldDef> {
    let field =
        |(name, data_type, nullable): (&str, FieldType, bool)| FieldDef { name: name.to_owned(), data_type, nullable };
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
    let values: Vec<_> = spec.columns.iter().map(|column| column.values).collect();
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
    assert_eq!(values, expected);
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
        ],
    )
    .unwrap();
    assert_eq!((spec.rows_per_second(), spec.seed, spec.splits), (100, Some(u64::MAX), Some(3)));
    assert_eq!(spec.limit(), Some(50));
    let value = |name: &str| spec.columns.iter().find(|column| column.def.name == name).unwrap().values;
    assert_eq!(value("id"), Values::Text { length: 7, varying: true });
    assert_eq!(value("price"), Values::Decimals { min: -150, max: 99_999 });
    assert_eq!(value("ts"), Values::Past { max_millis: 86_400_000 });
    assert_eq!(value("a.b"), Values::Integers { min: i32::MIN.into(), max: 5 });
    assert_eq!(value("tiny"), Values::Sequence { start: -1, end: 100 });
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
