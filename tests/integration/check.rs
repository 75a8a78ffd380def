//! `tributary check` beside a running daemon, and at a catalog whose credentials end.

use tributary_tests::daemon::Daemon;
use tributary_tests::{Scratch, binary};

/// What it said, and its exit code.
fn check(arguments: &[&str]) -> (String, Option<i32>) {
    let checked = binary::run(&[&["check"], arguments].concat());
    (String::from_utf8(checked.stdout).unwrap(), checked.status.code())
}

#[test]
fn a_running_daemon_on_the_port_is_a_warning_and_the_job_goes_on_after_its_snapshot() {
    let scratch = Scratch::new();
    let job = scratch.file(
        "job.sql",
        "SET 'execution.checkpointing.interval' = '100 ms';
         CREATE CATALOG paimon WITH ('type' = 'paimon', 'warehouse' = 'warehouse');
         CREATE TABLE IF NOT EXISTS paimon.db.t (id STRING);
         CREATE TEMPORARY TABLE source (id STRING) WITH ('connector' = 'datagen', 'rows-per-second' = '10');
         INSERT INTO paimon.db.t SELECT id FROM source;",
    );
    let mut daemon = Daemon::start(&job, &[]);
    daemon.wait_for_rows(1);
    let listen = daemon.address();
    let (said, code) = check(&[job.to_str().unwrap(), "--set", &format!("http.listen={listen}")]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(&format!("\nWARNING port: {listen} is held by a running tributary 0.")), "{said}");
    assert!(said.contains("\nok      pipeline job.db.t.1: fills db.t; goes on after snapshot "), "{said}");
    daemon.stop();
}

#[test]
fn a_compactors_port_is_looked_at_where_it_has_something_to_do() {
    let scratch = Scratch::new();
    let policy = "[[compactor.policy]]\ntable = \"db.t\"\naction = \"expire_snapshots\"\ninterval = \"1 h\"\n";
    let settings = format!("[catalog.paimon]\nwarehouse = {:?}\n{policy}", scratch.warehouse());
    let settings = scratch.file("tributary.toml", &settings);
    let mut compactor = Daemon::compactor(&settings);
    let listen = compactor.address();
    let listen = format!("compactor.listen={listen}");
    let arguments = ["--config", settings.to_str().unwrap(), "--set", "http.listen=127.0.0.1:0", "--set", &listen];
    let (said, code) = check(&arguments);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("\nWARNING port of the compactor: ") && said.contains("a running tributary 0."), "{said}");
    let (said, _) = check(&[&arguments[..], &["--set", "compactor.embedded=true"]].concat());
    assert!(!said.contains("port of the compactor"), "{said}");
    compactor.stop();
}

#[test]
fn credentials_that_end_are_told_with_their_time() {
    let scratch = Scratch::new();
    let access = scratch.file(
        "access.toml",
        "[[principal]]\nname = \"job\"\naccess-key-id = \"key\"\naccess-key-secret = \"planted-6a\"\nwrite = [\"*\"]\n",
    );
    let access = format!("server.access-file={}", access.display());
    let mut server = Daemon::serve_catalog(&scratch.warehouse(), 0, &["--set", &access]);
    let options = [
        "metastore=rest".to_owned(),
        format!("uri=http://{}", server.address()),
        "token.provider=dlf".to_owned(),
        "dlf.region=cn-x".to_owned(),
        format!("dlf.token-path={}", scratch.path("token.json").display()),
    ];
    for (expiration, expected) in [
        ("2999-01-01T00:00:00Z", "\nok      credentials of paimon: valid for "),
        (
            "2020-01-01T00:00:00Z",
            "\nWARNING credentials of paimon: valid for 0 seconds more; nobody has renewed them yet",
        ),
    ] {
        let token =
            format!(r#"{{"AccessKeyId": "key", "AccessKeySecret": "planted-6a", "Expiration": "{expiration}"}}"#);
        scratch.file("token.json", &token);
        let given: Vec<&str> = options.iter().flat_map(|option| ["--catalog-option", option]).collect();
        let (said, code) =
            check(&[&["--warehouse", "warehouse", "--set", "http.listen=127.0.0.1:0"], &*given].concat());
        assert_eq!(code, Some(0), "{said}");
        assert!(
            said.contains("\nok      catalog paimon: 0 databases; a REST catalog, which takes the commits\n"),
            "{said}"
        );
        assert!(said.contains("\nok      clock of paimon: "), "{said}");
        assert!(said.contains(expected) && !said.contains("planted"), "{said}");
    }
    server.stop();
}
