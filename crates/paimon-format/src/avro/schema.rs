//! The Avro schemas that are written, and the check of those that are read.

use std::sync::LazyLock;

use apache_avro::Schema;
use apache_avro::schema::Name;

/// A schema of this module; that they all parse is a test's business.
pub(super) type Parsed = LazyLock<Result<Schema, apache_avro::Error>>;

/// The schema of a manifest (`ManifestEntry.MANIFEST_ROW_TYPE`, `AvroSchemaConverter`).
pub(super) static MANIFEST_ENTRY: Parsed = LazyLock::new(|| {
    let fields = format!(
        r#"{{"name": "_VERSION", "type": "int"}},
        {{"name": "_KIND", "type": "int"}},
        {{"name": "_PARTITION", "type": "bytes"}},
        {{"name": "_BUCKET", "type": "int"}},
        {{"name": "_TOTAL_BUCKETS", "type": "int"}},
        {{"name": "_FILE", "type": {}}}"#,
        data_file()
    );
    Schema::parse_str(&record("record", &fields))
});

/// The schema of a manifest list (`ManifestFileMeta.SCHEMA`).
pub(super) static MANIFEST_FILE_META: Parsed = LazyLock::new(|| {
    let fields = format!(
        r#"{{"name": "_VERSION", "type": "int"}},
        {{"name": "_FILE_NAME", "type": "string"}},
        {{"name": "_FILE_SIZE", "type": "long"}},
        {{"name": "_NUM_ADDED_FILES", "type": "long"}},
        {{"name": "_NUM_DELETED_FILES", "type": "long"}},
        {{"name": "_PARTITION_STATS", "type": {}}},
        {{"name": "_SCHEMA_ID", "type": "long"}},
        {}, {}, {}, {}, {}, {}"#,
        stats("record__PARTITION_STATS"),
        nullable("_MIN_BUCKET", r#""int""#),
        nullable("_MAX_BUCKET", r#""int""#),
        nullable("_MIN_LEVEL", r#""int""#),
        nullable("_MAX_LEVEL", r#""int""#),
        nullable("_MIN_ROW_ID", r#""long""#),
        nullable("_MAX_ROW_ID", r#""long""#),
    );
    Schema::parse_str(&record("record", &fields))
});

const STRINGS: &str = r#"{"type": "array", "items": "string"}"#;

/// `DataFileMeta.SCHEMA` as of Paimon 2.0.
fn data_file() -> String {
    let fields = format!(
        r#"{{"name": "_FILE_NAME", "type": "string"}},
        {{"name": "_FILE_SIZE", "type": "long"}},
        {{"name": "_ROW_COUNT", "type": "long"}},
        {{"name": "_MIN_KEY", "type": "bytes"}},
        {{"name": "_MAX_KEY", "type": "bytes"}},
        {{"name": "_KEY_STATS", "type": {}}},
        {{"name": "_VALUE_STATS", "type": {}}},
        {{"name": "_MIN_SEQUENCE_NUMBER", "type": "long"}},
        {{"name": "_MAX_SEQUENCE_NUMBER", "type": "long"}},
        {{"name": "_SCHEMA_ID", "type": "long"}},
        {{"name": "_LEVEL", "type": "int"}},
        {{"name": "_EXTRA_FILES", "type": {STRINGS}}},
        {}, {}, {}, {}, {}, {}, {}, {}"#,
        stats("record__FILE__KEY_STATS"),
        stats("record__FILE__VALUE_STATS"),
        nullable("_CREATION_TIME", r#"{"type": "long", "logicalType": "timestamp-millis"}"#),
        nullable("_DELETE_ROW_COUNT", r#""long""#),
        nullable("_EMBEDDED_FILE_INDEX", r#""bytes""#),
        nullable("_FILE_SOURCE", r#""int""#),
        nullable("_VALUE_STATS_COLS", STRINGS),
        nullable("_EXTERNAL_PATH", r#""string""#),
        nullable("_FIRST_ROW_ID", r#""long""#),
        nullable("_WRITE_COLS", STRINGS),
    );
    record("record__FILE", &fields)
}

/// `SimpleStats.SCHEMA`.
fn stats(name: &str) -> String {
    let fields = format!(
        r#"{{"name": "_MIN_VALUES", "type": "bytes"}},
        {{"name": "_MAX_VALUES", "type": "bytes"}},
        {}"#,
        nullable("_NULL_COUNTS", r#"{"type": "array", "items": ["null", "long"]}"#)
    );
    record(name, &fields)
}

fn record(name: &str, fields: &str) -> String {
    format!(r#"{{"type": "record", "name": "org.apache.paimon.avro.generated.{name}", "fields": [{fields}]}}"#)
}

fn nullable(name: &str, other: &str) -> String {
    format!(r#"{{"name": "{name}", "type": ["null", {other}], "default": null}}"#)
}

/// Refuses schemas with which a few bytes could stand for endless or endlessly nested data: types
/// without bytes outside a union, and records inside themselves. Under all others, the work of
/// reading is bounded by the number of bytes read.
pub(super) fn check_bounded(schema: &Schema) -> Result<(), String> {
    check(schema, &mut Vec::new())
}

fn check<'s>(schema: &'s Schema, inside: &mut Vec<&'s Name>) -> Result<(), String> {
    match schema {
        Schema::Null => Err("the avro schema has a type without bytes".to_owned()),
        Schema::Fixed(fixed) if fixed.size == 0 => Err(format!("the avro type {} has no bytes", fixed.name)),
        Schema::Record(record) => {
            if record.fields.is_empty() {
                return Err(format!("the avro record {} has no bytes", record.name));
            }
            inside.push(&record.name);
            for field in &record.fields {
                check(&field.schema, inside)?;
            }
            inside.pop();
            Ok(())
        }
        Schema::Array(array) => check(&array.items, inside),
        Schema::Map(map) => check(&map.types, inside),
        Schema::Union(union) => union
            .variants()
            .iter()
            .filter(|variant| !matches!(variant, Schema::Null))
            .try_for_each(|variant| check(variant, inside)),
        Schema::Ref { name } if inside.contains(&name) => Err(format!("the avro record {name} is inside itself")),
        _ => Ok(()),
    }
}
