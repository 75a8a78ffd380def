//! Which bytes of a text no error may show.
//!
//! Two searches, united. Over tokens: the value behind a key that looks like a secret's. Over plain characters: the same,
//! without trusting the tokens, because one forgotten quote turns every later string inside out, and the error about that
//! quote shows a line too; this one also covers comments. Both would rather hide too much than too little.
//!
//! A value that is nothing but one variable (`'${PASSWORD}'`) stays visible: it is a name, and the useful part of an error.

use crate::lexer::{Token, TokenKind};
use crate::{Variable, is_secret_key};
use std::ops::Range;

/// The secrets of `text`: in order, disjoint, not empty, on character boundaries.
pub(crate) fn find(text: &str, tokens: &[Token]) -> Vec<Range<usize>> {
    let mut found = in_tokens(text, tokens);
    found.extend(in_characters(text));
    found.retain(|range| !range.is_empty());
    found.sort_by_key(|range| range.start);
    let mut disjoint: Vec<Range<usize>> = Vec::new();
    for range in found {
        match disjoint.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => disjoint.push(range),
        }
    }
    disjoint
}

/// Whether the inside of a string is exactly one `${…}`.
fn is_one_variable(inside: &str) -> bool {
    let name = inside.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    name.is_some_and(|name| !name.contains(['}', '\'', '\n']) && Variable::parse(name).is_some())
}

fn in_tokens(text: &str, tokens: &[Token]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (index, key) in tokens.iter().enumerate() {
        let is_string = key.kind == TokenKind::Text;
        let is_name = matches!(key.kind, TokenKind::Word | TokenKind::Quoted);
        let key_text = text[key.span.offset..key.span.end()].trim_matches(['\'', '`']);
        if !(is_string || is_name) || !is_secret_key(key_text) {
            continue;
        }
        let behind = &tokens[index + 1..];
        let assigns = behind.first().is_some_and(|t| matches!(t.kind, TokenKind::Symbol("=" | "==" | "=>" | ":")));
        let values = if assigns { &behind[1..] } else { behind };
        let starts_with_string = values.first().is_some_and(|t| t.kind == TokenKind::Text);
        let ends = |t: &Token| matches!(t.kind, TokenKind::End | TokenKind::Symbol("," | ")" | ";"));
        let count = match (assigns, starts_with_string) {
            (false, false) => 0,
            (false, true) => usize::from(is_string),
            (true, true) if is_name => 1,
            (true, _) => values.iter().position(ends).unwrap_or(values.len()),
        };
        match &values[..count] {
            [] => {}
            [one] if one.kind == TokenKind::Text => {
                let end = one.span.end();
                let closed = one.span.len > 1 && text[..end].ends_with('\'');
                let inside = one.span.offset + 1..end - usize::from(closed);
                if !is_one_variable(&text[inside.clone()]) {
                    found.push(inside);
                }
            }
            [first, .., last] => found.push(first.span.offset..last.span.end()),
            [one] => found.push(one.span.offset..one.span.end()),
        }
    }
    found
}

fn in_characters(text: &str) -> Vec<Range<usize>> {
    let is_key_part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_quote = |c: char| matches!(c, '\'' | '"' | '`');
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(is_key_part) {
        rest = &rest[start..];
        let key_end = rest.find(|c| !is_key_part(c)).unwrap_or(rest.len());
        let key = &rest[..key_end];
        rest = &rest[key_end..];
        if !is_secret_key(key) {
            continue;
        }
        let unquoted = rest.strip_prefix(is_quote);
        let behind_key = skip_blank(unquoted.unwrap_or(rest));
        let operand = behind_key.trim_start_matches(['=', ':', '>']);
        let assigns = operand.len() < behind_key.len();
        let operand = skip_blank(operand);
        let quote = operand.chars().next().filter(|c| is_quote(*c));
        if !assigns && (unquoted.is_none() || quote.is_none()) {
            continue;
        }
        let start = text.len() - operand.len() + quote.map_or(0, char::len_utf8);
        let end = start + value_length(&text[start..], quote);
        if !is_one_variable(&text[start..end]) {
            found.push(start..end);
        }
    }
    found
}

/// `text` behind its leading white space and comments.
fn skip_blank(text: &str) -> &str {
    let mut rest = text.trim_start();
    while let Some(comment) = rest.strip_prefix("/*") {
        rest = comment.find("*/").map_or("", |end| &comment[end + 2..]).trim_start();
    }
    rest
}

/// How many bytes of `value` belong to a value that was opened with `quote`.
fn value_length(value: &str, quote: Option<char>) -> usize {
    let Some(quote) = quote else {
        let ends = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | ')' | '\'' | '"');
        return value.find(ends).unwrap_or(value.len());
    };
    let ends_entry = |behind: &str| {
        let behind = behind.trim_start_matches([' ', '\t', '\r']);
        behind.is_empty() || [",", ";", ")", "\n", "--", "/*"].iter().any(|end| behind.starts_with(end))
    };
    let mut at = 0;
    while let Some(length) = value[at..].find(quote) {
        let close = at + length;
        let behind = &value[close + quote.len_utf8()..];
        if behind.starts_with(quote) {
            at = close + 2 * quote.len_utf8();
        } else if ends_entry(behind) {
            return close;
        } else {
            // A quote inside the value that nobody doubled: where the value ends is anyone's guess.
            return close + value[close..].find('\n').unwrap_or(value.len() - close);
        }
    }
    value.len()
}
