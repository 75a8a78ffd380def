//! A session interprets statements in order: catalogs open, databases and tables appear, and every
//! INSERT becomes a [`PipelinePlan`].
//!
//! Settings (SET) and the names in use (USE) last to the end of their file; catalogs and temporary tables
//! stay for the files after it. A check ([`Mode::Check`]) resolves the same way but creates nothing.
//!
//! Each statement is carried out once: one that fails because a catalog cannot be reached is tried again by itself, and
//! nothing before it is repeated. `create` and `insert` hold the statements that do most.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use paimon_catalog::{Catalog, TableIdentifier};
use paimon_format::TableSchema;
use tributary_runtime::{Backoff, Classify, Env, FailureKind};
use tributary_statement::{Call, DropTable, Ident, ObjectName, Script, Source, Span, Spanned, Statement, nearest};

use crate::catalogs::OpenedCatalog;
use crate::error::JobError;
use crate::expr::bind::BindError;
use crate::pipeline::PipelinePlan;
use crate::place::Place;
use crate::settings::{JobDefaults, Settings};
use crate::sources::TemporaryTable;

/// Whether statements are carried out or only checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Databases and tables are created.
    Run,
    /// Nothing is created; a table that would be is taken as if it were there.
    Check,
}

/// Names of the catalog and database in use before any USE, as in Flink. Only temporary tables live there.
const DEFAULT_CATALOG: &str = "default_catalog";
const DEFAULT_DATABASE: &str = "default_database";

const LEAST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// The state that statements build up.
pub struct Session {
    pub(crate) mode: Mode,
    pub(crate) env: Env,
    pub(crate) defaults: JobDefaults,
    pub(crate) catalogs: BTreeMap<String, CatalogEntry>,
    pub(crate) temporary: BTreeMap<FullName, TemporaryTable>,
    /// Tables a check would have created.
    pub(crate) imagined: BTreeMap<FullName, Arc<TableSchema>>,
    pub(crate) series: BTreeMap<(String, TableIdentifier), Series>,
    pub(crate) plans: Vec<PipelinePlan>,
    calls: Vec<PlannedCall>,
    files: Vec<String>,
}

/// A CALL, with the names in use where it stands. Which procedures there are is for whoever carries it out.
#[derive(Clone, Debug)]
pub struct PlannedCall {
    /// What is called.
    pub call: Call,
    /// Where it stands.
    pub span: Span,
    /// The text it stands in.
    pub source: Arc<Source>,
    /// The catalog in use; `None` before any USE CATALOG.
    pub catalog: Option<String>,
    /// The database in use.
    pub database: String,
}

/// A catalog by its name in the job.
pub(crate) struct CatalogEntry {
    pub(crate) catalog: Arc<dyn Catalog>,
    /// The database that names without one mean while this catalog is in use.
    pub(crate) default_database: String,
    /// What was opened, and the number of the file whose CREATE CATALOG did it.
    pub(crate) created: Option<(usize, OpenedCatalog)>,
}

/// The INSERTs of one pipeline name into one table.
#[derive(Clone)]
pub(crate) struct Series {
    /// Where the first one stands.
    pub(crate) first: String,
    /// The number of its file.
    pub(crate) file: usize,
    /// How many there are.
    pub(crate) count: usize,
}

/// Catalog, database, table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FullName {
    pub(crate) catalog: String,
    pub(crate) table: TableIdentifier,
}

/// One file being interpreted.
pub(crate) struct Run<'a> {
    pub(crate) session: &'a mut Session,
    pub(crate) source: &'a Arc<Source>,
    pub(crate) folder: &'a Path,
    pub(crate) stem: String,
    /// Counted from 0.
    pub(crate) file: usize,
    pub(crate) settings: Settings,
    catalog: String,
    database: String,
    /// The statement being carried out was sent to a catalog before, and whether that did it is not known.
    pub(crate) is_unanswered: bool,
}

pub(crate) type Result<T, E = JobError> = std::result::Result<T, E>;

// === impl Session ===

impl Session {
    /// A session without catalogs.
    pub fn new(mode: Mode, defaults: JobDefaults, env: Env) -> Self {
        Self {
            mode,
            env,
            defaults,
            catalogs: BTreeMap::new(),
            temporary: BTreeMap::new(),
            imagined: BTreeMap::new(),
            series: BTreeMap::new(),
            plans: Vec::new(),
            calls: Vec::new(),
            files: Vec::new(),
        }
    }

    /// Adds a catalog that is there before the first statement.
    pub fn add_catalog(
        &mut self,
        name: impl Into<String>,
        catalog: Arc<dyn Catalog>,
        default_database: impl Into<String>,
    ) {
        let default_database = default_database.into();
        self.catalogs.insert(name.into(), CatalogEntry { catalog, default_database, created: None });
    }

    /// Interprets the statements of one file. `path` gives the pipelines their default name (its stem) and
    /// relative warehouses their folder.
    ///
    /// In [`Mode::Run`] a statement for which a catalog cannot be reached is tried again until it can, for ever; whoever
    /// has waited enough drops the future.
    ///
    /// # Errors
    /// The first statement that cannot be followed; what those before it created stays.
    pub async fn apply(&mut self, script: &Script, path: &Path) -> Result<()> {
        let stem = path.file_stem().map_or_else(|| "job".into(), |stem| stem.to_string_lossy().into_owned());
        let file = self.files.len();
        self.files.push(script.source.name().to_owned());
        let backoff = Backoff::try_new(LEAST_WAIT, LONGEST_WAIT)?;
        let mut run = Run {
            settings: Settings::new(self.defaults.clone()),
            session: self,
            source: &script.source,
            folder: path.parent().unwrap_or(Path::new("")),
            stem,
            file,
            is_unanswered: false,
            catalog: DEFAULT_CATALOG.to_owned(),
            database: DEFAULT_DATABASE.to_owned(),
        };
        for statement in &script.statements {
            run.persist(statement, &backoff).await?;
        }
        Ok(())
    }

    /// Every catalog by its name.
    pub fn catalogs(&self) -> impl Iterator<Item = (&str, &Arc<dyn Catalog>)> {
        self.catalogs.iter().map(|(name, entry)| (name.as_str(), &entry.catalog))
    }

    /// The pipelines of all files, in order.
    ///
    /// # Errors
    /// [`JobError::NoPipeline`] if there is no INSERT; [`JobError::Statement`] if there is a CALL.
    pub fn into_plans(self) -> Result<Vec<PipelinePlan>> {
        if let Some(PlannedCall { source, span, .. }) = self.calls.first() {
            let error = source.error(*span, "a CALL is nothing a daemon could go on with");
            return Err(JobError::Statement(error.with_help("tributary compact -f FILE carries it out")));
        }
        if self.plans.is_empty() {
            return Err(JobError::NoPipeline { files: self.files.join(", ") });
        }
        Ok(self.plans)
    }

    /// The CALLs of all files, in order.
    ///
    /// # Errors
    /// [`JobError::Misplaced`] if there is an INSERT.
    pub fn into_calls(self) -> Result<Vec<PlannedCall>> {
        match self.plans.is_empty() {
            true => Ok(self.calls),
            false => Err(JobError::Misplaced { files: self.files.join(", ") }),
        }
    }
}

// === impl Run ===

impl Run<'_> {
    /// Carries out one statement, in [`Mode::Run`] again and again while a catalog cannot be reached.
    async fn persist(&mut self, statement: &Spanned<Statement>, backoff: &Backoff) -> Result<()> {
        self.is_unanswered = false;
        let mut attempt = 0;
        loop {
            let error = match self.statement(&statement.value).await {
                Err(error) if error.kind() == FailureKind::Transient && self.session.mode == Mode::Run => error,
                done => return done,
            };
            let wait = backoff.delay(attempt, &self.session.env.random);
            attempt += 1;
            tracing::warn!(error = %error, ?wait, "the job cannot be opened yet");
            tokio::time::sleep(wait).await;
        }
    }

    async fn statement(&mut self, statement: &Statement) -> Result<()> {
        match statement {
            Statement::Call(call) => {
                let catalog = Some(self.catalog.clone()).filter(|catalog| catalog != DEFAULT_CATALOG);
                self.session.calls.push(PlannedCall {
                    call: call.clone(),
                    span: call.procedure.span,
                    source: Arc::clone(self.source),
                    catalog,
                    database: self.database.clone(),
                });
                Ok(())
            }
            Statement::Set(set) => self.settings.set(&set.key, &set.value).map_err(|error| self.refuse(error)),
            Statement::Reset(key) => self.settings.reset(key.as_ref()).map_err(|error| self.refuse(error)),
            Statement::UseCatalog(name) => self.use_catalog(name),
            Statement::UseDatabase(name) => self.use_database(name).await,
            Statement::CreateCatalog(create) => self.create_catalog(create),
            Statement::CreateDatabase(create) => self.create_database(create).await,
            Statement::CreateTable(create) if create.temporary => self.create_temporary(create).await,
            Statement::CreateTable(create) => self.create_table(create).await,
            Statement::DropTable(drop) => self.drop_temporary(drop),
            Statement::Insert(insert) => self.insert(insert).await,
            Statement::StatementSet(inserts) => {
                // A set that is tried again begins anew.
                let (plans, series) = (self.session.plans.len(), self.session.series.clone());
                for insert in inserts {
                    if let Err(error) = self.insert(insert).await {
                        self.session.plans.truncate(plans);
                        self.session.series = series;
                        return Err(error);
                    }
                }
                Ok(())
            }
        }
    }

    fn use_catalog(&mut self, name: &Ident) -> Result<()> {
        let entry = self.entry(&name.value, name.span)?;
        self.database = entry.default_database.clone();
        self.catalog = name.value.clone();
        Ok(())
    }

    async fn use_database(&mut self, name: &ObjectName) -> Result<()> {
        let (catalog, database) = self.database_name(name);
        let entry = self.entry(&catalog, name.span)?;
        let exists = entry.catalog.database_exists(&database).await;
        if self.session.mode == Mode::Run && !exists.map_err(|source| self.place().catalog(name.span, source))? {
            return Err(self.refuse(
                BindError::new(name.span, format!("there is no database `{database}` in `{catalog}`"))
                    .help("create it with CREATE DATABASE"),
            ));
        }
        (self.catalog, self.database) = (catalog, database);
        Ok(())
    }

    fn drop_temporary(&mut self, drop: &DropTable) -> Result<()> {
        let name = self.full_name(&drop.name);
        if self.session.temporary.remove(&name).is_some() || drop.if_exists {
            return Ok(());
        }
        let error = BindError::new(drop.name.span, format!("there is no temporary table {}", drop.name));
        let known = self.session.temporary.keys().map(|name| name.table.table.as_str());
        Err(self.refuse(match nearest(drop.name.last(), known) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help("write IF EXISTS if that is fine"),
        }))
    }

    /// The schema of a table of a catalog: what it has, or in a check what it would have been given.
    pub(crate) async fn schema_of(&self, name: &FullName, span: Span) -> Result<Arc<TableSchema>> {
        let entry = self.entry(&name.catalog, span)?;
        if let Some(schema) = self.session.imagined.get(name) {
            return Ok(Arc::clone(schema));
        }
        let table = entry.catalog.load_table(&name.table).await;
        Ok(Arc::clone(table.map_err(|source| self.place().catalog(span, source))?.schema()))
    }

    pub(crate) fn place(&self) -> Place<'_> {
        Place { source: self.source }
    }

    pub(crate) fn entry(&self, catalog: &str, span: Span) -> Result<&CatalogEntry> {
        if let Some(entry) = self.session.catalogs.get(catalog) {
            return Ok(entry);
        }
        let known = self.session.catalogs.keys().map(String::as_str);
        Err(self.refuse(if catalog == DEFAULT_CATALOG {
            BindError::new(span, "no catalog is in use, so this name says too little")
                .help("write catalog.database.table, or USE CATALOG first")
        } else {
            let error = BindError::new(span, format!("there is no catalog `{catalog}`"));
            match nearest(catalog, known) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error.help("create it with CREATE CATALOG"),
            }
        }))
    }

    pub(crate) fn database_name(&self, name: &ObjectName) -> (String, String) {
        match name.parts.as_slice() {
            [.., catalog, database] => (catalog.value.clone(), database.value.clone()),
            _ => (self.catalog.clone(), name.last().to_owned()),
        }
    }

    pub(crate) fn full_name(&self, name: &ObjectName) -> FullName {
        let part = |index: usize| name.parts.len().checked_sub(index).map(|at| name.parts[at].value.clone());
        FullName {
            catalog: part(3).unwrap_or_else(|| self.catalog.clone()),
            table: TableIdentifier::new(part(2).unwrap_or_else(|| self.database.clone()), name.last()),
        }
    }

    pub(crate) fn refuse(&self, error: BindError) -> JobError {
        self.place().refuse(error)
    }
}
