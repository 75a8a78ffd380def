//! OSS's signature version 4 from the server's side: from the request that arrived, decoded and encoded again.

use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

use super::Asked;

const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const PATH: &AsciiSet = &QUERY.remove(b'/');

/// Access key id, scope (`day/region/oss/aliyun_v4_request`) and signature of an `Authorization` header.
pub(super) fn parts(authorization: &str) -> Option<(&str, &str, &str)> {
    let rest = authorization.strip_prefix("OSS4-HMAC-SHA256 Credential=")?;
    let (credential, signature) = rest.split_once(",Signature=")?;
    let (id, scope) = credential.split_once('/')?;
    Some((id, scope, signature))
}

/// What the signature must be.
pub(super) fn of(asked: &Asked, scope: &str, secret: &str) -> String {
    let path = utf8_percent_encode(&format!("/{}/{}", asked.bucket, asked.key), PATH).to_string();
    let encode = |text: &str| utf8_percent_encode(text, QUERY).to_string();
    let query: Vec<String> = asked
        .query
        .iter()
        .map(|(key, value)| if value.is_empty() { encode(key) } else { format!("{}={}", encode(key), encode(value)) })
        .collect();
    let mut headers: Vec<String> = asked
        .headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("x-oss-") || *name == "content-type" || *name == "content-md5")
        .map(|(name, value)| format!("{name}:{}\n", String::from_utf8_lossy(value.as_bytes()).trim()))
        .collect();
    headers.sort();
    let canonical = format!("{}\n{path}\n{}\n{}\n\nUNSIGNED-PAYLOAD", asked.method, query.join("&"), headers.concat());
    let date = asked.headers.get("x-oss-date").and_then(|date| date.to_str().ok()).unwrap_or_default();
    let text = format!("OSS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
    let key = scope.split('/').fold(format!("aliyun_v4{secret}").into_bytes(), |key, part| mac(&key, part));
    hex(&mac(&key, &text))
}

fn mac(key: &[u8], message: &str) -> Vec<u8> {
    // An HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
