//! kill -9 of the real binary, in a loop: the ids in the table are those the source should have produced.

use std::time::Duration;

use tributary_source::datagen::{FieldType, MAX_LENGTH};
use tributary_tests::daemon::Daemon;
use tributary_tests::{Scratch, binary, datagen, pypaimon};

const TABLE: &str = "db.killed";

const JOB: &str = "
SET 'execution.checkpointing.interval' = '50 ms';
CREATE CATALOG paimon WITH ('type' = 'paimon', 'warehouse' = 'warehouse');
CREATE TABLE IF NOT EXISTS paimon.db.killed (id STRING, n BIGINT, part INT) PARTITIONED BY (part);
CREATE TEMPORARY TABLE source (id STRING, n BIGINT, part INT) WITH ('connector' = 'datagen', 'rows-per-second' = '20000',
  'seed' = '42', 'splits' = '3', 'fields.id.length' = '16', 'fields.part.min' = '1', 'fields.part.max' = '3');
INSERT INTO paimon.db.killed SELECT id, n, part FROM source;
";

/// The job's source again, for the pure row function.
const COLUMNS: &[(&str, FieldType)] =
    &[("id", FieldType::Varchar(MAX_LENGTH)), ("n", FieldType::BigInt), ("part", FieldType::Int)];
const OPTIONS: &[(&str, &str)] = &[("fields.id.length", "16"), ("fields.part.min", "1"), ("fields.part.max", "3")];

/// How often the process is killed: 40 in CI, more by `TRIBUTARY_KILL_CYCLES=1000 cargo test -p tributary-tests kill`.
fn cycles() -> u32 {
    std::env::var("TRIBUTARY_KILL_CYCLES").map_or(40, |text| text.parse().expect("TRIBUTARY_KILL_CYCLES is a number"))
}

#[test]
fn no_row_is_lost_or_doubled() {
    let scratch = Scratch::new();
    let job = scratch.file("killed.sql", JOB);
    for cycle in 0..cycles() {
        let mut daemon = Daemon::start(&job, &[]);
        if cycle % 4 == 0 {
            // Far enough that every few cycles make progress; the other kills fall anywhere, start-up included.
            daemon.wait_for_rows(1);
        }
        // Spread evenly over what one start does in its first third of a second, without a random number.
        std::thread::sleep(Duration::from_millis(u64::from(cycle * 37 % 300)));
        daemon.signal("KILL");
        daemon.end();
    }
    let mut last = Daemon::start(&job, &[]);
    last.wait_for_rows(1);
    last.stop();

    let warehouse = scratch.path("warehouse");
    let warehouse = warehouse.to_str().unwrap();
    let expected = expected_ids(warehouse);
    assert_eq!(binary::count(warehouse, TABLE), expected.len() as u64, "rows counted, rows of the committed positions");
    if pypaimon::available() {
        datagen::assert_same_ids(&expected, pypaimon::texts(warehouse, TABLE, "id"));
    }
}

/// What the source should have produced up to the positions of the newest snapshot.
fn expected_ids(warehouse: &str) -> Vec<String> {
    let snapshots = std::path::Path::new(warehouse).join("db.db/killed/snapshot");
    let latest = std::fs::read_to_string(snapshots.join("LATEST")).unwrap();
    let snapshot = std::fs::read(snapshots.join(format!("snapshot-{}", latest.trim()))).unwrap();
    datagen::committed_ids(&snapshot, COLUMNS, OPTIONS, 42, 3)
}
