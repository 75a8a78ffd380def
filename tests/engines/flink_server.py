"""Answers the tests' questions with Flink: tables through Paimon's connector, and SQL expressions.

Requests and answers are those of lines.py. Values travel in the canonical form of pypaimon_server.py; arrays and rows
are lists, maps are lists of [key, value] in the order of the keys' JSON. One JVM serves every request: PyFlink's
gateway, with a mini cluster inside. Times without a zone are read and written in UTC.
"""

import decimal
import json
import os
import struct
import tempfile
from datetime import datetime, timedelta

from lines import answers_only, serve

ANSWERS = answers_only()
LOGS = tempfile.TemporaryDirectory(prefix="tributary-flink-")
os.environ["FLINK_LOG_DIR"] = LOGS.name
os.environ["JVM_ARGS"] = "-Xmx1g -XX:+UseSerialGC -XX:TieredStopAtLevel=1"

from py4j.protocol import Py4JJavaError  # noqa: E402
from pyflink.java_gateway import get_gateway  # noqa: E402
from pyflink.table import EnvironmentSettings, TableEnvironment  # noqa: E402

TOGETHER = 64  # expressions evaluated by one job


def start():
    """A table environment whose jobs run on a mini cluster of this process's JVM."""
    jvm = get_gateway().jvm
    settings = jvm.org.apache.flink.configuration.Configuration()
    settings.setString("rest.port", "0")
    settings.setString("io.tmp.dirs", LOGS.name)
    builder = jvm.org.apache.flink.runtime.minicluster.MiniClusterConfiguration.Builder()
    builder = builder.setConfiguration(settings).withRandomPorts().setNumTaskManagers(1).setNumSlotsPerTaskManager(4)
    cluster = jvm.org.apache.flink.runtime.minicluster.MiniCluster(builder.build())
    cluster.start()
    address = cluster.getRestAddress().get()
    tables = TableEnvironment.create(EnvironmentSettings.in_batch_mode())
    options = {
        "execution.target": "remote",
        "rest.address": address.getHost(),
        "rest.port": str(address.getPort()),
        "parallelism.default": "1",
        "table.local-time-zone": "UTC",
    }
    for key, value in options.items():
        tables.get_config().set(key, value)
    return jvm, tables._j_tenv


JVM, TABLES = start()
UTC = JVM.java.time.ZoneOffset.UTC


def cause(failure):
    """The innermost reason Flink gives, without the stack."""
    text = str(failure)
    if isinstance(failure, Py4JJavaError):
        text = JVM.org.apache.flink.util.ExceptionUtils.stringifyException(failure.java_exception)
    reasons = [line for line in text.splitlines() if line.startswith("Caused by: ")]
    return reasons[-1].removeprefix("Caused by: ") if reasons else text.splitlines()[0]


def instant(seconds, nanos):
    return seconds * 10**9 + nanos


def canonical(value, kind):
    """The canonical form of a value that Flink collected, of the logical type `kind`."""
    if value is None:
        return None
    root = kind.getTypeRoot().name()
    if root == "FLOAT":
        return struct.unpack("<I", struct.pack("<f", value))[0]
    if root == "DOUBLE":
        return struct.unpack("<Q", struct.pack("<d", value))[0]
    if root == "DECIMAL":
        return format(value, "f") if isinstance(value, decimal.Decimal) else value.toPlainString()
    if root in ("BINARY", "VARBINARY"):
        return bytes(value).hex()
    if root == "DATE":
        return value.toEpochDay()
    if root == "TIME_WITHOUT_TIME_ZONE":
        return value.toNanoOfDay() // 10**6
    if root == "TIMESTAMP_WITHOUT_TIME_ZONE":
        return instant(value.toEpochSecond(UTC), value.getNano())
    if root == "TIMESTAMP_WITH_LOCAL_TIME_ZONE":
        return instant(value.getEpochSecond(), value.getNano())
    if root == "INTERVAL_YEAR_MONTH":
        return value.toTotalMonths()
    if root == "INTERVAL_DAY_TIME":
        return value.toNanos()
    if root == "ARRAY":
        return [canonical(element, kind.getElementType()) for element in value]
    if root == "MAP":
        entries = [
            [canonical(key, kind.getKeyType()), canonical(of, kind.getValueType())] for key, of in value.items()
        ]
        return sorted(entries, key=json.dumps)
    if root == "ROW":
        return [canonical(value.getField(i), of) for i, of in enumerate(kind.getChildren())]
    return value


def collect(query):
    """The result of a query: logical types, names, rows in canonical form."""
    result = TABLES.executeSql(query)
    schema = result.getResolvedSchema()
    kinds = [of.getLogicalType() for of in schema.getColumnDataTypes()]
    rows, found = [], result.collect()
    while found.hasNext():
        row = found.next()
        rows.append([canonical(row.getField(i), kind) for i, kind in enumerate(kinds)])
    found.close()
    return kinds, list(schema.getColumnNames()), rows


CATALOGS = {}


def catalog(warehouse):
    """The catalog of a warehouse; nothing of its tables is remembered between requests."""
    if warehouse not in CATALOGS:
        name = f"w{len(CATALOGS)}"
        options = {"type": "paimon", "warehouse": warehouse, "cache-enabled": "false"}
        options = ", ".join(f"'{key}' = '{value}'" for key, value in options.items())
        TABLES.executeSql(f"CREATE CATALOG {name} WITH ({options})")
        CATALOGS[warehouse] = name
    return CATALOGS[warehouse]


def quoted(request):
    """The table's full name in SQL."""
    database, table = request["table"].split(".", 1)
    return f"`{catalog(request['warehouse'])}`.`{database}`.`{table}`"


def column_kinds(request):
    schema = getattr(TABLES, "from")(quoted(request)).getResolvedSchema()
    return list(schema.getColumnNames()), [of.getLogicalType() for of in schema.getColumnDataTypes()]


def rows(request):
    """Every row of the table for which "where" holds, or of "columns": {"columns", "types", "rows"}."""
    where = f" WHERE {request['where']}" if "where" in request else ""
    columns = ", ".join(f"`{column}`" for column in request.get("columns", [])) or "*"
    kinds, names, found = collect(f"SELECT {columns} FROM {quoted(request)}{where}")
    return {"columns": names, "types": [kind.asSerializableString() for kind in kinds], "rows": found}


def count(request):
    """Rows of the newest snapshot, or of "snapshot"."""
    hint = f" /*+ OPTIONS('scan.snapshot-id' = '{request['snapshot']}') */" if "snapshot" in request else ""
    return collect(f"SELECT COUNT(*) FROM {quoted(request)}{hint}")[2][0][0]


def literal(value, kind):
    """The SQL of a value in canonical form. (Flink's planner has no literal for infinity: "Infinite or NaN".)"""
    root, spelled = kind.getTypeRoot().name(), kind.copy(True).asSerializableString()
    if value is None:
        return f"CAST(NULL AS {spelled})"
    if root == "FLOAT":
        value = struct.unpack("<f", struct.pack("<I", value))[0]
    if root == "DOUBLE":
        value = struct.unpack("<d", struct.pack("<Q", value))[0]
    if root in ("FLOAT", "DOUBLE"):
        value = repr(value).replace("inf", "Infinity")
    if root == "BOOLEAN":
        return str(value).upper()
    if root in ("BINARY", "VARBINARY"):
        return f"CAST(x'{value}' AS {spelled})"
    if root == "DATE":
        return f"DATE '{datetime(1970, 1, 1) + timedelta(days=value):%Y-%m-%d}'"
    if root == "TIME_WITHOUT_TIME_ZONE":
        return f"TIME '{datetime(1970, 1, 1) + timedelta(milliseconds=value):%H:%M:%S.%f}'"
    if root.startswith("TIMESTAMP_"):
        seconds, nanos = divmod(value, 10**9)
        moment = datetime(1970, 1, 1) + timedelta(seconds=seconds)
        return f"CAST(TIMESTAMP '{moment:%Y-%m-%d %H:%M:%S}.{nanos:09}' AS {spelled})"
    text = str(value).replace("'", "''")
    return f"CAST('{text}' AS {spelled})"


def append(request):
    """Appends rows in canonical form, one commit."""
    _, kinds = column_kinds(request)
    tuples = ", ".join(
        "(" + ", ".join(literal(value, kind) for value, kind in zip(row, kinds)) + ")" for row in request["rows"]
    )
    getattr(TABLES.executeSql(f"INSERT INTO {quoted(request)} VALUES {tuples}"), "await")()


def evaluate(request):
    """Each of "expressions" (over no table): {"type": ..., "value": ...}, or {"error": ...} in its place."""
    answers, valid = [], []
    for place, expression in enumerate(request["expressions"]):
        try:
            kind = TABLES.sqlQuery(f"SELECT {expression}").getResolvedSchema().getColumnDataTypes()[0].getLogicalType()
            answers.append({"type": kind.asSerializableString()})
            valid.append((place, expression))
        except Exception as failure:
            answers.append({"error": cause(failure)})
    for begin in range(0, len(valid), TOGETHER):
        evaluate_together(valid[begin : begin + TOGETHER], answers)
    return answers


def evaluate_together(expressions, answers):
    """Runs one query; where it fails, its halves, down to the expressions that fail alone."""
    if not expressions:
        return
    columns = ", ".join(f"{expression} AS v{place}" for place, expression in expressions)
    try:
        _, _, [values] = collect(f"SELECT {columns}")
    except Exception as failure:
        if len(expressions) == 1:
            answers[expressions[0][0]]["error"] = cause(failure)
            return
        middle = len(expressions) // 2
        evaluate_together(expressions[:middle], answers)
        evaluate_together(expressions[middle:], answers)
        return
    for (place, _), value in zip(expressions, values):
        answers[place]["value"] = value


OPERATIONS = {
    "rows": rows,
    "count": count,
    "append": append,
    "evaluate": evaluate,
}

if __name__ == "__main__":
    serve(OPERATIONS, ANSWERS, cause)
