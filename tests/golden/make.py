"""Makes the golden tables again, each with the engine whose name is given; see README.md.

    ~/.cache/tributary/engines/ENGINE/bin/python tests/golden/make.py ENGINE

Every table lives through the same changes, written in the engine's own words. Beside its warehouse lies expected.json:
what the engine itself read from the table, in the canonical form of tests/engines/pypaimon_server.py.
"""

import json
import shutil
import sys
from pathlib import Path

GOLDEN = Path(__file__).resolve().parent
sys.path.insert(0, str(GOLDEN.parent / "engines"))

ENGINE = sys.argv[1]
FOLDER = GOLDEN / {"pypaimon": "pypaimon-2.1", "spark": "paimon-0.9", "flink": "paimon-1.3"}[ENGINE]
WAREHOUSE = str(FOLDER / "warehouse")
TABLE = {"warehouse": WAREHOUSE, "table": "db.evolved"}
OPTIONS = {"file.format": "parquet", "bucket": "-1"}

FIRST = [[1, "one", 0.5, 20_000, "gone", "a"], [None, None, None, None, None, "b"]]
SECOND = [[5_000_000_000, "two", 0.1, -1, "a", 7], [-1, "\u00e4\u00f6\u00fc \U0001f980 more than sixteen letters", None, None, "b", None]]
THIRD = [[8, 9, "three", 1e300, 0, "a", 3]]


def sql(run, types, words):
    """The life of the table in SQL; `types` and `words` are the dialect's."""
    name = words["name"]
    run(f"CREATE DATABASE IF NOT EXISTS {name.rsplit('.', 1)[0]}")
    options = ", ".join(f"'{key}' = '{value}'" for key, value in OPTIONS.items())
    run(f"CREATE TABLE {name} (id INT, name STRING, price FLOAT, d DATE, `old` STRING, dt STRING) {types}".format(options))
    null = "CAST(NULL AS {})".format
    run(
        f"INSERT INTO {name} VALUES (1, 'one', CAST(0.5 AS FLOAT), DATE '2024-10-04', 'gone', 'a'), "
        f"({null('INT')}, {null('STRING')}, {null('FLOAT')}, {null('DATE')}, {null('STRING')}, 'b')"
    )
    for change in ("add", "rename", "drop", "widen", "widen_float"):
        run(f"ALTER TABLE {name} {words[change]}")
    run(
        f"INSERT INTO {name} VALUES (5000000000, 'two', CAST(0.1 AS DOUBLE), DATE '1969-12-31', 'a', CAST(7 AS BIGINT)), "
        f"(CAST(-1 AS BIGINT), '{SECOND[1][1]}', {null('DOUBLE')}, {null('DATE')}, 'b', {null('BIGINT')})"
    )
    for change in ("add_again", "first"):
        run(f"ALTER TABLE {name} {words[change]}")
    run(
        f"INSERT INTO {name} VALUES (CAST(8 AS BIGINT), CAST(9 AS BIGINT), 'three', CAST(1e300 AS DOUBLE), "
        "DATE '1970-01-01', 'a', 3)"
    )


def spark():
    import spark_server

    words = {
        "name": f"`{spark_server.catalog(WAREHOUSE)}`.db.evolved",
        "add": "ADD COLUMN added BIGINT",
        "rename": "RENAME COLUMN name TO title",
        "drop": "DROP COLUMN `old`",
        "widen": "ALTER COLUMN id TYPE BIGINT",
        "widen_float": "ALTER COLUMN price TYPE DOUBLE",
        "add_again": "ADD COLUMN `old` INT",
        "first": "ALTER COLUMN added FIRST",
    }
    sql(spark_server.SPARK.sql, "PARTITIONED BY (dt) TBLPROPERTIES ({})", words)
    return {"main": spark_server.rows(TABLE)}


def flink():
    import flink_server

    words = {
        "name": f"`{flink_server.catalog(WAREHOUSE)}`.db.evolved",
        "add": "ADD added BIGINT",
        "rename": "RENAME name TO title",
        "drop": "DROP `old`",
        "widen": "MODIFY id BIGINT",
        "widen_float": "MODIFY price DOUBLE",
        "add_again": "ADD `old` INT",
        "first": "MODIFY added BIGINT FIRST",
    }
    run = lambda text: getattr(flink_server.TABLES.executeSql(text), "await")()
    sql(run, "PARTITIONED BY (dt) WITH ({})", words)
    return {"main": flink_server.rows(TABLE)}


def pypaimon():
    import struct

    import pypaimon_server as server

    bits = lambda kind, place, rows: [
        [*row[:place], None if row[place] is None else struct.unpack(*kind(row[place]))[0], *row[place + 1 :]]
        for row in rows
    ]
    single = lambda value: ("<I", struct.pack("<f", value))
    double = lambda value: ("<Q", struct.pack("<d", value))
    kinds = {"id": "int32", "name": "string", "price": "float32", "d": "date32", "old": "string", "dt": "string"}
    fields = [[name, f"pa.{kind}()"] for name, kind in kinds.items()]
    server.create({**TABLE, "fields": fields, "partition_keys": ["dt"], "options": OPTIONS})
    server.append({**TABLE, "rows": bits(single, 2, FIRST)})
    server.tag({**TABLE, "tag": "first"})
    first = server.rows(TABLE)
    server.branch({**TABLE, "tag": "first", "branch": "side"})
    side = {**TABLE, "table": "db.evolved$branch_side"}
    server.alter({**side, "changes": [["add", "only here", "STRING"]]})
    server.append({**side, "rows": [[2, "side", None, None, None, "c", "x"]]})
    server.alter({**TABLE, "changes": [["add", "added", "BIGINT"]]})
    server.alter({**TABLE, "changes": [["rename", "name", "title"], ["drop", "old"]]})
    server.alter({**TABLE, "changes": [["type", "id", "BIGINT"], ["type", "price", "DOUBLE"]]})
    server.append({**TABLE, "rows": bits(double, 2, SECOND)})
    server.alter({**TABLE, "changes": [["add", "old", "INT"], ["first", "added"]]})
    server.append({**TABLE, "rows": bits(double, 3, THIRD)})
    return {"main": server.rows(TABLE), "tag first": first, "branch side": server.rows(side)}


shutil.rmtree(FOLDER, ignore_errors=True)
FOLDER.mkdir()
expected = {"spark": spark, "flink": flink, "pypaimon": pypaimon}[ENGINE]()
text = {what: {"columns": found["columns"], "rows": found["rows"]} for what, found in expected.items()}
(FOLDER / "expected.json").write_text(json.dumps(text, indent=1, ensure_ascii=True) + "\n")
