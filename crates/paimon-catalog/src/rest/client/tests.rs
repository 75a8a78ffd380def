#![allow(clippy::unwrap_used, clippy::panic)]

use tributary_runtime::{Classify, FailureKind};
use tributary_testkit::ManualClock;

use super::*;
use crate::rest::sign::verify;
use crate::rest::testing::{NOW, Stub, answer, get, hang_up, post};

const BUSY: &str = r#"{"message": "busy", "code": 503}"#;

async fn error_of(stub: &Stub, clock: &ManualClock) -> RestError {
    let reply = stub.client(&[], clock).send(&get("/v1/x"), &BTreeMap::new()).await;
    reply.outcome.unwrap_err()
}

#[tokio::test]
async fn a_bearer_token_and_the_given_headers_go_along() {
    let stub = Stub::start([answer(200, "body")]).await;
    let headers = [("X-Mine".to_owned(), "1".to_owned())].into();
    let mut call = get("/v1/a+b");
    call.query.insert("pageToken".to_owned(), "c d/e".to_owned());
    let reply = stub.client(&[], &ManualClock::new(NOW)).send(&call, &headers).await;
    assert_eq!((reply.outcome.unwrap().as_str(), reply.resent), ("body", false));
    let asked = &stub.asked()[0];
    assert_eq!((asked.method.as_str(), asked.target.as_str()), ("GET", "/v1/a+b?pageToken=c+d%2Fe"));
    assert_eq!((asked.headers["authorization"].as_str(), asked.headers["x-mine"].as_str()), ("Bearer s3cr3t", "1"));
}

#[tokio::test]
async fn a_busy_server_is_asked_again_and_that_is_said() {
    let stub = Stub::start([answer(503, BUSY).with("Retry-After", "0"), answer(429, ""), answer(200, "done")]).await;
    let reply = stub.client(&[], &ManualClock::new(NOW)).send(&post("/v1/x", "{}"), &BTreeMap::new()).await;
    assert_eq!((reply.outcome.unwrap().as_str(), reply.resent), ("done", true));
    assert_eq!(stub.asked().iter().filter(|asked| asked.body == "{}").count(), 3);
}

#[tokio::test]
async fn a_server_that_stays_busy_is_left_to_the_caller() {
    let stub = Stub::start((0..9).map(|_| answer(503, BUSY))).await;
    let error = error_of(&stub, &ManualClock::new(NOW)).await;
    assert_eq!((error.kind(), stub.asked().len() as u32), (FailureKind::Transient, MOST_RESENDS + 1));
}

#[tokio::test]
async fn every_refusal_has_its_meaning() {
    let clock = ManualClock::new(NOW);
    for (status, kind) in [
        (400, FailureKind::Usage),
        (401, FailureKind::Auth),
        (403, FailureKind::Auth),
        (404, FailureKind::Usage),
        (408, FailureKind::Transient),
        (409, FailureKind::Usage),
        (301, FailureKind::Usage),
        (500, FailureKind::Transient),
        (501, FailureKind::Usage),
        (502, FailureKind::Transient),
        (504, FailureKind::Transient),
    ] {
        let stub = Stub::start([answer(status, r#"{"resourceType": "TABLE", "message": "token s3cr3t"}"#)]).await;
        let error = error_of(&stub, &clock).await;
        assert_eq!((error.kind(), error.refusal()), (kind, Some((status, Some("TABLE")))), "{status}");
        let text = error.to_string();
        assert!(text.contains("/v1/x") && text.contains("token ***") && !text.contains("s3cr3t"), "{text}");
    }
}

#[tokio::test]
async fn pages_that_are_no_errors_of_a_catalog_are_not_repeated() {
    let stub = Stub::start([answer(502, "<html>s3cr3t gateway</html>")]).await;
    let text = error_of(&stub, &ManualClock::new(NOW)).await.to_string();
    assert!(text.ends_with("was answered with 502"), "{text}");
}

#[tokio::test]
async fn a_clock_that_is_off_is_said() {
    let refusal = || answer(403, "{}").with("Date", "Sat, 22 Aug 2026 09:32:37 GMT");
    for (now, hint) in
        [(NOW, "check token.provider"), (NOW + 3_600_000, "3600 s ahead of"), (NOW - 600_000, "600 s behind")]
    {
        let text = error_of(&Stub::start([refusal()]).await, &ManualClock::new(now)).await.to_string();
        assert!(text.contains(hint), "{text}");
    }
}

#[tokio::test]
async fn no_answer_is_told_from_half_of_one() {
    let clock = ManualClock::new(NOW);
    let error = error_of(&Stub::start([hang_up()]).await, &clock).await;
    assert!(matches!(&error, RestError::NoAnswer { sent: true, .. }), "{error:?}");

    let mut nobody = Stub::start([]).await;
    // Port 1 of the loopback: nobody listens.
    "http://127.0.0.1:1".clone_into(&mut nobody.uri);
    let error = error_of(&nobody, &clock).await;
    assert!(matches!(&error, RestError::NoAnswer { sent: false, .. }), "{error:?}");
    assert_eq!(error.kind(), FailureKind::Transient);
}

fn token(secret: &str, expiration: &str) -> String {
    format!(
        r#"{{"AccessKeyId": "ak", "AccessKeySecret": "{secret}", "SecurityToken": "t", "Expiration": "{expiration}"}}"#
    )
}

fn dlf(path: &str) -> [(&str, &str); 3] {
    [("token.provider", "dlf"), ("dlf.region", "cn-x"), ("dlf.token-path", path)]
}

#[tokio::test]
async fn a_rejected_key_is_replaced_once_by_the_one_that_is_in_the_file_now() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let clock = ManualClock::new(NOW);
    for algorithm in ["default", "openapi"] {
        let write = |secret: &str| std::fs::write(&file, token(secret, "2026-08-22T12:00:00Z")).unwrap();
        write("old");
        let (path, new) = (file.clone(), token("new", "2026-08-22T12:00:00Z"));
        let rotated = answer(401, "{}").after(move || std::fs::write(&path, &new).unwrap());
        let stub = Stub::start([rotated, answer(200, "done"), answer(403, "{}"), answer(200, "never")]).await;
        let mut options = dlf(file.to_str().unwrap()).to_vec();
        options.push(("dlf.signing-algorithm", algorithm));
        let client = stub.client(&options, &clock);

        let reply = client.send(&post("/v1/x", "{}"), &BTreeMap::new()).await;
        assert_eq!((reply.outcome.unwrap().as_str(), reply.resent), ("done", true), "{algorithm}");
        let query = BTreeMap::new();
        let request = sign::Request { method: "POST", path: "/v1/x", query: &query };
        for (asked, secret) in stub.asked().iter().zip(["old", "new"]) {
            let key =
                AccessKey { id: "ak".to_owned(), secret: Secret::new(secret), security_token: Some(Secret::new("t")) };
            let verified = verify(&request, &asked.headers, NOW, |_| Some(key)).unwrap();
            assert_eq!((verified.key_id.as_str(), verified.check_body(b"{}")), ("ak", Ok(())), "{algorithm}");
        }

        // The file holds the rejected key still: asking again would bring the same answer.
        let error = client.send(&post("/v1/x", "{}"), &BTreeMap::new()).await.outcome.unwrap_err();
        assert_eq!((error.kind(), stub.asked().len()), (FailureKind::Auth, 3), "{algorithm}");
    }
}

#[tokio::test]
async fn an_expired_key_that_somebody_renews_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, token("old", "2026-08-22T09:00:00Z")).unwrap();
    let stub = Stub::start([answer(403, "{}"), answer(200, "done")]).await;
    let client = stub.client(&dlf(file.to_str().unwrap()), &ManualClock::new(NOW));
    let error = client.send(&get("/v1/x"), &BTreeMap::new()).await.outcome.unwrap_err();
    assert!(matches!(&error, RestError::Expired { .. }), "{error}");
    assert_eq!(error.kind(), FailureKind::Transient);

    std::fs::write(&file, token("new", "2026-08-22T12:00:00Z")).unwrap();
    assert_eq!(client.send(&get("/v1/x"), &BTreeMap::new()).await.outcome.unwrap(), "done");
    assert_eq!(client.credentials_expire_at_millis(), Some(NOW - (32 * 60 + 37) * 1000 + 3 * 3_600_000));
}
