//! Where the values of a column come from, as its options say; checked against its type.

use std::collections::BTreeMap;
use std::fmt;

use super::options::{OptionProblem, problem};
use super::parse;
use super::types::{FieldDef, FieldType, MAX_LENGTH};

/// Longer text and bytes, and larger lists and maps, would not fit a batch.
const MAX_VALUE_BYTES: u32 = 16 << 20;

/// Elements of an ARRAY and entries of a MAP unless `length` says otherwise, as in Flink.
const DEFAULT_COUNT: u32 = 3;

/// A column, or what is inside one, and where its values come from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Column {
    pub(super) def: FieldDef,
    pub(super) values: Values,
    pub(super) null_rate: f64,
}

/// Where the values of a column come from. Bounds are inclusive.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Values {
    Booleans,
    Integers {
        min: i64,
        max: i64,
    },
    Floats {
        min: f64,
        max: f64,
    },
    /// In units of the column's scale.
    Decimals {
        min: i128,
        max: i128,
    },
    Text {
        length: u32,
        varying: bool,
    },
    /// The day or time of day of the batch.
    Now,
    Past {
        max_millis: u64,
    },
    Sequence {
        start: i64,
        end: i64,
    },
    /// As many elements in every list.
    Elements {
        length: u32,
        element: Box<Column>,
    },
    /// As many keys drawn for every map; those that are equal are one.
    Entries {
        length: u32,
        parts: Box<[Column; 2]>,
    },
    Fields(Vec<Column>),
}

/// The options of columns and of what is inside them, without `fields.` and the path.
pub(super) type ByPath<'a> = BTreeMap<&'a str, BTreeMap<&'a str, &'a str>>;

/// The options of one column or part, taken out one by one; what is left has no meaning there.
struct Given<'a> {
    path: String,
    is_part: bool,
    def: &'a FieldDef,
    options: BTreeMap<&'a str, &'a str>,
    by_path: &'a ByPath<'a>,
}

// === impl Given ===

impl<'a> Given<'a> {
    fn new(path: String, is_part: bool, def: &'a FieldDef, by_path: &'a ByPath<'a>) -> Self {
        let options = by_path.get(path.as_str()).cloned().unwrap_or_default();
        Self { path, is_part, def, options, by_path }
    }

    fn column(mut self) -> Result<Column, OptionProblem> {
        let data_type = &self.def.data_type;
        let values = match self.options.remove("kind") {
            Some(_) if self.is_part => {
                return Err(self.wrong("kind", "is for columns; what is inside one is always random"));
            }
            kind => kind.unwrap_or("random"),
        };
        let values = match values {
            "random" => self.random()?,
            "sequence" => self.sequence()?,
            other => return Err(self.wrong("kind", format!("`{other}` is neither `random` nor `sequence`"))),
        };
        let is_sequence = matches!(values, Values::Sequence { .. });
        let null_rate = match self.options.remove("null-rate") {
            Some(_) if is_sequence => {
                return Err(self.wrong("null-rate", "is for random values, and this is a sequence"));
            }
            Some(text) => {
                let rate: f64 = self.read("null-rate", text, "a number from 0 to 1", |text| text.parse().ok())?;
                if !(0.0..=1.0).contains(&rate) {
                    return Err(self.wrong("null-rate", format!("`{text}` is not a number from 0 to 1")));
                }
                if rate > 0.0 && !self.def.nullable {
                    return Err(self.wrong("null-rate", format!("the column is {data_type} NOT NULL")));
                }
                rate
            }
            None => 0.0,
        };
        if let Some(option) = self.options.keys().next() {
            let kind = if is_sequence { "sequence" } else { "random" };
            return Err(self.wrong(option, format!("has no meaning for a {kind} column of type {data_type}")));
        }
        Ok(Column { def: self.def.clone(), values, null_rate })
    }

    fn random(&mut self) -> Result<Values, OptionProblem> {
        Ok(match &self.def.data_type {
            FieldType::Boolean => Values::Booleans,
            FieldType::TinyInt => self.integers(i8::MIN.into(), i8::MAX.into())?,
            FieldType::SmallInt => self.integers(i16::MIN.into(), i16::MAX.into())?,
            FieldType::Int => self.integers(i32::MIN.into(), i32::MAX.into())?,
            FieldType::BigInt => self.integers(i64::MIN, i64::MAX)?,
            FieldType::Float => self.floats(f64::from(f32::from_bits(1)), f32::MAX.into())?,
            FieldType::Double => self.floats(f64::from_bits(1), f64::MAX)?,
            &FieldType::Decimal { precision, scale } => {
                let most = 10_i128.pow(u32::from(precision)) - 1;
                let read = |text: &str| parse::decimal(text, scale).filter(|value| (-most..=most).contains(value));
                let (min, max) = self.bounds(0, most, read)?;
                Values::Decimals { min, max }
            }
            &FieldType::Char(length) | &FieldType::Binary(length) => {
                Values::Text { length: self.bounded(length)?, varying: false }
            }
            &FieldType::Varchar(most) | &FieldType::Varbinary(most) => self.text(most)?,
            FieldType::Date | FieldType::Time(_) => Values::Now,
            FieldType::Timestamp(_) | FieldType::TimestampLtz(_) => {
                let max_millis = match self.options.remove("max-past") {
                    Some(text) => self.read("max-past", text, "a duration such as `10 s`", parse::millis)?,
                    None => 0,
                };
                Values::Past { max_millis }
            }
            FieldType::Array(element) => {
                let element = Box::new(self.part(element)?);
                Values::Elements { length: self.count(element.bytes())?, element }
            }
            FieldType::Map(parts) => {
                let [key, value] = parts.as_ref();
                let parts = Box::new([self.part(key)?, self.part(value)?]);
                Values::Entries { length: self.count(parts.iter().map(Column::bytes).sum())?, parts }
            }
            FieldType::Row(fields) => {
                Values::Fields(fields.iter().map(|field| self.part(field)).collect::<Result<_, _>>()?)
            }
        })
    }

    /// What is inside, with the options of its own path.
    fn part(&self, def: &'a FieldDef) -> Result<Column, OptionProblem> {
        Given::new(format!("{}.{}", self.path, def.name), true, def, self.by_path).column()
    }

    /// How many parts of so many bytes each value has.
    fn count(&mut self, bytes: usize) -> Result<u32, OptionProblem> {
        let most = MAX_VALUE_BYTES / u32::try_from(bytes).unwrap_or(u32::MAX).max(1);
        match self.options.remove("length") {
            Some(text) => {
                let expected = format!("a length from 0 to {most} for {}", self.def.data_type);
                self.read("length", text, &expected, |text| text.parse().ok().filter(|length| *length <= most))
            }
            None if DEFAULT_COUNT > most => {
                let why = format!("values of more than {MAX_VALUE_BYTES} bytes cannot be generated");
                Err(self.wrong("length", why))
            }
            None => Ok(DEFAULT_COUNT),
        }
    }

    fn integers(&mut self, least: i64, most: i64) -> Result<Values, OptionProblem> {
        let read = |text: &str| text.parse().ok().filter(|value| (least..=most).contains(value));
        let (min, max) = self.bounds(least, most, read)?;
        Ok(Values::Integers { min, max })
    }

    fn floats(&mut self, least_positive: f64, most: f64) -> Result<Values, OptionProblem> {
        let read = |text: &str| text.parse().ok().filter(|value| (-most..=most).contains(value));
        let (min, max) = self.bounds(least_positive, most, read)?;
        Ok(Values::Floats { min, max })
    }

    fn bounds<T: PartialOrd + Copy>(
        &mut self,
        least: T,
        most: T,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<(T, T), OptionProblem> {
        let expected = format!("a {}", self.def.data_type);
        let mut bound = |option, default| match self.options.remove(option) {
            Some(text) => self.read(option, text, &expected, |text| read(text)),
            None => Ok(default),
        };
        let (min, max) = (bound("min", least)?, bound("max", most)?);
        if min > max {
            return Err(self.wrong("min", "is greater than the greatest value"));
        }
        Ok((min, max))
    }

    fn text(&mut self, most: u32) -> Result<Values, OptionProblem> {
        let length = match self.options.remove("length") {
            Some(text) => {
                let expected = format!("a length from 1 to {} for {}", most.min(MAX_VALUE_BYTES), self.def.data_type);
                self.read("length", text, &expected, |text| {
                    text.parse().ok().filter(|length| (1..=most).contains(length))
                })?
            }
            None if most == MAX_LENGTH => 100,
            None => most,
        };
        let varying = match self.options.remove("var-len") {
            Some(text) => self.read("var-len", text, "`true` or `false`", parse::boolean)?,
            None => false,
        };
        Ok(Values::Text { length: self.bounded(length)?, varying })
    }

    fn bounded(&self, length: u32) -> Result<u32, OptionProblem> {
        if length == 0 || length > MAX_VALUE_BYTES {
            let why = format!("values of length {length} cannot be generated; lengths are from 1 to {MAX_VALUE_BYTES}");
            return Err(self.wrong("length", why));
        }
        Ok(length)
    }

    fn sequence(&mut self) -> Result<Values, OptionProblem> {
        let range = match self.def.data_type {
            FieldType::TinyInt => (i8::MIN.into(), i8::MAX.into()),
            FieldType::SmallInt => (i16::MIN.into(), i16::MAX.into()),
            FieldType::Int => (i32::MIN.into(), i32::MAX.into()),
            FieldType::BigInt | FieldType::Float | FieldType::Double => (i64::MIN, i64::MAX),
            FieldType::Decimal { precision, scale } => {
                let most = 10_i128.pow(u32::from(precision - scale)) - 1;
                let most = i64::try_from(most).unwrap_or(i64::MAX);
                (-most, most)
            }
            FieldType::Char(most) | FieldType::Varchar(most) | FieldType::Binary(most) | FieldType::Varbinary(most) => {
                // As many digits as fit, one fewer below zero for the sign.
                let digits = |n: u32| 10_i64.checked_pow(n).map_or(i64::MAX, |power| power - 1);
                (-digits(most.saturating_sub(1)), digits(most))
            }
            FieldType::Boolean
            | FieldType::Date
            | FieldType::Time(_)
            | FieldType::Timestamp(_)
            | FieldType::TimestampLtz(_)
            | FieldType::Array(_)
            | FieldType::Map(_)
            | FieldType::Row(_) => {
                return Err(self.wrong("kind", format!("{} has no sequence", self.def.data_type)));
            }
        };
        let expected = format!("a whole number from {} to {} for {}", range.0, range.1, self.def.data_type);
        let mut bound = |option| match self.options.remove(option) {
            Some(text) => self.read(option, text, &expected, |text| {
                text.parse().ok().filter(|value| (range.0..=range.1).contains(value))
            }),
            None => Err(self.wrong(option, "is missing; a sequence needs `start` and `end`")),
        };
        let (start, end) = (bound("start")?, bound("end")?);
        if start > end {
            return Err(self.wrong("start", format!("{start} is behind the end, {end}")));
        }
        Ok(Values::Sequence { start, end })
    }

    fn read<T>(
        &self,
        option: &str,
        text: &str,
        expected: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T, OptionProblem> {
        read(text.trim()).ok_or_else(|| self.wrong(option, format!("`{text}` is not {expected}")))
    }

    fn wrong(&self, option: &str, why: impl Into<String>) -> OptionProblem {
        problem(format!("fields.{}.{option}", self.path), why)
    }
}

// === impl Column ===

impl Column {
    /// The column that these options ask for.
    ///
    /// # Errors
    /// The first option that does not fit it, or cannot be read.
    pub(super) fn try_new(def: &FieldDef, by_path: &ByPath<'_>) -> Result<Self, OptionProblem> {
        Given::new(def.name.clone(), false, def, by_path).column()
    }

    /// Bytes of a value in an arrow array, at most.
    pub(super) fn bytes(&self) -> usize {
        match (&self.def.data_type, &self.values) {
            (_, Values::Text { length, .. }) => *length as usize + 4,
            (_, Values::Elements { length, element }) => *length as usize * element.bytes() + 4,
            (_, Values::Entries { length, parts }) => {
                *length as usize * parts.iter().map(Column::bytes).sum::<usize>() + 4
            }
            (_, Values::Fields(fields)) => fields.iter().map(Column::bytes).sum(),
            (FieldType::Boolean | FieldType::TinyInt, _) => 1,
            (FieldType::SmallInt, _) => 2,
            (FieldType::Int | FieldType::Float | FieldType::Date | FieldType::Time(_), _) => 4,
            (FieldType::BigInt | FieldType::Double | FieldType::Timestamp(_) | FieldType::TimestampLtz(_), _) => 8,
            (FieldType::Decimal { .. }, _) => 16,
            // Digits of a sequence: a sign and 19 of them.
            (FieldType::Char(_) | FieldType::Varchar(_) | FieldType::Binary(_) | FieldType::Varbinary(_), _) => 24,
            (FieldType::Array(_) | FieldType::Map(_) | FieldType::Row(_), _) => 0,
        }
    }
}

/// What of a column decides its values, for the identity: everything but the end of a sequence, which is a bound.
impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.values {
            Values::Booleans | Values::Now => f.write_str("random")?,
            Values::Integers { min, max } => write!(f, "random {min}..{max}")?,
            Values::Floats { min, max } => write!(f, "random {min:e}..{max:e}")?,
            Values::Decimals { min, max } => write!(f, "random unscaled {min}..{max}")?,
            Values::Text { length, varying: false } => write!(f, "random length {length}")?,
            Values::Text { length, varying: true } => write!(f, "random length 1..{length}")?,
            Values::Past { max_millis } => write!(f, "random past {max_millis} ms")?,
            Values::Sequence { start, .. } => write!(f, "sequence from {start}")?,
            Values::Elements { length, element } => write!(f, "{length} of ({element})")?,
            Values::Entries { length, parts } => write!(f, "{length} of ({}: {})", parts[0], parts[1])?,
            Values::Fields(fields) => {
                for (index, field) in fields.iter().enumerate() {
                    write!(f, "{}{field}", if index == 0 { "(" } else { ", " })?;
                }
                f.write_str(")")?;
            }
        }
        if self.null_rate > 0.0 {
            write!(f, " null-rate {}", self.null_rate)?;
        }
        Ok(())
    }
}
