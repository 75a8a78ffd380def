//! REGEXP_EXTRACT and REGEXP_REPLACE, with Java's patterns and its way from match to match.

use std::ops::Range;

use arrow::datatypes::Int32Type;
use regex::{Captures, Regex};

use super::eval::EvalError;
use super::java_regex::{TextEnd, translate};
use super::like::LINE_ENDS;
use super::operands::{Made, Operands};
use super::value::Value;

type Result<T, E = EvalError> = std::result::Result<T, E>;

/// Largest compiled pattern, in bytes.
const SIZE_LIMIT: usize = 1 << 20;

/// A pattern of Java, compiled.
#[derive(Debug)]
pub(crate) struct Pattern {
    plain: Compiled,
    /// For texts that end with a line end, if the pattern has a `$`: of one character, of two.
    line_ends: Option<[Compiled; 2]>,
}

#[derive(Debug)]
struct Compiled {
    regex: Regex,
    groups: Vec<usize>,
    tails: Vec<usize>,
}

// === impl Pattern ===

impl Pattern {
    /// # Errors
    /// Why it is none, in one line.
    pub(crate) fn compile(pattern: &str) -> Result<Self, String> {
        let (plain, ends) = Compiled::try_new(pattern, TextEnd::Plain)?;
        let line_ends = match ends {
            true => Some([Compiled::try_new(pattern, TextEnd::Line)?.0, Compiled::try_new(pattern, TextEnd::CrLf)?.0]),
            false => None,
        };
        Ok(Self { plain, line_ends })
    }

    fn of_text(&self, text: &str) -> &Compiled {
        match &self.line_ends {
            Some([_, cr_lf]) if text.ends_with("\r\n") => cr_lf,
            Some([line, _]) if text.ends_with(LINE_ENDS) => line,
            _ => &self.plain,
        }
    }
}

// === impl Compiled ===

impl Compiled {
    /// The pattern, and whether it has a `$`.
    fn try_new(pattern: &str, end: TextEnd) -> Result<(Self, bool), String> {
        let translation = translate(pattern, end)?;
        let built = regex::RegexBuilder::new(&translation.pattern).size_limit(SIZE_LIMIT).build();
        let regex = built.map_err(|error| match error {
            regex::Error::CompiledTooBig(limit) => format!("it needs more than {limit} bytes"),
            error => {
                let text = error.to_string();
                let last = text.lines().last().unwrap_or_default();
                last.trim_start_matches("error: ").to_owned()
            }
        })?;
        Ok((Self { regex, groups: translation.groups, tails: translation.tails }, translation.ends))
    }

    /// Where the next match stands, from `from` on.
    fn next(&self, text: &str, from: usize) -> Option<Range<usize>> {
        match self.tails[..] {
            [] => Some(self.regex.find_at(text, from)?.range()),
            _ => self.group(&self.regex.captures_at(text, from)?, 0),
        }
    }

    /// Where Java's group with this number stands: never in the line end that `$` stands before.
    fn group(&self, captures: &Captures<'_>, number: usize) -> Option<Range<usize>> {
        let found = captures.get(*self.groups.get(number)?)?.range();
        let tail = self.tails.iter().find_map(|tail| captures.get(*tail)).map_or(found.end, |tail| tail.start());
        Some(found.start.min(tail)..found.end.min(tail))
    }
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
        let compiled = made.of(pattern, compile)?.of_text(text);
        let found =
            usize::try_from(group).ok().and_then(|group| compiled.group(&compiled.regex.captures(text)?, group));
        out.push_str(found.clone().map_or("", |found| &text[found]));
        Ok(found.is_some())
    })
}

/// REGEXP_REPLACE: every match replaced by the third operand, which is taken as it stands.
pub(crate) fn replace(operands: &Operands<'_>) -> Result<Value> {
    let (texts, patterns, others) = (operands.texts(0), operands.texts(1), operands.texts(2));
    let mut made = Made::new();
    operands.write(|row, out| {
        let (Some(text), Some(pattern), Some(other)) = (texts.get(row), patterns.get(row), others.get(row)) else {
            return Ok(false);
        };
        let compiled = made.of(pattern, compile)?.of_text(text);
        let (mut kept, mut from) = (0, Some(0));
        while let Some(found) = from.and_then(|from| compiled.next(text, from)) {
            out.push_str(&text[kept..found.start]);
            out.push_str(other);
            kept = found.end;
            // As in Java an empty match may follow a match, though not an empty one.
            from = match found.is_empty() {
                true => text[kept..].chars().next().map(|c| kept + c.len_utf8()),
                false => Some(kept),
            };
        }
        out.push_str(&text[kept..]);
        Ok(true)
    })
}

fn compile(pattern: &str) -> Result<Pattern> {
    Pattern::compile(pattern).map_err(|why| EvalError::Pattern { pattern: pattern.to_owned(), why })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_java_has_and_we_have_not_is_refused_by_name() {
        for (pattern, why) in [
            ("foo(?=bar)", "look-ahead is not supported"),
            ("(?!x)foo", "look-ahead is not supported"),
            ("(?<=foo)bar", "look-behind is not supported"),
            ("(?<!foo)bar", "look-behind is not supported"),
            ("(?>a)b", "atomic groups are not supported"),
            ("(a)\\1", "back references such as \\1 are not supported"),
            ("(?<x>a)\\k<x>", "back references such as \\k are not supported"),
            ("a*+", "possessive quantifiers are not supported"),
            ("a{2}+", "possessive quantifiers are not supported"),
            ("(?m)^a", "the flag (?m) is not supported"),
            ("a$b", "something behind `$` is not supported"),
            ("(a$)*", "a repeated `$` is not supported"),
            ("(a*)*", "repeating what can be empty is not supported"),
            ("^*", "a quantifier behind a place such as `^` or `$` is not supported"),
            ("\\b{g}", "\\b{…} is not supported"),
            ("\\G", "\\G is not supported here"),
            ("\\07", "\\0 is not supported here"),
            ("[\\b]", "\\b is not supported here"),
            ("[\\R]", "\\R is not supported here"),
            ("\\p{InGreek}", "\\p{InGreek} is not supported"),
            ("\\p{IsAlphabetic}", "\\p{IsAlphabetic} is not supported"),
            ("(?i)\\p{L}", "\\p{L} together with (?i) is not supported"),
            ("\\uD83D\\uDE00", "\\u needs the code of a character, in hexadecimal"),
            ("a{,2}", "`{,2}` is no quantifier"),
            ("a**", "two quantifiers in a row are not supported"),
            ("*a", "a `*` has nothing to repeat"),
            ("(a", "a `(` has no `)`"),
            ("a)", "a `)` has no `(`"),
            ("[a", "a `[` has no `]`"),
            ("[b-a]", "the range b-a is the wrong way round"),
            ("a\\", "it ends with a single \\"),
            ("a{1000}{1000}", "two quantifiers in a row are not supported"),
            ("(?:\\w{1000}){1000}", "it needs more than 1048576 bytes"),
        ] {
            assert_eq!(Pattern::compile(pattern).err().as_deref(), Some(why), "{pattern}");
        }
        assert!(Pattern::compile(&"(".repeat(100_000)).is_err());
    }

    proptest::proptest! {
        /// Whatever is written, it is a pattern or an error, and every group of Java's is one of ours.
        #[test]
        fn no_pattern_is_a_panic(pattern in r"[\\()\[\]{}|^$.*+?<>=!:a-cipwLQERZbk0-2,&ä-]{0,12}", end in "(\r\n|\n|)") {
            if let Ok(pattern) = Pattern::compile(&pattern) {
                let text = format!("ab-ä{end}");
                let compiled = pattern.of_text(&text);
                proptest::prop_assert_eq!(
                    compiled.regex.captures_len(), compiled.groups.len() + compiled.tails.len()
                );
                if let Some(captures) = compiled.regex.captures(&text) {
                    for group in 0..compiled.groups.len() {
                        let _ = compiled.group(&captures, group).map(|found| text[found].len());
                    }
                }
            }
        }
    }
}
