//! Who keeps snapshots from expiring, with the columns of Paimon 2.0's `$consumers` (`ConsumersTable`).

use paimon_table::consumer;
use paimon_table::table::Table;
use serde_json::Value;

use super::output::Sheet;
use crate::failure::Failure;

/// In the order of their ids.
pub(super) async fn list(table: &Table) -> Result<Sheet, Failure> {
    let consumers = consumer::list(table).await?;
    let rows = consumers.into_iter().map(|(id, next)| vec![Value::from(id), Value::from(next.0)]);
    Ok(Sheet::new(["consumer_id", "next_snapshot_id"], rows.collect()))
}
