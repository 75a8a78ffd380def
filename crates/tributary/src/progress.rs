//! How far the job is, for whoever watches: a line that changes on a terminal, a log line a minute elsewhere.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressFinish, ProgressStyle};
use tracing::info;
use tributary_job::{JobHandle, PipelineState, PipelineStatus};

/// How often the line changes.
const REFRESH: Duration = Duration::from_millis(500);

/// How often the log says how far the job is.
const REPORT: Duration = Duration::from_secs(60);

/// What is worth a word, gravest first; that a pipeline runs is not.
const NOTABLE: [PipelineState; 5] = [
    PipelineState::Failed,
    PipelineState::Retrying,
    PipelineState::Paused,
    PipelineState::Starting,
    PipelineState::Draining,
];

/// The job in four numbers and a word.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Reading {
    rows_committed: u64,
    rows_per_second: f64,
    snapshot: i64,
    lag: Option<Duration>,
    notable: Option<PipelineState>,
}

/// Shows the job's progress until dropped.
pub(crate) async fn show(job: JobHandle, terminal: Option<MultiProgress>) {
    let bar = terminal.map(|terminal| {
        let bar = terminal.add(ProgressBar::new_spinner().with_finish(ProgressFinish::AndClear));
        // Cut at the terminal's width: a line that wraps is not cleared as a whole. A constant that parses.
        bar.set_style(
            ProgressStyle::with_template("{spinner} {wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        bar
    });
    let period = if bar.is_some() { REFRESH } else { REPORT };
    loop {
        tokio::time::sleep(period).await;
        let reading = Reading::of(&job.status());
        match &bar {
            Some(bar) => {
                bar.set_message(reading.line());
                bar.tick();
            }
            None => info!(
                rows_committed = reading.rows_committed,
                rows_per_second = reading.rows_per_second.round(),
                snapshot = reading.snapshot,
                lag_seconds = reading.lag.unwrap_or_default().as_secs_f64(),
                state = reading.notable.unwrap_or(PipelineState::Running).as_str(),
                "progress"
            ),
        }
    }
}

// === impl Reading ===

impl Reading {
    fn of(pipelines: &[PipelineStatus]) -> Self {
        Self {
            rows_committed: pipelines.iter().map(|pipeline| pipeline.rows_committed).sum(),
            rows_per_second: pipelines.iter().map(|pipeline| pipeline.rows_per_second).sum(),
            snapshot: pipelines.iter().filter_map(|pipeline| pipeline.snapshot).max().map_or(0, |snapshot| snapshot.0),
            lag: pipelines.iter().filter_map(|pipeline| pipeline.lag).max(),
            notable: NOTABLE.into_iter().find(|state| pipelines.iter().any(|pipeline| pipeline.state == *state)),
        }
    }

    fn line(&self) -> String {
        format!(
            "{} rows · {} rows/s · snapshot {} · lag {}{}",
            grouped(self.rows_committed),
            grouped(self.rows_per_second.round() as u64),
            self.snapshot,
            self.lag.map_or_else(|| "–".to_owned(), |lag| format!("{:.1} s", lag.as_secs_f64())),
            self.notable.map_or_else(String::new, |state| format!(" · {}", state.as_str())),
        )
    }
}

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_groups_digits_and_says_what_is_not_as_usual() {
        let reading = Reading {
            rows_committed: 1_234_567,
            rows_per_second: 999.6,
            snapshot: 42,
            lag: Some(Duration::from_millis(3_210)),
            notable: None,
        };
        assert_eq!(reading.line(), "1,234,567 rows · 1,000 rows/s · snapshot 42 · lag 3.2 s");
        let waiting = Reading { lag: None, notable: Some(PipelineState::Retrying), ..reading };
        assert_eq!(waiting.line(), "1,234,567 rows · 1,000 rows/s · snapshot 42 · lag – · retrying");
        assert_eq!((grouped(0), grouped(999), grouped(1_000)), ("0".into(), "999".into(), "1,000".into()));
    }
}
