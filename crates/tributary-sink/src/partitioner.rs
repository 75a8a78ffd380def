//! Splits a batch of target rows by partition.
//!
//! Rows of one moment nearly always share a partition, and rows of one key come in runs. So the
//! partition columns are compared with themselves shifted by one row (a vectorised kernel): one run
//! means the batch passes through untouched, a partition that has one run gets a slice, and only a
//! partition scattered over several runs is gathered by a copy.

use std::collections::BTreeMap;
use std::ops::Range;

use arrow::array::UInt32Array;
use arrow::compute::{partition, take_record_batch};
use arrow::record_batch::RecordBatch;
use paimon_format::{BinaryRow, TableSchema, TypeRoot};
use paimon_table::arrow::datum_at;

use crate::error::SinkError;

/// Knows where a table's partition columns are.
#[derive(Debug, Clone)]
pub(crate) struct Partitioner {
    columns: Vec<usize>,
    roots: Vec<TypeRoot>,
}

/// The rows of a batch that belong to one partition, in the batch's order.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) partition: BinaryRow,
    pub(crate) rows: RecordBatch,
}

// === impl Partitioner ===

impl Partitioner {
    /// # Errors
    /// [`SinkError::Schema`] when a partition key is not a column of the schema.
    pub(crate) fn try_new(schema: &TableSchema) -> Result<Self, SinkError> {
        let mut columns = Vec::with_capacity(schema.partition_keys.len());
        let mut roots = Vec::with_capacity(schema.partition_keys.len());
        for key in &schema.partition_keys {
            let at = schema.fields.iter().position(|field| &field.name == key);
            let at = at.ok_or_else(|| SinkError::Schema {
                why: format!("partition key {key} is not a column of the table"),
            })?;
            columns.push(at);
            roots.push(schema.fields[at].data_type.root.clone());
        }
        Ok(Self { columns, roots })
    }

    /// Every row of `batch` in exactly one part; parts ordered by their first row.
    pub(crate) fn split(&self, batch: RecordBatch) -> Result<Vec<Part>, SinkError> {
        if batch.num_rows() == 0 {
            return Ok(Vec::new());
        }
        let runs = self.runs(&batch)?;
        if let [_] = runs.as_slice() {
            let partition = self.value_at(&batch, 0)?;
            return Ok(vec![Part { partition, rows: batch }]);
        }
        let mut index: BTreeMap<BinaryRow, usize> = BTreeMap::new();
        let mut groups: Vec<(BinaryRow, Vec<Range<usize>>)> = Vec::new();
        for run in runs {
            let partition = self.value_at(&batch, run.start)?;
            match index.get(&partition) {
                Some(&at) => groups[at].1.push(run),
                None => {
                    index.insert(partition.clone(), groups.len());
                    groups.push((partition, vec![run]));
                }
            }
        }
        groups.into_iter().map(|(partition, runs)| Ok(Part { partition, rows: gather(&batch, &runs)? })).collect()
    }

    fn runs(&self, batch: &RecordBatch) -> Result<Vec<Range<usize>>, SinkError> {
        if self.columns.is_empty() {
            return Ok(std::iter::once(0..batch.num_rows()).collect());
        }
        let keys: Vec<_> = self.columns.iter().map(|&at| batch.column(at).clone()).collect();
        let partitions = partition(&keys).map_err(SinkError::arrow("comparing partition keys"))?;
        Ok(partitions.ranges())
    }

    fn value_at(&self, batch: &RecordBatch, row: usize) -> Result<BinaryRow, SinkError> {
        let mut values = Vec::with_capacity(self.columns.len());
        for (&at, root) in self.columns.iter().zip(&self.roots) {
            values.push(datum_at(batch.column(at).as_ref(), row, root)?);
        }
        BinaryRow::encode(&self.roots, &values).map_err(SinkError::format("encoding a partition"))
    }
}

fn gather(batch: &RecordBatch, runs: &[Range<usize>]) -> Result<RecordBatch, SinkError> {
    if let [run] = runs {
        return Ok(batch.slice(run.start, run.len()));
    }
    let rows = runs.iter().cloned().flatten().map(|row| row as u32);
    take_record_batch(batch, &UInt32Array::from_iter_values(rows))
        .map_err(SinkError::arrow("splitting a batch by partition"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use arrow::array::{Array, AsArray, Int64Array, StringArray};
    use arrow::datatypes::Int64Type;
    use paimon_format::{DataField, Datum};
    use paimon_table::arrow::arrow_schema;

    use super::*;

    /// Splits rows `0..` whose partition is each of `keys` and returns the partitions with their rows.
    fn split(keys: &[Option<&str>], partitioned: bool) -> Vec<(Option<String>, Vec<i64>)> {
        let fields = vec![
            DataField::new(0, "id", "BIGINT".parse().unwrap()),
            DataField::new(1, "dt", "STRING".parse().unwrap()),
        ];
        let ids = Int64Array::from_iter_values(0..keys.len() as i64);
        let dts = StringArray::from_iter(keys.iter().copied());
        let batch = RecordBatch::try_new(arrow_schema(&fields), vec![Arc::new(ids), Arc::new(dts)]).unwrap();
        let schema = TableSchema {
            version: 3,
            id: 0,
            fields,
            highest_field_id: 1,
            partition_keys: partitioned.then(|| "dt".to_owned()).into_iter().collect(),
            primary_keys: Vec::new(),
            options: BTreeMap::new(),
            comment: None,
            time_millis: 0,
        };
        let partitioner = Partitioner::try_new(&schema).unwrap();
        let parts = partitioner.split(batch).unwrap();
        parts
            .into_iter()
            .map(|part| {
                let values = part.partition.decode(&partitioner.roots).unwrap();
                let key = values.into_iter().next().flatten().map(|value| match value {
                    Datum::String(text) => text,
                    other => format!("{other:?}"),
                });
                (key, part.rows.column(0).as_primitive::<Int64Type>().values().to_vec())
            })
            .collect()
    }

    #[test]
    fn every_row_goes_to_its_partition_in_order() {
        let some = |key: &str| Some(key.to_owned());
        type Case<'a> = (&'a [Option<&'a str>], Vec<(Option<String>, Vec<i64>)>);
        let cases: &[Case<'_>] = &[
            (&[], vec![]),
            (&[Some("a"); 3], vec![(some("a"), vec![0, 1, 2])]),
            (&[Some("a"), Some("a"), Some("b")], vec![(some("a"), vec![0, 1]), (some("b"), vec![2])]),
            (
                &[Some("a"), Some("b"), Some("a"), None, Some(""), None],
                vec![(some("a"), vec![0, 2]), (some("b"), vec![1]), (None, vec![3, 5]), (some(""), vec![4])],
            ),
        ];
        for (keys, expected) in cases {
            assert_eq!(&split(keys, true), expected, "{keys:?}");
        }
        assert_eq!(split(&[Some("a"), Some("b")], false), [(None, vec![0, 1])]);
    }

    #[test]
    fn one_partition_is_not_copied() {
        let ids: Arc<dyn Array> = Arc::new(Int64Array::from(vec![7; 100]));
        let fields = vec![DataField::new(0, "id", "BIGINT".parse().unwrap())];
        let batch = RecordBatch::try_new(arrow_schema(&fields), vec![Arc::clone(&ids)]).unwrap();
        let partitioner = Partitioner { columns: vec![0], roots: vec![TypeRoot::BigInt] };
        let parts = partitioner.split(batch).unwrap();
        assert!(Arc::ptr_eq(parts[0].rows.column(0), &ids));
    }
}
