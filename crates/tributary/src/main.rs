//! `tributary`: arguments, settings, wiring, signals. Everything else lives in the other crates.

mod args;
mod catalogs;
mod failure;
mod log;
mod process;
mod reference;
mod settings;
mod table;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use tributary_runtime::{Env, Executor, Random, SystemClock};

use args::{Arguments, Command, TableArguments};
use failure::{CommandError, Failure};
use settings::Settings;

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Run(_) | Command::Check(_) => Err(Failure::usage("not wired yet")),
        Command::Table(arguments) => table(arguments),
        Command::Reference { page } => {
            print!("{}", reference::page(page));
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print();
            failure.exit_code()
        }
    }
}

fn table(arguments: TableArguments) -> Result<(), Failure> {
    let query = arguments.verb.query();
    let settings = Settings::load(&query.settings, &query.catalog, &[])?;
    log::Console::start(&settings.log)?;
    runtime()?.block_on(table::print(arguments.verb, &settings, &env(Executor::inline())?))
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let built = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    built.map_err(|source| CommandError::Io { doing: "start the runtime".to_owned(), source }.into())
}

fn env(executor: Executor) -> Result<Env, Failure> {
    let random = Random::try_from_os()
        .map_err(|problem| CommandError::Internal(format!("the system has no randomness: {problem}")))?;
    Ok(Env { clock: Arc::new(SystemClock), random, executor })
}
