//! `dt=2026-01-01,hh=9;dt=2026-01-02`: partitions as Paimon's procedures take them.

use arrow::array::StringArray;
use arrow::compute::{CastOptions, cast_with_options};
use paimon_format::{DataField, Datum, TableSchema};
use paimon_table::arrow::{arrow_type, datum_at};
use paimon_table::predicate::{Comparison, Predicate};

use crate::failure::Failure;

/// `,` is AND, `;` is OR; the default partition's name means null.
pub(super) fn parse(spec: &str, schema: &TableSchema) -> Result<Predicate, Failure> {
    let fields = schema.partition_fields();
    if fields.is_empty() {
        return Err(Failure::usage("--partition: the table has no partitions; leave it out"));
    }
    let wanted: Result<Vec<Predicate>, Failure> = spec
        .split(';')
        .map(|one| one.split(',').map(|part| condition(part, &fields, schema)).collect::<Result<_, _>>())
        .map(|conditions| conditions.map(Predicate::And))
        .collect();
    wanted.map(Predicate::Or)
}

fn condition(part: &str, fields: &[&DataField], schema: &TableSchema) -> Result<Predicate, Failure> {
    let keys = || fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>().join(", ");
    let Some((key, text)) = part.split_once('=') else {
        let example = fields.first().map_or("", |field| field.name.as_str());
        return Err(Failure::usage(format!("--partition: `{part}` is not KEY=VALUE; write, for example, {example}=…")));
    };
    let (key, text) = (key.trim(), text.trim().trim_matches('\''));
    let Some(field) = fields.iter().find(|field| field.name == key) else {
        return Err(Failure::usage(format!(
            "--partition: the table is not partitioned by `{key}`; its partition keys are {}",
            keys()
        )));
    };
    let default_name = schema.options.get("partition.default-name").map_or("__DEFAULT_PARTITION__", String::as_str);
    if text == default_name {
        return Ok(Predicate::IsNull(key.to_owned()));
    }
    let value = datum(text, field).ok_or_else(|| {
        Failure::usage(format!("--partition: `{key}` is of type {}, which `{text}` is not", field.data_type.root))
    })?;
    Ok(Predicate::compare(key, Comparison::Eq, value))
}

/// The text as a value of the column's type, read as SQL's CAST reads it.
fn datum(text: &str, field: &DataField) -> Option<Datum> {
    let root = &field.data_type.root;
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let array = cast_with_options(&StringArray::from(vec![text]), &arrow_type(root), &strict).ok()?;
    datum_at(&array, 0, root).ok()?
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use std::collections::BTreeMap;

    use super::*;

    fn schema(partition_keys: &[&str]) -> TableSchema {
        let field = |id, name: &str, data_type: &str| DataField::new(id, name, data_type.parse().unwrap());
        TableSchema::new(
            vec![field(0, "id", "STRING"), field(1, "dt", "DATE"), field(2, "hh", "INT"), field(3, "zone", "STRING")],
            partition_keys.iter().map(|key| (*key).to_owned()).collect(),
            BTreeMap::new(),
            None,
            0,
        )
    }

    fn eq(column: &str, value: Datum) -> Predicate {
        Predicate::compare(column, Comparison::Eq, value)
    }

    #[test]
    fn commas_are_and_and_semicolons_are_or() {
        let parsed = parse("dt=2026-01-31, hh=9;zone='a b';zone=__DEFAULT_PARTITION__", &schema(&["dt", "hh", "zone"]));
        let expected = Predicate::Or(vec![
            Predicate::And(vec![eq("dt", Datum::Date(20_484)), eq("hh", Datum::Int(9))]),
            Predicate::And(vec![eq("zone", Datum::String("a b".to_owned()))]),
            Predicate::And(vec![Predicate::IsNull("zone".to_owned())]),
        ]);
        assert_eq!(parsed.unwrap(), expected);
    }

    #[test]
    fn mistakes_are_named() {
        for (spec, keys, expected) in [
            ("dt=1", &[][..], "--partition: the table has no partitions; leave it out"),
            ("dt", &["dt"], "--partition: `dt` is not KEY=VALUE; write, for example, dt=…"),
            (
                "day=1",
                &["dt", "hh"],
                "--partition: the table is not partitioned by `day`; its partition keys are dt, hh",
            ),
            ("hh=nine", &["hh"], "--partition: `hh` is of type INT, which `nine` is not"),
        ] {
            assert_eq!(parse(spec, &schema(keys)).unwrap_err().text(), expected);
        }
    }
}
