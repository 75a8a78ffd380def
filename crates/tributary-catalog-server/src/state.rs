//! What the catalog knows and the store does not: names, ids, options of databases. Everything that decides about names
//! is here, and pure: a change is worked out on the state, made durable, and only then applied.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use paimon_catalog::rest::wire::{Audit, Identifier, resource};
use serde::{Deserialize, Serialize};

use crate::call::Kind;
use crate::definitions::Definition;
use crate::problem::Problem;

/// A name becomes a folder's name, which file systems bound to 255 bytes.
const LONGEST_NAME_BYTES: usize = 200;

/// A database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Database {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) options: BTreeMap<String, String>,
    pub(crate) audit: Audit,
}

/// A table's entry. Its definition and its snapshots are in its folder, nowhere else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TableEntry {
    /// Identity, which commits repeat: a table of the same name created later has another.
    pub(crate) id: String,
    pub(crate) database: String,
    pub(crate) name: String,
    /// Below the warehouse. It stays when the table is renamed.
    pub(crate) folder: String,
    pub(crate) stage: Stage,
    pub(crate) audit: Audit,
}

/// Where a table is in its life; the stages in between are what a restart has to finish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// The name is taken; `schema-0` may be there or not.
    Creating,
    /// There.
    Live,
    /// The name is free; the folder is being deleted.
    Dropped,
}

/// A change of the state.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change {
    PutDatabase(Database),
    RemoveDatabase(String),
    PutTable(TableEntry),
    RemoveTable(String),
    PutDefinition(Definition),
    RemoveDefinition(String),
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    databases: BTreeMap<String, Arc<Database>>,
    tables: HashMap<String, Arc<TableEntry>>,
    /// Ids by database and name, of those that have a name.
    names: BTreeMap<String, BTreeMap<String, String>>,
    folders: HashSet<String>,
    /// By kind, database and name.
    definitions: BTreeMap<(Kind, String, String), Arc<Definition>>,
}

// === impl TableEntry ===

impl TableEntry {
    pub(crate) fn at_stage(&self, stage: Stage) -> Self {
        Self { stage, ..self.clone() }
    }
}

// === impl State ===

impl State {
    pub(crate) fn apply(&mut self, change: Change) {
        match change {
            Change::PutDatabase(database) => {
                self.databases.insert(database.name.clone(), Arc::new(database));
            }
            Change::RemoveDatabase(name) => {
                self.databases.remove(&name);
            }
            Change::PutTable(entry) => {
                self.forget(&entry.id);
                if entry.stage != Stage::Dropped {
                    self.names.entry(entry.database.clone()).or_default().insert(entry.name.clone(), entry.id.clone());
                }
                self.folders.insert(entry.folder.clone());
                self.tables.insert(entry.id.clone(), Arc::new(entry));
            }
            Change::RemoveTable(id) => self.forget(&id),
            Change::PutDefinition(definition) => {
                self.definitions.retain(|_, known| known.id != definition.id);
                let key = (definition.kind(), definition.database.clone(), definition.name.clone());
                self.definitions.insert(key, Arc::new(definition));
            }
            Change::RemoveDefinition(id) => self.definitions.retain(|_, known| known.id != id),
        }
    }

    fn forget(&mut self, id: &str) {
        let Some(entry) = self.tables.remove(id) else {
            return;
        };
        self.folders.remove(&entry.folder);
        if let Some(names) = self.names.get_mut(&entry.database)
            && names.get(&entry.name).is_some_and(|named| named == id)
        {
            names.remove(&entry.name);
        }
    }

    pub(crate) fn databases(&self) -> impl Iterator<Item = &Arc<Database>> {
        self.databases.values()
    }

    pub(crate) fn database(&self, name: &str) -> Result<&Arc<Database>, Problem> {
        self.databases.get(name).ok_or_else(|| Problem::no_database(name))
    }

    /// The tables of a database that are there, by name.
    pub(crate) fn tables_of(&self, database: &str) -> impl Iterator<Item = &Arc<TableEntry>> {
        let named = self.names.get(database).into_iter().flat_map(BTreeMap::values);
        named.filter_map(|id| self.tables.get(id)).filter(|entry| entry.stage == Stage::Live)
    }

    pub(crate) fn table(&self, database: &str, name: &str) -> Result<&Arc<TableEntry>, Problem> {
        self.database(database)?;
        let named = self.named(database, name).filter(|entry| entry.stage == Stage::Live);
        named.ok_or_else(|| Problem::no_table(database, name))
    }

    pub(crate) fn table_by_id(&self, id: &str) -> Option<&Arc<TableEntry>> {
        self.tables.get(id)
    }

    /// Tables that a crash left between two stages.
    pub(crate) fn unfinished(&self) -> Vec<Arc<TableEntry>> {
        self.tables.values().filter(|entry| entry.stage != Stage::Live).cloned().collect()
    }

    /// A table of that name whose creation has not ended, perhaps because the store failed.
    pub(crate) fn creating(&self, database: &str, name: &str) -> Option<&Arc<TableEntry>> {
        self.named(database, name).filter(|entry| entry.stage == Stage::Creating)
    }

    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.databases.len(), self.names.values().map(BTreeMap::len).sum())
    }

    pub(crate) fn has_folder(&self, folder: &str) -> bool {
        self.folders.contains(folder)
    }

    fn named(&self, database: &str, name: &str) -> Option<&Arc<TableEntry>> {
        self.tables.get(self.names.get(database)?.get(name)?)
    }

    pub(crate) fn definition(&self, kind: Kind, database: &str, name: &str) -> Result<&Arc<Definition>, Problem> {
        self.database(database)?;
        let found = self.definitions.get(&(kind, database.to_owned(), name.to_owned()));
        found.ok_or_else(|| Problem::no_definition(kind, database, name))
    }

    /// Those of a kind in a database, by name.
    pub(crate) fn definitions_of(&self, kind: Kind, database: &str) -> impl Iterator<Item = &Arc<Definition>> {
        self.definitions(kind).filter(move |definition| definition.database == database)
    }

    pub(crate) fn definitions(&self, kind: Kind) -> impl Iterator<Item = &Arc<Definition>> {
        self.definitions.iter().filter(move |((of, ..), _)| *of == kind).map(|(_, definition)| definition)
    }

    /// Whether a table or a view has the name.
    pub(crate) fn has_name(&self, database: &str, name: &str) -> bool {
        self.named(database, name).is_some() || self.definition(Kind::View, database, name).is_ok()
    }

    // What may be asked, as changes.

    pub(crate) fn create_definition(&self, definition: Definition) -> Result<Vec<Change>, Problem> {
        let Definition { database, name, .. } = &definition;
        self.database(database)?;
        let kind = definition.kind();
        check_name("view or function", name)?;
        if self.definition(kind, database, name).is_ok() {
            return Err(Problem::definition_exists(kind, database, name));
        }
        if kind == Kind::View && self.named(database, name).is_some() {
            return Err(Problem::name_taken("VIEW", name));
        }
        Ok(vec![Change::PutDefinition(definition)])
    }

    pub(crate) fn rename_view(&self, from: &Identifier, to: &Identifier) -> Result<Vec<Change>, Problem> {
        let view = self.definition(Kind::View, &from.database, &from.object)?;
        let (database, name) = (to.database.clone(), to.object.clone());
        self.create_definition(Definition { database, name, ..(**view).clone() })
    }

    pub(crate) fn create_database(&self, database: Database) -> Result<Vec<Change>, Problem> {
        check_name("database", &database.name)?;
        match self.databases.contains_key(&database.name) {
            true => Err(Problem::database_exists(&database.name)),
            false => Ok(vec![Change::PutDatabase(database)]),
        }
    }

    /// Drops the database and everything in it, as Java's server does: clients that do not want that list the tables
    /// first.
    pub(crate) fn drop_database(&self, name: &str) -> Result<Vec<Change>, Problem> {
        self.database(name)?;
        let tables = self.names.get(name).into_iter().flat_map(BTreeMap::values).filter_map(|id| self.tables.get(id));
        let mut changes: Vec<Change> = Vec::new();
        for entry in tables {
            if entry.stage == Stage::Creating {
                return Err(Problem::try_again(format!("table {name}.{} is being created", entry.name)));
            }
            changes.push(Change::PutTable(entry.at_stage(Stage::Dropped)));
        }
        let defined = [Kind::View, Kind::Function].into_iter().flat_map(|kind| self.definitions_of(kind, name));
        changes.extend(defined.map(|definition| Change::RemoveDefinition(definition.id.clone())));
        changes.push(Change::RemoveDatabase(name.to_owned()));
        Ok(changes)
    }

    /// The entry of a new table. Its folder is `<database>.db/<name>`, with a piece of the id after it when a renamed
    /// or dropped table has that folder.
    pub(crate) fn create_table(
        &self,
        database: &str,
        name: &str,
        id: &str,
        audit: Audit,
    ) -> Result<TableEntry, Problem> {
        self.database(database)?;
        check_name("table", name)?;
        if self.named(database, name).is_some() {
            return Err(Problem::table_exists(database, name));
        }
        if self.has_name(database, name) {
            return Err(Problem::name_taken(resource::TABLE, name));
        }
        let plain = format!("{database}.db/{name}");
        let folder = if self.has_folder(&plain) { format!("{plain}-{}", id.get(..8).unwrap_or(id)) } else { plain };
        let (id, database, name) = (id.to_owned(), database.to_owned(), name.to_owned());
        Ok(TableEntry { id, database, name, folder, stage: Stage::Creating, audit })
    }

    pub(crate) fn rename_table(&self, from: (&str, &str), to: (&str, &str)) -> Result<Vec<Change>, Problem> {
        let entry = self.table(from.0, from.1)?;
        self.database(to.0)?;
        check_name("table", to.1)?;
        if self.named(to.0, to.1).is_some() {
            return Err(Problem::table_exists(to.0, to.1));
        }
        if self.has_name(to.0, to.1) {
            return Err(Problem::name_taken(resource::TABLE, to.1));
        }
        let renamed = TableEntry { database: to.0.to_owned(), name: to.1.to_owned(), ..(**entry).clone() };
        Ok(vec![Change::PutTable(renamed)])
    }

    pub(crate) fn drop_table(&self, database: &str, name: &str) -> Result<TableEntry, Problem> {
        Ok(self.table(database, name)?.at_stage(Stage::Dropped))
    }
}

/// A name is one folder; `$` introduces branches and system tables.
pub(crate) fn check_name(what: &str, name: &str) -> Result<(), Problem> {
    let plain = |letter: char| !matches!(letter, '/' | '\\' | '$') && !letter.is_control();
    let fits = !name.trim().is_empty() && name.len() <= LONGEST_NAME_BYTES && !matches!(name, "." | "..");
    if fits && name.chars().all(plain) {
        return Ok(());
    }
    Err(Problem::bad(format!(
        "'{}' is no name for a {what}: it must not be blank, has at most {LONGEST_NAME_BYTES} bytes, and holds no slash, backslash, dollar sign or control character",
        name.escape_default()
    )))
}

#[cfg(test)]
mod tests;
