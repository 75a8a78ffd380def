//! Files written as the table's `parquet.*` options ask: every engine reads them.

use tributary_tests::typed::sorted;
use tributary_tests::{Scratch, binary, table};

use super::installed;

/// Values drawn at random, nulls among them, in pages of a few rows.
const JOB: &str = "
CREATE CATALOG paimon WITH ('type' = 'paimon', 'warehouse' = 'warehouse');
CREATE TABLE paimon.db.paged (id STRING, raw VARBINARY(40), word STRING, n INT, tags ARRAY<STRING>) WITH (
  'parquet.page.size' = '1000', 'parquet.page.row.count.limit' = '50', 'parquet.dictionary.page.size' = '2000',
  'parquet.enable.dictionary' = 'true', 'parquet.enable.dictionary#raw' = 'false',
  'parquet.enable.dictionary#tags.list.element' = 'false', 'parquet.compression.codec.zstd.level' = '5');
CREATE TEMPORARY TABLE source (id STRING, raw VARBINARY(40), word STRING, n INT, tags ARRAY<STRING>) WITH (
  'connector' = 'datagen', 'seed' = '3', 'rows-per-second' = '1000000', 'number-of-rows' = '2000', 'fields.id.var-len' = 'true',
  'fields.raw.null-rate' = '0.2', 'fields.raw.var-len' = 'true', 'fields.word.length' = '1', 'fields.tags.element.length' = '4');
INSERT INTO paimon.db.paged SELECT id, raw, word, n, tags FROM source;
";

#[test]
fn engines_read_pages_and_dictionaries_of_the_sizes_asked_for() {
    let scratch = Scratch::new();
    let job = scratch.file("job.sql", JOB);
    let mut command = binary::command(&["run", job.to_str().unwrap()]);
    let ended = command.env("TRIBUTARY_HTTP__LISTEN", "127.0.0.1:0").output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let warehouse = scratch.warehouse();
    let ours = table::block_on(async { table::rows(&table::load(&warehouse, "db.paged").await, None).await });
    assert_eq!(ours.len(), 2_000);
    for engine in installed() {
        let theirs = engine.rows(&warehouse, "db.paged").unwrap_or_else(|error| panic!("{}: {error}", engine.name()));
        assert_eq!(sorted(theirs), sorted(ours.clone()), "{}", engine.name());
    }
}
