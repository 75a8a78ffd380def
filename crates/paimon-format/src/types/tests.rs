#![allow(clippy::unwrap_used)]
use std::sync::Arc;

use proptest::prelude::*;

use super::*;

#[test]
fn every_type_is_spelt_as_paimon_spells_it() {
    for (text, canonical) in [
        ("boolean", "BOOLEAN"),
        ("TINYINT NOT NULL", "TINYINT NOT NULL"),
        ("integer", "INT"),
        ("BIGINT NULL", "BIGINT"),
        ("DOUBLE PRECISION", "DOUBLE"),
        ("DECIMAL", "DECIMAL(10, 0)"),
        ("numeric(5)", "DECIMAL(5, 0)"),
        ("DEC( 38 , 18 ) NOT NULL", "DECIMAL(38, 18) NOT NULL"),
        ("CHAR", "CHAR(1)"),
        ("VARCHAR", "VARCHAR(1)"),
        ("VARCHAR(2147483647)", "STRING"),
        ("STRING NOT NULL", "STRING NOT NULL"),
        ("VARBINARY(2147483647)", "BYTES"),
        ("BINARY(12)", "BINARY(12)"),
        ("TIME", "TIME(0)"),
        ("TIME(3) WITHOUT TIME ZONE", "TIME(3)"),
        ("TIMESTAMP", "TIMESTAMP(6)"),
        ("TIMESTAMP(3) WITHOUT TIME ZONE", "TIMESTAMP(3)"),
        ("TIMESTAMP(9) WITH LOCAL TIME ZONE NOT NULL", "TIMESTAMP(9) WITH LOCAL TIME ZONE NOT NULL"),
        ("timestamp_ltz", "TIMESTAMP(6) WITH LOCAL TIME ZONE"),
        ("array<int not null>", "ARRAY<INT NOT NULL>"),
        ("INT NOT NULL ARRAY NOT NULL ARRAY", "ARRAY<ARRAY<INT NOT NULL> NOT NULL>"),
        ("MAP<string, ARRAY<bigint>> NOT NULL", "MAP<STRING, ARRAY<BIGINT>> NOT NULL"),
        (
            "ROW<a INT, `b ``c``` STRING NOT NULL COMMENT 'it''s'>",
            "ROW<`a` INT, `b ``c``` STRING NOT NULL COMMENT 'it''s'>",
        ),
        ("ROW(a INT 'x', Größe ROW<b DATE>)", "ROW<`a` INT COMMENT 'x', `Größe` ROW<`b` DATE>>"),
    ] {
        let parsed: DataType = text.parse().unwrap();
        assert_eq!(parsed.to_string(), canonical, "{text}");
        assert_eq!(canonical.parse::<DataType>().unwrap(), parsed, "{text}");
    }
}

#[test]
fn what_is_no_type_is_refused_with_the_reason() {
    for (text, message) in [
        ("", "cannot parse the data type ``: a type name is expected"),
        ("TEXT", "cannot parse the data type `TEXT`: `TEXT` is no type"),
        ("INT(", "unexpected text after the type"),
        ("DECIMAL(39, 0)", "the precision must be 1 to 38"),
        ("DECIMAL(0, 0)", "the precision must be 1 to 38"),
        ("DECIMAL(3, 4)", "the scale must not exceed the precision"),
        ("CHAR(0)", "the length must be 1 to 2147483647"),
        ("VARCHAR(99999999999999999999)", "is too large"),
        ("TIMESTAMP(10)", "the precision must be 0 to 9"),
        ("TIMESTAMP WITH TIME ZONE", "`LOCAL` is expected"),
        ("INT NOT", "`NULL` is expected"),
        ("INT MULTISET", "unsupported table feature: data type INT MULTISET"),
        ("ARRAY<BLOB>", "unsupported table feature: data type ARRAY<BLOB>"),
        ("MAP<INT, VARIANT>", "unsupported table feature: data type MAP<INT, VARIANT>"),
        ("ARRAY", "`<` is expected"),
        ("ARRAY<INT", "`>` is expected"),
        ("MAP<INT>", "`,` is expected"),
        ("ROW<>", "the name of a field is expected"),
        ("ROW<a INT)", "`>` is expected"),
        ("ROW<a INT, a STRING>", "there are two fields `a`"),
        ("ROW<a INT COMMENT>", "a text in quotes is expected after COMMENT"),
        ("ROW<`a INT>", "is not closed"),
        ("VARIANT", "unsupported table feature: data type VARIANT"),
    ] {
        let error = text.parse::<DataType>().unwrap_err().to_string();
        assert!(error.contains(message), "{text}: {error}");
    }
}

#[test]
fn types_nested_without_end_are_refused_and_do_not_end_the_process() {
    let text = "ARRAY<".repeat(100_000);
    assert!(text.parse::<DataType>().unwrap_err().to_string().ends_with("types are nested more than 32 deep"));
}

#[test]
fn row_fields_are_numbered_after_those_inside_them() {
    let parsed: DataType = "ROW<a INT, b ROW<c INT, d ARRAY<ROW<e INT>>>, f INT>".parse().unwrap();
    let mut highest = 4;
    let numbered = parsed.with_field_ids(&mut highest);
    let ids = |fields: &[DataField]| fields.iter().map(|field| (field.name.clone(), field.id)).collect::<Vec<_>>();
    let TypeRoot::Row(outer) = &numbered.root else { unreachable!() };
    assert_eq!(ids(outer), [("a".to_owned(), 5), ("b".to_owned(), 9), ("f".to_owned(), 10)]);
    let TypeRoot::Row(inner) = &outer[1].data_type.root else { unreachable!() };
    assert_eq!(ids(inner), [("c".to_owned(), 6), ("d".to_owned(), 8)]);
    assert_eq!((highest, numbered.highest_field_id()), (10, Some(10)));
    assert!(numbered.equals_ignoring_ids(&parsed) && numbered != parsed);
}

#[test]
fn nested_types_are_objects_in_json() {
    for (text, json) in [
        ("ARRAY<INT NOT NULL> NOT NULL", r#"{"type":"ARRAY NOT NULL","element":"INT NOT NULL"}"#),
        ("MAP<STRING, BYTES>", r#"{"type":"MAP","key":"STRING","value":"BYTES"}"#),
        (
            "ROW<a INT, b ARRAY<STRING> COMMENT 'x'>",
            r#"{"type":"ROW","fields":[{"id":0,"name":"a","type":"INT"},{"id":1,"name":"b","type":{"type":"ARRAY","element":"STRING"},"description":"x"}]}"#,
        ),
    ] {
        let parsed: DataType = text.parse().unwrap();
        assert_eq!(serde_json::to_string(&parsed).unwrap(), json);
        assert_eq!(serde_json::from_str::<DataType>(json).unwrap(), parsed);
    }
    for (json, message) in [
        (r#""ARRAY<INT>""#, "the nested type ARRAY<INT> is an object, not a text"),
        (r#"{"type":"ARRAY"}"#, "ARRAY without `element`"),
        (r#"{"type":"MAP","key":"INT"}"#, "MAP without `value`"),
        (r#"{"type":"ROW"}"#, "ROW without `fields`"),
        (r#"{"type":"MULTISET","element":"INT"}"#, "`MULTISET` is no nested type"),
        ("7", "invalid type"),
    ] {
        let error = serde_json::from_str::<DataType>(json).unwrap_err().to_string();
        assert!(error.contains(message), "{json}: {error}");
    }
}

/// Any type, up to three levels deep.
fn data_types() -> impl Strategy<Value = DataType> {
    let primitive = prop_oneof![
        Just(TypeRoot::Int),
        Just(TypeRoot::STRING),
        Just(TypeRoot::BYTES),
        (1..=38_u8).prop_map(|precision| TypeRoot::Decimal { precision, scale: precision / 2 }),
        (0..=9_u8).prop_map(TypeRoot::TimestampLtz),
    ];
    let typed = |root, nullable| DataType { root, nullable };
    let leaf = (primitive, any::<bool>()).prop_map(move |(root, nullable)| typed(root, nullable));
    leaf.prop_recursive(3, 12, 3, move |inner| {
        let field = ("[a-z`' é]{1,3}", inner.clone(), prop::option::of("[a-z`' ]{0,3}"));
        let row = prop::collection::btree_map("[a-z`' é]{1,3}", field, 1..4).prop_map(|fields| {
            let field =
                |(name, (_, data_type, description))| DataField { description, ..DataField::new(0, name, data_type) };
            TypeRoot::Row(fields.into_iter().map(field).collect())
        });
        let map =
            (inner.clone(), inner.clone()).prop_map(|(key, value)| TypeRoot::Map(Arc::new(MapType { key, value })));
        let root = prop_oneof![inner.prop_map(|element| TypeRoot::Array(Arc::new(element))), map, row];
        (root, any::<bool>()).prop_map(move |(root, nullable)| typed(root, nullable))
    })
}

proptest! {
    #[test]
    fn text_and_json_give_the_type_back(data_type in data_types()) {
        let data_type = data_type.with_field_ids(&mut -1);
        prop_assert_eq!(&data_type.to_string().parse::<DataType>().unwrap(), &data_type);
        let json = serde_json::to_vec(&data_type).unwrap();
        prop_assert_eq!(&serde_json::from_slice::<DataType>(&json).unwrap(), &data_type);
    }

    #[test]
    fn any_text_is_a_type_or_an_error(text in "(ARRAY<|MAP<|ROW<|ROW\\(|INT|a |`b` |'c'|,|>|\\)| NOT NULL|.){0,12}") {
        let _ = text.parse::<DataType>();
    }
}
