//! The suite itself: it must notice each way of breaking the contract.

use std::cell::Cell;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use futures::FutureExt;
use tributary_runtime::{Env, Executor, Position, Random, SourceIdentity};
use tributary_testkit::ManualClock;

use super::*;
use crate::SourceError;
use crate::datagen::{Datagen, DatagenSpec, FieldDef, FieldType};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Defect {
    None,
    SkipsABatch,
    RepeatsABatch,
    IgnoresItsBudget,
    ForgetsWhatItDropped,
    ForgetsItsEnd,
    OtherRowsAtEveryStart,
    OtherIdentityAtEveryStart,
    NeedsCommitted,
}

/// Datagen with a defect.
struct Broken {
    inner: Datagen,
    defect: Defect,
    calls: usize,
    again: Option<SourceBatch>,
    told: bool,
    ended: bool,
}

#[async_trait]
impl Source for Broken {
    fn schema(&self) -> SchemaRef {
        self.inner.schema()
    }

    fn identity(&self) -> &SourceIdentity {
        self.inner.identity()
    }

    async fn open(&mut self, positions: &Positions) -> Result<(), SourceError> {
        self.inner.open(positions).await
    }

    async fn next(&mut self, budget: &BatchBudget) -> Result<Next, SourceError> {
        self.calls += 1;
        if let Some(batch) = self.again.take() {
            return Ok(Next::Batch(batch));
        }
        let generous = BatchBudget { rows: budget.rows * 3, ..*budget };
        match self.defect {
            Defect::IgnoresItsBudget => return self.inner.next(&generous).await,
            Defect::SkipsABatch if self.calls == 3 => drop(self.inner.next(budget).await?),
            Defect::NeedsCommitted if self.calls > 3 && !self.told => return Ok(Next::End),
            _ => {}
        }
        let next = self.inner.next(budget).await?;
        match (self.defect, &next) {
            (Defect::ForgetsWhatItDropped, _) => tokio::time::sleep(Duration::from_millis(5)).await,
            (Defect::RepeatsABatch, Next::Batch(batch)) if self.calls == 2 => self.again = Some(batch.clone()),
            (Defect::ForgetsItsEnd, Next::End) if std::mem::replace(&mut self.ended, true) => return Ok(Next::Idle),
            _ => {}
        }
        Ok(next)
    }

    async fn committed(&mut self, _positions: &Positions) -> Result<(), SourceError> {
        self.told = true;
        Ok(())
    }
}

fn make(defect: Defect, start: u64) -> Broken {
    let seed = if defect == Defect::OtherIdentityAtEveryStart { start.to_string() } else { "1".to_owned() };
    let field = FieldDef { name: "id".to_owned(), data_type: FieldType::BigInt, nullable: true };
    let options = [("number-of-rows", "2000"), ("splits", "2"), ("seed", seed.as_str()), ("rows-per-second", "200000")];
    let spec = DatagenSpec::try_new(&[field], options).unwrap();
    let env = Env { clock: Arc::new(ManualClock::new(0)), random: Random::seeded(1), executor: Executor::inline() };
    Broken { inner: spec.build(None, 1, env).unwrap(), defect, calls: 0, again: None, told: false, ended: false }
}

/// A source whose rows are other ones at every start although its identity is the same.
struct Moody(Broken, u64);

#[async_trait]
impl Source for Moody {
    fn schema(&self) -> SchemaRef {
        self.0.schema()
    }

    fn identity(&self) -> &SourceIdentity {
        self.0.identity()
    }

    async fn open(&mut self, positions: &Positions) -> Result<(), SourceError> {
        self.0.open(positions).await
    }

    async fn next(&mut self, budget: &BatchBudget) -> Result<Next, SourceError> {
        let next = self.0.next(budget).await?;
        let Next::Batch(mut batch) = next else { return Ok(next) };
        if self.0.defect == Defect::OtherRowsAtEveryStart {
            let moved = Interval {
                from: Position(batch.interval.from.0 + self.1),
                to: Position(batch.interval.to.0 + self.1),
                ..batch.interval
            };
            batch.rows = self.0.inner.rows().batch(moved, 0)?;
        }
        Ok(Next::Batch(batch))
    }

    async fn committed(&mut self, positions: &Positions) -> Result<(), SourceError> {
        self.0.committed(positions).await
    }
}

#[tokio::test(start_paused = true)]
async fn every_defect_is_noticed() {
    let cases = [
        (Defect::None, ""),
        (Defect::SkipsABatch, "Gap"),
        (Defect::RepeatsABatch, "Overlap"),
        (Defect::IgnoresItsBudget, "rows in a batch of at most 100"),
        (Defect::ForgetsWhatItDropped, "Gap"),
        (Defect::OtherRowsAtEveryStart, "left == right"),
        (Defect::OtherIdentityAtEveryStart, "left == right"),
        (Defect::NeedsCommitted, ""),
        (Defect::ForgetsItsEnd, "the source forgot that it had ended"),
    ];
    for (defect, complaint) in cases {
        let starts = Cell::new(0);
        let suite = suite(|| {
            starts.set(starts.get() + 1);
            Moody(make(defect, starts.get()), starts.get())
        });
        match AssertUnwindSafe(suite).catch_unwind().await {
            Ok(()) => assert_eq!(defect, Defect::None, "the suite did not notice it"),
            Err(panic) => {
                let text = panic.downcast_ref::<String>().cloned();
                let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap();
                assert!(defect != Defect::None && text.contains(complaint), "{defect:?}: {text}");
            }
        }
    }
}
