//! Names in Paimon's own REST catalog server: listings longer than a page, and what two clients make at once.

use paimon_catalog::rest::{RestCatalog, RestOptions};
use paimon_catalog::{Catalog, CatalogError, NewColumn, NewTable};
use paimon_table::store::StorageOptions;
use paimon_table::table::TableIdentifier;
use tributary_tests::Scratch;
use tributary_tests::catalog::{Auth, CATALOG, Server};
use tributary_tests::table::{block_on, environment};

/// The server's page.
const PAGE: usize = 100;

#[test]
fn listings_are_read_to_their_end_and_names_are_made_once() {
    if !CATALOG.available() {
        return;
    }
    let scratch = Scratch::new();
    let server = Server::start(&scratch, Auth::Bear("planted-7c1e-token"));
    let options = server.options().into_iter().map(|(key, value)| (key, value.as_str().unwrap().to_owned())).collect();
    let options = RestOptions::try_from_map(&options).unwrap();
    let catalog = RestCatalog::try_new(options, StorageOptions::default(), &environment()).unwrap();
    let column = NewColumn { name: "id".to_owned(), data_type: "INT".parse().unwrap(), comment: None };
    let definition = NewTable { columns: vec![column], ..NewTable::default() };
    block_on(async {
        for number in 0..=PAGE {
            assert!(catalog.create_database(&format!("db{number:03}"), false).await.unwrap());
        }
        let found = catalog.list_databases().await.unwrap();
        assert_eq!(found, (0..=PAGE).map(|number| format!("db{number:03}")).collect::<Vec<_>>());
        assert!(!catalog.create_database("db000", true).await.unwrap());
        let twice = catalog.create_database("db000", false).await.unwrap_err();
        assert!(matches!(twice, CatalogError::DatabaseExists { .. }), "{twice}");

        let table = TableIdentifier::new("db000", "t");
        assert!(!catalog.table_exists(&table).await.unwrap());
        let made = futures::future::join_all((0..4).map(|_| catalog.create_table(&table, definition.clone(), true)));
        let created = made.await.into_iter().filter(|made| made.as_ref().unwrap().created).count();
        assert_eq!(created, 1, "of four at once one makes it");
        let twice = catalog.create_table(&table, definition.clone(), false).await.unwrap_err();
        assert!(matches!(twice, CatalogError::TableExists { .. }), "{twice}");
        let nowhere = catalog.create_table(&TableIdentifier::new("none", "t"), definition, true).await.unwrap_err();
        assert!(matches!(nowhere, CatalogError::NoSuchDatabase { .. }), "{nowhere}");
        assert_eq!(catalog.list_tables("db000").await.unwrap(), ["t"]);
        let missing = catalog.load_table(&TableIdentifier::new("db000", "u")).await.unwrap_err();
        assert!(matches!(missing, CatalogError::NoSuchTable { .. }), "{missing}");
    });
}
