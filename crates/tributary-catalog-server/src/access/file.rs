//! The file of principals (`server.access-file`).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use paimon_catalog::rest::Secret;
use paimon_catalog::rest::sign::AccessKey;
use serde::Deserialize;
use tributary_http::BearerToken;

use super::{AccessError, Principal, Principals};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    principal: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Entry {
    name: String,
    token: Option<String>,
    access_key_id: Option<String>,
    access_key_secret: Option<String>,
    security_token: Option<String>,
    #[serde(default)]
    read: Vec<String>,
    #[serde(default)]
    write: Vec<String>,
}

pub(super) fn parse(text: &str, look_up: &dyn Fn(&str) -> Result<String, String>) -> Result<Principals, AccessError> {
    // The parser's own message would quote the line, and the line may hold a secret.
    let line = |error: &toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        format!("line {}", before.matches('\n').count() + 1)
    };
    let file: File = toml::from_str(text).map_err(|error| {
        AccessError(format!(
            "it cannot be understood at {}; write [[principal]] with name, token or access-key-id and access-key-secret, and databases in read and write",
            line(&error)
        ))
    })?;
    if file.principal.is_empty() {
        return Err(AccessError("it names no [[principal]], so nobody could ask anything".to_owned()));
    }
    let (mut seen, mut tokens, mut keys) = (HashSet::new(), Vec::new(), HashMap::new());
    for entry in file.principal {
        let name = entry.name;
        let refuse = |why: &str| AccessError(format!("principal '{name}': {why}"));
        let secret =
            |text: Option<String>| text.map(|text| replaced(text, look_up)).transpose().map_err(|why| refuse(&why));
        let (token, key) = (secret(entry.token)?, secret(entry.access_key_secret)?);
        let security_token = secret(entry.security_token)?;
        let who = Arc::new(Principal::new(&name, entry.read, entry.write));
        if token.is_none() && key.is_none() {
            return Err(refuse("there is neither a token nor an access key"));
        }
        if let Some(token) = token {
            let token = token.trim().to_owned();
            let checked = BearerToken::try_new(&token).map_err(refuse)?;
            if !seen.insert(token) {
                return Err(refuse("it has the token of another one"));
            }
            tokens.push((checked, Arc::clone(&who)));
        }
        match (entry.access_key_id, key) {
            (None, None) if security_token.is_none() => {}
            (Some(id), Some(key)) if is_id(&id) && !key.trim().is_empty() => {
                let (secret, security_token) = (Secret::new(key.trim()), security_token.map(Secret::new));
                let key = AccessKey { id: id.clone(), secret, security_token };
                if keys.insert(id, (key, who)).is_some() {
                    return Err(refuse("it has the access-key-id of another one"));
                }
            }
            (Some(_), Some(_)) => {
                return Err(refuse(
                    "access-key-id must be letters, digits and . - _ @, and access-key-secret not empty",
                ));
            }
            _ => return Err(refuse("access-key-id and access-key-secret belong together")),
        }
    }
    Ok(Principals { tokens, keys })
}

/// An id stands between separators of the header that names it.
fn is_id(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_@".contains(&byte))
}

/// What `${…}` stands for, and any other text as it is.
fn replaced(text: String, look_up: &dyn Fn(&str) -> Result<String, String>) -> Result<String, String> {
    match text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
        Some(inside) => look_up(inside).map_err(|why| format!("cannot replace ${{{inside}}}: {why}")),
        None => Ok(text),
    }
}
