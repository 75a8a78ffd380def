//! Names of tables, as policies and requests write them, to tables.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use paimon_catalog::{Catalog, CatalogError, Table, TableIdentifier};
use tributary_compact::worker::{NotLoaded, RunFailure, TableName, Tables};
use tributary_runtime::FailureKind;

use crate::catalogs;
use crate::failure::Failure;

/// The catalogs a worker knows.
pub(crate) struct Names {
    catalogs: BTreeMap<String, Arc<dyn Catalog>>,
}

// === impl Names ===

impl Names {
    pub(crate) fn new(catalogs: impl IntoIterator<Item = (String, Arc<dyn Catalog>)>) -> Self {
        Self { catalogs: catalogs.into_iter().collect() }
    }

    /// The one name of the table that `text` means; there need not be such a table yet.
    pub(crate) fn resolve(&self, text: &str) -> Result<TableName, Failure> {
        let (catalog, identifier) = self.locate(text)?;
        let table = format!("{}.{}", quoted(&identifier.database), quoted(&identifier.table));
        Ok(TableName::new(match self.catalogs.len() {
            1 => table,
            _ => format!("{}.{table}", quoted(&catalog)),
        }))
    }

    fn locate(&self, text: &str) -> Result<(String, TableIdentifier), Failure> {
        catalogs::locate(text, self.catalogs.keys().map(String::as_str))
    }
}

#[async_trait]
impl Tables for Names {
    async fn load(&self, table: &TableName) -> Result<Table, NotLoaded> {
        let failed = |kind, text| NotLoaded::Failed(RunFailure::failed(kind, text));
        let located = self.locate(table.as_str());
        let (catalog, identifier) = located.map_err(|why| failed(why.kind(), why.text()))?;
        let Some(catalog) = self.catalogs.get(&catalog) else {
            return Err(failed(FailureKind::Internal, format!("the catalog `{catalog}` is gone")));
        };
        catalog.load_table(&identifier).await.map_err(|error| match error {
            CatalogError::NoSuchTable { .. } | CatalogError::NoSuchDatabase { .. } => {
                NotLoaded::Missing(RunFailure::of(&error))
            }
            _ => NotLoaded::Failed(RunFailure::of(&error)),
        })
    }
}

fn quoted(part: &str) -> String {
    if part.contains('.') { format!("`{part}`") } else { part.to_owned() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use paimon_catalog::FilesystemCatalog;
    use paimon_table::store::Storage;
    use tributary_runtime::Executor;

    use super::*;

    fn names(catalogs: &[&str]) -> Names {
        let env = crate::environment(Executor::inline()).unwrap();
        let catalog = || {
            Arc::new(FilesystemCatalog::new(Storage::open("memory:///w").unwrap(), "memory:///w", &env))
                as Arc<dyn Catalog>
        };
        Names::new(catalogs.iter().map(|name| ((*name).to_owned(), catalog())))
    }

    #[tokio::test]
    async fn only_what_its_catalog_denies_is_missing() {
        let names = names(&["a", "b"]);
        let answer = names.load(&TableName::new("a.db.t")).await;
        assert!(matches!(answer, Err(NotLoaded::Missing(why)) if why.to_string().contains("does not exist")));
        assert!(matches!(names.load(&TableName::new("c.db.t")).await, Err(NotLoaded::Failed(_))));
    }

    #[test]
    fn a_table_has_one_name_however_it_is_written() {
        for (known, text, expected) in [
            (&["a"][..], "db.t", "db.t"),
            (&["a"], "a.db.t", "db.t"),
            (&["a"], "`db`.`t.u`", "db.`t.u`"),
            (&["a", "b"], "a.db.t", "a.db.t"),
        ] {
            let names = names(known);
            let name = names.resolve(text).unwrap();
            assert_eq!(name.as_str(), expected);
            assert_eq!(names.resolve(name.as_str()).unwrap(), name);
        }
        for (known, text, why) in [
            (&["a", "b"][..], "db.t", "there are several catalogs (a, b)"),
            (&["a"], "c.db.t", "there is no catalog `c`"),
            (&[], "db.t", "no catalog is configured"),
            (&["a"], "t", "write DATABASE.TABLE"),
        ] {
            assert!(names(known).resolve(text).unwrap_err().text().contains(why), "{text}");
        }
    }
}
