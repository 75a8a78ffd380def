//! Temporary tables: sources that only this job knows. Datagen is the connector there is.

use paimon_format::{DataType, TypeRoot};
use tributary_source::datagen::{CONNECTOR, DatagenSpec, FieldDef, FieldType, OptionProblem};
use tributary_statement::{CreateTable, Span, TableRef, nearest};

use crate::definition::{Column, ColumnKind, Definition, Given};
use crate::error::JobError;
use crate::expr::Zone;
use crate::expr::bind::{BindError, InputColumn, Scope};
use crate::place::Place;

/// A table that only this job knows: a source.
pub(crate) struct TemporaryTable {
    /// The table's own name.
    name: String,
    definition: Definition,
    spec: DatagenSpec,
}

const CONNECTOR_KEY: &str = "connector";

// === impl TemporaryTable ===

impl TemporaryTable {
    /// Checks the connector, its options and the computed columns. Partitioning says nothing about a source: that of
    /// a LIKE table is dropped, that of the statement itself refused.
    pub(crate) fn try_new(
        statement: &CreateTable,
        definition: Definition,
        place: &Place<'_>,
    ) -> Result<Self, JobError> {
        let given = Given::with(statement);
        if let Some(key) = statement.partitioned_by.first() {
            let error = BindError::new(key.span, "a temporary table is not partitioned").help("remove PARTITIONED BY");
            return Err(place.refuse(error));
        }
        let spec = spec(&definition, &statement.name.to_string(), &given, statement.name.span)
            .map_err(|error| place.refuse(error))?;
        let table = Self { name: statement.name.last().to_owned(), definition, spec };
        table.columns(Zone::UTC)?;
        Ok(table)
    }

    /// What LIKE takes over.
    pub(crate) fn definition(&self) -> &Definition {
        &self.definition
    }

    /// The source as one SELECT reads it: the options of the hint behind its name cover those of the table.
    pub(crate) fn spec(&self, from: &TableRef) -> Result<DatagenSpec, BindError> {
        if from.options.is_empty() {
            return Ok(self.spec.clone());
        }
        if let Some(entry) = from.options.get(CONNECTOR_KEY) {
            return Err(BindError::new(entry.key.span, "a hint cannot change the connector")
                .help("write another CREATE TEMPORARY TABLE"));
        }
        let mut definition = self.definition.clone();
        for entry in &from.options {
            definition.options.insert(entry.key.value.clone(), entry.value.expose().to_owned());
        }
        let given = Given { options: &from.options, otherwise: from.name.span, inherits: false };
        spec(&definition, &from.name.to_string(), &given, from.name.span)
    }

    /// The columns as expressions see them in a session of this zone.
    ///
    /// # Errors
    /// A computed column that means nothing, shown where it stands. After [`TemporaryTable::try_new`] there is none.
    pub(crate) fn columns(&self, zone: Zone) -> Result<Vec<InputColumn>, JobError> {
        let physical: Vec<InputColumn> = self
            .physical()
            .enumerate()
            .map(|(index, (name, data_type))| InputColumn::physical(index, name, data_type.clone()))
            .collect();
        let mut stored = physical.iter();
        let scope = Scope { table: &self.name, columns: &physical, zone, random: None };
        let column = |column: &Column| match &column.kind {
            ColumnKind::Physical(_) => Ok(stored.next().cloned()),
            ColumnKind::Computed(computed) => {
                let place = Place { source: &computed.source };
                let value = scope.bind(&computed.expr).map_err(|error| place.refuse(error))?;
                Ok(Some(InputColumn { name: column.name.clone(), value }))
            }
        };
        self.definition.columns.iter().map(column).filter_map(Result::transpose).collect()
    }

    fn physical(&self) -> impl Iterator<Item = (&str, &DataType)> {
        physical(&self.definition)
    }
}

fn physical(definition: &Definition) -> impl Iterator<Item = (&str, &DataType)> {
    definition.columns.iter().filter_map(|column| match &column.kind {
        ColumnKind::Physical(data_type) => Some((column.name.as_str(), data_type)),
        ColumnKind::Computed(_) => None,
    })
}

/// The generator that a definition asks for.
fn spec(definition: &Definition, name: &str, given: &Given<'_>, name_span: Span) -> Result<DatagenSpec, BindError> {
    let Some(connector) = definition.options.get(CONNECTOR_KEY) else {
        return Err(BindError::new(name_span, format!("temporary table {name} has no '{CONNECTOR_KEY}'"))
            .help(format!("write WITH ('{CONNECTOR_KEY}' = '{CONNECTOR}')")));
    };
    if connector != CONNECTOR {
        let shown = given.masked(CONNECTOR_KEY, connector.clone());
        let error = BindError::new(given.value_span(CONNECTOR_KEY), format!("there is no connector `{shown}` yet"));
        return Err(match nearest(connector, [CONNECTOR]) {
            Some(near) => error.help(format!("did you mean '{near}'?")),
            None => error.help(format!("the connector there is: '{CONNECTOR}'")),
        });
    }
    let fields: Vec<FieldDef> = physical(definition).map(|(name, data_type)| field_def(name, data_type)).collect();
    let options = definition.options.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    DatagenSpec::try_new(&fields, options).map_err(|problem| option_problem(given, problem))
}

fn option_problem(given: &Given<'_>, problem: OptionProblem) -> BindError {
    let OptionProblem { key, why, nearest } = problem;
    let message = given.masked(&key, format!("option `{key}`: {why}"));
    let inherited = given.inherits && given.options.get(&key).is_none();
    match nearest {
        Some(near) => BindError::new(given.key_span(&key), message).help(format!("did you mean '{near}'?")),
        None if inherited => BindError::new(given.value_span(&key), message)
            .help("write LIKE … (EXCLUDING OPTIONS) to leave the other table's options out"),
        None => BindError::new(given.value_span(&key), message),
    }
}

fn field_def(name: &str, data_type: &DataType) -> FieldDef {
    FieldDef { name: name.to_owned(), data_type: field_type(&data_type.root), nullable: data_type.nullable }
}

/// The two enums mirror each other.
fn field_type(root: &TypeRoot) -> FieldType {
    match *root {
        TypeRoot::Boolean => FieldType::Boolean,
        TypeRoot::TinyInt => FieldType::TinyInt,
        TypeRoot::SmallInt => FieldType::SmallInt,
        TypeRoot::Int => FieldType::Int,
        TypeRoot::BigInt => FieldType::BigInt,
        TypeRoot::Float => FieldType::Float,
        TypeRoot::Double => FieldType::Double,
        TypeRoot::Decimal { precision, scale } => FieldType::Decimal { precision, scale },
        TypeRoot::Char(n) => FieldType::Char(n),
        TypeRoot::Varchar(n) => FieldType::Varchar(n),
        TypeRoot::Binary(n) => FieldType::Binary(n),
        TypeRoot::Varbinary(n) => FieldType::Varbinary(n),
        TypeRoot::Date => FieldType::Date,
        TypeRoot::Time(p) => FieldType::Time(p),
        TypeRoot::Timestamp(p) => FieldType::Timestamp(p),
        TypeRoot::TimestampLtz(p) => FieldType::TimestampLtz(p),
        TypeRoot::Array(ref element) => FieldType::array(field_type(&element.root), element.nullable),
        TypeRoot::Map(ref map) => {
            FieldType::map(field_type(&map.key.root), field_type(&map.value.root), map.value.nullable)
        }
        TypeRoot::Row(ref fields) => {
            FieldType::Row(fields.iter().map(|field| field_def(&field.name, &field.data_type)).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use paimon_table::arrow::arrow_type;

    use super::*;

    /// Columns are written as they are generated.
    #[test]
    fn generated_values_have_the_arrow_types_of_columns() {
        for text in [
            "BOOLEAN",
            "DECIMAL(38, 10)",
            "CHAR(3)",
            "BYTES",
            "TIME(9)",
            "TIMESTAMP(9)",
            "TIMESTAMP(3) WITH LOCAL TIME ZONE",
            "ARRAY<INT NOT NULL>",
            "MAP<STRING, MAP<INT, DATE NOT NULL>>",
            "ROW<a TINYINT NOT NULL, `b c` ARRAY<ROW<d FLOAT>>>",
        ] {
            let root = text.parse::<DataType>().unwrap().root;
            assert_eq!(field_type(&root).arrow_type(), arrow_type(&root), "{text}");
        }
    }
}
