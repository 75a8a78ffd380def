//! Rules for what makes lists, maps and rows, and for what is taken out of them.

use crate::expressions::Node;
use crate::parser::{Parsed, Parser};
use crate::{Expr, ExprKind, Span, Spanned};

impl Parser<'_> {
    /// `ARRAY[a, …]`, `MAP[k, v, …]`, both with nothing inside as well; `name` is in upper case.
    pub(crate) fn collection(&mut self, name: String, outer: usize) -> Parsed<Node> {
        let name = Spanned::new(name, self.take().span);
        self.expect_symbol("[")?;
        let (mut args, mut depth) = (Vec::new(), 0);
        if !self.is_symbol("]") {
            self.more_items(&mut args, &mut depth, outer)?;
        }
        if self.accept_symbol("]").is_none() {
            return Err(self.expected("an operator, `,` or `]`"));
        }
        let span = name.span.to(self.last_span());
        self.node(ExprKind::Function { name, args }, span, depth + 1)
    }

    /// `(a, b, …)` behind `(a`, which began at `start`.
    pub(crate) fn row(&mut self, start: Span, first: Node, outer: usize) -> Parsed<Node> {
        self.expect_symbol(",")?;
        let (mut args, mut depth) = (vec![first.expr], first.depth);
        self.more_items(&mut args, &mut depth, outer)?;
        if self.accept_symbol(")").is_none() {
            return Err(self.expected("an operator, `,` or `)`"));
        }
        let name = Spanned::new("ROW".to_owned(), start);
        self.node(ExprKind::Function { name, args }, start.to(self.last_span()), depth + 1)
    }

    /// `a, b, …`, at least one.
    fn more_items(&mut self, items: &mut Vec<Expr>, depth: &mut usize, outer: usize) -> Parsed<()> {
        loop {
            let node = self.climb(0, outer + 1)?;
            *depth = (*depth).max(node.depth);
            items.push(node.expr);
            if self.accept_symbol(",").is_none() {
                return Ok(());
            }
        }
    }

    /// `[index]` and `.field` behind an operand, any number of them.
    pub(crate) fn parts_of(&mut self, whole: Node, outer: usize) -> Parsed<Node> {
        let mut node = whole;
        loop {
            let start = node.expr.span;
            let operand = Box::new(node.expr);
            if self.accept_symbol("[").is_some() {
                let index = self.climb(0, outer + 1)?;
                if self.accept_symbol("]").is_none() {
                    return Err(self.expected("an operator or `]`"));
                }
                let depth = node.depth.max(index.depth) + 1;
                let kind = ExprKind::Item { operand, index: Box::new(index.expr) };
                node = self.node(kind, start.to(self.last_span()), depth)?;
            } else if self.accept_symbol(".").is_some() {
                let name = self.name("the name of a field")?;
                let kind = ExprKind::Field { operand, name };
                node = self.node(kind, start.to(self.last_span()), node.depth + 1)?;
            } else {
                return Ok(Node { expr: *operand, depth: node.depth });
            }
        }
    }
}
