//! `s3://` on a real server (MinIO), alone and behind a faulty network: nothing lost, nothing doubled, nothing left.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::join_all;
use paimon_table::probe::probe_create_if_absent;
use paimon_table::store::credentials::{
    CredentialsError, CredentialsProvider, RefreshingCredentials, TemporaryCredentials,
};
use paimon_table::store::options::BucketOptions;
use paimon_table::store::{Create, Storage, StorageOptions};
use paimon_table::upload::{MAX_PARTS_IN_FLIGHT, PART_BYTES, Upload};
use tributary_runtime::{Classify, FailureKind, Random, SystemClock};
use tributary_source::datagen::{FieldType, MAX_LENGTH};
use tributary_testkit::{Exchange, FaultProxy, HttpFault};
use tributary_tests::daemon::Daemon;
use tributary_tests::minio::{self, Minio, SECRET_KEY, minio, open};
use tributary_tests::table::block_on;
use tributary_tests::{PATIENCE, Scratch, binary, datagen, pypaimon};

pub(crate) const SLOW_DOWN: &str =
    "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";
const CONFLICT: &str = "<Error><Code>ConditionalRequestConflict</Code><Message>At the same time.</Message></Error>";
const EXPIRED: &str = "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>";

#[test]
fn of_racing_creates_exactly_one_wins() {
    let Some(minio) = minio() else { return };
    let storage = open(&format!("{}/races", minio.bucket("races")), minio.address);
    block_on(async {
        probe_create_if_absent(&storage, &Random::seeded(1)).await.unwrap();
        for round in 0..20 {
            let name = format!("snapshot-{round}");
            let racers = (0..64_u8).map(|racer| {
                let (storage, name) = (&storage, &name);
                async move { (racer, storage.create(name, Bytes::from(vec![racer; 2_000])).await.unwrap()) }
            });
            let won: Vec<u8> = join_all(racers)
                .await
                .into_iter()
                .filter_map(|(racer, outcome)| (outcome == Create::Created).then_some(racer))
                .collect();
            assert_eq!(won.len(), 1, "winners of {name}");
            assert_eq!(storage.get(&name).await.unwrap(), vec![won[0]; 2_000]);
        }
        assert_eq!(storage.list_names("").await.unwrap().len(), 20, "and the probe left nothing");
    });
}

#[test]
fn a_large_file_takes_bounded_memory_and_one_given_up_leaves_nothing() {
    let Some(minio) = minio() else { return };
    let storage = open(&minio.bucket("uploads"), minio.address);
    block_on(async {
        let piece = Bytes::from(vec![7; 1 << 20]);
        let mut upload = Upload::start(&storage, "large").unwrap();
        let mut given_up = Upload::start(&storage, "given-up").unwrap();
        for _ in 0..64 {
            upload.push(piece.clone()).await.unwrap();
            assert!(upload.pending_bytes() <= (MAX_PARTS_IN_FLIGHT + 1) * PART_BYTES);
        }
        for _ in 0..20 {
            given_up.push(piece.clone()).await.unwrap();
        }
        assert_eq!(minio.open_uploads("uploads/given-up"), 1, "begun");
        assert_eq!(upload.finish().await.unwrap(), 64 << 20);
        drop(given_up);
        assert_eq!(storage.size_opt("large").await.unwrap(), Some(64 << 20));
        assert_eq!(storage.list_names("").await.unwrap(), ["large"]);
        let forgotten = async {
            while minio.open_uploads("uploads/given-up") > 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, forgotten).await.expect("the store is told to forget what was given up");
    });
}

#[test]
fn a_refusal_says_what_to_correct_and_repeats_no_key() {
    let Some(minio) = minio() else { return };
    let there = minio.bucket("refusals");
    let open = |url: &str, secret: &str| {
        let mut options = minio.options().map(|(key, value)| (key.to_owned(), value));
        options[2].1 = secret.to_owned();
        let s3 = BucketOptions::s3(&options.into_iter().collect()).unwrap();
        Storage::open_with(url, &StorageOptions { s3, ..StorageOptions::default() }).unwrap()
    };
    block_on(async {
        for (storage, kind, message) in [
            (open("s3://not-there/w", SECRET_KEY), FailureKind::Usage, "create the bucket, or correct its name"),
            (open(&there, "ANOTHER"), FailureKind::Auth, "SignatureDoesNotMatch"),
        ] {
            let reading = storage.get_opt("snapshot/LATEST").await.unwrap_err();
            let writing = storage.create("snapshot/snapshot-1", Bytes::from_static(b"x")).await.unwrap_err();
            let listing = storage.list_names("").await.unwrap_err();
            for error in [reading, writing, listing] {
                assert_eq!(error.kind(), kind, "{error}");
                let text = format!("{error} {error:?} {storage:?}");
                assert!(error.to_string().contains(message), "{error}");
                assert!(!text.contains(SECRET_KEY) && !text.contains("ANOTHER"), "{text}");
            }
        }
    });
}

/// Temporary keys, new at each fetch.
struct Tokens {
    minio: &'static Minio,
    handed_out: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl CredentialsProvider for Tokens {
    async fn fetch(&self) -> Result<TemporaryCredentials, CredentialsError> {
        let credentials = self.minio.assume_role(None).await;
        self.handed_out.lock().unwrap().push(credentials.access_key.clone());
        Ok(TemporaryCredentials { credentials, expires_at_millis: None })
    }
}

#[test]
fn a_token_that_expires_in_the_middle_of_an_upload_is_replaced_once() {
    let Some(minio) = minio() else { return };
    let url = minio.bucket("tokens");
    let handed_out: Arc<Mutex<Vec<String>>> = Arc::default();
    let (first_has_expired, keys) = (Arc::new(AtomicBool::new(false)), Arc::clone(&handed_out));
    let expired = Arc::clone(&first_has_expired);
    let proxy = FaultProxy::start(minio.address, move |exchange: &Exchange| {
        let first = keys.lock().unwrap().first().cloned().unwrap_or_default();
        let refused = expired.load(Ordering::SeqCst) && exchange.authorization.contains(&first);
        if refused { HttpFault::Answer(400, EXPIRED) } else { HttpFault::None }
    })
    .unwrap();
    let provider = Arc::new(Tokens { minio, handed_out: Arc::clone(&handed_out) });
    let refreshing = RefreshingCredentials::new(provider, Arc::new(SystemClock));
    let endpoint = minio::options(proxy.address()).into_iter().filter(|(key, _)| !key.ends_with("-key"));
    let s3 = BucketOptions::s3(&endpoint.map(|(key, value)| (key.to_owned(), value)).collect()).unwrap();
    let options = StorageOptions { s3, credentials: Some(Arc::new(refreshing)), ..StorageOptions::default() };
    let storage = Storage::open_with(&url, &options).unwrap();
    block_on(async {
        let mut upload = Upload::start(&storage, "data").unwrap();
        for part in 0..5_u8 {
            first_has_expired.store(part > 1, Ordering::SeqCst);
            upload.push(vec![part; PART_BYTES].into()).await.unwrap();
        }
        upload.finish().await.unwrap();
        assert_eq!(storage.get("data").await.unwrap().len(), 5 * PART_BYTES);
        assert_eq!(storage.create("snapshot-1", Bytes::from_static(b"x")).await.unwrap(), Create::Created);
    });
    assert_eq!(handed_out.lock().unwrap().len(), 2, "one refresh for all that was under way");
    assert_eq!(minio.open_uploads("tokens/data"), 0);
}

#[test]
fn a_conflict_of_requests_is_not_taken_for_an_object() {
    let Some(minio) = minio() else { return };
    let url = minio.bucket("conflicts");
    let mut creates = 0;
    let proxy = FaultProxy::start(minio.address, move |exchange: &Exchange| {
        creates += u64::from(exchange.creates);
        match creates {
            1..=2 if exchange.creates => HttpFault::Answer(409, CONFLICT),
            _ => HttpFault::None,
        }
    })
    .unwrap();
    let storage = open(&url, proxy.address());
    block_on(async {
        assert_eq!(storage.create("snapshot-1", Bytes::from_static(b"x")).await.unwrap(), Create::Created);
        assert_eq!(storage.create("snapshot-1", Bytes::from_static(b"y")).await.unwrap(), Create::Exists);
        assert_eq!(storage.get("snapshot-1").await.unwrap(), "x");
    });
    assert_eq!(proxy.seen().iter().filter(|exchange| exchange.creates).count(), 4);
}

pub(crate) const TABLE: &str = "db.killed";

const JOB: &str = "
SET 'execution.checkpointing.interval' = '100 ms';
CREATE TABLE IF NOT EXISTS paimon.db.killed (id STRING, n BIGINT, part INT) PARTITIONED BY (part);
CREATE TEMPORARY TABLE source (id STRING, n BIGINT, part INT) WITH ('connector' = 'datagen', 'rows-per-second' = '20000',
  'seed' = '42', 'splits' = '2', 'fields.id.length' = '16', 'fields.part.min' = '1', 'fields.part.max' = '2');
INSERT INTO paimon.db.killed SELECT id, n, part FROM source;
";

const COLUMNS: &[(&str, FieldType)] =
    &[("id", FieldType::Varchar(MAX_LENGTH)), ("n", FieldType::BigInt), ("part", FieldType::Int)];
const OPTIONS: &[(&str, &str)] = &[("fields.id.length", "16"), ("fields.part.min", "1"), ("fields.part.max", "2")];

/// A job into `url`, whose store is reached by `options`.
pub(crate) fn job(scratch: &Scratch, url: &str, options: &[(&str, String)]) -> std::path::PathBuf {
    let options: Vec<String> = options.iter().map(|(key, value)| format!("'{key}' = '{value}'")).collect();
    let catalog =
        format!("CREATE CATALOG paimon WITH ('type' = 'paimon', 'warehouse' = '{url}', {});", options.join(", "));
    scratch.file("job.sql", &format!("{catalog}\n{JOB}"))
}

/// Every row of the committed positions is in the table once, by our count and by pypaimon's reading.
fn assert_complete(minio: &Minio, url: &str) {
    let expected = assert_counted(&open(url, minio.address), url, &minio.options());
    if pypaimon::available() {
        let found = pypaimon::texts_of(minio::catalog(url, minio.address), TABLE, "id");
        datagen::assert_same_ids(&expected, found);
    }
}

/// As many rows as the committed positions say, by our count. Returns their ids.
pub(crate) fn assert_counted(storage: &Storage, url: &str, options: &[(&str, String)]) -> Vec<String> {
    let snapshots = storage.child("db.db/killed/snapshot");
    let newest = block_on(async {
        let latest = String::from_utf8(snapshots.get("LATEST").await.unwrap().to_vec()).unwrap();
        snapshots.get(&format!("snapshot-{}", latest.trim())).await.unwrap()
    });
    let expected = datagen::committed_ids(&newest, COLUMNS, OPTIONS, 42, 2);
    assert!(!expected.is_empty());
    let options: Vec<_> = options.iter().map(|(key, value)| format!("--catalog-option={key}={value}")).collect();
    let mut arguments = vec!["table", "count", TABLE, "--warehouse", url];
    arguments.extend(options.iter().map(String::as_str));
    assert_eq!(binary::succeed(&arguments).trim(), expected.len().to_string());
    expected
}

/// Kills a job again and again, spread over what a start does, then lets it commit and stops it. Returns its last log.
pub(crate) fn kill_and_resume(job: &std::path::Path, cycles: u64) -> String {
    for cycle in 0..cycles {
        let mut daemon = Daemon::start(job, &[]);
        if cycle % 2 == 0 {
            daemon.wait_for_rows(1);
        }
        std::thread::sleep(Duration::from_millis(cycle * 67 % 200));
        daemon.signal("KILL");
        daemon.end();
    }
    let mut last = Daemon::start(job, &[]);
    last.wait_for_rows(1);
    last.stop()
}

#[test]
fn a_killed_daemon_loses_and_doubles_no_row_in_a_bucket() {
    let Some(minio) = minio() else { return };
    let scratch = Scratch::new();
    let url = format!("{}/warehouse", minio.bucket("killed"));
    let log = kill_and_resume(&job(&scratch, &url, &minio.options()), 6);
    assert!(!log.contains(SECRET_KEY), "{log}");
    assert_complete(minio, &url);
}

#[test]
fn a_faulty_network_loses_and_doubles_no_row() {
    let Some(minio) = minio() else { return };
    let scratch = Scratch::new();
    let url = format!("{}/warehouse", minio.bucket("faulty"));
    let (met, counted) = (Arc::new(Mutex::new(BTreeSet::new())), Arc::new(AtomicU64::new(0)));
    let (meets, creates) = (Arc::clone(&met), Arc::clone(&counted));
    let proxy = FaultProxy::start(minio.address, move |exchange: &Exchange| {
        let fault = if exchange.creates {
            // Each way in which a commit's reply can go astray, in turn.
            match creates.fetch_add(1, Ordering::SeqCst) % 6 {
                1 => HttpFault::LoseReply,
                2 => HttpFault::AnswerAfter(503, SLOW_DOWN),
                3 => HttpFault::Answer(409, CONFLICT),
                4 => HttpFault::AnswerAfter(500, "<Error><Code>InternalError</Code></Error>"),
                _ => HttpFault::None,
            }
        } else {
            match exchange.number % 11 {
                3 => HttpFault::Answer(503, SLOW_DOWN),
                5 => HttpFault::Delay(Duration::from_millis(150)),
                7 if exchange.method == "GET" => HttpFault::CutBody,
                9 => HttpFault::LoseReply,
                _ => HttpFault::None,
            }
        };
        meets.lock().unwrap().insert(format!("{fault:?}"));
        fault
    })
    .unwrap();
    let mut daemon = Daemon::start(&job(&scratch, &url, &minio::options(proxy.address())), &[]);
    daemon.wait_for_rows(10_000);
    daemon.poll("/metrics", |_| (counted.load(Ordering::SeqCst) >= 12).then_some(()));
    daemon.stop();
    assert_eq!(met.lock().unwrap().len(), 8, "every fault was met: {met:?}");
    assert_complete(minio, &url);
}
