//! Compaction: which files of a table to merge or order, how, and the commit that exchanges them.

pub mod sort;
