//! `tributary catalog serve`: settings, log, who may ask, port, catalog, drain, exit code, in this order.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use paimon_table::store::Storage;
use prometheus::Registry;
use tracing::{info, warn};
use tributary_catalog_server::{Access, CatalogMetrics, CatalogServer, RedbLedger, Service, Setup};
use tributary_http::listen;
use tributary_runtime::{Drain, Executor, Supervisor};
use tributary_statement::Variable;

use crate::args::{CatalogVerb, ServeArguments};
use crate::failure::{CommandError, Failure};
use crate::log::Console;
use crate::settings::{Server, Settings};
use crate::signals::Signals;
use crate::{catalogs, environment, process, runtime, statements};

/// In a warehouse that is a folder.
const DATABASE: &str = ".tributary/catalog.redb";

/// Serves until a signal comes.
pub(crate) fn serve(verb: &CatalogVerb) -> Result<(), Failure> {
    let CatalogVerb::Serve(arguments) = verb;
    let flags = [("--listen", "server", "listen", &arguments.listen)];
    let settings = Settings::load(&arguments.settings, &arguments.catalog, &flags)?;
    let console = Console::start(&settings.log)?;
    open_and_serve(arguments, &settings).map_err(|failure| failure.told(&console))
}

fn open_and_serve(arguments: &ServeArguments, settings: &Settings) -> Result<(), Failure> {
    let access = access(&settings.server)?;
    // One thread writes the database; the catalog's own work is waiting for the store.
    let executor = Executor::try_threads(NonZeroUsize::MIN).map_err(io("start a thread"))?;
    let env = environment(executor.clone())?;
    let warehouse = catalogs::warehouse(settings, &env)?;
    let name = name(arguments, &warehouse)?;
    let database = database(&settings.server, &warehouse)?;
    let registry = Registry::new();
    let twice = |problem: prometheus::Error| CommandError::Internal(problem.to_string());
    process::register(&registry).map_err(twice)?;
    let metrics = CatalogMetrics::register(&registry).map_err(twice)?;
    let listener = listen(settings.server.listen, "server.listen")?;
    let address = listener.local_addr().map_err(io("ask for the server's address"))?;
    let drain = Drain::new();
    let runtime = runtime()?;
    let done = runtime.block_on(async {
        let mut attendants: Supervisor<CommandError> = Supervisor::new();
        let (signals, drained) = (Signals::listen()?, drain.clone());
        let deadline = settings.job.drain_deadline;
        attendants.spawn("signals", async move {
            signals.pass_on(drained, deadline).await;
            Ok(())
        });
        let ledger = Arc::new(RedbLedger::try_open(&database, executor)?);
        let setup = Setup { warehouse, name: name.clone(), import: arguments.import, ledger, env, metrics };
        let service = Arc::new(Service::open(setup).await?);
        info!(listen = %address, warehouse = name, database = %database.display(), open = access.is_open(), "catalog server listens");
        let server = CatalogServer { service, access, registry };
        tokio::select! {
            served = server.serve(listener, drain.clone()) => Ok(served.map_err(io("serve"))?),
            failed = attendants.join() => Ok(failed?),
            () = drain.expired() => Err(CommandError::NotDrained.into()),
        }
    });
    runtime.shutdown_background();
    if done.is_ok() {
        info!("done");
    }
    done
}

/// Who may ask. Whoever can reach this machine alone needs no token.
fn access(server: &Server) -> Result<Access, Failure> {
    match (&server.token, &server.access_file) {
        (Some(_), Some(_)) => Err(Failure::usage("set server.token or server.access-file, not both")),
        (Some(token), None) => Ok(Access::single(token.clone())),
        (None, Some(path)) => {
            let unreadable = |why: String| Failure::usage(format!("server.access-file {}: {why}", path.display()));
            let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
            Access::from_toml(&text, &secret).map_err(|error| unreadable(error.to_string()))
        }
        (None, None) if server.listen.ip().is_loopback() => {
            warn!(
                "anybody on this machine may read and change this catalog: no token is set (server.token, server.access-file)"
            );
            Ok(Access::Open)
        }
        (None, None) => Err(Failure::usage(format!(
            "{} can be reached from other machines, and no token is set; set TRIBUTARY_SERVER__TOKEN or server.access-file, or listen on 127.0.0.1",
            server.listen
        ))),
    }
}

/// What stands for a secret in the access file, as in a statement: the environment's or a file's.
fn secret(inside: &str) -> Result<String, String> {
    let variable = Variable::parse(inside).ok_or_else(|| "write ${NAME} or ${file:PATH}".to_owned())?;
    statements::variable(variable)
}

/// The last part of the warehouse's path, unless told.
fn name(arguments: &ServeArguments, warehouse: &Storage) -> Result<String, Failure> {
    let last = || warehouse.root.parts().next_back().map(|part| part.as_ref().to_owned());
    let name = arguments.name.clone().or_else(last).filter(|name| !name.trim().is_empty());
    name.ok_or_else(|| Failure::usage("this warehouse has no name of its own; say one with --name"))
}

fn database(server: &Server, warehouse: &Storage) -> Result<PathBuf, Failure> {
    let location = warehouse.location(DATABASE);
    match &server.database {
        Some(path) => Ok(path.clone()),
        None if location.starts_with('/') => Ok(location.into()),
        None => Err(Failure::usage(
            "this warehouse is no local folder, so its database needs a place: set server.database to a file on a local disk that is kept",
        )),
    }
}

fn io(doing: &str) -> impl FnOnce(std::io::Error) -> CommandError + use<> {
    let doing = doing.to_owned();
    move |source| CommandError::Io { doing, source }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::settings::Layers;

    #[test]
    fn only_loopback_is_open_without_a_token() {
        for (listen, token, admitted) in [
            ("127.0.0.1:0", None, true),
            ("[::1]:0", None, true),
            ("0.0.0.0:9190", None, false),
            ("192.0.2.1:9190", None, false),
            ("0.0.0.0:9190", Some("secret"), true),
        ] {
            let mut layers = Layers::default();
            layers.flag("--listen", "server", "listen", listen).unwrap();
            if let Some(token) = token {
                layers.flag("--set", "server", "token", token).unwrap();
            }
            let settings = Settings::try_new(&layers).unwrap();
            let access = access(&settings.server);
            assert_eq!(access.is_ok(), admitted, "{listen}");
            assert_eq!(access.is_ok_and(|access| access.is_open()), admitted && token.is_none(), "{listen}");
        }
    }
}
