//! Who may ask: tokens, access keys, and one server for a warehouse.

use serde_json::{Value, json};
use tributary_tests::catalog::{self, Auth};
use tributary_tests::daemon::Daemon;
use tributary_tests::{Scratch, binary, http, pypaimon};

use super::serve;

#[test]
fn a_warehouse_has_one_server_and_only_known_callers() {
    let scratch = Scratch::new();
    let access = "[[principal]]\nname = \"reader\"\ntoken = \"planted-77\"\nread = [\"d\"]\n";
    let access = scratch.file("access.toml", access);
    let file = format!("server.access-file={}", access.display());
    let (server, address) = serve(&scratch, &["--set", &file]);
    for (token, path, status) in [
        ("planted-77", "/v1/config?warehouse=warehouse", 200),
        ("wrong", "/v1/config?warehouse=warehouse", 401),
        ("planted-77", "/v1/config?warehouse=other", 400),
        ("planted-77", "/v1/warehouse/databases", 200),
        ("planted-77", "/v1/warehouse/databases/e", 403),
        ("planted-77", "/v1/warehouse/databases/d", 404),
        ("planted-77", "/v1/warehouse/views", 200),
        ("planted-77", "/v1/warehouse/databases/e/views", 403),
        ("planted-77", "/v1/warehouse/tables", 501),
    ] {
        assert_eq!(http::ask(address, "GET", path, token, "").unwrap().status, status, "{path}");
    }
    let metrics = http::get(address, "/metrics").unwrap().body;
    assert!(http::metric(&metrics, "tributary_catalog_requests_total").is_some_and(|sum| sum >= 7.0), "{metrics}");
    assert!(!metrics.contains("planted-77"));

    let warehouse = scratch.warehouse();
    let second = ["catalog", "serve", "--warehouse", &warehouse, "--listen", "127.0.0.1:0"];
    for (arguments, remedy) in [
        (&second[..], "a warehouse has one server"),
        (&["catalog", "serve", "--warehouse", &warehouse, "--listen", "0.0.0.0:0"], "TRIBUTARY_SERVER__TOKEN"),
    ] {
        let refused = binary::run(arguments);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.status.code() == Some(2) && said.contains(remedy), "{:?} {said}", refused.status);
    }
    let log = server.stop();
    assert!(!log.contains("planted-77"), "{log}");
}

#[test]
fn clients_that_sign_with_an_access_key_are_known() {
    if !pypaimon::available() {
        return;
    }
    let scratch = Scratch::new();
    let access = "[[principal]]\nname = \"signer\"\naccess-key-id = \"LTAI5t\"\naccess-key-secret = \"${TEST_KEY}\"\n\
                  security-token = \"planted-sts\"\nwrite = [\"*\"]\n";
    let file = format!("server.access-file={}", scratch.file("access.toml", access).display());
    std::fs::create_dir_all(scratch.path("warehouse")).unwrap();
    let mut server =
        Daemon::serve_catalog_with(&scratch.warehouse(), 0, &["--set", &file], &[("TEST_KEY", "planted/+=")]);
    let address = server.address();
    let options = |algorithm, secret| {
        let auth = Auth::Dlf { algorithm, secret, security_token: Some("planted-sts") };
        auth.options(address, "warehouse")
    };
    let signed = Value::Object(options("default", "planted/+="));
    let python = |mut request: Value, options: &Value| {
        request["catalog"] = options.clone();
        pypaimon::try_ask(request)
    };
    let create = json!({"op": "create", "table": "d.t", "fields": [["n", "pa.int64()"], ["part", "pa.string()"]], "partition_keys": ["part"]});
    python(create, &signed).unwrap();
    python(json!({"op": "append", "table": "d.t", "rows": [[1, "a b%"], [2, "x"]]}), &signed).unwrap();
    let stranger = Value::Object(options("default", "planted"));
    let refused = python(json!({"op": "count", "table": "d.t"}), &stranger).unwrap_err();
    assert!(refused.contains("signature"), "{refused}");
    // Ours, with either algorithm.
    for algorithm in ["default", "openapi"] {
        let job = format!(
            "{}
             CREATE TEMPORARY TABLE source (n BIGINT) WITH ('connector' = 'datagen', 'number-of-rows' = '10');
             INSERT INTO paimon.d.t SELECT n, 'ours' FROM source;",
            catalog::create_catalog(&options(algorithm, "planted/+="))
        );
        let (status, log) = Daemon::start(&scratch.file(&format!("{algorithm}.sql"), &job), &[]).end();
        assert!(status.success() && !log.contains("planted"), "{log}");
    }
    assert_eq!(python(json!({"op": "count", "table": "d.t"}), &signed).unwrap(), json!(22));
    let log = server.stop();
    assert!(log.contains("signer") && !log.contains("planted"), "{log}");
}
