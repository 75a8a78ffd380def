#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use arrow::array::{
    Array, BinaryArray, Int32Array, Int64Array, LargeStringArray, StringArray, Time64MicrosecondArray,
    TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
};
use futures::TryStreamExt;
use paimon_format::{BinaryRow, Datum, FileKind};
use parquet::arrow::ArrowWriter;
use parquet::data_type::{Int96, Int96Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use tributary_runtime::{Classify, FailureKind};

use super::*;
use crate::write::tests::{fields, options, write_file};
use crate::write::{WriterSpec, append_meta};

fn storage() -> Storage {
    Storage::new(Arc::new(object_store::memory::InMemory::new()), Default::default())
}

async fn read(bytes: Bytes, fields: &[DataField]) -> Result<RecordBatch, DataError> {
    let storage = storage();
    let size = bytes.len() as u64;
    storage.put("f", bytes).await?;
    let file = DataFile::new(&storage, "f", size);
    let batches: Vec<RecordBatch> = file.read(fields).await?.try_collect().await?;
    Ok(arrow::compute::concat_batches(&arrow_schema(fields), &batches).unwrap())
}

/// A file of another writer: arrow's own mapping, its schema noted in the file.
fn foreign(columns: Vec<(&str, ArrayRef)>) -> Bytes {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true))).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes.into()
}

/// A file with one INT96 column `c`, of (Julian day, nanoseconds of the day).
fn int96(values: &[(u32, u64)]) -> Bytes {
    let schema = Arc::new(parse_message_type("message m { OPTIONAL INT96 c; }").unwrap());
    let mut bytes = Vec::new();
    let mut file = SerializedFileWriter::new(&mut bytes, schema, Arc::new(WriterProperties::new())).unwrap();
    let mut group = file.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let values: Vec<Int96> = values
        .iter()
        .map(|(day, nanos)| {
            let mut value = Int96::new();
            value.set_data(*nanos as u32, (*nanos >> 32) as u32, *day);
            value
        })
        .collect();
    let levels = vec![1; values.len()];
    column.typed::<Int96Type>().write_batch(&values, Some(&levels), None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    file.close().unwrap();
    bytes.into()
}

fn one(text: &str) -> Vec<DataField> {
    fields(&[("c", text)])
}

#[tokio::test]
async fn what_other_writers_choose_differently_becomes_the_tables_type() {
    let utc = || TimestampMicrosecondArray::from(vec![1_001]).with_timezone("UTC");
    for (paimon, stored, expected) in [
        (
            "STRING",
            Arc::new(LargeStringArray::from(vec!["ü"])) as ArrayRef,
            Arc::new(StringArray::from(vec!["ü"])) as ArrayRef,
        ),
        ("STRING", Arc::new(BinaryArray::from_vec(vec![b"x"])), Arc::new(StringArray::from(vec!["x"]))),
        ("TINYINT", Arc::new(Int32Array::from(vec![-3])), Arc::new(arrow::array::Int8Array::from(vec![-3]))),
        ("DATE", Arc::new(Int32Array::from(vec![5])), Arc::new(arrow::array::Date32Array::from(vec![5]))),
        (
            "TIME(3)",
            Arc::new(Time64MicrosecondArray::from(vec![7_000])),
            Arc::new(arrow::array::Time32MillisecondArray::from(vec![7])),
        ),
        (
            "TIMESTAMP(9)",
            Arc::new(TimestampNanosecondArray::from(vec![-1])),
            Arc::new(TimestampNanosecondArray::from(vec![-1])),
        ),
        (
            "TIMESTAMP(3)",
            Arc::new(TimestampMicrosecondArray::from(vec![2_000])),
            Arc::new(TimestampMillisecondArray::from(vec![2])),
        ),
        ("TIMESTAMP(6) WITH LOCAL TIME ZONE", Arc::new(utc()), Arc::new(utc())),
        ("TIMESTAMP(6) WITH LOCAL TIME ZONE", Arc::new(TimestampMicrosecondArray::from(vec![1_001])), Arc::new(utc())),
    ] {
        let batch = read(foreign(vec![("c", stored)]), &one(paimon)).await.unwrap();
        assert_eq!(batch.column(0), &expected, "{paimon}");
    }
}

#[tokio::test]
async fn int96_is_read_in_the_unit_of_the_column() {
    // 9999-12-31 23:59:59.999999 and 1970-01-01 00:00:00.000001001.
    let late = (5_373_484, 86_399_999_999_000);
    let batch = read(int96(&[late, (2_440_588, 1_001)]), &one("TIMESTAMP(6)")).await.unwrap();
    assert_eq!(
        batch.column(0).as_ref(),
        &TimestampMicrosecondArray::from(vec![253_402_300_799_999_999, 1]) as &dyn Array
    );
    // The last as Paimon 1.3 writes a nanosecond before 1970: a negative time of the day.
    let days = [(2_440_588, 1_001), (2_440_587, 5), (2_440_588, -1_i64 as u64)];
    let batch = read(int96(&days), &one("TIMESTAMP(9)")).await.unwrap();
    let nanos = TimestampNanosecondArray::from(vec![1_001, 5 - 86_400_000_000_000, -1]);
    assert_eq!(batch.column(0).as_ref(), &nanos as &dyn Array);
}

#[tokio::test]
async fn int96_beyond_nanoseconds_is_refused_and_never_another_time() {
    let error = read(int96(&[(2_440_588, 1), (5_373_484, 0)]), &one("TIMESTAMP(9)")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "data file f cannot be read: column `c` holds a timestamp before 1677-09-21 or after 2262-04-11 with nanoseconds"
    );
    assert_eq!(error.kind(), FailureKind::Usage);
}

#[tokio::test]
async fn a_projection_keeps_the_order_asked_for() {
    let columns = fields(&[("a", "INT"), ("b", "STRING"), ("c", "BIGINT")]);
    let spec = WriterSpec::try_new(&columns, &options(&[]), 1 << 20).unwrap();
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(Int32Array::from(vec![1, 2])),
        Arc::new(StringArray::from(vec!["x", "y"])),
        Arc::new(Int64Array::from(vec![10, 20])),
    ];
    let batch = RecordBatch::try_new(Arc::clone(spec.arrow_schema()), arrays).unwrap();
    let (bytes, _) = write_file(&spec, std::slice::from_ref(&batch));
    for wanted in [vec![0, 1, 2], vec![2, 0], vec![1], vec![]] {
        let fields: Vec<DataField> = wanted.iter().map(|index| columns[*index].clone()).collect();
        let storage = storage();
        storage.put("f", bytes.clone()).await.unwrap();
        let file = DataFile::new(&storage, "f", bytes.len() as u64);
        let batches: Vec<RecordBatch> = file.read(&fields).await.unwrap().try_collect().await.unwrap();
        assert_eq!(batches, [batch.project(&wanted).unwrap()], "{wanted:?}");
    }
}

#[tokio::test]
async fn damaged_files_are_corrupt_and_say_why() {
    let good = foreign(vec![("c", Arc::new(Int32Array::from(vec![Some(1), None])))]);
    let size = good.len() as u64;
    let cut = good.slice(..good.len() - 3);
    let mut torn = good.to_vec();
    let end = torn.len();
    torn[end - 30..end - 20].fill(0xff);
    for (bytes, recorded, data_type, message) in [
        (cut, size, "INT", "bytes long and should be"),
        (Bytes::from_static(b"no parquet file at all"), 22, "INT", "data file f is corrupt"),
        (Bytes::new(), 0, "INT", "data file f is corrupt"),
        (torn.into(), size, "INT", "data file f is corrupt"),
        (good.clone(), size, "INT NOT NULL", "column `c` is NOT NULL and holds null"),
    ] {
        let storage = storage();
        storage.put("f", bytes).await.unwrap();
        let file = DataFile::new(&storage, "f", recorded);
        let result: Result<Vec<RecordBatch>, DataError> =
            async { file.read(&one(data_type)).await?.try_collect().await }.await;
        let error = result.unwrap_err();
        assert_eq!(error.kind(), FailureKind::Corrupt, "{error}");
        assert!(error.to_string().contains(message), "{error}");
    }
    let missing = DataFile::new(&storage(), "gone", 10).read(&one("INT")).await.err().unwrap();
    assert_eq!(missing.to_string(), "cannot read gone: it does not exist");
}

#[tokio::test]
async fn columns_that_do_not_fit_are_refused_by_name() {
    let file = foreign(vec![("c", Arc::new(Int64Array::from(vec![1])))]);
    for (fields, message) in [
        (one("STRING"), "column `c` is Int64 instead of Utf8"),
        (one("INT"), "column `c` is Int64 instead of Int32"),
        (fields(&[("d", "INT")]), "it has no column `d`, which its schema has"),
    ] {
        let error = read(file.clone(), &fields).await.unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
        assert_eq!(error.kind(), FailureKind::Usage);
    }
}

#[tokio::test]
async fn a_planned_file_is_found_in_its_partition() {
    let storage = crate::testing::memory();
    let table = crate::testing::create(&storage, &[]).await;
    let fields = table.schema().fields.clone();
    let spec = WriterSpec::try_new(&fields, table.options(), 1 << 20).unwrap();
    let arrays: Vec<ArrayRef> =
        vec![Arc::new(Int32Array::from(vec![1, 2])), Arc::new(StringArray::from(vec!["a/b", "a/b"]))];
    let batch = RecordBatch::try_new(Arc::clone(spec.arrow_schema()), arrays).unwrap();
    let (bytes, summary) = write_file(&spec, std::slice::from_ref(&batch));
    storage.put("dt=a%2Fb/bucket-0/data-u-0.parquet", bytes).await.unwrap();
    let partition =
        BinaryRow::encode(&[fields[1].data_type.root.clone()], &[Some(Datum::String("a/b".to_owned()))]).unwrap();
    let mut entry = ManifestEntry {
        kind: FileKind::Add,
        partition,
        bucket: 0,
        total_buckets: -1,
        file: append_meta("data-u-0.parquet", &summary, 0, 0),
    };
    let batches: Vec<RecordBatch> = read_file(&table, &entry, &fields).await.unwrap().try_collect().await.unwrap();
    assert_eq!(batches, [batch]);

    entry.file.schema_id = 1;
    let error = read_file(&table, &entry, &fields).await.err().unwrap().to_string();
    assert!(error.ends_with("its schema, 1, is missing"), "{error}");
    entry.file.external_path = Some("s3://elsewhere".to_owned());
    let error = read_file(&table, &entry, &fields).await.err().unwrap().to_string();
    assert!(error.contains("data-file.external-paths"), "{error}");
    entry.partition = BinaryRow::EMPTY;
    let error = read_file(&table, &entry, &fields).await.err().unwrap();
    assert_eq!(error.kind(), FailureKind::Corrupt);
}
