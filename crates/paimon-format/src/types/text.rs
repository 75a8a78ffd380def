//! The text of types, as in SQL: `ARRAY<INT NOT NULL>`, `MAP<STRING, BIGINT>`, ``ROW<`a` INT, `b` STRING COMMENT 'x'>``.
//!
//! Reading is case-insensitive and knows the aliases (`INTEGER`, `NUMERIC`, `TIMESTAMP_LTZ`, …); writing gives the one
//! canonical spelling, which schema files have for primitive types.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::{DataType, MAX_DECIMAL_PRECISION, MAX_LENGTH, MAX_TIME_PRECISION, MapType, TypeRoot};
use crate::error::{FormatError, Result};
use crate::schema::DataField;

/// Paimon types that are refused by name.
pub(super) const UNSUPPORTED: [&str; 6] = ["MULTISET", "VECTOR", "VARIANT", "BLOB", "GEOMETRY", "GEOGRAPHY"];
/// Types inside types beyond this are no type a table has.
const MAX_DEPTH: usize = 32;

// === impl DataType ===

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suffix = if self.nullable { "" } else { " NOT NULL" };
        write!(f, "{}{suffix}", self.root)
    }
}

impl FromStr for DataType {
    type Err = FormatError;

    /// Parses a type, whose ROW fields are numbered from 0; [`FormatError::Unsupported`] for types of single engines,
    /// [`FormatError::DataType`] for text that is no type or has parameters out of range.
    fn from_str(text: &str) -> Result<Self> {
        Ok(Parser::new(text)?.only_type()?.with_field_ids(&mut -1))
    }
}

// === impl TypeRoot ===

impl fmt::Display for TypeRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => f.write_str("BOOLEAN"),
            Self::TinyInt => f.write_str("TINYINT"),
            Self::SmallInt => f.write_str("SMALLINT"),
            Self::Int => f.write_str("INT"),
            Self::BigInt => f.write_str("BIGINT"),
            Self::Float => f.write_str("FLOAT"),
            Self::Double => f.write_str("DOUBLE"),
            Self::Decimal { precision, scale } => write!(f, "DECIMAL({precision}, {scale})"),
            Self::Char(n) => write!(f, "CHAR({n})"),
            Self::Varchar(MAX_LENGTH) => f.write_str("STRING"),
            Self::Varchar(n) => write!(f, "VARCHAR({n})"),
            Self::Binary(n) => write!(f, "BINARY({n})"),
            Self::Varbinary(MAX_LENGTH) => f.write_str("BYTES"),
            Self::Varbinary(n) => write!(f, "VARBINARY({n})"),
            Self::Date => f.write_str("DATE"),
            Self::Time(p) => write!(f, "TIME({p})"),
            Self::Timestamp(p) => write!(f, "TIMESTAMP({p})"),
            Self::TimestampLtz(p) => write!(f, "TIMESTAMP({p}) WITH LOCAL TIME ZONE"),
            Self::Array(element) => write!(f, "ARRAY<{element}>"),
            Self::Map(map) => write!(f, "MAP<{}, {}>", map.key, map.value),
            Self::Row(fields) => {
                f.write_str("ROW<")?;
                for (index, field) in fields.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}`{}` {}", field.name.replace('`', "``"), field.data_type)?;
                    if let Some(comment) = &field.description {
                        write!(f, " COMMENT '{}'", comment.replace('\'', "''"))?;
                    }
                }
                f.write_str(">")
            }
        }
    }
}

// === impl Parser ===

#[derive(Debug, PartialEq, Eq)]
enum Token {
    /// A name without quotes, as written.
    Word(String),
    /// A name in backticks.
    Name(String),
    /// Text in single quotes.
    Text(String),
    Number(u64),
    Less,
    Greater,
    Open,
    Close,
    Comma,
}

struct Parser<'a> {
    text: &'a str,
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Result<Self> {
        let mut tokens = Vec::new();
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = match first {
                '(' | ')' | '<' | '>' | ',' => 1,
                '`' | '\'' => {
                    quoted_bytes(rest, first).ok_or_else(|| refuse(text, format!("`{first}` is not closed")))?
                }
                '0'..='9' => rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()),
                c if c.is_alphabetic() || c == '_' => {
                    rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
                }
                c => return Err(refuse(text, format!("unexpected `{c}`"))),
            };
            let (token, tail) = rest.split_at(length);
            tokens.push(match first {
                '(' => Token::Open,
                ')' => Token::Close,
                '<' => Token::Less,
                '>' => Token::Greater,
                '`' => Token::Name(unquoted(token, "`")),
                '\'' => Token::Text(unquoted(token, "'")),
                ',' => Token::Comma,
                '0'..='9' => Token::Number(token.parse().map_err(|_| refuse(text, format!("`{token}` is too large")))?),
                _ => Token::Word(token.to_owned()),
            });
            rest = tail.trim_start();
        }
        Ok(Self { text, tokens: tokens.into_iter().peekable() })
    }

    fn only_type(mut self) -> Result<DataType> {
        let data_type = self.data_type(0)?;
        match self.tokens.next() {
            None => Ok(data_type),
            Some(_) => Err(refuse(self.text, "unexpected text after the type")),
        }
    }

    /// A type inside `depth` others.
    fn data_type(&mut self, depth: usize) -> Result<DataType> {
        if depth > MAX_DEPTH {
            return Err(refuse(self.text, format!("types are nested more than {MAX_DEPTH} deep")));
        }
        let Some(Token::Word(word)) = self.tokens.next() else {
            return Err(refuse(self.text, "a type name is expected"));
        };
        let root = self.root(&word.to_ascii_uppercase(), depth)?;
        let mut data_type = DataType { root, nullable: self.nullability()? };
        while self.take_word("ARRAY") {
            data_type = DataType { root: TypeRoot::Array(Arc::new(data_type)), nullable: self.nullability()? };
        }
        if self.take_word("MULTISET") {
            return Err(unsupported_type(self.text));
        }
        Ok(data_type)
    }

    fn nullability(&mut self) -> Result<bool> {
        if self.take_word("NOT") {
            self.expect_word("NULL")?;
            return Ok(false);
        }
        self.take_word("NULL");
        Ok(true)
    }

    fn root(&mut self, word: &str, depth: usize) -> Result<TypeRoot> {
        Ok(match word {
            "ARRAY" => {
                self.expect(&Token::Less, "<")?;
                let element = self.data_type(depth + 1)?;
                self.expect(&Token::Greater, ">")?;
                TypeRoot::Array(Arc::new(element))
            }
            "MAP" => {
                self.expect(&Token::Less, "<")?;
                let key = self.data_type(depth + 1)?;
                self.expect(&Token::Comma, ",")?;
                let value = self.data_type(depth + 1)?;
                self.expect(&Token::Greater, ">")?;
                TypeRoot::Map(Arc::new(MapType { key, value }))
            }
            "ROW" => TypeRoot::Row(self.row(depth)?.into()),
            name if UNSUPPORTED.contains(&name) => return Err(unsupported_type(self.text)),
            "BOOLEAN" => TypeRoot::Boolean,
            "TINYINT" => TypeRoot::TinyInt,
            "SMALLINT" => TypeRoot::SmallInt,
            "INT" | "INTEGER" => TypeRoot::Int,
            "BIGINT" => TypeRoot::BigInt,
            "FLOAT" => TypeRoot::Float,
            "DOUBLE" => {
                self.take_word("PRECISION");
                TypeRoot::Double
            }
            "DECIMAL" | "NUMERIC" | "DEC" => self.decimal()?,
            "CHAR" => TypeRoot::Char(self.length()?),
            "VARCHAR" => TypeRoot::Varchar(self.length()?),
            "STRING" => TypeRoot::STRING,
            "BINARY" => TypeRoot::Binary(self.length()?),
            "VARBINARY" => TypeRoot::Varbinary(self.length()?),
            "BYTES" => TypeRoot::BYTES,
            "DATE" => TypeRoot::Date,
            "TIME" => {
                let precision = self.time_precision(0)?;
                if self.take_word("WITHOUT") {
                    self.time_zone()?;
                }
                TypeRoot::Time(precision)
            }
            "TIMESTAMP" => {
                let precision = self.time_precision(6)?;
                if self.take_word("WITHOUT") {
                    self.time_zone()?;
                } else if self.take_word("WITH") {
                    self.expect_word("LOCAL")?;
                    self.time_zone()?;
                    return Ok(TypeRoot::TimestampLtz(precision));
                }
                TypeRoot::Timestamp(precision)
            }
            "TIMESTAMP_LTZ" => TypeRoot::TimestampLtz(self.time_precision(6)?),
            other => return Err(refuse(self.text, format!("`{other}` is no type"))),
        })
    }

    /// Behind `ROW`: `<name type [COMMENT 'text'], …>`, or the same in parentheses.
    fn row(&mut self, depth: usize) -> Result<Vec<DataField>> {
        let (close, shown) = match self.tokens.next() {
            Some(Token::Less) => (Token::Greater, ">"),
            Some(Token::Open) => (Token::Close, ")"),
            _ => return Err(refuse(self.text, "`<` is expected")),
        };
        let mut fields: Vec<DataField> = Vec::new();
        loop {
            let Some(Token::Word(name) | Token::Name(name)) = self.tokens.next() else {
                return Err(refuse(self.text, "the name of a field is expected"));
            };
            if fields.iter().any(|field| field.name == name) {
                return Err(refuse(self.text, format!("there are two fields `{name}`")));
            }
            let mut field = DataField::new(0, name, self.data_type(depth + 1)?);
            let commented = self.take_word("COMMENT");
            match self.tokens.next_if(|token| matches!(token, Token::Text(_))) {
                Some(Token::Text(comment)) => field.description = Some(comment),
                _ if commented => return Err(refuse(self.text, "a text in quotes is expected after COMMENT")),
                _ => {}
            }
            fields.push(field);
            if !self.take(&Token::Comma) {
                self.expect(&close, shown)?;
                return Ok(fields);
            }
        }
    }

    fn decimal(&mut self) -> Result<TypeRoot> {
        let (mut precision, mut scale) = (10, 0);
        if self.take(&Token::Open) {
            precision = self.number()?;
            if self.take(&Token::Comma) {
                scale = self.number()?;
            }
            self.expect(&Token::Close, ")")?;
        }
        if precision < 1 || precision > u64::from(MAX_DECIMAL_PRECISION) {
            return Err(refuse(self.text, "the precision must be 1 to 38"));
        }
        if scale > precision {
            return Err(refuse(self.text, "the scale must not exceed the precision"));
        }
        Ok(TypeRoot::Decimal { precision: precision as u8, scale: scale as u8 })
    }

    fn length(&mut self) -> Result<u32> {
        match self.parameter()? {
            None => Ok(1),
            Some(n) if (1..=u64::from(MAX_LENGTH)).contains(&n) => Ok(n as u32),
            Some(_) => Err(refuse(self.text, "the length must be 1 to 2147483647")),
        }
    }

    fn time_precision(&mut self, default: u8) -> Result<u8> {
        match self.parameter()? {
            None => Ok(default),
            Some(n) if n <= u64::from(MAX_TIME_PRECISION) => Ok(n as u8),
            Some(_) => Err(refuse(self.text, "the precision must be 0 to 9")),
        }
    }

    fn parameter(&mut self) -> Result<Option<u64>> {
        if !self.take(&Token::Open) {
            return Ok(None);
        }
        let value = self.number()?;
        self.expect(&Token::Close, ")")?;
        Ok(Some(value))
    }

    fn number(&mut self) -> Result<u64> {
        match self.tokens.next() {
            Some(Token::Number(n)) => Ok(n),
            _ => Err(refuse(self.text, "a number is expected")),
        }
    }

    fn time_zone(&mut self) -> Result<()> {
        self.expect_word("TIME")?;
        self.expect_word("ZONE")
    }

    fn expect(&mut self, token: &Token, shown: &str) -> Result<()> {
        if self.take(token) {
            return Ok(());
        }
        Err(refuse(self.text, format!("`{shown}` is expected")))
    }

    fn expect_word(&mut self, word: &str) -> Result<()> {
        if self.take_word(word) {
            return Ok(());
        }
        Err(refuse(self.text, format!("`{word}` is expected")))
    }

    fn take(&mut self, token: &Token) -> bool {
        self.tokens.next_if_eq(token).is_some()
    }

    fn take_word(&mut self, word: &str) -> bool {
        self.tokens.next_if(|token| matches!(token, Token::Word(w) if w.eq_ignore_ascii_case(word))).is_some()
    }
}

/// Bytes of the quoted text that `rest` starts with, quotes included; a doubled quote stands for itself.
fn quoted_bytes(rest: &str, quote: char) -> Option<usize> {
    let mut bytes = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = bytes.next() {
        if c == quote && bytes.next_if(|(_, next)| *next == quote).is_none() {
            return Some(at + 1);
        }
    }
    None
}

fn unquoted(token: &str, quote: &str) -> String {
    token[1..token.len() - 1].replace(&quote.repeat(2), quote)
}

fn refuse(text: &str, why: impl Into<String>) -> FormatError {
    FormatError::DataType { text: text.to_owned(), why: why.into() }
}

fn unsupported_type(text: &str) -> FormatError {
    FormatError::unsupported(format!("data type {}", text.trim()))
}
