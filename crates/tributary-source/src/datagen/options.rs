//! What the options of a datagen table say, checked against its columns.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::Arc;

use super::columns::{ByPath, Column, Values};
use super::reference::OPTIONS;
use super::rows::{LocalOffset, MAX_SPLITS, Rows};
use super::types::FieldDef;
use super::{CONNECTOR, MAX_ROWS_PER_SECOND, parse};

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
        let paths = paths(fields);
        let mut by_path = ByPath::new();
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
                    let (path, option) = known_field_option(key, &paths).ok_or_else(|| unknown(key, &paths))?;
                    by_path.entry(path).or_default().insert(option, value);
                }
            }
        }
        spec.splits = spec.splits.or(parallelism);
        let column = |def| Column::try_new(def, &by_path);
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

pub(super) fn problem(key: impl Into<String>, why: impl Into<String>) -> OptionProblem {
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

/// The columns and what is inside them, as options name them: `f`, `f.element`, `f.element.a` …
fn paths(fields: &[FieldDef]) -> Vec<String> {
    let inside = |def: &FieldDef| {
        let parts = paths(def.data_type.parts()).into_iter().map(|part| format!("{}.{part}", def.name));
        [def.name.clone()].into_iter().chain(parts).collect::<Vec<_>>()
    };
    fields.iter().flat_map(inside).collect()
}

fn known_field_option<'a>(key: &'a str, paths: &[String]) -> Option<(&'a str, &'a str)> {
    // The last dot: a column's name may have dots, an option has none.
    let (path, option) = key.strip_prefix("fields.")?.rsplit_once('.')?;
    let known = paths.iter().any(|known| known == path) && field_options().any(|known| known == option);
    known.then_some((path, option))
}

fn unknown(key: &str, paths: &[String]) -> OptionProblem {
    let general = OPTIONS.iter().filter(|option| !option.key.contains('#')).map(|option| option.key.to_owned());
    let of_fields = paths.iter().flat_map(|path| field_options().map(move |option| format!("fields.{path}.{option}")));
    let nearest = parse::nearest(key, general.chain(of_fields));
    OptionProblem { key: key.to_owned(), why: "datagen has no such option for this table".to_owned(), nearest }
}

#[cfg(test)]
mod tests;
