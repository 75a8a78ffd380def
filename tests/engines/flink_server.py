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

import pyflink
from lines import answers_only, serve
from paimon import Tables

ANSWERS = answers_only()
LOGS = tempfile.TemporaryDirectory(prefix="tributary-flink-")
# The JVM prints all of the code it generated for an expression that does not compile.
os.dup2(os.open(os.path.join(LOGS.name, "stdout.log"), os.O_CREAT | os.O_WRONLY | os.O_APPEND), 1)
os.environ["FLINK_LOG_DIR"] = LOGS.name
# Without the console, where the one for clients has Hadoop's.
os.environ["LOG4J_PROPERTIES"] = os.path.join(pyflink.__path__[0], "conf/log4j.properties")
os.environ["JVM_ARGS"] = "-Xmx1g -XX:+UseSerialGC -XX:TieredStopAtLevel=1"

from py4j.protocol import Py4JJavaError  # noqa: E402
from pyflink.java_gateway import get_gateway  # noqa: E402
from pyflink.table import EnvironmentSettings, TableEnvironment  # noqa: E402

TOGETHER = 64  # expressions evaluated by one job


def start():
    """Table environments, of batches and of streams, whose jobs run on a mini cluster of this process's JVM."""
    jvm = get_gateway().jvm
    settings = jvm.org.apache.flink.configuration.Configuration()
    settings.setString("rest.port", "0")
    settings.setString("io.tmp.dirs", LOGS.name)
    # Threads of paimon-s3's client outlive the job that started them, and keep its class loader.
    settings.setString("classloader.check-leaked-classloader", "false")
    builder = jvm.org.apache.flink.runtime.minicluster.MiniClusterConfiguration.Builder()
    builder = builder.setConfiguration(settings).withRandomPorts().setNumTaskManagers(1).setNumSlotsPerTaskManager(4)
    cluster = jvm.org.apache.flink.runtime.minicluster.MiniCluster(builder.build())
    cluster.start()
    address = cluster.getRestAddress().get()
    options = {
        "execution.target": "remote",
        "rest.address": address.getHost(),
        "rest.port": str(address.getPort()),
        "parallelism.default": "1",
        "table.local-time-zone": "UTC",
        "execution.checkpointing.interval": "1 s",
        "restart-strategy.type": "none",  # a failure is the answer
    }
    modes = EnvironmentSettings.in_batch_mode(), EnvironmentSettings.in_streaming_mode()
    environments = [TableEnvironment.create(mode) for mode in modes]
    for tables in environments:
        for key, value in options.items():
            tables.get_config().set(key, value)
    return jvm, *(tables._j_tenv for tables in environments)


JVM, TABLES, STREAMS = start()
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


def catalog(request):
    """The catalog with the options of "catalog", or else the one of a folder; it remembers nothing of its tables."""
    options = request.get("catalog") or {"warehouse": request["warehouse"]}
    options = {"type": "paimon", "cache-enabled": "false"} | options
    spelled = ", ".join(f"'{key}' = '{value}'" for key, value in options.items())
    if spelled not in CATALOGS:
        name = f"w{len(CATALOGS)}"
        for tables in (TABLES, STREAMS):
            tables.executeSql(f"CREATE CATALOG {name} WITH ({spelled})")
        CATALOGS[spelled] = name
    return CATALOGS[spelled]


def quoted(request):
    """The table's full name in SQL."""
    database, table = request["table"].split(".", 1)
    return f"`{catalog(request)}`.`{database}`.`{table}`"


def scanned(request):
    """The table as FROM has it: its newest snapshot, "snapshot", or what "tag" keeps."""
    for key, option in {"snapshot": "scan.snapshot-id", "tag": "scan.tag-name"}.items():
        if key in request:
            return f"{quoted(request)} /*+ OPTIONS('{option}' = '{request[key]}') */"
    return quoted(request)


def column_kinds(request):
    schema = getattr(TABLES, "from")(quoted(request)).getResolvedSchema()
    return list(schema.getColumnNames()), [of.getLogicalType() for of in schema.getColumnDataTypes()]


def rows(request):
    """Every row of the table for which "where" holds, or of "columns": {"columns", "types", "rows"}."""
    where = f" WHERE {request['where']}" if "where" in request else ""
    columns = ", ".join(f"`{column}`" for column in request.get("columns", [])) or "*"
    kinds, names, found = collect(f"SELECT {columns} FROM {scanned(request)}{where}")
    return {"columns": names, "types": [kind.asSerializableString() for kind in kinds], "rows": found}


def count(request):
    return collect(f"SELECT COUNT(*) FROM {scanned(request)}")[2][0][0]


def ids(request):
    """Of each value of the column "by": [value, rows, distinct values of the column "of", the least, the greatest]."""
    by, of = f"`{request['by']}`", f"`{request['of']}`"
    columns = f"{by}, COUNT(*), COUNT(DISTINCT {of}), MIN({of}), MAX({of})"
    return sorted(collect(f"SELECT {columns} FROM {scanned(request)} GROUP BY {by}")[2])


JOBS = []


def stream(request):
    """Starts a streaming job that inserts the rows of "select", with "source" as the DDL of what it reads."""
    STREAMS.executeSql(request["source"])
    JOBS.append(STREAMS.executeSql(f"INSERT INTO {quoted(request)} {request['select']}").getJobClient().get())
    return len(JOBS) - 1


def streamed(request):
    """Whether the job "job" is done; fails with its reason if it failed."""
    client = JOBS[request["job"]]
    if not client.getJobStatus().get().isGloballyTerminalState():
        return False
    client.getJobExecutionResult().get()
    return True


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


def view(request):
    """Creates the view "view" of "query", where {table} is the table, and returns its rows."""
    name = quoted({**request, "table": request["view"]})
    TABLES.executeSql(f"CREATE VIEW {name} AS {request['query'].format(table=quoted(request))}")
    return rows({**request, "table": request["view"]})


SOURCES = {}
NOWHERE = "`default_catalog`.`default_database`.`nowhere`"


def evaluate(request):
    """Each of "expressions" over "source": {"zone", "columns": [{"name", "type", "values": [SQL, ...]}, ...]}.

    {"type", "values": [text, ...]}, or {"type", "failed": why} if a job fails, {"refused": why} if none is planned.
    """
    TABLES.getConfig().set("table.local-time-zone", request["source"]["zone"])
    try:
        table, expressions = filled(request["source"]["columns"]), request["expressions"]
        batches = (expressions[begin : begin + TOGETHER] for begin in range(0, len(expressions), TOGETHER))
        return [answer for batch in batches for answer in evaluate_batch(batch, table)]
    finally:
        TABLES.getConfig().set("table.local-time-zone", "UTC")


def filled(columns):
    """A table of these columns and values; its column `row` counts the rows."""
    key = json.dumps(columns)
    if key not in SOURCES:
        table = f"`{catalog({'warehouse': tempfile.mkdtemp(dir=LOGS.name)})}`.`default`.`source`"
        names = ", ".join(f"`{column['name']}` {column['type']}" for column in columns)
        TABLES.executeSql(f"CREATE TABLE {table} (`row` INT, {names})")
        rows = zip(*([cell(value, column["type"]) for value in column["values"]] for column in columns))
        rows = " UNION ALL ".join(f"SELECT {row}, {', '.join(cells)}" for row, cells in enumerate(rows))
        getattr(TABLES.executeSql(f"INSERT INTO {table} {rows}"), "await")()
        # Behind a sort the source's task is done: Paimon's reader takes 10 s to close when its own task fails.
        SOURCES[key] = f"(SELECT * FROM {table} ORDER BY `row` LIMIT {len(columns[0]['values'])})"
    return SOURCES[key]


def cell(value, kind):
    """A value that the planner does not fold: its literals know neither -0.0 nor NaN."""
    return f"CAST({value if value == 'NULL' else f'CASE WHEN RAND() < 1 THEN {value} END'} AS {kind})"


def evaluate_batch(expressions, table):
    """One job for all of them; where it fails, one for each, and one for those that did not fail."""
    try:
        return evaluated(expressions, table)
    except Exception:
        answers = one_by_one(expressions, table)
    good = [place for place, answer in enumerate(answers) if answer is None]
    if good:
        for place, answer in zip(good, evaluated([expressions[place] for place in good], table)):
            answers[place] = answer
    return answers


def kinds(expressions, table):
    """Their types, as SQL writes them."""
    columns = ", ".join(f"{expression} AS v{place}" for place, expression in enumerate(expressions))
    schema = TABLES.sqlQuery(f"SELECT {columns} FROM {table}").getResolvedSchema()
    return [of.getLogicalType().asSerializableString() for of in schema.getColumnDataTypes()]


def evaluated(expressions, table):
    types = kinds(expressions, table)
    # A null may come of a type that Flink calls NOT NULL, which it does not hand out.
    texts = (f"CASE WHEN RAND() < 1 THEN CAST({expression} AS STRING) END" for expression in expressions)
    texts = ", ".join(f"{text} AS v{place}" for place, text in enumerate(texts))
    _, _, found = collect(f"SELECT `row`, {texts} FROM {table}")
    columns = list(zip(*sorted(found)))[1:]
    return [{"type": kind, "values": values} for kind, values in zip(types, columns)]


def one_by_one(expressions, table):
    """What fails, and None for what does not; all jobs run before the first is waited for."""
    TABLES.executeSql(f"CREATE TEMPORARY TABLE IF NOT EXISTS {NOWHERE} (v STRING) WITH ('connector' = 'blackhole')")
    jobs, answers = [], []
    for expression in expressions:
        try:
            [kind] = kinds([expression], table)
            query = f"SELECT CAST({expression} AS STRING) FROM {table}"
            jobs.append((kind, TABLES.executeSql(f"INSERT INTO {NOWHERE} {query}")))
        except Exception as failure:
            jobs.append((None, failure))
    for kind, job in jobs:
        if kind is None:
            answers.append({"refused": cause(job)})
            continue
        try:
            getattr(job, "await")()
            answers.append(None)
        except Exception as failure:
            why = cause(failure)
            # Code is generated while planning, and compiled by the job.
            answers.append({"refused": why} if "CompileException" in why else {"type": kind, "failed": why})
    return answers


JAVA = Tables(get_gateway())
OPERATIONS = {
    "rows": rows,
    "count": count,
    "ids": ids,
    "append": append,
    "stream": stream,
    "streamed": streamed,
    "view": view,
    "kept": JAVA.kept,
    "z_index": JAVA.z_index,
    "evaluate": evaluate,
}

if __name__ == "__main__":
    serve(OPERATIONS, ANSWERS, cause)
