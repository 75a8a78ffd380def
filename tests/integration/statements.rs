//! The statement language as users write it: several INSERTs in a set, names and comments that mislead a careless reader,
//! mistakes shown where they are, secrets shown nowhere, a job started again after its table grew.

use serde_json::{Value, json};
use tributary_tests::daemon::Daemon;
use tributary_tests::{Scratch, binary, pypaimon};

const SET: &str = "\
-- Numbers, split over two tables; this 'quote', this `backtick` and this ; are a comment's.
SET 'execution.checkpointing.interval' = '100 ms';
CREATE CATALOG `lake` WITH ('type' = 'paimon', 'warehouse' = 'warehouse'); /* so is
   INSERT INTO nothing; */ USE CATALOG lake;
CREATE TABLE db.evens (id BIGINT, `order` STRING, note STRING);
CREATE TABLE `db`.`select` (`a b` BIGINT, `which -- one` STRING, dt STRING) PARTITIONED BY (dt);
CREATE TEMPORARY TABLE numbers (n BIGINT) WITH ('connector' = 'datagen',
  'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '6');
EXECUTE STATEMENT SET BEGIN
  INSERT INTO db.evens (`order`, id) SELECT 'it''s ' || CAST(n AS STRING), n FROM numbers WHERE n % 2 = 0;
  INSERT INTO `db`.`select` PARTITION (dt = '2026-01-01') SELECT n, 'first' FROM numbers AS `n s` WHERE `n s`.n < 3;
  INSERT INTO db.`select` PARTITION (dt = '2026-01-02') SELECT n * 10, '-- second' FROM numbers WHERE n > 4;
END;
";

#[test]
fn a_statement_set_fills_its_tables_row_for_row() {
    if !pypaimon::available() {
        return;
    }
    let scratch = Scratch::new();
    let job = scratch.file("job.sql", SET);
    binary::succeed(&["run", job.to_str().unwrap(), "--listen", "127.0.0.1:0"]);
    for (table, columns, rows) in [
        (
            "db.evens",
            json!(["id", "order", "note"]),
            json!([[2, "it's 2", null], [4, "it's 4", null], [6, "it's 6", null]]),
        ),
        (
            "db.select",
            json!(["a b", "which -- one", "dt"]),
            json!([
                [1, "first", "2026-01-01"],
                [2, "first", "2026-01-01"],
                [50, "-- second", "2026-01-02"],
                [60, "-- second", "2026-01-02"],
            ]),
        ),
    ] {
        let found = pypaimon::ask(json!({"op": "rows", "warehouse": scratch.warehouse(), "table": table}));
        let mut found_rows = found["rows"].as_array().unwrap().clone();
        found_rows.sort_by_key(|row| row[0].as_i64());
        assert_eq!((&found["columns"], Value::from(found_rows)), (&columns, rows), "{table}");
    }
}

const CATALOG: &str = "CREATE CATALOG lake WITH ('type' = 'paimon', 'warehouse' = 'warehouse');\n";
const TABLE: &str = "CREATE TABLE lake.db.t (n INT);\n";
const SOURCE: &str = "CREATE TEMPORARY TABLE gen (`a``b` INT) WITH ('connector' = 'datagen');\n";

/// Statements, and the error: comments, backticks and characters of several bytes do not move its place.
const MISTAKES: &[(&[&str], &str)] = &[
    (
        &["/* größer\n als; */ CREATE CATALOG lake WITH ('type' = 'paimon', 'wharehouse' = 'warehouse');"],
        "error: job.sql:2:55: there is no catalog option `wharehouse`
  2 |  als; */ CREATE CATALOG lake WITH ('type' = 'paimon', 'wharehouse' = 'warehouse');
    |                                                       ^^^^^^^^^^^^
  help: did you mean 'warehouse'?",
    ),
    (
        &[CATALOG, "CREATE TABLE `lake`.`db`.`größe` (`a``b` INT) /* ; */ WITH ('bukcet' = '-1');"],
        "error: job.sql:2:61: there is no table option `bukcet`
  2 | CREATE TABLE `lake`.`db`.`größe` (`a``b` INT) /* ; */ WITH ('bukcet' = '-1');
    |                                                             ^^^^^^^^
  help: did you mean 'bucket'?",
    ),
    (
        &[
            CATALOG,
            TABLE,
            SOURCE,
            "INSERT INTO lake.db.t SELECT `a``b` -- a comment; with a `\nFROM gen /*+ OPTIONS('rows-per-secnd' = '1') */;",
        ],
        "error: job.sql:5:22: option `rows-per-secnd`: datagen has no such option for this table
  5 | FROM gen /*+ OPTIONS('rows-per-secnd' = '1') */;
    |                      ^^^^^^^^^^^^^^^^
  help: did you mean 'rows-per-second'?",
    ),
    (
        &[CATALOG, TABLE, SOURCE, "INSERT INTO lake.db.t SELECT /* `a``b` */ `a``c` FROM gen;"],
        "error: job.sql:4:43: unknown column `a`c` in `gen`
  4 | INSERT INTO lake.db.t SELECT /* `a``b` */ `a``c` FROM gen;
    |                                           ^^^^^^
  help: did you mean `a`b`?",
    ),
    (
        &[CATALOG, TABLE, SOURCE, "INSERT INTO lake.db.t SELECT `a``b FROM gen;"],
        "error: job.sql:4:30: this name in backticks is never closed
  4 | INSERT INTO lake.db.t SELECT `a``b FROM gen;
    |                              ^
  help: close it with `",
    ),
    (
        &[CATALOG, TABLE, "/* never closed\nINSERT INTO lake.db.t SELECT 1 FROM gen;"],
        "error: job.sql:3:1: this comment is never closed
  3 | /* never closed
    | ^^
  help: close it with */",
    ),
    (
        &["SET 'pipeline.nmae' = 'x';"],
        "error: job.sql:1:5: there is no setting `pipeline.nmae`
  1 | SET 'pipeline.nmae' = 'x';
    |     ^^^^^^^^^^^^^^^
  help: did you mean 'pipeline.name'?",
    ),
    (
        &[
            CATALOG,
            TABLE,
            SOURCE,
            "EXECUTE STATEMENT SET BEGIN\n  INSERT INTO lake.db.t SELECT `a``b` FROM gen;\n",
            "  INSERT INTO lake.db.t (m) SELECT `a``b` FROM gen;\nEND;",
        ],
        "error: job.sql:6:26: `db.t` has no column `m`
  6 |   INSERT INTO lake.db.t (m) SELECT `a``b` FROM gen;
    |                          ^
  help: it has `n`",
    ),
];

#[test]
fn a_mistake_among_comments_and_backticks_is_shown_where_it_is() {
    for (statements, expected) in MISTAKES {
        let scratch = Scratch::new();
        let job = scratch.file("job.sql", &statements.concat());
        let done = binary::command(&["run", "job.sql", "--listen", "127.0.0.1:0"])
            .current_dir(job.parent().unwrap())
            .output()
            .unwrap();
        let said = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(2), "{said}");
        assert_eq!(said.find("error: ").map(|at| said[at..].trim_end()), Some(*expected), "{said}");
        assert!(!scratch.path("warehouse").exists(), "something was created: {said}");
    }
}

const SECRET: &str = "planted-9e07";

/// Jobs with the secret in WITH, in a hint, in SET, in front of a mistake and as one; and what they end with.
const PLANTED: &[(&str, i32)] = &[
    ("CREATE CATALOG lake WITH ('type' = 'paimon', 'warehouse' = 'warehouse', 'token' = 'planted-9e07');", 2),
    ("CREATE CATALOG lake WITH ('dlf.access-key-secret' = 'planted-9e07', 'type' = paimon);", 2),
    ("SET 'admin-token' = 'planted-9e07';", 2),
    ("CREATE TABLE lake.db.u (s STRING) WITH ('my.password' = 'planted-9e07');", 2),
    ("CREATE TABLE lake.db.u (s STRING) WITH ('file.compression' = '${file:secret}');", 2),
    ("CREATE TABLE lake.db.u (s STRING) WITH ('target-file-size' = 'x${file:secret}');", 2),
    ("CREATE TEMPORARY TABLE h (s STRING) WITH ('connector' = 'datagen', 'api-key' = 'planted-9e07'); SELECT", 2),
    ("CREATE TEMPORARY TABLE h (s STRING) WITH ('connector' = '${file:secret}');", 2),
    ("INSERT INTO lake.db.t SELECT s FROM g /*+ OPTIONS('rows-per-second' = '${file:secret}') */;", 2),
    ("INSERT INTO lake.db.t /*+ OPTIONS('x.secret' = 'planted-9e07') */ SELECT s FROM g;", 2),
    ("INSERT INTO lake.db.t SELECT s FROM g WHERE nothing = '${file:secret}';", 2),
    ("INSERT INTO lake.db.t SELECT s FROM g WHERE s <> '${file:secret}';", 0),
];

/// A job, and the secret beside it in a file of its own.
fn planted(scratch: &Scratch, text: &str) -> std::path::PathBuf {
    let secret = scratch.file("secret", SECRET);
    scratch.file("job.sql", &text.replace("file:secret", &format!("file:{}", secret.display())))
}

/// A catalog, a table with the secret among its options, a source.
const AROUND: &str = "\
CREATE CATALOG lake WITH ('type' = 'paimon', 'warehouse' = 'warehouse');
CREATE TABLE lake.db.t (s STRING) WITH ('commit.user-prefix' = '${file:secret}');
CREATE TEMPORARY TABLE g (s STRING) WITH ('connector' = 'datagen', 'number-of-rows' = '3');
";

#[test]
fn a_secret_in_the_statements_is_printed_nowhere() {
    for (statement, code) in PLANTED {
        let scratch = Scratch::new();
        let around = if statement.starts_with("CREATE CATALOG") { "" } else { AROUND };
        let job = planted(&scratch, &format!("{around}{statement}"));
        for verb in [&["check"][..], &["run", "--listen", "127.0.0.1:0"]] {
            let done = binary::command(verb).args(["--log-level", "trace"]).arg(&job).output().unwrap();
            let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
            assert!(!said.contains(SECRET) && !said.contains("cannot replace"), "{statement}: {said}");
            assert_eq!(done.status.code(), Some(*code), "{statement}: {said}");
        }
    }
}

#[test]
fn a_running_daemon_tells_no_secret_to_whoever_asks() {
    let scratch = Scratch::new();
    let around = AROUND.replace("'number-of-rows' = '3'", "'rows-per-second' = '100'");
    let statement = "SET 'execution.checkpointing.interval' = '100 ms';\n\
                     INSERT INTO lake.db.t SELECT s FROM g WHERE s <> '${file:secret}';";
    let job = planted(&scratch, &format!("{around}{statement}"));
    let environment = [("TRIBUTARY_HTTP__ADMIN_TOKEN", SECRET), ("TRIBUTARY_LOG__LEVEL", "debug")];
    let mut daemon = Daemon::start_with(&job, &[], &environment);
    daemon.wait_for_rows(10);
    for path in ["/status", "/metrics", "/readyz?verbose", "/livez?verbose"] {
        let said = daemon.poll(path, |answer| (answer.status == 200).then(|| answer.body.clone()));
        assert!(!said.is_empty() && !said.contains(SECRET), "{path}: {said}");
    }
    let log = daemon.stop();
    assert!(log.contains("DEBUG") && !log.contains(SECRET), "{log}");
}

#[test]
fn a_job_that_names_its_columns_goes_on_after_the_table_grew() {
    if !pypaimon::available() {
        return;
    }
    let scratch = Scratch::new();
    let job = scratch.file(
        "job.sql",
        "SET 'execution.checkpointing.interval' = '100 ms';
         CREATE CATALOG lake WITH ('type' = 'paimon', 'warehouse' = 'warehouse');
         CREATE TABLE IF NOT EXISTS lake.db.t (id BIGINT, name STRING);
         CREATE TEMPORARY TABLE gen (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '500',
           'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '1000000');
         INSERT INTO lake.db.t (name, id) SELECT 'n' || CAST(n AS STRING), n FROM gen;",
    );
    let run = |rows| {
        let mut daemon = Daemon::start(&job, &[]);
        daemon.wait_for_rows(rows);
        daemon.stop()
    };
    run(20);
    let warehouse = scratch.warehouse();
    let changes = json!([["add", "note", "STRING"], ["first", "note"]]);
    pypaimon::ask(json!({"op": "alter", "warehouse": warehouse, "table": "db.t", "changes": changes}));
    let before = pypaimon::count(&warehouse, "db.t");
    run(20);

    let found = pypaimon::ask(json!({"op": "rows", "warehouse": warehouse, "table": "db.t"}));
    assert_eq!(found["columns"], json!(["note", "id", "name"]));
    let mut rows = found["rows"].as_array().unwrap().clone();
    rows.sort_by_key(|row| row[1].as_i64());
    assert!(rows.len() as u64 >= before + 20, "{} rows, {before} of them from the first run", rows.len());
    for (row, id) in rows.iter().zip(1..) {
        assert_eq!(*row, json!([null, id, format!("n{id}")]));
    }
}
