//! The columns of an INSERT's target, and where the values of each come from.

use arrow::datatypes::SchemaRef;
use paimon_format::DataField;
use paimon_table::arrow::arrow_schema;
use tributary_statement::{Ident, Insert, PartitionValue, nearest};

use super::bind::{BindError, Scope, coerce, is_null, untyped_null};
use super::eval::Bound;
use super::types::explicit_cast;

/// What a SELECT is bound to.
pub(crate) struct Target<'a> {
    /// The table's name, for messages.
    pub(crate) table: &'a str,
    pub(crate) fields: &'a [DataField],
    pub(crate) schema: SchemaRef,
    /// One for each field.
    pub(crate) origins: Vec<Origin>,
}

/// Where the values of a column come from.
pub(crate) enum Origin {
    /// The n-th item of the SELECT.
    Item(usize),
    /// PARTITION says it, or nobody does: null.
    Constant(Bound),
}

type Result<T, E = BindError> = std::result::Result<T, E>;

// === impl Target ===

impl<'a> Target<'a> {
    /// Every column comes from the SELECT, by position.
    #[cfg(test)]
    pub(crate) fn by_position(table: &'a str, fields: &'a [DataField]) -> Self {
        let origins = (0..fields.len()).map(Origin::Item).collect();
        Self { table, fields, schema: arrow_schema(fields), origins }
    }

    /// The columns as `insert` names them: those of its list, or all that PARTITION does not fix, come from the SELECT.
    pub(crate) fn bind(
        insert: &Insert,
        table: &'a str,
        fields: &'a [DataField],
        partition_keys: &[String],
        scope: &Scope<'_>,
    ) -> Result<Self> {
        for value in &insert.partition {
            check_partition_column(value, table, partition_keys)?;
        }
        for column in insert.columns.iter().flat_map(|columns| &columns.value) {
            check_column(column, table, fields)?;
        }
        let mut next = 0;
        let mut origin = |field: &DataField| -> Result<Origin> {
            if let Some(value) = insert.partition.iter().find(|value| value.column.value == field.name) {
                return partition_value(value, field, scope).map(Origin::Constant);
            }
            let Some(columns) = &insert.columns else {
                next += 1;
                return Ok(Origin::Item(next - 1));
            };
            match columns.value.iter().position(|column| column.value == field.name) {
                Some(index) => Ok(Origin::Item(index)),
                None if field.data_type.nullable => {
                    Ok(Origin::Constant(coerce(untyped_null(), field.data_type.root.clone())))
                }
                None => Err(BindError::new(
                    columns.span,
                    format!("column `{}` of `{table}` is NOT NULL and gets no value", field.name),
                )
                .help("name it in the column list, and give its value in the SELECT")),
            }
        };
        let origins = fields.iter().map(&mut origin).collect::<Result<_>>()?;
        Ok(Self { table, fields, schema: arrow_schema(fields), origins })
    }

    /// The columns that the SELECT gives, in its order.
    pub(crate) fn selected(&self) -> Vec<&'a DataField> {
        let mut selected: Vec<(usize, &DataField)> = self
            .origins
            .iter()
            .zip(self.fields)
            .filter_map(|(origin, field)| match origin {
                Origin::Item(index) => Some((*index, field)),
                Origin::Constant(_) => None,
            })
            .collect();
        selected.sort_by_key(|(index, _)| *index);
        selected.into_iter().map(|(_, field)| field).collect()
    }
}

fn check_column(column: &Ident, table: &str, fields: &[DataField]) -> Result<()> {
    let names = || fields.iter().map(|field| field.name.as_str());
    if names().any(|name| name == column.value) {
        return Ok(());
    }
    let error = BindError::new(column.span, format!("`{table}` has no column `{}`", column.value));
    Err(match nearest(&column.value, names()) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help(format!("it has {}", quoted(names()))),
    })
}

fn check_partition_column(value: &PartitionValue, table: &str, keys: &[String]) -> Result<()> {
    let column = &value.column;
    if keys.contains(&column.value) {
        return Ok(());
    }
    let error = BindError::new(column.span, format!("`{}` is no partition column of `{table}`", column.value));
    let names = || keys.iter().map(String::as_str);
    Err(match (nearest(&column.value, names()), keys.is_empty()) {
        (Some(near), _) => error.help(format!("did you mean `{near}`?")),
        (None, true) => error.help("the table is not partitioned: give the value in the SELECT"),
        (None, false) => error.help(format!("it is partitioned by {}", quoted(names()))),
    })
}

/// The literal as a value of the column: cast as if CAST had been written, which Flink does as well.
fn partition_value(value: &PartitionValue, field: &DataField, scope: &Scope<'_>) -> Result<Bound> {
    let (span, name) = (value.value.span, &field.name);
    let bound = scope.bind(&value.value)?;
    let (from, to) = (&bound.data_type.root, &field.data_type.root);
    if is_null(&bound) {
        if !field.data_type.nullable {
            return Err(BindError::new(span, format!("partition column `{name}` is NOT NULL")));
        }
    } else if !explicit_cast(from, to) {
        return Err(BindError::new(span, format!("partition column `{name}` is {to}, the literal is {from}")));
    }
    scope
        .constant(&coerce(bound, to.clone()))
        .map_err(|error| BindError::new(span, format!("partition column `{name}` is {to}: {error}")))
}

fn quoted<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
