//! `oss://` on a stub of OSS, behind a faulty network: nothing lost, nothing doubled, and a bucket that cannot keep
//! committers apart is not committed to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use paimon_table::store::options::BucketOptions;
use paimon_table::store::{Storage, StorageOptions};
use tributary_testkit::{Exchange, FaultProxy, HttpFault, OssKey, OssStub};
use tributary_tests::daemon::Daemon;
use tributary_tests::{Scratch, binary};

use crate::object_store::{SLOW_DOWN, TABLE, assert_counted, job, kill_and_resume};

const URL: &str = "oss://lake/warehouse";
const SECRET: &str = "a-secret-of-the-tests";

fn stub() -> OssStub {
    let stub = OssStub::start("cn-hangzhou").unwrap();
    stub.make_bucket("lake");
    stub.accept(OssKey { id: "tributary".to_owned(), secret: SECRET.to_owned(), token: None });
    stub
}

/// The options of a catalog whose store listens at `address`, in Paimon's spelling.
fn options(address: SocketAddr) -> [(&'static str, String); 4] {
    [
        ("fs.oss.endpoint", format!("http://{address}")),
        ("fs.oss.region", "cn-hangzhou".to_owned()),
        ("fs.oss.accessKeyId", "tributary".to_owned()),
        ("fs.oss.accessKeySecret", SECRET.to_owned()),
    ]
}

fn assert_complete(stub: &OssStub) {
    let options = options(stub.address());
    let given = options.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    let oss = BucketOptions::oss(&given).unwrap();
    let storage = Storage::open_with(URL, &StorageOptions { oss, ..StorageOptions::default() }).unwrap();
    assert_counted(&storage, URL, &options);
    // Keys of the environment count as those of the catalog.
    let [endpoint, region, ..] = options.map(|(key, value)| format!("--catalog-option={key}={value}"));
    let mut by_environment = binary::command(&["table", "count", TABLE, "--warehouse", URL, &endpoint, &region]);
    by_environment.env("OSS_ACCESS_KEY_ID", "tributary").env("OSS_ACCESS_KEY_SECRET", SECRET);
    assert!(by_environment.output().unwrap().status.success());
    by_environment.env("ALIBABA_CLOUD_ACCESS_KEY_ID", "other").env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", SECRET);
    assert_eq!(by_environment.output().unwrap().status.code(), Some(3), "these go first");
    assert_eq!(stub.open_uploads(), 0);
}

#[test]
fn a_killed_daemon_loses_and_doubles_no_row_on_oss() {
    let (stub, scratch) = (stub(), Scratch::new());
    let log = kill_and_resume(&job(&scratch, URL, &options(stub.address())), 4);
    assert!(!log.contains(SECRET), "{log}");
    assert_complete(&stub);
}

#[test]
fn a_faulty_network_loses_and_doubles_no_row_on_oss() {
    let (stub, scratch) = (stub(), Scratch::new());
    let counted = Arc::new(AtomicU64::new(0));
    let creates = Arc::clone(&counted);
    let proxy = FaultProxy::start(stub.address(), move |exchange: &Exchange| {
        if exchange.creates {
            return match creates.fetch_add(1, Ordering::SeqCst) % 4 {
                1 => HttpFault::LoseReply,
                2 => HttpFault::AnswerAfter(503, SLOW_DOWN),
                _ => HttpFault::None,
            };
        }
        match exchange.number % 11 {
            3 => HttpFault::Answer(503, SLOW_DOWN),
            7 if exchange.method == "GET" => HttpFault::CutBody,
            9 => HttpFault::LoseReply,
            _ => HttpFault::None,
        }
    })
    .unwrap();
    let mut daemon = Daemon::start(&job(&scratch, URL, &options(proxy.address())), &[]);
    daemon.wait_for_rows(5_000);
    daemon.poll("/metrics", |_| (counted.load(Ordering::SeqCst) >= 8).then_some(()));
    daemon.stop();
    assert_complete(&stub);
}

/// F5: from then on OSS would let two committers replace each other's snapshots.
#[test]
fn versioning_switched_on_stops_the_daemon_and_lets_no_other_start() {
    let (stub, scratch) = (stub(), Scratch::new());
    let job = job(&scratch, URL, &options(stub.address()));
    let mut daemon = Daemon::start(&job, &[]);
    daemon.wait_for_rows(1);
    stub.switch_versioning_on("lake");
    let (status, log) = daemon.end();
    let before = stub.names("lake");
    let (next_status, next_log) = Daemon::start(&job, &[]).end();
    for (status, log) in [(status, log), (next_status, next_log)] {
        assert_eq!(status.code(), Some(2), "{log}");
        assert!(log.contains("use a bucket that never had versioning"), "{log}");
    }
    assert_eq!(stub.names("lake"), before, "the second start wrote nothing");
    assert_complete(&stub);
    let options = options(stub.address()).map(|(key, value)| format!("--catalog-option={key}={value}"));
    let mut arguments = vec!["check", "--warehouse", URL];
    arguments.extend(options.iter().map(String::as_str));
    let checked = binary::run(&arguments);
    let said = String::from_utf8_lossy(&checked.stdout) + String::from_utf8_lossy(&checked.stderr);
    assert_eq!(checked.status.code(), Some(2), "{said}");
    assert!(said.contains("use a bucket that never had versioning"), "{said}");
}
