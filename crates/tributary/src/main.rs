//! `tributary`: arguments, settings, wiring, signals. Everything else lives in the other crates.

mod args;
mod build;
mod catalogs;
mod check;
mod compact;
mod compactor;
mod daemon;
mod expiries;
mod failure;
mod health;
mod heartbeat;
mod log;
mod process;
mod progress;
mod reference;
mod run;
mod serve;
mod settings;
mod signals;
mod statements;
mod table;

use std::io::Write;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{CommandFactory, Parser};
use tributary_runtime::{Env, Executor, Random, SystemClock};

use args::{Arguments, CheckArguments, Command, TableVerb};
use failure::{CommandError, Failure};
use log::Console;
use settings::Settings;

/// Threads that wait for files and sockets; encoding has threads of its own ([`Executor`]).
const WORKERS: usize = 2;

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Check(arguments) => check(&arguments),
        Command::Table(arguments) => table(arguments.verb),
        Command::Compact(arguments) => compact::compact(&arguments),
        Command::Compactor(arguments) => compactor::compactor(&arguments),
        Command::Catalog(arguments) => serve::serve(&arguments.verb),
        Command::Health(arguments) => health::health(&arguments),
        Command::Completions(arguments) => print(&completions(arguments.shell)),
        Command::Reference { page } => print(reference::page(page).as_bytes()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print();
            failure.exit_code()
        }
    }
}

fn check(arguments: &CheckArguments) -> Result<(), Failure> {
    let settings = Settings::load(&arguments.settings, &arguments.catalog, &[])?;
    Console::start(&settings.log)?;
    runtime()?.block_on(check::check(arguments, &settings, environment(Executor::inline())?))
}

fn table(verb: TableVerb) -> Result<(), Failure> {
    let (target, _) = verb.asked();
    let settings = Settings::load(&target.settings, &target.catalog, &[])?;
    Console::start(&settings.log)?;
    runtime()?.block_on(table::print(verb, &settings, &environment(Executor::inline())?))
}

fn completions(shell: clap_complete::Shell) -> Vec<u8> {
    let (mut command, mut script) = (Arguments::command(), Vec::new());
    let name = command.get_name().to_owned();
    clap_complete::generate(shell, &mut command, name, &mut script);
    script
}

fn print(text: &[u8]) -> Result<(), Failure> {
    let written = std::io::stdout().write_all(text);
    Ok(written.map_err(|source| CommandError::Io { doing: "write to standard output".to_owned(), source })?)
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let workers = std::thread::available_parallelism().map_or(WORKERS, |cores| WORKERS.min(NonZeroUsize::get(cores)));
    let built =
        tokio::runtime::Builder::new_multi_thread().worker_threads(workers).thread_name("io").enable_all().build();
    Ok(built.map_err(|source| CommandError::Io { doing: "start the runtime".to_owned(), source })?)
}

/// The machine's clock and randomness.
fn environment(executor: Executor) -> Result<Env, Failure> {
    let random = Random::try_from_os()
        .map_err(|problem| CommandError::Internal(format!("the system has no randomness to give: {problem}")))?;
    Ok(Env { clock: Arc::new(SystemClock), random, executor })
}

/// Container limits are honoured by the standard library.
fn cores() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}
