//! The demo, as somebody who has never seen the project runs it, but shorter.

use std::process::Command;

use tributary_tests::engine::Engine;
use tributary_tests::{binary, pypaimon, root};

static MINIO: Engine = Engine::new("minio");
static PROMETHEUS: Engine = Engine::new("prometheus");

#[test]
fn the_demo_shows_every_row_once_and_fewer_files() {
    if !MINIO.available() || !PROMETHEUS.available() || !pypaimon::available() {
        return;
    }
    let mut command = Command::new(root().join("deploy/demo/run"));
    command.args(["--seconds", "8", "--interval", "500 ms"]).env("TRIBUTARY_BINARY", binary::tributary());
    let done = command.output().unwrap();
    let (said, log) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{said}{log}");
    let number = |name: &str| -> u64 {
        let line = said.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("no {name}: {said}"));
        line.split_whitespace().next().unwrap().replace(',', "").parse().unwrap()
    };
    assert!(number("rows written by the daemon") >= 400, "{said}");
    assert_eq!(number("rows read by pypaimon"), number("rows written by the daemon"), "{said}");
    assert!(number("files of the hour, before") > number("files of the hour, compacted"), "{said}");
    assert!(number("a commit takes, median") < 10_000, "{said}");
}
