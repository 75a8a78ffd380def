//! Table schemas: `schema/schema-N` (`TableSchema`, `SchemaSerializer`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{FormatError, Result};
use crate::json;
use crate::options::CoreOptions;
use crate::types::{DataType, TypeRoot, unsupported_in};

const OBJECT: &str = "schema";
/// The schema version Paimon 0.9 to 2.0 writes.
const CURRENT_VERSION: i32 = 3;

/// A column, or a field of a ROW.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataField {
    /// Identity of the column or field across schemas of one table.
    pub id: i32,
    /// Its name in this schema.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub data_type: DataType,
    /// Comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Literal a writer puts in the place of null; refused by [`TableSchema::check_supported`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_value: Option<String>,
}

/// One version of a table's columns, keys and options.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TableSchema {
    /// Version of the JSON: 3 since Paimon 0.9, absent (1) up to 0.7.
    #[serde(default = "oldest_version")]
    pub version: i32,
    /// The N of `schema-N`, from 0.
    pub id: i64,
    /// The columns, partition columns included.
    pub fields: Vec<DataField>,
    /// Highest column id ever given, nested columns and dropped ones included.
    pub highest_field_id: i32,
    /// Names of the partition columns, in the order of the directories.
    pub partition_keys: Vec<String>,
    /// Names of the primary key columns.
    pub primary_keys: Vec<String>,
    /// Table options as the user gave them.
    pub options: BTreeMap<String, String>,
    /// Comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// When the schema was written, Unix milliseconds; 0 if unknown.
    #[serde(default)]
    pub time_millis: i64,
}

// === impl DataField ===

impl DataField {
    /// A column without comment or default.
    pub fn new(id: i32, name: impl Into<String>, data_type: DataType) -> Self {
        Self { id, name: name.into(), data_type, description: None, default_value: None }
    }
}

// === impl TableSchema ===

impl TableSchema {
    /// The first schema of a new table, with column ids as given by the fields.
    pub fn new(
        fields: Vec<DataField>,
        partition_keys: Vec<String>,
        options: BTreeMap<String, String>,
        comment: Option<String>,
        time_millis: i64,
    ) -> Self {
        Self {
            version: CURRENT_VERSION,
            id: 0,
            highest_field_id: highest_id(&fields),
            fields,
            partition_keys,
            primary_keys: Vec::new(),
            options,
            comment,
            time_millis,
        }
    }

    /// Reads a schema file. Options that old versions left out get the defaults of their time
    /// (`bucket` 1, `file.format` orc).
    ///
    /// # Errors
    /// [`FormatError::Json`] or [`FormatError::Corrupt`] for a damaged file;
    /// [`FormatError::Unsupported`] naming the column for a type of a single engine.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        // Two passes, so that an unsupported type is reported as such and not as damage.
        let value: serde_json::Value = json::from_slice(OBJECT, bytes)?;
        refuse_unsupported_types(&value)?;
        let mut schema: Self = serde_json::from_value(value).map_err(|source| FormatError::json(OBJECT, source))?;
        if !(1..=CURRENT_VERSION).contains(&schema.version) {
            return Err(FormatError::unsupported(format!("schema version {}", schema.version)));
        }
        let defaults = [("bucket", "1", 1), ("file.format", "orc", 2)];
        for (key, value, up_to) in defaults {
            if schema.version <= up_to && !schema.options.contains_key(key) {
                schema.options.insert(key.to_owned(), value.to_owned());
            }
        }
        schema.check_consistent()?;
        Ok(schema)
    }

    /// Writes a schema file, laid out as Java does.
    ///
    /// # Errors
    /// None in practice; the JSON library's, if it has any.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        json::to_vec(OBJECT, self)
    }

    /// The column of this name.
    pub fn field(&self, name: &str) -> Option<&DataField> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The partition columns, in the order of `partition_keys`.
    pub fn partition_fields(&self) -> Vec<&DataField> {
        self.partition_keys.iter().filter_map(|key| self.field(key)).collect()
    }

    /// The types of the partition columns: what a partition's `BinaryRow` holds.
    pub fn partition_types(&self) -> Vec<TypeRoot> {
        self.partition_fields().iter().map(|field| field.data_type.root.clone()).collect()
    }

    /// Whether Tributary can write this table without breaking it.
    ///
    /// # Errors
    /// [`FormatError::Unsupported`] naming the first feature it cannot, [`FormatError::Option`] for
    /// an option value that cannot be understood.
    pub fn check_supported(&self) -> Result<()> {
        if !self.primary_keys.is_empty() {
            return Err(FormatError::unsupported(format!(
                "primary keys ({}); only append tables can be written",
                self.primary_keys.join(", ")
            )));
        }
        for field in &self.fields {
            check_column(field)?;
        }
        let options = CoreOptions::parse(&self.options)?;
        options.check_supported(&self.options)?;
        for field in self.partition_fields() {
            let root = &field.data_type.root;
            if root.is_nested() {
                return Err(FormatError::unsupported(format!("partition column `{}` of type {root}", field.name)));
            }
            let is_bytes = matches!(root, TypeRoot::Binary(_) | TypeRoot::Varbinary(_));
            let differs = matches!(
                root,
                TypeRoot::Date
                    | TypeRoot::Time(_)
                    | TypeRoot::Timestamp(_)
                    | TypeRoot::TimestampLtz(_)
                    | TypeRoot::Float
                    | TypeRoot::Double
            );
            if is_bytes {
                return Err(FormatError::unsupported(format!(
                    "partition column `{}` of type {root}: its directory name would not tell values apart",
                    field.name
                )));
            }
            if differs && !options.partition_legacy_name {
                return Err(FormatError::unsupported(format!(
                    "partition.legacy-name = false with partition column `{}` of type {root}",
                    field.name
                )));
            }
        }
        Ok(())
    }

    fn check_consistent(&self) -> Result<()> {
        for (what, keys) in [("partition", &self.partition_keys), ("primary", &self.primary_keys)] {
            if let Some(key) = keys.iter().find(|key| self.field(key).is_none()) {
                return Err(FormatError::corrupt(OBJECT, format!("{what} key `{key}` is no column")));
            }
        }
        Ok(())
    }
}

fn oldest_version() -> i32 {
    1
}

fn highest_id(fields: &[DataField]) -> i32 {
    let highest = |field: &DataField| field.data_type.highest_field_id().unwrap_or(field.id).max(field.id);
    fields.iter().map(highest).max().unwrap_or(-1)
}

fn check_column(column: &DataField) -> Result<()> {
    let DataField { name, data_type, .. } = column;
    let root = &data_type.root;
    if let Some(default) = default_in(column) {
        return Err(FormatError::unsupported(format!("default value {default} of column `{name}`")));
    }
    if root.any(&|part| matches!(part, TypeRoot::Row(fields) if fields.is_empty())) {
        return Err(FormatError::unsupported(format!("column `{name}` of type {data_type}: a ROW without fields")));
    }
    let is_fine = |root: &TypeRoot| matches!(root, TypeRoot::Timestamp(7..) | TypeRoot::TimestampLtz(7..));
    if root.is_nested() && root.any(&is_fine) {
        return Err(FormatError::unsupported(format!(
            "column `{name}` of type {data_type}: timestamps in nested columns have at most 6 digits"
        )));
    }
    Ok(())
}

/// A default value of a column or of a field inside it.
fn default_in(field: &DataField) -> Option<&str> {
    fn within(root: &TypeRoot) -> Option<&str> {
        match root {
            TypeRoot::Row(fields) => fields.iter().find_map(default_in),
            TypeRoot::Array(element) => within(&element.root),
            TypeRoot::Map(map) => within(&map.key.root).or_else(|| within(&map.value.root)),
            _ => None,
        }
    }
    field.default_value.as_deref().or_else(|| within(&field.data_type.root))
}

fn refuse_unsupported_types(schema: &serde_json::Value) -> Result<()> {
    let fields = schema.get("fields").and_then(|fields| fields.as_array());
    for field in fields.into_iter().flatten() {
        if let Some(data_type) = field.get("type").and_then(unsupported_in) {
            let name = field.get("name").and_then(|name| name.as_str()).unwrap_or_default();
            return Err(FormatError::unsupported(format!("column `{name}` of type {data_type}")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
