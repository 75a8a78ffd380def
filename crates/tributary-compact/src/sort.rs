//! Ordering rows by columns, along a curve through several of them, in bounded memory.
//!
//! Rows are collected until the memory given is used up, sorted, and spilled as a run; the runs are merged at the end. What
//! fits is never written. Rows that compare equal keep their order. All of it is synchronous: run it where CPU work runs.
//!
//! | strategy | order | Paimon's |
//! | --- | --- | --- |
//! | `order` | by the first column, then the second, …; null first | `OrderSorter` |
//! | `zorder` | along the Z-curve: the bits of all columns in turn | `ZIndexer` |
//! | `hilbert` | along Hilbert's curve, whose neighbours are neighbours in every column | `HilbertIndexer` |
//!
//! What a value contributes to a curve is in `ordinals`, with where that differs from Paimon and why.

mod curves;
mod keys;
mod merge;
mod ordinals;
mod run;
mod spill;

use std::collections::VecDeque;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use paimon_format::DataField;
use paimon_table::arrow::arrow_type;
use tributary_runtime::{Classify, FailureKind};
use tributary_statement::nearest;

use self::keys::KeyEncoder;
use self::merge::Merge;
use self::run::{BATCH_BYTES, Run, SortedRun};
use self::spill::SpilledRun;

/// The least memory a sort can do with: a run of some batches, one that is put together, one that is written.
pub const MIN_MEMORY_BYTES: usize = 8 * BATCH_BYTES;

/// Kept free of collected rows, for the batch that is put together of them and its encoded form.
const RESERVE_BYTES: usize = 3 * BATCH_BYTES;

/// Runs merged at a time at most, whatever the memory: each is an open file.
const MAX_FAN_IN: usize = 64;

/// How rows are ordered by several columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderStrategy {
    /// By the first column, then by the second, and so on.
    Order,
    /// Along the Z-curve.
    Zorder,
    /// Along Hilbert's curve.
    Hilbert,
}

/// What to order by: columns that exist and can be ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortSpec {
    strategy: OrderStrategy,
    /// Places of the columns in the rows.
    columns: Vec<usize>,
}

/// Why rows cannot be ordered.
#[derive(Debug, thiserror::Error)]
pub enum SortError {
    /// Another word than a strategy.
    #[error("'{0}' is no order strategy; use order, zorder or hilbert")]
    Strategy(String),
    /// Nothing to order by.
    #[error("the order strategy {0} needs columns to order by (order_by)")]
    NoColumns(OrderStrategy),
    /// A column the table does not have.
    #[error("the table has no column '{column}' to order by{}", .near.as_ref().map(|near| format!("; did you mean '{near}'?")).unwrap_or_default())]
    UnknownColumn {
        /// As it was asked for.
        column: String,
        /// A column that may be meant.
        near: Option<String>,
    },
    /// A column is named twice.
    #[error("order_by names the column '{0}' twice")]
    RepeatedColumn(String),
    /// Values without an order.
    #[error("column '{column}' of type {data_type} cannot be ordered by")]
    Unordered {
        /// The column.
        column: String,
        /// Its type.
        data_type: String,
    },
    /// Hilbert's curve goes through at least two dimensions.
    #[error("the order strategy hilbert needs two columns or more; use order for one")]
    OneColumn,
    /// A curve through so many columns orders by none of them.
    #[error("the order strategy {0} takes {max} columns at most: along more of them no column is ordered", max = curves::MAX_COLUMNS)]
    TooManyColumns(OrderStrategy),
    /// Less than [`MIN_MEMORY_BYTES`].
    #[error("a sort needs at least {} MB of memory", MIN_MEMORY_BYTES >> 20)]
    Memory,
    /// Writing or reading runs failed.
    #[error("cannot spill to {}: {source}{}", .folder.display(), spill::remedy(.source))]
    Spill {
        /// Where runs are kept.
        folder: PathBuf,
        /// What happened.
        source: std::io::Error,
    },
    /// Rows that are not those that were announced, or runs that cannot be decoded.
    #[error("rows cannot be sorted: {0}")]
    Arrow(#[from] ArrowError),
}

/// Takes rows in any order and gives them back in the one asked for.
pub struct Sorter {
    encoder: Arc<KeyEncoder>,
    schema: SchemaRef,
    memory_bytes: usize,
    folder: PathBuf,
    run: Run,
    spilled: VecDeque<SpilledRun>,
    spilled_bytes: u64,
}

/// Rows in order, in batches of at most 8,192 rows and about a megabyte.
pub struct Sorted {
    rows: Rows,
    spilled_bytes: u64,
}

enum Rows {
    InMemory(SortedRun),
    Merged(Merge),
}

// === impl OrderStrategy ===

impl FromStr for OrderStrategy {
    type Err = SortError;

    /// Paimon's names, in any case.
    fn from_str(text: &str) -> Result<Self, SortError> {
        match text.to_ascii_lowercase().as_str() {
            "order" => Ok(Self::Order),
            "zorder" => Ok(Self::Zorder),
            "hilbert" => Ok(Self::Hilbert),
            _ => Err(SortError::Strategy(text.to_owned())),
        }
    }
}

impl fmt::Display for OrderStrategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Order => "order",
            Self::Zorder => "zorder",
            Self::Hilbert => "hilbert",
        })
    }
}

// === impl SortSpec ===

impl SortSpec {
    /// Order by `columns` of rows that have `fields`.
    ///
    /// # Errors
    /// [`SortError`] that names the column.
    pub fn try_new(strategy: OrderStrategy, columns: &[String], fields: &[DataField]) -> Result<Self, SortError> {
        let mut places = Vec::with_capacity(columns.len());
        for column in columns {
            let Some(place) = fields.iter().position(|field| field.name == *column) else {
                let near = nearest(column, fields.iter().map(|field| field.name.as_str()));
                return Err(SortError::UnknownColumn { column: column.clone(), near: near.map(str::to_owned) });
            };
            let data_type = &fields[place].data_type;
            if !ordinals::has_order(&arrow_type(&data_type.root)) {
                return Err(SortError::Unordered { column: column.clone(), data_type: data_type.to_string() });
            }
            if places.contains(&place) {
                return Err(SortError::RepeatedColumn(column.clone()));
            }
            places.push(place);
        }
        match (strategy, places.len()) {
            (_, 0) => Err(SortError::NoColumns(strategy)),
            (OrderStrategy::Hilbert, 1) => Err(SortError::OneColumn),
            (OrderStrategy::Zorder | OrderStrategy::Hilbert, n) if n > curves::MAX_COLUMNS => {
                Err(SortError::TooManyColumns(strategy))
            }
            _ => Ok(Self { strategy, columns: places }),
        }
    }

    /// The strategy and the ids of the columns among `fields`: the same order has the same mark, whatever columns are called.
    pub(crate) fn mark(&self, fields: &[DataField]) -> String {
        let ids = self.columns.iter().map(|place| format!("_{}", fields[*place].id));
        format!("{}{}", self.strategy, ids.collect::<String>())
    }
}

// === impl SortError ===

impl Classify for SortError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Spill { .. } => FailureKind::Transient,
            Self::Arrow(_) => FailureKind::Internal,
            _ => FailureKind::Usage,
        }
    }
}

// === impl Sorter ===

impl Sorter {
    /// A sort of rows with this schema that holds `memory_bytes` at most, and besides one batch it is given. What does
    /// not fit is kept in unnamed files in `folder`, of which nothing is left even after a kill.
    ///
    /// # Errors
    /// [`SortError::Memory`]; [`SortError::Arrow`] when the schema does not have the columns.
    pub fn try_new(spec: &SortSpec, schema: SchemaRef, memory_bytes: usize, folder: &Path) -> Result<Self, SortError> {
        if memory_bytes < MIN_MEMORY_BYTES {
            return Err(SortError::Memory);
        }
        Ok(Self {
            encoder: Arc::new(KeyEncoder::try_new(spec, &schema)?),
            schema,
            memory_bytes,
            folder: folder.to_owned(),
            run: Run::default(),
            spilled: VecDeque::new(),
            spilled_bytes: 0,
        })
    }

    /// Takes rows; spills when they are too many.
    ///
    /// # Errors
    /// [`SortError::Spill`] and [`SortError::Arrow`]; the sort is then good for nothing but being dropped.
    pub fn push(&mut self, batch: RecordBatch) -> Result<(), SortError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let keys = self.encoder.encode(&batch)?;
        let added = Run::bytes_of(&batch, &keys);
        if !self.run.is_empty() && self.run.bytes() + added + RESERVE_BYTES > self.memory_bytes {
            self.spill()?;
        }
        self.run.push(batch, keys);
        Ok(())
    }

    /// Bytes of rows that are held now.
    pub fn memory_used_bytes(&self) -> usize {
        self.run.bytes()
    }

    /// Gives the rows back in order. May take as long as all that came before: runs are merged until few are left.
    ///
    /// # Errors
    /// As [`Sorter::push`].
    pub fn finish(mut self) -> Result<Sorted, SortError> {
        if self.spilled.is_empty() {
            let rows = Rows::InMemory(self.run.sorted());
            return Ok(Sorted { rows, spilled_bytes: 0 });
        }
        self.spill()?;
        // A run is there with the batch it is read from, its keys, and the batch before, of which rows are still waiting.
        let fan_in = (self.memory_bytes.saturating_sub(RESERVE_BYTES) / (3 * BATCH_BYTES)).clamp(2, MAX_FAN_IN);
        while self.spilled.len() > fan_in {
            // The oldest ones first, and in order: equal rows stay in the order in which they came.
            let mut merged = VecDeque::new();
            while !self.spilled.is_empty() {
                let group = self.spilled.drain(..fan_in.min(self.spilled.len())).collect();
                let merge = Merge::try_new(Arc::clone(&self.encoder), group)?;
                merged.push_back(self.write(merge)?);
            }
            self.spilled = merged;
        }
        let merge = Merge::try_new(Arc::clone(&self.encoder), self.spilled.into())?;
        Ok(Sorted { rows: Rows::Merged(merge), spilled_bytes: self.spilled_bytes })
    }

    fn spill(&mut self) -> Result<(), SortError> {
        let run = std::mem::take(&mut self.run).sorted();
        let spilled = self.write(run)?;
        self.spilled.push_back(spilled);
        Ok(())
    }

    fn write(
        &mut self,
        batches: impl Iterator<Item = Result<RecordBatch, SortError>>,
    ) -> Result<SpilledRun, SortError> {
        let run = SpilledRun::write(&self.folder, &self.schema, batches)?;
        self.spilled_bytes += run.bytes();
        Ok(run)
    }
}

// === impl Sorted ===

impl Sorted {
    /// Bytes that were written to the spill folder, in all passes; 0 when everything fitted into memory.
    pub fn spilled_bytes(&self) -> u64 {
        self.spilled_bytes
    }
}

impl Iterator for Sorted {
    type Item = Result<RecordBatch, SortError>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.rows {
            Rows::InMemory(run) => run.next(),
            Rows::Merged(merge) => merge.next(),
        }
    }
}

#[cfg(test)]
mod tests;
