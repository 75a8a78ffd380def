#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use std::collections::BTreeMap;

use arrow::array::{
    BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int8Array, Int16Array,
    Int32Array, Int64Array, StringArray, Time32MillisecondArray, TimestampMicrosecondArray, TimestampMillisecondArray,
    TimestampNanosecondArray,
};
use futures::TryStreamExt;
use paimon_format::{ColumnStats, CoreOptions, DataField, DataType, Datum, TypeRoot};
use parquet::basic::{Compression, Encoding, PageType, ZstdLevel};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use proptest::prelude::*;

use super::*;
use crate::arrow::{UTC, arrow_schema, datum_at};
use crate::read::DataFile;
use crate::store::Storage;

mod bounds;
mod copy;
mod encodings;
mod nested;

const NANOS_PER_MILLI: i64 = 1_000_000;

pub(crate) fn fields(columns: &[(&str, &str)]) -> Vec<DataField> {
    columns
        .iter()
        .enumerate()
        .map(|(id, (name, data_type))| DataField {
            id: id as i32,
            name: (*name).to_owned(),
            data_type: data_type.parse::<DataType>().unwrap(),
            description: None,
            default_value: None,
        })
        .collect()
}

pub(crate) fn options(pairs: &[(&str, &str)]) -> CoreOptions {
    let pairs: BTreeMap<String, String> = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    CoreOptions::parse(&pairs).unwrap()
}

/// Values as an array of the type's arrow form.
fn array(root: &TypeRoot, values: &[Option<Datum>]) -> ArrayRef {
    macro_rules! collect {
        ($array:ty, $variant:ident) => {
            Arc::new(
                values
                    .iter()
                    .map(|value| match value {
                        Some(Datum::$variant(v)) => Some(v.clone()),
                        None => None,
                        Some(other) => panic!("{other:?} in {root}"),
                    })
                    .collect::<$array>(),
            )
        };
    }
    let nanos = || {
        values.iter().map(|value| match value {
            Some(Datum::Timestamp { millis, nano_of_milli }) => {
                Some(i128::from(*millis) * i128::from(NANOS_PER_MILLI) + i128::from(*nano_of_milli))
            }
            None => None,
            Some(other) => panic!("{other:?} in {root}"),
        })
    };
    let zone = matches!(root, TypeRoot::TimestampLtz(_)).then_some(UTC);
    match root {
        TypeRoot::Boolean => collect!(BooleanArray, Boolean),
        TypeRoot::TinyInt => collect!(Int8Array, TinyInt),
        TypeRoot::SmallInt => collect!(Int16Array, SmallInt),
        TypeRoot::Int => collect!(Int32Array, Int),
        TypeRoot::BigInt => collect!(Int64Array, BigInt),
        TypeRoot::Float => collect!(Float32Array, Float),
        TypeRoot::Double => collect!(Float64Array, Double),
        TypeRoot::Char(_) | TypeRoot::Varchar(_) => collect!(StringArray, String),
        TypeRoot::Binary(_) | TypeRoot::Varbinary(_) => collect!(BinaryArray, Bytes),
        TypeRoot::Date => collect!(Date32Array, Date),
        TypeRoot::Time(_) => collect!(Time32MillisecondArray, Time),
        TypeRoot::Decimal { precision, scale } => {
            let unscaled = values.iter().map(|value| match value {
                Some(Datum::Decimal { unscaled, .. }) => Some(*unscaled),
                _ => None,
            });
            let array = unscaled.collect::<Decimal128Array>();
            Arc::new(array.with_precision_and_scale(*precision, *scale as i8).unwrap())
        }
        TypeRoot::Timestamp(0..=3) | TypeRoot::TimestampLtz(0..=3) => {
            let units = nanos().map(|n| n.map(|n| (n / 1_000_000) as i64));
            Arc::new(units.collect::<TimestampMillisecondArray>().with_timezone_opt(zone))
        }
        TypeRoot::Timestamp(4..=6) | TypeRoot::TimestampLtz(4..=6) => {
            let units = nanos().map(|n| n.map(|n| (n / 1_000) as i64));
            Arc::new(units.collect::<TimestampMicrosecondArray>().with_timezone_opt(zone))
        }
        TypeRoot::Timestamp(_) | TypeRoot::TimestampLtz(_) => {
            let units = nanos().map(|n| n.map(|n| n as i64));
            Arc::new(units.collect::<TimestampNanosecondArray>().with_timezone_opt(zone))
        }
        TypeRoot::Array(_) | TypeRoot::Map(_) | TypeRoot::Row(_) => panic!("{root} has no single values"),
    }
}

type Columns = Vec<Vec<Option<Datum>>>;

fn batch(spec: &WriterSpec, columns: &Columns) -> RecordBatch {
    let arrays = columns.iter().zip(spec.roots.iter()).map(|(values, root)| array(root, values));
    RecordBatch::try_new(Arc::clone(spec.arrow_schema()), arrays.collect()).unwrap()
}

/// Writes the batches as one file, draining as a sink would.
pub(crate) fn write_file(spec: &WriterSpec, batches: &[RecordBatch]) -> (Bytes, FileSummary) {
    let mut writer = DataFileWriter::try_new(spec, &batches[0]).unwrap();
    let mut bytes = Vec::new();
    for batch in batches {
        writer.write(batch).unwrap();
        while let Some(piece) = writer.drain_encoded() {
            bytes.extend_from_slice(&piece);
        }
    }
    let finished = writer.finish().unwrap();
    finished.tail.iter().for_each(|piece| bytes.extend_from_slice(piece));
    assert_eq!(finished.summary.file_size, bytes.len() as u64);
    (bytes.into(), finished.summary)
}

async fn read_back(bytes: Bytes, fields: &[DataField]) -> Columns {
    let storage = Storage::new(Arc::new(object_store::memory::InMemory::new()), Default::default());
    let size = bytes.len() as u64;
    storage.put("f", bytes).await.unwrap();
    let batches: Vec<RecordBatch> =
        DataFile::new(&storage, "f", size).read(fields).await.unwrap().try_collect().await.unwrap();
    let mut columns = vec![Vec::new(); fields.len()];
    for batch in batches {
        for (index, field) in fields.iter().enumerate() {
            let values = (0..batch.num_rows()).map(|row| datum_at(batch.column(index), row, &field.data_type.root));
            columns[index].extend(values.map(Result::unwrap));
        }
    }
    columns
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn is_nan(value: &Datum) -> bool {
    matches!(value, Datum::Float(v) if v.is_nan()) || matches!(value, Datum::Double(v) if v.is_nan())
}

fn same(left: &Option<Datum>, right: &Option<Datum>) -> bool {
    match (left, right) {
        (Some(Datum::Float(a)), Some(Datum::Float(b))) => a.to_bits() == b.to_bits(),
        (Some(Datum::Double(a)), Some(Datum::Double(b))) => a.to_bits() == b.to_bits(),
        _ => left == right,
    }
}

/// The statistics by looking at every value.
fn brute_force(values: &[Option<Datum>]) -> ColumnStats {
    let mut stats = ColumnStats { null_count: Some(0), ..ColumnStats::default() };
    values.iter().cloned().for_each(|value| stats.add(value));
    if values.iter().flatten().any(is_nan) {
        stats.min = None;
        stats.max = None;
    }
    stats
}

/// One column per type, with its values' range; every type once more as NOT NULL.
const TYPES: [&str; 24] = [
    "BOOLEAN",
    "TINYINT",
    "SMALLINT",
    "INT",
    "BIGINT",
    "FLOAT",
    "DOUBLE",
    "DECIMAL(1, 1)",
    "DECIMAL(9, 4)",
    "DECIMAL(18, 0)",
    "DECIMAL(19, 19)",
    "DECIMAL(38, 18)",
    "CHAR(5)",
    "VARCHAR(100)",
    "STRING",
    "BINARY(3)",
    "BYTES",
    "DATE",
    "TIME(3)",
    "TIMESTAMP(3)",
    "TIMESTAMP(6)",
    "TIMESTAMP(9)",
    "TIMESTAMP(0) WITH LOCAL TIME ZONE",
    "TIMESTAMP(7) WITH LOCAL TIME ZONE",
];

fn value_of(root: &TypeRoot) -> BoxedStrategy<Datum> {
    fn edges(most: i128) -> BoxedStrategy<i128> {
        prop_oneof![Just(-most - 1), Just(most), Just(0), Just(-1), -most - 1..=most, -9i128..9].boxed()
    }
    let timestamp = |least: i128, most: i128, step: i128| {
        prop_oneof![Just(least), Just(most), Just(-1), Just(0), least..=most]
            .prop_map(move |units| {
                let nanos = units * step;
                Datum::Timestamp {
                    millis: nanos.div_euclid(1_000_000) as i64,
                    nano_of_milli: nanos.rem_euclid(1_000_000) as i32,
                }
            })
            .boxed()
    };
    match *root {
        TypeRoot::Boolean => any::<bool>().prop_map(Datum::Boolean).boxed(),
        TypeRoot::TinyInt => edges(i8::MAX.into()).prop_map(|v| Datum::TinyInt(v as i8)).boxed(),
        TypeRoot::SmallInt => edges(i16::MAX.into()).prop_map(|v| Datum::SmallInt(v as i16)).boxed(),
        TypeRoot::Int => edges(i32::MAX.into()).prop_map(|v| Datum::Int(v as i32)).boxed(),
        TypeRoot::Date => edges(i32::MAX.into()).prop_map(|v| Datum::Date(v as i32)).boxed(),
        TypeRoot::BigInt => edges(i64::MAX.into()).prop_map(|v| Datum::BigInt(v as i64)).boxed(),
        TypeRoot::Time(_) => (0..86_400_000).prop_map(Datum::Time).boxed(),
        // Any bits: infinities, subnormals, both zeros, every NaN.
        TypeRoot::Float => any::<u32>().prop_map(|bits| Datum::Float(f32::from_bits(bits))).boxed(),
        TypeRoot::Double => {
            prop_oneof![any::<u64>().prop_map(f64::from_bits), Just(-0.0), Just(0.0), Just(f64::INFINITY), -2.0..2.0]
                .prop_map(Datum::Double)
                .boxed()
        }
        TypeRoot::Decimal { precision, scale } => {
            let most = 10i128.pow(precision.into()) - 1;
            prop_oneof![Just(-most), Just(most), Just(0), Just(-1), -most..=most]
                .prop_map(move |unscaled| Datum::Decimal { unscaled, precision, scale })
                .boxed()
        }
        TypeRoot::Char(_) | TypeRoot::Varchar(_) => prop_oneof![
            Just(String::new()),
            ".{0,30}",
            "[a-c]{14,19}",
            // Equal beyond what is kept of a bound, and characters that have no successor.
            "[\u{10ffff}z]{15,20}",
            "ü{100,120}.{0,3}",
        ]
        .prop_map(Datum::String)
        .boxed(),
        TypeRoot::Binary(_) | TypeRoot::Varbinary(_) => {
            prop_oneof![prop::collection::vec(any::<u8>(), 0..30), prop::collection::vec(254u8..=255, 14..100),]
                .prop_map(Datum::Bytes)
                .boxed()
        }
        TypeRoot::Timestamp(0..=3) | TypeRoot::TimestampLtz(0..=3) => {
            timestamp(i64::MIN.into(), i64::MAX.into(), 1_000_000)
        }
        TypeRoot::Timestamp(4..=6) | TypeRoot::TimestampLtz(4..=6) => {
            timestamp(i64::MIN.into(), i64::MAX.into(), 1_000)
        }
        TypeRoot::Timestamp(_) | TypeRoot::TimestampLtz(_) => timestamp(i64::MIN.into(), i64::MAX.into(), 1),
        TypeRoot::Array(_) | TypeRoot::Map(_) | TypeRoot::Row(_) => panic!("{root} has no single values"),
    }
}

fn schema() -> Vec<DataField> {
    let names: Vec<(String, String)> = TYPES
        .iter()
        .enumerate()
        .flat_map(|(index, text)| {
            [(format!("c{index}"), (*text).to_owned()), (format!("r{index}"), format!("{text} NOT NULL"))]
        })
        .collect();
    let names: Vec<(&str, &str)> = names.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    fields(&names)
}

fn columns() -> impl Strategy<Value = Columns> {
    (1usize..60).prop_flat_map(|rows| {
        schema()
            .iter()
            .map(|field| {
                let value = value_of(&field.data_type.root);
                match field.data_type.nullable {
                    true => {
                        prop::collection::vec(prop_oneof![1 => Just(None), 3 => value.prop_map(Some)], rows).boxed()
                    }
                    false => prop::collection::vec(value.prop_map(Some), rows).boxed(),
                }
            })
            .collect::<Vec<_>>()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn every_value_of_every_type_comes_back_and_lies_within_its_bounds(
        columns in columns(),
        row_group_bytes in prop_oneof![Just(1usize), 500usize..5_000, Just(1 << 20)],
        pieces in 1usize..5,
        mode in prop_oneof![Just("truncate(16)"), Just("full"), Just("truncate(1)"), Just("counts"), Just("none")],
        codec in prop_oneof![Just("zstd"), Just("snappy"), Just("lz4"), Just("gzip"), Just("none")],
    ) {
        let fields = schema();
        let options = options(&[("metadata.stats-mode", mode), ("file.compression", codec)]);
        let spec = WriterSpec::try_new(&fields, &options, row_group_bytes).unwrap();
        let whole = batch(&spec, &columns);
        let step = whole.num_rows().div_ceil(pieces);
        let batches: Vec<RecordBatch> = (0..whole.num_rows())
            .step_by(step)
            .map(|start| whole.slice(start, step.min(whole.num_rows() - start)))
            .collect();
        let (bytes, summary) = write_file(&spec, &batches);
        prop_assert_eq!(summary.rows, whole.num_rows() as u64);

        let read = block_on(read_back(bytes, &fields));
        for (field, (wrote, read)) in fields.iter().zip(columns.iter().zip(&read)) {
            prop_assert_eq!(wrote.len(), read.len());
            for (wrote, read) in wrote.iter().zip(read) {
                prop_assert!(same(wrote, read), "{}: {wrote:?} became {read:?}", field.data_type);
            }
        }

        let stats = summary.stats.decode(&spec.roots).unwrap();
        for ((field, values), stats) in fields.iter().zip(&columns).zip(&stats) {
            let root = &field.data_type.root;
            let expected = options.stats_mode.apply(root, brute_force(values));
            for value in values.iter().flatten() {
                prop_assert!(stats.min.as_ref().is_none_or(|min| min.compare(value).unwrap().is_le()), "{root}: {value:?} below {stats:?}");
                prop_assert!(stats.max.as_ref().is_none_or(|max| max.compare(value).unwrap().is_ge()), "{root}: {value:?} above {stats:?}");
            }
            prop_assert_eq!(stats.null_count, expected.null_count, "{}", root);
            prop_assert_eq!(&stats.min, &expected.min, "{}", root);
            prop_assert_eq!(&stats.max, &expected.max, "{}", root);
        }
    }
}

fn tutorial() -> (Vec<DataField>, Vec<RecordBatch>) {
    let fields = fields(&[
        ("id", "STRING"),
        ("data", "STRING"),
        ("category", "INT"),
        ("ts", "STRING"),
        ("dt", "STRING"),
        ("hh", "STRING"),
    ]);
    let schema = arrow_schema(&fields);
    let mut state = 7u64;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let batches = (0..4)
        .map(|_| {
            let mut hex = || {
                let texts = (0..8192).map(|_| Some((0..13).map(|_| format!("{:08x}", next())).collect::<String>()));
                texts.collect::<StringArray>()
            };
            let (id, data) = (hex(), hex());
            let category = Int32Array::from_iter_values((0..8192).map(|_| (next() % 10) as i32 + 1));
            let constant = |text: &str| Arc::new(StringArray::from(vec![text; 8192])) as ArrayRef;
            let arrays: Vec<ArrayRef> = vec![
                Arc::new(id),
                Arc::new(data),
                Arc::new(category),
                constant("2026-01-01 09:00:00.123"),
                constant("2026-01-01"),
                constant("9"),
            ];
            RecordBatch::try_new(Arc::clone(&schema), arrays).unwrap()
        })
        .collect();
    (fields, batches)
}

fn metadata(bytes: &Bytes) -> ParquetMetaData {
    SerializedFileReader::new(bytes.clone()).unwrap().metadata().clone()
}

#[test]
fn files_are_what_paimon_0_9_reads() {
    let (fields, batches) = tutorial();
    let spec = WriterSpec::try_new(&fields, &options(&[]), 1 << 20).unwrap();
    let (bytes, _) = write_file(&spec, &batches);
    let reader = SerializedFileReader::new(bytes).unwrap();
    assert!(reader.metadata().file_metadata().key_value_metadata().is_none());
    assert!(reader.num_row_groups() > 1);
    for group in 0..reader.num_row_groups() {
        for column in 0..fields.len() {
            let mut pages = reader.get_row_group(group).unwrap().get_column_page_reader(column).unwrap();
            while let Some(page) = pages.get_next_page().unwrap() {
                let kind = page.page_type();
                assert!(matches!(kind, PageType::DATA_PAGE | PageType::DICTIONARY_PAGE), "{kind:?}");
                let encoding = page.encoding();
                let known = [Encoding::PLAIN, Encoding::PLAIN_DICTIONARY, Encoding::RLE_DICTIONARY];
                assert!(known.contains(&encoding), "{encoding:?}");
            }
        }
    }
}

#[test]
fn row_groups_close_at_the_bound_and_their_bytes_can_be_drained() {
    let (fields, batches) = tutorial();
    let bound = 1 << 20;
    let spec = WriterSpec::try_new(&fields, &options(&[("file.block-size", "512 mb")]), bound).unwrap();
    let mut writer = DataFileWriter::try_new(&spec, &batches[0]).unwrap();
    let mut drained = 0;
    let mut most_held = 0;
    for batch in batches.iter().cycle().take(24) {
        writer.write(batch).unwrap();
        let estimate = writer.written_bytes();
        assert!(estimate >= drained as u64, "{estimate} {drained}");
        most_held = most_held.max(writer.in_memory_bytes());
        while let Some(piece) = writer.drain_encoded() {
            drained += piece.len();
        }
    }
    assert!(drained > 3 * bound, "{drained}");
    // One row group, one batch above the bound, and what the encoder allocates ahead.
    assert!(most_held < 4 * bound, "{most_held}");
    let estimate = writer.written_bytes();
    let finished = writer.finish().unwrap();
    let real = finished.summary.file_size;
    assert!(estimate.abs_diff(real) < real / 5, "{estimate} for {real}");

    // The table's block size holds where it is less.
    let spec = WriterSpec::try_new(&fields, &options(&[("file.block-size", "256 kb")]), 1 << 30).unwrap();
    let groups = metadata(&write_file(&spec, &batches).0).num_row_groups();
    assert!(groups >= 4, "{groups}");
}

#[test]
fn rows_that_do_not_fit_are_refused_by_column() {
    let not_null = fields(&[("a", "INT NOT NULL"), ("b", "DECIMAL(3, 1)")]);
    let spec = WriterSpec::try_new(&not_null, &options(&[]), 1 << 20).unwrap();
    let decimal = |unscaled| {
        let array = Decimal128Array::from(vec![unscaled]).with_precision_and_scale(3, 1).unwrap();
        Arc::new(array) as ArrayRef
    };
    let ints = |value: Option<i32>| Arc::new(Int32Array::from(vec![value])) as ArrayRef;
    // A nullable schema: what an INSERT's SELECT may deliver.
    let rows = |columns: Vec<ArrayRef>| {
        let fields = columns.iter().enumerate();
        RecordBatch::try_from_iter_with_nullable(fields.map(|(i, array)| (format!("x{i}"), Arc::clone(array), true)))
            .unwrap()
    };
    let good = rows(vec![ints(Some(1)), decimal(999)]);
    for (bad, message) in [
        (rows(vec![ints(None), decimal(1)]), "column `a` is NOT NULL, but a row has null there"),
        (rows(vec![ints(Some(1)), decimal(1_000)]), "column `b` cannot hold the value"),
        (rows(vec![ints(Some(1))]), "1 columns instead of 2"),
        (rows(vec![decimal(1), ints(Some(1))]), "column `a` is Decimal128(3, 1) instead of Int32"),
    ] {
        let mut writer = DataFileWriter::try_new(&spec, &good).unwrap();
        let error = writer.write(&bad).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
    let mut writer = DataFileWriter::try_new(&spec, &good).unwrap();
    writer.write(&good).unwrap();
    assert_eq!(writer.finish().unwrap().summary.rows, 1);
}

#[test]
fn an_append_file_is_described_as_java_does() {
    let (fields, batches) = tutorial();
    let spec = WriterSpec::try_new(&fields, &options(&[]), 1 << 30).unwrap();
    let (bytes, summary) = write_file(&spec, &batches[..1]);
    let meta = append_meta("data-u-0.parquet", &summary, 3, 1_700_000_000_000);
    assert_eq!(meta.file_size, bytes.len() as i64);
    assert_eq!((meta.row_count, meta.min_sequence_number, meta.max_sequence_number), (8192, 0, 8191));
    assert_eq!((meta.schema_id, meta.level, meta.delete_row_count), (3, 0, Some(0)));
    assert_eq!((meta.min_key.clone(), meta.key_stats.clone()), (BinaryRow::EMPTY, SimpleStats::EMPTY));
    assert_eq!(meta.file_source, Some(FileSource::Append));
    let stats = meta.value_stats.decode(&spec.roots).unwrap();
    assert_eq!(stats[4].min, Some(Datum::String("2026-01-01".to_owned())));
    assert_eq!(stats[2].min, Some(Datum::Int(1)));
    assert_eq!(stats[2].max, Some(Datum::Int(10)));
}
