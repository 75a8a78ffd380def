//! The functions: which exist, what they take, what they give.

use paimon_format::{DataType, TypeRoot};
use tributary_statement::{Expr, ExprKind, Ident, Literal, Span, nearest};

mod collections;
mod conditions;
mod numbers;
mod texts;
mod times;

pub(crate) use collections::{field, item};
pub(crate) use texts::{concatenate, like};
pub(crate) use times::extract;

use super::bind::{BindError, Scope, coerce, is_null};
use super::call::Function;
use super::eval::{Bound, Kind, Now};
use super::strings::Side;
use super::time_field::TimeField;
use super::types::{Family, family, implicit_cast};

/// Every function by name, for the nearest one in an error.
const NAMES: &[&str] = &[
    "ABS",
    "CARDINALITY",
    "CEIL",
    "CEILING",
    "CHARACTER_LENGTH",
    "CHAR_LENGTH",
    "COALESCE",
    "CONCAT",
    "CONCAT_WS",
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "DATE_FORMAT",
    "DAYOFMONTH",
    "DAYOFWEEK",
    "DAYOFYEAR",
    "ELEMENT",
    "EXTRACT",
    "FLOOR",
    "FROM_UNIXTIME",
    "HOUR",
    "IF",
    "JSON_VALUE",
    "LOCALTIME",
    "LOCALTIMESTAMP",
    "LOWER",
    "LTRIM",
    "MD5",
    "MINUTE",
    "MOD",
    "MONTH",
    "NOW",
    "NULLIF",
    "QUARTER",
    "REGEXP_EXTRACT",
    "REGEXP_REPLACE",
    "REPLACE",
    "ROUND",
    "RTRIM",
    "SECOND",
    "SHA256",
    "SPLIT_INDEX",
    "SUBSTR",
    "SUBSTRING",
    "TO_DATE",
    "TO_TIMESTAMP",
    "TRIM",
    "UNIX_TIMESTAMP",
    "UPPER",
    "UUID",
    "WEEK",
    "YEAR",
];

type Result<T, E = BindError> = std::result::Result<T, E>;

/// Binds the call `name(args)` that stands at `span`.
pub(crate) fn bind(scope: &Scope<'_>, span: Span, name: &Ident, args: &[Expr]) -> Result<Bound> {
    let call = Call { scope, span, name: &name.value, args };
    match name.value.as_str() {
        "LOCALTIMESTAMP" => call.now(Now::LocalTimestamp),
        "CURRENT_TIMESTAMP" | "NOW" => call.now(Now::Instant),
        "CURRENT_DATE" => call.now(Now::Date),
        "LOCALTIME" | "CURRENT_TIME" => call.now(Now::Time),
        "UUID" => call.uuid(),
        "UPPER" => call.letters(Kind::Upper),
        "LOWER" => call.letters(Kind::Lower),
        "CONCAT" => call.concat(),
        "CONCAT_WS" => call.of_texts(Function::ConcatWs, 1, usize::MAX, TypeRoot::STRING),
        "SUBSTRING" | "SUBSTR" => call.substring(),
        "TRIM" => call.trim(Side::Both),
        "LTRIM" => call.trim(Side::Leading),
        "RTRIM" => call.trim(Side::Trailing),
        "REPLACE" => call.of_texts(Function::Replace, 3, 3, TypeRoot::STRING),
        "CHAR_LENGTH" | "CHARACTER_LENGTH" => call.of_texts(Function::CharLength, 1, 1, TypeRoot::Int),
        "MD5" => call.of_texts(Function::Md5, 1, 1, TypeRoot::Char(32)),
        "SHA256" => call.of_texts(Function::Sha256, 1, 1, TypeRoot::Char(64)),
        "SPLIT_INDEX" => call.split_index(),
        "REGEXP_EXTRACT" => call.regexp_extract(),
        "REGEXP_REPLACE" => call.regexp_replace(),
        "JSON_VALUE" => call.json_value(),
        "COALESCE" => call.coalesce(),
        "IF" => call.if_else(),
        "NULLIF" => call.null_if(),
        "ABS" => call.abs(),
        "FLOOR" => call.whole(Function::Floor),
        "CEIL" | "CEILING" => call.whole(Function::Ceil),
        "ROUND" => call.round(),
        "MOD" => call.modulo(),
        "ARRAY" => call.array(),
        "MAP" => call.map(),
        "ROW" => call.row(),
        "CARDINALITY" => call.cardinality(),
        "ELEMENT" => call.element(),
        "DATE_FORMAT" => call.date_format(),
        "TO_DATE" => call.to_date(),
        "TO_TIMESTAMP" => call.to_timestamp(),
        "UNIX_TIMESTAMP" => call.unix_timestamp(),
        "FROM_UNIXTIME" => call.text_of_unixtime(),
        other => match TimeField::of_function(other) {
            Some(field) => call.time_field(field),
            None => {
                let error = BindError::new(name.span, format!("unknown function {other}"));
                Err(match nearest(other, NAMES.iter().copied()) {
                    Some(near) => error.help(format!("did you mean {near}?")),
                    None => error.help(format!("there are {}", NAMES.join(", "))),
                })
            }
        },
    }
}

struct Call<'a> {
    scope: &'a Scope<'a>,
    span: Span,
    name: &'a str,
    args: &'a [Expr],
}

impl Call<'_> {
    fn count(&self, least: usize, most: usize) -> Result<()> {
        let given = self.args.len();
        if (least..=most).contains(&given) {
            return Ok(());
        }
        let wanted = match (least, most) {
            (0, 0) => "no arguments".to_owned(),
            (1, 1) => "one argument".to_owned(),
            (least, usize::MAX) => format!("at least {least} argument{}", if least == 1 { "" } else { "s" }),
            (least, most) => format!("{least} to {most} arguments"),
        };
        Err(BindError::new(self.span, format!("{} takes {wanted}, not {given}", self.name)))
    }

    /// The argument as text; NULL is text too.
    fn text_arg(&self, arg: &Expr) -> Result<Bound> {
        let bound = self.scope.bind(arg)?;
        if is_null(&bound) {
            return Ok(coerce(bound, TypeRoot::STRING));
        }
        let found = &bound.data_type.root;
        if family(found) != Family::Text {
            return Err(BindError::new(arg.span, format!("{} takes text, this is {found}", self.name))
                .help("write CAST(… AS STRING) around it"));
        }
        Ok(bound)
    }

    fn int_arg(&self, arg: &Expr) -> Result<Bound> {
        let bound = self.scope.bind(arg)?;
        let found = &bound.data_type.root;
        if is_null(&bound) || implicit_cast(found, &TypeRoot::Int) {
            return Ok(coerce(bound, TypeRoot::Int));
        }
        Err(BindError::new(arg.span, format!("{} takes an INT here, this is {found}", self.name))
            .help("write CAST(… AS INT) around it"))
    }

    fn now(&self, now: Now) -> Result<Bound> {
        self.count(0, 0)?;
        Ok(Bound::new(Kind::Now(now), DataType::not_null(now.root())))
    }

    fn time_field(&self, field: TimeField) -> Result<Bound> {
        self.count(1, 1)?;
        times::field(self.scope, self.name, field, &self.args[0])
    }

    fn uuid(&self) -> Result<Bound> {
        self.count(0, 0)?;
        let random = self.scope.random.clone().ok_or_else(|| {
            BindError::new(self.span, "UUID() cannot stand in a computed column: each use would give another value")
                .help("write it in the SELECT")
        })?;
        Ok(Bound::new(Kind::Uuid(random), DataType::not_null(TypeRoot::Char(36))))
    }

    /// A function that is null if one of its operands is.
    fn give(&self, function: Function, args: Vec<Bound>, root: TypeRoot) -> Bound {
        let nullable = args.iter().any(|arg| arg.data_type.nullable);
        Bound::new(Kind::Call(function, args), DataType { root, nullable })
    }

    /// A function that can be null although no operand is.
    fn give_nullable(&self, function: Function, args: Vec<Bound>, root: TypeRoot) -> Bound {
        Bound::new(Kind::Call(function, args), DataType::nullable(root))
    }

    /// Checks a pattern that is written out, where it stands.
    fn check_pattern<T>(&self, arg: &Expr, read: impl FnOnce(&str) -> Result<T, String>) -> Result<()> {
        match &arg.kind {
            ExprKind::Literal(Literal::String(text)) => match read(text) {
                Ok(_) => Ok(()),
                Err(why) => Err(BindError::new(arg.span, format!("{} cannot use this pattern: {why}", self.name))),
            },
            _ => Ok(()),
        }
    }
}
