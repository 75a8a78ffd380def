//! Types in schema files: primitive ones as text, nested ones as objects (`serializeJson` of `ArrayType`, `MapType`,
//! `RowType`): `{"type": "ARRAY NOT NULL", "element": "INT"}`.

use std::sync::Arc;

use serde::de::Error as _;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::{DataType, MapType, TypeRoot};
use crate::error::FormatError;
use crate::schema::DataField;

/// A nested type as it is written; which members it has depends on the first word of `type`.
#[derive(Deserialize)]
struct Nested {
    #[serde(rename = "type")]
    name: String,
    element: Option<DataType>,
    key: Option<DataType>,
    value: Option<DataType>,
    fields: Option<Vec<DataField>>,
}

// === impl DataType ===

impl Serialize for DataType {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let named = |name: &str| format!("{name}{}", if self.nullable { "" } else { " NOT NULL" });
        let mut map = match &self.root {
            TypeRoot::Array(_) | TypeRoot::Map(_) | TypeRoot::Row(_) => to.serialize_map(None)?,
            _ => return to.collect_str(self),
        };
        match &self.root {
            TypeRoot::Array(element) => {
                map.serialize_entry("type", &named("ARRAY"))?;
                map.serialize_entry("element", element.as_ref())?;
            }
            TypeRoot::Map(parts) => {
                map.serialize_entry("type", &named("MAP"))?;
                map.serialize_entry("key", &parts.key)?;
                map.serialize_entry("value", &parts.value)?;
            }
            TypeRoot::Row(fields) => {
                map.serialize_entry("type", &named("ROW"))?;
                map.serialize_entry("fields", fields.as_ref())?;
            }
            _ => {}
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for DataType {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // By way of a value, so that errors are those of the form it has.
        match Value::deserialize(from)? {
            Value::String(text) => match text.parse::<Self>().map_err(D::Error::custom)? {
                nested if nested.root.is_nested() => {
                    Err(D::Error::custom(format!("the nested type {nested} is an object, not a text")))
                }
                primitive => Ok(primitive),
            },
            value => Nested::deserialize(value).map_err(D::Error::custom)?.data_type().map_err(D::Error::custom),
        }
    }
}

// === impl Nested ===

impl Nested {
    fn data_type(self) -> Result<DataType, String> {
        let (word, nullable) = split_name(&self.name);
        let missing = |member: &str| format!("{word} without `{member}`");
        let root = match word {
            "ARRAY" => TypeRoot::Array(Arc::new(self.element.ok_or_else(|| missing("element"))?)),
            "MAP" => TypeRoot::Map(Arc::new(MapType {
                key: self.key.ok_or_else(|| missing("key"))?,
                value: self.value.ok_or_else(|| missing("value"))?,
            })),
            "ROW" => TypeRoot::Row(self.fields.ok_or_else(|| missing("fields"))?.into()),
            other => return Err(format!("`{other}` is no nested type")),
        };
        Ok(DataType { root, nullable })
    }
}

/// `ARRAY NOT NULL` as `ARRAY` and whether null is a value.
fn split_name(name: &str) -> (&str, bool) {
    match name.strip_suffix(" NOT NULL") {
        Some(word) => (word, false),
        None => (name, true),
    }
}

/// The first type in a type's JSON that is refused by name.
pub(crate) fn unsupported_in(data_type: &Value) -> Option<&str> {
    let Value::Object(nested) = data_type else {
        let text = data_type.as_str()?;
        return matches!(text.parse::<DataType>(), Err(FormatError::Unsupported { .. })).then_some(text);
    };
    let name = nested.get("type")?.as_str()?;
    if !["ARRAY", "MAP", "ROW"].contains(&split_name(name).0) {
        return Some(name);
    }
    let parts = ["element", "key", "value"].into_iter().filter_map(|part| nested.get(part));
    let fields = nested.get("fields").and_then(Value::as_array).into_iter().flatten();
    parts.chain(fields.filter_map(|field| field.get("type"))).find_map(unsupported_in)
}
