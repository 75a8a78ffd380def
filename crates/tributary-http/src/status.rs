//! The seam to the daemon: what it can tell, and what it can be told to do.

use std::borrow::Cow;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value};

/// One named condition of a health endpoint, with a word about why it holds or does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    name: Cow<'static, str>,
    passed: bool,
    detail: String,
}

// === impl Check ===

impl Check {
    /// A condition that holds; `detail` may be empty.
    pub fn passed(name: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self { name: name.into(), passed: true, detail: detail.into() }
    }

    /// A condition that does not hold; `detail` says why, in a form fit for everybody's eyes.
    pub fn failed(name: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self { name: name.into(), passed: false, detail: detail.into() }
    }

    /// The condition's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it holds.
    pub fn is_passed(&self) -> bool {
        self.passed
    }

    /// Why it holds or not; may be empty.
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

/// What the daemon tells. Every call is answered at once from values already at hand: the server
/// has one thread, and a call that waited for a pipeline would silence the server with it.
pub trait Status: Send + Sync {
    /// Is the process able to do work at all? Failing means "restart me", so nothing outside the
    /// process (catalog, store) may fail it.
    fn live(&self) -> Vec<Check>;

    /// Does the daemon make progress? Catalog and store count here.
    fn ready(&self) -> Vec<Check>;

    /// Everything worth showing, without secrets.
    fn status(&self) -> Value;
}

/// What the daemon can be told. Each verb answers with JSON that says what was done.
#[async_trait]
pub trait Admin: Send + Sync {
    /// Makes the positions of one pipeline (all, if `None`) durable now; returns when they are.
    async fn checkpoint(&self, pipeline: Option<&str>) -> Result<Value, AdminError>;

    /// Stops reading from the source; what was read is still committed.
    async fn pause(&self, pipeline: Option<&str>) -> Result<Value, AdminError>;

    /// Undoes [`Admin::pause`].
    async fn resume(&self, pipeline: Option<&str>) -> Result<Value, AdminError>;

    /// Sets a generated source's rate. `rows_per_second` is finite and not negative.
    async fn rate(&self, pipeline: Option<&str>, rows_per_second: f64) -> Result<Value, AdminError>;
}

/// Runs of a compactor: what there was, and how to ask for more. Answered at once, like [`Status`].
pub trait Runs: Send + Sync {
    /// The newest runs, newest first, at most so many.
    fn runs(&self, limit: usize) -> Value;

    /// One run, with its log.
    fn run(&self, id: u64) -> Option<Value>;

    /// Asks for a run; answers with its id. May wait for a disk.
    fn start(&self, asked: Map<String, Value>) -> Result<Value, AdminError>;

    /// Asks a run to end.
    fn cancel(&self, id: u64) -> Result<Value, AdminError>;
}

/// What a server shows of its process, and what its process can be told.
#[derive(Clone)]
pub struct Faces {
    /// Health and status.
    pub status: Arc<dyn Status>,
    /// `/admin/…`, where there are pipelines.
    pub admin: Option<Arc<dyn Admin>>,
    /// `/runs`, where there is a compactor.
    pub runs: Option<Arc<dyn Runs>>,
}

/// Why an admin verb was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// No pipeline has this name (404).
    #[error("no pipeline is called `{name}`; there are: {known}")]
    UnknownPipeline {
        /// What was asked for.
        name: String,
        /// The names there are, separated by commas.
        known: String,
    },
    /// There is no such thing (404).
    #[error("{0}")]
    NotFound(String),
    /// Its state does not allow it (409).
    #[error("{0}")]
    Conflict(String),
    /// The value that was sent cannot be followed (400).
    #[error("{0}")]
    Invalid(String),
    /// The daemon has not started, is draining, or failed while doing it (503).
    #[error("{0}")]
    Unavailable(String),
}
