"""Reads every row and column of db.t with Spark on two threads, into its sink that drops them.

Prints {"rows": …, "seconds": …, "first_seconds": …} as JSON: the second of two scans, warm, and the first, without the
session's start. Argument: warehouse.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

from pyspark.sql import SparkSession

SCRATCH = tempfile.TemporaryDirectory(prefix="tributary-spark-")
options = {
    "spark.jars": ",".join(str(jar) for jar in (Path(sys.executable).parent.parent / "jars").glob("*.jar")),
    "spark.sql.catalog.paimon": "org.apache.paimon.spark.SparkCatalog",
    "spark.sql.catalog.paimon.warehouse": sys.argv[1],
    "spark.driver.memory": "4g",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.local.dir": SCRATCH.name,
    "spark.sql.warehouse.dir": SCRATCH.name,
    "spark.log.level": "ERROR",
}
builder = SparkSession.builder.master("local[2]").appName("tributary-bench")
for key, value in options.items():
    builder = builder.config(key, value)
spark = builder.getOrCreate()


def scan():
    begin = time.perf_counter()
    spark.table("paimon.db.t").write.format("noop").mode("overwrite").save()
    return time.perf_counter() - begin


first, second = scan(), scan()
print(json.dumps({"rows": spark.table("paimon.db.t").count(), "seconds": second, "first_seconds": first}))
