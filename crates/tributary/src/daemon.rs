//! What the HTTP server tells about the daemon and can tell it, from the start of the process on.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use serde_json::{Value, json};
use tributary_http::{Admin, AdminError, Check, Status};
use tributary_job::{ControlError, JobHandle, PipelineId, PipelineStatus};
use tributary_runtime::Drain;

use crate::build;
use crate::compactor::RunsFace;
use crate::heartbeat::Heartbeat;

/// What an answer says when no pipeline was named.
const ALL: &str = "all";

/// The daemon's face. It is there before the job is: opening one may wait for a catalog for hours, and a
/// probe should hear so.
pub(crate) struct Daemon {
    heartbeat: Heartbeat,
    drain: Drain,
    job: OnceLock<JobHandle>,
    /// Of the compactor beside the job.
    runs: Option<Arc<RunsFace>>,
    /// Unix milliseconds.
    started_millis: i64,
}

// === impl Daemon ===

impl Daemon {
    pub(crate) fn new(heartbeat: Heartbeat, drain: Drain, runs: Option<Arc<RunsFace>>, started_millis: i64) -> Self {
        Self { heartbeat, drain, job: OnceLock::new(), runs, started_millis }
    }

    /// The job has opened.
    pub(crate) fn opened(&self, job: JobHandle) {
        // The one caller calls once.
        let _first = self.job.set(job);
    }

    fn job(&self) -> Result<&JobHandle, AdminError> {
        self.job.get().ok_or_else(|| AdminError::Unavailable("the job is still being opened".to_owned()))
    }
}

impl Status for Daemon {
    fn live(&self) -> Vec<Check> {
        vec![self.heartbeat.check()]
    }

    fn ready(&self) -> Vec<Check> {
        let mut checks = vec![self.heartbeat.check()];
        if self.drain.is_requested() {
            checks.push(Check::failed("running", "the daemon is draining"));
        }
        match self.job.get() {
            None => checks.push(Check::failed("job", "is still being opened")),
            Some(job) => checks.extend(job.ready().into_iter().map(|(id, ready)| check(&id, ready))),
        }
        checks
    }

    fn status(&self) -> Value {
        let pipelines = self.job.get().map(JobHandle::status).unwrap_or_default();
        let state = match (self.drain.is_requested(), self.job.get()) {
            (true, _) => "draining",
            (false, None) => "opening",
            (false, Some(_)) => "running",
        };
        let mut status = json!({
            "version": build::VERSION,
            "commit": build::COMMIT,
            "started_millis": self.started_millis,
            "state": state,
            "pipelines": pipelines.iter().map(PipelineStatus::to_json).collect::<Vec<_>>(),
        });
        if let Some(runs) = &self.runs {
            status["compactor"] = runs.status();
        }
        status
    }
}

fn check(id: &PipelineId, ready: Result<(), String>) -> Check {
    let name = format!("pipeline {id}");
    match ready {
        Ok(()) => Check::passed(name, ""),
        Err(why) => Check::failed(name, why),
    }
}

#[async_trait]
impl Admin for Daemon {
    async fn checkpoint(&self, pipeline: Option<&str>) -> Result<Value, AdminError> {
        let committed = self.job()?.checkpoint(pipeline).await.map_err(refusal)?;
        let snapshots: serde_json::Map<String, Value> =
            committed.into_iter().map(|(id, snapshot)| (id.to_string(), Value::from(snapshot.0))).collect();
        Ok(json!({ "snapshots": snapshots }))
    }

    async fn pause(&self, pipeline: Option<&str>) -> Result<Value, AdminError> {
        self.job()?.pause(pipeline).map_err(refusal)?;
        Ok(json!({ "paused": pipeline.unwrap_or(ALL) }))
    }

    async fn resume(&self, pipeline: Option<&str>) -> Result<Value, AdminError> {
        self.job()?.resume(pipeline).map_err(refusal)?;
        Ok(json!({ "resumed": pipeline.unwrap_or(ALL) }))
    }

    async fn rate(&self, pipeline: Option<&str>, rows_per_second: f64) -> Result<Value, AdminError> {
        self.job()?.rate(pipeline, rows_per_second).map_err(refusal)?;
        Ok(json!({ "changed": pipeline.unwrap_or(ALL), "rows-per-second": rows_per_second }))
    }
}

fn refusal(problem: ControlError) -> AdminError {
    match problem {
        ControlError::Unknown { name, known } => AdminError::UnknownPipeline { name, known },
        ControlError::NotRunning(_) => AdminError::Unavailable(format!("{problem}; see /status")),
        other => AdminError::Invalid(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn before_its_job_is_open_the_daemon_is_alive_and_not_ready() {
        let drain = Drain::new();
        let daemon = Daemon::new(Heartbeat::start(), drain.clone(), None, 7);
        assert!(daemon.live().iter().all(Check::is_passed));
        let failed = |daemon: &Daemon| -> Vec<String> {
            let checks = daemon.ready().into_iter().filter(|check| !check.is_passed());
            checks.map(|check| format!("{} {}", check.name(), check.detail())).collect()
        };
        assert_eq!(failed(&daemon), ["job is still being opened"]);
        assert_eq!(daemon.status()["state"], "opening");
        let refused = daemon.checkpoint(None).await.unwrap_err();
        assert_eq!(refused.to_string(), "the job is still being opened");

        drain.request(Duration::from_secs(25));
        assert_eq!(failed(&daemon), ["running the daemon is draining", "job is still being opened"]);
        assert_eq!(daemon.status()["state"], "draining");
    }
}
