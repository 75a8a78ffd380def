//! Targets of text: data types, table options, partitions, statements.

use std::collections::BTreeMap;

use paimon_format::options::TABLE_OPTIONS as DEFINITIONS;
use paimon_format::{CoreOptions, DataField, DataType, MemorySize, TableSchema, parse_duration};
use paimon_table::partition_text;
use tributary_statement::Variable;

use crate::harness::Target;
use crate::mutate::{self, Random};

fn mutate(random: &mut Random, golden: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
    let from: &Vec<u8> = random.one(golden);
    let mut text = String::from_utf8_lossy(from).into_owned();
    mutate::several(random, &mut text, |random, text| mutate::text(random, text, words, golden));
    text.into_bytes()
}

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

pub(crate) const DATA_TYPE: Target = Target {
    golden: || {
        texts(&[
            "INT NOT NULL",
            "DECIMAL(38, 10)",
            "TIMESTAMP(3) WITH LOCAL TIME ZONE NOT NULL",
            "TIMESTAMP_LTZ(9)",
            "VARCHAR(20)",
            "ARRAY<MAP<STRING NOT NULL, ROW<`a ``b` INT COMMENT 'it''s', c ARRAY<BYTES>>>>",
            "MAP<INT, MULTISET<INT>>",
        ])
    },
    mutate: |random, golden| {
        let words = [
            "ARRAY<",
            "MAP<",
            "ROW<",
            ">",
            "<",
            "(",
            ")",
            ",",
            " NOT NULL",
            " NULL",
            "INT",
            "STRING",
            "DECIMAL",
            "TIME",
            "CHAR",
            "TIMESTAMP",
            " WITH LOCAL TIME ZONE",
            " WITHOUT TIME ZONE",
            "`a` INT",
            " COMMENT 'c'",
            "2147483647",
            "BYTES",
        ];
        mutate(random, golden, &words)
    },
    run: |input| {
        let text = String::from_utf8_lossy(input);
        match text.parse::<DataType>() {
            Ok(data_type) => assert_eq!(data_type.to_string().parse::<DataType>().unwrap(), data_type),
            Err(error) => drop(error.to_string()),
        }
    },
    fixed_bytes: 16 << 10,
    per_byte: 192,
};

/// Lines of `key=value`.
pub(crate) const TABLE_OPTIONS: Target = Target {
    golden: || {
        let defaults: Vec<String> =
            DEFINITIONS.iter().map(|option| format!("{}={}", option.key, option.default.unwrap_or("100 mb"))).collect();
        let mut inputs: Vec<Vec<u8>> = defaults.iter().map(|line| line.clone().into_bytes()).collect();
        inputs.extend(texts(&[
            "bucket=-1\nfields.a.stats-mode=truncate(16)\ncommit.timeout=1 min",
            "consumer.expiration-time=7 d\nfile.block-size=128 mb",
        ]));
        inputs
    },
    mutate: |random, golden| {
        let words = [
            "=",
            "\n",
            "mb",
            " gb",
            "tb",
            "kb",
            "bytes",
            " h",
            "min",
            "ms",
            "d",
            "ns",
            "true",
            "FALSE",
            "truncate(",
            "full",
            "zstd",
            "18446744073709551615",
            "9223372036854775807",
            "1e9",
            "-",
            "0.5",
            "fields.",
            ".stats-mode",
            "µs",
        ];
        mutate(random, golden, &words)
    },
    run: |input| {
        let text = String::from_utf8_lossy(input);
        let options: BTreeMap<String, String> =
            text.lines().filter_map(|line| line.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        match CoreOptions::parse(&options) {
            Ok(parsed) => drop(parsed.check_supported(&options)),
            Err(error) => drop(error.to_string()),
        }
        if let Some((key, value)) = options.first_key_value() {
            let _unknown = paimon_format::options::is_known(key) || paimon_format::options::nearest(key).is_some();
            let _duration = parse_duration(value);
            let _size = MemorySize::parse(value).map(MemorySize::bytes);
        }
    },
    fixed_bytes: 128 << 10,
    per_byte: 128,
};

pub(crate) const PARTITION: Target = Target {
    golden: || {
        texts(&[
            "dt=2026-01-31,hh=9;zone='a b'",
            "dt=\"2026-01-31\"/hh=9/zone=x/at=1970-01-01 00:00:00.001/t=09:00:00.5",
            "{2026-01-31, 9, a, 1970-01-01 00:00:00.000, 00:00:01, 1.5, 1970-01-01 00:00:00.000, 1.0E10, null}",
            "[20484, 9, 'a, b', 1970-01-01T00:00, 1000, 1.50, 1970-01-01T00:00, -Infinity, true]",
        ])
    },
    mutate: |random, golden| {
        let words = [
            "dt=",
            "hh=",
            "zone=",
            "at=",
            "ltz=",
            "=",
            ",",
            ", ",
            ";",
            "/",
            "'",
            "\"",
            "`",
            "[",
            "]",
            "{",
            "}",
            "null",
            "2026-01-31",
            "T00:00",
            "+23:59",
            "Z",
            ":60",
            "1e400",
            "NaN",
            "__DEFAULT_PARTITION__",
            "9999999999",
        ];
        mutate(random, golden, &words)
    },
    run: |input| {
        let text = String::from_utf8_lossy(input);
        let kinds = [
            ("dt", "DATE"),
            ("hh", "INT"),
            ("zone", "STRING"),
            ("at", "TIMESTAMP(3)"),
            ("t", "TIME(3)"),
            ("d", "DECIMAL(10, 2)"),
            ("ltz", "TIMESTAMP_LTZ(9)"),
            ("x", "DOUBLE"),
            ("b", "BOOLEAN"),
        ];
        for keys in [kinds.len(), 2, 1, 0] {
            let fields: Vec<DataField> = kinds
                .iter()
                .enumerate()
                .map(|(id, (name, kind))| DataField::new(id as i32, *name, kind.parse().unwrap()))
                .collect();
            let keys = kinds[..keys].iter().map(|(name, _)| (*name).to_owned()).collect();
            let schema = TableSchema::new(fields, keys, BTreeMap::new(), None, 0);
            match partition_text::parse(&text, &schema) {
                Ok(filter) => {
                    assert!(filter.columns().iter().all(|name| schema.partition_keys.iter().any(|key| key == name)))
                }
                Err(error) => drop(error.to_string()),
            }
        }
    },
    fixed_bytes: 128 << 10,
    per_byte: 128,
};

pub(crate) const STATEMENT: Target = Target {
    golden: || {
        let all = include_str!("statements.sql");
        // A piece that is refused at its first word would teach nothing.
        tributary_statement::parse("statements.sql", all, &|_| Ok("value".to_owned())).unwrap();
        let mut inputs: Vec<Vec<u8>> = all.split_inclusive(";\n\n").map(|part| part.as_bytes().to_vec()).collect();
        inputs.extend([all.as_bytes().to_vec(), include_bytes!("../../config/tutorial.sql").to_vec()]);
        inputs
    },
    mutate: |random, golden| {
        let words = [
            "SELECT ",
            "FROM ",
            "INSERT INTO ",
            "CREATE TABLE ",
            "TEMPORARY ",
            "IF NOT EXISTS ",
            "WITH (",
            "SET ",
            "EXECUTE ",
            "STATEMENT SET ",
            "BEGIN ",
            "END",
            "CASE ",
            "WHEN ",
            "THEN ",
            "ELSE ",
            "CAST(",
            "AS ",
            "AND ",
            "OR ",
            "NOT ",
            "IS NULL",
            "IN (",
            "BETWEEN ",
            "LIKE ",
            "ESCAPE ",
            "PARTITION (",
            "PARTITIONED BY (",
            "COMMENT ",
            "ARRAY<",
            "MAP<",
            "ROW<",
            "INT",
            "DECIMAL(",
            "TIMESTAMP(",
            "INTERVAL ",
            "DATE ",
            "EXTRACT(",
            "TRIM(",
            "||",
            "+",
            "-",
            "*",
            "/",
            "%",
            "=",
            "<>",
            "<=",
            "(",
            ")",
            "[",
            "]",
            ",",
            ";",
            ".",
            "'",
            "''",
            "`",
            "/*",
            "*/",
            "/*+ OPTIONS(",
            "--",
            "'${V}'",
            "'${file:f}'",
            "'$$'",
            "'password'",
            "U&'\\0041'",
            "x'00'",
            "1.5e3",
            "99999999999999999999",
            ":",
            "::",
            "=>",
        ];
        mutate(random, golden, &words)
    },
    run: |input| {
        let text = String::from_utf8_lossy(input);
        let variable = |variable: Variable<'_>| match variable {
            Variable::Named("V") => Ok("it's; --".to_owned()),
            Variable::Named(_) => Err("not set".to_owned()),
            Variable::File(_) => Ok("s3cr3t".to_owned()),
        };
        match tributary_statement::parse("job.sql", &text, &variable) {
            Ok(script) => {
                let _shown = format!("{script:?}");
                for statement in &script.statements {
                    assert!(text.get(statement.span.offset..statement.span.end()).is_some(), "{:?}", statement.span);
                }
            }
            Err(error) => {
                let (span, report) = (error.span(), error.to_string());
                assert!(text.get(span.offset..span.end()).is_some(), "{span:?}");
                assert!(report.starts_with(&format!("job.sql:{}:{}: ", span.line, span.column)), "{report}");
            }
        }
    },
    fixed_bytes: 128 << 10,
    per_byte: 1024,
};
