//! ABS, FLOOR, CEIL, ROUND and MOD.

use paimon_format::TypeRoot;
use tributary_statement::{BinaryOp, Expr, ExprKind, Literal};

use super::{Call, Result};
use crate::expr::bind::{BindError, calculate, coerce, is_null};
use crate::expr::call::Function;
use crate::expr::eval::Bound;
use crate::expr::numbers::round_type;
use crate::expr::types::{self, Arithmetic, Family, family};

impl Call<'_> {
    fn number_arg(&self, arg: &Expr) -> Result<Bound> {
        let bound = self.scope.bind(arg)?;
        if is_null(&bound) {
            return Ok(coerce(bound, TypeRoot::Int));
        }
        let found = &bound.data_type.root;
        if !types::is_numeric(found) {
            return Err(BindError::new(arg.span, format!("{} takes a number, this is {found}", self.name))
                .help("write CAST(… AS DOUBLE) around it"));
        }
        Ok(bound)
    }

    pub(super) fn abs(&self) -> Result<Bound> {
        self.count(1, 1)?;
        let value = self.number_arg(&self.args[0])?;
        let root = value.data_type.root.clone();
        Ok(self.give(Function::Abs, vec![value], root))
    }

    /// FLOOR and CEIL: a decimal loses its fraction.
    pub(super) fn whole(&self, function: Function) -> Result<Bound> {
        self.count(1, 1)?;
        let value = self.number_arg(&self.args[0])?;
        let root = value.data_type.root.clone();
        Ok(match root {
            // The next whole number can have one digit too many: null.
            TypeRoot::Decimal { precision, scale } if scale > 0 => {
                self.give_nullable(function, vec![value], TypeRoot::Decimal { precision, scale: 0 })
            }
            root => self.give(function, vec![value], root),
        })
    }

    pub(super) fn round(&self) -> Result<Bound> {
        self.count(1, 2)?;
        let value = self.number_arg(&self.args[0])?;
        let digits = match self.args.get(1) {
            Some(arg) => self.int_arg(arg)?,
            None => self.scope.bind_literal(&Literal::Integer(0)),
        };
        let root = value.data_type.root.clone();
        if family(&root) != Family::Decimal {
            return Ok(self.give(Function::Round, vec![value, digits], root));
        }
        // The digits are part of the result's type.
        let known = match self.args.get(1).map(|arg| (&arg.kind, arg.span)) {
            None => 0,
            Some((ExprKind::Literal(Literal::Integer(digits)), _)) => {
                i32::try_from(*digits).unwrap_or(if *digits < 0 { i32::MIN } else { i32::MAX })
            }
            Some((_, span)) => {
                return Err(BindError::new(span, "ROUND of a DECIMAL takes a literal number of digits")
                    .help("write the number, or CAST(… AS DOUBLE) around what is rounded"));
            }
        };
        let result = round_type(&root, known);
        Ok(self.give_nullable(Function::Round, vec![value, digits], result))
    }

    /// `MOD(a, b)` is `a % b`.
    pub(super) fn modulo(&self) -> Result<Bound> {
        self.count(2, 2)?;
        let span = self.args[0].span.to(self.args[1].span);
        let (left, right) = (self.number_arg(&self.args[0])?, self.number_arg(&self.args[1])?);
        calculate(span, BinaryOp::Modulo, Arithmetic::Remainder, left, right)
    }
}
