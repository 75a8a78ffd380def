-- The tutorial's job through the catalog. Its tables lie in a bucket, whose keys are in the environment ([storage]).
CREATE CATALOG paimon WITH ('type' = 'paimon', 'metastore' = 'rest', 'uri' = '${CATALOG_URI}', 'warehouse' = 'lake',
  'token.provider' = 'bear', 'token' = '${CATALOG_TOKEN}');

CREATE TABLE IF NOT EXISTS `paimon`.`test_paimon_db`.`test_append_tbl` (id STRING, data STRING, category INT, ts STRING, dt STRING, hh STRING)
  PARTITIONED BY (dt, hh) WITH ('write-only' = 'true');

CREATE TEMPORARY TABLE datagen (id STRING, data STRING, category INT) WITH ('connector' = 'datagen', 'rows-per-second' = '100',
  'fields.category.kind' = 'random', 'fields.category.min' = '1', 'fields.category.max' = '10');

INSERT INTO `paimon`.`test_paimon_db`.`test_append_tbl` SELECT id, data, category, CAST(LOCALTIMESTAMP AS STRING) AS ts,
  CAST(CURRENT_DATE AS STRING) AS dt, CAST(HOUR(LOCALTIMESTAMP) AS STRING) AS hh FROM datagen;
