//! `tributary check`: would it run? One line a section, and the exit code of the first that failed.

use std::io::{self, Write};
use std::path::Path;

use paimon_catalog::Catalog as _;
use paimon_table::probe::probe_create_if_absent;
use tributary_job::Mode;
use tributary_runtime::{Drain, Env};

use crate::args::CheckArguments;
use crate::catalogs;
use crate::failure::{CommandError, Failure};
use crate::settings::{CatalogOptions, Settings};
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
        tell(&format!("catalog {name}"), catalog(name, options, settings, &env).await)?;
    }
    if !arguments.files.is_empty() {
        let files = statements::read(&arguments.files)?;
        match statements::carry_out(&files, Mode::Check, settings, &env, &Drain::new()).await {
            Ok(plans) => {
                for plan in plans {
                    tell(&format!("pipeline {}", plan.id()), Ok(format!("fills {}", plan.table())))?;
                }
            }
            Err(failure) => tell("statements", Err(failure))?,
        }
    }
    first_failure.map_or(Ok(()), Err)
}

/// Opens the catalog, lists it, and asks its store for the promise that commits rest on.
async fn catalog(name: &str, options: &CatalogOptions, settings: &Settings, env: &Env) -> Result<String, Failure> {
    let catalog = catalogs::open(name, options, settings, env)?;
    let databases = catalog.list_databases().await?.len();
    let warehouse = options.get("warehouse").map_or("", String::as_str);
    if databases == 0 && !warehouse.contains(':') && !Path::new(warehouse).exists() {
        // The probe would make the folder.
        return Ok(format!("{warehouse} does not exist yet; it is made with its first table, and not probed before"));
    }
    probe_create_if_absent(catalog.storage(), &env.random).await?;
    Ok(format!("{databases} databases; the store creates files only if absent"))
}
