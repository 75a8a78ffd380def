//! Primitive data types and their text, as Paimon spells them (`DataType.asSQLString`,
//! `DataTypeJsonParser`).
//!
//! Reading is case-insensitive and knows the aliases (`INTEGER`, `NUMERIC`, `TIMESTAMP_LTZ`, …);
//! writing gives the one canonical spelling that Java writes into schema files. Nested and
//! engine-specific types are refused by name.

use std::fmt;
use std::str::FromStr;

use crate::error::{FormatError, Result};

/// Largest length of CHAR, VARCHAR, BINARY and VARBINARY; `VARCHAR(MAX_LENGTH)` is `STRING`.
pub const MAX_LENGTH: u32 = i32::MAX as u32;
/// Largest precision of DECIMAL, in digits.
pub const MAX_DECIMAL_PRECISION: u8 = 38;
/// Largest fractional precision of TIME and the timestamps, in digits.
pub const MAX_TIME_PRECISION: u8 = 9;

/// Paimon types that are refused by name.
const UNSUPPORTED: [&str; 9] =
    ["ARRAY", "MAP", "MULTISET", "ROW", "VECTOR", "VARIANT", "BLOB", "GEOMETRY", "GEOGRAPHY"];

/// A type and whether its values may be null.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DataType {
    /// What the values are.
    pub root: TypeRoot,
    /// Whether null is a value.
    pub nullable: bool,
}

/// What the values of a column are. Lengths are in characters (CHAR, VARCHAR) or bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TypeRoot {
    /// True or false.
    Boolean,
    /// 8-bit signed integer.
    TinyInt,
    /// 16-bit signed integer.
    SmallInt,
    /// 32-bit signed integer.
    Int,
    /// 64-bit signed integer.
    BigInt,
    /// IEEE 754 binary32.
    Float,
    /// IEEE 754 binary64.
    Double,
    /// Exact decimal number.
    Decimal {
        /// Digits in all, 1 to 38.
        precision: u8,
        /// Digits after the point, at most `precision`.
        scale: u8,
    },
    /// Text of a fixed number of characters.
    Char(u32),
    /// Text of at most so many characters.
    Varchar(u32),
    /// A fixed number of bytes.
    Binary(u32),
    /// At most so many bytes.
    Varbinary(u32),
    /// Calendar day.
    Date,
    /// Time of day; the precision is declared, values are milliseconds.
    Time(u8),
    /// Local date and time, with so many fractional digits (0 to 9).
    Timestamp(u8),
    /// Instant shown in the session's zone, with so many fractional digits (0 to 9).
    TimestampLtz(u8),
}

// === impl DataType ===

impl DataType {
    /// A type that admits null.
    pub const fn nullable(root: TypeRoot) -> Self {
        Self { root, nullable: true }
    }

    /// A type that does not.
    pub const fn not_null(root: TypeRoot) -> Self {
        Self { root, nullable: false }
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suffix = if self.nullable { "" } else { " NOT NULL" };
        write!(f, "{}{suffix}", self.root)
    }
}

impl FromStr for DataType {
    type Err = FormatError;

    /// Parses a type; [`FormatError::Unsupported`] for nested and unknown ones,
    /// [`FormatError::DataType`] for text that is no type or has parameters out of range.
    fn from_str(text: &str) -> Result<Self> {
        let word = text.split(|c: char| !c.is_ascii_alphabetic()).find(|word| !word.is_empty()).unwrap_or_default();
        if UNSUPPORTED.iter().any(|name| word.eq_ignore_ascii_case(name)) {
            return Err(unsupported_type(text));
        }
        Parser::new(text)?.data_type()
    }
}

// === impl TypeRoot ===

impl TypeRoot {
    /// `STRING`: text of any length.
    pub const STRING: Self = Self::Varchar(MAX_LENGTH);
    /// `BYTES`: bytes of any number.
    pub const BYTES: Self = Self::Varbinary(MAX_LENGTH);
}

impl fmt::Display for TypeRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
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
        }
    }
}

// === impl Parser ===

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Number(u64),
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
                '(' | ')' | ',' => 1,
                '0'..='9' => rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()),
                c if c.is_ascii_alphabetic() => {
                    rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len())
                }
                c => return Err(refuse(text, format!("unexpected `{c}`"))),
            };
            let (token, tail) = rest.split_at(length);
            tokens.push(match first {
                '(' => Token::Open,
                ')' => Token::Close,
                ',' => Token::Comma,
                '0'..='9' => Token::Number(token.parse().map_err(|_| refuse(text, format!("`{token}` is too large")))?),
                _ => Token::Word(token.to_ascii_uppercase()),
            });
            rest = tail.trim_start();
        }
        Ok(Self { text, tokens: tokens.into_iter().peekable() })
    }

    fn data_type(mut self) -> Result<DataType> {
        let Some(Token::Word(word)) = self.tokens.next() else {
            return Err(refuse(self.text, "a type name is expected"));
        };
        let root = self.root(&word)?;
        let nullable = if self.take_word("NOT") {
            self.expect_word("NULL")?;
            false
        } else {
            self.take_word("NULL");
            true
        };
        match self.tokens.next() {
            None => Ok(DataType { root, nullable }),
            Some(Token::Word(word)) if word == "ARRAY" || word == "MULTISET" => Err(unsupported_type(self.text)),
            Some(_) => Err(refuse(self.text, "unexpected text after the type")),
        }
    }

    fn root(&mut self, word: &str) -> Result<TypeRoot> {
        Ok(match word {
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

    fn decimal(&mut self) -> Result<TypeRoot> {
        let (mut precision, mut scale) = (10, 0);
        if self.take(&Token::Open) {
            precision = self.number()?;
            if self.take(&Token::Comma) {
                scale = self.number()?;
            }
            self.expect_close()?;
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
        self.expect_close()?;
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

    fn expect_close(&mut self) -> Result<()> {
        if self.take(&Token::Close) {
            return Ok(());
        }
        Err(refuse(self.text, "`)` is expected"))
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
        self.tokens.next_if(|token| matches!(token, Token::Word(w) if w == word)).is_some()
    }
}

fn refuse(text: &str, why: impl Into<String>) -> FormatError {
    FormatError::DataType { text: text.to_owned(), why: why.into() }
}

fn unsupported_type(text: &str) -> FormatError {
    FormatError::unsupported(format!("data type {}", text.trim()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_type_is_spelt_as_paimon_spells_it() {
        for (text, canonical) in [
            ("boolean", "BOOLEAN"),
            ("TINYINT NOT NULL", "TINYINT NOT NULL"),
            ("integer", "INT"),
            ("BIGINT NULL", "BIGINT"),
            ("DOUBLE PRECISION", "DOUBLE"),
            ("DECIMAL", "DECIMAL(10, 0)"),
            ("numeric(5)", "DECIMAL(5, 0)"),
            ("DEC( 38 , 18 ) NOT NULL", "DECIMAL(38, 18) NOT NULL"),
            ("CHAR", "CHAR(1)"),
            ("VARCHAR", "VARCHAR(1)"),
            ("VARCHAR(2147483647)", "STRING"),
            ("STRING NOT NULL", "STRING NOT NULL"),
            ("VARBINARY(2147483647)", "BYTES"),
            ("BINARY(12)", "BINARY(12)"),
            ("TIME", "TIME(0)"),
            ("TIME(3) WITHOUT TIME ZONE", "TIME(3)"),
            ("TIMESTAMP", "TIMESTAMP(6)"),
            ("TIMESTAMP(3) WITHOUT TIME ZONE", "TIMESTAMP(3)"),
            ("TIMESTAMP(9) WITH LOCAL TIME ZONE NOT NULL", "TIMESTAMP(9) WITH LOCAL TIME ZONE NOT NULL"),
            ("timestamp_ltz", "TIMESTAMP(6) WITH LOCAL TIME ZONE"),
        ] {
            let parsed: DataType = text.parse().unwrap();
            assert_eq!(parsed.to_string(), canonical, "{text}");
            assert_eq!(canonical.parse::<DataType>().unwrap(), parsed, "{text}");
        }
    }

    #[test]
    fn what_is_no_primitive_type_is_refused_with_the_reason() {
        for (text, message) in [
            ("", "cannot parse the data type ``: a type name is expected"),
            ("TEXT", "cannot parse the data type `TEXT`: `TEXT` is no type"),
            ("INT(", "unexpected text after the type"),
            ("DECIMAL(39, 0)", "the precision must be 1 to 38"),
            ("DECIMAL(0, 0)", "the precision must be 1 to 38"),
            ("DECIMAL(3, 4)", "the scale must not exceed the precision"),
            ("CHAR(0)", "the length must be 1 to 2147483647"),
            ("VARCHAR(99999999999999999999)", "is too large"),
            ("TIMESTAMP(10)", "the precision must be 0 to 9"),
            ("TIMESTAMP WITH TIME ZONE", "`LOCAL` is expected"),
            ("INT NOT", "`NULL` is expected"),
            ("ARRAY<INT>", "unsupported table feature: data type ARRAY<INT>"),
            ("INT ARRAY", "unsupported table feature: data type INT ARRAY"),
            ("VARIANT", "unsupported table feature: data type VARIANT"),
        ] {
            let error = text.parse::<DataType>().unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }
}
