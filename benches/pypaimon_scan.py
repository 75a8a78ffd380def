"""Reads every row and column of db.t with pypaimon, batch by batch.

Prints {"rows": …, "seconds": …} as JSON, without imports. Argument: warehouse.
"""

import json
import sys
import time

from pypaimon import CatalogFactory

table = CatalogFactory.create({"warehouse": sys.argv[1]}).get_table("db.t")
begin = time.perf_counter()
builder = table.new_read_builder()
splits = builder.new_scan().plan().splits()
rows = sum(batch.num_rows for batch in builder.new_read().to_arrow_batch_reader(splits))
print(json.dumps({"rows": rows, "seconds": time.perf_counter() - begin}))
