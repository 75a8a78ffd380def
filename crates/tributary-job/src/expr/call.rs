//! The functions that are computed row by row: which there are, and where their kernels are.

use paimon_format::TypeRoot;

use super::date_pattern::Reading;
use super::eval::EvalError;
use super::operands::Operands;
use super::strings::Side;
use super::value::Value;
use super::zone::Zone;
use super::{collections, json, moments, numbers, regexes, strings};

/// A function of its operands only (and of the session's zone).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Abs,
    /// ARRAY[…]
    Array,
    Cardinality,
    Ceil,
    CharLength,
    ConcatWs,
    DateFormat,
    /// ELEMENT
    Element,
    /// `array[index]`
    ElementAt,
    /// The n-th field of a ROW
    Field(usize),
    Floor,
    FromUnixtime,
    JsonValue,
    Like,
    /// MAP[…]
    Map,
    Md5,
    RegexpExtract,
    RegexpReplace,
    Replace,
    Round,
    /// ROW(…)
    Row,
    Sha256,
    SplitIndex,
    ToDate,
    ToTimestamp(Reading),
    Trim(Side),
    UnixTimestamp,
    /// `map[key]`
    ValueOf,
}

// === impl Function ===

impl Function {
    /// Computes the function. `first` is the type of the first operand, `result` that of the result; the binder has
    /// brought the operands to the types the kernels take.
    pub(crate) fn eval(
        self,
        values: &[Value],
        (first, result): (&TypeRoot, &TypeRoot),
        rows: usize,
        zone: Zone,
    ) -> Result<Value, EvalError> {
        let operands = &Operands::new(values, rows);
        match self {
            Self::Abs => numbers::abs(&values[0], first),
            Self::Ceil => numbers::whole(numbers::Towards::Up, &values[0], first, result),
            Self::Floor => numbers::whole(numbers::Towards::Down, &values[0], first, result),
            Self::Round => numbers::round(operands, first, result),
            Self::CharLength => strings::char_length(operands),
            Self::ConcatWs => strings::concat_ws(operands),
            Self::Trim(side) => strings::trim(side, operands),
            Self::Replace => strings::replace(operands),
            Self::SplitIndex => strings::split_index(operands),
            Self::Like => strings::like(operands),
            Self::Md5 => strings::md5(operands),
            Self::Sha256 => strings::sha256(operands),
            Self::RegexpExtract => regexes::extract(operands),
            Self::RegexpReplace => regexes::replace(operands),
            Self::JsonValue => json::json_value(operands),
            Self::DateFormat => moments::date_format(&values[0], &values[1], first, rows, zone),
            Self::FromUnixtime => moments::from_unixtime(operands, zone),
            Self::UnixTimestamp => moments::unix_timestamp(operands, zone),
            Self::ToDate => moments::to_date(operands),
            Self::ToTimestamp(reading) => moments::to_timestamp(operands, reading),
            Self::Array => collections::array(operands, result),
            Self::Map => collections::map(operands, result),
            Self::Row => collections::row(operands, result),
            Self::Cardinality => collections::cardinality(&values[0]),
            Self::Element => collections::only_element(&values[0]),
            Self::ElementAt => collections::element(operands),
            Self::ValueOf => collections::value_of(operands),
            Self::Field(n) => collections::field(&values[0], n),
        }
    }

    /// Whether a value can make it fail: a pattern that is none, a null key, a second element.
    pub(crate) fn can_fail(self) -> bool {
        use Function as F;
        matches!(
            self,
            F::Like
                | F::Map
                | F::Element
                | F::RegexpExtract
                | F::RegexpReplace
                | F::JsonValue
                | F::DateFormat
                | F::FromUnixtime
                | F::UnixTimestamp
                | F::ToDate
                | F::ToTimestamp(_)
        )
    }
}
