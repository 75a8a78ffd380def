//! The durable facts that make a source the one its stored positions belong to.

use std::collections::BTreeMap;
use std::collections::btree_map::Iter;

use serde::{Deserialize, Serialize};

/// Facts by name, such as `connector`, `seed`, `splits`, `schema`. Stored with the positions: positions of
/// one source mean nothing in another, so a difference is refused at start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SourceIdentity(BTreeMap<String, String>);

// === impl SourceIdentity ===

impl SourceIdentity {
    /// No facts.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with a further fact; a fact of that name is replaced.
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }

    /// The value of a fact.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// All facts, by name.
    pub fn iter(&self) -> Iter<'_, String, String> {
        self.0.iter()
    }

    /// The first fact, by name, that differs from `now`, in words ("`seed` was `7` and is now `8`"); none when
    /// both are the same.
    pub fn difference(&self, now: &Self) -> Option<String> {
        let names = self.0.keys().chain(now.0.keys()).collect::<std::collections::BTreeSet<_>>();
        names.into_iter().find_map(|name| match (self.get(name), now.get(name)) {
            (Some(then), Some(now)) if then == now => None,
            (Some(then), Some(now)) => Some(format!("`{name}` was `{then}` and is now `{now}`")),
            (Some(then), None) => Some(format!("`{name}` was `{then}` and is no longer there")),
            (None, Some(now)) => Some(format!("`{name}` was not there and is now `{now}`")),
            (None, None) => None,
        })
    }
}

impl FromIterator<(String, String)> for SourceIdentity {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(facts: I) -> Self {
        Self(facts.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_first_difference_is_named() {
        let stored = SourceIdentity::new().with("connector", "datagen").with("seed", "7");
        let cases = [
            (stored.clone(), None),
            (stored.clone().with("seed", "8"), Some("`seed` was `7` and is now `8`")),
            (stored.clone().with("a", "1").with("seed", "8"), Some("`a` was not there and is now `1`")),
            (SourceIdentity::new().with("seed", "7"), Some("`connector` was `datagen` and is no longer there")),
        ];
        for (now, expected) in cases {
            assert_eq!(stored.difference(&now).as_deref(), expected);
        }
    }

    #[test]
    fn it_is_a_plain_json_object() {
        let identity = SourceIdentity::new().with("seed", "7").with("connector", "datagen");
        let json = serde_json::to_string(&identity).unwrap();
        assert_eq!(json, r#"{"connector":"datagen","seed":"7"}"#);
        assert_eq!(serde_json::from_str::<SourceIdentity>(&json).unwrap(), identity);
    }
}
