//! Rules for calls: `NAME(arg, …)`, and the forms with keywords inside the parentheses.

use crate::expressions::Node;
use crate::lexer::TokenKind;
use crate::parser::{Parsed, Parser};
use crate::{Expr, ExprKind, Ident, Span, Spanned, StatementError};

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

/// Clauses of Flink's functions that are not ours: the function, the clause's first word, what to write instead.
const REFUSED_INSIDE: &[(&str, &str, &str)] = &[
    ("JSON_VALUE", "RETURNING", "write CAST(JSON_VALUE(…) AS type)"),
    ("JSON_VALUE", "NULL", "what is missing or no JSON gives NULL"),
    ("JSON_VALUE", "ERROR", "what is missing or no JSON gives NULL"),
    ("JSON_VALUE", "DEFAULT", "write COALESCE(JSON_VALUE(…), default)"),
    ("FLOOR", "TO", "write DATE_FORMAT(x, pattern), or CAST(x AS DATE)"),
    ("CEIL", "TO", ""),
    ("CEILING", "TO", ""),
];

impl Parser<'_> {
    /// `CAST(x AS type)`, `TRY_CAST(x AS type)`
    pub(crate) fn cast(&mut self, outer: usize, or_null: bool) -> Parsed<Node> {
        let start = self.take().span;
        self.expect_symbol("(")?;
        let operand = self.climb(0, outer + 1)?;
        if self.accept(&["AS"]).is_none() {
            return Err(self.expected_one_of("an operator or AS", &["AS"]));
        }
        let to = self.data_type()?;
        self.expect_symbol(")")?;
        let kind = ExprKind::Cast { operand: Box::new(operand.expr), to, or_null };
        self.node(kind, start.to(self.last_span()), operand.depth + 1)
    }

    /// `EXTRACT(unit FROM x)`
    pub(crate) fn extract(&mut self, outer: usize) -> Parsed<Node> {
        let start = self.take().span;
        self.expect_symbol("(")?;
        let token = self.peek();
        let unit = match self.text(token) {
            text if token.kind == TokenKind::Word && self.words_at(1, &["FROM"]) => text.to_ascii_uppercase(),
            _ => return Err(self.expected("a unit and FROM").or_help("write EXTRACT(HOUR FROM x)".to_owned())),
        };
        self.take();
        self.take();
        let operand = self.climb(0, outer + 1)?;
        if self.accept_symbol(")").is_none() {
            return Err(self.expected("an operator or `)`"));
        }
        let kind = ExprKind::Extract { unit: Spanned::new(unit, token.span), operand: Box::new(operand.expr) };
        self.node(kind, start.to(self.last_span()), operand.depth + 1)
    }

    /// `TRIM(s)`, `TRIM([BOTH | LEADING | TRAILING] [characters] FROM s)`
    pub(crate) fn trim(&mut self, outer: usize) -> Parsed<Node> {
        let start = self.take().span;
        self.expect_symbol("(")?;
        let side = [("BOTH", "TRIM"), ("LEADING", "LTRIM"), ("TRAILING", "RTRIM")]
            .into_iter()
            .find_map(|(word, name)| self.accept(&[word]).map(|_| name));
        let mut depth = 0;
        let mut args = Vec::new();
        let mut argument = |parser: &mut Self| -> Parsed<Expr> {
            let node = parser.climb(0, outer + 1)?;
            depth = depth.max(node.depth);
            Ok(node.expr)
        };
        let first = if side.is_some() && self.is_word("FROM") { None } else { Some(argument(self)?) };
        if self.accept(&["FROM"]).is_some() {
            args.push(argument(self)?);
            args.extend(first);
        } else if let (Some(_), None) = (&first, side) {
            args.extend(first);
        } else {
            return Err(self.expected("an operator or FROM"));
        }
        if self.accept_symbol(")").is_none() {
            return Err(self.expected("an operator or `)`"));
        }
        let name = Spanned::new(side.unwrap_or("TRIM").to_owned(), start);
        self.node(ExprKind::Function { name, args }, start.to(self.last_span()), depth + 1)
    }

    /// `NAME([arg, …])`, and SUBSTRING's form with keywords.
    pub(crate) fn call(&mut self, outer: usize) -> Parsed<Node> {
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
        let refused = REFUSED_INSIDE.iter().find(|(call, word, _)| *call == name.value && self.is_word(word));
        if let Some((call, word, help)) = refused {
            return Err(self.refuse(1, &format!("{word} in {call} is"), help));
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
            "ARRAY" | "MAP" => Err(self.refuse(1, &format!("{upper}(…) is"), &format!("write {upper}[…]"))),
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
