//! Hostile bytes and text against every parser: no panic, no allocation their length does not justify, no endless work, and
//! what is read and written again reads the same.
//!
//! Inputs are golden ones, mutated along their structure (`mutate.rs`, `container.rs`), and first of all those that once
//! failed (`corpus/TARGET/`). `cargo test` spends a few seconds on each target; `tests/fuzz 10m` spends more. A finding
//! names the command that repeats it. Needs no nightly toolchain: there is no coverage to steer by, so structure does.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a target's own failure is its finding
#![allow(clippy::disallowed_methods)] // a time box is of real time

mod bytes;
mod container;
mod harness;
mod json;
mod mutate;
mod text;

use harness::fuzz;

/// Measures what a target allocates.
#[global_allocator]
static MEMORY: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

macro_rules! targets {
    ($($name:ident: $target:expr,)*) => {
        /// Every target; those that run share the time.
        const TARGETS: &[&str] = &[$(stringify!($name)),*];
        $(#[test]
        fn $name() {
            fuzz(stringify!($name), &$target);
        })*
    };
}

targets! {
    manifest: bytes::MANIFEST,
    manifest_list: bytes::MANIFEST_LIST,
    binary_row: bytes::BINARY_ROW,
    hint: bytes::HINT,
    snapshot: json::SNAPSHOT,
    schema: json::SCHEMA,
    tag: json::TAG,
    consumer: json::CONSUMER,
    data_type: text::DATA_TYPE,
    table_options: text::TABLE_OPTIONS,
    partition: text::PARTITION,
    statement: text::STATEMENT,
}
