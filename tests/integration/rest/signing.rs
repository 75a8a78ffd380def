//! Our signatures and those of Paimon's own signers, for the same requests.

use std::collections::BTreeMap;

use paimon_catalog::rest::sign::{AccessKey, Algorithm, Context, Headers, Request, sign, verify};
use paimon_catalog::rest::{Secret, paths};
use serde_json::json;
use tributary_tests::catalog::CATALOG;

const REGION: &str = "cn-hangzhou";
const HOST: &str = "dlfnext-vpc.cn-hangzhou.aliyuncs.com:8080";

/// What is signed: method, path, query, body, time.
type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str, i64);

#[test]
fn signatures_are_those_of_paimons_signers() {
    if !CATALOG.available() {
        return;
    }
    let commit = paths::ResourcePaths::new(Some("a b")).commit("d+1", "t$branch_表");
    let cases: [Case<'_>; 7] = [
        ("GET", "/v1/config", &[("warehouse", "wh")], "", 1_787_391_157_123),
        ("GET", "/v1/config", &[("warehouse", "a b/c+d&e=f~*-._表")], "", 1_767_225_600_000),
        ("GET", "/v1/p/databases", &[], "", 1_787_391_157_000),
        (
            "GET",
            "/v1/p/databases",
            &[("pageToken", ""), ("maxResults", "10"), ("Z", "1"), ("a", "2")],
            "",
            1_772_841_599_999,
        ),
        ("POST", "/v1/p/databases", &[], r#"{"name":"d","options":{}}"#, 1_787_391_157_000),
        ("POST", &commit, &[], "{\"a\": \"表\\n\"}", 1_787_391_157_000),
        ("DELETE", "/v1/p/databases/d%2F1/tables/t%24x", &[], "", 1_787_391_157_000),
    ];
    for algorithm in [Algorithm::Default, Algorithm::OpenApi] {
        for security_token in [None, Some("CAIS+token/==")] {
            for case in &cases {
                compare(algorithm, security_token, case);
            }
        }
    }
}

fn compare(algorithm: Algorithm, security_token: Option<&str>, (method, path, query, body, now_millis): &Case<'_>) {
    let query: BTreeMap<String, String> = query.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let theirs: Headers = serde_json::from_value(CATALOG.ask(json!({
        "op": "sign", "method": method, "path": path, "query": query, "body": body, "now_millis": now_millis,
        "host": HOST, "key": {"algorithm": algorithm.to_string(), "region": REGION, "id": "LTAI5t", "secret": "s3cr/t+=",
                              "security_token": security_token},
    })))
    .unwrap();
    let key = AccessKey {
        id: "LTAI5t".to_owned(),
        secret: Secret::new("s3cr/t+="),
        security_token: security_token.map(Secret::new),
    };
    let request = Request { method, path, query: &query };
    let nonce = theirs.get("x-acs-signature-nonce").map_or("", String::as_str);
    let context = Context { region: REGION, host: HOST, now_millis: *now_millis, nonce };
    assert_eq!(sign(algorithm, &request, body, &key, &context), theirs, "{algorithm} {request:?}");

    // What Paimon signs, our server accepts.
    let received = theirs.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect();
    let verified = verify(&request, &received, *now_millis, |_| Some(key)).unwrap();
    assert_eq!((verified.key_id.as_str(), verified.check_body(body.as_bytes())), ("LTAI5t", Ok(())));
}
