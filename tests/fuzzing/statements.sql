SET 'pipeline.name' = 'clicks'; SET 'execution.checkpointing.interval' = '30 s'; RESET 'pipeline.name'; RESET;

CREATE CATALOG lake WITH ('type' = 'paimon', 'warehouse' = '${V}', 'fs.s3.secret-key' = 's3cr3t'); -- a comment
USE CATALOG lake;

CREATE DATABASE IF NOT EXISTS lake.web COMMENT 'it''s ours' WITH ('k' = 'v'); USE web;

CREATE TABLE IF NOT EXISTS lake.`web`.clicks (
  id BIGINT NOT NULL COMMENT 'key', page STRING, price DECIMAL(10, 2), at TIMESTAMP(3), z TIMESTAMP_LTZ(3),
  tags ARRAY<STRING>, props MAP<STRING, ARRAY<INT>>, place ROW<lat DOUBLE, lon DOUBLE NOT NULL>, dt STRING
) COMMENT 'clicks' PARTITIONED BY (dt) WITH ('bucket' = '-1', 'file.format' = 'parquet');

CREATE TEMPORARY TABLE gen (id BIGINT, page VARCHAR(20), c AS UPPER(page) || '!', n AS id * 2) WITH (
  'connector' = 'datagen', 'rows-per-second' = '500', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1');

CREATE TABLE copy LIKE lake.web.clicks (EXCLUDING OPTIONS INCLUDING PARTITIONS); DROP TEMPORARY TABLE IF EXISTS gen;

INSERT INTO lake.web.clicks /*+ OPTIONS('sink.parallelism' = '2') */ PARTITION (dt = '2026-01-31') (id, page)
SELECT id, CASE WHEN id BETWEEN 1 AND 5 OR page IN ('a', 'b') THEN LOWER(page) ELSE NULLIF(page, '') END AS p
FROM gen /*+ OPTIONS('number-of-rows' = '5') */ AS g WHERE NOT (id > 10 AND page LIKE 'a%' ESCAPE '\') AND g.id IS NOT NULL;

INSERT INTO t SELECT CAST(CURRENT_DATE AS STRING), TRY_CAST('1.5' AS DOUBLE), EXTRACT(HOUR FROM ts), DATE '2026-01-31',
  TIMESTAMP '2026-01-31 09:00:00', -1.5e3 + id % 2, IF(a, b, c), TRIM(BOTH ' ' FROM s),
  SUBSTRING(s FROM 1 FOR 2), arr[1], JSON_VALUE(s, '$.a'), TRUE AND (FALSE OR NULL) FROM gen;

INSERT INTO t SELECT m['k'][2].f, ARRAY[MAP['k', (a, b)], c], CAST(ROW(a) AS ROW(f INT NOT NULL ARRAY 'text')).f[1],
  CAST(NULL AS ARRAY<ROW<a INT, b MAP<STRING, INT>>>), g.place.lat, SPLIT_INDEX(s, ',', 0) FROM gen AS g;

EXECUTE STATEMENT SET BEGIN
  INSERT INTO a SELECT * FROM gen;
  INSERT INTO b SELECT g.* FROM gen AS g;
END;

BEGIN STATEMENT SET; INSERT INTO a SELECT id FROM gen; END;
