//! [`Expr`]: the scalar expressions of a SELECT, every node with its place.
//!
//! The parser knows no functions: a call is a name and its arguments, and whoever evaluates it knows which names and
//! types exist. Forms with keywords inside are brought to that shape: `SUBSTRING(s FROM 2 FOR 3)` is `SUBSTRING(s, 2, 3)`,
//! `TRIM(LEADING 'x' FROM s)` is `LTRIM(s, 'x')`, and `LOCALTIMESTAMP` is a call without arguments. Constructors are calls
//! as well: `ARRAY[a, b]`, `MAP[k, v]`, and `(a, b)`, which is `ROW(a, b)`.

use crate::{Ident, Span, Spanned, SqlType};
use std::fmt;

/// One expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// From its first to its last character, parentheses around it included.
    pub span: Span,
}

/// What an expression is. Closed: an evaluator matches all of it.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// `name` or `table.name`, or a field of a column: `column.name`, `table.column.field.name`
    Column {
        /// The parts before the last point, outermost first; empty if there are none.
        qualifier: Vec<Ident>,
        /// The column, or the field.
        name: Ident,
    },
    /// `x[index]`: an element of an ARRAY, or the value of a MAP
    Item {
        /// The ARRAY or MAP.
        operand: Box<Expr>,
        /// Which element, or the key.
        index: Box<Expr>,
    },
    /// `x.name` of an expression that is no column
    Field {
        /// The ROW.
        operand: Box<Expr>,
        /// The field.
        name: Ident,
    },
    /// A constant.
    Literal(Literal),
    /// `NOT x`, `-x`
    Unary {
        /// The operator and its place.
        op: Spanned<UnaryOp>,
        /// Its operand.
        operand: Box<Expr>,
    },
    /// `x + y`, `x = y`, `x AND y` …
    Binary {
        /// Left operand.
        left: Box<Expr>,
        /// The operator and its place.
        op: Spanned<BinaryOp>,
        /// Right operand.
        right: Box<Expr>,
    },
    /// `x IS NULL`, `x IS NOT NULL`
    IsNull {
        /// What is asked.
        operand: Box<Expr>,
        /// True for IS NOT NULL.
        negated: bool,
    },
    /// `x BETWEEN low AND high`
    Between {
        /// What is asked.
        operand: Box<Expr>,
        /// Least value that fits.
        low: Box<Expr>,
        /// Greatest value that fits.
        high: Box<Expr>,
        /// True for NOT BETWEEN.
        negated: bool,
    },
    /// `x IN (y, …)`
    In {
        /// What is asked.
        operand: Box<Expr>,
        /// At least one.
        list: Vec<Expr>,
        /// True for NOT IN.
        negated: bool,
    },
    /// `x LIKE pattern [ESCAPE character]`
    Like {
        /// What is asked.
        operand: Box<Expr>,
        /// With `%` and `_`.
        pattern: Box<Expr>,
        /// What takes `%` and `_` their meaning; `None` if nothing does.
        escape: Option<Box<Expr>>,
        /// True for NOT LIKE.
        negated: bool,
    },
    /// `CAST(x AS type)`, `TRY_CAST(x AS type)`
    Cast {
        /// What is converted.
        operand: Box<Expr>,
        /// Into what.
        to: Spanned<SqlType>,
        /// True for TRY_CAST: a value that cannot be converted is NULL.
        or_null: bool,
    },
    /// `EXTRACT(unit FROM x)`
    Extract {
        /// In upper case.
        unit: Ident,
        /// Of what.
        operand: Box<Expr>,
    },
    /// `CASE WHEN c THEN x … [ELSE y] END`, or `CASE v WHEN w THEN x … END`
    Case {
        /// The value compared with every WHEN; `None` if the WHENs are conditions.
        operand: Option<Box<Expr>>,
        /// At least one.
        branches: Vec<CaseBranch>,
        /// `None` means NULL.
        otherwise: Option<Box<Expr>>,
    },
    /// `NAME(arg, …)`, and the time functions that are written without parentheses
    Function {
        /// In upper case; the span covers the name as written.
        name: Ident,
        /// In order.
        args: Vec<Expr>,
    },
}

/// `WHEN when THEN then`
#[derive(Clone, Debug, PartialEq)]
pub struct CaseBranch {
    /// Condition, or value to compare the CASE's operand with.
    pub when: Expr,
    /// Result.
    pub then: Expr,
}

/// A constant. A minus sign directly before a number belongs to the number.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// NULL, of no type yet
    Null,
    /// TRUE, FALSE
    Boolean(bool),
    /// Digits only. Flink's type is INT if it fits, else BIGINT; what exceeds 64 bits is a [`Literal::Decimal`].
    Integer(i64),
    /// Digits with a point: `unscaled` / 10^`scale`, a DECIMAL of the digits as written (`0.10` is DECIMAL(3, 2)).
    Decimal {
        /// All digits without the point, with the sign.
        unscaled: i128,
        /// Digits in all, 1 to 38.
        precision: u8,
        /// Digits behind the point.
        scale: u8,
    },
    /// Digits with an exponent; always finite.
    Double(f64),
    /// `'text'`, quotes resolved and variables replaced
    String(String),
    /// `DATE 'yyyy-mm-dd'`: days since 1970-01-01 in the proleptic Gregorian calendar, years 1 to 9999
    Date(i32),
    /// `TIME 'hh:mm:ss[.fff]'`
    Time {
        /// Nanoseconds since midnight.
        nanos: i64,
        /// Fractional digits as written, 0 to 9.
        precision: u8,
    },
    /// `TIMESTAMP 'yyyy-mm-dd hh:mm:ss[.fff]'`, without a time zone
    Timestamp {
        /// Milliseconds since 1970-01-01 00:00:00.
        millis: i64,
        /// Nanoseconds within the millisecond, 0 to 999,999.
        nano_of_milli: i32,
        /// Fractional digits as written, 0 to 9.
        precision: u8,
    },
}

/// Operators with one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    /// `NOT`
    Not,
    /// `-`
    Minus,
    /// `+`
    Plus,
}

/// Operators with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// `OR`
    Or,
    /// `AND`
    And,
    /// `=`
    Eq,
    /// `<>` or `!=`
    NotEq,
    /// `<`
    Lt,
    /// `<=`
    LtEq,
    /// `>`
    Gt,
    /// `>=`
    GtEq,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Modulo,
    /// `||`
    Concat,
}

// === impl UnaryOp ===

impl fmt::Display for UnaryOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            UnaryOp::Not => "NOT",
            UnaryOp::Minus => "-",
            UnaryOp::Plus => "+",
        })
    }
}

// === impl BinaryOp ===

impl BinaryOp {
    /// True for `=`, `<>`, `<`, `<=`, `>`, `>=`.
    pub fn is_comparison(self) -> bool {
        use BinaryOp::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
        matches!(self, Eq | NotEq | Lt | LtEq | Gt | GtEq)
    }

    /// True for `+`, `-`, `*`, `/`, `%`.
    pub fn is_arithmetic(self) -> bool {
        use BinaryOp::{Add, Divide, Modulo, Multiply, Subtract};
        matches!(self, Add | Subtract | Multiply | Divide | Modulo)
    }
}

impl fmt::Display for BinaryOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BinaryOp::Or => "OR",
            BinaryOp::And => "AND",
            BinaryOp::Eq => "=",
            BinaryOp::NotEq => "<>",
            BinaryOp::Lt => "<",
            BinaryOp::LtEq => "<=",
            BinaryOp::Gt => ">",
            BinaryOp::GtEq => ">=",
            BinaryOp::Add => "+",
            BinaryOp::Subtract => "-",
            BinaryOp::Multiply => "*",
            BinaryOp::Divide => "/",
            BinaryOp::Modulo => "%",
            BinaryOp::Concat => "||",
        })
    }
}
