//! Rows and statistics of files that were written under another schema of the table.
//!
//! Columns are the same when their ids are: ids map schemas, and a file's schema says which name a column has inside
//! the file. A column the file's schema did not have is null; one whose type changed is cast, as Paimon's readers do
//! (`SchemaEvolutionUtil`). Statistics follow by the same map, and only where that is safe: bounds survive a cast that
//! keeps the order, null counts one that makes no nulls. What is not known excludes no file.
//!
//! Not here: changes inside nested columns, and default values (tables with them are refused).

mod casts;

use std::sync::Arc;

use arrow::array::{Array, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::SchemaRef;
use paimon_format::{ColumnStats, DataField, TableSchema};

use crate::arrow::arrow_schema;
use crate::predicate;
use casts::Cast;

/// How rows of one schema become rows of chosen columns of another.
#[derive(Debug)]
pub(crate) struct Evolution {
    reads: Vec<DataField>,
    columns: Vec<Column>,
    target: SchemaRef,
}

#[derive(Debug)]
enum Column {
    /// A column of the file, by its place among those that are read.
    Read(usize, Cast),
    /// Added after the file was written.
    Absent,
}

// === impl Evolution ===

impl Evolution {
    /// From rows of the schema `written` to `fields`, which may be of a later or an earlier schema.
    ///
    /// # Errors
    /// Which column cannot be had from such a file, and why.
    pub(crate) fn try_new(written: &TableSchema, fields: &[DataField]) -> Result<Self, String> {
        let mut reads: Vec<DataField> = Vec::with_capacity(fields.len());
        let mut columns = Vec::with_capacity(fields.len());
        for field in fields {
            let Some(then) = written.fields.iter().find(|then| then.id == field.id) else {
                columns.push(Column::Absent);
                continue;
            };
            let cast = Cast::between(&then.data_type.root, &field.data_type.root).ok_or_else(|| {
                format!(
                    "column `{}` was {} in schema {} and is {} now; reading one as the other is not supported",
                    field.name, then.data_type.root, written.id, field.data_type.root
                )
            })?;
            columns.push(Column::Read(reads.len(), cast));
            reads.push(then.clone());
        }
        Ok(Self { reads, columns, target: arrow_schema(fields) })
    }

    /// The file's columns that are needed, under their names in the file.
    pub(crate) fn reads(&self) -> &[DataField] {
        &self.reads
    }

    /// Turns a batch of [`Evolution::reads`] into one of the wanted columns.
    ///
    /// # Errors
    /// Which column holds a value that the wanted type cannot, null included.
    pub(crate) fn apply(&self, batch: &RecordBatch) -> Result<RecordBatch, String> {
        let rows = batch.num_rows();
        let mut arrays = Vec::with_capacity(self.columns.len());
        for (column, field) in self.columns.iter().zip(self.target.fields()) {
            let array = match column {
                Column::Absent => new_null_array(field.data_type(), rows),
                Column::Read(at, cast) => {
                    cast.array(batch.column(*at)).map_err(|error| format!("column `{}`: {error}", field.name()))?
                }
            };
            if !field.is_nullable() && array.null_count() > 0 {
                return Err(format!(
                    "column `{}` is NOT NULL by now, and this older file has null there",
                    field.name()
                ));
            }
            arrays.push(array);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.target), arrays, &options).map_err(|error| error.to_string())
    }
}

/// What is known of the column `now` in a file of `rows` rows and the schema `written`, where `stats` gives the
/// statistics of a column of that schema.
pub(crate) fn column_stats(
    written: &TableSchema,
    now: &DataField,
    rows: i64,
    stats: impl FnOnce(&DataField) -> Option<ColumnStats>,
) -> Option<ColumnStats> {
    match written.fields.iter().find(|then| then.id == now.id) {
        None => Some(predicate::exactly(None, rows)),
        Some(then) => Some(Cast::between(&then.data_type.root, &now.data_type.root)?.stats(stats(then)?)),
    }
}

/// Whether rows made for the schema `made_for` can still be written to a table that has the schema `now`: every column of
/// theirs is there under its name and with its type, and all others admit null.
///
/// # Errors
/// The first difference, as a sentence about `now`.
pub fn check_written(made_for: &TableSchema, now: &TableSchema) -> Result<(), String> {
    if made_for.partition_keys != now.partition_keys {
        let keys = |schema: &TableSchema| schema.partition_keys.join(", ");
        return Err(format!("is partitioned by ({}) instead of ({})", keys(now), keys(made_for)));
    }
    for then in &made_for.fields {
        let Some(field) = now.fields.iter().find(|field| field.id == then.id) else {
            return Err(format!("has no column `{}` any more", then.name));
        };
        if field.name != then.name {
            return Err(format!("calls the column `{}` now `{}`", then.name, field.name));
        }
        if field.data_type.root != then.data_type.root {
            let (was, is) = (&then.data_type.root, &field.data_type.root);
            return Err(format!("changes the column `{}` from {was} to {is}", then.name));
        }
        if then.data_type.nullable && !field.data_type.nullable {
            return Err(format!("makes the column `{}` NOT NULL", then.name));
        }
    }
    let is_new = |field: &&DataField| made_for.fields.iter().all(|then| then.id != field.id);
    match now.fields.iter().filter(is_new).find(|field| !field.data_type.nullable) {
        Some(field) => {
            Err(format!("adds the column `{}`, which is NOT NULL and which the rows do not have", field.name))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
