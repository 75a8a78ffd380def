//! How a request fails: the HTTP code, the resource, and what to do about it (`ErrorResponse`).

use paimon_catalog::rest::wire::{ErrorResponse, resource};
use paimon_table::error::TableError;
use paimon_table::store::StoreError;
use tributary_runtime::{Classify, FailureKind};

use crate::call::Kind;

/// A refusal or failure, as the client hears it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// The HTTP code. Codes from 500 mean this server or its store, never the request; 501 means left out on purpose.
    pub code: u16,
    /// The kind of resource it is about, and its name.
    pub resource: Option<(&'static str, String)>,
    /// What is wrong and what to do.
    pub message: String,
}

// === impl Problem ===

impl Problem {
    fn new(code: u16, resource: Option<(&'static str, &str)>, message: impl Into<String>) -> Self {
        let resource = resource.map(|(kind, name)| (kind, name.to_owned()));
        Self { code, resource, message: message.into() }
    }

    /// 400: the request cannot be understood or asks for what cannot be.
    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new(400, None, message)
    }

    /// 401: nobody we know.
    pub(crate) fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(401, None, message)
    }

    /// 403: known, but not allowed.
    pub(crate) fn forbidden(database: &str, message: impl Into<String>) -> Self {
        Self::new(403, Some((resource::DATABASE, database)), message)
    }

    /// 501: left out on purpose.
    pub(crate) fn left_out(message: impl Into<String>) -> Self {
        Self::new(501, None, message)
    }

    /// 404 for a path that is none of the API's.
    pub(crate) fn no_such_path(path: &str) -> Self {
        Self::new(404, None, format!("there is nothing at {path}"))
    }

    pub(crate) fn wrong_method(path: &str) -> Self {
        Self::new(405, None, format!("{path} takes another method"))
    }

    pub(crate) fn too_large(limit_bytes: usize) -> Self {
        Self::new(413, None, format!("the body is longer than {limit_bytes} bytes"))
    }

    pub(crate) fn no_database(name: &str) -> Self {
        Self::new(404, Some((resource::DATABASE, name)), format!("database {name} does not exist"))
    }

    pub(crate) fn database_exists(name: &str) -> Self {
        Self::new(409, Some((resource::DATABASE, name)), format!("database {name} exists already"))
    }

    pub(crate) fn no_table(database: &str, table: &str) -> Self {
        Self::new(404, Some((resource::TABLE, table)), format!("table {database}.{table} does not exist"))
    }

    pub(crate) fn table_exists(database: &str, table: &str) -> Self {
        Self::new(409, Some((resource::TABLE, table)), format!("table {database}.{table} exists already"))
    }

    /// The folder a new table would get holds a table that nobody told the catalog of.
    pub(crate) fn folder_taken(table: &str, location: &str) -> Self {
        let message = format!(
            "{location} holds a table this catalog does not know; start the server once with --import to take it in, or remove it"
        );
        Self::new(409, Some((resource::TABLE, table)), message)
    }

    pub(crate) fn no_snapshot(table: &str, version: &str) -> Self {
        Self::new(404, Some((resource::SNAPSHOT, version)), format!("table {table} has no snapshot {version}"))
    }

    pub(crate) fn no_tag(table: &str, tag: &str) -> Self {
        Self::new(404, Some((resource::TAG, tag)), format!("table {table} has no tag {tag}"))
    }

    pub(crate) fn tag_exists(table: &str, tag: &str) -> Self {
        Self::new(409, Some((resource::TAG, tag)), format!("table {table} has a tag {tag} already"))
    }

    pub(crate) fn no_branch(table: &str, branch: &str) -> Self {
        Self::new(404, Some((resource::BRANCH, branch)), format!("table {table} has no branch {branch}"))
    }

    pub(crate) fn branch_exists(table: &str, branch: &str) -> Self {
        Self::new(409, Some((resource::BRANCH, branch)), format!("table {table} has a branch {branch} already"))
    }

    pub(crate) fn no_definition(kind: Kind, database: &str, name: &str) -> Self {
        let (resource, what) = of_kind(kind);
        Self::new(404, Some((resource, name)), format!("{what} {database}.{name} does not exist"))
    }

    pub(crate) fn definition_exists(kind: Kind, database: &str, name: &str) -> Self {
        let (resource, what) = of_kind(kind);
        Self::new(409, Some((resource, name)), format!("{what} {database}.{name} exists already"))
    }

    /// Tables and views are named in the same places of a statement.
    pub(crate) fn name_taken(resource: &'static str, name: &str) -> Self {
        Self::new(409, Some((resource, name)), format!("{name} is the name of a table or view already"))
    }

    /// Of a view or function there is nothing for that engine.
    pub(crate) fn no_part(resource: &'static str, name: &str) -> Self {
        Self::new(404, Some((resource, name)), format!("there is nothing for {name}"))
    }

    pub(crate) fn part_exists(resource: &'static str, name: &str) -> Self {
        Self::new(409, Some((resource, name)), format!("there is something for {name} already"))
    }

    pub(crate) fn no_column(column: &str) -> Self {
        Self::new(404, Some(("COLUMN", column)), format!("column {column} does not exist"))
    }

    pub(crate) fn column_exists(column: &str) -> Self {
        Self::new(409, Some(("COLUMN", column)), format!("column {column} exists already"))
    }

    /// 503: worth another try. Java's client repeats a commit on this code, and a repeated commit is recognised.
    pub(crate) fn try_again(message: impl Into<String>) -> Self {
        Self::new(503, None, message)
    }

    /// 500: this server is broken or set up wrongly.
    pub(crate) fn broken(message: impl Into<String>) -> Self {
        Self::new(500, None, message)
    }

    fn of_kind(kind: FailureKind, message: String) -> Self {
        match kind {
            FailureKind::Transient => Self::try_again(message),
            _ => Self::broken(message),
        }
    }

    /// The body that goes with the code.
    pub(crate) fn body(&self) -> ErrorResponse {
        let (resource_type, resource_name) = self.resource.clone().unzip();
        ErrorResponse {
            resource_type: resource_type.map(str::to_owned),
            resource_name,
            message: Some(self.message.clone()),
            code: Some(self.code),
        }
    }
}

fn of_kind(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::View => ("VIEW", "view"),
        Kind::Function => ("FUNCTION", "function"),
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            // The names in a request become names of objects.
            StoreError::Name { .. } => Self::bad(error.to_string()),
            _ => Self::of_kind(error.kind(), error.to_string()),
        }
    }
}

impl From<TableError> for Problem {
    fn from(error: TableError) -> Self {
        Self::of_kind(error.kind(), error.to_string())
    }
}
