//! From settings and a name on the command line to a table.

use std::path::Path;

use paimon_catalog::{Table, TableIdentifier};
use paimon_table::store::{Storage, StorageOptions};
use tributary_job::{Metastore, OpenedCatalog};
use tributary_runtime::Env;

use crate::failure::{CommandError, Failure};
use crate::settings::{CatalogOptions, Settings};

/// Loads `DB.T` or `CATALOG.DB.T`, or a branch of it.
pub(crate) async fn table(settings: &Settings, name: &str, branch: Option<&str>, env: &Env) -> Result<Table, Failure> {
    let (catalog, mut identifier) = locate(name, settings.catalogs.keys().map(String::as_str))?;
    let Some(options) = settings.catalogs.get(&catalog) else {
        return Err(CommandError::Internal(format!("the catalog `{catalog}` is gone")).into());
    };
    let opened = open(&catalog, options, settings, env)?;
    if let Some(branch) = branch {
        identifier = identifier.on_branch(branch);
    }
    Ok(opened.catalog.load_table(&identifier).await?)
}

/// The catalog among `known`, and the table in it, that `DB.T` or `CATALOG.DB.T` means.
pub(crate) fn locate<'a>(
    name: &str,
    known: impl Iterator<Item = &'a str>,
) -> Result<(String, TableIdentifier), Failure> {
    let known: Vec<&str> = known.collect();
    let parts = split(name)?;
    let (catalog, database, table) = match parts.as_slice() {
        [database, table] => (only(&known)?, database, table),
        [catalog, database, table] => (catalog.as_str(), database, table),
        _ => {
            return Err(Failure::usage(format!("`{name}` is not the name of a table; write DATABASE.TABLE")));
        }
    };
    if !known.contains(&catalog) {
        return Err(Failure::usage(format!(
            "there is no catalog `{catalog}`; name it with [catalog.{catalog}] in the settings, or use --warehouse URL"
        )));
    }
    Ok((catalog.to_owned(), TableIdentifier::new(database.as_str(), table.as_str())))
}

/// Opens a catalog of the settings, as a CREATE CATALOG would. A relative warehouse is below the working directory.
pub(crate) fn open(
    name: &str,
    options: &CatalogOptions,
    settings: &Settings,
    env: &Env,
) -> Result<OpenedCatalog, Failure> {
    OpenedCatalog::try_open(options, Path::new(""), &settings.stores(), env)
        .map_err(|problem| CommandError::Catalog { name: name.to_owned(), problem }.into())
}

/// The storage of the only catalog there is, which must be a warehouse itself.
pub(crate) fn warehouse(settings: &Settings, env: &Env) -> Result<Storage, Failure> {
    let names: Vec<&str> = settings.catalogs.keys().map(String::as_str).collect();
    let name = only(&names)?;
    let refuse = |problem| CommandError::Catalog { name: name.to_owned(), problem };
    let options = settings.catalogs.get(name).cloned().unwrap_or_default();
    // Whatever is wrong with its options is said by this.
    open(name, &options, settings, env)?;
    match (Metastore::parse(options.get("metastore").map(String::as_str)), options.get("warehouse")) {
        (Ok(Metastore::Filesystem), Some(warehouse)) => {
            let storage = StorageOptions::try_new(&options).map_err(|error| refuse(error.into()))?;
            Ok(Storage::open_with(warehouse, &storage.over(&settings.stores()))?)
        }
        _ => Err(Failure::usage(format!("the catalog `{name}` is served by another server; a warehouse has one"))),
    }
}

/// The catalog that a name without one means.
fn only<'a>(names: &[&'a str]) -> Result<&'a str, Failure> {
    match names {
        [name] => Ok(name),
        [] => Err(Failure::usage(
            "no catalog is configured; say --warehouse URL, or --config FILE with a [catalog.NAME] section",
        )),
        _ => Err(Failure::usage(format!(
            "there are several catalogs ({}); write CATALOG.DATABASE.TABLE",
            names.join(", ")
        ))),
    }
}

/// The parts of a dotted name; backticks keep a dot inside a part.
pub(crate) fn split(name: &str) -> Result<Vec<String>, Failure> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    for character in name.chars() {
        match (character, quoted) {
            ('`', _) => quoted = !quoted,
            ('.', false) => parts.push(String::new()),
            _ => parts.iter_mut().last().into_iter().for_each(|part| part.push(character)),
        }
    }
    match quoted || parts.iter().any(String::is_empty) {
        true => Err(Failure::usage(format!("`{name}` is not the name of a table; write DATABASE.TABLE"))),
        false => Ok(parts),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn names_split_at_dots_outside_of_backticks() {
        for (name, expected) in [
            ("db.t", Some(vec!["db", "t"])),
            ("`a.b`.t", Some(vec!["a.b", "t"])),
            ("c.`d`.`t`", Some(vec!["c", "d", "t"])),
            ("t", Some(vec!["t"])),
            ("db.", None),
            ("`db.t", None),
            ("", None),
        ] {
            assert_eq!(
                split(name).ok(),
                expected.map(|parts| parts.into_iter().map(str::to_owned).collect()),
                "{name}"
            );
        }
    }
}
