//! LIKE: `%` stands for any text, `_` for any one character but a line end, as in Flink, everything else for itself.

use super::eval::EvalError;

/// Where a line ends, to Java.
pub(crate) const LINE_ENDS: [char; 5] = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];

/// A pattern, read once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LikePattern {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    AnyText,
    AnyChar,
    Char(char),
}

// === impl LikePattern ===

impl LikePattern {
    /// Reads a pattern; behind the escape character `%`, `_` and the escape itself stand for themselves.
    ///
    /// # Errors
    /// The escape character before anything else, or at the end.
    pub(crate) fn parse(pattern: &str, escape: Option<char>) -> Result<Self, EvalError> {
        let mut parts = Vec::with_capacity(pattern.len());
        let mut chars = pattern.chars();
        while let Some(c) = chars.next() {
            parts.push(match c {
                c if Some(c) == escape => match chars.next() {
                    Some(next) if matches!(next, '%' | '_') || Some(next) == escape => Part::Char(next),
                    _ => return Err(EvalError::LikeEscape { pattern: pattern.to_owned() }),
                },
                '%' if parts.last() == Some(&Part::AnyText) => continue,
                '%' => Part::AnyText,
                '_' => Part::AnyChar,
                c => Part::Char(c),
            });
        }
        Ok(Self { parts })
    }

    /// Whether the whole text fits. Takes back only the last `%`, so the time is bounded by text times pattern.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let (mut rest, mut at) = (text.chars(), 0);
        let mut retry = None;
        loop {
            let here = rest.clone();
            match (self.parts.get(at), rest.next()) {
                (None, None) => return true,
                (Some(Part::AnyText), c) => {
                    at += 1;
                    if at == self.parts.len() {
                        return true;
                    }
                    if c.is_none() {
                        return false;
                    }
                    retry = Some((at, here.clone()));
                    rest = here;
                    continue;
                }
                (Some(Part::AnyChar), Some(c)) if !LINE_ENDS.contains(&c) => {
                    at += 1;
                    continue;
                }
                (Some(Part::Char(wanted)), Some(c)) if *wanted == c => {
                    at += 1;
                    continue;
                }
                _ => {}
            }
            // No fit: the last `%` takes one character more.
            let Some((after, from)) = &mut retry else { return false };
            if from.next().is_none() {
                return false;
            }
            at = *after;
            rest = from.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The definition, without any cleverness.
    fn simple(parts: &[Part], text: &[char]) -> bool {
        match (parts, text) {
            ([], []) => true,
            ([Part::AnyText, rest @ ..], _) => (0..=text.len()).any(|n| simple(rest, &text[n..])),
            ([Part::AnyChar, rest @ ..], [c, more @ ..]) if !LINE_ENDS.contains(c) => simple(rest, more),
            ([Part::Char(a), rest @ ..], [b, more @ ..]) if a == b => simple(rest, more),
            _ => false,
        }
    }

    proptest::proptest! {
        #[test]
        fn it_agrees_with_the_definition(pattern in "[ab%_]{0,8}", text in "[abß\n]{0,10}") {
            let read = LikePattern::parse(&pattern, None).unwrap();
            let chars: Vec<char> = text.chars().collect();
            proptest::prop_assert_eq!(read.matches(&text), simple(&read.parts, &chars), "{} {}", pattern, text);
        }
    }
}
