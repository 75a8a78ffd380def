#![allow(clippy::unwrap_used)]

use super::*;

// 2026-08-22T09:32:37Z
const NOW: i64 = 1_787_391_157_000;

fn key() -> AccessKey {
    AccessKey { id: "ak".to_owned(), secret: Secret::new("sk"), security_token: Some(Secret::new("sts")) }
}

/// The headers of a request as a server sees them.
fn signed(algorithm: Algorithm, request: &Request<'_>, body: &str) -> Headers {
    let context = Context { region: "cn-hangzhou", host: "h:1", now_millis: NOW, nonce: "n-1" };
    lower_case(&sign(algorithm, request, body, &key(), &context))
}

fn check(request: &Request<'_>, headers: &Headers, now_millis: i64) -> Result<Verified, Refused> {
    verify(request, headers, now_millis, |id| (id == "ak").then(key))
}

#[test]
fn what_is_signed_is_accepted_and_what_differs_is_not() {
    let query = [("warehouse".to_owned(), "my wh".to_owned()), ("empty".to_owned(), String::new())].into();
    let request = Request { method: "POST", path: "/v1/p/databases/a+b", query: &query };
    for algorithm in [Algorithm::Default, Algorithm::OpenApi] {
        let headers = signed(algorithm, &request, "{}");
        let verified = check(&request, &headers, NOW).unwrap();
        assert_eq!(verified.key_id, "ak");
        for (body, expected) in [("{}", Ok(())), ("{ }", Err(Refused::Body)), ("", Err(Refused::Body))] {
            assert_eq!(verified.check_body(body.as_bytes()), expected, "{algorithm} {body}");
        }
        let none = BTreeMap::new();
        for other in [
            Request { method: "DELETE", ..request },
            Request { path: "/v1/p/databases/c", ..request },
            Request { query: &none, ..request },
        ] {
            assert_eq!(check(&other, &headers, NOW), Err(Refused::Signature), "{algorithm} {other:?}");
        }
        assert_eq!(verify(&request, &headers, NOW, |_| None), Err(Refused::Signature));
        assert_eq!(check(&request, &headers, NOW + 3_600_000), Err(Refused::Skew { seconds: -3600 }));
        assert!(check(&request, &headers, NOW - 15 * 60_000).is_ok());
        let other_secret = AccessKey { secret: Secret::new("sj"), ..key() };
        assert_eq!(verify(&request, &headers, NOW, |_| Some(other_secret)), Err(Refused::Signature));
        for security_token in [None, Some(Secret::new("other"))] {
            let other_token = AccessKey { security_token, ..key() };
            assert_eq!(verify(&request, &headers, NOW, |_| Some(other_token)), Err(Refused::SecurityToken));
        }
        // A body that is added to a request without one is not covered by any digest.
        let bare = check(&request, &signed(algorithm, &request, ""), NOW).unwrap();
        assert_eq!((bare.check_body(b""), bare.check_body(b"{}")), (Ok(()), Err(Refused::Body)));
    }
}

#[test]
fn a_query_may_be_signed_as_pypaimon_does() {
    let (query, none) = ([("tableNamePattern".to_owned(), "a b%".to_owned())].into(), BTreeMap::new());
    let request = Request { method: "GET", path: "/v1/p/databases/d/tables", query: &query };
    let mut headers = signed(Algorithm::Default, &request, "");
    let date = headers[dlf4::DATE].clone();
    let plain = dlf4::authorization(&request, &key(), "r", &date, &headers, dlf4::Values::Plain);
    assert_ne!(plain, dlf4::authorization(&request, &key(), "r", &date, &headers, dlf4::Values::Encoded));
    headers.insert("authorization".to_owned(), plain);
    assert!(check(&request, &headers, NOW).is_ok());
    assert_eq!(check(&Request { query: &none, ..request }, &headers, NOW), Err(Refused::Signature));
}

#[test]
fn what_is_no_signature_is_refused() {
    let query = BTreeMap::new();
    let request = Request { method: "GET", path: "/v1/config", query: &query };
    assert_eq!(check(&request, &Headers::new(), NOW), Err(Refused::NotSigned));
    for given in ["", "Bearer x", "acs ak", "DLF4-HMAC-SHA256", "DLF4-HMAC-SHA256 Credential=ak,Signature=", "acs 表:"]
    {
        let mut headers = signed(Algorithm::Default, &request, "");
        headers.insert("authorization".to_owned(), given.to_owned());
        assert!(check(&request, &headers, NOW).is_err(), "{given}");
        headers.insert(dlf4::DATE.to_owned(), "表表表".to_owned());
        assert!(check(&request, &headers, NOW).is_err(), "{given}");
    }
}

#[test]
fn the_endpoint_tells_the_algorithm() {
    for (uri, expected) in [
        ("http://cn-hangzhou-vpc.dlf.aliyuncs.com", Algorithm::Default),
        ("https://dlfnext.cn-hangzhou.aliyuncs.com", Algorithm::OpenApi),
        ("https://DLFNEXT-vpc.cn-beijing.aliyuncs.com", Algorithm::OpenApi),
        ("http://localhost:9190", Algorithm::Default),
    ] {
        assert_eq!(Algorithm::of_endpoint(uri), expected, "{uri}");
    }
    for algorithm in [Algorithm::Default, Algorithm::OpenApi] {
        assert_eq!(Algorithm::parse(&algorithm.to_string()), Some(algorithm));
    }
    assert_eq!(Algorithm::parse("Default"), None);
}

#[test]
fn a_secret_does_not_show_itself() {
    assert!(!format!("{:?}", key()).contains("sk"), "{:?}", key());
    assert!(Secret::new("a").is("a") && !Secret::new("a").is("b") && !Secret::new("a").is("ab"));
}
