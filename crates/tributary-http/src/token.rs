//! Bearer tokens: compared in constant time, never printed.

use std::fmt;
use std::hint::black_box;

/// A secret that requests carry in the header `authorization: Bearer TOKEN`. Its `Debug` form is `***`.
#[derive(Clone)]
pub struct BearerToken(String);

// === impl BearerToken ===

impl BearerToken {
    /// Surrounding white space is dropped: token files end in a newline.
    ///
    /// Fails, saying why, on an empty token (which every request would carry) and on one that no
    /// HTTP header could carry.
    pub fn try_new(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        if text.is_empty() {
            return Err("the token is empty");
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("the token must be printable ASCII without spaces");
        }
        Ok(Self(text.to_owned()))
    }

    /// Whether `offered` is this token, in time that depends on the length of `offered` only: an
    /// early exit at the first differing byte would tell a guesser how far the guess was right.
    pub fn matches(&self, offered: &str) -> bool {
        let known = self.0.as_bytes();
        let mut difference = known.len() ^ offered.len();
        for (index, byte) in offered.bytes().enumerate() {
            difference |= usize::from(known[index % known.len()] ^ byte);
        }
        black_box(difference) == 0
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::BearerToken;

    #[test]
    fn only_the_exact_token_matches() {
        let token = BearerToken::try_new(" s3cret\n").unwrap();
        for (offered, expected) in [
            ("s3cret", true),
            ("s3cre", false),
            ("s3crets", false),
            ("s3crets3cret", false),
            ("S3cret", false),
            ("", false),
        ] {
            assert_eq!(token.matches(offered), expected, "{offered}");
        }
        assert_eq!(format!("{token:?}"), "***");
    }

    #[test]
    fn a_token_that_cannot_protect_is_refused() {
        assert_eq!(BearerToken::try_new(" \n").unwrap_err(), "the token is empty");
        assert_eq!(BearerToken::try_new("two words").unwrap_err(), "the token must be printable ASCII without spaces");
    }
}
