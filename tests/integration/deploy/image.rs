//! The image: what is in it, as whom it runs, and that its container says how it is and loses nothing when stopped.

use std::collections::BTreeSet;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;

use serde_json::json;
use tributary_tests::buildah::{self, Buildah};
use tributary_tests::daemon::Daemon;
use tributary_tests::{Scratch, binary, http};

/// The user of the image.
const USER: u32 = 65532;

/// What the image may hold beside the binary: four libraries and the certificates are 3.4 MB.
const BESIDE_THE_BINARY_BYTES: u64 = 5_000_000;

const JOB: &str = "\
SET 'execution.checkpointing.interval' = '1 h';
CREATE CATALOG paimon WITH ('type' = 'paimon', 'warehouse' = 'warehouse');
CREATE TABLE IF NOT EXISTS paimon.db.t (id STRING) WITH ('write-only' = 'true');
CREATE TEMPORARY TABLE gen (id STRING) WITH ('connector' = 'datagen', 'rows-per-second' = '1000');
INSERT INTO paimon.db.t SELECT id FROM gen;
";

#[test]
fn a_container_says_how_it_is_and_commits_its_last_rows_when_stopped() {
    if !buildah::available() {
        return;
    }
    let buildah = Buildah::new();
    buildah.build(&buildah.root_file_system(), "tributary");

    let config = buildah.config("tributary");
    assert_eq!(config["User"], format!("{USER}:{USER}"));
    assert_eq!(config["Entrypoint"], json!(["/usr/local/bin/tributary"]));
    assert_eq!(config["Healthcheck"]["Test"], json!(["CMD", "/usr/local/bin/tributary", "health"]));
    assert_eq!(config["Labels"]["org.opencontainers.image.revision"], "0123456789ab");

    let container = buildah.container("tributary");
    let image = files(&container.folder);
    let bytes: u64 = image.iter().filter(|(name, ..)| !name.ends_with("bin/tributary")).map(|(.., bytes)| bytes).sum();
    assert!(bytes < BESIDE_THE_BINARY_BYTES, "{bytes} bytes beside the binary: {image:?}");
    let writable: Vec<&str> = image.iter().filter(|(_, owner, _)| *owner == USER).map(|(name, ..)| &**name).collect();
    assert_eq!(writable, ["data"], "what the user of the image owns");
    assert_eq!(container.try_run(&["--version"]).unwrap(), binary::succeed(&["--version"]));
    // With the places that buildah mounts something at.
    let before = files(&container.folder);

    let scratch = Scratch::new();
    scratch.file("job.sql", JOB);
    let data = scratch.path("");
    chown(&data, Some(USER), Some(USER)).unwrap();
    let mut daemon = container.start(&data, &["run", "job.sql", "--listen", "127.0.0.1:0"]);
    daemon.wait_for_rows(1);
    let address = daemon.address();
    let page = |path: &str| container.try_run(&["health", "--url", &format!("http://{address}{path}")]);
    assert_eq!(page("/livez").unwrap(), "ok\n");
    assert!(page("/readyz?verbose").unwrap().ends_with("readyz check passed\n"));
    let missing = page("/nothing").unwrap_err();
    assert!(missing.contains("answers 404"), "{missing}");

    // Past the short first epoch: the rows of the open one are committed by the stop only.
    let rows = |daemon: &mut Daemon, least: f64| {
        let rows = |page: &str| http::metric(page, "tributary_sink_rows_total").filter(|rows| *rows >= least);
        daemon.poll("/metrics", |answer| rows(&answer.body))
    };
    let read = rows(&mut daemon, 0.0);
    let read = rows(&mut daemon, read + 200.0);
    buildah::terminate(&daemon);
    let (status, log) = daemon.end();
    assert_eq!(status.code(), Some(0), "{log}");
    let committed = binary::count(&scratch.warehouse(), "db.t");
    assert!(committed >= read as u64, "{committed} rows committed, {read} were read before the stop");
    let gone = page("/livez").unwrap_err();
    assert!(gone.contains("cannot ask http://127.0.0.1"), "{gone}");
    assert_eq!(files(&container.folder), before, "nothing is written outside of /data");
}

/// Every file and folder: name, owner, bytes of a file.
fn files(root: &Path) -> BTreeSet<(String, u32, u64)> {
    let mut found = BTreeSet::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let metadata = entry.metadata().unwrap();
            let name = entry.path().strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if metadata.is_dir() {
                folders.push(entry.path());
            }
            found.insert((name, metadata.uid(), if metadata.is_file() { metadata.len() } else { 0 }));
        }
    }
    found
}
