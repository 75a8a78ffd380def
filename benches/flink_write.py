"""Runs the tutorial's job with Flink: parallelism 2, a checkpoint every 10 seconds, one JVM with a mini cluster.

Prints {"rows": …, "seconds": …} as JSON: from the job's submission to its end, cluster start included. Arguments: a file
with the job's SQL, rows.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

LOGS = tempfile.TemporaryDirectory(prefix="tributary-flink-")
os.environ["FLINK_LOG_DIR"] = LOGS.name
os.environ["JVM_ARGS"] = "-Xmx2g"

from pyflink.table import EnvironmentSettings, TableEnvironment  # noqa: E402

job, rows = Path(sys.argv[1]).read_text(), int(sys.argv[2])

tables = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
options = {"parallelism.default": "2", "execution.checkpointing.interval": "10 s", "io.tmp.dirs": LOGS.name, "rest.port": "0"}
for key, value in options.items():
    tables.get_config().set(key, value)
*definitions, insert = [statement for statement in job.split(";") if statement.strip()]
for statement in definitions:
    tables.execute_sql(statement)
begin = time.perf_counter()
tables.execute_sql(insert).wait()
print(json.dumps({"rows": rows, "seconds": time.perf_counter() - begin}))
