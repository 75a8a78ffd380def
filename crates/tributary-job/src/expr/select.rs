//! The SELECT of one INSERT: source rows in, rows of the target table out.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::SchemaRef;
use paimon_format::DataField;
use tributary_sink::{RowTransform, TransformError};
use tributary_statement::{Ident, Select, SelectItem, Span};

use super::bind::{BindError, Scope, coerce, is_null};
use super::eval::{Bound, EvalError, Input, true_mask};
use super::target::{Origin, Target};
use super::types::{explicit_cast, implicit_cast};
use super::zone::{Moment, Zone};

/// A SELECT bound to its source and to the columns of its target.
#[derive(Debug)]
pub struct BoundSelect {
    columns: Vec<TargetColumn>,
    filter: Option<Bound>,
    schema: SchemaRef,
    zone: Zone,
}

#[derive(Debug)]
struct TargetColumn {
    name: String,
    value: Bound,
    nullable: bool,
}

// === impl BoundSelect ===

impl BoundSelect {
    /// Binds `select` in `scope`; its items map to the columns `target` wants from it by position, and are
    /// cast where Flink would do so without being asked.
    pub(crate) fn bind(select: &Select, scope: &Scope<'_>, target: Target<'_>) -> Result<Self, BindError> {
        let mut values: Vec<(Span, Bound)> = Vec::new();
        for item in &select.items {
            match item {
                SelectItem::Expr { expr, .. } => values.push((expr.span, scope.bind(expr)?)),
                SelectItem::Wildcard { qualifier, span } => {
                    check_qualifier(scope, qualifier)?;
                    values.extend(scope.columns.iter().map(|column| (*span, column.value.clone())));
                }
            }
        }
        let selected = target.selected();
        if values.len() != selected.len() {
            let first = select.items.first().map(SelectItem::span).unwrap_or_default();
            let last = select.items.last().map(SelectItem::span).unwrap_or(first);
            let wanted = match selected.len() == target.fields.len() {
                true => format!("`{}` has {}", target.table, selected.len()),
                false => format!("the INSERT into `{}` wants {}", target.table, selected.len()),
            };
            let names: Vec<_> = selected.iter().map(|field| format!("`{}`", field.name)).collect();
            return Err(BindError::new(first.to(last), format!("the SELECT gives {} columns, {wanted}", values.len()))
                .help(format!("columns map by position to {}", names.join(", "))));
        }
        let values = values
            .into_iter()
            .zip(selected)
            .map(|((span, value), field)| fitted(span, value, field, target.table))
            .collect::<Result<Vec<_>, _>>()?;
        let columns = target
            .fields
            .iter()
            .zip(target.origins)
            .map(|(field, origin)| TargetColumn {
                name: field.name.clone(),
                value: match origin {
                    Origin::Item(index) => values[index].clone(),
                    Origin::Constant(value) => value,
                },
                nullable: field.data_type.nullable,
            })
            .collect();
        let filter = select
            .filter
            .as_ref()
            .map(|filter| scope.bind_condition(filter, "the condition after WHERE"))
            .transpose()?;
        Ok(Self { columns, filter, schema: target.schema, zone: scope.zone })
    }

    /// Rows of the target table's schema, for those source rows for which WHERE is true.
    ///
    /// # Errors
    /// A value that cannot be computed, or a null for a NOT NULL column.
    pub fn evaluate(&self, rows: &RecordBatch, at_millis: i64) -> Result<RecordBatch, EvalError> {
        let moment = Moment::new(at_millis, self.zone);
        let input = Input::of_batch(rows, moment, self.zone);
        match &self.filter {
            None => self.project(&input),
            Some(filter) => {
                let keep = filter.eval(&input)?.into_array(rows.num_rows())?;
                let keep = true_mask(keep.as_boolean());
                if keep.true_count() == rows.num_rows() {
                    return self.project(&input);
                }
                self.project(&input.filter(&keep)?)
            }
        }
    }

    fn project(&self, input: &Input<'_>) -> Result<RecordBatch, EvalError> {
        if input.rows() == 0 {
            return Ok(RecordBatch::new_empty(Arc::clone(&self.schema)));
        }
        let columns = self
            .columns
            .iter()
            .map(|column| {
                let array = column.value.eval(input)?.into_array(input.rows())?;
                if !column.nullable && array.null_count() > 0 {
                    return Err(EvalError::NullInNotNull { column: column.name.clone() });
                }
                Ok(array)
            })
            .collect::<Result<Vec<_>, EvalError>>()?;
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

impl RowTransform for BoundSelect {
    fn apply(&self, rows: &RecordBatch, at_millis: i64) -> Result<RecordBatch, TransformError> {
        self.evaluate(rows, at_millis).map_err(|error| TransformError::new(error.to_string()))
    }
}

fn check_qualifier(scope: &Scope<'_>, qualifier: &[Ident]) -> Result<(), BindError> {
    match qualifier.last() {
        Some(last) if last.value != scope.table => {
            Err(BindError::new(last.span, format!("unknown table `{}` in this SELECT", last.value))
                .help(format!("it reads `{}`", scope.table)))
        }
        _ => Ok(()),
    }
}

/// The value as one of the column's type.
fn fitted(span: Span, value: Bound, field: &DataField, table: &str) -> Result<Bound, BindError> {
    let (from, to) = (&value.data_type.root, &field.data_type.root);
    if !is_null(&value) && !implicit_cast(from, to) {
        let error =
            BindError::new(span, format!("column `{}` of `{table}` is {to}, the expression is {from}", field.name));
        return Err(if explicit_cast(from, to) {
            error.help(format!("write CAST(… AS {to}) around it"))
        } else {
            error.help("columns map by position: is the order of the SELECT that of the table?")
        });
    }
    Ok(coerce(value, to.clone()))
}
