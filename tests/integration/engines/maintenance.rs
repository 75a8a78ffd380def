//! Expiry, orphan sweep and tags on tables that other engines write, compact, tag and expire, too.

use std::process::Command;

use serde_json::{Value, json};
use tributary_tests::engine::rows_of;
use tributary_tests::flink::FLINK;
use tributary_tests::pypaimon::PYPAIMON;
use tributary_tests::spark::SPARK;
use tributary_tests::typed::sorted;
use tributary_tests::{Scratch, binary, table};

struct Kept {
    scratch: Scratch,
    /// What was appended so far.
    rows: Vec<Vec<Value>>,
}

impl Kept {
    fn new() -> Self {
        let scratch = Scratch::new();
        let columns = [("n", "BIGINT"), ("text", "STRING"), ("part", "INT")];
        table::block_on(table::create(&scratch.warehouse(), "db.kept", &columns, &["part"]));
        Self { scratch, rows: Vec::new() }
    }

    /// Appends in several commits, then has Spark rewrite the files.
    fn append_and_compact(&mut self) {
        for _ in 0..3 {
            let turn = self.rows.len() as i64;
            let rows: Vec<_> =
                (0..4).map(|n| vec![json!(turn + n), json!(format!("turn {turn}")), json!(n % 2)]).collect();
            table::block_on(async {
                table::append(&table::load(&self.scratch.warehouse(), "db.kept").await, turn + 1, &rows).await;
            });
            self.rows.extend(rows);
        }
        // One that sorts overwrites the partitions, so that nothing is left as it was.
        self.call("compact(table => 'db.kept', order_strategy => 'order', order_by => 'n')");
    }

    fn call(&self, procedure: &str) -> Value {
        SPARK.ask(json!({"op": "call", "warehouse": self.scratch.warehouse(), "procedure": procedure}))
    }

    fn ours(&self, verb: &str, more: &[&str]) -> Vec<Value> {
        let warehouse = self.scratch.warehouse();
        let arguments = ["table", verb, "db.kept", "--warehouse", &warehouse, "--format", "json"];
        let said = binary::succeed(&[&arguments, more].concat());
        said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Everything that nothing refers to, whatever its age.
    fn sweep(&self) -> Vec<String> {
        let now = Command::new("date").arg("+%F %T.%3N").output().unwrap().stdout;
        let now = String::from_utf8(now).unwrap();
        let more = ["--dry-run=false", "--older-than", now.trim()];
        self.ours("remove-orphan-files", &more)
            .iter()
            .map(|row| row["file_path"].as_str().unwrap().to_owned())
            .collect()
    }

    fn expire_all_but_the_newest(&self) -> Value {
        self.ours("expire-snapshots", &["--retain-max", "1", "--retain-min", "1"]).remove(0)
    }

    /// The table is read, and what each of these tags keeps. Not by pypaimon, which fails on any manifest of Spark 0.9:
    /// `KeyError: '_VALUE_STATS_COLS'`.
    fn check(&self, tags: &[(&str, usize)]) {
        for engine in [&SPARK, &FLINK] {
            let name = engine.name();
            let request = json!({"op": "rows", "warehouse": self.scratch.warehouse(), "table": "db.kept"});
            assert_eq!(sorted(rows_of(&engine.ask(request.clone()))), sorted(self.rows.clone()), "{name}");
            for (tag, rows) in tags {
                let mut request = request.clone();
                request["tag"] = json!(tag);
                let expected = self.rows[..*rows].to_vec();
                assert_eq!(sorted(rows_of(&engine.ask(request))), sorted(expected), "{name} reads the tag {tag}");
            }
        }
    }
}

#[test]
fn what_engines_read_is_kept_and_nothing_else_is_left() {
    if ![&SPARK, &FLINK, &PYPAIMON].iter().all(|engine| engine.available()) {
        return;
    }
    let mut kept = Kept::new();
    kept.append_and_compact();
    assert_eq!(kept.ours("create-tag", &["--tag", "ours", "--snapshot", "2"])[0]["snapshot_id"], 2);
    kept.ours("create-tag", &["--tag", "timed", "--time-retained", "30 d"]);
    let theirs = json!({"op": "tag", "warehouse": kept.scratch.warehouse(), "table": "db.kept", "tag": "theirs"});
    PYPAIMON.ask(theirs);
    kept.append_and_compact();

    let expired = kept.expire_all_but_the_newest();
    assert_eq!((&expired["expired_snapshots"], &expired["earliest_snapshot"]), (&json!(7), &json!(8)), "{expired}");
    let tags = [("ours", 8), ("timed", 12), ("theirs", 12)];
    kept.check(&tags);
    assert_eq!(kept.sweep(), [""; 0]);
    kept.scratch.file("warehouse/db.db/kept/part=0/bucket-0/data-lost.parquet", "");
    assert_eq!(kept.sweep(), ["part=0/bucket-0/data-lost.parquet"]);
    kept.check(&tags);

    // Spark lets go of one tag, we of the others.
    kept.call("delete_tag(table => 'db.kept', tag => 'timed')");
    kept.ours("delete-tag", &["--tag", "theirs"]);
    let freed = kept.ours("delete-tag", &["--tag", "ours"]).remove(0);
    assert!(freed["deleted_data_files"].as_u64() > Some(0), "{freed}");
    assert_eq!(kept.sweep(), [""; 0]);
    kept.check(&[]);

    // A table that Spark expires: nothing of it is an orphan that is needed.
    kept.append_and_compact();
    kept.call("expire_snapshots(table => 'db.kept', retain_max => 2, retain_min => 1)");
    kept.sweep();
    kept.check(&[]);
    kept.append_and_compact();
    kept.expire_all_but_the_newest();
    assert_eq!(kept.sweep(), [""; 0]);
    kept.check(&[]);
}

/// F25: rows that come after their partition expired make it anew, and the next expiry takes them like the first.
#[test]
fn rows_for_a_partition_that_expired_are_committed_and_read() {
    if ![&SPARK, &FLINK].iter().all(|engine| engine.available()) {
        return;
    }
    let scratch = Scratch::new();
    let warehouse = scratch.warehouse();
    table::block_on(table::create(&warehouse, "db.late", &[("n", "BIGINT"), ("dt", "STRING")], &["dt"]));
    let append = |turn: i64| {
        let rows = [vec![json!(turn), json!("2026-01-01")], vec![json!(turn), json!("2999-01-01")]];
        table::block_on(async {
            table::append(&table::load(&warehouse, "db.late").await, turn, &rows).await;
        });
        rows
    };
    let mut kept = Vec::new();
    for turn in 1..=2 {
        let [late, live] = append(turn);
        kept.push(live);
        let check = |expected: Vec<Vec<Value>>| {
            for engine in [&SPARK, &FLINK] {
                let request = json!({"op": "rows", "warehouse": warehouse, "table": "db.late"});
                assert_eq!(sorted(rows_of(&engine.ask(request))), sorted(expected.clone()), "{} {turn}", engine.name());
            }
        };
        check([kept.as_slice(), &[late]].concat());
        let procedure =
            "expire_partitions(table => 'db.late', expiration_time => '1 d', timestamp_formatter => 'yyyy-MM-dd')";
        SPARK.ask(json!({"op": "call", "warehouse": warehouse, "procedure": procedure}));
        check(kept.clone());
    }
}
