//! A session interprets statements in order: catalogs open, databases and tables appear, and every
//! INSERT becomes a [`PipelinePlan`].
//!
//! Settings (SET) and the names in use (USE) last to the end of their file; catalogs and temporary tables
//! stay for the files after it. A check ([`Mode::Check`]) resolves the same way but creates nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use paimon_catalog::{Catalog, CatalogError, NewTable, TableIdentifier};
use paimon_format::TableSchema;
use paimon_table::arrow::arrow_schema;
use tributary_runtime::Env;
use tributary_statement::{
    CreateCatalog, CreateDatabase, CreateTable, Insert, ObjectName, Script, Span, Statement, nearest,
};

use crate::catalogs::{self, CatalogEntry};
use crate::error::JobError;
use crate::expr::BoundSelect;
use crate::expr::bind::{BindError, Scope};
use crate::identity::PipelineId;
use crate::pipeline::PipelinePlan;
use crate::place::Place;
use crate::settings::{JobDefaults, Settings};
use crate::tables::{self, TemporaryTable};

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

/// The state that statements build up.
pub struct Session {
    mode: Mode,
    env: Env,
    defaults: JobDefaults,
    catalogs: BTreeMap<String, CatalogEntry>,
    temporary: BTreeMap<FullName, TemporaryTable>,
    /// Tables a check would have created.
    imagined: BTreeMap<FullName, Arc<TableSchema>>,
    ordinals: BTreeMap<(String, TableIdentifier), usize>,
    plans: Vec<PipelinePlan>,
    files: Vec<String>,
}

/// Catalog, database, table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct FullName {
    catalog: String,
    table: TableIdentifier,
}

/// One file being interpreted.
struct Run<'a> {
    session: &'a mut Session,
    place: Place<'a>,
    folder: &'a Path,
    stem: String,
    settings: Settings,
    catalog: String,
    database: String,
}

type Result<T, E = JobError> = std::result::Result<T, E>;

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
            ordinals: BTreeMap::new(),
            plans: Vec::new(),
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
        self.catalogs.insert(name.into(), CatalogEntry { catalog, default_database });
    }

    /// Interprets the statements of one file. `path` gives the pipelines their default name (its stem) and
    /// relative warehouses their folder.
    ///
    /// # Errors
    /// The first statement that cannot be followed; what those before it created stays.
    pub async fn apply(&mut self, script: &Script, path: &Path) -> Result<()> {
        let place = Place { source: &script.source };
        let stem = path.file_stem().map_or_else(|| "job".into(), |stem| stem.to_string_lossy().into_owned());
        self.files.push(script.source.name().to_owned());
        let mut run = Run {
            settings: Settings::new(self.defaults),
            session: self,
            place,
            folder: path.parent().unwrap_or(Path::new("")),
            stem,
            catalog: DEFAULT_CATALOG.to_owned(),
            database: DEFAULT_DATABASE.to_owned(),
        };
        for statement in &script.statements {
            run.statement(statement.span, &statement.value).await?;
        }
        Ok(())
    }

    /// Every catalog by its name.
    pub fn catalogs(&self) -> impl Iterator<Item = (&str, &dyn Catalog)> {
        self.catalogs.iter().map(|(name, entry)| (name.as_str(), &*entry.catalog))
    }

    /// The pipelines of all files, in order.
    ///
    /// # Errors
    /// [`JobError::NoPipeline`] if there is no INSERT.
    pub fn into_plans(self) -> Result<Vec<PipelinePlan>> {
        if self.plans.is_empty() {
            return Err(JobError::NoPipeline { files: self.files.join(", ") });
        }
        Ok(self.plans)
    }
}

// === impl Run ===

impl Run<'_> {
    async fn statement(&mut self, span: Span, statement: &Statement) -> Result<()> {
        match statement {
            Statement::Set(set) => self.settings.set(&set.key, &set.value).map_err(|error| self.place.refuse(error)),
            Statement::Reset(key) => self.settings.reset(key.as_ref()).map_err(|error| self.place.refuse(error)),
            Statement::UseCatalog(name) => {
                let entry = self.entry(&name.value, name.span)?;
                self.database = entry.default_database.clone();
                self.catalog = name.value.clone();
                Ok(())
            }
            Statement::UseDatabase(name) => {
                let (catalog, database) = self.database_name(name);
                let entry = self.entry(&catalog, name.span)?;
                let exists = entry.catalog.database_exists(&database).await;
                if self.session.mode == Mode::Run && !exists.map_err(|source| self.place.catalog(name.span, source))? {
                    return Err(self.refuse(
                        BindError::new(name.span, format!("there is no database `{database}` in `{catalog}`"))
                            .help("create it with CREATE DATABASE"),
                    ));
                }
                (self.catalog, self.database) = (catalog, database);
                Ok(())
            }
            Statement::CreateCatalog(create) => self.create_catalog(create),
            Statement::CreateDatabase(create) => self.create_database(create).await,
            Statement::CreateTable(create) if create.temporary => self.create_temporary(create),
            Statement::CreateTable(create) => self.create_table(span, create).await,
            Statement::Insert(insert) => self.insert(insert).await,
        }
    }

    fn create_catalog(&mut self, create: &CreateCatalog) -> Result<()> {
        let name = &create.name;
        if self.session.catalogs.contains_key(&name.value) {
            if create.if_not_exists {
                return Ok(());
            }
            return Err(self.refuse(
                BindError::new(name.span, format!("there is a catalog `{}` already", name.value))
                    .help("write IF NOT EXISTS to keep it, or choose another name"),
            ));
        }
        let fsync = self.session.defaults.fsync;
        let entry = catalogs::open(create, &self.place, self.folder, fsync, &self.session.env)?;
        self.session.catalogs.insert(name.value.clone(), entry);
        Ok(())
    }

    async fn create_database(&mut self, create: &CreateDatabase) -> Result<()> {
        if let Some(entry) = create.options.iter().next() {
            return Err(self.refuse(
                BindError::new(entry.key.span, format!("there is no database option `{}` here", entry.key))
                    .help("a database of a warehouse folder takes none"),
            ));
        }
        let (catalog, database) = self.database_name(&create.name);
        let entry = self.entry(&catalog, create.name.span)?;
        if self.session.mode == Mode::Run {
            let created = entry.catalog.create_database(&database, create.if_not_exists).await;
            if created.map_err(|source| self.place.catalog(create.name.span, source))? {
                tracing::info!(catalog, database, "database created");
            }
        }
        Ok(())
    }

    fn create_temporary(&mut self, create: &CreateTable) -> Result<()> {
        let name = self.full_name(&create.name);
        if self.session.temporary.contains_key(&name) {
            if create.if_not_exists {
                return Ok(());
            }
            return Err(self.refuse(
                BindError::new(create.name.span, format!("there is a temporary table {} already", create.name))
                    .help("write IF NOT EXISTS to keep it, or choose another name"),
            ));
        }
        let table = tables::temporary(create).map_err(|error| self.place.refuse(error))?;
        self.session.temporary.insert(name, table);
        Ok(())
    }

    async fn create_table(&mut self, span: Span, create: &CreateTable) -> Result<()> {
        let definition = tables::definition(create).map_err(|error| self.place.refuse(error))?;
        let name = self.full_name(&create.name);
        let catalog = Arc::clone(&self.entry(&name.catalog, create.name.span)?.catalog);
        if self.session.mode == Mode::Check {
            return self.imagine(span, create, definition, name, catalog).await;
        }
        let failed = |source| self.place.catalog(create.name.span, source);
        let created = match catalog.create_table(&name.table, definition.clone(), create.if_not_exists).await {
            Err(CatalogError::NoSuchDatabase { .. }) => {
                let database = &name.table.database;
                catalog.create_database(database, true).await.map_err(failed)?;
                tracing::info!(
                    catalog = name.catalog,
                    database,
                    table = name.table.table,
                    "database created for its table"
                );
                catalog.create_table(&name.table, definition, create.if_not_exists).await.map_err(failed)?
            }
            other => other.map_err(failed)?,
        };
        if created.created {
            tracing::info!(catalog = name.catalog, table = %name.table, "table created");
        } else {
            warn_of_differences(create, created.table.schema());
        }
        Ok(())
    }

    /// Checks a CREATE TABLE and remembers the table as if it had been created.
    async fn imagine(
        &mut self,
        span: Span,
        create: &CreateTable,
        definition: NewTable,
        name: FullName,
        catalog: Arc<dyn Catalog>,
    ) -> Result<()> {
        let failed = |source| self.place.catalog(span, source);
        match catalog.load_table(&name.table).await {
            Ok(table) if create.if_not_exists => {
                warn_of_differences(create, table.schema());
                return Ok(());
            }
            Ok(_) => return Err(failed(CatalogError::TableExists { table: name.table.to_string() })),
            Err(CatalogError::NoSuchTable { .. } | CatalogError::NoSuchDatabase { .. }) => {}
            Err(source) => return Err(failed(source)),
        }
        let now = self.session.env.clock.now_millis();
        let schema = definition.into_schema(&name.table, now).map_err(failed)?;
        self.session.imagined.insert(name, Arc::new(schema));
        Ok(())
    }

    async fn insert(&mut self, insert: &Insert) -> Result<()> {
        let name = self.full_name(&insert.target);
        if self.session.temporary.contains_key(&name) {
            return Err(self.refuse(
                BindError::new(insert.target.span, format!("{} is a source, nothing can be inserted", insert.target))
                    .help("insert into a table of a Paimon catalog"),
            ));
        }
        let catalog = Arc::clone(&self.entry(&name.catalog, insert.target.span)?.catalog);
        let schema = match self.session.imagined.get(&name) {
            Some(schema) => Arc::clone(schema),
            None => {
                let table = catalog.load_table(&name.table).await;
                let table = table.map_err(|source| self.place.catalog(insert.target.span, source))?;
                Arc::clone(table.schema())
            }
        };
        let from = &insert.select.from;
        let source = self.source(&from.name)?;
        let scope = Scope {
            table: from.alias.as_ref().map_or(from.name.last(), |alias| alias.value.as_str()),
            columns: &source.columns,
            zone: self.settings.zone,
        };
        let target = name.table.to_string();
        let arrow = arrow_schema(&schema.fields);
        let select = BoundSelect::bind(&insert.select, &scope, &target, &schema.fields, arrow)
            .map_err(|error| self.refuse(error))?;
        let zone = self.settings.zone;
        let offset = Arc::new(move |utc_millis: i64| zone.offset_seconds(utc_millis.div_euclid(1000)));
        let spec = source.spec.clone().with_local_offset(offset);
        let job = self.settings.pipeline_name.clone().unwrap_or_else(|| self.stem.clone());
        let ordinal = self.session.ordinals.entry((job.clone(), name.table.clone())).or_insert(0);
        *ordinal += 1;
        let id = PipelineId::new(&job, &name.table, *ordinal);
        self.session.plans.push(PipelinePlan {
            id,
            catalog,
            table: name.table,
            schema,
            source: spec,
            select: Arc::new(select),
            checkpoint_interval: self.settings.checkpoint_interval,
            parallelism: self.settings.parallelism(),
        });
        Ok(())
    }

    fn source(&self, name: &ObjectName) -> Result<&TemporaryTable> {
        let full = self.full_name(name);
        if let Some(table) = self.session.temporary.get(&full) {
            return Ok(table);
        }
        let error = if self.session.catalogs.contains_key(&full.catalog) {
            BindError::new(
                name.span,
                format!("reading from {name} is not supported: only temporary tables are sources"),
            )
            .help("write CREATE TEMPORARY TABLE … WITH ('connector' = 'datagen', …)")
        } else {
            let error = BindError::new(name.span, format!("there is no table {name}"));
            let known = self.session.temporary.keys().map(|name| name.table.table.as_str());
            match nearest(name.last(), known) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error.help("write CREATE TEMPORARY TABLE … WITH ('connector' = 'datagen', …)"),
            }
        };
        Err(self.refuse(error))
    }

    fn entry(&self, catalog: &str, span: Span) -> Result<&CatalogEntry> {
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

    fn database_name(&self, name: &ObjectName) -> (String, String) {
        match name.parts.as_slice() {
            [.., catalog, database] => (catalog.value.clone(), database.value.clone()),
            _ => (self.catalog.clone(), name.last().to_owned()),
        }
    }

    fn full_name(&self, name: &ObjectName) -> FullName {
        let part = |index: usize| name.parts.len().checked_sub(index).map(|at| name.parts[at].value.clone());
        FullName {
            catalog: part(3).unwrap_or_else(|| self.catalog.clone()),
            table: TableIdentifier::new(part(2).unwrap_or_else(|| self.database.clone()), name.last()),
        }
    }

    fn refuse(&self, error: BindError) -> JobError {
        self.place.refuse(error)
    }
}

fn warn_of_differences(create: &CreateTable, existing: &TableSchema) {
    let differences = tables::differences(create, existing);
    if !differences.is_empty() {
        tracing::warn!(
            table = %create.name, differences = differences.join(", "),
            "the table exists and is not as this CREATE TABLE says; the existing one counts"
        );
    }
}
