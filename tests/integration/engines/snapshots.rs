//! Every snapshot that a job committed is read by every engine: the rows it had, and no others.

use paimon_format::SnapshotId;
use serde_json::{Value, json};
use tributary_tests::engine::rows_of;
use tributary_tests::typed::sorted;
use tributary_tests::{Scratch, binary, table};

use super::installed;

/// Null and '' are two partitions in one folder, which has the default partition's name.
const JOB: &str = "
SET 'execution.checkpointing.interval' = '100 ms';
CREATE CATALOG paimon WITH ('type' = 'paimon', 'warehouse' = 'warehouse');
CREATE TABLE paimon.db.t (id STRING, amount DECIMAL(20, 3), at TIMESTAMP(6), place STRING, hh INT)
  PARTITIONED BY (place, hh) WITH ('partition.default-name' = 'nowhere');
CREATE TEMPORARY TABLE source (id STRING, n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '60',
  'number-of-rows' = '30', 'fields.n.kind' = 'sequence', 'fields.n.start' = '0', 'fields.n.end' = '29');
INSERT INTO paimon.db.t SELECT NULLIF(id, ''), CAST(n AS DECIMAL(20, 3)) / 8, LOCALTIMESTAMP,
  CASE MOD(n, 4) WHEN 0 THEN 'a place' WHEN 1 THEN '' WHEN 2 THEN ' ' END, NULLIF(MOD(n, 3), 2) FROM source;
";

#[test]
fn engines_read_every_snapshot_of_a_job() {
    let scratch = Scratch::new();
    let job = scratch.file("job.sql", JOB);
    binary::succeed(&["run", job.to_str().unwrap()]);
    let warehouse = scratch.warehouse();
    let shown = |verb: &str, more: &[&str]| {
        let arguments = ["table", verb, "db.t", "--warehouse", &warehouse, "--format", "csv"];
        binary::succeed(&[&arguments, more].concat())
    };
    let snapshots: Vec<i64> =
        shown("snapshots", &[]).lines().skip(1).map(|line| line.split(',').next().unwrap().parse().unwrap()).collect();
    assert!(snapshots.len() > 1, "{snapshots:?}");
    for snapshot in snapshots {
        let id = snapshot.to_string();
        let ours = table::block_on(async {
            let table = table::load(&warehouse, "db.t").await;
            let found = table.snapshot(SnapshotId(snapshot)).await.unwrap().unwrap();
            table::rows_at(&table, found).await
        });
        let ours = sorted(ours);
        let counted = shown("count", &["--snapshot", &id]);
        assert_eq!(counted.lines().last().unwrap().parse(), Ok(ours.len()), "snapshot {id}");
        for engine in installed() {
            let request = json!({"op": "rows", "warehouse": warehouse, "table": "db.t", "snapshot": snapshot});
            assert_eq!(sorted(rows_of(&engine.ask(request))), ours, "{} reads snapshot {id}", engine.name());
        }
        if ours.len() == 30 {
            let places = |place: Value| ours.iter().filter(|row| row[3] == place).count();
            assert_eq!([json!("a place"), json!(""), json!(" "), Value::Null].map(places), [8, 8, 7, 7]);
        }
    }
}
