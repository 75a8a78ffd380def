//! What this machine can do at most: generate the same rows and write them with arrow's Parquet writer, two threads in a
//! loop, no channel, no epochs, no commits.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{Field, Schema, SchemaRef};
use paimon_format::{CoreOptions, DataField, DataType};
use paimon_table::write::WriterSpec;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use tributary_runtime::{Interval, Position, SplitId};
use tributary_source::datagen::{DatagenSpec, FieldDef, FieldType, MAX_LENGTH, Rows};

/// Rows of a batch: as many of the tutorial's as the daemon puts in one.
const BATCH_ROWS: u64 = 4_900;
/// A file ends at this size, as the daemon's do (`target-file-size`).
const FILE_BYTES: usize = 256 << 20;

/// Whose writer properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Properties {
    /// The library's defaults, with zstd level 1.
    Default,
    /// Those the daemon uses for this table.
    Ours,
}

/// Writes `rows` of the tutorial's rows into `folder`; returns the seconds from the first row to the last file synced.
pub(crate) fn run(properties: Properties, rows: u64, folder: &Path) -> f64 {
    let threads = 2;
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || write(properties, rows / u64::from(threads), thread, folder));
        }
    });
    begin.elapsed().as_secs_f64()
}

fn write(properties: Properties, rows: u64, thread: u32, folder: &Path) {
    let source = source();
    let schema = schema();
    let mut open: Option<ArrowWriter<File>> = None;
    let mut files = 0;
    let mut position = 0;
    while position < rows {
        let to = (position + BATCH_ROWS).min(rows);
        let interval = Interval { split: SplitId(thread), from: Position(position), to: Position(to) };
        let batch = select(&source.batch(interval, 0).unwrap(), &schema);
        position = to;
        let writer = open.get_or_insert_with(|| {
            files += 1;
            let file = File::create(folder.join(format!("{thread}-{files}.parquet"))).unwrap();
            ArrowWriter::try_new(file, Arc::clone(&schema), Some(writer_properties(properties, &batch))).unwrap()
        });
        writer.write(&batch).unwrap();
        if writer.bytes_written() + writer.in_progress_size() >= FILE_BYTES {
            close(open.take());
        }
    }
    close(open);
}

fn close(writer: Option<ArrowWriter<File>>) {
    if let Some(writer) = writer {
        writer.into_inner().unwrap().sync_all().unwrap();
    }
}

/// The tutorial's temporary table.
fn source() -> Rows {
    let column = |name: &str, data_type| FieldDef { name: name.to_owned(), data_type, nullable: true };
    let text = FieldType::Varchar(MAX_LENGTH);
    let columns = [column("id", text.clone()), column("data", text), column("category", FieldType::Int)];
    let spec = DatagenSpec::try_new(&columns, [("fields.category.min", "1"), ("fields.category.max", "10")]).unwrap();
    spec.rows(1, 2)
}

/// So many of the tutorial's rows, in batches of `batch_rows`.
pub(crate) fn batches(rows: u64, batch_rows: u64) -> Vec<RecordBatch> {
    let (source, schema) = (source(), schema());
    let batch = |from: u64| {
        let interval = Interval { split: SplitId(0), from: Position(from), to: Position(from + batch_rows) };
        select(&source.batch(interval, 0).unwrap(), &schema)
    };
    (0..rows).step_by(batch_rows as usize).map(batch).collect()
}

/// The tutorial's SELECT, its constants made once per batch.
fn select(rows: &RecordBatch, schema: &SchemaRef) -> RecordBatch {
    let constant = |text: &str| -> ArrayRef { Arc::new(StringArray::new_repeated(text, rows.num_rows())) };
    let mut columns = rows.columns().to_vec();
    columns.extend([constant("2026-01-01 09:00:00.000"), constant("2026-01-01"), constant("9")]);
    RecordBatch::try_new(Arc::clone(schema), columns).unwrap()
}

fn schema() -> SchemaRef {
    let text = |name| Field::new(name, arrow::datatypes::DataType::Utf8, true);
    let category = Field::new("category", arrow::datatypes::DataType::Int32, true);
    Arc::new(Schema::new(vec![text("id"), text("data"), category, text("ts"), text("dt"), text("hh")]))
}

fn writer_properties(properties: Properties, sample: &RecordBatch) -> WriterProperties {
    match properties {
        Properties::Default => {
            WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::try_new(1).unwrap())).build()
        }
        Properties::Ours => {
            let field = |(id, field): (usize, &Arc<Field>)| {
                let kind = if field.name() == "category" { "INT" } else { "STRING" };
                DataField::new(id as i32, field.name().clone(), kind.parse::<DataType>().unwrap())
            };
            let fields: Vec<_> = sample.schema().fields().iter().enumerate().map(field).collect();
            WriterSpec::try_new(&fields, &CoreOptions::default(), usize::MAX).unwrap().properties(sample)
        }
    }
}
