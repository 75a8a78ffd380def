//! What a user gets to read when something is wrong: the place, the remedy, an exit code, and nothing half-written.

use std::path::Path;
use std::process::Output;

use tributary_tests::daemon::Daemon;
use tributary_tests::{Scratch, binary, root};

fn tutorial() -> String {
    std::fs::read_to_string(root().join("config/tutorial.sql")).unwrap()
}

/// The error as it is printed last, log lines before it left out.
fn error(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    said.find("error: ").map_or_else(|| said.to_string(), |at| said[at..].trim_end().to_owned())
}

fn run(job: &Path) -> Output {
    binary::command(&["run", job.to_str().unwrap(), "--listen", "127.0.0.1:0"]).output().unwrap()
}

/// Part of the tutorial's text, what stands there instead, and the error.
const MISTAKES: &[(&str, &str, &str)] = &[
    (
        "CATALOG paimon WITH",
        "CATALOG paimon WIT",
        "error: job.sql:7:23: expected WITH, found `WIT`
  7 | CREATE CATALOG paimon WIT ('type' = 'paimon', 'warehouse' = 'warehouse');
    |                       ^^^
  help: did you mean WITH?",
    ),
    (
        "'warehouse' = 'warehouse'",
        "'warehouse' = '<your folder>'",
        "error: job.sql:7:63: `<your folder>` is still a placeholder
  7 | CREATE CATALOG paimon WITH ('type' = 'paimon', 'warehouse' = '<your folder>');
    |                                                               ^^^^^^^^^^^^^
  help: put your own value in its place",
    ),
    (
        "'rows-per-second' = '100'",
        "'rows-per-secnd' = '100'",
        "error: job.sql:13:102: option `rows-per-secnd`: datagen has no such option for this table
  13 | CREATE TEMPORARY TABLE datagen (id STRING, data STRING, category INT) WITH ('connector' = 'datagen', 'rows-per-secnd' = '100',
     |                                                                                                      ^^^^^^^^^^^^^^^^
  help: did you mean 'rows-per-second'?",
    ),
    (
        "CAST(HOUR(LOCALTIMESTAMP)",
        "CAST(HOURS(LOCALTIMESTAMP)",
        "error: job.sql:17:44: unknown function HOURS
  17 |   CAST(CURRENT_DATE AS STRING) AS dt, CAST(HOURS(LOCALTIMESTAMP) AS STRING) AS hh FROM datagen;
     |                                            ^^^^^
  help: did you mean HOUR?",
    ),
    (
        "SELECT id, data, category,",
        "SELECT id, data, data,",
        "error: job.sql:16:74: column `category` of `test_paimon_db.test_append_tbl` is INT, the expression is STRING
  16 | INSERT INTO `paimon`.`test_paimon_db`.`test_append_tbl` SELECT id, data, data, CAST(LOCALTIMESTAMP AS STRING) AS ts,
     |                                                                          ^^^^
  help: write CAST(… AS INT) around it",
    ),
];

#[test]
fn a_mistake_in_the_job_is_shown_with_its_place_and_remedy_and_creates_nothing() {
    for (right, wrong, expected) in MISTAKES {
        let scratch = Scratch::new();
        let text = tutorial();
        assert!(text.contains(right), "the tutorial has no {right}");
        scratch.file("job.sql", &text.replacen(right, wrong, 1));
        let output = binary::command(&["run", "job.sql", "--listen", "127.0.0.1:0"])
            .current_dir(scratch.path(""))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{wrong}: {}", error(&output));
        assert_eq!(error(&output), *expected);
        assert!(!scratch.path("warehouse").exists(), "{wrong}: something was created");
    }
}

#[test]
fn a_warehouse_that_is_a_file_is_refused() {
    let scratch = Scratch::new();
    scratch.file("warehouse", "not a folder");
    let output = run(&scratch.file("job.sql", &tutorial()));
    assert_eq!(output.status.code(), Some(2));
    let error = error(&output);
    assert!(error.contains("warehouse") && error.contains("Not a directory"), "{error}");
}

#[test]
fn a_second_copy_of_the_job_fences_the_first() {
    let scratch = Scratch::new();
    let job = scratch.file("job.sql", &format!("SET 'execution.checkpointing.interval' = '100 ms';\n{}", tutorial()));
    let mut first = Daemon::start(&job, &[]);
    first.wait_for_rows(10);
    let mut second = Daemon::start(&job, &[]);
    second.wait_for_rows(10);
    let (status, log) = first.end();
    assert_eq!(status.code(), Some(4), "the older start is fenced; log:\n{log}");
    assert!(log.contains("fenced by snapshot"), "{log}");
    second.stop();
}

const TABLE: &str = "test_paimon_db.test_append_tbl";

/// A finished run, then the newest file of a kind is damaged; what each command says of it.
#[test]
fn a_damaged_file_is_named_and_nothing_is_written_over_it() {
    for (folder, prefix, command) in [
        ("snapshot", "snapshot-", ["table", "count"]),
        ("manifest", "manifest-", ["table", "files"]),
        ("", "data-", ["table", "head"]),
    ] {
        let scratch = Scratch::new();
        let job =
            scratch.file("job.sql", &format!("SET 'execution.checkpointing.interval' = '100 ms';\n{}", tutorial()));
        let mut daemon = Daemon::start(&job, &[]);
        daemon.wait_for_rows(10);
        daemon.stop();
        let damaged = damage(&scratch.path("warehouse/test_paimon_db.db/test_append_tbl").join(folder), prefix);
        let warehouse = scratch.path("warehouse");
        let arguments = [command[0], command[1], TABLE, "--warehouse", warehouse.to_str().unwrap()];
        let output = binary::run(&arguments);
        assert_eq!(output.status.code(), Some(5), "{prefix}: {}", error(&output));
        assert!(damaged.iter().any(|name| error(&output).contains(name)), "{}: {damaged:?}", error(&output));
        if prefix != "data-" {
            let (status, log) = Daemon::start(&job, &[]).end();
            assert_eq!(status.code(), Some(5), "{prefix}: {log}");
        }
    }
}

/// Cuts every file below `folder` that starts with `prefix` in half; returns their names.
fn damage(folder: &Path, prefix: &str) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type().unwrap().is_dir() {
            names.extend(damage(&entry.path(), prefix));
        } else if name.starts_with(prefix) {
            let bytes = std::fs::read(entry.path()).unwrap();
            std::fs::write(entry.path(), &bytes[..bytes.len() / 2]).unwrap();
            names.push(name);
        }
    }
    names
}
