//! The statement language end to end: what each form writes, and what is refused at which place.

use std::collections::BTreeMap;

use super::*;

/// The catalog `m` in this warehouse and a source `s` of the numbers 1 to 10.
fn prelude(warehouse: &str) -> String {
    format!(
        "CREATE CATALOG m WITH ('type' = 'paimon', 'warehouse' = 'memory:{warehouse}');
         CREATE TEMPORARY TABLE s (id BIGINT, twice AS id * 2, word AS CAST(id AS STRING)) WITH (
           'connector' = 'datagen', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '10');
         CREATE TABLE m.db.t (a BIGINT, b STRING, c BIGINT NOT NULL, dt STRING, hh INT) PARTITIONED BY (dt, hh);\n"
    )
}

/// Every row of a table as text, columns joined by bars, sorted.
async fn lines(warehouse: &str, name: &str) -> Vec<String> {
    let table = table(warehouse, "db", name).await;
    let mut lines = Vec::new();
    for batch in rows(&table).await {
        let formatters: Vec<_> = batch
            .columns()
            .iter()
            .map(|column| arrow::util::display::ArrayFormatter::try_new(column, &Default::default()).unwrap())
            .collect();
        for row in 0..batch.num_rows() {
            let cells: Vec<_> = formatters.iter().map(|cell| cell.value(row).to_string()).collect();
            lines.push(cells.join("|"));
        }
    }
    lines.sort();
    lines
}

#[tokio::test(start_paused = true)]
async fn inserts_place_columns_and_fill_partitions() {
    for (number, (insert, expected)) in [
        (
            "INSERT INTO m.db.t (hh, c, dt) SELECT 7, id, 'x' FROM s WHERE id = 3",
            &["||3|x|7"][..],
        ),
        (
            "INSERT INTO m.db.t PARTITION (dt = '2026-11-22', hh = '5') SELECT id, word, twice FROM s WHERE id < 3",
            &["1|1|2|2026-11-22|5", "2|2|4|2026-11-22|5"],
        ),
        (
            "INSERT INTO m.db.t PARTITION (hh = 5) (c, dt, a) SELECT twice, word, id FROM s WHERE twice = 8",
            &["4||8|4|5"],
        ),
        (
            "INSERT INTO m.db.t PARTITION (dt = NULL) SELECT id, word, twice, 1 FROM s AS q WHERE q.word = '9' AND FALSE",
            &[],
        ),
        ("INSERT INTO m.db.t (a, c, b) SELECT * FROM s WHERE id = 1", &["1|1|2||"]),
        (
            "INSERT INTO m.db.t (c, a) SELECT id, twice FROM s /*+ OPTIONS('fields.id.start' = '9') */ AS q WHERE q.id > 8",
            &["18||9||", "20||10||"],
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let warehouse = format!("places{number}");
        run(&format!("{}{insert};", prelude(&warehouse))).await.unwrap_or_else(|error| panic!("{insert}: {error}"));
        assert_eq!(lines(&warehouse, "t").await, expected, "{insert}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_statement_set_fills_two_tables() {
    for (name, open) in [("set1", "EXECUTE STATEMENT SET BEGIN"), ("set2", "BEGIN STATEMENT SET;")] {
        let text = format!(
            "{}CREATE TABLE m.db.u (a BIGINT); {open}
               INSERT INTO m.db.u SELECT id FROM s;
               INSERT INTO m.db.t (a, c) SELECT id, twice FROM s WHERE id > 9;
             END;",
            prelude(name)
        );
        let handle = run(&text).await.unwrap();
        let ids: Vec<_> = handle.status().iter().map(|status| status.id.to_string()).collect();
        assert_eq!(ids, ["job.db.u.1", "job.db.t.1"]);
        assert_eq!(longs(&rows(&table(name, "db", "u").await).await, "a"), (1..=10).collect::<Vec<i64>>());
        assert_eq!(lines(name, "t").await, ["10||20||"]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_hint_of_a_sink_holds_for_its_job_only() {
    let text = format!(
        "{}INSERT INTO m.db.t /*+ OPTIONS('sink.parallelism' = '3', 'file.compression' = 'none', 'bucket' = '-1',
             'write-buffer-size' = '1 mb', 'data-file.prefix' = 'hinted-') */ (c) SELECT id FROM s;
         SET 'sink.parallelism' = '2';
         INSERT INTO m.db.t (c) SELECT id FROM s;",
        prelude("hint").replace("PARTITIONED BY (dt, hh)", "PARTITIONED BY (dt, hh) WITH ('bucket' = '-1')")
    );
    let env = env();
    let plans = plans(Mode::Run, &text, &env).await.unwrap();
    let parallelism: Vec<_> = plans.iter().map(|plan| plan.parallelism.map(std::num::NonZeroUsize::get)).collect();
    assert_eq!(parallelism, [Some(3), Some(2)]);
    let expected = [("data-file.prefix", "hinted-"), ("file.compression", "none")];
    assert_eq!(plans[0].options, expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
    assert_eq!(plans[1].options, BTreeMap::new());
    Job::new(plans, setup(&env, &Drain::new())).run().await.unwrap();
    let table = table("hint", "db", "t").await;
    assert_eq!(table.schema().options.keys().collect::<Vec<_>>(), ["bucket"]);
    let plan = plan_scan(&table, None, None, &env.executor).await.unwrap();
    let mut files: Vec<_> = plan.files.iter().map(|entry| entry.file.file_name.starts_with("hinted-")).collect();
    files.sort_unstable();
    assert_eq!(files, [false, true]);
}

#[tokio::test]
async fn tables_take_after_others() {
    let text = "CREATE CATALOG m WITH ('type' = 'paimon', 'warehouse' = 'memory:like');
        CREATE TABLE m.db.base (a INT NOT NULL COMMENT 'first', dt STRING) COMMENT 'all' PARTITIONED BY (dt)
          WITH ('write-only' = 'true', 'file.compression' = 'lz4');
        CREATE TABLE m.db.same LIKE m.db.base;
        CREATE TABLE m.db.more (b DATE) COMMENT 'more' PARTITIONED BY (b) WITH ('write-only' = 'false')
          LIKE m.db.base (EXCLUDING PARTITIONS);
        CREATE TABLE m.db.bare LIKE m.db.base (EXCLUDING ALL);
        CREATE TEMPORARY TABLE source (x AS a + 1) WITH ('connector' = 'datagen', 'number-of-rows' = '1')
          LIKE m.db.base (EXCLUDING OPTIONS);
        CREATE TEMPORARY TABLE again (x AS a + 2) WITH ('number-of-rows' = '2') LIKE source (OVERWRITING GENERATED);
        CREATE TABLE m.db.out (y INT) LIKE source (EXCLUDING OPTIONS EXCLUDING GENERATED);
        INSERT INTO m.db.out SELECT a, dt, x FROM again;";
    let plans = plans(Mode::Run, text, &env()).await.unwrap();
    assert_eq!(plans[0].source.limit(), Some(2));
    let shown = async |name: &str| {
        let table = table("like", "db", name).await;
        let schema = table.schema();
        let columns: Vec<_> = schema
            .fields
            .iter()
            .map(|field| {
                let comment = field.description.as_ref().map_or(String::new(), |comment| format!(" #{comment}"));
                format!("{} {}{comment}", field.name, field.data_type)
            })
            .collect();
        let options: Vec<_> = schema.options.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let comment = schema.comment.clone().unwrap_or_default();
        format!("{} | {} | {} | {comment}", columns.join(", "), schema.partition_keys.join(","), options.join(","))
    };
    let (columns, options) = ("a INT NOT NULL #first, dt STRING", "file.compression=lz4,write-only=true");
    assert_eq!(shown("base").await, format!("{columns} | dt | {options} | all"));
    assert_eq!(shown("same").await, format!("{columns} | dt | {options} | "));
    assert_eq!(shown("more").await, format!("{columns}, b DATE | b | file.compression=lz4,write-only=false | more"));
    assert_eq!(shown("bare").await, format!("{columns} |  |  | "));
    assert_eq!(shown("out").await, format!("{columns}, y INT | dt |  | "));
}

#[tokio::test(start_paused = true)]
async fn nested_columns_are_declared_generated_and_taken_over() {
    let text = "CREATE CATALOG m WITH ('type' = 'paimon', 'warehouse' = 'memory:nested');
        CREATE TABLE m.db.t (id INT NOT NULL, tags STRING NOT NULL ARRAY, counts MAP<STRING, BIGINT> COMMENT 'each',
          item ROW(name STRING 'its name', sizes ARRAY<ROW<w DOUBLE, h DOUBLE>>) NOT NULL);
        CREATE TABLE m.db.u (a INT) LIKE m.db.t;
        CREATE TEMPORARY TABLE s WITH ('connector' = 'datagen', 'number-of-rows' = '3', 'seed' = '1',
          'fields.id.min' = '7', 'fields.id.max' = '7', 'fields.tags.length' = '2', 'fields.tags.element.length' = '3',
          'fields.counts.length' = '1', 'fields.counts.key.length' = '4', 'fields.counts.value.null-rate' = '1',
          'fields.item.name.length' = '1', 'fields.item.sizes.null-rate' = '1') LIKE m.db.t;
        INSERT INTO m.db.t SELECT * FROM s WHERE item IS NOT NULL;
        INSERT INTO m.db.u (id, item, counts, a) SELECT id, item, NULL, id FROM s;";
    run(text).await.unwrap();
    let columns = async |name: &str| {
        let table = table("nested", "db", name).await;
        let columns: Vec<_> =
            table.schema().fields.iter().map(|field| format!("{}: {}", field.id, field.data_type)).collect();
        columns
    };
    let declared = [
        "0: INT NOT NULL",
        "1: ARRAY<STRING NOT NULL>",
        "2: MAP<STRING, BIGINT>",
        "3: ROW<`name` STRING COMMENT 'its name', `sizes` ARRAY<ROW<`w` DOUBLE, `h` DOUBLE>>> NOT NULL",
    ];
    assert_eq!(columns("t").await, declared);
    assert_eq!(columns("u").await[..4], declared);
    assert_eq!(columns("u").await[4], "8: INT");
    let rows = [
        "7|[2ec, 99b]|{34d0: }|{name: 8, sizes: }",
        "7|[397, 31a]|{1c9a: }|{name: 2, sizes: }",
        "7|[cfc, f43]|{3bff: }|{name: b, sizes: }",
    ];
    assert_eq!(lines("nested", "t").await, rows);
    let rows = ["7|||{name: 2, sizes: }|7", "7|||{name: 8, sizes: }|7", "7|||{name: b, sizes: }|7"];
    assert_eq!(lines("nested", "u").await, rows);
}

#[tokio::test]
async fn temporary_tables_are_dropped_and_made_again() {
    let text = format!(
        "{}DROP TEMPORARY TABLE IF EXISTS nothing;
         DROP TEMPORARY TABLE s;
         CREATE TEMPORARY TABLE s (`from` BIGINT /* a reserved word */) WITH ('connector' = 'datagen'); -- anew
         INSERT INTO m.db.t (c) SELECT `from` FROM s;",
        prelude("drop")
    );
    assert_eq!(plans(Mode::Check, &text, &env()).await.unwrap().len(), 1);
}

async fn apply(files: &[(&str, &str)]) -> Result<Vec<PipelinePlan>, JobError> {
    let mut session = Session::new(Mode::Run, defaults(), env());
    for (path, text) in files {
        let script = tributary_statement::parse(path, text, &|_| Err("not set".into()))?;
        session.apply(&script, Path::new(path)).await?;
    }
    session.into_plans()
}

#[tokio::test]
async fn several_files_run_together_and_none_changes_the_identity_of_anothers_pipelines() {
    let catalog = "CREATE CATALOG m WITH ('type' = 'paimon', 'warehouse' = 'memory:files');";
    let source = "CREATE TEMPORARY TABLE s (id BIGINT) WITH ('connector' = 'datagen');";
    let target = "CREATE TABLE IF NOT EXISTS m.db.t (a BIGINT);";
    let insert = "INSERT INTO m.db.t SELECT id FROM s;";
    let whole = format!("{catalog}{source}{target}{insert}{insert}");
    let second = format!("{catalog}{target}\n{insert}");
    let ids = |plans: Vec<PipelinePlan>| plans.iter().map(|plan| plan.id().to_string()).collect::<Vec<_>>();
    let plans = apply(&[("/x/a.sql", &whole), ("/x/b.sql", &second)]).await.unwrap();
    assert_eq!(ids(plans), ["a.db.t.1", "a.db.t.2", "b.db.t.1"]);
    let named = format!("SET 'pipeline.name' = 'other';{insert}");
    let plans = apply(&[("/x/a.sql", &whole), ("/y/a.sql", &named)]).await.unwrap();
    assert_eq!(ids(plans), ["a.db.t.1", "a.db.t.2", "other.db.t.1"]);

    for (files, message, help) in [
        (
            [("/x/a.sql", whole.as_str()), ("/y/a.sql", second.as_str())],
            "/y/a.sql:2:13: another file fills db.t as pipeline `a` already, at /x/a.sql:1:",
            "SET 'pipeline.name' to another name before this INSERT",
        ),
        (
            [("/x/a.sql", whole.as_str()), ("/x/b.sql", source)],
            "/x/b.sql:1:24: there is a temporary table s already",
            "DROP TEMPORARY TABLE before it",
        ),
        (
            [
                ("/x/a.sql", whole.as_str()),
                ("/x/b.sql", "CREATE CATALOG m WITH ('type' = 'paimon', 'warehouse' = 'memory:another');"),
            ],
            "/x/b.sql:1:16: there is a catalog `m` already",
            "write IF NOT EXISTS to keep it",
        ),
    ] {
        let error = apply(&files).await.err().unwrap().to_string();
        assert!(error.starts_with(message) && error.contains(help), "{error}");
    }
}

#[tokio::test]
async fn the_existing_table_wins_and_what_does_not_fit_it_is_refused() {
    let text = prelude("exists");
    let again = "CREATE TABLE IF NOT EXISTS m.db.t (a STRING, extra INT) WITH ('write-only' = 'true');\n";
    for mode in [Mode::Run, Mode::Check] {
        if mode == Mode::Run {
            let fits = format!("{text}{again}INSERT INTO m.db.t (a, c) SELECT id, id FROM s;");
            assert_eq!(plans(mode, &fits, &env()).await.unwrap()[0].schema().fields.len(), 5);
        }
        let text = text.replace("CREATE TABLE m.db.t", "CREATE TABLE IF NOT EXISTS m.db.t");
        let misfit = format!("{text}{again}INSERT INTO m.db.t SELECT word, 1 FROM s;");
        let error = plans(mode, &misfit, &env()).await.err().unwrap().to_string();
        assert!(error.starts_with("job.sql:6:27: the SELECT gives 2 columns, `db.t` has 5"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_whose_reply_is_lost_is_carried_out_once() {
    let text = "CREATE DATABASE m.other;
        CREATE TABLE m.db.t (id BIGINT);
        CREATE TEMPORARY TABLE s (id BIGINT) WITH ('connector' = 'datagen');
        BEGIN STATEMENT SET; INSERT INTO m.db.t SELECT id FROM s; INSERT INTO m.db.t SELECT id FROM s; END;";
    let script = tributary_statement::parse("job.sql", text, &|_| Err("not set".into())).unwrap();
    let mut calls = 0;
    for (call, fault) in (1..40).flat_map(|call| [(call, Fault::ErrorBefore), (call, Fault::ErrorAfter)]) {
        let bench = Bench::new();
        let store = FaultStore::new(bench.inner.clone());
        let start = |store: &FaultStore| {
            let mut session = Session::new(Mode::Run, defaults(), env());
            session.add_catalog("m", bench.catalog(Arc::new(store.clone())), "default");
            session
        };
        store.set_plan(move |seen| if seen.number == call { fault } else { Fault::None });
        let mut session = start(&store);
        session.apply(&script, Path::new("job.sql")).await.unwrap_or_else(|error| panic!("{call} {fault:?}: {error}"));
        calls = store.call_count();
        assert_eq!(session.into_plans().unwrap().len(), 2, "{call}");
        // Another start meets what is there.
        store.set_plan(|_| Fault::None);
        let error = start(&store).apply(&script, Path::new("job.sql")).await.unwrap_err();
        assert!(error.to_string().contains("database `other` exists already"), "{error}");
    }
    assert!((10..40).contains(&calls), "{calls} calls: every one of them was to fail once");
}

#[tokio::test]
async fn secrets_are_in_no_error() {
    let catalog = "CREATE CATALOG m WITH ('type' = 'paimon', 'warehouse' = 'memory:secrets');\n";
    let source = "CREATE TEMPORARY TABLE s (id BIGINT) WITH ('connector' = 'datagen');\n";
    let target = "CREATE TABLE IF NOT EXISTS m.db.t (a BIGINT);\n";
    let secret = "'${file:secret}'";
    for statement in [
        "CREATE CATALOG c WITH ('type' = SECRET, 'warehouse' = 'x');",
        "CREATE CATALOG c WITH ('type' = 'paimon', 'warehouse' = 'x', 'metastore' = SECRET);",
        "CREATE CATALOG c WITH ('type' = 'paimon', 'token' = 'hunter2');",
        "CREATE CATALOG c WITH ('type' = 'paimon', 'pasword' = SECRET);",
        "SET 'execution.checkpointing.interval' = SECRET;",
        "SET 'table.local-time-zone' = SECRET;",
        "SET 'sink.parallelism' = SECRET;",
        "SET 'table.exec.sink.not-null-enforcer' = SECRET;",
        "SET 'pasword' = SECRET;",
        "CREATE TABLE m.db.u (a INT) WITH ('target-file-size' = SECRET);",
        "CREATE TABLE m.db.u (a INT) WITH ('file.compression' = SECRET);",
        "CREATE TABLE m.db.u (a INT) WITH ('commit.timeout' = SECRET);",
        "CREATE TABLE m.db.u (a INT) WITH ('bucket' = SECRET);",
        "CREATE TABLE m.db.u (a INT) WITH ('changelog-producer' = SECRET);",
        "CREATE TABLE m.db.u (a INT) WITH ('password' = 'hunter2');",
        "CREATE DATABASE m.d WITH ('password' = 'hunter2');",
        "CREATE TEMPORARY TABLE u (a INT) WITH ('connector' = SECRET);",
        "CREATE TEMPORARY TABLE u (a INT) WITH ('connector' = 'datagen', 'rows-per-second' = SECRET);",
        "CREATE TEMPORARY TABLE u (a INT) WITH ('connector' = 'datagen', 'fields.a.kind' = SECRET);",
        "CREATE TEMPORARY TABLE u (a INT) WITH ('connector' = 'datagen', 'fields.a.min' = SECRET);",
        "CREATE TEMPORARY TABLE u (a INT) WITH ('connector' = 'datagen', 'password' = 'hunter2');",
        "INSERT INTO m.db.t /*+ OPTIONS('sink.parallelism' = SECRET) */ SELECT id FROM s;",
        "INSERT INTO m.db.t /*+ OPTIONS('target-file-size' = SECRET) */ SELECT id FROM s;",
        "INSERT INTO m.db.t /*+ OPTIONS('bucket' = SECRET) */ SELECT id FROM s;",
        "INSERT INTO m.db.t /*+ OPTIONS('token' = 'hunter2') */ SELECT id FROM s;",
        "INSERT INTO m.db.t SELECT id FROM s /*+ OPTIONS('rows-per-second' = SECRET) */;",
        "INSERT INTO m.db.t SELECT id FROM s /*+ OPTIONS('connector' = SECRET) */;",
    ] {
        let text = format!("{catalog}{source}{target}{}", statement.replace("SECRET", secret));
        let script = tributary_statement::parse("job.sql", &text, &|_| Ok("hunter2".into())).unwrap();
        let mut session = Session::new(Mode::Run, defaults(), env());
        let error = session.apply(&script, Path::new("/jobs/job.sql")).await.expect_err(statement);
        let mut shown = format!("{error} {error:?}");
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            shown.push_str(&format!("\n{error} {error:?}"));
            cause = error.source();
        }
        assert!(!shown.contains("hunter2"), "{statement}\n{shown}");
        assert!(shown.contains("job.sql:4:"), "{statement}\n{shown}");
    }
}

#[tokio::test]
async fn what_cannot_be_followed_is_refused_at_its_place() {
    let prelude = prelude("misplaced").replace("CREATE TABLE m.db.t", "CREATE TABLE IF NOT EXISTS m.db.t");
    let first = prelude.matches('\n').count() + 1;
    for (text, column, message, help) in [
        ("INSERT INTO m.db.t (c, bb) SELECT id, 'x' FROM s", 24, "`db.t` has no column `bb`", "did you mean"),
        (
            "INSERT INTO m.db.t (a, b) SELECT id, 'x' FROM s",
            20,
            "column `c` of `db.t` is NOT NULL and gets no value",
            "name it in the column list",
        ),
        (
            "INSERT INTO m.db.t (a, c) SELECT id FROM s",
            34,
            "the SELECT gives 1 columns, the INSERT into `db.t` wants 2",
            "columns map by position to `a`, `c`",
        ),
        (
            "INSERT INTO m.db.t (c, a) SELECT id, 'x' FROM s",
            38,
            "column `a` of `db.t` is BIGINT, the expression is CHAR(1)",
            "",
        ),
        (
            "INSERT INTO m.db.t PARTITION (ht = 1) SELECT id, 'x', id, 'y' FROM s",
            31,
            "`ht` is no partition column of `db.t`",
            "did you mean `dt`?",
        ),
        (
            "INSERT INTO m.db.t PARTITION (word = 1) SELECT id FROM s",
            31,
            "`word` is no partition column of `db.t`",
            "it is partitioned by `dt`, `hh`",
        ),
        (
            "INSERT INTO m.db.t PARTITION (hh = 'noon') SELECT id, 'x', id, 'y' FROM s",
            36,
            "partition column `hh` is INT: ",
            "",
        ),
        (
            "INSERT INTO m.db.t PARTITION (hh = DATE '2026-11-22') SELECT id, 'x', id, 'y' FROM s",
            36,
            "partition column `hh` is INT, the literal is DATE",
            "",
        ),
        (
            "INSERT INTO m.db.t /*+ OPTIONS('sink.paralelism' = '2') */ (c) SELECT id FROM s",
            32,
            "there is no table option `sink.paralelism`",
            "did you mean 'sink.parallelism'?",
        ),
        (
            "INSERT INTO m.db.t /*+ OPTIONS('target-file-sise' = '2') */ (c) SELECT id FROM s",
            32,
            "there is no table option `target-file-sise`",
            "did you mean 'target-file-size'?",
        ),
        (
            "INSERT INTO m.db.t /*+ OPTIONS('target-file-size' = 'big') */ (c) SELECT id FROM s",
            53,
            "option `target-file-size` cannot be `big`",
            "",
        ),
        (
            "INSERT INTO m.db.t /*+ OPTIONS('bucket' = '4') */ (c) SELECT id FROM s",
            32,
            "option `bucket` belongs to m.db.t: it cannot differ for one job",
            "CREATE TABLE",
        ),
        (
            "INSERT INTO m.db.t (c) SELECT id FROM s /*+ OPTIONS('rows-per-secnd' = '2') */",
            53,
            "option `rows-per-secnd`",
            "did you mean 'rows-per-second'?",
        ),
        (
            "INSERT INTO m.db.t (c) SELECT id FROM s /*+ OPTIONS('connector' = 'datagen') */",
            53,
            "a hint cannot change the connector",
            "",
        ),
        (
            "CREATE TEMPORARY TABLE x (a INT, b AS aa + 1) WITH ('connector' = 'datagen')",
            39,
            "unknown column `aa` in `x`",
            "did you mean `a`?",
        ),
        (
            "CREATE TEMPORARY TABLE x (a INT, b AS a + 1, c AS b + 1) WITH ('connector' = 'datagen')",
            51,
            "unknown column `b` in `x`",
            "",
        ),
        (
            "CREATE TEMPORARY TABLE x (a INT, b AS a + 1) WITH ('connector' = 'datagen', 'fields.b.min' = '1')",
            77,
            "option `fields.b.min`",
            "",
        ),
        ("CREATE TABLE m.db.x (a INT, b AS a + 1)", 29, "`b` is computed: only temporary tables have that", "SELECT"),
        ("CREATE TABLE m.db.x LIKE s", 26, "a table of a catalog has no `connector`", "EXCLUDING OPTIONS"),
        (
            "CREATE TABLE m.db.x LIKE s (EXCLUDING OPTIONS)",
            26,
            "`twice` is computed: only temporary tables have that",
            "EXCLUDING GENERATED",
        ),
        ("CREATE TABLE m.db.x (a INT) LIKE m.db.t", 22, "m.db.t has a column `a` already", "leave it out"),
        ("CREATE TABLE m.db.x PARTITIONED BY (a) LIKE m.db.t", 37, "m.db.t has its own partitioning", "EXCLUDING"),
        (
            "CREATE TABLE m.db.x PARTITIONED BY (aa) LIKE m.db.t (EXCLUDING PARTITIONS)",
            37,
            "the table has no column `aa` to partition by",
            "",
        ),
        (
            "CREATE TEMPORARY TABLE x WITH ('number-of-rows' = '1', 'connector' = 'datagen') LIKE s (INCLUDING OPTIONS)",
            56,
            "s has an option `connector` already",
            "OVERWRITING OPTIONS",
        ),
        ("CREATE TABLE m.db.x LIKE m.db.tt", 26, "table db.tt does not exist", ""),
        ("CREATE TEMPORARY TABLE x LIKE ss", 31, "there is no table ss", "did you mean `s`?"),
        ("CREATE TEMPORARY TABLE x LIKE m.db.t", 24, "temporary table x has no 'connector'", ""),
        (
            "CREATE TABLE m.db.x (a INT, b ROW<c ARRAY<INT>>) PARTITIONED BY (b)",
            14,
            "table db.x cannot be created: unsupported table feature: partition column `b`",
            "",
        ),
        (
            "CREATE TEMPORARY TABLE x (a ARRAY<INT>) WITH ('connector' = 'datagen', 'fields.a.elment.min' = '1')",
            72,
            "option `fields.a.elment.min`",
            "did you mean 'fields.a.element.min'?",
        ),
        (
            "INSERT INTO m.db.t (c) SELECT CAST(id AS ARRAY<INT>) FROM s",
            31,
            "there is no cast from BIGINT to ARRAY<INT>",
            "",
        ),
        ("DROP TEMPORARY TABLE nothing", 22, "there is no temporary table nothing", "write IF EXISTS"),
        ("DROP TEMPORARY TABLE ss", 22, "there is no temporary table ss", "did you mean `s`?"),
    ] {
        let whole = format!("{prelude}{text};");
        let error = match plans(Mode::Run, &whole, &env()).await {
            Ok(_) => panic!("{text} was accepted"),
            Err(error) => error,
        };
        assert_eq!(error.kind(), FailureKind::Usage, "{error}");
        let shown = error.to_string();
        assert!(shown.starts_with(&format!("job.sql:{first}:{column}: {message}")), "{text}\n{shown}");
        assert!(shown.contains(help), "{text}\n{shown}");
    }
}
