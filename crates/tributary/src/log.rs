//! Log lines on standard error: text for people, JSON for machines.

use std::io::{self, IsTerminal};

use indicatif::MultiProgress;
use tracing::error;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::failure::{CommandError, Failure};
use crate::settings::{Log, LogFormat};

/// Where log lines go, and the status line that they must not tear.
#[derive(Clone)]
pub(crate) struct Console {
    /// Present on a terminal in `auto` format only.
    status: Option<MultiProgress>,
    json: bool,
}

/// One line, written whole, above the status line if there is one.
pub(crate) struct Line {
    status: Option<MultiProgress>,
    bytes: Vec<u8>,
}

// === impl Console ===

impl Console {
    /// Starts logging for the rest of the process.
    pub(crate) fn start(settings: &Log) -> Result<Self, Failure> {
        let terminal = io::stderr().is_terminal();
        let console = Self {
            status: (settings.format == LogFormat::Auto && terminal).then(MultiProgress::new),
            json: settings.format == LogFormat::Json,
        };
        let filter = EnvFilter::try_new(directives(&settings.level.0))
            .map_err(|problem| CommandError::Usage(format!("log.level: {problem}")))?;
        let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(console.clone());
        match settings.format {
            LogFormat::Json => builder.json().flatten_event(true).with_current_span(false).init(),
            LogFormat::Auto | LogFormat::Text => builder.with_ansi(terminal).with_target(false).init(),
        }
        Ok(console)
    }

    /// The status line's place, if there is to be one.
    pub(crate) fn status(&self) -> Option<&MultiProgress> {
        self.status.as_ref()
    }

    /// Tells a failure in the log's own form.
    pub(crate) fn tell(&self, failure: &Failure) {
        match self.json {
            true => error!(kind = %failure.kind(), exit_code = failure.kind().exit_code(), "{}", failure.text()),
            // As lines of their own: an error in SQL points at its place with a caret.
            false => match &self.status {
                Some(status) => status.suspend(|| failure.print()),
                None => failure.print(),
            },
        }
    }
}

/// What the filter is told: an `info` without more hears nothing of the requests that are repeated below a store's
/// operation. Readiness, `warn` and the error at the end tell what they come to; `debug` tells all.
fn directives(level: &str) -> String {
    match level.split(',').any(|part| part.trim() == "info") && !level.contains("object_store") {
        true => format!("{level},object_store=warn"),
        false => level.to_owned(),
    }
}

impl<'a> MakeWriter<'a> for Console {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line { status: self.status.clone(), bytes: Vec::new() }
    }
}

// === impl Line ===

impl io::Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let write = || {
            // A log that cannot be written cannot be complained about either.
            let _unheard = io::Write::write_all(&mut io::stderr(), &self.bytes);
        };
        match &self.status {
            Some(status) => status.suspend(write),
            None => write(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::directives;

    #[test]
    fn repeated_requests_are_told_to_who_asks() {
        for (level, expected) in [
            ("info", "info,object_store=warn"),
            ("info,paimon_table=debug", "info,paimon_table=debug,object_store=warn"),
            ("debug", "debug"),
            ("warn", "warn"),
            ("info,object_store=info", "info,object_store=info"),
        ] {
            assert_eq!(directives(level), expected);
        }
    }
}
