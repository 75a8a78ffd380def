//! Compaction: which files of a table to merge or order, how, and the commit that exchanges them.
//!
//! Life cycle: [`Compaction::plan`] reads the newest snapshot's manifests into an [`inventory`] of small files and decides
//! in a pure function ([`plan`]) what to merge; [`Compaction::run`] rewrites task by task ([`rewrite`]), with large row groups
//! as they are ([`copy`]) or all rows in an order that was asked for ([`sort`]), and commits each as a COMPACT snapshot of
//! exactly the files it read and wrote. A task whose inputs are gone is abandoned, never forced.
//!
//! The [`worker`] does this, and other maintenance, by itself.
//!
//! Nothing is kept between runs: what a run that died leaves are files that nothing refers to.

mod ahead;
mod arguments;
mod compaction;
mod condition;
mod copy;
mod error;
mod inventory;
mod order;
mod outputs;
mod plan;
mod report;
mod request;
mod rewrite;
mod roll;
mod run;
mod ship;
pub mod sort;
mod survey;
#[cfg(test)]
mod tests;
pub mod worker;

pub use arguments::{ARGUMENTS, ArgumentError, Arguments};
pub use compaction::{Compaction, Resources};
pub use error::{CompactError, Unfinished};
pub use plan::{Plan, Task};
pub use report::{Amount, OnProgress, Progress, RunReport};
pub use request::{Request, Strategy};
