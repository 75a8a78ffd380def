#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn schema(partition_keys: &[&str]) -> TableSchema {
    let field = |id, name: &str, data_type: &str| DataField::new(id, name, data_type.parse().unwrap());
    TableSchema::new(
        vec![
            field(0, "id", "STRING"),
            field(1, "dt", "DATE"),
            field(2, "hh", "INT"),
            field(3, "zone", "STRING"),
            field(4, "at", "TIMESTAMP(3)"),
            field(5, "ltz", "TIMESTAMP_LTZ(3)"),
            field(6, "t", "TIME(3)"),
            field(7, "x", "DOUBLE"),
        ],
        partition_keys.iter().map(|key| (*key).to_owned()).collect(),
        BTreeMap::new(),
        None,
        0,
    )
}

fn eq(column: &str, value: Datum) -> Predicate {
    Predicate::compare(column, Comparison::Eq, value)
}

fn text(text: &str) -> Datum {
    Datum::String(text.to_owned())
}

#[test]
fn every_spelling_names_the_partition() {
    let (dt, hh) = (|| eq("dt", Datum::Date(20_484)), || eq("hh", Datum::Int(9)));
    let both = || Predicate::And(vec![dt(), hh()]);
    let one = |condition| Predicate::And(vec![condition]);
    for (spec, keys, expected) in [
        ("dt=2026-01-31,hh=9", &["dt", "hh"][..], vec![both()]),
        (" dt = 2026-01-31 , hh=9 ", &["dt", "hh"], vec![both()]),
        ("dt=\"2026-01-31\",hh='9'", &["dt", "hh"], vec![both()]),
        ("`dt`=2026-01-31/hh=9", &["dt", "hh"], vec![both()]),
        ("{2026-01-31, 9}", &["dt", "hh"], vec![both()]),
        ("[20484, 9]", &["dt", "hh"], vec![both()]),
        ("{2026-01-31,9}; [20484, 9] ;hh=9", &["dt", "hh"], vec![both(), both(), one(hh())]),
        (
            "zone=a b;zone=__DEFAULT_PARTITION__",
            &["zone"],
            vec![one(eq("zone", text("a b"))), one(Predicate::IsNull("zone".to_owned()))],
        ),
        (
            "{null};{'null'};{}",
            &["zone"],
            vec![one(Predicate::IsNull("zone".to_owned())), one(eq("zone", text("null"))), one(eq("zone", text("")))],
        ),
        ("zone='a,b;c=''d'''", &["zone"], vec![one(eq("zone", text("a,b;c='d'")))]),
        ("{a, b};{c}d}", &["zone"], vec![one(eq("zone", text("a, b"))), one(eq("zone", text("c}d")))]),
        ("zone=a/b=c/dt=2026-01-31", &["zone", "dt"], vec![Predicate::And(vec![eq("zone", text("a/b=c")), dt()])]),
        ("zone=", &["zone"], vec![one(eq("zone", text("")))]),
        (
            "[1970-01-01T00:00:01.500];at=1970-01-01 00:00:01.5",
            &["at"],
            vec![
                one(eq("at", Datum::Timestamp { millis: 1_500, nano_of_milli: 0 })),
                one(eq("at", Datum::Timestamp { millis: 1_500, nano_of_milli: 0 })),
            ],
        ),
        (
            "[1970-01-01T00:01];ltz=1970-01-01T01:01:00+01:00",
            &["ltz"],
            vec![
                one(eq("ltz", Datum::Timestamp { millis: 60_000, nano_of_milli: 0 })),
                one(eq("ltz", Datum::Timestamp { millis: 60_000, nano_of_milli: 0 })),
            ],
        ),
        ("t=00:00:01.5;[1500]", &["t"], vec![one(eq("t", Datum::Time(1_500))), one(eq("t", Datum::Time(1_500)))]),
        (
            "x=1.0E10;x=-Infinity",
            &["x"],
            vec![one(eq("x", Datum::Double(1e10))), one(eq("x", Datum::Double(f64::NEG_INFINITY)))],
        ),
    ] {
        assert_eq!(parse(spec, &schema(keys)), Ok(Predicate::Or(expected)), "{spec}");
    }
}

#[test]
fn mistakes_are_named_with_their_remedy() {
    for (spec, keys, expected) in [
        ("dt=1", &[][..], "the table has no partitions; leave it out"),
        (
            "dt",
            &["dt"],
            "`dt` is not KEY=VALUE; write, for example, dt=…, with quotes around a value that holds `,` or `;`",
        ),
        ("", &["dt", "hh"], "a partition is empty; write, for example, dt=…,hh=…"),
        ("hh=1;", &["dt", "hh"], "a partition is empty; write, for example, dt=…,hh=…"),
        ("day=1", &["dt", "hh"], "the table is not partitioned by `day`; its partition keys are dt, hh"),
        ("hh=1,hh=2", &["hh"], "`hh` is there twice; alternatives are separated by `;`"),
        ("hh=nine", &["hh"], "`hh` is of type INT, which `nine` is not"),
        ("{nine}", &["hh"], "`hh` is of type INT, which `nine` is not"),
        (
            "hh=1;{1, 2, 3} ",
            &["dt", "hh"],
            "`{1, 2, 3}` holds 3 values, the partition keys are dt, hh; write dt=…,hh=…, with quotes around a value that \
             holds `,`",
        ),
        ("[1, 2", &["dt", "hh"], "`[1, 2` lacks its closing `]`"),
        ("[1, 2}", &["dt", "hh"], "`[1, 2}` lacks its closing `]`"),
        ("{'a}", &["zone"], "`'a}` lacks its closing `'`"),
        ("zone='a' b", &["zone"], "`b` is unexpected; partitions are separated by `;`"),
        ("{'a' b}", &["zone"], "`b}` is unexpected; partitions are separated by `;`"),
    ] {
        assert_eq!(parse(spec, &schema(keys)).unwrap_err().to_string(), expected, "{spec}");
    }
}

#[test]
fn values_are_spelt_as_paimons_cast_to_string_spells_them() {
    let timestamp = |millis, nano_of_milli| Datum::Timestamp { millis, nano_of_milli };
    for (value, data_type, expected) in [
        (Datum::Boolean(true), "BOOLEAN", "true"),
        (Datum::Date(20_484), "DATE", "2026-01-31"),
        (Datum::Date(i32::MAX), "DATE", "2147483647"),
        (Datum::Double(1e10), "DOUBLE", "1.0E10"),
        (Datum::Time(32_400_500), "TIME(0)", "09:00:00"),
        (Datum::Time(32_400_500), "TIME(3)", "09:00:00.5"),
        (Datum::Time(32_400_000), "TIME(3)", "09:00:00.0"),
        (timestamp(0, 0), "TIMESTAMP(0)", "1970-01-01 00:00:00"),
        (timestamp(0, 0), "TIMESTAMP(3)", "1970-01-01 00:00:00.000"),
        (timestamp(-1, 1_000), "TIMESTAMP(3)", "1969-12-31 23:59:59.999001"),
        (timestamp(i64::MAX, 0), "TIMESTAMP(3)", "9223372036854775807"),
        (text("a, b"), "STRING", "a, b"),
        (Datum::Bytes(vec![b'a', 0xff]), "BYTES", "a\u{fffd}"),
    ] {
        let field = DataField::new(0, "v", data_type.parse().unwrap());
        assert_eq!(row_text(&[&field], &[Some(value.clone())]), format!("{{{expected}}}"), "{value:?}");
        assert_eq!(spec_text(&[&field], &[Some(value)], "DEF"), format!("v={expected}"));
    }
    let fields = [DataField::new(0, "a", "INT".parse().unwrap()), DataField::new(1, "b", "INT".parse().unwrap())];
    let fields: Vec<&DataField> = fields.iter().collect();
    assert_eq!(row_text(&fields, &[None, Some(Datum::Int(1))]), "{null, 1}");
    assert_eq!(spec_text(&fields, &[None, Some(Datum::Int(1))], "DEF"), "a=DEF/b=1");
    assert_eq!((row_text(&[], &[]), spec_text(&[], &[], "DEF")), ("{}".to_owned(), String::new()));
}

/// A partition of (dt DATE, hh INT, at TIMESTAMP(3), zone STRING), whose text does not look like something else.
fn partition() -> impl Strategy<Value = Vec<Option<Datum>>> {
    let days = -700_000..2_900_000_i32;
    let millis = -60_000_000_000_000..250_000_000_000_000_i64;
    let zone = "[a-z]([a-z/=.:%' ]{0,12}[a-z])?".prop_filter("means null", |zone| zone != "null");
    (
        proptest::option::of(days.prop_map(Datum::Date)),
        proptest::option::of(any::<i32>().prop_map(Datum::Int)),
        proptest::option::of(millis.prop_map(|millis| Datum::Timestamp { millis, nano_of_milli: 0 })),
        proptest::option::of(zone.prop_map(Datum::String)),
    )
        .prop_map(|(dt, hh, at, zone)| vec![dt, hh, at, zone])
}

proptest! {
    #[test]
    fn what_is_shown_can_be_pasted_back(values in partition()) {
        let schema = schema(&["dt", "hh", "at", "zone"]);
        let fields = schema.partition_fields();
        let expected = fields.iter().zip(&values).map(|(field, value)| match value {
            None => Predicate::IsNull(field.name.clone()),
            Some(value) => eq(&field.name, value.clone()),
        });
        let expected = Predicate::Or(vec![Predicate::And(expected.collect())]);
        let java: Vec<_> = values.iter().map(|v| v.as_ref().and_then(java_text).unwrap_or("null".to_owned())).collect();
        for text in [
            row_text(&fields, &values),
            spec_text(&fields, &values, "__DEFAULT_PARTITION__"),
            format!("[{}]", java.join(", ")),
        ] {
            prop_assert_eq!(parse(&text, &schema), Ok(expected.clone()), "{}", text);
        }
    }
}
