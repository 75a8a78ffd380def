//! Catalogs: which options there are and how one is opened, whether CREATE CATALOG names it or the settings do.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use paimon_catalog::{Catalog, FilesystemCatalog};
use paimon_table::store::{Storage, StorageOptions, StoreError};
use tributary_runtime::{Classify, Env, FailureKind};
use tributary_statement::{CreateCatalog, nearest};

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
#[derive(Clone)]
pub struct OpenedCatalog {
    /// The catalog.
    pub catalog: Arc<dyn Catalog>,
    /// The database that names without one mean while this catalog is in use.
    pub default_database: String,
    /// The warehouse as a URL or a path that depends on no folder.
    warehouse: String,
}

/// What is wrong with the options of a catalog.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogOptionError {
    /// Nobody knows the option.
    #[error("there is no catalog option `{key}`; {remedy}")]
    UnknownKey {
        /// The key.
        key: String,
        /// The nearest, or all there are.
        remedy: String,
    },
    /// An option of Paimon's catalogs that means nothing here yet.
    #[error("the catalog option `{key}` is not supported yet; {FILESYSTEM}")]
    UnsupportedKey {
        /// The key.
        key: String,
    },
    /// A kind of catalog that is not there yet.
    #[error("the {key} of a catalog must be `{expected}`; others are not supported yet")]
    Unsupported {
        /// `type` or `metastore`.
        key: &'static str,
        /// The value that is.
        expected: &'static str,
    },
    /// An option that must be there is not.
    #[error("it has no '{key}'; write '{key}' = '{example}'")]
    Missing {
        /// The key.
        key: &'static str,
        /// What it may look like.
        example: &'static str,
    },
    /// The warehouse is no place a store is known for.
    #[error(transparent)]
    Warehouse(#[from] StoreError),
}

const FILESYSTEM: &str = "a warehouse on a file system is: 'type' = 'paimon', 'warehouse' = 'a folder'";

/// The one value that `type` and `metastore` can have so far.
const ONLY: [(&str, &str); 2] = [("type", "paimon"), ("metastore", "filesystem")];

// === impl OpenedCatalog ===

impl OpenedCatalog {
    /// Opens the catalog that `options` describe; a relative warehouse is below `folder`. No I/O.
    ///
    /// # Errors
    /// The first option that is wrong or missing.
    pub fn try_open(
        options: &BTreeMap<String, String>,
        folder: &Path,
        fsync: bool,
        env: &Env,
    ) -> Result<Self, CatalogOptionError> {
        for key in options.keys() {
            check_key(key)?;
        }
        for (key, expected) in ONLY {
            if options.get(key).is_some_and(|value| value != expected) {
                return Err(CatalogOptionError::Unsupported { key, expected });
            }
        }
        let warehouse = options
            .get("warehouse")
            .ok_or(CatalogOptionError::Missing { key: "warehouse", example: "a folder or URL" })?;
        let warehouse = resolve(warehouse, folder);
        let storage = Storage::open_with(&warehouse, StorageOptions { fsync })?;
        let default_database = options.get("default-database").map_or("default", String::as_str).to_owned();
        let catalog = Arc::new(FilesystemCatalog::new(storage, warehouse.clone(), env));
        Ok(Self { catalog, default_database, warehouse })
    }

    /// Whether both are the same catalog, told by what opens it.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (&self.warehouse, &self.default_database) == (&other.warehouse, &other.default_database)
    }
}

impl Classify for CatalogOptionError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Warehouse(source) => source.kind(),
            _ => FailureKind::Usage,
        }
    }
}

/// Opens what a CREATE CATALOG describes; a mistake is shown in its line.
pub(crate) fn open(
    statement: &CreateCatalog,
    place: &Place<'_>,
    folder: &Path,
    fsync: bool,
    env: &Env,
) -> Result<OpenedCatalog, JobError> {
    let (given, name) = (&statement.options, &statement.name);
    let missing = |key: &str, example: &str| {
        place.refuse(
            BindError::new(name.span, format!("catalog `{}` has no '{key}'", name.value))
                .help(format!("write '{key}' = '{example}'")),
        )
    };
    // Flink asks for the type; in the settings it goes without saying.
    let (key, example) = ONLY[0];
    if given.get(key).is_none() {
        return Err(missing(key, example));
    }
    let options = given.iter().map(|entry| (entry.key.value.clone(), entry.value.expose().to_owned())).collect();
    OpenedCatalog::try_open(&options, folder, fsync, env).map_err(|error| {
        let key_span = |key: &str| given.get(key).map_or(name.span, |entry| entry.key.span);
        let value_span = |key: &str| given.get(key).map_or(name.span, |entry| entry.value.span());
        match error {
            CatalogOptionError::Warehouse(source) => place.catalog(value_span("warehouse"), source.into()),
            CatalogOptionError::Missing { key, example } => missing(key, example),
            CatalogOptionError::UnknownKey { key, remedy } => {
                place.refuse(BindError::new(key_span(&key), format!("there is no catalog option `{key}`")).help(remedy))
            }
            CatalogOptionError::UnsupportedKey { key } => place.refuse(
                BindError::new(key_span(&key), format!("the catalog option `{key}` is not supported yet"))
                    .help(FILESYSTEM),
            ),
            CatalogOptionError::Unsupported { key, expected } => {
                let value = given.get(key).map_or_else(String::new, |entry| entry.value.to_string());
                place.refuse(
                    BindError::new(
                        value_span(key),
                        format!("the {key} `{value}` of catalog `{}` is not supported yet", name.value),
                    )
                    .help(format!("write '{key}' = '{expected}'")),
                )
            }
        }
    })
}

fn check_key(key: &str) -> Result<(), CatalogOptionError> {
    if keys().any(|known| known == key) {
        return Ok(());
    }
    let key = key.to_owned();
    if FOREIGN.iter().any(|foreign| key == *foreign || (foreign.ends_with('.') && key.starts_with(foreign))) {
        return Err(CatalogOptionError::UnsupportedKey { key });
    }
    let remedy = match nearest(&key, keys()) {
        Some(near) => format!("did you mean '{near}'?"),
        None => format!("a catalog takes {}", keys().collect::<Vec<_>>().join(", ")),
    };
    Err(CatalogOptionError::UnknownKey { key, remedy })
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
