"""Calls a procedure of Paimon with Spark on two threads.

Prints {"seconds": …} as JSON, without the session's start. Arguments: warehouse, the call behind "sys.".
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
    "spark.sql.extensions": "org.apache.paimon.spark.extensions.PaimonSparkSessionExtensions",
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

begin = time.perf_counter()
spark.sql(f"CALL paimon.sys.{sys.argv[2]}").collect()
print(json.dumps({"seconds": time.perf_counter() - begin}))
