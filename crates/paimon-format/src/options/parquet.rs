//! The `parquet.*` options: parquet-mr's names, as far as Paimon hands them on (`RowDataParquetBuilder`).
//!
//! Sizes are whole numbers of bytes: Java reads them from a Hadoop configuration, which knows no units, and the table is
//! Java's as well. Behind `#` stands a column, or the path of one leaf of a nested one (`tags.list.element`).

use std::collections::BTreeMap;

use super::{Given, MemorySize, OptionError, text};
use crate::schema::DataField;

/// How Parquet files are written; `None` = the writer's choice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParquetOptions {
    /// `parquet.page.size`: bytes before compression at which a data page is closed.
    pub page_size: Option<usize>,
    /// `parquet.page.row.count.limit`: rows at which a data page is closed.
    pub page_row_count_limit: Option<usize>,
    /// `parquet.dictionary.page.size`: bytes at which a column's dictionary is given up.
    pub dictionary_page_size: Option<usize>,
    enable_dictionary: Option<bool>,
    column_dictionaries: BTreeMap<String, bool>,
}

const DICTIONARY: &str = "parquet.enable.dictionary";

/// The column of a key that is for one column.
fn column_of(key: &str) -> Option<&str> {
    key.strip_prefix(DICTIONARY)?.strip_prefix('#').filter(|column| !column.is_empty())
}

pub(super) fn is_of_column(key: &str) -> bool {
    column_of(key).is_some()
}

/// `parquet.block.size`, for which Java reads a `long`.
pub(super) fn block_size(text: &str) -> Result<MemorySize, String> {
    let bytes = text.trim().parse::<i64>().ok().and_then(|bytes| u64::try_from(bytes).ok()).filter(|&bytes| bytes > 0);
    bytes.map(MemorySize::of_bytes).ok_or_else(|| "expected a whole number of bytes, without a unit".to_owned())
}

fn bytes(text: &str) -> Result<usize, String> {
    whole(text).ok_or_else(|| "expected a whole number of bytes, without a unit, from 1 to 2147483647".to_owned())
}

fn count(text: &str) -> Result<usize, String> {
    whole(text).ok_or_else(|| "expected a whole number from 1 to 2147483647".to_owned())
}

/// Java reads an `int`.
fn whole(text: &str) -> Option<usize> {
    text.trim().parse::<i32>().ok().and_then(|number| usize::try_from(number).ok()).filter(|number| *number > 0)
}

// === impl ParquetOptions ===

impl ParquetOptions {
    pub(super) fn parse(given: &Given<'_>) -> Result<Self, OptionError> {
        let of_columns = given.0.iter().filter_map(|(key, value)| Some((column_of(key)?, key, value)));
        Ok(Self {
            page_size: given.optional("parquet.page.size", bytes)?,
            page_row_count_limit: given.optional("parquet.page.row.count.limit", count)?,
            dictionary_page_size: given.optional("parquet.dictionary.page.size", bytes)?,
            enable_dictionary: given.optional(DICTIONARY, text::parse_bool)?,
            column_dictionaries: of_columns
                .map(|(column, key, value)| match text::parse_bool(value) {
                    Ok(enabled) => Ok((column.to_owned(), enabled)),
                    Err(why) => Err(OptionError::new(key, value, why)),
                })
                .collect::<Result<_, _>>()?,
        })
    }

    /// Whether a leaf may have a dictionary. `column` is the table's column, `path` the leaf's in the file.
    pub fn dictionary_of(&self, column: &str, path: &str) -> Option<bool> {
        let of_column = self.column_dictionaries.get(path).or_else(|| self.column_dictionaries.get(column));
        of_column.copied().or(self.enable_dictionary)
    }

    /// Whether every option of one column names one. For those who set options: in a table it is no error, another engine
    /// may have dropped the column.
    ///
    /// # Errors
    /// [`OptionError`] for the first that does not.
    pub fn check_columns(&self, fields: &[DataField]) -> Result<(), OptionError> {
        for (path, enabled) in &self.column_dictionaries {
            let holds = |field: &DataField| {
                let below = path.strip_prefix(&field.name).is_some_and(|rest| rest.starts_with('.'));
                field.name == *path || (below && field.data_type.root.is_nested())
            };
            if !fields.iter().any(holds) {
                let near = fields.iter().map(|field| (text::edit_distance(path, &field.name), &field.name)).min();
                let near = near.filter(|(distance, _)| *distance * 3 <= path.chars().count());
                let remedy =
                    near.map_or_else(String::new, |(_, name)| format!("; did you mean '{DICTIONARY}#{name}'?"));
                let why = format!("the table has no column `{path}`{remedy}");
                return Err(OptionError::new(format!("{DICTIONARY}#{path}"), enabled.to_string(), why));
            }
        }
        Ok(())
    }
}
