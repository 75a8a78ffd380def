//! Lists, maps and rows: constructors, access, CARDINALITY and ELEMENT.

use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int32Type;
use paimon_format::types::MapType;
use paimon_format::{DataField, DataType, TypeRoot};
use tributary_statement::{Expr, Ident, Span, nearest};

use super::{Call, Result};
use crate::expr::bind::{BindError, Scope, coerce, is_null, unify};
use crate::expr::call::Function;
use crate::expr::eval::{Bound, Kind};
use crate::expr::types::{Family, common_type, family};

const WRITE_NULL: &str = "give it a type: CAST(NULL AS STRING)";

impl Call<'_> {
    /// `ARRAY[…]`
    pub(super) fn array(&self) -> Result<Bound> {
        if self.args.is_empty() {
            return Err(
                BindError::new(self.span, "ARRAY[] has no type").help("write CAST(NULL AS ARRAY<type>), or an element")
            );
        }
        let (elements, element) = self.parts("the elements of ARRAY", self.args.iter())?;
        Ok(made(Function::Array, elements, TypeRoot::Array(Arc::new(element))))
    }

    /// `MAP[…]`
    pub(super) fn map(&self) -> Result<Bound> {
        if self.args.is_empty() || self.args.len() % 2 == 1 {
            return Err(BindError::new(self.span, "MAP takes keys and values in turn, at least one of each")
                .help("write MAP[key, value, key, value]"));
        }
        let (keys, key) = self.parts("the keys of MAP", self.args.iter().step_by(2))?;
        let (values, value) = self.parts("the values of MAP", self.args.iter().skip(1).step_by(2))?;
        let args = keys.into_iter().zip(values).flat_map(|(key, value)| [key, value]).collect();
        Ok(made(Function::Map, args, TypeRoot::Map(Arc::new(MapType { key, value }))))
    }

    /// `ROW(…)`; its fields are called as Flink calls them.
    pub(super) fn row(&self) -> Result<Bound> {
        self.count(1, usize::MAX)?;
        let mut args = Vec::with_capacity(self.args.len());
        let mut fields = Vec::with_capacity(self.args.len());
        for (n, arg) in self.args.iter().enumerate() {
            let bound = self.scope.bind(arg)?;
            if is_null(&bound) {
                return Err(BindError::new(arg.span, "NULL in ROW has no type").help(WRITE_NULL));
            }
            fields.push(DataField::new(0, format!("EXPR${n}"), bound.data_type.clone()));
            args.push(bound);
        }
        Ok(made(Function::Row, args, TypeRoot::Row(fields.into())))
    }

    pub(super) fn cardinality(&self) -> Result<Bound> {
        self.count(1, 1)?;
        let bound = self.scope.bind(&self.args[0])?;
        match bound.data_type.root {
            TypeRoot::Array(_) | TypeRoot::Map(_) => Ok(self.give(Function::Cardinality, vec![bound], TypeRoot::Int)),
            _ => Err(self.wrong_collection(&bound, "an ARRAY or a MAP")),
        }
    }

    pub(super) fn element(&self) -> Result<Bound> {
        self.count(1, 1)?;
        let bound = self.scope.bind(&self.args[0])?;
        match &bound.data_type.root {
            TypeRoot::Array(element) => {
                let root = element.root.clone();
                Ok(self.give_nullable(Function::Element, vec![bound], root))
            }
            _ => Err(self.wrong_collection(&bound, "an ARRAY")),
        }
    }

    fn wrong_collection(&self, bound: &Bound, wanted: &str) -> BindError {
        let found = &bound.data_type.root;
        BindError::new(self.args[0].span, format!("{} takes {wanted}, this is {found}", self.name))
    }

    fn parts<'e>(&self, what: &str, args: impl Iterator<Item = &'e Expr>) -> Result<(Vec<Bound>, DataType)> {
        let bound = args.map(|arg| Ok((arg.span, self.scope.bind(arg)?))).collect::<Result<_>>()?;
        unify(self.span, what, bound)
    }
}

/// A value that is made, and so never null.
fn made(function: Function, args: Vec<Bound>, root: TypeRoot) -> Bound {
    Bound::new(Kind::Call(function, args), DataType::not_null(root))
}

/// `operand[index]`
pub(crate) fn item(scope: &Scope<'_>, span: Span, operand: &Expr, index: &Expr) -> Result<Bound> {
    let (operand, at) = (scope.bind(operand)?, scope.bind(index)?);
    let root = operand.data_type.root.clone();
    let found = &at.data_type.root;
    let give = |function, operands, part: &DataType| {
        Ok(Bound::new(Kind::Call(function, operands), DataType::nullable(part.root.clone())))
    };
    let (wanted, help) = match &root {
        _ if is_null(&operand) => return Err(BindError::new(span, "NULL has no elements").help(WRITE_NULL)),
        TypeRoot::Array(_) if is_below_one(&at) => {
            return Err(BindError::new(index.span, "elements of an ARRAY are counted from 1"));
        }
        TypeRoot::Array(element) if !is_null(&at) && *found == TypeRoot::Int => {
            return give(Function::ElementAt, vec![operand, at], element);
        }
        TypeRoot::Array(_) => ("an INT", "write CAST(… AS INT) around it".to_owned()),
        TypeRoot::Map(map) => {
            let key = &map.key.root;
            let texts = family(key) == Family::Text && family(found) == Family::Text;
            let common = if texts { Some(key.clone()) } else { common_type(key, found) };
            if let (Some(common), false) = (common, is_null(&at)) {
                let keyed =
                    MapType { key: DataType { root: common.clone(), ..map.key.clone() }, value: map.value.clone() };
                let at = if texts { at } else { coerce(at, common) };
                return give(Function::ValueOf, vec![coerce(operand, TypeRoot::Map(Arc::new(keyed))), at], &map.value);
            }
            ("a key", format!("the keys of this MAP are {key}"))
        }
        TypeRoot::Row(_) => {
            return Err(BindError::new(span, format!("fields of {root} have names")).help("write row.field"));
        }
        _ => return Err(BindError::new(span, format!("`[…]` takes an ARRAY or a MAP, this is {root}"))),
    };
    let found = if is_null(&at) { "NULL".to_owned() } else { found.to_string() };
    Err(BindError::new(index.span, format!("`[…]` takes {wanted} here, this is {found}")).help(help))
}

fn is_below_one(index: &Bound) -> bool {
    match &index.kind {
        Kind::Literal(value) if index.data_type.root == TypeRoot::Int => {
            value.is_valid(0) && value.as_primitive::<Int32Type>().value(0) < 1
        }
        _ => false,
    }
}

/// `operand.name`
pub(crate) fn field(operand: Bound, name: &Ident) -> Result<Bound> {
    let TypeRoot::Row(fields) = &operand.data_type.root else {
        let found = &operand.data_type.root;
        return Err(BindError::new(name.span, format!("there is no field `{name}`: this is {found}, not a ROW")));
    };
    let Some(n) = fields.iter().position(|field| field.name == name.value) else {
        let names = || fields.iter().map(|field| field.name.as_str());
        let error = BindError::new(name.span, format!("there is no field `{name}` in this ROW"));
        return Err(match nearest(&name.value, names()) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => {
                error.help(format!("it has {}", names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")))
            }
        });
    };
    let field = &fields[n].data_type;
    let data_type = DataType { root: field.root.clone(), nullable: field.nullable || operand.data_type.nullable };
    Ok(Bound::new(Kind::Call(Function::Field(n), vec![operand]), data_type))
}
