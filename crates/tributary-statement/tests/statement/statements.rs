use crate::{error, parsed, show};
use tributary_statement::{Span, Statement};

/// Issue 3's job, as a Flink user writes it.
pub(crate) const TUTORIAL: &str = "\
CREATE CATALOG paimon WITH ('type' = 'paimon', 'warehouse' = '<a folder beside the job, by default>');
CREATE TABLE IF NOT EXISTS `paimon`.`test_paimon_db`.`test_append_tbl` (id STRING, data STRING, category INT, ts STRING, dt STRING, hh STRING)
  PARTITIONED BY (dt, hh) WITH ('write-only' = 'true');
CREATE TEMPORARY TABLE datagen (id STRING, data STRING, category INT) WITH ('connector' = 'datagen', 'rows-per-second' = '100',
  'fields.category.kind' = 'random', 'fields.category.min' = '1', 'fields.category.max' = '10');
INSERT INTO `paimon`.`test_paimon_db`.`test_append_tbl` SELECT id, data, category, CAST(LOCALTIMESTAMP AS STRING) AS ts,
  CAST(CURRENT_DATE AS STRING) AS dt, CAST(HOUR(LOCALTIMESTAMP) AS STRING) AS hh FROM datagen;
";

fn check(text: &str, expected: &[&str]) {
    let script = parsed(text);
    let shown: Vec<_> = script.statements.iter().map(|s| show::statement(&s.value)).collect();
    assert_eq!(shown, expected, "{text}");
}

#[test]
fn the_tutorials_job_is_read_as_written() {
    check(
        &TUTORIAL.replace("<a folder beside the job, by default>", "file:///tmp/warehouse"),
        &[
            "catalog paimon {type=paimon, warehouse=file:///tmp/warehouse}",
            "table paimon.test_paimon_db.test_append_tbl if-not-exists (id STRING, data STRING, category INT, ts STRING, \
             dt STRING, hh STRING) by dt, hh {write-only=true}",
            "table datagen temporary (id STRING, data STRING, category INT) {connector=datagen, rows-per-second=100, \
             fields.category.kind=random, fields.category.min=1, fields.category.max=10}",
            "insert paimon.test_paimon_db.test_append_tbl: id, data, category, cast(LOCALTIMESTAMP() as STRING) as ts, \
             cast(CURRENT_DATE() as STRING) as dt, cast(HOUR(LOCALTIMESTAMP()) as STRING) as hh from datagen",
        ],
    );
}

#[test]
fn every_statement_has_its_tree() {
    for (text, expected) in [
        ("", &[][..]),
        (" ;; -- nothing\n /* at\nall */ ;", &[]),
        ("SET 'pipeline.name' = 'a job'", &["set pipeline.name=a job"]),
        ("set 'a'='1';SET 'b'='';", &["set a=1", "set b="]),
        ("RESET; reset 'a'", &["reset", "reset a"]),
        ("USE CATALOG paimon; USE db; USE paimon.`my db`", &["use catalog paimon", "use db", "use paimon.`my db`"]),
        ("USE catalog; USE catalog.db", &["use catalog", "use catalog.db"]),
        (
            "CREATE CATALOG IF NOT EXISTS c COMMENT 'it''s ours' WITH ('type'='paimon')",
            &["catalog c if-not-exists #it's ours {type=paimon}"],
        ),
        ("CREATE DATABASE db", &["database db"]),
        ("CREATE DATABASE IF NOT EXISTS c.db COMMENT 'x' WITH ('k'='v')", &["database c.db if-not-exists #x {k=v}"]),
        (
            "CREATE TABLE t (a INT NOT NULL COMMENT 'first', `b c` BIGINT NULL) COMMENT 'all' WITH ()",
            &["table t (a INT not null #first, b c BIGINT) #all"],
        ),
        (
            "create temporary table t (date DATE, unique INT, value STRING)",
            &["table t temporary (date DATE, unique INT, value STRING)"],
        ),
        ("INSERT INTO t SELECT * FROM s", &["insert t: * from s"]),
        ("INSERT INTO t SELECT s.*, c.d.s.*, 1 FROM c.d.s", &["insert t: s.*, c.d.s.*, 1 from c.d.s"]),
        (
            "INSERT INTO t SELECT ALL a x, b AS `y z`, c AS \u{e9}t\u{e9} FROM s AS q WHERE q.a > 1",
            &["insert t: a as x, b as y z, c as \u{e9}t\u{e9} from s as q where (q.a > 1)"],
        ),
        ("INSERT INTO t SELECT a FROM s q WHERE TRUE", &["insert t: a from s as q where true"]),
        ("INSERT INTO t SELECT a form FROM s", &["insert t: a as form from s"]),
        ("\u{feff}SET 'a' = '1'\r\n;\u{a0}SET 'b' = '2'", &["set a=1", "set b=2"]),
        ("SET 'a' = '-- no comment /* either; */'", &["set a=-- no comment /* either; */"]),
        ("SET 'type' = 'ARRAY<INT>'; SET 'a' = 'x < y > z'", &["set type=ARRAY<INT>", "set a=x < y > z"]),
    ] {
        check(text, expected);
    }
}

#[test]
fn inserts_name_their_columns_values_and_options() {
    for (text, expected) in [
        ("INSERT INTO t (a, `b c`) SELECT 1, 2 FROM s", "insert t (a, b c): 1, 2 from s"),
        (
            "INSERT INTO t PARTITION (dt = '2026-11-22', hh = -5) SELECT a FROM s",
            "insert t dt=\"2026-11-22\" hh=-5: a from s",
        ),
        (
            "INSERT INTO t PARTITION (d = DATE '1970-01-02', n = NULL) (b, a) SELECT * FROM s",
            "insert t d=date(1) n=null (b, a): * from s",
        ),
        (
            "INSERT INTO t /*+ OPTIONS('sink.parallelism'='2', 'target-file-size' = '1 mb') */ SELECT a FROM s",
            "insert t {sink.parallelism=2, target-file-size=1 mb}: a from s",
        ),
        (
            "insert into c.d.t /*+options('a'='*/ ${NAME}')*/ partition (p='x') (a)\nselect a from s /*+ OPTIONS('token'='x') */ as q where q.a > 1",
            "insert c.d.t {a=*/ value} p=\"x\" (a): a from s {token=***} as q where (q.a > 1)",
        ),
        ("INSERT INTO t /*+ OPTIONS() */ SELECT a FROM s /* no hint + */ q", "insert t: a from s as q"),
    ] {
        check(text, &[expected]);
    }
}

#[test]
fn calls_name_their_arguments() {
    check(
        "CALL sys.compact(table => 'db.t', `where` => 'dt > ''1''', where_not=>1, dry_run => FALSE); call c.sys.x()",
        &["call sys.compact {table=db.t, where=dt > '1', where_not=1, dry_run=false}", "call c.sys.x"],
    );
}

#[test]
fn statement_sets_hold_inserts() {
    let two = "INSERT INTO t SELECT * FROM s; insert into u (a) select b from s where b is null;";
    let expected = "set [insert t: * from s; insert u (a): b from s where (b is null)]";
    check(&format!("EXECUTE STATEMENT SET BEGIN {two} END"), &[expected]);
    check(&format!("SET 'a' = '1'; execute statement set\nbegin\n {two}\nend;"), &["set a=1", expected]);
    check(&format!("BEGIN STATEMENT SET; {two} END; RESET"), &[expected, "reset"]);
}

#[test]
fn tables_take_after_others_compute_columns_and_are_dropped() {
    for (text, expected) in [
        (
            "CREATE TEMPORARY TABLE s (a INT, b AS a + 1 COMMENT 'next', `c` AS UPPER('x')) WITH ('k'='v')",
            "table s temporary (a INT, b = (a + 1) #next, c = UPPER(\"x\")) {k=v}",
        ),
        ("CREATE TABLE t LIKE c.d.u", "table t () like c.d.u generated=Including options=Overwriting partitions=true"),
        (
            "CREATE TABLE IF NOT EXISTS t (z INT) COMMENT 'x' PARTITIONED BY (dt) WITH ('k'='v') LIKE u (EXCLUDING PARTITIONS, INCLUDING OPTIONS)",
            "table t if-not-exists (z INT) #x by dt {k=v} like u generated=Including options=Including partitions=false",
        ),
        (
            "CREATE TEMPORARY TABLE t WITH ('connector'='datagen') LIKE u (EXCLUDING ALL INCLUDING GENERATED)",
            "table t temporary () {connector=datagen} like u generated=Including options=Excluding partitions=false",
        ),
        (
            "CREATE TABLE t LIKE u (OVERWRITING GENERATED INCLUDING ALL)",
            "table t () like u generated=Overwriting options=Including partitions=true",
        ),
        ("CREATE TABLE t LIKE u ()", "table t () like u generated=Including options=Overwriting partitions=true"),
        ("DROP TEMPORARY TABLE t", "drop t"),
        ("drop temporary table if exists c.d.`t`", "drop c.d.t if-exists"),
    ] {
        check(text, &[expected]);
    }
}

#[test]
fn every_type_has_its_name_and_its_defaults() {
    for (written, expected) in [
        ("BOOLEAN", "BOOLEAN"),
        ("tinyint", "TINYINT"),
        ("SMALLINT", "SMALLINT"),
        ("INTEGER", "INT"),
        ("BIGINT", "BIGINT"),
        ("FLOAT", "FLOAT"),
        ("DOUBLE", "DOUBLE"),
        ("DOUBLE PRECISION", "DOUBLE"),
        ("DECIMAL", "DECIMAL(10, 0)"),
        ("DEC(5)", "DECIMAL(5, 0)"),
        ("NUMERIC ( 38 , 38 )", "DECIMAL(38, 38)"),
        ("CHAR", "CHAR(1)"),
        ("CHAR(7)", "CHAR(7)"),
        ("VARCHAR", "VARCHAR(1)"),
        ("VARCHAR(2147483647)", "STRING"),
        ("STRING", "STRING"),
        ("BINARY(3)", "BINARY(3)"),
        ("VARBINARY(3)", "VARBINARY(3)"),
        ("BYTES", "BYTES"),
        ("DATE", "DATE"),
        ("TIME", "TIME(0)"),
        ("TIME(3) WITHOUT TIME ZONE", "TIME(3)"),
        ("TIMESTAMP", "TIMESTAMP(6)"),
        ("TIMESTAMP(9) WITHOUT TIME ZONE", "TIMESTAMP(9)"),
        ("TIMESTAMP WITH LOCAL TIME ZONE", "TIMESTAMP(6) WITH LOCAL TIME ZONE"),
        ("TIMESTAMP_LTZ(3)", "TIMESTAMP(3) WITH LOCAL TIME ZONE"),
        ("ARRAY<INT>", "ARRAY<INT>"),
        ("array < string not null >", "ARRAY<STRING NOT NULL>"),
        ("INT ARRAY", "ARRAY<INT>"),
        ("INT NOT NULL ARRAY NULL ARRAY", "ARRAY<ARRAY<INT NOT NULL>>"),
        ("MAP<STRING, BIGINT NOT NULL>", "MAP<STRING, BIGINT NOT NULL>"),
        ("MAP<INT, MAP<INT NULL, DATE ARRAY>>", "MAP<INT, MAP<INT, ARRAY<DATE>>>"),
        ("ROW<a INT, `b c` STRING NOT NULL>", "ROW<`a` INT, `b c` STRING NOT NULL>"),
        (
            "ROW(a INT NOT NULL 'it''s', d ROW<e TIMESTAMP(3)>)",
            "ROW<`a` INT NOT NULL 'it''s', `d` ROW<`e` TIMESTAMP(3)>>",
        ),
        ("ROW<a INT> ARRAY", "ARRAY<ROW<`a` INT>>"),
    ] {
        check(&format!("CREATE TABLE t (a {written} NOT NULL)"), &[&format!("table t (a {expected} not null)")]);
        check(
            &format!("INSERT INTO t SELECT CAST(a AS {written}) FROM s"),
            &[&format!("insert t: cast(a as {expected}) from s")],
        );
    }
}

#[test]
fn types_are_nested_32_deep_and_no_deeper() {
    let wrapped = |levels: usize| format!("CREATE TABLE t (a {}INT{})", "ARRAY<".repeat(levels), ">".repeat(levels));
    let behind = |levels: usize| format!("CREATE TABLE t (a INT{})", " ARRAY".repeat(levels));
    let mixed = |levels: usize| format!("CREATE TABLE t (a MAP<INT, INT{}>)", " ARRAY".repeat(levels - 1));
    for text in [wrapped(32), behind(32), mixed(32)] {
        parsed(&text);
    }
    for text in [wrapped(33), behind(33), mixed(33), wrapped(100_000), behind(100_000)] {
        assert!(error(&text).contains("types are nested more than 32 deep"));
    }
}

#[test]
fn spans_mark_what_was_written() {
    let text = "SET 'a' = '1';\n  INSERT INTO `t` SELECT \u{e9} + (b*2) AS c\n  FROM s WHERE NOT ok ;";
    let script = parsed(text);
    let written = |span: Span| &text[span.offset..span.end()];
    let places: Vec<_> = script.statements.iter().map(|s| (s.span.line, s.span.column, written(s.span))).collect();
    assert_eq!(places[0], (1, 1, "SET 'a' = '1'"));
    assert_eq!((places[1].0, places[1].1), (2, 3));
    assert!(places[1].2.ends_with("WHERE NOT ok"));
    let Statement::Insert(insert) = &script.statements[1].value else { panic!("no insert") };
    assert_eq!(written(insert.target.span), "`t`");
    let item = insert.select.items[0].span();
    assert_eq!((item.line, item.column, written(item)), (2, 26, "\u{e9} + (b*2) AS c"));
    assert_eq!(written(insert.select.filter.as_ref().unwrap().span), "NOT ok");
    let later = script.source.error(item, "the type does not fit").with_help("cast it");
    assert_eq!(
        later.to_string(),
        "job.sql:2:26: the type does not fit\n  2 |   INSERT INTO `t` SELECT \u{e9} + (b*2) AS c\n    |                          ^^^^^^^^^^^^^^\n  help: cast it"
    );
}
