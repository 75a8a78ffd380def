//! The functions: which exist, what they take, what they give.

use paimon_format::{DataType, TypeRoot};
use tributary_statement::{Expr, Ident, Span, nearest};

use super::bind::{BindError, Scope, coerce, is_null, unify};
use super::eval::{Bound, Kind, Now};
use super::time_field::TimeField;
use super::types::{Family, family, implicit_cast};

/// Every function by name, for the nearest one in an error.
const NAMES: &[&str] = &[
    "COALESCE",
    "CONCAT",
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "DAYOFMONTH",
    "DAYOFWEEK",
    "DAYOFYEAR",
    "HOUR",
    "LOCALTIME",
    "LOCALTIMESTAMP",
    "LOWER",
    "MINUTE",
    "MONTH",
    "NOW",
    "QUARTER",
    "SECOND",
    "SUBSTR",
    "SUBSTRING",
    "UPPER",
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
        "UPPER" => call.text(Kind::Upper),
        "LOWER" => call.text(Kind::Lower),
        "CONCAT" => call.concat(),
        "SUBSTRING" | "SUBSTR" => call.substring(),
        "COALESCE" => call.coalesce(),
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

    fn text(&self, kind: fn(Box<Bound>) -> Kind) -> Result<Bound> {
        self.count(1, 1)?;
        let text = self.text_arg(&self.args[0])?;
        let nullable = text.data_type.nullable;
        Ok(Bound::new(kind(Box::new(text)), string(nullable)))
    }

    fn concat(&self) -> Result<Bound> {
        self.count(1, usize::MAX)?;
        let args = self.args.iter().map(|arg| self.text_arg(arg)).collect::<Result<Vec<_>>>()?;
        let nullable = args.iter().any(|arg| arg.data_type.nullable);
        Ok(Bound::new(Kind::Concat(args), string(nullable)))
    }

    fn substring(&self) -> Result<Bound> {
        self.count(2, 3)?;
        let text = Box::new(self.text_arg(&self.args[0])?);
        let start = Box::new(self.int_arg(&self.args[1])?);
        let length = self.args.get(2).map(|arg| self.int_arg(arg)).transpose()?.map(Box::new);
        // A negative length gives null.
        let nullable = length.is_some() || text.data_type.nullable || start.data_type.nullable;
        let kind = Kind::Substring { text, start, length };
        Ok(Bound::new(kind, string(nullable)))
    }

    fn coalesce(&self) -> Result<Bound> {
        self.count(1, usize::MAX)?;
        let args = self.args.iter().map(|arg| Ok((arg.span, self.scope.bind(arg)?))).collect::<Result<Vec<_>>>()?;
        let (args, data_type) = unify(self.span, "the arguments of COALESCE", args)?;
        let nullable = args.iter().all(|arg| arg.data_type.nullable);
        let root = data_type.root;
        Ok(Bound::new(Kind::Coalesce(args), DataType { root, nullable }))
    }

    fn time_field(&self, field: TimeField) -> Result<Bound> {
        self.count(1, 1)?;
        let arg = &self.args[0];
        let bound = self.scope.bind(arg)?;
        if is_null(&bound) {
            return Ok(coerce(bound, TypeRoot::BigInt));
        }
        let found = &bound.data_type.root;
        let fits = match family(found) {
            Family::Timestamp | Family::TimestampLtz | Family::Date => true,
            Family::Time => field.is_of_day(),
            _ => false,
        };
        if !fits {
            return Err(BindError::new(arg.span, format!("{} takes a date or timestamp, this is {found}", self.name))
                .help("write CAST(… AS TIMESTAMP(3)) around it"));
        }
        let nullable = bound.data_type.nullable;
        Ok(Bound::new(Kind::TimeField(field, Box::new(bound)), DataType { root: TypeRoot::BigInt, nullable }))
    }
}

fn string(nullable: bool) -> DataType {
    DataType { root: TypeRoot::STRING, nullable }
}
