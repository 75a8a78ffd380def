//! Tables whose buckets are opened by keys that the catalog hands out: our server's tables on a stub of OSS, the keys
//! by a proxy in front of the server.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;
use tributary_testkit::{Exchange, FaultProxy, HttpFault, OssKey, OssStub};
use tributary_tests::daemon::Daemon;
use tributary_tests::{Scratch, binary, http};

const SECRET: &str = "planted-7c1e";
const ROWS: u64 = 3000;

fn key(number: u64) -> OssKey {
    OssKey { id: format!("STS.{number}"), secret: SECRET.to_owned(), token: Some(format!("{SECRET}-{number}")) }
}

/// The body of an answer must live as long as the process.
fn token(number: u64) -> &'static str {
    let OssKey { id, secret, token } = key(number);
    let token = json!({
        "fs.oss.accessKeyId": id, "fs.oss.accessKeySecret": secret, "fs.oss.securityToken": token,
        "fs.oss.endpoint": "oss-cn-hangzhou.aliyuncs.com", "fs.oss.region": "cn-hangzhou",
    });
    json!({"token": token, "expiresAtMillis": 4_102_444_800_000_i64}).to_string().leak()
}

/// F29: a key ends in the middle of the commits, again and again.
#[test]
fn keys_of_the_catalog_that_end_early_cost_no_row() {
    let (stub, scratch) = (OssStub::start("cn-hangzhou").unwrap(), Scratch::new());
    stub.make_bucket("lake");
    stub.accept(OssKey { id: "server".to_owned(), secret: SECRET.to_owned(), token: None });
    for number in 1..10 {
        stub.accept(key(number));
    }
    let endpoint = format!("http://{}", stub.address());
    let config = format!(
        "[storage]\nfs.oss.endpoint = {endpoint:?}\nfs.oss.region = \"cn-hangzhou\"\nfs.oss.accessKeyId = \"server\"\n\
         fs.oss.accessKeySecret = \"${{file:{}}}\"\n[server]\ndatabase = {:?}\n",
        scratch.file("secret", SECRET).display(),
        scratch.path("catalog.redb").display().to_string()
    );
    let config = scratch.file("server.toml", &config).display().to_string();
    let mut server = Daemon::serve_catalog("oss://lake/warehouse", 0, &["--config", &config, "--name", "lake"]);
    let fetched = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&fetched);
    let proxy = FaultProxy::start(server.address(), move |exchange: &Exchange| {
        if exchange.path.ends_with("/token") {
            HttpFault::Answer(200, token(counted.fetch_add(1, Ordering::SeqCst) + 1))
        } else {
            HttpFault::None
        }
    })
    .unwrap();
    let options = [
        ("metastore", "rest"),
        ("uri", &format!("http://{}", proxy.address())),
        ("warehouse", "lake"),
        ("token.provider", "bear"),
        ("token", "any"),
        ("data-token.enabled", "true"),
        ("dlf.oss-endpoint", &endpoint),
    ];
    let with: Vec<_> = options.iter().map(|(key, value)| format!("'{key}' = '{value}'")).collect();
    let job = format!(
        "SET 'execution.checkpointing.interval' = '100 ms';
         CREATE CATALOG paimon WITH ('type' = 'paimon', {});
         CREATE DATABASE IF NOT EXISTS paimon.db;
         CREATE TABLE IF NOT EXISTS paimon.db.t (n BIGINT);
         CREATE TEMPORARY TABLE source (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '2000',
           'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '{ROWS}');
         INSERT INTO paimon.db.t SELECT n FROM source;",
        with.join(", ")
    );
    let mut daemon = Daemon::start(&scratch.file("job.sql", &job), &[]);
    for rows in [1, 500, 1000] {
        daemon.wait_for_rows(rows);
        for number in 1..=fetched.load(Ordering::SeqCst) {
            stub.expire(&key(number).id);
        }
    }
    let expiry = "tributary_catalog_credentials_expiry_timestamp_seconds";
    daemon.poll("/metrics", |answer| http::metric(&answer.body, expiry).filter(|end| *end == 4_102_444_800.0));
    let (status, log) = daemon.end();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(!log.contains(SECRET), "a secret is in the log:\n{log}");
    assert!((4..10).contains(&fetched.load(Ordering::SeqCst)), "one for each that ended: {fetched:?}");

    let given: Vec<_> = options.iter().map(|(key, value)| format!("--catalog-option={key}={value}")).collect();
    let mut arguments = vec!["table", "count", "db.t", "--warehouse", "lake"];
    arguments.extend(given.iter().map(String::as_str));
    assert_eq!(binary::succeed(&arguments).trim(), ROWS.to_string());
    server.signal("TERM");
    let (_, log) = server.end();
    assert!(!log.contains(SECRET), "a secret is in the log:\n{log}");
}
