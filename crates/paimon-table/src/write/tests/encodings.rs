#![allow(clippy::unwrap_used)]
//! What the table's options ask for is in the file.

use super::super::spec::MIN_SAMPLE_ROWS;
use super::*;

/// A column's data pages: encoding, values, bytes uncompressed.
type Pages = Vec<(Encoding, u32, usize)>;

fn pages(bytes: &Bytes, column: usize) -> Pages {
    let reader = SerializedFileReader::new(bytes.clone()).unwrap();
    let group = reader.get_row_group(0).unwrap();
    let pages = group.get_column_page_reader(column).unwrap().map(Result::unwrap);
    let data = pages.filter(|page| page.page_type() == PageType::DATA_PAGE);
    data.map(|page| (page.encoding(), page.num_values(), page.buffer().len())).collect()
}

fn tutorial_file(pairs: &[(&str, &str)]) -> Bytes {
    let (fields, batches) = tutorial();
    let spec = WriterSpec::try_new(&fields, &options(pairs), 1 << 30).unwrap();
    write_file(&spec, &batches).0
}

#[test]
fn only_columns_that_repeat_get_a_dictionary() {
    let (fields, batches) = tutorial();
    let spec = |pairs| WriterSpec::try_new(&fields, &options(pairs), 1 << 20).unwrap();
    let dictionaries = |spec: &WriterSpec, batches: &[RecordBatch]| -> Vec<bool> {
        let metadata = metadata(&write_file(spec, batches).0);
        let columns = metadata.row_group(0).columns().iter();
        columns.map(|column| column.dictionary_page_offset().is_some()).collect()
    };
    assert_eq!(dictionaries(&spec(&[]), &batches), [false, false, true, true, true, true]);
    // A handful of rows proves nothing.
    let few = [batches[0].slice(0, MIN_SAMPLE_ROWS - 1)];
    assert_eq!(dictionaries(&spec(&[]), &few), [true; 6]);
    // The table's option decides where it is set.
    assert_eq!(dictionaries(&spec(&[("parquet.enable.dictionary", "true")]), &batches), [true; 6]);
    assert_eq!(dictionaries(&spec(&[("parquet.enable.dictionary", "false")]), &batches), [false; 6]);
}

#[test]
fn pages_and_row_groups_are_of_the_sizes_asked_for() {
    let default = tutorial_file(&[]);
    let largest = |pages: Pages| pages.iter().map(|page| page.2).max().unwrap();
    let most = |pages: Pages| pages.iter().map(|page| page.1).max().unwrap();
    let plain = largest(pages(&default, 0));
    assert!((64 << 10..112 << 10).contains(&plain), "a plain page is full from 64 KiB on: {plain}");
    assert!((20_000..25_000).contains(&most(pages(&default, 4))), "a constant column");

    let large = tutorial_file(&[("parquet.page.size", "500000")]);
    let large = largest(pages(&large, 0));
    assert!((500_000..1_000_000).contains(&large), "{large}");
    let rows = tutorial_file(&[("parquet.page.row.count.limit", "100")]);
    // What is left of a batch is in one page with the next 100.
    assert!([0, 4].map(|column| most(pages(&rows, column))).iter().all(|most| (100..200).contains(most)));

    let groups = |pairs: &[(&str, &str)]| metadata(&tutorial_file(pairs)).num_row_groups();
    assert_eq!(groups(&[]), 1);
    assert!(groups(&[("parquet.block.size", "1000000")]) > 1);
    assert_eq!(groups(&[("parquet.block.size", "1000000"), ("file.block-size", "128 mb")]), 1, "Paimon's own wins");
}

#[test]
fn a_dictionary_beyond_its_size_is_given_up() {
    let id = |pairs: &[(&str, &str)]| pages(&tutorial_file(pairs), 0).iter().map(|page| page.0).collect::<Vec<_>>();
    let on = ("parquet.enable.dictionary#id", "true");
    assert!(id(&[on, ("parquet.dictionary.page.size", "100000000")]).iter().all(|e| *e == Encoding::RLE_DICTIONARY));
    let small = id(&[on, ("parquet.dictionary.page.size", "1000")]);
    assert_eq!((small.first(), small.last()), (Some(&Encoding::RLE_DICTIONARY), Some(&Encoding::PLAIN)));
}

#[test]
fn dictionaries_are_chosen_per_column() {
    let bytes = tutorial_file(&[("parquet.enable.dictionary#hh", "false"), ("parquet.enable.dictionary#id", "true")]);
    let encodings: Vec<_> = (0..6).map(|column| pages(&bytes, column)[0].0).collect();
    let (plain, dictionary) = (Encoding::PLAIN, Encoding::RLE_DICTIONARY);
    assert_eq!(encodings, [dictionary, plain, dictionary, dictionary, dictionary, plain]);
}

#[test]
fn a_nested_column_and_one_leaf_of_it_can_do_without_a_dictionary() {
    let fields = fields(&[("m", "MAP<INT NOT NULL, STRING>")]);
    let dictionaries = |pairs: &[(&str, &str)]| -> Vec<bool> {
        let spec = WriterSpec::try_new(&fields, &options(pairs), 1 << 20).unwrap();
        let sample = RecordBatch::new_empty(Arc::clone(spec.arrow_schema()));
        let properties = spec.properties(&sample);
        (0..2).map(|leaf| properties.dictionary_enabled(spec.parquet.column(leaf).path())).collect()
    };
    assert_eq!(dictionaries(&[]), [true, true]);
    assert_eq!(dictionaries(&[("parquet.enable.dictionary#m", "false")]), [false, false]);
    assert_eq!(dictionaries(&[("parquet.enable.dictionary#m.key_value.value", "false")]), [true, false]);
}

#[test]
fn the_codec_is_the_one_parquet_names_first() {
    let codec = |pairs: &[(&str, &str)]| metadata(&tutorial_file(pairs)).row_group(0).column(0).compression();
    let level = |level| Compression::ZSTD(ZstdLevel::try_new(level).unwrap());
    assert_eq!(codec(&[]), level(1));
    assert_eq!(codec(&[("file.compression", "zstd"), ("parquet.compression", "SNAPPY")]), Compression::SNAPPY);
    assert_eq!(codec(&[("parquet.compression", "UNCOMPRESSED")]), Compression::UNCOMPRESSED);
    let spec = |pairs: &[(&str, &str)]| WriterSpec::try_new(&tutorial().0, &options(pairs), 1).unwrap().compression;
    let (file, parquet) = (("file.compression.zstd-level", "3"), ("parquet.compression.codec.zstd.level", "9"));
    assert_eq!((spec(&[file]), spec(&[file, parquet])), (level(3), level(9)));
}
