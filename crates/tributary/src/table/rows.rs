//! The first rows of a table, oldest commit first.

use futures::StreamExt;
use paimon_table::read::read_file;
use serde_json::Value;

use super::output::Sheet;
use super::{Query, text};
use crate::failure::Failure;

/// At most `limit` rows; files beyond them are not opened.
pub(super) async fn first(query: &Query, limit: usize) -> Result<Sheet, Failure> {
    let fields = &query.table.schema().fields;
    let mut rows: Vec<Vec<Value>> = Vec::new();
    let plan = query.plan().await?;
    for entry in &plan.files {
        if rows.len() >= limit {
            break;
        }
        let mut batches = read_file(&query.table, entry, fields).await?;
        while let Some(batch) = batches.next().await {
            let batch = batch?;
            for row in 0..batch.num_rows().min(limit - rows.len()) {
                let cells: Result<Vec<Value>, _> = fields
                    .iter()
                    .zip(batch.columns())
                    .map(|(field, column)| text::cell(column, row, &field.data_type.root))
                    .collect();
                rows.push(cells?);
            }
            if rows.len() >= limit {
                break;
            }
        }
    }
    Ok(Sheet { columns: fields.iter().map(|field| field.name.clone()).collect(), rows })
}
