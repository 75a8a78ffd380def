//! `DLF4-HMAC-SHA256`: a key derived from secret, date and region signs method, path, query and chosen headers.

use hmac::Hmac;
use sha2::{Digest, Sha256};

use super::{AccessKey, Context, Headers, Request, hex, hmac, md5_base64, utc};
use crate::rest::paths;

pub(super) const DATE: &str = "x-dlf-date";
pub(super) const DATE_FORMAT: &str = "%Y%m%dT%H%M%SZ";
pub(super) const SECURITY_TOKEN: &str = "x-dlf-security-token";
const SHA256: &str = "x-dlf-content-sha256";
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
const NAME: &str = "DLF4-HMAC-SHA256";
const PRODUCT: &str = "DlfNext";
const REQUEST: &str = "aliyun_v4_request";

/// In the order in which they are signed.
const SIGNED_HEADERS: [&str; 6] = ["content-md5", "content-type", SHA256, DATE, SECURITY_TOKEN, "x-dlf-version"];

/// How the values of the query are signed.
#[derive(Clone, Copy)]
pub(super) enum Values {
    /// As Java signs them.
    Encoded,
    /// As pypaimon signs them.
    Plain,
}

pub(super) fn headers(body: &str, key: &AccessKey, context: &Context<'_>) -> Headers {
    let date = utc(context.now_millis).format(DATE_FORMAT).to_string();
    let mut headers = vec![(DATE, date), (SHA256, UNSIGNED.to_owned()), ("x-dlf-version", "v1".to_owned())];
    if !body.is_empty() {
        headers.push(("Content-Type", "application/json".to_owned()));
        headers.push(("Content-MD5", md5_base64(body.as_bytes())));
    }
    if let Some(token) = &key.security_token {
        headers.push((SECURITY_TOKEN, token.expose().to_owned()));
    }
    headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The `Authorization` header; `headers` are those of the request, names in lower case, `date` the one among them.
pub(super) fn authorization(
    request: &Request<'_>,
    key: &AccessKey,
    region: &str,
    date: &str,
    headers: &Headers,
    values: Values,
) -> String {
    let day = date.get(..8).unwrap_or_default();
    let scope = format!("{day}/{region}/{PRODUCT}/{REQUEST}");
    let digest = hex(&Sha256::digest(canonical(request, headers, values).as_bytes()));
    let text = format!("{NAME}\n{date}\n{scope}\n{digest}");
    let secret = format!("aliyun_v4{}", key.secret.expose()).into_bytes();
    let signing_key = [day, region, PRODUCT, REQUEST].into_iter().fold(secret, |key, part| mac(&key, part));
    let signature = hex(&mac(&signing_key, &text));
    format!("{NAME} Credential={}/{scope},Signature={signature}", key.id)
}

/// The access key's id and the region that an `Authorization` header names.
pub(super) fn credential(authorization: &str) -> Option<(&str, &str)> {
    let credential = authorization.strip_prefix(NAME)?.trim_start().strip_prefix("Credential=")?;
    let (scope, _) = credential.split_once(",Signature=")?;
    let mut parts = scope.split('/');
    let (id, _day, region) = (parts.next()?, parts.next()?, parts.next()?);
    Some((id, region))
}

fn canonical(request: &Request<'_>, headers: &Headers, values: Values) -> String {
    let mut lines = vec![request.method.to_owned(), request.path.to_owned(), query(request, values)];
    lines.extend(SIGNED_HEADERS.iter().filter_map(|name| Some(format!("{name}:{}", headers.get(*name)?.trim()))));
    lines.push(headers.get(SHA256).map_or(UNSIGNED, String::as_str).to_owned());
    lines.join("\n")
}

fn query(request: &Request<'_>, values: Values) -> String {
    let parameter = |(name, value): (&String, &String)| match (value.as_str(), values) {
        ("", _) => name.trim().to_owned(),
        (value, Values::Encoded) => format!("{}={}", name.trim(), paths::encode(value)),
        (value, Values::Plain) => format!("{}={}", name.trim(), value.trim()),
    };
    request.query.iter().map(parameter).collect::<Vec<_>>().join("&")
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::<Hmac<Sha256>>(key, text)
}
