//! What can stop a job before or while it runs.

use std::path::PathBuf;

use paimon_catalog::CatalogError;
use paimon_table::error::TableError;
use paimon_table::probe::ProbeError;
use tributary_runtime::{Classify, FailureKind, InvalidBackoff, Panicked};
use tributary_sink::SinkError;
use tributary_source::SourceError;
use tributary_statement::StatementError;

use crate::identity::PipelineId;

/// Why a job cannot start or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// A statement is wrong, or means nothing in these catalogs; shown with its place and remedy.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The file of statements cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The catalog failed at a statement; `place` is `file:line:column`.
    #[error("{place}: {source}")]
    Catalog {
        /// Where the statement stands.
        place: String,
        /// The lower error.
        source: Box<CatalogError>,
    },
    /// There is nothing to run.
    #[error("there is no INSERT in {files}: nothing to run; add INSERT INTO … SELECT …")]
    NoPipeline {
        /// The files read.
        files: String,
    },
    /// A job where a CALL is expected.
    #[error("there is an INSERT in {files}: tributary run carries it out")]
    Misplaced {
        /// The files read.
        files: String,
    },
    /// A defect.
    #[error(transparent)]
    Waits(#[from] InvalidBackoff),
    /// A pipeline stopped.
    #[error("pipeline {pipeline}: {source}")]
    Pipeline {
        /// Which one.
        pipeline: PipelineId,
        /// Why.
        source: Box<PipelineError>,
    },
    /// A task of the job panicked: a defect.
    #[error("{task}: {source}")]
    Panicked {
        /// Which one.
        task: String,
        /// What it said.
        source: Panicked,
    },
}

/// Why a pipeline stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// The catalog did not give the target.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The target cannot be used.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The store cannot be committed to.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// Rows could not be had.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Rows could not be written.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// The table has other columns than when the statements were read.
    #[error("{table} {what}, other than when the statements were read; bring the INSERT in line and start again")]
    SchemaChanged {
        /// The table.
        table: String,
        /// What its schema does now, as a sentence about it.
        what: String,
    },
    /// The time for draining ended before the pipeline could start.
    #[error("stopped while starting")]
    NotStarted,
    /// A defect.
    #[error(transparent)]
    Waits(#[from] InvalidBackoff),
    /// A defect.
    #[error(transparent)]
    Panicked(#[from] Panicked),
}

impl Classify for JobError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Statement(_) | Self::Read { .. } | Self::NoPipeline { .. } | Self::Misplaced { .. } => {
                FailureKind::Usage
            }
            Self::Catalog { source, .. } => source.kind(),
            Self::Pipeline { source, .. } => source.kind(),
            Self::Panicked { .. } | Self::Waits(_) => FailureKind::Internal,
        }
    }
}

impl Classify for PipelineError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Catalog(source) => source.kind(),
            Self::Table(source) => source.kind(),
            Self::Probe(source) => source.kind(),
            Self::Source(source) => source.kind(),
            Self::Sink(source) => source.kind(),
            Self::SchemaChanged { .. } => FailureKind::Usage,
            Self::NotStarted => FailureKind::NotDrained,
            Self::Waits(_) | Self::Panicked(_) => FailureKind::Internal,
        }
    }
}
