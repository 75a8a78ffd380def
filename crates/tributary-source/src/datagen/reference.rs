//! The options of datagen, as data: the documentation is generated from it.

/// One option, for the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionDef {
    /// Its key; `#` stands for a column's name, or the path to what is inside one.
    pub key: &'static str,
    /// Its default, in words where it depends on the column.
    pub default: &'static str,
    /// The kind of value.
    pub kind: &'static str,
    /// What it does.
    pub doc: &'static str,
}

/// Every option of the connector. All but `seed` and `splits` are Flink's.
pub const OPTIONS: &[OptionDef] = &[
    OptionDef { key: "connector", default: "(required)", kind: "String", doc: "`datagen`." },
    OptionDef {
        key: "rows-per-second",
        default: "10000",
        kind: "Long",
        doc: "Rows per second of the whole table, up to 100,000,000.",
    },
    OptionDef {
        key: "number-of-rows",
        default: "(unbounded)",
        kind: "Long",
        doc: "Rows in all; the job ends with the last one committed. May be changed between two starts.",
    },
    OptionDef {
        key: "scan.parallelism",
        default: "(none)",
        kind: "Integer",
        doc: "Number of splits when `splits` is not given.",
    },
    OptionDef {
        key: "seed",
        default: "(drawn at the first start and stored)",
        kind: "Long",
        doc: "Decides every value. Not an option of Flink's.",
    },
    OptionDef {
        key: "splits",
        default: "(`sink.parallelism` at the first start, stored)",
        kind: "Integer",
        doc: "Parts with a position of their own, 1 to 1024; fixed once the table has been started. Not an option of Flink's.",
    },
    OptionDef {
        key: "fields.#.kind",
        default: "random",
        kind: "String",
        doc: "`random` or `sequence`. Sequences are for columns of numbers, text and bytes.",
    },
    OptionDef {
        key: "fields.#.min",
        default: "(least value of the type; FLOAT and DOUBLE: least above 0; DECIMAL: 0)",
        kind: "(type of the column)",
        doc: "Least random number, inclusive.",
    },
    OptionDef {
        key: "fields.#.max",
        default: "(greatest value of the type)",
        kind: "(type of the column)",
        doc: "Greatest random number, inclusive.",
    },
    OptionDef {
        key: "fields.#.max-past",
        default: "0 s",
        kind: "Duration",
        doc: "How far random timestamps lie behind the time of their batch at most.",
    },
    OptionDef {
        key: "fields.#.length",
        default: "100 (VARCHAR(n), VARBINARY(n): n; ARRAY, MAP: 3)",
        kind: "Integer",
        doc: "Length of random text (hexadecimal digits) or bytes; CHAR(n) and BINARY(n) always have n. Elements of an ARRAY; keys drawn for a MAP, of which equal ones are one.",
    },
    OptionDef {
        key: "fields.#.var-len",
        default: "false",
        kind: "Boolean",
        doc: "Lengths from 1 to `length` instead of always `length`.",
    },
    OptionDef { key: "fields.#.start", default: "(none)", kind: "Long", doc: "First value of a sequence." },
    OptionDef {
        key: "fields.#.end",
        default: "(none)",
        kind: "Long",
        doc: "Last value of a sequence; the job ends when the first sequence does. May be changed between two starts.",
    },
    OptionDef {
        key: "fields.#.null-rate",
        default: "0",
        kind: "Double",
        doc: "Share of nulls among random values, 0 to 1. Keys of a MAP are never null.",
    },
];
