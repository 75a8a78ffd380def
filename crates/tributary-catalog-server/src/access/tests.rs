#![allow(clippy::unwrap_used)]

use axum::http;
use paimon_catalog::rest::Secret;
use paimon_catalog::rest::sign::{Algorithm, Context, sign};
use proptest::prelude::*;

use super::*;

// 2026-08-22T09:32:37Z
const NOW: i64 = 1_787_391_157_000;

const FILE: &str = r#"
    [[principal]]
    name = "flink"
    token = "flink-secret"
    write = ["sales", "ops"]
    read = ["*"]

    [[principal]]
    name = "reader"
    token = "${READER}"
    read = ["sales"]

    [[principal]]
    name = "dlf"
    access-key-id = "LTAI5t"
    access-key-secret = "${file:key}"
    write = ["sales"]

    [[principal]]
    name = "sts"
    access-key-id = "STS.x"
    access-key-secret = "sts-secret"
    security-token = "sts-secret-token"
    read = ["sales"]
"#;

fn look_up(inside: &str) -> Result<String, String> {
    match inside {
        "READER" => Ok("reader-secret".to_owned()),
        "file:key" => Ok("key-secret\n".to_owned()),
        _ => Err("not set".to_owned()),
    }
}

fn access() -> Access {
    Access::from_toml(FILE, &look_up).unwrap()
}

fn request(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = http::Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn by(header: Option<&str>) -> Parts {
    let headers: Vec<_> = header.into_iter().map(|value| ("authorization", value)).collect();
    request("GET", "/v1/config", &headers)
}

#[test]
fn grants_are_per_database() {
    let access = access();
    let who =
        |token: &str| access.identify(&by(Some(&format!("Bearer {token}"))), NOW).unwrap().with_body(b"any").unwrap();
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
    let tokens = access();
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
        assert_eq!(Access::Open.identify(&by(header), NOW).is_ok(), open, "{header:?}");
        assert_eq!(tokens.identify(&by(header), NOW).is_ok(), known, "{header:?}");
    }
}

/// What our client sends, by an access key of these parts.
fn signed(algorithm: Algorithm, (id, secret, token): (&str, &str, Option<&str>), body: &str) -> Parts {
    let query = [("maxResults".to_owned(), "2".to_owned()), ("tableNamePattern".to_owned(), "a b%".to_owned())].into();
    let signed = Request { method: "POST", path: "/v1/w/databases/d+1", query: &query };
    let key = AccessKey { id: id.to_owned(), secret: Secret::new(secret), security_token: token.map(Secret::new) };
    let context = Context { region: "cn-hangzhou", host: "localhost", now_millis: NOW, nonce: "1" };
    let headers = sign(algorithm, &signed, body, &key, &context);
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    request("POST", "/v1/w/databases/d+1?tableNamePattern=a+b%25&maxResults=2", &headers)
}

#[test]
fn only_a_signature_of_a_known_key_opens() {
    let access = access();
    for algorithm in [Algorithm::Default, Algorithm::OpenApi] {
        for (key, name) in [
            (("LTAI5t", "key-secret", None), Some("dlf")),
            (("STS.x", "sts-secret", Some("sts-secret-token")), Some("sts")),
            (("LTAI5t", "key-secret", Some("any")), None),
            (("STS.x", "sts-secret", Some("other")), None),
            (("STS.x", "sts-secret", None), None),
            (("LTAI5t", "sts-secret", None), None),
            (("other", "key-secret", None), None),
        ] {
            let parts = signed(algorithm, key, "{}");
            let found = access.identify(&parts, NOW).and_then(|caller| caller.with_body(b"{}"));
            assert_eq!(
                found.map(|who| who.name.clone()).map_err(|problem| problem.code),
                name.map(str::to_owned).ok_or(401)
            );
            assert!(Access::Open.identify(&parts, NOW).is_err());
        }
        let parts = signed(algorithm, ("LTAI5t", "key-secret", None), "{}");
        assert_eq!(access.identify(&parts, NOW).unwrap().with_body(b"[]").unwrap_err().code, 401);
        assert!(access.identify(&parts, NOW + 16 * 60_000).unwrap_err().message.contains("check the clocks"));
        let mut twice = parts;
        twice.uri = "/v1/w/databases/d+1?maxResults=9&tableNamePattern=a+b%25&maxResults=2".parse().unwrap();
        assert!(access.identify(&twice, NOW).unwrap_err().message.contains("twice"));
    }
}

#[test]
fn no_refusal_shows_a_secret() {
    let twice = FILE.replace("${READER}", "flink-secret");
    for text in [
        "",
        "principal = 1",
        "[[principal]]\nname = \"a\"",
        "[[principal]]\nname = \"a\"\ntoken = \"sec ret\"",
        "[[principal]]\nname = \"a\"\ntoken = \"${OTHER}\"",
        "[[principal]]\nname = \"a\"\naccess-key-id = \"b\"",
        "[[principal]]\nname = \"a\"\naccess-key-secret = \"secret\"",
        "[[principal]]\nname = \"a\"\ntoken = \"secret\"\nsecurity-token = \"secret\"",
        "[[principal]]\nname = \"a\"\naccess-key-id = \"b/c\"\naccess-key-secret = \"secret\"",
        "[[principal]]\nname = \"a\"\naccess-key-id = \"b\"\naccess-key-secret = \" \"",
        &twice,
        &FILE.replace("STS.x", "LTAI5t"),
        "[[principal]]\nname = \"a\"\ntoken = \"flink-secret\"\nread = 7",
        "[[principal]]\nname = \"a\"\ntoken = \"flink-secret",
    ] {
        let refused = Access::from_toml(text, &look_up).unwrap_err().to_string();
        let shown = refused.replace("access-key-secret", "");
        assert!(!shown.contains("secret") && !shown.contains("sec ret"), "{refused}");
    }
    assert!(!format!("{:?}", access()).contains("-secret"));
}

proptest! {
    #[test]
    fn no_header_is_the_servers_fault(
        authorization in "(DLF4-HMAC-SHA256 Credential=|acs |Bearer )?[ -~]{0,40}(/[0-9]{8}/r/)?[ -~]{0,20}(,Signature=|:)?[ -~]{0,20}",
        date in "[ -~]{0,20}|20260822T093237Z|Sat, 22 Aug 2026 09:32:37 GMT",
        name in "x-(acs|dlf)-[a-z0-9]{1,9}",
        value in proptest::collection::vec(0x20_u8..=0xff, 0..20),
    ) {
        let mut parts = request("GET", "/v1/config?warehouse=w", &[("authorization", &authorization), ("date", &date), ("x-dlf-date", &date)]);
        if let (Ok(name), Ok(value)) = (name.parse::<http::HeaderName>(), http::HeaderValue::from_bytes(&value)) {
            parts.headers.insert(name, value);
        }
        prop_assert_eq!(access().identify(&parts, NOW).unwrap_err().code, 401);
    }
}
