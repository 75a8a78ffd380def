//! What a file is by its path below the table: pure (`OrphanFilesClean.listPaimonFileDirs`, `cleanSnapshotDir`).

use paimon_format::names::{
    BRANCH_DIR, CHANGELOG_DIR, EARLIEST, INDEX_DIR, LATEST, MANIFEST_DIR, SNAPSHOT_DIR, STATISTICS_DIR,
};

use crate::keepers::PLEDGE_DIR;
use crate::store::is_staging_name;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A manifest, list, statistics or data file: an orphan when nothing names it.
    Named,
    /// An index file or index manifest.
    Index,
    /// What a writer left behind: never named by anything.
    Stray,
    /// Anything else, which is not looked at.
    Other,
}

// === impl Place ===

impl Place {
    /// For a table with this many partition columns.
    pub(super) fn of(path: &str, partition_keys: usize) -> Self {
        let segments: Vec<&str> = path.split('/').collect();
        let (Some(name), folders) = (segments.last(), &segments[..segments.len() - 1]) else {
            return Self::Other;
        };
        let metadata = match folders {
            [branch, _, rest @ ..] if *branch == BRANCH_DIR => rest,
            folders => folders,
        };
        let partitioned =
            |folders: &[&str]| folders.len() == partition_keys && folders.iter().all(|key| key.contains('='));
        match (metadata, folders) {
            (_, [folder]) if *folder == PLEDGE_DIR => Self::Stray,
            ([folder], _) if *folder == SNAPSHOT_DIR && !is_snapshot(name, "snapshot-") => Self::Stray,
            ([folder], _) if *folder == CHANGELOG_DIR && !is_snapshot(name, "changelog-") => Self::Stray,
            (_, [folder]) if *folder == MANIFEST_DIR && name.starts_with("index-manifest-") => Self::Index,
            (_, [folder]) if *folder == MANIFEST_DIR || *folder == STATISTICS_DIR => Self::Named,
            (_, [folder]) if *folder == INDEX_DIR => Self::Index,
            (_, [partition @ .., bucket]) if is_bucket(bucket) && partitioned(partition) => Self::Named,
            // What is written in the table's other folders goes by way of such a name.
            ([_], _) if is_staging_name(name) => Self::Stray,
            _ => Self::Other,
        }
    }
}

/// Whether a folder's path is that of a bucket.
pub(super) fn is_bucket(folder: &str) -> bool {
    folder.rsplit('/').next().is_some_and(|name| name.starts_with("bucket-"))
}

fn is_snapshot(name: &str, prefix: &str) -> bool {
    name.starts_with(prefix) || [LATEST, EARLIEST].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_of_a_known_kind_are_looked_at() {
        for (path, keys, place) in [
            ("dt=1/hh=2/bucket-0/data-1.parquet", 2, Place::Named),
            ("dt=1/bucket-0/data-1.parquet", 1, Place::Named),
            ("bucket-0/data-1.parquet", 0, Place::Named),
            ("dt=1/hh=2/bucket-0/.data-1.parquet.7f.tmp", 2, Place::Named),
            ("dt=1/bucket-0/data-1.parquet", 2, Place::Other),
            ("dt=1/hh=2/bucket-0/data-1.parquet", 1, Place::Other),
            ("dt=1/hh=2/_SUCCESS", 2, Place::Other),
            ("dt=1/stray", 1, Place::Other),
            ("other/bucket-0/data-1.parquet", 1, Place::Other),
            ("manifest/manifest-1", 1, Place::Named),
            ("manifest/manifest-list-1", 1, Place::Named),
            ("manifest/index-manifest-1", 1, Place::Index),
            ("index/index-1", 1, Place::Index),
            ("statistics/stats-1", 1, Place::Named),
            ("snapshot/snapshot-7", 1, Place::Other),
            ("snapshot/snapshot-7#1", 1, Place::Other),
            ("snapshot/LATEST", 1, Place::Other),
            ("snapshot/EARLIEST", 1, Place::Other),
            ("snapshot/.snapshot-7.0f.tmp", 1, Place::Stray),
            ("branch/branch-b/snapshot/.snapshot-7.0f.tmp", 1, Place::Stray),
            ("branch/branch-b/snapshot/snapshot-7", 1, Place::Other),
            ("branch/branch-b/schema/schema-0", 1, Place::Other),
            ("branch/branch-b/manifest/manifest-1", 1, Place::Other),
            ("changelog/changelog-3", 1, Place::Other),
            ("changelog/.changelog-3.tmp", 1, Place::Stray),
            ("schema/schema-0", 1, Place::Other),
            ("schema/.schema-1.0f.tmp", 1, Place::Stray),
            ("consumer/consumer-job", 1, Place::Other),
            ("tag/tag-v1", 1, Place::Other),
            ("tag/.tag-v1.0f.tmp", 1, Place::Stray),
            ("pledge/pledge-0f", 1, Place::Stray),
            ("branch/branch-b/pledge/pledge-0f", 1, Place::Other),
            ("metadata/v1.metadata.json", 1, Place::Other),
            (".hidden", 1, Place::Other),
            ("", 0, Place::Other),
        ] {
            assert_eq!(Place::of(path, keys), place, "{path}");
        }
    }
}
