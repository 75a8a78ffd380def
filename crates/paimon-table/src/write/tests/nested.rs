//! Lists, maps and rows: written, read back, and left out of the statistics.

use arrow::array::{ListArray, MapArray, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};

use super::*;
use crate::arrow::arrow_type;

/// A value of any type; null is `None`.
#[derive(Clone, Debug)]
enum Nested {
    Single(Datum),
    List(Vec<Option<Nested>>),
    Map(Vec<(Nested, Option<Nested>)>),
    Row(Vec<Option<Nested>>),
}

const NESTED_TYPES: [&str; 9] = [
    "ARRAY<INT>",
    "ARRAY<STRING NOT NULL> NOT NULL",
    "MAP<STRING, BIGINT>",
    "MAP<INT NOT NULL, DECIMAL(38, 18) NOT NULL> NOT NULL",
    "ROW<a INT, b STRING NOT NULL>",
    "ROW<a DATE NOT NULL, b TIMESTAMP(6)> NOT NULL",
    "ARRAY<ROW<a ARRAY<BOOLEAN>, b MAP<STRING, ARRAY<DOUBLE>>> NOT NULL>",
    "MAP<ROW<k BIGINT NOT NULL, l STRING>, ROW<v ROW<w ARRAY<ARRAY<BYTES>>>>>",
    "ROW<a ARRAY<ROW<b MAP<DATE, TIME(3)>>>, c TIMESTAMP(3) WITH LOCAL TIME ZONE>",
];

fn values(data_type: &DataType) -> BoxedStrategy<Option<Nested>> {
    let value = match &data_type.root {
        TypeRoot::Array(element) => prop::collection::vec(values(element), 0..4).prop_map(Nested::List).boxed(),
        TypeRoot::Map(map) => {
            let key = values(&DataType::not_null(map.key.root.clone())).prop_map(Option::unwrap);
            prop::collection::vec((key, values(&map.value)), 0..4).prop_map(Nested::Map).boxed()
        }
        TypeRoot::Row(fields) => {
            let fields: Vec<_> = fields.iter().map(|field| values(&field.data_type)).collect();
            fields.prop_map(Nested::Row).boxed()
        }
        primitive => value_of(primitive).prop_map(Nested::Single).boxed(),
    };
    if data_type.nullable { prop::option::weighted(0.8, value).boxed() } else { value.prop_map(Some).boxed() }
}

/// Values as an array of the type's arrow form.
fn nested_array(root: &TypeRoot, values: &[Option<Nested>]) -> ArrayRef {
    let nulls: NullBuffer = values.iter().map(Option::is_some).collect();
    let offsets = |length: fn(&Nested) -> usize| {
        OffsetBuffer::from_lengths(values.iter().map(|value| value.as_ref().map_or(0, length)))
    };
    match (root, arrow_type(root)) {
        (TypeRoot::Array(element), ArrowType::List(field)) => {
            let parts: Vec<_> = values.iter().flatten().flat_map(|value| list(value).clone()).collect();
            let parts = nested_array(&element.root, &parts);
            Arc::new(ListArray::new(field, offsets(|value| list(value).len()), parts, Some(nulls)))
        }
        (TypeRoot::Map(map), ArrowType::Map(field, _)) => {
            let entries: Vec<_> = values.iter().flatten().flat_map(|value| entries(value).clone()).collect();
            let (keys, entry_values): (Vec<_>, Vec<_>) = entries.into_iter().map(|(k, v)| (Some(k), v)).unzip();
            let parts = vec![nested_array(&map.key.root, &keys), nested_array(&map.value.root, &entry_values)];
            let ArrowType::Struct(fields) = field.data_type().clone() else { panic!("{root}") };
            let entries = StructArray::new(fields, parts, None);
            Arc::new(MapArray::new(field, offsets(|value| self::entries(value).len()), entries, Some(nulls), false))
        }
        (TypeRoot::Row(fields), ArrowType::Struct(arrow_fields)) => {
            let columns = fields.iter().enumerate().map(|(at, field)| {
                let parts: Vec<_> = values
                    .iter()
                    .map(|value| match value {
                        Some(Nested::Row(parts)) => parts[at].clone(),
                        _ => None,
                    })
                    .collect();
                nested_array(&field.data_type.root, &parts)
            });
            Arc::new(StructArray::new(arrow_fields, columns.collect(), Some(nulls)))
        }
        _ => {
            let singles: Vec<_> = values
                .iter()
                .map(|value| match value {
                    Some(Nested::Single(datum)) => Some(datum.clone()),
                    None => None,
                    Some(other) => panic!("{other:?} in {root}"),
                })
                .collect();
            array(root, &singles)
        }
    }
}

fn list(value: &Nested) -> &Vec<Option<Nested>> {
    match value {
        Nested::List(parts) => parts,
        other => panic!("{other:?} is no list"),
    }
}

fn entries(value: &Nested) -> &Vec<(Nested, Option<Nested>)> {
    match value {
        Nested::Map(entries) => entries,
        other => panic!("{other:?} is no map"),
    }
}

fn nested_schema() -> Vec<DataField> {
    let names: Vec<String> = (0..NESTED_TYPES.len()).map(|n| format!("n{n}")).collect();
    // Primitive columns around them: leaves are not columns.
    let nested = names.iter().zip(NESTED_TYPES).map(|(name, data_type)| (name.as_str(), data_type));
    fields(&[("first", "INT")].into_iter().chain(nested).chain([("last", "STRING")]).collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn nested_values_survive_the_round_trip_and_have_no_statistics(
        columns in nested_schema().iter().map(|field| prop::collection::vec(values(&field.data_type), 20)).collect::<Vec<_>>(),
        split in 0_usize..=20,
        row_group_bytes in prop_oneof![Just(1_usize), Just(1 << 20)],
    ) {
        let fields = nested_schema();
        let spec = WriterSpec::try_new(&fields, &options(&[]), row_group_bytes).unwrap();
        let arrays = columns.iter().zip(spec.roots.iter()).map(|(values, root)| nested_array(root, values));
        let batch = RecordBatch::try_new(Arc::clone(spec.arrow_schema()), arrays.collect()).unwrap();
        // Slices, because batches that passed a filter or a split have offsets.
        let (bytes, summary) = write_file(&spec, &[batch.slice(0, split), batch.slice(split, 20 - split)]);
        let (size, names) = (bytes.len() as u64, [0, 3, 7, 10]);
        for wanted in [fields.clone(), names.map(|at| fields[at].clone()).to_vec()] {
            let storage = Storage::new(Arc::new(object_store::memory::InMemory::new()), Default::default());
            let read = block_on(async {
                storage.put("f", bytes.clone()).await.unwrap();
                let file = DataFile::new(&storage, "f", size);
                file.read(&wanted).await.unwrap().try_collect::<Vec<RecordBatch>>().await.unwrap()
            });
            let read = arrow::compute::concat_batches(&crate::arrow::arrow_schema(&wanted), &read).unwrap();
            for (field, column) in wanted.iter().zip(read.columns()) {
                prop_assert_eq!(column, batch.column_by_name(&field.name).unwrap(), "{}", field.data_type);
            }
        }
        let stats = summary.stats.decode(&spec.roots).unwrap();
        for (stats, root) in stats.iter().zip(spec.roots.iter()) {
            prop_assert_eq!(root.is_nested(), stats.null_count.is_none());
        }
        prop_assert_eq!(&stats[1], &ColumnStats::default());
    }
}

#[test]
fn a_decimal_inside_a_list_that_has_too_many_digits_is_refused() {
    let fields = fields(&[("c", "ARRAY<DECIMAL(3, 1)>")]);
    let spec = WriterSpec::try_new(&fields, &options(&[]), 1 << 20).unwrap();
    let ArrowType::List(field) = arrow_type(&fields[0].data_type.root) else { panic!("no list") };
    let values = Decimal128Array::from(vec![12_345]).with_precision_and_scale(38, 1).unwrap();
    let values = values.into_data().into_builder().data_type(ArrowType::Decimal128(3, 1)).build().unwrap();
    let column = ListArray::new(field, OffsetBuffer::from_lengths([1]), Arc::new(Decimal128Array::from(values)), None);
    let batch = RecordBatch::try_new(Arc::clone(spec.arrow_schema()), vec![Arc::new(column)]).unwrap();
    let error = DataFileWriter::try_new(&spec, &batch).unwrap().write(&batch).unwrap_err();
    assert!(matches!(error, DataError::Value { .. }), "{error}");
}
