//! `CREATE TABLE`: Paimon tables in a catalog, temporary tables of this job.

use std::collections::BTreeMap;

use paimon_catalog::{NewColumn, NewTable};
use paimon_format::{CoreOptions, DataType, TableSchema, options};
use tributary_source::datagen::{CONNECTOR, DatagenSpec, FieldDef, FieldType, OptionProblem};
use tributary_statement::{CreateTable, OptionEntry, SqlType, nearest};

use crate::expr::bind::{BindError, InputColumn, type_root};

/// A table that only this job knows: a source.
#[derive(Clone)]
pub(crate) struct TemporaryTable {
    pub(crate) columns: Vec<InputColumn>,
    pub(crate) spec: DatagenSpec,
}

/// The definition of a Paimon table, its options checked.
pub(crate) fn definition(statement: &CreateTable) -> Result<NewTable, BindError> {
    let mut map = BTreeMap::new();
    for entry in &statement.options {
        check_table_key(entry)?;
        map.insert(entry.key.value.clone(), entry.value.expose().to_owned());
    }
    if let Err(problem) = CoreOptions::parse(&map) {
        let span = statement.options.get(&problem.key).map_or(statement.name.span, |entry| entry.value.span());
        let value = statement.options.get(&problem.key).map_or_else(String::new, |entry| entry.value.to_string());
        return Err(BindError::new(span, format!("option `{}` cannot be `{value}`: {}", problem.key, problem.why)));
    }
    Ok(NewTable {
        columns: statement
            .columns
            .iter()
            .map(|column| NewColumn {
                name: column.name.value.clone(),
                data_type: data_type(&column.data_type, column.nullable),
                comment: column.comment.as_ref().map(|comment| comment.value.clone()),
            })
            .collect(),
        partition_keys: statement.partitioned_by.iter().map(|key| key.value.clone()).collect(),
        options: map,
        comment: statement.comment.as_ref().map(|comment| comment.value.clone()),
    })
}

fn check_table_key(entry: &OptionEntry) -> Result<(), BindError> {
    let key = entry.key.value.as_str();
    if options::is_known(key) {
        return Ok(());
    }
    if key == "connector" {
        return Err(BindError::new(entry.key.span, "a table of a catalog has no `connector`: it is a Paimon table")
            .help("remove it, or write CREATE TEMPORARY TABLE for a source"));
    }
    let error = BindError::new(entry.key.span, format!("there is no table option `{key}`"));
    Err(match options::nearest(key) {
        Some(near) => error.help(format!("did you mean '{near}'?")),
        None => error.help("the options are those of Paimon; see the option reference"),
    })
}

/// What an existing table has that CREATE TABLE IF NOT EXISTS did not say, for one warning.
pub(crate) fn differences(statement: &CreateTable, existing: &TableSchema) -> Vec<String> {
    let mut found = Vec::new();
    let wanted: Vec<_> = statement
        .columns
        .iter()
        .map(|column| (column.name.value.clone(), data_type(&column.data_type, column.nullable)))
        .collect();
    let has: Vec<_> = existing.fields.iter().map(|field| (field.name.clone(), field.data_type.clone())).collect();
    if wanted != has {
        found.push("columns".to_owned());
    }
    if statement.partitioned_by.iter().map(|key| &key.value).ne(existing.partition_keys.iter()) {
        found.push("partitioning".to_owned());
    }
    for entry in &statement.options {
        if existing.options.get(&entry.key.value).map(String::as_str) != Some(entry.value.expose()) {
            found.push(format!("option {}", entry.key.value));
        }
    }
    found
}

/// A temporary table; datagen is the connector there is.
pub(crate) fn temporary(statement: &CreateTable) -> Result<TemporaryTable, BindError> {
    let name = &statement.name;
    let Some(connector) = statement.options.get("connector") else {
        return Err(BindError::new(name.span, format!("temporary table {name} has no 'connector'"))
            .help(format!("write WITH ('connector' = '{CONNECTOR}')")));
    };
    if connector.value.expose() != CONNECTOR {
        let error = BindError::new(connector.value.span(), format!("there is no connector `{}` yet", connector.value));
        return Err(match nearest(connector.value.expose(), [CONNECTOR]) {
            Some(near) => error.help(format!("did you mean '{near}'?")),
            None => error.help(format!("the connector there is: '{CONNECTOR}'")),
        });
    }
    if let Some(key) = statement.partitioned_by.first() {
        return Err(BindError::new(key.span, "a temporary table is not partitioned").help("remove PARTITIONED BY"));
    }
    let fields: Vec<FieldDef> = statement
        .columns
        .iter()
        .map(|column| FieldDef {
            name: column.name.value.clone(),
            data_type: field_type(&column.data_type),
            nullable: column.nullable,
        })
        .collect();
    let given = statement.options.iter().map(|entry| (entry.key.value.as_str(), entry.value.expose()));
    let spec = DatagenSpec::try_new(&fields, given).map_err(|problem| option_problem(statement, problem))?;
    Ok(TemporaryTable {
        columns: statement
            .columns
            .iter()
            .map(|column| InputColumn {
                name: column.name.value.clone(),
                data_type: data_type(&column.data_type, column.nullable),
            })
            .collect(),
        spec,
    })
}

fn option_problem(statement: &CreateTable, problem: OptionProblem) -> BindError {
    let OptionProblem { key, why, nearest } = problem;
    let entry = statement.options.get(&key);
    match nearest {
        Some(near) => {
            let span = entry.map_or(statement.name.span, |entry| entry.key.span);
            BindError::new(span, format!("option `{key}`: {why}")).help(format!("did you mean '{near}'?"))
        }
        None => {
            let span = entry.map_or(statement.name.span, |entry| entry.value.span());
            BindError::new(span, format!("option `{key}`: {why}"))
        }
    }
}

fn data_type(sql: &SqlType, nullable: bool) -> DataType {
    DataType { root: type_root(sql), nullable }
}

/// The two enums mirror each other.
fn field_type(sql: &SqlType) -> FieldType {
    match *sql {
        SqlType::Boolean => FieldType::Boolean,
        SqlType::TinyInt => FieldType::TinyInt,
        SqlType::SmallInt => FieldType::SmallInt,
        SqlType::Int => FieldType::Int,
        SqlType::BigInt => FieldType::BigInt,
        SqlType::Float => FieldType::Float,
        SqlType::Double => FieldType::Double,
        SqlType::Decimal { precision, scale } => FieldType::Decimal { precision, scale },
        SqlType::Char(n) => FieldType::Char(n),
        SqlType::Varchar(n) => FieldType::Varchar(n),
        SqlType::Binary(n) => FieldType::Binary(n),
        SqlType::Varbinary(n) => FieldType::Varbinary(n),
        SqlType::Date => FieldType::Date,
        SqlType::Time(p) => FieldType::Time(p),
        SqlType::Timestamp(p) => FieldType::Timestamp(p),
        SqlType::TimestampLtz(p) => FieldType::TimestampLtz(p),
    }
}
