//! REGEXP_EXTRACT and REGEXP_REPLACE. Patterns are written for Java; what means the same in both languages is
//! translated, what the automaton cannot do (look-around, back references, possessive quantifiers) is refused.

use arrow::datatypes::Int32Type;
use regex::Regex;

use super::eval::EvalError;
use super::operands::{Made, Operands};
use super::value::Value;

type Result<T, E = EvalError> = std::result::Result<T, E>;

/// Largest compiled pattern, in bytes.
const SIZE_LIMIT: usize = 1 << 20;

/// A pattern of Java as a regular expression here.
///
/// # Errors
/// Why it is none, in one line.
pub(crate) fn compile(pattern: &str) -> Result<Regex, String> {
    let translated = translate(pattern)?;
    regex::RegexBuilder::new(&translated).size_limit(SIZE_LIMIT).build().map_err(|error| match error {
        regex::Error::CompiledTooBig(limit) => format!("it needs more than {limit} bytes"),
        error => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.trim_start_matches("error: ").to_owned()
        }
    })
}

/// Java's classes are those of ASCII, and its `.` stops at every kind of line end.
fn translate(pattern: &str) -> Result<String, String> {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut chars = pattern.chars().peekable();
    let mut in_class = 0_usize;
    let mut after_quantifier = false;
    while let Some(c) = chars.next() {
        let quantifier = in_class == 0 && matches!(c, '*' | '+' | '?' | '}');
        if c == '+' && after_quantifier && in_class == 0 {
            return Err("possessive quantifiers are not supported".to_owned());
        }
        after_quantifier = quantifier && !after_quantifier;
        match c {
            '\\' => match chars.next() {
                Some('d') => out.push_str("[0-9]"),
                Some('D') => out.push_str("[^0-9]"),
                Some('w') => out.push_str("[0-9A-Za-z_]"),
                Some('W') => out.push_str("[^0-9A-Za-z_]"),
                Some('s') => out.push_str(r"[ \t\n\x0B\f\r]"),
                Some('S') => out.push_str(r"[^ \t\n\x0B\f\r]"),
                Some(c @ '1'..='9') => return Err(format!("back references such as \\{c} are not supported")),
                Some(other) => {
                    out.push('\\');
                    out.push(other);
                }
                None => return Err("it ends with a single \\".to_owned()),
            },
            '.' if in_class == 0 => out.push_str(r"[^\n\r\x{85}\x{2028}\x{2029}]"),
            '[' => {
                in_class += 1;
                out.push(c);
            }
            ']' => {
                in_class = in_class.saturating_sub(1);
                out.push(c);
            }
            '(' if in_class == 0 && chars.peek() == Some(&'?') => {
                out.push(c);
                chars.next();
                let mut ahead = chars.clone();
                match (ahead.next(), ahead.next()) {
                    (Some(':' | 'i'), _) => out.push('?'),
                    (Some('<'), Some(c)) if !matches!(c, '=' | '!') => out.push('?'),
                    (other, _) => {
                        let other = other.map(String::from).unwrap_or_default();
                        return Err(format!("groups that start with (?{other} are not supported"));
                    }
                }
            }
            c => out.push(c),
        }
    }
    Ok(out)
}

/// REGEXP_EXTRACT: the group with this number (0, the whole, if there is none) of the first match; null without one.
pub(crate) fn extract(operands: &Operands<'_>) -> Result<Value> {
    let (texts, patterns) = (operands.texts(0), operands.texts(1));
    let groups = (operands.len() > 2).then(|| operands.numbers::<Int32Type>(2));
    let mut made = Made::new();
    operands.write(|row, out| {
        let group = match &groups {
            None => Some(0),
            Some(groups) => groups.get(row),
        };
        let (Some(text), Some(pattern), Some(group)) = (texts.get(row), patterns.get(row), group) else {
            return Ok(false);
        };
        let regex = made.of(pattern, regex)?;
        let found = usize::try_from(group).ok().and_then(|group| regex.captures(text)?.get(group));
        out.push_str(found.map_or("", |found| found.as_str()));
        Ok(found.is_some())
    })
}

/// REGEXP_REPLACE: every match replaced by the third operand, which is taken as it stands.
pub(crate) fn replace(operands: &Operands<'_>) -> Result<Value> {
    let (texts, patterns, others) = (operands.texts(0), operands.texts(1), operands.texts(2));
    let mut made = Made::new();
    operands.write(|row, out| match (texts.get(row), patterns.get(row), others.get(row)) {
        (Some(text), Some(pattern), Some(other)) => {
            let regex = made.of(pattern, regex)?;
            out.push_str(&regex.replace_all(text, regex::NoExpand(other)));
            Ok(true)
        }
        _ => Ok(false),
    })
}

fn regex(pattern: &str) -> Result<Regex> {
    compile(pattern).map_err(|why| EvalError::Pattern { pattern: pattern.to_owned(), why })
}
