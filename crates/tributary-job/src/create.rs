//! CREATE CATALOG, CREATE DATABASE and CREATE TABLE.

use std::sync::Arc;

use paimon_catalog::{CatalogError, NewTable};
use paimon_format::TableSchema;
use tributary_runtime::{Classify, FailureKind};
use tributary_statement::{CreateCatalog, CreateDatabase, CreateTable, Like, ObjectName};

use crate::catalogs;
use crate::definition::Definition;
use crate::expr::bind::BindError;
use crate::session::{CatalogEntry, FullName, Mode, Result, Run};
use crate::sources::TemporaryTable;
use crate::tables;

const KEEP: &str = "write IF NOT EXISTS to keep it, or choose another name";

impl Run<'_> {
    /// A catalog of this name that another file has made in the same way is the same catalog: files that are complete
    /// by themselves run together.
    pub(crate) fn create_catalog(&mut self, create: &CreateCatalog) -> Result<()> {
        let name = &create.name;
        let known = self.session.catalogs.get(&name.value);
        if known.is_some() && create.if_not_exists {
            return Ok(());
        }
        let storage = &self.session.defaults.storage;
        let opened = catalogs::open(create, &self.place(), self.folder, storage, &self.session.env)?;
        if let Some(known) = known {
            return match &known.created {
                Some((file, other)) if *file != self.file && other.is_same(&opened) => Ok(()),
                _ => Err(self.refuse(
                    BindError::new(name.span, format!("there is a catalog `{}` already", name.value)).help(KEEP),
                )),
            };
        }
        let entry = CatalogEntry {
            catalog: Arc::clone(&opened.catalog),
            default_database: opened.default_database.clone(),
            created: Some((self.file, opened)),
        };
        self.session.catalogs.insert(name.value.clone(), entry);
        Ok(())
    }

    pub(crate) async fn create_database(&mut self, create: &CreateDatabase) -> Result<()> {
        if let Some(entry) = create.options.iter().next() {
            return Err(self.refuse(
                BindError::new(entry.key.span, format!("there is no database option `{}` here", entry.key))
                    .help("a database of a warehouse folder takes none"),
            ));
        }
        let (catalog, database) = self.database_name(&create.name);
        let entry = self.entry(&catalog, create.name.span)?;
        if self.session.mode == Mode::Check {
            return Ok(());
        }
        let failed = |source| self.place().catalog(create.name.span, source);
        if !create.if_not_exists
            && !self.is_unanswered
            && entry.catalog.database_exists(&database).await.map_err(failed)?
        {
            return Err(failed(CatalogError::DatabaseExists { database }));
        }
        let created = entry.catalog.create_database(&database, true).await.map_err(failed);
        // It was not there before: should the reply be lost, the one that is there next time is this one.
        self.is_unanswered |= created.is_err();
        if created? {
            tracing::info!(catalog, database, "database created");
        }
        Ok(())
    }

    pub(crate) async fn create_temporary(&mut self, create: &CreateTable) -> Result<()> {
        let name = self.full_name(&create.name);
        if self.session.temporary.contains_key(&name) {
            if create.if_not_exists {
                return Ok(());
            }
            return Err(self.refuse(
                BindError::new(create.name.span, format!("there is a temporary table {} already", create.name))
                    .help("write IF NOT EXISTS to keep it, DROP TEMPORARY TABLE before it, or choose another name"),
            ));
        }
        let definition = self.definition(create).await?;
        let table = TemporaryTable::try_new(create, definition, &self.place())?;
        self.session.temporary.insert(name, table);
        Ok(())
    }

    pub(crate) async fn create_table(&mut self, create: &CreateTable) -> Result<()> {
        let definition = self.definition(create).await?;
        let wanted = tables::new_table(create, definition).map_err(|error| self.refuse(error))?;
        let name = self.full_name(&create.name);
        match self.session.mode {
            Mode::Check => self.imagine(create, wanted, name).await,
            Mode::Run => self.make_table(create, wanted, name).await,
        }
    }

    async fn make_table(&mut self, create: &CreateTable, wanted: NewTable, name: FullName) -> Result<()> {
        let catalog = Arc::clone(&self.entry(&name.catalog, create.name.span)?.catalog);
        let place = self.place();
        let failed = |source| place.catalog(create.name.span, source);
        if !create.if_not_exists && !self.is_unanswered && catalog.table_exists(&name.table).await.map_err(failed)? {
            return Err(failed(CatalogError::TableExists { table: name.table.to_string() }));
        }
        let mut made = catalog.create_table(&name.table, wanted.clone(), true).await;
        if let Err(CatalogError::NoSuchDatabase { .. }) = made {
            let database = &name.table.database;
            catalog.create_database(database, true).await.map_err(failed)?;
            tracing::info!(
                catalog = name.catalog,
                database,
                table = name.table.table,
                "database created for its table"
            );
            made = catalog.create_table(&name.table, wanted.clone(), true).await;
        }
        let is_lost = made.as_ref().is_err_and(|error| error.kind() == FailureKind::Transient);
        let made = made.map_err(failed);
        // It was not there before: one that is there next time, and is what was asked for, is the one asked for.
        self.is_unanswered |= is_lost;
        let made = made?;
        let schema = made.table.schema();
        if made.created || (self.is_unanswered && tables::is_as_wanted(&wanted, schema)) {
            tracing::info!(catalog = name.catalog, table = %name.table, "table created");
        } else if create.if_not_exists {
            warn_of_differences(create, &wanted, schema);
        } else {
            let source = CatalogError::TableExists { table: name.table.to_string() };
            return Err(self.place().catalog(create.name.span, source));
        }
        Ok(())
    }

    /// Checks a CREATE TABLE and remembers the table as if it had been created.
    async fn imagine(&mut self, create: &CreateTable, wanted: NewTable, name: FullName) -> Result<()> {
        let place = self.place();
        let failed = |source| place.catalog(create.name.span, source);
        let catalog = Arc::clone(&self.entry(&name.catalog, create.name.span)?.catalog);
        let existing = match self.session.imagined.get(&name) {
            Some(schema) => Some(Arc::clone(schema)),
            None => match catalog.load_table(&name.table).await {
                Ok(table) => Some(Arc::clone(table.schema())),
                Err(CatalogError::NoSuchTable { .. } | CatalogError::NoSuchDatabase { .. }) => None,
                Err(source) => return Err(failed(source)),
            },
        };
        match existing {
            Some(schema) if create.if_not_exists => warn_of_differences(create, &wanted, &schema),
            Some(_) => return Err(failed(CatalogError::TableExists { table: name.table.to_string() })),
            None => {
                let now = self.session.env.clock.now_millis();
                let schema = wanted.into_schema(&name.table, now).map_err(failed)?;
                self.session.imagined.insert(name, Arc::new(schema));
            }
        }
        Ok(())
    }

    /// What the statement says, together with the table it is LIKE.
    async fn definition(&self, create: &CreateTable) -> Result<Definition> {
        let base = match &create.like {
            Some(Like { table, .. }) => Some(self.base(table).await?),
            None => None,
        };
        Definition::try_new(create, self.source, base.as_ref()).map_err(|error| self.refuse(error))
    }

    async fn base(&self, name: &ObjectName) -> Result<Definition> {
        let full = self.full_name(name);
        if let Some(table) = self.session.temporary.get(&full) {
            return Ok(table.definition().clone());
        }
        if !self.session.catalogs.contains_key(&full.catalog) {
            return Err(self.no_temporary_table(name));
        }
        self.schema_of(&full, name.span).await.map(|schema| Definition::of_schema(&schema))
    }
}

fn warn_of_differences(create: &CreateTable, wanted: &NewTable, existing: &TableSchema) {
    let differences = tables::differences(wanted, existing);
    if !differences.is_empty() {
        tracing::warn!(
            table = %create.name, differences = differences.join("; "),
            "the table exists and is not as this CREATE TABLE says; the existing one counts"
        );
    }
}
