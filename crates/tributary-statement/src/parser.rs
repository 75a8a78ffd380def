//! [`Parser`]: a place among the tokens, and the small steps every grammar rule is made of.

use crate::lexer::{Token, TokenKind};
use crate::source::Source;
use crate::variables::{self, Lookup, Resolved};
use crate::{Ident, ObjectName, Span, Spanned, StatementError, nearest};

pub(crate) type Parsed<T> = Result<T, StatementError>;

/// Words of Flink SQL that are not ours: the words, how an error calls them (with "is"), the remedy or nothing.
pub(crate) type Refused = (&'static [&'static str], &'static str, &'static str);

/// Words that end or begin something in every position, and so cannot be bare names. Flink reserves many more; what is
/// unambiguous here is let through.
const RESERVED: &[&str] = &[
    "ALL",
    "AND",
    "AS",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "CREATE",
    "CROSS",
    "DISTINCT",
    "ELSE",
    "END",
    "EXCEPT",
    "EXISTS",
    "FALSE",
    "FETCH",
    "FROM",
    "FULL",
    "GROUP",
    "HAVING",
    "IN",
    "INNER",
    "INSERT",
    "INTERSECT",
    "INTERVAL",
    "INTO",
    "IS",
    "JOIN",
    "LATERAL",
    "LEFT",
    "LIKE",
    "LIMIT",
    "NATURAL",
    "NOT",
    "NULL",
    "OFFSET",
    "ON",
    "OR",
    "ORDER",
    "OVER",
    "PARTITION",
    "RIGHT",
    "SELECT",
    "SET",
    "SIMILAR",
    "TABLESAMPLE",
    "THEN",
    "TRUE",
    "UNION",
    "USING",
    "VALUES",
    "WHEN",
    "WHERE",
    "WINDOW",
    "WITH",
];

/// One pass over the tokens of one source.
pub(crate) struct Parser<'a> {
    pub(crate) source: &'a Source,
    tokens: &'a [Token],
    at: usize,
    lookup: Lookup<'a>,
}

// === impl Parser ===

impl<'a> Parser<'a> {
    /// `tokens` end with [`TokenKind::End`].
    pub(crate) fn new(source: &'a Source, tokens: &'a [Token], lookup: Lookup<'a>) -> Self {
        Self { source, tokens, at: 0, lookup }
    }

    /// The token `ahead` places further on; the end repeats for ever.
    pub(crate) fn peek_at(&self, ahead: usize) -> Token {
        let index = (self.at + ahead).min(self.tokens.len().saturating_sub(1));
        self.tokens.get(index).copied().unwrap_or(Token { kind: TokenKind::End, span: Span::default() })
    }

    pub(crate) fn peek(&self) -> Token {
        self.peek_at(0)
    }

    pub(crate) fn take(&mut self) -> Token {
        let token = self.peek();
        self.at = (self.at + 1).min(self.tokens.len().saturating_sub(1));
        token
    }

    /// The place of the token taken last.
    pub(crate) fn last_span(&self) -> Span {
        match self.at.checked_sub(1).and_then(|at| self.tokens.get(at)) {
            Some(token) => token.span,
            None => self.peek().span,
        }
    }

    pub(crate) fn text(&self, token: Token) -> &'a str {
        self.source.text(token.span)
    }

    /// Whether the tokens from `ahead` on are these bare words.
    pub(crate) fn words_at(&self, ahead: usize, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(index, word)| {
            let token = self.peek_at(ahead + index);
            token.kind == TokenKind::Word && self.text(token).eq_ignore_ascii_case(word)
        })
    }

    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.words_at(0, &[word])
    }

    pub(crate) fn is_symbol(&self, symbol: &str) -> bool {
        self.symbol_at(0, symbol)
    }

    pub(crate) fn symbol_at(&self, ahead: usize, symbol: &str) -> bool {
        matches!(self.peek_at(ahead).kind, TokenKind::Symbol(s) if s == symbol)
    }

    /// Takes these bare words if all of them are next; their place.
    pub(crate) fn accept(&mut self, words: &[&str]) -> Option<Span> {
        if !self.words_at(0, words) {
            return None;
        }
        let start = self.peek().span;
        for _ in words {
            self.take();
        }
        Some(start.to(self.last_span()))
    }

    pub(crate) fn accept_symbol(&mut self, symbol: &str) -> Option<Span> {
        self.is_symbol(symbol).then(|| self.take().span)
    }

    pub(crate) fn expect(&mut self, word: &str) -> Parsed<Span> {
        match self.accept(&[word]) {
            Some(span) => Ok(span),
            None => Err(self.expected_one_of(word, &[word])),
        }
    }

    pub(crate) fn expect_symbol(&mut self, symbol: &str) -> Parsed<Span> {
        match self.accept_symbol(symbol) {
            Some(span) => Ok(span),
            None => Err(self.expected(&format!("`{symbol}`"))),
        }
    }

    /// `IF NOT EXISTS`, or nothing.
    pub(crate) fn if_not_exists(&mut self) -> Parsed<bool> {
        if self.accept(&["IF"]).is_none() {
            return Ok(false);
        }
        self.expect("NOT")?;
        self.expect("EXISTS")?;
        Ok(true)
    }

    /// `(item, item, …)`, at least one.
    pub(crate) fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        self.expect_symbol("(")?;
        let mut items = vec![item(self)?];
        while self.accept_symbol(",").is_some() {
            items.push(item(self)?);
        }
        if self.accept_symbol(")").is_none() {
            return Err(self.expected("`,` or `)`"));
        }
        Ok(items)
    }

    /// Whether a statement ends here.
    pub(crate) fn is_statement_end(&self) -> bool {
        self.peek().kind == TokenKind::End || self.is_symbol(";")
    }

    /// Fails at the second of two equal names.
    pub(crate) fn distinct<'n>(&self, what: &str, names: impl Iterator<Item = &'n Ident>) -> Parsed<()> {
        let mut seen: Vec<&Ident> = Vec::new();
        for name in names {
            if let Some(first) = seen.iter().find(|first| first.value == name.value) {
                return Err(self.source.error(
                    name.span,
                    format!(
                        "the {what} `{}` is there twice, first at {}:{}",
                        name.value, first.span.line, first.span.column
                    ),
                ));
            }
            seen.push(name);
        }
        Ok(())
    }

    /// Whether the next token can stand where a name is expected.
    pub(crate) fn is_name(&self) -> bool {
        let token = self.peek();
        match token.kind {
            TokenKind::Quoted => true,
            TokenKind::Word => !is_reserved(self.text(token)),
            _ => false,
        }
    }

    /// A bare or backticked name; `what` says of what, for the error.
    pub(crate) fn name(&mut self, what: &str) -> Parsed<Ident> {
        let token = self.peek();
        let text = self.text(token);
        let value = match token.kind {
            TokenKind::Quoted => self.source.inside(token.span).replace("``", "`"),
            TokenKind::Word if !is_reserved(text) => text.to_owned(),
            TokenKind::Word if !begins_clause(text) => {
                let help = format!("if it is meant as a name, put it in backticks: `{text}`");
                return Err(self.expected(what).with_help(help));
            }
            _ => return Err(self.expected(what)),
        };
        if token.kind == TokenKind::Quoted {
            self.check_quoted_name(token, &value)?;
        }
        self.take();
        Ok(Spanned::new(value, token.span))
    }

    fn check_quoted_name(&self, token: Token, name: &str) -> Parsed<()> {
        if name.is_empty() {
            return Err(self.source.error(token.span, "a name cannot be empty"));
        }
        match variables::placeholder(name) {
            Some(gap) if gap == (0..name.len()) => Err(self.placeholder(token.span)),
            _ => Ok(()),
        }
    }

    /// One to `most` names joined by points.
    pub(crate) fn object_name(&mut self, what: &str, most: usize) -> Parsed<ObjectName> {
        let mut parts = vec![self.name(what)?];
        while self.accept_symbol(".").is_some() {
            parts.push(self.name("a name behind the point")?);
        }
        let span = match parts.first() {
            Some(first) => first.span.to(self.last_span()),
            None => self.last_span(),
        };
        if parts.len() > most {
            let help = match most {
                2 => "write catalog.database, or the database alone",
                _ => "write catalog.database.table, or leave parts out from the left",
            };
            return Err(self
                .source
                .error(span, format!("{what} has at most {most} parts, not {}", parts.len()))
                .with_help(help));
        }
        Ok(ObjectName { parts, span })
    }

    /// A string literal, variables replaced.
    pub(crate) fn string(&mut self, what: &str) -> Parsed<Spanned<Resolved>> {
        let token = self.peek();
        if token.kind != TokenKind::Text {
            return Err(self.expected(what));
        }
        let resolved = variables::resolve(self.source, token.span, self.lookup)?;
        self.take();
        Ok(Spanned::new(resolved, token.span))
    }

    /// `COMMENT 'text'`, or nothing.
    pub(crate) fn comment(&mut self) -> Parsed<Option<Spanned<String>>> {
        if self.accept(&["COMMENT"]).is_none() {
            return Ok(None);
        }
        let comment = self.string("the comment as a string")?;
        Ok(Some(Spanned::new(comment.value.text, comment.span)))
    }

    // --- errors about the next token ---

    /// "expected …, found …", or something better if the next token tells more.
    pub(crate) fn expected(&self, what: &str) -> StatementError {
        let token = self.peek();
        if let Some(span) = self.bare_placeholder() {
            return self.placeholder(span);
        }
        let found = match token.kind {
            TokenKind::Hint => {
                return self
                    .source
                    .error(self.hint_span(), "hints (`/*+ … */`) are not supported here")
                    .with_help("write /*+ OPTIONS('key' = 'value') */ behind the name of a table, or remove the hint");
            }
            TokenKind::End => "the end of the text".to_owned(),
            TokenKind::Text => "a string".to_owned(),
            TokenKind::Quoted => self.source.shown(token.span),
            TokenKind::Word | TokenKind::Number | TokenKind::Symbol(_) => {
                format!("`{}`", self.source.shown(token.span))
            }
        };
        self.source.error(token.span, format!("expected {what}, found {found}"))
    }

    /// As [`Parser::expected`], with the nearest of `keywords` as remedy.
    pub(crate) fn expected_one_of(&self, what: &str, keywords: &[&str]) -> StatementError {
        let error = self.expected(what);
        match self.meant(keywords) {
            Some(keyword) => error.with_help(format!("did you mean {keyword}?")),
            None => error,
        }
    }

    /// The keyword that the next token, a bare word, is probably a typo of.
    pub(crate) fn meant<'k>(&self, keywords: &[&'k str]) -> Option<&'k str> {
        let token = self.peek();
        let visible = token.kind == TokenKind::Word && !self.source.is_secret(token.span);
        visible.then(|| nearest(self.text(token), keywords.iter().copied())).flatten()
    }

    /// "… is not supported here", at the next `words` tokens.
    pub(crate) fn refuse(&self, words: usize, what: &str, help: &str) -> StatementError {
        let first = self.peek().span;
        let span = first.to(self.peek_at(words.saturating_sub(1)).span);
        let error = self.source.error(span, format!("{what} not supported here"));
        match help {
            "" => error,
            help => error.with_help(help),
        }
    }

    /// [`Parser::refuse`] if one of `refused` comes next.
    pub(crate) fn refuse_any(&self, refused: &[Refused]) -> Parsed<()> {
        match refused.iter().find(|(words, ..)| self.words_at(0, words)) {
            Some((words, what, help)) => Err(self.refuse(words.len(), what, help)),
            None => Ok(()),
        }
    }

    /// A gap left in a template.
    pub(crate) fn placeholder(&self, span: Span) -> StatementError {
        let message = if self.source.is_secret(span) {
            "this secret is still a placeholder".to_owned()
        } else {
            format!("`{}` is still a placeholder", self.source.text(span).trim_matches('`'))
        };
        self.source.error(span, message).with_help("put your own value in its place")
    }

    /// From the next token, which begins a hint, to the hint's end.
    fn hint_span(&self) -> Span {
        let mut ahead = 0;
        while self.peek_at(ahead).kind != TokenKind::End && !self.symbol_at(ahead, "*/") {
            ahead += 1;
        }
        self.peek().span.to(self.peek_at(ahead).span)
    }

    /// The span of `<words>` outside a string, if that is what comes next.
    fn bare_placeholder(&self) -> Option<Span> {
        let first = self.peek();
        if first.kind != TokenKind::Symbol("<") {
            return None;
        }
        let rest = &self.source.expose()[first.span.offset..];
        let gap = variables::placeholder(rest).filter(|gap| gap.start == 0)?;
        Some(Span { len: gap.end, ..first.span })
    }
}

/// Whether a bare `word` cannot be a name.
pub(crate) fn is_reserved(word: &str) -> bool {
    RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(word))
}

/// Whether a reserved `word` where a name should be tells of something left out before it, rather than of a bad name.
fn begins_clause(word: &str) -> bool {
    const WORDS: &[&str] =
        &["AND", "AS", "ELSE", "END", "FROM", "INTO", "IS", "OR", "SELECT", "THEN", "WHEN", "WHERE", "WITH"];
    WORDS.iter().any(|w| w.eq_ignore_ascii_case(word))
}
