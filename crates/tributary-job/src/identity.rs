//! The identity of a pipeline: what its commit user, its consumer file and its metrics are called.

use std::fmt::{self, Write};

use paimon_catalog::TableIdentifier;
use paimon_table::commit::CommitUser;

/// `<pipeline.name>.<database>.<table>.<n>`, n counting from 1 the INSERTs of that name into that table.
///
/// A byte of a part that is neither an ASCII letter or digit nor `-` or `_` is written `!` and its two
/// hexadecimal digits: no two pipelines share an id, and every store takes it as a file name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PipelineId(String);

// === impl PipelineId ===

impl PipelineId {
    /// The id of the `ordinal`-th INSERT into `table` of the job `name`.
    pub fn new(name: &str, table: &TableIdentifier, ordinal: usize) -> Self {
        let mut id = String::new();
        for part in [name, &table.database, &table.table] {
            for byte in part.bytes() {
                match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => id.push(byte.into()),
                    // Writing to a String cannot fail.
                    _ => drop(write!(id, "!{byte:02x}")),
                }
            }
            id.push('.');
        }
        id.push_str(&ordinal.to_string());
        Self(id)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The user the pipeline commits as: `tributary-<id>`.
    pub fn commit_user(&self) -> CommitUser {
        CommitUser::new(format!("tributary-{}", self.0))
    }
}

impl fmt::Display for PipelineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unambiguous_file_names() {
        for (name, database, table, id) in [
            ("tutorial", "test_db", "t", "tutorial.test_db.t.1"),
            ("a.b", "c", "d", "a!2eb.c.d.1"),
            ("a", "b.c", "d", "a.b!2ec.d.1"),
            ("a/../b", "c", "d e", "a!2f!2e!2e!2fb.c.d!20e.1"),
            ("größe!", "c", "d", "gr!c3!b6!c3!9fe!21.c.d.1"),
        ] {
            let found = PipelineId::new(name, &TableIdentifier::new(database, table), 1);
            assert_eq!(found.as_str(), id);
        }
    }
}
