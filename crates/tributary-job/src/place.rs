//! From a mistake at a span to an error that shows the line.

use paimon_catalog::CatalogError;
use tributary_statement::{Source, Span};

use crate::error::JobError;
use crate::expr::bind::BindError;

/// The text that errors point into.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) source: &'a Source,
}

// === impl Place ===

impl Place<'_> {
    /// The mistake, shown in its line.
    pub(crate) fn refuse(&self, error: BindError) -> JobError {
        let report = self.source.error(error.span, error.message);
        JobError::Statement(match error.help {
            Some(help) => report.with_help(help),
            None => report,
        })
    }

    /// A failure of the catalog, with the place of the statement that needed it.
    pub(crate) fn catalog(&self, span: Span, source: CatalogError) -> JobError {
        JobError::Catalog {
            place: format!("{}:{}:{}", self.source.name(), span.line, span.column),
            source: Box::new(source),
        }
    }
}
