"""Paimon's Java library inside an engine's JVM: which rows of a table are read under a condition, and their Z-order.

Engines of SQL hand their conditions to these classes and filter the rows again themselves. A query for each of
hundreds of conditions would take minutes, asking the library takes milliseconds.
"""

import decimal
import functools
import struct

OPERATORS = {
    "=": "Equal",
    "<>": "NotEqual",
    "<": "LessThan",
    "<=": "LessOrEqual",
    ">": "GreaterThan",
    ">=": "GreaterOrEqual",
    "LIKE": "StartsWith",
    "IS NULL": "IsNull",
    "IS NOT NULL": "IsNotNull",
}
# Py4J turns numbers into the type of an array's elements.
BOXES = {"TINYINT": "Byte", "SMALLINT": "Short", "BIGINT": "Long", "FLOAT": "Float"}


def column_of(condition):
    """The column of a condition, which has only one."""
    return column_of(condition[1]) if condition[0] in ("AND", "OR") else condition[1]


class Tables:
    """The tables of one JVM, reached through its Py4J gateway."""

    def __init__(self, gateway):
        self.gateway = gateway

    @functools.cache
    def java(self, name):
        """A class; to look one up takes longer than to call it."""
        return functools.reduce(getattr, name.split("."), self.gateway.jvm)

    def paimon(self, name):
        return self.java(f"org.apache.paimon.{name}")

    def array(self, element, values):
        array = self.gateway.new_array(element, len(values))
        for place, value in enumerate(values):
            array[place] = value
        return array

    def table(self, request):
        database, name = request["table"].split(".", 1)
        path = self.paimon("fs.Path")(f"{request['warehouse']}/{database}.db/{name}")
        files = self.paimon("fs.local.LocalFileIO").create()
        return self.paimon("table.FileStoreTableFactory").create(files, path)

    def z_index(self, request):
        """For each list of columns in "order_by" the numbers in column 0, a BIGINT, of the rows along the Z-curve; of
        rows at the same place the smallest first."""
        table = self.table(request)
        indexers = []
        for columns in request["order_by"]:
            indexers.append(self.paimon("sort.zorder.ZIndexer")(table.rowType(), columns))
            indexers[-1].open()
        keys = [[] for _ in indexers]
        for row in self.rows(self.paimon("table.source.ReadBuilderImpl")(table)):
            for indexer, found in zip(indexers, keys):
                found.append((bytes(indexer.index(row)), row.getLong(0)))
        return [[number for _, number in sorted(found)] for found in keys]

    def rows(self, builder):
        """The rows that are read, each good until the next one."""
        for split in builder.newScan().plan().splits():
            rows = self.paimon("reader.RecordReaderIterator")(builder.newRead().createReader(split))
            while rows.hasNext():
                yield rows.next()
            rows.close()

    def kept(self, request):
        """For each of "conditions" (see filters/conditions.rs) the sum of the column `bit` of the rows that are read,
        {"kept": ...}, or {"error": ...}. Which of these rows meet the condition remains to be seen."""
        table = self.table(request)
        columns = {field.name(): (place, field.type()) for place, field in enumerate(table.rowType().getFields())}
        return [self.read(table, columns, condition) for condition in request["conditions"]]

    def read(self, table, columns, condition):
        projection = [columns["bit"][0], columns[column_of(condition)][0]]
        builder = self.paimon("table.source.ReadBuilderImpl")(table)
        builder.withFilter(self.predicate(columns, condition))
        builder.withProjection(self.array(self.gateway.jvm.int, projection))
        try:
            return {"kept": sum(row.getLong(0) for row in self.rows(builder))}
        except Exception as failure:
            return {"error": str(getattr(failure, "java_exception", failure))}

    def predicate(self, columns, condition):
        operator, *rest = condition
        if operator in ("AND", "OR"):
            return self.combined(operator, [self.predicate(columns, part) for part in rest])
        column, *values = rest
        one = lambda operator, value: self.leaf(columns, operator, column, [value])
        if operator == "BETWEEN":
            return self.combined("AND", [one(">=", values[0]), one("<=", values[1])])
        if operator == "IN":
            return self.combined("OR", [one("=", value) for value in values])
        if operator == "NOT IN":
            return self.combined("AND", [one("<>", value) for value in values])
        return self.leaf(columns, operator, column, values)

    def combined(self, operator, parts):
        builder = self.paimon("predicate.PredicateBuilder")
        combine = getattr(builder, {"AND": "and", "OR": "or"}[operator])
        return combine(self.array(self.paimon("predicate.Predicate"), parts))

    def leaf(self, columns, operator, column, values):
        place, kind = columns[column]
        values = [value.removesuffix("%") if operator == "LIKE" else value for value in values]
        function = self.paimon(f"predicate.{OPERATORS[operator]}.INSTANCE")
        return self.paimon("predicate.LeafPredicate")(function, kind, place, column, self.literals(kind, values))

    def literals(self, kind, values):
        """Values in canonical form as a list of Paimon's internal ones."""
        root = kind.getTypeRoot().name()
        boxes = self.array(self.java(f"java.lang.{BOXES.get(root, 'Object')}"), [self.literal(kind, root, v) for v in values])
        objects = self.array(self.java("java.lang.Object"), [None] * len(values))
        self.java("java.lang.System").arraycopy(boxes, 0, objects, 0, len(values))
        return self.java("java.util.Arrays").asList(objects)

    def literal(self, kind, root, value):
        if root == "FLOAT":
            return struct.unpack("<f", struct.pack("<I", value))[0]
        if root == "DOUBLE":
            return struct.unpack("<d", struct.pack("<Q", value))[0]
        if root == "DECIMAL":
            number = decimal.Decimal(value)
            return self.paimon("data.Decimal").fromBigDecimal(number, kind.getPrecision(), kind.getScale())
        if root in ("BINARY", "VARBINARY"):
            return bytes.fromhex(value)
        if root in ("CHAR", "VARCHAR"):
            return self.paimon("data.BinaryString").fromString(value)
        if root.startswith("TIMESTAMP_"):
            return self.paimon("data.Timestamp").fromEpochMillis(value // 10**6, value % 10**6)
        return value
