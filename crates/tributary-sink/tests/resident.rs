//! What the process holds, as the kernel counts it, stays within the budget and a fixed amount. Alone in its process; threads
//! and clock are real, and the table is on disk: in memory it would be measured, too.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]
#![allow(unreachable_pub, dead_code)]

#[path = "it/harness.rs"]
mod harness;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Int64Array, RecordBatch, StringArray};
use object_store::local::LocalFileSystem;
use paimon_table::arrow::arrow_schema;
use tributary_runtime::{Env, Interval, MemoryBudget, Position, SplitId};
use tributary_sink::SinkBatch;
use tributary_testkit::Fault;

use crate::harness::World;

const MIB: usize = 1 << 20;
/// Code, stacks, the test's own log of calls, and what the allocator keeps of freed memory: with so small a budget and so
/// many files most of it is that.
const BESIDE_THE_BUDGET: usize = 128 * MIB;

/// A figure of `/proc/self/status`, in bytes.
fn status(key: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(key)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

/// Starts measuring the peak anew.
fn reset_peak() {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
}

async fn world(folder: &tempfile::TempDir, budget: usize) -> World {
    let store = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
    let mut world = World::create(Arc::new(store), &[]).await;
    world.env = Env::try_system(NonZeroUsize::new(2).unwrap()).unwrap();
    world.config.parallelism = NonZeroUsize::new(2).unwrap();
    world.budget = MemoryBudget::new(budget);
    world
}

/// A store that needs a tenth of a second for whatever it is sent.
async fn throttled() -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut world = world(&folder, 24 * MIB).await;
    world.config.checkpoint_interval = Duration::from_millis(200);
    world.partitions = 50;
    let mut sink = world.start().await;
    world.store.set_plan(|call| Fault::Delay(Duration::from_millis(if call.bytes > 0 { 100 } else { 0 })));
    reset_peak();
    for _ in 0..30 {
        sink.send(8_000).await.unwrap();
    }
    sink.finish().await.unwrap();
    let peak = status("VmHWM");
    assert!(peak <= 24 * MIB + BESIDE_THE_BUDGET, "throttled: {} MiB", peak / MIB);
    world.store.set_plan(|_| Fault::None);
    assert_eq!(world.check().await.get(SplitId(0)).0, 240_000);
    format!("throttled store: {} MiB", peak / MIB)
}

/// Rows of 100 MB, each larger than the budget: they pass one by one.
async fn large_rows() -> String {
    const ROW_BYTES: usize = 100_000_000;
    const ROWS: u64 = 3;
    let folder = tempfile::tempdir().unwrap();
    let world = world(&folder, 32 * MIB).await;
    let mut sink = world.start().await;
    let mut input = sink.input.take().unwrap();
    let schema = arrow_schema(&world.table.schema().fields);
    reset_peak();
    for position in 1..=ROWS {
        let data = "x".repeat(ROW_BYTES);
        let rows = RecordBatch::try_new(
            schema.clone(),
            vec![
                Arc::new(Int64Array::from(vec![position as i64])),
                Arc::new(StringArray::from(vec![data.as_str()])),
                Arc::new(StringArray::from(vec!["d0"])),
            ],
        );
        drop(data);
        let interval = Interval { split: SplitId(0), from: Position(position - 1), to: Position(position) };
        input.send(SinkBatch { interval, at_millis: 0, rows: rows.unwrap() }).await.unwrap();
    }
    drop(input);
    sink.finish().await.unwrap();
    let peak = status("VmHWM");
    // The batch, the encoder's copy, its bounds and pages: no more rows than one at a time.
    assert!(peak <= 9 * ROW_BYTES, "rows of 100 MB: {} MiB", peak / MIB);
    assert_eq!(world.check().await.get(SplitId(0)).0, ROWS);
    format!("rows of 100 MB: {} MiB", peak / MIB)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_process_stays_within_its_budget() {
    println!("{}", throttled().await);
    println!("{}", large_rows().await);
}
