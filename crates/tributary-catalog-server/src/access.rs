//! Who asks, and what they may do: bearer tokens, signatures of access keys, grants per database.

mod file;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use paimon_catalog::rest::sign::{self, AccessKey, Headers, Request, Verified};
use tributary_http::BearerToken;
use url::form_urlencoded;

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
    /// Those who are known.
    Known(Principals),
}

/// Who brings which token, or signs with which access key.
#[derive(Clone, Debug, Default)]
pub struct Principals {
    tokens: Vec<(BearerToken, Arc<Principal>)>,
    /// By the key's id.
    keys: HashMap<String, (AccessKey, Arc<Principal>)>,
}

/// Somebody whose request is theirs up to its body.
#[derive(Clone, Debug)]
#[must_use]
pub struct Caller {
    who: Arc<Principal>,
    signed: Option<Verified>,
}

/// Why tokens and grants cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct AccessError(String);

// === impl Principal ===

impl Principal {
    /// Somebody who may do everything.
    pub fn of_all(name: &str) -> Self {
        Self { name: name.to_owned(), grants: [(ALL.to_owned(), Right::Write)].into() }
    }

    /// Somebody who may read and change these databases.
    pub(crate) fn new(name: &str, read: Vec<String>, write: Vec<String>) -> Self {
        let mut grants: BTreeMap<_, _> = read.into_iter().map(|database| (database, Right::Read)).collect();
        grants.extend(write.into_iter().map(|database| (database, Right::Write)));
        Self { name: name.to_owned(), grants }
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
        let tokens = vec![(token, Arc::new(Principal::of_all("token")))];
        Self::Known(Principals { tokens, keys: HashMap::new() })
    }

    /// The principals of a file: `[[principal]]` with `name`, a `token` or the pair `access-key-id` and
    /// `access-key-secret` (with `security-token`, where clients send one), and databases in `read` and `write`. A secret
    /// that is written `${…}` is what `look_up` says of the text between the braces.
    ///
    /// # Errors
    /// For a file that cannot be understood; the text never holds a secret.
    pub fn from_toml(text: &str, look_up: &dyn Fn(&str) -> Result<String, String>) -> Result<Self, AccessError> {
        file::parse(text, look_up).map(Self::Known)
    }

    /// Whether it keeps anybody out.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }

    /// Who asks, by the headers of a request; its body is not read for strangers.
    ///
    /// # Errors
    /// 401.
    pub fn identify(&self, request: &Parts, now_millis: i64) -> Result<Caller, Problem> {
        match (self, bearer(&request.headers)) {
            (_, Some("")) => Err(Problem::unauthorized("the bearer token is empty (option token)")),
            (Self::Open, Some(_)) => Ok(Caller { who: Arc::new(Principal::of_all("anonymous")), signed: None }),
            (Self::Open, None) => Err(Problem::unauthorized(
                "this server knows no access keys: any bearer token will do (token.provider = bear, token)",
            )),
            (Self::Known(principals), Some(token)) => principals.by_token(token),
            (Self::Known(principals), None) => principals.by_signature(request, now_millis),
        }
    }
}

// === impl Principals ===

impl Principals {
    fn by_token(&self, offered: &str) -> Result<Caller, Problem> {
        // Every token is looked at, so that the time tells nothing.
        let matching =
            self.tokens.iter().fold(None, |found, (token, who)| if token.matches(offered) { Some(who) } else { found });
        let who = matching.ok_or_else(|| Problem::unauthorized("nobody has this token"))?;
        Ok(Caller { who: Arc::clone(who), signed: None })
    }

    fn by_signature(&self, request: &Parts, now_millis: i64) -> Result<Caller, Problem> {
        let refused = |why: String| Problem::unauthorized(why);
        let mut query = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(request.uri.query().unwrap_or_default().as_bytes()) {
            // Which of the two was signed?
            if query.insert(name.into_owned(), value.into_owned()).is_some() {
                return Err(refused("a signed request has a parameter twice".to_owned()));
            }
        }
        let signed = Request { method: request.method.as_str(), path: request.uri.path(), query: &query };
        let headers = texts(&request.headers);
        let find = |id: &str| self.keys.get(id).map(|(key, _)| key.clone());
        let verified = sign::verify(&signed, &headers, now_millis, find).map_err(|why| refused(why.to_string()))?;
        let known = self.keys.get(&verified.key_id).map(|(_, who)| Arc::clone(who));
        let who = known.ok_or_else(|| refused(sign::Refused::Signature.to_string()))?;
        Ok(Caller { who, signed: Some(verified) })
    }
}

// === impl Caller ===

impl Caller {
    /// Whose request this is, if this body is the one they sent.
    ///
    /// # Errors
    /// 401 for a body that is not the signed one.
    pub fn with_body(self, body: &[u8]) -> Result<Arc<Principal>, Problem> {
        if let Some(signed) = &self.signed {
            signed.check_body(body).map_err(|why| Problem::unauthorized(why.to_string()))?;
        }
        Ok(self.who)
    }
}

/// The bearer token of a request that has one.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Headers that are text, as signatures know them; of several with one name the first counts.
fn texts(headers: &HeaderMap) -> Headers {
    let text = |name: &axum::http::HeaderName| headers.get(name)?.to_str().ok().map(str::to_owned);
    headers.keys().filter_map(|name| Some((name.as_str().to_owned(), text(name)?))).collect()
}

#[cfg(test)]
mod tests;
