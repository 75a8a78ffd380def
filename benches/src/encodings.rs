//! What page sizes and dictionaries cost and save: a data file of each is written and read in memory, on one
//! thread, and its time on the CPU is taken, which other work on the machine disturbs least.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use bytes::Bytes;
use paimon_format::{CoreOptions, DataField};
use paimon_table::arrow::arrow_schema;
use paimon_table::write::{DataFileWriter, WriterSpec};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::{ceiling, median};

/// A name and the table's options.
type Case = (String, Vec<(String, String)>);

/// Rows of a batch.
const BATCH_ROWS: usize = 4_900;
/// Row groups close at this size, as with the default memory limit and two lanes.
const ROW_GROUP_BYTES: usize = 32 << 20;

#[derive(Default)]
struct Measured {
    write: Vec<f64>,
    read: Vec<f64>,
    bytes: usize,
}

pub(crate) fn run(rows: u64, rounds: usize) {
    let fields = columns(&[
        ("id", "STRING"),
        ("data", "STRING"),
        ("category", "INT"),
        ("ts", "STRING"),
        ("dt", "STRING"),
        ("hh", "STRING"),
    ]);
    println!("The tutorial's rows:\n");
    table(&fields, &ceiling::batches(rows, BATCH_ROWS as u64), &tutorial_cases(), rounds);

    let fields = columns(&[("text", "STRING")]);
    for distinct in [100, 1_000, 10_000, 100_000, 1_000_000] {
        println!("\nOne column of 32 characters, {distinct} different values:\n");
        let batches = repeating(&fields, rows, distinct);
        let case =
            |name: &str, value: &str| (name.to_owned(), vec![("parquet.enable.dictionary".into(), value.into())]);
        table(&fields, &batches, &[("default".into(), vec![]), case("on", "true"), case("off", "false")], rounds);
    }
}

fn tutorial_cases() -> Vec<Case> {
    let mut cases = vec![("default".to_owned(), vec![])];
    for kilobytes in [8, 16, 32, 64, 128, 256, 1024] {
        let bytes = (kilobytes << 10).to_string();
        cases.push((format!("pages of {kilobytes} KiB"), vec![("parquet.page.size".to_owned(), bytes)]));
    }
    let all = |key: &str, value: &str| vec![(key.to_owned(), value.to_owned())];
    cases.push(("dictionary for all columns".into(), all("parquet.enable.dictionary", "true")));
    cases.push(("dictionary for none".into(), all("parquet.enable.dictionary", "false")));
    cases
}

fn table(fields: &[DataField], batches: &[RecordBatch], cases: &[Case], rounds: usize) {
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let mut measured: Vec<Measured> = cases.iter().map(|_| Measured::default()).collect();
    for _ in 0..rounds {
        for ((_, options), measured) in cases.iter().zip(&mut measured) {
            let options = CoreOptions::parse(&options.iter().cloned().collect()).unwrap();
            let spec = WriterSpec::try_new(fields, &options, ROW_GROUP_BYTES).unwrap();
            let begin = cpu_seconds();
            let file = write(&spec, batches);
            let written = cpu_seconds();
            read(file.clone());
            measured.write.push(written - begin);
            measured.read.push(cpu_seconds() - written);
            measured.bytes = file.len();
        }
    }
    println!("| | rows written/s | rows read/s | bytes/row |\n| --- | --- | --- | --- |");
    for ((name, _), Measured { write, read, bytes }) in cases.iter().zip(measured) {
        let rate = |seconds| rows as f64 / median(seconds);
        println!("| {name} | {:.0} | {:.0} | {:.2} |", rate(write), rate(read), bytes as f64 / rows as f64);
    }
}

fn write(spec: &WriterSpec, batches: &[RecordBatch]) -> Bytes {
    let mut writer = DataFileWriter::try_new(spec, &batches[0]).unwrap();
    let mut bytes = Vec::new();
    for batch in batches {
        writer.write(batch).unwrap();
        while let Some(piece) = writer.drain_encoded() {
            bytes.extend_from_slice(&piece);
        }
    }
    writer.finish().unwrap().tail.iter().for_each(|piece| bytes.extend_from_slice(piece));
    bytes.into()
}

fn read(file: Bytes) {
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().with_batch_size(8_192).build().unwrap();
    reader.for_each(|batch| drop(std::hint::black_box(batch.unwrap())));
}

fn columns(columns: &[(&str, &str)]) -> Vec<DataField> {
    let field = |((name, kind), id): (&(&str, &str), i32)| DataField::new(id, *name, kind.parse().unwrap());
    columns.iter().zip(0..).map(field).collect()
}

/// Each row one of `distinct` texts, drawn evenly.
fn repeating(fields: &[DataField], rows: u64, distinct: u64) -> Vec<RecordBatch> {
    // SplitMix64: its state is a counter.
    let mix = |mut state: u64| {
        state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        state ^ (state >> 31)
    };
    let draw = |row: u64| mix(row.wrapping_mul(0x9E37_79B9_7F4A_7C15)) % distinct;
    let text = |row| format!("{:016x}{:016x}", mix(draw(row) + 1), mix(draw(row) + 1 + distinct));
    let schema = arrow_schema(fields);
    let batch = |from: usize| {
        let texts: ArrayRef =
            Arc::new(StringArray::from_iter_values((from..from + BATCH_ROWS).map(|row| text(row as u64))));
        RecordBatch::try_new(Arc::clone(&schema), vec![texts]).unwrap()
    };
    (0..rows as usize).step_by(BATCH_ROWS).map(batch).collect()
}

/// Time this thread has been on a CPU.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}
