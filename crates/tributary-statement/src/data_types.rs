//! Rules for types: `INT`, `DECIMAL(10, 2)`, `TIMESTAMP(3) WITH LOCAL TIME ZONE` …

use crate::lexer::TokenKind;
use crate::parser::{Parsed, Parser};
use crate::{MAX_LENGTH, Spanned, SqlType, nearest};

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
];

/// Types of Flink that have no place here (yet).
const UNSUPPORTED: &[&str] =
    &["ARRAY", "MAP", "ROW", "MULTISET", "RAW", "STRUCTURED", "INTERVAL", "VARIANT", "ANY", "NULL", "BLOB"];

impl Parser<'_> {
    /// A type, without nullability.
    pub(crate) fn data_type(&mut self) -> Parsed<Spanned<SqlType>> {
        let token = self.peek();
        if token.kind != TokenKind::Word {
            return Err(self.expected("a type"));
        }
        let name = self.text(token).to_ascii_uppercase();
        if UNSUPPORTED.contains(&name.as_str()) {
            return Err(self.refuse(1, &format!("the type {name} is"), ""));
        }
        if !NAMES.contains(&name.as_str()) {
            let shown = self.source.shown(token.span);
            let error = self.source.error(token.span, format!("unknown type `{shown}`"));
            return Err(match nearest(&shown, NAMES.iter().copied()) {
                Some(meant) => error.with_help(format!("did you mean {meant}?")),
                None => error.with_help(format!("the types are {}", NAMES.join(", "))),
            });
        }
        self.take();
        let sql_type = match name.as_str() {
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
