//! What every source must pass: the contract of [`Source`], point by point.
//!
//! Run it under tokio's paused clock with sources over a clock that stands still, so that time is no difference.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test suite for other crates' tests")]

use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use tributary_runtime::{Interval, Positions};

use crate::{BatchBudget, Next, Source, SourceBatch};

/// Rows read of a source in one go, unless it ends before.
const ENOUGH_ROWS: usize = 3_000;

/// Checks the contract on sources that `make` makes: unopened, all of one identity, and with at least one row.
///
/// # Panics
/// At the first point that is not kept.
pub async fn suite<S: Source>(make: impl Fn() -> S) {
    identity_and_schema_are_the_same_for_all(&make);
    let whole = batches_chain_and_keep_to_their_budget(&make).await;
    a_replay_gives_the_same_rows(&make, &whole).await;
    a_dropped_call_loses_nothing(&make).await;
    committed_only_informs(&make).await;
    the_end_stays_the_end(&make).await;
}

fn budget(rows: usize) -> BatchBudget {
    BatchBudget { rows, bytes: 1 << 20, linger: Duration::from_millis(50) }
}

fn identity_and_schema_are_the_same_for_all<S: Source>(make: impl Fn() -> S) {
    let (one, other) = (make(), make());
    assert_eq!(one.identity(), other.identity());
    assert_eq!(one.schema(), other.schema());
}

async fn batches_chain_and_keep_to_their_budget<S: Source>(make: impl Fn() -> S) -> Vec<SourceBatch> {
    let mut source = make();
    source.open(&Positions::new()).await.unwrap();
    let batches = read(&mut source, &budget(100), ENOUGH_ROWS).await;
    let mut positions = Positions::new();
    for batch in &batches {
        positions.apply(batch.interval).unwrap();
        assert!(batch.rows.num_rows() <= 100, "{} rows in a batch of at most 100", batch.rows.num_rows());
        assert_eq!(batch.rows.schema(), source.schema());
    }
    assert!(batches.iter().any(|batch| batch.rows.num_rows() > 0), "the suite needs a source with rows");
    batches
}

async fn a_replay_gives_the_same_rows<S: Source>(make: impl Fn() -> S, whole: &[SourceBatch]) {
    let mut positions = Positions::new();
    for (n, batch) in whole.iter().enumerate() {
        // Every start is one restart; some of them are enough.
        if n % 7 == 0 {
            for rows in [1, 33, 8_192] {
                let mut source = make();
                source.open(&positions).await.unwrap();
                let replayed = covering(&mut source, &budget(rows), batch.interval).await;
                let common = replayed.num_rows().min(batch.rows.num_rows());
                assert_eq!(replayed.slice(0, common), batch.rows.slice(0, common), "{}", batch.interval);
            }
        }
        positions.apply(batch.interval).unwrap();
    }
}

async fn a_dropped_call_loses_nothing<S: Source>(make: impl Fn() -> S) {
    let mut source = make();
    source.open(&Positions::new()).await.unwrap();
    let mut batches = Vec::new();
    for wait in [0, 1, 7, 60, 0, 1_100, 3, 2] {
        let call = tokio::time::timeout(Duration::from_millis(wait), source.next(&budget(10))).await;
        if let Ok(next) = call
            && let Next::Batch(batch) = next.unwrap()
        {
            batches.push(batch);
        }
    }
    batches.extend(read(&mut source, &budget(10), 100).await);
    let mut positions = Positions::new();
    for batch in &batches {
        positions.apply(batch.interval).unwrap();
    }
    a_replay_gives_the_same_rows(make, &batches).await;
}

async fn committed_only_informs<S: Source>(make: impl Fn() -> S) {
    let (mut told, mut untold) = (make(), make());
    let mut positions = Positions::new();
    told.open(&positions).await.unwrap();
    untold.open(&positions).await.unwrap();
    for _ in 0..5 {
        let (a, b) = (read(&mut told, &budget(50), 1).await, read(&mut untold, &budget(50), 1).await);
        assert_eq!(a.len(), b.len());
        for (a, b) in a.iter().zip(&b) {
            positions.apply(a.interval).unwrap();
            assert_eq!((a.interval, &a.rows), (b.interval, &b.rows));
        }
        told.committed(&positions).await.unwrap();
    }
}

/// Only for sources that end within what the suite reads.
async fn the_end_stays_the_end<S: Source>(make: impl Fn() -> S) {
    let mut source = make();
    source.open(&Positions::new()).await.unwrap();
    let batches = read(&mut source, &budget(8_192), ENOUGH_ROWS).await;
    if batches.iter().map(|batch| batch.rows.num_rows()).sum::<usize>() >= ENOUGH_ROWS {
        return;
    }
    assert!(matches!(source.next(&budget(1)).await, Ok(Next::End)), "the source forgot that it had ended");
    let mut positions = Positions::new();
    for batch in batches {
        positions.apply(batch.interval).unwrap();
    }
    let mut again = make();
    again.open(&positions).await.unwrap();
    assert!(matches!(again.next(&budget(1)).await, Ok(Next::End)), "opened at its end, a source goes on");
}

/// Batches until there are `enough` rows, or the end.
async fn read<S: Source>(source: &mut S, budget: &BatchBudget, enough: usize) -> Vec<SourceBatch> {
    let mut batches: Vec<SourceBatch> = Vec::new();
    while batches.iter().map(|batch| batch.rows.num_rows()).sum::<usize>() < enough {
        match source.next(budget).await.unwrap() {
            Next::Batch(batch) => batches.push(batch),
            Next::Assigned(_) | Next::Revoked(_) | Next::Idle => {}
            Next::End => break,
        }
    }
    batches
}

/// The rows of a split from the start of `interval` to its end or beyond.
async fn covering<S: Source>(source: &mut S, budget: &BatchBudget, interval: Interval) -> RecordBatch {
    let mut at = interval.from;
    let mut rows = Vec::new();
    while at < interval.to {
        match source.next(budget).await.unwrap() {
            Next::Batch(batch) if batch.interval.split == interval.split => {
                assert_eq!(batch.interval.from, at, "the split does not go on where it stood");
                at = batch.interval.to;
                rows.push(batch.rows);
            }
            Next::Batch(_) | Next::Assigned(_) | Next::Revoked(_) | Next::Idle => {}
            Next::End => panic!("the source ended before {interval} was covered"),
        }
    }
    concat_batches(&source.schema(), &rows).unwrap()
}

#[cfg(test)]
mod tests;
