"""Answers the tests' questions with Spark, through Paimon's bundle for it.

Requests and answers are those of lines.py. Values travel in the canonical form of pypaimon_server.py; arrays and rows
are lists, maps are lists of [key, value] in the order of the keys' JSON. One session serves every request; each
warehouse is a catalog of its own in it. Times without a zone are read and written in UTC.
"""

import json
import os
import struct
import sys
import tempfile
import time
from datetime import date, datetime, timezone
from pathlib import Path

from lines import answers_only, serve
from paimon import Tables

ANSWERS = answers_only()
HOME = Path(sys.executable).parent.parent
SCRATCH = tempfile.TemporaryDirectory(prefix="tributary-spark-")
os.environ["TZ"] = "UTC"  # PySpark gives timestamps as the process's local time
time.tzset()

from pyspark.sql import SparkSession  # noqa: E402
from pyspark.sql import types as T  # noqa: E402



def start():
    options = {
        "spark.jars": ",".join(str(jar) for jar in (HOME / "jars").glob("*.jar")),
        "spark.sql.extensions": "org.apache.paimon.spark.extensions.PaimonSparkSessionExtensions",
        "spark.sql.session.timeZone": "UTC",
        "spark.driver.memory": "1g",
        "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Duser.timezone=UTC",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.local.dir": SCRATCH.name,
        "spark.sql.warehouse.dir": SCRATCH.name,
        "spark.log.level": "ERROR",
    }
    builder = SparkSession.builder.master("local[2]").appName("tributary-tests")
    for key, value in options.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


SPARK = start()
CATALOGS = {}


def catalog(request):
    """The catalog with the options of "catalog", or else the one of a folder; it remembers nothing of its tables."""
    options = request.get("catalog") or {"warehouse": request["warehouse"]}
    known = json.dumps(options, sort_keys=True)
    if known not in CATALOGS:
        name = f"w{len(CATALOGS)}"
        for key, value in ({"cache-enabled": "false"} | options).items():
            SPARK.conf.set(f"spark.sql.catalog.{name}.{key}", value)
        SPARK.conf.set(f"spark.sql.catalog.{name}", "org.apache.paimon.spark.SparkCatalog")
        CATALOGS[known] = name
    return CATALOGS[known]


def quoted(request):
    """The table's full name in SQL; `$` names a system table."""
    database, table = request["table"].split(".", 1)
    return f"`{catalog(request)}`.`{database}`.`{table}`"


def canonical(value, kind):
    """The canonical form of a value that Spark collected."""
    if value is None:
        return None
    if isinstance(kind, T.FloatType):
        return struct.unpack("<I", struct.pack("<f", value))[0]
    if isinstance(kind, T.DoubleType):
        return struct.unpack("<Q", struct.pack("<d", value))[0]
    if isinstance(kind, T.DecimalType):
        return format(value, "f")
    if isinstance(kind, T.BinaryType):
        return bytes(value).hex()
    if isinstance(kind, T.ArrayType):
        return [canonical(element, kind.elementType) for element in value]
    if isinstance(kind, T.MapType):
        entries = [[canonical(key, kind.keyType), canonical(of, kind.valueType)] for key, of in value.items()]
        return sorted(entries, key=json.dumps)
    if isinstance(kind, T.StructType):
        return [canonical(of, field.dataType) for of, field in zip(value, kind.fields)]
    if isinstance(kind, T.DateType):
        return value.toordinal() - date(1970, 1, 1).toordinal()
    if isinstance(kind, (T.TimestampType, T.TimestampNTZType)):
        since = value.replace(tzinfo=timezone.utc) - datetime(1970, 1, 1, tzinfo=timezone.utc)
        return ((since.days * 86_400 + since.seconds) * 10**6 + since.microseconds) * 1_000
    return value


def query(text):
    found = SPARK.sql(text)
    kinds = [field.dataType for field in found.schema.fields]
    rows = [[canonical(value, kind) for value, kind in zip(row, kinds)] for row in found.collect()]
    return {"columns": found.columns, "types": [kind.simpleString() for kind in kinds], "rows": rows}


def scanned(request):
    """The table as FROM has it: its newest snapshot, "snapshot", or what "tag" keeps."""
    version = request.get("snapshot", f"'{request['tag']}'" if "tag" in request else None)
    return quoted(request) + (f" VERSION AS OF {version}" if version is not None else "")


def rows(request):
    """Every row of the table for which "where" holds, or of "columns": {"columns", "types", "rows"}."""
    where = f" WHERE {request['where']}" if "where" in request else ""
    columns = ", ".join(f"`{column}`" for column in request.get("columns", [])) or "*"
    return query(f"SELECT {columns} FROM {scanned(request)}{where}")


def count(request):
    return query(f"SELECT COUNT(*) FROM {scanned(request)}")["rows"][0][0]


def call(request):
    """The rows that CALL sys."procedure" answers with."""
    return query(f"CALL `{catalog(request)}`.sys.{request['procedure']}")["rows"]


def ids(request):
    """Of each value of the column "by": [value, rows, distinct values of the column "of", the least, the greatest]."""
    by, of = f"`{request['by']}`", f"`{request['of']}`"
    columns = f"{by}, COUNT(*), COUNT(DISTINCT {of}), MIN({of}), MAX({of})"
    return sorted(query(f"SELECT {columns} FROM {scanned(request)} GROUP BY {by}")["rows"])


def explain(failure):
    """The first line of Spark's message, and the innermost Java reason if there is one."""
    text = str(failure)
    reasons = [line for line in text.splitlines() if line.startswith("Caused by: ")]
    first = text.strip().splitlines()[0]
    return reasons[-1].removeprefix("Caused by: ") if reasons else first


JAVA = Tables(SPARK.sparkContext._gateway)
OPERATIONS = {
    "rows": rows,
    "count": count,
    "call": call,
    "ids": ids,
    "kept": JAVA.kept,
    "z_index": JAVA.z_index,
}

if __name__ == "__main__":
    serve(OPERATIONS, ANSWERS, explain)
