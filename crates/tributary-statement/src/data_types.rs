//! Rules for types: `INT`, `DECIMAL(10, 2)`, `TIMESTAMP(3) WITH LOCAL TIME ZONE`, `ARRAY<ROW<a INT NOT NULL, b STRING>>` …

use crate::lexer::TokenKind;
use crate::parser::{Parsed, Parser};
use crate::{MAX_LENGTH, PartType, RowField, Span, Spanned, SqlType, nearest};

/// How deep types may be nested, as in a table's schema.
const MAX_DEPTH: usize = 32;

/// Every name a type can start with, for suggestions.
const NAMES: &[&str] = &[
    "BOOLEAN",
    "TINYINT",
    "SMALLINT",
    "INT",
    "INTEGER",
    "BIGINT",
    "FLOAT",
    "DOUBLE",
    "DECIMAL",
    "DEC",
    "NUMERIC",
    "CHAR",
    "VARCHAR",
    "STRING",
    "BINARY",
    "VARBINARY",
    "BYTES",
    "DATE",
    "TIME",
    "TIMESTAMP",
    "TIMESTAMP_LTZ",
    "ARRAY",
    "MAP",
    "ROW",
];

/// Types of Flink that have no place here (yet), and what to write instead.
const UNSUPPORTED: &[(&str, &str)] = &[
    ("MULTISET", MULTISET_HELP),
    ("RAW", ""),
    ("STRUCTURED", ""),
    ("INTERVAL", ""),
    ("VARIANT", ""),
    ("ANY", ""),
    ("NULL", ""),
    ("BLOB", ""),
];

const MULTISET_HELP: &str = "write MAP<type, INT>: each value, and how often it occurs";

impl Parser<'_> {
    /// A type, without nullability.
    pub(crate) fn data_type(&mut self) -> Parsed<Spanned<SqlType>> {
        self.type_inside(0)
    }

    /// `[NULL | NOT NULL]`: whether it may be null.
    pub(crate) fn nullability(&mut self) -> Parsed<bool> {
        if self.accept(&["NOT"]).is_some() {
            self.expect("NULL")?;
            return Ok(false);
        }
        self.accept(&["NULL"]);
        Ok(true)
    }

    /// A type inside `outer` others, and the `ARRAY`s behind it.
    fn type_inside(&mut self, outer: usize) -> Parsed<Spanned<SqlType>> {
        let mut found = self.named_type(outer)?;
        while let Some(suffix) = self.collection_suffix() {
            let nullable = self.nullability()?;
            if suffix == "MULTISET" {
                return Err(self.refuse(1, "the type MULTISET is", MULTISET_HELP));
            }
            self.expect(suffix)?;
            let element = PartType { sql_type: found.value, nullable };
            found = Spanned::new(SqlType::Array(Box::new(element)), found.span.to(self.last_span()));
            self.check_type_depth(found.span, outer + found.value.depth())?;
        }
        Ok(found)
    }

    /// The collection that the type before is the element of, behind its nullability.
    fn collection_suffix(&self) -> Option<&'static str> {
        let ahead = [&["NOT", "NULL"][..], &["NULL"]].into_iter().find(|words| self.words_at(0, words));
        let ahead = ahead.map_or(0, <[_]>::len);
        ["ARRAY", "MULTISET"].into_iter().find(|word| self.words_at(ahead, &[word]))
    }

    /// A type as part of another one, inside `outer` others.
    fn part(&mut self, outer: usize) -> Parsed<PartType> {
        let sql_type = self.type_inside(outer)?.value;
        Ok(PartType { sql_type, nullable: self.nullability()? })
    }

    fn check_type_depth(&self, span: Span, depth: usize) -> Parsed<()> {
        if depth <= MAX_DEPTH {
            return Ok(());
        }
        Err(self.source.error(span, format!("types are nested more than {MAX_DEPTH} deep")))
    }

    fn named_type(&mut self, outer: usize) -> Parsed<Spanned<SqlType>> {
        let token = self.peek();
        if token.kind != TokenKind::Word {
            return Err(self.expected("a type"));
        }
        let name = self.text(token).to_ascii_uppercase();
        if let Some((_, help)) = UNSUPPORTED.iter().find(|(unsupported, _)| *unsupported == name) {
            return Err(self.refuse(1, &format!("the type {name} is"), help));
        }
        if !NAMES.contains(&name.as_str()) {
            let shown = self.source.shown(token.span);
            let error = self.source.error(token.span, format!("unknown type `{shown}`"));
            return Err(match nearest(&shown, NAMES.iter().copied()) {
                Some(meant) => error.with_help(format!("did you mean {meant}?")),
                None => error.with_help(format!("the types are {}", NAMES.join(", "))),
            });
        }
        self.check_type_depth(token.span, outer)?;
        self.take();
        let sql_type = match name.as_str() {
            "ARRAY" => {
                self.expect_symbol("<")?;
                let element = self.part(outer + 1)?;
                self.expect_symbol(">")?;
                SqlType::Array(Box::new(element))
            }
            "MAP" => {
                self.expect_symbol("<")?;
                let key = Box::new(self.part(outer + 1)?);
                self.expect_symbol(",")?;
                let value = Box::new(self.part(outer + 1)?);
                self.expect_symbol(">")?;
                SqlType::Map { key, value }
            }
            "ROW" => SqlType::Row(self.row_fields(outer + 1)?),
            "BOOLEAN" => SqlType::Boolean,
            "TINYINT" => SqlType::TinyInt,
            "SMALLINT" => SqlType::SmallInt,
            "INT" | "INTEGER" => SqlType::Int,
            "BIGINT" => SqlType::BigInt,
            "FLOAT" => SqlType::Float,
            "DOUBLE" => {
                self.accept(&["PRECISION"]);
                SqlType::Double
            }
            "DECIMAL" | "DEC" | "NUMERIC" => self.decimal()?,
            "CHAR" => SqlType::Char(self.length("CHAR")?),
            "VARCHAR" => SqlType::Varchar(self.length("VARCHAR")?),
            "STRING" => SqlType::STRING,
            "BINARY" => SqlType::Binary(self.length("BINARY")?),
            "VARBINARY" => SqlType::Varbinary(self.length("VARBINARY")?),
            "BYTES" => SqlType::BYTES,
            "DATE" => SqlType::Date,
            "TIME" => {
                let precision = self.fraction("TIME", 0)?;
                self.accept(&["WITHOUT", "TIME", "ZONE"]);
                SqlType::Time(precision)
            }
            "TIMESTAMP_LTZ" => SqlType::TimestampLtz(self.fraction("TIMESTAMP_LTZ", 6)?),
            _ => self.timestamp()?,
        };
        if self.is_symbol("(") {
            return Err(self.source.error(self.peek().span, format!("{name} takes no parameters")));
        }
        Ok(Spanned::new(sql_type, token.span.to(self.last_span())))
    }

    /// Behind `ROW`: `<name type ['comment'], …>`, or the same in parentheses.
    fn row_fields(&mut self, outer: usize) -> Parsed<Vec<RowField>> {
        let close = if self.accept_symbol("(").is_some() { ")" } else { ">" };
        if close == ">" {
            self.expect_symbol("<")?;
        }
        let (mut names, mut fields) = (Vec::new(), Vec::new());
        loop {
            let name = self.name("the name of a field")?;
            let part = self.part(outer)?;
            let comment = match self.peek().kind {
                TokenKind::Text => Some(self.string("a comment")?.value.text),
                _ => None,
            };
            fields.push(RowField { name: name.value.clone(), part, comment });
            names.push(name);
            if self.accept_symbol(",").is_none() {
                break;
            }
        }
        if self.accept_symbol(close).is_none() {
            return Err(self.expected(&format!("a comment as a string, `,` or `{close}`")));
        }
        self.distinct("field", names.iter())?;
        Ok(fields)
    }

    /// Behind `TIMESTAMP`: `[(p)] [WITHOUT TIME ZONE | WITH LOCAL TIME ZONE]`.
    fn timestamp(&mut self) -> Parsed<SqlType> {
        let precision = self.fraction("TIMESTAMP", 6)?;
        if self.accept(&["WITH", "LOCAL", "TIME", "ZONE"]).is_some() {
            return Ok(SqlType::TimestampLtz(precision));
        }
        if self.words_at(0, &["WITH", "TIME", "ZONE"]) {
            return Err(self.refuse(3, "the type TIMESTAMP WITH TIME ZONE is", "write TIMESTAMP WITH LOCAL TIME ZONE"));
        }
        self.accept(&["WITHOUT", "TIME", "ZONE"]);
        Ok(SqlType::Timestamp(precision))
    }

    /// Behind `DECIMAL`: `[(precision [, scale])]`.
    fn decimal(&mut self) -> Parsed<SqlType> {
        let (mut precision, mut scale) = (10, 0);
        if self.accept_symbol("(").is_some() {
            precision = self.parameter("the precision of a DECIMAL", 1, 38)?;
            if self.accept_symbol(",").is_some() {
                scale = self.parameter("the scale of a DECIMAL", 0, precision)?;
            }
            self.expect_symbol(")")?;
        }
        Ok(SqlType::Decimal { precision: narrow(precision), scale: narrow(scale) })
    }

    /// `[(n)]`, a length.
    fn length(&mut self, of: &str) -> Parsed<u32> {
        self.one_parameter(&format!("the length of a {of}"), 1, MAX_LENGTH, 1)
    }

    /// `[(p)]`, fractional digits of a second.
    fn fraction(&mut self, of: &str, default: u32) -> Parsed<u8> {
        self.one_parameter(&format!("the precision of a {of}"), 0, 9, default).map(narrow)
    }

    fn one_parameter(&mut self, what: &str, least: u32, most: u32, default: u32) -> Parsed<u32> {
        if self.accept_symbol("(").is_none() {
            return Ok(default);
        }
        let value = self.parameter(what, least, most)?;
        self.expect_symbol(")")?;
        Ok(value)
    }

    fn parameter(&mut self, what: &str, least: u32, most: u32) -> Parsed<u32> {
        let token = self.peek();
        if token.kind != TokenKind::Number {
            return Err(self.expected(what));
        }
        match self.text(token).parse::<u32>() {
            Ok(value) if (least..=most).contains(&value) => {
                self.take();
                Ok(value)
            }
            _ => Err(self.source.error(token.span, format!("{what} is {least} to {most}"))),
        }
    }
}

/// Callers have checked the range; a value out of it would still be refused as too large by every reader.
fn narrow(value: u32) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}
