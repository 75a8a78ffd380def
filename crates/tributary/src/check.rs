//! `tributary check`: would it run, and for how long? One line a finding, and the exit code of the first that failed.

mod advice;

use std::io::{self, Write};
use std::sync::Arc;

use paimon_catalog::Catalog;
use tributary_job::{Mode, PipelinePlan, Prospect, Session};
use tributary_runtime::Env;

use self::advice::Verdict;
use crate::args::CheckArguments;
use crate::catalogs;
use crate::failure::{CommandError, Failure};
use crate::settings::Settings;
use crate::statements;

/// What was told, and what the process ends with.
#[derive(Default)]
struct Report {
    first_failure: Option<Failure>,
}

/// Settings are sound when this is reached.
pub(crate) async fn check(arguments: &CheckArguments, settings: &Settings, env: Env) -> Result<(), Failure> {
    settings.admin_token()?;
    let mut report = Report::default();
    let config = arguments.settings.config.as_ref();
    let from = config.map_or_else(|| "no settings file".to_owned(), |path| path.display().to_string());
    report.tell("settings", Verdict::Ok(from))?;
    report.tell("port", advice::port(settings.http.listen, "http.listen"))?;
    if !settings.policies.is_empty() && !settings.compactor.embedded {
        report.tell("port of the compactor", advice::port(settings.compactor.listen, "compactor.listen"))?;
    }
    let mut reached = Vec::new();
    for (name, options) in &settings.catalogs {
        match catalogs::open(name, options, settings, &env) {
            Ok(opened) => {
                report.catalog(name, &*opened.catalog, &env).await?;
                reached.push((name.clone(), opened.catalog));
            }
            Err(failure) => report.tell(&format!("catalog {name}"), Verdict::Failed(failure))?,
        }
    }
    if !arguments.files.is_empty() {
        let outcome = match statements::read(&arguments.files) {
            Ok(files) => statements::session(&files, Mode::Check, settings, &env).await,
            Err(failure) => Err(failure),
        };
        match outcome {
            Err(failure) => report.tell("statements", Verdict::Failed(failure))?,
            Ok(session) => {
                for (name, catalog) in session.catalogs().filter(|(name, _)| !settings.catalogs.contains_key(*name)) {
                    report.catalog(name, &**catalog, &env).await?;
                    reached.push((name.to_owned(), Arc::clone(catalog)));
                }
                report.pipelines(session, &env).await?;
            }
        }
    }
    // Last: by now whoever hands out credentials was asked for them.
    for (name, catalog) in reached {
        if let Some(end) = catalog.credentials_expire_at_millis() {
            let left = end.saturating_sub(env.clock.now_millis());
            report.tell(&format!("credentials of {name}"), advice::credentials(left))?;
        }
    }
    report.first_failure.map_or(Ok(()), Err)
}

// === impl Report ===

impl Report {
    fn tell(&mut self, name: &str, verdict: Verdict) -> Result<(), Failure> {
        let line = match verdict {
            Verdict::Ok(detail) => format!("ok      {name}: {detail}"),
            Verdict::Warning(detail) => format!("WARNING {name}: {detail}"),
            Verdict::Failed(failure) => {
                let line = format!("FAILED  {name}: {}", advice::with_remedy(failure.text(), failure.kind()));
                self.first_failure.get_or_insert(failure.silent());
                line
            }
        };
        writeln!(io::stdout(), "{line}")
            .map_err(|source| CommandError::Io { doing: "write to standard output".to_owned(), source }.into())
    }

    /// Lists the catalog, and asks for the promise that commits rest on.
    async fn catalog(&mut self, name: &str, catalog: &dyn Catalog, env: &Env) -> Result<(), Failure> {
        let asked = async {
            let databases = catalog.list_databases().await?.len();
            Ok((databases, catalog.probe(&env.random).await?))
        };
        let (databases, probe) = match asked.await {
            Ok(found) => found,
            Err(failure) => return self.tell(&format!("catalog {name}"), Verdict::Failed(failure)),
        };
        let plural = if databases == 1 { "" } else { "s" };
        let found = format!("{databases} database{plural}; {}", probe.promise);
        self.tell(&format!("catalog {name}"), Verdict::Ok(found))?;
        if let Some(bytes) = probe.free_bytes {
            self.tell(&format!("disk of {name}"), advice::disk(bytes))?;
        }
        if let Some(millis) = probe.clock_ahead_millis {
            self.tell(&format!("clock of {name}"), advice::clock(millis))?;
        }
        Ok(())
    }

    async fn pipelines(&mut self, session: Session, env: &Env) -> Result<(), Failure> {
        match session.into_plans() {
            Err(error) => self.tell("statements", Verdict::Failed(error.into())),
            Ok(plans) => {
                for plan in plans {
                    self.tell(&format!("pipeline {}", plan.id()), prospect(&plan, env).await)?;
                }
                Ok(())
            }
        }
    }
}

/// What a start would meet.
async fn prospect(plan: &PipelinePlan, env: &Env) -> Verdict {
    let table = plan.table();
    match plan.check(env).await {
        Ok(Prospect::NewTable) => Verdict::Ok(format!("creates {table} and fills it")),
        Ok(Prospect::FirstStart) => {
            Verdict::Ok(format!("fills {table}; its first start, the source is read from the beginning"))
        }
        Ok(Prospect::After(snapshot)) => Verdict::Ok(format!("fills {table}; goes on after snapshot {}", snapshot.0)),
        Err(error) => Verdict::Failed(error.into()),
    }
}
