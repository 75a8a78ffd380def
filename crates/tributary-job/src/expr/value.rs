//! [`Value`]: what an expression gives, a column or one value for all rows.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Datum, StringArray, UInt32Array, new_null_array};
use arrow::buffer::{Buffer, OffsetBuffer};
use arrow::compute;
use arrow::datatypes::DataType as ArrowType;

use super::eval::EvalError;

type Result<T, E = EvalError> = std::result::Result<T, E>;

/// A result: one value per row, or one for all of them (an array of length 1).
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Array(ArrayRef),
    Scalar(ArrayRef),
}

// === impl Value ===

impl Datum for Value {
    fn get(&self) -> (&dyn Array, bool) {
        match self {
            Self::Array(array) => (array.as_ref(), false),
            Self::Scalar(array) => (array.as_ref(), true),
        }
    }
}

impl Value {
    /// The values, repeated if there is one for all rows.
    pub(crate) fn into_array(self, rows: usize) -> Result<ArrayRef> {
        match self {
            Self::Array(array) => Ok(array),
            Self::Scalar(array) => repeat(&array, rows),
        }
    }

    pub(crate) fn array(&self) -> &ArrayRef {
        match self {
            Self::Array(array) | Self::Scalar(array) => array,
        }
    }

    pub(crate) fn is_scalar(&self) -> bool {
        matches!(self, Self::Scalar(_))
    }

    /// How many values there are: 1 for a scalar.
    pub(crate) fn rows(&self) -> usize {
        self.array().len()
    }

    /// Applies a function that works value by value.
    pub(crate) fn map(self, f: impl FnOnce(&ArrayRef) -> Result<ArrayRef>) -> Result<Self> {
        match self {
            Self::Array(array) => f(&array).map(Self::Array),
            Self::Scalar(array) => f(&array).map(Self::Scalar),
        }
    }

    pub(crate) fn booleans(&self, rows: usize) -> Result<BooleanArray> {
        Ok(self.clone().into_array(rows)?.as_boolean().clone())
    }
}

/// One value, `rows` times. Text is the common case (partition columns) and is copied in bulk.
fn repeat(array: &ArrayRef, rows: usize) -> Result<ArrayRef> {
    if array.is_null(0) {
        return Ok(new_null_array(array.data_type(), rows));
    }
    if array.data_type() == &ArrowType::Utf8 {
        let value = array.as_string::<i32>().value(0);
        if value.len().checked_mul(rows).is_some_and(|bytes| i32::try_from(bytes).is_ok()) {
            let values = Buffer::from_vec(value.as_bytes().repeat(rows));
            let offsets = OffsetBuffer::from_repeated_length(value.len(), rows);
            return Ok(Arc::new(StringArray::try_new(offsets, values, None)?));
        }
    }
    let zeros = UInt32Array::from_value(0, rows);
    Ok(compute::take(array, &zeros, None)?)
}
