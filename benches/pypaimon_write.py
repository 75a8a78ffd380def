"""Writes the tutorial's rows with pypaimon, one process: the rows are ready in memory, write and commit are timed.

Prints {"rows": …, "seconds": …} as JSON. Arguments: warehouse, rows.
"""

import json
import sys
import time

import numpy as np
import pyarrow as pa
from pypaimon import CatalogFactory, Schema

warehouse, rows = sys.argv[1], int(sys.argv[2])
batch_rows = 1_000_000
random = np.random.default_rng(1)


def hexadecimal(count):
    """Random text of 100 hexadecimal characters."""
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)[random.integers(0, 16, count * 100, dtype=np.uint8)]
    offsets = pa.py_buffer(np.arange(0, (count + 1) * 100, 100, dtype=np.int32))
    return pa.StringArray.from_buffers(count, offsets, pa.py_buffer(digits.tobytes()))


def batch(count):
    constant = lambda text: pa.array([text] * count, pa.string())
    category = pa.array(random.integers(1, 11, count, dtype=np.int32))
    columns = [hexadecimal(count), hexadecimal(count), category, constant("2026-01-01 09:00:00.000"), constant("2026-01-01"), constant("9")]
    return pa.table(columns, names=["id", "data", "category", "ts", "dt", "hh"])


catalog = CatalogFactory.create({"warehouse": warehouse})
catalog.create_database("db", True)
one = batch(batch_rows)
catalog.create_table("db.t", Schema.from_pyarrow_schema(one.schema, partition_keys=["dt", "hh"], options={"write-only": "true"}), False)
table = catalog.get_table("db.t")
begin = time.perf_counter()
builder = table.new_batch_write_builder()
writer, committer = builder.new_write(), builder.new_commit()
for _ in range(rows // batch_rows):
    writer.write_arrow(one)
committer.commit(writer.prepare_commit())
print(json.dumps({"rows": rows // batch_rows * batch_rows, "seconds": time.perf_counter() - begin}))
