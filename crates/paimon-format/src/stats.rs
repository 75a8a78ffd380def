//! Column statistics and how much of them is kept (`SimpleStats`, `SimpleColStatsCollector`).

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::datum::{BinaryRow, Datum};
use crate::error::Result;
use crate::options::OptionError;
use crate::types::TypeRoot;

/// Highest precision of a timestamp whose bounds are kept; files store finer ones as INT96, which
/// has no order.
const MAX_TIMESTAMP_PRECISION: u8 = 6;

/// Whether bounds of a type prune in every reader as they should.
fn is_ordered(root: &TypeRoot) -> bool {
    match root {
        TypeRoot::Timestamp(precision) | TypeRoot::TimestampLtz(precision) => *precision <= MAX_TIMESTAMP_PRECISION,
        // Paimon compares bytes as signed before 2.0, as unsigned since, and wrote no bounds of them before.
        TypeRoot::Binary(_) | TypeRoot::Varbinary(_) => false,
        _ => true,
    }
}

/// Minimum, maximum and null count of every column, as manifests hold them.
///
/// The serde form is its record in the Avro files of [`crate::avro`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct SimpleStats {
    /// Lower bounds; null where unknown.
    #[serde(rename = "_MIN_VALUES")]
    pub min_values: BinaryRow,
    /// Upper bounds; null where unknown.
    #[serde(rename = "_MAX_VALUES")]
    pub max_values: BinaryRow,
    /// Number of nulls; `None` where unknown.
    #[serde(rename = "_NULL_COUNTS", with = "crate::avro::null_counts")]
    pub null_counts: Vec<Option<i64>>,
}

/// Statistics of one column, of a file or of a group of rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ColumnStats {
    /// Not greater than any value; `None` if unknown or all values are null.
    pub min: Option<Datum>,
    /// Not less than any value; `None` if unknown or all values are null.
    pub max: Option<Datum>,
    /// Number of nulls, if known.
    pub null_count: Option<i64>,
}

/// How much of a column's statistics goes into the manifest (`metadata.stats-mode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatsMode {
    /// Nothing.
    None,
    /// The null count.
    Counts,
    /// All, text cut to so many characters.
    Truncate(usize),
    /// All.
    Full,
}

// === impl SimpleStats ===

impl SimpleStats {
    /// Statistics of no columns: what an append file has for its key.
    pub const EMPTY: Self =
        Self { min_values: BinaryRow::EMPTY, max_values: BinaryRow::EMPTY, null_counts: Vec::new() };

    /// Statistics of all columns, in the order of `types`.
    ///
    /// # Errors
    /// [`crate::FormatError::Encode`] when the lengths differ or a bound is not of its type.
    pub fn encode(types: &[TypeRoot], columns: &[ColumnStats]) -> Result<Self> {
        let bounds = |bound: fn(&ColumnStats) -> &Option<Datum>| {
            let values: Vec<_> = columns.iter().map(|column| bound(column).clone()).collect();
            BinaryRow::encode(types, &values)
        };
        Ok(Self {
            min_values: bounds(|column| &column.min)?,
            max_values: bounds(|column| &column.max)?,
            null_counts: columns.iter().map(|column| column.null_count).collect(),
        })
    }

    /// The statistics per column, in the order of `types`; a missing null count is unknown.
    ///
    /// # Errors
    /// [`crate::FormatError::Corrupt`] when the rows do not hold values of these types.
    pub fn decode(&self, types: &[TypeRoot]) -> Result<Vec<ColumnStats>> {
        let min = self.min_values.decode(types)?;
        let max = self.max_values.decode(types)?;
        let null_counts = self.null_counts.iter().copied();
        Ok(min
            .into_iter()
            .zip(max)
            .zip(null_counts.chain(std::iter::repeat(None)))
            .map(|((min, max), null_count)| ColumnStats { min, max, null_count })
            .collect())
    }

    /// Exact statistics of some rows, for example of the partitions of a manifest.
    ///
    /// # Errors
    /// [`crate::FormatError::Corrupt`] when a row does not hold values of these types.
    pub fn of_rows<'a>(types: &[TypeRoot], rows: impl IntoIterator<Item = &'a BinaryRow>) -> Result<Self> {
        let mut columns = vec![ColumnStats { null_count: Some(0), ..ColumnStats::default() }; types.len()];
        for row in rows {
            for (column, value) in columns.iter_mut().zip(row.decode(types)?) {
                column.add(value);
            }
        }
        Self::encode(types, &columns)
    }
}

impl Default for SimpleStats {
    fn default() -> Self {
        Self::EMPTY
    }
}

// === impl ColumnStats ===

impl ColumnStats {
    /// Takes one more value into account.
    pub fn add(&mut self, value: Option<Datum>) {
        let Some(value) = value else {
            self.null_count = self.null_count.map(|count| count + 1);
            return;
        };
        let is = |order, bound: &Datum| value.compare(bound) == Some(order);
        if self.min.as_ref().is_none_or(|min| is(Ordering::Less, min)) {
            self.min = Some(value.clone());
        }
        if self.max.as_ref().is_none_or(|max| is(Ordering::Greater, max)) {
            self.max = Some(value);
        }
    }
}

// === impl StatsMode ===

impl StatsMode {
    /// Parses `none`, `counts`, `full` and `truncate(16)`, in any case.
    ///
    /// # Errors
    /// [`OptionError`] naming `key`.
    pub fn parse(key: &str, text: &str) -> Result<Self, OptionError> {
        let lower = text.trim().to_ascii_lowercase();
        let length = || {
            let length = lower.strip_prefix("truncate(")?.strip_suffix(')')?;
            length.parse().ok().filter(|length| *length > 0)
        };
        match lower.as_str() {
            "none" => Ok(Self::None),
            "counts" => Ok(Self::Counts),
            "full" => Ok(Self::Full),
            _ => length()
                .map(Self::Truncate)
                .ok_or_else(|| OptionError::new(key, text, "expected none, counts, full or truncate(n), n > 0")),
        }
    }

    /// Reduces exact statistics to what this mode keeps.
    ///
    /// A truncated maximum is rounded up: its last character that has a successor is replaced by it
    /// and the rest is dropped. Where no character has one, both bounds are dropped, as
    /// `TruncateSimpleColStatsCollector.convert` does.
    pub fn apply(self, root: &TypeRoot, stats: ColumnStats) -> ColumnStats {
        let null_count = stats.null_count;
        let (min, max) = match self {
            // Paimon's Parquet writers know nothing of them, not even the nulls.
            _ if root.is_nested() => return ColumnStats::default(),
            Self::None => return ColumnStats::default(),
            Self::Counts => (None, None),
            _ if !is_ordered(root) => (None, None),
            Self::Full => (stats.min, stats.max),
            Self::Truncate(length) => match stats.max.and_then(|max| truncate_max(max, length)) {
                Some(max) => (stats.min.map(|min| truncate_min(min, length)), Some(max)),
                None => (None, None),
            },
        };
        ColumnStats { min, max, null_count }
    }
}

fn truncate_min(value: Datum, length: usize) -> Datum {
    match value {
        Datum::String(mut text) => {
            text.truncate(prefix_bytes(&text, length));
            Datum::String(text)
        }
        other => other,
    }
}

/// A value of at most `length` characters that is not less; `None` if there is none.
fn truncate_max(value: Datum, length: usize) -> Option<Datum> {
    match value {
        Datum::String(mut text) => {
            let end = prefix_bytes(&text, length);
            if end < text.len() {
                text.truncate(end);
                while let Some(last) = text.pop() {
                    if let Some(next) = successor(last) {
                        text.push(next);
                        return Some(Datum::String(text));
                    }
                }
                return None;
            }
            Some(Datum::String(text))
        }
        other => Some(other),
    }
}

/// Bytes of the first `length` characters.
fn prefix_bytes(text: &str, length: usize) -> usize {
    text.char_indices().nth(length).map_or(text.len(), |(at, _)| at)
}

/// The next character. Java lands on a surrogate after U+D7FF, which UTF-8 cannot hold; the next
/// one it can is U+E000.
fn successor(c: char) -> Option<char> {
    match c {
        '\u{d7ff}' => Some('\u{e000}'),
        _ => char::from_u32(c as u32 + 1),
    }
}

#[cfg(test)]
mod tests;
