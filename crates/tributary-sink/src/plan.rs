//! What lanes write with, and how that follows the table's schema while the job runs.
//!
//! A job makes rows of the columns its table had when its statements were read. When another engine adds columns, the
//! committer learns of it at the next commit and a new plan goes to the lanes: files that are started from then on have
//! the new schema, with null in the new columns. Files that are open stay what they are. Options are taken up at the next
//! start only: a writer's limits are derived from them once.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::SchemaRef;
use paimon_format::partition::partition_path;
use paimon_format::{BinaryRow, TableSchema, TypeRoot, names};
use paimon_table::arrow::arrow_schema;
use paimon_table::evolution::check_written;
use paimon_table::table::Table;
use paimon_table::write::WriterSpec;
use tokio::sync::watch;
use tributary_runtime::Random;

use crate::batch::RowTransform;
use crate::error::SinkError;
use crate::metrics::PipelineMetrics;
use crate::partitioner::Partitioner;

/// What every lane of a pipeline writes with, for one schema of the table.
pub(crate) struct WritePlan {
    pub(crate) transform: Arc<dyn RowTransform>,
    /// What the transform makes.
    pub(crate) made: SchemaRef,
    /// Of the files' schema.
    pub(crate) schema_id: i64,
    /// Per column of the files its place among those that are made, `None` where null is written.
    columns: Vec<Option<usize>>,
    schema: SchemaRef,
    pub(crate) partitioner: Partitioner,
    pub(crate) spec: WriterSpec,
    partition_keys: Vec<String>,
    partition_types: Vec<TypeRoot>,
    default_partition: String,
    pub(crate) file_prefix: String,
    pub(crate) target_file_bytes: u64,
    pub(crate) target_file_rows: u64,
    /// Bytes from which the rows of a file are worth a writer.
    pub(crate) worth_bytes: usize,
    pub(crate) random: Random,
    pub(crate) metrics: PipelineMetrics,
}

/// Makes a plan for each schema the table has while the job runs.
pub(crate) struct Planner {
    pub(crate) table: Table,
    /// The columns the transform makes.
    pub(crate) rows: Arc<TableSchema>,
    pub(crate) transform: Arc<dyn RowTransform>,
    pub(crate) row_group_bytes: usize,
    pub(crate) random: Random,
    pub(crate) metrics: PipelineMetrics,
}

/// Gives the lanes the plan of the newest schema.
pub(crate) struct Follow {
    planner: Planner,
    schema: Arc<TableSchema>,
    plans: watch::Sender<Arc<WritePlan>>,
}

// === impl Follow ===

impl Follow {
    /// # Errors
    /// As [`Follow::advance`].
    pub(crate) fn start(planner: Planner, schema: &Arc<TableSchema>) -> Result<Self, SinkError> {
        let plans = watch::Sender::new(Arc::new(planner.plan(schema)?));
        // After a replay the rows may be older than the table as it was loaded.
        if schema.fields != planner.rows.fields {
            planner.announce(&planner.rows, schema);
        }
        Ok(Self { planner, schema: Arc::clone(schema), plans })
    }

    pub(crate) fn plans(&self) -> watch::Receiver<Arc<WritePlan>> {
        self.plans.subscribe()
    }

    /// Goes over to `schema` if that is a new one.
    ///
    /// # Errors
    /// [`SinkError::Schema`] when the rows do not fit it.
    pub(crate) fn advance(&mut self, schema: &Arc<TableSchema>) -> Result<(), SinkError> {
        if schema.id == self.schema.id {
            return Ok(());
        }
        self.planner.announce(&self.schema, schema);
        self.plans.send_replace(Arc::new(self.planner.plan(schema)?));
        self.schema = Arc::clone(schema);
        Ok(())
    }
}

// === impl Planner ===

impl Planner {
    /// # Errors
    /// [`SinkError::Schema`] when the rows do not fit the schema.
    fn plan(&self, schema: &TableSchema) -> Result<WritePlan, SinkError> {
        check_rows(&self.table, &self.rows, schema)?;
        let options = self.table.options();
        let spec = WriterSpec::try_new(&schema.fields, options, self.row_group_bytes)?;
        let target_file_bytes = options.target_file_size.bytes();
        let worth_bytes = spec.writer_bytes().min(self.row_group_bytes);
        let place = |id| self.rows.fields.iter().position(|made| made.id == id);
        Ok(WritePlan {
            transform: Arc::clone(&self.transform),
            made: arrow_schema(&self.rows.fields),
            schema_id: schema.id,
            columns: schema.fields.iter().map(|field| place(field.id)).collect(),
            schema: Arc::clone(spec.arrow_schema()),
            partitioner: Partitioner::try_new(schema)?,
            spec,
            partition_keys: schema.partition_keys.clone(),
            partition_types: schema.partition_types(),
            default_partition: options.partition_default_name.clone(),
            file_prefix: options.data_file_prefix.clone(),
            target_file_bytes,
            target_file_rows: options.target_file_row_num,
            worth_bytes: worth_bytes.min(usize::try_from(target_file_bytes).unwrap_or(usize::MAX)),
            random: self.random.clone(),
            metrics: self.metrics.clone(),
        })
    }

    /// The one line that says what a schema that appeared means for the job.
    fn announce(&self, before: &TableSchema, now: &TableSchema) {
        let table = self.table.identifier();
        let is_new = |id| before.fields.iter().all(|field| field.id != id);
        let added: Vec<_> =
            now.fields.iter().filter(|field| is_new(field.id)).map(|field| field.name.as_str()).collect();
        let options = before.options != now.options;
        if !added.is_empty() {
            tracing::warn!(
                %table, schema = now.id, columns = added.join(", "), options_changed = options,
                "another engine added columns: rows of this job have null there; its INSERT has to account for them at the next start"
            );
        } else if options {
            tracing::warn!(%table, schema = now.id, "the table's options changed: they are taken up at the next start");
        } else {
            tracing::info!(%table, schema = now.id, "the table has a new schema; the job's columns are the same");
        }
    }
}

/// Whether rows of the schema `rows` can be written under the schema `now` of the table.
///
/// # Errors
/// [`SinkError::Schema`] with the difference.
pub(crate) fn check_rows(table: &Table, rows: &TableSchema, now: &TableSchema) -> Result<(), SinkError> {
    check_written(rows, now).map_err(|what| SinkError::Schema {
        why: format!("schema {} of {} {what}; bring the INSERT in line and start again", now.id, table.identifier()),
    })
}

// === impl WritePlan ===

impl WritePlan {
    /// Rows as the transform made them, as rows of the files.
    pub(crate) fn fill(&self, rows: RecordBatch) -> Result<RecordBatch, SinkError> {
        if self.columns.iter().copied().eq((0..rows.num_columns()).map(Some)) {
            return Ok(rows);
        }
        let count = rows.num_rows();
        let column = |(place, field): (&Option<usize>, &Arc<arrow::datatypes::Field>)| match place {
            Some(place) => Arc::clone(rows.column(*place)),
            None => new_null_array(field.data_type(), count),
        };
        let arrays = self.columns.iter().zip(self.schema.fields()).map(column).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
            .map_err(SinkError::arrow("filling columns that were added to the table"))
    }

    /// The folder of a partition's files below the table.
    pub(crate) fn folder(&self, partition: &BinaryRow) -> Result<String, SinkError> {
        let doing = "naming a partition";
        let values = partition.decode(&self.partition_types).map_err(SinkError::format(doing))?;
        let path = partition_path(&self.partition_keys, &self.partition_types, &values, &self.default_partition)
            .map_err(SinkError::format(doing))?;
        let bucket = names::bucket_dir(0);
        Ok(if path.is_empty() { bucket } else { format!("{path}/{bucket}") })
    }
}
