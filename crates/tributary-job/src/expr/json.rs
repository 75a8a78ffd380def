//! JSON_VALUE: the scalar a path leads to, as text. The path is the part of SQL/JSON that names one place:
//! `[lax] $.member["member"][0]`.
//!
//! The text is checked as a whole and then walked without building a tree.

use serde::de::IgnoredAny;

use super::eval::EvalError;
use super::operands::{Made, Operands};
use super::text_form;
use super::value::Value;

type Result<T, E = EvalError> = std::result::Result<T, E>;

/// A path, read once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JsonPath {
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Member(String),
    Element(usize),
}

// === impl JsonPath ===

impl JsonPath {
    /// Reads a path.
    ///
    /// # Errors
    /// What of it is no path, or not supported.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.starts_with("strict ") {
            return Err("strict paths are not supported; a lax one gives NULL for what is missing".to_owned());
        }
        let path = text.strip_prefix("lax ").map_or(text, str::trim_start);
        let Some(mut rest) = path.strip_prefix('$') else {
            return Err("a path starts with $".to_owned());
        };
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, after) = match rest.strip_prefix('.') {
                Some(name) => member(name)?,
                None => bracket(rest)?,
            };
            steps.push(step);
            rest = after;
        }
        Ok(Self { steps })
    }

    /// The place the path leads to in a JSON text known to be valid.
    fn find<'a>(&self, json: &'a str) -> Option<&'a str> {
        let mut at = json.trim_ascii();
        for step in &self.steps {
            let mut inside = Inside { rest: at.get(1..)?.trim_ascii_start() };
            at = match (step, at.as_bytes().first()?) {
                (Step::Member(name), b'{') => {
                    // The last of several members with one name counts.
                    let mut found = None;
                    while let Some(key) = inside.value() {
                        let value = inside.value()?;
                        if unquoted(key).is_some_and(|key| key == *name) {
                            found = Some(value);
                        }
                    }
                    found?
                }
                (Step::Element(index), b'[') => {
                    for _ in 0..*index {
                        inside.value()?;
                    }
                    inside.value()?
                }
                _ => return None,
            };
        }
        Some(at)
    }
}

/// `name`, behind a point.
fn member(text: &str) -> Result<(Step, &str), String> {
    if text.starts_with('.') {
        return Err("`..` is not supported".to_owned());
    }
    let end = text.find(['.', '[']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    match name {
        "" => Err("a name is missing behind a point".to_owned()),
        "*" => Err("`.*` is not supported".to_owned()),
        name if !name.chars().all(|c| c.is_alphanumeric() || c == '_') && !name.ends_with(')') => {
            Err(format!("`{name}` is no plain name: write ['{name}']"))
        }
        name if name.ends_with(')') => Err(format!("the function {name} is not supported")),
        name => Ok((Step::Member(name.to_owned()), rest)),
    }
}

/// `[0]`, `['name']` or `["name"]`.
fn bracket(text: &str) -> Result<(Step, &str), String> {
    let Some(inside) = text.strip_prefix('[') else {
        return Err(format!("`{text}` is no step of a path"));
    };
    for quote in ['\'', '"'] {
        if let Some(name) = inside.strip_prefix(quote) {
            let found = name.split_once(quote).and_then(|(name, rest)| Some((name, rest.strip_prefix(']')?)));
            let (name, rest) = found.ok_or_else(|| format!("`{text}` is never closed"))?;
            return Ok((Step::Member(name.to_owned()), rest));
        }
    }
    let (index, rest) = inside.split_once(']').ok_or_else(|| format!("`{text}` is never closed"))?;
    match index.trim().parse() {
        Ok(index) => Ok((Step::Element(index), rest)),
        Err(_) => Err(format!("`[{index}]` is not supported: an element is named by its number, from 0")),
    }
}

/// The values of an object (names and values in turn) or of an array, one after the other.
struct Inside<'a> {
    rest: &'a str,
}

// === impl Inside ===

impl<'a> Inside<'a> {
    fn value(&mut self) -> Option<&'a str> {
        let rest = self.rest.trim_start_matches([',', ':', ' ', '\t', '\n', '\r']);
        let bytes = rest.as_bytes();
        if matches!(bytes.first(), None | Some(b']' | b'}')) {
            return None;
        }
        let (mut at, mut depth) = (0, 0_usize);
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'"' => {
                    at += 1;
                    while *bytes.get(at)? != b'"' {
                        at += if bytes[at] == b'\\' { 2 } else { 1 };
                    }
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth == 0 => break,
                b'}' | b']' => depth -= 1,
                b',' | b':' if depth == 0 => break,
                _ => {}
            }
            at += 1;
        }
        let (value, rest) = rest.split_at(at);
        self.rest = rest;
        Some(value.trim_ascii_end())
    }
}

fn unquoted(text: &str) -> Option<String> {
    serde_json::from_str(text).ok()
}

/// JSON_VALUE: null if the text is no JSON, nothing is there, or what is there is no scalar.
pub(crate) fn json_value(operands: &Operands<'_>) -> Result<Value> {
    let (texts, paths) = (operands.texts(0), operands.texts(1));
    let mut made = Made::new();
    operands.write(|row, out| {
        let (Some(text), Some(path)) = (texts.get(row), paths.get(row)) else { return Ok(false) };
        let path = made.of(path, |text| {
            JsonPath::parse(text).map_err(|why| EvalError::Pattern { pattern: text.to_owned(), why })
        })?;
        if serde_json::from_str::<IgnoredAny>(text).is_err() {
            return Ok(false);
        }
        let Some(found) = path.find(text) else { return Ok(false) };
        match found.as_bytes().first() {
            Some(b'"') => match unquoted(found) {
                Some(text) => out.push_str(&text),
                None => return Ok(false),
            },
            None | Some(b'{' | b'[' | b'n') => return Ok(false),
            // Numbers as Java prints them: digits as they are, all others as doubles.
            Some(b'-' | b'0'..=b'9') if found.contains(['.', 'e', 'E']) => match found.parse() {
                Ok(number) => text_form::write_double(out, number),
                Err(_) => return Ok(false),
            },
            Some(_) => out.push_str(if found == "-0" { "0" } else { found }),
        }
        Ok(true)
    })
}
