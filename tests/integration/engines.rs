//! The engines users have, on our tables: what they read, what their filters find, what we read of theirs.

mod compaction;
mod encodings;
mod expressions;
mod filters;
mod maintenance;
mod nested;
mod snapshots;
mod system_tables;
mod turns;
mod tutorial;
mod types;
mod z_order;

use tributary_tests::engine::Engine;
use tributary_tests::flink::FLINK;
use tributary_tests::pypaimon::PYPAIMON;
use tributary_tests::spark::SPARK;

/// Every engine that reads tables.
const ENGINES: [&Engine; 3] = [&PYPAIMON, &SPARK, &FLINK];

/// Those of them that are installed.
fn installed() -> impl Iterator<Item = &'static Engine> {
    ENGINES.into_iter().filter(|engine| engine.available())
}
