//! Branches and tags: other histories of a table, and snapshots that are kept, by name.
//!
//! A tag is a snapshot's file under another name, so it is read when the snapshot has long expired. A branch has schemas,
//! snapshots and tags of its own below `branch/branch-<name>`; its manifests and data files lie among those of the table
//! (`TagManager`, `BranchManager`). Both are read here. Writing to a branch is refused by the committer.

use std::sync::Arc;

use paimon_format::names::{self, BRANCH_DIR, TAG_DIR};
use paimon_format::{Snapshot, SnapshotId, Tag};

use crate::error::{Result, TableError};
use crate::port::SnapshotCommit;
use crate::store::Storage;
use crate::table::{Table, TableIdentifier, latest_schema, schema_path};

/// What names a branch in a table's name: `orders$branch_test`.
const BRANCH_MARK: &str = "$branch_";
/// The branch that is the table itself.
const MAIN_BRANCH: &str = "main";

// === impl TableIdentifier ===

impl TableIdentifier {
    /// The table's own name and the branch it names, as Paimon spells them: `orders$branch_test`. The branch `main` is
    /// the table itself.
    pub fn split_branch(&self) -> (&str, Option<&str>) {
        match self.table.split_once(BRANCH_MARK) {
            Some((table, branch)) => (table, Some(branch).filter(|branch| !branch.eq_ignore_ascii_case(MAIN_BRANCH))),
            None => (&self.table, None),
        }
    }

    /// The same table on a branch.
    pub fn on_branch(&self, branch: &str) -> Self {
        let (table, _) = self.split_branch();
        Self::new(self.database.as_str(), format!("{table}{BRANCH_MARK}{branch}"))
    }
}

// === impl Table ===

impl Table {
    /// Loads a branch of the table at `storage`, to be read.
    ///
    /// # Errors
    /// [`TableError::NoSuchBranch`], else as [`Table::load`].
    pub async fn load_branch(
        identifier: TableIdentifier,
        storage: Storage,
        branch: &str,
        port: Arc<dyn SnapshotCommit>,
    ) -> Result<Self> {
        let folder = names::branch_dir(branch);
        let metadata = storage.child(&format!("{BRANCH_DIR}/{folder}"));
        // A name with a slash would lead elsewhere.
        let schema = if branch.contains('/') { None } else { latest_schema(&metadata).await? };
        let Some(schema) = schema else {
            let folders = storage.list_folders(BRANCH_DIR).await?;
            let known: Vec<_> =
                folders.iter().filter_map(|folder| folder.strip_prefix(&names::branch_dir(""))).collect();
            return Err(TableError::NoSuchBranch {
                name: branch.to_owned(),
                location: storage.location(""),
                known: in_words("branches", &known),
            });
        };
        Self::assemble(identifier, storage, metadata, Arc::new(schema), port)
    }

    /// Whether this is a branch and not the table itself.
    pub fn is_branch(&self) -> bool {
        self.metadata().root != self.storage().root
    }

    /// The names of the tags, sorted.
    ///
    /// # Errors
    /// The store's error.
    pub async fn tags(&self) -> Result<Vec<String>> {
        let files = self.metadata().list_names(TAG_DIR).await?;
        Ok(files.iter().filter_map(|file| names::parse_tag(file)).map(str::to_owned).collect())
    }

    /// A tag and the snapshot it keeps.
    ///
    /// # Errors
    /// [`TableError::NoSuchTag`], the store's error, or [`TableError::Format`] for a tag that cannot be read.
    pub async fn tag(&self, name: &str) -> Result<Tag> {
        let path = format!("{TAG_DIR}/{}", names::tag_file(name));
        let found = if name.contains('/') { None } else { self.metadata().get_opt(&path).await? };
        match found {
            Some(bytes) => Tag::from_json(&bytes).map_err(TableError::format(path)),
            None => Err(TableError::NoSuchTag {
                name: name.to_owned(),
                location: self.location(),
                known: in_words("tags", &self.tags().await?),
            }),
        }
    }

    /// The table with the columns it had at a snapshot, as engines show it when they travel in time.
    ///
    /// # Errors
    /// [`TableError::Missing`] when the snapshot's schema is not there, else as [`Table::load`].
    pub async fn as_of(&self, snapshot: &Snapshot) -> Result<Self> {
        let Some(schema) = self.schema_of(snapshot.schema_id).await? else {
            return Err(missing_schema(snapshot.id, snapshot.schema_id));
        };
        let (storage, metadata) = (self.storage().clone(), self.metadata().clone());
        Self::assemble(self.identifier().clone(), storage, metadata, schema, Arc::clone(self.port()))
    }
}

fn missing_schema(snapshot: SnapshotId, schema: i64) -> TableError {
    TableError::Missing { object: schema_path(schema), referrer: format!("snapshot {snapshot}") }
}

fn in_words<T: AsRef<str>>(what: &str, names: &[T]) -> String {
    match names {
        [] => format!("no {what}"),
        names => format!("{what} {}", names.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use paimon_format::{DataField, TableSchema};
    use tributary_runtime::{Classify, Executor, FailureKind};

    use super::*;
    use crate::commit::{CommitError, CommitUser, Committer, Unguarded};
    use crate::port::FilesystemCommit;
    use crate::scan::plan_scan_of;
    use crate::testing::*;

    #[test]
    fn a_branch_is_part_of_a_tables_name() {
        for (name, table, branch) in [
            ("t", "t", None),
            ("t$branch_b", "t", Some("b")),
            ("t$branch_main", "t", None),
            ("t$branch_a_b", "t", Some("a_b")),
            ("t$snapshots", "t$snapshots", None),
        ] {
            assert_eq!(TableIdentifier::new("db", name).split_branch(), (table, branch), "{name}");
        }
        assert_eq!(TableIdentifier::new("db", "t$branch_a").on_branch("b"), TableIdentifier::new("db", "t$branch_b"));
    }

    #[tokio::test]
    async fn a_tag_outlives_its_snapshot_and_shows_the_columns_of_its_time() {
        let storage = memory();
        let table = create(&storage, &[]).await;
        let mut committer = committer(&table, "u", 1).await;
        committer.commit(&request("u", 1)).await.unwrap();
        let kept = storage.get("snapshot/snapshot-1").await.unwrap();
        storage.put("tag/tag-v 1", kept).await.unwrap();
        let mut changed = TableSchema { id: 1, ..schema(&[]) };
        changed.fields.push(DataField::new(2, "new", "INT".parse().unwrap()));
        storage.put("schema/schema-1", changed.to_json().unwrap().into()).await.unwrap();
        committer.commit(&request("u", 2)).await.unwrap();
        storage.delete("snapshot/snapshot-1").await.unwrap();

        let table = open(&storage).await;
        let tagged = Arc::new(table.tag("v 1").await.unwrap().snapshot);
        let then = table.as_of(&tagged).await.unwrap();
        assert_eq!((table.schema().fields.len(), then.schema().fields.len()), (3, 2));
        let plan = plan_scan_of(&then, tagged, None, &Executor::inline()).await.unwrap();
        let names: Vec<_> = plan.files.iter().map(|entry| entry.file.file_name.as_str()).collect();
        assert_eq!(names, ["data-u-1.parquet"]);
        for name in ["v2", "../schema/schema-0", ""] {
            let error = table.tag(name).await.unwrap_err();
            assert_eq!(error.kind(), FailureKind::Usage);
            assert!(error.to_string().ends_with("; it has tags v 1"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_branch_has_its_own_history_over_shared_files_and_is_only_read() {
        let storage = memory();
        let table = create(&storage, &[]).await;
        let mut committer = committer(&table, "u", 1).await;
        committer.commit(&request("u", 1)).await.unwrap();
        for (from, to) in [("schema/schema-0", "schema/schema-0"), ("snapshot/snapshot-1", "snapshot/snapshot-1")] {
            let bytes = storage.get(from).await.unwrap();
            storage.put(&format!("branch/branch-b/{to}"), bytes).await.unwrap();
        }
        committer.commit(&request("u", 2)).await.unwrap();

        let load = |branch| {
            let identifier = TableIdentifier::new("db", "t").on_branch(branch);
            Table::load_branch(identifier, storage.clone(), branch, Arc::new(FilesystemCommit))
        };
        let branch = load("b").await.unwrap();
        assert!(branch.is_branch() && !table.is_branch());
        assert_eq!(live_names(&branch).await, ["data-u-1.parquet"]);
        assert_eq!(live_names(&table).await, ["data-u-1.parquet", "data-u-2.parquet"]);
        let user = CommitUser::new("u");
        let env = tributary_testkit::sim_env(1, EPOCH);
        let refused = Committer::try_open(branch, user, Arc::new(Unguarded), env).await.err().unwrap();
        assert!(matches!(refused, CommitError::Branch { .. }), "{refused}");
        assert_eq!(refused.kind(), FailureKind::Usage);
        let error = load("c").await.unwrap_err();
        assert!(error.to_string().ends_with("it has branches b"), "{error}");
    }
}
