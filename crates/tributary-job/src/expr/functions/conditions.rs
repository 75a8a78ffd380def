//! COALESCE, IF and NULLIF.

use paimon_format::{DataType, TypeRoot};
use tributary_statement::BinaryOp;

use super::{Call, Result};
use crate::expr::bind::{coerce, compare, is_null, unify, untyped_null};
use crate::expr::compare::Comparison;
use crate::expr::eval::{Bound, Kind};

impl Call<'_> {
    pub(super) fn coalesce(&self) -> Result<Bound> {
        self.count(1, usize::MAX)?;
        let args = self.args.iter().map(|arg| Ok((arg.span, self.scope.bind(arg)?))).collect::<Result<Vec<_>>>()?;
        let (args, data_type) = unify(self.span, "the arguments of COALESCE", args)?;
        let nullable = args.iter().all(|arg| arg.data_type.nullable);
        Ok(Bound::new(Kind::Coalesce(args), DataType { root: data_type.root, nullable }))
    }

    /// `IF(condition, then, otherwise)` is `CASE WHEN condition THEN then ELSE otherwise END`.
    pub(super) fn if_else(&self) -> Result<Bound> {
        self.count(3, 3)?;
        let condition = self.scope.bind_condition(&self.args[0], "the condition of IF")?;
        let results = self.args[1..].iter().map(|arg| Ok((arg.span, self.scope.bind(arg)?)));
        let (mut results, data_type) = unify(self.span, "the results of IF", results.collect::<Result<Vec<_>>>()?)?;
        let otherwise = Box::new(results.pop().unwrap_or_else(untyped_null));
        Ok(Bound::new(Kind::Case { branches: std::iter::once(condition).zip(results).collect(), otherwise }, data_type))
    }

    /// `NULLIF(x, y)` is `CASE WHEN x = y THEN NULL ELSE x END`.
    pub(super) fn null_if(&self) -> Result<Bound> {
        self.count(2, 2)?;
        let (value, other) = (self.scope.bind(&self.args[0])?, self.scope.bind(&self.args[1])?);
        if is_null(&value) {
            return Ok(coerce(value, TypeRoot::STRING));
        }
        let span = self.args[0].span.to(self.args[1].span);
        let equal = compare(span, BinaryOp::Eq, Comparison::Eq, value.clone(), other)?;
        let data_type = DataType::nullable(value.data_type.root.clone());
        let null = coerce(untyped_null(), data_type.root.clone());
        Ok(Bound::new(Kind::Case { branches: vec![(equal, null)], otherwise: Box::new(value) }, data_type))
    }
}
