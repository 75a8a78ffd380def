//! Ordering rows by columns, along a curve through several of them, in bounded memory.
//!
//! Rows are collected in runs until the memory given is used up; then the oldest are spilled, at the same time if the caller has the
//! threads. At the end all runs are merged. What fits is never written. Rows that compare equal keep their order. All of it is
//! synchronous: run it where CPU work runs.
//!
//! | strategy | order | Paimon's |
//! | --- | --- | --- |
//! | `order` | by the first column, then the second, …; null first | `OrderSorter` |
//! | `zorder` | along the Z-curve: the bits of all columns in turn | `ZIndexer` |
//! | `hilbert` | along Hilbert's curve, whose neighbours are neighbours in every column | `HilbertIndexer` |
//!
//! What a value contributes to a curve is in `ordinals`, with where that differs from Paimon and why.

mod curves;
mod heap;
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
pub use self::spill::SpilledRun;

/// The least memory a sort can do with: a run of some batches, one that is put together, one that is written.
pub const MIN_MEMORY_BYTES: usize = 8 * BATCH_BYTES;

/// Runs that the memory is divided into.
const RUNS: usize = 4;

/// Runs that are spilled at a time: more would make their merge dearer, fewer would leave a core idle.
const SPILLS: usize = RUNS / 2;

/// Kept free of collected rows, for the batches that are put together of them and their encoded form.
const RESERVE_BYTES: usize = 2 * SPILLS * BATCH_BYTES;

/// What reading a run takes: the batch it is read from, its keys, and the batch before, of which rows are still waiting.
const READ_BYTES: usize = 3 * BATCH_BYTES;

/// Runs merged at a time at most, whatever the memory: each is an open file.
const MAX_FAN_IN: usize = 192;

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
    /// The newest rows.
    open: Run,
    /// Runs that are full, the oldest first.
    held: VecDeque<Run>,
    /// What came before those.
    spilled: VecDeque<SpilledRun>,
    spilled_bytes: u64,
}

/// Runs that there is no room for, the oldest first; mostly none.
#[must_use = "these rows are no longer in the sort"]
pub struct Overflow(Vec<FullRun>);

/// Rows that are to be spilled.
#[must_use = "these rows are no longer in the sort"]
pub struct FullRun {
    run: Run,
    schema: SchemaRef,
    folder: PathBuf,
}

/// Rows in order, in batches of at most 8,192 rows and about half a megabyte.
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
            open: Run::default(),
            held: VecDeque::new(),
            spilled: VecDeque::new(),
            spilled_bytes: 0,
        })
    }

    /// Takes rows. What it gives back is to be spilled before there are more, and handed to [`Sorter::spilled`] in the same
    /// order.
    ///
    /// # Errors
    /// [`SortError::Arrow`]; the sort is then good for nothing but being dropped.
    pub fn push(&mut self, batch: RecordBatch) -> Result<Overflow, SortError> {
        if batch.num_rows() == 0 {
            return Ok(Overflow(Vec::new()));
        }
        let keys = self.encoder.encode(&batch)?;
        self.open.push(batch, keys);
        if self.open.bytes() >= self.memory_bytes.saturating_sub(RESERVE_BYTES) / RUNS {
            self.held.push_back(std::mem::take(&mut self.open));
        }
        let is_full = self.memory_used_bytes() + RESERVE_BYTES > self.memory_bytes;
        Ok(if is_full { self.overflow(SPILLS) } else { Overflow(Vec::new()) })
    }

    /// What is to be spilled because there are no more rows and those on disk are to be read: as after [`Sorter::push`].
    pub fn end(&mut self) -> Overflow {
        if self.spilled.is_empty() {
            return Overflow(Vec::new());
        }
        self.held.push_back(std::mem::take(&mut self.open));
        let mut used = self.memory_used_bytes() + RESERVE_BYTES;
        let mut readers = self.spilled.len();
        let is_too_much = |run: &&Run| {
            let needed = used + readers.min(MAX_FAN_IN) * READ_BYTES;
            used -= run.bytes();
            readers += 1;
            needed > self.memory_bytes
        };
        let runs = self.held.iter().take_while(is_too_much).count();
        self.overflow(runs)
    }

    /// What became of what [`Sorter::push`] or [`Sorter::end`] gave.
    pub fn spilled(&mut self, runs: impl IntoIterator<Item = SpilledRun>) {
        for run in runs {
            self.spilled_bytes += run.bytes();
            self.spilled.push_back(run);
        }
    }

    /// Bytes of rows that are held now.
    pub fn memory_used_bytes(&self) -> usize {
        self.open.bytes() + self.held.iter().map(Run::bytes).sum::<usize>()
    }

    /// Gives the rows back in order. May take as long as all that came before: runs are merged until few are left.
    ///
    /// # Errors
    /// [`SortError::Spill`] and [`SortError::Arrow`].
    pub fn finish(mut self) -> Result<Sorted, SortError> {
        let last = self.end().0.into_iter().map(FullRun::spill).collect::<Result<Vec<_>, _>>()?;
        self.spilled(last);
        let mut run = Run::default();
        for part in self.held.drain(..).chain([self.open]) {
            run.append(part);
        }
        if self.spilled.is_empty() {
            return Ok(Sorted { rows: Rows::InMemory(run.sorted()), spilled_bytes: 0 });
        }
        let free = self.memory_bytes.saturating_sub(run.bytes() + RESERVE_BYTES);
        let fan_in = (free / READ_BYTES).clamp(2, MAX_FAN_IN);
        while self.spilled.len() > fan_in {
            // The oldest ones first, and in order: equal rows stay in the order in which they came.
            let mut merged = VecDeque::new();
            while !self.spilled.is_empty() {
                let group = self.spilled.drain(..fan_in.min(self.spilled.len())).collect();
                let merge = Merge::try_new(Arc::clone(&self.encoder), group, None)?;
                let run = SpilledRun::write(&self.folder, &self.schema, merge)?;
                self.spilled_bytes += run.bytes();
                merged.push_back(run);
            }
            self.spilled = merged;
        }
        let merge = Merge::try_new(self.encoder, self.spilled.into(), Some(run.sorted()))?;
        Ok(Sorted { rows: Rows::Merged(merge), spilled_bytes: self.spilled_bytes })
    }

    fn overflow(&mut self, runs: usize) -> Overflow {
        let runs = self.held.drain(..runs.min(self.held.len()));
        let run = |run| FullRun { run, schema: Arc::clone(&self.schema), folder: self.folder.clone() };
        Overflow(runs.map(run).collect())
    }
}

// === impl Overflow ===

impl Overflow {
    /// Each may be spilled where and when there is time; all before there are more rows.
    pub fn into_runs(self) -> Vec<FullRun> {
        self.0
    }
}

// === impl FullRun ===

impl FullRun {
    /// Writes the rows to the spill folder, in order.
    ///
    /// # Errors
    /// [`SortError::Spill`] and [`SortError::Arrow`].
    pub fn spill(self) -> Result<SpilledRun, SortError> {
        SpilledRun::write(&self.folder, &self.schema, self.run.sorted())
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
