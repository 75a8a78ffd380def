//! Which compactions are wanted: that of the flags, or those of pasted `CALL sys.compact(…)` statements.

use std::collections::BTreeMap;
use std::sync::Arc;

use paimon_catalog::{Catalog, TableIdentifier};
use paimon_table::table::Table;
use tributary_compact::{ArgumentError, Arguments, Request};
use tributary_job::{JobError, Mode, PlannedCall};
use tributary_runtime::Env;
use tributary_statement::{OptionEntry, Span};

use crate::args::CompactArguments;
use crate::catalogs;
use crate::failure::Failure;
use crate::settings::Settings;
use crate::statements::{self, JobFile};

/// One compaction of one table.
pub(super) struct Wanted {
    pub(super) table: Table,
    pub(super) request: Request,
}

/// In order.
pub(super) async fn wanted(
    arguments: &CompactArguments,
    settings: &Settings,
    env: &Env,
) -> Result<Vec<Wanted>, Failure> {
    let script = match (&arguments.execute, &arguments.file, &arguments.table) {
        (Some(text), _, _) => JobFile::parse("-e".into(), text)?,
        (_, Some(path), _) => JobFile::read(path)?,
        (_, _, Some(table)) => {
            let table = catalogs::table(settings, table, None, env).await?;
            let told =
                |error: ArgumentError| Failure::usage(format!("--{}: {}", error.key.replace('_', "-"), error.why));
            let given = Arguments::try_new(arguments.given()).map_err(told)?;
            let table = table.with_options(&given.options().map_err(told)?)?;
            let request = given.request(table.schema()).map_err(told)?;
            return Ok(vec![Wanted { table, request }]);
        }
        _ => return Err(Failure::usage("say what to compact: --table, -e or -f")),
    };
    // Nothing is created: what is compacted is there.
    let session = statements::session(&[script], Mode::Check, settings, env).await?;
    let catalogs: BTreeMap<String, Arc<dyn Catalog>> =
        session.catalogs().map(|(name, catalog)| (name.to_owned(), Arc::clone(catalog))).collect();
    let calls = session.into_calls()?;
    if calls.is_empty() {
        return Err(Failure::usage("there is no CALL; write CALL sys.compact(table => 'DATABASE.TABLE')"));
    }
    let mut all = Vec::with_capacity(calls.len());
    for call in &calls {
        all.push(Called { call, catalogs: &catalogs }.wanted().await?);
    }
    Ok(all)
}

/// A CALL and the catalogs it may name.
struct Called<'a> {
    call: &'a PlannedCall,
    catalogs: &'a BTreeMap<String, Arc<dyn Catalog>>,
}

// === impl Called ===

impl Called<'_> {
    async fn wanted(&self) -> Result<Wanted, Failure> {
        let catalog = self.procedure()?;
        let Some(named) = self.call.call.arguments.get("table") else {
            return Err(self.refuse(self.call.span, "no table is named", "write table => 'DATABASE.TABLE'"));
        };
        let (catalog, identifier) = self.table(catalog, named)?;
        let table = catalog.load_table(&identifier).await?;
        let others = self.call.call.arguments.iter().filter(|entry| entry.key.value != "table");
        let others = others.map(|entry| (entry.key.value.clone(), entry.value.expose().to_owned()));
        let given = Arguments::try_new(others).map_err(|error| self.told(error))?;
        let table = table.with_options(&given.options().map_err(|error| self.told(error))?)?;
        let request = given.request(table.schema()).map_err(|error| self.told(error))?;
        Ok(Wanted { table, request })
    }

    /// The catalog that `[catalog.]sys.compact` names.
    fn procedure(&self) -> Result<Option<&str>, Failure> {
        let names: Vec<&str> = self.call.call.procedure.parts.iter().map(|part| part.value.as_str()).collect();
        match names.as_slice() {
            ["sys", "compact"] => Ok(None),
            [catalog, "sys", "compact"] => Ok(Some(catalog)),
            _ => Err(self.refuse(self.call.span, "there is no such procedure here", "there is sys.compact")),
        }
    }

    /// `[[catalog.]database.]table`, as the names in use complete it.
    fn table(
        &self,
        catalog: Option<&str>,
        named: &OptionEntry,
    ) -> Result<(&Arc<dyn Catalog>, TableIdentifier), Failure> {
        let place = named.value.span();
        let parts = catalogs::split(named.value.expose())?;
        let in_use = catalog.or(self.call.catalog.as_deref());
        let (catalog, database, table) = match parts.as_slice() {
            [table] => (in_use, self.call.database.as_str(), table),
            [database, table] => (in_use, database.as_str(), table),
            [catalog, database, table] => (Some(catalog.as_str()), database.as_str(), table),
            _ => return Err(self.refuse(place, "this is not the name of a table", "write DATABASE.TABLE")),
        };
        let found = match catalog {
            Some(name) => self.catalogs.get(name),
            None => self.catalogs.values().next().filter(|_| self.catalogs.len() == 1),
        };
        let found = found.ok_or_else(|| {
            let names: Vec<&str> = self.catalogs.keys().map(String::as_str).collect();
            let help = match names.as_slice() {
                [] => "say --warehouse URL, or begin with CREATE CATALOG".to_owned(),
                names => format!("the catalogs are {}; USE CATALOG chooses one", names.join(", ")),
            };
            match catalog {
                Some(name) => self.refuse(place, &format!("there is no catalog `{name}`"), &help),
                None => self.refuse(place, "no catalog is in use", &help),
            }
        })?;
        Ok((found, TableIdentifier::new(database, table.as_str())))
    }

    fn told(&self, error: ArgumentError) -> Failure {
        let entry = self.call.call.arguments.get(&error.key);
        let span = entry.map_or(self.call.span, |entry| entry.value.span());
        let text = entry.map_or_else(|| error.to_string(), |entry| entry.value.masked(error.to_string()));
        JobError::Statement(self.call.source.error(span, text)).into()
    }

    fn refuse(&self, span: Span, message: &str, help: &str) -> Failure {
        JobError::Statement(self.call.source.error(span, message).with_help(help)).into()
    }
}
