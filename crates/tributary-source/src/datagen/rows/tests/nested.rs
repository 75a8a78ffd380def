//! Lists, maps and rows.

use arrow::array::{BooleanArray, ListArray, MapArray, StructArray};

use super::*;

fn ints() -> FieldType {
    FieldType::array(FieldType::Int, true)
}

fn row(fields: &[(&str, FieldType)]) -> FieldType {
    FieldType::Row(fields.iter().map(|(name, data_type)| field(name, data_type.clone())).collect())
}

/// Every nested type in another one.
fn everything() -> FieldType {
    let inner = row(&[
        ("m", FieldType::map(STRING, FieldType::array(FieldType::Boolean, false), true)),
        ("d", FieldType::Date),
    ]);
    row(&[("list", FieldType::array(inner, true)), ("n", FieldType::Decimal { precision: 9, scale: 2 })])
}

/// As for primitive types: stored with positions out in the world.
#[test]
fn the_nested_rows_of_a_seed_never_change() {
    let fields =
        [("a", ints()), ("m", FieldType::map(FieldType::TinyInt, FieldType::Char(4), true)), ("e", everything())];
    let options = [
        ("fields.a.element.null-rate", "0.4"),
        ("fields.m.length", "2"),
        ("fields.e.list.length", "1"),
        ("fields.e.list.element.m.length", "2"),
        ("fields.e.list.element.m.key.length", "5"),
    ];
    let batch = spec(&fields, &options).rows(42, 3).batch(interval(1, 6, 7), AT).unwrap();
    let cells: Vec<_> = batch.columns().iter().map(|column| texts(column).remove(0)).collect();
    let golden = [
        "[, -115026267, ]",
        "{-16: 21bc, 52: e757}",
        "{list: [{m: {c4f7c: [false, false, true], c7c11: [true, false, true]}, d: 2025-06-15}], n: 5944797.41}",
    ];
    assert_eq!(cells, golden);
}

proptest! {
    #[test]
    fn a_nested_row_does_not_depend_on_its_batch(seed: u64, split in 0_u32..3, from in 0_u64..1 << 40, rows in 2_u64..20, cut in 1_u64..20) {
        let options = [
            ("fields.c.null-rate", "0.2"),
            ("fields.c.list.null-rate", "0.3"),
            ("fields.c.list.element.null-rate", "0.3"),
            ("fields.c.list.element.m.null-rate", "0.3"),
            ("fields.c.list.element.m.value.null-rate", "0.3"),
            ("fields.c.list.element.m.key.length", "1"),
        ];
        let table = spec(&[("c", everything()), ("d", ints())], &options).rows(seed, 3);
        let cut = 1 + cut % (rows - 1);
        let whole = table.batch(interval(split, from, from + rows), AT).unwrap();
        let head = table.batch(interval(split, from, from + cut), AT).unwrap();
        let tail = table.batch(interval(split, from + cut, from + rows), AT).unwrap();
        prop_assert_eq!(arrow::compute::concat_batches(table.schema(), [&head, &tail]).unwrap(), whole);
    }
}

#[test]
fn lists_and_maps_have_flinks_length_unless_told_otherwise() {
    let lists = |data_type: FieldType, options: &[(&str, &str)]| -> BTreeSet<usize> {
        let array = column(&data_type, options, 500);
        match data_type {
            FieldType::Array(_) => array.as_any().downcast_ref::<ListArray>().unwrap().offsets().lengths().collect(),
            _ => array.as_any().downcast_ref::<MapArray>().unwrap().offsets().lengths().collect(),
        }
    };
    let long = || FieldType::map(FieldType::BigInt, FieldType::Int, true);
    assert_eq!(lists(ints(), &[]), [3].into());
    assert_eq!(lists(ints(), &[("fields.c.length", "0")]), [0].into());
    assert_eq!(lists(long(), &[]), [3].into());
    assert_eq!(lists(long(), &[("fields.c.length", "20")]), [20].into());
    // Equal keys are one.
    assert_eq!(lists(FieldType::map(FieldType::Boolean, FieldType::Int, true), &[]), [1, 2].into());
    assert_eq!(lists(FieldType::map(ints(), FieldType::Int, true), &[("fields.c.key.length", "0")]), [1].into());
}

#[test]
fn no_map_has_a_key_twice() {
    let data_type = FieldType::map(FieldType::TinyInt, FieldType::Int, true);
    let array = column(&data_type, &[("fields.c.length", "40"), ("fields.c.null-rate", "0.1")], 200);
    let maps = array.as_map();
    assert!(maps.null_count() > 0);
    for (row, lengths) in maps.offsets().lengths().enumerate() {
        if maps.is_null(row) {
            assert_eq!(lengths, 0);
            continue;
        }
        let entries = maps.value(row);
        let keys: BTreeSet<_> = texts(entries.column(0)).into_iter().collect();
        assert_eq!(keys.len(), lengths);
    }
}

#[test]
fn parts_follow_their_own_options_and_share_no_value() {
    let options = [("fields.c.element.length", "16"), ("fields.c.length", "4")];
    let array = column(&FieldType::array(STRING, true), &options, 1_000);
    let texts: BTreeSet<_> =
        array.as_list::<i32>().values().as_string::<i32>().iter().flatten().map(str::to_owned).collect();
    assert_eq!(texts.len(), 4_000);

    let fields = row(&[("a", FieldType::Int), ("b", FieldType::Int), ("c", FieldType::Boolean)]);
    let options = [
        ("fields.c.a.min", "1"),
        ("fields.c.a.max", "3"),
        ("fields.c.c.null-rate", "1"),
        ("fields.c.null-rate", "0.5"),
    ];
    let array = column(&fields, &options, 1_000);
    let array: &StructArray = array.as_struct();
    assert!((400..600).contains(&array.null_count()));
    assert!(array.column(0).as_primitive::<Int32Type>().values().iter().all(|a| (1..=3).contains(a)));
    assert_ne!(array.column(0), array.column(1));
    let flags: &BooleanArray = array.column(2).as_boolean();
    assert_eq!(flags.null_count(), 1_000);
}
