-- Fills an append table with 100 random rows a second, until it is told to stop.
--
--   tributary run config/tutorial.sql
--   tributary table count test_paimon_db.test_append_tbl --warehouse config/warehouse

-- A relative warehouse is a folder beside this file.
CREATE CATALOG paimon WITH ('type' = 'paimon', 'warehouse' = 'warehouse');

-- The database is created with the table.
CREATE TABLE IF NOT EXISTS `paimon`.`test_paimon_db`.`test_append_tbl` (id STRING, data STRING, category INT, ts STRING, dt STRING, hh STRING)
  PARTITIONED BY (dt, hh) WITH ('write-only' = 'true');

CREATE TEMPORARY TABLE datagen (id STRING, data STRING, category INT) WITH ('connector' = 'datagen', 'rows-per-second' = '100',
  'fields.category.kind' = 'random', 'fields.category.min' = '1', 'fields.category.max' = '10');

INSERT INTO `paimon`.`test_paimon_db`.`test_append_tbl` SELECT id, data, category, CAST(LOCALTIMESTAMP AS STRING) AS ts,
  CAST(CURRENT_DATE AS STRING) AS dt, CAST(HOUR(LOCALTIMESTAMP) AS STRING) AS hh FROM datagen;
