#![allow(clippy::unwrap_used)]
use bytes::Bytes;
use futures::future::join_all;
use object_store::ObjectStoreExt;
use tributary_runtime::{Classify, FailureKind, Random};
use tributary_testkit::{ManualClock, OssKey, OssStub};

use super::*;
use crate::probe::probe_create_if_absent;
use crate::store::credentials::{CredentialsError, CredentialsProvider, RefreshingCredentials, TemporaryCredentials};
use crate::store::{Create, Storage, StorageOptions};
use crate::upload::{PART_BYTES, Upload};

const SECRET: &str = "a-secret-of-the-tests";

/// 2026-01-31T09:08:07Z.
const SIGNED_AT_MILLIS: i64 = 1_769_850_487_000;

/// Signatures by Alibaba Cloud's own SDK for Python (`alibabacloud-oss-v2` 1.4.1, `SignerV4`), for bucket `lake` in
/// `cn-hangzhou`, key `an-id`/`a-secret`: method, path, query, headers, token.
#[tokio::test]
async fn signatures_are_those_of_alibabas_own_client() {
    let conditional = [(FORBID_OVERWRITE, "true"), ("content-length", "9")];
    let part = [(RANGE.as_str(), "bytes=0-7"), (RANGE_BEHAVIOR, "standard")];
    let typed = [("content-type", "application/octet-stream")];
    for (method, path, query, headers, token, signature) in [
        (
            "PUT",
            "/w/db.db/t/snapshot/snapshot-1",
            "",
            &conditional[..],
            None,
            "35c6261b3b0ad46ee29817c9ef090345c016bbbf3d769a38c7a67a83beb9dafc",
        ),
        (
            "GET",
            "/w/dt%3D2026-01-01/hh%3Da%252Fb%20%C3%BC/data.parquet",
            "",
            &part,
            Some("a-token"),
            "bccea756655ed6ab23fc96d5f04062efec50ff0497dbe328b2cddcb8a4b8e2f6",
        ),
        (
            "GET",
            "/",
            "list-type=2&delimiter=%2F&prefix=w%2Fhh%3Da+b%2F&continuation-token=Cg%3D%3D",
            &[],
            None,
            "8cf4646f44be3d02bd475956c2978f7203ba5d0207674450924951c5a22bdef5",
        ),
        (
            "POST",
            "/w/data.parquet",
            "uploads=",
            &typed,
            Some("a-token"),
            "3105918ead51df424cf7f2cbc2d41da9a91b6933e3d8d162a79781dedf10abb6",
        ),
        (
            "PUT",
            "/w/data.parquet",
            "partNumber=2&uploadId=0004B9894A22E5B1888A1E29F8231234",
            &[],
            None,
            "85c63dcd81f2947e69a8abe6703904f2d5f226672138f97184911a1a0c91d130",
        ),
        (
            "DELETE",
            "/w/data.parquet",
            "",
            &[],
            None,
            "abf68ac7a7f530435e33d676283dfcc010eefcdb4d511f1cec8f6459381377d1",
        ),
    ] {
        for (in_path, base) in [(false, "https://lake.oss-cn-hangzhou.aliyuncs.com"), (true, "http://127.0.0.1:1/lake")]
        {
            let keys = Credentials {
                access_key: "an-id".to_owned(),
                secret_key: "a-secret".to_owned(),
                session_token: token.map(str::to_owned),
            };
            let oss = Oss {
                bucket: "lake".to_owned(),
                region: "cn-hangzhou".to_owned(),
                in_path,
                keys: Keys::Given(Arc::new(keys)),
                clock: Arc::new(ManualClock::new(SIGNED_AT_MILLIS)),
            };
            // As the S3 client says it: without a slash behind the bucket, and with its own conditions.
            let path = if in_path { path.trim_end_matches('/') } else { path };
            let mark = if query.is_empty() { "" } else { "?" };
            let mut request = HttpRequest::new(Bytes::new().into());
            *request.method_mut() = method.parse().unwrap();
            *request.uri_mut() = format!("{base}{path}{mark}{query}").parse().unwrap();
            for (name, value) in headers {
                match *name {
                    FORBID_OVERWRITE => request.headers_mut().insert(IF_NONE_MATCH, HeaderValue::from_static("*")),
                    RANGE_BEHAVIOR => None,
                    name => request.headers_mut().insert(name, HeaderValue::from_static(value)),
                };
            }
            oss.prepare(&mut request).await.unwrap();
            let scope = "20260131/cn-hangzhou/oss/aliyun_v4_request";
            assert_eq!(
                request.headers()[AUTHORIZATION],
                format!("OSS4-HMAC-SHA256 Credential=an-id/{scope},Signature={signature}"),
                "{method} {path}?{query}"
            );
            for (name, value) in headers {
                assert_eq!(request.headers()[*name], *value);
            }
            assert!(!request.headers().contains_key(IF_NONE_MATCH));
        }
    }
}

#[test]
fn an_endpoint_names_its_region_or_is_told() {
    for (endpoint, region) in [
        ("https://oss-cn-hangzhou.aliyuncs.com", Some("cn-hangzhou")),
        ("http://oss-eu-central-1-internal.aliyuncs.com", Some("eu-central-1")),
        ("https://oss-accelerate.aliyuncs.com", None),
        ("https://oss-accelerate-overseas.aliyuncs.com", None),
        ("https://oss.example.com", None),
        ("http://127.0.0.1:9000", None),
    ] {
        assert_eq!(region_in(endpoint), region, "{endpoint}");
    }
    let keys = || Some(Keys::Given(Arc::new(credentials("k"))));
    let at =
        |endpoint: Option<&str>| BucketOptions { endpoint: endpoint.map(str::to_owned), ..BucketOptions::default() };
    assert!(open("b", &at(Some("https://oss-cn-hangzhou.aliyuncs.com")), keys()).is_ok());
    assert!(open("b", &BucketOptions { region: Some("cn-hangzhou".to_owned()), ..at(None) }, keys()).is_ok());
    let unnamed = open("b", &at(Some("https://oss.example.com")), keys()).unwrap_err();
    assert!(unnamed.contains("give fs.oss.region"), "{unnamed}");
    assert!(open("b", &at(None), keys()).unwrap_err().contains("give fs.oss.endpoint"));
}

fn credentials(id: &str) -> Credentials {
    Credentials { access_key: id.to_owned(), secret_key: SECRET.to_owned(), session_token: Some(format!("{id}-token")) }
}

/// A stub with bucket `lake` that knows the keys of these ids.
fn stub(ids: &[&str]) -> OssStub {
    let stub = OssStub::start("cn-hangzhou").unwrap();
    stub.make_bucket("lake");
    for id in ids {
        let Credentials { access_key, secret_key, session_token } = credentials(id);
        stub.accept(OssKey { id: access_key, secret: secret_key, token: session_token });
    }
    stub
}

fn open_at(stub: &OssStub, url: &str, given: Credentials) -> Storage {
    let oss = BucketOptions {
        endpoint: Some(format!("http://{}", stub.address())),
        region: Some("cn-hangzhou".to_owned()),
        credentials: Some(given),
        ..BucketOptions::default()
    };
    Storage::open_with(url, &StorageOptions { oss, ..StorageOptions::default() }).unwrap()
}

#[tokio::test]
async fn oss_does_what_the_format_needs() {
    let stub = stub(&["k"]);
    let storage = open_at(&stub, "oss://lake/warehouse/t", credentials("k"));
    crate::store::tests::conformance(&storage).await;
    let odd = "warehouse/t/dt=2026-01-01/hh=a%2Fb ü/bucket-0/data-1.parquet";
    assert!(
        stub.names("lake").contains(&odd.to_owned()),
        "an escape of Paimon's is part of the name: {:?}",
        stub.names("lake")
    );
    probe_create_if_absent(&storage, &Random::seeded(1)).await.unwrap();
    for number in 0..1_100 {
        storage.put(&format!("manifest/{number}"), Bytes::new()).await.unwrap();
    }
    assert_eq!(storage.list_names("manifest").await.unwrap().len(), 1_100, "more than a page");
}

#[tokio::test]
async fn of_racing_creates_on_oss_exactly_one_wins() {
    let stub = stub(&["k"]);
    let storage = open_at(&stub, "oss://lake/t", credentials("k"));
    for round in 0..10 {
        let name = format!("snapshot-{round}");
        let racers = (0..32_u8).map(|racer| {
            let (storage, name) = (&storage, &name);
            async move { (racer, storage.create(name, Bytes::from(vec![racer])).await.unwrap()) }
        });
        let outcomes = join_all(racers).await;
        let won: Vec<u8> =
            outcomes.into_iter().filter_map(|(racer, made)| (made == Create::Created).then_some(racer)).collect();
        assert_eq!(won.len(), 1);
        assert_eq!(storage.get(&name).await.unwrap(), won);
    }
}

#[tokio::test]
async fn a_bucket_with_versions_is_refused_at_the_start_and_when_it_becomes_one() {
    let stub = stub(&["k"]);
    let storage = open_at(&stub, "oss://lake/t", credentials("k"));
    assert_eq!(storage.create("snapshot-1", Bytes::from_static(b"x")).await.unwrap(), Create::Created);
    stub.switch_versioning_on("lake");
    let probed = probe_create_if_absent(&storage, &Random::seeded(1)).await.unwrap_err();
    let created = storage.create("snapshot-2", Bytes::from_static(b"x")).await.unwrap_err();
    for (kind, message) in [(probed.kind(), probed.to_string()), (created.kind(), created.to_string())] {
        assert_eq!(kind, FailureKind::Usage);
        assert!(message.contains("use a bucket that never had versioning"), "{message}");
    }
    // Whoever commits by a catalog needs no create.
    storage.put("data", Bytes::from_static(b"x")).await.unwrap();
}

#[tokio::test]
async fn an_upload_to_oss_arrives_whole_or_leaves_nothing() {
    let stub = stub(&["k"]);
    let storage = open_at(&stub, "oss://lake/t", credentials("k"));
    let mut upload = Upload::start(&storage, "data").unwrap();
    let mut given_up = Upload::start(&storage, "given-up").unwrap();
    for part in 0..3 {
        upload.push(vec![part; PART_BYTES].into()).await.unwrap();
        given_up.push(vec![part; PART_BYTES].into()).await.unwrap();
    }
    assert_eq!(stub.open_uploads(), 2);
    upload.finish().await.unwrap();
    drop(given_up);
    tokio::time::timeout(std::time::Duration::from_secs(10), async {
        while stub.open_uploads() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    assert_eq!(storage.get("data").await.unwrap().len(), 3 * PART_BYTES);
    assert_eq!(stub.names("lake"), ["t/data"]);
    let range = storage.store.get_range(&storage.path("data"), PART_BYTES as u64 - 1..PART_BYTES as u64 + 1).await;
    assert_eq!(range.unwrap(), Bytes::from_static(&[0, 1]));
}

/// Hands out one key after the other.
struct InTurn(std::sync::Mutex<std::vec::IntoIter<&'static str>>);

#[async_trait]
impl CredentialsProvider for InTurn {
    async fn fetch(&self) -> Result<TemporaryCredentials, CredentialsError> {
        let id = self.0.lock().unwrap().next();
        let id = id.ok_or_else(|| CredentialsError { kind: FailureKind::Auth, source: "no more keys".into() })?;
        Ok(TemporaryCredentials { credentials: credentials(id), expires_at_millis: None })
    }
}

#[tokio::test]
async fn a_token_that_expires_in_the_middle_of_an_upload_to_oss_is_replaced_once() {
    let stub = stub(&["first", "second"]);
    let provider = Arc::new(InTurn(std::sync::Mutex::new(vec!["first", "second"].into_iter())));
    let refreshing = RefreshingCredentials::new(provider, Arc::new(SystemClock));
    let oss = BucketOptions {
        endpoint: Some(format!("http://{}", stub.address())),
        region: Some("cn-hangzhou".to_owned()),
        ..BucketOptions::default()
    };
    let options = StorageOptions { oss, credentials: Some(Arc::new(refreshing)), ..StorageOptions::default() };
    let storage = Storage::open_with("oss://lake", &options).unwrap();
    let mut upload = Upload::start(&storage, "data").unwrap();
    for part in 0..4_u8 {
        if part == 2 {
            stub.expire("first");
        }
        upload.push(vec![part; PART_BYTES].into()).await.unwrap();
    }
    upload.finish().await.unwrap();
    assert_eq!(storage.create("snapshot-1", Bytes::from_static(b"x")).await.unwrap(), Create::Created);
    assert_eq!(storage.get("data").await.unwrap().len(), 4 * PART_BYTES);
    stub.expire("second");
    let over = storage.get("data").await.unwrap_err();
    assert_eq!(over.kind(), FailureKind::Auth, "{over}");
}

#[tokio::test]
async fn refusals_of_oss_say_what_to_correct_and_repeat_no_key() {
    let stub = stub(&["k"]);
    let other_secret = Credentials { secret_key: "ANOTHER".to_owned(), ..credentials("k") };
    let elsewhere = {
        let mut options = BucketOptions { credentials: Some(credentials("k")), ..BucketOptions::default() };
        options.endpoint = Some(format!("http://{}", stub.address()));
        options.region = Some("cn-beijing".to_owned());
        Storage::open_with("oss://lake", &StorageOptions { oss: options, ..StorageOptions::default() }).unwrap()
    };
    for (storage, kind, message) in [
        (open_at(&stub, "oss://not-there/w", credentials("k")), FailureKind::Usage, "create the bucket"),
        (open_at(&stub, "oss://lake", other_secret), FailureKind::Auth, "SignatureDoesNotMatch"),
        (open_at(&stub, "oss://lake", credentials("unknown")), FailureKind::Auth, "InvalidAccessKeyId"),
        (elsewhere, FailureKind::Usage, "set fs.oss.region to the bucket's"),
    ] {
        let reading = storage.get_opt("snapshot/LATEST").await.unwrap_err();
        let writing = storage.create("snapshot/snapshot-1", Bytes::from_static(b"x")).await.unwrap_err();
        let listing = storage.list_names("").await.unwrap_err();
        for error in [reading, writing, listing] {
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().contains(message), "{error}");
            let text = format!("{error} {error:?} {storage:?}");
            assert!(
                !["never shown", SECRET, "ANOTHER", "k-token"].iter().any(|secret| text.contains(secret)),
                "{text}"
            );
        }
    }
}
