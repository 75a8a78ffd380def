//! Lists, maps and rows; their values are compared with Flink's in `cases.txt`.

use arrow::compute::filter;
use paimon_table::arrow::arrow_type;

use super::*;

#[test]
fn what_means_nothing_of_lists_maps_and_rows_is_refused_with_its_remedy() {
    for (text, message) in [
        ("i[1]", "`[…]` takes an ARRAY or a MAP, this is INT"),
        ("NULL[1]", "NULL has no elements | give it a type: CAST(NULL AS STRING)"),
        ("ARRAY[i][0]", "elements of an ARRAY are counted from 1"),
        ("ARRAY[i][l]", "`[…]` takes an INT here, this is BIGINT | write CAST(… AS INT) around it"),
        ("ARRAY[i][NULL]", "`[…]` takes an INT here, this is NULL | write CAST(… AS INT) around it"),
        ("MAP[c, i][i]", "`[…]` takes a key here, this is INT | the keys of this MAP are STRING"),
        ("ROW(i, c)[1]", "fields of ROW<`EXPR$0` INT, `EXPR$1` STRING> have names | write row.field"),
        ("i.x", "there is no field `x`: this is INT, not a ROW"),
        ("source.i.x", "there is no field `x`: this is INT, not a ROW"),
        ("source.decc.x", "unknown column `decc` in `source` | did you mean `dec`?"),
        ("other.nope.x", "unknown table `nope` in this SELECT | its columns are those of `source`"),
        ("CAST(ROW(i) AS ROW<first INT>).frist", "there is no field `frist` in this ROW | did you mean `first`?"),
        ("CAST(ROW(i, c) AS ROW<a INT, b STRING>).zzz", "there is no field `zzz` in this ROW | it has `a`, `b`"),
        ("ARRAY[]", "ARRAY[] has no type | write CAST(NULL AS ARRAY<type>), or an element"),
        (
            "ARRAY[NULL]",
            "the elements of ARRAY are all NULL, of no type | give one of them a type: CAST(NULL AS STRING)",
        ),
        ("MAP[1]", "MAP takes keys and values in turn, at least one of each | write MAP[key, value, key, value]"),
        ("ROW(NULL)", "NULL in ROW has no type | give it a type: CAST(NULL AS STRING)"),
        ("CARDINALITY(c)", "CARDINALITY takes an ARRAY or a MAP, this is STRING"),
        ("ELEMENT(MAP[1, 2])", "ELEMENT takes an ARRAY, this is MAP<INT NOT NULL, INT NOT NULL>"),
        ("ARRAY[i] IN (ARRAY[1])", "`=` cannot compare values of type ARRAY<INT>"),
        ("ARRAY[i] = ARRAY[1]", "`=` cannot compare values of type ARRAY<INT>"),
        ("CAST(c AS ARRAY<STRING>)", "there is no cast from STRING to ARRAY<STRING>"),
    ] {
        assert_eq!(run(text, Zone::UTC), Err(message.to_owned()), "{text}");
    }
}

#[test]
fn what_cannot_be_held_stops_the_pipeline() {
    for (text, message) in [
        ("MAP[c, 1]", "a key of a MAP is null; replace it with COALESCE"),
        ("ELEMENT(ARRAY[i, n])", "ELEMENT takes an ARRAY of at most one element, a row has 2"),
        ("CAST(ARRAY[c] AS ARRAY<INT>)", "cannot cast 'Straße 7' to INT"),
    ] {
        assert_eq!(run(text, Zone::UTC), Err(message.to_owned()), "{text}");
    }
}

#[test]
fn nested_values_fit_columns_of_wider_parts() {
    for (target, item, expected) in [
        ("ARRAY<BIGINT>", "ARRAY[i, 1]", ["[42, 1]", "[NULL, 1]", "[-2147483648, 1]"]),
        ("ARRAY<DOUBLE NOT NULL>", "ARRAY[n]", ["[1.0]", "[2.0]", "[0.0]"]),
        ("MAP<STRING, DECIMAL(12, 1)>", "MAP['k', i]", ["{k=42.0}", "{k=NULL}", "{k=-2147483648.0}"]),
        ("ROW<a BIGINT, b ROW<c VARCHAR(3)>>", "(i, ROW(c))", ["(42, (Str))", "(NULL, (NULL))", "(-2147483648, ())"]),
    ] {
        let found = insert(&[target], item, "");
        assert_eq!(found, Ok(expected.map(str::to_owned).to_vec()), "{target}: {item}");
    }
    let misfit = |target, item, found, help| {
        let message = format!("column `c0` of `db.target` is {target}, the expression is {found} | {help}");
        assert_eq!(insert(&[target], item, ""), Err(message));
    };
    let order = "columns map by position: is the order of the SELECT that of the table?";
    misfit("ARRAY<INT NOT NULL>", "ARRAY[i]", "ARRAY<INT>", order);
    misfit("ARRAY<INT>", "ARRAY[l]", "ARRAY<BIGINT>", "write CAST(… AS ARRAY<INT>) around it");
    misfit("ARRAY<INT>", "MAP['a', 1]", "MAP<CHAR(1) NOT NULL, INT NOT NULL>", order);
}

/// Arrays may hold values that no row shows: they are neither converted nor printed.
#[test]
fn what_a_null_or_a_slice_hides_is_not_looked_at() {
    let root = |text: &str| text.parse::<DataType>().unwrap().root;
    let convert =
        |array: &ArrayRef, from: &str, to: &str| cast(array, &root(from), &root(to), Zone::UTC, Failing::Stops);
    let texts = Arc::new(StringArray::from(vec![Some("1"), Some("hidden"), None, Some("4")])) as ArrayRef;

    let row = "ROW<a STRING>";
    let arrow::datatypes::DataType::Struct(fields) = arrow_type(&root(row)) else { panic!() };
    let valid = vec![true, false, true, true].into();
    let rows: ArrayRef = Arc::new(StructArray::new(fields, vec![Arc::clone(&texts)], Some(valid)));
    let numbers = convert(&rows, row, "ROW<a INT>").unwrap();
    assert_eq!(numbers.as_struct().column(0).as_primitive::<arrow::datatypes::Int32Type>().null_count(), 2);
    let shown = convert(&rows, row, "STRING").unwrap();
    assert_eq!(shown.as_string::<i32>().iter().collect::<Vec<_>>(), [Some("(1)"), None, Some("(NULL)"), Some("(4)")]);

    let list = "ARRAY<STRING>";
    let arrow::datatypes::DataType::List(element) = arrow_type(&root(list)) else { panic!() };
    let offsets = arrow::buffer::OffsetBuffer::from_lengths([1, 1, 2]);
    let lists: ArrayRef = Arc::new(ListArray::new(element, offsets, texts, None));
    let kept = BooleanArray::from(vec![true, false, true]);
    for lists in [filter(&lists, &kept).unwrap().slice(1, 1), lists.slice(2, 1)] {
        let numbers = convert(&lists, list, "ARRAY<INT>").unwrap();
        let shown = convert(&numbers, "ARRAY<INT>", "STRING").unwrap();
        assert_eq!(shown.as_string::<i32>().value(0), "[NULL, 4]");
    }
}
