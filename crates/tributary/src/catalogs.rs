//! From settings and a name on the command line to a table.

use paimon_catalog::{Catalog as _, FilesystemCatalog, Table, TableIdentifier};
use paimon_table::store::{Storage, StorageOptions};
use tributary_job::CATALOG_OPTIONS;
use tributary_runtime::Env;
use tributary_statement::nearest;

use crate::failure::Failure;
use crate::settings::{CatalogOptions, Settings};

/// The catalog options there are.
fn keys() -> impl Iterator<Item = &'static str> + Clone {
    CATALOG_OPTIONS.iter().map(|option| option.key)
}

/// Loads `DB.T` or `CATALOG.DB.T`, or a branch of it.
pub(crate) async fn table(settings: &Settings, name: &str, branch: Option<&str>, env: &Env) -> Result<Table, Failure> {
    let parts = split(name)?;
    let (catalog, database, table) = match parts.as_slice() {
        [database, table] => (only(settings)?, database, table),
        [catalog, database, table] => (catalog.as_str(), database, table),
        _ => {
            return Err(Failure::usage(format!("`{name}` is not the name of a table; write DATABASE.TABLE")));
        }
    };
    let Some(options) = settings.catalogs.get(catalog) else {
        return Err(Failure::usage(format!(
            "there is no catalog `{catalog}`; name it with [catalog.{catalog}] in the settings, or use --warehouse URL"
        )));
    };
    let opened = open(catalog, options, settings, env)?;
    let mut identifier = TableIdentifier::new(database.as_str(), table.as_str());
    if let Some(branch) = branch {
        identifier = identifier.on_branch(branch);
    }
    Ok(opened.load_table(&identifier).await?)
}

/// Opens a catalog of the settings.
pub(crate) fn open(
    name: &str,
    options: &CatalogOptions,
    settings: &Settings,
    env: &Env,
) -> Result<FilesystemCatalog, Failure> {
    let bad = |why: String| Failure::usage(format!("catalog `{name}`: {why}"));
    for (key, expected) in [("type", "paimon"), ("metastore", "filesystem")] {
        if options.get(key).is_some_and(|value| value != expected) {
            return Err(bad(format!("`{key}` must be `{expected}`; other catalogs are not supported yet")));
        }
    }
    if let Some(key) = options.keys().find(|key| keys().all(|known| known != key.as_str())) {
        let takes = || format!("it takes {}", keys().collect::<Vec<_>>().join(", "));
        let remedy = nearest(key, keys()).map_or_else(takes, |known| format!("did you mean `{known}`?"));
        return Err(bad(format!("there is no option `{key}`; {remedy}")));
    }
    let warehouse =
        options.get("warehouse").ok_or_else(|| bad("`warehouse` is missing; set it to a folder".to_owned()))?;
    let storage = Storage::open_with(warehouse, StorageOptions { fsync: settings.storage.fsync })?;
    Ok(FilesystemCatalog::new(storage, warehouse, env))
}

/// The catalog that a name without one means.
fn only(settings: &Settings) -> Result<&str, Failure> {
    let names: Vec<&str> = settings.catalogs.keys().map(String::as_str).collect();
    match names.as_slice() {
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
fn split(name: &str) -> Result<Vec<String>, Failure> {
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
