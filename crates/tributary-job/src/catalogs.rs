//! Catalogs: how one is opened, whether CREATE CATALOG names it or the settings do.

mod options;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use paimon_catalog::rest::{self, RestCatalog, RestOptions};
use paimon_catalog::{Catalog, CatalogError, FilesystemCatalog};
use paimon_table::store::options::{BucketOptions, StorageOptionError};
use paimon_table::store::{Storage, StorageOptions, StoreError};
use tributary_runtime::{Classify, Env, FailureKind};
use tributary_statement::CreateCatalog;

use crate::error::JobError;
use crate::expr::bind::BindError;
use crate::place::Place;

pub use options::{CATALOG_OPTIONS, CatalogOption, Metastore};
use options::{check_key, unknown};

/// A catalog by its name in the job.
#[derive(Clone)]
pub struct OpenedCatalog {
    /// The catalog.
    pub catalog: Arc<dyn Catalog>,
    /// The database that names without one mean while this catalog is in use.
    pub default_database: String,
    /// Where it is, depending on no folder: the warehouse as a URL or path, or the REST catalog and its name there.
    location: String,
    /// How buckets are reached, of S3 and of OSS.
    buckets: [BucketOptions; 2],
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
    #[error("the {key} of a catalog must be `{}`; others are not supported", expected.join("` or `"))]
    Unsupported {
        /// `type` or `metastore`.
        key: &'static str,
        /// The values that are.
        expected: &'static [&'static str],
    },
    /// An option that must be there is not.
    #[error("it has no '{key}'; write '{key}' = '{example}'")]
    Missing {
        /// The key.
        key: &'static str,
        /// What it may look like.
        example: &'static str,
    },
    /// An option of another kind of catalog.
    #[error("the catalog option `{key}` is for 'metastore' = '{metastore}'")]
    OtherMetastore {
        /// The key.
        key: String,
        /// The metastore it is for.
        metastore: &'static str,
    },
    /// An option cannot be this.
    #[error("'{key}' {why}")]
    Value {
        /// The key.
        key: &'static str,
        /// What it may be.
        why: String,
    },
    /// An option of the store is wrong.
    #[error(transparent)]
    Storage(#[from] StorageOptionError),
    /// The warehouse is no place a store is known for.
    #[error(transparent)]
    Warehouse(#[from] StoreError),
    /// The catalog cannot be opened at all.
    #[error(transparent)]
    Catalog(Box<CatalogError>),
}

const FILESYSTEM: &str = "a warehouse on a file system is: 'type' = 'paimon', 'warehouse' = 'a folder'";

/// The one value that `type` can have.
const TYPE: (&str, &str) = ("type", "paimon");

// === impl OpenedCatalog ===

impl OpenedCatalog {
    /// Opens the catalog that `options` describe, over what `storage` says of stores; a relative warehouse is below
    /// `folder`. No I/O.
    ///
    /// # Errors
    /// The first option that is wrong or missing.
    pub fn try_open(
        options: &BTreeMap<String, String>,
        folder: &Path,
        storage: &StorageOptions,
        env: &Env,
    ) -> Result<Self, CatalogOptionError> {
        let (key, expected) = TYPE;
        if options.get(key).is_some_and(|value| value != expected) {
            return Err(CatalogOptionError::Unsupported { key, expected: &[TYPE.1] });
        }
        let metastore = Metastore::parse(options.get("metastore").map(String::as_str))?;
        for key in options.keys() {
            check_key(key, metastore)?;
        }
        let default_database = options.get("default-database").map_or("default", String::as_str).to_owned();
        let own = StorageOptions::try_new(options).map_err(|error| match error {
            StorageOptionError::Unknown { key } => unknown(key, metastore),
            other => other.into(),
        })?;
        if let (Metastore::Filesystem, Some(warehouse)) = (metastore, options.get("warehouse")) {
            own.check_for(warehouse)?;
        }
        let storage = own.over(storage);
        let buckets = [storage.s3.clone(), storage.oss.clone()];
        let (catalog, location): (Arc<dyn Catalog>, String) = match metastore {
            Metastore::Filesystem => {
                let warehouse = options
                    .get("warehouse")
                    .ok_or(CatalogOptionError::Missing { key: "warehouse", example: "a folder or URL" })?;
                let warehouse = resolve(warehouse, folder);
                let storage = Storage::open_with(&warehouse, &storage)?;
                (Arc::new(FilesystemCatalog::new(storage, warehouse.clone(), env)), warehouse)
            }
            Metastore::Rest => open_rest(options, folder, storage, env)?,
            Metastore::OldDlf => {
                let rest = rest::old_dlf::to_rest(options)?;
                let opened = open_rest(&rest, folder, storage, env)?;
                tracing::info!(
                    uri = rest.get("uri"),
                    warehouse = rest.get("warehouse"),
                    "'metastore' = 'dlf' is understood as 'metastore' = 'rest' with 'token.provider' = 'dlf', dlf.catalog.endpoint as uri and dlf.catalog.id as warehouse"
                );
                opened
            }
        };
        Ok(Self { catalog, default_database, location, buckets })
    }

    /// Whether both are the same catalog, told by what opens it.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (&self.location, &self.default_database, &self.buckets)
            == (&other.location, &other.default_database, &other.buckets)
    }
}

impl From<rest::OptionError> for CatalogOptionError {
    fn from(error: rest::OptionError) -> Self {
        match error {
            rest::OptionError::Missing { key, example } => Self::Missing { key, example },
            rest::OptionError::Value { key, why } => Self::Value { key, why },
        }
    }
}

impl Classify for CatalogOptionError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Warehouse(source) => source.kind(),
            Self::Catalog(source) => source.kind(),
            _ => FailureKind::Usage,
        }
    }
}

fn open_rest(
    options: &BTreeMap<String, String>,
    folder: &Path,
    storage: StorageOptions,
    env: &Env,
) -> Result<(Arc<dyn Catalog>, String), CatalogOptionError> {
    let mut options = options.clone();
    if let Some(path) = options.get_mut("dlf.token-path") {
        *path = resolve(path, folder);
    }
    let options = RestOptions::try_from_map(&options)?;
    let location = options.location();
    let catalog = RestCatalog::try_new(options, storage, env);
    Ok((Arc::new(catalog.map_err(|error| CatalogOptionError::Catalog(Box::new(error)))?), location))
}

/// Opens what a CREATE CATALOG describes; a mistake is shown in its line.
pub(crate) fn open(
    statement: &CreateCatalog,
    place: &Place<'_>,
    folder: &Path,
    storage: &StorageOptions,
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
    let (key, example) = TYPE;
    if given.get(key).is_none() {
        return Err(missing(key, example));
    }
    let options = given.iter().map(|entry| (entry.key.value.clone(), entry.value.expose().to_owned())).collect();
    OpenedCatalog::try_open(&options, folder, storage, env).map_err(|error| {
        let key_span = |key: &str| given.get(key).map_or(name.span, |entry| entry.key.span);
        let value_span = |key: &str| given.get(key).map_or(name.span, |entry| entry.value.span());
        match error {
            CatalogOptionError::Warehouse(source) => place.catalog(value_span("warehouse"), source.into()),
            CatalogOptionError::Catalog(source) => place.catalog(name.span, *source),
            CatalogOptionError::Value { key, why } => {
                place.refuse(BindError::new(value_span(key), format!("'{key}' {why}")))
            }
            CatalogOptionError::OtherMetastore { key, metastore } => place.refuse(
                BindError::new(key_span(&key), format!("the catalog option `{key}` is not for this metastore"))
                    .help(format!("it is for 'metastore' = '{metastore}'")),
            ),
            CatalogOptionError::Missing { key, example } => missing(key, example),
            CatalogOptionError::UnknownKey { key, remedy } => {
                place.refuse(BindError::new(key_span(&key), format!("there is no catalog option `{key}`")).help(remedy))
            }
            CatalogOptionError::UnsupportedKey { key } => place.refuse(
                BindError::new(key_span(&key), format!("the catalog option `{key}` is not supported yet"))
                    .help(FILESYSTEM),
            ),
            CatalogOptionError::Storage(error) => {
                place.refuse(BindError::new(key_span(error.key()), error.to_string()))
            }
            CatalogOptionError::Unsupported { key, expected } => {
                let value = given.get(key).map_or_else(String::new, |entry| entry.value.to_string());
                place.refuse(
                    BindError::new(
                        value_span(key),
                        format!("the {key} `{value}` of catalog `{}` is not supported", name.value),
                    )
                    .help(format!("write '{key}' = '{}'", expected.join("' or '"))),
                )
            }
        }
    })
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
