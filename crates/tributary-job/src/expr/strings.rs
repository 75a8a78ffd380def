//! More functions on text, row by row: trimming, splitting, replacing, digests.

use std::fmt::Write;

use arrow::array::{BooleanArray, Int32Array};
use arrow::datatypes::Int32Type;
use md5::Md5;
use sha2::{Digest, Sha256};

use super::eval::EvalError;
use super::like::LikePattern;
use super::operands::{Made, Operands};
use super::value::Value;

type Result<T, E = EvalError> = std::result::Result<T, E>;

/// Where TRIM trims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Both,
    Leading,
    Trailing,
}

/// CHAR_LENGTH: characters, that is code points.
pub(crate) fn char_length(operands: &Operands<'_>) -> Result<Value> {
    let texts = operands.texts(0);
    operands.each::<Int32Array, _>(|row| Ok(texts.get(row).map(|text| text.chars().count() as i32)))
}

/// CONCAT_WS: the operands behind the first that are not null, with the first between them.
pub(crate) fn concat_ws(operands: &Operands<'_>) -> Result<Value> {
    let separators = operands.texts(0);
    let texts: Vec<_> = (1..operands.len()).map(|index| operands.texts(index)).collect();
    operands.write(|row, out| {
        let Some(separator) = separators.get(row) else { return Ok(false) };
        let mut first = true;
        for text in texts.iter().filter_map(|texts| texts.get(row)) {
            if !first {
                out.push_str(separator);
            }
            first = false;
            out.push_str(text);
        }
        Ok(true)
    })
}

/// TRIM: without the characters of the second operand (blanks, if there is none) on that side.
pub(crate) fn trim(side: Side, operands: &Operands<'_>) -> Result<Value> {
    let texts = operands.texts(0);
    let characters = (operands.len() > 1).then(|| operands.texts(1));
    operands.write(|row, out| {
        let characters = match &characters {
            None => Some(" "),
            Some(characters) => characters.get(row),
        };
        let (Some(text), Some(characters)) = (texts.get(row), characters) else { return Ok(false) };
        let is_one = |c: char| characters.contains(c);
        out.push_str(match side {
            Side::Both => text.trim_matches(is_one),
            Side::Leading => text.trim_start_matches(is_one),
            Side::Trailing => text.trim_end_matches(is_one),
        });
        Ok(true)
    })
}

/// REPLACE: the third operand wherever the second stands; an empty one stands around every character.
pub(crate) fn replace(operands: &Operands<'_>) -> Result<Value> {
    let (texts, wanted, others) = (operands.texts(0), operands.texts(1), operands.texts(2));
    operands.write(|row, out| match (texts.get(row), wanted.get(row), others.get(row)) {
        (Some(text), Some(wanted), Some(other)) => {
            let mut kept = 0;
            for (at, found) in text.match_indices(wanted) {
                out.push_str(&text[kept..at]);
                out.push_str(other);
                kept = at + found.len();
            }
            out.push_str(&text[kept..]);
            Ok(true)
        }
        _ => Ok(false),
    })
}

/// SPLIT_INDEX: the part with this number, from 0, between the separators; null if there is none.
pub(crate) fn split_index(operands: &Operands<'_>) -> Result<Value> {
    let (texts, separators, indexes) = (operands.texts(0), operands.texts(1), operands.numbers::<Int32Type>(2));
    operands.write(|row, out| {
        let (Some(text), Some(separator), Some(index)) = (texts.get(row), separators.get(row), indexes.get(row)) else {
            return Ok(false);
        };
        let part = match usize::try_from(index) {
            // Nothing has no parts, and nothing separates them.
            Ok(index) if !text.is_empty() && !separator.is_empty() => text.split(separator).nth(index),
            _ => None,
        };
        out.push_str(part.unwrap_or_default());
        Ok(part.is_some())
    })
}

/// LIKE; the third operand, if there is one, is the escape character.
pub(crate) fn like(operands: &Operands<'_>) -> Result<Value> {
    let (texts, patterns) = (operands.texts(0), operands.texts(1));
    let escapes = (operands.len() > 2).then(|| operands.texts(2));
    let mut made = Made::new();
    let mut escaped_by = None;
    operands.each::<BooleanArray, _>(|row| {
        let escape = match &escapes {
            None => None,
            Some(escapes) => match escapes.get(row) {
                None => return Ok(None),
                Some(text) => Some(one_char(text)?),
            },
        };
        let (Some(text), Some(pattern)) = (texts.get(row), patterns.get(row)) else { return Ok(None) };
        if escape != escaped_by {
            escaped_by = escape;
            made = Made::new();
        }
        Ok(Some(made.of(pattern, |pattern| LikePattern::parse(pattern, escape))?.matches(text)))
    })
}

/// The character behind ESCAPE.
pub(crate) fn one_char(text: &str) -> Result<char> {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) => Ok(c),
        _ => Err(EvalError::EscapeCharacter { text: text.to_owned() }),
    }
}

/// MD5 of the UTF-8 bytes, in lower-case hexadecimal.
pub(crate) fn md5(operands: &Operands<'_>) -> Result<Value> {
    hex_digest::<Md5>(operands)
}

/// SHA256 of the UTF-8 bytes, in lower-case hexadecimal.
pub(crate) fn sha256(operands: &Operands<'_>) -> Result<Value> {
    hex_digest::<Sha256>(operands)
}

fn hex_digest<D: Digest>(operands: &Operands<'_>) -> Result<Value> {
    let texts = operands.texts(0);
    operands.write(|row, out| {
        let Some(text) = texts.get(row) else { return Ok(false) };
        for byte in D::digest(text.as_bytes()) {
            // Writing to a String cannot fail.
            let _ = write!(out, "{byte:02x}");
        }
        Ok(true)
    })
}
