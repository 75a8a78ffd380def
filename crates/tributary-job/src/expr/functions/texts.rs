//! The functions on text, LIKE and `||`.

use paimon_format::{DataType, TypeRoot};
use tributary_statement::{Expr, ExprKind, Ident, Literal, Span, Spanned};

use super::{Call, Result};
use crate::expr::bind::{BindError, Scope};
use crate::expr::call::Function;
use crate::expr::eval::{Bound, Kind};
use crate::expr::json::JsonPath;
use crate::expr::like::LikePattern;
use crate::expr::regexes::Pattern;
use crate::expr::strings::{Side, one_char};
use crate::expr::types;

impl Call<'_> {
    fn texts(&self) -> Result<Vec<Bound>> {
        self.args.iter().map(|arg| self.text_arg(arg)).collect()
    }

    /// A function all of whose operands are text.
    pub(super) fn of_texts(&self, function: Function, least: usize, most: usize, root: TypeRoot) -> Result<Bound> {
        self.count(least, most)?;
        Ok(self.give(function, self.texts()?, root))
    }

    /// UPPER and LOWER keep the declared length.
    pub(super) fn letters(&self, kind: fn(Box<Bound>) -> Kind) -> Result<Bound> {
        self.count(1, 1)?;
        let text = self.text_arg(&self.args[0])?;
        let data_type = text.data_type.clone();
        Ok(Bound::new(kind(Box::new(text)), data_type))
    }

    pub(super) fn concat(&self) -> Result<Bound> {
        self.count(1, usize::MAX)?;
        let args = self.texts()?;
        let nullable = args.iter().any(|arg| arg.data_type.nullable);
        Ok(Bound::new(Kind::Concat(args), DataType { root: TypeRoot::STRING, nullable }))
    }

    pub(super) fn substring(&self) -> Result<Bound> {
        self.count(2, 3)?;
        let text = Box::new(self.text_arg(&self.args[0])?);
        let start = Box::new(self.int_arg(&self.args[1])?);
        let length = self.args.get(2).map(|arg| self.int_arg(arg)).transpose()?.map(Box::new);
        // A negative length gives null.
        let nullable = length.is_some() || text.data_type.nullable || start.data_type.nullable;
        let root = at_most_as_long(&text.data_type.root);
        Ok(Bound::new(Kind::Substring { text, start, length }, DataType { root, nullable }))
    }

    pub(super) fn trim(&self, side: Side) -> Result<Bound> {
        self.count(1, 2)?;
        let args = self.texts()?;
        let root = at_most_as_long(&args[0].data_type.root);
        Ok(self.give(Function::Trim(side), args, root))
    }

    pub(super) fn split_index(&self) -> Result<Bound> {
        self.count(3, 3)?;
        let args = vec![self.text_arg(&self.args[0])?, self.text_arg(&self.args[1])?, self.int_arg(&self.args[2])?];
        Ok(self.give_nullable(Function::SplitIndex, args, TypeRoot::STRING))
    }

    pub(super) fn regexp_extract(&self) -> Result<Bound> {
        self.count(2, 3)?;
        self.check_pattern(&self.args[1], Pattern::compile)?;
        let mut args = vec![self.text_arg(&self.args[0])?, self.text_arg(&self.args[1])?];
        if let Some(group) = self.args.get(2) {
            args.push(self.int_arg(group)?);
        }
        Ok(self.give_nullable(Function::RegexpExtract, args, TypeRoot::STRING))
    }

    pub(super) fn regexp_replace(&self) -> Result<Bound> {
        self.count(3, 3)?;
        self.check_pattern(&self.args[1], Pattern::compile)?;
        Ok(self.give(Function::RegexpReplace, self.texts()?, TypeRoot::STRING))
    }

    pub(super) fn json_value(&self) -> Result<Bound> {
        self.count(2, 2)?;
        self.check_pattern(&self.args[1], JsonPath::parse)?;
        Ok(self.give_nullable(Function::JsonValue, self.texts()?, TypeRoot::STRING))
    }
}

/// VARCHAR of the same length: what is left of a text.
fn at_most_as_long(root: &TypeRoot) -> TypeRoot {
    types::length(root).map_or(TypeRoot::STRING, TypeRoot::Varchar)
}

/// `operand LIKE pattern [ESCAPE escape]`
pub(crate) fn like(
    scope: &Scope<'_>,
    span: Span,
    operand: &Expr,
    pattern: &Expr,
    escape: Option<&Expr>,
) -> Result<Bound> {
    let name: Ident = Spanned::new("LIKE".to_owned(), span);
    let call = Call { scope, span, name: &name.value, args: &[] };
    if let ExprKind::Literal(Literal::String(text)) = &pattern.kind {
        let escaped_by = match escape.map(|escape| (&escape.kind, escape.span)) {
            None => Some(None),
            Some((ExprKind::Literal(Literal::String(text)), span)) => {
                Some(Some(one_char(text).map_err(|error| BindError::new(span, error.to_string()))?))
            }
            Some(_) => None,
        };
        if let Some(escaped_by) = escaped_by {
            LikePattern::parse(text, escaped_by).map_err(|error| BindError::new(pattern.span, error.to_string()))?;
        }
    }
    let mut args = vec![call.text_arg(operand)?, call.text_arg(pattern)?];
    if let Some(escape) = escape {
        args.push(call.text_arg(escape)?);
    }
    Ok(call.give(Function::Like, args, TypeRoot::Boolean))
}

/// `left || right`: as long as both together.
pub(crate) fn concatenate(scope: &Scope<'_>, span: Span, left: &Expr, right: &Expr) -> Result<Bound> {
    let call = Call { scope, span, name: "`||`", args: &[] };
    let args = vec![call.text_arg(left)?, call.text_arg(right)?];
    let nullable = args.iter().any(|arg| arg.data_type.nullable);
    let (a, b) = (&args[0].data_type.root, &args[1].data_type.root);
    let length = types::length(a).zip(types::length(b)).and_then(|(a, b)| a.checked_add(b));
    let root = match (a, b, length) {
        (TypeRoot::Char(_), TypeRoot::Char(_), Some(length)) => TypeRoot::Char(length),
        (_, _, Some(length)) if length < i32::MAX as u32 => TypeRoot::Varchar(length),
        _ => TypeRoot::STRING,
    };
    Ok(Bound::new(Kind::Concat(args), DataType { root, nullable }))
}
