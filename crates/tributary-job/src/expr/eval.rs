//! Evaluation: a bound expression and a batch in, a column out.
//!
//! What is the same for the whole batch (literals, time functions and all that is computed from
//! them) stays a scalar until the end and is calculated once. Where Flink would not evaluate an
//! operand for a row (the other branches of a CASE, the right side of a decided AND), neither do we,
//! as far as it could tell: an operand that cannot fail is evaluated for all rows, one that can only
//! for the rows that need it.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Int64Array, RecordBatch, StringArray, Time32MillisecondArray,
    TimestampMillisecondArray, new_null_array,
};
use arrow::compute;
use arrow::compute::kernels::{merge::merge, zip::zip};
use arrow::error::ArrowError;
use paimon_format::{DataType, TypeRoot};
use paimon_table::arrow::arrow_type;
use tributary_runtime::Random;

use super::arithmetic::arithmetic;
use super::call::Function;
use super::cast::{Failing, cast};
use super::compare::{Comparison, is_in};
use super::text;
use super::time_field::{TimeField, time_field};
use super::types::{Arithmetic, Family, family};
use super::value::Value;
use super::zone::{Moment, Zone};

/// A value that could not be computed. It stops the pipeline, as in Flink.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// Integer or decimal division by zero.
    #[error("division by zero")]
    DivisionByZero,
    /// Text that is no value of the type.
    #[error("cannot cast '{text}' to {to}")]
    CannotCast {
        /// The text, shortened.
        text: String,
        /// The type asked for.
        to: TypeRoot,
    },
    /// A value beyond what the type can hold.
    #[error("a value is out of the range of {to}")]
    OutOfRange {
        /// The type asked for.
        to: TypeRoot,
    },
    /// A null for a column that is declared NOT NULL.
    #[error(
        "column `{column}` is NOT NULL but a row has null for it; filter such rows with WHERE or replace the null with COALESCE"
    )]
    NullInNotNull {
        /// The target column.
        column: String,
    },
    /// A null where a key of a map should be; files hold none.
    #[error("a key of a MAP is null; replace it with COALESCE")]
    NullKey,
    /// ELEMENT of a longer list.
    #[error("ELEMENT takes an ARRAY of at most one element, a row has {elements}")]
    MoreThanOneElement {
        /// How many it has.
        elements: i32,
    },
    /// A pattern or path that is none.
    #[error("cannot use the pattern '{pattern}': {why}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        why: String,
    },
    /// A LIKE pattern with its escape character before something it does not escape.
    #[error("the escape character in the LIKE pattern '{pattern}' must stand before %, _ or itself")]
    LikeEscape {
        /// The pattern.
        pattern: String,
    },
    /// Behind ESCAPE there is not one character.
    #[error("ESCAPE takes one character, not '{text}'")]
    EscapeCharacter {
        /// What is there.
        text: String,
    },
    /// A conversion the type rules do not list: a defect of the binder.
    #[error("internal error: no cast from {from} to {to}")]
    NoCast {
        /// The type of the operand.
        from: TypeRoot,
        /// The type asked for.
        to: TypeRoot,
    },
    /// Arrow refused.
    #[error("internal error: {0}")]
    Arrow(#[from] ArrowError),
}

/// An expression whose columns, types and functions are resolved.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    pub(crate) kind: Kind,
    pub(crate) data_type: DataType,
}

/// The clock's readings, one per time function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Now {
    /// TIMESTAMP(3) of the session's wall clock.
    LocalTimestamp,
    /// TIMESTAMP_LTZ(3).
    Instant,
    /// DATE of the session's wall clock.
    Date,
    /// TIME(0) of the session's wall clock.
    Time,
    /// BIGINT: seconds since 1970-01-01 00:00 UTC.
    UnixSeconds,
}

/// What a bound expression does. Operands have the types the operation needs: the binder has put the
/// casts in.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// The n-th column of the input.
    Column(usize),
    /// An array of one value.
    Literal(ArrayRef),
    /// NULL without a type yet; the binder replaces it wherever a type is known.
    Null,
    Now(Now),
    Cast(Box<Bound>, Failing),
    Arithmetic(Arithmetic, Box<Bound>, Box<Bound>),
    Compare(Comparison, Box<Bound>, Box<Bound>),
    And(Box<Bound>, Box<Bound>),
    Or(Box<Bound>, Box<Bound>),
    Not(Box<Bound>),
    Negate(Box<Bound>),
    IsNull {
        operand: Box<Bound>,
        negated: bool,
    },
    Case {
        branches: Vec<(Bound, Bound)>,
        otherwise: Box<Bound>,
    },
    /// Whether the first is one of the others; all are of one type.
    In {
        operand: Box<Bound>,
        list: Vec<Bound>,
    },
    Call(Function, Vec<Bound>),
    /// A new one for every row.
    Uuid(Random),
    Coalesce(Vec<Bound>),
    Concat(Vec<Bound>),
    Substring {
        text: Box<Bound>,
        start: Box<Bound>,
        length: Option<Box<Bound>>,
    },
    Upper(Box<Bound>),
    Lower(Box<Bound>),
    TimeField(TimeField, Box<Bound>),
}

/// The rows an expression is evaluated for.
#[derive(Clone)]
pub(crate) struct Input<'a> {
    columns: Cow<'a, [ArrayRef]>,
    rows: usize,
    moment: Moment,
    zone: Zone,
}

type Result<T, E = EvalError> = std::result::Result<T, E>;

// === impl EvalError ===

impl EvalError {
    pub(crate) fn cannot_cast(text: &str, to: &TypeRoot) -> Self {
        const SHOWN: usize = 40;
        let mut shown: String = text.chars().take(SHOWN).collect();
        if shown.len() < text.len() {
            shown.push('…');
        }
        Self::CannotCast { text: shown, to: to.clone() }
    }
}

// === impl Input ===

impl<'a> Input<'a> {
    pub(crate) fn new(columns: &'a [ArrayRef], rows: usize, moment: Moment, zone: Zone) -> Self {
        Self { columns: Cow::Borrowed(columns), rows, moment, zone }
    }

    pub(crate) fn of_batch(batch: &'a RecordBatch, moment: Moment, zone: Zone) -> Self {
        Self::new(batch.columns(), batch.num_rows(), moment, zone)
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The rows for which the mask is true.
    pub(crate) fn filter(&self, mask: &BooleanArray) -> Result<Input<'static>> {
        let columns = self.columns.iter().map(|column| compute::filter(column, mask)).collect::<Result<Vec<_>, _>>()?;
        Ok(Input { columns: Cow::Owned(columns), rows: mask.true_count(), moment: self.moment, zone: self.zone })
    }
}

// === impl Bound ===

impl Bound {
    pub(crate) fn new(kind: Kind, data_type: DataType) -> Self {
        Self { kind, data_type }
    }

    /// Evaluates the expression for every row of the input.
    pub(crate) fn eval(&self, input: &Input<'_>) -> Result<Value> {
        match &self.kind {
            Kind::Column(index) => Ok(Value::Array(Arc::clone(&input.columns[*index]))),
            Kind::Literal(array) => Ok(Value::Scalar(Arc::clone(array))),
            Kind::Null => Ok(Value::Scalar(self.null())),
            Kind::Now(now) => Ok(Value::Scalar(now.read(input.moment))),
            Kind::Cast(operand, failing) => {
                let (from, to) = (&operand.data_type.root, &self.data_type.root);
                operand.eval(input)?.map(|array| cast(array, from, to, input.zone, *failing))
            }
            Kind::Arithmetic(op, left, right) => {
                let types = (&left.data_type.root, &right.data_type.root, &self.data_type.root);
                arithmetic(*op, left.eval(input)?, right.eval(input)?, types)
            }
            Kind::Compare(op, left, right) => op.compare(left.eval(input)?, right.eval(input)?),
            Kind::And(left, right) => logical(left, right, input, false),
            Kind::Or(left, right) => logical(left, right, input, true),
            Kind::Not(operand) => operand.eval(input)?.map(|array| Ok(Arc::new(compute::not(array.as_boolean())?))),
            Kind::Negate(operand) => {
                operand.eval(input)?.map(|array| Ok(compute::kernels::numeric::neg_wrapping(array.as_ref())?))
            }
            Kind::IsNull { operand, negated } => operand.eval(input)?.map(|array| {
                let nulls = if *negated { compute::is_not_null(array)? } else { compute::is_null(array)? };
                Ok(Arc::new(nulls))
            }),
            Kind::Case { branches, otherwise } => case(branches, otherwise, input),
            Kind::In { operand, list } => {
                let list = list.iter().map(|o| o.eval(input)).collect::<Result<Vec<_>>>()?;
                is_in(&operand.eval(input)?, list, input.rows)
            }
            Kind::Call(function, operands) => {
                let values = operands.iter().map(|o| o.eval(input)).collect::<Result<Vec<_>>>()?;
                let first = operands.first().map_or(&self.data_type.root, |first| &first.data_type.root);
                function.eval(&values, (first, &self.data_type.root), input.rows, input.zone)
            }
            Kind::Uuid(random) => {
                let values = (0..input.rows).map(|_| Some(random.uuid().to_string()));
                Ok(Value::Array(Arc::new(StringArray::from_iter(values))))
            }
            Kind::Coalesce(operands) => self.coalesce(operands, input),
            Kind::Concat(operands) => {
                let values = operands.iter().map(|o| o.eval(input)).collect::<Result<Vec<_>>>()?;
                text::concat(&values, input.rows)
            }
            Kind::Substring { text, start, length } => {
                let text = text.eval(input)?;
                let start = start.eval(input)?;
                let length = length.as_ref().map(|length| length.eval(input)).transpose()?;
                text::substring(text, start, length, input.rows)
            }
            Kind::Upper(operand) => operand.eval(input)?.map(|a| Ok(text::upper(a.as_string()))),
            Kind::Lower(operand) => operand.eval(input)?.map(|a| Ok(text::lower(a.as_string()))),
            Kind::TimeField(field, operand) => {
                operand.eval(input)?.map(|array| Ok(time_field(*field, array, &operand.data_type.root, input.zone)))
            }
        }
    }

    /// The operands.
    pub(crate) fn operands(&self) -> Vec<&Bound> {
        match &self.kind {
            Kind::Column(_) | Kind::Literal(_) | Kind::Null | Kind::Now(_) | Kind::Uuid(_) => Vec::new(),
            Kind::Arithmetic(_, left, right)
            | Kind::Compare(_, left, right)
            | Kind::And(left, right)
            | Kind::Or(left, right) => vec![left, right],
            Kind::Cast(operand, _)
            | Kind::Not(operand)
            | Kind::Negate(operand)
            | Kind::IsNull { operand, .. }
            | Kind::Upper(operand)
            | Kind::Lower(operand)
            | Kind::TimeField(_, operand) => vec![operand],
            Kind::Case { branches, otherwise } => {
                branches.iter().flat_map(|(when, then)| [when, then]).chain([otherwise.as_ref()]).collect()
            }
            Kind::In { operand, list } => [operand.as_ref()].into_iter().chain(list).collect(),
            Kind::Coalesce(operands) | Kind::Concat(operands) | Kind::Call(_, operands) => operands.iter().collect(),
            Kind::Substring { text, start, length } => {
                [text, start].into_iter().chain(length).map(AsRef::as_ref).collect()
            }
        }
    }

    /// Whether some value of the operands makes evaluation fail.
    fn can_fail(&self) -> bool {
        let here = match &self.kind {
            Kind::Cast(_, Failing::IsNull) => false,
            Kind::Call(function, _) => function.can_fail(),
            Kind::Cast(operand, Failing::Stops) => {
                match (family(&operand.data_type.root), family(&self.data_type.root)) {
                    (Family::Text, Family::Text) => false,
                    // Text that is no value, doubles that are no decimal, timestamps beyond nanoseconds.
                    (Family::Text, _) | (Family::Approximate, Family::Decimal) => true,
                    (Family::Nested, Family::Nested) => true,
                    (_, to) => matches!(to, Family::Timestamp | Family::TimestampLtz),
                }
            }
            Kind::Arithmetic(op, ..) => {
                matches!(op, Arithmetic::Divide | Arithmetic::Remainder)
            }
            _ => false,
        };
        here || self.operands().into_iter().any(Self::can_fail)
    }

    fn null(&self) -> ArrayRef {
        new_null_array(&arrow_type(&self.data_type.root), 1)
    }

    /// The first operand that is not null, row by row.
    fn coalesce(&self, operands: &[Bound], input: &Input<'_>) -> Result<Value> {
        let Some((first, rest)) = operands.split_first() else {
            return Ok(Value::Scalar(self.null()));
        };
        let value = first.eval(input)?;
        if rest.is_empty() || value.array().null_count() == 0 {
            return Ok(value);
        }
        if value.is_scalar() || value.array().null_count() == input.rows {
            return self.coalesce(rest, input);
        }
        let present = compute::is_not_null(value.array())?;
        let other = self.coalesce(rest, &input.filter(&compute::not(&present)?)?)?;
        let kept = compute::filter(value.array(), &present)?;
        Ok(Value::Array(merge(&present, &Value::Array(kept), &other)?))
    }
}

/// AND (`decided` = false) and OR (`decided` = true): three-valued, and the right operand is not
/// evaluated where the left one decides, if that could make a difference.
fn logical(left: &Bound, right: &Bound, input: &Input<'_>, decided: bool) -> Result<Value> {
    let left = left.eval(input)?;
    if left.is_scalar() {
        let scalar = left.array().as_boolean();
        if scalar.is_valid(0) {
            return if scalar.value(0) == decided { Ok(left) } else { right.eval(input) };
        }
    }
    let left = left.booleans(input.rows)?;
    let right = if right.can_fail() {
        let undecided: BooleanArray = left.iter().map(|value| Some(value != Some(decided))).collect();
        if undecided.true_count() == 0 {
            return Ok(Value::Array(Arc::new(left)));
        }
        let value = right.eval(&input.filter(&undecided)?)?;
        let neutral = Value::Scalar(Arc::new(BooleanArray::from(vec![!decided])));
        Value::Array(merge(&undecided, &value, &neutral)?)
    } else {
        right.eval(input)?
    };
    let right = right.booleans(input.rows)?;
    let result = if decided { compute::or_kleene(&left, &right)? } else { compute::and_kleene(&left, &right)? };
    Ok(Value::Array(Arc::new(result)))
}

/// Which rows are TRUE, neither FALSE nor null.
pub(crate) fn true_mask(condition: &BooleanArray) -> BooleanArray {
    match condition.nulls() {
        Some(_) => compute::prep_null_mask_filter(condition),
        None => condition.clone(),
    }
}

/// The THEN of the first WHEN that is true, row by row.
fn case(branches: &[(Bound, Bound)], otherwise: &Bound, input: &Input<'_>) -> Result<Value> {
    let Some(((when, then), rest)) = branches.split_first() else {
        return otherwise.eval(input);
    };
    let when = when.eval(input)?;
    if when.is_scalar() {
        let mask = when.array().as_boolean();
        let holds = mask.is_valid(0) && mask.value(0);
        return if holds { then.eval(input) } else { case(rest, otherwise, input) };
    }
    let mask = true_mask(when.array().as_boolean());
    match mask.true_count() {
        0 => return case(rest, otherwise, input),
        count if count == input.rows => return then.eval(input),
        _ => {}
    }
    if rest.is_empty() && !then.can_fail() && !otherwise.can_fail() {
        let (then, otherwise) = (then.eval(input)?, otherwise.eval(input)?);
        return Ok(Value::Array(zip(&mask, &then, &otherwise)?));
    }
    let then = then.eval(&input.filter(&mask)?)?;
    let other = case(rest, otherwise, &input.filter(&compute::not(&mask)?)?)?;
    Ok(Value::Array(merge(&mask, &then, &other)?))
}

// === impl Now ===

impl Now {
    /// The type of the reading; never null.
    pub(crate) fn root(self) -> TypeRoot {
        match self {
            Self::LocalTimestamp => TypeRoot::Timestamp(3),
            Self::Instant => TypeRoot::TimestampLtz(3),
            Self::Date => TypeRoot::Date,
            Self::Time => TypeRoot::Time(0),
            Self::UnixSeconds => TypeRoot::BigInt,
        }
    }

    fn read(self, moment: Moment) -> ArrayRef {
        const MILLIS_PER_DAY: i64 = 86_400_000;
        let local = moment.local_millis;
        match self {
            Self::LocalTimestamp => Arc::new(TimestampMillisecondArray::from(vec![local])),
            Self::Instant => Arc::new(
                TimestampMillisecondArray::from(vec![moment.utc_millis]).with_data_type(arrow_type(&self.root())),
            ),
            Self::UnixSeconds => Arc::new(Int64Array::from(vec![moment.utc_millis.div_euclid(1000)])),
            Self::Date => Arc::new(Date32Array::from(vec![local.div_euclid(MILLIS_PER_DAY) as i32])),
            Self::Time => {
                Arc::new(Time32MillisecondArray::from(vec![(local.rem_euclid(MILLIS_PER_DAY) / 1000 * 1000) as i32]))
            }
        }
    }
}
