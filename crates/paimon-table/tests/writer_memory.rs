//! What an open writer says it holds is what it makes the process grow by. Alone in its process: others would be measured
//! with it.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, RecordBatch, StringArray};
use paimon_format::{CoreOptions, DataField};
use paimon_table::arrow::arrow_schema;
use paimon_table::write::{DataFileWriter, WriterSpec};

const BATCH_ROWS: usize = 1_000;

fn resident_bytes() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

/// 96 characters that neither repeat nor compress to nothing.
fn text(seed: usize) -> String {
    let mut state = (seed as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let word = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        format!("{:08x}", state as u32)
    };
    (0..12).map(word).collect()
}

fn texts(text: impl Fn(usize) -> String) -> ArrayRef {
    Arc::new(StringArray::from_iter_values((0..BATCH_ROWS).map(text)))
}

/// The columns of the tutorial's table.
fn tutorial() -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("STRING", texts(text)),
        ("STRING", texts(|row| text(row + BATCH_ROWS))),
        ("INT", Arc::new(Int32Array::from_iter_values((0..BATCH_ROWS).map(|row| (row % 10) as i32)))),
        ("STRING", texts(|row| format!("2026-01-01 00:00:00.{row:03}"))),
        ("STRING", texts(|_| "2026-01-01".to_owned())),
        ("STRING", texts(|_| "11".to_owned())),
    ]
}

fn numbers(columns: usize) -> Vec<(&'static str, ArrayRef)> {
    let values = |column| Int32Array::from_iter_values((0..BATCH_ROWS).map(|row| (row * 7919 + column) as i32));
    (0..columns).map(|column| ("INT", Arc::new(values(column)) as ArrayRef)).collect()
}

#[test]
fn a_writer_holds_what_it_says() {
    let mut report = String::new();
    // Columns, options, rows of a batch, batches, writers.
    type Case = (fn() -> Vec<(&'static str, ArrayRef)>, &'static [(&'static str, &'static str)], usize, usize, usize);
    const LEVEL: &str = "file.compression.zstd-level";
    let cases: &[Case] = &[
        (tutorial, &[], 1, 1, 60),
        (tutorial, &[], 300, 1, 60),
        (tutorial, &[], BATCH_ROWS, 1, 40),
        (tutorial, &[], BATCH_ROWS, 24, 8),
        (tutorial, &[(LEVEL, "3")], BATCH_ROWS, 1, 20),
        (tutorial, &[(LEVEL, "9")], BATCH_ROWS, 1, 20),
        (tutorial, &[(LEVEL, "19")], BATCH_ROWS, 1, 10),
        (tutorial, &[("file.compression", "none")], BATCH_ROWS, 1, 40),
        (tutorial, &[("file.compression", "snappy")], BATCH_ROWS, 1, 40),
        (|| numbers(1), &[], 20, 1, 200),
        (|| numbers(200), &[], 20, 1, 10),
        (|| numbers(200), &[], BATCH_ROWS, 30, 2),
    ];
    for (columns, options, rows, batches, writers) in cases {
        let columns = columns();
        let field = |(id, (kind, _)): (usize, &(&str, ArrayRef))| {
            DataField::new(id as i32, format!("c{id}"), kind.parse().unwrap())
        };
        let fields: Vec<_> = columns.iter().enumerate().map(field).collect();
        let batch = RecordBatch::try_new(arrow_schema(&fields), columns.into_iter().map(|column| column.1).collect());
        let batch = batch.unwrap();
        let given = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let spec = WriterSpec::try_new(&fields, &CoreOptions::parse(&given).unwrap(), 64 << 20).unwrap();
        let before = resident_bytes();
        let open: Vec<_> = (0..*writers)
            .map(|_| {
                let mut writer = DataFileWriter::try_new(&spec, &batch).unwrap();
                (0..*batches).for_each(|_| writer.write(&batch.slice(0, *rows)).unwrap());
                writer
            })
            .collect();
        let resident = (resident_bytes() - before) / writers;
        let said = open.iter().map(DataFileWriter::in_memory_bytes).sum::<usize>() / writers;
        // Kept: what one case frees the next would take without growing.
        std::mem::forget(open);
        report +=
            &format!("{} columns {options:?}, {batches} x {rows} rows: holds {resident}, says {said}\n", fields.len());
    }
    println!("{report}");
}
