//! `CREATE CATALOG`: which catalogs there are and how one is opened.

use std::path::Path;
use std::sync::Arc;

use paimon_catalog::{Catalog, FilesystemCatalog};
use paimon_table::store::{Storage, StorageOptions};
use tributary_runtime::Env;
use tributary_statement::{CreateCatalog, OptionEntry, nearest};

use crate::error::JobError;
use crate::expr::bind::BindError;
use crate::place::Place;

/// An option of a catalog, as the reference shows it.
#[derive(Debug, Clone, Copy)]
pub struct CatalogOption {
    /// The key.
    pub key: &'static str,
    /// What holds without it; empty when it is required.
    pub default: &'static str,
    /// What it does.
    pub doc: &'static str,
}

/// The options of a catalog.
pub const CATALOG_OPTIONS: &[CatalogOption] = &[
    CatalogOption {
        key: "type",
        default: "",
        doc: "`paimon`. Required in CREATE CATALOG, assumed in `[catalog.NAME]`.",
    },
    CatalogOption {
        key: "warehouse",
        default: "",
        doc: "Folder of the databases: a path, `file:` or `memory:` URL. A relative path is below the folder of the job file; in settings and on the command line, below the working directory.",
    },
    CatalogOption { key: "metastore", default: "filesystem", doc: "`filesystem`." },
    CatalogOption {
        key: "default-database",
        default: "default",
        doc: "The database that names without one mean after USE CATALOG.",
    },
];

/// Keys of catalogs that exist in Paimon but not here yet: refused by name.
const FOREIGN: &[&str] = &["uri", "token", "dlf.", "lock.", "fs.", "s3.", "oss.", "hive-conf-dir", "table.type"];

/// A catalog by its name in the job.
pub(crate) struct CatalogEntry {
    pub(crate) catalog: Arc<dyn Catalog>,
    /// The database that names without one mean while this catalog is in use.
    pub(crate) default_database: String,
}

/// Opens what a CREATE CATALOG describes; a relative warehouse is below `folder`.
pub(crate) fn open(
    statement: &CreateCatalog,
    place: &Place<'_>,
    folder: &Path,
    fsync: bool,
    env: &Env,
) -> Result<CatalogEntry, JobError> {
    let options = &statement.options;
    for entry in options {
        check_key(entry).map_err(|error| place.refuse(error))?;
    }
    let only = |key: &str, expected: &str, required: bool| -> Result<(), BindError> {
        match options.get(key) {
            None if required => {
                Err(BindError::new(statement.name.span, format!("catalog `{}` has no '{key}'", statement.name.value))
                    .help(format!("write '{key}' = '{expected}'")))
            }
            Some(entry) if entry.value.expose() != expected => Err(BindError::new(
                entry.value.span(),
                format!("the {key} `{}` of catalog `{}` is not supported yet", entry.value, statement.name.value),
            )
            .help(format!("write '{key}' = '{expected}'"))),
            _ => Ok(()),
        }
    };
    only("type", "paimon", true).map_err(|error| place.refuse(error))?;
    only("metastore", "filesystem", false).map_err(|error| place.refuse(error))?;
    let Some(warehouse) = options.get("warehouse") else {
        let error =
            BindError::new(statement.name.span, format!("catalog `{}` has no 'warehouse'", statement.name.value));
        return Err(place.refuse(error.help("write 'warehouse' = 'a folder or URL'")));
    };
    let url = resolve(warehouse.value.expose(), folder);
    let storage = Storage::open_with(&url, StorageOptions { fsync })
        .map_err(|source| place.catalog(warehouse.value.span(), source.into()))?;
    let default_database = options.get("default-database").map_or("default", |entry| entry.value.expose());
    Ok(CatalogEntry {
        catalog: Arc::new(FilesystemCatalog::new(storage, url, env)),
        default_database: default_database.to_owned(),
    })
}

fn check_key(entry: &OptionEntry) -> Result<(), BindError> {
    let key = entry.key.value.as_str();
    if keys().any(|known| known == key) {
        return Ok(());
    }
    if FOREIGN.iter().any(|foreign| key == *foreign || (foreign.ends_with('.') && key.starts_with(foreign))) {
        return Err(BindError::new(entry.key.span, format!("the catalog option `{key}` is not supported yet"))
            .help("a warehouse on a file system is: 'type' = 'paimon', 'warehouse' = 'a folder'"));
    }
    let error = BindError::new(entry.key.span, format!("there is no catalog option `{key}`"));
    Err(match nearest(key, keys()) {
        Some(near) => error.help(format!("did you mean '{near}'?")),
        None => error.help(format!("a catalog takes {}", keys().collect::<Vec<_>>().join(", "))),
    })
}

fn keys() -> impl Iterator<Item = &'static str> {
    CATALOG_OPTIONS.iter().map(|option| option.key)
}

/// A path that is relative is below the folder of the statements; a URL stays as it is.
fn resolve(warehouse: &str, folder: &Path) -> String {
    let scheme = warehouse.split_once(':').map_or("", |(scheme, _)| scheme);
    let is_url =
        scheme.len() > 1 && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    if warehouse.is_empty() || is_url || Path::new(warehouse).is_absolute() {
        return warehouse.to_owned();
    }
    folder.join(warehouse).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_warehouses_are_below_the_folder_of_the_statements() {
        for (warehouse, expected) in [
            ("wh", "/jobs/wh"),
            ("./a/b", "/jobs/./a/b"),
            ("/data/wh", "/data/wh"),
            ("memory:x", "memory:x"),
            ("file:///data", "file:///data"),
            ("s3://b/p", "s3://b/p"),
            ("", ""),
        ] {
            assert_eq!(resolve(warehouse, Path::new("/jobs")), expected);
        }
    }
}
