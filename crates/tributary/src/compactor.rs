//! `tributary compactor`: settings, log, catalogs, history, port, worker, drain, exit code, in this order. The same worker
//! goes along with a job: see [`crate::run`].

mod face;
mod names;

use std::num::NonZeroUsize;
use std::sync::Arc;

use prometheus::Registry;
use tracing::info;
use tributary_compact::worker::{HistoryBounds, Maintenance, Policy, Worker, WorkerMetrics, WorkerSetup};
use tributary_http::{Faces, HttpConfig, Server};
use tributary_runtime::{Clock, Drain, Executor, Supervisor, SystemClock};

pub(crate) use face::RunsFace;
use face::Sidecar;
pub(crate) use names::Names;

use crate::args::CompactorArguments;
use crate::failure::{CommandError, Failure};
use crate::heartbeat::Heartbeat;
use crate::log::Console;
use crate::settings::Settings;
use crate::signals::Signals;
use crate::{catalogs, compact, environment, process, run, runtime};

/// Works until a signal comes.
pub(crate) fn compactor(arguments: &CompactorArguments) -> Result<(), Failure> {
    let flags = [("--listen", "compactor", "listen", &arguments.listen)];
    let settings = Settings::load(&arguments.settings, &arguments.catalog, &flags)?;
    let console = Console::start(&settings.log)?;
    sidecar(&settings).map_err(|failure| failure.told(&console))
}

fn sidecar(settings: &Settings) -> Result<(), Failure> {
    run::announce(settings);
    let admin_token = settings.admin_token()?;
    if settings.policies.is_empty() && admin_token.is_none() {
        return Err(Failure::usage(
            "there would be nothing to do: add a [[compactor.policy]] to the settings (--config FILE), or set \
             http.admin-token to start runs over HTTP",
        ));
    }
    let registry = Registry::new();
    let twice = |problem: prometheus::Error| CommandError::Internal(problem.to_string());
    process::register(&registry).map_err(twice)?;
    let metrics = WorkerMetrics::register(&registry).map_err(twice)?;
    let (drain, heartbeat, face) = (Drain::new(), Heartbeat::start(), Arc::new(RunsFace::default()));
    let runtime = runtime()?;
    let env = environment(Executor::inline())?;
    let mut opened = Vec::new();
    for (name, options) in &settings.catalogs {
        opened.push((name.clone(), catalogs::open(name, options, settings, &env)?.catalog));
    }
    let worker = worker(settings, Names::new(opened), metrics, &face)?;
    let sidecar = Sidecar {
        heartbeat: heartbeat.clone(),
        drain: drain.clone(),
        runs: Arc::clone(&face),
        started_millis: SystemClock.now_millis(),
    };
    let http = HttpConfig { listen: settings.compactor.listen, setting: "compactor.listen", admin_token };
    let faces = Faces { status: Arc::new(sidecar), admin: None, runs: Some(face) };
    let server = Server::bind(http, registry, faces)?;
    let deadline = settings.job.drain_deadline;
    let done = runtime.block_on(async {
        let mut attendants: Supervisor<CommandError> = Supervisor::new();
        attendants.spawn("signals", run::forever(Signals::listen()?.pass_on(drain.clone(), deadline)));
        attendants.spawn("heartbeat", run::forever(heartbeat.beat()));
        tokio::select! {
            () = worker.run(&drain) => Ok(()),
            failed = attendants.join() => Ok(failed?),
            () = run::overdue(&drain) => Err(CommandError::RunsLeft.into()),
        }
    });
    runtime.shutdown_background();
    server.shutdown();
    if done.is_ok() {
        info!("done");
    }
    done
}

/// The worker of these settings, on these catalogs; `face` answers for it from now on.
pub(crate) fn worker(
    settings: &Settings,
    names: Names,
    metrics: WorkerMetrics,
    face: &RunsFace,
) -> Result<Worker, Failure> {
    let names = Arc::new(names);
    let mut policies = Vec::new();
    for policy in &settings.policies {
        for table in &policy.tables {
            let resolved = names.resolve(table);
            policies.push(Policy {
                table: resolved.map_err(|why| Failure::usage(format!("{}: {}", policy.place, why.text())))?,
                action: policy.action.clone(),
                arguments: policy.arguments.clone(),
                trigger: policy.trigger.clone(),
            });
        }
    }
    let own = &settings.compactor;
    let places =
        own.threads.unwrap_or_else(|| NonZeroUsize::new(crate::cores().get() / 2).unwrap_or(NonZeroUsize::MIN));
    // A job in the same process comes first, and so does one beside it.
    let executor = Executor::try_background_threads(places)
        .map_err(|source| CommandError::Io { doing: "start the compactor's threads".to_owned(), source })?;
    let env = environment(executor)?;
    let perform = Maintenance {
        tables: Arc::clone(&names) as _,
        env: env.clone(),
        resources: compact::resources(settings, places),
        metrics: metrics.clone(),
    };
    info!(policies = policies.len(), places, history = own.history.is_some(), "compactor");
    let worker = Worker::try_new(WorkerSetup {
        policies,
        perform: Arc::new(perform),
        env,
        metrics,
        places,
        history: own.history.as_deref(),
        bounds: HistoryBounds { runs: own.history_runs.get(), age: own.history_age },
    })?;
    face.opened(worker.handle(), names);
    Ok(worker)
}
