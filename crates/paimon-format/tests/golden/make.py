"""Makes the golden files beside it: python make.py (pypaimon 2.1.0, fastavro)."""

import datetime
import decimal
import json
import os
import shutil
import tempfile

import fastavro
import pyarrow as pa
from pypaimon import CatalogFactory, Schema

W = tempfile.mkdtemp()
HERE = os.path.dirname(os.path.abspath(__file__))
cat = CatalogFactory.create({"warehouse": W})
cat.create_database("db", True)
D = decimal.Decimal


def make(name, sch, parts, batches, opts={}):
    cat.create_table(
        "db." + name,
        Schema.from_pyarrow_schema(sch, partition_keys=parts, options=opts),
        False,
    )
    t = cat.get_table("db." + name)
    for b in batches:
        wb = t.new_batch_write_builder()
        w = wb.new_write()
        c = wb.new_commit()
        w.write_arrow(pa.Table.from_pylist(b, schema=sch))
        c.commit(w.prepare_commit())
        w.close()
        c.close()
    return t


sch = pa.schema(
    [
        ("id", pa.string()),
        ("category", pa.int32()),
        ("dt", pa.string()),
        ("hh", pa.string()),
    ]
)
make(
    "plain",
    sch,
    ["dt", "hh"],
    [
        [
            {
                "id": "a-long-identifier-over-16-chars",
                "category": 1,
                "dt": "2026-01-31",
                "hh": "9",
            },
            {"id": None, "category": None, "dt": "2026-01-31", "hh": "9"},
        ],
        [
            {"id": "b", "category": 7, "dt": "2026-02-01", "hh": "10"},
            {"id": "c", "category": -7, "dt": None, "hh": "1"},
        ],
    ],
)
sch = pa.schema(
    [
        ("c_boolean", pa.bool_()),
        ("c_tinyint", pa.int8()),
        ("c_smallint", pa.int16()),
        ("c_int", pa.int32()),
        ("c_bigint", pa.int64()),
        ("c_float", pa.float32()),
        ("c_double", pa.float64()),
        ("c_decimal", pa.decimal128(10, 2)),
        ("c_wide", pa.decimal128(30, 4)),
        ("c_string", pa.string()),
        ("c_bytes", pa.binary()),
        ("c_date", pa.date32()),
        ("c_time", pa.time32("ms")),
        ("c_ts3", pa.timestamp("ms")),
        ("c_ts6", pa.timestamp("us")),
        ("c_ltz", pa.timestamp("us", tz="UTC")),
    ]
)
r1 = dict(
    c_boolean=False,
    c_tinyint=-128,
    c_smallint=-32768,
    c_int=-2147483648,
    c_bigint=-(2**63),
    c_float=-1.5,
    c_double=-2.25,
    c_decimal=D("-12345678.90"),
    c_wide=D("-12345678901234567890.1234"),
    c_string="short",
    c_bytes=b"\x00\xff",
    c_date=datetime.date(1969, 12, 31),
    c_time=datetime.time(0, 0, 0, 1000),
    c_ts3=datetime.datetime(2026, 1, 31, 9, 0, 0, 123000),
    c_ts6=datetime.datetime(2026, 1, 31, 9, 0, 0, 123456),
    c_ltz=datetime.datetime(2026, 1, 31, 9, 0, 0, 123456, tzinfo=datetime.timezone.utc),
)
r2 = dict(
    c_boolean=True,
    c_tinyint=127,
    c_smallint=32767,
    c_int=2147483647,
    c_bigint=2**63 - 1,
    c_float=1.5,
    c_double=2.25,
    c_decimal=D("12345678.90"),
    c_wide=D("12345678901234567890.1234"),
    c_string="\u00e4 text of more than sixteen characters",
    c_bytes=b"more than seven bytes",
    c_date=datetime.date(2026, 1, 31),
    c_time=datetime.time(23, 59, 59, 999000),
    c_ts3=datetime.datetime(2026, 2, 1),
    c_ts6=datetime.datetime(2026, 2, 1, 0, 0, 0, 1),
    c_ltz=datetime.datetime(2026, 2, 1, tzinfo=datetime.timezone.utc),
)
r3 = {k: None for k in r1}
make("wide", sch, [], [[r1, r2, r3]], {"metadata.stats-mode": "full"})


def plain(value):
    """JSON of an Avro value: bytes as hexadecimal text, instants as Unix milliseconds."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime.datetime):
        return round(value.timestamp() * 1000)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def keep_avro(path, name):
    shutil.copy(path, f"{HERE}/{name}.avro")
    with open(path, "rb") as file, open(f"{HERE}/{name}.json", "w") as out:
        json.dump([plain(record) for record in fastavro.reader(file)], out, indent=1)
        out.write("\n")


for table in ("plain", "wide"):
    root = f"{W}/db.db/{table}"
    shutil.copy(f"{root}/schema/schema-0", f"{HERE}/{table}-schema.json")
    newest = open(f"{root}/snapshot/LATEST").read()
    shutil.copy(f"{root}/snapshot/snapshot-{newest}", f"{HERE}/{table}-snapshot.json")
    snapshot = json.load(open(f"{root}/snapshot/snapshot-{newest}"))
    for kind in ("base", "delta"):
        path = f"{root}/manifest/" + snapshot[f"{kind}ManifestList"]
        keep_avro(path, f"{table}-{kind}-list")
        with open(path, "rb") as file:
            for n, meta in enumerate(fastavro.reader(file)):
                keep_avro(
                    f"{root}/manifest/" + meta["_FILE_NAME"], f"{table}-{kind}-{n}"
                )
