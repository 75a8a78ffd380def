//! Comparisons of two operands of one type, and IN.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Datum};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute;
use arrow::compute::kernels::cmp;
use arrow::datatypes::{ArrowPrimitiveType, DataType as ArrowType, Float32Type, Float64Type};

use super::eval::EvalError;
use super::value::Value;

type Result<T, E = EvalError> = std::result::Result<T, E>;

/// Comparison operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Eq,
    NotEq,
    Lt,
    LtEq,
    Gt,
    GtEq,
}

// === impl Comparison ===

impl Comparison {
    /// Compares row by row; null if one of both is.
    pub(crate) fn compare(self, left: Value, right: Value) -> Result<Value> {
        let array: ArrayRef = Arc::new(match left.array().data_type() {
            ArrowType::Float32 => self.floats::<Float32Type>(&left, &right)?,
            ArrowType::Float64 => self.floats::<Float64Type>(&left, &right)?,
            _ => self.exact(&left, &right)?,
        });
        Ok(if left.is_scalar() && right.is_scalar() { Value::Scalar(array) } else { Value::Array(array) })
    }

    /// Arrow orders floating point totally (-0.0 before 0.0, NaN equal to NaN); Java and SQL do not.
    fn floats<T>(self, left: &Value, right: &Value) -> Result<BooleanArray>
    where
        T: ArrowPrimitiveType,
        T::Native: PartialOrd,
    {
        let rows = left.rows().max(right.rows());
        let (a, b) = (left.clone().into_array(rows)?, right.clone().into_array(rows)?);
        let (a, b) = (a.as_primitive::<T>(), b.as_primitive::<T>());
        let values = BooleanBuffer::collect_bool(rows, |row| {
            let (a, b) = (a.value(row), b.value(row));
            match self {
                Self::Eq => a == b,
                Self::NotEq => a != b,
                Self::Lt => a < b,
                Self::LtEq => a <= b,
                Self::Gt => a > b,
                Self::GtEq => a >= b,
            }
        });
        Ok(BooleanArray::new(values, NullBuffer::union(a.nulls(), b.nulls())))
    }

    fn exact(self, left: &Value, right: &Value) -> Result<BooleanArray> {
        let (left, right): (&dyn Datum, &dyn Datum) = (left, right);
        Ok(match self {
            Self::Eq => cmp::eq(left, right),
            Self::NotEq => cmp::neq(left, right),
            Self::Lt => cmp::lt(left, right),
            Self::LtEq => cmp::lt_eq(left, right),
            Self::Gt => cmp::gt(left, right),
            Self::GtEq => cmp::gt_eq(left, right),
        }?)
    }
}

/// Whether the value is one of the list: the comparisons with all of it, joined by OR.
pub(crate) fn is_in(value: &Value, list: Vec<Value>, rows: usize) -> Result<Value> {
    let mut found: Option<Value> = None;
    for one in list {
        let equal = Comparison::Eq.compare(value.clone(), one)?;
        found = Some(match found {
            None => equal,
            Some(so_far) => {
                let scalar = so_far.is_scalar() && equal.is_scalar();
                let rows = if scalar { 1 } else { rows };
                let array: ArrayRef = Arc::new(compute::or_kleene(&so_far.booleans(rows)?, &equal.booleans(rows)?)?);
                if scalar { Value::Scalar(array) } else { Value::Array(array) }
            }
        });
    }
    Ok(found.unwrap_or_else(|| Value::Scalar(Arc::new(BooleanArray::from(vec![false])))))
}
