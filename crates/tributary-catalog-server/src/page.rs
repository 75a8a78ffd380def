//! Listings: which part, and which names (`RESTUtil.validatePrefixSqlPattern`, `PagedList`).

use crate::problem::Problem;

/// Entries of a page, unless the client wants fewer.
const MAX_RESULTS: usize = 100;

/// Which page of a listing, and of which names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paging {
    /// The last key of the page before.
    pub after: Option<String>,
    /// Entries of the page at most; `None` for the server's choice.
    pub limit: Option<usize>,
    /// Only names like this.
    pub pattern: Option<Pattern>,
}

/// A name, or the start of one: `orders`, `orders%`. A backslash takes the meaning of what follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    is_prefix: bool,
}

// === impl Paging ===

impl Paging {
    /// From the query's parameters; `pattern` is the name of the listing's own one.
    ///
    /// # Errors
    /// 400 for a number that is none, or a pattern with something after `%`.
    pub(crate) fn try_new(query: &[(String, String)], pattern: &str) -> Result<Self, Problem> {
        let value = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let limit = match value("maxResults") {
            None | Some("") => None,
            Some(text) => {
                let number: i64 = text
                    .parse()
                    .map_err(|_| Problem::bad(format!("maxResults must be a whole number, not '{text}'")))?;
                usize::try_from(number).ok().filter(|number| *number > 0)
            }
        };
        Ok(Self {
            after: value("pageToken").filter(|token| !token.is_empty()).map(str::to_owned),
            limit,
            pattern: value(pattern).filter(|text| !text.is_empty()).map(Pattern::try_new).transpose()?,
        })
    }

    /// The page's part of `items`, whose keys ascend, and the token of the next page.
    pub(crate) fn cut<T>(
        &self,
        items: impl IntoIterator<Item = T>,
        key: impl Fn(&T) -> &str,
    ) -> (Vec<T>, Option<String>) {
        let limit = self.limit.unwrap_or(MAX_RESULTS).min(MAX_RESULTS);
        let wanted = |item: &T| {
            self.after.as_deref().is_none_or(|after| key(item) > after)
                && self.pattern.as_ref().is_none_or(|pattern| pattern.matches(key(item)))
        };
        let mut rest = items.into_iter().filter(wanted);
        let page: Vec<T> = rest.by_ref().take(limit).collect();
        let token = rest.next().and(page.last()).map(|last| key(last).to_owned());
        (page, token)
    }
}

// === impl Pattern ===

impl Pattern {
    fn try_new(pattern: &str) -> Result<Self, Problem> {
        let (mut text, mut is_prefix) = (String::new(), false);
        let mut letters = pattern.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '%' => is_prefix = true,
                _ if is_prefix => {
                    return Err(Problem::bad(format!(
                        "the pattern '{pattern}' has text after '%'; only a prefix works"
                    )));
                }
                '\\' => text.extend(letters.next()),
                plain => text.push(plain),
            }
        }
        Ok(Self { text, is_prefix })
    }

    pub(crate) fn matches(&self, name: &str) -> bool {
        if self.is_prefix { name.starts_with(&self.text) } else { name == self.text }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn paging(query: &[(&str, &str)]) -> Result<Paging, Problem> {
        let query: Vec<_> = query.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Paging::try_new(&query, "tableNamePattern")
    }

    #[test]
    fn pages_follow_each_other_until_there_is_no_token() {
        let names = ["a", "b", "b1", "c", "d%"];
        for (query, page, token) in [
            (&[][..], &["a", "b", "b1", "c", "d%"][..], None),
            (&[("maxResults", "2")], &["a", "b"], Some("b")),
            (&[("maxResults", "2"), ("pageToken", "b")], &["b1", "c"], Some("c")),
            (&[("maxResults", "2"), ("pageToken", "c")], &["d%"], None),
            (&[("maxResults", "5")], &["a", "b", "b1", "c", "d%"], None),
            (&[("maxResults", "0")], &["a", "b", "b1", "c", "d%"], None),
            (&[("maxResults", "-3"), ("pageToken", "zz")], &[], None),
            (&[("tableNamePattern", "b%")], &["b", "b1"], None),
            (&[("tableNamePattern", "b%"), ("maxResults", "1")], &["b"], Some("b")),
            (&[("tableNamePattern", "b")], &["b"], None),
            (&[("tableNamePattern", "d\\%")], &["d%"], None),
            (&[("tableNamePattern", "%")], &["a", "b", "b1", "c", "d%"], None),
            (&[("databaseNamePattern", "b")], &["a", "b", "b1", "c", "d%"], None),
        ] {
            let cut = paging(query).unwrap().cut(names, |name| name);
            assert_eq!(cut, (page.to_vec(), token.map(str::to_owned)), "{query:?}");
        }
    }

    #[test]
    fn what_is_no_number_or_no_prefix_is_refused() {
        for query in [("maxResults", "x"), ("maxResults", "99999999999999999999"), ("tableNamePattern", "a%b")] {
            assert_eq!(paging(&[query]).unwrap_err().code, 400, "{query:?}");
        }
    }
}
