//! Job files to pipelines.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use paimon_catalog::Catalog;
use tracing::instrument::WithSubscriber;
use tracing::subscriber::NoSubscriber;
use tracing::warn;
use tributary_job::{JobDefaults, JobError, Mode, PipelinePlan, Session};
use tributary_runtime::{Backoff, Drain, Env, FailureKind};
use tributary_statement::{Script, Variable};

use crate::catalogs;
use crate::failure::{CommandError, Failure};
use crate::settings::Settings;

const LEAST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// A job file and what it says.
pub(crate) struct JobFile {
    path: PathBuf,
    script: Script,
}

/// Reads and parses the files, in order.
pub(crate) fn read(paths: &[PathBuf]) -> Result<Vec<JobFile>, Failure> {
    paths.iter().map(|path| JobFile::read(path)).collect()
}

// === impl JobFile ===

impl JobFile {
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).map_err(|problem| {
            Failure::usage(format!("cannot read the job file {}: {problem}; correct the path", path.display()))
        })?;
        Self::parse(path.to_owned(), &text)
    }

    /// `path` is what errors start with, and where relative warehouses are.
    pub(crate) fn parse(path: PathBuf, text: &str) -> Result<Self, Failure> {
        let script =
            tributary_statement::parse(&path.to_string_lossy(), text, &variable).map_err(JobError::Statement)?;
        Ok(Self { path, script })
    }
}

/// What the statements made.
#[derive(Default)]
pub(crate) struct Opened {
    pub(crate) plans: Vec<PipelinePlan>,
    /// By their names in the job.
    pub(crate) catalogs: Vec<(String, Arc<dyn Catalog>)>,
}

/// Carries the statements out, unless a drain is requested. A catalog that cannot be reached is waited for.
pub(crate) async fn carry_out(
    files: &[JobFile],
    settings: &Settings,
    env: &Env,
    drain: &Drain,
) -> Result<Opened, Failure> {
    let done = async {
        rehearse(files, settings, env).await?;
        let session = session(files, Mode::Run, settings, env).await?;
        let catalogs = session.catalogs().map(|(name, catalog)| (name.to_owned(), Arc::clone(catalog))).collect();
        Ok(Opened { plans: session.into_plans()?, catalogs })
    };
    tokio::select! {
        biased;
        () = drain.requested() => Ok(Opened::default()),
        done = done => done,
    }
}

/// Resolves everything before anything is created: a mistake in the last statement leaves no table behind. A rehearsal
/// creates nothing, so it may begin anew as often as a catalog cannot be reached.
async fn rehearse(files: &[JobFile], settings: &Settings, env: &Env) -> Result<(), Failure> {
    let backoff = Backoff::try_new(LEAST_WAIT, LONGEST_WAIT).map_err(|why| CommandError::Internal(why.to_string()))?;
    let mut attempt = 0;
    loop {
        // What is worth a log line is said once, when it is done.
        let rehearsal = async { Ok(session(files, Mode::Check, settings, env).await?.into_plans()?) };
        let failure: Failure = match rehearsal.with_subscriber(NoSubscriber::default()).await {
            Ok(_) => return Ok(()),
            Err(failure) => failure,
        };
        if failure.kind() != FailureKind::Transient {
            return Err(failure);
        }
        let wait = backoff.delay(attempt, &env.random);
        attempt += 1;
        warn!(error = failure.text(), ?wait, "the job cannot be opened yet");
        tokio::time::sleep(wait).await;
    }
}

/// The files' statements on top of the catalogs of the settings.
pub(crate) async fn session(files: &[JobFile], mode: Mode, settings: &Settings, env: &Env) -> Result<Session, Failure> {
    let defaults = JobDefaults {
        checkpoint_interval: settings.job.checkpoint_interval,
        parallelism: settings.job.parallelism,
        zone: settings.job.time_zone.zone(),
        storage: settings.stores(),
    };
    let mut session = Session::new(mode, defaults, env.clone());
    for (name, options) in &settings.catalogs {
        let opened = catalogs::open(name, options, settings, env)?;
        session.add_catalog(name, opened.catalog, opened.default_database);
    }
    for file in files {
        session.apply(&file.script, &file.path).await?;
    }
    Ok(session)
}

/// `${NAME}` is an environment variable, `${file:PATH}` a file's text without its last line end.
pub(crate) fn variable(variable: Variable<'_>) -> Result<String, String> {
    match variable {
        Variable::Named(name) => std::env::var(name).map_err(|problem| match problem {
            std::env::VarError::NotPresent => "no such environment variable".to_owned(),
            std::env::VarError::NotUnicode(_) => "the environment variable is not UTF-8".to_owned(),
        }),
        Variable::File(path) => match std::fs::read_to_string(path) {
            Ok(text) => {
                Ok(text.strip_suffix('\n').map_or(text.as_str(), |text| text.trim_end_matches('\r')).to_owned())
            }
            Err(problem) => Err(problem.to_string()),
        },
    }
}
