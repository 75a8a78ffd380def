//! From a method and a path to what is asked (rest-catalog-open-api.yaml). Pure: nothing is looked up here.

mod definitions;

use paimon_catalog::rest::paths::decode;
use url::form_urlencoded;

use crate::page::{Paging, Pattern};
use crate::problem::Problem;

pub use definitions::{DefinitionCall, Kind};

/// What introduces a branch in a table's name.
const BRANCH_MARK: &str = "$branch_";

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// The options of the catalog of this name.
    Config(String),
    /// Names of databases.
    ListDatabases(Paging),
    /// A new database.
    CreateDatabase,
    /// One database.
    GetDatabase(String),
    /// Other options of a database.
    AlterDatabase(String),
    /// No more of a database and its tables.
    DropDatabase(String),
    /// Names of tables.
    ListTables(String, Paging),
    /// Tables with their definitions.
    ListTableDetails(String, Paging),
    /// A new table.
    CreateTable(String),
    /// Another name for a table.
    RenameTable,
    /// A table by its identity.
    GetTableById(String),
    /// Something about one table.
    Table(TableName, TableCall),
    /// Something about views or functions.
    Definition(Kind, DefinitionCall),
    /// Part of the API, and left out of this server.
    LeftOut(&'static str),
}

/// A table's name in a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableName {
    /// Its database.
    pub database: String,
    /// Its own name.
    pub table: String,
    /// The branch of it that is meant.
    pub branch: Option<String>,
}

/// What is asked of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableCall {
    /// Its definition.
    Get,
    /// Another definition.
    Alter,
    /// No more of it.
    Drop,
    /// A new snapshot.
    Commit,
    /// An older state.
    Rollback,
    /// The newest snapshot.
    LatestSnapshot,
    /// All snapshots.
    ListSnapshots(Paging),
    /// A snapshot by `EARLIEST`, `LATEST`, id or tag.
    GetSnapshot(String),
    /// Its partitions.
    ListPartitions(Paging),
    /// Some of its partitions.
    PartitionsByNames,
    /// Names of tags.
    ListTags(Paging),
    /// A new tag.
    CreateTag,
    /// One tag.
    GetTag(String),
    /// No more of a tag.
    DeleteTag(String),
    /// Names of branches.
    ListBranches,
    /// A new branch.
    CreateBranch,
    /// No more of a branch.
    DropBranch(String),
    /// The table as the branch has it.
    ForwardBranch(String),
    /// Who still needs which snapshots.
    ListConsumers(Paging),
    /// Another snapshot for a consumer, or no more of it.
    ResetConsumer,
}

/// What somebody must be allowed to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    /// See definitions and snapshots.
    Read,
    /// Change them.
    Write,
}

// === impl Call ===

impl Call {
    /// What a request of `method` for `path` and `query` asks of the catalog whose prefix is `prefix`.
    ///
    /// # Errors
    /// 404 for a path that is none of the API's or of another prefix, 405 for a method it does not take, 400 for
    /// parameters that cannot be understood.
    pub fn try_new(method: &str, path: &str, query: &str, prefix: &str) -> Result<Self, Problem> {
        let segments: Vec<String> = path.trim_start_matches('/').split('/').map(decode).collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let query: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let wrong = || Problem::wrong_method(path);
        match segments.as_slice() {
            ["v1", "config"] => {
                let warehouse = query.into_iter().find(|(key, _)| key == "warehouse").map(|(_, value)| value);
                let warehouse = warehouse.ok_or_else(|| Problem::bad("the parameter warehouse is missing"))?;
                // pypaimon encodes it once more than needed.
                if method == "GET" { Ok(Self::Config(decode(&warehouse))) } else { Err(wrong()) }
            }
            ["v1", found, rest @ ..] if *found == prefix => {
                Self::below(method, rest, &query, wrong)?.ok_or_else(|| Problem::no_such_path(path))
            }
            _ => Err(Problem::no_such_path(path)),
        }
    }

    fn below(
        method: &str,
        rest: &[&str],
        query: &[(String, String)],
        wrong: impl Fn() -> Problem,
    ) -> Result<Option<Self>, Problem> {
        let tables = || Paging::try_new(query, "tableNamePattern");
        let named = |name: &str| name.to_owned();
        Ok(Some(match (method, rest) {
            ("GET", ["databases"]) => Self::ListDatabases(Paging::try_new(query, "databaseNamePattern")?),
            ("POST", ["databases"]) => Self::CreateDatabase,
            ("GET", ["databases", database]) => Self::GetDatabase(named(database)),
            ("POST", ["databases", database]) => Self::AlterDatabase(named(database)),
            ("DELETE", ["databases", database]) => Self::DropDatabase(named(database)),
            ("GET", ["databases", database, "tables"]) => Self::ListTables(named(database), tables()?),
            ("GET", ["databases", database, "table-details"]) => Self::ListTableDetails(named(database), tables()?),
            ("POST", ["databases", database, "tables"]) => Self::CreateTable(named(database)),
            ("POST", ["tables", "rename"]) => Self::RenameTable,
            ("GET", ["tables", "id", id]) => Self::GetTableById(named(id)),
            (_, ["databases", database, "tables", table, rest @ ..]) => {
                let Some(call) = TableCall::try_new(method, rest, query, &wrong)? else {
                    return Ok(left_out(rest));
                };
                Self::Table(TableName::new(database, table), call)
            }
            (
                _,
                ["databases"]
                | ["databases", _]
                | ["databases", _, "tables" | "table-details"]
                | ["tables", "rename"]
                | ["tables", "id", _],
            ) => return Err(wrong()),
            (_, rest) => return Ok(definitions::parse(method, rest, query, wrong)?.or_else(|| left_out(rest))),
        }))
    }

    /// The call's name in metrics and logs.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::Config(_) => "getConfig",
            Self::ListDatabases(_) => "listDatabases",
            Self::CreateDatabase => "createDatabase",
            Self::GetDatabase(_) => "getDatabase",
            Self::AlterDatabase(_) => "alterDatabase",
            Self::DropDatabase(_) => "dropDatabase",
            Self::ListTables(..) => "listTables",
            Self::ListTableDetails(..) => "listTableDetails",
            Self::CreateTable(_) => "createTable",
            Self::RenameTable => "renameTable",
            Self::GetTableById(_) => "getTableById",
            Self::Table(_, call) => call.operation(),
            Self::Definition(kind, call) => definitions::operation(*kind, call),
            Self::LeftOut(_) => "leftOut",
        }
    }
}

/// Parts of the API that this server leaves out, with the reason (docs/guide.md lists them).
fn left_out(rest: &[&str]) -> Option<Call> {
    let why = match rest {
        ["databases", _, "register"] => "registering a table is left out: start the server once with --import",
        ["tables"] => "listing the tables of all databases is left out: list them database by database",
        ["token"] => "data tokens are left out: give clients their own credentials of the store",
        ["auth"] => "row and column permissions are left out: grants are per database",
        ["rollback-schema"] => "rolling back a schema is left out: alter the table",
        ["replace"] => "replacing a table is left out: drop and create it",
        ["branches", _, "rename"] => "renaming a branch is left out: no store renames a folder at once",
        ["partitions", "drop"] => "a partition is dropped by a commit: clients fall back to that",
        ["partitions"] | ["partitions", "mark" | "list-by-filter"] => {
            "partitions are what the manifests hold: they are not registered, marked or filtered here"
        }
        _ => return None,
    };
    Some(Call::LeftOut(why))
}

// === impl TableName ===

impl TableName {
    /// From the segments of a path: `t`, or `t$branch_b`. The branch `main` is the table itself.
    pub fn new(database: &str, object: &str) -> Self {
        let (table, branch) = match object.split_once(BRANCH_MARK) {
            Some((table, branch)) => (table, Some(branch).filter(|branch| !branch.eq_ignore_ascii_case("main"))),
            None => (object, None),
        };
        Self { database: database.to_owned(), table: table.to_owned(), branch: branch.map(str::to_owned) }
    }

    /// The name as clients write it, without the database.
    pub fn object(&self) -> String {
        match &self.branch {
            Some(branch) => format!("{}{BRANCH_MARK}{branch}", self.table),
            None => self.table.clone(),
        }
    }
}

// === impl TableCall ===

impl TableCall {
    fn try_new(
        method: &str,
        rest: &[&str],
        query: &[(String, String)],
        wrong: impl Fn() -> Problem,
    ) -> Result<Option<Self>, Problem> {
        let named = |name: &str| name.to_owned();
        Ok(Some(match (method, rest) {
            ("GET", []) => Self::Get,
            ("POST", []) => Self::Alter,
            ("DELETE", []) => Self::Drop,
            ("POST", ["commit"]) => Self::Commit,
            ("POST", ["rollback"]) => Self::Rollback,
            ("GET", ["snapshot"]) => Self::LatestSnapshot,
            ("GET", ["snapshots"]) => Self::ListSnapshots(Paging::try_new(query, "")?),
            ("GET", ["snapshots", version]) => Self::GetSnapshot(named(version)),
            ("GET", ["partitions"]) => Self::ListPartitions(Paging::try_new(query, "partitionNamePattern")?),
            ("POST", ["partitions", "list-by-names"]) => Self::PartitionsByNames,
            ("GET", ["tags"]) => Self::ListTags(Paging::try_new(query, "tagNamePrefix")?),
            ("POST", ["tags"]) => Self::CreateTag,
            ("GET", ["tags", tag]) => Self::GetTag(named(tag)),
            ("DELETE", ["tags", tag]) => Self::DeleteTag(named(tag)),
            ("GET", ["branches"]) => Self::ListBranches,
            ("POST", ["branches"]) => Self::CreateBranch,
            ("DELETE", ["branches", branch]) => Self::DropBranch(named(branch)),
            ("POST", ["branches", branch, "forward"]) => Self::ForwardBranch(named(branch)),
            ("GET", ["consumers"]) => Self::ListConsumers(Paging::try_new(query, "")?),
            ("POST", ["consumers", "reset"]) => Self::ResetConsumer,
            (_, [] | ["commit" | "rollback" | "snapshot" | "snapshots" | "tags" | "branches" | "consumers"])
            | (_, ["snapshots" | "tags" | "branches", _] | ["branches", _, "forward"])
            | (_, ["partitions", "list-by-names"] | ["consumers", "reset"]) => return Err(wrong()),
            _ => return Ok(None),
        }))
    }

    /// What the caller must be allowed to.
    pub fn right(&self) -> Right {
        match self {
            Self::Alter | Self::Drop | Self::Commit | Self::Rollback | Self::CreateTag | Self::DeleteTag(_) => {
                Right::Write
            }
            Self::CreateBranch | Self::DropBranch(_) | Self::ForwardBranch(_) | Self::ResetConsumer => Right::Write,
            _ => Right::Read,
        }
    }

    fn operation(&self) -> &'static str {
        match self {
            Self::Get => "getTable",
            Self::Alter => "alterTable",
            Self::Drop => "dropTable",
            Self::Commit => "commitTable",
            Self::Rollback => "rollbackTable",
            Self::LatestSnapshot => "getTableSnapshot",
            Self::ListSnapshots(_) => "listSnapshots",
            Self::GetSnapshot(_) => "getVersionSnapshot",
            Self::ListPartitions(_) => "listPartitions",
            Self::PartitionsByNames => "listPartitionsByNames",
            Self::ListTags(_) => "listTags",
            Self::CreateTag => "createTag",
            Self::GetTag(_) => "getTag",
            Self::DeleteTag(_) => "deleteTag",
            Self::ListBranches => "listBranches",
            Self::CreateBranch => "createBranch",
            Self::DropBranch(_) => "dropBranch",
            Self::ForwardBranch(_) => "forwardBranch",
            Self::ListConsumers(_) => "listConsumers",
            Self::ResetConsumer => "resetConsumer",
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn call(method: &str, target: &str) -> Result<Call, u16> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Call::try_new(method, path, query, "p q").map_err(|problem| problem.code)
    }

    #[test]
    fn paths_are_calls() {
        let table = |branch: Option<&str>, call| {
            let name = TableName { database: "d".into(), table: "t".into(), branch: branch.map(Into::into) };
            Ok(Call::Table(name, call))
        };
        for (method, target, expected) in [
            ("GET", "/v1/config?warehouse=my%2Bhouse", Ok(Call::Config("my house".into()))),
            ("GET", "/v1/config", Err(400)),
            ("POST", "/v1/config?warehouse=w", Err(405)),
            ("GET", "/v1/p+q/databases", Ok(Call::ListDatabases(Paging::default()))),
            ("GET", "/v1/p%20q/databases/a+b%2F", Ok(Call::GetDatabase("a b/".into()))),
            ("PUT", "/v1/p+q/databases", Err(405)),
            ("GET", "/v1/other/databases", Err(404)),
            ("GET", "/v1/p+q/databases?maxResults=x", Err(400)),
            ("GET", "/v1/p+q/databases/d/tables/t%24branch_b/snapshot", table(Some("b"), TableCall::LatestSnapshot)),
            ("DELETE", "/v1/p+q/databases/d/tables/t%24branch_main", table(None, TableCall::Drop)),
            ("GET", "/v1/p+q/databases/d/tables/t/snapshots/7", table(None, TableCall::GetSnapshot("7".into()))),
            ("GET", "/v1/p+q/databases/d/tables/t/commit", Err(405)),
            ("DELETE", "/v1/p+q/databases/d/tables/t/branches/b", table(None, TableCall::DropBranch("b".into()))),
            ("POST", "/v1/p+q/databases/d/tables/t/branches/b", Err(405)),
            ("GET", "/v1/p+q/databases/d/tables/t/nothing", Err(404)),
            ("GET", "/v1/p+q/nothing", Err(404)),
            ("GET", "/", Err(404)),
            ("", "", Err(404)),
        ] {
            assert_eq!(call(method, target), expected, "{method} {target}");
        }
        for target in ["tables", "databases/d/tables/t/branches/b/rename", "databases/d/tables/t/token"] {
            assert!(matches!(call("GET", &format!("/v1/p+q/{target}")), Ok(Call::LeftOut(_))), "{target}");
        }
    }

    #[test]
    fn views_and_functions_have_paths_alike() {
        let view = |call| Ok(Call::Definition(Kind::View, call));
        let function = |call| Ok(Call::Definition(Kind::Function, call));
        let (d, v) = (|| "d".to_owned(), || "v".to_owned());
        for (request, expected) in [
            ("GET databases/d/views", view(DefinitionCall::List(d(), Paging::default()))),
            ("GET databases/d/view-details", view(DefinitionCall::ListDetails(d(), Paging::default()))),
            ("GET views", view(DefinitionCall::ListGlobally(None, Paging::default()))),
            ("POST databases/d/views", view(DefinitionCall::Create(d()))),
            ("POST databases/d/views/v", view(DefinitionCall::Alter(d(), v()))),
            ("POST views/rename", view(DefinitionCall::Rename)),
            ("GET functions", function(DefinitionCall::ListGlobally(None, Paging::default()))),
            ("DELETE databases/d/functions/v", function(DefinitionCall::Drop(d(), v()))),
            ("POST databases/d/view-details", Err(405)),
            ("DELETE databases/d/views", Err(405)),
            ("POST functions/rename", Err(404)),
            ("GET databases/d/views/v/w", Err(404)),
        ] {
            let (method, target) = request.split_once(' ').unwrap();
            assert_eq!(call(method, &format!("/v1/p+q/{target}")), expected, "{request}");
        }
    }

    proptest! {
        #[test]
        fn no_path_is_the_servers_fault(method in "(GET|POST|DELETE|[A-Z]{0,6})", path in "(/v1/p\\+q)?[ -~é%/+]{0,60}", query in "[ -~]{0,40}") {
            if let Err(problem) = Call::try_new(&method, &path, &query, "p q") {
                prop_assert!((400..500).contains(&problem.code));
            }
        }
    }
}
