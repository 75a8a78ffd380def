//! Verbs that change what a table keeps: `expire-snapshots`, `remove-orphan-files`, and those of tags.

use std::time::Duration;

use chrono::{Local, NaiveDateTime, TimeZone};
use paimon_format::{SnapshotId, parse_duration};
use paimon_table::expire::{ExpirePolicy, ExpireReport, expire};
use paimon_table::orphans::{DEFAULT_OLDER_THAN, Orphan, OrphanPolicy, OrphanReport, remove_orphans};
use paimon_table::{Reclaimed, tagging};
use serde_json::Value;
use tributary_runtime::Drain;

use super::Tables;
use super::output::Sheet;
use crate::args::{CreateTag, DeleteTag, ExpireSnapshots, ExpireTags, Maintenance, RemoveOrphanFiles};
use crate::failure::{CommandError, Failure};

/// Does what was asked for and says what came of it.
pub(super) async fn run(asked: &Maintenance, tables: &Tables<'_>) -> Result<Sheet, Failure> {
    let stop = Drain::new();
    let work = async {
        match asked {
            Maintenance::ExpireSnapshots(asked) => expire_snapshots(asked, tables, &stop).await,
            Maintenance::RemoveOrphanFiles(asked) => remove_orphan_files(asked, tables, &stop).await,
            Maintenance::CreateTag(asked) => create_tag(asked, tables).await,
            Maintenance::DeleteTag(asked) => delete_tag(asked, tables).await,
            Maintenance::ExpireTags(asked) => expire_tags(asked, tables).await,
        }
    };
    tokio::select! {
        done = work => done,
        () = interrupted(&stop) => {
            Err(CommandError::Internal("interrupted; files that nothing refers to may be left, for remove-orphan-files".to_owned()).into())
        }
    }
}

/// The first Ctrl-C ends the work where nothing is half done; the second at once.
async fn interrupted(stop: &Drain) {
    for _ in 0..2 {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        stop.request(Duration::ZERO);
    }
}

async fn expire_snapshots(asked: &ExpireSnapshots, tables: &Tables<'_>, stop: &Drain) -> Result<Sheet, Failure> {
    let table = tables.main(&asked.target).await?;
    let of_table = ExpirePolicy::of(table.options());
    let now = tables.env.clock.now_millis();
    let policy = ExpirePolicy {
        retain_max: asked.retain_max.unwrap_or(of_table.retain_max),
        retain_min: asked.retain_min.unwrap_or(of_table.retain_min),
        time_retained: match &asked.older_than {
            Some(text) => age_of(text, now)?,
            None => of_table.time_retained,
        },
        max_deletes: asked.max_deletes.unwrap_or(of_table.max_deletes),
    };
    let report = expire(&table, &policy, tables.env, stop).await?;
    let ExpireReport { snapshots, earliest, reclaimed, released, held_by, .. } = report;
    let columns = [
        "expired_snapshots",
        "earliest_snapshot",
        "deleted_data_files",
        "deleted_manifests",
        "deleted_bytes",
        "not_deleted",
        "released_consumers",
        "held_by",
    ];
    let row = vec![
        Value::from(snapshots),
        Value::from(earliest.map(|id| id.0)),
        Value::from(reclaimed.data_files),
        Value::from(reclaimed.metadata_files),
        Value::from(reclaimed.bytes),
        Value::from(reclaimed.left),
        Value::from(released),
        Value::from(held_by.map(|(consumer, id)| format!("consumer {consumer} from snapshot {id}"))),
    ];
    Ok(Sheet::new(columns, vec![row]))
}

/// One row per orphan.
async fn remove_orphan_files(asked: &RemoveOrphanFiles, tables: &Tables<'_>, stop: &Drain) -> Result<Sheet, Failure> {
    let table = tables.main(&asked.target).await?;
    let older_than = match &asked.older_than {
        Some(text) => age_of(text, tables.env.clock.now_millis())?,
        None => DEFAULT_OLDER_THAN,
    };
    let policy = OrphanPolicy { older_than, delete: !asked.dry_run };
    let OrphanReport { orphans, left, .. } = remove_orphans(&table, &policy, tables.env, stop).await?;
    let bytes: u64 = orphans.iter().map(|orphan| orphan.bytes).sum();
    match asked.dry_run {
        true => tracing::info!(files = orphans.len(), bytes, "nothing was deleted; --dry-run=false deletes them"),
        false => tracing::info!(files = orphans.len(), bytes, not_deleted = left, "deleted the orphan files"),
    }
    let row = |orphan: Orphan| vec![Value::from(orphan.path), Value::from(orphan.bytes)];
    Ok(Sheet::new(["file_path", "file_size_in_bytes"], orphans.into_iter().map(row).collect()))
}

async fn create_tag(asked: &CreateTag, tables: &Tables<'_>) -> Result<Sheet, Failure> {
    let table = tables.main(&asked.target).await?;
    let retained = asked.time_retained.as_deref().map(parse_duration).transpose();
    let retained = retained.map_err(|why| Failure::usage(format!("--time-retained: {why}")))?;
    let snapshot = asked.snapshot.map(SnapshotId);
    let id = tagging::create_tag(&table, &asked.tag, snapshot, retained, tables.env).await?;
    Ok(Sheet::new(["tag_name", "snapshot_id"], vec![vec![Value::from(asked.tag.as_str()), Value::from(id.0)]]))
}

async fn delete_tag(asked: &DeleteTag, tables: &Tables<'_>) -> Result<Sheet, Failure> {
    let table = tables.main(&asked.target).await?;
    let reclaimed = tagging::delete_tag(&table, &asked.tag, tables.env).await?;
    Ok(Sheet::new(TAG_COLUMNS, vec![tag_row(&asked.tag, reclaimed)]))
}

async fn expire_tags(asked: &ExpireTags, tables: &Tables<'_>) -> Result<Sheet, Failure> {
    let table = tables.main(&asked.target).await?;
    let expired = tagging::expire_tags(&table, tables.env).await?;
    Ok(Sheet::new(TAG_COLUMNS, expired.into_iter().map(|(name, reclaimed)| tag_row(&name, reclaimed)).collect()))
}

const TAG_COLUMNS: [&str; 5] = ["tag_name", "deleted_data_files", "deleted_manifests", "deleted_bytes", "not_deleted"];

fn tag_row(name: &str, reclaimed: Reclaimed) -> Vec<Value> {
    let Reclaimed { data_files, metadata_files, bytes, left } = reclaimed;
    let numbers = [data_files, metadata_files, bytes, left].map(Value::from);
    std::iter::once(Value::from(name)).chain(numbers).collect()
}

/// How long ago a local time was, as Paimon's procedures take one: `2026-01-31 09:00:00`, `2026-01-31`.
fn age_of(text: &str, now_millis: i64) -> Result<Duration, Failure> {
    let full = if text.trim().len() > 10 { text.trim().to_owned() } else { format!("{} 00:00:00", text.trim()) };
    let time = NaiveDateTime::parse_from_str(&full, "%Y-%m-%d %H:%M:%S%.f").ok();
    let millis = time.and_then(|time| Local.from_local_datetime(&time).earliest()).map(|time| time.timestamp_millis());
    let age = millis.and_then(|millis| u64::try_from(now_millis - millis).ok()).map(Duration::from_millis);
    age.ok_or_else(|| {
        Failure::usage(format!("--older-than: `{text}` is no local time in the past; write 2026-01-31 09:00:00"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_time_in_the_past_is_an_age() {
        let noon = Local.with_ymd_and_hms(2026, 1, 31, 12, 0, 0).earliest().map_or(0, |time| time.timestamp_millis());
        for (text, seconds) in [
            ("2026-01-31 11:00:00", Some(3600.0)),
            (" 2026-01-31 11:59:59.5 ", Some(0.5)),
            ("2026-01-31", Some(12.0 * 3600.0)),
            ("2026-01-31 12:00:01", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(age_of(text, noon).ok().map(|age| age.as_secs_f64()), seconds, "{text}");
        }
    }
}
