//! `tributary run`: settings, log, port, job, drain, exit code, in this order.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::FusedFuture;
use prometheus::Registry;
use tokio::time::timeout;
use tracing::{error, info, warn};
use tributary_compact::worker::{Worker, WorkerMetrics};
use tributary_http::{Faces, HttpConfig, Server};
use tributary_job::{Job, JobSetup};
use tributary_runtime::{Clock, Drain, Executor, Supervisor, SystemClock};
use tributary_sink::SinkMetrics;

use crate::args::RunArguments;
use crate::compactor::{self, Names, RunsFace};
use crate::daemon::Daemon;
use crate::expiries::Expiries;
use crate::failure::{CommandError, Failure};
use crate::heartbeat::Heartbeat;
use crate::log::Console;
use crate::settings::Settings;
use crate::signals::Signals;
use crate::{build, cores, environment, process, progress, runtime, statements};

/// What the job may take beyond the drain deadline, or after a second signal, before it is left behind.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Time for the compactor's runs to stop after the job has ended.
const RUNS_STOP: Duration = Duration::from_secs(10);

/// Runs until the sources end or a signal comes.
pub(crate) fn run(arguments: &RunArguments) -> Result<(), Failure> {
    let settings = Settings::load(
        &arguments.settings,
        &arguments.catalog,
        &[
            ("--listen", "http", "listen", &arguments.listen),
            ("--memory-limit", "memory", "limit", &arguments.memory_limit),
        ],
    )?;
    let console = Console::start(&settings.log)?;
    daemon(arguments, &settings, &console).map_err(|failure| failure.told(&console))
}

fn daemon(arguments: &RunArguments, settings: &Settings, console: &Console) -> Result<(), Failure> {
    announce(settings);
    let files = statements::read(&arguments.files)?;
    let registry = Registry::new();
    let twice = |problem: prometheus::Error| CommandError::Internal(problem.to_string());
    process::register(&registry).map_err(twice)?;
    let expiries = Expiries::register(&registry).map_err(twice)?;
    let metrics = SinkMetrics::register(&registry).map_err(twice)?;
    let compaction =
        settings.compactor.embedded.then(|| WorkerMetrics::register(&registry)).transpose().map_err(twice)?;
    let runs = compaction.is_some().then(|| Arc::new(RunsFace::default()));
    let drain = Drain::new();
    let runtime = runtime()?;
    let heartbeat = Heartbeat::start();
    let daemon = Arc::new(Daemon::new(heartbeat.clone(), drain.clone(), runs.clone(), SystemClock.now_millis()));
    let http =
        HttpConfig { listen: settings.http.listen, setting: "http.listen", admin_token: settings.admin_token()? };
    let faces = Faces {
        status: Arc::clone(&daemon) as _,
        admin: Some(Arc::clone(&daemon) as _),
        runs: runs.clone().map(|runs| runs as _),
    };
    let server = Server::bind(http, registry.clone(), faces)?;

    let done = runtime.block_on(async {
        let mut attendants: Supervisor<CommandError> = Supervisor::new();
        let signals = Signals::listen()?;
        attendants.spawn("signals", forever(signals.pass_on(drain.clone(), settings.job.drain_deadline)));
        attendants.spawn("heartbeat", forever(heartbeat.beat()));
        let job = async {
            let executor = Executor::try_threads(settings.job.parallelism.unwrap_or_else(cores))
                .map_err(|source| CommandError::Io { doing: "start the encoding threads".to_owned(), source })?;
            let env = environment(executor)?;
            let opened = statements::carry_out(&files, settings, &env, &drain).await?;
            expiries.watch(opened.catalogs.iter().cloned());
            let worker = match (compaction, &runs) {
                (Some(metrics), Some(face)) if !drain.is_requested() => {
                    Some(compactor::worker(settings, Names::new(opened.catalogs), metrics, face)?)
                }
                _ => None,
            };
            let job = Job::new(
                opened.plans,
                JobSetup {
                    env,
                    drain: drain.clone(),
                    drain_deadline: settings.job.drain_deadline,
                    memory_bytes: usize::try_from(settings.memory.limit.0).unwrap_or(usize::MAX),
                    metrics,
                },
            );
            daemon.opened(job.handle());
            let show = progress::show(job.handle(), console.status().cloned());
            let job = async {
                tokio::select! {
                    done = job.run() => Ok(done?),
                    () = show => Ok(()),
                }
            };
            beside(worker, &drain, job).await
        };
        tokio::select! {
            done = job => done,
            failed = attendants.join() => Ok(failed?),
            () = overdue(&drain) => Err(CommandError::NotDrained.into()),
        }
    });
    // Whatever still runs after a hard stop must not keep the process.
    runtime.shutdown_background();
    server.shutdown();
    if done.is_ok() {
        info!("done");
    }
    done
}

/// Runs a worker, if there is one, as long as `job` does; its runs stop when a drain is requested or the job has ended.
/// Whatever becomes of the worker, the job goes on, and its end is what counts.
async fn beside<T>(worker: Option<Worker>, drain: &Drain, job: impl Future<Output = T>) -> T {
    let Some(worker) = worker else { return job.await };
    let over = Drain::new();
    let work = async {
        if AssertUnwindSafe(worker.run(&over)).catch_unwind().await.is_err() {
            error!("the compactor has ended by a defect of this program; the job goes on without it");
        }
    };
    let asked = async {
        drain.requested().await;
        over.request(Duration::ZERO);
    };
    let (mut work, mut asked) = (pin!(work.fuse()), pin!(asked.fuse()));
    let mut job = pin!(job);
    let done = loop {
        tokio::select! {
            done = &mut job => break done,
            () = &mut work, if !work.is_terminated() => {}
            () = &mut asked, if !asked.is_terminated() => {}
        }
    };
    over.request(Duration::ZERO);
    if !work.is_terminated() && timeout(RUNS_STOP, work).await.is_err() {
        warn!("a run of the compactor did not stop; what it has not committed is left for remove_orphan_files");
    }
    done
}

/// Says what is in force, secrets masked.
pub(crate) fn announce(settings: &Settings) {
    let shown: Vec<String> = settings.effective().into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let catalogs: Vec<&str> = settings.catalogs.keys().map(String::as_str).collect();
    info!(
        version = build::VERSION,
        commit = build::COMMIT,
        settings = shown.join(" "),
        catalogs = catalogs.join(","),
        "tributary"
    );
}

/// The drain's time is over and the job had its last words.
pub(crate) async fn overdue(drain: &Drain) {
    drain.expired().await;
    tokio::time::sleep(LAST_WORDS).await;
}

/// A task that ends only with its group.
pub(crate) async fn forever(task: impl Future<Output = ()>) -> Result<(), CommandError> {
    task.await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_job_gets_its_deadline_and_a_second_signal_cuts_it_short() {
        for (signals, expected) in [(1, 26), (2, 1)] {
            let drain = Drain::new();
            let start = Instant::now();
            for _ in 0..signals {
                drain.request(Duration::from_secs(25));
            }
            overdue(&drain).await;
            assert_eq!(start.elapsed().as_secs(), expected);
        }
    }
}
