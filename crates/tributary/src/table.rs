//! `tributary table`: what a table holds, from its metadata; only `head` opens data files.

mod files;
mod output;
mod partition;
mod rows;
mod snapshots;
mod text;

use std::io;
use std::sync::Arc;

use paimon_format::{Snapshot, SnapshotId};
use paimon_table::error::TableError;
use paimon_table::predicate::Predicate;
use paimon_table::scan::{ScanPlan, plan_scan, plan_scan_of};
use paimon_table::table::Table;
use serde_json::Value;
use tributary_runtime::{Env, Executor};

use crate::args::{OutputFormat, TableQuery, TableVerb};
use crate::catalogs;
use crate::failure::{CommandError, Failure};
use crate::settings::Settings;
use output::Sheet;

/// Rows that `head` prints unless told otherwise.
const HEAD_ROWS: usize = 10;

/// A table and the part of it that was asked for.
struct Query {
    /// With the columns it had at `snapshot`.
    table: Table,
    /// The one that was asked for; `None` for the latest.
    snapshot: Option<Arc<Snapshot>>,
    filter: Option<Predicate>,
    limit: Option<usize>,
}

/// Answers on standard output.
pub(crate) async fn print(verb: TableVerb, settings: &Settings, env: &Env) -> Result<(), Failure> {
    let format = verb.query().format;
    let query = Query::open(verb.query(), settings, env).await?;
    let sheet = match verb {
        TableVerb::Head(_) => rows::first(&query, query.limit.unwrap_or(HEAD_ROWS)).await?,
        TableVerb::Count(_) => count(&query).await?,
        TableVerb::Files(_) => files::list(&query).await?,
        TableVerb::Snapshots(_) => snapshots::list(&query).await?,
    };
    let out = &mut io::stdout().lock();
    let written = match (verb, format) {
        (TableVerb::Count(_), OutputFormat::Table) => sheet.print_bare(out),
        _ => sheet.print(format, out),
    };
    written.map_err(|source| CommandError::Io { doing: "write to standard output".to_owned(), source }.into())
}

async fn count(query: &Query) -> Result<Sheet, Failure> {
    let rows = match (&query.filter, &query.snapshot) {
        (None, None) => query.table.latest_snapshot().await?.map_or(0, |snapshot| snapshot.total_record_count),
        // The filter names partition columns only, so every row of a planned file matches.
        _ => query.plan().await?.rows(),
    };
    Ok(Sheet { columns: vec!["count".to_owned()], rows: vec![vec![Value::from(rows)]] })
}

// === impl Query ===

impl Query {
    async fn open(asked: &TableQuery, settings: &Settings, env: &Env) -> Result<Self, Failure> {
        let mut table = catalogs::table(settings, &asked.table, asked.branch.as_deref(), env).await?;
        let snapshot = match (asked.snapshot.map(SnapshotId), &asked.tag) {
            (Some(id), _) => {
                let missing = || TableError::NoSuchSnapshot { id: id.0, location: table.location() };
                Some(table.snapshot(id).await?.ok_or_else(missing)?)
            }
            (None, Some(tag)) => Some(table.tag(tag).await?),
            (None, None) => None,
        };
        if let Some(snapshot) = &snapshot {
            table = table.as_of(snapshot).await?;
        }
        let filter = asked.partition.as_deref().map(|spec| partition::parse(spec, table.schema())).transpose()?;
        Ok(Self { table, snapshot, filter, limit: asked.limit })
    }

    async fn plan(&self) -> Result<ScanPlan, Failure> {
        let (filter, executor) = (self.filter.as_ref(), Executor::inline());
        Ok(match &self.snapshot {
            Some(snapshot) => plan_scan_of(&self.table, Arc::clone(snapshot), filter, &executor).await?,
            None => plan_scan(&self.table, None, filter, &executor).await?,
        })
    }
}
