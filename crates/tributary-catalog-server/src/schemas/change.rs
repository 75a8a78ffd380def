//! One schema after another (`SchemaChange`, `SchemaManager.generateTableSchema`).

use paimon_format::types::{DataType, TypeRoot};
use paimon_format::{DataField, TableSchema};
use serde::Deserialize;

use super::{PATH, TYPE, check};
use crate::problem::Problem;

/// Options that say how files were laid out, so that they are fixed once there are files (`CoreOptions.Immutable`).
const IMMUTABLE: [&str; 22] = [
    "bucket-key",
    "bucket-function.type",
    "data-file.path-directory",
    "merge-engine",
    "sequence.snapshot-ordering",
    "aggregation.remove-record-on-delete",
    "partial-update.remove-record-on-delete",
    "partial-update.remove-record-on-sequence-group",
    "rowkind.field",
    "primary-key",
    "primary-key.nullable",
    "partition",
    "dynamic-bucket.initial-buckets",
    "force-lookup",
    "row-tracking.enabled",
    "data-evolution.enabled",
    "index-file-in-data-file-dir",
    "blob-field",
    "blob-descriptor-field",
    "blob-view-field",
    "pk-clustering-override",
    "sequence.field",
];
const BUCKET: &str = "bucket";

/// One change, as clients send it.
#[derive(Debug, Deserialize)]
#[serde(tag = "action", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(crate) enum SchemaChange {
    SetOption {
        key: String,
        value: String,
    },
    RemoveOption {
        key: String,
    },
    UpdateComment {
        comment: Option<String>,
    },
    AddColumn {
        field_names: Vec<String>,
        data_type: DataType,
        comment: Option<String>,
        #[serde(rename = "move")]
        to: Option<Move>,
    },
    RenameColumn {
        field_names: Vec<String>,
        new_name: String,
    },
    DropColumn {
        field_names: Vec<String>,
    },
    UpdateColumnType {
        field_names: Vec<String>,
        new_data_type: DataType,
        #[serde(default)]
        keep_nullability: bool,
    },
    UpdateColumnNullability {
        field_names: Vec<String>,
        new_nullability: bool,
    },
    UpdateColumnComment {
        field_names: Vec<String>,
        new_comment: Option<String>,
    },
    UpdateColumnDefaultValue {
        field_names: Vec<String>,
        new_default_value: Option<String>,
    },
    UpdateColumnPosition {
        #[serde(rename = "move")]
        to: Move,
    },
    DropPrimaryKey,
}

/// Where a column goes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Move {
    field_name: String,
    #[serde(default)]
    reference_field_name: Option<String>,
    #[serde(rename = "type")]
    place: Place,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Place {
    First,
    After,
    Before,
    Last,
}

/// The schema after `schema`; `None` when the changes change nothing.
///
/// # Errors
/// 404 and 409 for columns that are not there or there already, 400 for what would make files unreadable, 501 for
/// changes inside of nested columns.
pub(crate) fn altered(
    schema: &TableSchema,
    changes: &[SchemaChange],
    has_snapshots: bool,
    time_millis: i64,
) -> Result<Option<TableSchema>, Problem> {
    let mut next = schema.clone();
    for change in changes {
        apply(&mut next, change, has_snapshots)?;
    }
    check(&next)?;
    if next == *schema {
        return Ok(None);
    }
    Ok(Some(TableSchema { id: schema.id + 1, time_millis, ..next }))
}

fn apply(schema: &mut TableSchema, change: &SchemaChange, has_snapshots: bool) -> Result<(), Problem> {
    match change {
        SchemaChange::SetOption { key, value } => {
            check_option(schema, key, Some(value), has_snapshots)?;
            schema.options.insert(key.clone(), value.clone());
        }
        SchemaChange::RemoveOption { key } => {
            check_option(schema, key, None, has_snapshots)?;
            schema.options.remove(key);
        }
        SchemaChange::UpdateComment { comment } => schema.comment.clone_from(comment),
        SchemaChange::AddColumn { field_names, data_type, comment, to } => {
            let name = only(field_names)?;
            add(schema, name, data_type, comment.clone())?;
            if let Some(to) = to {
                put(&mut schema.fields, to)?;
            }
        }
        SchemaChange::RenameColumn { field_names, new_name } => {
            let name = only(field_names)?;
            free(schema, name, "renamed")?;
            if schema.field(new_name).is_some() {
                return Err(Problem::column_exists(new_name));
            }
            column(schema, name)?.name.clone_from(new_name);
        }
        SchemaChange::DropColumn { field_names } => {
            let name = only(field_names)?;
            free(schema, name, "dropped")?;
            column(schema, name)?;
            schema.fields.retain(|field| field.name != name);
        }
        SchemaChange::UpdateColumnType { field_names, new_data_type, keep_nullability } => {
            let name = only(field_names)?;
            free(schema, name, "given another type")?;
            retype(column(schema, name)?, new_data_type, *keep_nullability)?;
        }
        SchemaChange::UpdateColumnNullability { field_names, new_nullability } => {
            let name = only(field_names)?;
            free(schema, name, "given another nullability")?;
            let field = column(schema, name)?;
            if field.data_type.nullable && !new_nullability {
                return Err(Problem::bad(format!(
                    "column '{name}' may hold nulls already, so it cannot become NOT NULL"
                )));
            }
            field.data_type.nullable = *new_nullability;
        }
        SchemaChange::UpdateColumnComment { field_names, new_comment } => {
            column(schema, only(field_names)?)?.description.clone_from(new_comment);
        }
        SchemaChange::UpdateColumnDefaultValue { field_names, new_default_value } => {
            column(schema, only(field_names)?)?.default_value.clone_from(new_default_value);
        }
        SchemaChange::UpdateColumnPosition { to } => put(&mut schema.fields, to)?,
        SchemaChange::DropPrimaryKey => return Err(Problem::left_out("dropping a primary key is left out")),
    }
    Ok(())
}

/// The name of a column of the table itself.
fn only(names: &[String]) -> Result<&str, Problem> {
    match names {
        [name] => Ok(name),
        [] => Err(Problem::bad("fieldNames is empty")),
        _ => Err(Problem::left_out(format!("changing the nested column {} is left out", names.join(".")))),
    }
}

fn column<'a>(schema: &'a mut TableSchema, name: &str) -> Result<&'a mut DataField, Problem> {
    schema.fields.iter_mut().find(|field| field.name == name).ok_or_else(|| Problem::no_column(name))
}

/// Whether folders, keys and options leave the column free.
fn free(schema: &TableSchema, name: &str, what: &str) -> Result<(), Problem> {
    let used = |why: &str| Err(Problem::bad(format!("column '{name}' cannot be {what}: it is {why}")));
    if schema.partition_keys.iter().any(|key| key == name) {
        return used("a partition column");
    }
    if schema.primary_keys.iter().any(|key| key == name) {
        return used("part of the primary key");
    }
    for option in ["bucket-key", "sequence.field"] {
        let names = schema.options.get(option).map_or("", String::as_str);
        if names.split(',').any(|used| used.trim() == name) {
            return used(&format!("named by the option {option}"));
        }
    }
    Ok(())
}

fn add(schema: &mut TableSchema, name: &str, data_type: &DataType, comment: Option<String>) -> Result<(), Problem> {
    if schema.field(name).is_some() {
        return Err(Problem::column_exists(name));
    }
    if !data_type.nullable {
        return Err(Problem::bad(format!("column '{name}' cannot be NOT NULL: rows that exist have no value for it")));
    }
    let Some(id) = schema.highest_field_id.checked_add(1) else {
        return Err(Problem::bad("the table has no column ids left"));
    };
    let mut highest = id;
    let data_type = data_type.with_field_ids(&mut highest);
    schema.fields.push(DataField { description: comment, ..DataField::new(id, name, data_type) });
    schema.highest_field_id = highest;
    Ok(())
}

fn retype(field: &mut DataField, to: &DataType, keep_nullability: bool) -> Result<(), Problem> {
    let nullable = if keep_nullability { field.data_type.nullable } else { to.nullable };
    let from = &field.data_type;
    if !holds_all(&from.root, &to.root) || (from.nullable && !nullable) {
        return Err(Problem::bad(format!(
            "column '{}' cannot change from {from} to {to}: only types that hold every value of the old one are taken",
            field.name
        )));
    }
    // Ids inside a nested type stay.
    let root = if from.root.equals_ignoring_ids(&to.root) { from.root.clone() } else { to.root.clone() };
    field.data_type = DataType { root, nullable };
    Ok(())
}

/// Whether every value of `from` is one of `to`.
fn holds_all(from: &TypeRoot, to: &TypeRoot) -> bool {
    use TypeRoot::{
        BigInt, Binary, Char, Decimal, Double, Float, Int, SmallInt, Timestamp, TimestampLtz, TinyInt, Varbinary,
        Varchar,
    };
    match (from, to) {
        (TinyInt, SmallInt | Int | BigInt | Float | Double) | (SmallInt, Int | BigInt | Float | Double) => true,
        (Int, BigInt | Double) | (Float, Double) => true,
        (Decimal { precision: p, scale: s }, Decimal { precision, scale }) => {
            scale >= s && precision.saturating_sub(*scale) >= p.saturating_sub(*s)
        }
        (Char(n) | Varchar(n), Varchar(m)) | (Binary(n) | Varbinary(n), Varbinary(m)) => m >= n,
        (Timestamp(n), Timestamp(m)) | (TimestampLtz(n), TimestampLtz(m)) => m >= n,
        _ => from.equals_ignoring_ids(to),
    }
}

fn put(fields: &mut Vec<DataField>, to: &Move) -> Result<(), Problem> {
    let index = |fields: &[DataField], name: &str| {
        fields.iter().position(|field| field.name == name).ok_or_else(|| Problem::no_column(name))
    };
    let from = index(fields, &to.field_name)?;
    let reference = match to.place {
        Place::First | Place::Last => None,
        Place::After | Place::Before => match to.reference_field_name.as_deref() {
            Some(name) if name != to.field_name => Some(name),
            Some(_) => return Err(Problem::bad(format!("column '{}' cannot be put beside itself", to.field_name))),
            None => return Err(Problem::bad("referenceFieldName is missing")),
        },
    };
    if let Some(name) = reference {
        index(fields, name)?;
    }
    let field = fields.remove(from);
    let at = match (to.place, reference) {
        (Place::First, _) => 0,
        (Place::After, Some(name)) => index(fields, name)? + 1,
        (Place::Before, Some(name)) => index(fields, name)?,
        _ => fields.len(),
    };
    fields.insert(at, field);
    Ok(())
}

fn check_option(schema: &TableSchema, key: &str, to: Option<&String>, has_snapshots: bool) -> Result<(), Problem> {
    let from = schema.options.get(key);
    let fixed = [PATH, TYPE].contains(&key) || (has_snapshots && IMMUTABLE.contains(&key));
    if fixed && from != to {
        return Err(Problem::bad(format!("the option '{key}' cannot be changed")));
    }
    // Files of a table without buckets lie elsewhere than those of one with buckets.
    let has_buckets = |value: Option<&String>| value.is_some_and(|value| value != "-1");
    if key == BUCKET && has_snapshots && has_buckets(from) != has_buckets(to) {
        return Err(Problem::bad("buckets can be given to a table, or taken from it, only while it has no snapshot"));
    }
    Ok(())
}
