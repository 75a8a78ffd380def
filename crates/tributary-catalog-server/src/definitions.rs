//! Views and functions: nothing of them is in the warehouse, the ledger has it all. What they say is for engines, and is not
//! understood here. Pure.

use std::collections::BTreeMap;

use paimon_catalog::rest::wire::{Audit, Identifier};
use paimon_format::DataField;
use serde::{Deserialize, Deserializer, Serialize};

use crate::call::Kind;
use crate::problem::Problem;

/// A view or a function with its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Definition {
    /// One of the same name created later has another.
    pub(crate) id: String,
    pub(crate) database: String,
    pub(crate) name: String,
    pub(crate) body: Body,
    pub(crate) audit: Audit,
}

/// What it says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Body {
    View(View),
    Function(Function),
}

/// `ViewSchema`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct View {
    #[serde(deserialize_with = "null_is_empty", default)]
    fields: Vec<DataField>,
    query: String,
    #[serde(deserialize_with = "null_is_empty", default)]
    dialects: BTreeMap<String, String>,
    comment: Option<String>,
    #[serde(deserialize_with = "null_is_empty", default)]
    options: BTreeMap<String, String>,
}

/// `Function`, without its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Function {
    input_params: Option<Vec<DataField>>,
    return_params: Option<Vec<DataField>>,
    #[serde(deserialize_with = "null_is_empty", default)]
    deterministic: bool,
    #[serde(deserialize_with = "null_is_empty", default)]
    definitions: BTreeMap<String, Code>,
    comment: Option<String>,
    #[serde(deserialize_with = "null_is_empty", default)]
    options: BTreeMap<String, String>,
}

/// `FunctionDefinition`: what one engine runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
enum Code {
    File {
        file_resources: Option<Vec<FileResource>>,
        language: Option<String>,
        class_name: Option<String>,
        function_name: Option<String>,
    },
    Sql {
        definition: String,
    },
    Lambda {
        definition: String,
        language: Option<String>,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FileResource {
    resource_type: Option<String>,
    uri: Option<String>,
}

#[derive(Deserialize)]
struct CreateView {
    identifier: Identifier,
    schema: View,
}

#[derive(Deserialize)]
struct CreateFunction {
    name: String,
    #[serde(flatten)]
    function: Function,
}

#[derive(Deserialize)]
struct Changes<T> {
    changes: Vec<Change<T>>,
}

/// `ViewChange` and `FunctionChange`: each engine's part is the query of a dialect there and a definition here.
#[derive(Deserialize)]
#[serde(tag = "action", rename_all = "camelCase")]
enum Change<T> {
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
    #[serde(rename = "addDialect", alias = "addDefinition")]
    Add {
        #[serde(rename = "dialect", alias = "name")]
        name: String,
        #[serde(rename = "query", alias = "definition")]
        part: T,
    },
    #[serde(rename = "updateDialect", alias = "updateDefinition")]
    Update {
        #[serde(rename = "dialect", alias = "name")]
        name: String,
        #[serde(rename = "query", alias = "definition")]
        part: T,
    },
    #[serde(rename = "dropDialect", alias = "dropDefinition")]
    Drop {
        #[serde(rename = "dialect", alias = "name")]
        name: String,
    },
}

/// `GetViewResponse` and `GetFunctionResponse`.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Described<'a> {
    View {
        id: &'a str,
        name: &'a str,
        schema: &'a View,
        #[serde(flatten)]
        audit: &'a Audit,
    },
    Function {
        uuid: &'a str,
        name: &'a str,
        #[serde(flatten)]
        function: &'a Function,
        #[serde(flatten)]
        audit: &'a Audit,
    },
}

// === impl Definition ===

impl Definition {
    /// What a request to create one in the database says.
    pub(crate) fn parse(kind: Kind, database: &str, body: &[u8], id: String, audit: Audit) -> Result<Self, Problem> {
        let (name, body) = match kind {
            Kind::View => {
                let CreateView { identifier, schema } = crate::service::parse(body)?;
                if identifier.database != database {
                    let named = identifier.database;
                    return Err(Problem::bad(format!("the body names database '{named}', the path '{database}'")));
                }
                (identifier.object, Body::View(schema))
            }
            Kind::Function => {
                let CreateFunction { name, function } = crate::service::parse(body)?;
                (name, Body::Function(function))
            }
        };
        Ok(Self { id, database: database.to_owned(), name, body, audit })
    }

    pub(crate) fn kind(&self) -> Kind {
        match self.body {
            Body::View(_) => Kind::View,
            Body::Function(_) => Kind::Function,
        }
    }

    pub(crate) fn identifier(&self) -> Identifier {
        Identifier { database: self.database.clone(), object: self.name.clone() }
    }

    pub(crate) fn described(&self) -> Described<'_> {
        let Self { id, name, audit, .. } = self;
        match &self.body {
            Body::View(schema) => Described::View { id, name, schema, audit },
            Body::Function(function) => Described::Function { uuid: id, name, function, audit },
        }
    }

    /// The same after the changes of a request, all of them or none.
    pub(crate) fn altered(&self, body: &[u8], audit: Audit) -> Result<Self, Problem> {
        let mut next = self.clone();
        match &mut next.body {
            Body::View(View { dialects, comment, options, .. }) => {
                apply(crate::service::parse(body)?, "DIALECT", dialects, comment, options)?;
            }
            Body::Function(Function { definitions, comment, options, .. }) => {
                apply(crate::service::parse(body)?, "DEFINITION", definitions, comment, options)?;
            }
        }
        (next.audit.updated_at, next.audit.updated_by) = (audit.updated_at, audit.updated_by);
        Ok(next)
    }
}

fn apply<T>(
    Changes { changes }: Changes<T>,
    resource: &'static str,
    parts: &mut BTreeMap<String, T>,
    comment: &mut Option<String>,
    options: &mut BTreeMap<String, String>,
) -> Result<(), Problem> {
    for change in changes {
        match change {
            Change::SetOption { key, value } => drop(options.insert(key, value)),
            Change::RemoveOption { key } => drop(options.remove(&key)),
            Change::UpdateComment { comment: next } => *comment = next,
            Change::Add { name, .. } if parts.contains_key(&name) => return Err(Problem::part_exists(resource, &name)),
            Change::Update { name, .. } | Change::Drop { name } if !parts.contains_key(&name) => {
                return Err(Problem::no_part(resource, &name));
            }
            Change::Add { name, part } | Change::Update { name, part } => drop(parts.insert(name, part)),
            Change::Drop { name } => drop(parts.remove(&name)),
        }
    }
    Ok(())
}

/// As Java reads it.
fn null_is_empty<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}
