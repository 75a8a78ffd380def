//! A command's failure: the text for people, the exit code for machines.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use tributary_job::CatalogOptionError;
use tributary_runtime::{Classify, FailureKind};

use crate::log::Console;

/// Any error that knows its kind. Every `?` of a command ends here.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: FailureKind,
    error: Box<dyn Error + Send + Sync>,
    /// It was told elsewhere; nothing is left to print.
    told: bool,
}

/// The binary's own reasons to fail.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    Internal(String),
    #[error(
        "not drained: the deadline passed, or a second signal came, before everything read was committed; it is read \
         again next time (job.drain-deadline sets the deadline)"
    )]
    NotDrained,
    #[error(
        "not drained: the deadline passed, or a second signal came, before every run had stopped; what one wrote and did \
         not commit is left for remove_orphan_files (job.drain-deadline sets the deadline)"
    )]
    RunsLeft,
    #[error("catalog `{name}`: {problem}")]
    Catalog { name: String, problem: CatalogOptionError },
    #[error("{0}")]
    Unhealthy(String),
    #[error("cannot {doing}")]
    Io { doing: String, source: io::Error },
}

impl Classify for CommandError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Usage(_) => FailureKind::Usage,
            Self::NotDrained | Self::RunsLeft => FailureKind::NotDrained,
            Self::Catalog { problem, .. } => problem.kind(),
            Self::Internal(_) | Self::Unhealthy(_) | Self::Io { .. } => FailureKind::Internal,
        }
    }
}

// === impl Failure ===

impl<E: Classify + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { kind: error.kind(), error: Box::new(error), told: false }
    }
}

impl Failure {
    pub(crate) fn usage(why: impl Into<String>) -> Self {
        CommandError::Usage(why.into()).into()
    }

    pub(crate) fn kind(&self) -> FailureKind {
        self.kind
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.kind.exit_code())
    }

    /// The error and its causes on one line. Many messages include their causes, and layers in between repeat what
    /// is below them: once the root is told, so is everything.
    pub(crate) fn text(&self) -> String {
        let mut causes = Vec::new();
        let mut cause = self.error.source();
        while let Some(error) = cause {
            causes.push(error.to_string());
            cause = error.source();
        }
        let mut text = self.error.to_string();
        for cause in &causes {
            if causes.last().is_some_and(|root| text.contains(root)) {
                break;
            }
            text = format!("{text}: {cause}");
        }
        text
    }

    /// Tells it in the log's own form, and remembers that.
    pub(crate) fn told(self, console: &Console) -> Self {
        console.tell(&self);
        self.silent()
    }

    /// It was told elsewhere.
    pub(crate) fn silent(mut self) -> Self {
        self.told = true;
        self
    }

    /// Unless it was told elsewhere.
    pub(crate) fn print(&self) {
        if !self.told {
            // Nobody is left to tell if standard error is closed.
            let _unheard = writeln!(io::stderr(), "error: {}", self.text());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot open the table")]
    struct Outer(#[source] io::Error);

    impl Classify for Outer {
        fn kind(&self) -> FailureKind {
            FailureKind::Auth
        }
    }

    #[test]
    fn causes_are_told_once() {
        let failure = Failure::from(Outer(io::Error::other("no route")));
        assert_eq!(failure.text(), "cannot open the table: no route");
        assert_eq!(failure.kind(), FailureKind::Auth);
        assert_eq!(Failure::usage("say which").text(), "say which");
    }
}
