//! The inside of string literals: doubled quotes, `${NAME}`, `${file:PATH}`, `$$`; and placeholders nobody filled in.
//!
//! Replacing happens after tokenizing, so a value can hold quotes, semicolons or comment marks and stays one string.

use crate::source::Source;
use crate::{Span, StatementError, Variable};

/// What looks up variables; the error says why there is no value.
pub(crate) type Lookup<'a> = &'a dyn Fn(Variable<'_>) -> Result<String, String>;

/// The value of a string literal.
pub(crate) struct Resolved {
    pub(crate) text: String,
    /// Part of it came from `${file:…}`.
    pub(crate) from_file: bool,
}

/// Placeholders are a few words, not paragraphs.
const LONGEST_PLACEHOLDER: usize = 120;

/// The value of the string literal at `span`.
pub(crate) fn resolve(source: &Source, span: Span, lookup: Lookup<'_>) -> Result<Resolved, StatementError> {
    let inside = source.inside(span);
    let mut resolved = Resolved { text: String::with_capacity(inside.len()), from_file: false };
    let mut rest = inside;
    while let Some(at) = rest.find(['\'', '$']) {
        resolved.text.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with("''") || rest.starts_with("$$") {
            resolved.text.push_str(&rest[..1]);
            rest = &rest[2..];
        } else if let Some(variable) = rest.strip_prefix("${") {
            let offset = span.offset + 1 + (inside.len() - rest.len());
            let Some(length) = variable.find('}') else {
                return Err(source
                    .error(source.span(offset..offset + 2), "this `${` is never closed")
                    .with_help("close it with }, or write $$ for a plain $"));
            };
            let place = source.span(offset..offset + length + 3);
            let value = look_up(source, place, &variable[..length], lookup)?;
            resolved.from_file |= variable.starts_with("file:");
            resolved.text.push_str(&value);
            rest = &variable[length + 1..];
        } else {
            resolved.text.push_str(&rest[..1]);
            rest = &rest[1..];
        }
    }
    resolved.text.push_str(rest);
    Ok(resolved)
}

fn look_up(source: &Source, place: Span, name: &str, lookup: Lookup<'_>) -> Result<String, StatementError> {
    let Some(variable) = Variable::parse(name) else {
        return Err(source
            .error(place, "this is no variable")
            .with_help("write ${NAME} or ${file:PATH}, or $$ for a plain $"));
    };
    let remedy = match variable {
        Variable::Named(name) => format!("set {name} in the environment"),
        Variable::File(_) => "check the path".to_owned(),
    };
    lookup(variable).map_err(|why| {
        source
            .error(place, format!("cannot replace ${{{name}}}: {why}"))
            .with_help(format!("{remedy}, or write $$ for a plain $"))
    })
}

// === impl Variable ===

impl<'a> Variable<'a> {
    /// What stands between the braces; `None` if it is neither a name nor a file.
    pub fn parse(inside: &'a str) -> Option<Self> {
        if let Some(path) = inside.strip_prefix("file:") {
            return (!path.is_empty()).then_some(Variable::File(path));
        }
        let is_name = inside.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && inside.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        is_name.then_some(Variable::Named(inside))
    }
}

/// The first `<words>` of an option's value, as its byte range within `text`: a template's gap that was not filled in.
/// `ARRAY<INT>` and `a < b` are none: a gap follows no letter, and begins with one.
pub(crate) fn placeholder(text: &str) -> Option<std::ops::Range<usize>> {
    text.match_indices('<').find_map(|(start, _)| {
        let follows_word = text[..start].ends_with(char::is_alphanumeric);
        let inside = &text[start + 1..];
        let length = inside.find(['>', '<', '\n', '\'', '`', ';'])?;
        let is_gap = !follows_word
            && length <= LONGEST_PLACEHOLDER
            && inside.starts_with(char::is_alphabetic)
            && inside[length..].starts_with('>');
        is_gap.then_some(start..start + length + 2)
    })
}
