//! A file made of other files' row groups is the one that encoding their rows would have made.

use super::*;
use crate::read::OpenFile;

/// Every type but INT96's.
fn copyable_schema() -> (Vec<DataField>, Vec<usize>) {
    let all = schema();
    let columns = (0..all.len()).filter(|column| !is_int96(&all[*column].data_type.root));
    columns.map(|column| (all[column].clone(), column)).unzip()
}

async fn open(bytes: Bytes) -> OpenFile {
    let storage = Storage::new(Arc::new(object_store::memory::InMemory::new()), Default::default());
    let size = bytes.len() as u64;
    storage.put("f", bytes).await.unwrap();
    DataFile::new(&storage, "f", size).open().await.unwrap()
}

/// A file of all row groups of `files`, and of the rows of `between` after each of them.
async fn concatenated(spec: &WriterSpec, files: &[Bytes], between: Option<&RecordBatch>) -> (Bytes, FileSummary) {
    let (mut writer, mut bytes) = (None, Vec::new());
    for file in files {
        let file = open(file.clone()).await;
        let groups = spec.copyable(file.metadata());
        assert_eq!(groups.len(), file.metadata().num_row_groups());
        for group in groups {
            let group = file.fetch(group).await.unwrap();
            let writer = writer.get_or_insert_with(|| DataFileWriter::try_new_like(spec, &group).unwrap());
            writer.append(group).unwrap();
            assert_eq!(writer.written_bytes(), writer.file.bytes_written() as u64);
            while let Some(piece) = writer.drain_encoded() {
                bytes.extend_from_slice(&piece);
            }
        }
        if let Some(rows) = between {
            writer.as_mut().unwrap().write(rows).unwrap();
        }
    }
    let finished = writer.unwrap().finish().unwrap();
    finished.tail.iter().for_each(|piece| bytes.extend_from_slice(piece));
    assert_eq!(finished.summary.file_size, bytes.len() as u64);
    (bytes.into(), finished.summary)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn copied_row_groups_hold_the_rows_and_give_the_statistics_that_encoding_them_again_does(
        columns in columns(),
        row_group_bytes in prop_oneof![Just(1usize), 500usize..5_000],
        cut in 0.0..1.0,
        mixed: bool,
        mode in prop_oneof![Just("truncate(16)"), Just("full"), Just("truncate(1)"), Just("counts"), Just("none")],
    ) {
        let (fields, kept) = copyable_schema();
        let columns: Columns = kept.into_iter().map(|column| columns[column].clone()).collect();
        let spec = WriterSpec::try_new(&fields, &options(&[("metadata.stats-mode", mode)]), row_group_bytes).unwrap();
        let whole = batch(&spec, &columns);
        let first = 1 + ((whole.num_rows() - 1) as f64 * cut) as usize;
        let mut batches = vec![whole.slice(0, first)];
        if first < whole.num_rows() {
            batches.push(whole.slice(first, whole.num_rows() - first));
        }
        let between = mixed.then(|| whole.slice(0, 1));
        let files: Vec<Bytes> = batches.iter().map(|rows| write_file(&spec, std::slice::from_ref(rows)).0).collect();
        let (copied, copied_summary) = block_on(concatenated(&spec, &files, between.as_ref()));
        let again: Vec<RecordBatch> = batches.into_iter().flat_map(|rows| [Some(rows), between.clone()]).flatten().collect();
        let (encoded, encoded_summary) = write_file(&spec, &again);

        prop_assert_eq!((copied_summary.rows, &copied_summary.stats), (encoded_summary.rows, &encoded_summary.stats));
        let (copied, encoded) = (block_on(read_back(copied, &fields)), block_on(read_back(encoded, &fields)));
        let values = copied.iter().flatten().zip(encoded.iter().flatten());
        prop_assert!(copied.iter().map(Vec::len).eq(encoded.iter().map(Vec::len)));
        for (copied, encoded) in values {
            prop_assert!(same(copied, encoded), "{encoded:?} became {copied:?}");
        }
    }
}

#[test]
fn a_row_group_is_copied_only_where_encoding_it_again_would_not_make_another() {
    let long = "ü".repeat(50);
    let columns: &[(&str, &str)] = &[("id", "INT NOT NULL"), ("text", "STRING"), ("many", "ARRAY<INT>")];
    let file = |text: &str| {
        let spec = WriterSpec::try_new(&fields(columns), &options(&[]), 1).unwrap();
        let list = arrow::array::new_null_array(spec.arrow_schema().field(2).data_type(), 1);
        let values: Vec<ArrayRef> =
            vec![Arc::new(Int32Array::from(vec![1])), Arc::new(StringArray::from(vec![text])), list];
        let rows = RecordBatch::try_new(Arc::clone(spec.arrow_schema()), values).unwrap();
        metadata(&write_file(&spec, &[rows.clone(), rows]).0)
    };
    let (short, long) = (file("short"), file(&long));
    let copies = |columns: &[(&str, &str)], pairs: &[(&str, &str)], footer: &ParquetMetaData| {
        WriterSpec::try_new(&fields(columns), &options(pairs), 1).unwrap().copyable(footer).len()
    };
    let with = |place: usize, column: (&'static str, &'static str)| {
        let mut changed = columns.to_vec();
        changed[place] = column;
        changed
    };
    for (what, columns, pairs, of_short, of_long) in [
        ("as it was", columns.to_vec(), vec![], 2, 2),
        ("another level", columns.to_vec(), vec![("file.compression.zstd-level", "9")], 2, 2),
        ("another codec", columns.to_vec(), vec![("file.compression", "snappy")], 0, 0),
        ("no compression", columns.to_vec(), vec![("file.compression", "none")], 0, 0),
        ("shorter bounds", columns.to_vec(), vec![("metadata.stats-mode", "truncate(8)")], 2, 2),
        ("longer bounds", columns.to_vec(), vec![("metadata.stats-mode", "truncate(40)")], 2, 0),
        ("whole bounds", columns.to_vec(), vec![("metadata.stats-mode", "full")], 2, 0),
        ("whole bounds elsewhere", columns.to_vec(), vec![("fields.id.stats-mode", "full")], 2, 2),
        ("another name", with(0, ("key", "INT NOT NULL")), vec![], 0, 0),
        ("another type", with(0, ("id", "BIGINT NOT NULL")), vec![], 0, 0),
        ("null by now", with(0, ("id", "INT")), vec![], 0, 0),
        ("another type inside", with(2, ("many", "ARRAY<BIGINT>")), vec![], 0, 0),
        ("one column more", [columns, &[("more", "INT")]].concat(), vec![], 0, 0),
        ("one column less", columns[..2].to_vec(), vec![], 0, 0),
        ("another order", vec![columns[1], columns[0], columns[2]], vec![], 0, 0),
    ] {
        let found = (copies(&columns, &pairs, &short), copies(&columns, &pairs, &long));
        assert_eq!(found, (of_short, of_long), "{what}");
    }
}

#[test]
fn files_of_other_writers_and_timestamps_of_nine_digits_are_encoded_again() {
    let fields = fields(&[("at", "TIMESTAMP(9)")]);
    let spec = WriterSpec::try_new(&fields, &options(&[]), 1).unwrap();
    let rows = arrow::array::new_null_array(spec.arrow_schema().field(0).data_type(), 1);
    let rows = RecordBatch::try_new(Arc::clone(spec.arrow_schema()), vec![rows]).unwrap();
    assert_eq!(spec.copyable(&metadata(&write_file(&spec, &[rows]).0)), [0; 0]);

    let fields = super::fields(&[("n", "INT")]);
    let spec = WriterSpec::try_new(&fields, &options(&[]), 1).unwrap();
    for (writer, copied) in
        [("tributary version 9.9.9", 1), ("parquet-mr version 1.15.1 (build 1)", 0), ("tributary-like version 1", 0)]
    {
        let properties =
            WriterProperties::builder().set_created_by(writer.to_owned()).set_compression(spec.compression);
        let mut bytes = Vec::new();
        let root = spec.parquet.root_schema_ptr();
        let mut file = SerializedFileWriter::new(&mut bytes, root, Arc::new(properties.build())).unwrap();
        let mut group = file.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<parquet::data_type::Int32Type>().write_batch(&[1], Some(&[1]), None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
        file.close().unwrap();
        assert_eq!(spec.copyable(&metadata(&bytes.into())).len(), copied, "{writer}");
    }
}
