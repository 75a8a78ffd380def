//! The tags of a table, with the columns of Paimon 2.0's `$tags` (`TagsTable`).

use std::time::Duration;

use paimon_format::Tag;
use paimon_table::table::Table;
use serde_json::Value;

use super::output::Sheet;
use super::text;
use crate::failure::Failure;

const COLUMNS: [&str; 7] =
    ["tag_name", "snapshot_id", "schema_id", "commit_time", "record_count", "create_time", "time_retained"];

/// In the order of their names.
pub(super) async fn list(table: &Table) -> Result<Sheet, Failure> {
    let mut rows = Vec::new();
    for name in table.tags().await? {
        let tag = table.tag(&name).await?;
        rows.push(row(&name, &tag));
    }
    Ok(Sheet::new(COLUMNS, rows))
}

fn row(name: &str, tag: &Tag) -> Vec<Value> {
    vec![
        Value::from(name),
        Value::from(tag.snapshot.id.0),
        Value::from(tag.snapshot.schema_id),
        Value::from(text::local_time(tag.snapshot.time_millis)),
        Value::from(tag.snapshot.total_record_count),
        Value::from(tag.create_time_millis.map(|millis| text::timestamp(millis, 0))),
        Value::from(tag.time_retained.map(iso_8601)),
    ]
}

/// As Java's `Duration.toString`: `PT36H`, `PT1M0.5S`, `PT0S`.
fn iso_8601(duration: Duration) -> String {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let mut text = "PT".to_owned();
    if hours > 0 {
        text += &format!("{hours}H");
    }
    if minutes > 0 {
        text += &format!("{minutes}M");
    }
    match nanos {
        0 if seconds == 0 && text.len() > 2 => {}
        0 => text += &format!("{seconds}S"),
        _ => text += &format!("{seconds}.{}S", format!("{nanos:09}").trim_end_matches('0')),
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_spelt_as_java_does() {
        for (duration, expected) in [
            (Duration::ZERO, "PT0S"),
            (Duration::from_secs(86_400 + 43_200), "PT36H"),
            (Duration::from_millis(60_500), "PT1M0.5S"),
            (Duration::from_secs(3_661), "PT1H1M1S"),
        ] {
            assert_eq!(iso_8601(duration), expected);
        }
    }
}
