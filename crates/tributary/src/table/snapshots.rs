//! The snapshots of a table, with the columns of Paimon 2.0's `$snapshots` (`SnapshotsTable`).

use paimon_format::{Snapshot, SnapshotId};
use serde_json::Value;

use super::output::Sheet;
use super::{Query, text};
use crate::failure::Failure;

const COLUMNS: [&str; 15] = [
    "snapshot_id",
    "schema_id",
    "commit_user",
    "commit_identifier",
    "commit_kind",
    "commit_time",
    "base_manifest_list",
    "delta_manifest_list",
    "changelog_manifest_list",
    "total_record_count",
    "delta_record_count",
    "changelog_record_count",
    "watermark",
    "next_row_id",
    "operation",
];

/// Oldest first; with a limit the newest of them.
pub(super) async fn list(query: &Query) -> Result<Sheet, Failure> {
    if let Some(asked) = &query.snapshot {
        return Ok(Sheet::new(COLUMNS, vec![row(asked)]));
    }
    let ids = newest(query.table.snapshot_ids().await?, query.limit);
    let mut rows = Vec::with_capacity(ids.len());
    for id in ids {
        // One that is gone has expired since it was listed.
        rows.extend(query.table.snapshot(id).await?.map(|snapshot| row(&snapshot)));
    }
    Ok(Sheet::new(COLUMNS, rows))
}

fn newest(ids: Vec<SnapshotId>, limit: Option<usize>) -> Vec<SnapshotId> {
    let skipped = limit.map_or(0, |limit| ids.len().saturating_sub(limit));
    ids.into_iter().skip(skipped).collect()
}

fn row(snapshot: &Snapshot) -> Vec<Value> {
    vec![
        Value::from(snapshot.id.0),
        Value::from(snapshot.schema_id),
        Value::from(snapshot.commit_user.as_str()),
        Value::from(snapshot.commit_identifier),
        Value::from(snapshot.commit_kind.to_string()),
        Value::from(text::local_time(snapshot.time_millis)),
        Value::from(snapshot.base_manifest_list.as_str()),
        Value::from(snapshot.delta_manifest_list.as_str()),
        Value::from(snapshot.changelog_manifest_list.clone()),
        Value::from(snapshot.total_record_count),
        Value::from(snapshot.delta_record_count),
        Value::from(snapshot.changelog_record_count),
        Value::from(snapshot.watermark),
        Value::from(snapshot.next_row_id),
        Value::from(snapshot.operation.clone()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_keeps_the_newest() {
        let ids = || (1..=5).map(SnapshotId).collect::<Vec<_>>();
        for (limit, expected) in [(None, 1..=5), (Some(2), 4..=5), (Some(9), 1..=5)] {
            assert_eq!(newest(ids(), limit), expected.map(SnapshotId).collect::<Vec<_>>());
        }
        assert_eq!(newest(ids(), Some(0)), []);
    }
}
