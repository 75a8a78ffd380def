//! What the HTTP server tells about the compactor and can tell it.

use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value, json};
use tributary_compact::worker::{Action, ActionKind, Given, Refused, RunId, RunRecord, WorkerHandle};
use tributary_http::{AdminError, Check, Runs, Status};
use tributary_runtime::Drain;

use super::names::Names;
use crate::heartbeat::Heartbeat;

/// The runs of a worker that may still have to be opened.
#[derive(Default)]
pub(crate) struct RunsFace {
    worker: OnceLock<(WorkerHandle, Arc<Names>)>,
}

/// The process of `tributary compactor`.
pub(crate) struct Sidecar {
    pub(crate) heartbeat: Heartbeat,
    pub(crate) drain: Drain,
    pub(crate) runs: Arc<RunsFace>,
    /// Unix milliseconds.
    pub(crate) started_millis: i64,
}

// === impl RunsFace ===

impl RunsFace {
    /// The worker is there.
    pub(crate) fn opened(&self, worker: WorkerHandle, names: Arc<Names>) {
        // The one caller calls once.
        let _first = self.worker.set((worker, names));
    }

    /// Why the last run of an action on a table failed, and which.
    pub(crate) fn failing(&self) -> Vec<(String, String)> {
        let failing = self.worker.get().map(|(worker, _)| worker.failing()).unwrap_or_default();
        failing.into_iter().map(|(table, action, why)| (format!("{} {table}", action.as_str()), why)).collect()
    }

    /// For `/status`.
    pub(crate) fn status(&self) -> Value {
        let failing = self.failing().into_iter().map(|(what, error)| json!({ "run": what, "error": error }));
        json!({ "failing": failing.collect::<Vec<_>>() })
    }

    fn worker(&self) -> Result<&(WorkerHandle, Arc<Names>), AdminError> {
        self.worker.get().ok_or_else(|| AdminError::Unavailable("the compactor is still being opened".to_owned()))
    }
}

impl Runs for RunsFace {
    fn runs(&self, limit: usize) -> Value {
        let runs = self.worker.get().map(|(worker, _)| worker.runs(limit)).unwrap_or_default();
        let without_log = |run: RunRecord| {
            let mut shown = shown(&run);
            shown.as_object_mut().map(|fields| fields.remove("log"));
            shown
        };
        json!({ "runs": runs.into_iter().map(without_log).collect::<Vec<_>>() })
    }

    fn run(&self, id: u64) -> Option<Value> {
        Some(shown(&self.worker.get()?.0.run(RunId(id))?))
    }

    fn start(&self, mut asked: Map<String, Value>) -> Result<Value, AdminError> {
        let (worker, names) = self.worker()?;
        let table = text("table", asked.remove("table"))?;
        let action = text("action", asked.remove("action"))?;
        let table = names.resolve(&table).map_err(|why| AdminError::Invalid(format!("table: {}", why.text())))?;
        let kind =
            ActionKind::parse(&action).map_err(|why| AdminError::Invalid(format!("action: `{action}`: {why}")))?;
        let given = asked.into_iter().map(|(key, value)| Ok((key.clone(), text(&key, Some(value))?)));
        let given: Given = given.collect::<Result<_, AdminError>>()?;
        let action = Action::try_new(kind, &given).map_err(|error| AdminError::Invalid(error.to_string()))?;
        let id = worker.submit(&table, action, &given).map_err(refusal)?;
        Ok(json!({ "id": id.0, "see": format!("/runs/{}", id.0) }))
    }

    fn cancel(&self, id: u64) -> Result<Value, AdminError> {
        self.worker()?.0.cancel(RunId(id)).map_err(refusal)?;
        Ok(json!({ "id": id, "see": format!("/runs/{id}") }))
    }
}

fn shown(run: &RunRecord) -> Value {
    // Every field of it has a form in JSON.
    serde_json::to_value(run).unwrap_or_default()
}

/// A single value as text, as a settings file may write it too.
fn text(key: &str, value: Option<Value>) -> Result<String, AdminError> {
    match value {
        Some(Value::String(text)) => Ok(text),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(value.to_string()),
        Some(_) => Err(AdminError::Invalid(format!("{key}: write one text, number, true or false"))),
        None => Err(AdminError::Invalid(format!(
            "{key} is missing; write {{\"table\": \"db.t\", \"action\": \"expire_snapshots\", …}}"
        ))),
    }
}

fn refusal(why: Refused) -> AdminError {
    let text = why.to_string();
    match why {
        Refused::Unknown(_) => AdminError::NotFound(text),
        Refused::Ended(..) => AdminError::Conflict(text),
        Refused::Full | Refused::Stopping => AdminError::Unavailable(text),
    }
}

impl Status for Sidecar {
    fn live(&self) -> Vec<Check> {
        vec![self.heartbeat.check()]
    }

    fn ready(&self) -> Vec<Check> {
        let mut checks = vec![self.heartbeat.check()];
        if self.drain.is_requested() {
            checks.push(Check::failed("running", "the compactor is draining"));
        }
        checks.extend(self.runs.failing().into_iter().map(|(what, why)| Check::failed(what, why)));
        checks
    }

    fn status(&self) -> Value {
        json!({
            "version": crate::build::VERSION,
            "commit": crate::build::COMMIT,
            "started_millis": self.started_millis,
            "state": if self.drain.is_requested() { "draining" } else { "running" },
            "compactor": self.runs.status(),
        })
    }
}
