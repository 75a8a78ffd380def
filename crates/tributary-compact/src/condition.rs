//! `where`: SQL's conditions on partition columns, as Paimon's procedures take them.

use paimon_format::{DataField, Datum, TableSchema, TypeRoot};
use paimon_table::partition_text;
use paimon_table::predicate::{Comparison, Predicate};
use tributary_statement::{BinaryOp, Expr, ExprKind, Literal, Source, Span, StatementError, UnaryOp, parse_expression};

const KNOWN: &str = "compare partition columns with constants: =, <>, <, <=, >, >=, IN, BETWEEN, IS NULL, AND, OR, NOT";

/// The rows of the partitions that meet `text`.
///
/// # Errors
/// What is no such condition, or not of partition columns, with its place.
pub(crate) fn parse(text: &str, schema: &TableSchema) -> Result<Predicate, StatementError> {
    let (source, expr) = parse_expression("where", text)?;
    Binder { source: &source, fields: &schema.partition_fields() }.condition(&expr)
}

struct Binder<'a> {
    source: &'a Source,
    fields: &'a [&'a DataField],
}

// === impl Binder ===

impl Binder<'_> {
    fn condition(&self, expr: &Expr) -> Result<Predicate, StatementError> {
        let negated = |predicate: Predicate, is_negated: &bool| if *is_negated { predicate.not() } else { predicate };
        match &expr.kind {
            ExprKind::Unary { op, operand } if op.value == UnaryOp::Not => Ok(self.condition(operand)?.not()),
            ExprKind::Binary { left, op, right } => match (op.value, comparison(op.value)) {
                (BinaryOp::And, _) => Ok(Predicate::And(vec![self.condition(left)?, self.condition(right)?])),
                (BinaryOp::Or, _) => Ok(Predicate::Or(vec![self.condition(left)?, self.condition(right)?])),
                (_, Some(op)) => match matches!(left.kind, ExprKind::Literal(_)) {
                    false => self.compare(left, op, right),
                    true => self.compare(right, turned(op), left),
                },
                _ => Err(self.unknown(expr.span)),
            },
            ExprKind::IsNull { operand, negated: is_not } => {
                let column = self.column(operand)?.name.clone();
                Ok(if *is_not { Predicate::IsNotNull(column) } else { Predicate::IsNull(column) })
            }
            ExprKind::Between { operand, low, high, negated: is_not } => {
                let low = self.compare(operand, Comparison::GtEq, low)?;
                let high = self.compare(operand, Comparison::LtEq, high)?;
                Ok(negated(Predicate::And(vec![low, high]), is_not))
            }
            ExprKind::In { operand, list, negated: is_not } => {
                let field = self.column(operand)?;
                let values = list.iter().map(|value| self.value(field, value)).collect::<Result<_, _>>()?;
                Ok(negated(Predicate::In { column: field.name.clone(), values }, is_not))
            }
            _ => Err(self.unknown(expr.span)),
        }
    }

    fn compare(&self, column: &Expr, op: Comparison, value: &Expr) -> Result<Predicate, StatementError> {
        let field = self.column(column)?;
        Ok(Predicate::compare(field.name.clone(), op, self.value(field, value)?))
    }

    fn column(&self, expr: &Expr) -> Result<&DataField, StatementError> {
        let ExprKind::Column { qualifier, name } = &expr.kind else {
            return Err(self.unknown(expr.span));
        };
        let field = self.fields.iter().find(|field| qualifier.is_empty() && field.name == name.value);
        field.copied().ok_or_else(|| {
            let keys: Vec<_> = self.fields.iter().map(|field| field.name.as_str()).collect();
            let help = match keys.as_slice() {
                [] => "the table has no partitions; leave where out".to_owned(),
                keys => format!("its partition keys are {}", keys.join(", ")),
            };
            self.source.error(expr.span, "this is no partition column of the table").with_help(help)
        })
    }

    /// A constant as a value of the column's type.
    fn value(&self, field: &DataField, expr: &Expr) -> Result<Datum, StatementError> {
        let ExprKind::Literal(literal) = &expr.kind else {
            return Err(self.unknown(expr.span));
        };
        let root = &field.data_type.root;
        let is_text = matches!(root, TypeRoot::Char(_) | TypeRoot::Varchar(_));
        let value = match (literal, root) {
            (Literal::Null, _) => {
                let error = self.source.error(expr.span, "nothing compares with NULL");
                return Err(error.with_help(format!("write {} IS NULL", field.name)));
            }
            (Literal::String(text), _) => partition_text::value(text, root),
            (Literal::Integer(number), _) if is_number(root) => partition_text::value(&number.to_string(), root),
            (Literal::Boolean(value), TypeRoot::Boolean) => Some(Datum::Boolean(*value)),
            (Literal::Date(days), TypeRoot::Date) => Some(Datum::Date(*days)),
            (Literal::Timestamp { millis, nano_of_milli, .. }, TypeRoot::Timestamp(_)) => {
                Some(Datum::Timestamp { millis: *millis, nano_of_milli: *nano_of_milli })
            }
            _ => None,
        };
        value.ok_or_else(|| {
            let error = self.source.error(expr.span, format!("`{}` is of type {root}, which this is not", field.name));
            error.with_help(if is_text {
                "put the value in quotes"
            } else {
                "write the value in quotes, as a partition shows it"
            })
        })
    }

    fn unknown(&self, span: Span) -> StatementError {
        self.source.error(span, "this is no condition on partitions").with_help(KNOWN)
    }
}

fn is_number(root: &TypeRoot) -> bool {
    matches!(
        root,
        TypeRoot::TinyInt
            | TypeRoot::SmallInt
            | TypeRoot::Int
            | TypeRoot::BigInt
            | TypeRoot::Float
            | TypeRoot::Double
            | TypeRoot::Decimal { .. }
    )
}

fn comparison(op: BinaryOp) -> Option<Comparison> {
    Some(match op {
        BinaryOp::Eq => Comparison::Eq,
        BinaryOp::NotEq => Comparison::NotEq,
        BinaryOp::Lt => Comparison::Lt,
        BinaryOp::LtEq => Comparison::LtEq,
        BinaryOp::Gt => Comparison::Gt,
        BinaryOp::GtEq => Comparison::GtEq,
        _ => return None,
    })
}

/// `value op column` as `column op value`.
fn turned(op: Comparison) -> Comparison {
    match op {
        Comparison::Lt => Comparison::Gt,
        Comparison::LtEq => Comparison::GtEq,
        Comparison::Gt => Comparison::Lt,
        Comparison::GtEq => Comparison::LtEq,
        same => same,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeMap;

    use paimon_format::ColumnStats;
    use paimon_table::predicate::exactly;

    use super::*;

    fn schema() -> TableSchema {
        let field = |id, name: &str, text: &str| DataField::new(id, name, text.parse().unwrap());
        let fields =
            vec![field(0, "id", "INT"), field(1, "dt", "STRING"), field(2, "hh", "INT"), field(3, "d", "DATE")];
        let keys = ["dt", "hh", "d"].map(str::to_owned).to_vec();
        TableSchema::new(fields, keys, BTreeMap::new(), None, 0)
    }

    /// Which of four partitions (dt, hh, d) meet it; the last one's are null.
    fn met(text: &str) -> Result<Vec<usize>, String> {
        let predicate = parse(text, &schema()).map_err(|error| error.to_string())?;
        let partitions = [("2026-01-01", 9, 0), ("2026-01-01", 10, 1), ("2026-01-02", 9, 2)];
        let is_met = |number: &usize| {
            let stats = |column: &str| -> Option<ColumnStats> {
                let partition = partitions.get(*number);
                let value = partition.map(|(dt, hh, days)| match column {
                    "dt" => Datum::String((*dt).to_owned()),
                    "hh" => Datum::Int(*hh),
                    _ => Datum::Date(*days),
                });
                Some(exactly(value, 1))
            };
            predicate.may_match(1, &stats)
        };
        Ok((0..4).filter(is_met).collect())
    }

    #[test]
    fn a_condition_selects_its_partitions() {
        for (text, expected) in [
            ("dt = '2026-01-01'", &[0, 1][..]),
            ("dt = '2026-01-01' AND hh >= 10", &[1]),
            ("10 > hh", &[0, 2]),
            ("hh = '9' or d = DATE '1970-01-02'", &[0, 1, 2]),
            ("NOT (dt = '2026-01-01' AND hh = 9)", &[1, 2]),
            ("hh IN (10, 11)", &[1]),
            ("hh NOT IN (10, 11)", &[0, 2]),
            ("dt BETWEEN '2026-01-02' AND '2026-02-01'", &[2]),
            ("dt IS NULL", &[3]),
            ("d IS NOT NULL AND d <> '1970-01-01'", &[1, 2]),
        ] {
            assert_eq!(met(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_condition_on_partitions_is_refused_at_its_place() {
        for (text, expected) in [
            ("id = 1", "where:1:1: this is no partition column of the table"),
            ("dt = NULL", "where:1:6: nothing compares with NULL"),
            ("dt = 20260101", "where:1:6: `dt` is of type STRING, which this is not"),
            ("hh = 'x'", "where:1:6: `hh` is of type INT, which this is not"),
            ("UPPER(dt) = 'X'", "where:1:1: this is no condition on partitions"),
            ("hh + 1 = 2", "where:1:1: this is no condition on partitions"),
            ("dt", "where:1:1: this is no condition on partitions"),
            ("dt = '1' extra", "where:1:10: expected"),
            ("", "where:1:1: expected"),
        ] {
            let error = met(text).unwrap_err();
            assert!(error.starts_with(expected), "{text}: {error}");
        }
    }
}
