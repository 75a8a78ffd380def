//! The paths of Paimon's REST catalog API (`ResourcePaths`, `RESTUtil`). A table's path is the start of the paths of what
//! belongs to it.

use url::form_urlencoded;

/// The path of the options every client asks for first.
pub const CONFIG: &str = "/v1/config";

/// Query parameter of [`CONFIG`]: the catalog's name.
pub const WAREHOUSE: &str = "warehouse";

/// Query parameter of a listing: the token that came with the page before.
pub const PAGE_TOKEN: &str = "pageToken";

/// Query parameter of a listing: how long a page may be.
pub const MAX_RESULTS: &str = "maxResults";

/// Option of the catalog that says what comes after `/v1`.
pub const PREFIX: &str = "prefix";

/// Paths below a catalog's prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourcePaths {
    root: String,
}

// === impl ResourcePaths ===

impl ResourcePaths {
    /// The paths of a catalog whose option [`PREFIX`] is this.
    pub fn new(prefix: Option<&str>) -> Self {
        let root = prefix.map_or_else(|| "/v1".to_owned(), |prefix| format!("/v1/{}", encode(prefix)));
        Self { root }
    }

    /// All databases.
    pub fn databases(&self) -> String {
        format!("{}/databases", self.root)
    }

    /// One database.
    pub fn database(&self, database: &str) -> String {
        format!("{}/databases/{}", self.root, encode(database))
    }

    /// All tables of a database.
    pub fn tables(&self, database: &str) -> String {
        format!("{}/tables", self.database(database))
    }

    /// All tables of a database, with their definitions.
    pub fn table_details(&self, database: &str) -> String {
        format!("{}/table-details", self.database(database))
    }

    /// One table.
    pub fn table(&self, database: &str, table: &str) -> String {
        format!("{}/{}", self.tables(database), encode(table))
    }

    /// Renames a table.
    pub fn rename_table(&self) -> String {
        format!("{}/tables/rename", self.root)
    }

    /// Creates a snapshot of a table.
    pub fn commit(&self, database: &str, table: &str) -> String {
        format!("{}/commit", self.table(database, table))
    }

    /// Goes back to an older state of a table.
    pub fn rollback(&self, database: &str, table: &str) -> String {
        format!("{}/rollback", self.table(database, table))
    }

    /// What opens the store of a table.
    pub fn token(&self, database: &str, table: &str) -> String {
        format!("{}/token", self.table(database, table))
    }

    /// The newest snapshot of a table.
    pub fn snapshot(&self, database: &str, table: &str) -> String {
        format!("{}/snapshot", self.table(database, table))
    }

    /// All snapshots of a table.
    pub fn snapshots(&self, database: &str, table: &str) -> String {
        format!("{}/snapshots", self.table(database, table))
    }

    /// All partitions of a table.
    pub fn partitions(&self, database: &str, table: &str) -> String {
        format!("{}/partitions", self.table(database, table))
    }

    /// All tags of a table.
    pub fn tags(&self, database: &str, table: &str) -> String {
        format!("{}/tags", self.table(database, table))
    }

    /// One tag of a table.
    pub fn tag(&self, database: &str, table: &str, tag: &str) -> String {
        format!("{}/{}", self.tags(database, table), encode(tag))
    }
}

/// A name as one segment of a path or one value of a query: Java's `URLEncoder`, which makes a space a plus sign.
pub fn encode(name: &str) -> String {
    form_urlencoded::byte_serialize(name.as_bytes()).collect()
}

/// The name that [`encode`] made the segment of.
pub fn decode(segment: &str) -> String {
    let bytes: Vec<u8> = segment.bytes().map(|byte| if byte == b'+' { b' ' } else { byte }).collect();
    percent_encoding::percent_decode(&bytes).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded_as_java_does() {
        // Each right side is what URLEncoder.encode(…, "UTF-8") gives.
        for (name, encoded) in [
            ("orders", "orders"),
            ("a b", "a+b"),
            ("t$branch_dev", "t%24branch_dev"),
            ("a/b?c#d", "a%2Fb%3Fc%23d"),
            ("a+b&c=d", "a%2Bb%26c%3Dd"),
            ("~*-._", "%7E*-._"),
            ("表", "%E8%A1%A8"),
        ] {
            assert_eq!(encode(name), encoded);
            assert_eq!(decode(encoded), name);
        }
    }

    #[test]
    fn paths_are_those_of_java() {
        for (prefix, root) in [(None, "/v1"), (Some("p"), "/v1/p"), (Some("a b/c"), "/v1/a+b%2Fc")] {
            let paths = ResourcePaths::new(prefix);
            for (path, expected) in [
                (paths.databases(), "/databases"),
                (paths.database("d b"), "/databases/d+b"),
                (paths.tables("d"), "/databases/d/tables"),
                (paths.table_details("d"), "/databases/d/table-details"),
                (paths.table("d", "t$branch_b"), "/databases/d/tables/t%24branch_b"),
                (paths.rename_table(), "/tables/rename"),
                (paths.commit("d", "t"), "/databases/d/tables/t/commit"),
                (paths.rollback("d", "t"), "/databases/d/tables/t/rollback"),
                (paths.token("d", "t"), "/databases/d/tables/t/token"),
                (paths.snapshot("d", "t"), "/databases/d/tables/t/snapshot"),
                (paths.snapshots("d", "t"), "/databases/d/tables/t/snapshots"),
                (paths.partitions("d", "t"), "/databases/d/tables/t/partitions"),
                (paths.tags("d", "t"), "/databases/d/tables/t/tags"),
                (paths.tag("d", "t", "x/y"), "/databases/d/tables/t/tags/x%2Fy"),
            ] {
                assert_eq!(path, format!("{root}{expected}"));
            }
        }
    }
}
