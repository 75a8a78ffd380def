//! Calls about views and functions, which differ in their names only.

use super::{Call, Paging, Pattern, Problem};

/// What a definition is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A view.
    View,
    /// A function.
    Function,
}

/// What is asked about views or functions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DefinitionCall {
    /// Names of those of a database.
    List(String, Paging),
    /// All of those of a database.
    ListDetails(String, Paging),
    /// Names of those of all databases, or of those of some names.
    ListGlobally(Option<Pattern>, Paging),
    /// A new one in a database.
    Create(String),
    /// Another name.
    Rename,
    /// One of a database.
    Get(String, String),
    /// A change of one of a database.
    Alter(String, String),
    /// No more of one of a database.
    Drop(String, String),
}

// === impl Kind ===

impl Kind {
    const ALL: [Self; 2] = [Self::View, Self::Function];

    /// As the API names several.
    pub(crate) fn plural(self) -> &'static str {
        match self {
            Self::View => "views",
            Self::Function => "functions",
        }
    }

    /// As the API names several with all there is to say of them, in answers and in paths.
    pub(crate) fn details(self) -> (&'static str, &'static str) {
        match self {
            Self::View => ("viewDetails", "view-details"),
            Self::Function => ("functionDetails", "function-details"),
        }
    }

    fn paging(self, query: &[(String, String)]) -> Result<Paging, Problem> {
        let pattern = match self {
            Self::View => "viewNamePattern",
            Self::Function => "functionNamePattern",
        };
        Paging::try_new(query, pattern)
    }
}

/// `None` for a path of something else.
pub(super) fn parse(
    method: &str,
    rest: &[&str],
    query: &[(String, String)],
    wrong: impl Fn() -> Problem,
) -> Result<Option<Call>, Problem> {
    use DefinitionCall::{Alter, Create, Drop, Get, List, ListDetails, ListGlobally, Rename};
    let named = |name: &str| name.to_owned();
    let segment = match rest {
        ["databases", _, segment, ..] | [segment, ..] => *segment,
        [] => return Ok(None),
    };
    let Some(kind) = Kind::ALL.into_iter().find(|kind| [kind.plural(), kind.details().1].contains(&segment)) else {
        return Ok(None);
    };
    let call = match (method, rest) {
        ("GET", ["databases", database, details]) if *details == kind.details().1 => {
            ListDetails(named(database), kind.paging(query)?)
        }
        ("GET", ["databases", database, _]) => List(named(database), kind.paging(query)?),
        ("POST", ["databases", database, plural]) if *plural == kind.plural() => Create(named(database)),
        ("GET", ["databases", database, _, name]) => Get(named(database), named(name)),
        ("POST", ["databases", database, _, name]) => Alter(named(database), named(name)),
        ("DELETE", ["databases", database, _, name]) => Drop(named(database), named(name)),
        ("GET", [plural]) if *plural == kind.plural() => {
            ListGlobally(Paging::try_new(query, "databaseNamePattern")?.pattern, kind.paging(query)?)
        }
        ("POST", ["views", "rename"]) => Rename,
        (_, ["databases", _, _] | ["databases", _, _, _] | ["views", "rename"] | [_]) => return Err(wrong()),
        _ => return Ok(None),
    };
    Ok(Some(Call::Definition(kind, call)))
}

pub(super) fn operation(kind: Kind, call: &DefinitionCall) -> &'static str {
    match (kind, call) {
        (Kind::View, DefinitionCall::List(..)) => "listViews",
        (Kind::View, DefinitionCall::ListDetails(..)) => "listViewDetails",
        (Kind::View, DefinitionCall::ListGlobally(..)) => "listViewsGlobally",
        (Kind::View, DefinitionCall::Create(_)) => "createView",
        (_, DefinitionCall::Rename) => "renameView",
        (Kind::View, DefinitionCall::Get(..)) => "getView",
        (Kind::View, DefinitionCall::Alter(..)) => "alterView",
        (Kind::View, DefinitionCall::Drop(..)) => "dropView",
        (Kind::Function, DefinitionCall::List(..)) => "listFunctions",
        (Kind::Function, DefinitionCall::ListDetails(..)) => "listFunctionDetails",
        (Kind::Function, DefinitionCall::ListGlobally(..)) => "listFunctionsGlobally",
        (Kind::Function, DefinitionCall::Create(_)) => "createFunction",
        (Kind::Function, DefinitionCall::Get(..)) => "getFunction",
        (Kind::Function, DefinitionCall::Alter(..)) => "alterFunction",
        (Kind::Function, DefinitionCall::Drop(..)) => "dropFunction",
    }
}
