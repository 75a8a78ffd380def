//! The signature of Alibaba Cloud's ROA APIs: HMAC-SHA1 over the standard headers, the `x-acs-*` ones and the path.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::Hmac;
use sha1::Sha1;

use super::{AccessKey, Context, Headers, Request, hmac, md5_base64, utc};
use crate::rest::paths;

pub(super) const DATE: &str = "date";
pub(super) const DATE_FORMAT: &str = "%a, %d %b %Y %H:%M:%S GMT";
pub(super) const SECURITY_TOKEN: &str = "x-acs-security-token";
const API_VERSION: &str = "2026-01-18";

pub(super) fn headers(body: &str, key: &AccessKey, context: &Context<'_>) -> Headers {
    let mut headers = vec![
        ("Date", utc(context.now_millis).format(DATE_FORMAT).to_string()),
        ("Accept", "application/json".to_owned()),
        ("Host", context.host.to_owned()),
        ("x-acs-signature-method", "HMAC-SHA1".to_owned()),
        ("x-acs-signature-nonce", context.nonce.to_owned()),
        ("x-acs-signature-version", "1.0".to_owned()),
        ("x-acs-version", API_VERSION.to_owned()),
    ];
    if !body.is_empty() {
        headers.push(("Content-Type", "application/json".to_owned()));
        headers.push(("Content-MD5", md5_base64(body.as_bytes())));
    }
    if let Some(token) = &key.security_token {
        headers.push((SECURITY_TOKEN, token.expose().to_owned()));
    }
    headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The `Authorization` header; `headers` are those of the request, names in lower case.
pub(super) fn authorization(request: &Request<'_>, key: &AccessKey, headers: &Headers) -> String {
    let mut text = format!("{}\n", request.method);
    for name in ["accept", "content-md5", "content-type", DATE] {
        text.push_str(headers.get(name).map_or("", String::as_str));
        text.push('\n');
    }
    // A map's order is that of the names.
    for (name, value) in headers.iter().filter(|(name, _)| name.starts_with("x-acs-")) {
        text.push_str(&format!("{name}:{}\n", value.trim()));
    }
    text.push_str(&resource(request));
    let signature = hmac::<Hmac<Sha1>>(key.secret.expose().as_bytes(), &text);
    format!("acs {}:{}", key.id, BASE64_STANDARD.encode(signature))
}

/// The access key's id that an `Authorization` header names.
pub(super) fn credential(authorization: &str) -> Option<&str> {
    let (id, _signature) = authorization.strip_prefix("acs ")?.rsplit_once(':')?;
    Some(id)
}

/// The decoded path, and the query with decoded values.
fn resource(request: &Request<'_>) -> String {
    let path = paths::decode(request.path);
    if request.query.is_empty() {
        return path;
    }
    let parameter =
        |(name, value): (&String, &String)| if value.is_empty() { name.clone() } else { format!("{name}={value}") };
    format!("{path}?{}", request.query.iter().map(parameter).collect::<Vec<_>>().join("&"))
}
