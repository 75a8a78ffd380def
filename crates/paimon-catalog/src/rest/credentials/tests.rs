#![allow(clippy::unwrap_used)]

use std::time::Duration;

use tributary_testkit::ManualClock;

use super::*;
use crate::rest::testing::{NOW, Stub, answer};

/// The full hour before [`NOW`].
const NINE: i64 = NOW - (32 * 60 + 37) * 1000;

fn credentials(source: KeySource, clock: &ManualClock) -> Credentials {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    Credentials::new(source, Arc::new(clock.clone()), http)
}

fn token(id: &str, expiration: &str) -> String {
    format!(
        r#"{{"Code": "Success", "AccessKeyId": "{id}", "AccessKeySecret": "s", "SecurityToken": "t",
             "Expiration": "{expiration}", "LastUpdated": "2026-08-22T06:00:00Z"}}"#
    )
}

#[tokio::test]
async fn a_file_is_read_for_every_call_and_a_broken_one_is_survived_until_the_key_expires() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let clock = ManualClock::new(NOW);
    let credentials = credentials(KeySource::File(file.clone()), &clock);

    // Nothing to begin with: wrong settings, not a passing state.
    assert_eq!(credentials.get().await.unwrap_err().kind(), FailureKind::Auth);
    for text in ["", "{}", "s3cr3t", r#"{"AccessKeyId": "a", "AccessKeySecret": "s3cr3t", "Expiration": "s3cr3t"}"#] {
        std::fs::write(&file, text).unwrap();
        let error = credentials.get().await.unwrap_err().to_string();
        assert!(error.contains("token") && !error.contains("s3cr3t"), "{error}");
    }

    std::fs::write(&file, token("first", "2026-08-22T10:00:00Z")).unwrap();
    assert_eq!(credentials.get().await.unwrap().value.id, "first");
    std::fs::write(&file, token("second", "2026-08-22T11:00:00Z")).unwrap();
    assert_eq!(credentials.get().await.unwrap().value.id, "second");
    assert_eq!(credentials.expires_at_millis(), Some(NINE + 2 * 3_600_000));

    std::fs::remove_file(&file).unwrap();
    assert_eq!(credentials.get().await.unwrap().value.id, "second");
    clock.advance(Duration::from_secs(2 * 3600));
    assert_eq!(credentials.get().await.unwrap_err().kind(), FailureKind::Transient, "somebody will write it");
    std::fs::write(&file, token("third", "2026-08-22T20:00:00Z")).unwrap();
    assert_eq!(credentials.get().await.unwrap().value.id, "third");
}

#[tokio::test]
async fn the_metadata_service_is_asked_ahead_of_the_end_and_may_be_down_meanwhile() {
    let clock = ManualClock::new(NOW);
    let stub = Stub::start([
        answer(200, "my-role\n"),
        answer(200, &token("first", "2026-08-22T13:32:37Z")),
        answer(503, "s3cr3t"),
        answer(200, "my-role"),
        answer(200, &token("second", "2026-08-22T19:32:37Z")),
    ])
    .await;
    let metadata_url = format!("{}/creds/", stub.uri);
    let credentials = credentials(KeySource::Ecs { metadata_url, role: None }, &clock);
    for _ in 0..3 {
        assert_eq!(credentials.get().await.unwrap().value.id, "first");
    }
    assert_eq!(
        stub.asked().iter().map(|asked| asked.target.as_str()).collect::<Vec<_>>(),
        ["/creds/", "/creds/my-role"]
    );
    assert_eq!(credentials.expires_at_millis(), Some(NOW + 4 * 3_600_000));
    clock.advance(Duration::from_secs(3 * 3600));
    assert_eq!(credentials.get().await.unwrap().value.id, "first", "the service is down, the key still works");
    clock.advance(Duration::from_secs(10));
    assert_eq!(credentials.get().await.unwrap().value.id, "second");
}

#[tokio::test]
async fn a_rejected_key_is_fetched_again_once_for_all_and_a_fixed_one_never() {
    let clock = ManualClock::new(NOW);
    let stub = Stub::start([
        answer(200, &token("first", "2026-08-23T00:00:00Z")),
        answer(200, &token("second", "2026-08-23T00:00:00Z")),
    ])
    .await;
    let source = KeySource::Ecs { metadata_url: format!("{}/", stub.uri), role: Some("r".to_owned()) };
    let credentials = credentials(source, &clock);
    let rejected = credentials.get().await.unwrap();
    let all = futures::future::join_all((0..5).map(|_| credentials.renew(&rejected))).await;
    assert!(all.iter().all(|renewed| renewed.as_ref().is_some_and(|lease| lease.value.id == "second")));
    assert_eq!(stub.asked().len(), 2);

    let fixed = AccessKey { id: "i".to_owned(), secret: Secret::new("s"), security_token: None };
    let credentials = self::credentials(KeySource::Fixed(fixed), &clock);
    let key = credentials.get().await.unwrap();
    assert!(credentials.renew(&key).await.is_none() && credentials.renewed_in().is_none());
}
