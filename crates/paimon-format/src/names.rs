//! Names of the objects of a table, relative to its root (`FileStorePathFactory`,
//! `DataFilePathFactory`, `SnapshotManager`).

use uuid::Uuid;

use crate::snapshot::SnapshotId;

/// Directory of schema files.
pub const SCHEMA_DIR: &str = "schema";
/// Directory of snapshot files and hints.
pub const SNAPSHOT_DIR: &str = "snapshot";
/// Directory of manifests, manifest lists and index manifests.
pub const MANIFEST_DIR: &str = "manifest";
/// Directory of consumer files.
pub const CONSUMER_DIR: &str = "consumer";
/// Directory of tags: copies of snapshots that expiry leaves alone, by name.
pub const TAG_DIR: &str = "tag";
/// Directory of branches; each holds schemas, snapshots and tags of its own.
pub const BRANCH_DIR: &str = "branch";
/// Directory of changelogs: snapshots that expired, whose changes are still to be read.
pub const CHANGELOG_DIR: &str = "changelog";
/// Directory of index files.
pub const INDEX_DIR: &str = "index";
/// Directory of table statistics.
pub const STATISTICS_DIR: &str = "statistics";
/// Hint file, in [`SNAPSHOT_DIR`], holding the newest snapshot's number.
pub const LATEST: &str = "LATEST";
/// Hint file, in [`SNAPSHOT_DIR`], holding the oldest snapshot's number.
pub const EARLIEST: &str = "EARLIEST";

const SNAPSHOT_PREFIX: &str = "snapshot-";
const SCHEMA_PREFIX: &str = "schema-";
const CHANGELOG_PREFIX: &str = "changelog-";
const CONSUMER_PREFIX: &str = "consumer-";
const TAG_PREFIX: &str = "tag-";
const BRANCH_PREFIX: &str = "branch-";

/// `snapshot-7`.
pub fn snapshot_file(id: SnapshotId) -> String {
    format!("{SNAPSHOT_PREFIX}{id}")
}

/// The number in `snapshot-7`; `None` for any other name, leftovers of writers included.
pub fn parse_snapshot(name: &str) -> Option<SnapshotId> {
    parse_number(name.strip_prefix(SNAPSHOT_PREFIX)?).map(SnapshotId)
}

/// The number in `changelog-7`; `None` for any other name.
pub fn parse_changelog(name: &str) -> Option<SnapshotId> {
    parse_number(name.strip_prefix(CHANGELOG_PREFIX)?).map(SnapshotId)
}

/// `schema-0`.
pub fn schema_file(id: i64) -> String {
    format!("{SCHEMA_PREFIX}{id}")
}

/// The number in `schema-0`; `None` for any other name.
pub fn parse_schema(name: &str) -> Option<i64> {
    parse_number(name.strip_prefix(SCHEMA_PREFIX)?)
}

/// `manifest-<uuid>-<n>`.
pub fn manifest_file(uuid: Uuid, n: u32) -> String {
    format!("manifest-{uuid}-{n}")
}

/// `manifest-list-<uuid>-<n>`.
pub fn manifest_list_file(uuid: Uuid, n: u32) -> String {
    format!("manifest-list-{uuid}-{n}")
}

/// `data-<uuid>-<n>.parquet`: prefix with its dash (`data-file.prefix`), extension without its dot.
pub fn data_file(prefix: &str, uuid: Uuid, n: u32, extension: &str) -> String {
    format!("{prefix}{uuid}-{n}.{extension}")
}

/// `consumer-<id>`.
pub fn consumer_file(id: &str) -> String {
    format!("{CONSUMER_PREFIX}{id}")
}

/// The id in `consumer-<id>`.
pub fn parse_consumer(name: &str) -> Option<&str> {
    name.strip_prefix(CONSUMER_PREFIX).filter(|id| !id.is_empty())
}

/// `tag-<name>`.
pub fn tag_file(name: &str) -> String {
    format!("{TAG_PREFIX}{name}")
}

/// The name in `tag-<name>`.
pub fn parse_tag(file: &str) -> Option<&str> {
    file.strip_prefix(TAG_PREFIX).filter(|name| !name.is_empty())
}

/// `branch-<name>`, the root of a branch's own metadata (`BranchManager.branchPath`).
pub fn branch_dir(name: &str) -> String {
    format!("{BRANCH_PREFIX}{name}")
}

/// The name in `branch-<name>`.
pub fn parse_branch(folder: &str) -> Option<&str> {
    folder.strip_prefix(BRANCH_PREFIX).filter(|name| !name.is_empty())
}

/// `bucket-0`: the directory of an append table's files (`BucketMode.UNAWARE_BUCKET`).
pub fn bucket_dir(bucket: i32) -> String {
    format!("bucket-{bucket}")
}

fn parse_number(text: &str) -> Option<i64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_numbers_are_snapshots_and_schemas() {
        for (name, id) in [
            ("snapshot-7", Some(7)),
            ("snapshot-9223372036854775807", Some(i64::MAX)),
            ("snapshot-9223372036854775808", None),
            ("snapshot-7#1", None),
            ("snapshot--7", None),
            ("snapshot-+7", None),
            ("snapshot-", None),
            (".snapshot-7.0f.tmp", None),
            ("LATEST", None),
        ] {
            assert_eq!(parse_snapshot(name).map(|id| id.0), id, "{name}");
            let name = name.replace("snapshot", "schema");
            assert_eq!(parse_schema(&name), id, "{name}");
        }
    }

    #[test]
    fn names_are_paimons() {
        let uuid = Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
        let text = "01234567-89ab-cdef-0123-456789abcdef";
        assert_eq!(snapshot_file(SnapshotId(7)), "snapshot-7");
        assert_eq!(schema_file(0), "schema-0");
        assert_eq!(manifest_file(uuid, 3), format!("manifest-{text}-3"));
        assert_eq!(manifest_list_file(uuid, 1), format!("manifest-list-{text}-1"));
        assert_eq!(data_file("data-", uuid, 0, "parquet"), format!("data-{text}-0.parquet"));
        assert_eq!(consumer_file("job"), "consumer-job");
        assert_eq!(parse_consumer("consumer-job"), Some("job"));
        assert_eq!(parse_consumer("consumer-"), None);
        assert_eq!(bucket_dir(0), "bucket-0");
        assert_eq!((tag_file("v 1").as_str(), parse_tag("tag-v 1"), parse_tag("tag-")), ("tag-v 1", Some("v 1"), None));
        assert_eq!(
            (branch_dir("b").as_str(), parse_branch("branch-b"), parse_branch("branch-")),
            ("branch-b", Some("b"), None)
        );
        assert_eq!((parse_changelog("changelog-7"), parse_changelog("LATEST")), (Some(SnapshotId(7)), None));
    }
}
