//! Datagen: rows out of nothing, at a rate, as Flink's connector of that name makes them.
//!
//! A row is a pure function of the source's seed, its split and its position ([`Rows`]), so a replay gives the
//! same rows, and a test can compute every id that should have arrived. Only columns of time types also follow the
//! clock: they are relative to the `at` of their batch.
//!
//! Life cycle: [`DatagenSpec`] is what the options say, checked. [`DatagenSpec::build`] settles what they leave open
//! (the seed, the number of splits), and makes a [`Datagen`], whose [`RateHandle`] changes its rate while it runs.
//!
//! The options are listed in [`OPTIONS`]. Where Flink leaves a choice:
//! - `number-of-rows` and sequences bound the table: the first bound reached ends it. Rows are dealt to the splits
//!   in turn, so the counts are exact and each value of a sequence appears exactly once.
//! - A bound is no part of the identity: it may change between two starts. The start of a sequence is part of it.
//! - `rows-per-second` is for the table, not for each split.

mod columns;
mod nested;
mod options;
mod pace;
mod parse;
mod reference;
mod rows;
mod types;

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use tributary_runtime::{Env, Interval, Position, Positions, SourceIdentity, SplitId};

pub use options::{DatagenSpec, OptionProblem};
pub use pace::{InvalidRate, MAX_ROWS_PER_SECOND, RateHandle};
pub use reference::{OPTIONS, OptionDef};
pub use rows::{LocalOffset, Rows};
pub use types::{FieldDef, FieldType, MAX_LENGTH};

use crate::{BatchBudget, Next, Source, SourceBatch, SourceError};
use pace::Pacer;

/// The value of the identity's fact `connector`, and of the option.
pub const CONNECTOR: &str = "datagen";

/// The datagen source. Never idle: it waits until the next row is due.
pub struct Datagen {
    rows: Arc<Rows>,
    identity: SourceIdentity,
    positions: Vec<Position>,
    limit: Option<u64>,
    pacer: Pacer,
    env: Env,
}

// === impl DatagenSpec ===

impl DatagenSpec {
    /// The source these options describe. What they leave open is taken from `stored`, the identity of an earlier
    /// start; at the first start the seed is drawn and the table has `default_splits` splits.
    ///
    /// # Errors
    /// [`SourceError::Identity`] when `stored` is of a source that was set up differently, and
    /// [`SourceError::Stored`] when it cannot be read.
    pub fn build(
        &self,
        stored: Option<&SourceIdentity>,
        default_splits: u32,
        env: Env,
    ) -> Result<Datagen, SourceError> {
        let earlier = stored.filter(|stored| stored.get("connector") == Some(CONNECTOR));
        let seed = match (self.seed, earlier) {
            (Some(seed), _) => seed,
            (None, Some(stored)) => stored_number(stored, "seed")?,
            (None, None) => env.random.next_u64(),
        };
        let splits = match (self.splits, earlier) {
            (Some(splits), _) => splits,
            (None, Some(stored)) => u32::try_from(stored_number(stored, "splits")?).unwrap_or(u32::MAX),
            (None, None) => default_splits,
        };
        if splits == 0 || splits > rows::MAX_SPLITS {
            let why = format!("a number of splits of {splits} is not between 1 and {}", rows::MAX_SPLITS);
            return Err(SourceError::Stored { why });
        }
        let identity = self.identity(seed, splits);
        if let Some(difference) = stored.and_then(|stored| stored.difference(&identity)) {
            return Err(SourceError::Identity { difference });
        }
        Ok(Datagen {
            rows: Arc::new(self.rows(seed, splits)),
            identity,
            positions: vec![Position::default(); splits as usize],
            limit: self.limit(),
            pacer: Pacer::new(self.rate),
            env,
        })
    }

    fn identity(&self, seed: u64, splits: u32) -> SourceIdentity {
        let join = |items: Vec<String>| items.join(", ");
        let schema = self.columns.iter().map(|column| format!("{} {}", column.def.name, column.def.data_type));
        let fields = self.columns.iter().map(|column| format!("{} {column}", column.def.name));
        SourceIdentity::new()
            .with("connector", CONNECTOR)
            .with("seed", seed.to_string())
            .with("splits", splits.to_string())
            .with("schema", join(schema.collect()))
            .with("fields", join(fields.collect()))
    }
}

fn stored_number(stored: &SourceIdentity, name: &str) -> Result<u64, SourceError> {
    let text = stored.get(name).unwrap_or_default();
    text.parse().map_err(|_| SourceError::Stored { why: format!("`{name}` is `{text}`, which is no number") })
}

// === impl Datagen ===

impl Datagen {
    /// Changes the rate, pauses and resumes, while the source runs.
    pub fn rate(&self) -> RateHandle {
        self.pacer.handle()
    }

    /// The rows this source is made of.
    pub fn rows(&self) -> &Arc<Rows> {
        &self.rows
    }

    /// The split that is furthest behind, and how many rows it has left.
    fn next_split(&self) -> Option<(SplitId, u64)> {
        let splits = self.rows.splits();
        (0..splits)
            .zip(&self.positions)
            .map(|(split, position)| {
                let total = self.limit.map_or(u64::MAX, |limit| rows_of_split(limit, splits, split));
                (position.0, split, total.saturating_sub(position.0))
            })
            .filter(|(_, _, left)| *left > 0)
            .min()
            .map(|(_, split, left)| (SplitId(split), left))
    }
}

/// How many of `limit` rows dealt in turn fall to a split.
fn rows_of_split(limit: u64, splits: u32, split: u32) -> u64 {
    limit / u64::from(splits) + u64::from(limit % u64::from(splits) > u64::from(split))
}

#[async_trait]
impl Source for Datagen {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.rows.schema())
    }

    fn identity(&self) -> &SourceIdentity {
        &self.identity
    }

    async fn open(&mut self, positions: &Positions) -> Result<(), SourceError> {
        for (split, position) in positions.iter() {
            let splits = self.rows.splits();
            let unknown = SourceError::UnknownSplit { split, splits };
            *self.positions.get_mut(split.0 as usize).ok_or(unknown)? = position;
        }
        // What was due while the process was starting is not owed.
        self.pacer.restart();
        Ok(())
    }

    async fn next(&mut self, budget: &BatchBudget) -> Result<Next, SourceError> {
        let Some((split, left)) = self.next_split() else {
            return Ok(Next::End);
        };
        let fitting = budget.rows.min(budget.bytes / self.rows.row_bytes()).max(1);
        let most = u32::try_from(left.min(fitting as u64)).unwrap_or(u32::MAX);
        let count = self.pacer.take(most, budget.linger).await;
        let from = self.positions[split.0 as usize];
        let interval = Interval { split, from, to: Position(from.0 + u64::from(count)) };
        let (rows, at_millis) = (Arc::clone(&self.rows), self.env.clock.now_millis());
        let rows = self.env.executor.run(move || rows.batch(interval, at_millis)).await??;
        // Only now: a call dropped while it waited has handed out nothing.
        self.positions[split.0 as usize] = interval.to;
        Ok(Next::Batch(SourceBatch { interval, at_millis, rows }))
    }

    async fn committed(&mut self, _positions: &Positions) -> Result<(), SourceError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
