//! The key of each row: bytes that compare as the rows are ordered.

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use arrow::row::{RowConverter, Rows, SortField};

use super::curves::{Interleaver, hilbert};
use super::ordinals::ordinals;
use super::{OrderStrategy, SortSpec};

/// Makes keys. Those of one encoder compare with each other.
pub(super) struct KeyEncoder {
    columns: Vec<usize>,
    kind: Kind,
}

enum Kind {
    Rows(RowConverter),
    Curve { interleaver: Interleaver, is_hilbert: bool },
}

/// The keys of a batch, by row.
pub(super) enum Keys {
    /// All of one width, one after the other.
    Fixed { bytes: Vec<u8>, width: usize },
    /// Arrow's.
    Rows(Rows),
}

/// The first 16 bytes of a key as numbers, zeros behind its end: a curve through two columns has no more.
pub(super) type Head = (u64, u64);

// === impl KeyEncoder ===

impl KeyEncoder {
    pub(super) fn try_new(spec: &SortSpec, schema: &Schema) -> Result<Self, ArrowError> {
        let kind = match spec.strategy {
            OrderStrategy::Order => {
                let fields = schema.project(&spec.columns)?;
                let fields = fields.fields().iter().map(|field| SortField::new(field.data_type().clone()));
                Kind::Rows(RowConverter::new(fields.collect())?)
            }
            strategy => Kind::Curve {
                interleaver: Interleaver::new(spec.columns.len()),
                is_hilbert: strategy == OrderStrategy::Hilbert,
            },
        };
        Ok(Self { columns: spec.columns.clone(), kind })
    }

    pub(super) fn encode(&self, batch: &RecordBatch) -> Result<Keys, ArrowError> {
        let columns: Vec<ArrayRef> = batch.project(&self.columns)?.columns().to_vec();
        let (interleaver, is_hilbert) = match &self.kind {
            Kind::Rows(converter) => return Ok(Keys::Rows(converter.convert_columns(&columns)?)),
            Kind::Curve { interleaver, is_hilbert } => (interleaver, *is_hilbert),
        };
        let numbers = columns.iter().map(|column| {
            ordinals(column).ok_or_else(|| ArrowError::SchemaError(format!("{} has no order", column.data_type())))
        });
        let numbers: Vec<Vec<u64>> = numbers.collect::<Result<_, _>>()?;
        let width = interleaver.width();
        let mut bytes = Vec::with_capacity(width * batch.num_rows());
        let mut point = vec![0; numbers.len()];
        for row in 0..batch.num_rows() {
            for (coordinate, column) in point.iter_mut().zip(&numbers) {
                *coordinate = column[row];
            }
            if is_hilbert {
                hilbert(&mut point);
            }
            interleaver.append(&point, &mut bytes);
        }
        Ok(Keys::Fixed { bytes, width })
    }
}

// === impl Keys ===

impl Keys {
    pub(super) fn get(&self, row: usize) -> &[u8] {
        match self {
            Self::Fixed { bytes, width } => &bytes[row * width..(row + 1) * width],
            Self::Rows(rows) => rows.row(row).data(),
        }
    }

    /// The beginning of a key: what it decides needs no look at the key.
    pub(super) fn head(&self, row: usize) -> Head {
        let key = self.get(row);
        let word = |from: usize| {
            let mut bytes = [0; 8];
            let there = key.get(from..).unwrap_or_default();
            let there = &there[..there.len().min(8)];
            bytes[..there.len()].copy_from_slice(there);
            u64::from_be_bytes(bytes)
        };
        (word(0), word(8))
    }

    /// Whether the heads decide everything.
    pub(super) fn fit_heads(&self) -> bool {
        matches!(self, Self::Fixed { width, .. } if *width <= size_of::<Head>())
    }

    pub(super) fn memory_bytes(&self) -> usize {
        match self {
            Self::Fixed { bytes, .. } => bytes.capacity(),
            Self::Rows(rows) => rows.size(),
        }
    }
}
