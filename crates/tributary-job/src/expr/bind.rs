//! Binding: names become columns and functions, operands get a common type, constants are computed.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, StringArray,
    Time32MillisecondArray, TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
    new_null_array,
};
use paimon_format::{DataType, TypeRoot};
use paimon_table::arrow::arrow_type;
use tributary_runtime::Random;
use tributary_statement::{BinaryOp, CaseBranch, Expr, ExprKind, Ident, Literal, Span, UnaryOp, nearest};

use super::cast::Failing;
use super::compare::Comparison;
use super::eval::{Bound, EvalError, Input, Kind};
use super::functions;
use super::types::{self, Arithmetic, Family, family};
use super::zone::{Moment, Zone};

/// An expression that means nothing here: where, why, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct BindError {
    pub(crate) span: Span,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

/// A column an expression may name.
#[derive(Debug, Clone)]
pub(crate) struct InputColumn {
    pub(crate) name: String,
    /// A column of the input, or what a computed column stands for.
    pub(crate) value: Bound,
}

/// What the names in an expression refer to.
#[derive(Debug, Clone)]
pub(crate) struct Scope<'a> {
    /// The name columns may be qualified with: the alias, or the table's own name.
    pub(crate) table: &'a str,
    pub(crate) columns: &'a [InputColumn],
    pub(crate) zone: Zone,
    /// Where UUID() comes from; none where a value must be the same wherever it is used.
    pub(crate) random: Option<Random>,
}

type Result<T, E = BindError> = std::result::Result<T, E>;

// === impl InputColumn ===

impl InputColumn {
    /// The `index`-th column of the input.
    pub(crate) fn physical(index: usize, name: impl Into<String>, data_type: DataType) -> Self {
        Self { name: name.into(), value: Bound::new(Kind::Column(index), data_type) }
    }
}

// === impl BindError ===

impl BindError {
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: None }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl Scope<'_> {
    /// Binds an expression.
    pub(crate) fn bind(&self, expr: &Expr) -> Result<Bound> {
        let bound = match &expr.kind {
            ExprKind::Column { qualifier, name } => self.column(qualifier, name)?,
            ExprKind::Item { operand, index } => functions::item(self, expr.span, operand, index)?,
            ExprKind::Field { operand, name } => functions::field(self.bind(operand)?, name)?,
            ExprKind::Literal(value) => literal(value),
            ExprKind::Unary { op, operand } => self.unary(expr.span, op.value, operand)?,
            ExprKind::Binary { left, op, right } => self.binary(left, op, right)?,
            ExprKind::IsNull { operand, negated } => Bound::new(
                Kind::IsNull { operand: Box::new(self.bind(operand)?), negated: *negated },
                DataType::not_null(TypeRoot::Boolean),
            ),
            ExprKind::Between { operand, low, high, negated } => {
                let (value, low, high) = (self.bind(operand)?, self.bind(low)?, self.bind(high)?);
                let least = compare(expr.span, BinaryOp::GtEq, Comparison::GtEq, value.clone(), low)?;
                let most = compare(expr.span, BinaryOp::LtEq, Comparison::LtEq, value, high)?;
                let nullable = least.data_type.nullable || most.data_type.nullable;
                let data_type = DataType { root: TypeRoot::Boolean, nullable };
                not_if(*negated, Bound::new(Kind::And(Box::new(least), Box::new(most)), data_type))
            }
            ExprKind::In { operand, list, negated } => not_if(*negated, self.is_in(expr.span, operand, list)?),
            ExprKind::Like { operand, pattern, escape, negated } => {
                not_if(*negated, functions::like(self, expr.span, operand, pattern, escape.as_deref())?)
            }
            ExprKind::Extract { unit, operand } => functions::extract(self, unit, operand)?,
            ExprKind::Cast { operand, to, or_null } => {
                let bound = self.bind(operand)?;
                let to = types::type_root(to);
                if !is_null(&bound) && !types::explicit_cast(&bound.data_type.root, &to) {
                    let from = &bound.data_type.root;
                    return Err(BindError::new(expr.span, format!("there is no cast from {from} to {to}")));
                }
                match or_null {
                    true if bound.data_type.root != to && !is_null(&bound) => {
                        Bound::new(Kind::Cast(Box::new(bound), Failing::IsNull), DataType::nullable(to))
                    }
                    true => {
                        let bound = coerce(bound, to);
                        Bound { data_type: DataType::nullable(bound.data_type.root), kind: bound.kind }
                    }
                    false => coerce(bound, to),
                }
            }
            ExprKind::Case { operand, branches, otherwise } => {
                self.case(expr.span, operand.as_deref(), branches, otherwise.as_deref())?
            }
            ExprKind::Function { name, args } => functions::bind(self, expr.span, name, args)?,
        };
        Ok(self.fold(bound))
    }

    /// Binds a condition: its type must be BOOLEAN.
    pub(crate) fn bind_condition(&self, expr: &Expr, what: &str) -> Result<Bound> {
        let bound = self.bind(expr)?;
        if is_null(&bound) {
            return Ok(coerce(bound, TypeRoot::Boolean));
        }
        if bound.data_type.root != TypeRoot::Boolean {
            let found = &bound.data_type.root;
            return Err(BindError::new(expr.span, format!("{what} must be BOOLEAN, this is {found}")));
        }
        Ok(bound)
    }

    /// `column`, `table.column`, and fields behind both.
    fn column(&self, qualifier: &[Ident], name: &Ident) -> Result<Bound> {
        let parts: Vec<&Ident> = qualifier.iter().chain([name]).collect();
        let column = |at: usize| self.columns.iter().find(|column| column.name == parts[at].value);
        let mut tables = (0..qualifier.len()).filter(|at| parts[*at].value == self.table);
        let mut places = tables.clone().map(|table| table + 1).chain([0]);
        match places.find_map(|at| Some((at, column(at)?))) {
            Some((at, column)) => {
                parts[at + 1..].iter().try_fold(column.value.clone(), |value, name| functions::field(value, name))
            }
            None => Err(match tables.next() {
                Some(table) => self.no_column(None, parts[table + 1]),
                None => self.no_column(qualifier.last(), name),
            }),
        }
    }

    fn no_column(&self, table: Option<&Ident>, name: &Ident) -> BindError {
        if let Some(table) = table {
            return BindError::new(table.span, format!("unknown table `{table}` in this SELECT"))
                .help(format!("its columns are those of `{}`", self.table));
        }
        let error = BindError::new(name.span, format!("unknown column `{name}` in `{}`", self.table));
        let names = || self.columns.iter().map(|column| column.name.as_str());
        match nearest(&name.value, names()) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => {
                error.help(format!("it has {}", names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")))
            }
        }
    }

    fn unary(&self, span: Span, op: UnaryOp, operand: &Expr) -> Result<Bound> {
        if op == UnaryOp::Not {
            let bound = self.bind_condition(operand, "the operand of NOT")?;
            let data_type = bound.data_type.clone();
            return Ok(Bound::new(Kind::Not(Box::new(bound)), data_type));
        }
        let bound = self.bind(operand)?;
        if is_null(&bound) {
            return Ok(coerce(bound, TypeRoot::Int));
        }
        if !types::is_numeric(&bound.data_type.root) {
            let found = &bound.data_type.root;
            return Err(BindError::new(span, format!("`{op}` needs a number, this is {found}"))
                .help("write CAST(… AS DOUBLE) around it"));
        }
        if op == UnaryOp::Plus {
            return Ok(bound);
        }
        let data_type = bound.data_type.clone();
        Ok(Bound::new(Kind::Negate(Box::new(bound)), data_type))
    }

    fn binary(&self, left: &Expr, op: &tributary_statement::Spanned<BinaryOp>, right: &Expr) -> Result<Bound> {
        let logical = |make: fn(Box<Bound>, Box<Bound>) -> Kind| {
            let what = format!("an operand of {op}");
            let left = self.bind_condition(left, &what)?;
            let right = self.bind_condition(right, &what)?;
            let nullable = left.data_type.nullable || right.data_type.nullable;
            Ok(Bound::new(make(Box::new(left), Box::new(right)), DataType { root: TypeRoot::Boolean, nullable }))
        };
        let comparison = |comparison| {
            let span = left.span.to(right.span);
            compare(span, op.value, comparison, self.bind(left)?, self.bind(right)?)
        };
        let arithmetic = |arithmetic| {
            let span = left.span.to(right.span);
            calculate(span, op.value, arithmetic, self.bind(left)?, self.bind(right)?)
        };
        match op.value {
            BinaryOp::And => logical(Kind::And),
            BinaryOp::Or => logical(Kind::Or),
            BinaryOp::Eq => comparison(Comparison::Eq),
            BinaryOp::NotEq => comparison(Comparison::NotEq),
            BinaryOp::Lt => comparison(Comparison::Lt),
            BinaryOp::LtEq => comparison(Comparison::LtEq),
            BinaryOp::Gt => comparison(Comparison::Gt),
            BinaryOp::GtEq => comparison(Comparison::GtEq),
            BinaryOp::Add => arithmetic(Arithmetic::Add),
            BinaryOp::Subtract => arithmetic(Arithmetic::Subtract),
            BinaryOp::Multiply => arithmetic(Arithmetic::Multiply),
            BinaryOp::Divide => arithmetic(Arithmetic::Divide),
            BinaryOp::Modulo => arithmetic(Arithmetic::Remainder),
            BinaryOp::Concat => functions::concatenate(self, left.span.to(right.span), left, right),
        }
    }

    /// A constant.
    pub(crate) fn bind_literal(&self, value: &Literal) -> Bound {
        literal(value)
    }

    fn is_in(&self, span: Span, operand: &Expr, list: &[Expr]) -> Result<Bound> {
        let value = self.bind(operand)?;
        let root = value.data_type.root.clone();
        let mut values = vec![(operand.span, value)];
        for item in list {
            let bound = self.bind(item)?;
            // Text stands for the date or time it names.
            let named = is_moment(family(&root)) && family(&bound.data_type.root) == Family::Text && !is_null(&bound);
            values.push((item.span, if named { coerce(bound, root.clone()) } else { bound }));
        }
        let (mut values, data_type) = unify(span, "the values of IN", values)?;
        if data_type.root.is_nested() {
            return Err(incomparable(span, BinaryOp::Eq, &data_type.root));
        }
        let operand = Box::new(values.remove(0));
        let data_type = DataType { root: TypeRoot::Boolean, nullable: data_type.nullable };
        Ok(Bound::new(Kind::In { operand, list: values }, data_type))
    }

    fn case(
        &self,
        span: Span,
        operand: Option<&Expr>,
        branches: &[CaseBranch],
        otherwise: Option<&Expr>,
    ) -> Result<Bound> {
        let operand = operand.map(|operand| self.bind(operand)).transpose()?;
        let mut conditions = Vec::with_capacity(branches.len());
        let mut results = Vec::with_capacity(branches.len() + 1);
        for branch in branches {
            conditions.push(match &operand {
                None => self.bind_condition(&branch.when, "the condition after WHEN")?,
                Some(operand) => {
                    let value = self.bind(&branch.when)?;
                    let (span, op) = (branch.when.span, BinaryOp::Eq);
                    compare(span, op, Comparison::Eq, operand.clone(), value)?
                }
            });
            results.push((branch.then.span, self.bind(&branch.then)?));
        }
        results.push(match otherwise {
            Some(otherwise) => (otherwise.span, self.bind(otherwise)?),
            None => (span, untyped_null()),
        });
        let (mut results, data_type) = unify(span, "the results of CASE", results)?;
        let otherwise = Box::new(results.pop().unwrap_or_else(untyped_null));
        Ok(Bound::new(Kind::Case { branches: conditions.into_iter().zip(results).collect(), otherwise }, data_type))
    }

    /// Computes what depends on literals only. What fails stays: it may never be reached.
    fn fold(&self, bound: Bound) -> Bound {
        let operands = bound.operands();
        let constant = !operands.is_empty() && operands.iter().all(|operand| matches!(operand.kind, Kind::Literal(_)));
        if !constant {
            return bound;
        }
        self.constant(&bound).unwrap_or(bound)
    }

    /// The literal that an expression of literals comes to.
    pub(crate) fn constant(&self, bound: &Bound) -> Result<Bound, EvalError> {
        let input = Input::new(&[], 1, Moment::new(0, self.zone), self.zone);
        let array = bound.eval(&input)?.into_array(1)?;
        Ok(Bound::new(Kind::Literal(array), bound.data_type.clone()))
    }
}

/// NULL before its type is known.
pub(crate) fn untyped_null() -> Bound {
    Bound::new(Kind::Null, DataType::nullable(TypeRoot::Boolean))
}

/// Whether the expression is NULL without a type.
pub(crate) fn is_null(bound: &Bound) -> bool {
    matches!(bound.kind, Kind::Null)
}

/// The expression as a value of the type: itself, or a cast.
pub(crate) fn coerce(bound: Bound, to: TypeRoot) -> Bound {
    if is_null(&bound) {
        let null = new_null_array(&arrow_type(&to), 1);
        return Bound::new(Kind::Literal(null), DataType::nullable(to));
    }
    if bound.data_type.root == to {
        return bound;
    }
    // A number that does not fit into a decimal becomes null.
    let narrows = family(&to) == Family::Decimal && family(&bound.data_type.root) != Family::Text;
    let nullable = bound.data_type.nullable || narrows;
    Bound::new(Kind::Cast(Box::new(bound), Failing::Stops), DataType { root: to, nullable })
}

/// Casts all to their common type; the type is nullable if one of them is.
pub(crate) fn unify(span: Span, what: &str, values: Vec<(Span, Bound)>) -> Result<(Vec<Bound>, DataType)> {
    let mut common: Option<TypeRoot> = None;
    for (_, bound) in values.iter().filter(|(_, bound)| !is_null(bound)) {
        let root = &bound.data_type.root;
        common = Some(match common {
            None => root.clone(),
            Some(so_far) => types::common_type(&so_far, root).ok_or_else(|| {
                BindError::new(span, format!("{what} are of types {so_far} and {root}"))
                    .help(format!("bring them to one type, for example with CAST(… AS {so_far})"))
            })?,
        });
    }
    let root = common.ok_or_else(|| {
        BindError::new(span, format!("{what} are all NULL, of no type"))
            .help("give one of them a type: CAST(NULL AS STRING)")
    })?;
    let nullable = values.iter().any(|(_, bound)| bound.data_type.nullable);
    let values = values.into_iter().map(|(_, bound)| coerce(bound, root.clone())).collect();
    Ok((values, DataType { root, nullable }))
}

fn is_moment(family: Family) -> bool {
    matches!(family, Family::Date | Family::Time | Family::Timestamp | Family::TimestampLtz)
}

/// NOT, if it was written.
fn not_if(negated: bool, bound: Bound) -> Bound {
    match negated {
        true => {
            let data_type = bound.data_type.clone();
            Bound::new(Kind::Not(Box::new(bound)), data_type)
        }
        false => bound,
    }
}

fn incomparable(span: Span, op: BinaryOp, root: &TypeRoot) -> BindError {
    BindError::new(span, format!("`{op}` cannot compare values of type {root}"))
}

/// `left op right` for operands that have a common type.
pub(crate) fn compare(span: Span, op: BinaryOp, comparison: Comparison, left: Bound, right: Bound) -> Result<Bound> {
    use Family as F;
    let nullable = left.data_type.nullable || right.data_type.nullable;
    let (a, b) = (&left.data_type.root, &right.data_type.root);
    let root = match (is_null(&left), is_null(&right)) {
        (true, true) => return Ok(coerce(left, TypeRoot::Boolean)),
        (true, false) => b.clone(),
        (false, true) => a.clone(),
        (false, false) => match (family(a), family(b)) {
            // Text of any declared length compares as it is.
            (F::Text, F::Text) => TypeRoot::STRING,
            (F::Bytes, F::Bytes) => TypeRoot::BYTES,
            (F::Text, f) if is_moment(f) => b.clone(),
            (f, F::Text) if is_moment(f) => a.clone(),
            (F::Nested, _) => return Err(incomparable(span, op, a)),
            (_, F::Nested) => return Err(incomparable(span, op, b)),
            _ => types::common_type(a, b).ok_or_else(|| {
                BindError::new(span, format!("`{op}` cannot compare {a} with {b}"))
                    .help(format!("write CAST(… AS {a}) around the right side, or CAST(… AS {b}) around the left"))
            })?,
        },
    };
    let (left, right) = (coerce(left, root.clone()), coerce(right, root));
    Ok(Bound::new(
        Kind::Compare(comparison, Box::new(left), Box::new(right)),
        DataType { root: TypeRoot::Boolean, nullable },
    ))
}

/// `left op right` for two numbers.
pub(crate) fn calculate(span: Span, op: BinaryOp, arithmetic: Arithmetic, left: Bound, right: Bound) -> Result<Bound> {
    let (left, right) = match (is_null(&left), is_null(&right)) {
        (true, true) => return Ok(coerce(left, TypeRoot::Int)),
        (true, false) => (coerce(left, right.data_type.root.clone()), right),
        (false, true) => {
            let root = left.data_type.root.clone();
            (left, coerce(right, root))
        }
        (false, false) => (left, right),
    };
    let (a, b) = (&left.data_type.root, &right.data_type.root);
    let result = types::arithmetic_type(arithmetic, a, b).ok_or_else(|| {
        let (what, to) = match arithmetic {
            Arithmetic::Remainder => ("two exact numbers", "BIGINT"),
            _ => ("two numbers", "DOUBLE"),
        };
        BindError::new(span, format!("`{op}` needs {what}, these are {a} and {b}"))
            .help(format!("write CAST(… AS {to}), or another numeric type, around what is none"))
    })?;
    let nullable = left.data_type.nullable || right.data_type.nullable;
    if family(&result) == Family::Decimal {
        let exact = |bound: Bound| match types::as_decimal(&bound.data_type.root) {
            Some(root) => coerce(bound, root),
            None => bound,
        };
        let (left, right) = (exact(left), exact(right));
        // Too many digits become null.
        return Ok(Bound::new(
            Kind::Arithmetic(arithmetic, Box::new(left), Box::new(right)),
            DataType::nullable(result),
        ));
    }
    let common = types::common_type(a, b).unwrap_or_else(|| result.clone());
    let (left, right) = (coerce(left, common.clone()), coerce(right, common.clone()));
    let calculated =
        Bound::new(Kind::Arithmetic(arithmetic, Box::new(left), Box::new(right)), DataType { root: common, nullable });
    Ok(coerce(calculated, result))
}

fn literal(value: &Literal) -> Bound {
    let (array, root): (ArrayRef, TypeRoot) = match value {
        Literal::Null => return untyped_null(),
        Literal::Boolean(value) => (Arc::new(BooleanArray::from(vec![*value])), TypeRoot::Boolean),
        Literal::Integer(value) => match i32::try_from(*value) {
            Ok(value) => (Arc::new(Int32Array::from(vec![value])), TypeRoot::Int),
            Err(_) => (Arc::new(Int64Array::from(vec![*value])), TypeRoot::BigInt),
        },
        Literal::Decimal { unscaled, precision, scale } => {
            let root = TypeRoot::Decimal { precision: *precision, scale: *scale };
            let array = Decimal128Array::from(vec![*unscaled]).with_data_type(arrow_type(&root));
            (Arc::new(array), root)
        }
        Literal::Double(value) => (Arc::new(Float64Array::from(vec![*value])), TypeRoot::Double),
        Literal::String(value) => {
            // Flink has no CHAR(0): the empty literal counts as one character wide.
            let length = (value.chars().count() as u32).max(1);
            let root = if value.is_empty() { TypeRoot::Varchar(length) } else { TypeRoot::Char(length) };
            (Arc::new(StringArray::from(vec![value.as_str()])), root)
        }
        Literal::Date(days) => (Arc::new(Date32Array::from(vec![*days])), TypeRoot::Date),
        Literal::Time { nanos, precision } => {
            (Arc::new(Time32MillisecondArray::from(vec![(nanos / 1_000_000) as i32])), TypeRoot::Time(*precision))
        }
        Literal::Timestamp { millis, nano_of_milli, precision } => {
            let nano = i64::from(*nano_of_milli);
            let array: ArrayRef = match precision {
                0..=3 => Arc::new(TimestampMillisecondArray::from(vec![*millis])),
                4..=6 => Arc::new(TimestampMicrosecondArray::from(vec![millis * 1000 + nano / 1000])),
                _ => Arc::new(TimestampNanosecondArray::from(vec![
                    // Beyond the years 1677 to 2262 nanoseconds do not fit: null.
                    millis.checked_mul(1_000_000).map(|nanos| nanos + nano),
                ])),
            };
            (array, TypeRoot::Timestamp(*precision))
        }
    };
    Bound::new(Kind::Literal(array), DataType::not_null(root))
}
