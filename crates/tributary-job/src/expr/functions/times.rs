//! The functions on dates and times.

use paimon_format::{DataType, TypeRoot};
use tributary_statement::{Expr, Ident, Literal, nearest};

use super::{Call, Result};
use crate::expr::bind::{BindError, Scope, coerce, is_null};
use crate::expr::call::Function;
use crate::expr::cast::Failing;
use crate::expr::date_pattern::{DatePattern, Reading};
use crate::expr::eval::{Bound, Kind, Now};
use crate::expr::time_field::{TimeField, UNITS};
use crate::expr::types::{Family, family};

/// What UNIX_TIMESTAMP, FROM_UNIXTIME and the text in DATE_FORMAT follow if nothing else is said.
const USUAL_PATTERN: &str = "yyyy-MM-dd HH:mm:ss";

impl Call<'_> {
    fn pattern_arg(&self, index: usize) -> Result<Bound> {
        match self.args.get(index) {
            Some(arg) => {
                self.check_pattern(arg, DatePattern::parse)?;
                self.text_arg(arg)
            }
            None => Ok(self.scope.bind_literal(&Literal::String(USUAL_PATTERN.to_owned()))),
        }
    }

    pub(super) fn date_format(&self) -> Result<Bound> {
        self.count(2, 2)?;
        let arg = &self.args[0];
        let bound = self.scope.bind(arg)?;
        let found = bound.data_type.root.clone();
        let value = match family(&found) {
            _ if is_null(&bound) => coerce(bound, TypeRoot::Timestamp(3)),
            Family::Timestamp | Family::TimestampLtz => bound,
            // Text is read as UNIX_TIMESTAMP reads it.
            Family::Text => {
                let read = Function::ToTimestamp(Reading::Lenient);
                self.give_nullable(read, vec![bound, self.pattern_arg(2)?], TypeRoot::Timestamp(3))
            }
            _ => {
                return Err(BindError::new(
                    arg.span,
                    format!("DATE_FORMAT takes a timestamp or text, this is {found}"),
                )
                .help("write CAST(… AS TIMESTAMP(3)) around it"));
            }
        };
        let args = vec![value, self.pattern_arg(1)?];
        Ok(self.give_nullable(Function::DateFormat, args, TypeRoot::STRING))
    }

    pub(super) fn to_date(&self) -> Result<Bound> {
        self.count(1, 2)?;
        let text = self.text_arg(&self.args[0])?;
        if self.args.len() == 1 {
            return Ok(or_null(text, TypeRoot::Date));
        }
        let args = vec![text, self.pattern_arg(1)?];
        Ok(self.give_nullable(Function::ToDate, args, TypeRoot::Date))
    }

    pub(super) fn to_timestamp(&self) -> Result<Bound> {
        self.count(1, 2)?;
        let text = self.text_arg(&self.args[0])?;
        if self.args.len() == 1 {
            return Ok(or_null(text, TypeRoot::Timestamp(3)));
        }
        let args = vec![text, self.pattern_arg(1)?];
        Ok(self.give_nullable(Function::ToTimestamp(Reading::Strict), args, TypeRoot::Timestamp(3)))
    }

    pub(super) fn unix_timestamp(&self) -> Result<Bound> {
        self.count(0, 2)?;
        let Some(text) = self.args.first() else {
            return self.now(Now::UnixSeconds);
        };
        let args = vec![self.text_arg(text)?, self.pattern_arg(1)?];
        Ok(self.give(Function::UnixTimestamp, args, TypeRoot::BigInt))
    }

    pub(super) fn text_of_unixtime(&self) -> Result<Bound> {
        self.count(1, 2)?;
        let arg = &self.args[0];
        let bound = self.scope.bind(arg)?;
        let found = &bound.data_type.root;
        if !is_null(&bound) && family(found) != Family::Integer {
            return Err(BindError::new(arg.span, format!("FROM_UNIXTIME takes a BIGINT, this is {found}"))
                .help("write CAST(… AS BIGINT) around it"));
        }
        let args = vec![coerce(bound, TypeRoot::BigInt), self.pattern_arg(1)?];
        Ok(self.give_nullable(Function::FromUnixtime, args, TypeRoot::STRING))
    }
}

/// TRY_CAST(text AS root)
fn or_null(text: Bound, root: TypeRoot) -> Bound {
    Bound::new(Kind::Cast(Box::new(text), Failing::IsNull), DataType::nullable(root))
}

/// `EXTRACT(unit FROM operand)`
pub(crate) fn extract(scope: &Scope<'_>, unit: &Ident, operand: &Expr) -> Result<Bound> {
    let Some(time_field) = TimeField::of_unit(&unit.value) else {
        let error = BindError::new(unit.span, format!("EXTRACT knows no unit {}", unit.value));
        let units = UNITS.iter().map(|(name, _)| *name);
        return Err(match nearest(&unit.value, units.clone()) {
            Some(near) => error.help(format!("did you mean {near}?")),
            None => error.help(format!("there are {}", units.collect::<Vec<_>>().join(", "))),
        });
    };
    field(scope, "EXTRACT", time_field, operand)
}

/// One field of a date, time or timestamp.
pub(super) fn field(scope: &Scope<'_>, name: &str, field: TimeField, arg: &Expr) -> Result<Bound> {
    let bound = scope.bind(arg)?;
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
        return Err(BindError::new(arg.span, format!("{name} takes a date or timestamp, this is {found}"))
            .help("write CAST(… AS TIMESTAMP(3)) around it"));
    }
    let nullable = bound.data_type.nullable;
    Ok(Bound::new(Kind::TimeField(field, Box::new(bound)), DataType { root: TypeRoot::BigInt, nullable }))
}
