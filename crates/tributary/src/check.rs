//! `tributary check`: would it run? One line a section, and the exit code of the first that failed.

use std::io::{self, Write};

use paimon_catalog::Catalog;
use tributary_job::{Mode, PipelinePlan, Prospect};
use tributary_runtime::Env;

use crate::args::CheckArguments;
use crate::catalogs;
use crate::failure::{CommandError, Failure};
use crate::settings::Settings;
use crate::statements;

/// Settings are sound when this is reached.
pub(crate) async fn check(arguments: &CheckArguments, settings: &Settings, env: Env) -> Result<(), Failure> {
    settings.admin_token()?;
    let mut first_failure = None;
    let mut tell = |name: &str, outcome: Result<String, Failure>| -> Result<(), Failure> {
        let line = match &outcome {
            Ok(detail) => format!("ok      {name}: {detail}"),
            Err(failure) => format!("FAILED  {name}: {}", failure.text()),
        };
        if let Err(failure) = outcome {
            first_failure.get_or_insert(failure.silent());
        }
        writeln!(io::stdout(), "{line}")
            .map_err(|source| CommandError::Io { doing: "write to standard output".to_owned(), source }.into())
    };
    let config = arguments.settings.config.as_ref();
    let from = config.map_or_else(|| "no settings file".to_owned(), |path| path.display().to_string());
    tell("settings", Ok(from))?;
    for (name, options) in &settings.catalogs {
        let outcome = match catalogs::open(name, options, settings, &env) {
            Ok(opened) => probe(&*opened.catalog, &env).await,
            Err(failure) => Err(failure),
        };
        tell(&format!("catalog {name}"), outcome)?;
    }
    if !arguments.files.is_empty() {
        let outcome = match statements::read(&arguments.files) {
            Ok(files) => statements::session(&files, Mode::Check, settings, &env).await,
            Err(failure) => Err(failure),
        };
        match outcome {
            Err(failure) => tell("statements", Err(failure))?,
            Ok(session) => {
                for (name, catalog) in session.catalogs().filter(|(name, _)| !settings.catalogs.contains_key(*name)) {
                    tell(&format!("catalog {name}"), probe(&**catalog, &env).await)?;
                }
                match session.into_plans() {
                    Err(error) => tell("statements", Err(error.into()))?,
                    Ok(plans) => {
                        for plan in plans {
                            tell(&format!("pipeline {}", plan.id()), pipeline(&plan, &env).await)?;
                        }
                    }
                }
            }
        }
    }
    first_failure.map_or(Ok(()), Err)
}

/// Lists the catalog, and asks for the promise that commits rest on.
async fn probe(catalog: &dyn Catalog, env: &Env) -> Result<String, Failure> {
    let databases = catalog.list_databases().await?.len();
    let found = catalog.probe(&env.random).await?;
    let plural = if databases == 1 { "" } else { "s" };
    Ok(format!("{databases} database{plural}; {found}"))
}

/// What its start would meet.
async fn pipeline(plan: &PipelinePlan, env: &Env) -> Result<String, Failure> {
    let table = plan.table();
    Ok(match plan.check(env).await? {
        Prospect::NewTable => format!("creates {table} and fills it"),
        Prospect::FirstStart => format!("fills {table}; its first start, the source is read from the beginning"),
        Prospect::After(snapshot) => format!("fills {table}; goes on after snapshot {}", snapshot.0),
    })
}
