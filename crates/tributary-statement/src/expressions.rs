//! Rules for expressions, by precedence climbing. Binding, loosest first, as in Flink: OR, AND, NOT, IS, comparison,
//! + and -, * / %, signs.

use crate::lexer::TokenKind;
use crate::parser::{Parsed, Parser, Refused};
use crate::{BinaryOp, CaseBranch, Expr, ExprKind, Ident, Literal, Span, Spanned, StatementError, UnaryOp, literals};

/// How deep an expression may be nested, so that neither parsing it nor walking it can exhaust a thread's stack. A chain
/// like `a OR b OR c` nests once per operator.
pub(crate) const MAX_DEPTH: usize = 100;

const OR: u8 = 1;
const AND: u8 = 2;
const IS: u8 = 4;
const COMPARISON: u8 = 5;
const SUM: u8 = 6;
const PRODUCT: u8 = 7;

/// Functions written without parentheses.
const BARE_FUNCTIONS: &[&str] = &["CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP"];

/// Functions over many rows.
const AGGREGATES: &[&str] = &[
    "AVG",
    "COLLECT",
    "COUNT",
    "DENSE_RANK",
    "FIRST_VALUE",
    "LAG",
    "LAST_VALUE",
    "LEAD",
    "LISTAGG",
    "MAX",
    "MIN",
    "NTILE",
    "RANK",
    "ROW_NUMBER",
    "STDDEV_POP",
    "STDDEV_SAMP",
    "SUM",
    "VAR_POP",
    "VAR_SAMP",
    "VARIANCE",
];

/// Operators of Flink that are not ours (yet): how they start, what they are called, what to write instead.
const REFUSED_WORDS: &[Refused] = &[
    (&["NOT", "BETWEEN"], "NOT BETWEEN is", "write x < low OR x > high"),
    (&["NOT", "IN"], "NOT IN is", "write x <> a AND x <> b"),
    (&["NOT", "LIKE"], "NOT LIKE is", ""),
    (&["NOT", "SIMILAR"], "NOT SIMILAR TO is", ""),
    (&["BETWEEN"], "BETWEEN is", "write x >= low AND x <= high"),
    (&["IN"], "IN is", "write x = a OR x = b"),
    (&["LIKE"], "LIKE is", ""),
    (&["SIMILAR"], "SIMILAR TO is", ""),
    (&["OVER"], "OVER is", "rows are handled one by one"),
    (&["COLLATE"], "COLLATE is", ""),
];
const REFUSED_SYMBOLS: &[(&str, &str, &str)] = &[
    ("||", "`||` is", "write CONCAT(a, b)"),
    ("==", "`==` is", "write ="),
    ("::", "`::` is", "write CAST(x AS type)"),
    ("[", "element access `[…]` is", ""),
];

/// An expression under construction, and how deep it is nested.
struct Node {
    expr: Expr,
    depth: usize,
}

impl Parser<'_> {
    /// One expression, as long as it goes.
    pub(crate) fn expression(&mut self) -> Parsed<Expr> {
        self.climb(0, 0).map(|node| node.expr)
    }

    /// An expression of operators that bind at least as tightly as `least`, `outer` levels deep.
    fn climb(&mut self, least: u8, outer: usize) -> Parsed<Node> {
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

    fn node(&self, kind: ExprKind, span: Span, depth: usize) -> Parsed<Node> {
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

    /// What stands between binary operators: an operand with its prefixes.
    fn operand(&mut self, outer: usize) -> Parsed<Node> {
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
                return Err(self.refuse(1, "a row of several values is", ""));
            }
            if self.accept_symbol(")").is_none() {
                return Err(self.expected("an operator or `)`"));
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
            "CAST" => self.cast(outer),
            "CASE" => self.case(outer),
            "INTERVAL" => Err(self.refuse(1, "INTERVAL is", "")),
            "EXISTS" => Err(self.refuse(1, "EXISTS is", "a SELECT reads one table")),
            "ARRAY" | "MAP" if self.symbol_at(1, "[") => Err(self.refuse(1, &format!("{upper}[…] is"), "")),
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

    /// `CAST(x AS type)`
    fn cast(&mut self, outer: usize) -> Parsed<Node> {
        let start = self.take().span;
        self.expect_symbol("(")?;
        let operand = self.climb(0, outer + 1)?;
        if self.accept(&["AS"]).is_none() {
            return Err(self.expected_one_of("an operator or AS", &["AS"]));
        }
        let to = self.data_type()?;
        self.expect_symbol(")")?;
        let kind = ExprKind::Cast { operand: Box::new(operand.expr), to };
        self.node(kind, start.to(self.last_span()), operand.depth + 1)
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

    /// `NAME([arg, …])`, and SUBSTRING's form with keywords.
    fn call(&mut self, outer: usize) -> Parsed<Node> {
        let name = self.function_name()?;
        let open = self.expect_symbol("(")?;
        let mut depth = 0;
        let mut args = Vec::new();
        let mut argument = |parser: &mut Self| -> Parsed<Expr> {
            let node = parser.climb(0, outer + 1)?;
            depth = depth.max(node.depth);
            Ok(node.expr)
        };
        if !self.is_symbol(")") {
            args.push(argument(self)?);
            let keywords = name.value == "SUBSTRING" && self.accept(&["FROM"]).is_some();
            if keywords {
                args.push(argument(self)?);
                if self.accept(&["FOR"]).is_some() {
                    args.push(argument(self)?);
                }
            } else {
                while self.accept_symbol(",").is_some() {
                    args.push(argument(self)?);
                }
            }
        }
        if self.accept_symbol(")").is_none() {
            return Err(self.unclosed_call(&name, open));
        }
        let span = name.span.to(self.last_span());
        self.node(ExprKind::Function { name, args }, span, depth + 1)
    }

    fn unclosed_call(&self, name: &Ident, open: Span) -> StatementError {
        let error = self.expected("an operator, `,` or `)`");
        match self.peek().kind {
            TokenKind::End | TokenKind::Symbol(";") => {
                let name = self.source.shown(name.span);
                error.or_help(format!("close the `(` of {name} at {}:{}", open.line, open.column))
            }
            _ => error,
        }
    }

    /// The name of a call, in upper case; refuses those that are no calls of one row's values.
    fn function_name(&mut self) -> Parsed<Ident> {
        let token = self.peek();
        let upper = self.text(token).trim_matches('`').to_uppercase();
        if AGGREGATES.contains(&upper.as_str()) {
            return Err(self.refuse(1, &format!("the aggregate function {upper} is"), "rows are handled one by one"));
        }
        match upper.as_str() {
            "EXTRACT" => Err(self.refuse(1, "EXTRACT is", "write YEAR(x), HOUR(x), …")),
            "TRY_CAST" => Err(self.refuse(1, "TRY_CAST is", "write CAST(x AS type)")),
            "ROW" => Err(self.refuse(1, "ROW(…) is", "")),
            _ if token.kind == TokenKind::Word && self.is_keyword_before_parenthesis(&upper) => {
                Err(self.expected("an expression"))
            }
            _ => {
                self.take();
                Ok(Spanned::new(upper, token.span))
            }
        }
    }

    /// Reserved words that are no functions; LEFT(s, n) and RIGHT(s, n) are.
    fn is_keyword_before_parenthesis(&self, upper: &str) -> bool {
        crate::parser::is_reserved(upper) && !matches!(upper, "LEFT" | "RIGHT")
    }
}
