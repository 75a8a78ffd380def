//! Rules for expressions, by precedence climbing. Binding, loosest first, as in Flink: OR, AND, NOT, IS, comparison,
//! BETWEEN IN LIKE, + and -, * / % ||, signs. Calls and forms that look like calls are in `calls`.

use crate::lexer::TokenKind;
use crate::parser::{Parsed, Parser, Refused};
use crate::{BinaryOp, CaseBranch, Expr, ExprKind, Literal, Span, Spanned, UnaryOp, literals};

/// How deep an expression may be nested, so that neither parsing it nor walking it can exhaust a thread's stack. A chain
/// like `a OR b OR c` nests once per operator.
pub(crate) const MAX_DEPTH: usize = 100;

const OR: u8 = 1;
const AND: u8 = 2;
const IS: u8 = 4;
const COMPARISON: u8 = 5;
const RANGE: u8 = 6;
const SUM: u8 = 7;
const PRODUCT: u8 = 8;

/// Functions written without parentheses.
const BARE_FUNCTIONS: &[&str] = &["CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP"];

/// Operators of Flink that are not ours (yet): how they start, what they are called, what to write instead.
const REFUSED_WORDS: &[Refused] = &[
    (&["NOT", "SIMILAR"], "NOT SIMILAR TO is", ""),
    (&["SIMILAR"], "SIMILAR TO is", ""),
    (&["OVER"], "OVER is", "rows are handled one by one"),
    (&["COLLATE"], "COLLATE is", ""),
];
const REFUSED_SYMBOLS: &[(&str, &str, &str)] =
    &[("==", "`==` is", "write ="), ("::", "`::` is", "write CAST(x AS type)")];

/// The operators that take more than one operand on their right.
#[derive(Clone, Copy)]
enum Range {
    Between,
    In,
    Like,
}

/// An expression under construction, and how deep it is nested.
pub(crate) struct Node {
    pub(crate) expr: Expr,
    pub(crate) depth: usize,
}

impl Parser<'_> {
    /// One expression, as long as it goes.
    pub(crate) fn expression(&mut self) -> Parsed<Expr> {
        self.climb(0, 0).map(|node| node.expr)
    }

    /// An expression and nothing behind it.
    pub(crate) fn whole(&mut self) -> Parsed<Expr> {
        let expr = self.expression()?;
        match self.peek().kind {
            TokenKind::End => Ok(expr),
            _ => Err(self.expected("an operator or the end of the text")),
        }
    }

    /// An expression of operators that bind at least as tightly as `least`, `outer` levels deep.
    pub(crate) fn climb(&mut self, least: u8, outer: usize) -> Parsed<Node> {
        let mut left = self.operand(outer)?;
        loop {
            self.refuse_operator()?;
            if self.is_word("IS") {
                if IS < least {
                    return Ok(left);
                }
                left = self.is_null(left)?;
                continue;
            }
            if let Some(range) = self.range_operator() {
                if RANGE < least {
                    return Ok(left);
                }
                left = self.range(range, left, outer)?;
                continue;
            }
            let Some((op, binding)) = self.binary_operator() else {
                return Ok(left);
            };
            if binding < least {
                return Ok(left);
            }
            let op = Spanned::new(op, self.take().span);
            let right = self.climb(binding + 1, outer + 1)?;
            let span = left.expr.span.to(right.expr.span);
            let depth = left.depth.max(right.depth);
            let kind = ExprKind::Binary { left: Box::new(left.expr), op, right: Box::new(right.expr) };
            left = self.node(kind, span, depth + 1)?;
        }
    }

    pub(crate) fn node(&self, kind: ExprKind, span: Span, depth: usize) -> Parsed<Node> {
        self.check_depth(span, depth)?;
        Ok(Node { expr: Expr { kind, span }, depth })
    }

    fn check_depth(&self, span: Span, depth: usize) -> Parsed<()> {
        if depth <= MAX_DEPTH {
            return Ok(());
        }
        Err(self
            .source
            .error(span, format!("this expression is nested more than {MAX_DEPTH} levels deep"))
            .with_help("split it; a chain of AND or OR can be halved with parentheses"))
    }

    fn binary_operator(&self) -> Option<(BinaryOp, u8)> {
        let op = match self.peek().kind {
            TokenKind::Symbol("=") => (BinaryOp::Eq, COMPARISON),
            TokenKind::Symbol("<>" | "!=") => (BinaryOp::NotEq, COMPARISON),
            TokenKind::Symbol("<") => (BinaryOp::Lt, COMPARISON),
            TokenKind::Symbol("<=") => (BinaryOp::LtEq, COMPARISON),
            TokenKind::Symbol(">") => (BinaryOp::Gt, COMPARISON),
            TokenKind::Symbol(">=") => (BinaryOp::GtEq, COMPARISON),
            TokenKind::Symbol("+") => (BinaryOp::Add, SUM),
            TokenKind::Symbol("-") => (BinaryOp::Subtract, SUM),
            TokenKind::Symbol("*") => (BinaryOp::Multiply, PRODUCT),
            TokenKind::Symbol("/") => (BinaryOp::Divide, PRODUCT),
            TokenKind::Symbol("%") => (BinaryOp::Modulo, PRODUCT),
            TokenKind::Symbol("||") => (BinaryOp::Concat, PRODUCT),
            _ if self.is_word("AND") => (BinaryOp::And, AND),
            _ if self.is_word("OR") => (BinaryOp::Or, OR),
            _ => return None,
        };
        Some(op)
    }

    fn refuse_operator(&self) -> Parsed<()> {
        if let TokenKind::Symbol(symbol) = self.peek().kind {
            let refused = REFUSED_SYMBOLS.iter().find(|(s, ..)| *s == symbol);
            return match refused {
                Some((_, what, help)) => Err(self.refuse(1, what, help)),
                None => Ok(()),
            };
        }
        self.refuse_any(REFUSED_WORDS)
    }

    /// `IS [NOT] NULL`
    fn is_null(&mut self, operand: Node) -> Parsed<Node> {
        self.take();
        let negated = self.accept(&["NOT"]).is_some();
        if self.accept(&["NULL"]).is_none() {
            for word in ["TRUE", "FALSE", "UNKNOWN", "DISTINCT", "JSON"] {
                if self.is_word(word) {
                    let not = if negated { "NOT " } else { "" };
                    return Err(self.refuse(1, &format!("IS {not}{word} is"), ""));
                }
            }
            return Err(self.expected_one_of("NULL", &["NULL"]));
        }
        let span = operand.expr.span.to(self.last_span());
        let kind = ExprKind::IsNull { operand: Box::new(operand.expr), negated };
        self.node(kind, span, operand.depth + 1)
    }

    fn range_operator(&self) -> Option<Range> {
        let ahead = usize::from(self.is_word("NOT"));
        [("BETWEEN", Range::Between), ("IN", Range::In), ("LIKE", Range::Like)]
            .into_iter()
            .find_map(|(word, range)| self.words_at(ahead, &[word]).then_some(range))
    }

    /// `[NOT] BETWEEN low AND high`, `[NOT] IN (…)`, `[NOT] LIKE pattern [ESCAPE e]`
    fn range(&mut self, range: Range, left: Node, outer: usize) -> Parsed<Node> {
        let negated = self.accept(&["NOT"]).is_some();
        self.take();
        let mut depth = left.depth;
        let mut part = |parser: &mut Self, least: u8| -> Parsed<Expr> {
            let node = parser.climb(least, outer + 1)?;
            depth = depth.max(node.depth);
            Ok(node.expr)
        };
        let start = left.expr.span;
        let operand = Box::new(left.expr);
        let kind = match range {
            Range::Between => {
                if self.is_word("SYMMETRIC") {
                    return Err(self.refuse(1, "BETWEEN SYMMETRIC is", "write the lower bound first"));
                }
                self.accept(&["ASYMMETRIC"]);
                let low = Box::new(part(self, SUM)?);
                if self.accept(&["AND"]).is_none() {
                    return Err(self.expected_one_of("an operator or AND", &["AND"]));
                }
                ExprKind::Between { operand, low, high: Box::new(part(self, SUM)?), negated }
            }
            Range::In => {
                self.expect_symbol("(")?;
                if self.is_word("SELECT") || self.is_word("WITH") {
                    return Err(self.refuse(1, "a subquery is", "a SELECT reads one table"));
                }
                let mut list = vec![part(self, 0)?];
                while self.accept_symbol(",").is_some() {
                    list.push(part(self, 0)?);
                }
                if self.accept_symbol(")").is_none() {
                    return Err(self.expected("an operator, `,` or `)`"));
                }
                ExprKind::In { operand, list, negated }
            }
            Range::Like => {
                let pattern = Box::new(part(self, SUM)?);
                let escape = match self.accept(&["ESCAPE"]) {
                    Some(_) => Some(Box::new(part(self, SUM)?)),
                    None => None,
                };
                ExprKind::Like { operand, pattern, escape, negated }
            }
        };
        self.node(kind, start.to(self.last_span()), depth + 1)
    }

    /// What stands between binary operators: an operand with its prefixes, and what is taken out of it.
    fn operand(&mut self, outer: usize) -> Parsed<Node> {
        let whole = self.whole_operand(outer)?;
        self.parts_of(whole, outer)
    }

    fn whole_operand(&mut self, outer: usize) -> Parsed<Node> {
        let start = self.peek().span;
        self.check_depth(start, outer)?;
        if let Some(span) = self.accept(&["NOT"]) {
            let operand = self.climb(IS, outer + 1)?;
            return self.unary(Spanned::new(UnaryOp::Not, span), operand);
        }
        for (symbol, op) in [("-", UnaryOp::Minus), ("+", UnaryOp::Plus)] {
            let Some(span) = self.accept_symbol(symbol) else {
                continue;
            };
            if op == UnaryOp::Minus && self.peek().kind == TokenKind::Number {
                return self.number(Some(span));
            }
            let operand = self.operand(outer + 1)?;
            return self.unary(Spanned::new(op, span), operand);
        }
        if self.accept_symbol("(").is_some() {
            if self.is_word("SELECT") || self.is_word("WITH") {
                return Err(self.refuse(1, "a subquery is", "a SELECT reads one table"));
            }
            let mut inner = self.climb(0, outer + 1)?;
            if self.is_symbol(",") {
                return self.row(start, inner, outer);
            }
            if self.accept_symbol(")").is_none() {
                return Err(self.expected("an operator, `,` or `)`"));
            }
            inner.expr.span = start.to(self.last_span());
            return Ok(inner);
        }
        match self.peek().kind {
            TokenKind::Number => self.number(None),
            TokenKind::Text => {
                let string = self.string("a string")?;
                let literal = ExprKind::Literal(Literal::String(string.value.text));
                self.node(literal, string.span, 0)
            }
            TokenKind::Word => self.word(outer),
            TokenKind::Quoted => self.reference(outer),
            _ => Err(self.expected("an expression")),
        }
    }

    fn unary(&self, op: Spanned<UnaryOp>, operand: Node) -> Parsed<Node> {
        let span = op.span.to(operand.expr.span);
        let kind = ExprKind::Unary { op, operand: Box::new(operand.expr) };
        self.node(kind, span, operand.depth + 1)
    }

    /// A number, with the minus sign before it if there is one.
    fn number(&mut self, minus: Option<Span>) -> Parsed<Node> {
        let token = self.take();
        let span = minus.map_or(token.span, |minus| minus.to(token.span));
        match literals::number(self.text(token), minus.is_some()) {
            Ok(literal) => self.node(ExprKind::Literal(literal), span, 0),
            Err(why) => Err(self.source.error(span, why)),
        }
    }

    /// What begins with a bare word: a keyword's form, a call or a column.
    fn word(&mut self, outer: usize) -> Parsed<Node> {
        let token = self.peek();
        let upper = self.text(token).to_ascii_uppercase();
        let next = self.peek_at(1);
        let before_string = next.kind == TokenKind::Text;
        let literal = match upper.as_str() {
            "NULL" => Some(Literal::Null),
            "TRUE" => Some(Literal::Boolean(true)),
            "FALSE" => Some(Literal::Boolean(false)),
            _ => None,
        };
        if let Some(literal) = literal {
            self.take();
            return self.node(ExprKind::Literal(literal), token.span, 0);
        }
        match upper.as_str() {
            "DATE" if before_string => self.temporal("DATE", "yyyy-mm-dd", literals::date),
            "TIME" if before_string => self.temporal("TIME", "hh:mm:ss.fff", literals::time),
            "TIMESTAMP" if before_string => self.temporal("TIMESTAMP", "yyyy-mm-dd hh:mm:ss.fff", literals::timestamp),
            "CAST" => self.cast(outer, false),
            "TRY_CAST" if self.symbol_at(1, "(") => self.cast(outer, true),
            "EXTRACT" if self.symbol_at(1, "(") => self.extract(outer),
            "TRIM" if self.symbol_at(1, "(") => self.trim(outer),
            "CASE" => self.case(outer),
            "INTERVAL" => Err(self.refuse(1, "INTERVAL is", "")),
            "EXISTS" => Err(self.refuse(1, "EXISTS is", "a SELECT reads one table")),
            "ARRAY" | "MAP" if self.symbol_at(1, "[") => self.collection(upper, outer),
            _ if before_string && next.span.offset == token.span.end() => Err(self.refuse(
                1,
                &format!("a string with the prefix `{}` is", self.text(token)),
                "write it without the prefix",
            )),
            // LEFT('abc', 2) and its like are calls although a bare LEFT means a join.
            _ => self.reference(outer),
        }
    }

    /// `DATE '…'` and its like.
    fn temporal(&mut self, name: &str, format: &str, read: fn(&str) -> Option<Literal>) -> Parsed<Node> {
        let start = self.take().span;
        let string = self.string("a string")?;
        let span = start.to(string.span);
        match read(&string.value.text) {
            Some(literal) => self.node(ExprKind::Literal(literal), span, 0),
            None => {
                let shown = self.source.shown(string.span);
                Err(self
                    .source
                    .error(string.span, format!("{shown} is no {name}"))
                    .with_help(format!("write {name} '{format}'")))
            }
        }
    }

    /// Both forms of CASE.
    fn case(&mut self, outer: usize) -> Parsed<Node> {
        let start = self.take().span;
        let mut depth = 0;
        let mut part = |parser: &mut Self| -> Parsed<Expr> {
            let node = parser.climb(0, outer + 1)?;
            depth = depth.max(node.depth);
            Ok(node.expr)
        };
        let operand = match self.is_word("WHEN") {
            true => None,
            false => Some(Box::new(part(self)?)),
        };
        let mut branches = Vec::new();
        while self.accept(&["WHEN"]).is_some() {
            let when = part(self)?;
            if self.accept(&["THEN"]).is_none() {
                return Err(self.expected_one_of("an operator or THEN", &["THEN"]));
            }
            let then = part(self)?;
            branches.push(CaseBranch { when, then });
        }
        if branches.is_empty() {
            return Err(self.expected_one_of("an operator or WHEN", &["WHEN"]));
        }
        let otherwise = match self.accept(&["ELSE"]) {
            Some(_) => Some(Box::new(part(self)?)),
            None => None,
        };
        if self.accept(&["END"]).is_none() {
            return Err(match otherwise {
                Some(_) => self.expected_one_of("an operator or END", &["END"]),
                None => self.expected_one_of("an operator, WHEN, ELSE or END", &["WHEN", "ELSE", "END"]),
            });
        }
        let kind = ExprKind::Case { operand, branches, otherwise };
        self.node(kind, start.to(self.last_span()), depth + 1)
    }

    /// A call or a column.
    fn reference(&mut self, outer: usize) -> Parsed<Node> {
        let token = self.peek();
        if self.symbol_at(1, "(") {
            return self.call(outer);
        }
        let upper = self.text(token).to_ascii_uppercase();
        if token.kind == TokenKind::Word && BARE_FUNCTIONS.contains(&upper.as_str()) && !self.symbol_at(1, ".") {
            self.take();
            let kind = ExprKind::Function { name: Spanned::new(upper, token.span), args: Vec::new() };
            return self.node(kind, token.span, 0);
        }
        let mut parts = self.object_name("an expression", usize::MAX)?;
        let span = parts.span;
        match parts.parts.pop() {
            Some(name) => {
                let qualifier = parts.parts;
                self.node(ExprKind::Column { qualifier, name }, span, 0)
            }
            None => Err(self.expected("an expression")),
        }
    }
}
