//! Text to tokens, each with its byte-exact place. Comments and white space end here.
//!
//! Lexical rules are Flink's: `` `quoted` `` names (a doubled backtick inside is one), `'strings'` (a doubled quote inside
//! is one; no backslash escapes), `--` and `/* */` comments (not nested), `/*+ hints */`.

use crate::Span;

/// One token. The last one of a text is always [`TokenKind::End`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) span: Span,
}

/// What a token is; its text is the source's at the span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A keyword or a bare name.
    Word,
    /// A name in backticks.
    Quoted,
    /// A string in single quotes.
    Text,
    /// Digits with at most one point and one exponent.
    Number,
    /// An operator or punctuation mark.
    Symbol(&'static str),
    /// `/*+`, which begins hints; their tokens and the symbol `*/` follow.
    Hint,
    /// Behind the last token.
    End,
}

/// Why a text could not be cut into tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LexError {
    pub(crate) span: Span,
    pub(crate) message: String,
    pub(crate) help: Option<&'static str>,
}

/// Longest first where one begins another.
const SYMBOLS: &[&str] = &[
    "<>", "!=", "<=", ">=", "==", "||", "=>", "::", "(", ")", ",", ";", ".", "=", "<", ">", "+", "-", "*", "/", "%",
    "[", "]", "{", "}", ":", "?",
];

struct Lexer<'a> {
    text: &'a str,
    /// Byte offset of the next character.
    at: usize,
    line: u32,
    column: u32,
    /// Where the hints that are not closed yet began.
    hint: Option<Span>,
    tokens: Vec<Token>,
    /// Empty, behind the last token.
    end: Span,
}

/// Cuts `text` into tokens. On an error the tokens before it are there all the same (an unterminated string is the last
/// of them), so that the secrets among them can be masked.
pub(crate) fn tokenize(text: &str) -> (Vec<Token>, Option<LexError>) {
    let end = Span { line: 1, column: 1, ..Span::default() };
    let mut lexer = Lexer { text, at: 0, line: 1, column: 1, hint: None, tokens: Vec::new(), end };
    let error = lexer.run().err();
    let (kind, span) = (TokenKind::End, lexer.end);
    lexer.tokens.push(Token { kind, span });
    (lexer.tokens, error)
}

// === impl Lexer ===

impl<'a> Lexer<'a> {
    fn run(&mut self) -> Result<(), LexError> {
        while let Some(c) = self.peek() {
            let start = self.here();
            let rest = self.rest();
            if c.is_whitespace() || c == '\u{feff}' {
                self.take();
            } else if self.hint.is_some() && rest.starts_with("*/") {
                self.hint = None;
                self.take_bytes(2);
                self.push(TokenKind::Symbol("*/"), start);
            } else if rest.starts_with("/*+") && self.hint.is_none() {
                self.hint = Some(start);
                self.take_bytes(3);
                self.push(TokenKind::Hint, start);
            } else if rest.starts_with("--") {
                self.take_while(|c| c != '\n');
            } else if rest.starts_with("/*") {
                self.comment(start)?;
            } else if c == '\'' {
                self.delimited(start, TokenKind::Text)?;
            } else if c == '`' {
                self.delimited(start, TokenKind::Quoted)?;
            } else if c.is_alphabetic() || c == '_' {
                self.take_while(is_word_part);
                self.push(TokenKind::Word, start);
            } else if c.is_ascii_digit() || (c == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit())) {
                self.number(start)?;
            } else if let Some(symbol) = SYMBOLS.iter().find(|s| rest.starts_with(**s)) {
                self.take_bytes(symbol.len());
                self.push(TokenKind::Symbol(symbol), start);
            } else {
                return Err(self.stray(start, c));
            }
        }
        match self.hint {
            Some(start) => Err(never_closed("hint", start)),
            None => Ok(()),
        }
    }

    /// From `/*` to `*/`.
    fn comment(&mut self, start: Span) -> Result<(), LexError> {
        match self.rest()[2..].find("*/") {
            Some(length) => {
                self.take_bytes(length + 4);
                Ok(())
            }
            None => Err(never_closed("comment", start)),
        }
    }

    /// From a quote to the same quote; a doubled one inside does not end it.
    fn delimited(&mut self, start: Span, kind: TokenKind) -> Result<(), LexError> {
        let Some(quote) = self.take() else {
            return Ok(());
        };
        loop {
            match self.take() {
                Some(c) if c == quote && self.peek() == Some(quote) => {
                    self.take();
                }
                Some(c) if c == quote => break,
                Some(_) => {}
                None => {
                    self.push(kind, start);
                    let (what, help) = match kind {
                        TokenKind::Quoted => ("name in backticks", "close it with `"),
                        _ => ("string", "close it with ' (a quote inside a string is doubled: '')"),
                    };
                    return Err(LexError {
                        span: Span { len: 1, ..start },
                        message: format!("this {what} is never closed"),
                        help: Some(help),
                    });
                }
            }
        }
        self.push(kind, start);
        Ok(())
    }

    fn number(&mut self, start: Span) -> Result<(), LexError> {
        let digit = |c: char| c.is_ascii_digit();
        self.take_while(digit);
        if self.peek() == Some('.') {
            self.take();
            self.take_while(digit);
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            let exponent = &self.rest()[1..];
            let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if unsigned.starts_with(digit) {
                self.take_bytes(1 + exponent.len() - unsigned.len());
                self.take_while(digit);
            }
        }
        if self.peek().is_some_and(is_word_part) {
            self.take_while(is_word_part);
            let span = self.since(start);
            return Err(LexError {
                span,
                message: "a number or a name was expected, not a mix of both".to_owned(),
                help: Some("put a name that starts with a digit in backticks"),
            });
        }
        self.push(TokenKind::Number, start);
        Ok(())
    }

    fn stray(&mut self, start: Span, c: char) -> LexError {
        self.take();
        let span = self.since(start);
        let (message, help) = match c {
            '"' => (
                "double quotes mean nothing here".to_owned(),
                Some("strings take single quotes ('text'), names take backticks (`name`)"),
            ),
            '‘' | '’' | '“' | '”' | '´' => {
                (format!("`{c}` is a typographic quote"), Some("write ' for strings and ` for names"))
            }
            '$' => (
                "`$` outside a string".to_owned(),
                Some("variables are replaced inside string literals only: '${NAME}'"),
            ),
            c if c.is_control() => (format!("unexpected control character {:?}", c), None),
            c => (format!("unexpected character `{c}`"), None),
        };
        LexError { span, message, help }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        if c == '\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        Some(c)
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&wanted) {
            self.take();
        }
    }

    fn take_bytes(&mut self, bytes: usize) {
        let end = self.at + bytes;
        while self.at < end && self.take().is_some() {}
    }

    /// An empty span at the next character.
    fn here(&self) -> Span {
        Span { line: self.line, column: self.column, offset: self.at, len: 0 }
    }

    fn since(&self, start: Span) -> Span {
        Span { len: self.at - start.offset, ..start }
    }

    fn push(&mut self, kind: TokenKind, start: Span) {
        let span = self.since(start);
        self.tokens.push(Token { kind, span });
        self.end = self.here();
    }
}

fn never_closed(what: &str, start: Span) -> LexError {
    LexError {
        span: Span { len: 2, ..start },
        message: format!("this {what} is never closed"),
        help: Some("close it with */"),
    }
}

fn is_word_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
