//! What the options of a datagen table say, checked against its columns.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::Arc;

use super::reference::OPTIONS;
use super::rows::{LocalOffset, MAX_SPLITS, Rows};
use super::types::{FieldType, MAX_LENGTH};
use super::{CONNECTOR, MAX_ROWS_PER_SECOND, parse};

/// Text and bytes longer than this would not fit a batch.
const MAX_VALUE_BYTES: u32 = 16 << 20;

/// A column as it was declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldDef {
    /// Its name.
    pub name: String,
    /// Its type.
    pub data_type: FieldType,
    /// Whether it may be null.
    pub nullable: bool,
}

/// An option that cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct OptionProblem {
    /// The key as it was given, or the one that is missing.
    pub key: String,
    /// What is wrong, and what would be right.
    pub why: String,
    /// For an unknown key, the known one that was probably meant.
    pub nearest: Option<String>,
}

/// The options of a datagen table, checked.
#[derive(Clone)]
pub struct DatagenSpec {
    pub(super) columns: Arc<[Column]>,
    pub(super) rate: NonZeroU32,
    pub(super) seed: Option<u64>,
    pub(super) splits: Option<u32>,
    number_of_rows: Option<u64>,
    local: LocalOffset,
}

/// A column and where its values come from.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) def: FieldDef,
    pub(super) values: Values,
    pub(super) null_rate: f64,
}

/// Where the values of a column come from. Bounds are inclusive.
#[derive(Clone, Copy, Debug, PartialEq)]
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
}

/// The options of one column, taken out one by one; what is left has no meaning there.
struct Given<'a> {
    def: &'a FieldDef,
    options: BTreeMap<&'a str, &'a str>,
}

// === impl DatagenSpec ===

impl DatagenSpec {
    /// Checks the options of a table with these columns. Local time is UTC until
    /// [`DatagenSpec::with_local_offset`].
    ///
    /// # Errors
    /// The first option that is unknown, does not fit its column, or cannot be read.
    pub fn try_new<'a>(
        fields: &[FieldDef],
        options: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, OptionProblem> {
        let mut spec = Self {
            columns: Arc::new([]),
            rate: NonZeroU32::MIN.saturating_add(9_999),
            seed: None,
            splits: None,
            number_of_rows: None,
            local: Arc::new(|_| 0),
        };
        let mut parallelism = None;
        let mut of_fields: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
        for (key, value) in options {
            match key {
                "connector" if value == CONNECTOR => {}
                "connector" => return Err(problem(key, format!("`{value}` is not `{CONNECTOR}`"))),
                "rows-per-second" => {
                    let rate: NonZeroU32 = number(key, value, "a whole number of at least 1")?;
                    if f64::from(rate.get()) > MAX_ROWS_PER_SECOND {
                        return Err(problem(key, format!("`{value}` is more than {MAX_ROWS_PER_SECOND}")));
                    }
                    spec.rate = rate;
                }
                "number-of-rows" => spec.number_of_rows = Some(number(key, value, "a whole number of at least 0")?),
                "seed" => spec.seed = Some(number(key, value, "a whole number from 0 to 2^64 - 1")?),
                "splits" => spec.splits = Some(splits(key, value)?),
                "scan.parallelism" => parallelism = Some(splits(key, value)?),
                _ => {
                    let (field, option) = known_field_option(key, fields).ok_or_else(|| unknown(key, fields))?;
                    of_fields.entry(field).or_default().insert(option, value);
                }
            }
        }
        spec.splits = spec.splits.or(parallelism);
        let column = |def: &FieldDef| {
            let options = of_fields.remove(def.name.as_str()).unwrap_or_default();
            Given { def, options }.column()
        };
        spec.columns = fields.iter().map(column).collect::<Result<Vec<_>, _>>()?.into();
        Ok(spec)
    }

    /// The same with local time, which DATE, TIME and TIMESTAMP columns show, ahead of UTC by `local`.
    pub fn with_local_offset(mut self, local: LocalOffset) -> Self {
        self.local = local;
        self
    }

    /// The rows of a table with this seed and number of splits. Without running anything: tests compare with it
    /// what has arrived.
    pub fn rows(&self, seed: u64, splits: u32) -> Rows {
        Rows::new(Arc::clone(&self.columns), seed, splits, Arc::clone(&self.local))
    }

    /// Rows per second to start with.
    pub fn rows_per_second(&self) -> u32 {
        self.rate.get()
    }

    /// How many rows there are in all; none when the table is unbounded.
    pub fn limit(&self) -> Option<u64> {
        let lengths = self.columns.iter().filter_map(|column| match column.values {
            Values::Sequence { start, end } => Some(end.abs_diff(start).saturating_add(1)),
            _ => None,
        });
        lengths.chain(self.number_of_rows).min()
    }
}

impl fmt::Debug for DatagenSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatagenSpec").field("columns", &self.columns).field("rate", &self.rate).finish_non_exhaustive()
    }
}

// === impl OptionProblem ===

impl fmt::Display for OptionProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "option `{}`: {}", self.key, self.why)?;
        self.nearest.as_ref().map_or(Ok(()), |nearest| write!(f, "; did you mean `{nearest}`?"))
    }
}

fn problem(key: impl Into<String>, why: impl Into<String>) -> OptionProblem {
    OptionProblem { key: key.into(), why: why.into(), nearest: None }
}

fn number<T: FromStr>(key: &str, value: &str, expected: &str) -> Result<T, OptionProblem> {
    value.trim().parse().map_err(|_| problem(key, format!("`{value}` is not {expected}")))
}

fn splits(key: &str, value: &str) -> Result<u32, OptionProblem> {
    let expected = format!("a whole number from 1 to {MAX_SPLITS}");
    let splits = number(key, value, &expected)?;
    if splits == 0 || splits > MAX_SPLITS {
        return Err(problem(key, format!("`{value}` is not {expected}")));
    }
    Ok(splits)
}

/// The options of columns, without `fields.#.`.
fn field_options() -> impl Iterator<Item = &'static str> {
    OPTIONS.iter().filter_map(|option| option.key.strip_prefix("fields.#."))
}

fn known_field_option<'a>(key: &'a str, fields: &[FieldDef]) -> Option<(&'a str, &'a str)> {
    // The last dot: a column's name may have dots, an option has none.
    let (field, option) = key.strip_prefix("fields.")?.rsplit_once('.')?;
    let known = fields.iter().any(|def| def.name == field) && field_options().any(|known| known == option);
    known.then_some((field, option))
}

fn unknown(key: &str, fields: &[FieldDef]) -> OptionProblem {
    let general = OPTIONS.iter().filter(|option| !option.key.contains('#')).map(|option| option.key.to_owned());
    let of_fields =
        fields.iter().flat_map(|def| field_options().map(move |option| format!("fields.{}.{option}", def.name)));
    let nearest = parse::nearest(key, general.chain(of_fields));
    OptionProblem { key: key.to_owned(), why: "datagen has no such option for this table".to_owned(), nearest }
}

// === impl Given ===

impl Given<'_> {
    fn column(mut self) -> Result<Column, OptionProblem> {
        let data_type = self.def.data_type;
        let values = match self.options.remove("kind").unwrap_or("random") {
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
        Ok(match self.def.data_type {
            FieldType::Boolean => Values::Booleans,
            FieldType::TinyInt => self.integers(i8::MIN.into(), i8::MAX.into())?,
            FieldType::SmallInt => self.integers(i16::MIN.into(), i16::MAX.into())?,
            FieldType::Int => self.integers(i32::MIN.into(), i32::MAX.into())?,
            FieldType::BigInt => self.integers(i64::MIN, i64::MAX)?,
            FieldType::Float => self.floats(f64::from(f32::from_bits(1)), f32::MAX.into())?,
            FieldType::Double => self.floats(f64::from_bits(1), f64::MAX)?,
            FieldType::Decimal { precision, scale } => {
                let most = 10_i128.pow(u32::from(precision)) - 1;
                let read = |text: &str| parse::decimal(text, scale).filter(|value| (-most..=most).contains(value));
                let (min, max) = self.bounds(0, most, read)?;
                Values::Decimals { min, max }
            }
            FieldType::Char(length) | FieldType::Binary(length) => {
                Values::Text { length: self.bounded(length)?, varying: false }
            }
            FieldType::Varchar(most) | FieldType::Varbinary(most) => self.text(most)?,
            FieldType::Date | FieldType::Time(_) => Values::Now,
            FieldType::Timestamp(_) | FieldType::TimestampLtz(_) => {
                let max_millis = match self.options.remove("max-past") {
                    Some(text) => self.read("max-past", text, "a duration such as `10 s`", parse::millis)?,
                    None => 0,
                };
                Values::Past { max_millis }
            }
        })
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
            | FieldType::TimestampLtz(_) => {
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
        problem(format!("fields.{}.{option}", self.def.name), why)
    }
}

// === impl Column ===

impl Column {
    /// Bytes of a value in an arrow array, at most.
    pub(super) fn bytes(&self) -> usize {
        match (self.def.data_type, self.values) {
            (_, Values::Text { length, .. }) => length as usize + 4,
            (FieldType::Boolean | FieldType::TinyInt, _) => 1,
            (FieldType::SmallInt, _) => 2,
            (FieldType::Int | FieldType::Float | FieldType::Date | FieldType::Time(_), _) => 4,
            (FieldType::BigInt | FieldType::Double | FieldType::Timestamp(_) | FieldType::TimestampLtz(_), _) => 8,
            (FieldType::Decimal { .. }, _) => 16,
            // Digits of a sequence: a sign and 19 of them.
            (FieldType::Char(_) | FieldType::Varchar(_) | FieldType::Binary(_) | FieldType::Varbinary(_), _) => 24,
        }
    }
}

/// What of a column decides its values, for the identity: everything but the end of a sequence, which is a bound.
impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.values {
            Values::Booleans | Values::Now => f.write_str("random")?,
            Values::Integers { min, max } => write!(f, "random {min}..{max}")?,
            Values::Floats { min, max } => write!(f, "random {min:e}..{max:e}")?,
            Values::Decimals { min, max } => write!(f, "random unscaled {min}..{max}")?,
            Values::Text { length, varying: false } => write!(f, "random length {length}")?,
            Values::Text { length, varying: true } => write!(f, "random length 1..{length}")?,
            Values::Past { max_millis } => write!(f, "random past {max_millis} ms")?,
            Values::Sequence { start, .. } => write!(f, "sequence from {start}")?,
        }
        if self.null_rate > 0.0 {
            write!(f, " null-rate {}", self.null_rate)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
