//! Operands row by row: a column, or one value for all rows; and results back into a [`Value`].

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray, StringArray, StringBuilder};

use super::eval::EvalError;
use super::value::Value;

type Result<T, E = EvalError> = std::result::Result<T, E>;

/// The operands of one call, and for how many rows it is computed: one, if all of them are scalars.
pub(crate) struct Operands<'a> {
    values: &'a [Value],
    rows: usize,
    scalar: bool,
}

/// An operand of text.
pub(crate) struct Texts<'a> {
    array: &'a StringArray,
    scalar: bool,
}

/// An operand of numbers.
pub(crate) struct Numbers<'a, T: ArrowPrimitiveType> {
    array: &'a PrimitiveArray<T>,
    scalar: bool,
}

/// Something made from a text operand, made anew only when the text changes: patterns rarely do.
pub(crate) struct Made<T> {
    from: String,
    made: Option<T>,
}

// === impl Operands ===

impl<'a> Operands<'a> {
    pub(crate) fn new(values: &'a [Value], rows: usize) -> Self {
        let scalar = values.iter().all(Value::is_scalar);
        Self { values, rows: if scalar { 1 } else { rows }, scalar }
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// For how many rows the call is computed.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The n-th operand, a value for each of these rows.
    pub(crate) fn array(&self, index: usize) -> Result<ArrayRef> {
        self.values[index].clone().into_array(self.rows)
    }

    /// The n-th operand, which is text.
    pub(crate) fn texts(&self, index: usize) -> Texts<'a> {
        let value = &self.values[index];
        Texts { array: value.array().as_string(), scalar: value.is_scalar() }
    }

    /// The n-th operand, which is of this number type.
    pub(crate) fn numbers<T: ArrowPrimitiveType>(&self, index: usize) -> Numbers<'a, T> {
        let value = &self.values[index];
        Numbers { array: value.array().as_primitive(), scalar: value.is_scalar() }
    }

    /// The values of an array of as many rows as the call is computed for.
    pub(crate) fn give(&self, array: ArrayRef) -> Value {
        if self.scalar { Value::Scalar(array) } else { Value::Array(array) }
    }

    /// One value per row.
    pub(crate) fn each<A: Array + FromIterator<Option<T>> + 'static, T>(
        &self,
        f: impl FnMut(usize) -> Result<Option<T>>,
    ) -> Result<Value> {
        let array: A = (0..self.rows).map(f).collect::<Result<_>>()?;
        Ok(self.give(Arc::new(array)))
    }

    /// One text per row: written by `f` behind what it is given, if it returns true; else null.
    pub(crate) fn write(&self, mut f: impl FnMut(usize, &mut String) -> Result<bool>) -> Result<Value> {
        let mut builder = StringBuilder::with_capacity(self.rows, self.rows * 16);
        let mut out = String::new();
        for row in 0..self.rows {
            out.clear();
            match f(row, &mut out)? {
                true => builder.append_value(&out),
                false => builder.append_null(),
            }
        }
        Ok(self.give(Arc::new(builder.finish())))
    }
}

// === impl Texts ===

impl<'a> Texts<'a> {
    pub(crate) fn get(&self, row: usize) -> Option<&'a str> {
        let row = if self.scalar { 0 } else { row };
        self.array.is_valid(row).then(|| self.array.value(row))
    }
}

// === impl Numbers ===

impl<T: ArrowPrimitiveType> Numbers<'_, T> {
    pub(crate) fn get(&self, row: usize) -> Option<T::Native> {
        let row = if self.scalar { 0 } else { row };
        self.array.is_valid(row).then(|| self.array.value(row))
    }
}

// === impl Made ===

impl<T> Made<T> {
    pub(crate) fn new() -> Self {
        Self { from: String::new(), made: None }
    }

    /// What `make` makes of the text.
    pub(crate) fn of<E>(&mut self, text: &str, make: impl FnOnce(&str) -> Result<T, E>) -> Result<&T, E> {
        let made = match self.made.take() {
            Some(made) if self.from == text => made,
            _ => {
                text.clone_into(&mut self.from);
                make(text)?
            }
        };
        Ok(self.made.insert(made))
    }
}
