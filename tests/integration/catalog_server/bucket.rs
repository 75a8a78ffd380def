//! A warehouse in a bucket.

use serde_json::{Value, json};
use tributary_tests::daemon::Daemon;
use tributary_tests::minio::{self, minio};
use tributary_tests::{Scratch, http, pypaimon};

#[test]
fn a_bucket_is_served_and_a_killed_server_loses_nothing() {
    let (Some(minio), true) = (minio(), pypaimon::available()) else {
        return;
    };
    let scratch = Scratch::new();
    let url = format!("{}/lake", minio.bucket("served"));
    let config = format!(
        "[server]\ndatabase = {:?}\n[catalog.lake]\ntype = \"paimon\"\nwarehouse = {url:?}\n\"s3.endpoint\" = \"http://{}\"\n\
         \"s3.path.style.access\" = true\n",
        scratch.path("names.redb"),
        minio.address
    );
    let config = scratch.file("server.toml", &config);
    let keys = [("S3__ACCESS_KEY", minio::ACCESS_KEY), ("S3__SECRET_KEY", minio::SECRET_KEY)]
        .map(|(key, value)| (format!("TRIBUTARY_CATALOG__LAKE__{key}"), value));
    let serve = |port: u16| {
        let listen = format!("127.0.0.1:{port}");
        let mut command = tributary_tests::binary::command(&["catalog", "serve", "--listen", &listen, "--config"]);
        command.arg(&config).envs(keys.iter().map(|(key, value)| (key, value)));
        let mut server = Daemon::spawn(command);
        let address = server.address();
        (server, address)
    };
    let (server, address) = serve(0);
    let mut catalog = minio::catalog(&url, minio.address);
    for (key, value) in [
        ("metastore", "rest"),
        ("uri", &format!("http://{address}")),
        ("warehouse", "lake"),
        ("token.provider", "bear"),
        ("token", "any"),
    ] {
        catalog[key] = value.into();
    }
    let python = |mut request: Value| {
        request["catalog"] = catalog.clone();
        pypaimon::ask(request)
    };
    python(json!({"op": "create", "table": "d.t", "fields": [["n", "pa.int64()"]]}));
    python(json!({"op": "append", "table": "d.t", "rows": [[1], [2]]}));
    server.signal("KILL");
    server.end();
    let (server, address) = serve(address.port());
    python(json!({"op": "append", "table": "d.t", "rows": [[3]]}));
    assert_eq!(python(json!({"op": "count", "table": "d.t"})), json!(3));
    let latest = http::ask(address, "GET", "/v1/lake/databases/d/tables/t/snapshot", "any", "").unwrap().body;
    let latest: Value = serde_json::from_str(&latest).unwrap();
    assert_eq!(latest["snapshot"]["snapshot"]["id"], json!(2));
    let log = server.stop();
    assert!(!log.contains(minio::SECRET_KEY), "{log}");
}
