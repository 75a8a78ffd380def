"""Answers the tests' questions with pypaimon, an independent reader and writer.

Requests and answers are those of lines.py. Values travel in a canonical form, the same for every engine: integers for
all integral and temporal types (days, milliseconds of the day, nanoseconds since the epoch), IEEE bits for floating
point, text for decimals and strings, hex for bytes. Arrays and rows are lists, maps are lists of [key, value] in the
order of the keys' JSON.
"""

import decimal
import json
import struct

import pyarrow as pa
import pyarrow.compute as pc
from lines import answers_only, serve
from pypaimon import CatalogFactory, Schema
from pypaimon.schema.data_types import AtomicType
from pypaimon.schema.schema_change import Move, SchemaChange

ANSWERS = answers_only()

PER_SECOND = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


def canonical(column):
    """The canonical form of one Arrow column, as a list."""
    kind = column.type
    if pa.types.is_nested(kind) and isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_map(kind):
        return [None if not v.is_valid else entries(v.values) for v in column]
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return [None if not v.is_valid else canonical(v.values) for v in column]
    if pa.types.is_struct(kind):
        parts = zip(*[canonical(part) for part in column.flatten()])
        return [list(row) if valid else None for row, valid in zip(parts, column.is_valid().to_pylist())]
    if pa.types.is_timestamp(kind):
        factor = PER_SECOND[kind.unit]
        return [None if v is None else v * factor for v in column.cast(pa.int64()).to_pylist()]
    if pa.types.is_date32(kind) or pa.types.is_time32(kind):
        return column.cast(pa.int32()).to_pylist()
    if pa.types.is_float32(kind):
        return [None if v is None else struct.unpack("<I", struct.pack("<f", v))[0] for v in column.to_pylist()]
    if pa.types.is_float64(kind):
        return [None if v is None else struct.unpack("<Q", struct.pack("<d", v))[0] for v in column.to_pylist()]
    if pa.types.is_decimal(kind):
        return [None if v is None else format(v, "f") for v in column.to_pylist()]
    if pa.types.is_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return [None if v is None else v.hex() for v in column.to_pylist()]
    return column.to_pylist()


def entries(pairs):
    """The canonical form of one map, given its keys and values as a struct array."""
    keys, values = (canonical(part) for part in pairs.flatten())
    return sorted([list(pair) for pair in zip(keys, values)], key=json.dumps)


def python(kind, value):
    """What `pa.array` takes for a value in canonical form that stands inside a nested one."""
    if value is None:
        return None
    if pa.types.is_map(kind):
        return [(python(kind.key_type, k), python(kind.item_type, v)) for k, v in value]
    if pa.types.is_list(kind):
        return [python(kind.value_type, v) for v in value]
    if pa.types.is_struct(kind):
        return {field.name: python(field.type, v) for field, v in zip(kind, value)}
    if pa.types.is_timestamp(kind):
        return value // PER_SECOND[kind.unit]
    return native(kind, [value])[0].as_py() if not pa.types.is_temporal(kind) else value


def native(kind, values):
    """The Arrow array of type `kind` that `values`, in canonical form, stand for."""
    if pa.types.is_nested(kind):
        return pa.array([python(kind, v) for v in values], kind)
    if pa.types.is_timestamp(kind):
        factor = PER_SECOND[kind.unit]
        values = [None if v is None else v // factor for v in values]
        return pa.array(values, pa.int64()).cast(kind)
    if pa.types.is_date32(kind) or pa.types.is_time32(kind):
        return pa.array(values, pa.int32()).cast(kind)
    if pa.types.is_float32(kind):
        return pa.array([None if v is None else struct.unpack("<f", struct.pack("<I", v))[0] for v in values], kind)
    if pa.types.is_float64(kind):
        return pa.array([None if v is None else struct.unpack("<d", struct.pack("<Q", v))[0] for v in values], kind)
    if pa.types.is_decimal(kind):
        return pa.array([None if v is None else decimal.Decimal(v) for v in values], kind)
    if pa.types.is_binary(kind):
        return pa.array([None if v is None else bytes.fromhex(v) for v in values], kind)
    return pa.array(values, kind)


def catalog_of(request):
    """The catalog with the options of "catalog", or else the one of a folder."""
    return CatalogFactory.create(request.get("catalog") or {"warehouse": request["warehouse"]})


def table(request):
    return catalog_of(request).get_table(request["table"])


def scan(request):
    """The rows of the newest snapshot, of "snapshot", or of what "tag" keeps, as an Arrow table."""
    target = table(request)
    if "tag" in request:
        target = target.copy({"scan.tag-name": request["tag"]})
    if "snapshot" in request:
        target = target.copy({"scan.snapshot-id": str(request["snapshot"])})
    builder = target.new_read_builder()
    if "columns" in request:
        builder = builder.with_projection(request["columns"])
    if "filter" in request:
        column, method, literal = request["filter"]
        predicates = builder.new_predicate_builder()
        builder = builder.with_filter(getattr(predicates, method)(column, literal))
    return builder.new_read().to_arrow(builder.new_scan().plan().splits())


def rows(request):
    """Every row of the table (or of the columns asked for): {"columns": [...], "rows": [[...], ...]}."""
    found = scan(request)
    columns = [canonical(found.column(i)) for i in range(found.num_columns)]
    return {"columns": found.schema.names, "rows": [list(row) for row in zip(*columns)]}


def count(request):
    return scan(request).num_rows


def ids(request):
    """Of each value of the column "by": [value, rows, distinct values of the column "of", the least, the greatest]."""
    by, of = request["by"], request["of"]
    every = pc.CountOptions(mode="all")
    wanted = [(of, "count", every), (of, "count_distinct", every), (of, "min"), (of, "max")]
    found = scan({**request, "columns": [by, of]}).group_by(by).aggregate(wanted)
    columns = [found.column(name).to_pylist() for name in (by, *(f"{of}_{how[1]}" for how in wanted))]
    return sorted(map(list, zip(*columns)))


METHODS = {
    "=": "equal",
    "<>": "not_equal",
    "<": "less_than",
    "<=": "less_or_equal",
    ">": "greater_than",
    ">=": "greater_or_equal",
    "IN": "is_in",
    "NOT IN": "is_not_in",
    "BETWEEN": "between",
    "LIKE": "like",
    "IS NULL": "is_null",
    "IS NOT NULL": "is_not_null",
}


def kept(request):
    """For each of "conditions" the sum of the column `bit` of the rows that meet it."""
    target = table(request)
    builder = target.new_read_builder()
    predicates, kinds = builder.new_predicate_builder(), {field.name: field.type for field in pyarrow_schema(target)}
    answers = []
    for condition in request["conditions"]:
        wanted = predicate(predicates, kinds, condition)
        builder = target.new_read_builder().with_projection(["bit"]).with_filter(wanted)
        found = builder.new_read().to_arrow(builder.new_scan().plan().splits())
        answers.append({"kept": sum(found.column("bit").to_pylist())})
    return answers


def predicate(predicates, kinds, condition):
    """A condition of the tests (see filters/conditions.rs) as pypaimon's."""
    operator, *rest = condition
    if operator in ("AND", "OR"):
        parts = [predicate(predicates, kinds, part) for part in rest]
        return predicates.and_predicates(parts) if operator == "AND" else predicates.or_predicates(parts)
    column, *values = rest
    values = [native(kinds[column], [value])[0].as_py() for value in values]
    return getattr(predicates, METHODS[operator])(column, *([values] if operator.endswith("IN") else values))


def create(request):
    """Creates a table from [[name, arrow type], ...]; types are written as Python expressions over `pa`."""
    fields = [(name, eval(kind, {"pa": pa})) for name, kind in request["fields"]]  # the tests' own text
    catalog = catalog_of(request)
    catalog.create_database(request["table"].split(".")[0], True)
    schema = Schema.from_pyarrow_schema(
        pa.schema(fields), partition_keys=request.get("partition_keys"), options=request.get("options", {})
    )
    catalog.create_table(request["table"], schema, False)


def drop(request):
    """Drops a table with its files."""
    catalog_of(request).drop_table(request["table"], False)


def append(request):
    """Appends rows in canonical form, one commit."""
    target = table(request)
    fields = [(field.name, field.type) for field in pyarrow_schema(target)]
    columns = list(zip(*request["rows"]))
    batch = pa.Table.from_arrays([native(kind, list(c)) for (_, kind), c in zip(fields, columns)], schema=pa.schema(fields))
    builder = target.new_batch_write_builder()
    writer, committer = builder.new_write(), builder.new_commit()
    writer.write_arrow(batch)
    committer.commit(writer.prepare_commit())
    writer.close()
    committer.close()


def alter(request):
    """Alters a table by ["add", name, type], ["drop", name], ["rename", name, new], ["type", name, type], ["first",
    name] and ["set", key, value]; types as Paimon spells them, one new schema for all "changes"."""
    makers = {
        "add": lambda name, kind: SchemaChange.add_column(name, AtomicType(kind)),
        "drop": SchemaChange.drop_column,
        "rename": SchemaChange.rename_column,
        "type": lambda name, kind: SchemaChange.update_column_type(name, AtomicType(kind), True),
        "first": lambda name: SchemaChange.update_column_position(Move.first(name)),
        "set": SchemaChange.set_option,
    }
    changes = [makers[change](*arguments) for change, *arguments in request["changes"]]
    catalog_of(request).alter_table(request["table"], changes)


def tables(request):
    """The names of the tables of "database", after renaming "rename"[0] to "rename"[1] if that is asked."""
    if "rename" in request:
        catalog_of(request).rename_table(*request["rename"])
    return catalog_of(request).list_tables(request["database"])


def partitions(request):
    """[[spec, rows], ...]"""
    found = catalog_of(request).list_partitions_paged(request["table"]).elements
    return [[partition.spec, partition.record_count] for partition in found]


def tag(request):
    """Keeps the newest snapshot under the name "tag", for ever or for "time_retained"."""
    table(request).create_tag(request["tag"], time_retained=request.get("time_retained"))


def branch(request):
    """Begins the branch "branch" at the tag "tag"."""
    catalog = catalog_of(request)
    catalog.create_branch(request["table"], request["branch"], request["tag"])


def pyarrow_schema(target):
    from pypaimon.schema.data_types import PyarrowFieldParser

    return PyarrowFieldParser.from_paimon_schema(target.fields)


OPERATIONS = {
    "rows": rows,
    "count": count,
    "ids": ids,
    "create": create,
    "append": append,
    "drop": drop,
    "kept": kept,
    "alter": alter,
    "tables": tables,
    "partitions": partitions,
    "tag": tag,
    "branch": branch,
}

if __name__ == "__main__":
    serve(OPERATIONS, ANSWERS)
