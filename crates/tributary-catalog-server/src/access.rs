//! Who asks, and what they may do: bearer tokens and grants per database.

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;
use tributary_http::BearerToken;

use crate::call::Right;
use crate::problem::Problem;

/// In a grant: every database.
const ALL: &str = "*";

/// Somebody, with what they may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Their name, in the audit log and as owner of what they create.
    pub name: String,
    grants: BTreeMap<String, Right>,
}

/// Who may ask at all.
#[derive(Clone, Debug)]
pub enum Access {
    /// Whoever brings a bearer token, whatever it is: for loopback only.
    Open,
    /// Those who bring a token of these.
    Tokens(Vec<(BearerToken, Principal)>),
}

/// Why tokens and grants cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct AccessError(String);

/// The file of principals.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    principal: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    token: String,
    #[serde(default)]
    read: Vec<String>,
    #[serde(default)]
    write: Vec<String>,
}

// === impl Principal ===

impl Principal {
    /// Somebody who may do everything.
    pub fn of_all(name: &str) -> Self {
        Self { name: name.to_owned(), grants: [(ALL.to_owned(), Right::Write)].into() }
    }

    /// Whether they may do that in the database.
    ///
    /// # Errors
    /// 403.
    pub fn check(&self, database: &str, right: Right) -> Result<(), Problem> {
        let granted = [database, ALL].into_iter().filter_map(|name| self.grants.get(name)).max();
        if granted.is_some_and(|granted| *granted >= right) {
            return Ok(());
        }
        let verb = if right == Right::Write { "change" } else { "read" };
        Err(Problem::forbidden(database, format!("'{}' may not {verb} database '{database}'", self.name)))
    }
}

// === impl Access ===

impl Access {
    /// One token that opens everything.
    pub fn single(token: BearerToken) -> Self {
        Self::Tokens(vec![(token, Principal::of_all("token"))])
    }

    /// The principals of a file: `[[principal]]` with `name`, `token`, and databases in `read` and `write`.
    ///
    /// # Errors
    /// For a file that cannot be understood; the text never holds a token.
    pub fn from_toml(text: &str) -> Result<Self, AccessError> {
        // The parser's own message would quote the line, and the line may hold a token.
        let line = |error: &toml::de::Error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            format!("line {}", before.matches('\n').count() + 1)
        };
        let file: File = toml::from_str(text).map_err(|error| {
            AccessError(format!(
                "it cannot be understood at {}; write [[principal]] with name, token, and databases in read and write",
                line(&error)
            ))
        })?;
        if file.principal.is_empty() {
            return Err(AccessError("it names no [[principal]], so nobody could ask anything".to_owned()));
        }
        let mut seen = HashSet::new();
        let mut tokens = Vec::new();
        for Entry { name, token, read, write } in file.principal {
            if !seen.insert(token.clone()) {
                return Err(AccessError(format!("principal '{name}' has the token of another one")));
            }
            let token =
                BearerToken::try_new(&token).map_err(|why| AccessError(format!("principal '{name}': {why}")))?;
            let mut grants: BTreeMap<String, Right> =
                read.into_iter().map(|database| (database, Right::Read)).collect();
            grants.extend(write.into_iter().map(|database| (database, Right::Write)));
            tokens.push((token, Principal { name, grants }));
        }
        Ok(Self::Tokens(tokens))
    }

    /// Whether it keeps anybody out.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }

    /// Who asks, by the header `Authorization`.
    ///
    /// # Errors
    /// 401.
    pub fn identify(&self, authorization: Option<&str>) -> Result<Principal, Problem> {
        let offered = authorization
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .filter(|token| !token.is_empty())
            .ok_or_else(|| {
                Problem::unauthorized("the header `Authorization: Bearer TOKEN` is missing (option token)")
            })?;
        match self {
            Self::Open => Ok(Principal::of_all("anonymous")),
            Self::Tokens(tokens) => {
                // Every token is looked at, so that the time tells nothing.
                let matching = tokens
                    .iter()
                    .fold(None, |found, (token, who)| if token.matches(offered) { Some(who) } else { found });
                matching.cloned().ok_or_else(|| Problem::unauthorized("nobody has this token"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const FILE: &str = r#"
        [[principal]]
        name = "flink"
        token = "flink-secret"
        write = ["sales", "ops"]
        read = ["*"]

        [[principal]]
        name = "reader"
        token = "reader-secret"
        read = ["sales"]
    "#;

    #[test]
    fn grants_are_per_database() {
        let access = Access::from_toml(FILE).unwrap();
        let who = |token: &str| access.identify(Some(&format!("Bearer {token}"))).unwrap();
        for (token, database, right, allowed) in [
            ("flink-secret", "sales", Right::Write, true),
            ("flink-secret", "other", Right::Read, true),
            ("flink-secret", "other", Right::Write, false),
            ("reader-secret", "sales", Right::Read, true),
            ("reader-secret", "sales", Right::Write, false),
            ("reader-secret", "ops", Right::Read, false),
        ] {
            assert_eq!(who(token).check(database, right).is_ok(), allowed, "{token} {database} {right:?}");
        }
    }

    #[test]
    fn only_a_known_token_opens() {
        let tokens = Access::from_toml(FILE).unwrap();
        for (header, open, known) in [
            (Some("Bearer flink-secret"), true, true),
            (Some("bearer  flink-secret "), true, true),
            (Some("Bearer flink-secre"), true, false),
            (Some("Bearer flink-secrets"), true, false),
            (Some("Bearer "), false, false),
            (Some("Basic flink-secret"), false, false),
            (Some("flink-secret"), false, false),
            (None, false, false),
        ] {
            assert_eq!(Access::Open.identify(header).is_ok(), open, "{header:?}");
            assert_eq!(tokens.identify(header).is_ok(), known, "{header:?}");
        }
    }

    #[test]
    fn no_refusal_shows_a_token() {
        let twice = FILE.replace("reader-secret", "flink-secret");
        for text in [
            "",
            "principal = 1",
            "[[principal]]\nname = \"a\"\ntoken = \"sec ret\"",
            &twice,
            "[[principal]]\nname = \"a\"\ntoken = \"flink-secret\"\nread = 7",
            "[[principal]]\nname = \"a\"\ntoken = \"flink-secret",
        ] {
            let refused = Access::from_toml(text).unwrap_err().to_string();
            assert!(!refused.contains("secret") && !refused.contains("sec ret"), "{refused}");
        }
        assert!(!format!("{:?}", Access::from_toml(FILE).unwrap()).contains("secret"));
    }
}
